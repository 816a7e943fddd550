//! ExVideoTagHeader and ExAudioTagHeader (Veovera Enhanced RTMP v2, "Enhanced Video" and "Enhanced Audio"): one
//! message may hold bodies of several tracks.
//!
//! On the wire: any number of ModEx prefixes, then for a multitrack message what its tracks share, then one body
//! after another. What a body means does not belong here, nor which codecs are carried.

use bytes::{Buf, Bytes};
use media::TrackKind;
use thiserror::Error;

use super::body::{Announced, Body, FourCc, Packet, signed_24};
use super::track_set::TrackSet;
use crate::per_kind::word;

/// Tracks in a message, and of a kind in a publish. Encoders send a handful: renditions, languages, commentaries.
pub(super) const MAX_TRACKS: u32 = 32;

/// FrameType: decoding can begin here, as the encoder says.
const KEY_FRAME: u8 = 1;
/// FrameType: a command to the player, no picture.
const COMMAND_FRAME: u8 = 5;

/// ModExType: data is a number of nanoseconds.
const TIMESTAMP_OFFSET_NANO: u8 = 0;
/// Most nanoseconds of an offset: more would be a millisecond.
const MAX_NANOS: u32 = 999_999;
/// Size of ModEx data at which a longer size follows.
const LONG_MOD_EX: usize = 256;

/// Why a message, or the rest of it, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Error {
    /// It ends inside its headers.
    #[error("an Enhanced RTMP {kind} message of {bytes} bytes ends before its {field}")]
    Truncated {
        kind: &'static str,
        bytes: usize,
        field: &'static str,
    },
    /// A track that goes beyond the message.
    #[error(
        "an Enhanced RTMP {kind} message gives track {track} {size} bytes, but has {left} left; dropped from there on"
    )]
    TrackSize {
        kind: &'static str,
        track: u8,
        size: usize,
        left: usize,
    },
    #[error(
        "an Enhanced RTMP {0} message has more than {MAX_TRACKS} tracks; those beyond are dropped"
    )]
    TooManyTracks(&'static str),
    #[error("an Enhanced RTMP {kind} message has track {track} twice; dropped from there on")]
    RepeatedTrack { kind: &'static str, track: u8 },
    /// A value that this version of Enhanced RTMP gives no meaning.
    #[error(
        "Enhanced RTMP {} {field} {value} is reserved; messages with it are dropped",
        word(*kind)
    )]
    Reserved {
        kind: TrackKind,
        field: Field,
        value: u8,
    },
}

/// A field with reserved values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// VideoPacketType, AudioPacketType.
    PacketType,
    /// AvMultitrackType.
    MultitrackType,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PacketType => "packet type",
            Self::MultitrackType => "multitrack type",
        })
    }
}

/// VideoPacketType and AudioPacketType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PacketType {
    CodedFramesWithTime,
    CodedFrames,
    Multitrack,
    ModEx,
    Other(Packet),
}

impl PacketType {
    fn read(kind: TrackKind, value: u8) -> Result<Self, Error> {
        Ok(match (kind, value) {
            (_, 0) => Self::Other(Packet::SequenceStart),
            (TrackKind::Video, 1) => Self::CodedFramesWithTime,
            (TrackKind::Audio, 1) | (TrackKind::Video, 3) => Self::CodedFrames,
            (_, 2) => Self::Other(Packet::SequenceEnd),
            (TrackKind::Video, 4) => Self::Other(Packet::Metadata),
            (TrackKind::Audio, 4) => Self::Other(Packet::MultichannelConfig),
            (TrackKind::Video, 5) => Self::Other(Packet::Mpeg2TsSequenceStart),
            (TrackKind::Audio, 5) | (TrackKind::Video, 6) => Self::Multitrack,
            (_, 7) => Self::ModEx,
            _ => {
                let field = Field::PacketType;
                return Err(Error::Reserved { kind, field, value });
            }
        })
    }
}

/// How the bodies of a message lie in it.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// One, of track 0: the rest of the message.
    NoTrack(FourCc),
    /// One, behind its trackId: the rest of the message.
    OneTrack(FourCc),
    /// Each behind its trackId and size.
    ManyTracks(FourCc),
    /// Each behind its FourCC, trackId and size.
    ManyCodecs,
}

/// The bodies of a message, in their order; an error is the last item, what came before it stands.
#[derive(Debug)]
pub(super) struct Bodies {
    kind: TrackKind,
    /// Length of the message.
    bytes: usize,
    rest: Bytes,
    at: At,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Header,
    Bodies(Header, TrackSet),
    End,
}

/// What all bodies of a message share.
#[derive(Clone, Copy, Debug)]
struct Header {
    packet: PacketType,
    layout: Layout,
    announced: Announced,
    nanos: u32,
}

impl Bodies {
    /// Those of `message`, whose first byte says that it has an enhanced header.
    pub(super) fn new(kind: TrackKind, message: Bytes) -> Self {
        Self {
            kind,
            bytes: message.len(),
            rest: message,
            at: At::Header,
        }
    }

