//! Parts of the open segment: which units are out already, where the next part ends, how long parts are.
//!
//! A part that is out is never taken back, so a cutter that makes parts cuts only behind them. What does not belong
//! here: where segments are cut.

use media::{Head, MediaTime, Part, Sizes, TrackKind};

use super::open::{At, Open};
use super::{Arrival, SHORTEST};

/// How much of the part target parts of the first cadence are, in percent: between the 85 that a part has at least
/// (rfc8216bis §4.4.4.9) and all of it, with room for jitter on both sides.
const AIM_PERCENT: i64 = 92;
/// Timestamps of RTMP are rounded to this: the next unit may end so much later than those before it let expect.
const ROUNDING: MediaTime = MediaTime::from_millis(1);

/// The parts of one publish.
#[derive(Debug)]
pub(super) struct Parts {
    /// Length aimed at.
    wanted: MediaTime,
    /// No part is longer: fixed with the first.
    target: Option<MediaTime>,
    /// Where the next part starts.
    start: MediaTime,
    /// The last segment had audio in its parts.
    had_audio: bool,
    has_audio: bool,
}

impl Parts {
    pub(super) const fn new(wanted: MediaTime) -> Self {
        Self {
            wanted,
            target: None,
            start: MediaTime::ZERO,
            had_audio: false,
            has_audio: false,
        }
    }

    /// The playlist has fixed its part target.
    pub(super) const fn fix_target(&mut self, target: MediaTime) {
        self.target = Some(target);
    }

    /// A segment begins.
    pub(super) const fn begin(&mut self, start: MediaTime) {
        self.start = start;
        self.had_audio = self.has_audio;
        self.has_audio = false;
    }

    /// The segment of which no part is out begins at `start` after all.
    pub(super) const fn begin_earlier(&mut self, start: MediaTime) {
        self.start = start;
    }

    /// The last segment had audio in its parts.
    pub(super) const fn had_audio(&self) -> bool {
        self.had_audio
    }

    /// Where the part under way ends, if it has to end before `unit`, which leads and is about to be appended.
    pub(super) fn due(&mut self, open: &Open, unit: &Arrival) -> Option<At> {
        let count = i64::try_from(open.leading_behind_fixed()).ok()?;
        let end = open.start + (unit.dts - open.first_dts()?);
        let span = end - self.start;
        if count == 0 || span <= MediaTime::ZERO {
            return None;
        }
        let lasting = MediaTime::from_nanos(span.as_nanos() / count);
        let due = match self.target {
            Some(target) => span + lasting + ROUNDING > target,
            None => {
                // As many units as come closest to the length aimed at, and at least one.
                let fit = self.wanted + MediaTime::from_nanos(lasting.as_nanos() / 2);
                count >= (fit.as_nanos() / lasting.as_nanos().max(1)).max(1)
            }
        };
        due.then(|| At {
            index: open.len(),
            start: end,
            random_access: unit.random_access(),
        })
    }

    /// Where a segment begins that is to begin at `wanted` with unit number `index` of `open`: where the last part
    /// ends, if all before it is out, and else later, as what is not out becomes a part.
    pub(super) fn beginning(&self, open: &Open, index: usize, wanted: MediaTime) -> MediaTime {
        if index > open.fixed() {
            wanted.max(self.start + SHORTEST)
        } else {
            self.start
        }
    }

    /// The last place at which a segment can be cut without a random access: the end of the last part that is out, in
    /// decode order. Players of CMAF do not mind pictures that are shown across it.
    pub(super) fn last_end(&self, open: &Open) -> Option<At> {
        (self.start > open.start).then(|| At {
            index: open.fixed(),
            start: self.start,
            random_access: open.begins_with_random_access(open.fixed()),
        })
    }

    /// The units up to `end` become a part, if there are any.
    pub(super) fn take(
        &mut self,
        open: &mut Open,
        end: At,
        next_dts: Option<MediaTime>,
        head: Option<Head>,
    ) -> Option<Part> {
        let units = open.fix(end.index);
        if units.is_empty() {
            return None;
        }
        let duration = (end.start - self.start).max(SHORTEST);
        let target = || {
            let millis = duration.as_nanos() * 100 / AIM_PERCENT / 1_000_000 + 1;
            MediaTime::from_millis(millis)
        };
        let target = *self.target.get_or_insert_with(target);
        let audio = open.leading == TrackKind::Audio || units.iter().any(|unit| unit.track != 0);
        self.has_audio |= audio;
        let part = Part {
            head,
            independent: units
                .iter()
                .any(|unit| unit.track == 0 && unit.random_access),
            units,
            start: self.start,
            duration,
            next_dts,
            is_last: false,
            target,
            sizes: Sizes::default(),
        };
        self.start = end.start;
        Some(part)
    }
}
