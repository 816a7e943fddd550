// A player that stands still although media come. hls.js does where an encoder leaves with a burst of pictures: a
// playlist that moves on to the next segment while a part is loaded makes it fetch that segment first, the browser drops
// the pictures it fetches afterwards, and hls.js waits at the hole without fetching what is behind it.

/** Media that come have so long, in milliseconds, to bring the picture on. */
const MOVES_WITHIN_MS = 4_000;

/** One look at a player. */
export interface Look {
  /** Nothing is left to be shown. */
  dry: boolean;
  /** Where the playlist ends, in seconds of the player's timeline; null where the browser does not say. */
  edge: number | null;
  /** Milliseconds. */
  at: number;
}

/** What earlier looks have shown; null while there is something to be shown. */
export interface Dryness {
  /** Where the playlist ended when nothing was left. */
  edge: number;
  /** Since when the playlist has gone on from there. */
  goesOnSince: number | null;
}

/** What is known after one look more. */
export function withLook(before: Dryness | null, { dry, edge, at }: Look): Dryness | null {
  if (!dry || edge === null) return null;
  if (before === null) return { edge, goesOnSince: null };
  // A player that was loaded anew counts from elsewhere.
  return { ...before, goesOnSince: edge === before.edge ? before.goesOnSince : (before.goesOnSince ?? at) };
}

/** Media have come for long enough, and nothing of them is there to be shown. */
export function isStuck(dryness: Dryness | null, at: number): boolean {
  return dryness !== null && dryness.goesOnSince !== null && at - dryness.goesOnSince >= MOVES_WITHIN_MS;
}
