import { expect, it } from "vitest";
import type { Form } from "../paths.ts";
import { find } from "./find.ts";
import type { Presence } from "./probe.ts";

it.each<[string, wanted: Form, answers: Presence[], form: Form, presence: Presence]>([
  ["low latency where it is there", "low-latency", ["live"], "low-latency", "live"],
  ["classic where that is wanted", "classic", ["live"], "classic", "live"],
  ["classic where low latency is switched off", "low-latency", ["missing", "live", "missing"], "classic", "live"],
  ["neither where nobody publishes", "low-latency", ["missing", "missing"], "low-latency", "missing"],
  ["neither where the gateway is away", "low-latency", ["absent"], "low-latency", "absent"],
  ["neither where it goes away in between", "low-latency", ["missing", "absent"], "low-latency", "missing"],
  ["low latency where it began in between", "low-latency", ["missing", "starting", "live"], "low-latency", "live"],
])("%s", async (_, wanted, answers, form, presence) => {
  const looked: Form[] = [];
  const found = await find(wanted, async (form) => {
    looked.push(form);
    return answers[looked.length - 1] as Presence;
  });
  expect(found).toEqual({ form, presence });
  expect(looked).toEqual([wanted, "classic", wanted].slice(0, answers.length));
});
