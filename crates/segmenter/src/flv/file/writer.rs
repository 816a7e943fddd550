//! The other way: messages as the tags of a file, without a copy of their bodies.

use media::{Message, MessageKind};

use super::{AUDIO, HEADER_BYTES, PREVIOUS_TAG_SIZE_BYTES, SCRIPT, TAG_HEADER_BYTES, VIDEO};

/// TypeFlags of the header: sound, pictures.
const HAS_AUDIO: u8 = 4;
const HAS_VIDEO: u8 = 1;

/// What a file begins with, up to its first tag: for players and encoders, which kinds of `tracks` they have to wait
/// for.
pub fn header(tracks: &[MessageKind]) -> [u8; HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES] {
    let flag = |kind: &MessageKind| match kind {
        MessageKind::Audio => HAS_AUDIO,
        MessageKind::Video => HAS_VIDEO,
        MessageKind::Data => 0,
    };
    let flags = tracks.iter().map(flag).fold(0, |all, flag| all | flag);
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// What stands around a message's payload in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Before it: the tag's header.
    pub before: [u8; TAG_HEADER_BYTES],
    /// Behind it: the size of the tag.
    pub behind: [u8; PREVIOUS_TAG_SIZE_BYTES],
}

impl Framing {
    /// That of `message`, dated `timestamp_ms`; `None` if its payload is longer than the 16 777 215 bytes that a tag can
    /// say.
    pub fn of(message: &Message, timestamp_ms: u32) -> Option<Self> {
        let tag_type = match message.kind {
            MessageKind::Audio => AUDIO,
            MessageKind::Video => VIDEO,
            MessageKind::Data => SCRIPT,
        };
        let size = u32::try_from(message.payload.len()).ok()?;
        let tag = u32::try_from(TAG_HEADER_BYTES + message.payload.len()).ok()?;
        let [0, s0, s1, s2] = size.to_be_bytes() else {
            return None;
        };
        let [t_high, t0, t1, t2] = timestamp_ms.to_be_bytes();
        Some(Self {
            before: [tag_type, s0, s1, s2, t0, t1, t2, t_high, 0, 0, 0],
            behind: tag.to_be_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;
    use proptest::prelude::*;

    fn kinds() -> impl Strategy<Value = MessageKind> {
        prop_oneof![
            Just(MessageKind::Audio),
            Just(MessageKind::Video),
            Just(MessageKind::Data)
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            messages in proptest::collection::vec(
                (kinds(), any::<u32>(), proptest::collection::vec(any::<u8>(), 0..300)),
                0..20,
            ),
        ) {
            let mut reader = Reader::new();
            reader.push(&header(&[MessageKind::Audio, MessageKind::Video]));
            for (kind, timestamp_ms, body) in messages {
                let message = Message { kind, timestamp_ms, payload: body.into() };
                let framing = Framing::of(&message, timestamp_ms).expect("short enough");
                reader.push(&framing.before);
                reader.push(&message.payload);
                reader.push(&framing.behind);
                prop_assert_eq!(reader.pull(), Ok(Some(message)));
            }
            prop_assert_eq!(reader.pull(), Ok(None));
            prop_assert_eq!(reader.unread(), 0);
        }
    }

    #[test]
    fn a_header_says_what_there_is() {
        assert_eq!(header(&[MessageKind::Video])[4], 1);
        assert_eq!(header(&[MessageKind::Video, MessageKind::Audio])[4], 5);
    }

    #[test]
    fn a_tag_has_its_limit() {
        let message = |bytes| Message {
            kind: MessageKind::Video,
            timestamp_ms: 0,
            payload: vec![0; bytes].into(),
        };
        assert!(Framing::of(&message((1 << 24) - 1), 0).is_some());
        assert_eq!(Framing::of(&message(1 << 24), 0), None);
    }
}
