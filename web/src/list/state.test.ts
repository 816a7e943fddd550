import { describe, expect, it } from "vitest";
import type { Status, Stream } from "../api.ts";
import {
  gatewayNow,
  HISTORY_MS,
  INITIAL,
  keyOf,
  type ListEvent,
  type ListState,
  pause,
  reduce,
} from "./state.ts";

const STARTED = "2026-11-23T15:00:00Z";

function status(received: number, sent: number, started = STARTED): Status {
  return {
    version: "0.1.0",
    started,
    uptime_seconds: 90.5,
    totals: {
      publishes: 1,
      publishes_refused: 0,
      rtmp_connections: 1,
      http_connections: 1,
      http_requests: 1,
      bytes_received: received,
      bytes_sent: sent,
      faults: 0,
      panics: 0,
      http_faults: 0,
    },
    now: { streams: 1, publishers: 1, rtmp_connections: 1, http_connections: 1 },
    limits: {
      rtmp_connections: 1000,
      http_connections: 10_000,
      message_bytes: 8_388_608,
      segment_bytes: 67_108_864,
    },
  };
}

function stream(name: string, bitRate: number | null): Stream {
  return {
    app: "live",
    name,
    state: bitRate === null ? "resuming" : "live",
    health: "good",
    playlist: `/live/${name}/index.m3u8`,
    watch: `/watch/live/${name}`,
    publisher:
      bitRate === null
        ? null
        : {
            address: "192.0.2.7:50312",
            encoder: null,
            since: STARTED,
            bytes: 1,
            bit_rate_current: bitRate,
            bit_rate_average: bitRate,
            metadata: {},
          },
    backups: 0,
    rung: null,
    tracks: [],
    window: {
      media_sequence: 1,
      discontinuity_sequence: 0,
      target_duration_seconds: 2,
      segments: [],
    },
    faults: { total: 0, kinds: {}, last: null },
  };
}

function answered(at: number, streams: Stream[], bytes = 0, started = STARTED): ListEvent {
  return { kind: "answered", at, status: status(bytes, 2 * bytes, started), streams };
}

function failed(at: number): ListEvent {
  return { kind: "failed", at, reason: "no answer" };
}

function after(...events: ListEvent[]): ListState {
  return events.reduce(reduce, INITIAL);
}

describe("the link", () => {
  it("is down since the first of several failures, and keeps what was known", () => {
    const state = after(answered(0, [stream("show", 1)]), failed(1000), failed(3000));
    expect(state.link).toEqual({ kind: "down", since: 1000, failures: 2, reason: "no answer" });
    expect(state.streams).toHaveLength(1);
  });

  it("is up again with the next answer", () => {
    expect(after(failed(0), answered(10, [])).link).toEqual({ kind: "up", at: 10 });
  });

  it("is asked less often the longer it is down, within a bound", () => {
    const pauses = [1, 2, 3, 4, 50].map((failures) =>
      pause(after(...Array.from({ length: failures }, (_, n) => failed(n)))),
    );
    expect(pauses).toEqual([1000, 2000, 4000, 5000, 5000]);
    expect(pause(INITIAL)).toBe(1000);
  });
});

describe("the history", () => {
  it("remembers bit rates by presentation, and gaps where nobody published", () => {
    const state = after(
      answered(0, [stream("a", 10), stream("b", 20)]),
      answered(1000, [stream("a", 11), stream("b", null)]),
    );
    expect(state.history.get("live/a")).toEqual([
      { at: 0, bitRate: 10 },
      { at: 1000, bitRate: 11 },
    ]);
    expect(state.history.get("live/b")?.at(-1)).toEqual({ at: 1000, bitRate: null });
  });

  it("forgets what is too old and who is gone", () => {
    const state = after(
      answered(0, [stream("a", 10), stream("b", 20)]),
      answered(HISTORY_MS, [stream("a", 11)]),
    );
    expect([...state.history]).toEqual([["live/a", [{ at: HISTORY_MS, bitRate: 11 }]]]);
  });

  it("has room for a presentation named like a property of objects", () => {
    const hostile = { ...stream("__proto__", 5), app: "constructor" };
    expect(after(answered(0, [hostile])).history.get(keyOf(hostile))).toHaveLength(1);
  });
});

describe("the traffic", () => {
  it("is the difference of two answers over their time", () => {
    const state = after(answered(0, [], 1000), answered(2000, [], 2000));
    expect(state.traffic).toEqual({ received: 4000, sent: 8000 });
  });

  it.each([
    ["one answer", [answered(0, [], 1000)]],
    ["a failure in between", [answered(0, []), failed(1000), answered(2000, [], 1000)]],
    ["a restart", [answered(0, [], 9000), answered(2000, [], 1000, "2026-11-23T16:00:00Z")]],
  ])("is not known after %s", (_, events) => {
    expect(after(...events).traffic).toBeNull();
  });

  it("keeps its last figure when two answers come at once", () => {
    const state = after(answered(0, [], 0), answered(1000, [], 1000), answered(1001, [], 1100));
    expect(state.traffic?.received).toBe(8000);
  });
});

it("the gateway's clock is its start and its uptime", () => {
  expect(gatewayNow(status(0, 0))).toBe(Date.parse("2026-11-23T15:01:30.5Z"));
});
