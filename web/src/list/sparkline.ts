// The bit rate of the last two minutes as a small curve, drawn by hand.

import { el, svg } from "../dom.ts";
import { bitRate } from "../format.ts";
import { HISTORY_MS, type Sample } from "./state.ts";

/** The drawing's own units; CSS stretches it. */
const WIDTH = 240;
const HEIGHT = 48;

/** Samples further apart than this, in milliseconds, are not joined: the page was hidden or the gateway away. */
const GAP_MS = 8_000;

/** A sparkline and the figure that goes with it. */
export interface Sparkline {
  element: HTMLElement;
  show(samples: readonly Sample[]): void;
}

/** An empty sparkline. */
export function sparkline(): Sparkline {
  const line = svg("path", { class: "spark-line" });
  const area = svg("path", { class: "spark-area" });
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    area,
    line,
  );
  return {
    element: el("div", { class: "spark" }, drawing),
    show(samples) {
      const { strokes, areas } = paths(samples);
      line.setAttribute("d", strokes);
      area.setAttribute("d", areas);
      drawing.setAttribute("aria-label", inWords(samples));
    },
  };
}

/** The curve and the area under it as SVG path data: the newest sample at the right edge, zero at the bottom. */
export function paths(samples: readonly Sample[]): { strokes: string; areas: string } {
  const newest = samples.at(-1)?.at ?? 0;
  const highest = Math.max(1, ...samples.map((sample) => sample.bitRate ?? 0));
  const runs = joined(samples).map((run) =>
    run.map(({ at, bitRate }) => ({
      x: round(WIDTH * (1 - (newest - at) / HISTORY_MS)),
      // A tenth is left above, so that the line is not cut in half at its highest.
      y: round(HEIGHT * (1 - bitRate / (highest * 1.1))),
    })),
  );
  const strokes = runs.map((run) => `M${run.map(({ x, y }) => `${x} ${y}`).join("L")}`);
  const areas = runs.map((run, index) => {
    const [first, last] = [run[0]?.x, run.at(-1)?.x];
    return `${strokes[index]}L${last} ${HEIGHT}L${first} ${HEIGHT}Z`;
  });
  return { strokes: strokes.join(""), areas: areas.join("") };
}

type Known = Sample & { bitRate: number };

/** The samples in runs without a gap; a run of one sample has no line and is left out. */
function joined(samples: readonly Sample[]): Known[][] {
  const runs: Known[][] = [[]];
  let previous: number | null = null;
  for (const { at, bitRate } of samples) {
    if (bitRate === null || (previous !== null && at - previous > GAP_MS)) runs.push([]);
    if (bitRate !== null) runs.at(-1)?.push({ at, bitRate });
    previous = at;
  }
  return runs.filter((run) => run.length > 1);
}

function inWords(samples: readonly Sample[]): string {
  const known = samples.flatMap(({ bitRate }) => (bitRate === null ? [] : [bitRate]));
  if (known.length === 0) return "No bit rate measured in the last two minutes";
  const [least, most] = [bitRate(Math.min(...known)), bitRate(Math.max(...known))];
  return `Bit rate of the last two minutes: between ${least} and ${most}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
