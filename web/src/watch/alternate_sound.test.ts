import Hls, { type Events, type Fragment, type InitPTSFoundData, type Part } from "hls.js";
import { expect, it } from "vitest";
import { AlternateSound } from "./alternate_sound.ts";

/** The loading of sound with as much of hls.js as it needs, and the parts that it has had taken apart. */
function soundBehindADiscontinuity() {
  const taken: number[] = [];
  const hls = { config: Hls.DefaultConfig, logger: console, on() {}, off() {}, trigger() {} };
  const sound = new AlternateSound(hls as never, {} as never, {} as never);
  Object.assign(sound, {
    levels: [{ details: { totalduration: 0 }, audioCodec: "mp4a.40.2" }],
    trackId: 0,
    state: "FRAG_LOADING",
    // Of what it is handed, the part is the sixth.
    transmuxer: { push: (...handed: unknown[]) => taken.push((handed[5] as Part).index) },
  });
  const frag = { cc: 1, sn: 7, level: 0, stats: { chunkCount: 0 } } as Fragment;
  const loaded = (index: number) =>
    sound._handleFragmentLoadProgress({
      frag,
      part: { index } as Part,
      payload: new ArrayBuffer(8),
      networkDetails: null,
    });
  const timesAreKnown = () =>
    sound.onInitPtsFound("" as Events.INIT_PTS_FOUND, {
      frag,
      id: "main",
      initPTS: 0,
      timescale: 1,
      timestampOffsets: { 1: { baseTime: 0, timescale: 1, trackId: 0 } },
    } as unknown as InitPTSFoundData);
  return { taken, loaded, timesAreKnown };
}

it("parts that came before the times of the picture are used before those that come then", () => {
  const { taken, loaded, timesAreKnown } = soundBehindADiscontinuity();
  loaded(0);
  expect(taken).toEqual([]);
  timesAreKnown();
  loaded(1);
  expect(taken).toEqual([0, 1]);
});
