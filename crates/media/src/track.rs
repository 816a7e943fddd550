//! Tracks: what one elementary sequence of access units is encoded with.

use crate::MediaTime;
use crate::codec::{Aac, H264, Mp3};

/// What a track is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// Pictures. The first video track leads: segments are cut at its random access points.
    Video,
    /// Sound.
    Audio,
}

/// The codec of a track with its configuration. Two values are equal when the encoder's configuration
/// bytes are: a repeated identical header is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 / AVC; access units are length-prefixed NAL units.
    H264(H264),
    /// MPEG-4 AAC; access units are raw frames without ADTS headers.
    Aac(Aac),
    /// MPEG-1/2 layer III; access units are whole frames with their headers.
    Mp3(Mp3),
}

impl Codec {
    /// Video or audio.
    pub const fn kind(&self) -> TrackKind {
        match self {
            Self::H264(_) => TrackKind::Video,
            Self::Aac(_) | Self::Mp3(_) => TrackKind::Audio,
        }
    }

    /// The codec's usual name, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::H264(_) => "H.264",
            Self::Aac(_) => "AAC",
            Self::Mp3(_) => "MP3",
        }
    }

    /// The profile's usual name, for people: `High`, `LC`, `HE-AAC v2`, `Layer III`.
    pub fn profile(&self) -> &'static str {
        match self {
            Self::H264(h264) => h264.profile_name(),
            Self::Aac(aac) => aac.profile_name(),
            Self::Mp3(_) => "Layer III",
        }
    }

    /// The element of the CODECS attribute (RFC 6381 §3.3): `avc1.64001f`, `mp4a.40.2`.
    pub fn rfc6381(&self) -> String {
        match self {
            Self::H264(h264) => h264.rfc6381(),
            Self::Aac(aac) => aac.rfc6381(),
            Self::Mp3(_) => "mp4a.40.34".to_owned(),
        }
    }

    /// Samples in one access unit and the sampling rate they are counted in, Hz; `None` for video,
    /// whose access units last until the next one.
    pub const fn samples_per_unit(&self) -> Option<(u32, u32)> {
        match self {
            Self::H264(_) => None,
            Self::Aac(aac) => Some((aac.samples_per_frame, aac.core_rate)),
            Self::Mp3(mp3) => Some((mp3.samples_per_frame, mp3.sample_rate)),
        }
    }

    /// Width and height of a picture after cropping, pixels; `None` for audio.
    pub const fn size(&self) -> Option<(u16, u16)> {
        match self {
            Self::H264(h264) => Some((h264.width, h264.height)),
            Self::Aac(_) | Self::Mp3(_) => None,
        }
    }

    /// Channels of the decoded sound; `None` for video.
    pub const fn channels(&self) -> Option<u8> {
        match self {
            Self::H264(_) => None,
            Self::Aac(aac) => Some(aac.channels),
            Self::Mp3(mp3) => Some(mp3.channels),
        }
    }

    /// Sampling rate of the decoded sound, Hz; `None` for video. With SBR it is twice what
    /// [`Self::samples_per_unit`] counts in.
    pub const fn sample_rate(&self) -> Option<u32> {
        match self {
            Self::H264(_) => None,
            Self::Aac(aac) => Some(aac.sample_rate),
            Self::Mp3(mp3) => Some(mp3.sample_rate),
        }
    }

    /// How long one audio access unit lasts; `None` for video.
    pub fn unit_duration(&self) -> Option<MediaTime> {
        let (samples, rate) = self.samples_per_unit()?;
        Some(MediaTime::from_ticks(i64::from(samples), rate))
    }
}

/// One track of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its codec and configuration.
    pub codec: Codec,
}

impl Track {
    /// Video or audio.
    pub const fn kind(&self) -> TrackKind {
        self.codec.kind()
    }
}

/// How a track arrives: measured, not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cadence {
    /// Access units per second of media time; `None` before two of them.
    pub unit_rate: Option<f64>,
    /// The time between the last two random access points of a video track.
    pub gop_last: Option<MediaTime>,
    /// The longest such time so far.
    pub gop_max: Option<MediaTime>,
}
