//! Parts of segments: what low-latency players fetch while the segment they belong to is still open.

use std::sync::Arc;
use std::time::SystemTime;

use crate::segment::payload_bytes;
use crate::{AccessUnit, Captions, MediaTime, TimedEvent, Track, TrackKind};

/// A Partial Segment (rfc8216bis §3.2): some of the access units of a segment, of all its tracks, in the order
/// they arrived. Immutable, and out before its segment is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is known of its segment, in the first part of one.
    pub head: Option<Head>,
    /// Its access units; `track` is an index into [`Head::tracks`]. Not empty.
    pub units: Vec<AccessUnit>,
    /// Timed metadata, by time.
    pub events: Vec<TimedEvent>,
    /// Presentation time of its beginning: that of the segment, and of each further part the end of the one before.
    pub start: MediaTime,
    /// From `start` to the start of the next part. Greater than zero.
    pub duration: MediaTime,
    /// When the leading track's first access unit behind this part is decoded, where that follows without a gap and
    /// is known.
    pub next_dts: Option<MediaTime>,
    /// A random access of the leading track is in it (INDEPENDENT=YES).
    pub independent: bool,
    /// Its segment is complete with it.
    pub is_last: bool,
    /// The part target (PART-TARGET), the same for all parts of the publish: the cadence of its first units fixes it.
    /// A part is longer only where the unit behind it comes later than those before let expect, after a pause or as the
    /// cadence slows down: it ends with that unit, or with its segment.
    pub target: MediaTime,
    /// Caption services in its pictures.
    pub captions: Captions,
    /// Bytes in CMAF.
    pub sizes: Sizes,
}

/// Bytes of a part in CMAF by rendition, computed when it is cut; `None` where it has nothing of the rendition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Its pictures alone.
    pub video: Option<u64>,
    /// Its sound alone.
    pub audio: Option<u64>,
    /// All of it.
    pub muxed: Option<u64>,
}

impl Sizes {
    /// Bytes in `rendition`.
    pub const fn of(&self, rendition: Rendition) -> Option<u64> {
        match rendition {
            Rendition::Video => self.video,
            Rendition::Audio => self.audio,
            Rendition::Muxed => self.muxed,
        }
    }
}

/// What is known of a segment when its first part is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The tracks that its parts carry: those of its first part. The same `Arc` as the segment before where nothing
    /// changed.
    pub tracks: Arc<[Track]>,
    /// Wall clock at the start of its first part.
    pub date: SystemTime,
    /// Timestamps or codec configuration do not continue from the segment before.
    pub discontinuity: bool,
    /// It begins with a random access point of the leading track.
    pub independent: bool,
}

impl Part {
    /// Payload bytes of the access units, and what its events cost, without any container.
    pub fn payload_bytes(&self) -> u64 {
        payload_bytes(&self.units, &self.events)
    }
}

/// Which tracks of a presentation travel together in CMAF: each has a media playlist of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// Pictures alone.
    Video,
    /// Sound alone.
    Audio,
    /// All tracks in one.
    Muxed,
}

impl Rendition {
    /// Its name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Muxed => "muxed",
        }
    }

    /// Whether it carries tracks of `kind`.
    pub const fn carries(self, kind: TrackKind) -> bool {
        matches!(
            (self, kind),
            (Self::Muxed, _) | (Self::Video, TrackKind::Video) | (Self::Audio, TrackKind::Audio)
        )
    }
}
