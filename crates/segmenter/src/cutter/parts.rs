//! Parts of the open segment: which units are out already, where the next part ends, how long parts are.
//!
//! A part that is out is never taken back, so a cutter that makes parts cuts only behind them. What does not belong
//! here: where segments are cut.

use media::{Captions, Head, MediaTime, Part, Sizes, TrackKind};

use super::cadence::Meter;
use super::open::{At, Open};
use super::{Arrival, Cutter, Next, SHORTEST};
use crate::output::Outputs;
use crate::{captions, cmaf};

/// How much of the part target parts of the first cadence are, in percent: between the 85 that a part has at least
/// (rfc8216bis §4.4.4.9) and all of it, with room for jitter on both sides.
const AIM_PERCENT: i64 = 92;
/// A part has at least so much of the part target. One distance between two units says little of those to come: alone
/// it makes no target of which the parts aimed at would be less.
const LEAST_PERCENT: i64 = 85;
/// Timestamps of RTMP are rounded to this: the next unit may end so much later than those before it let expect.
const ROUNDING: MediaTime = MediaTime::from_millis(1);

/// The parts of one publish.
#[derive(Debug)]
pub(super) struct Parts {
    /// Length aimed at.
    wanted: MediaTime,
    /// No target is longer.
    most: MediaTime,
    /// How long parts are: fixed with the first.
    target: Option<MediaTime>,
    /// Until then.
    onset: Onset,
    /// Where the next part starts.
    start: MediaTime,
    /// The last part of the open segment is out.
    is_complete: bool,
    /// The last segment had audio in its parts.
    had_audio: bool,
    has_audio: bool,
}

