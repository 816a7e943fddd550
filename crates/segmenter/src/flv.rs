//! FLV tag bodies (Adobe Flash Video File Format 10.1, annex E.4.2 and E.4.3, and Veovera Enhanced RTMP v2), which
//! are also the payloads of RTMP audio and video messages: out come access units, each with its codec and track.
//!
//! A message is read as what it is, not as what was agreed on in `connect`: encoders send Enhanced RTMP without having
//! said so (OBS 32 never does).
//!
//! What does not belong here: repairing times (the timeline does), the chunk stream, script data.

mod body;
mod carried;
mod enhanced;
mod entry;
pub mod file;
mod legacy;
mod role;
mod track;
mod track_set;
mod unsupported;
mod unwrap;

use std::sync::Arc;

use bytes::Bytes;
use media::codec::Colour;
use media::{Codec, Fault, FaultKind, Message, MessageKind, TrackKind};

pub use role::Role;
pub(crate) use track_set::TrackSet;

use crate::captions;
use body::Body;
use track::{Found, Tracks};
use unsupported::Unsupported;
use unwrap::Unwrap;

/// An access unit as it arrived, with the sender's own times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its track: Enhanced RTMP's trackId, which audio and video count for themselves; 0 without multitrack.
    pub track: u8,
    /// What it is encoded with: the same `Arc` for as long as the configuration bytes stay the same.
    pub codec: Arc<Codec>,
    /// Decode time in milliseconds, unwrapped from RTMP's 32 bits.
    pub dts_ms: i64,
    /// Presentation time minus decode time in milliseconds, as sent: a signed 24-bit number.
    pub composition_ms: i32,
    /// Nanoseconds that both times are later than their milliseconds say: 0..=999 999.
    pub nanos: u32,
    /// Whether decoding can begin here.
    pub entry: Entry,
    /// In the form that [`Codec`] says of its codec: a slice of the message.
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

/// Reads a Metadata packet (Enhanced RTMP v2), which is AMF0: the colour that it says, unspecified where it takes back
/// what was said before; `None` where it is something else.
pub type ReadColour = fn(&[u8]) -> Option<Colour>;

/// Takes the audio and video messages of one publish apart: *push once, pull until `None`, then push again*.
///
/// After a fault it goes on as if what was bad had not been sent.
#[derive(Debug)]
pub struct Demuxer {
    clock: Unwrap,
    video: Tracks,
    audio: Tracks,
    unsupported: Unsupported,
    /// What is left of the message, and its timestamp.
    bodies: Bodies,
    timestamp_ms: u32,
    /// How long the message was.
    message_bytes: usize,
}

/// What is left of a message.
#[derive(Debug)]
enum Bodies {
    None,
    Legacy(TrackKind, Bytes),
    Enhanced(TrackKind, enhanced::Bodies),
}

impl Bodies {
    fn of(message: &Message) -> Self {
        let body = message.payload.clone();
        let kind = match message.kind {
            MessageKind::Video => TrackKind::Video,
            MessageKind::Audio => TrackKind::Audio,
            MessageKind::Data => return Self::None,
        };
        match body.first() {
            // An empty audio message says that there is silence.
            None => Self::None,
            Some(_) if is_enhanced(message) => {
                Self::Enhanced(kind, enhanced::Bodies::new(kind, body))
            }
            Some(_) => Self::Legacy(kind, body),
        }
    }
}

/// Whether a message has a header of Enhanced RTMP, and not one that all readers of FLV know.
pub fn is_enhanced(message: &Message) -> bool {
    message
        .payload
        .first()
        .is_some_and(|first| match message.kind {
            MessageKind::Video => first & EX_VIDEO != 0,
            MessageKind::Audio => first >> 4 == EX_AUDIO,
            MessageKind::Data => false,
        })
}

/// So many bytes beside an access unit, and as many again as it has, it may keep in memory: what a unit costs anyway.
const MAY_BE_HELD: usize = 128;

/// First byte of a video message: it has an Enhanced RTMP header.
const EX_VIDEO: u8 = 0x80;
/// SoundFormat: the same of an audio message.
const EX_AUDIO: u8 = 9;

impl Demuxer {
    /// A demuxer for a new publish.
    pub const fn new() -> Self {
        Self {
            clock: Unwrap::new(),
            video: Tracks::new(TrackKind::Video),
            audio: Tracks::new(TrackKind::Audio),
            unsupported: Unsupported::new(),
            bodies: Bodies::None,
            timestamp_ms: 0,
            message_bytes: 0,
        }
    }

    /// The same, which has colours read that are said beside the parameter sets.
    #[must_use]
    pub const fn reading_colours(mut self, read: ReadColour) -> Self {
        self.video.read_colour(read);
        self
    }

    /// Takes the next message. What was not pulled of the one before is forgotten.
    pub fn push(&mut self, message: &Message) {
        self.timestamp_ms = message.timestamp_ms;
        self.message_bytes = message.payload.len();
        self.bodies = Bodies::of(message);
    }

