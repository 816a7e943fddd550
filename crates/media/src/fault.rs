//! Faults of a publish that the gateway worked around: counted by kind, the last one in words.

use std::fmt;

/// What went wrong, as a closed set: the status API's counter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A media message too short, or with lengths that do not fit it.
    MalformedMessage,
    /// A codec the gateway does not carry.
    UnsupportedCodec,
    /// A codec configuration that cannot be read; the last good one stays.
    BadConfiguration,
    /// Media that came before its codec configuration or before the first random access.
    EarlyMedia,
    /// Media that came after its segment had been cut, the other track being so much earlier.
    LateMedia,
    /// Codec configurations that change so often that not every one can begin a segment.
    ConfigurationFlood,
    /// A decode timestamp equal to the one before it or behind it.
    TimestampOrder,
    /// A timestamp jump beyond the threshold; a new discontinuity was begun.
    TimestampJump,
    /// Timestamps that stand still, or jump all the time; the time of arrival took their place.
    ClockUnusable,
    /// A composition time outside what can be true.
    CompositionTime,
    /// No random access within the target duration: cut in the middle of a GOP.
    ForcedCut,
    /// A segment that reached its byte limit before its time.
    SegmentTooLarge,
    /// Audio resynchronised to the sender's timestamps.
    AudioResync,
    /// A playlist that lists less than it should, its segments being too large together.
    WindowShortened,
    /// Another encoder wanted the name again and again.
    NameContested,
    /// A rung of a ladder whose segments do not begin where those of the others do: it is no variant.
    LadderMisfit,
    /// A rung whose timestamps are not those of the others: it is put beside them by when it arrives.
    LadderClock,
    /// ffmpeg, which transcodes the publish, ended, or was too slow for it: its rungs lack something.
    Transcoding,
    /// Timed metadata that cannot be used, is at no time of the media, or is more than is carried.
    TimedMetadata,
}

impl FaultKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 19] = [
        Self::MalformedMessage,
        Self::UnsupportedCodec,
        Self::BadConfiguration,
        Self::EarlyMedia,
        Self::LateMedia,
        Self::ConfigurationFlood,
        Self::TimestampOrder,
        Self::TimestampJump,
        Self::ClockUnusable,
        Self::CompositionTime,
        Self::ForcedCut,
        Self::SegmentTooLarge,
        Self::AudioResync,
        Self::WindowShortened,
        Self::NameContested,
        Self::LadderMisfit,
        Self::LadderClock,
        Self::Transcoding,
        Self::TimedMetadata,
    ];

    /// The counter's name in the status API: `snake_case`, never changed once released.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedMessage => "malformed_message",
            Self::UnsupportedCodec => "unsupported_codec",
            Self::BadConfiguration => "bad_configuration",
            Self::EarlyMedia => "early_media",
            Self::LateMedia => "late_media",
            Self::ConfigurationFlood => "configuration_flood",
            Self::TimestampOrder => "timestamp_order",
            Self::TimestampJump => "timestamp_jump",
            Self::ClockUnusable => "clock_unusable",
            Self::CompositionTime => "composition_time",
            Self::ForcedCut => "forced_cut",
            Self::SegmentTooLarge => "segment_too_large",
            Self::AudioResync => "audio_resync",
            Self::WindowShortened => "window_shortened",
            Self::NameContested => "name_contested",
            Self::LadderMisfit => "ladder_misfit",
            Self::LadderClock => "ladder_clock",
            Self::Transcoding => "transcoding",
            Self::TimedMetadata => "timed_metadata",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fault, with the words for the person who runs the encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which counter it belongs to.
    pub kind: FaultKind,
    /// What was found, where, and what was done about it: lowercase, no full stop, no secrets.
    pub text: String,
}

/// The faults of one publish so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    counts: [u64; FaultKind::ALL.len()],
    last: Option<Fault>,
}

impl Faults {
    /// Counts a fault and remembers its words.
    pub fn record(&mut self, fault: Fault) {
        if let Some(count) = self.counts.get_mut(fault.kind as usize) {
            *count += 1;
        }
        self.last = Some(fault);
    }

    /// How often `kind` has happened.
    pub fn count(&self, kind: FaultKind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// How many faults in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The kinds that happened at all, with their counts.
    pub fn counted(&self) -> impl Iterator<Item = (FaultKind, u64)> + '_ {
        FaultKind::ALL
            .into_iter()
            .zip(self.counts)
            .filter(|&(_, count)| count > 0)
    }

    /// The last fault.
    pub fn last(&self) -> Option<&Fault> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_counts_in_its_own_place() {
        let mut faults = Faults::default();
        for (n, kind) in FaultKind::ALL.into_iter().enumerate() {
            for _ in 0..=n {
                faults.record(Fault {
                    kind,
                    text: format!("{kind} {n}"),
                });
            }
        }
        let counts: Vec<u64> = faults.counted().map(|(_, count)| count).collect();
        let kinds = FaultKind::ALL.len() as u64;
        assert_eq!(counts, (1..=kinds).collect::<Vec<u64>>());
        assert_eq!(faults.total(), kinds * (kinds + 1) / 2);
        let last = faults.last().expect("the last recorded");
        assert_eq!(last.text, format!("timed_metadata {}", kinds - 1));
    }
}
