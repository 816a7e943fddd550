//! Codec configurations, read from what encoders send ahead of the media.
//!
//! Each keeps the encoder's own bytes, where there are any, beside what was read from them: the bytes decide whether a
//! header that comes again is a change.

mod aac;
mod ac3;
pub mod av1;
mod bits;
mod colour;
mod eac3;
mod flac;
mod h264;
mod h265;
mod mp3;
mod opus;
mod vp9;

pub use aac::Aac;
pub use ac3::Ac3;
pub use av1::Av1;
pub use colour::{Colour, VideoRange};
pub use eac3::{Eac3, IndependentSubstream};
pub use flac::Flac;
pub use h264::H264;
pub use h265::H265;
pub use mp3::Mp3;
pub use opus::{Opus, OpusHead};
pub use vp9::{Vp9, Vp9KeyFrame, Vp9Record};

use bytes::Bytes;
use thiserror::Error;

/// A codec configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigurationError {
    /// It ends in the middle of a field.
    #[error("{what} ends after {bytes} bytes, in the middle of {field}")]
    Truncated {
        /// Which configuration.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The field that could not be read.
        field: &'static str,
    },
    /// A field has a value that the standard forbids or reserves.
    #[error("{what} has {field} {value}, which is not allowed")]
    Forbidden {
        /// Which configuration.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// Allowed by the standard, but not carried by this gateway.
    #[error("{what} has {field} {value}, which this gateway does not carry")]
    Unsupported {
        /// Which configuration.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The sequence parameter set cannot be read.
    #[error("the H.264 sequence parameter set cannot be read: {0}")]
    SequenceParameterSet(String),
    /// The header of a frame cannot be read.
    #[error("the VP9 frame header cannot be read: {0}")]
    FrameHeader(String),
}

/// Runs `bytes` through everything here that reads what encoders send, for corpus replay and fuzzing.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let record = || Bytes::copy_from_slice(bytes);
    let _ = H264::parse(record());
    if let Ok(h265) = H265::parse(record()) {
        assert_eq!(h265.hvc1_record().len(), bytes.len());
    }
    let _ = Av1::parse(record());
    let _ = Av1::is_random_access(bytes);
    let _ = Av1::sample(&record());
    let _ = Vp9Record::parse(record());
    let _ = Vp9KeyFrame::read(bytes);
    let _ = Vp9::is_random_access(bytes);
    let _ = Aac::parse(record());
    let _ = Mp3::parse(bytes);
    let _ = OpusHead::parse(record());
    let _ = Opus::samples(bytes);
    let _ = Flac::parse(record());
    let _ = Ac3::parse(bytes);
    if let Ok(eac3) = Eac3::parse(bytes) {
        let _ = eac3.dec3();
    }
}
