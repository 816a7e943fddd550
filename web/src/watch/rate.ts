// The bit rate of what arrives, over the last seconds. Pure.

/** So much is averaged, in seconds: about what a viewer calls now, and several groups of pictures. */
const SECONDS = 10;

/** A segment as it was loaded, or a part of one. */
export interface Loaded {
  /** Pictures and sound may come apart, each at a rate of its own. */
  kind: string;
  bytes: number;
  /** Seconds. */
  duration: number;
}

/** The latest with `loaded` added. */
export function withLoaded(latest: readonly Loaded[], loaded: Loaded): readonly Loaded[] {
  let behind = 0;
  const kept = [...latest, loaded].reverse().filter(({ kind, duration }) => {
    if (kind !== loaded.kind) return true;
    const keeps = behind < SECONDS;
    behind += duration;
    return keeps;
  });
  return kept.reverse();
}

/** The bit rate of all kinds together in bit/s, or null if nothing was loaded. */
export function bitRateOf(latest: readonly Loaded[]): number | null {
  const rates = [...new Set(latest.map(({ kind }) => kind))].map((kind) => {
    const all = latest.filter((loaded) => loaded.kind === kind);
    const duration = all.reduce((sum, loaded) => sum + loaded.duration, 0);
    return duration > 0 ? (8 * all.reduce((sum, loaded) => sum + loaded.bytes, 0)) / duration : null;
  });
  const known = rates.filter((rate) => rate !== null);
  return known.length > 0 ? known.reduce((sum, rate) => sum + rate, 0) : null;
}
