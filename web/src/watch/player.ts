// A presentation's life on the player page: it may not be there yet, it plays, it breaks, it ends, and it may
// come back. This file decides what to do; how media are loaded is the source's own affair.

import type Hls from "hls.js";
import { bufferAhead } from "./ahead.ts";
import { backoff } from "./backoff.ts";
import type { Form } from "../paths.ts";
import { poll } from "../poll.ts";
import { find } from "./find.ts";
import { hlsJsPlays, hlsSource } from "./hls.ts";
import { browserPlaysHls, nativeSource } from "./native.ts";
import { hasMore, offersIn } from "./offers.ts";
import { fetchText, probe } from "./probe.ts";
import type { Source, SourceEvents } from "./source.ts";
import { countStall, NO_STALLS, type StallEvent } from "./stalls.ts";
import { isStuck, type Standstill, stands, withLook } from "./stuck.ts";

/**
 * Loading that goes on has so long, in milliseconds, to bring media on from what is buffered: within it a
 * player has read the playlist twice and fetched a segment.
 */
const RESUMED_WITHIN_MS = 4_000;

/** How often it is looked whether the picture stands still although media come, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** How often it is looked whether there is more to choose from, in milliseconds. */
const LOOK_FOR_MORE_EVERY_MS = 6_000;

/** Who is so near to the edge of what there is, in seconds, watches live. */
const NEAR_S = 20;

/** How many errors are remembered: enough to see what happened, nothing that grows. */
const ERRORS_KEPT = 50;

/**
 * `loading`: asked for, no picture yet. `waiting`: not there, looking again and again. `playing`. `stalled`:
 * no media for the moment. `ended`: looking whether it comes back. `unsupported`: this browser cannot.
 */
export type Phase = "loading" | "waiting" | "playing" | "stalled" | "ended" | "unsupported";

/** Figures of the moment; null where the browser does not say. */
export interface Stats {
  phase: Phase;
  /** What plays, or is looked for. */
  form: Form;
  /** Seconds of the media timeline. */
  currentTime: number;
  paused: boolean;
  /** `HTMLMediaElement.readyState`. */
  readyState: number;
  /** Seconds since the shown picture came from the encoder, by the gateway's clock. */
  latency: number | null;
  /** Seconds of media from the shown picture on. */
  bufferAhead: number;
  /** bit/s over the last segments. */
  bitRate: number | null;
  width: number;
  height: number;
  /** Decoded but shown too late to be seen. */
  droppedFrames: number;
  /** Since the presentation was last loaded, the dropped ones among them. */
  decodedFrames: number;
  /** How often the picture stood still after it had moved. */
  stalls: number;
  /** Seconds that it stood still at most. */
  longestStall: number;
  /** The last errors in words, oldest first; a presentation that is not there yet is none. */
  errors: string[];
}

export interface Player {
  /** Null where the browser's own HLS plays. */
  hls: Hls | null;
  stats(): Stats;
}

/** What is to be played, and for whom. */
export interface Order {
  /** Where the presentation's multivariant playlist is. */
  playlist(form: Form): string;
  /** Low latency is given up for the classic form where it is not served or cannot be played. */
  form: Form;
  /** The gateway's clock, in milliseconds since 1970. */
  now(): number;
  /** Hears of each new phase. */
  show(phase: Phase): void;
}

