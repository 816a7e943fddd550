//! How far an encoder's clock has run away from the gateway's since its publish found its place.
//!
//! Media come late for two reasons: a line that holds them up, for seconds or minutes, and a clock that is slow, by a second
//! in hours. The least lateness of some minutes tells the second from the first. What does not belong here: which rung of
//! a ladder has to change for it (`playlist::Ladder` compares them).

use std::time::{Duration, Instant};

use media::MediaTime;

/// No line holds media up for as long as this without a moment in which it does not.
const BLOCK: Duration = Duration::from_secs(600);

/// Of one publish.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// How late its media were when the run began.
    base: MediaTime,
    /// The run of its timeline that is measured.
    run: Option<u64>,
    /// The next run begins beside media that are so late.
    beside: Option<MediaTime>,
    /// The least lateness of the first block, and of the last.
    first: Option<MediaTime>,
    last: MediaTime,
    /// The least of the present one, and when that began.
    block: Option<(Instant, MediaTime)>,
}

impl Drift {
    /// It is to find its place beside media that are `late` by their own clock.
    pub(crate) fn beside(&mut self, late: MediaTime) {
        self.beside = Some(late);
    }

    /// Media of `run`, which was put `shift` later than it came, are `late` from a moment that stays the same.
    pub(crate) fn add(&mut self, run: u64, shift: MediaTime, late: MediaTime, now: Instant) {
        if self.run != Some(run) {
            let base = match self.beside {
                Some(beside) => beside - shift,
                None => self.so_far(),
            };
            *self = Self {
                base,
                run: Some(run),
                ..Self::default()
            };
        }
        let (since, least) = self.block.get_or_insert((now, late));
        *least = late.min(*least);
        if now - *since >= BLOCK {
            self.last = *least;
            self.first.get_or_insert(self.last);
            self.block = None;
        }
    }

    /// How late its media are for it.
    pub(crate) fn so_far(&self) -> MediaTime {
        self.base
            + self
                .first
                .map_or(MediaTime::ZERO, |first| self.last - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second in an hour, on a line that holds media up for up to a second and a half; once a second, for so many
    /// minutes.
    fn run(drift: &mut Drift, run: u64, minutes: u64, begin: Instant) {
        for second in 0..minutes * 60 {
            let jitter = i64::try_from(second * 7_919 % 1_500).expect("small");
            let stall = if second % 3_000 > 2_500 { 4_000 } else { 0 };
            let slow = i64::try_from(second * 1_000 / 3_600).expect("small");
            let now = begin + Duration::from_secs(second);
            drift.add(run, MediaTime::ZERO, ms(40 + jitter + stall + slow), now);
        }
    }

    fn ms(millis: i64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_slow_clock_shows_and_a_slow_line_does_not() {
        let begin = Instant::now();
        let mut drift = Drift::default();
        run(&mut drift, 0, 15, begin);
        assert_eq!(drift.so_far(), ms(0), "one block says nothing");
        let mut drift = Drift::default();
        run(&mut drift, 0, 190, begin);
        let millis = drift.so_far().as_millis();
        assert!(
            (2_700..3_100).contains(&millis),
            "{millis} ms in three hours"
        );
    }

    #[test]
    fn a_run_goes_on_with_what_was_unless_it_finds_a_place() {
        let begin = Instant::now();
        let mut drift = Drift::default();
        drift.beside(ms(5_000));
        drift.add(0, ms(0), ms(70), begin);
        assert_eq!(drift.so_far(), ms(5_000));
        run(&mut drift, 0, 70, begin);
        let before = drift.so_far();
        assert!(before > ms(5_500), "{before}");
        drift.add(1, ms(0), ms(70_000), begin);
        assert_eq!(drift.so_far(), before);
        // It is not moved, and stays as late as it is.
        drift.beside(ms(5_000));
        drift.add(1, ms(0), ms(70_000), begin);
        assert_eq!(drift.so_far(), before);
        // It is put 900 ms ahead of when it comes.
        drift.add(2, ms(900), ms(70_000), begin);
        assert_eq!(drift.so_far(), ms(4_100));
    }
}
