import { describe, expect, it } from "vitest";
import { paths } from "./sparkline.ts";
import type { Sample } from "./state.ts";

const sample = (at: number, bitRate: number | null): Sample => ({ at, bitRate });

describe("paths", () => {
  it.each([
    ["nothing", [], "", ""],
    ["a single sample", [sample(0, 5)], "", ""],
    [
      "two minutes of steady bit rate",
      [0, 8_000, 16_000].map((at) => sample(at + 104_000, 1100)),
      "M208 4.4L224 4.4L240 4.4",
      "M208 4.4L224 4.4L240 4.4L240 48L208 48Z",
    ],
    [
      "silence is drawn at the bottom",
      [sample(0, 0), sample(1000, 0)],
      "M238 48L240 48",
      "M238 48L240 48L240 48L238 48Z",
    ],
    [
      "a gap where nobody published",
      [sample(0, 10), sample(1000, 10), sample(2000, null), sample(3000, 10), sample(4000, 10)],
      "M232 4.4L234 4.4M238 4.4L240 4.4",
      "M232 4.4L234 4.4L234 48L232 48ZM238 4.4L240 4.4L240 48L238 48Z",
    ],
    [
      "a gap where the page was hidden",
      [sample(0, 10), sample(1000, 10), sample(60_000, 10), sample(61_000, 10)],
      "M118 4.4L120 4.4M238 4.4L240 4.4",
      "M118 4.4L120 4.4L120 48L118 48ZM238 4.4L240 4.4L240 48L238 48Z",
    ],
  ])("%s", (_, samples, strokes, areas) => {
    expect(paths(samples)).toEqual({ strokes, areas });
  });
});
