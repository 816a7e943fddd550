//! One load of a low-latency media playlist, read by quick-m3u8, and what it has to be like by itself.

use std::time::UNIX_EPOCH;

use quick_m3u8::config::ParsingOptionsBuilder;
use quick_m3u8::tag::KnownTag;
use quick_m3u8::tag::hls::{PreloadHintType, ProgramDateTime, Tag};
use quick_m3u8::{HlsLine, Reader};

/// What a media playlist says. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// As it came.
    pub text: String,
    /// EXT-X-VERSION.
    pub version: u64,
    /// EXT-X-TARGETDURATION.
    pub target_ms: u64,
    /// PART-TARGET.
    pub part_target_ms: u64,
    /// CAN-BLOCK-RELOAD.
    pub can_block: bool,
    /// CAN-SKIP-UNTIL.
    pub can_skip_until_ms: u64,
    /// PART-HOLD-BACK.
    pub part_hold_back_ms: u64,
    /// HOLD-BACK.
    pub hold_back_ms: u64,
    /// EXT-X-MEDIA-SEQUENCE.
    pub sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// SKIPPED-SEGMENTS.
    pub skipped: u64,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent: bool,
    /// The segments, the open one among them, oldest first.
    pub segments: Vec<Segment>,
    /// EXT-X-PRELOAD-HINT of parts: URI and BYTERANGE-START.
    pub hints: Vec<(String, u64)>,
    /// EXT-X-RENDITION-REPORT: URI, LAST-MSN, LAST-PART.
    pub reports: Vec<(String, u64, Option<u64>)>,
    /// EXT-X-ENDLIST.
    pub ended: bool,
}

/// A segment as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Media sequence number.
    pub sequence: u64,
    /// EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
    /// The init section in force.
    pub map: String,
    /// EXT-X-PROGRAM-DATE-TIME, since 1970.
    pub date_ms: u64,
    /// Its parts, as far as they are listed.
    pub parts: Vec<Part>,
    /// EXTINF and URI; `None` while it is open.
    pub whole: Option<(u64, String)>,
    /// EXT-X-GAP.
    pub gap: bool,
}

/// EXT-X-PART.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// URI.
    pub uri: String,
    /// DURATION.
    pub duration_ms: u64,
    /// INDEPENDENT=YES.
    pub independent: bool,
    /// GAP=YES.
    pub gap: bool,
    /// BYTERANGE: length and offset.
    pub range: Option<(u64, u64)>,
}

impl Part {
    /// Where it begins in its file.
    pub(super) fn offset(&self) -> u64 {
        self.range.map_or(0, |(_, offset)| offset)
    }
}

