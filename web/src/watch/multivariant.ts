// The variants of a multivariant playlist, as far as the page reads it beside the player. Pure.

/** An EXT-X-STREAM-INF and the address behind it (RFC 8216 §4.3.4.2). */
export interface Variant {
  /** The line of the tag. */
  tag: string;
  /** As it is written, relative or not. */
  uri: string;
}

/** The variants in the text `playlist`, in their order; none where it is a media playlist. */
export function variantsIn(playlist: string): Variant[] {
  const lines = playlist.split(/\r?\n/);
  return lines.flatMap((tag, at) => {
    if (!tag.startsWith("#EXT-X-STREAM-INF:")) return [];
    const uri = lines.slice(at + 1).find((line) => line !== "" && !line.startsWith("#"));
    return uri === undefined ? [] : [{ tag, uri }];
  });
}