/** Plays a presentation in `video` for as long as the page is open. */
export function play(video: HTMLVideoElement, { playlist, form: asked, now, show }: Order): Player {
  const errors: string[] = [];
  let form = asked;
  let loaded = asked;
  let phase: Phase = "loading";
  let stalls = NO_STALLS;
  let failures = 0;
  let looking: AbortController | null = null;
  let resuming = 0;
  // Loading went on, and nothing has played since.
  let resumed = false;
  let standstill: Standstill | null = null;
  // There was more to choose from at the last look than is known here.
  let more = false;

  function enter(next: Phase): void {
    if (next === phase) return;
    phase = next;
    show(phase);
  }

  function remember(words: string): void {
    errors.push(words);
    if (errors.length > ERRORS_KEPT) errors.shift();
  }

  function stall(event: StallEvent): void {
    stalls = countStall(stalls, event, performance.now());
  }

  /** Looks until the presentation goes on, or (`there`) has at least something to show, then loads it. */
  async function loadWhen(wanted: "live" | "there"): Promise<void> {
    looking?.abort();
    const mine = new AbortController();
    looking = mine;
    for (;;) {
      if (failures > 0) await pause(backoff(failures, Math.random()));
      const found = await find(form, (one) => probe(playlist(one), mine.signal));
      if (mine.signal.aborted) return;
      form = found.form;
      if (found.presence === "live" || (found.presence === "ended" && wanted === "there")) break;
      // What is about to begin is looked at again soon.
      failures = found.presence === "starting" ? 1 : failures + 1;
      // Now it is known that there is no encoder to load from, or none yet.
      if (phase === "loading" || phase === "stalled") enter("waiting");
    }
    looking = null;
    // Where something is buffered the picture goes on without a break, if what is there now follows on it.
    const buffered = form === loaded && video.readyState > 0 && !video.ended;
    // Where it fails again at once, what was loaded names what is no longer there.
    if (wanted === "live" && buffered && !resumed && source?.resume()) watchResumption();
    else load();
  }

  function watchResumption(): void {
    resumed = true;
    clearTimeout(resuming);
    const position = video.currentTime;
    resuming = window.setTimeout(() => {
      const stood = stands(position, video.currentTime);
      if (stood && looking === null && !video.paused && phase !== "ended") load();
      else if (!stood && looking === null) resumed = false;
    }, RESUMED_WITHIN_MS);
  }

  function lookWhetherStuck(): void {
    const at = performance.now();
    const playing = phase === "playing" || phase === "stalled";
    const edge = playing && looking === null && !video.paused ? (source?.edge() ?? null) : null;
    const shows = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    standstill = withLook(standstill, { shows, position: video.currentTime, edge, at });
    if (!isStuck(standstill, at)) return;
    remember("media come, and none of them is shown: loaded anew");
    load();
  }

  /**
   * Whether rungs or sounds are there that were not when it was loaded. Who has gone back, or stands still, is not taken
   * to the edge for them.
   */
  async function isMoreThere(): Promise<boolean> {
    const watchesLive = () => {
      const edge = source?.edge() ?? null;
      const isNear = edge !== null && edge - video.currentTime < NEAR_S;
      return isNear && phase === "playing" && looking === null && !video.paused;
    };
    const offers = source?.offers() ?? null;
    if (offers === null || !watchesLive()) return false;
    const found = await fetchText(playlist(form), AbortSignal.timeout(LOOK_FOR_MORE_EVERY_MS)).catch(() => null);
    // The answer may have been held back.
    if (found === null || !watchesLive()) return false;
    const now = offersIn(found.text, found.url);
    source?.forgive(now);
    return hasMore(now, offers);
  }

  async function lookForMore(): Promise<number> {
    // What has just joined may leave again at once.
    const before = more;
    more = await isMoreThere();
    if (more && before) {
      more = false;
      load();
    }
    return LOOK_FOR_MORE_EVERY_MS;
  }

  function load(): void {
    clearTimeout(resuming);
    resumed = false;
    standstill = null;
    stall("interrupted");
    enter("loading");
    loaded = form;
    source?.load(playlist(form));
    // Refused where the browser wants a tap first; its controls are there for that.
    video.play().catch(() => undefined);
  }

  const events: SourceEvents = {
    trouble: remember,
    starved: () => stall("starved"),
    failed(words, why) {
      remember(words);
      if (why === "not playable") form = "classic";
      failures += 1;
      void loadWhen("live");
    },
  };

  video.addEventListener("playing", () => {
    failures = 0;
    resumed = false;
    enter("playing");
  });
  video.addEventListener("timeupdate", () => {
    if (!video.seeking && !video.paused && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) {
      stall("moving");
    }
  });
  video.addEventListener("waiting", () => {
    if (video.seeking || video.ended) return;
    stall("starved");
    if (phase === "playing") enter("stalled");
  });
  for (const name of ["seeking", "pause", "emptied"]) {
    video.addEventListener(name, () => stall("interrupted"));
  }
  video.addEventListener("ended", () => {
    stall("interrupted");
    enter("ended");
    failures = 1;
    void loadWhen("live");
  });

  const hls = hlsJsPlays() ? hlsSource(video, events) : null;
  const source: Source | null = hls ?? (browserPlaysHls(video) ? nativeSource(video, events) : null);
  window.setInterval(lookWhetherStuck, LOOK_EVERY_MS);
  poll(lookForMore);
  show(phase);
  if (source === null) enter("unsupported");
  else void loadWhen("there");

  return {
    hls: hls?.hls ?? null,
    stats() {
      const quality = video.getVideoPlaybackQuality?.();
      return {
        phase,
        form,
        currentTime: video.currentTime,
        paused: video.paused,
        readyState: video.readyState,
        // Before there is a picture the position is not where playing will begin.
        latency: video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? (source?.latency(now()) ?? null) : null,
        bufferAhead: bufferAhead(video.buffered, video.currentTime),
        bitRate: source?.bitRate() ?? null,
        width: video.videoWidth,
        height: video.videoHeight,
        droppedFrames: quality?.droppedVideoFrames ?? 0,
        decodedFrames: quality?.totalVideoFrames ?? 0,
        stalls: stalls.count,
        longestStall: stalls.longestMs / 1_000,
        errors: [...errors],
      };
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