    /// The next access unit of the message, or a fault to be counted: a malformed body, an unusable configuration,
    /// media before its configuration (once for each track), a codec that is not carried (once for each). `None` when
    /// there is nothing more in it; configurations, the end of a sequence, data messages and the like hold nothing.
    pub fn pull(&mut self) -> Option<Result<Unit, Fault>> {
        loop {
            if let Some(found) = self.step()?.transpose() {
                return Some(found.map(|found| self.dated(found)));
            }
        }
    }

    /// What the next body leads to; `None` when there are no more.
    fn step(&mut self) -> Option<Result<Option<Found>, Fault>> {
        Some(match &mut self.bodies {
            Bodies::None => return None,
            Bodies::Legacy(kind, message) => {
                let (kind, message) = (*kind, std::mem::take(message));
                self.bodies = Bodies::None;
                match legacy::body(kind, &message) {
                    Ok(body) => body.map_or(Ok(None), |body| self.take(kind, body)),
                    Err(error) => self.unsupported.legacy(&error).map(|()| None),
                }
            }
            Bodies::Enhanced(kind, bodies) => {
                let kind = *kind;
                match bodies.next()? {
                    Ok(body) => self.take(kind, body),
                    Err(error) => Err(Unsupported::enhanced(&error)),
                }
            }
        })
    }

    fn take(&mut self, kind: TrackKind, body: Body) -> Result<Option<Found>, Fault> {
        let tracks = match kind {
            TrackKind::Video => &mut self.video,
            TrackKind::Audio => &mut self.audio,
        };
        tracks.take(body, &mut self.unsupported)
    }

    fn dated(&mut self, found: Found) -> Unit {
        Unit {
            track: found.track,
            codec: found.codec,
            dts_ms: self.clock.next(self.timestamp_ms),
            composition_ms: found.composition_ms,
            nanos: found.nanos,
            entry: found.entry,
            payload: self.kept(found.payload),
        }
    }

    /// A slice keeps its whole message in memory: where that is far more than the unit, which is what is counted, the
    /// unit is copied. The usual one is nearly its whole message.
    fn kept(&self, payload: Bytes) -> Bytes {
        let beside = self.message_bytes.saturating_sub(payload.len());
        match beside > payload.len().saturating_add(MAY_BE_HELD) {
            true => Bytes::copy_from_slice(&payload),
            false => payload,
        }
    }
}

impl Default for Demuxer {
    fn default() -> Self {
        Self::new()
    }
}

fn malformed(text: String) -> Fault {
    Fault {
        kind: FaultKind::MalformedMessage,
        text,
    }
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
    // Once on its own, then behind the configurations that open the way to NAL units, OBUs and frames.
    for headers in [
        &[][..],
        FUZZ_HEADERS,
        FUZZ_ENHANCED_HEADERS,
        FUZZ_VP9_HEADER,
    ] {
        for &(kind, header) in headers {
            demuxer.push(&message(kind, 0, Bytes::from_static(header)));
            while demuxer.pull().is_some() {}
        }
        for kind in [MessageKind::Video, MessageKind::Audio] {
            demuxer.push(&message(kind, u32::MAX, body.clone()));
            let mut faults = 0;
            let mut held = 0;
            while let Some(found) = demuxer.pull() {
                match found {
                    Ok(unit) => {
                        let all = body.as_ptr_range();
                        let part = unit.payload.as_ptr_range();
                        let is_slice = all.start < part.start && part.end <= all.end;
                        let holds = if is_slice { body.len() } else { 0 };
                        assert!(
                            holds <= 2 * unit.payload.len() + MAY_BE_HELD,
                            "it keeps more in memory than it has"
                        );
                        held += unit.payload.len();
                        captions::of(&unit.codec, &unit.payload);
                    }
                    Err(_) => faults += 1,
                }
            }
            assert!(held < body.len() || held == 0, "a byte is in one unit only");
            assert!(faults <= 1 + enhanced::MAX_TRACKS, "one for each body");
        }
    }
    let mut reader = file::Reader::new();
    reader.push(&body);
    while let Ok(Some(message)) = reader.pull() {
        demuxer.push(&message);
        while demuxer.pull().is_some() {}
    }
}

/// Configurations that `fuzz` opens the way with: H.264 Baseline, 128×96, and AAC LC, 44.1 kHz, stereo.
const FUZZ_HEADERS: &[(MessageKind, &[u8])] = &[
    (
        MessageKind::Video,
        &[
            0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda,
            0x10, 0x1a, 0x6c, 0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
        ],
    ),
    (MessageKind::Audio, &[0xaf, 0, 0x12, 0x10]),
];
/// AV1, 640×360, and Opus without its own header.
const FUZZ_ENHANCED_HEADERS: &[(MessageKind, &[u8])] = &[
    (
        MessageKind::Video,
        b"\x90av01\x81\x01\x0c\x00\x0a\x0c\x02\x00\x00\x0d\x26\x27\xfb\x38\x05\xf0\x00\x80",
    ),
    (MessageKind::Audio, b"\x90Opus"),
];
/// VP9, 8 bits, without its size.
const FUZZ_VP9_HEADER: &[(MessageKind, &[u8])] = &[(
    MessageKind::Video,
    b"\x90vp09\x00\x15\x82\x02\x02\x02\x00\x00",
)];

#[cfg(test)]
pub(crate) mod tests;
