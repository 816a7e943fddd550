// What the player page wants of a way to play HLS; `hls.ts` and `native.ts` are the two there are.

import type { Offers } from "./offers.ts";

/** Loads a presentation into a video element. */
export interface Source {
  /** Loads from the start of its life, whatever was loaded before; what a viewer has chosen is chosen again if it is there. */
  load(url: string): void;
  /**
   * Goes on where loading failed, with all that is buffered; false where only {@link Source.load} helps. It
   * may fail again, and it may find that what is there now does not follow on what is buffered.
   */
  resume(): boolean;
  /**
   * Seconds between the date of what is shown and `now`, the gateway's clock in milliseconds, or null. The gateway
   * dates what an encoder sends when it comes.
   */
  latency(now: number): number | null;
  /** Where what could be loaded ends, in seconds of its timeline, or null where the browser does not say. */
  edge(): number | null;
  /** What there was to choose from when it was loaded, or null where the browser does not say. */
  offers(): Offers | null;
  /** What there is to choose from now: what was left since it did not come may be chosen again. */
  forgive(now: Offers): void;
  /** bit/s of what was loaded lately, or null where the browser does not say. */
  bitRate(): number | null;
}

/** Why a source has given up: nothing came, or what came cannot be played here. */
export type Failure = "not loaded" | "not playable";

/** What a source tells. */
export interface SourceEvents {
  /** An error in words; playing goes on. */
  trouble(words: string): void;
  /** It has given up with these words; {@link Source.resume} or another {@link Source.load} may help. */
  failed(words: string, why: Failure): void;
  /** The picture waits for media although the element may not say so. */
  starved(): void;
}
