//! What a publish shows of its encoder, and what to set there.
//!
//! A [`Doctor`] watches one publish: it is told of each message, segment, fault and `onMetaData`, and of
//! nothing else, and says at any time what advice is due ([`media::Advice`]). A right stream gets none, and
//! neither does one that is silent by intention: muted, without sound, or without pictures.
//!
//! What does not belong here: clocks (each observation comes with its time), I/O, repairing anything.
//!
//! One file for each thing that can be seen; [`Chart`](chart::Chart) decides when a sight becomes advice and
//! when it is over.

mod audio_clock;
mod bit_rate;
mod chart;
mod codecs;
mod declared;
mod doctor;
mod key_frames;
mod offset;
mod pictures;
mod presence;
mod repairs;
mod sps;
mod uplink;
mod words;

pub use doctor::{Doctor, Latency, Settings};

#[cfg(test)]
mod script;
