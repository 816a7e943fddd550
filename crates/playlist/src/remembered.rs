//! What must outlive the process, so that nothing is used twice and viewers stay where they are.

use media::PresentationName;

use crate::TargetDuration;
use crate::registry::number_by_the_clock;

/// The little that the next process has to know of this one ([`crate::Registry::restore`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Past every media sequence number that was used, of any presentation.
    pub media_sequence: u64,
    /// Past every discontinuity sequence number that was used.
    pub discontinuity_sequence: u64,
    /// The presentations that had not ended, in order of their names, each with the target duration that
    /// its playlist keeps.
    pub target_durations: Vec<(PresentationName, TargetDuration)>,
}

impl Remembered {
    /// The same, and past what a presentation would begin with by the clock, now.
    #[must_use]
    pub fn past_the_clock(self) -> Self {
        Self {
            media_sequence: self.media_sequence.max(number_by_the_clock()),
            ..self
        }
    }

    /// The same with room for so many more numbers of each kind.
    #[must_use]
    pub fn ahead(self, numbers: u64) -> Self {
        Self {
            media_sequence: self.media_sequence.saturating_add(numbers),
            discontinuity_sequence: self.discontinuity_sequence.saturating_add(numbers),
            ..self
        }
    }

    /// Whether numbers used by `now`, and its presentations, are safe with what is remembered here.
    pub fn covers(&self, now: &Self) -> bool {
        self.media_sequence >= now.media_sequence
            && self.discontinuity_sequence >= now.discontinuity_sequence
            && self.target_durations == now.target_durations
    }
}
