//! A media message as it leaves the first mile.

use bytes::Bytes;

/// Which of the three kinds of media message (RTMP 1.0 §7.1: types 8, 9 and 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// An FLV AUDIODATA body.
    Audio,
    /// An FLV VIDEODATA body.
    Video,
    /// AMF0 values: `onMetaData`, `onTextData`, `onCuePoint`, …, with `@setDataFrame` already taken off.
    Data,
}

/// One audio, video or data message of a publish: what an FLV tag holds, and what RTMP carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Audio, video or data.
    pub kind: MessageKind,
    /// The sender's timestamp, milliseconds, as sent: 32 bits that wrap.
    pub timestamp_ms: u32,
    /// The body, in one piece.
    pub payload: Bytes,
}
