// What a multivariant playlist offers to choose from. Players load it once: what joins a ladder later, or comes back to
// it, is found by looking again.

import { variantsIn } from "./multivariant.ts";

/** The variants, by address, and the renditions of sound, by name (RFC 8216 §4.3.4). */
export type Offers = ReadonlySet<string>;

/**
 * What the multivariant playlist `text`, fetched at `url`, offers; nothing where it is a media playlist. A variant of
 * sound alone is nothing to choose beside pictures: it is that of another rung when the one leaves that it was of.
 */
export function offersIn(text: string, url: string): Offers {
  const all = variantsIn(text);
  if (all.length === 0) return new Set();
  const pictures = all.filter(({ tag }) => tag.includes("RESOLUTION="));
  const variants = (pictures.length > 0 ? pictures : all).map(({ uri }) => new URL(uri, url).href);
  const lines = text.split(/\r?\n/);
  const sounds = lines.flatMap((line) => /^#EXT-X-MEDIA:.*TYPE=AUDIO.*[,:]NAME="([^"]*)"/.exec(line)?.[1] ?? []);
  return new Set([...variants, ...sounds]);
}

/** Something in `now` was not there `before`. */
export function hasMore(now: Offers, before: Offers): boolean {
  return [...now].some((one) => !before.has(one));
}
