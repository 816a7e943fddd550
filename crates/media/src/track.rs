//! Tracks: what one elementary sequence of access units is encoded with.

use crate::MediaTime;
use crate::codec::{Aac, Ac3, Av1, Colour, Eac3, Flac, H264, H265, Mp3, Opus, VideoRange, Vp9};

/// What a track is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// Pictures. The first video track leads: segments are cut at its random access points.
    Video,
    /// Sound.
    Audio,
}

/// The codec of a track with its configuration. Two values are equal when the encoder's configuration
/// bytes are, and what is read of its access units where those say more: a repeated identical header is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 / AVC; access units are length-prefixed NAL units.
    H264(H264),
    /// H.265 / HEVC; access units are length-prefixed NAL units.
    H265(H265),
    /// AV1; access units are temporal units without their temporal delimiter ([`Av1::sample`]).
    Av1(Av1),
    /// VP9; access units are frames or superframes.
    Vp9(Vp9),
    /// MPEG-4 AAC; access units are raw frames without ADTS headers.
    Aac(Aac),
    /// MPEG-1/2 layer III; access units are whole frames with their headers.
    Mp3(Mp3),
    /// Opus; access units are packets, of several streams one behind the other.
    Opus(Opus),
    /// FLAC; access units are frames.
    Flac(Flac),
    /// AC-3; access units are syncframes.
    Ac3(Ac3),
    /// E-AC-3; access units are the syncframes of all substreams, of up to six blocks or more.
    Eac3(Eac3),
}

impl Codec {
    /// Video or audio.
    pub const fn kind(&self) -> TrackKind {
        match self {
            Self::H264(_) | Self::H265(_) | Self::Av1(_) | Self::Vp9(_) => TrackKind::Video,
            Self::Aac(_)
            | Self::Mp3(_)
            | Self::Opus(_)
            | Self::Flac(_)
            | Self::Ac3(_)
            | Self::Eac3(_) => TrackKind::Audio,
        }
    }

