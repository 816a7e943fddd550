//! Where the edge is, and what a blocking reload may ask for (rfc8216bis §6.2.5.2).

use media::{MediaTime, Rendition};

use super::segment::CmafSegment;
use super::window::LowLatencyWindow;

/// What `_HLS_msn` and `_HLS_part` ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Media sequence number.
    pub segment: u64,
    /// Index of a part of it; `None`: all of it.
    pub part: Option<u64>,
}

impl Position {
    /// Of a part of a segment.
    pub const fn of_part(segment: u64, part: u64) -> Self {
        Self {
            segment,
            part: Some(part),
        }
    }
}

/// How a position stands to the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there, or something behind it is.
    There,
    /// It may come soon.
    Coming,
    /// It is so far ahead that whoever asks has lost the thread.
    TooFar,
}

impl LowLatencyWindow {
    /// How `at` stands to the edge of the media. A part behind the last of its segment is the first of the next.
    pub fn standing(&self, at: Position) -> Standing {
        self.standing_among(at, |segment| segment.parts.len())
    }

    /// How `at` stands to the edge of the playlist of `rendition`, which may end before the media do. A gap that its
    /// complete segment does not list is there: whoever waits for it must learn that the segment is complete.
    pub fn standing_in(&self, rendition: Rendition, at: Position) -> Standing {
        self.standing_among(at, |segment| self.listed_parts(segment, rendition))
    }

    fn standing_among(&self, at: Position, parts: impl Fn(&CmafSegment) -> usize) -> Standing {
        if self.is_ended() {
            return Standing::There;
        }
        let parts = |segment: &CmafSegment| parts(segment) as u64;
        let next = self.next_sequence;
        let Some(part) = at.part else {
            return match at.segment {
                there if there < next => Standing::There,
                far if far > next.saturating_add(1) => Standing::TooFar,
                _ => Standing::Coming,
            };
        };
        let (segment, part) = match self.listed().last() {
            Some(last) if last.sequence == at.segment && part >= last.parts.len() as u64 => {
                (next, 0)
            }
            _ => (at.segment, part),
        };
        let open = self.open();
        if segment < next || (segment == next && open.is_some_and(|open| part < parts(open))) {
            return Standing::There;
        }
        let here = match open {
            Some(open) if segment == next => open.parts.len() as u64,
            _ => 0,
        };
        if segment > next.saturating_add(1) || part >= here + self.parts_ahead() {
            Standing::TooFar
        } else {
            Standing::Coming
        }
    }

    /// How many parts of a segment the playlist of `rendition` lists: gaps only with a part behind them, as hls.js 1.7
    /// loads the parts of a segment one behind the other, and a gap that follows on a part ends that with an error from
    /// which its sound never returns. An encoder that is stopped has often sent less sound than picture.
    ///
    /// A complete segment that is all gap lists them: without parts, hls.js goes on with the part behind the next
    /// discontinuity before it knows the picture's times there, and the sound is lost as well.
    pub(super) fn listed_parts(&self, segment: &CmafSegment, rendition: Rendition) -> usize {
        let parts = &segment.parts;
        match parts.iter().rposition(|entry| !entry.is_gap(rendition)) {
            Some(last) => last + 1,
            None if segment.sequence < self.next_sequence => parts.len(),
            None => 0,
        }
    }

    /// The last part that the playlist of `rendition` lists.
    pub(super) fn last_part(&self, rendition: Rendition) -> Option<Position> {
        self.all().rev().find_map(|segment| {
            let last = self.listed_parts(segment, rendition).checked_sub(1)?;
            Some(Position::of_part(segment.sequence, last as u64))
        })
    }

    /// How many parts ahead of the edge may be asked for: what three seconds hold, and three where a part lasts a
    /// second. But never less than a segment has: players that follow segments (hls.js without its low-latency mode)
    /// ask for the part of the next segment that has the number of the last one.
    fn parts_ahead(&self) -> u64 {
        let target = self.part_target().map_or(1, MediaTime::as_nanos).max(1);
        let ahead = self.target.longest_segment().as_nanos().max(3_000_000_000);
        u64::try_from(ahead / target).unwrap_or(3).max(3)
    }
}