impl Parts {
    /// Of about `wanted`, in segments of about `most`.
    pub(super) const fn new(wanted: MediaTime, most: MediaTime) -> Self {
        Self {
            wanted,
            most,
            target: None,
            onset: Onset::new(),
            start: MediaTime::ZERO,
            is_complete: false,
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
        self.is_complete = false;
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

    /// Fixes the target when the units before `unit`, which leads, show the cadence; whether it does so now.
    fn settle(&mut self, open: &Open, unit: &Arrival) -> bool {
        let (None, Some(last)) = (self.target, open.last_dts()) else {
            return false;
        };
        self.onset.add(unit.dts - last);
        let Some(lasting) = self.onset.lasting() else {
            return false;
        };
        let span = Self::end_before(open, unit).unwrap_or(self.start) - self.start;
        let count = open.leading_behind_fixed();
        let enough = span >= self.wanted
            || i64::try_from(count).is_ok_and(|count| count >= units_in(self.wanted, lasting));
        if enough {
            self.target = Some(self.target_of(lasting));
        }
        enough
    }

    /// Where the first part ends of what came until the cadence showed, if that is more than fits in one.
    fn held_back(&self, open: &Open, unit: &Arrival) -> Option<At> {
        let target = self.target?;
        if Self::end_before(open, unit)? - self.start <= target {
            return None;
        }
        let first = open.first_dts()?;
        let ends = open.leading_places().map(|at| At {
            start: open.start + (at.start - first),
            ..at
        });
        let mut ends = ends.filter(|at| at.start - self.start >= SHORTEST);
        let shortest = ends.next()?;
        let fit = ends.take_while(|at| at.start - self.start <= target);
        Some(fit.last().unwrap_or(shortest))
    }

    /// Where the units before `unit`, which leads, end.
    fn end_before(open: &Open, unit: &Arrival) -> Option<MediaTime> {
        Some(open.start + (unit.dts - open.first_dts()?))
    }

    /// The target for units that last `lasting`: parts are of as many as come closest to the length aimed at.
    fn target_of(&self, lasting: MediaTime) -> MediaTime {
        filled_by(units_in(self.wanted, lasting), lasting).min(self.most)
    }

    /// The target where a segment ends before the cadence shows. One distance has to do: as many units as it says, or
    /// one less, where more would make parts of the length aimed at too short for the target.
    fn target_without_cadence(&self) -> MediaTime {
        if let Some(lasting) = self.onset.lasting() {
            return self.target_of(lasting);
        }
        let most = percent(self.wanted, LEAST_PERCENT).min(self.most);
        let [_, only] = self.onset.recent;
        let fitting = only.and_then(|lasting| {
            let count = units_in(self.wanted, lasting);
            let counts = [count, count - 1].into_iter().filter(|&count| count > 0);
            let mut targets = counts.map(|count| filled_by(count, lasting));
            targets.find(|&target| target <= most)
        });
        fitting.unwrap_or(most)
    }

    /// Where the part under way ends, if it has to end before `unit`, which leads and is about to be appended.
    pub(super) fn due(&self, open: &Open, unit: &Arrival) -> Option<At> {
        let target = self.target?;
        let count = i64::try_from(open.leading_behind_fixed()).ok()?;
        let end = Self::end_before(open, unit)?;
        let span = end - self.start;
        if count == 0 || span <= MediaTime::ZERO {
            return None;
        }
        let lasting = MediaTime::from_nanos(span.as_nanos() / count);
        (span + lasting + ROUNDING > target).then(|| At {
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
        let target = self.target.unwrap_or_else(|| self.target_without_cadence());
        self.target = Some(target);
        let audio = open.leading == TrackKind::Audio || units.iter().any(|unit| unit.track != 0);
        self.has_audio |= audio;
        let part = Part {
            head,
            independent: units
                .iter()
                .any(|unit| unit.track == 0 && unit.random_access),
            units,
            events: Vec::new(),
            start: self.start,
            duration,
            next_dts,
            is_last: false,
            target,
            captions: Captions::NONE,
            sizes: Sizes::default(),
        };
        self.start = end.start;
        Some(part)
    }
}

/// The first units of a publish. The distance of the first two is often an odd one, as encoders start slowly.
#[derive(Debug)]
struct Onset {
    count: u32,
    /// The first distance, and all behind it together.
    first: MediaTime,
    rest: MediaTime,
    /// The last two distances, but for those of units that the timeline has moved.
    recent: [Option<MediaTime>; 2],
}

impl Onset {
    const fn new() -> Self {
        Self {
            count: 0,
            first: MediaTime::ZERO,
            rest: MediaTime::ZERO,
            recent: [None; 2],
        }
    }

    fn add(&mut self, gap: MediaTime) {
        if self.count == 0 {
            self.first = gap;
        } else {
            self.rest += gap;
        }
        self.count = self.count.saturating_add(1);
        // Closer than senders can say, a unit has been moved there by the timeline.
        if gap >= ROUNDING {
            let [_, before] = self.recent;
            self.recent = [before, Some(gap)];
        }
    }

    /// How long a unit lasts: what two distances agree on, or the shorter of two that do not if a third has not helped,
    /// so that no pause counts.
    fn lasting(&self) -> Option<MediaTime> {
        let [Some(before), Some(last)] = self.recent else {
            return None;
        };
        let shorter = before.min(last);
        if !alike(before.max(last), shorter) && self.count < 3 {
            return None;
        }
        let mean = self.rest.as_nanos() / i64::from(self.count).saturating_sub(1).max(1);
        let mean = MediaTime::from_nanos(mean);
        Some(if alike(mean, shorter) { mean } else { shorter })
    }
}

/// As alike as the distances of a steady cadence are.
fn alike(one: MediaTime, other: MediaTime) -> bool {
    let apart = one.max(other) - one.min(other);
    apart <= ROUNDING + MediaTime::from_nanos(other.as_nanos() / 4)
}

/// How many units come closest to `wanted`, one at least, if each lasts `lasting`.
fn units_in(wanted: MediaTime, lasting: MediaTime) -> i64 {
    let fit = wanted.as_nanos() + lasting.as_nanos() / 2;
    (fit / lasting.as_nanos().max(1)).max(1)
}

/// The target of which `count` units that last `lasting` are what parts of a known cadence are.
fn filled_by(count: i64, lasting: MediaTime) -> MediaTime {
    let aim = MediaTime::from_nanos(lasting.as_nanos().saturating_mul(count));
    percent(aim, AIM_PERCENT)
}

/// Of what `duration` is so many percent, in whole milliseconds, none of them cut off.
fn percent(duration: MediaTime, percent: i64) -> MediaTime {
    MediaTime::from_millis(duration.as_nanos() * 100 / percent / 1_000_000 + 1)
}

impl Cutter {
    /// Fixes the part target as soon as the cadence shows, before `unit`, and makes parts of what came until then.
    pub(super) fn settle_parts(&mut self, unit: &Arrival, out: &mut Outputs) {
        let (Some(parts), Some(open)) = (&mut self.parts, &self.open) else {
            return;
        };
        if !parts.settle(open, unit) {
            return;
        }
        while let Some(parts) = &self.parts
            && let Some(open) = &self.open
            && let Some(end) = parts.held_back(open, unit)
            && let Some(mut open) = self.open.take()
        {
            let next_dts = open.leading_dts_from(end.index);
            if let Some(part) = self.part(&mut open, end, next_dts) {
                out.part(part);
            }
            self.open = Some(open);
        }
    }

    /// Ends the part under way if it has to end before `unit`, and the segment with it if nothing more fits in that: a
    /// part that is hinted at and never comes is a request that waits in vain.
    pub(super) fn end_part(&mut self, unit: &Arrival, out: &mut Outputs) {
        let (Some(parts), Some(open)) = (&self.parts, &self.open) else {
            return;
        };
        let Some(end) = parts
            .due(open, unit)
            .filter(|_| unit.kind() == open.leading)
        else {
            return;
        };
        let is_last = !unit.random_access() && self.full_at(open, end.start);
        let Some(mut open) = self.open.take() else {
            return;
        };
        if let Some(part) = self.part(&mut open, end, Some(unit.dts)) {
            out.part(Part { is_last, ..part });
        }
        self.open = Some(open);
        if let Some(parts) = self.parts.as_mut().filter(|_| is_last) {
            parts.is_complete = true;
            let next = Next {
                start: end.start,
                ..Next::before(unit)
            };
            self.cut(end.index, next, out);
        }
    }

    /// Whether one more part behind `end` would be more than the longest segment, and no random access comes in time.
    fn full_at(&self, open: &Open, end: MediaTime) -> bool {
        let limit = open.start + self.longest;
        let target = self.parts.as_ref().and_then(|parts| parts.target);
        let meter = self.meters.of(open.leading).as_ref();
        let expected = meter.and_then(Meter::next_gop_start);
        end <= limit
            && target.is_some_and(|target| end + target > limit)
            && !expected.is_some_and(|at| end <= at && at <= limit)
    }

    /// What is not out yet of `open` becomes its last part; nothing that is out lasts beyond the segment.
    pub(super) fn close_parts(
        &mut self,
        mut open: Open,
        duration: MediaTime,
        next_dts: Option<MediaTime>,
        out: &mut Outputs,
    ) {
        let Some(parts) = &self.parts else { return };
        let end = At {
            index: open.len(),
            start: parts.beginning(&open, open.len(), open.start + duration),
            random_access: false,
        };
        let is_complete = parts.is_complete;
        match self.part(&mut open, end, next_dts) {
            Some(part) => out.part(Part {
                is_last: true,
                ..part
            }),
            None if is_complete => {}
            None => out.closed(),
        }
        self.closing.end(end.start);
    }

    /// The units of `open` up to `end` become a part.
    pub(super) fn part(
        &mut self,
        open: &mut Open,
        end: At,
        next_dts: Option<MediaTime>,
    ) -> Option<Part> {
        let parts = self.parts.as_mut()?;
        let head = (open.fixed() == 0).then(|| self.closing.head(open, parts.had_audio()));
        let mut part = Part {
            events: self.events.take(end.start),
            ..parts.take(open, end, next_dts, head)?
        };
        let tracks = self.closing.tracks();
        if tracks.is_empty() {
            // Nothing of its segment is carried.
            return None;
        }
        if self.closing.leaves_out_pictures() {
            part.units = self.closing.carried(part.units);
            part.independent = true;
            part.next_dts = None;
            part.events = Vec::new();
        }
        Some(Part {
            captions: captions::in_units(tracks, &part.units),
            sizes: cmaf::sizes(&part, tracks),
            ..part
        })
    }
}
