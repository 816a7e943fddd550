//! When the media of a publish come.
//!
//! Media come late for two reasons: a line that holds them up, for seconds or minutes, and a clock that is slow, by a second
//! in hours. The least lateness of some minutes tells the second from the first. What does not belong here: which rung of
//! a ladder has to change for it (`playlist::Ladder` compares them).

use std::time::{Duration, Instant, SystemTime};

use media::{Anchor, Arrivals, MediaTime};

use super::Publish;

/// No line holds media up for as long as this without a moment in which it does not.
const BLOCK: Duration = Duration::from_secs(600);

/// Of one publish.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    /// The run of its timeline that is measured.
    run: Option<u64>,
    /// The least lateness of the last block, and of the present one with when that began.
    last: Option<MediaTime>,
    block: Option<(Instant, MediaTime)>,
}

impl Arriving {
    /// Media of `run` are `late` from a moment that stays the same.
    pub(super) fn add(&mut self, run: u64, late: MediaTime, now: Instant) {
        if self.run != Some(run) {
            *self = Self {
                run: Some(run),
                ..Self::default()
            };
        }
        let (since, least) = self.block.get_or_insert((now, late));
        *least = late.min(*least);
        if now - *since >= BLOCK {
            self.last = Some(*least);
            self.block = None;
        }
    }

    /// It is that run which is measured.
    pub(super) fn is_of(&self, run: u64) -> bool {
        self.run == Some(run)
    }

    /// How late its media are where nothing holds them up, as far as is known.
    pub(super) fn least(&self) -> Option<MediaTime> {
        let present = self.block.map(|(_, least)| least);
        present.into_iter().chain(self.last).min()
    }

    /// It was measured for long enough.
    pub(super) const fn is_settled(&self) -> bool {
        self.last.is_some()
    }
}

impl Publish {
    /// Measures when the last unit came: by a clock that nobody sets.
    pub(super) fn measure_arrivals(&mut self) {
        if let Some(origin) = self.segmenter.origin() {
            let late = MediaTime::from(self.began.elapsed()) - origin.clock.at;
            self.arriving.add(origin.run, late, Instant::now());
        }
    }

    /// Where a run begins it is told at once when its media come: who joins a ladder is put beside those.
    pub(super) fn tell_of_run(&mut self) {
        let run = self.segmenter.origin().map(|origin| origin.run);
        if run.is_some_and(|run| !self.arriving.is_of(run)) {
            self.measure_arrivals();
            self.report();
        }
    }

    /// When its media come, by the wall clock as it is set now.
    pub(super) fn arrivals(&self) -> Option<Arrivals> {
        let least = self.arriving.least().filter(|_| self.has_own_clock())?;
        let anchor = Anchor {
            at: MediaTime::from(self.began.elapsed()) - least,
            date: SystemTime::now(),
        };
        Some(Arrivals {
            anchor,
            is_settled: self.arriving.is_settled(),
            shift: self.segmenter.shift(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second in an hour, on a line that holds media up for up to a second and a half, and sometimes for more; once a
    /// second, for so many minutes.
    fn run(arriving: &mut Arriving, run: u64, slow_ms: i64, minutes: u64, begin: Instant) {
        for second in 0..minutes * 60 {
            let jitter = i64::try_from(second * 7_919 % 1_500).expect("small");
            let stall = if second % 3_000 > 2_500 { 4_000 } else { 0 };
            let slow = i64::try_from(second).expect("small") * slow_ms / 3_600;
            let now = begin + Duration::from_secs(second);
            arriving.add(run, MediaTime::from_millis(40 + jitter + stall + slow), now);
        }
    }

    #[test]
    fn a_slow_clock_shows_and_a_slow_line_does_not() {
        let begin = Instant::now();
        let late = |slow_ms, minutes| {
            let mut arriving = Arriving::default();
            run(&mut arriving, 0, slow_ms, minutes, begin);
            let least = arriving.least().filter(|_| arriving.is_settled());
            least.map(MediaTime::as_millis)
        };
        assert_eq!(late(1_000, 9), None, "one block is not over");
        assert!(late(0, 190).is_some_and(|it| (40..60).contains(&it)));
        // Of the last ten to twenty minutes.
        assert!(late(1_000, 190).is_some_and(|it| (2_800..3_100).contains(&it)));
        assert!(late(-1_000, 190).is_some_and(|it| (-3_150..-3_000).contains(&it)));
    }

    #[test]
    fn a_run_is_measured_anew() {
        let begin = Instant::now();
        let mut arriving = Arriving::default();
        run(&mut arriving, 0, 0, 30, begin);
        assert!(arriving.is_of(0) && arriving.is_settled());
        let late = MediaTime::from_millis(70_000);
        arriving.add(1, late, begin);
        assert!(arriving.is_of(1) && !arriving.is_settled());
        assert_eq!(arriving.least(), Some(late));
    }
}
