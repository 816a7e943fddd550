import { describe, expect, it } from "vitest";
import { firstRendition, presence } from "./probe.ts";

describe("firstRendition", () => {
  it.each([
    [
      "the first of several",
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmain.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n",
      "main.m3u8",
    ],
    [
      "lines with carriage returns, comments between",
      "#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\n# why\r\n\r\nsub/main.m3u8?x=1\r\n",
      "sub/main.m3u8?x=1",
    ],
    ["none in a media playlist", "#EXTM3U\n#EXTINF:2,\nmain-1.ts\n", null],
    ["none after the last tag", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", null],
  ])("%s", (_, playlist, expected) => {
    expect(firstRendition(playlist)).toBe(expected);
  });
});

describe("presence", () => {
  it.each([
    ["#EXTM3U\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n", "live"],
    ["#EXTM3U\n#EXTINF:2,\na.ts\n", "starting"],
    ["#EXTM3U\n#EXT-X-PART:DURATION=0.2,URI=\"a.0.m4s\"\n", "absent"],
    ["#EXTM3U\n#EXTINF:2,\na.m4s\n#EXT-X-PART:DURATION=0.2,URI=\"b.0.m4s\"\n", "live"],
    ["#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n", "ended"],
    ["#EXTM3U\r\n#EXTINF:2,\r\na.ts\r\n#EXT-X-ENDLIST\r\n", "ended"],
    ["#EXTM3U\n#EXTINF:2,#EXT-X-ENDLIST\na.ts\n", "starting"],
    ["#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "absent"],
    ["<!doctype html>#EXTINF:", "absent"],
    ["", "absent"],
  ])("%j is %s", (playlist, expected) => {
    expect(presence(playlist)).toBe(expected);
  });
});
