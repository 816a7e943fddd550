// The gateway's status API (`/api/v1`): the shapes of its answers, and asking for them. What is done with
// an answer does not belong here.

import { type Presentation, streamApiPath } from "./paths.ts";

/** How long an answer may take, in milliseconds: the gateway answers from memory, so later means trouble. */
const ANSWER_WITHIN_MS = 5_000;

/** `GET /api/v1/status`. */
export interface Status {
  version: string;
  /** RFC 3339. */
  started: string;
  uptime_seconds: number;
  totals: {
    publishes: number;
    publishes_refused: number;
    rtmp_connections: number;
    http_connections: number;
    http_requests: number;
    bytes_received: number;
    bytes_sent: number;
    faults: number;
    panics: number;
    http_faults: number;
  };
  now: {
    streams: number;
    publishers: number;
    rtmp_connections: number;
    http_connections: number;
  };
  limits: {
    rtmp_connections: number;
    http_connections: number;
    message_bytes: number;
    segment_bytes: number;
  };
}

/** Where a presentation is in its life. */
export type Life = "live" | "resuming" | "ended";

/** `good` may still have hints. */
export type HealthStatus = "good" | "warning" | "problem";

/** `GET /api/v1/streams/{app}/{name}/health`. */
export interface Health extends Presentation {
  state: Life;
  status: HealthStatus;
  /** RFC 3339: the gateway's clock at the answer. */
  at: string;
  /** RFC 3339. */
  publishing_since: string | null;
  /** The gravest first. */
  advice: Advice[];
}

/** One thing that the encoder should change. */
export interface Advice {
  kind: string;
  severity: "hint" | "warning" | "problem";
  /** RFC 3339: when it was first seen. */
  since: string;
  /** RFC 3339. */
  last: string;
  times: number;
  /** What is seen: a sentence. */
  text: string;
  /** What to set: sentences. */
  remedy: string;
}

/** One element of `GET /api/v1/streams`. Every text in it may come from a stranger. */
export interface Stream extends Presentation {
  state: Life;
  /** Of its encoder, in one word. */
  health: HealthStatus;
  playlist: string;
  watch: string;
  publisher: Publisher | null;
  /** Encoders that stand by. */
  backups: number;
  tracks: Track[];
  window: {
    media_sequence: number | null;
    discontinuity_sequence: number;
    target_duration_seconds: number | null;
    segments: Segment[];
  };
  /** Its place in a ladder. */
  rung: Rung | null;
  faults: {
    total: number;
    kinds: Record<string, number>;
    last: string | null;
  };
}

export interface Rung {
  /** The ladder's application and name. */
  ladder: string;
  standing: "leads" | "fits" | "misfits" | "empty" | "away";
  /** Why it is no variant. */
  reason: string | null;
}

export interface Publisher {
  address: string;
  encoder: string | null;
  /** RFC 3339. */
  since: string;
  bytes: number;
  /** bit/s. */
  bit_rate_current: number;
  /** bit/s. */
  bit_rate_average: number;
  /** What the encoder declares of itself in onMetaData. */
  metadata: Record<string, string>;
}

export type Track = VideoTrack | AudioTrack;

export interface VideoTrack {
  kind: "video";
  codec: string;
  profile: string | null;
  codecs: string;
  width: number;
  height: number;
  /** Measured; null until it can be. */
  frame_rate: number | null;
  gop_last_seconds: number | null;
  gop_max_seconds: number | null;
}

export interface AudioTrack {
  kind: "audio";
  codec: string;
  profile: string | null;
  codecs: string;
  sample_rate: number;
  channels: number;
}

export interface Segment {
  sequence: number;
  duration_seconds: number;
  bytes: number;
  independent: boolean;
  discontinuity: boolean;
}

/** An answer that was not a success, in the gateway's words where it gave any. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    detail: string,
    /** The gateway's clock at the answer, as HTTP writes it (to the second). */
    readonly date: string | null,
  ) {
    super(detail);
  }
}

/** There was no answer at all. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/**
 * What the gateway is and does. Rejects with a {@link Refusal}, with {@link Unreachable}, or with a
 * `TimeoutError` where the answer took too long.
 */
export async function fetchStatus(): Promise<Status> {
  return (await ask("/api/v1/status")).json() as Promise<Status>;
}

/** All presentations, sorted by application and name. Rejects as {@link fetchStatus} does. */
export async function fetchStreams(): Promise<Stream[]> {
  const body = (await (await ask("/api/v1/streams")).json()) as { streams: Stream[] };
  return body.streams;
}

/** How `presentation` is doing. Rejects as {@link fetchStatus} does. */
export async function fetchHealth(presentation: Presentation): Promise<Health> {
  return (await ask(`${streamApiPath(presentation)}/health`)).json() as Promise<Health>;
}

/** Disconnects whoever publishes `presentation`. Rejects as {@link fetchStatus} does. */
export async function disconnectPublisher(presentation: Presentation): Promise<void> {
  await ask(streamApiPath(presentation), "DELETE");
}

async function ask(path: string, method: "GET" | "DELETE" = "GET"): Promise<Response> {
  const response = await fetch(path, {
    method,
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((error: unknown) => {
    // Each browser has other words for a refused connection, but it is always a TypeError.
    throw error instanceof TypeError ? new Unreachable("the gateway cannot be reached") : error;
  });
  if (!response.ok) {
    throw new Refusal(response.status, await problemDetail(response), response.headers.get("Date"));
  }
  return response;
}

/** The words of an `application/problem+json` body (RFC 9457), or the status line. */
async function problemDetail(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => null)) as {
    detail?: unknown;
    title?: unknown;
  } | null;
  for (const words of [problem?.detail, problem?.title]) {
    if (typeof words === "string" && words !== "") return words;
  }
  return `HTTP ${response.status} ${response.statusText}`.trim();
}
