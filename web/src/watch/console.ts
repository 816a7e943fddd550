// `window.forebay`: what browser tests, and anybody at the console, may read. Kept stable.

import type Hls from "hls.js";
import type { Player, Stats } from "./player.ts";

export interface Console {
  /** The hls.js instance, the same for the page's life; null where the browser's own HLS plays. */
  readonly hls: Hls | null;
  readonly video: HTMLVideoElement;
  /** Figures of this moment. */
  stats(): Stats;
}

declare global {
  interface Window {
    /** Only on the player page, once its script has run and the address named a presentation. */
    forebay?: Console;
  }
}

/** Puts `window.forebay` there. */
export function expose({ hls, stats }: Player, video: HTMLVideoElement): void {
  window.forebay = { hls, video, stats };
}
