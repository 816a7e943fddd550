//! The arithmetic of `_HLS_msn` and `_HLS_part` held against the texts, whichever parts have no sound.

use super::*;

/// What a player makes of one text, and nothing else.
#[derive(Debug)]
struct Read {
    /// EXT-X-MEDIA-SEQUENCE.
    first: u64,
    /// What stands before the segments, EXT-X-SKIP left out.
    header: String,
    skipped: usize,
    segments: Vec<Listed>,
    /// EXT-X-RENDITION-REPORT: URI, LAST-MSN and LAST-PART.
    reports: Vec<(String, u64, u64)>,
    /// The hint and the reports.
    end: String,
}

/// A segment of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Listed {
    /// The EXT-X-MAP in force.
    map: Option<String>,
    /// All but EXT-X-MAP.
    lines: String,
    parts: u64,
    is_complete: bool,
}

impl Read {
    /// What is skipped, and the init section in force behind it, come from the text `before`.
    fn text(text: &str, before: Option<&Self>) -> Self {
        let mut read = Self {
            first: 0,
            header: String::new(),
            skipped: 0,
            segments: Vec::new(),
            reports: Vec::new(),
            end: String::new(),
        };
        let mut map = None;
        let mut one = Listed::default();
        for line in text.split_inclusive('\n') {
            let (name, value) = line.trim_end().split_once(':').unwrap_or((line, ""));
            match name {
                "#EXT-X-PRELOAD-HINT" => read.end.push_str(line),
                "#EXT-X-RENDITION-REPORT" => {
                    read.end.push_str(line);
                    let value = value.replace("URI=", "").replace("LAST-MSN=", "");
                    let value = value.replace("LAST-PART=", "").replace('"', "");
                    let mut fields = value.split(',');
                    let uri = fields.next().expect("a URI").to_owned();
                    let mut number = || fields.next().expect("one").parse().expect("a number");
                    read.reports.push((uri, number(), number()));
                }
                "#EXT-X-SKIP" => {
                    let count = value.strip_prefix("SKIPPED-SEGMENTS=");
                    read.skipped = count.expect("a count").parse().expect("a number");
                    let before = before.expect("nothing is skipped in a whole text");
                    let gone = usize::try_from(read.first - before.first).expect("it rises");
                    let kept = before.segments[gone..].iter().take(read.skipped);
                    read.segments.extend(kept.cloned());
                    map = read.segments.last().and_then(|last| last.map.clone());
                }
                "#EXT-X-MAP" => map = Some(value.to_owned()),
                "#EXT-X-DISCONTINUITY\n" | "#EXT-X-PROGRAM-DATE-TIME" | "#EXT-X-GAP\n" => {
                    one.lines.push_str(line);
                }
                "#EXT-X-PART" => {
                    one.lines.push_str(line);
                    one.parts += 1;
                }
                "#EXTINF" => {
                    one.lines.push_str(line);
                    one.is_complete = true;
                }
                _ if line.starts_with('#') => {
                    read.header.push_str(line);
                    if name == "#EXT-X-MEDIA-SEQUENCE" {
                        read.first = value.parse().expect("a number");
                    }
                }
                _ => {
                    one.lines.push_str(line);
                    one.map.clone_from(&map);
                    read.segments.push(std::mem::take(&mut one));
                }
            }
        }
        if one.parts > 0 {
            one.map = map;
            read.segments.push(one);
        } else {
            assert_eq!(one, Listed::default(), "tags of nothing in\n{text}");
        }
        read
    }

    /// The number of the segment that is not complete.
    fn next(&self) -> u64 {
        let complete = self.segments.iter().filter(|one| one.is_complete).count();
        self.first + complete as u64
    }

    /// The last listed part.
    fn last(&self) -> Option<(u64, u64)> {
        let at = self.first + self.segments.len() as u64;
        let last = self.segments.last()?;
        Some((at - 1, last.parts.checked_sub(1)?))
    }

    /// What a player asks for next.
    fn wanted(&self) -> (u64, u64) {
        let open = self.segments.last().filter(|last| !last.is_complete);
        (self.next(), open.map_or(0, |open| open.parts))
    }
}

/// How many parts have come, with sound or without: of the last complete segment, and of the one that is open.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    complete: u64,
    open: u64,
}

/// What a reload is to be told by somebody who has only the text and knows how many parts have come.
fn expected(read: &Read, came: Came, ahead: u64, at: Position) -> Standing {
    let next = read.next();
    let is_last_complete = |segment| segment >= read.first && segment + 1 == next;
    let (segment, part) = match at.part {
        None if at.segment < next => return Standing::There,
        None if at.segment > next + 1 => return Standing::TooFar,
        None => return Standing::Coming,
        // Behind the last part of a segment stands the first of the next.
        Some(part) if is_last_complete(at.segment) && part >= came.complete => (next, 0),
        Some(part) => (at.segment, part),
    };
    let is_gone = segment < read.first;
    let is_listed = read.last().is_some_and(|last| (segment, part) <= last);
    // It has come, and no text will ever list it.
    let is_trailing_gap = is_last_complete(segment);
    let here = if segment == next { came.open } else { 0 };
    if is_gone || is_listed || is_trailing_gap {
        Standing::There
    } else if segment > next + 1 || part >= here + ahead {
        Standing::TooFar
    } else {
        Standing::Coming
    }
}

