// What the gateway says of the encoder, below the picture, and why there is none.

import { type Advice, fetchHealth, type Health, Refusal } from "../api.ts";
import type { Said } from "../clock.ts";
import { byId, el, setText } from "../dom.ts";
import { frequency, heading, SEVERITIES } from "../health.ts";
import type { Presentation } from "../paths.ts";
import { poll } from "../poll.ts";

/** How often the gateway is asked, in milliseconds: it knows something new once a second. */
const ASK_EVERY_MS = 3_000;

/** The same while there is no answer: the stream is not there, or nobody may ask here. */
const ASK_AGAIN_MS = 6_000;

/** To how many milliseconds HTTP's Date and the API's times are exact. */
const SECOND = 1_000;
const MILLISECOND = 1;

/**
 * Keeps the advice shown; `hear` is told each answer, and null where there is none: nothing of this name, no
 * gateway, or an API that is for operators only. `hearTime` is told what any answer says of the gateway's clock.
 */
export function doctor(
  presentation: Presentation,
  hear: (health: Health | null) => void,
  hearTime: (said: Said) => void,
): void {
  const section = byId("doctor", HTMLElement);
  const title = byId("doctor-title", HTMLElement);
  const list = byId("advice", HTMLElement);
  poll(async () => {
    const asked = Date.now();
    const tell = (time: string, grain: number) =>
      hearTime({ asked, answered: Date.now(), said: Date.parse(time), grain });
    const health = await fetchHealth(presentation).catch((why: unknown) => {
      // A refusal is dated, too.
      if (why instanceof Refusal && why.date !== null) tell(why.date, SECOND);
      return null;
    });
    if (health !== null) tell(health.at, MILLISECOND);
    hear(health);
    const words = health === null ? "" : heading(health);
    section.hidden = words === "";
    setText(title, words);
    section.dataset["health"] = health?.status ?? "";
    show(list, health);
    return health === null ? ASK_AGAIN_MS : ASK_EVERY_MS;
  });
}

/** The elements are made anew only when there is other advice: a selection should outlive a second. */
function show(list: HTMLElement, health: Health | null): void {
  const advice = health?.advice ?? [];
  const key = JSON.stringify(advice.map(({ kind, severity }) => [kind, severity]));
  if (list.dataset["of"] !== key) {
    list.dataset["of"] = key;
    list.replaceChildren(...advice.map(item));
  }
  advice.forEach((one, index) => {
    const element = list.children[index];
    const say = (name: string, words: string) => {
      const part = element?.querySelector(`.${name}`);
      if (part) setText(part, words);
    };
    say("seen", one.text);
    say("remedy", one.remedy);
    say("often", frequency(one, health?.at ?? one.last));
  });
}

function item({ kind, severity }: Advice): HTMLElement {
  return el(
    "li",
    { "data-kind": kind, "data-severity": severity },
    el("p", {}, el("b", { class: "severity" }, SEVERITIES[severity] ?? severity), " ", el("span", { class: "seen" })),
    el("p", { class: "remedy" }),
    el("p", { class: "often muted note" }),
  );
}
