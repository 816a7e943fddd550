//! How fast a publish sends, and when it last did.

use std::collections::VecDeque;
use std::time::Instant;

/// The current bit rate is that of so many of the last reports.
const SPAN: usize = 5;

/// Counts media bytes and gives bit rates whenever it is read.
#[derive(Debug)]
pub(crate) struct Meter {
    bytes: u64,
    since: Instant,
    last: Instant,
    readings: VecDeque<(Instant, u64)>,
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            bytes: 0,
            since: now,
            last: now,
            readings: VecDeque::from([(now, 0)]),
        }
    }

    /// Counts a message of `bytes` that came `now`.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes as u64;
        self.last = now;
    }

    /// When the last message came; at first, when it began to count.
    pub(crate) fn last(&self) -> Instant {
        self.last
    }

    /// Media bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bit rates, bit/s: over the last readings, and since the beginning.
    pub(crate) fn read(&mut self, now: Instant) -> (u64, u64) {
        let (at, bytes) = self.readings.front().copied().unwrap_or((self.since, 0));
        let current = bit_rate(self.bytes - bytes, now - at);
        self.readings.push_back((now, self.bytes));
        if self.readings.len() > SPAN {
            self.readings.pop_front();
        }
        (current, bit_rate(self.bytes, now - self.since))
    }
}

fn bit_rate(bytes: u64, span: std::time::Duration) -> u64 {
    let millis = span.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 8_000 / millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_current_rate_forgets_what_is_long_ago() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let mut read = (0, 0);
        for second in 1..=10 {
            let now = start + Duration::from_secs(second);
            meter.add(if second <= 5 { 1_000 } else { 3_000 }, now);
            read = meter.read(now);
        }
        assert_eq!(read, (24_000, 16_000));
        assert_eq!(meter.bytes(), 20_000);
    }
}
