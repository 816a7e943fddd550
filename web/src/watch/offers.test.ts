import { expect, it } from "vitest";
import { hasMore, offersIn } from "./offers.ts";

const URL_OF_ALL = "http://gateway/live/show/llhls.m3u8";
const SOUND = '#EXT-X-MEDIA:TYPE=AUDIO,URI="../show_720p/audio.m3u8",GROUP-ID="audio",NAME="English",DEFAULT=YES';

function multivariant(...rungs: string[]): string {
  const variants = rungs.map(
    (rung) => `#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=16x9,AUDIO="audio"\n../${rung}/video.m3u8\n`,
  );
  const alone = `#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"\n../${rungs[0]}/audio.m3u8\n`;
  return `#EXTM3U\n${SOUND}\n${variants.join("")}${alone}#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="../i.m3u8"\n`;
}

it("names variants by address and sounds by name", () => {
  const offers = offersIn(multivariant("show_720p", "show_360p"), URL_OF_ALL);
  const url = (rung: string) => `http://gateway/live/${rung}/video.m3u8`;
  expect(offers).toEqual(new Set([url("show_720p"), url("show_360p"), "English"]));
});

it("offers nothing in a media playlist", () => {
  expect(offersIn("#EXTM3U\n#EXTINF:2,\n1.ts\n", URL_OF_ALL)).toEqual(new Set());
});

it("has more with what joins, and not with what leaves or serves the sound", () => {
  const [one, both] = [["show_720p"], ["show_720p", "show_360p"]].map((rungs) =>
    offersIn(multivariant(...rungs), URL_OF_ALL),
  ) as [Set<string>, Set<string>];
  const other = offersIn(multivariant("show_360p"), URL_OF_ALL);
  const served = offersIn(multivariant("show_720p").replaceAll("show_720p/audio", "show_360p/audio"), URL_OF_ALL);
  const found = [hasMore(both, one), hasMore(one, both), hasMore(other, both), hasMore(served, one)];
  expect(found).toEqual([true, false, false, false]);
});
