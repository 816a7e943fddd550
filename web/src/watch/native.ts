// Playing with the browser's own HLS, where there are no Media Source Extensions (older iPhones).

import type { Source, SourceEvents } from "./source.ts";

/** Safari: the date of the media's time zero, by PROGRAM-DATE-TIME; invalid where the playlist has none. */
interface DatedVideo extends HTMLVideoElement {
  getStartDate?(): Date;
}

const ERRORS = ["", "aborted", "network error", "decoding error", "no such source"];

/** Whether this browser can play this way. */
export function browserPlaysHls(video: HTMLVideoElement): boolean {
  return video.canPlayType("application/vnd.apple.mpegurl") !== "";
}

/** The browser's own HLS on `video`. */
export function nativeSource(video: DatedVideo, events: SourceEvents): Source {
  video.addEventListener("error", () => {
    const { code, message } = video.error ?? { code: 0, message: "" };
    // What the probe has found and the browser then calls no source is none that it can play.
    const why = code >= MediaError.MEDIA_ERR_DECODE ? "not playable" : "not loaded";
    events.failed([ERRORS[code] || "error", message].filter(Boolean).join(": "), why);
  });
  return {
    load(url) {
      video.src = url;
      video.load();
    },
    // After an error the element has nothing left to go on with.
    resume: () => false,
    latency(now) {
      const start = video.getStartDate?.().getTime() ?? Number.NaN;
      const latency = (now - start) / 1000 - video.currentTime;
      return Number.isFinite(latency) && latency >= 0 ? latency : null;
    },
    edge: () => null,
    offers: () => null,
    forgive: () => undefined,
    bitRate: () => null,
  };
}
