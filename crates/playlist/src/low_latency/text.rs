//! Media playlist text with parts (rfc8216bis §4.4.3.7 to §4.4.5.4).
//!
//! The lines of a complete segment are rendered once for each rendition somebody watches, and copied from then on.

use std::fmt::Write;

use media::{MediaTime, Rendition};

use super::Addressing;
use super::edge::Position;
use super::segment::CmafSegment;
use super::window::{LowLatencyWindow, Playlist};
use crate::i_frames::{self, Picture};
use crate::measured::Sample;
use crate::media_playlist::{END, date};

/// EXT-X-SKIP needs it (rfc8216bis §8).
const VERSION: u8 = 9;
/// Parts are listed of segments that end within so many target durations of the edge (rfc8216bis §6.2.2).
const PARTS_FOR: i64 = 3;
/// Segments may be skipped that end further than so many target durations from the edge: the least that is allowed.
const SKIP_UNTIL: i64 = 6;
/// Players keep so many part targets from the edge: what is recommended.
const PART_HOLD_BACK: i64 = 3;
/// The same in target durations, for players that do not know parts.
const HOLD_BACK: i64 = 3;

/// URIs, relative to the playlists. Files have the epoch in the query: players know a segment by its number and its path (hls.js
/// 1.7.4 gives up a playlist in which that changes), and of the rungs of a ladder one may go on with what another began.
pub mod uri {
    use media::Rendition;

    /// The media playlist of a rendition.
    pub fn playlist(rendition: Rendition) -> String {
        format!("{}.m3u8", rendition.name())
    }

    /// The I-frame playlist.
    pub fn i_frames() -> String {
        format!("{}-iframes.m3u8", Rendition::Video.name())
    }

    /// A segment.
    pub fn segment(rendition: Rendition, epoch: u32, sequence: u64) -> String {
        format!("{}-{sequence}.m4s?epoch={epoch:08x}", rendition.name())
    }

    /// A part of a segment.
    pub fn part(rendition: Rendition, epoch: u32, sequence: u64, part: usize) -> String {
        format!(
            "{}-{sequence}.{part}.m4s?epoch={epoch:08x}",
            rendition.name()
        )
    }

    /// An init section.
    pub fn section(rendition: Rendition, epoch: u32, id: u64) -> String {
        format!("{}-{id}.mp4?epoch={epoch:08x}", rendition.name())
    }
}

/// What is measured of a segment.
pub(super) fn sample(segment: &CmafSegment) -> Sample {
    let leading = media::leading_track(&segment.head.tracks);
    let units = segment.parts.iter().flat_map(|entry| &entry.part.units);
    Sample {
        bytes: segment.bytes(Rendition::Muxed),
        key_picture: segment.key_picture().map(|range| range.bytes),
        sound: Some(segment.bytes(Rendition::Audio)).filter(|bytes| *bytes > 0),
        duration: segment.end() - segment.start(),
        leading_units: units.filter(|unit| unit.track == leading).count() as u64,
        discontinuity: segment.head.discontinuity,
        independent: segment.head.independent,
        captions: segment.captions(),
    }
}

/// How many of the listed segments a delta update leaves out.
pub(super) fn skippable(window: &LowLatencyWindow) -> usize {
    let until = times(window.target.span(), SKIP_UNTIL);
    let Some(edge) = window.all().last().map(|last| last.end()) else {
        return 0;
    };
    // Counted from the edge in what is listed: over a discontinuity, media times do not say how far apart segments are.
    let mut behind = match &window.open {
        Some(open) => edge - open.start(),
        None => MediaTime::ZERO,
    };
    let kept = window.listed().rev().take_while(|segment| {
        let near = behind < until;
        behind += segment.end() - segment.start();
        near
    });
    window.settled.listed.len() - kept.count()
}

