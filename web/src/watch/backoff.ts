// How long to wait between attempts. Pure.

/** The first pause, in milliseconds. */
const FIRST_MS = 500;

/** The longest pause, in milliseconds: a picture that could be there is there within a segment's time. */
const LONGEST_MS = 2_000;

/**
 * Milliseconds to wait after `failures` failures in a row (from 1). `random` is in [0, 1): half of the pause
 * is left to it, so that the viewers of a gateway that restarts do not all come back in the same instant.
 */
export function backoff(failures: number, random: number): number {
  const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(pause * (0.5 + 0.5 * random));
}
