//! The target duration of a presentation (rfc8216bis §4.4.3.1): fixed with its first listed segment.

use media::MediaTime;

/// EXT-X-TARGETDURATION, whole seconds, at least 1; constant while the presentation lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetDuration(u32);

impl TargetDuration {
    /// The value for a presentation that is cut at `segment` and whose first segment lasted `first`:
    /// the longer of the two, rounded to the nearest second as the standard compares them.
    pub fn fitting(segment: MediaTime, first: MediaTime) -> Self {
        let seconds = segment.max(first).rescale(1).max(1);
        Self(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// The value a playlist had; at least 1 s.
    pub fn from_seconds(seconds: u32) -> Self {
        Self(seconds.max(1))
    }

    /// Whole seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// As a span.
    pub fn span(self) -> MediaTime {
        MediaTime::from_ticks(self.0.into(), 1)
    }

    /// The longest segment that still rounds to this value: half a second more, less a millisecond.
    pub fn longest_segment(self) -> MediaTime {
        self.span() + MediaTime::from_millis(499)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_first_segment_and_rounds_as_the_standard_does() {
        // segment length, first segment, target duration; milliseconds and seconds
        let cases = [
            (2_000, 2_000, 2),
            (2_000, 2_002, 2),
            (2_000, 2_502, 3),
            (2_000, 10_400, 10),
            (500, 480, 1),
        ];
        for (segment, first, expected) in cases {
            let target = TargetDuration::fitting(
                MediaTime::from_millis(segment),
                MediaTime::from_millis(first),
            );
            assert_eq!(target.seconds(), expected, "{segment} ms, first {first} ms");
            assert!(target.longest_segment() >= MediaTime::from_millis(first));
        }
    }
}
