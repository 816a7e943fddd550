//! A publisher that does what a script says: every message, timestamp, moment and ending is the test's.
//!
//! A script is an iterator of [`Unit`]s. [`Material`] gives the plain one, endless and right; the standard
//! library's adapters bend it:
//!
//! ```ignore
//! let material = Material::of(&Clip::usual(8));
//! // Ten seconds; at the fifth the clock jumps by an hour; sent at once.
//! let script = material.play(10_000).map(|unit| match unit.at.as_secs() {
//!     0..5 => unit,
//!     _ => unit.shifted(3_600_000),
//! });
//! let sent = Publisher::publish(gateway.rtmp, "live", "show")
//!     .play(script.map(Unit::now), Ending::DeleteStream)
//!     .join()
//!     .sent;
//! ```

mod material;
mod payload;
mod publisher;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use material::Material;
pub use payload::{audio_payload, avcc_payload, byte_stream_payload};
pub use publisher::{Ending, Left, Playing, Publisher, Refused};

/// What kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// RTMP message type 9.
    Video,
    /// RTMP message type 8.
    Audio,
    /// RTMP message type 18.
    Data,
}

impl Kind {
    /// The message type (RTMP 1.0 §7.1).
    pub const fn message_type(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Data => 18,
        }
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What it is.
    pub kind: Kind,
    /// Its timestamp, in milliseconds; sent modulo 2^32.
    pub timestamp_ms: i64,
    /// Its body, as in an FLV tag.
    pub body: Arc<[u8]>,
    /// When it is due, from the start of the sending. In material: its media time.
    pub at: Duration,
}

impl Unit {
    /// A codec configuration rather than media: an AVC or AAC sequence header.
    pub fn is_header(&self) -> bool {
        match self.kind {
            Kind::Video => self.body.first().is_some_and(|one| one & 0x0f == 7) && self.second(0),
            Kind::Audio => self.body.first().is_some_and(|one| one >> 4 == 10) && self.second(0),
            Kind::Data => false,
        }
    }

    /// An access unit: neither configuration nor data.
    pub fn is_media(&self) -> bool {
        self.kind != Kind::Data && !self.is_header()
    }

    /// A picture that decoding can begin with.
    pub fn is_random_access(&self) -> bool {
        self.kind == Kind::Video
            && self.is_media()
            && self.body.first().is_some_and(|one| one >> 4 == 1)
    }

    /// What a picture's presentation is after its decoding, in milliseconds; 0 for all else.
    pub fn composition_ms(&self) -> i64 {
        match (self.kind, self.body.get(2..5)) {
            (Kind::Video, Some(&[a, b, c])) if self.is_media() => {
                i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8)
            }
            _ => 0,
        }
    }

    /// The same with another composition time.
    ///
    /// # Panics
    /// It is no picture, or the time does not fit 24 bits.
    pub fn composed(self, ms: i64) -> Self {
        assert!(self.kind == Kind::Video && self.is_media(), "a picture");
        let ms = i32::try_from(ms).ok().filter(|ms| ms.abs() < 1 << 23);
        let ms = ms.expect("24 bits, signed").to_be_bytes();
        let mut body = self.body.to_vec();
        body[2..5].copy_from_slice(&ms[1..]);
        self.with_body(body)
    }

    /// The same with another timestamp.
    pub fn timed(self, timestamp_ms: i64) -> Self {
        Self {
            timestamp_ms,
            ..self
        }
    }

    /// The same so much later by its timestamp, or earlier.
    pub fn shifted(self, by_ms: i64) -> Self {
        let timestamp_ms = self.timestamp_ms + by_ms;
        self.timed(timestamp_ms)
    }

    /// The same, due at another moment.
    pub fn due(self, at: Duration) -> Self {
        Self { at, ..self }
    }

    /// The same, due at once.
    pub fn now(self) -> Self {
        self.due(Duration::ZERO)
    }

    /// The same with another body.
    pub fn with_body(self, body: impl Into<Arc<[u8]>>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    fn second(&self, value: u8) -> bool {
        self.body.get(1) == Some(&value)
    }
}

/// An access unit that was handed to the socket, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Picture or sound.
    pub kind: Kind,
    /// Decode time as sent, before it was cut to 32 bits; in milliseconds.
    pub dts_ms: i64,
    /// Presentation time as sent, in milliseconds.
    pub pts_ms: i64,
    /// A picture that decoding can begin with.
    pub random_access: bool,
    /// A hash of what a decoder is to get of it: see [`avcc_payload`] and [`audio_payload`].
    pub payload: u64,
    /// When the socket had taken it.
    pub when: Instant,
}

impl Sent {
    /// What is known of a unit that has just been sent; `None` if it is no access unit.
    fn of(unit: &Unit) -> Option<Self> {
        if !unit.is_media() {
            return None;
        }
        let payload = match unit.kind {
            Kind::Video => avcc_payload(unit.body.get(5..).unwrap_or_default()),
            _ => audio_payload(unit.body.get(2..).unwrap_or_default()),
        };
        Some(Self {
            kind: unit.kind,
            dts_ms: unit.timestamp_ms,
            pts_ms: unit.timestamp_ms + unit.composition_ms(),
            random_access: unit.is_random_access(),
            payload,
            when: Instant::now(),
        })
    }
}
