//! Chance that can be had again: everything random comes from the seed that the report names.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A sequence of numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of this seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for whoever is called `salt`: what one does then changes nothing for another.
    pub(crate) fn fork(&self, salt: u64) -> Self {
        let mut other = Self(self.0 ^ salt.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        other.roll();
        other
    }

    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in the range.
    pub(crate) fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let span = range.end().abs_diff(*range.start()) + 1;
        range.start().wrapping_add_unsigned(self.roll() % span)
    }

    /// A length in the range.
    pub(crate) fn size(&mut self, range: &RangeInclusive<usize>) -> usize {
        let span = (range.end() - range.start() + 1) as u64;
        range.start() + usize::try_from(self.roll() % span).unwrap_or(0)
    }

    /// So many milliseconds.
    pub(crate) fn millis(&mut self, range: RangeInclusive<i64>) -> Duration {
        Duration::from_millis(self.within(range).unsigned_abs())
    }

    /// True in so many cases of a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.size(&(0..=of.len() - 1))]
    }

    /// Bytes above zero: H.264 has nothing to escape among them.
    pub(crate) fn fill(&mut self, into: &mut Vec<u8>, count: usize) {
        let end = into.len() + count;
        while into.len() < end {
            let bytes = self.roll().to_le_bytes();
            let wanted = (end - into.len()).min(bytes.len());
            into.extend(bytes.iter().take(wanted).map(|byte| byte | 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_twice_and_stays_within_bounds() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed).fork(7);
            (0..1_000)
                .map(|_| dice.within(-3..=3))
                .collect::<Vec<i64>>()
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        assert!((-3..=3).all(|value| rolls(1).contains(&value)));
    }
}
