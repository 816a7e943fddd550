//! The same segments for DASH (ISO/IEC 23009-1; DASH-IF IOP, low-latency live): a dynamic MPD whose numbers are media
//! sequence numbers. Where segments are as long as each other a player computes which one is open, and gets it while it
//! grows; where they are not, complete ones are listed.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use media::{Codec, MediaTime, Rendition, Track, TrackKind};

use super::segment::{CmafSegment, Run};
use super::window::LowLatencyWindow;
use crate::media_playlist::date;

/// Ticks a second on which everything is counted here: those of pictures.
const TIMESCALE: u32 = 90_000;
/// Media time 0 in every CMAF track, seconds (`segmenter::cmaf`).
const ORIGIN_SECONDS: i64 = 10;
/// Players stay so many part targets from the edge, as with HLS.
const PARTS_BEHIND: i64 = 3;
/// Above that and the time of one more part: a player's own buffer.
const BUFFER: MediaTime = MediaTime::from_millis(500);

/// So many segments are too few for their mean length to be exact.
const FEW: i64 = 30;

/// The whole description. Something is listed.
pub(super) fn render(window: &LowLatencyWindow) -> String {
    let part = window.part_target.unwrap_or_default();
    let behind = MediaTime::from_nanos(part.as_nanos() * PARTS_BEHIND) + BUFFER;
    let target = window.target.span();
    let depth: MediaTime = window.all().map(|it| it.end() - it.start()).sum();
    let ended = window.is_ended();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" \
         profiles=\"urn:mpeg:dash:profile:isoff-live:2011,http://www.dashif.org/guidelines/low-latency-live-v5\" \
         type=\"dynamic\" availabilityStartTime=\"{}\" publishTime=\"{}\" \
         {}timeShiftBufferDepth=\"{}\" maxSegmentDuration=\"{}\" minBufferTime=\"{}\" \
         suggestedPresentationDelay=\"{}\">\n",
        // ffmpeg computes numbers from it, and leaves the start of the period out.
        date(window.begun.unwrap_or(UNIX_EPOCH)),
        date(published(window)),
        if ended {
            String::new()
        } else {
            format!("minimumUpdatePeriod=\"{}\" ", Span(target))
        },
        Span(depth),
        Span(target),
        Span(part),
        Span(behind),
    );
    let millis = behind.as_millis();
    let _ = write!(
        text,
        "  <ServiceDescription id=\"0\">\n    <Latency target=\"{millis}\" min=\"{}\" max=\"{}\"/>\n    \
         <PlaybackRate min=\"0.95\" max=\"1.05\"/>\n  </ServiceDescription>\n",
        millis / 2,
        millis * 4
    );
    let mut segments: Vec<&CmafSegment> = window.all().map(|segment| &**segment).collect();
    while let Some(first) = segments.first() {
        let run = first.run;
        let rest = segments
            .iter()
            .position(|segment| segment.run.sequence != run.sequence);
        let later = segments.split_off(rest.unwrap_or(segments.len()));
        period(&mut text, window, run, &segments, later.is_empty());
        segments = later;
    }
    text.push_str(
        "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"clock.txt\"/>\n</MPD>\n",
    );
    text
}

/// When the newest part was there.
fn published(window: &LowLatencyWindow) -> SystemTime {
    window.all().last().map_or(UNIX_EPOCH, |last| {
        last.head.date + (last.end() - last.start()).to_duration()
    })
}

/// What goes on without a break, in `segments`; `last` if nothing comes behind it.
fn period(
    text: &mut String,
    window: &LowLatencyWindow,
    run: Run,
    segments: &[&CmafSegment],
    last: bool,
) {
    let begun = window.begun.unwrap_or(UNIX_EPOCH);
    let start = run.date.duration_since(begun).unwrap_or_default();
    let end = segments.last().map(|segment| segment.end());
    let duration = match end {
        Some(end) if !last || window.is_ended() => {
            format!(" duration=\"{}\"", Span(end - run.start))
        }
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "  <Period id=\"{}\" start=\"{}\"{duration}>",
        run.sequence,
        Span(MediaTime::from(start))
    );
    for rendition in window.renditions() {
        adaptation_set(text, window, run, segments, rendition, last);
    }
    text.push_str("  </Period>\n");
}

