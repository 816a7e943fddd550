//! What a message is for who passes it on, by its first bytes: to begin in the middle of a publish, its configurations
//! and a key frame are needed.
//!
//! What does not belong here: what is in it (the demuxer takes it apart).

use bytes::Buf;
use media::{Message, MessageKind};

use super::{EX_AUDIO, EX_VIDEO};

/// FrameType: a key frame.
const KEY: u8 = 1;
/// CodecID: from AVC on, a packet type follows; before, bodies are whole pictures.
const AVC: u8 = 7;
/// SoundFormat: AAC, whose packet type follows.
const AAC: u8 = 10;
/// Packet types of Enhanced RTMP, the same for audio and video but for the last two.
const SEQUENCE_START: u8 = 0;
const CODED: [u8; 2] = [1, 3];
const VIDEO_MULTITRACK: u8 = 6;
const AUDIO_MULTITRACK: u8 = 5;
const MOD_EX: u8 = 7;

/// What a message is, beside what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The configuration of what follows: a sequence header.
    Configuration,
    /// A picture that its encoder calls a key frame.
    KeyFrame,
    /// Another picture, or sound.
    Media,
    /// Several tracks, or one beside the first (Enhanced RTMP v2, multitrack).
    Tracks,
    /// No media: data, and what only announces.
    Other,
}

impl Role {
    /// What `message` is.
    pub fn of(message: &Message) -> Self {
        let mut body = message.payload.as_ref();
        let role = match message.kind {
            MessageKind::Video => video(&mut body),
            MessageKind::Audio => audio(&mut body),
            MessageKind::Data => None,
        };
        role.unwrap_or(Self::Other)
    }
}

fn video(body: &mut &[u8]) -> Option<Role> {
    let first = body.try_get_u8().ok()?;
    let coded = if (first >> 4) & 0x07 == KEY {
        Role::KeyFrame
    } else {
        Role::Media
    };
    if first & EX_VIDEO == 0 {
        let packet_type = if first & 0x0f < AVC {
            CODED[0]
        } else {
            body.try_get_u8().ok()?
        };
        return Some(match packet_type {
            SEQUENCE_START => Role::Configuration,
            1 => coded,
            _ => Role::Other,
        });
    }
    Some(match packet_type(first, body)? {
        SEQUENCE_START => Role::Configuration,
        VIDEO_MULTITRACK => Role::Tracks,
        it if CODED.contains(&it) => coded,
        _ => Role::Other,
    })
}

fn audio(body: &mut &[u8]) -> Option<Role> {
    let first = body.try_get_u8().ok()?;
    let packet_type = match first >> 4 {
        AAC => body.try_get_u8().ok()?,
        EX_AUDIO => packet_type(first, body)?,
        _ => CODED[0],
    };
    Some(match packet_type {
        SEQUENCE_START => Role::Configuration,
        1 => Role::Media,
        AUDIO_MULTITRACK => Role::Tracks,
        _ => Role::Other,
    })
}

/// The packet type of Enhanced RTMP, which ModEx may stand before.
fn packet_type(first: u8, body: &mut &[u8]) -> Option<u8> {
    let mut packet_type = first & 0x0f;
    while packet_type == MOD_EX {
        let mut size = usize::from(body.try_get_u8().ok()?) + 1;
        if size == 256 {
            size = usize::from(body.try_get_u16().ok()?) + 1;
        }
        *body = body.get(size..)?;
        packet_type = body.try_get_u8().ok()? & 0x0f;
    }
    Some(packet_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_with_their_first_bytes_what_they_are() {
        use MessageKind::{Audio, Data, Video};
        let cases: [(&str, MessageKind, &[u8], Role); 16] = [
            (
                "AVC configuration",
                Video,
                &[0x17, 0, 0, 0, 0],
                Role::Configuration,
            ),
            ("AVC key frame", Video, &[0x17, 1, 0, 0, 0], Role::KeyFrame),
            ("AVC picture", Video, &[0x27, 1, 0, 0, 0], Role::Media),
            ("AVC end", Video, &[0x17, 2, 0, 0, 0], Role::Other),
            ("Sorenson key frame", Video, &[0x12, 0], Role::KeyFrame),
            (
                "HEVC configuration",
                Video,
                b"\x90hvc1",
                Role::Configuration,
            ),
            ("HEVC key frame", Video, b"\x93hvc1", Role::KeyFrame),
            ("HEVC picture", Video, b"\xa1hvc1", Role::Media),
            (
                "behind ModEx",
                Video,
                &[0x97, 2, 0, 0, 1, 3, b'h'],
                Role::KeyFrame,
            ),
            (
                "behind endless ModEx",
                Video,
                &[0x97, 0xff, 0xff, 0xff, 1],
                Role::Other,
            ),
            ("several tracks", Video, &[0x96, 0], Role::Tracks),
            (
                "AAC configuration",
                Audio,
                &[0xaf, 0, 0x11],
                Role::Configuration,
            ),
            ("AAC", Audio, &[0xaf, 1, 0x21], Role::Media),
            ("MP3", Audio, &[0x2f, 0], Role::Media),
            ("Opus", Audio, b"\x91Opus", Role::Media),
            ("data", Data, &[2], Role::Other),
        ];
        for (what, kind, body, expected) in cases {
            let message = Message {
                kind,
                timestamp_ms: 0,
                payload: body.to_vec().into(),
            };
            assert_eq!(Role::of(&message), expected, "{what}");
        }
    }
}
