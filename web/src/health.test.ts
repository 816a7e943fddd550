import { describe, expect, it } from "vitest";
import type { Advice } from "./api.ts";
import { frequency, heading, whyNoPicture } from "./health.ts";

function advice(kind: string, severity: Advice["severity"]): Advice {
  return {
    kind,
    severity,
    since: "2026-11-23T15:00:00Z",
    last: "2026-11-23T15:00:10Z",
    times: 1,
    text: `About ${kind}.`,
    remedy: "",
  };
}

describe("frequency", () => {
  it.each([
    ["2026-11-23T15:03:20Z", "2026-11-23T15:03:19Z", 12, "For 3 min 20 s, seen 12 times"],
    ["2026-11-23T15:00:30Z", "2026-11-23T15:00:10Z", 1, "For 30 s, seen 1 time, last 20 s ago"],
  ])("at %s", (at, last, times, expected) => {
    expect(frequency({ since: "2026-11-23T15:00:00Z", last, times }, at)).toBe(expected);
  });
});

describe("why there is no picture", () => {
  it.each([
    ["live", [], null],
    ["live", [advice("no_key_frame", "problem")], "About no_key_frame."],
    ["live", [advice("key_frame_interval", "warning")], "About key_frame_interval."],
    ["live", [advice("audio_missing", "warning")], null],
    ["resuming", [advice("no_key_frame", "problem")], "The encoder has left. Waiting for it to come back…"],
    ["ended", [advice("no_key_frame", "problem")], null],
  ] as const)("%s %j", (state, all, expected) => {
    expect(whyNoPicture({ state, advice: all })).toBe(expected);
  });
});

it("is said to be right only while somebody publishes", () => {
  const hint = [advice("audio_codec", "hint")];
  expect([
    heading({ state: "live", status: "good", advice: [] }),
    heading({ state: "live", status: "good", advice: hint }),
    heading({ state: "ended", status: "good", advice: [] }),
    heading({ state: "resuming", status: "good", advice: hint }),
  ]).toEqual([
    "The encoder is set right",
    "The encoder is set right, nearly",
    "",
    "The encoder, when it left",
  ]);
});
