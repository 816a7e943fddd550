//! The forms of packed audio (rfc8216bis §3.1.3): sound as the files have it that are named by its codec.
//!
//! What does not belong here: its bytes (`segmenter::ts::packed_audio`).

use crate::{Codec, Segment};

/// What packed audio is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedAudio {
    /// AAC with ADTS headers.
    Aac,
    /// MPEG-1/2 layer III.
    Mp3,
    /// AC-3.
    Ac3,
    /// Enhanced AC-3.
    Eac3,
}

impl PackedAudio {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aac, Self::Mp3, Self::Ac3, Self::Eac3];

    /// Of the first sound in `segment`; `None` where that has none, or none that is packed audio.
    pub fn of(segment: &Segment) -> Option<Self> {
        let mut codecs = segment.tracks.iter().map(|track| &track.codec);
        codecs.find_map(|codec| match codec {
            Codec::Aac(_) => Some(Self::Aac),
            Codec::Mp3(_) => Some(Self::Mp3),
            Codec::Ac3(_) => Some(Self::Ac3),
            Codec::Eac3(_) => Some(Self::Eac3),
            _ => None,
        })
    }

    /// The extension of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
            Self::Ac3 => "ac3",
            Self::Eac3 => "ec3",
        }
    }
}