    /// The codec's usual name, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::H264(_) => "H.264",
            Self::H265(_) => "H.265",
            Self::Av1(_) => "AV1",
            Self::Vp9(_) => "VP9",
            Self::Aac(_) => "AAC",
            Self::Mp3(_) => "MP3",
            Self::Opus(_) => "Opus",
            Self::Flac(_) => "FLAC",
            Self::Ac3(_) => "AC-3",
            Self::Eac3(_) => "E-AC-3",
        }
    }

    /// The profile's usual name, for people: `High`, `LC`, `HE-AAC v2`, `Layer III`. Where there are no profiles, what
    /// tells streams apart: how long Opus packets last (`20 ms`), how many bits FLAC has (`16 bit`).
    pub fn profile(&self) -> &'static str {
        match self {
            Self::H264(h264) => h264.profile_name(),
            Self::H265(h265) => h265.profile_name(),
            Self::Av1(av1) => av1.profile_name(),
            Self::Vp9(vp9) => vp9.profile_name(),
            Self::Aac(aac) => aac.profile_name(),
            Self::Mp3(_) => "Layer III",
            Self::Opus(opus) => opus.profile_name(),
            Self::Flac(flac) => flac.profile_name(),
            Self::Ac3(_) => "Dolby Digital",
            Self::Eac3(_) => "Dolby Digital Plus",
        }
    }

    /// The element of the CODECS attribute (RFC 6381 §3.3): `avc1.64001f`, `mp4a.40.2`.
    pub fn rfc6381(&self) -> String {
        match self {
            Self::H264(h264) => h264.rfc6381(),
            Self::H265(h265) => h265.rfc6381(),
            Self::Av1(av1) => av1.rfc6381(),
            Self::Vp9(vp9) => vp9.rfc6381(),
            Self::Aac(aac) => aac.rfc6381(),
            Self::Mp3(_) => "mp4a.40.34".to_owned(),
            Self::Opus(_) => "Opus".to_owned(),
            Self::Flac(_) => "fLaC".to_owned(),
            Self::Ac3(_) => "ac-3".to_owned(),
            Self::Eac3(_) => "ec-3".to_owned(),
        }
    }

    /// Samples in one access unit and the sampling rate they are counted in, Hz; `None` for video,
    /// whose access units last until the next one.
    pub const fn samples_per_unit(&self) -> Option<(u32, u32)> {
        match self {
            Self::H264(_) | Self::H265(_) | Self::Av1(_) | Self::Vp9(_) => None,
            Self::Aac(aac) => Some((aac.samples_per_frame, aac.core_rate)),
            Self::Mp3(mp3) => Some((mp3.samples_per_frame, mp3.sample_rate)),
            Self::Opus(opus) => Some((opus.samples_per_packet, Opus::RATE)),
            Self::Flac(flac) => Some((flac.block_size, flac.sample_rate)),
            Self::Ac3(ac3) => Some((ac3.samples_per_unit, ac3.sample_rate)),
            Self::Eac3(eac3) => Some((eac3.samples_per_unit, eac3.sample_rate)),
        }
    }

    /// Width and height of a picture after cropping, pixels; `None` for audio.
    pub const fn size(&self) -> Option<(u16, u16)> {
        match self {
            Self::H264(h264) => Some((h264.width, h264.height)),
            Self::H265(h265) => Some((h265.width, h265.height)),
            Self::Av1(av1) => Some((av1.width, av1.height)),
            Self::Vp9(vp9) => Some((vp9.width, vp9.height)),
            Self::Aac(_)
            | Self::Mp3(_)
            | Self::Opus(_)
            | Self::Flac(_)
            | Self::Ac3(_)
            | Self::Eac3(_) => None,
        }
    }

    /// Colour, where the configuration says anything of it; that of H.264 is not read.
    pub const fn colour(&self) -> Option<Colour> {
        match self {
            Self::H265(h265) => h265.colour,
            Self::Av1(av1) => av1.colour,
            Self::Vp9(vp9) => vp9.colour,
            Self::H264(_)
            | Self::Aac(_)
            | Self::Mp3(_)
            | Self::Opus(_)
            | Self::Flac(_)
            | Self::Ac3(_)
            | Self::Eac3(_) => None,
        }
    }

    /// The same with `colour`, where its configuration says nothing of that and could.
    #[must_use]
    pub fn or_colour(mut self, colour: Option<Colour>) -> Self {
        let own = match &mut self {
            Self::H265(h265) => &mut h265.colour,
            Self::Av1(av1) => &mut av1.colour,
            Self::Vp9(vp9) => &mut vp9.colour,
            _ => return self,
        };
        if colour.is_some() {
            *own = own.filter(Colour::is_specified).or(colour);
        }
        self
    }

    /// The attribute VIDEO-RANGE (rfc8216bis §4.4.6.2); `None` for audio.
    pub fn video_range(&self) -> Option<VideoRange> {
        let colour = self.colour();
        (self.kind() == TrackKind::Video)
            .then(|| colour.map_or(VideoRange::Sdr, |colour| colour.video_range()))
    }

    /// Whether there is a way to carry it in MPEG-TS that players of HLS know.
    pub const fn fits_ts(&self) -> bool {
        match self {
            Self::H264(_)
            | Self::H265(_)
            | Self::Aac(_)
            | Self::Mp3(_)
            | Self::Ac3(_)
            | Self::Eac3(_) => true,
            Self::Av1(_) | Self::Vp9(_) | Self::Opus(_) | Self::Flac(_) => false,
        }
    }

    /// Whether it is carried in MPEG-TS here: H.265 only where that is asked for, as Apple wants it in CMAF (HLS
    /// authoring specification 1.5).
    pub const fn belongs_in_ts(&self, with_hevc: bool) -> bool {
        match self {
            Self::H265(_) => with_hevc,
            _ => self.fits_ts(),
        }
    }

    /// Channels of the decoded sound; `None` for video.
    pub const fn channels(&self) -> Option<u8> {
        match self {
            Self::H264(_) | Self::H265(_) | Self::Av1(_) | Self::Vp9(_) => None,
            Self::Aac(aac) => Some(aac.channels),
            Self::Mp3(mp3) => Some(mp3.channels),
            Self::Opus(opus) => Some(opus.channels),
            Self::Flac(flac) => Some(flac.channels),
            Self::Ac3(ac3) => Some(ac3.channels),
            Self::Eac3(eac3) => Some(eac3.channels),
        }
    }

    /// Sampling rate of the decoded sound, Hz; `None` for video. With SBR it is twice what
    /// [`Self::samples_per_unit`] counts in.
    pub const fn sample_rate(&self) -> Option<u32> {
        match self {
            Self::H264(_) | Self::H265(_) | Self::Av1(_) | Self::Vp9(_) => None,
            Self::Aac(aac) => Some(aac.sample_rate),
            Self::Mp3(mp3) => Some(mp3.sample_rate),
            Self::Opus(_) => Some(Opus::RATE),
            Self::Flac(flac) => Some(flac.sample_rate),
            Self::Ac3(ac3) => Some(ac3.sample_rate),
            Self::Eac3(eac3) => Some(eac3.sample_rate),
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