fn adaptation_set(
    text: &mut String,
    window: &LowLatencyWindow,
    run: Run,
    segments: &[&CmafSegment],
    rendition: Rendition,
    last: bool,
) {
    let Some(section) = segments
        .iter()
        .rev()
        .find_map(|segment| segment.section(rendition))
    else {
        return;
    };
    let carried: Vec<&Track> = section
        .tracks
        .iter()
        .filter(|track| rendition.carries(track.kind()))
        .collect();
    let kind = match rendition {
        Rendition::Audio => "audio",
        Rendition::Video | Rendition::Muxed => "video",
    };
    let (id, name) = (super::segment::index(rendition) + 1, rendition.name());
    let _ = writeln!(
        text,
        "    <AdaptationSet id=\"{id}\" contentType=\"{kind}\" mimeType=\"{kind}/mp4\" segmentAlignment=\"true\" \
         startWithSAP=\"1\">"
    );
    let _ = writeln!(
        text,
        "      <ProducerReferenceTime id=\"{id}\" type=\"captured\" wallClockTime=\"{}\" presentationTime=\"{}\"/>",
        date(run.date),
        ticks(run.start)
    );
    let epoch = window.epoch();
    let _ = write!(
        text,
        "      <SegmentTemplate timescale=\"{TIMESCALE}\" presentationTimeOffset=\"{}\" \
         initialization=\"{name}-{epoch:08x}-{}.mp4\" media=\"{name}-{epoch:08x}-$Number$.m4s\"",
        ticks(run.start),
        section.id
    );
    match regular(window, run, segments).filter(|_| last && !window.is_ended()) {
        Some(length) => {
            let ahead = length - window.part_target.unwrap_or_default();
            let _ = writeln!(
                text,
                " startNumber=\"{}\" duration=\"{}\" availabilityTimeOffset=\"{}.{:03}\" \
                 availabilityTimeComplete=\"false\"/>",
                run.sequence,
                length.rescale(TIMESCALE),
                ahead.as_millis().max(0) / 1_000,
                ahead.as_millis().max(0) % 1_000,
            );
        }
        None => timeline(text, window, segments),
    }
    let codecs: Vec<String> = carried.iter().map(|track| track.codec.rfc6381()).collect();
    let measured = window.measured();
    let picture = carried.iter().find_map(|track| match &track.codec {
        Codec::H264(h264) => Some(format!(
            " width=\"{}\" height=\"{}\"",
            h264.width, h264.height
        )),
        Codec::Aac(_) | Codec::Mp3(_) => None,
    });
    let sound = carried
        .iter()
        .find(|track| track.kind() == TrackKind::Audio)
        .and_then(|track| track.codec.samples_per_unit())
        .map(|(_, rate)| format!(" audioSamplingRate=\"{rate}\""));
    let _ = writeln!(
        text,
        "      <Representation id=\"{name}\" bandwidth=\"{}\" codecs=\"{}\"{}{}/>\n    </AdaptationSet>",
        bandwidth(window, rendition, measured.peak()),
        codecs.join(","),
        picture.unwrap_or_default(),
        sound.unwrap_or_default(),
    );
}

/// The share of `peak`, which was measured of all tracks, that is `rendition`'s in what is on hand.
fn bandwidth(window: &LowLatencyWindow, rendition: Rendition, peak: u64) -> u64 {
    let bytes = |rendition| -> u64 { window.all().map(|it| it.bytes(rendition)).sum() };
    let (own, all) = (bytes(rendition), bytes(Rendition::Muxed).max(1));
    let share = u128::from(peak) * u128::from(own) / u128::from(all);
    u64::try_from(share).unwrap_or(peak).max(1)
}

/// How long segments are, if a player can tell from their numbers where each of them begins: no more than a quarter of
/// a segment off.
fn regular(window: &LowLatencyWindow, run: Run, segments: &[&CmafSegment]) -> Option<MediaTime> {
    let complete = segments
        .iter()
        .rev()
        .find(|segment| segment.sequence < window.next_sequence());
    let since = |segment: &CmafSegment| i64::try_from(segment.sequence - run.sequence).ok();
    // The mean is what keeps numbers and times together for hours.
    let length = match complete {
        Some(last) => {
            let span = (last.end() - run.start).as_nanos();
            MediaTime::from_nanos(span / (since(last)? + 1))
        }
        None => window.target.span(),
    };
    // As the encoder means it, while few segments say so: a whole number of 10 ms.
    let few = segments.last().and_then(|last| since(last)) < Some(FEW);
    let length = match few {
        true => MediaTime::from_millis((length.as_millis() + 5) / 10 * 10),
        false => length,
    };
    let fits = segments.iter().all(|segment| {
        let at = since(segment).map(|count| length.as_nanos().saturating_mul(count));
        at.is_some_and(|at| {
            let off = segment.start() - run.start - MediaTime::from_nanos(at);
            off.abs().as_nanos() * 4 <= length.as_nanos()
        })
    });
    (fits && length > MediaTime::ZERO).then_some(length)
}

/// Complete segments one by one.
fn timeline(text: &mut String, window: &LowLatencyWindow, segments: &[&CmafSegment]) {
    let mut complete = segments
        .iter()
        .filter(|segment| segment.sequence < window.next_sequence())
        .peekable();
    let first = complete
        .peek()
        .map_or(window.next_sequence(), |first| first.sequence);
    let _ = writeln!(text, " startNumber=\"{first}\">\n        <SegmentTimeline>");
    for segment in complete {
        let (start, end) = (ticks(segment.start()), ticks(segment.end()));
        let _ = writeln!(
            text,
            "          <S t=\"{start}\" d=\"{}\"/>",
            (end - start).max(1)
        );
    }
    text.push_str("        </SegmentTimeline>\n      </SegmentTemplate>\n");
}

/// A presentation time as CMAF has it.
fn ticks(at: MediaTime) -> i64 {
    at.rescale(TIMESCALE) + ORIGIN_SECONDS * i64::from(TIMESCALE)
}

/// A span as XML Schema writes it, in milliseconds.
struct Span(MediaTime);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_millis().max(0);
        write!(f, "PT{}.{:03}S", millis / 1_000, millis % 1_000)
    }
}
