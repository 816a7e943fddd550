import { expect, it } from "vitest";
import type { Stream } from "../api.ts";
import { facts } from "./facts.ts";

const NOW = Date.parse("2026-11-23T15:10:30Z");

const SHOW: Stream = {
  app: "live",
  name: "show",
  state: "live",
  health: "good",
  playlist: "/live/show/index.m3u8",
  watch: "/watch/live/show",
  publisher: {
    address: "192.0.2.7:50312",
    encoder: "Lavf59.27.100",
    since: "2026-11-23T15:00:00Z",
    bytes: 225_000_000,
    bit_rate_current: 3_000_000,
    bit_rate_average: 2_990_000,
    metadata: {},
  },
  backups: 0,
  rung: null,
  tracks: [
    {
      kind: "video",
      codec: "H.264",
      profile: "High",
      codecs: "avc1.64001f",
      width: 1280,
      height: 720,
      frame_rate: 29.97,
      gop_last_seconds: 2.002,
      gop_max_seconds: 4.004,
    },
    {
      kind: "audio",
      codec: "AAC",
      profile: "LC",
      codecs: "mp4a.40.2",
      sample_rate: 48_000,
      channels: 2,
    },
  ],
  window: {
    media_sequence: 7,
    discontinuity_sequence: 0,
    target_duration_seconds: 2,
    segments: [
      { sequence: 7, duration_seconds: 2, bytes: 1, independent: true, discontinuity: false },
      { sequence: 8, duration_seconds: 1.98, bytes: 1, independent: true, discontinuity: false },
    ],
  },
  faults: { total: 0, kinds: {}, last: null },
};

it("says everything of a publish with picture and sound", () => {
  expect(facts(SHOW, NOW)).toEqual({
    Encoder: "Lavf59.27.100, from 192.0.2.7:50312",
    Publishing: "for 10 min 30 s, 225 MB",
    Video: "H.264 High, 1280×720, 29.97 fps",
    GOP: "last 2.00 s, longest 4.00 s",
    Audio: "AAC LC, 48 kHz, stereo",
    Segments: "2 segments of 1.98–2.00 s, target 2 s",
  });
});

it("says how many encoders stand by", () => {
  expect(facts({ ...SHOW, backups: 2 }, NOW).Encoder).toBe("Lavf59.27.100, from 192.0.2.7:50312; 2 standing by");
});

it("says what is not there", () => {
  const bare = { ...SHOW, publisher: null, tracks: [], window: { ...SHOW.window, segments: [] } };
  expect(facts(bare, NOW)).toEqual({
    Encoder: "not connected",
    Publishing: "nobody",
    Video: "none",
    GOP: "none",
    Audio: "none",
    Segments: "none yet",
  });
});

it("leaves out what is not known yet", () => {
  const early: Stream = {
    ...SHOW,
    publisher: { ...(SHOW.publisher as NonNullable<Stream["publisher"]>), encoder: null },
    tracks: [
      {
        ...(SHOW.tracks[0] as Extract<Stream["tracks"][number], { kind: "video" }>),
        profile: null,
        frame_rate: null,
        gop_last_seconds: null,
        gop_max_seconds: null,
      },
    ],
  };
  expect(facts(early, NOW)).toMatchObject({
    Encoder: "unnamed, from 192.0.2.7:50312",
    Video: "H.264, 1280×720",
    GOP: "not yet measured",
  });
});
