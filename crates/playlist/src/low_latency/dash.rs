//! The same segments for DASH (ISO/IEC 23009-1; DASH-IF IOP, low-latency live): a dynamic MPD whose numbers are media
//! sequence numbers. Where segments are as long as each other a player computes which one is open, and gets it while it
//! grows; where they are not, complete ones are listed.

mod descriptors;
mod periods;
mod sets;

use std::fmt::Write;
use std::time::SystemTime;

use media::{MediaTime, TrackKind};

use super::text::times;
use super::window::LowLatencyWindow;
use crate::media_playlist::date;

use descriptors::FrameRate;
use periods::{Numbers, Period, Share, periods};
use sets::{Set, Shown};

pub(crate) use sets::{Description, Member};

/// Ticks a second on which everything is counted here: those of pictures.
const TIMESCALE: u32 = 90_000;
/// Media time 0 in every CMAF track, seconds (`segmenter::cmaf`).
const ORIGIN_SECONDS: i64 = 10;
/// Players stay so many part targets from the edge, as with HLS.
const PARTS_BEHIND: i64 = 3;
/// Above that and the time of one more part: a player's own buffer.
const BUFFER: MediaTime = MediaTime::from_millis(500);

impl Description<'_> {
    /// The whole text. There is no ProducerReferenceTime: Shaka leaves presentationTimeOffset out of what it computes
    /// from one. Each fragment has its `prft`.
    pub(crate) fn render(&self) -> String {
        let windows = || {
            let all = self.sets.iter().flat_map(|set| &set.representations);
            all.map(|it| it.member.window)
        };
        let part = windows().filter_map(|it| it.part_target).max();
        let part = part.unwrap_or_default();
        let target = self.leading.target.span();
        let lengths = |window: &LowLatencyWindow| -> Vec<MediaTime> {
            let all = window.all();
            all.map(|segment| segment.end() - segment.start()).collect()
        };
        let longest = windows().flat_map(lengths).fold(target, MediaTime::max);
        let periods = periods(self);
        let end = periods.last().map_or(MediaTime::ZERO, |last| {
            self.start(last) + last.end() - last.run.start
        });
        // It is more than this: removed segments stay for as long as they were listed. ffmpeg begins at a segment that
        // is too old if it is less than media time at the start, and at none if it is more than all the time there was,
        // in whole seconds.
        let origin = MediaTime::from_ticks(ORIGIN_SECONDS, 1);
        let there = end - MediaTime::from_millis(1_000);
        let least = (origin + times(target, 2)).min(there).max(origin);
        let depth = lengths(self.leading).into_iter().sum::<MediaTime>();
        let depth = depth.max(least);
        let newest: Vec<_> = periods
            .last()
            .into_iter()
            .flat_map(|last| windows().filter_map(|window| last.share(window)))
            .collect();
        let late = newest.iter().map(|share| share.late);
        let late = late.fold(MediaTime::ZERO, MediaTime::max);
        let (update, behind) = match newest.iter().all(|share| share.numbers.is_some()) {
            true => (target, times(part, PARTS_BEHIND) + BUFFER),
            // A segment is known of when it is complete and the description was read again.
            false => (half(target), longest + half(target) + BUFFER),
        };
        // Whoever changes to the one that comes last still finds what it needs.
        let behind = behind + late;
        let until = match self.leading.is_ended() {
            false => format!("minimumUpdatePeriod=\"{}\"", Span(update)),
            true => format!("mediaPresentationDuration=\"{}\"", Span(end)),
        };
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" \
             type=\"dynamic\" availabilityStartTime=\"{}\" publishTime=\"{}\" {until} \
             timeShiftBufferDepth=\"{}\" maxSegmentDuration=\"{}\" minBufferTime=\"{}\" \
             suggestedPresentationDelay=\"{}\">\n",
            date(self.begun),
            date(self.leading.listed_until().unwrap_or(self.begun)),
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
        for period in &periods {
            self.period(&mut text, period);
        }
        text.push_str(
            "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"clock.txt\"/>\n</MPD>\n",
        );
        text
    }

    /// Where a period starts.
    fn start(&self, period: &Period<'_>) -> MediaTime {
        let since = period.run.date.duration_since(self.begun);
        MediaTime::from(since.unwrap_or_default())
    }

    fn period(&self, text: &mut String, period: &Period<'_>) {
        let duration = match period.is_over {
            true => format!(" duration=\"{}\"", Span(period.end() - period.run.start)),
            false => String::new(),
        };
        let _ = writeln!(
            text,
            "  <Period id=\"{}\" start=\"{}\"{duration}>",
            period.run.sequence,
            Span(self.start(period))
        );
        for set in &self.sets {
            self.adaptation_set(text, period, set);
        }
        text.push_str("  </Period>\n");
    }

    /// Nothing, where the set has nothing in the period. Elements are in the order that the schema wants.
    fn adaptation_set(&self, text: &mut String, period: &Period<'_>, set: &Set<'_>) {
        let all = set.representations.iter();
        let shown: Vec<_> = all.filter_map(|it| Shown::within(period, it)).collect();
        let Some(first) = shown.first() else {
            return;
        };
        let kind = if first.has_pictures() {
            "video"
        } else {
            "audio"
        };
        let label = set.label.as_ref();
        let language = label.and_then(|label| label.language());
        let language = language.map(|tag| format!(" lang=\"{tag}\""));
        let _ = writeln!(
            text,
            "    <AdaptationSet id=\"{}\" contentType=\"{kind}\"{} mimeType=\"{kind}/mp4\" \
             segmentAlignment=\"true\" startWithSAP=\"1\">",
            set.id,
            language.unwrap_or_default(),
        );
        if set.has_events() {
            descriptors::events(text);
        }
        if let Some(name) = label.and_then(|label| label.name()) {
            let _ = writeln!(text, "      <Label>{}</Label>", Escaped(name));
        }
        if first.has_pictures() {
            descriptors::captions(text, self.captions);
        }
        if set.is_main {
            text.push_str("      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n");
        }
        let qualities: Vec<_> = shown.iter().map(Shown::quality).collect();
        for (it, own) in shown.iter().zip(&qualities) {
            let better = qualities.iter().filter(|other| *other > own).count();
            let ranking = (shown.len() > 1).then_some(1 + better);
            representation(text, period, it, ranking);
        }
        text.push_str("    </AdaptationSet>\n");
    }
}

