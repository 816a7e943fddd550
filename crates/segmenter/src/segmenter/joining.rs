//! How a publish finds its place beside others of the same programme: on the clock of a ladder, or where the publish is
//! that its media come with.
//!
//! What does not belong here: whether it has to (whoever compares the rungs knows).

use std::time::{Duration, SystemTime};

use media::{Anchor, FaultKind, Grid, MediaTime, TrackKind};

use super::Segmenter;
use crate::flv::{Entry, Unit};
use crate::origin::Origin;
use crate::timeline::{RUN_MARGIN, Succession};

/// Timestamps that are so close to the clock of a ladder agree with it: the rest is what links differ by.
const CLOCKS_AGREE: MediaTime = MediaTime::from_millis(1_000);

/// So long a publish that joins a ladder is waited for to send a picture that decoding can begin with.
const FOR_A_PICTURE: Duration = Duration::from_secs(12);

/// Sound that is so far off its pictures is noticed.
const NOTICED: MediaTime = MediaTime::from_millis(150);

/// Key frames so close to a boundary are at it: closer than segments have to begin together.
const THERE: MediaTime = MediaTime::from_millis(50);

/// No more is left out to find a place: one that is further ahead stays where it is.
const MOST_LEFT_OUT: MediaTime = MediaTime::from_millis(12_000);

/// A first segment of sound is not shorter.
const SHORTEST: MediaTime = MediaTime::from_millis(200);

/// What becomes of a unit while its publish joins a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    Goes,
    GivenUp,
}

/// Whether a publish has yet to find its place in its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joins {
    /// It has one, or is in no ladder.
    Settled,
    /// It is put there, unless its timestamps agree with the ladder's clock.
    IfApart,
    /// It is put there whatever its timestamps are: its clock has jumped.
    Anyway,
}

impl Segmenter {
    /// Media go by the clock of a ladder from here on. Where the timestamps that are sent agree with it, they stay as they
    /// are, and only the dates are the ladder's; else the next picture that decoding can begin with is put at the boundary
    /// of the `grid` that is nearest to when it comes. When a picture was taken no clock here says, and encoders differ by
    /// a second or more anyway. Both ways nothing is put before what is out, which ends at `behind`: media are left out up
    /// to a picture that has a place. A publish of sound, which is told by `begins`, begins with that, and anywhere.
    ///
    /// When media come that are going on is told by `arrival`, where it is known: the next of them may be held up.
    pub fn join_ladder(
        &mut self,
        grid: Grid,
        behind: MediaTime,
        begins: TrackKind,
        arrival: Option<Anchor>,
    ) {
        self.ladder = Some(grid);
        self.begins = begins;
        self.joins_behind = behind;
        self.joins = Joins::IfApart;
        self.arrival = arrival;
    }

    /// Its media come beside those of another publish, or are made of them, with timestamps of the same clock: they
    /// belong where `origin` has them, whenever they arrive. To be told again when that has changed; what is behind is put
    /// there with the next picture that decoding can begin with.
    pub fn follow(&mut self, origin: Origin) {
        self.follows = Some(origin);
        self.date_by(origin.clock);
    }

    /// Where the last access unit was put; `None` before the first. A publish whose media come beside this one's follows
    /// it.
    pub const fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// Its units are given up until one has a place in its ladder: what comes beside them has to wait as well.
    pub fn waits(&self) -> bool {
        let is_left_out = self.resumes_at.is_some() || !self.timeline.is_begun();
        self.joining_since.is_some() && is_left_out
    }

    /// A segment that begins there is of a run before the present one: what it has been changed for is done.
    pub fn is_over(&self, begins: MediaTime) -> bool {
        self.timeline.is_over(begins)
    }

    /// How much later than when it came the present run was put, to begin where its ladder has a boundary.
    pub const fn shift(&self) -> MediaTime {
        self.shift
    }

    /// That is as much as viewers notice where sound and pictures of two publishes meet.
    pub fn is_shift_noticed(&self) -> bool {
        self.shift >= NOTICED || -self.shift >= NOTICED
    }

    fn date_by(&mut self, clock: Anchor) {
        self.cutter.date_by(clock);
        if let Some(cutter) = &mut self.low_latency {
            cutter.date_by(clock);
        }
    }

