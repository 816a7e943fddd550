//! When a media time was, by the wall clock.

use std::time::SystemTime;

use crate::MediaTime;

/// A media time and the wall clock at it: both go on equally fast from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The media time.
    pub at: MediaTime,
    /// The wall clock.
    pub date: SystemTime,
}

impl Anchor {
    /// The wall clock at another media time; that of the anchor where no clock could say it.
    pub fn date_at(&self, at: MediaTime) -> SystemTime {
        let by = (at - self.at).to_duration();
        let back = (self.at - at).to_duration();
        let date = self.date.checked_add(by);
        date.and_then(|date| date.checked_sub(back))
            .unwrap_or(self.date)
    }

    /// The media time at another moment of the wall clock.
    pub fn media_time(&self, date: SystemTime) -> MediaTime {
        match date.duration_since(self.date) {
            Ok(since) => self.at + MediaTime::from(since),
            Err(before) => self.at - MediaTime::from(before.duration()),
        }
    }

    /// By how much its dates are later than those of another; negative where they are earlier.
    pub fn behind(&self, other: &Self) -> MediaTime {
        other.media_time(self.date) - self.at
    }
}

/// When the media of a publish come, if nothing holds them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// A media time, and when it came by the wall clock.
    pub anchor: Anchor,
    /// Measured for so long that what held them up at first is not in it.
    pub is_settled: bool,
    /// So much later than they come the media were put, where that is by when they came: their timestamps are not those of
    /// the others.
    pub shift: MediaTime,
}

impl Arrivals {
    /// Where the media are was guessed from when they came.
    pub fn is_guessed(&self) -> bool {
        self.shift != MediaTime::ZERO
    }
}

/// Boundaries at equal distances, one of them dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// A boundary.
    pub origin: Anchor,
    /// From one to the next; nothing is a grid without one.
    pub step: MediaTime,
    /// When media come. Not as dated: an encoder's clock may have run away since.
    pub arrival: Anchor,
    /// Somebody goes on by it; else those who did have left.
    pub is_live: bool,
}

impl Grid {
    /// The media time that comes at that moment of the wall clock.
    pub fn arriving(&self, now: SystemTime) -> MediaTime {
        self.arrival.media_time(now)
    }

    /// The boundary that is nearest to `at`, but for those before `least`.
    pub fn nearest(&self, at: MediaTime, least: MediaTime) -> MediaTime {
        let step = self.step.as_nanos().max(1);
        let from = |at: MediaTime| (at - self.origin.at).as_nanos();
        let nearest = from(at).saturating_add(step / 2).div_euclid(step);
        let least = from(least).saturating_add(step - 1).div_euclid(step);
        self.origin.at + MediaTime::from_nanos(nearest.max(least).saturating_mul(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_nearest_boundary_is_half_a_step_away_at_most() {
        let ms = MediaTime::from_millis;
        let origin = Anchor {
            at: ms(10_023),
            date: UNIX_EPOCH,
        };
        let grid = Grid {
            origin,
            step: ms(2_000),
            arrival: origin,
            is_live: true,
        };
        for (at, nearest) in [
            (10_023, 10_023),
            (11_022, 10_023),
            (11_023, 12_023),
            (9_022, 8_023),
            (0, 23),
            (-1_000, -1_977),
        ] {
            assert_eq!(grid.nearest(ms(at), ms(-9_000)), ms(nearest), "{at}");
        }
        assert_eq!(grid.nearest(ms(10_100), ms(10_023)), ms(10_023));
        assert_eq!(grid.nearest(ms(10_100), ms(10_024)), ms(12_023));
    }

    #[test]
    fn media_times_and_dates_go_on_together() {
        let anchor = |at, date| Anchor {
            at: MediaTime::from_millis(at),
            date: UNIX_EPOCH + Duration::from_millis(date),
        };
        let one = anchor(10_000, 50_000);
        for at in [0, 9_999, 10_000, 12_345] {
            let at = MediaTime::from_millis(at);
            assert_eq!(one.media_time(one.date_at(at)), at);
        }
        assert_eq!(one.behind(&anchor(0, 40_000)), MediaTime::ZERO);
        assert_eq!(
            anchor(0, 43_000).behind(&one),
            MediaTime::from_millis(3_000)
        );
        assert_eq!(
            one.behind(&anchor(0, 43_000)),
            MediaTime::from_millis(-3_000)
        );
    }
}
