//! When a publish that takes the place of another begins to list what it sends.

use std::time::{Duration, SystemTime};

/// What a publish does not list yet. It takes a place in the middle of a GOP, and players begin anew with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    /// Segments that began before it overlap with what is listed of the publish before.
    from: SystemTime,
    /// Segments that began before it must begin with a key frame.
    in_hope_until: SystemTime,
}

impl Entrance {
    /// Everything is listed.
    pub(crate) const fn open() -> Self {
        Self {
            from: SystemTime::UNIX_EPOCH,
            in_hope_until: SystemTime::UNIX_EPOCH,
        }
    }

    /// `now`, behind what is listed up to `listed`, with a segment that can be decoded; with any other once
    /// `patience` is over, since a stream without key frames is better than none.
    pub(crate) fn behind(listed: SystemTime, now: SystemTime, patience: Duration) -> Self {
        Self {
            // What is listed ends ahead if it came faster than the clock.
            from: listed.min(now),
            in_hope_until: now + patience,
        }
    }

    /// Whether a segment that began at `date` may be the first to be listed.
    pub(crate) fn admits(self, date: SystemTime, independent: bool) -> bool {
        date >= self.from && (independent || date >= self.in_hope_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of segments of two seconds is listed first behind five seconds, where one in `gop` begins with a
    /// key frame.
    fn first_listed(gop: u32) -> u32 {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let entrance = Entrance::behind(at(5), at(5), Duration::from_secs(12));
        (0..100)
            .find(|n| entrance.admits(at(2 * u64::from(*n)), n % gop == 0))
            .expect("something is listed")
    }

    #[test]
    fn listing_begins_with_a_key_frame_behind_what_is_listed() {
        assert_eq!(first_listed(1), 3, "GOPs of 2 s");
        assert_eq!(
            first_listed(4),
            4,
            "GOPs of 8 s: forced cuts are no beginning"
        );
        assert_eq!(first_listed(7), 7, "GOPs of 14 s");
        assert_eq!(first_listed(100), 9, "12 s are enough to wait");
    }

    #[test]
    fn a_publish_that_takes_nobodys_place_lists_everything() {
        assert!(Entrance::open().admits(SystemTime::UNIX_EPOCH, false));
    }
}
