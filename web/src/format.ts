// Figures in words, for people: no units are left for the reader to guess. Pure; the locale is fixed to
// English, as the pages are.

/** What stands where a figure is not known. */
export const UNKNOWN = "–";

/** A bit rate given in bit/s: `850 kbit/s`, `3.00 Mbit/s`. */
export function bitRate(bitsPerSecond: number | null | undefined): string {
  return scaled(bitsPerSecond, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
}

/** An amount given in bytes, in powers of ten: `1.23 GB`. */
export function byteCount(bytes: number | null | undefined): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

/** A short duration given in seconds, to the hundredth: `2.00 s`. */
export function seconds(value: number | null | undefined): string {
  return isFigure(value) ? `${value.toFixed(2)} s` : UNKNOWN;
}

/** How late the picture is, given in seconds: `1.1 s behind the encoder`. */
export function behind(value: number | null | undefined): string {
  return isFigure(value) ? `${value.toFixed(1)} s behind the encoder` : UNKNOWN;
}

/** How often the picture stood still and, in seconds, how long at most: `2, the longest 0.84 s`. */
export function stalls(times: number, longest: number): string {
  return times === 0 ? "none" : `${count(times)}, the longest ${seconds(longest)}`;
}

/** A long duration given in seconds, in its two largest units: `42 s`, `3 min 20 s`, `5 h 2 min`, `9 d 4 h`. */
export function elapsed(value: number | null | undefined): string {
  if (!isFigure(value)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(value));
  const [d, h, min, s] = [whole / 86_400, (whole / 3_600) % 24, (whole / 60) % 60, whole % 60].map(
    Math.floor,
  ) as [number, number, number, number];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${min} min`;
  if (min > 0) return `${min} min ${s} s`;
  return `${s} s`;
}

/** A count with thousands apart: `12 345`, by a space that does not break. */
export function count(value: number | null | undefined): string {
  if (!isFigure(value)) return UNKNOWN;
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** A count with its noun: `1 stream`, `3 streams`; `many` is for nouns that do not take an s. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A frame rate in frames/s, without digits that say nothing: `30 fps`, `29.97 fps`. */
export function frameRate(value: number | null | undefined): string {
  return isFigure(value) ? `${trimmed(value, 2)} fps` : UNKNOWN;
}

/** A sample rate given in Hz: `48 kHz`, `44.1 kHz`. */
export function sampleRate(value: number | null | undefined): string {
  return isFigure(value) ? `${trimmed(value / 1000, 3)} kHz` : UNKNOWN;
}

/** Audio channels as people call them: `mono`, `stereo`, `6 channels`. */
export function channels(value: number | null | undefined): string {
  if (!isFigure(value)) return UNKNOWN;
  return value === 1 ? "mono" : value === 2 ? "stereo" : `${value} channels`;
}

/** The span of some durations in seconds: `2.00 s`, or `1.98–2.04 s` where they differ to the hundredth. */
export function spread(durations: readonly number[]): string {
  if (durations.length === 0) return UNKNOWN;
  const shortest = Math.min(...durations).toFixed(2);
  const longest = Math.max(...durations).toFixed(2);
  return shortest === longest ? `${shortest} s` : `${shortest}–${longest} s`;
}

function isFigure(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Three significant digits in the largest unit that keeps the figure at 1 or more. */
function scaled(value: number | null | undefined, units: readonly [string, ...string[]]): string {
  if (!isFigure(value)) return UNKNOWN;
  let rest = Math.max(0, value);
  let unit = 0;
  // 999.5 would be rounded to "1000": it belongs to the next unit.
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
