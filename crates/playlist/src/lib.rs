//! What is live: presentations, their windows of segments, and the playlist texts of each moment.
//!
//! One [`Writer`] per publish turns segments into [`Window`] snapshots; any number of readers hold a
//! [`Directory`] and clone an `Arc` per request. What does not belong here: HTTP, RTMP, FLV, and how a
//! container is written (a body is made by whoever asks for it first, through [`Entry::mpeg_ts`]).

mod date_ranges;
mod i_frames;
mod label;
mod ladder;
mod low_latency;
mod measured;
mod media_playlist;
mod multivariant;
mod others;
mod packed_audio;
mod presentation;
mod registry;
mod remembered;
mod slide;
mod status;
mod target;
mod terms;
mod text;
mod vod;
mod window;
mod writer;

pub use label::Label;
pub use ladder::{
    Adjustment, Form, Ladder, Misfit, Place, Rung, RungNames, SOUND_OF_ALL,
    Standing as RungStanding,
};
pub use low_latency::{
    Addressing, Beside, CmafSegment, InitSection, LowLatency, LowLatencyWindow, Packaging,
    PartEntry, Playlist, Position, Report, Standing, uri,
};
pub use presentation::{Backup, Dismissal, Presentation, State, Waiting};
pub use registry::{Directory, Registry, Settings};
pub use remembered::Remembered;
pub use status::{PublishStatus, TranscoderState, Transcoding};
pub use target::TargetDuration;
pub use terms::{OnConflict, Refused, Terms};
pub use text::Text;
pub use vod::{Vod, VodTexts};
pub use window::{Container, Entry, Window};
pub use writer::{PushError, Replaced, Vacancy, Writer};

/// The name of the MPEG-TS rendition in URLs: one publish makes one.
pub const RENDITION: &str = "main";

/// The name of the sound of the MPEG-TS rendition alone, in URLs.
pub const PACKED_AUDIO: &str = "sound";
