import { expect, it } from "vitest";
import { type Lateness, rateOfPlay } from "./catchup.ts";

/** Parts of 200 ms in segments of 2 s, three parts behind the edge. */
const PARTS = { wanted: 0.6, part: 0.2, segment: 2 };
const CLASSIC = { wanted: 6, part: 0, segment: 2 };
const LONG_PARTS = { wanted: 3, part: 1, segment: 4 };

it.each<[string, Lateness, number]>([
  ["where it should be", { ...PARTS, latency: 0.62, ahead: 0.55 }, 1],
  ["late, with nothing to spare", { ...PARTS, latency: 1, ahead: 0.8 }, 1],
  ["a little late", { ...PARTS, latency: 0.8, ahead: 0.81 }, 1.05],
  ["late, with less in hand than hls.js asks for", { ...PARTS, latency: 1.1, ahead: 0.95 }, 1.1],
  ["after a long stall", { ...PARTS, latency: 2.5, ahead: 2.2 }, 1.1],
  ["where the viewer went back to", { ...PARTS, latency: 3.3, ahead: 3 }, 1],
  ["nearer than it should be", { ...PARTS, latency: 0.4, ahead: 0.9 }, 1],
  ["classic, where it should be", { ...CLASSIC, latency: 6, ahead: 5 }, 1],
  ["classic and late", { ...CLASSIC, latency: 8, ahead: 1.2 }, 1.1],
  ["classic, with nothing to spare", { ...CLASSIC, latency: 8, ahead: 0.9 }, 1],
  ["long parts", { ...LONG_PARTS, latency: 3.2, ahead: 1.1 }, 1.05],
])("%s", (_, lateness, expected) => {
  expect(rateOfPlay(lateness)).toBe(expected);
});
