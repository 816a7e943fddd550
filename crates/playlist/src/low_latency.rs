//! Low latency: the same presentation as CMAF segments whose parts are listed while they are still open
//! (rfc8216bis appendix B). It has a window of its own: its segments have their own numbers and never wait for
//! a key frame that comes late, because a part that is out cannot be taken back.
//!
//! What does not belong here: HTTP, and how CMAF is written (`segmenter`'s business; bodies are made by whoever asks
//! for them first).

mod dash;
mod edge;
mod growth;
mod segment;
mod text;
mod window;

#[cfg(test)]
mod tests;

pub use edge::{Position, Standing};
pub use segment::{CmafSegment, InitSection, PartEntry};
pub use text::{Beside, Report, uri};
pub use window::{LowLatencyWindow, Playlist};

pub(crate) use dash::{Description, Member};
pub(crate) use growth::{Beginning, Growth};
pub(crate) use text::times;

/// Which of the tracks travel together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packaging {
    /// Pictures and sound have a rendition each, as CMAF wants it.
    #[default]
    Separate,
    /// One rendition has both.
    Muxed,
}

/// How the parts of a segment are addressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// Each part is a resource of its own.
    #[default]
    Files,
    /// Each part is a range of its segment's resource, which grows.
    Ranges,
}

/// How low-latency playlists are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowLatency {
    /// Which tracks travel together.
    pub packaging: Packaging,
    /// How parts are addressed.
    pub addressing: Addressing,
}
