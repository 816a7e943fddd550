//! What a media message holds for one track, whichever of the two kinds of header it has: legacy (FLV 10.1) or
//! Enhanced RTMP's.
//!
//! What does not belong here: how headers are read (`legacy.rs`, `enhanced.rs`), what comes of a body (`track.rs`).

use std::fmt;

use bytes::Bytes;

/// A codec as Enhanced RTMP names it: what ISO media files call its sample entry, for most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FourCc(pub(super) [u8; 4]);

impl FourCc {
    pub(super) const AAC: Self = Self(*b"mp4a");
    pub(super) const AC3: Self = Self(*b"ac-3");
    pub(super) const AV1: Self = Self(*b"av01");
    pub(super) const AVC: Self = Self(*b"avc1");
    pub(super) const EAC3: Self = Self(*b"ec-3");
    pub(super) const FLAC: Self = Self(*b"fLaC");
    pub(super) const HEVC: Self = Self(*b"hvc1");
    pub(super) const MP3: Self = Self(*b".mp3");
    pub(super) const OPUS: Self = Self(*b"Opus");
    pub(super) const VP8: Self = Self(*b"vp08");
    pub(super) const VP9: Self = Self(*b"vp09");
    pub(super) const VVC: Self = Self(*b"vvc1");

    /// The codec's usual name, if Enhanced RTMP knows the codec.
    pub(super) const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::AAC => "AAC",
            Self::AC3 => "AC-3",
            Self::AV1 => "AV1",
            Self::AVC => "H.264",
            Self::EAC3 => "E-AC-3",
            Self::FLAC => "FLAC",
            Self::HEVC => "HEVC",
            Self::MP3 => "MP3",
            Self::OPUS => "Opus",
            Self::VP8 => "VP8",
            Self::VP9 => "VP9",
            Self::VVC => "VVC",
            _ => return None,
        })
    }

    /// Whether CodedFrames begin with a composition time: where pictures can be sent in another order than shown.
    pub(super) const fn has_composition_time(self) -> bool {
        matches!(self, Self::AVC | Self::HEVC | Self::VVC)
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// A decoder configuration record; empty for codecs that need none.
    SequenceStart,
    /// One access unit; of av01 a temporal unit.
    CodedFrames {
        /// Presentation time minus decode time, milliseconds: a signed 24-bit number.
        composition_ms: i32,
    },
    /// The track ends: an empty body.
    SequenceEnd,
    /// AMF0: a name and its value, which is `colorInfo` and an object.
    Metadata,
    /// An AV1 video descriptor of MPEG-TS in place of a configuration record.
    Mpeg2TsSequenceStart,
    /// Channels and the speakers they are for.
    MultichannelConfig,
}

/// Whether the encoder calls a picture a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// FrameType 1, of this picture.
    KeyFrame,
    /// Any other FrameType, sound, or one FrameType for several tracks, which says nothing of each.
    Nothing,
}

/// What a message holds for one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// Enhanced RTMP's trackId; audio and video count for themselves. 0 without multitrack.
    pub(super) track: u8,
    pub(super) codec: FourCc,
    pub(super) packet: Packet,
    pub(super) announced: Announced,
    /// Nanoseconds that the message is later than its timestamp says: 0..=999 999.
    pub(super) nanos: u32,
    /// A slice of the message.
    pub(super) payload: Bytes,
}

/// CompositionTime: a signed 24-bit number, however many readers take it for unsigned.
pub(super) const fn signed_24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_be_bytes([a, b, c, 0]) >> 8
}
