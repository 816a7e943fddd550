//! FLV bodies to access units, timeline, cutting, and the containers of a segment.
//!
//! A publish walks through here in one direction, as plain calls: [`flv`] takes the payload out of an
//! RTMP message, [`random_access`] says whether decoding can begin with it, the sender's clock is watched, the
//! timeline gives each access unit its time, the interleaving brings both tracks into one order, the cutter
//! groups them into segments; [`Segmenter`] is all of them behind one push and pull. [`ts`] lays a segment out
//! as MPEG-TS, [`cmaf`] a part as a movie fragment.
//!
//! What does not belong here: sockets, clocks, tokio, playlists.

mod allowance;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
mod captions;
pub mod cmaf;
mod cutter;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod flv;
pub mod id3;
mod interleave;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
mod nal;
mod origin;
mod output;
mod per_kind;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod random_access;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod scte35;
mod segmenter;
mod sender_clock;
mod timeline;
pub mod ts;

pub use origin::Origin;
pub use output::Output;
pub use segmenter::{Segmenter, Settings};
