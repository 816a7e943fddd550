import { describe, expect, it } from "vitest";
import * as format from "./format.ts";

describe("bitRate", () => {
  it.each([
    [0, "0 bit/s"],
    [999, "999 bit/s"],
    [999.6, "1.00 kbit/s"],
    [64_000, "64.0 kbit/s"],
    [850_000, "850 kbit/s"],
    [999_499, "999 kbit/s"],
    [999_500, "1.00 Mbit/s"],
    [2_996_000, "3.00 Mbit/s"],
    [9_995_000, "10.0 Mbit/s"],
    [99_950_000, "100 Mbit/s"],
    [12_300_000_000, "12.3 Gbit/s"],
    [1e18, "1000000 Tbit/s"],
    [-5, "0 bit/s"],
    [Number.NaN, "–"],
    [null, "–"],
    [undefined, "–"],
  ])("%s", (value, expected) => {
    expect(format.bitRate(value)).toBe(expected);
  });
});

describe("elapsed", () => {
  it.each([
    [-3, "0 s"],
    [0.9, "0 s"],
    [42, "42 s"],
    [59.99, "59 s"],
    [60, "1 min 0 s"],
    [200, "3 min 20 s"],
    [3_599, "59 min 59 s"],
    [18_120, "5 h 2 min"],
    [86_399, "23 h 59 min"],
    [9 * 86_400 + 4 * 3_600 + 59, "9 d 4 h"],
    [Number.POSITIVE_INFINITY, "–"],
    [null, "–"],
  ])("%s", (value, expected) => {
    expect(format.elapsed(value)).toBe(expected);
  });
});

describe("small figures", () => {
  it.each([
    [format.byteCount(0), "0 B"],
    [format.byteCount(1_234_567_890), "1.23 GB"],
    [format.seconds(2), "2.00 s"],
    [format.seconds(null), "–"],
    [format.behind(1.06), "1.1 s behind the encoder"],
    [format.behind(null), "–"],
    [format.stalls(0, 0), "none"],
    [format.stalls(2, 0.84), "2, the longest 0.84 s"],
    [format.count(7), "7"],
    [format.count(1_234_567), "1\u00a0234\u00a0567"],
    [format.plural(1, "stream"), "1 stream"],
    [format.plural(0, "stream"), "0 streams"],
    [format.plural(2, "publish", "publishes"), "2 publishes"],
    [format.frameRate(30), "30 fps"],
    [format.frameRate(30_000 / 1001), "29.97 fps"],
    [format.sampleRate(48_000), "48 kHz"],
    [format.sampleRate(44_100), "44.1 kHz"],
    [format.sampleRate(11_025), "11.025 kHz"],
    [format.channels(1), "mono"],
    [format.channels(2), "stereo"],
    [format.channels(6), "6 channels"],
    [format.spread([]), "–"],
    [format.spread([2, 2.001]), "2.00 s"],
    [format.spread([2.04, 1.98, 2]), "1.98–2.04 s"],
  ])("%s", (found, expected) => {
    expect(found).toBe(expected);
  });
});