/// The whole text. Something is listed.
pub(super) fn render(
    window: &LowLatencyWindow,
    rendition: Rendition,
    form: Playlist,
    beside: impl FnOnce() -> Beside,
) -> String {
    let Beside {
        folder,
        reports,
        sound,
        ahead,
    } = beside();
    let mut text = header(window, Listing::Media, ahead);
    window.ranges.write(&mut text);
    let skipped = match form {
        Playlist::Full => 0,
        Playlist::Delta => skippable(window),
    };
    if skipped > 0 {
        let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
    }
    let mut near = near_the_edge(window);
    let mut section = None;
    for (at, segment) in window.all().enumerate() {
        let before = section;
        section = segment.section(rendition).map(|there| there.id).or(section);
        let with_parts = near.next().unwrap_or(true);
        let open = segment.sequence >= window.next_sequence;
        if at < skipped || (open && window.listed_parts(segment, rendition) == 0) {
            continue;
        }
        if segment.head.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(id) = section.filter(|_| section != before) {
            let uri = uri::section(rendition, window.epoch, id);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{uri}\"");
        }
        if open {
            // Not kept: when it is complete, EXTINF stands there too.
            text.push_str(&lines(window, segment, rendition, true));
            continue;
        }
        text.push_str(match with_parts {
            true => segment
                .part_lines
                .get_or_init(rendition, || lines(window, segment, rendition, true)),
            false => segment
                .lines
                .get_or_init(rendition, || lines(window, segment, rendition, false)),
        });
    }
    if window.ended {
        text.push_str(END);
    } else {
        text.push_str(&hint(window, rendition));
        let others = window.renditions().into_iter();
        let others = others.filter(|&other| other != rendition);
        let others = others.filter_map(|other| report(window, other, &folder));
        // It is not told of itself.
        let sound = sound.filter(|_| rendition != Rendition::Audio);
        for Report { uri, segment, part } in others.chain(reports).chain(sound) {
            let _ = writeln!(
                text,
                "#EXT-X-RENDITION-REPORT:URI=\"{uri}\",LAST-MSN={segment},LAST-PART={part}"
            );
        }
    }
    text
}

/// The whole I-frame playlist: of the pictures alone, whatever travels together. A segment is complete.
pub(super) fn render_i_frames(window: &LowLatencyWindow) -> String {
    let mut text = header(window, Listing::IFrames, MediaTime::ZERO);
    let mut section = None;
    for segment in window.listed() {
        if segment.head.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        let before = section;
        section = segment
            .section(Rendition::Video)
            .map(|there| there.id)
            .or(section);
        if let Some(id) = section.filter(|_| section != before) {
            let uri = uri::section(Rendition::Video, window.epoch, id);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{uri}\"");
        }
        let picture = Picture {
            date: segment.head.date,
            millis: extinf_millis(segment),
            uri: &uri::segment(Rendition::Video, window.epoch, segment.sequence),
            range: segment.key_picture(),
        };
        picture.write(&mut text);
    }
    if window.ended {
        text.push_str(END);
    }
    text
}

/// For each segment, oldest first, whether its parts are still listed.
fn near_the_edge(window: &LowLatencyWindow) -> impl Iterator<Item = bool> + use<> {
    let within = times(window.target.span(), PARTS_FOR);
    let mut behind = MediaTime::ZERO;
    let mut near: Vec<bool> = window
        .all()
        .rev()
        .map(|segment| {
            let listed = behind < within;
            behind += segment.end() - segment.start();
            listed
        })
        .collect();
    near.reverse();
    near.into_iter()
}

/// What a playlist lists.
#[derive(Clone, Copy)]
enum Listing {
    /// Segments and parts.
    Media,
    /// Key pictures.
    IFrames,
}

fn header(window: &LowLatencyWindow, listing: Listing, ahead: MediaTime) -> String {
    let first = window.all().next();
    let opened = window.open.as_ref();
    let independent = if window.settled.measured.is_independent()
        && opened.is_none_or(|open| open.head.independent)
    {
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
    } else {
        ""
    };
    let part_target = window.part_target.unwrap_or(MediaTime::from_millis(1));
    let target = window.target;
    let parts = format!(
        "#EXT-X-PART-INF:PART-TARGET={}\n",
        Seconds(part_target.as_millis())
    );
    let (version, of) = match listing {
        Listing::Media => (VERSION, &*parts),
        Listing::IFrames => (i_frames::VERSION, i_frames::TAG),
    };
    format!(
        "#EXTM3U\n#EXT-X-VERSION:{version}\n{independent}#EXT-X-TARGETDURATION:{}\n\
         #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={},PART-HOLD-BACK={},HOLD-BACK={}\n\
         {of}#EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
        target.seconds(),
        Seconds(times(target.span(), SKIP_UNTIL).as_millis()),
        // The sound of another is not there yet where it is: hls.js 1.7.4 would begin beyond that, and stay there.
        Seconds((times(part_target, PART_HOLD_BACK) + window.ahead.max(ahead)).as_millis()),
        Seconds(times(target.span(), HOLD_BACK).as_millis()),
        first.map_or(window.next_sequence, |first| first.sequence),
        // It counts the tags that are gone; one that still stands before the first segment is not.
        first.map_or(0, |first| {
            first.discontinuity_sequence - u64::from(first.head.discontinuity)
        }),
    )
}

