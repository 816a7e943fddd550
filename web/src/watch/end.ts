// Whether all that a playlist of parts will ever list is in the buffer. Pure.

/** Where a part, or a whole segment (`part` is null), lies in its rendition. */
export interface Place {
  segment: number;
  part: number | null;
}

/** What is asked of a playlist, as hls.js reads it. */
export interface Listed {
  live: boolean;
  /** The number of the last segment. */
  endSN: number;
  partList: readonly { fragment: { sn: number | "initSegment" }; index: number }[] | null;
}

/**
 * Whether `listed` has ended and `buffered`, which came last, is its last part. A last segment with a gap lists no
 * parts: whatever is there of it is enough.
 */
export function allBuffered(listed: Listed | null | undefined, buffered: Place | undefined): boolean {
  const last = listed?.partList?.at(-1);
  if (!listed || listed.live || last === undefined || buffered?.segment !== listed.endSN) return false;
  return last.fragment.sn !== listed.endSN || buffered.part === null || buffered.part === last.index;
}
