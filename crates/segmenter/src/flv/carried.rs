//! Which codecs are carried, and where each has its configuration from: a codec more is a line here.

use bytes::Bytes;
use media::codec::{
    Aac, Ac3, Av1, ConfigurationError, Eac3, Flac, H264, H265, Mp3, Opus, OpusHead, Vp9KeyFrame,
    Vp9Record,
};
use media::{Codec, TrackKind};

use super::body::FourCc;

/// Channels of Opus whose encoder says nothing of them.
const STEREO: u8 = 2;

/// Reads the body of SequenceStart.
type ParseRecord = fn(Bytes) -> Result<Head, ConfigurationError>;
/// Reads an access unit.
type ParseUnit = fn(&[u8]) -> Result<Codec, ConfigurationError>;

/// Where a codec's configuration stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Configured {
    /// In a record of its own, ahead of the media: the body of SequenceStart.
    ByRecord(ParseRecord),
    /// In the record, unless that is empty or never comes: then one or two channels are all there is to know.
    WithOrWithoutRecord(ParseRecord),
    /// In each access unit. SequenceStart is not needed, and often empty.
    ByUnit(ParseUnit),
}

/// What is known of a track's configuration before its access units.
#[derive(Clone, Debug)]
pub(super) enum Head {
    /// All of it.
    Whole(Codec),
    /// What key frames do not say.
    Vp9(Vp9Record),
    /// What packets do not say.
    Opus(OpusHead),
    /// Nothing.
    InUnits(ParseUnit),
}

/// How `codec` is configured; `None` if it is not carried as `kind`.
pub(super) fn configured(kind: TrackKind, codec: FourCc) -> Option<Configured> {
    use Configured::{ByRecord, ByUnit, WithOrWithoutRecord};
    Some(match (kind, codec) {
        (TrackKind::Video, FourCc::AVC) => {
            ByRecord(|record| H264::parse(record).map(Codec::H264).map(Head::Whole))
        }
        (TrackKind::Video, FourCc::HEVC) => {
            ByRecord(|record| H265::parse(record).map(Codec::H265).map(Head::Whole))
        }
        (TrackKind::Video, FourCc::AV1) => {
            ByRecord(|record| Av1::parse(record).map(Codec::Av1).map(Head::Whole))
        }
        (TrackKind::Video, FourCc::VP9) => {
            ByRecord(|record| Vp9Record::parse(record).map(Head::Vp9))
        }
        (TrackKind::Audio, FourCc::AAC) => {
            ByRecord(|config| Aac::parse(config).map(Codec::Aac).map(Head::Whole))
        }
        (TrackKind::Audio, FourCc::FLAC) => {
            ByRecord(|config| Flac::parse(config).map(Codec::Flac).map(Head::Whole))
        }
        (TrackKind::Audio, FourCc::OPUS) => {
            WithOrWithoutRecord(|head| OpusHead::parse(head).map(Head::Opus))
        }
        (TrackKind::Audio, FourCc::AC3) => ByUnit(|unit| Ac3::parse(unit).map(Codec::Ac3)),
        (TrackKind::Audio, FourCc::EAC3) => ByUnit(|unit| Eac3::parse(unit).map(Codec::Eac3)),
        (TrackKind::Audio, FourCc::MP3) => ByUnit(|frame| Mp3::parse(frame).map(Codec::Mp3)),
        _ => return None,
    })
}

impl Configured {
    /// What the body of SequenceStart says; `None` if nothing. `channels` are those of a MultichannelConfig.
    pub(super) fn read(
        self,
        record: &Bytes,
        channels: Option<u8>,
    ) -> Result<Option<Head>, ConfigurationError> {
        match self {
            Self::WithOrWithoutRecord(_) if record.is_empty() => {
                OpusHead::of_channels(channels.unwrap_or(STEREO)).map(|head| Some(Head::Opus(head)))
            }
            Self::ByRecord(parse) | Self::WithOrWithoutRecord(parse) => {
                parse(record.clone()).map(Some)
            }
            Self::ByUnit(_) => Ok(None),
        }
    }

    /// What holds as long as no SequenceStart has come; `None` if that has to be waited for.
    pub(super) fn assumed(self, channels: Option<u8>) -> Option<Head> {
        match self {
            Self::ByRecord(_) => None,
            Self::WithOrWithoutRecord(_) => self.read(&Bytes::new(), channels).ok().flatten(),
            Self::ByUnit(parse) => Some(Head::InUnits(parse)),
        }
    }
}

impl Head {
    /// The configuration that `unit` has told; `None` if the one in force stays.
    pub(super) fn told_by(&self, unit: &[u8]) -> Result<Option<Codec>, ConfigurationError> {
        Ok(match self {
            Self::Whole(_) => None,
            Self::Vp9(record) => Vp9KeyFrame::read(unit)?.map(|key| Codec::Vp9(record.with(key))),
            Self::Opus(head) => Some(Codec::Opus(head.with(Opus::samples(unit)?))),
            Self::InUnits(parse) => Some(parse(unit)?),
        })
    }
}
