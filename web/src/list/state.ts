// What the list page knows: a reducer over the answers of polling. Pure: times are given, in milliseconds.

import type { Status, Stream } from "../api.ts";

/** How far back bit rates are remembered, in milliseconds. */
export const HISTORY_MS = 120_000;

/** How often the gateway is asked while it answers, in milliseconds. */
const POLL_MS = 1_000;

/** The longest pause while it does not answer, in milliseconds: short, so that the page is soon right again. */
const MAX_RETRY_MS = 5_000;

/** A bit rate at a time; null where nobody published. */
export interface Sample {
  at: number;
  bitRate: number | null;
}

/** The gateway's own traffic between two answers, in bit/s. */
export interface Traffic {
  received: number;
  sent: number;
}

export interface ListState {
  /** `connecting` until the first answer or failure. */
  link: { kind: "connecting" } | { kind: "up"; at: number } | Down;
  status: Status | null;
  streams: readonly Stream[];
  /** Null until two answers of the same process are there. */
  traffic: Traffic | null;
  /** Bit rates of the last {@link HISTORY_MS}, oldest first, by {@link keyOf}. */
  history: ReadonlyMap<string, readonly Sample[]>;
}

/** The gateway did not answer `failures` times in a row; the rest of the state is from before `since`. */
export interface Down {
  kind: "down";
  since: number;
  failures: number;
  reason: string;
}

export type ListEvent =
  | { kind: "answered"; at: number; status: Status; streams: readonly Stream[] }
  | { kind: "failed"; at: number; reason: string };

/** Before anything was asked. */
export const INITIAL: ListState = {
  link: { kind: "connecting" },
  status: null,
  streams: [],
  traffic: null,
  history: new Map(),
};

/** The state after `event`. */
export function reduce(state: ListState, event: ListEvent): ListState {
  if (event.kind === "failed") {
    const before = state.link.kind === "down" ? state.link : { since: event.at, failures: 0 };
    const { since, failures } = before;
    return {
      ...state,
      link: { kind: "down", since, failures: failures + 1, reason: event.reason },
      traffic: null,
    };
  }
  return {
    link: { kind: "up", at: event.at },
    status: event.status,
    streams: event.streams,
    traffic: trafficBetween(state, event),
    history: extended(state.history, event),
  };
}

/** How long to wait before asking again, in milliseconds. */
export function pause({ link }: ListState): number {
  return link.kind === "down" ? Math.min(POLL_MS * 2 ** (link.failures - 1), MAX_RETRY_MS) : POLL_MS;
}

/** One name for a presentation, unique on the gateway. */
export function keyOf(stream: Pick<Stream, "app" | "name">): string {
  return `${stream.app}/${stream.name}`;
}

/** The time by the gateway's clock, in milliseconds: the viewer's may be wrong. */
export function gatewayNow(status: Status): number {
  return Date.parse(status.started) + status.uptime_seconds * 1000;
}

type Answer = Extract<ListEvent, { kind: "answered" }>;

function trafficBetween(state: ListState, { at, status }: Answer): Traffic | null {
  if (state.link.kind !== "up" || state.status?.started !== status.started) return null;
  const elapsed = (at - state.link.at) / 1000;
  // Two answers that close together would make noise of the difference.
  if (elapsed < 0.2) return state.traffic;
  const rate = (now: number, before: number) => (Math.max(0, now - before) * 8) / elapsed;
  return {
    received: rate(status.totals.bytes_received, state.status.totals.bytes_received),
    sent: rate(status.totals.bytes_sent, state.status.totals.bytes_sent),
  };
}

/** The histories of the presentations that are still there, each with its new sample. */
function extended(history: ListState["history"], { at, streams }: Answer): ListState["history"] {
  return new Map(
    streams.map((stream) => {
      const kept = (history.get(keyOf(stream)) ?? []).filter((old) => old.at > at - HISTORY_MS);
      const bitRate = stream.publisher?.bit_rate_current ?? null;
      return [keyOf(stream), [...kept, { at, bitRate }]];
    }),
  );
}
