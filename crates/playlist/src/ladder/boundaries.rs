//! Where the segments of a rung begin and end, and whether those of another do so at the same times.

use std::fmt;
use std::time::{Duration, SystemTime};

use media::{Anchor, Arrivals, Grid, MediaTime};

/// So far apart two encoders may put the same picture: they round to milliseconds, and begin to count with the decode
/// time of the first, which reordering moves.
pub(crate) const TOLERANCE: MediaTime = MediaTime::from_millis(100);

/// So far apart the wall clock may be at one media time: a rung arrives over a link of its own.
pub(crate) const CLOCKS_AGREE: MediaTime = MediaTime::from_millis(1_000);

/// So many segments a rung may be behind the newest of all: players keep as many from the edge.
const MAY_LAG: i64 = 3;

/// Who was once cut elsewhere has to begin so many segments in a row where the others do: two lengths of a GOP come
/// together again and again.
const IN_STEP: usize = 3;

/// The newest segments that a window shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Boundaries {
    /// Oldest first. Those of a run whose clock was ahead of the one behind it are on no clock that counts now, and not
    /// among them, so that they are in the order of their times.
    segments: Vec<Stretch>,
    /// When the media come, where that says something.
    arrivals: Option<Arrivals>,
}

/// One segment of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Its media sequence number.
    pub(super) sequence: u64,
    /// Its start.
    pub(super) begins: Anchor,
    /// Its discontinuity sequence number.
    pub(super) number: u64,
    /// It begins with a key picture.
    pub(super) is_entry: bool,
    /// How long it is so far.
    pub(super) lasts: MediaTime,
    /// Where it will end is not known.
    pub(super) is_open: bool,
}

/// Why two rungs do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The same timestamp comes so much later than from the others; negative: earlier.
    Clock(MediaTime),
    /// A segment begins where none of the other does: no key frame is at the same time.
    KeyFrames(MediaTime),
    /// What it lists ends so much before what the others do.
    Late(MediaTime),
    /// It is named as sound, and has pictures.
    Pictures,
    /// It is sound that has had so many discontinuities, and the pictures beside it another number of them. Players look
    /// for pictures of the same, and wait.
    Discontinuities(u64, u64),
}

impl Misfit {
    /// As the other of two that were compared finds it.
    fn the_other_way(self) -> Self {
        match self {
            Self::Clock(by) => Self::Clock(-by),
            same => same,
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock(by) => {
                let (by, word) = match *by < MediaTime::ZERO {
                    true => (-*by, "ahead of"),
                    false => (*by, "behind"),
                };
                write!(
                    f,
                    "the timestamps of its encoder are {by} {word} those of the others; send all rungs from one encoder"
                )
            }
            Self::KeyFrames(at) => write!(
                f,
                "no key frame at {at}, where the others have one: give all rungs the same key frame interval (ffmpeg: \
                 -force_key_frames 'expr:gte(t,n_forced*2)')"
            ),
            Self::Late(by) => write!(
                f,
                "its media come {by} behind those of the others, too late for who changes over to it: its line or its \
                 encoder holds them up; give it more bit rate to send with, or less to send"
            ),
            Self::Discontinuities(own, others) => write!(
                f,
                "it has had {own} discontinuities and the pictures {others}, so players could not tell which belong together; \
                 it begins anew"
            ),
            Self::Pictures => f.write_str(
                "it is named as sound and has pictures; publish sound alone by that name, or pictures by another",
            ),
        }
    }
}

impl FromIterator<Stretch> for Boundaries {
    /// Of the segments, newest first.
    fn from_iter<T: IntoIterator<Item = Stretch>>(segments: T) -> Self {
        let mut newer = None;
        let goes_on = |it: &Stretch| {
            let at = it.begins.at;
            newer.replace(at).is_none_or(|newer| at <= newer)
        };
        let mut segments: Vec<_> = segments.into_iter().take_while(goes_on).collect();
        segments.reverse();
        Self {
            segments,
            arrivals: None,
        }
    }
}

impl Stretch {
    /// How far its media go.
    fn reached(&self) -> MediaTime {
        self.begins.at + self.lasts
    }

    /// It goes on where something else begins.
    fn covers(&self, at: MediaTime) -> bool {
        self.begins.at + TOLERANCE < at && at + TOLERANCE < self.reached()
    }
}

