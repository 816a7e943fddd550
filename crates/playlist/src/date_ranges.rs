//! Date ranges (EXT-X-DATERANGE, rfc8216bis §4.4.5.1): the cues of a window, listed above its segments for as long as
//! they reach into those.
//!
//! They stand in every form of a playlist whole, delta updates included: CAN-SKIP-DATERANGES is not announced. What does
//! not belong here: what a cue says (the binary reads it out of a message).

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::{Anchor, Cue, MediaTime, Side, TimedEvent};

use crate::media_playlist::date;

/// The most that a playlist lists: an hour of what players act upon. Points are refused beyond that, as what is listed has
/// to stay (§6.2.1); for a splice the oldest point goes, or else the oldest of all.
const MOST: usize = 64;
/// A break whose end nobody has said is listed for so long, whatever was planned: it may last longer (§4.4.5.1).
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
    /// It is a break, of an event with this number, whose end nobody has said.
    open: Option<Option<u32>>,
    is_splice: bool,
}

impl DateRanges {
    /// Takes the cues among `events`, dated by `anchor`.
    pub(crate) fn add(&mut self, events: &[TimedEvent], anchor: Anchor) {
        for timed in events {
            if let Some(cue) = &timed.event.cue {
                self.push(cue, anchor.date_at(timed.at));
            }
        }
    }

    fn push(&mut self, cue: &Cue, at: SystemTime) {
        if self.0.len() >= MOST {
            if cue.splice.is_none() {
                return;
            }
            let point = self.0.iter().position(|range| !range.is_splice);
            self.0.remove(point.unwrap_or(0));
        }
        let range = match &cue.splice {
            Some(splice) if splice.side == Side::In => self.returned(cue, splice.event, at),
            _ => Range::new(cue, at),
        };
        self.0.push(Arc::new(range));
    }