impl Load {
    /// Reads a playlist: every line must be known to quick-m3u8 and stand where it may.
    ///
    /// # Panics
    /// It does not.
    pub fn read(text: &str) -> Self {
        let fail = |what: &str| -> ! { panic!("{what} in\n{text}") };
        if !text.ends_with('\n') {
            fail("the last line is not terminated");
        }
        let options = ParsingOptionsBuilder::new()
            .with_parsing_for_all_tags()
            .build();
        let mut reader = Reader::from_str(text, options);
        let mut load = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        let mut map = String::new();
        let mut open = Segment::default();
        // What a segment has to have before its first part.
        let mut dated = false;
        let mut seen = Vec::new();
        loop {
            let line = match reader.read_line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => fail(&format!("quick-m3u8 says: {error}")),
            };
            let tag = match line {
                HlsLine::KnownTag(KnownTag::Hls(tag)) => tag,
                HlsLine::Uri(uri) => {
                    let Some(whole) = &mut open.whole else {
                        fail("a URI without EXTINF")
                    };
                    whole.1 = uri.into_owned();
                    open.sequence = load.sequence + load.skipped + load.segments.len() as u64;
                    open.map.clone_from(&map);
                    load.segments.push(std::mem::take(&mut open));
                    dated = false;
                    continue;
                }
                other => fail(&format!("{other:?}")),
            };
            if load.ended {
                fail("something behind EXT-X-ENDLIST");
            }
            let behind = !load.hints.is_empty() || !load.reports.is_empty();
            let is_late = !matches!(
                tag,
                Tag::PreloadHint(_) | Tag::RenditionReport(_) | Tag::Endlist(_)
            );
            if behind && is_late {
                fail("a segment's tag behind those of the edge");
            }
            let single = matches!(
                tag,
                Tag::M3u(_)
                    | Tag::Version(_)
                    | Tag::Targetduration(_)
                    | Tag::MediaSequence(_)
                    | Tag::DiscontinuitySequence(_)
                    | Tag::ServerControl(_)
                    | Tag::PartInf(_)
                    | Tag::IndependentSegments(_)
                    | Tag::Skip(_)
            );
            let name = tag.name();
            if single && seen.contains(&name) {
                fail(&format!("{name:?} a second time"));
            }
            if single && !load.segments.is_empty() {
                fail(&format!("{name:?} behind a segment"));
            }
            if seen.is_empty() && !matches!(tag, Tag::M3u(_)) {
                fail("no EXTM3U in front");
            }
            seen.push(name);
            match tag {
                Tag::M3u(_) => {}
                Tag::Version(tag) => load.version = tag.version(),
                Tag::IndependentSegments(_) => load.independent = true,
                Tag::Targetduration(tag) => load.target_ms = tag.target_duration() * 1_000,
                Tag::MediaSequence(tag) => load.sequence = tag.media_sequence(),
                Tag::DiscontinuitySequence(tag) => {
                    load.discontinuity_sequence = tag.discontinuity_sequence();
                }
                Tag::PartInf(tag) => load.part_target_ms = millis(tag.part_target()),
                Tag::ServerControl(tag) => {
                    load.can_block = tag.can_block_reload();
                    load.can_skip_until_ms = tag.can_skip_until().map_or(0, millis);
                    load.part_hold_back_ms = tag.part_hold_back().map_or(0, millis);
                    load.hold_back_ms = tag.hold_back().map_or(0, millis);
                }
                Tag::Skip(tag) => load.skipped = tag.skipped_segments(),
                Tag::Discontinuity(_) if !dated => open.discontinuity = true,
                Tag::Map(tag) if !dated => tag.uri().clone_into(&mut map),
                Tag::ProgramDateTime(tag) if !dated => {
                    open.date_ms = date_ms(&tag);
                    dated = true;
                }
                Tag::Part(tag) if dated => open.parts.push(Part {
                    uri: tag.uri().to_owned(),
                    duration_ms: millis(tag.duration()),
                    independent: tag.independent(),
                    gap: tag.gap(),
                    range: tag
                        .byterange()
                        .map(|range| (range.length, range.offset.unwrap_or(0))),
                }),
                Tag::Gap(_) => open.gap = true,
                Tag::Inf(tag) if dated => {
                    open.whole = Some((millis(tag.duration()), String::new()));
                }
                Tag::PreloadHint(tag) => {
                    if tag.hint_type().known() == Some(&PreloadHintType::Part) {
                        let from = tag.byterange_start();
                        load.hints.push((tag.uri().to_owned(), from));
                    }
                }
                Tag::RenditionReport(tag) => {
                    let report = (tag.uri().to_owned(), tag.last_msn(), tag.last_part());
                    load.reports.push(report);
                }
                Tag::Endlist(_) => load.ended = true,
                other => fail(&format!("{other:?}, which cannot stand where it does")),
            }
        }
        if !open.parts.is_empty() {
            open.sequence = load.sequence + load.skipped + load.segments.len() as u64;
            open.map = map;
            load.segments.push(open);
        } else if dated || open.discontinuity {
            fail("tags of a segment that does not follow");
        }
        load
    }

    /// The last part that is listed: media sequence number and index.
    ///
    /// # Panics
    /// None is.
    pub fn edge(&self) -> (u64, u64) {
        let last = self.segments.last().expect("something is listed");
        assert!(
            !last.parts.is_empty(),
            "no part at the edge of\n{}",
            self.text
        );
        (last.sequence, last.parts.len() as u64 - 1)
    }

    /// What a player asks for next.
    pub fn next(&self) -> (u64, u64) {
        let last = self.segments.last().expect("something is listed");
        match last.whole {
            Some(_) => (last.sequence + 1, 0),
            None => (last.sequence, last.parts.len() as u64),
        }
    }

    /// The segment with this number.
    pub fn segment(&self, sequence: u64) -> Option<&Segment> {
        self.segments.iter().find(|one| one.sequence == sequence)
    }

    /// Each part that is listed, with the number of its segment and its index there.
    pub fn parts(&self) -> impl Iterator<Item = (u64, usize, &Part)> {
        self.segments.iter().flat_map(|segment| {
            let parts = segment.parts.iter().enumerate();
            parts.map(|(at, part)| (segment.sequence, at, part))
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "durations of tests are small and positive"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}

fn date_ms(tag: &ProgramDateTime<'_>) -> u64 {
    let at = tag.program_date_time();
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:06.3}Z",
        at.date_fullyear, at.date_month, at.date_mday, at.time_hour, at.time_minute, at.time_second
    );
    let zone = (at.timezone_offset.time_hour, at.timezone_offset.time_minute);
    assert_eq!(zone, (0, 0), "dates are in UTC");
    let since = humantime::parse_rfc3339(&text).expect("a date");
    let since = since.duration_since(UNIX_EPOCH).expect("behind 1970");
    since.as_millis().try_into().expect("small")
}
