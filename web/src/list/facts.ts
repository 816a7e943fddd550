// A stream's facts in words: one line each, nothing of the page. Pure.

import type { AudioTrack, Stream, VideoTrack } from "../api.ts";
import { byteCount, channels, elapsed, frameRate, plural, sampleRate, seconds, spread } from "../format.ts";

/** The labels of {@link facts}, in the order they are shown. */
export const LABELS = ["Encoder", "Publishing", "Video", "GOP", "Audio", "Segments"] as const;

export type Label = (typeof LABELS)[number];

/** What to say of `stream` at `now` (milliseconds by the gateway's clock). */
export function facts(stream: Stream, now: number): Record<Label, string> {
  const video = stream.tracks.filter((track) => track.kind === "video");
  const audio = stream.tracks.filter((track) => track.kind === "audio");
  return {
    Encoder: encoder(stream),
    Publishing: publishing(stream, now),
    Video: video.map(videoTrack).join("; ") || "none",
    GOP: video.map(gop).join("; ") || "none",
    Audio: audio.map(audioTrack).join("; ") || "none",
    Segments: segments(stream),
  };
}

function encoder({ publisher, backups }: Stream): string {
  const waiting = backups > 0 ? `; ${backups} standing by` : "";
  if (publisher === null) return `not connected${waiting}`;
  return `${publisher.encoder ?? "unnamed"}, from ${publisher.address}${waiting}`;
}

function publishing({ publisher }: Stream, now: number): string {
  if (publisher === null) return "nobody";
  return `for ${elapsed((now - Date.parse(publisher.since)) / 1000)}, ${byteCount(publisher.bytes)}`;
}

function videoTrack(track: VideoTrack): string {
  const rate = track.frame_rate === null ? null : frameRate(track.frame_rate);
  return listed([withProfile(track), `${track.width}×${track.height}`, rate]);
}

function audioTrack(track: AudioTrack): string {
  return listed([withProfile(track), sampleRate(track.sample_rate), channels(track.channels)]);
}

function gop(track: VideoTrack): string {
  if (track.gop_last_seconds === null) return "not yet measured";
  return `last ${seconds(track.gop_last_seconds)}, longest ${seconds(track.gop_max_seconds)}`;
}

function segments({ window }: Stream): string {
  const durations = window.segments.map((segment) => segment.duration_seconds);
  if (durations.length === 0) return "none yet";
  return `${plural(durations.length, "segment")} of ${spread(durations)}, target ${window.target_duration_seconds} s`;
}

function withProfile({ codec, profile }: { codec: string; profile: string | null }): string {
  return profile ? `${codec} ${profile}` : codec;
}

function listed(parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(", ");
}
