// How fast to play, so that the picture gets back to where the playlist wants it. hls.js does so as well, but not with
// less than a second in hand, which is more than low latency ever means to have: a picture that was once held up would
// stay late. Pure.

/** Playing faster by this much goes unnoticed. */
const FAST = 1.1;

/** The last bit is caught up more slowly: half as many pictures are left out. */
const A_LITTLE_FAST = 1.05;

/** Later than wanted by less than this, in seconds, is as near as it gets. */
const NEAR_S = 0.05;

/** Later by more than this, in seconds, is caught up fast. */
const LATE_S = 0.25;

/** So much in hand, in seconds, is enough for any form. */
const ENOUGH_S = 1;

/** Where a player is; all in seconds. */
export interface Lateness {
  /** How far the picture is behind the edge of the playlist, and how far it should be. */
  latency: number;
  wanted: number;
  /** Media in hand. */
  ahead: number;
  /** Length of the parts, 0 where there are none. */
  part: number;
  /** Length of the segments. */
  segment: number;
}

/** How fast to play. */
export function rateOfPlay({ latency, wanted, ahead, part, segment }: Lateness): number {
  const late = latency - wanted;
  // One that is so late is where its viewer went.
  if (late < NEAR_S || late > wanted + segment) return 1;
  // Where parts arrive, what was wanted is in hand even when the next is about to.
  const enough = part > 0 ? Math.min(wanted + part, ENOUGH_S) : ENOUGH_S;
  if (ahead <= enough) return 1;
  return late > LATE_S ? FAST : A_LITTLE_FAST;
}
