// What a player has in hand. Pure.

/** Seconds buffered without a gap from `at` on. */
export function bufferAhead(buffered: TimeRanges, at: number): number {
  for (let n = 0; n < buffered.length; n += 1) {
    // The first picture may lie a little behind where the player begins.
    if (buffered.start(n) <= at + 0.1 && at < buffered.end(n)) return buffered.end(n) - at;
  }
  return 0;
}
