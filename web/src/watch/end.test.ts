import { expect, it } from "vitest";
import { allBuffered, type Listed, type Place } from "./end.ts";

const part = (sn: number, index: number, gap = false) => ({ fragment: { sn }, index, gap });
const PARTS = [part(7, 9), part(8, 0), part(8, 1)];
const ENDED: Listed = { live: false, partList: PARTS };
const WITH_A_GAP: Listed = { ...ENDED, partList: [...PARTS, part(9, 0, true)] };

it.each<[string, Listed | null, Place | undefined, expected: boolean]>([
  ["the last part", ENDED, { segment: 8, part: 1 }, true],
  ["the last segment as a whole", ENDED, { segment: 8, part: null }, true],
  ["the last part but one", ENDED, { segment: 8, part: 0 }, false],
  ["the same part of another segment", ENDED, { segment: 7, part: 1 }, false],
  ["nothing", ENDED, undefined, false],
  ["the last part so far", { ...ENDED, live: true }, { segment: 8, part: 1 }, false],
  ["a segment where there are no parts", { ...ENDED, partList: null }, { segment: 8, part: null }, false],
  ["the last part before a gap", WITH_A_GAP, { segment: 8, part: 1 }, true],
  ["the last part but one before a gap", WITH_A_GAP, { segment: 8, part: 0 }, false],
  ["a part where all that is listed is a gap", { ...ENDED, partList: [part(9, 0, true)] }, { segment: 7, part: 1 }, true],
  ["a part of no playlist", null, { segment: 8, part: 1 }, false],
])("%s", (_, listed, buffered, expected) => {
  expect(allBuffered(listed, buffered)).toBe(expected);
});
