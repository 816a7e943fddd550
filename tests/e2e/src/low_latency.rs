//! Low-latency HLS as a player sees it, read by others' code: playlists by quick-m3u8, CMAF by shiguredo_mp4.
//!
//! A [`Follower`] takes everything and holds each load against the rules (rfc8216bis) and against the load before.

mod delta;
mod follower;
mod fragments;
mod load;
mod rules;
mod stepwise;

pub use delta::merged;
pub use follower::{Followed, Follower, TakenPart, TakenSegment, join};
pub use fragments::{Fragments, Sample};
pub use load::{Load, Part, Segment};
pub use stepwise::{Asked, Stepwise, until_listed};
