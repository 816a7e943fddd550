// Fault kinds of the status API in the words of the person who runs the encoder.

const LABELS: Readonly<Record<string, string>> = {
  malformed_message: "Malformed message",
  unsupported_codec: "Codec not carried",
  bad_configuration: "Unreadable codec configuration",
  early_media: "Media before its configuration or first key frame",
  timestamp_order: "Timestamp out of order",
  timestamp_jump: "Timestamp jump",
  composition_time: "Implausible composition time",
  forced_cut: "Key frame interval too long, cut without one",
  segment_too_large: "Segment too large, cut early",
  audio_resync: "Audio resynchronised",
  late_media: "Arrived after its segment was cut",
  configuration_flood: "Codec configuration changes too often",
  clock_unusable: "Timestamps without use, dated by arrival",
  name_contested: "Another encoder wants this name",
  ladder_misfit: "Segments that do not fit the other rungs",
  ladder_clock: "Timestamps that are not those of the other rungs",
  timed_metadata: "Timed metadata left out",
  transcoding: "Transcoding stopped or fell behind",
};

/** What to call a fault kind; one that a newer gateway counts is shown by its own name. */
export function faultLabel(kind: string): string {
  return Object.hasOwn(LABELS, kind) ? (LABELS[kind] as string) : kind.replaceAll("_", " ");
}
