//! Messages serialised once and sent many times: only timestamp and message stream id differ.
//!
//! Every message begins with a type 0 chunk, so it depends on nothing sent before it (RTMP 1.0
//! §5.3.1.2.1). Real encoders compress a few header bytes more; against an access unit that is
//! nothing. No handshake and no commands here: those go through `rml_rtmp`.

/// Largest chunk payload we send, bytes: what OBS and librtmp announce.
pub(crate) const CHUNK_SIZE: usize = 4096;

/// Length of a type 0 chunk header with a one-byte basic header.
const HEAD: usize = 12;

/// From here on a timestamp needs the extended field, which is not written here (RTMP 1.0 §5.3.1.3).
pub(crate) const TIMESTAMP_LIMIT: u32 = 0x00FF_FFFF;

/// RTMP message types that are sent while publishing (RTMP 1.0 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An FLV audio tag body.
    Audio,
    /// An FLV video tag body.
    Video,
    /// AMF0 data: onMetaData.
    Data,
}

impl Kind {
    fn type_id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Data => 18,
        }
    }

    fn chunk_stream(self) -> u8 {
        match self {
            Self::Audio => 4,
            Self::Video => 6,
            Self::Data => 5,
        }
    }
}

/// One message as chunks.
#[derive(Debug)]
pub(crate) struct Message {
    head: [u8; HEAD],
    /// The payload with the type 3 headers inside.
    rest: Vec<u8>,
}

impl Message {
    /// Cuts a payload into chunks.
    ///
    /// # Panics
    /// If the payload is longer than the 24-bit length field can say.
    pub(crate) fn new(kind: Kind, payload: &[u8]) -> Self {
        let length = u32::try_from(payload.len()).expect("a payload should fit its length field");
        assert!(length < 1 << 24, "a payload should fit its length field");
        let [_, l2, l1, l0] = length.to_be_bytes();
        let csid = kind.chunk_stream();
        let head = [csid, 0, 0, 0, l2, l1, l0, kind.type_id(), 0, 0, 0, 0];
        let mut rest = Vec::with_capacity(payload.len() + payload.len() / CHUNK_SIZE);
        for (index, chunk) in payload.chunks(CHUNK_SIZE).enumerate() {
            if index > 0 {
                rest.push(0xC0 | csid);
            }
            rest.extend_from_slice(chunk);
        }
        Self { head, rest }
    }

    /// The first chunk's header for this time and message stream, and all that follows it.
    ///
    /// # Panics
    /// If the timestamp needs the extended field.
    pub(crate) fn at(&self, timestamp_ms: u32, message_stream: u32) -> ([u8; HEAD], &[u8]) {
        assert!(
            timestamp_ms < TIMESTAMP_LIMIT,
            "a bench should end before 4.6 hours of media"
        );
        let mut head = self.head;
        head[1..4].copy_from_slice(&timestamp_ms.to_be_bytes()[1..]);
        head[8..].copy_from_slice(&message_stream.to_le_bytes());
        (head, &self.rest)
    }
}

#[cfg(test)]
mod tests {
    use rml_rtmp::chunk_io::ChunkDeserializer;

    use super::*;

    #[test]
    fn another_reader_finds_what_was_written() {
        let mut reader = ChunkDeserializer::new();
        reader.set_max_chunk_size(CHUNK_SIZE).unwrap();
        for (kind, length) in [
            (Kind::Video, CHUNK_SIZE * 3 + 1),
            (Kind::Audio, 341),
            (Kind::Video, CHUNK_SIZE),
            (Kind::Data, 1),
        ] {
            let payload: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let message = Message::new(kind, &payload);
            for timestamp in [0, 33, 65_536, TIMESTAMP_LIMIT - 1] {
                let (head, rest) = message.at(timestamp, 7);
                let wire = [&head[..], rest].concat();
                let read = reader.get_next_message(&wire).unwrap().unwrap();
                assert_eq!(read.timestamp.value, timestamp);
                assert_eq!(read.message_stream_id, 7);
                assert_eq!(read.type_id, kind.type_id());
                assert_eq!(read.data, payload);
                assert_eq!(reader.get_next_message(&[]).unwrap(), None);
            }
        }
    }
}
