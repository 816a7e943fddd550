// A player that stands still although media come. hls.js does where an encoder leaves with a burst of pictures: a
// playlist that moves on to the next segment while a part is loaded makes it fetch that segment first, the browser drops
// the pictures it fetches afterwards, and hls.js waits at the hole without fetching what is behind it.

/** Media that come have so long, in milliseconds, to bring the picture on. */
const MOVES_WITHIN_MS = 4_000;
/** A picture that has come no further than this, in seconds, stands: hls.js nudges one that does. */
const STANDS_S = 0.5;

/** One look at a player that should be playing. */
export interface Look {
  /** Whether there is a picture to go on with: a player that jumps ahead to where it has none has not moved. */
  shows: boolean;
  /** What is shown, in seconds of the player's timeline. */
  position: number;
  /** Where the playlist ends, likewise; null where the browser does not say. */
  edge: number | null;
  /** Milliseconds. */
  at: number;
}

/** Since when a picture stands. */
export interface Standstill {
  position: number;
  /** Where the playlist ended then. */
  edge: number;
  /** Since when the playlist has gone on from there. */
  goesOnSince: number | null;
}

/** Whether a picture still stands that was at `before`. */
export function stands(before: number, position: number): boolean {
  return Math.abs(position - before) < STANDS_S;
}

/** What is known after one look more; null where nothing can be known. */
export function withLook(before: Standstill | null, { shows, position, edge, at }: Look): Standstill | null {
  if (edge === null) return null;
  if (before === null || (shows && !stands(before.position, position))) return { position, edge, goesOnSince: null };
  // A player that was loaded anew counts from elsewhere.
  return { ...before, goesOnSince: edge === before.edge ? before.goesOnSince : (before.goesOnSince ?? at) };
}

/** Media have come for long enough, and nothing of them is shown. */
export function isStuck(standstill: Standstill | null, at: number): boolean {
  return standstill !== null && standstill.goesOnSince !== null && at - standstill.goesOnSince >= MOVES_WITHIN_MS;
}
