// What a multivariant playlist offers to choose from. Players load it once: what joins a ladder later, or comes back to
// it, is found by looking again.

/** The variants, by address, and the renditions of sound, by name (RFC 8216 §4.3.4). */
export type Offers = ReadonlySet<string>;

/** What the multivariant playlist `text`, fetched at `url`, offers; nothing where it is a media playlist. */
export function offersIn(text: string, url: string): Offers {
  const lines = text.split(/\r?\n/);
  if (!lines.some((line) => line.startsWith("#EXT-X-STREAM-INF:"))) return new Set();
  const variants = lines.filter((line) => line !== "" && !line.startsWith("#")).map((uri) => new URL(uri, url).href);
  const sounds = lines.flatMap((line) => /^#EXT-X-MEDIA:.*TYPE=AUDIO.*[,:]NAME="([^"]*)"/.exec(line)?.[1] ?? []);
  return new Set([...variants, ...sounds]);
}

/** Something in `now` was not there `before`. */
export function hasMore(now: Offers, before: Offers): boolean {
  return [...now].some((one) => !before.has(one));
}
