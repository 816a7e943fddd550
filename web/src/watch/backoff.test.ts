import { expect, it } from "vitest";
import { backoff } from "./backoff.ts";

it("doubles up to its bound", () => {
  expect([1, 2, 3, 4, 5, 2000].map((n) => backoff(n, 1))).toEqual([
    500, 1000, 2000, 2000, 2000, 2000,
  ]);
});

it("leaves half of the pause to chance", () => {
  expect([0, 0.5, 1].map((random) => backoff(3, random))).toEqual([1000, 1500, 2000]);
});
