//! What a message is for who passes it on: to begin in the middle of a publish, its configurations are needed.
//!
//! What does not belong here: what is in it (the demuxer takes it apart).

use media::Message;

use super::body::{Body, Packet};
use super::{Bodies, enhanced, legacy};

/// What a message is, beside what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The configuration of what follows: a sequence header.
    Configuration,
    /// A picture, or sound.
    Media,
    /// Data, what only announces, what is malformed; and several tracks in one, or one beside the first.
    Other,
}

impl Role {
    /// What `message` is.
    pub fn of(message: &Message) -> Self {
        let body = match Bodies::of(message) {
            Bodies::None => None,
            Bodies::Legacy(kind, message) => legacy::body(kind, &message).ok().flatten(),
            Bodies::Enhanced(_, bodies) => only(bodies),
        };
        match body {
            Some(Body { track: 1.., .. }) | None => Self::Other,
            Some(body) => match body.packet {
                Packet::SequenceStart | Packet::Mpeg2TsSequenceStart => Self::Configuration,
                Packet::CodedFrames { .. } => Self::Media,
                Packet::SequenceEnd | Packet::Metadata | Packet::MultichannelConfig => Self::Other,
            },
        }
    }
}

/// The body of a message that has one.
fn only(mut bodies: enhanced::Bodies) -> Option<Body> {
    let body = bodies.next()?.ok()?;
    bodies.next().is_none().then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::MessageKind;

    #[test]
    fn messages_say_with_their_headers_what_they_are() {
        use MessageKind::{Audio, Data, Video};
        use Role::{Configuration, Media, Other};
        let cases: [(&str, MessageKind, &[u8], Role); 14] = [
            ("AVC header", Video, &[0x17, 0, 0, 0, 0], Configuration),
            ("AVC key frame", Video, &[0x17, 1, 0, 0, 0, 9], Media),
            ("AVC end", Video, &[0x17, 2, 0, 0, 0], Other),
            ("no known codec", Video, &[0x12, 0], Other),
            ("HEVC header", Video, b"\x90hvc1", Configuration),
            ("HEVC picture", Video, b"\xa3hvc1\x02", Media),
            (
                "behind ModEx",
                Video,
                b"\x97\x02\0\0\x01\x03hvc1\x02",
                Media,
            ),
            ("ModEx alone", Video, &[0x97, 0xff, 0xff, 0xff, 1], Other),
            ("the second track", Video, b"\x96\x03hvc1\x01\x02", Other),
            ("AAC header", Audio, &[0xaf, 0, 0x11], Configuration),
            ("AAC", Audio, &[0xaf, 1, 0x21], Media),
            ("MP3", Audio, &[0x2f, 0xff], Media),
            ("Opus", Audio, b"\x91Opus\x78", Media),
            ("data", Data, &[2], Other),
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
