//! VIDEODATA and AUDIODATA (FLV 10.1 §E.4.3, §E.4.2) as they were before Enhanced RTMP: one body a message, of
//! track 0, and the codec by its number.
//!
//! Numbers that never were in the standard but are sent for codecs that Enhanced RTMP names now are read as those:
//! HEVC as 12 and AV1 as 13 with AVCVIDEOPACKET's header (cameras, encoders and forks of FFmpeg mostly from China),
//! Opus as 13 (ZLMediaKit and its forks of FFmpeg). They are never written.

use bytes::{Buf, Bytes};
use media::TrackKind;
use thiserror::Error;

use super::body::{Announced, Body, FourCc, Packet, signed_24};

/// FrameType: decoding can begin here, as the encoder says.
const KEY_FRAME: u8 = 1;
/// FrameType: a command to the player, no picture.
const COMMAND_FRAME: u8 = 5;

const SEQUENCE_HEADER: u8 = 0;
const CODED: u8 = 1;
const END_OF_SEQUENCE: u8 = 2;

/// FrameType and CodecID, AVCPacketType, CompositionTime.
const VIDEO_HEADER_BYTES: usize = 5;

/// Why a message has no body that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Error {
    #[error("a video message of {0} bytes is shorter than its header of {VIDEO_HEADER_BYTES}")]
    ShortVideo(usize),
    #[error("a video message has AVC packet type {0}; 0, 1 and 2 are defined")]
    AvcPacketType(u8),
    #[error("an AAC message of 1 byte ends before its packet type")]
    ShortAac,
    #[error("an AAC message has packet type {0}; 0 and 1 are defined")]
    AacPacketType(u8),
    /// Nothing a decoder could be given, so something is missing.
    #[error("{0} message has an access unit of 0 bytes; dropped")]
    Empty(&'static str),
    #[error("video codec {0} is not known here")]
    VideoCodec(u8),
    #[error("sound format {0} is not known here")]
    SoundFormat(u8),
}

/// The body in VIDEODATA or AUDIODATA; `None` where there is none to be expected.
pub(super) fn body(kind: TrackKind, message: &Bytes) -> Result<Option<Body>, Error> {
    match kind {
        TrackKind::Video => video(message),
        TrackKind::Audio => audio(message),
    }
}

/// The body in VIDEODATA; `None` where there is none to be expected.
pub(super) fn video(message: &Bytes) -> Result<Option<Body>, Error> {
    let first = message.first().copied().unwrap_or(0);
    let frame_type = first >> 4;
    if frame_type == COMMAND_FRAME {
        return Ok(None);
    }
    let codec = match first & 0x0f {
        7 => FourCc::AVC,
        12 => FourCc::HEVC,
        13 => FourCc::AV1,
        other => return Err(Error::VideoCodec(other)),
    };
    let Some(&[_, packet_type, c0, c1, c2]) = message.first_chunk::<VIDEO_HEADER_BYTES>() else {
        // Some encoders end a publish with a bare two-byte end of sequence.
        return match message.get(1) {
            Some(&END_OF_SEQUENCE) => Ok(None),
            _ => Err(Error::ShortVideo(message.len())),
        };
    };
    let payload = message.slice(VIDEO_HEADER_BYTES..);
    let packet = match packet_type {
        SEQUENCE_HEADER => Packet::SequenceStart,
        CODED if payload.is_empty() => return Err(Error::Empty("a video")),
        CODED => Packet::CodedFrames {
            composition_ms: signed_24([c0, c1, c2]),
        },
        END_OF_SEQUENCE => return Ok(None),
        other => return Err(Error::AvcPacketType(other)),
    };
    Ok(Some(Body {
        announced: if frame_type == KEY_FRAME {
            Announced::KeyFrame
        } else {
            Announced::Nothing
        },
        ..of_track_0(codec, packet, payload)
    }))
}

/// The body in AUDIODATA.
pub(super) fn audio(message: &Bytes) -> Result<Option<Body>, Error> {
    let mut payload = message.clone();
    let format = payload.try_get_u8().unwrap_or(0) >> 4;
    let (codec, packet, what) = match format {
        2 | 14 => (FourCc::MP3, CODED, "an MP3"),
        10 => {
            let packet_type = payload.try_get_u8().map_err(|_| Error::ShortAac)?;
            (FourCc::AAC, packet_type, "an AAC")
        }
        13 => (FourCc::OPUS, opus_packet_type(&mut payload), "an Opus"),
        other => return Err(Error::SoundFormat(other)),
    };
    let packet = match packet {
        SEQUENCE_HEADER => Packet::SequenceStart,
        CODED if payload.is_empty() => return Err(Error::Empty(what)),
        CODED => Packet::CodedFrames { composition_ms: 0 },
        other => return Err(Error::AacPacketType(other)),
    };
    Ok(Some(of_track_0(codec, packet, payload)))
}

/// AACPacketType, which some write before Opus and some leave out. Without it the first byte is an Opus TOC (RFC 6716
/// §3.1), and one of 0 or 1 would be 10 ms of mono telephone sound.
fn opus_packet_type(payload: &mut Bytes) -> u8 {
    match payload.first() {
        Some(&packet_type @ (SEQUENCE_HEADER | CODED)) => {
            payload.advance(1);
            packet_type
        }
        _ => CODED,
    }
}

const fn of_track_0(codec: FourCc, packet: Packet, payload: Bytes) -> Body {
    Body {
        track: 0,
        codec,
        packet,
        announced: Announced::Nothing,
        nanos: 0,
        payload,
    }
}
