//! The field's words, as types: names, time, tracks and their codec configuration, access units,
//! segments, faults, advice, peers.
//!
//! Every other crate speaks in these. What does not belong here: any protocol (RTMP, FLV, HLS, HTTP),
//! any clock, any I/O.

mod advice;
mod anchor;
mod captions;
pub mod codec;
mod event;
mod fault;
mod host;
mod message;
mod name;
mod packed_audio;
mod part;
mod segment;
mod time;
mod track;

pub use advice::{Advice, AdviceKind, Severity};
pub use anchor::{Anchor, Arrivals, Grid};
pub use captions::{CaptionService, Captions};
pub use event::{Cue, Event, Side, Splice, TimedEvent};
pub use fault::{Fault, FaultKind, Faults};
pub use host::Host;
pub use message::{Message, MessageKind};
pub use name::{AppName, MAX_NAME_BYTES, Name, NameError, PresentationName, RESERVED_APPS};
pub use packed_audio::PackedAudio;
pub use part::{Head, Part, Rendition, Sizes};
pub use segment::{AccessUnit, ByteRange, Segment, TsLayout, leading_track};
pub use time::MediaTime;
pub use track::{Cadence, Codec, Track, TrackKind};