impl Boundaries {
    /// The same, of media that come so.
    pub(super) fn arriving(self, arrivals: Option<Arrivals>) -> Self {
        Self { arrivals, ..self }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    fn starts(&self) -> impl DoubleEndedIterator<Item = MediaTime> {
        self.segments.iter().map(|it| it.begins.at)
    }

    /// Those that go on from one before them. Where a run begins is when somebody came, not where key frames are.
    fn inner(&self) -> impl DoubleEndedIterator<Item = &Stretch> {
        let pairs = self.segments.iter().zip(self.segments.iter().skip(1));
        let inner = pairs.filter(|(before, it)| before.number == it.number);
        inner.map(|(_, it)| it)
    }

    /// Where the last segment ends, if it is whole: the next may begin there.
    fn end(&self) -> Option<MediaTime> {
        let last = self.segments.last().filter(|last| !last.is_open)?;
        Some(last.reached())
    }

    /// Where segments begin, and the next may.
    fn boundaries(&self) -> impl Iterator<Item = MediaTime> {
        self.starts().chain(self.end())
    }

    /// The media sequence number of what begins about `at`, or would, or goes on there; `None` further off than the next.
    pub(super) fn sequence_at(&self, at: MediaTime) -> Option<u64> {
        let mut newest_first = self.segments.iter().rev();
        let there = newest_first.find(|it| it.begins.at <= at + TOLERANCE)?;
        // What is open goes on, as far as others do.
        let least = if there.is_open {
            self.step()
        } else {
            MediaTime::ZERO
        };
        let behind = at + TOLERANCE - (there.begins.at + there.lasts.max(least));
        let is_next = behind >= MediaTime::ZERO;
        (behind < self.step()).then_some(there.sequence + u64::from(is_next))
    }

    /// Segments of both that begin together have the same number, as far as both list any.
    pub(super) fn numbers_match(&self, other: &Self) -> bool {
        let mut newest_first = other.segments.iter().rev();
        let known =
            newest_first.find_map(|it| Some((self.sequence_at(it.begins.at)?, it.sequence)));
        known.is_none_or(|(own, theirs)| own == theirs)
    }

    /// The segment that goes on up to `at`, or before it, and those that begin about there.
    fn about(&self, at: MediaTime) -> &[Stretch] {
        let begun = |within: MediaTime| {
            let segments = &self.segments;
            segments.partition_point(|it| it.begins.at < at + within)
        };
        let first = begun(-TOLERANCE).saturating_sub(1);
        let all = first..begun(TOLERANCE + MediaTime::from_nanos(1));
        self.segments.get(all).unwrap_or_default()
    }

    /// Something begins there.
    fn has_boundary(&self, at: MediaTime) -> bool {
        let mut starts = self.about(at).iter().map(|it| it.begins.at);
        starts.any(|there| near(at, there)) || self.end().is_some_and(|end| near(at, end))
    }

    /// Compares what both have media of. Where one goes on and the other begins a segment, they are out of step until
    /// they have begun [`IN_STEP`] together.
    pub(super) fn compare(&self, other: &Self) -> Result<(), Misfit> {
        let (Some(last), Some(other_last)) = (self.segments.last(), other.segments.last()) else {
            return Ok(());
        };
        let (anchor, other_anchor) = (last.begins, other_last.begins);
        let behind = other_anchor.behind(&anchor);
        if behind > CLOCKS_AGREE || -behind > CLOCKS_AGREE {
            return Err(Misfit::Clock(behind));
        }
        // Dates are of where a run began: what clocks have run apart by since then is not in them. Who was put where the
        // others are by when it came is up to half a segment off.
        let settled = |it: &Self| it.arrivals.filter(|arrivals| arrivals.is_settled);
        if let (Some(ours), Some(theirs)) = (settled(self), settled(other)) {
            let guessed = i64::from(ours.is_guessed()) + i64::from(theirs.is_guessed());
            let step = self.step().max(other.step());
            let off = MediaTime::from_nanos(guessed * (step.as_nanos() / 2));
            let most = CLOCKS_AGREE.max(off) + TOLERANCE;
            let behind = theirs.anchor.behind(&ours.anchor);
            if behind > most || -behind > most {
                return Err(Misfit::Clock(behind));
            }
        }
        let lone = |of: &Self, with: &Self| {
            let is_lone = |it: &&Stretch| {
                let at = it.begins.at;
                with.about(at).iter().any(|there| {
                    there.covers(at) || it.is_entry && !there.is_entry && near(at, there.begins.at)
                })
            };
            Some(of.inner().rfind(is_lone)?.begins.at)
        };
        let lone = lone(self, other).max(lone(other, self));
        let shared = self
            .boundaries()
            .filter(|&at| lone.is_none_or(|lone| at > lone + TOLERANCE) && other.has_boundary(at));
        match (lone, shared.count()) {
            (None, 0) => Err(Misfit::KeyFrames(last.reached().min(other_last.reached()))),
            (Some(at), ..IN_STEP) => Err(Misfit::KeyFrames(at)),
            _ => Ok(()),
        }
    }

    /// The discontinuity sequence numbers of both where both have media (rfc8216bis §6.2.4), if they differ.
    pub(super) fn apart_by_discontinuities(&self, other: &Self) -> Option<Misfit> {
        let newest = self.starts().last()?.min(other.starts().last()?);
        let number = |of: &Self| {
            let mut newest_first = of.segments.iter().rev();
            let there = newest_first.find(|it| it.begins.at <= newest + TOLERANCE)?;
            Some(there.number)
        };
        let (ours, theirs) = (number(self)?, number(other)?);
        (ours != theirs).then_some(Misfit::Discontinuities(ours, theirs))
    }

    /// The wall clock at the end of its media.
    pub(super) fn until(&self) -> Option<SystemTime> {
        let last = self.segments.last()?;
        Some(last.begins.date_at(last.reached()))
    }

    /// How many segments begin there or later.
    pub(super) fn begun_since(&self, date: SystemTime) -> usize {
        let dates = self.segments.iter().map(|it| it.begins.date);
        dates
            .filter(|begins| *begins + TOLERANCE.to_duration() >= date)
            .count()
    }

    /// So long behind the others players who change to it still find what they need.
    pub(super) fn may_lag(&self) -> Duration {
        let lag = MediaTime::from_nanos(self.step().as_nanos().saturating_mul(MAY_LAG));
        // How long segments are is not known with the first.
        lag.max(CLOCKS_AGREE).to_duration()
    }

    /// By how much it ends too early before `newest` for those.
    pub(super) fn lags(&self, newest: SystemTime) -> Option<Misfit> {
        let by = newest.duration_since(self.until()?).ok()?;
        (by > self.may_lag()).then(|| Misfit::Late(by.into()))
    }

    /// Where boundaries are, if segments go on as long as most are, and whether somebody is about to go on by them; `None`
    /// before the first is whole.
    pub(super) fn grid(&self, is_live: bool) -> Option<Grid> {
        let is_known = self.segments.iter().any(|it| !it.is_open);
        let origin = self.segments.last().filter(|_| is_known)?.begins;
        Some(Grid {
            origin,
            step: self.step(),
            arrival: self.arrivals.map_or(origin, |it| it.anchor),
            is_live,
        })
    }

    /// How long segments are: one in the middle of all that are listed, for the last of an encoder that left is short.
    fn step(&self) -> MediaTime {
        let whole = self.segments.iter().filter(|it| !it.is_open);
        let mut lasts: Vec<_> = whole.map(|it| it.lasts).collect();
        let middle = lasts.len() / 2;
        if lasts.is_empty() {
            return MediaTime::ZERO;
        }
        *lasts.select_nth_unstable(middle).1
    }

    /// The first boundary at `from` or later, if segments go on as long as most are.
    pub(super) fn next_from(&self, from: MediaTime) -> Option<MediaTime> {
        let newest = self.end().or_else(|| self.starts().last())?;
        let mut known = self.starts().chain([newest]);
        if let Some(there) = known.find(|&at| at >= from) {
            return Some(there);
        }
        let step = self.step().as_nanos().max(1);
        let behind = (from - newest).as_nanos();
        let steps = behind / step + i64::from(behind % step != 0);
        Some(newest + MediaTime::from_nanos(steps.saturating_mul(step)))
    }
}

/// How each of `all` finds each. It is the same both ways, so that a pair is compared once.
pub(super) fn compared(all: &[&Boundaries]) -> Vec<Vec<Result<(), Misfit>>> {
    let mut rows: Vec<Vec<_>> = Vec::with_capacity(all.len());
    for (at, one) in all.iter().enumerate() {
        let before = rows.iter().filter_map(|row| row.get(at).copied());
        let before = before.map(|found: Result<(), Misfit>| found.map_err(Misfit::the_other_way));
        let behind = all.iter().skip(at + 1).map(|other| one.compare(other));
        let row = before.chain([Ok(())]).chain(behind).collect();
        rows.push(row);
    }
    rows
}

fn near(one: MediaTime, other: MediaTime) -> bool {
    one.max(other) - one.min(other) <= TOLERANCE
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    /// Segments that last so long each, from `at` on, all in milliseconds; the last is open or not.
    fn boundaries(at: i64, segments: &[(i64, bool)], is_open: bool) -> Boundaries {
        let mut at = MediaTime::from_millis(at);
        let mut number = 0;
        let mut newest_first = Vec::new();
        for (sequence, &(lasts, is_entry)) in (10..).zip(segments) {
            // Any will do that begins a run now and then.
            number += u64::from(lasts % 7 == 0);
            let lasts = MediaTime::from_millis(lasts);
            let date = UNIX_EPOCH + at.to_duration();
            newest_first.insert(
                0,
                Stretch {
                    sequence,
                    begins: Anchor { at, date },
                    number,
                    is_entry,
                    lasts,
                    is_open: false,
                },
            );
            at += lasts;
        }
        if let Some(last) = newest_first.first_mut() {
            last.is_open = is_open;
        }
        newest_first.into_iter().collect()
    }

    /// Media come so late, in milliseconds, and were put where they are by that or not.
    fn arrivals((late, is_guessed): (i64, bool)) -> Arrivals {
        let at = MediaTime::from_millis(10_000);
        let late = MediaTime::from_millis(late);
        Arrivals {
            anchor: Anchor {
                at: at - late,
                date: UNIX_EPOCH + at.to_duration(),
            },
            is_settled: true,
            shift: if is_guessed { -late } else { MediaTime::ZERO },
        }
    }

    fn some() -> impl Strategy<Value = Boundaries> {
        // Of one GOP, of others, and cut anywhere; not so short that two begin where one does.
        let lasts = prop_oneof![Just(1_000), Just(2_000), 1_940..2_060_i64, 250..3_000_i64];
        let segments = prop::collection::vec((lasts, prop::bool::weighted(0.9)), 0..17);
        let at = prop_oneof![Just(10_000), 10_000..20_000_i64];
        let arrival = prop::option::of((-3_000..3_000_i64, prop::bool::ANY));
        let all = (at, segments, prop::bool::ANY, arrival);
        all.prop_map(|(at, segments, is_open, arrival)| {
            boundaries(at, &segments, is_open).arriving(arrival.map(arrivals))
        })
    }

    proptest! {
        #[test]
        fn a_look_about_a_time_finds_all_that_is_there(all in some(), at in 5_000..50_000_i64) {
            let at = MediaTime::from_millis(at);
            let is_there = |it: &&Stretch| it.covers(at) || near(it.begins.at, at);
            let expected = all.segments.iter().filter(is_there).count();
            prop_assert_eq!(all.about(at).iter().filter(is_there).count(), expected);
            prop_assert_eq!(all.has_boundary(at), all.boundaries().any(|it| near(it, at)));
        }

        #[test]
        fn two_find_each_other_alike(one in some(), other in some()) {
            let rows = compared(&[&one, &other]);
            let expected = [vec![Ok(()), one.compare(&other)], vec![other.compare(&one), Ok(())]];
            prop_assert_eq!(rows, expected);
        }
    }

    #[test]
    fn what_was_on_a_clock_that_was_ahead_does_not_count() {
        let [before, behind] = [60_000, 0].map(|at| boundaries(at, &[(2_000, true); 4], false));
        let both = before.segments.iter().chain(&behind.segments);
        let both: Boundaries = both.rev().copied().collect();
        assert!(both.starts().eq(behind.starts()));
    }
}
