//! Media time: one signed scale for every track and container.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::time::Duration;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A point on a media timeline, or the signed span between two of them, in nanoseconds.
///
/// Nanoseconds hold an RTMP millisecond exactly and an audio sample of any rate closely enough that
/// [`MediaTime::rescale`] gives the exact sample number back. The range is ±292 years.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(i64);

impl MediaTime {
    /// The origin of the timeline, or an empty span.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds, the unit of RTMP timestamps; saturates beyond ±292 years.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The time of `count` ticks of a clock of `rate` Hz (samples of audio, say), to the nearest nanosecond.
    ///
    /// A rate of 0 counts as 1 Hz.
    pub fn from_ticks(count: i64, rate: u32) -> Self {
        let rate = i128::from(rate.max(1));
        Self::saturated(div_round(i128::from(count) * NANOS_PER_SECOND, rate))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds, rounded to the nearest.
    pub fn as_millis(self) -> i64 {
        self.rescale(1_000)
    }

    /// Ticks of a clock of `rate` Hz, rounded to the nearest.
    pub fn rescale(self, rate: u32) -> i64 {
        let ticks = div_round(i128::from(self.0) * i128::from(rate), NANOS_PER_SECOND);
        i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
    }

    /// Seconds, for reports and arithmetic that may be inexact.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a report does not need the last nanosecond"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// As a [`Duration`]; a negative span is an empty one.
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    fn saturated(nanos: i128) -> Self {
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Division rounded to the nearest, halves away from zero; `divisor` is positive.
fn div_round(dividend: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    if dividend < 0 {
        (dividend - half) / divisor
    } else {
        (dividend + half) / divisor
    }
}

impl From<Duration> for MediaTime {
    fn from(span: Duration) -> Self {
        Self(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MediaTime {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl SubAssign for MediaTime {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for MediaTime {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for MediaTime {
    fn sum<I: Iterator<Item = Self>>(spans: I) -> Self {
        spans.fold(Self::ZERO, Add::add)
    }
}

/// Seconds with milliseconds: `-1.500s`.
impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.as_millis();
        let sign = if millis < 0 { "-" } else { "" };
        let millis = millis.unsigned_abs();
        write!(f, "{sign}{}.{:03}s", millis / 1_000, millis % 1_000)
    }
}

impl fmt::Debug for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_millisecond_is_90_ticks_of_the_mpeg_clock() {
        assert_eq!(MediaTime::from_millis(33).rescale(90_000), 2_970);
        assert_eq!(MediaTime::from_millis(-33).rescale(90_000), -2_970);
    }

    #[test]
    fn reads_as_seconds() {
        assert_eq!(MediaTime::from_millis(-1_500).to_string(), "-1.500s");
        assert_eq!(MediaTime::from_millis(61_007).to_string(), "61.007s");
    }

    proptest! {
        #[test]
        fn samples_survive_the_trip_through_nanoseconds(
            count in -(1_i64 << 40)..(1_i64 << 40), rate in 4_000_u32..400_000,
        ) {
            prop_assert_eq!(MediaTime::from_ticks(count, rate).rescale(rate), count);
        }
    }
}
