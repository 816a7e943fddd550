//! Date ranges (EXT-X-DATERANGE, rfc8216bis §4.4.5.1): the cues of a window, listed above its segments for as long as
//! they reach into those. Here a break gets its ID, by its event and its date, so that it has the same in each rendition
//! and rung that is dated alike (§6.2.4), and is found again by its return, over any reconnect of its encoder.
//!
//! They stand in every form of a playlist whole, delta updates included: CAN-SKIP-DATERANGES is not announced. What does
//! not belong here: what a cue says (the binary reads it out of a message).

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::{Anchor, Cue, MediaTime, Side, TimedEvent};

use crate::media_playlist::date;

/// The most that a playlist lists: an hour of what players act upon. Points are refused beyond that, as what is listed has
/// to stay (§6.2.1); for a splice the oldest point goes, or else the oldest of all.
const MOST: usize = 64;
/// A break whose end nobody has said is listed for so long, whatever was planned: it may last longer (§4.4.5.1), but for
/// one that ends by itself.
const LONGEST_BREAK: Duration = Duration::from_secs(3_600);
/// The longest time that a range is believed to last.
const LONGEST: MediaTime = MediaTime::from_millis(86_400_000);

/// The date ranges of one moment; cloned for each snapshot, and empty for nearly all.
#[derive(Clone, Debug, Default)]
pub(crate) struct DateRanges(Vec<Arc<Range>>);

/// One tag.
#[derive(Clone, Debug)]
struct Range {
    id: String,
    start: SystemTime,
    until: SystemTime,
    line: String,
    /// It is a break whose end nobody has said.
    open: Option<Break>,
    is_splice: bool,
}

#[derive(Clone, Copy, Debug)]
struct Break {
    event: Option<u32>,
    /// Until then it may be said again.
    again_until: SystemTime,
}

impl DateRanges {
    /// Takes the cues among `events`, dated by `anchor`.
    pub(crate) fn add(&mut self, events: &[TimedEvent], anchor: Anchor) {
        for timed in events {
            for cue in &timed.event.cues {
                self.push(cue, anchor.date_at(timed.at));
            }
        }
    }

    fn push(&mut self, cue: &Cue, at: SystemTime) {
        let splice = cue.splice.as_ref();
        let begins = splice.filter(|splice| splice.side == Side::Out);
        let begun = begins.and_then(|splice| self.open(splice.event));
        if let (Some(splice), Some(begun)) = (begins, begun) {
            if at <= begun.again_until {
                return;
            }
            // Nobody has said its end, and another begins with its number.
            self.close(splice.event, at);
        }
        if self.0.len() >= MOST {
            if splice.is_none() {
                return;
            }
            let point = self.0.iter().position(|range| !range.is_splice);
            self.0.remove(point.unwrap_or(0));
        }
        let range = match splice {
            Some(splice) if matches!(splice.side, Side::In | Side::Cancel) => {
                self.returned(cue, splice.event, at)
            }
            _ => self.begun(cue, at),
        };
        self.0.push(Arc::new(range));
    }

    /// A break of this event is over at `end`, and leaves the playlist then.
    fn close(&mut self, event: Option<u32>, end: SystemTime) -> Option<Arc<Range>> {
        let mut newest = self.0.iter_mut().rev();
        let begun = newest.find(|it| it.open.is_some_and(|open| open.event == event))?;
        *begun = Arc::new(Range {
            until: end.max(begun.start),
            open: None,
            ..Range::clone(begun)
        });
        Some(begun.clone())
    }

    /// The newest break of this event, while it is open.
    fn open(&self, event: Option<u32>) -> Option<Break> {
        let mut newest = self.0.iter().rev().filter_map(|range| range.open);
        newest.find(|open| open.event == event)
    }