/// The origin of the presentation, for a first segment of this date and presentation time: so long before it that media
/// time is the time of the presentation. ffmpeg takes the two for the same.
pub(super) fn origin(date: SystemTime, start: MediaTime) -> SystemTime {
    let before = start + MediaTime::from_ticks(ORIGIN_SECONDS, 1);
    date.checked_sub(before.to_duration()).unwrap_or(date)
}

fn half(span: MediaTime) -> MediaTime {
    MediaTime::from_nanos(span.as_nanos() / 2)
}

/// `ranking` is its place among those of its set, the best being 1, where it has others beside it.
fn representation(
    text: &mut String,
    period: &Period<'_>,
    shown: &Shown<'_>,
    ranking: Option<usize>,
) {
    let Shown {
        representation: it,
        share,
        section,
        carried,
    } = shown;
    let codecs: Vec<String> = carried.iter().map(|track| track.codec.rfc6381()).collect();
    let mut attributes = String::new();
    if let Some((width, height)) = shown.size() {
        let _ = write!(attributes, " width=\"{width}\" height=\"{height}\"");
        if let Some(rate) = FrameRate::of(&share.segments) {
            let _ = write!(attributes, " frameRate=\"{rate}\"");
        }
    }
    let sound = carried
        .iter()
        .find(|track| track.kind() == TrackKind::Audio)
        .and_then(|track| track.codec.samples_per_unit())
        .map(|(_, rate)| format!(" audioSamplingRate=\"{rate}\""));
    attributes.extend(sound);
    attributes.extend(ranking.map(|place| format!(" qualityRanking=\"{place}\"")));
    let (window, name) = (it.member.window, it.rendition.name());
    let _ = writeln!(
        text,
        "      <Representation id=\"{}{name}\" bandwidth=\"{}\" codecs=\"{}\"{attributes}>",
        it.member.id,
        it.bandwidth(),
        codecs.join(","),
    );
    let (folder, epoch) = (&it.member.folder, window.epoch());
    // All on the timeline of the period, wherever the run of this one began.
    let _ = write!(
        text,
        "        <SegmentTemplate timescale=\"{TIMESCALE}\" presentationTimeOffset=\"{}\" \
         initialization=\"{folder}{name}-{section}.mp4?epoch={epoch:08x}\" \
         media=\"{folder}{name}-$Number$.m4s?epoch={epoch:08x}&amp;period={}\"",
        ticks(period.run.start),
        share.run.sequence,
    );
    match share.numbers {
        Some(Numbers { first, length }) => {
            // What the clock says here is that of the period.
            let ahead = length - window.part_target.unwrap_or_default() - share.late;
            let _ = writeln!(
                text,
                " startNumber=\"{first}\" duration=\"{}\" availabilityTimeOffset=\"{}.{:03}\" \
                 availabilityTimeComplete=\"false\"/>",
                length.rescale(TIMESCALE),
                ahead.as_millis().max(0) / 1_000,
                ahead.as_millis().max(0) % 1_000,
            );
        }
        None => timeline(text, window, share),
    }
    text.push_str("      </Representation>\n");
}

/// Complete segments one by one.
fn timeline(text: &mut String, window: &LowLatencyWindow, share: &Share<'_>) {
    let segments = share.segments.iter();
    let mut complete = segments
        .filter(|segment| segment.sequence < window.next_sequence())
        .peekable();
    let first = complete
        .peek()
        .map_or(window.next_sequence(), |first| first.sequence);
    let _ = writeln!(
        text,
        " startNumber=\"{first}\">\n          <SegmentTimeline>"
    );
    for segment in complete {
        let (start, end) = (ticks(segment.start()), ticks(segment.end()));
        let _ = writeln!(
            text,
            "            <S t=\"{start}\" d=\"{}\"/>",
            (end - start).max(1)
        );
    }
    text.push_str("          </SegmentTimeline>\n        </SegmentTemplate>\n");
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

/// Text as XML has it between tags.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
