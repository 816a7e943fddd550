//! Advice to the person who runs an encoder: what a publish shows of its settings, and what to set there.
//!
//! Unlike a [`crate::Fault`], which is counted when it happens and stays counted, advice is about the
//! present: it goes away when what it is about has gone.

use std::fmt;
use std::time::SystemTime;

/// What the advice is about, as a closed set: the names of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdviceKind {
    /// No random access picture at all, or none for longer than a segment may last.
    NoKeyFrame,
    /// Random access pictures too far apart, or at distances that do not divide the segment length.
    KeyFrameInterval,
    /// Segments begin at recovery points instead of IDR pictures.
    OpenGop,
    /// Pictures are missing although the encoder announced them or has sent them.
    VideoMissing,
    /// Sound is missing although the encoder announced it or has sent it.
    AudioMissing,
    /// A codec that the gateway does not carry.
    UnsupportedCodec,
    /// Messages or codec configurations that cannot be read.
    Unreadable,
    /// A video codec that some players cannot decode.
    VideoCodec,
    /// A video profile, chroma format or bit depth that players cannot decode.
    VideoProfile,
    /// A level higher than players take, or than the picture needs.
    VideoLevel,
    /// Fields instead of whole pictures.
    Interlaced,
    /// An audio codec, object type or sample rate that some players cannot decode.
    AudioCodec,
    /// Media arrives slower than it plays.
    UplinkSlow,
    /// Media stops arriving for seconds and then comes in a burst.
    UplinkStalls,
    /// Media arrives faster than it plays.
    FasterThanRealTime,
    /// The media bit rate is above what the encoder declares, or above what a segment can hold.
    BitRate,
    /// Pictures at irregular distances, or fewer than declared.
    FrameRate,
    /// Pictures are reordered (B-frames) where latency counts.
    PictureReordering,
    /// Sound and picture that arrive together have different timestamps.
    TrackOffset,
    /// The clocks of sound and picture run apart.
    TrackDrift,
    /// Timestamps that had to be repaired.
    TimestampRepairs,
    /// Another encoder wants the same name.
    NameContested,
    /// It is published as a rung of a ladder, and does not fit the others.
    LadderMisfit,
    /// It is put beside the other rungs of its ladder by when its media arrive.
    LadderClock,
    /// The gateway's ffmpeg, which is to make rungs of it, ends or is too slow.
    Transcoding,
}

impl AdviceKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 25] = [
        Self::NoKeyFrame,
        Self::KeyFrameInterval,
        Self::OpenGop,
        Self::VideoMissing,
        Self::AudioMissing,
        Self::UnsupportedCodec,
        Self::Unreadable,
        Self::VideoCodec,
        Self::VideoProfile,
        Self::VideoLevel,
        Self::Interlaced,
        Self::AudioCodec,
        Self::UplinkSlow,
        Self::UplinkStalls,
        Self::FasterThanRealTime,
        Self::BitRate,
        Self::FrameRate,
        Self::PictureReordering,
        Self::TrackOffset,
        Self::TrackDrift,
        Self::TimestampRepairs,
        Self::NameContested,
        Self::LadderMisfit,
        Self::LadderClock,
        Self::Transcoding,
    ];

    /// Its name in the API: `snake_case`, never changed once released.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoKeyFrame => "no_key_frame",
            Self::KeyFrameInterval => "key_frame_interval",
            Self::OpenGop => "open_gop",
            Self::VideoMissing => "video_missing",
            Self::AudioMissing => "audio_missing",
            Self::UnsupportedCodec => "unsupported_codec",
            Self::Unreadable => "unreadable",
            Self::VideoCodec => "video_codec",
            Self::VideoProfile => "video_profile",
            Self::VideoLevel => "video_level",
            Self::Interlaced => "interlaced",
            Self::AudioCodec => "audio_codec",
            Self::UplinkSlow => "uplink_slow",
            Self::UplinkStalls => "uplink_stalls",
            Self::FasterThanRealTime => "faster_than_real_time",
            Self::BitRate => "bit_rate",
            Self::FrameRate => "frame_rate",
            Self::PictureReordering => "picture_reordering",
            Self::TrackOffset => "track_offset",
            Self::TrackDrift => "track_drift",
            Self::TimestampRepairs => "timestamp_repairs",
            Self::NameContested => "name_contested",
            Self::LadderMisfit => "ladder_misfit",
            Self::LadderClock => "ladder_clock",
            Self::Transcoding => "transcoding",
        }
    }
}

impl fmt::Display for AdviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much it matters; the greater, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// All is well, and could be better.
    Hint,
    /// Viewers get less than the encoder could give: later, rougher, or not on every device.
    Warning,
    /// Viewers see or hear nothing, or not without interruptions.
    Problem,
}

impl Severity {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One piece of advice about the publish as it is at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it is about; there is one piece of each kind at most.
    pub kind: AdviceKind,
    /// How much it matters.
    pub severity: Severity,
    /// When it was first seen, without a longer pause since.
    pub since: SystemTime,
    /// When it was last seen.
    pub last: SystemTime,
    /// How often it was seen since then: once in each segment that shows it, or each time it happens.
    pub times: u64,
    /// What is seen, with figures, as a sentence; no secrets.
    pub text: String,
    /// What to set, with the names that OBS Studio and ffmpeg have for it, as sentences.
    pub remedy: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names: Vec<&str> = AdviceKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), AdviceKind::Transcoding as usize + 1);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AdviceKind::ALL.len());
    }
}
