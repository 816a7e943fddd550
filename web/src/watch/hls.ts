// Playing with hls.js over Media Source Extensions.

import Hls, { type ErrorData } from "hls.js";
import workerPath from "hls.js/dist/hls.worker.js?url";
import { bitRateOf, type Loaded, withLoaded } from "./rate.ts";
import type { Source, SourceEvents } from "./source.ts";

/** A media error within this time of the last, in milliseconds, is not cured by recovering once more. */
const RECOVERED_AFTER_MS = 5_000;

/** Media kept behind the picture, in seconds: a long watch on a phone must not fill its memory. */
const BACK_BUFFER_S = 30;

/** Latencies beyond this, in seconds, say that a clock is wrong and not that the picture is late. */
const PLAUSIBLE_LATENCY_S = 3_600;

/** Whether this browser can play this way. */
export function hlsJsPlays(): boolean {
  return Hls.isSupported();
}

/** hls.js on `video`. Media errors are recovered from here; where that does not help, `events.failed`. */
export function hlsSource(video: HTMLVideoElement, events: SourceEvents): Source & { hls: Hls } {
  const hls = new Hls({
    // A file of its own on our own origin; the bundled one would need blob: code.
    workerPath,
    backBufferLength: BACK_BUFFER_S,
    // Told apart from a recording by the browser's controls.
    liveDurationInfinity: true,
    // How near to the edge is the playlist's to say (HOLD-BACK, else three target durations): no
    // liveSync setting here, it would win over the playlist. This drifts back there after a stall.
    maxLiveSyncPlaybackRate: 1.1,
    capLevelToPlayerSize: true,
    enableInterstitialPlayback: false,
  });
  let loaded: readonly Loaded[] = [];
  // Loading failed, and not what was loaded.
  let resumable = false;
  let recovered = Number.NEGATIVE_INFINITY;

  hls.on(Hls.Events.FRAG_LOADED, (_, { frag, part }) => {
    const { stats, duration } = part ?? frag;
    loaded = withLoaded(loaded, { bytes: stats.loaded, duration });
  });
  hls.on(Hls.Events.ERROR, (_, error) => {
    const words = inWords(error);
    if (error.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) events.starved();
    // Sound that begins a little after the picture, or the other way about, is no fault.
    if (error.details === Hls.ErrorDetails.BUFFER_SEEK_OVER_HOLE && video.played.length === 0) return;
    if (!error.fatal) return events.trouble(words);
    const now = performance.now();
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && now - recovered > RECOVERED_AFTER_MS) {
      recovered = now;
      events.trouble(words);
      const paused = video.paused;
      hls.recoverMediaError();
      // Attached anew, the element stands still until it is told to go on.
      if (!paused) video.play().catch(() => undefined);
      return;
    }
    // Of a presentation that was never there, hls.js has nothing to go on with.
    resumable = error.type === Hls.ErrorTypes.NETWORK_ERROR && hls.latestLevelDetails !== null;
    events.failed(words);
  });
  hls.attachMedia(video);

  return {
    hls,
    load(url) {
      loaded = [];
      resumable = false;
      hls.loadSource(url);
    },
    resume() {
      if (!resumable) return false;
      resumable = false;
      hls.startLoad();
      return true;
    },
    latency() {
      const shown = hls.playingDate?.getTime();
      if (shown !== undefined) {
        const latency = (Date.now() - shown) / 1000;
        if (latency >= 0 && latency < PLAUSIBLE_LATENCY_S) return latency;
      }
      // Without dates, or with a wrong clock: the distance to the edge of the playlist.
      return hls.latency > 0 ? hls.latency : null;
    },
    bitRate: () => bitRateOf(loaded),
  };
}

function inWords({ fatal, type, details, response, reason, error }: ErrorData): string {
  const status = response?.code ? ` ${response.code}` : "";
  const why = reason ?? error?.message;
  return `${fatal ? "fatal " : ""}${type} ${details}${status}${why ? `: ${why}` : ""}`;
}
