//! What a publish's timestamps mean: how another whose media come beside it finds its place.

use media::{Anchor, MediaTime};

use crate::timeline::MAX_APART_MS;

/// A timestamp, with the media time and the wall clock at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The timestamp as sent, milliseconds, unwrapped.
    pub sent_ms: i64,
    /// What it stands for.
    pub clock: Anchor,
    /// Counts the runs of the publish: within one, the sender's clock goes on.
    pub run: u64,
}

impl Origin {
    /// What is sent with that timestamp, in milliseconds, is close enough to be of the same clock.
    pub const fn is_near(&self, sent_ms: i64) -> bool {
        sent_ms.abs_diff(self.sent_ms) <= MAX_APART_MS.unsigned_abs()
    }

    /// The media time at another timestamp, in milliseconds, as long as the sender's clock goes on.
    pub(crate) fn media_time(&self, sent_ms: i64) -> MediaTime {
        self.clock.at + MediaTime::from_millis(sent_ms.saturating_sub(self.sent_ms))
    }
}
