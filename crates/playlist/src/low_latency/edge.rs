//! Where the edge is, and what a blocking reload may ask for (rfc8216bis §6.2.5.2).

use media::MediaTime;

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
    /// It is listed, or something behind it is, or it was a gap that its complete segment does not list.
    Listed,
    /// It may come soon.
    Coming,
    /// It is so far ahead that whoever asks has lost the thread.
    TooFar,
}

impl LowLatencyWindow {
    /// How `at` stands to the edge. A part behind the last of its segment is the first of the next.
    pub fn standing(&self, at: Position) -> Standing {
        if self.is_ended() {
            return Standing::Listed;
        }
        let next = self.next_sequence;
        let open_parts = self.open().map_or(0, |open| open.parts.len() as u64);
        let Some(part) = at.part else {
            return match at.segment {
                listed if listed < next => Standing::Listed,
                far if far > next.saturating_add(1) => Standing::TooFar,
                _ => Standing::Coming,
            };
        };
        let last = self.listed().last();
        let (segment, part) = match last {
            Some(last) if last.sequence == at.segment && part >= last.parts.len() as u64 => {
                (next, 0)
            }
            _ => (at.segment, part),
        };
        if segment < next || (segment == next && part < open_parts) {
            return Standing::Listed;
        }
        let here = if segment == next { open_parts } else { 0 };
        if segment > next.saturating_add(1) || part >= here + self.parts_ahead() {
            Standing::TooFar
        } else {
            Standing::Coming
        }
    }

    /// How many parts ahead of the edge may be asked for: what three seconds hold, and three where a part lasts a
    /// second.
    fn parts_ahead(&self) -> u64 {
        let target = self.part_target().map_or(1, MediaTime::as_nanos).max(1);
        u64::try_from(3_000_000_000 / target).unwrap_or(3).max(3)
    }
}