    /// The header; `None` for a command to the player.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let [first] = self.take("first byte")?;
        // Above an audio packet type stands SoundFormat, which is 9.
        let frame_type = match self.kind {
            TrackKind::Video => first >> 4 & 7,
            TrackKind::Audio => 0,
        };
        let mut packet = PacketType::read(self.kind, first & 0x0f)?;
        let mut nanos = 0;
        while packet == PacketType::ModEx {
            packet = self.mod_ex(&mut nanos)?;
        }
        // What is no picture has no FrameType; encoders write anything there, 5 too.
        if frame_type == COMMAND_FRAME && packet != PacketType::Other(Packet::Metadata) {
            return Ok(None);
        }
        let layout = if packet == PacketType::Multitrack {
            let [types] = self.take("multitrack type")?;
            packet = match PacketType::read(self.kind, types & 0x0f)? {
                PacketType::Multitrack | PacketType::ModEx => {
                    return Err(self.reserved(Field::PacketType, types & 0x0f));
                }
                packet => packet,
            };
            match types >> 4 {
                0 => Layout::OneTrack(self.four_cc()?),
                1 => Layout::ManyTracks(self.four_cc()?),
                2 => Layout::ManyCodecs,
                other => return Err(self.reserved(Field::MultitrackType, other)),
            }
        } else {
            Layout::NoTrack(self.four_cc()?)
        };
        let one = matches!(layout, Layout::NoTrack(_) | Layout::OneTrack(_));
        Ok(Some(Header {
            packet,
            layout,
            announced: if one && frame_type == KEY_FRAME {
                Announced::KeyFrame
            } else {
                Announced::Nothing
            },
            nanos,
        }))
    }

    /// Behind a ModEx packet type: its data, and the packet type that comes next.
    fn mod_ex(&mut self, nanos: &mut u32) -> Result<PacketType, Error> {
        let [short] = self.take("ModEx size")?;
        let mut size = usize::from(short) + 1;
        if size == LONG_MOD_EX {
            size = usize::from(u16::from_be_bytes(self.take("ModEx size")?)) + 1;
        }
        if self.rest.len() < size {
            return Err(self.truncated("ModEx data"));
        }
        let data = self.rest.split_to(size);
        let [types] = self.take("packet type")?;
        if types >> 4 == TIMESTAMP_OFFSET_NANO
            && let Some(&[a, b, c]) = data.first_chunk()
            && let offset @ ..=MAX_NANOS = u32::from_be_bytes([0, a, b, c])
        {
            *nanos = offset;
        }
        PacketType::read(self.kind, types & 0x0f)
    }

    /// The next body.
    fn body(&mut self, header: &Header, seen: &mut TrackSet) -> Result<Body, Error> {
        let kind = word(self.kind);
        let (codec, track) = match header.layout {
            Layout::NoTrack(codec) => (codec, 0),
            Layout::OneTrack(codec) | Layout::ManyTracks(codec) => (codec, self.track()?),
            Layout::ManyCodecs => (self.four_cc()?, self.track()?),
        };
        let mut payload = match header.layout {
            Layout::NoTrack(_) | Layout::OneTrack(_) => std::mem::take(&mut self.rest),
            Layout::ManyTracks(_) | Layout::ManyCodecs => {
                let [a, b, c] = self.take("track size")?;
                let size = u32::from_be_bytes([0, a, b, c]) as usize;
                let left = self.rest.len();
                if size > left {
                    return Err(Error::TrackSize {
                        kind,
                        track,
                        size,
                        left,
                    });
                }
                self.rest.split_to(size)
            }
        };
        if !seen.insert(track) {
            return Err(Error::RepeatedTrack { kind, track });
        }
        if seen.len() > MAX_TRACKS {
            return Err(Error::TooManyTracks(kind));
        }
        let mut composition_ms = 0;
        if header.packet == PacketType::CodedFramesWithTime && codec.has_composition_time() {
            let Some(&time) = payload.first_chunk() else {
                return Err(self.truncated("composition time"));
            };
            composition_ms = signed_24(time);
            payload.advance(time.len());
        }
        Ok(Body {
            track,
            codec,
            packet: match header.packet {
                PacketType::Other(packet) => packet,
                _ => Packet::CodedFrames { composition_ms },
            },
            announced: header.announced,
            nanos: header.nanos,
            payload,
        })
    }

    fn four_cc(&mut self) -> Result<FourCc, Error> {
        self.take("FourCC").map(FourCc)
    }

    fn track(&mut self) -> Result<u8, Error> {
        self.take("track id").map(|[track]| track)
    }

    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let Some(&taken) = self.rest.first_chunk::<N>() else {
            return Err(self.truncated(field));
        };
        self.rest.advance(N);
        Ok(taken)
    }

    const fn truncated(&self, field: &'static str) -> Error {
        Error::Truncated {
            kind: word(self.kind),
            bytes: self.bytes,
            field,
        }
    }

    const fn reserved(&self, field: Field, value: u8) -> Error {
        Error::Reserved {
            kind: self.kind,
            field,
            value,
        }
    }
}

impl Iterator for Bodies {
    type Item = Result<Body, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (header, mut seen) = match std::mem::replace(&mut self.at, At::End) {
            At::Header => match self.header() {
                Ok(header) => (header?, TrackSet::default()),
                Err(error) => return Some(Err(error)),
            },
            At::Bodies(header, seen) => (header, seen),
            At::End => return None,
        };
        let body = self.body(&header, &mut seen);
        // All of the rest belongs to a body that has no size of its own.
        if body.is_ok() && !self.rest.is_empty() {
            self.at = At::Bodies(header, seen);
        }
        Some(body)
    }
}

#[cfg(test)]
mod tests;
