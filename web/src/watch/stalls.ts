// Counting stalls as a viewer does: the picture stood still although it should have moved. Pure.

export interface Stalls {
  count: number;
  /** How long the longest of those lasted that are over, in milliseconds. */
  longestMs: number;
  /** Whether the picture has moved since the source was set, or since the viewer moved it. */
  running: boolean;
  /** When the stall began that goes on, in milliseconds of any clock; null while there is none. */
  since: number | null;
}

/**
 * `moving`: the picture moves. `starved`: it waits for media. `interrupted`: it stands because it was asked
 * to (a new source, a seek, a pause, the end).
 */
export type StallEvent = "moving" | "starved" | "interrupted";

export const NO_STALLS: Stalls = { count: 0, longestMs: 0, running: false, since: null };

/**
 * The count after `event` at `at`, in milliseconds of a clock that is not set: one stall however often it is
 * reported, and none before the first picture.
 */
export function countStall(stalls: Stalls, event: StallEvent, at: number): Stalls {
  if (event === "starved") {
    return stalls.running ? { ...stalls, count: stalls.count + 1, running: false, since: at } : stalls;
  }
  const lasted = stalls.since === null ? 0 : at - stalls.since;
  const longestMs = Math.max(stalls.longestMs, lasted);
  return { ...stalls, longestMs, running: event === "moving", since: null };
}
