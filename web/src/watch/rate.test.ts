import { expect, it } from "vitest";
import { bitRateOf, type Loaded, withLoaded } from "./rate.ts";

const kind = "main";

it("weighs segments by their duration", () => {
  const latest = [
    { kind, bytes: 1000, duration: 1 },
    { kind, bytes: 1000, duration: 3 },
  ];
  expect(bitRateOf(latest)).toBe(4000);
});

it("adds what pictures and sound have, which come apart", () => {
  const latest = [
    { kind, bytes: 1000, duration: 2 },
    { kind: "audio", bytes: 100, duration: 2 },
    { kind, bytes: 1000, duration: 2 },
  ];
  expect(bitRateOf(latest)).toBe(4400);
});

it("is unknown before anything was loaded", () => {
  expect(bitRateOf([])).toBeNull();
  expect(bitRateOf([{ kind, bytes: 1000, duration: 0 }])).toBeNull();
});

it("forgets what is more than ten seconds ago", () => {
  let latest: readonly Loaded[] = [{ kind: "audio", bytes: 1, duration: 2 }];
  for (let n = 1; n <= 9; n += 1) latest = withLoaded(latest, { kind, bytes: n, duration: 2 });
  expect(latest.map(({ bytes }) => bytes)).toEqual([1, 5, 6, 7, 8, 9]);
});
