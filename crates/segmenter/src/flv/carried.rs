//! Which codecs are carried, and where each has its configuration from: a codec more is a line here.

use bytes::Bytes;
use media::codec::{Aac, ConfigurationError, H264, Mp3};
use media::{Codec, TrackKind};

use super::body::FourCc;

/// Reads a configuration.
type Parse = fn(Bytes) -> Result<Codec, ConfigurationError>;

/// Where a codec's configuration stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Configured {
    /// In a record of its own, ahead of the media: the body of SequenceStart.
    ByRecord(Parse),
    /// In each access unit. SequenceStart is not needed, and often empty.
    ByUnit(Parse),
}

/// How `codec` is configured; `None` if it is not carried as `kind`.
pub(super) fn configured(kind: TrackKind, codec: FourCc) -> Option<Configured> {
    Some(match (kind, codec) {
        (TrackKind::Video, FourCc::AVC) => {
            Configured::ByRecord(|record| H264::parse(record).map(Codec::H264))
        }
        (TrackKind::Audio, FourCc::AAC) => {
            Configured::ByRecord(|config| Aac::parse(config).map(Codec::Aac))
        }
        (TrackKind::Audio, FourCc::MP3) => {
            Configured::ByUnit(|frame| Mp3::parse(&frame).map(Codec::Mp3))
        }
        _ => return None,
    })
}