/// The lines of a segment behind EXT-X-DISCONTINUITY and EXT-X-MAP; those of an open one end with its parts.
fn lines(
    window: &LowLatencyWindow,
    segment: &CmafSegment,
    rendition: Rendition,
    with_parts: bool,
) -> String {
    let mut lines = String::new();
    let _ = writeln!(
        lines,
        "#EXT-X-PROGRAM-DATE-TIME:{}",
        date(segment.head.date)
    );
    let complete = segment.sequence < window.next_sequence;
    if with_parts {
        let mut offset = 0;
        let listed = window.listed_parts(segment, rendition);
        for (at, entry) in segment.parts.iter().take(listed).enumerate() {
            let part = &entry.part;
            let millis = (part.start + part.duration).as_millis() - part.start.as_millis();
            let _ = write!(lines, "#EXT-X-PART:DURATION={},", Seconds(millis.max(1)));
            let size = part.sizes.of(rendition).unwrap_or(0);
            match window.style.addressing {
                Addressing::Files => {
                    let uri = uri::part(rendition, window.epoch, segment.sequence, at);
                    let _ = write!(lines, "URI=\"{uri}\"");
                }
                Addressing::Ranges => {
                    let uri = uri::segment(rendition, window.epoch, segment.sequence);
                    let _ = write!(lines, "URI=\"{uri}\",BYTERANGE=\"{size}@{offset}\"");
                }
            }
            offset += size;
            lines.push_str(
                match (entry.is_gap(rendition), entry.is_independent(rendition)) {
                    (true, _) => ",GAP=YES\n",
                    (false, true) => ",INDEPENDENT=YES\n",
                    (false, false) => "\n",
                },
            );
        }
    }
    if complete {
        if segment.is_gap(rendition) {
            lines.push_str("#EXT-X-GAP\n");
        }
        let millis = extinf_millis(segment);
        let uri = uri::segment(rendition, window.epoch, segment.sequence);
        let _ = writeln!(lines, "#EXTINF:{},\n{uri}", Seconds(millis));
    }
    lines
}

/// EXTINF in milliseconds.
fn extinf_millis(segment: &CmafSegment) -> i64 {
    (segment.end().as_millis() - segment.start().as_millis()).max(1)
}

/// The part that comes next.
fn hint(window: &LowLatencyWindow, rendition: Rendition) -> String {
    let sequence = window.next_sequence;
    let parts = window.open.as_ref().map_or(0, |open| open.parts.len());
    match window.style.addressing {
        Addressing::Files => format!(
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\"\n",
            uri::part(rendition, window.epoch, sequence, parts)
        ),
        Addressing::Ranges => {
            let from = window.open.as_ref().map_or(0, |open| open.bytes(rendition));
            format!(
                "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\",BYTERANGE-START={from}\n",
                uri::segment(rendition, window.epoch, sequence)
            )
        }
    }
}

/// What a media playlist says of the other rungs of its ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// What stands before the URIs of its own playlists: that of its sound may be fetched in the folder of the ladder.
    pub folder: String,
    /// Where their pictures stand.
    pub reports: Vec<Report>,
    /// Where the sound stands that they hear.
    pub sound: Option<Report>,
    /// How much later than they come the media of any of them are: all hold players back by that
    /// (rfc8216bis §6.2.4).
    pub ahead: MediaTime,
}

/// Where another rendition stands (rfc8216bis §4.4.5.4), for players that go over to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its media playlist, relative to the one that says so.
    pub uri: String,
    /// The last segment that has a part there.
    pub segment: u64,
    /// The last part of that.
    pub part: u64,
}

/// The report about `rendition`; `folder` goes before its URI.
pub(super) fn report(
    window: &LowLatencyWindow,
    rendition: Rendition,
    folder: &str,
) -> Option<Report> {
    let Position { segment, part } = window.last_part(rendition)?;
    Some(Report {
        uri: format!("{folder}{}", uri::playlist(rendition)),
        segment,
        part: part?,
    })
}

/// So many times `span`.
pub(crate) fn times(span: MediaTime, count: i64) -> MediaTime {
    MediaTime::from_nanos(span.as_nanos().saturating_mul(count))
}

/// Milliseconds as seconds with three decimals.
struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}
