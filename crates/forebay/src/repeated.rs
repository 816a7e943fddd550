//! Log lines about what happens again and again: said at once, then at most every so often with a count.

use std::time::{Duration, Instant};

/// Between two lines about the same thing.
const EVERY: Duration = Duration::from_secs(10);

/// Decides which occurrence of something is worth a line.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    last: Option<Instant>,
    unsaid: u64,
}

impl Repeated {
    /// Counts an occurrence. If a line is due, gives how many occurrences it stands for.
    pub(crate) fn due(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.last.is_some_and(|last| now - last < EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_and_the_others_are_counted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut repeated = Repeated::default();
        let said: Vec<_> = [0, 1, 9, 10, 11, 20]
            .map(|second| repeated.due(at(second)))
            .into();
        assert_eq!(said, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
