//! The CMAF form of a part (ISO/IEC 14496-12, 23000-19; rfc8216bis §3.1.2): one movie fragment, and the init section
//! that tells players what is in it. A segment is its parts, one behind the other.
//!
//! A fragment is a header of a few hundred bytes and the payloads as the encoder sent them: nothing of those is copied
//! or changed. Time 0 is 10 s on the track's clock, so that sound which begins before the first picture is not below
//! zero; pictures are counted in 90 kHz, sound in its own samples, each unit for itself, so that nothing drifts.
//!
//! What does not belong here: when to cut, and any repair of timestamps.
#![deny(clippy::indexing_slicing)]

mod boxes;
mod event;
mod fragment;
mod init;
mod sample_entry;

#[cfg(test)]
mod tests;

use media::{Codec, MediaTime, Rendition, Sizes, Track, TrackKind};

pub use fragment::Fragment;
pub use init::init;

/// Media time 0 on the clock of each track, seconds.
const ORIGIN_SECONDS: i64 = 10;
/// Ticks a second of pictures.
const VIDEO_RATE: u32 = 90_000;

/// The sizes of a part of `tracks` in each rendition.
pub(crate) fn sizes(part: &media::Part, tracks: &[Track]) -> Sizes {
    let size = |rendition| {
        Fragment {
            part,
            tracks,
            rendition,
        }
        .size()
    };
    Sizes {
        video: size(Rendition::Video),
        audio: size(Rendition::Audio),
        muxed: size(Rendition::Muxed),
    }
}

/// The number of a track in every init section and fragment: the same alone and beside others.
const fn track_id(kind: TrackKind) -> u32 {
    match kind {
        TrackKind::Video => 1,
        TrackKind::Audio => 2,
    }
}

/// Ticks a second of a track.
const fn rate(codec: &Codec) -> u32 {
    match codec.samples_per_unit() {
        Some((_, rate)) => rate,
        None => VIDEO_RATE,
    }
}

/// A decode time in ticks of `rate`.
fn ticks(at: MediaTime, rate: u32) -> i64 {
    let origin = ORIGIN_SECONDS * i64::from(rate);
    at.rescale(rate).saturating_add(origin).max(0)
}