    /// The end of a break, as a second tag for it: the attributes that both have are the same (§4.4.5.1). What began it
    /// may be gone, or was never seen.
    fn returned(&mut self, cue: &Cue, event: Option<u32>, at: SystemTime) -> Range {
        let mut newest = self.0.iter_mut().rev();
        let Some(begun) = newest.find(|range| range.open == Some(event)) else {
            return Range::new(cue, at);
        };
        let end = at.max(begun.start);
        // Both leave the playlist together.
        *begun = Arc::new(Range {
            until: end,
            open: None,
            ..Range::clone(begun)
        });
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
    fn new(cue: &Cue, start: SystemTime) -> Self {
        let mut line = opening(&cue.id, start);
        if let Some(class) = cue.class {
            let _ = write!(line, ",CLASS=\"{class}\"");
        }
        let splice = cue.splice.as_ref();
        let side = splice.map(|splice| splice.side);
        let planned = cue.planned.map(|planned| planned.min(LONGEST));
        // A point is at an instant (§4.4.5.1), and a return ends what nobody here saw begin.
        let instant =
            (side != Some(Side::Out) && side != Some(Side::Command)).then_some(MediaTime::ZERO);
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
        let lasts = match side {
            Some(Side::Out) => lasts.max(LONGEST_BREAK),
            _ => lasts,
        };
        Self {
            id: cue.id.clone(),
            start,
            until: start.checked_add(lasts).unwrap_or(start),
            line,
            open: splice
                .filter(|splice| splice.side == Side::Out)
                .map(|splice| splice.event),
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
        Side::Command => ",SCTE35-CMD=0x",
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

    fn cue(id: &str, planned_ms: Option<i64>, side: Option<Side>) -> Cue {
        let section = Bytes::from_static(&[0xfc, 0x30, 0x0a]);
        Cue {
            id: id.to_owned(),
            class: side.is_none().then_some("onCuePoint"),
            planned: planned_ms.map(MediaTime::from_millis),
            splice: side.map(|side| Splice {
                side,
                event: Some(7),
                section,
            }),
            attributes: Vec::new(),
        }
    }

    /// `cue` at so many seconds behind the anchor.
    fn add(ranges: &mut DateRanges, seconds: i64, cue: Cue) {
        let event = Event {
            tag: Bytes::new(),
            cue: Some(cue),
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
        let mut first = cue("cue-1", Some(1_500), None);
        first.attributes = vec![
            ("X-NAME".to_owned(), "goal".to_owned()),
            ("X-SCORE".to_owned(), "1:0".to_owned()),
        ];
        add(&mut ranges, -1, first);
        add(
            &mut ranges,
            2,
            cue("splice-7-2", Some(30_000), Some(Side::Out)),
        );
        add(&mut ranges, 3, cue("splice-9-3", None, Some(Side::Command)));
        add(&mut ranges, 40, cue("splice-7-4", None, Some(Side::In)));
        add(&mut ranges, 41, cue("splice-7-5", None, Some(Side::In)));
        assert_eq!(
            text(&ranges),
            "\
#EXT-X-DATERANGE:ID=\"cue-1\",START-DATE=\"2026-11-22T23:59:59.000Z\",CLASS=\"onCuePoint\",DURATION=1.500,X-NAME=\"goal\",X-SCORE=\"1:0\"
#EXT-X-DATERANGE:ID=\"splice-7-2\",START-DATE=\"2026-11-23T00:00:02.000Z\",PLANNED-DURATION=30.000,SCTE35-OUT=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-9-3\",START-DATE=\"2026-11-23T00:00:03.000Z\",SCTE35-CMD=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-7-2\",START-DATE=\"2026-11-23T00:00:02.000Z\",END-DATE=\"2026-11-23T00:00:40.000Z\",SCTE35-IN=0xFC300A
#EXT-X-DATERANGE:ID=\"splice-7-5\",START-DATE=\"2026-11-23T00:00:41.000Z\",DURATION=0.000,SCTE35-IN=0xFC300A
"
        );
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
        let point = [(10, cue("a", None, None))];
        assert_eq!([9, 10, 11].map(|first| listed(&point, first)), [1, 1, 0]);
        let planned = [(10, cue("a", Some(5_000), None))];
        assert_eq!([15, 16].map(|first| listed(&planned, first)), [1, 0]);
        let open = (10, cue("a", None, Some(Side::Out)));
        let overrun = [(10, cue("a", Some(5_000), Some(Side::Out)))];
        assert_eq!([3_610, 3_611].map(|first| listed(&overrun, first)), [1, 0]);
        let ended = [open.clone(), (40, cue("b", None, Some(Side::In)))];
        assert_eq!(
            [3_610, 3_611].map(|first| listed(std::slice::from_ref(&open), first)),
            [1, 0]
        );
        assert_eq!([40, 41].map(|first| listed(&ended, first)), [2, 0]);
        let forever = [(10, cue("a", Some(i64::MAX / 1_000_000), None))];
        assert_eq!(listed(&forever, 86_411), 0);
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        let cues: Vec<_> = (0..100)
            .map(|n| (n, cue(&n.to_string(), None, None)))
            .collect();
        assert_eq!(listed(&cues, 0), MOST);
    }

    #[test]
    fn no_point_takes_the_place_of_a_splice() {
        let mut ranges = DateRanges::default();
        let point = |n: i64| (n, cue(&format!("point-{n}"), None, None));
        let begins = (70, cue("break", None, Some(Side::Out)));
        let ends = (80, cue("return", None, Some(Side::In)));
        let all = (0..70)
            .map(point)
            .chain([begins])
            .chain((71..79).map(point));
        for (at, cue) in all.chain([ends]) {
            add(&mut ranges, at, cue);
        }
        assert_eq!(ranges.0.len(), MOST);
        let text = text(&ranges);
        assert_eq!(text.matches("ID=\"break\"").count(), 2, "{text}");
        // The two oldest went, for the splices; those behind the 64th never came.
        for (id, is_there) in [(0, false), (1, false), (2, true), (63, true), (64, false)] {
            assert_eq!(
                text.contains(&format!("ID=\"point-{id}\"")),
                is_there,
                "{id}"
            );
        }
    }
}
