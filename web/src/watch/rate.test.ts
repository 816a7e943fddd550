import { expect, it } from "vitest";
import { bitRateOf, type Loaded, withLoaded } from "./rate.ts";

it("weighs segments by their duration", () => {
  const latest = [
    { bytes: 1000, duration: 1 },
    { bytes: 1000, duration: 3 },
  ];
  expect(bitRateOf(latest)).toBe(4000);
});

it("is unknown before anything was loaded", () => {
  expect(bitRateOf([])).toBeNull();
  expect(bitRateOf([{ bytes: 1000, duration: 0 }])).toBeNull();
});

it("forgets what is more than five segments ago", () => {
  let latest: readonly Loaded[] = [];
  for (let n = 1; n <= 9; n += 1) latest = withLoaded(latest, { bytes: n, duration: 1 });
  expect(latest.map(({ bytes }) => bytes)).toEqual([5, 6, 7, 8, 9]);
});
