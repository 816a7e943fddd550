//! Audio time from the number of samples, tied to the sender's timestamps.
//!
//! RTMP timestamps are rounded or cut to milliseconds and some encoders let them jitter by ten;
//! players hear what a segment's audio does with that. So units stand on a grid of exact sample counts,
//! and only what lasts moves the grid: a clock that drifts against the sound card's is followed in
//! steps too small to hear, a gap at once, or, if it is so small that a single timestamp may be wrong, once it has lasted.

use media::MediaTime;

/// From here on timestamps and samples disagree because sound is missing or doubled.
const RESYNC: MediaTime = MediaTime::from_millis(100);
/// From here on they may: pictures and sounds are to be no further apart than they were sent.
const STEADY_FROM: MediaTime = MediaTime::from_millis(20);
/// It is so if so many units in a row say it: 171 ms of AAC at 48 kHz.
const STEADY_UNITS: i64 = 8;
/// A mean error that rounding and jitter do not reach; the grid begins to follow.
const FOLLOW_FROM: MediaTime = MediaTime::from_millis(6);
/// The mean error at which it stops again.
const FOLLOW_UNTIL: MediaTime = MediaTime::from_millis(1);
/// Beyond this mean error it follows fast.
const FOLLOW_FAST_FROM: MediaTime = MediaTime::from_millis(10);
/// The mean runs over about so many units: 1.4 s of AAC at 48 kHz.
const MEAN_UNITS: i64 = 64;
/// A unit's length changes by at most one part in so many: 1 ms in a second, four times the drift of a
/// bad sound card (1 s in an hour).
const SLOWEST: i64 = 1_000;
/// The same when following fast: 20 ms in a second.
const FASTEST: i64 = 50;

/// The grid of one audio configuration.
#[derive(Debug)]
pub(super) struct Grid {
    anchor: MediaTime,
    /// Samples since the anchor: times are counted from it, so that no rounding accumulates.
    samples: i64,
    rate: u32,
    mean_error: MediaTime,
    following: bool,
    steady: Steady,
}

/// Units in a row whose timestamps are all too early, or all too late.
#[derive(Clone, Copy, Debug)]
struct Steady {
    units: i64,
    sum: MediaTime,
}

impl Steady {
    const NONE: Self = Self {
        units: 0,
        sum: MediaTime::ZERO,
    };

    /// Takes the error of one more unit.
    fn add(&mut self, error: MediaTime) {
        if error.abs() < STEADY_FROM || (error < MediaTime::ZERO) != (self.sum < MediaTime::ZERO) {
            *self = Self::NONE;
        }
        if error.abs() >= STEADY_FROM {
            self.units += 1;
            self.sum += error;
        }
    }

    /// By how much they are off, once there are enough of them.
    fn offset(&self) -> Option<MediaTime> {
        (self.units >= STEADY_UNITS).then(|| fraction(self.sum, self.units))
    }
}

impl Grid {
    pub(super) const fn new(anchor: MediaTime, rate: u32) -> Self {
        Self {
            anchor,
            samples: 0,
            rate,
            mean_error: MediaTime::ZERO,
            following: false,
            steady: Steady::NONE,
        }
    }

    pub(super) const fn rate(&self) -> u32 {
        self.rate
    }

    /// The time of the next unit, of `samples`, which the sender dates `sent`; with it by how much the
    /// grid was moved, if it had to be resynchronised.
    pub(super) fn place(
        &mut self,
        sent: MediaTime,
        samples: u32,
    ) -> (MediaTime, Option<MediaTime>) {
        let error = sent - self.next();
        self.steady.add(error);
        let moved = if error.abs() >= RESYNC {
            Some(error)
        } else {
            self.steady.offset()
        };
        if let Some(by) = moved {
            let at = self.next() + by;
            *self = Self::new(at, self.rate);
            self.samples = i64::from(samples);
            return (at, Some(by));
        }
        // A unit that may turn out to stand behind a gap draws nothing: what is no gap is to be no stretch either.
        if self.steady.units == 0 {
            self.mean_error += fraction(error - self.mean_error, MEAN_UNITS);
        }
        self.follow(MediaTime::from_ticks(i64::from(samples), self.rate));
        let at = self.next();
        self.samples += i64::from(samples);
        (at, None)
    }

    fn next(&self) -> MediaTime {
        self.anchor + MediaTime::from_ticks(self.samples, self.rate)
    }

    fn follow(&mut self, unit: MediaTime) {
        let size = self.mean_error.abs();
        self.following = size
            >= if self.following {
                FOLLOW_UNTIL
            } else {
                FOLLOW_FROM
            };
        if !self.following {
            return;
        }
        let pace = if size >= FOLLOW_FAST_FROM {
            FASTEST
        } else {
            SLOWEST
        };
        let most = fraction(unit, pace);
        let step = fraction(self.mean_error, MEAN_UNITS).clamp(-most, most);
        self.anchor += step;
        self.mean_error -= step;
    }
}

const fn fraction(span: MediaTime, of: i64) -> MediaTime {
    MediaTime::from_nanos(span.as_nanos() / of)
}