    fn begun(&self, cue: &Cue, at: SystemTime) -> Range {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut id = match cue.splice.as_ref().map(|splice| splice.event) {
            None => format!("cue-{}", since.as_millis()),
            Some(None) => format!("splice-{}", since.as_millis()),
            Some(Some(event)) => format!("splice-{event:08X}-{}", since.as_millis()),
        };
        let at_once = self.0.iter().filter(|range| {
            let rest = range.id.strip_prefix(&id);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let count = at_once.count();
        if count > 0 {
            let _ = write!(id, ".{count}");
        }
        Range::new(id, cue, at)
    }

    /// The end of a break, as a second tag for it: the attributes that both have are the same (§4.4.5.1). What began it
    /// may be gone, or was never seen.
    fn returned(&mut self, cue: &Cue, event: Option<u32>, at: SystemTime) -> Range {
        // Both leave the playlist together.
        let Some(begun) = self.close(event, at) else {
            return self.begun(cue, at);
        };
        let end = begun.until;
        let mut line = opening(&begun.id, begun.start);
        let _ = write!(line, ",END-DATE=\"{}\"", date(end));
        push_splice(&mut line, cue);
        Range {
            id: begun.id.clone(),
            start: begun.start,
            until: end,
            line,
            open: None,
            is_splice: true,
        }
    }

    /// Lets those go that end before `listed`, when the playlist begins.
    pub(crate) fn forget_before(&mut self, listed: SystemTime) {
        self.0.retain(|range| range.until >= listed);
    }

    /// Their lines.
    pub(crate) fn write(&self, text: &mut String) {
        for range in &self.0 {
            text.push_str(&range.line);
            text.push('\n');
        }
    }
}

impl Range {
    fn new(id: String, cue: &Cue, start: SystemTime) -> Self {
        let mut line = opening(&id, start);
        if let Some(class) = cue.class {
            let _ = write!(line, ",CLASS=\"{class}\"");
        }
        let splice = cue.splice.as_ref();
        let side = splice.map(|splice| splice.side);
        let planned = cue.planned.map(|planned| planned.min(LONGEST));
        // A point is at an instant (§4.4.5.1), and a return ends what nobody here saw begin.
        let instant = matches!(side, None | Some(Side::In)).then_some(MediaTime::ZERO);
        let (name, lasts) = match (planned, instant) {
            (Some(planned), None) => ("PLANNED-DURATION", Some(planned)),
            (planned, instant) => ("DURATION", planned.or(instant)),
        };
        if let Some(lasts) = lasts {
            let millis = lasts.as_millis();
            let _ = write!(line, ",{name}={}.{:03}", millis / 1_000, millis % 1_000);
        }
        push_splice(&mut line, cue);
        for (name, value) in &cue.attributes {
            let _ = write!(line, ",{name}=\"{value}\"");
        }
        let lasts = lasts.unwrap_or_default().to_duration();
        let (is_out, returns) = (side == Some(Side::Out), cue.returns_after().is_some());
        let until = |lasts| start.checked_add(lasts).unwrap_or(start);
        let open = splice.filter(|_| is_out).map(|splice| Break {
            event: splice.event,
            again_until: until(cue.said_again_within().min(LONGEST).to_duration()),
        });
        Self {
            id,
            start,
            until: until(if is_out && !returns {
                lasts.max(LONGEST_BREAK)
            } else {
                lasts
            }),
            line,
            open,
            is_splice: splice.is_some(),
        }
    }
}

fn opening(id: &str, start: SystemTime) -> String {
    format!(
        "#EXT-X-DATERANGE:ID=\"{id}\",START-DATE=\"{}\"",
        date(start)
    )
}

/// The SCTE-35 command in hexadecimal (§4.4.5.1.1).
fn push_splice(line: &mut String, cue: &Cue) {
    let Some(splice) = &cue.splice else { return };
    line.push_str(match splice.side {
        Side::Out => ",SCTE35-OUT=0x",
        Side::In => ",SCTE35-IN=0x",
        Side::Cancel | Side::Command => ",SCTE35-CMD=0x",
    });
    for byte in &splice.section {
        let _ = write!(line, "{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use bytes::Bytes;
    use media::{Event, Splice};

    use super::*;

    const BEGUN: u64 = 1_795_392_000;

    fn anchor() -> Anchor {
        Anchor {
            at: MediaTime::from_millis(10_000),
            date: UNIX_EPOCH + Duration::from_secs(BEGUN),
        }
    }

    fn cue(planned_ms: Option<i64>, side: Option<Side>) -> Cue {
        of_event(7, planned_ms, side)
    }

    fn of_event(event: u32, planned_ms: Option<i64>, side: Option<Side>) -> Cue {
        let section = Bytes::from_static(&[0xfc, 0x30, 0x0a]);
        Cue {
            class: side.is_none().then_some("onCuePoint"),
            planned: planned_ms.map(MediaTime::from_millis),
            splice: side.map(|side| Splice {
                side,
                event: Some(event),
                auto_return: false,
                section,
            }),
            attributes: Vec::new(),
        }
    }

    /// `cue` at so many seconds behind the anchor.
    fn add(ranges: &mut DateRanges, seconds: i64, cue: Cue) {
        let event = Event {
            tag: Bytes::new(),
            cues: vec![cue],
        };
        let timed = TimedEvent {
            at: anchor().at + MediaTime::from_millis(seconds * 1_000),
            event: Arc::new(event),
        };
        ranges.add(&[timed], anchor());
    }

    fn text(ranges: &DateRanges) -> String {
        let mut text = String::new();
        ranges.write(&mut text);
        text
    }

    #[test]
    fn whole_tags() {
        let mut ranges = DateRanges::default();
        let mut first = cue(Some(1_500), None);
        first.attributes = vec![
            ("X-NAME".to_owned(), "goal".to_owned()),
            ("X-SCORE".to_owned(), "1:0".to_owned()),
        ];
        let second = cue(None, None);
        let unknown = of_event(9, None, Some(Side::Command));
        for (at, cue) in [
            (-1, first),
            (-1, second),
            (2, cue(Some(30_000), Some(Side::Out))),
            (3, unknown),
            // Again, for who has just come.
            (31, cue(Some(30_000), Some(Side::Out))),
            (40, cue(None, Some(Side::In))),
            (41, cue(None, Some(Side::In))),
            (50, cue(None, Some(Side::Out))),
            (52, cue(None, Some(Side::Cancel))),
        ] {
            add(&mut ranges, at, cue);
        }
        assert_eq!(
            text(&ranges),
            "\
#EXT-X-DATERANGE:ID=\"cue-1795391999000\",START-DATE=\"2026-11-22T23:59:59.000Z\",CLASS=\"onCuePoint\",DURATION=1.500,X-NAME=\"goal\",X-SCORE=\"1:0\"
#EXT-X-DATERANGE:ID=\"cue-1795391999000.1\",START-DATE=\"2026-11-22T23:59:59.000Z\",CLASS=\"onCuePoint\",DURATION=0.000
#EXT-X-DATERANGE:ID=\"splice-00000007-1795392002000\",START-DATE=\"2026-11-23T00:00:02.000Z\",PLANNED-DURATION=30.000,SCTE35-OUT=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-00000009-1795392003000\",START-DATE=\"2026-11-23T00:00:03.000Z\",SCTE35-CMD=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-00000007-1795392002000\",START-DATE=\"2026-11-23T00:00:02.000Z\",END-DATE=\"2026-11-23T00:00:40.000Z\",SCTE35-IN=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-00000007-1795392041000\",START-DATE=\"2026-11-23T00:00:41.000Z\",DURATION=0.000,SCTE35-IN=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-00000007-1795392050000\",START-DATE=\"2026-11-23T00:00:50.000Z\",SCTE35-OUT=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-00000007-1795392050000\",START-DATE=\"2026-11-23T00:00:50.000Z\",END-DATE=\"2026-11-23T00:00:52.000Z\",SCTE35-CMD=0xFC300A
"
        );
    }

    /// Its return was lost with the encoder; the next break has the same number.
    #[test]
    fn a_break_without_an_end_is_over_when_another_of_its_number_begins() {
        let mut ranges = DateRanges::default();
        add(&mut ranges, 0, cue(None, Some(Side::Out)));
        add(&mut ranges, 100, cue(None, Some(Side::Out)));
        add(&mut ranges, 130, cue(None, Some(Side::In)));
        let of = |ranges: &DateRanges| text(ranges).matches("#EXT-X-DATERANGE").count();
        assert_eq!(of(&ranges), 3);
        ranges.forget_before(anchor().date + Duration::from_secs(101));
        assert_eq!(of(&ranges), 2);
        ranges.forget_before(anchor().date + Duration::from_secs(131));
        assert_eq!(of(&ranges), 0);
    }

    #[test]
    fn breaks_that_begin_or_end_together_are_told_apart_by_their_events() {
        let mut ranges = DateRanges::default();
        let both = |side| [of_event(4, None, Some(side)), of_event(5, None, Some(side))];
        for (at, cues) in [(0, both(Side::Out)), (30, both(Side::In))] {
            for cue in cues {
                add(&mut ranges, at, cue);
            }
        }
        let ids = [
            "splice-00000004-1795392000000",
            "splice-00000005-1795392000000",
        ];
        for id in ids {
            assert_eq!(text(&ranges).matches(&format!("ID=\"{id}\"")).count(), 2);
        }
        assert_eq!(text(&ranges).matches("END-DATE").count(), 2);
    }

    #[test]
    fn a_number_that_is_used_again_is_another_break() {
        let mut ranges = DateRanges::default();
        for at in [0, 10, 31, 60, 120] {
            add(&mut ranges, at, cue(Some(12_000), Some(Side::Out)));
        }
        assert_eq!(text(&ranges).matches("SCTE35-OUT").count(), 3);
    }

    /// Which of `cues` are listed when the playlist begins so many seconds behind the anchor.
    fn listed(cues: &[(i64, Cue)], first: u64) -> usize {
        let mut ranges = DateRanges::default();
        for (seconds, cue) in cues {
            add(&mut ranges, *seconds, cue.clone());
        }
        ranges.forget_before(anchor().date + Duration::from_secs(first));
        ranges.0.len()
    }

    #[test]
    fn a_range_is_listed_while_it_reaches_into_the_playlist() {
        let point = [(10, cue(None, None))];
        assert_eq!([9, 10, 11].map(|first| listed(&point, first)), [1, 1, 0]);
        let planned = [(10, cue(Some(5_000), None))];
        assert_eq!([15, 16].map(|first| listed(&planned, first)), [1, 0]);
        let open = (10, cue(None, Some(Side::Out)));
        let overrun = [(10, cue(Some(5_000), Some(Side::Out)))];
        assert_eq!([3_610, 3_611].map(|first| listed(&overrun, first)), [1, 0]);
        let ended = [open.clone(), (40, cue(None, Some(Side::In)))];
        assert_eq!(
            [3_610, 3_611].map(|first| listed(std::slice::from_ref(&open), first)),
            [1, 0]
        );
        assert_eq!([40, 41].map(|first| listed(&ended, first)), [2, 0]);
        let returns = |mut it: Cue| {
            it.splice
                .iter_mut()
                .for_each(|splice| splice.auto_return = true);
            it
        };
        let by_itself = [(10, returns(cue(Some(5_000), Some(Side::Out))))];
        assert_eq!([15, 16].map(|first| listed(&by_itself, first)), [1, 0]);
        let forever = [(10, cue(Some(i64::MAX / 1_000_000), None))];
        assert_eq!(listed(&forever, 86_411), 0);
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        let cues: Vec<_> = (0..100).map(|n| (n, cue(None, None))).collect();
        assert_eq!(listed(&cues, 0), MOST);
    }

    #[test]
    fn no_point_takes_the_place_of_a_splice() {
        let mut ranges = DateRanges::default();
        let point = |n: i64| (n, cue(None, None));
        let begins = (70, cue(None, Some(Side::Out)));
        let ends = (80, cue(None, Some(Side::In)));
        let all = (0..70)
            .map(point)
            .chain([begins])
            .chain((71..79).map(point));
        for (at, cue) in all.chain([ends]) {
            add(&mut ranges, at, cue);
        }
        assert_eq!(ranges.0.len(), MOST);
        let text = text(&ranges);
        assert_eq!(text.matches("ID=\"splice-").count(), 2, "{text}");
        // The two oldest went, for the splices; those behind the 64th never came.
        for (id, is_there) in [(0, false), (1, false), (2, true), (63, true), (64, false)] {
            assert_eq!(
                text.contains(&format!("ID=\"cue-{}000\"", BEGUN + id)),
                is_there,
                "{id}"
            );
        }
    }
}
