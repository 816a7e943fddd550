//! FLV tag bodies (Adobe Flash Video File Format 10.1, annex E.4.2 and E.4.3), which are also the
//! payloads of RTMP audio and video messages: out come access units, each with its codec.
//!
//! What does not belong here: repairing times (the timeline does), the chunk stream, script data.

mod audio;
pub mod file;
mod unsupported;
mod unwrap;
mod video;

use std::sync::Arc;

use bytes::Bytes;
use media::{Codec, Fault, FaultKind, Message, MessageKind, TrackKind};

use unsupported::Unsupported;
use unwrap::Unwrap;

/// An access unit as it arrived, with the sender's own times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What it is encoded with: the same `Arc` for as long as the configuration bytes stay the same.
    pub codec: Arc<Codec>,
    /// Decode time in milliseconds, unwrapped from RTMP's 32 bits.
    pub dts_ms: i64,
    /// Presentation time minus decode time in milliseconds, as sent: a signed 24-bit number.
    pub composition_ms: i32,
    /// Whether decoding can begin here.
    pub entry: Entry,
    /// Length-prefixed NAL units, a raw AAC frame, or an MP3 frame: a slice of the message.
    pub payload: Bytes,
}

/// Whether decoding can begin with an access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It needs what is before it.
    None,
    /// A picture that whole pictures are shown soon after, or at once but for a few that belong before it:
    /// intra refresh and open GOPs (ITU-T H.264 §D.2.8) that the encoder calls a key frame.
    RecoveryPoint,
    /// Nothing from before is needed any more: a picture with an IDR slice; every audio frame.
    RandomAccess,
}

impl Unit {
    /// Video or audio.
    pub fn kind(&self) -> TrackKind {
        self.codec.kind()
    }
}

/// Takes the audio and video messages of one publish apart.
///
/// After a fault it goes on with the next message as if the bad one had not been sent.
#[derive(Debug, Default)]
pub struct Demuxer {
    clock: Unwrap,
    video: video::Reader,
    audio: audio::Reader,
    unsupported: Unsupported,
}

impl Demuxer {
    /// A demuxer for a new publish.
    pub fn new() -> Self {
        Self::default()
    }

    /// The access unit in `message`; `None` for configurations, the end of a sequence, data messages
    /// and whatever else holds none.
    ///
    /// # Errors
    /// A fault to be counted: a malformed body, an unusable configuration, media before its
    /// configuration (once for each gap), a codec that is not carried (once for each codec).
    pub fn push(&mut self, message: &Message) -> Result<Option<Unit>, Fault> {
        let body = &message.payload;
        if body.is_empty() {
            return Ok(None);
        }
        let found = match message.kind {
            MessageKind::Video => self.video.read(body, &mut self.unsupported)?,
            MessageKind::Audio => self.audio.read(body, &mut self.unsupported)?,
            MessageKind::Data => None,
        };
        Ok(found.map(|found| Unit {
            codec: found.codec,
            dts_ms: self.clock.next(message.timestamp_ms),
            composition_ms: found.composition_ms,
            entry: found.entry,
            payload: found.payload,
        }))
    }
}

/// A [`Unit`] before it has its time.
struct Found {
    codec: Arc<Codec>,
    composition_ms: i32,
    entry: Entry,
    payload: Bytes,
}

fn malformed(text: String) -> Fault {
    Fault {
        kind: FaultKind::MalformedMessage,
        text,
    }
}

/// An access unit without a byte, in a message of `what`: nothing a decoder could be given, so something is missing.
fn empty(what: &str) -> Fault {
    malformed(format!(
        "{what} message has an access unit of 0 bytes; dropped"
    ))
}

/// Runs `body` through everything here that reads FLV, for corpus replay and fuzzing.
#[doc(hidden)]
pub fn fuzz(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let message = |kind, timestamp_ms, payload| Message {
        kind,
        timestamp_ms,
        payload,
    };
    let mut demuxer = Demuxer::new();
    // Once on its own, then behind the configurations that open the way to the NAL walk and raw frames.
    for configure in [false, true] {
        if configure {
            let _ = demuxer.push(&message(
                MessageKind::Video,
                0,
                Bytes::from_static(video::FUZZ_HEADER),
            ));
            let _ = demuxer.push(&message(
                MessageKind::Audio,
                0,
                Bytes::from_static(&[0xaf, 0, 0x12, 0x10]),
            ));
        }
        for kind in [MessageKind::Video, MessageKind::Audio] {
            if let Ok(Some(unit)) = demuxer.push(&message(kind, u32::MAX, body.clone())) {
                assert!(unit.payload.len() < body.len(), "a slice of the message");
            }
        }
    }
    let mut reader = file::Reader::new();
    reader.push(&body);
    while let Ok(Some(message)) = reader.pull() {
        let _ = demuxer.push(&message);
    }
}

#[cfg(test)]
mod tests;
