// Looking whether a presentation is there, without a player: a player that is told to load what is not
// there yet gives up, and one that is told to load what has ended plays the end again.

import { variantsIn } from "./multivariant.ts";

/** How long an answer may take, in milliseconds: the gateway holds a playlist back until its first segment is cut. */
const ANSWER_WITHIN_MS = 30_000;

/**
 * `missing`: the gateway says that there is none. `absent` is also what a gateway that does not answer looks like.
 * `starting` has too little yet: a player that began with it would have nothing left each time the next segment
 * is due.
 */
export type Presence = "missing" | "absent" | "starting" | "live" | "ended";

/** Whether the presentation with this multivariant playlist is there, and whether it goes on. Never rejects. */
export async function probe(multivariantUrl: string, signal: AbortSignal): Promise<Presence> {
  try {
    const multivariant = await fetchText(multivariantUrl, signal);
    const rendition = firstRendition(multivariant.text);
    if (rendition === null) return presence(multivariant.text);
    return presence((await fetchText(new URL(rendition, multivariant.url).href, signal)).text);
  } catch (why) {
    return why instanceof Missing ? "missing" : "absent";
  }
}

/** The address of the first variant's media playlist in a multivariant playlist (RFC 8216 §4.3.4.2), or null. */
export function firstRendition(playlist: string): string | null {
  return variantsIn(playlist)[0]?.uri ?? null;
}

/**
 * What a media playlist says of its presentation (RFC 8216 §4.3.3.4). One segment will do where parts follow it,
 * but hls.js takes parts alone for nothing.
 */
export function presence(playlist: string): Presence {
  const segments = playlist.match(/^#EXTINF:/gm)?.length ?? 0;
  if (!playlist.startsWith("#EXTM3U") || segments === 0) return "absent";
  if (/^#EXT-X-ENDLIST\s*$/m.test(playlist)) return "ended";
  return segments === 1 && !/^#EXT-X-PART:/m.test(playlist) ? "starting" : "live";
}

/** HTTP 404. */
class Missing extends Error {}

/** The playlist at `url`; rejects where there is none. */
export async function fetchText(url: string, signal: AbortSignal): Promise<{ text: string; url: string }> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_WITHIN_MS);
  signal.addEventListener("abort", () => late.abort(), { once: true });
  try {
    // Not from the cache, but into it: the player asks next, and must not find the end of an earlier life
    // there, which the gateway lets be kept for some seconds.
    const response = await fetch(url, { cache: "reload", signal: late.signal });
    if (response.status === 404) throw new Missing();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return { text: await response.text(), url: response.url };
  } finally {
    clearTimeout(timer);
  }
}