    /// Sees that media are where another publish has them, or a ladder: on its clock, and with random accesses where its
    /// boundaries are. `unit`, sent at `sent_ms`, is given up where it is not the one to begin with.
    pub(super) fn join(&mut self, unit: &Unit, sent_ms: i64, now: SystemTime) -> Joining {
        if let Some(origin) = self.follows {
            return self.join_followed(unit, origin, sent_ms, now);
        }
        let Some(grid) = self.ladder.filter(|_| self.joins != Joins::Settled) else {
            return Joining::Goes;
        };
        let sent = self.timeline.sent(unit);
        let is_known = self.joins == Joins::IfApart
            && self.timeline.is_begun()
            && self.timeline.succession(unit) == Succession::Continues;
        let arrival = self.arrival.filter(|_| is_known);
        let wanted = grid.arriving(arrival.map_or(now, |arrival| arrival.date_at(sent)));
        let apart = sent - wanted;
        let is_near = apart <= CLOCKS_AGREE && -apart <= CLOCKS_AGREE;
        let agrees = is_near && self.joins == Joins::IfApart;
        // What is out, or about to be, ends here by the clock of the ladder.
        let dated = self.cutter.date_at(sent);
        let dated = dated.filter(|_| self.timeline.is_begun());
        let dated = dated.map(|date| grid.origin.media_time(date));
        let goes_on = match dated {
            Some(dated) => dated.max(sent) - dated.min(sent) < NOTICED,
            None => sent >= self.joins_behind,
        };
        let at = if agrees {
            sent
        } else if leads(unit) {
            let composition = MediaTime::from_millis(unit.composition_ms.into());
            let shown = wanted + composition;
            grid.nearest(shown, shown - grid.step) - composition
        } else {
            wanted
        };
        let is_there = agrees || leads(unit) && at - sent < THERE && sent - at < THERE;
        if is_there && goes_on && self.resumes_at.is_none() {
            self.settle();
            self.date_by(grid.origin);
            if !agrees {
                // It has no better place than where it is.
                self.shift = at - wanted;
                if grid.is_live {
                    self.tell_shift();
                }
            }
            if !self.timeline.is_begun() {
                self.end_first_at_boundary(&grid, sent);
            }
            return Joining::Goes;
        }
        let since = *self.joining_since.get_or_insert(now);
        let waited = now.duration_since(since).unwrap_or_default();
        if !self.begins_with(unit) && waited < FOR_A_PICTURE {
            return match dated.is_some() && self.resumes_at.is_none() {
                true => Joining::Goes,
                false => Joining::GivenUp,
            };
        }
        let resumes_at = match self.resumes_at {
            Some(at) => at,
            None if dated.is_some() && !self.begins_with(unit) && self.cutter.has_pictures() => {
                // Elsewhere none of its pictures could be decoded before a key frame that may never come.
                self.settle();
                return Joining::Goes;
            }
            None => {
                let reached = dated.map_or(MediaTime::ZERO, |dated| dated.max(sent));
                let behind = reached.max(self.joins_behind);
                if behind > wanted + MOST_LEFT_OUT {
                    self.settle();
                    return Joining::Goes;
                }
                self.finish();
                let edge = self.edge().map(|edge| edge + RUN_MARGIN);
                *self
                    .resumes_at
                    .insert(edge.map_or(behind, |edge| edge.max(behind)))
            }
        };
        if at < resumes_at && waited < FOR_A_PICTURE + MOST_LEFT_OUT.to_duration() {
            return Joining::GivenUp;
        }
        self.settle();
        let at = at.max(resumes_at);
        self.shift = if agrees { MediaTime::ZERO } else { at - wanted };
        if grid.is_live {
            self.tell_shift();
        }
        self.date_by(grid.origin);
        self.timeline.begin_run(unit, self.edge(), Some(at));
        self.end_first_at_boundary(&grid, at);
        Joining::Goes
    }

    /// The segment that begins at `at` ends where those of its ladder do: it may be sound, which has no key frames that
    /// would have it cut there, or begin between two boundaries.
    fn end_first_at_boundary(&mut self, grid: &Grid, at: MediaTime) {
        let next = grid.nearest(at, at + SHORTEST);
        if self.begins == TrackKind::Audio || next - at < self.settings.segment_target {
            self.begin_next_at(next);
        }
    }

    /// A publish that joins a ladder can begin there with `unit`.
    fn begins_with(&self, unit: &Unit) -> bool {
        match self.begins {
            TrackKind::Video => leads(unit),
            TrackKind::Audio => true,
        }
    }

    /// Media that arrived at one time were put at another, beside those of others.
    fn tell_shift(&mut self) {
        let (apart, word) = match self.shift < MediaTime::ZERO {
            true => (-self.shift, "before"),
            false => (self.shift, "behind"),
        };
        if self.is_shift_noticed() {
            let text = format!(
                "its timestamps are not those of the other rungs; its first key frame was put where theirs is, {apart} \
                 {word} when it arrived, and sound that is shared with them may be as far off"
            );
            self.out.fault(FaultKind::LadderClock, text);
        }
    }

    const fn settle(&mut self) {
        self.joins = Joins::Settled;
        self.joining_since = None;
        self.resumes_at = None;
    }

    /// Begins a run with `unit` where the publish is that it follows, if that is elsewhere and it can: with a run of that
    /// wherever it is, else further on. What has no place there behind what is out is left out, up to a picture that
    /// decoding can begin with, if one comes in time.
    fn join_followed(
        &mut self,
        unit: &Unit,
        origin: Origin,
        sent_ms: i64,
        now: SystemTime,
    ) -> Joining {
        let wanted = origin.media_time(sent_ms);
        let begun = self.timeline.is_begun();
        let begins = !begun || leads(unit) || !self.cutter.has_pictures();
        if self.resumes_at.is_none() {
            let behind = wanted - self.timeline.sent(unit);
            if behind.as_millis() == 0 {
                self.followed = Some(origin.run);
                return Joining::Goes;
            }
            let is_put_elsewhere = self.followed != Some(origin.run) || behind >= RUN_MARGIN;
            if begun && !(begins && is_put_elsewhere) {
                return Joining::Goes;
            }
            self.finish();
        }
        let edge = self.edge();
        let is_out = |edge| wanted < edge && edge - wanted <= MOST_LEFT_OUT;
        let since = *self.joining_since.get_or_insert(now);
        let is_late = now.duration_since(since).unwrap_or_default() >= FOR_A_PICTURE;
        if !(begins || is_late) || edge.is_some_and(is_out) {
            self.resumes_at = edge.or(Some(wanted));
            return Joining::GivenUp;
        }
        self.resumes_at = None;
        self.joining_since = None;
        self.followed = Some(origin.run);
        self.timeline.begin_run(unit, edge, Some(wanted));
        Joining::Goes
    }
}

/// Decoding can begin with it, and it is a picture.
fn leads(unit: &Unit) -> bool {
    unit.kind() == TrackKind::Video && unit.entry != Entry::None
}
