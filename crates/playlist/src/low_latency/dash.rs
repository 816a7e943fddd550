//! The same segments for DASH (ISO/IEC 23009-1; DASH-IF IOP, low-latency live): a dynamic MPD whose numbers are media
//! sequence numbers. Where segments are as long as each other a player computes which one is open, and gets it while it
//! grows; where they are not, complete ones are listed.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use media::{MediaTime, Rendition, Track, TrackKind};

use super::segment::{CmafSegment, Run};
use super::text::times;
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

/// The whole description. Something is listed. There is no ProducerReferenceTime: Shaka leaves presentationTimeOffset
/// out of what it computes from one. Each fragment has its `prft`.
pub(super) fn render(window: &LowLatencyWindow) -> String {
    let part = window.part_target.unwrap_or_default();
    let target = window.target.span();
    let lengths = || window.all().map(|segment| segment.end() - segment.start());
    let longest = lengths().fold(target, MediaTime::max);
    // It is more than this: removed segments stay for as long as they were listed. ffmpeg begins at a segment that is
    // too old if it is less than media time at the start, and at none if it is more than all the time there was, in
    // whole seconds.
    let origin = MediaTime::from_ticks(ORIGIN_SECONDS, 1);
    let there = end(window) - MediaTime::from_millis(1_000);
    let least = (origin + times(target, 2)).min(there).max(origin);
    let depth = lengths().sum::<MediaTime>().max(least);
    let runs = runs(window);
    let numbered = runs.last().and_then(|segments| regular(window, segments));
    let (update, behind) = match numbered {
        Some(_) => (target, times(part, PARTS_BEHIND) + BUFFER),
        // A segment is known of when it is complete and the description was read again.
        None => (half(target), longest + half(target) + BUFFER),
    };
    let until = match window.is_ended() {
        false => format!("minimumUpdatePeriod=\"{}\"", Span(update)),
        true => format!("mediaPresentationDuration=\"{}\"", Span(end(window))),
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" \
         type=\"dynamic\" availabilityStartTime=\"{}\" publishTime=\"{}\" {until} \
         timeShiftBufferDepth=\"{}\" maxSegmentDuration=\"{}\" minBufferTime=\"{}\" \
         suggestedPresentationDelay=\"{}\">\n",
        date(window.begun.unwrap_or(UNIX_EPOCH)),
        date(window.listed_until().unwrap_or(UNIX_EPOCH)),
        Span(depth),
        Span(longest),
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
    for (at, segments) in runs.iter().enumerate() {
        let over = at + 1 < runs.len() || window.is_ended();
        period(&mut text, window, segments, over);
    }
    text.push_str(
        "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"clock.txt\"/>\n</MPD>\n",
    );
    text
}

/// The origin of the presentation, for a first segment of this date and presentation time: so long before it that media
/// time is the time of the presentation. ffmpeg takes the two for the same.
pub(super) fn origin(date: SystemTime, start: MediaTime) -> SystemTime {
    let before = start + MediaTime::from_ticks(ORIGIN_SECONDS, 1);
    date.checked_sub(before.to_duration()).unwrap_or(date)
}

/// What goes on without a break, together.
fn runs(window: &LowLatencyWindow) -> Vec<Vec<&CmafSegment>> {
    let mut runs: Vec<Vec<&CmafSegment>> = Vec::new();
    for segment in window.all() {
        match runs.last_mut() {
            Some(run)
                if run
                    .last()
                    .is_some_and(|it| it.run.sequence == segment.run.sequence) =>
            {
                run.push(segment);
            }
            _ => runs.push(vec![segment]),
        }
    }
    runs
}

/// The end of all, from the beginning of the presentation.
fn end(window: &LowLatencyWindow) -> MediaTime {
    window.all().last().map_or(MediaTime::ZERO, |last| {
        since_begun(window, last.run) + last.end() - last.run.start
    })
}

/// Where a period starts.
fn since_begun(window: &LowLatencyWindow, run: Run) -> MediaTime {
    let begun = window.begun.unwrap_or(UNIX_EPOCH);
    MediaTime::from(run.date.duration_since(begun).unwrap_or_default())
}

fn half(span: MediaTime) -> MediaTime {
    MediaTime::from_nanos(span.as_nanos() / 2)
}

/// What goes on without a break, in `segments`; nothing is added to it any more when it is `over`.
fn period(text: &mut String, window: &LowLatencyWindow, segments: &[&CmafSegment], over: bool) {
    let (Some(first), Some(newest)) = (segments.first(), segments.last()) else {
        return;
    };
    let run = first.run;
    let duration = match over {
        true => format!(" duration=\"{}\"", Span(newest.end() - run.start)),
        false => String::new(),
    };
    let _ = writeln!(
        text,
        "  <Period id=\"{}\" start=\"{}\"{duration}>",
        run.sequence,
        Span(since_begun(window, run))
    );
    let all_gap = |rendition| segments.iter().all(|segment| segment.is_gap(rendition));
    for rendition in window.renditions().into_iter().filter(|&it| !all_gap(it)) {
        adaptation_set(text, window, run, segments, rendition);
    }
    text.push_str("  </Period>\n");
}

fn adaptation_set(
    text: &mut String,
    window: &LowLatencyWindow,
    run: Run,
    segments: &[&CmafSegment],
    rendition: Rendition,
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
    let epoch = window.epoch();
    let _ = write!(
        text,
        "      <SegmentTemplate timescale=\"{TIMESCALE}\" presentationTimeOffset=\"{}\" \
         initialization=\"{name}-{epoch:08x}-{}.mp4\" media=\"{name}-{epoch:08x}-$Number$.m4s?period={}\"",
        ticks(run.start),
        section.id,
        run.sequence,
    );
    match regular(window, segments) {
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
    let size = carried.iter().find_map(|track| track.codec.size());
    let picture = size.map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""));
    let sound = carried
        .iter()
        .find(|track| track.kind() == TrackKind::Audio)
        .and_then(|track| track.codec.samples_per_unit())
        .map(|(_, rate)| format!(" audioSamplingRate=\"{rate}\""));
    let _ = writeln!(
        text,
        "      <Representation id=\"{name}\" bandwidth=\"{}\" codecs=\"{}\"{}{}/>\n    </AdaptationSet>",
        bandwidth(window, rendition, measured.all.peak()),
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
fn regular(window: &LowLatencyWindow, segments: &[&CmafSegment]) -> Option<MediaTime> {
    let (run, newest) = (segments.first()?.run, segments.last()?);
    let since = |segment: &CmafSegment| i64::try_from(segment.sequence - run.sequence).ok();
    // The mean is what keeps numbers and times together for hours. The newest is not complete, or the last: shorter.
    let length = match since(newest)? {
        0 => window.target.span(),
        count => MediaTime::from_nanos((newest.start() - run.start).as_nanos() / count),
    };
    // As the encoder means it, while few segments say so: a whole number of 10 ms.
    let few = since(newest)? < FEW;
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
    let room = times(length, since(newest)? + 1) - (newest.end() - run.start);
    let fits = fits && room.as_nanos() * 4 >= -length.as_nanos();
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
