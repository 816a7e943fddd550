//! RTMP's 32-bit milliseconds (RTMP 1.0 §5.3.1), continued past their wrap after 49.7 days.

/// Unwraps the timestamps of one publish, all tracks together: they share a clock, and a track that
/// begins after the wrap has to land beside the others.
#[derive(Debug)]
pub(super) struct Unwrap {
    last: Option<i64>,
}

impl Unwrap {
    pub(super) const fn new() -> Self {
        Self { last: None }
    }

    /// The timestamp nearest to the one before it; the first is taken as it is.
    pub(super) fn next(&mut self, timestamp_ms: u32) -> i64 {
        let unwrapped = match self.last {
            None => i64::from(timestamp_ms),
            Some(last) => {
                let low = u32::try_from(last.rem_euclid(1 << 32)).unwrap_or(0);
                last + i64::from(timestamp_ms.wrapping_sub(low).cast_signed())
            }
        };
        self.last = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn goes_on_past_the_wrap_and_back_before_it() {
        let mut clock = Unwrap::new();
        let times = [0xffff_fff0, 5, 0xffff_fffa, 26, 0x7fff_ffff, 0xffff_fffe, 3];
        let unwrapped: Vec<i64> = times.into_iter().map(|at| clock.next(at)).collect();
        let wrap = 1_i64 << 32;
        assert_eq!(
            unwrapped,
            [
                wrap - 16,
                wrap + 5,
                wrap - 6,
                wrap + 26,
                wrap + 0x7fff_ffff,
                wrap + 0xffff_fffe,
                2 * wrap + 3
            ]
        );
    }

    proptest! {
        #[test]
        fn any_steps_below_24_days_are_followed(
            first: u32, steps in proptest::collection::vec(-2_000_000_000_i64..2_000_000_000, 0..50),
        ) {
            let mut clock = Unwrap::new();
            let mut at = i64::from(first);
            prop_assert_eq!(clock.next(first), at);
            for step in steps {
                at += step;
                let low = u32::try_from(at.rem_euclid(1 << 32)).expect("32 bits");
                prop_assert_eq!(clock.next(low), at);
            }
        }
    }
}
