//! Where the segments of a rung begin and end, and whether those of another do so at the same times.

use std::fmt;
use std::time::SystemTime;

use media::{Anchor, Arrivals, Grid, MediaTime};

/// So far apart two encoders may put the same picture: they round to milliseconds, and begin to count with the decode
/// time of the first, which reordering moves.
pub(crate) const TOLERANCE: MediaTime = MediaTime::from_millis(100);

/// So far apart the wall clock may be at one media time: a rung arrives over a link of its own.
pub(crate) const CLOCKS_AGREE: MediaTime = MediaTime::from_millis(1_000);

/// So many segments a rung may be behind the newest of all: players keep as many from the edge.
const MAY_LAG: i64 = 3;

/// The boundaries that a window shows, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Boundaries {
    starts: Vec<MediaTime>,
    /// The discontinuity sequence numbers of what begins there.
    numbers: Vec<u64>,
    /// Where the last segment ends, or begins while it is open.
    end: Option<MediaTime>,
    /// How far the media go.
    reached: MediaTime,
    /// How long the whole segments are.
    lasts: Vec<MediaTime>,
    /// When the newest began.
    anchor: Option<Anchor>,
    /// When the media come, where that says something.
    arrivals: Option<Arrivals>,
}

/// One segment of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Its start.
    pub(super) begins: Anchor,
    /// Its discontinuity sequence number.
    pub(super) number: u64,
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
    /// It is named as sound, and has pictures.
    Pictures,
    /// It is sound that has had so many discontinuities, and the pictures beside it another number of them. Players look
    /// for pictures of the same, and wait.
    Discontinuities(u64, u64),
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
            Self::Discontinuities(own, others) => write!(
                f,
                "it has had {own} discontinuities and the pictures {others}, so players could not tell which belong together; \
                 it is offered again when it comes back, or when they have had as many"
            ),
            Self::Pictures => f.write_str(
                "it is named as sound and has pictures; publish sound alone by that name, or pictures by another",
            ),
        }
    }
}

impl FromIterator<Stretch> for Boundaries {
    /// Of the segments, oldest first.
    fn from_iter<T: IntoIterator<Item = Stretch>>(segments: T) -> Self {
        let mut all = Self::default();
        for Stretch {
            begins,
            number,
            lasts,
            is_open,
        } in segments
        {
            all.starts.push(begins.at);
            all.numbers.push(number);
            all.anchor = Some(begins);
            all.reached = begins.at + lasts;
            if is_open {
                all.end = Some(begins.at);
            } else {
                all.end = Some(all.reached);
                all.lasts.push(lasts);
            }
        }
        all
    }
}

impl Boundaries {
    /// The same, of media that come so.
    pub(super) fn arriving(self, arrivals: Option<Arrivals>) -> Self {
        Self { arrivals, ..self }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.end.is_none()
    }

    /// Compares what is newest in both: from the newest start that they share on, nothing may be different up to where
    /// one of them ends.
    pub(super) fn compare(&self, other: &Self) -> Result<(), Misfit> {
        let (Some(anchor), Some(end)) = (self.anchor, self.end) else {
            return Ok(());
        };
        let (Some(other_anchor), Some(other_end)) = (other.anchor, other.end) else {
            return Ok(());
        };
        let behind = other_anchor.behind(&anchor);
        if behind > CLOCKS_AGREE || -behind > CLOCKS_AGREE {
            return Err(Misfit::Clock(behind));
        }
        // Dates are of where a run began: what clocks have run apart by since then is not in them. Who was put where the
        // others are by when it came is up to half a segment off.
        let settled = |it: &Self| it.arrivals.filter(|arrivals| arrivals.is_settled);
        if let (Some(ours), Some(theirs)) = (settled(self), settled(other)) {
            let guessed = i64::from(ours.is_guessed) + i64::from(theirs.is_guessed);
            let off = MediaTime::from_nanos(guessed * (self.step().as_nanos() / 2));
            let most = CLOCKS_AGREE.max(off) + TOLERANCE;
            let behind = theirs.anchor.behind(&ours.anchor);
            if behind > most || -behind > most {
                return Err(Misfit::Clock(behind));
            }
        }
        // A window may end where the next segment begins.
        let ours = || self.starts.iter().copied().chain(self.end);
        let theirs = || other.starts.iter().copied().chain(other.end);
        let until = end.min(other_end);
        let newest = ours()
            .rev()
            .find(|&at| theirs().any(|there| near(at, there)));
        let Some(newest) = newest else {
            return Err(Misfit::KeyFrames(until));
        };
        let lone = |of: &Self, with: &Self| {
            let mut starts = of.starts.iter().copied();
            starts.find(|&at| {
                at > newest + TOLERANCE
                    && at + TOLERANCE < until
                    && !with.starts.iter().any(|&there| near(at, there))
            })
        };
        match lone(self, other).or_else(|| lone(other, self)) {
            Some(at) => Err(Misfit::KeyFrames(at)),
            None => Ok(()),
        }
    }

    /// The discontinuity sequence numbers of both where both have media (rfc8216bis §6.2.4), if they differ.
    pub(super) fn apart_by_discontinuities(&self, other: &Self) -> Option<(u64, u64)> {
        let newest = *self.starts.last()?.min(other.starts.last()?);
        let number = |of: &Self| {
            let at = of
                .starts
                .iter()
                .rposition(|&start| start <= newest + TOLERANCE)?;
            of.numbers.get(at).copied()
        };
        let (ours, theirs) = (number(self)?, number(other)?);
        (ours != theirs).then_some((ours, theirs))
    }

    /// The wall clock at the end of its media.
    pub(super) fn until(&self) -> Option<SystemTime> {
        Some(self.anchor?.date_at(self.reached))
    }

    /// Whether it ends so close before `newest` that players who change to it find what they need.
    pub(super) fn reach(&self, newest: SystemTime) -> bool {
        let reach = MediaTime::from_nanos(self.step().as_nanos().saturating_mul(MAY_LAG));
        // How long segments are is not known with the first.
        let reach = reach.max(CLOCKS_AGREE);
        self.until()
            .is_some_and(|until| until + reach.to_duration() >= newest)
    }

    /// Where boundaries are, if segments go on as long as most are; `None` before the first is whole.
    pub(super) fn grid(&self) -> Option<Grid> {
        let origin = self.anchor.filter(|_| !self.lasts.is_empty())?;
        Some(Grid {
            origin,
            step: self.step(),
            arrival: self.arrivals.map_or(origin, |it| it.anchor),
        })
    }

    /// How long segments are: one in the middle of all that are listed, for the last of an encoder that left is short.
    fn step(&self) -> MediaTime {
        let mut lasts = self.lasts.clone();
        let middle = lasts.len() / 2;
        if lasts.is_empty() {
            return MediaTime::ZERO;
        }
        *lasts.select_nth_unstable(middle).1
    }

    /// The first boundary at `from` or later, if segments go on as long as most are.
    pub(super) fn next_from(&self, from: MediaTime) -> Option<MediaTime> {
        let end = self.end?;
        let mut known = self.starts.iter().copied().chain([end]);
        if let Some(there) = known.find(|&at| at >= from) {
            return Some(there);
        }
        let step = self.step().as_nanos().max(1);
        let behind = (from - end).as_nanos();
        let steps = behind / step + i64::from(behind % step != 0);
        Some(end + MediaTime::from_nanos(steps.saturating_mul(step)))
    }
}

fn near(one: MediaTime, other: MediaTime) -> bool {
    one.max(other) - one.min(other) <= TOLERANCE
}
