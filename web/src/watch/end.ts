// Whether all that a playlist of parts will ever list is in the buffer. Pure.

/** Where a part, or a whole segment (`part` is null), lies in its rendition. */
export interface Place {
  segment: number;
  part: number | null;
}

/** What is asked of a playlist, as hls.js reads it. */
export interface Listed {
  live: boolean;
  partList: readonly { fragment: { sn: number | "initSegment" }; index: number; gap: boolean }[] | null;
}

/** Whether `listed` has ended and `buffered`, which came last, is the last part that is there. */
export function allBuffered(listed: Listed | null | undefined, buffered: Place | undefined): boolean {
  if (!listed?.partList?.length || listed.live || buffered === undefined) return false;
  const last = listed.partList.filter((part) => !part.gap).at(-1);
  if (last === undefined) return true;
  return buffered.segment === last.fragment.sn && (buffered.part === null || buffered.part === last.index);
}
