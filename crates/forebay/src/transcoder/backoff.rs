//! How long to wait before a transcoder is started again.

use std::time::Duration;

/// The first pause: what fails at once must not be a loop.
const FIRST: Duration = Duration::from_secs(1);
/// The longest: somebody who has put right what was wrong does not wait long to see it.
const LONGEST: Duration = Duration::from_secs(30);
/// A run of so long was a good one, and the next pause is the first again.
const GOOD: Duration = Duration::from_secs(30);

/// Pauses that double.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Runs in a row that were no good ones.
    bad: u32,
}

impl Backoff {
    /// The pause behind a run that has lasted so long.
    pub(super) fn pause(&mut self, lasted: Duration) -> Duration {
        if lasted >= GOOD {
            self.bad = 0;
        }
        let pause = FIRST.saturating_mul(1 << self.bad.min(8)).min(LONGEST);
        self.bad += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_until_a_run_is_a_good_one() {
        let mut backoff = Backoff::default();
        let mut pause = |lasted| backoff.pause(Duration::from_secs(lasted)).as_secs();
        assert_eq!([0; 7].map(&mut pause), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!([30, 29, 29].map(&mut pause), [1, 2, 4]);
    }
}
