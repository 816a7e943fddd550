// The figures below the picture, and what is said over it.

import type { Health } from "../api.ts";
import { byId, el, setText } from "../dom.ts";
import { behind, bitRate, count, plural, seconds, stalls, UNKNOWN } from "../format.ts";
import { whyNoPicture } from "../health.ts";
import type { Phase, Stats } from "./player.ts";

/** What a phase is called, and what is said over the picture meanwhile. */
const PHASES: Record<Phase, { label: string; notice: string }> = {
  loading: { label: "Connecting", notice: "Connecting…" },
  waiting: { label: "Waiting", notice: "Waiting for an encoder that publishes this name. This page starts by itself as soon as there is a picture." },
  playing: { label: "Playing", notice: "" },
  stalled: { label: "Waiting", notice: "Waiting for more from the encoder…" },
  ended: { label: "Ended", notice: "The stream has ended. This page goes on by itself if it comes back." },
  unsupported: { label: "Not supported", notice: "This browser can play HLS neither by itself nor with Media Source Extensions." },
};

/** There should be a picture, and is none: the gateway may know why. */
const WITHOUT_PICTURE: ReadonlySet<Phase> = new Set(["loading", "waiting", "stalled"]);

/** The state that the stylesheet colours. */
const COLOURS: Partial<Record<Phase, string>> = { playing: "live", waiting: "waiting", stalled: "waiting" };

/** What the figures are called, and how they are read. */
const FIGURES: readonly [label: string, read: (stats: Stats) => string][] = [
  ["Latency", ({ latency }) => behind(latency)],
  ["Buffer ahead", ({ bufferAhead }) => seconds(bufferAhead)],
  ["Bit rate", (stats) => bitRate(stats.bitRate)],
  ["Resolution", ({ width, height }) => (width > 0 ? `${width}×${height}` : UNKNOWN)],
  ["Dropped frames", (stats) => `${count(stats.droppedFrames)} of ${count(stats.decodedFrames)}`],
  ["Stalls", (stats) => stalls(stats.stalls, stats.longestStall)],
  ["Errors", ({ errors }) => (errors.length === 0 ? "none" : `${plural(errors.length, "error")}, last: ${errors.at(-1)}`)],
];

export interface Panel {
  showPhase(phase: Phase): void;
  /** What the gateway says of the encoder; null where it says nothing. */
  showHealth(health: Health | null): void;
  showStats(stats: Stats): void;
}

/** The page's panel. */
export function panel(): Panel {
  const notice = byId("notice", HTMLElement);
  const phaseWord = byId("phase", HTMLElement);
  const values = FIGURES.map(() => el("dd"));
  byId("stats", HTMLElement).replaceChildren(
    ...FIGURES.map(([label], index) => el("div", {}, el("dt", {}, label), values[index] as HTMLElement)),
  );
  let phase: Phase = "loading";
  let why: string | null = null;
  const showNotice = () => {
    const known = WITHOUT_PICTURE.has(phase) ? why : null;
    setText(notice, known ?? PHASES[phase].notice);
  };
  return {
    showPhase(next) {
      phase = next;
      setText(phaseWord, PHASES[phase].label);
      showNotice();
      document.body.dataset["state"] = COLOURS[phase] ?? "";
    },
    showHealth(health) {
      why = health && whyNoPicture(health);
      showNotice();
    },
    showStats(stats) {
      FIGURES.forEach(([, read], index) => {
        setText(values[index] as HTMLElement, read(stats));
      });
    },
  };
}
