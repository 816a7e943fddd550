// Counting stalls as a viewer does: the picture stood still although it should have moved. Pure.

export interface Stalls {
  count: number;
  /** Whether the picture has moved since the source was set, or since the viewer moved it. */
  running: boolean;
}

/**
 * `moving`: the picture moves. `starved`: it waits for media. `interrupted`: it stands because it was asked
 * to (a new source, a seek, a pause, the end).
 */
export type StallEvent = "moving" | "starved" | "interrupted";

export const NO_STALLS: Stalls = { count: 0, running: false };

/** The count after `event`: one stall however often it is reported, and none before the first picture. */
export function countStall(stalls: Stalls, event: StallEvent): Stalls {
  switch (event) {
    case "moving":
      return { count: stalls.count, running: true };
    case "interrupted":
      return { count: stalls.count, running: false };
    case "starved":
      return { count: stalls.count + (stalls.running ? 1 : 0), running: false };
  }
}
