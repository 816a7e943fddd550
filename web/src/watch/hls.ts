// Playing with hls.js over Media Source Extensions.

import Hls, { type ErrorData } from "hls.js";
import workerPath from "hls.js/dist/hls.worker.js?url";
import { bufferAhead } from "./ahead.ts";
import { AlternateSound } from "./alternate_sound.ts";
import { rateOfPlay } from "./catchup.ts";
import { allBuffered, type Place } from "./end.ts";
import { type Offers, offersIn } from "./offers.ts";
import { bitRateOf, type Loaded, withLoaded } from "./rate.ts";
import type { Source, SourceEvents } from "./source.ts";

/** A media error within this time of the last, in milliseconds, is not cured by recovering once more. */
const RECOVERED_AFTER_MS = 5_000;

/**
 * By how much the picture is kept further back after each stall, in seconds: hls.js would take one, which is more
 * than the whole latency.
 */
const BACK_AFTER_STALL_S = 0.25;

/** So often in a row the playlist of the sound is refused before another is looked for. */
const REFUSALS_TAKEN = 2;

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
    audioStreamController: AlternateSound,
    // No backBufferLength: what is behind the picture is the browser's to drop when its quota is full. hls.js 1.7.4
    // forgets the segment under way when it drops media while a part is between loaded and buffered, and then
    // loads nothing of its kind until the next segment but one.
    // Told apart from a recording by the browser's controls.
    liveDurationInfinity: true,
    lowLatencyMode: true,
    // How near to the edge is the playlist's to say (PART-HOLD-BACK or HOLD-BACK): no liveSyncDuration here,
    // it would win over the playlist. Getting back there is done below, and not by hls.js.
    maxLiveSyncPlaybackRate: 1,
    liveSyncOnStallIncrease: BACK_AFTER_STALL_S,
    capLevelToPlayerSize: true,
    enableInterstitialPlayback: false,
  });
  let loaded: readonly Loaded[] = [];
  // What came into the buffer last, by the kind of rendition.
  let buffered: Record<string, Place> = {};
  // Loading failed, and not what was loaded.
  let resumable = false;
  let recovered = Number.NEGATIVE_INFINITY;
  // Of the playlist of the sound, since it was last loaded.
  let refusals = 0;
  let offers: Offers | null = null;
  // Where the rung is that a viewer has chosen.
  let chosen: string | undefined;

  hls.on(Hls.Events.MANIFEST_LOADED, (_, { networkDetails, url }) => {
    // The text, as it is read when it is looked at again: what hls.js made of it leaves out what it cannot play.
    if (networkDetails instanceof XMLHttpRequest) offers = offersIn(networkDetails.responseText, url);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    const again = levels.findIndex(({ uri }) => uri === chosen);
    if (again >= 0) hls.loadLevel = again;
  });
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details: { partHoldBack, targetduration } }) => {
    // Too late to be caught up by playing faster, which is done within a target duration: hls.js jumps. Classic viewers
    // may stay wherever they went.
    hls.config.liveMaxLatencyDuration = partHoldBack > 0 ? partHoldBack + targetduration : Number.POSITIVE_INFINITY;
  });
  hls.on(Hls.Events.LEVEL_SWITCHING, (_, { level }) => {
    // hls.js 1.7.4 places what is new of a rung by what it once loaded of it: in target durations, which are longer than
    // the segments, and without what was missed while the encoder was away. It takes parts for buffered, too, that
    // another rung's have replaced since. Without all that, it goes by the dates of the rung that it comes from, if both
    // are live; where it goes on with the same one, that is all it has to go by.
    const next = hls.levels[level];
    const from = hls.latestLevelDetails;
    if (next?.details?.live && from?.live && next.details !== from) delete next.details;
    // Where a chosen rung fails, hls.js 1.7.4 says which one is next, and goes by its own choice all the same if the last
    // that it made was that one: the failing rung, as often as not, and nothing is loaded any more. With one of these the
    // last is another.
    if (hls.manualLevel >= 0) for (const last of [hls.minAutoLevel, hls.maxAutoLevel]) hls.nextAutoLevel = last;
  });
  hls.on(Hls.Events.FRAG_LOADED, (_, { frag, part }) => {
    const { stats, duration } = part ?? frag;
    loaded = withLoaded(loaded, { kind: frag.type, bytes: stats.loaded, duration });
  });
  // hls.js takes the end for reached when the middle of the last part is buffered. Until the end is declared,
  // what is buffered ends with the shorter track: where the sound ends before the last part's middle, or where
  // its times are a little off, it would never come to that, and the picture would stand still for good.
  function endIfAllIsBuffered(): void {
    const sound = hls.audioTracks[hls.audioTrack];
    const over =
      allBuffered(hls.latestLevelDetails, buffered["main"]) &&
      (!sound?.url || allBuffered(sound.details, buffered["audio"]));
    if (over) hls.trigger(Hls.Events.BUFFER_EOS, { type: null });
  }
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag, part }) => {
    if (frag.sn === "initSegment") return;
    buffered[frag.type] = { segment: frag.sn, part: part?.index ?? null };
    endIfAllIsBuffered();
  });
  hls.on(Hls.Events.LEVEL_UPDATED, endIfAllIsBuffered);
  hls.on(Hls.Events.AUDIO_TRACK_UPDATED, endIfAllIsBuffered);
  hls.on(Hls.Events.AUDIO_TRACK_LOADED, () => {
    refusals = 0;
  });
  hls.on(Hls.Events.ERROR, (_, error) => {
    const words = inWords(error);
    if (error.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) events.starved();
    // It has thought better of a request: a seek while a playlist was waited for.
    if (error.details === Hls.ErrorDetails.INTERNAL_ABORTED) return;
    // Sound that begins a little after the picture, or the other way about, is no fault.
    const starting = video.played.length === 0;
    if (starting && error.details === Hls.ErrorDetails.BUFFER_SEEK_OVER_HOLE) return;
    if (starting && error.details === Hls.ErrorDetails.BUFFER_NUDGE_ON_STALL) return;
    // Twice in a row it is not for a moment: the encoder is away whose sound all rungs had. The multivariant playlist
    // names other sound now; hls.js asks for this one again and again.
    if (error.details === Hls.ErrorDetails.AUDIO_TRACK_LOAD_ERROR && error.response?.code === 503) refusals += 1;
    if (refusals >= REFUSALS_TAKEN) {
      refusals = 0;
      resumable = false;
      hls.stopLoad();
      return events.failed(words, "not loaded");
    }
    if (!error.fatal) return events.trouble(words);
    const now = performance.now();
    const curable = error.details !== Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    if (curable && error.type === Hls.ErrorTypes.MEDIA_ERROR && now - recovered > RECOVERED_AFTER_MS) {
      recovered = now;
      events.trouble(words);
      const paused = video.paused;
      hls.recoverMediaError();
      // Attached anew, the element stands still until it is told to go on.
      if (!paused) video.play().catch(() => undefined);
      return;
    }
    // Of a presentation that was never there, hls.js has nothing to go on with.
    const loading = error.type === Hls.ErrorTypes.NETWORK_ERROR;
    resumable = loading && hls.latestLevelDetails !== null;
    events.failed(words, loading ? "not loaded" : "not playable");
  });
  video.addEventListener("timeupdate", () => {
    const details = hls.latestLevelDetails;
    if (!details || hls.targetLatency === null) return;
    const rate = rateOfPlay({
      latency: details.live ? hls.latency : 0,
      wanted: hls.targetLatency,
      ahead: bufferAhead(video.buffered, video.currentTime),
      part: details.partTarget,
      segment: details.targetduration,
    });
    if (video.playbackRate !== rate) video.playbackRate = rate;
  });
  hls.attachMedia(video);

  return {
    hls,
    load(url) {
      loaded = [];
      buffered = {};
      resumable = false;
      refusals = 0;
      offers = null;
      // Nothing was chosen where nothing has come since the last time.
      if (hls.levels.length > 0) chosen = hls.levels[hls.manualLevel]?.uri;
      const sound = hls.audioTracks[hls.audioTrack];
      if (sound) hls.config.audioPreference = { name: sound.name };
      hls.loadSource(url);
    },
    resume() {
      if (!resumable) return false;
      resumable = false;
      hls.startLoad();
      return true;
    },
    latency(now) {
      const shown = hls.playingDate?.getTime();
      if (shown !== undefined) {
        const latency = (now - shown) / 1000;
        if (latency >= 0 && latency < PLAUSIBLE_LATENCY_S) return latency;
      }
      // Without dates, or with a wrong clock: the distance to the edge of the playlist.
      return hls.latency > 0 ? hls.latency : null;
    },
    edge: () => hls.latestLevelDetails?.edge ?? null,
    offers: () => offers,
    forgive(now) {
      // hls.js never goes up to a level that it had to leave for an error, though its encoder has long been back.
      for (const level of hls.levels) {
        if (now.has(level.uri)) level.loadError = 0;
      }
    },
    bitRate: () => bitRateOf(loaded),
  };
}

function inWords({ fatal, type, details, response, reason, error }: ErrorData): string {
  const status = response?.code ? ` ${response.code}` : "";
  // The first line: whole playlists may follow.
  const why = (reason ?? error?.message)?.split("\n", 1)[0];
  return `${fatal ? "fatal " : ""}${type} ${details}${status}${why ? `: ${why}` : ""}`;
}