/// What was read one push before, by rendition.
type Before = [Option<Read>; 2];

fn check(window: &LowLatencyWindow, before: &mut Before, came: Came, ahead: u64) {
    let text = |rendition, form| {
        let text = window
            .playlist(rendition, form, crate::Beside::default)
            .plain();
        String::from_utf8(text.to_vec()).expect("UTF-8")
    };
    let renditions = [Rendition::Video, Rendition::Audio];
    let full = renditions.map(|rendition| Read::text(&text(rendition, Playlist::Full), None));
    let there = window.renditions();
    for (rendition, (read, other)) in renditions
        .into_iter()
        .zip(full.iter().zip(full.iter().rev()))
        .filter(|(rendition, _)| there.contains(rendition))
    {
        let context = format!("{rendition:?} of\n{}", text(rendition, Playlist::Full));
        let place = usize::from(rendition == Rendition::Audio);
        for segment in read.first - 1..read.next() + 4 {
            let parts = (0..came.complete.max(came.open) + ahead + 3).map(Some);
            for part in parts.chain([None, Some(u64::MAX)]) {
                let at = Position { segment, part };
                let standing = window.standing_in(rendition, at);
                let right = expected(read, came, ahead, at);
                assert_eq!(standing, right, "{at:?} in {context}");
            }
        }
        let (segment, part) = read.wanted();
        let wanted = Position::of_part(segment, part);
        let standing = window.standing_in(rendition, wanted);
        assert_eq!(standing, Standing::Coming, "{wanted:?}, next in {context}");

        let uri = match rendition {
            Rendition::Video => "audio.m3u8",
            _ => "video.m3u8",
        };
        let last = other.last().filter(|_| there.len() == 2);
        let reported = last.map(|(segment, part)| (uri.to_owned(), segment, part));
        assert_eq!(read.reports, Vec::from_iter(reported), "{context}");

        let delta = text(rendition, Playlist::Delta);
        let merged = Read::text(&delta, before[place].as_ref());
        assert_eq!(merged.header, read.header, "{delta}{context}");
        assert_eq!(merged.segments, read.segments, "{delta}{context}");
        assert_eq!(merged.end, read.end, "{delta}{context}");
        if let Some((_, behind)) = delta.split_once("#EXT-X-SKIP:") {
            let (_, behind) = behind.split_once('\n').expect("a line");
            assert!(context.ends_with(behind), "{delta}{context}");
        }
    }
    *before = full.map(Some);
}

/// Part targets in milliseconds, and how many parts ahead of the edge may be asked for: what three seconds hold, and
/// three where a part lasts a second (rfc8216bis §6.2.5.2).
const AHEAD: [(i64, u64); 6] = [
    (218, 13),
    (200, 15),
    (250, 12),
    (999, 3),
    (1_000, 3),
    (2_000, 3),
];

proptest! {
    // Each looks at some hundreds of positions behind every push.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_reload_is_held_until_the_text_of_its_own_rendition_has_what_it_asks_for(
        segments in proptest::collection::vec(
            (
                proptest::collection::vec(proptest::bool::weighted(0.6), 1..7),
                // What is left of its sound; the discontinuity before it; and how it becomes complete.
                (0_usize..7, proptest::bool::weighted(0.1), any::<bool>()),
            ),
            1..24,
        ),
        window in 3_usize..12,
        target in proptest::sample::select(&AHEAD[..]),
        addressing in proptest::sample::select(&[Addressing::Files, Addressing::Ranges][..]),
    ) {
        let (target, ahead) = target;
        let style = LowLatency { addressing, ..LowLatency::default() };
        let mut bench = Bench::new(style, window);
        let mut before = Before::default();
        let mut came = Came::default();
        let mut at = 0;
        for (sounds, (until, discontinuity, with_last)) in segments {
            let sounds: Vec<bool> = sounds.iter().enumerate().map(|(n, &it)| it && n < until).collect();
            bench.tracks = match sounds.contains(&true) {
                true => both(),
                false => Arc::from([video(0xc0)]),
            };
            let count = sounds.len();
            for (n, sound) in sounds.into_iter().enumerate() {
                let mut first = (n == 0).then(|| head(at, &bench.tracks));
                if let Some(head) = &mut first {
                    head.discontinuity = discontinuity && at > 0;
                }
                let mut next = part(at, 200, first);
                next.target = ms(target);
                next.sizes.audio = sound.then_some(100);
                next.is_last = with_last && n + 1 == count;
                came.open += 1;
                if next.is_last {
                    came = Came { complete: came.open, open: 0 };
                }
                bench.push(next);
                at += 200;
                check(&bench.window(), &mut before, came, ahead);
            }
            if !with_last {
                bench.close(at);
                came = Came { complete: came.open, open: 0 };
                check(&bench.window(), &mut before, came, ahead);
            }
        }
    }
}
