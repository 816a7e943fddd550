//! How often what costs a segment of its own may happen.

use std::collections::VecDeque;

use media::MediaTime;

/// So many times within [`PERIOD`]. Who switches programmes does so a few times a minute; without a bound every
/// access unit could be a segment.
pub(crate) const MOST: usize = 10;
/// What is counted over.
pub(crate) const PERIOD: MediaTime = MediaTime::from_millis(60_000);

/// Counts one kind of event, and refuses it where it is too frequent.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    granted: VecDeque<MediaTime>,
    refusing: bool,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    /// Refused, and the one before was not.
    Refused,
    RefusedAgain,
}

impl Allowance {
    /// One more event, at `at`.
    pub(crate) fn ask(&mut self, at: MediaTime) -> Verdict {
        while let Some(&oldest) = self.granted.front()
            && at.max(oldest) - at.min(oldest) >= PERIOD
        {
            self.granted.pop_front();
        }
        if self.granted.len() >= MOST {
            return if std::mem::replace(&mut self.refusing, true) {
                Verdict::RefusedAgain
            } else {
                Verdict::Refused
            };
        }
        self.granted.push_back(at);
        self.refusing = false;
        Verdict::Granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_are_granted() {
        let mut allowance = Allowance::default();
        let mut ask = |second: i64| allowance.ask(MediaTime::from_millis(second * 1_000));
        for second in 0..10 {
            assert_eq!(ask(second), Verdict::Granted);
        }
        assert_eq!(ask(10), Verdict::Refused);
        assert_eq!(ask(59), Verdict::RefusedAgain);
        assert_eq!(ask(60), Verdict::Granted);
        assert_eq!(ask(60), Verdict::Refused);
        assert_eq!(ask(61), Verdict::Granted);
    }

    #[test]
    fn times_that_fall_are_no_way_round_it() {
        let mut allowance = Allowance::default();
        let granted = (0..100).filter(|n| {
            let at = MediaTime::from_millis(100_000 - n * 33);
            allowance.ask(at) == Verdict::Granted
        });
        assert_eq!(granted.count(), MOST);
    }

    #[test]
    fn a_clock_that_is_set_back_refuses_nothing_for_it() {
        let mut allowance = Allowance::default();
        for _ in 0..10 {
            allowance.ask(MediaTime::from_millis(86_400_000));
        }
        assert_eq!(allowance.ask(MediaTime::ZERO), Verdict::Granted);
    }
}
