// The bit rate of what arrives, over the last few segments. Pure.

/** How many segments are averaged: with two seconds each, about what a viewer calls now. */
const SEGMENTS = 5;

/** A segment as it was loaded. */
export interface Loaded {
  bytes: number;
  /** Seconds. */
  duration: number;
}

/** The latest segments with `loaded` added. */
export function withLoaded(latest: readonly Loaded[], loaded: Loaded): readonly Loaded[] {
  return [...latest, loaded].slice(-SEGMENTS);
}

/** Their bit rate in bit/s, or null if there are none. */
export function bitRateOf(latest: readonly Loaded[]): number | null {
  const duration = latest.reduce((sum, loaded) => sum + loaded.duration, 0);
  if (duration <= 0) return null;
  return (8 * latest.reduce((sum, loaded) => sum + loaded.bytes, 0)) / duration;
}
