//! What is held: access units as the encoder sent them, grouped in segments.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::{Captions, MediaTime, TimedEvent, Track, TrackKind};

/// One picture, or one audio frame, in its codec's own form and without a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Index of its track in [`Segment::tracks`].
    pub track: usize,
    /// Decode time on the window's timeline.
    pub dts: MediaTime,
    /// Presentation time minus decode time; signed in FLV, never negative here once the timeline has
    /// repaired it.
    pub composition: MediaTime,
    /// Decoding can begin here: an IDR picture, a CRA picture of H.265, a key frame of AV1 or VP9; every audio frame.
    pub random_access: bool,
    /// In the form that its [`Codec`](crate::Codec) says: length-prefixed NAL units, a raw AAC frame.
    pub payload: Bytes,
}

impl AccessUnit {
    /// Presentation time.
    pub fn pts(&self) -> MediaTime {
        self.dts + self.composition
    }
}

/// Where the MPEG-TS form of a segment stands in the transport stream of its rendition: computed when
/// the segment is cut, so that the muxer is a pure function of the segment, in any order, at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TsLayout {
    /// Continuity counter (4 bit) of the first PAT packet.
    pub pat: u8,
    /// Continuity counter of the first PMT packet.
    pub pmt: u8,
    /// Continuity counter of each track's first packet, by track index.
    pub tracks: Vec<u8>,
    /// Continuity counter of the first packet of timed metadata, where that is announced: from the first segment on
    /// that has any.
    pub metadata: Option<u8>,
    /// Size of the whole segment in MPEG-TS, bytes.
    pub bytes: u64,
    /// When the leading track's first access unit of the next segment is decoded, where that follows without a
    /// gap and is known: the clock references of this segment go up to it.
    pub next_dts: Option<MediaTime>,
    /// The transport packets of the picture that the segment begins with, where decoding can begin there: what an
    /// I-frame playlist (rfc8216bis §4.4.3.6) has of it.
    pub key_picture: Option<ByteRange>,
    /// Size of its sound alone as packed audio (rfc8216bis §3.1.3), bytes; 0 where it has none.
    pub packed_audio: u64,
}

impl TsLayout {
    /// The tables that a segment begins with, bytes: its Media Initialization Section (rfc8216bis §3.1.1).
    pub const TABLES: u64 = 2 * 188;
}

/// Some of the bytes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes before it.
    pub offset: u64,
    /// Bytes in it, at least one.
    pub bytes: u64,
}

/// A segment: the unit of media playlists. Immutable once cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The tracks its access units belong to; the same `Arc` as the segment before where nothing changed. A short
    /// last segment may have no units of the audio that it announces with the one before.
    pub tracks: Arc<[Track]>,
    /// The access units of all tracks in the order they arrived; decode times rise within a track.
    pub units: Vec<AccessUnit>,
    /// Timed metadata, by time.
    pub events: Vec<TimedEvent>,
    /// Presentation time of its first picture (of its first audio frame where there is no video).
    pub start: MediaTime,
    /// From `start` to the start of the next segment: EXTINF. Greater than zero.
    pub duration: MediaTime,
    /// Wall clock at `start`: one anchor for each discontinuity plus media time (EXT-X-PROGRAM-DATE-TIME).
    pub date: SystemTime,
    /// It begins with a random access point of the leading track.
    pub independent: bool,
    /// Timestamps or codec configuration do not continue from the segment before.
    pub discontinuity: bool,
    /// Caption services in its pictures.
    pub captions: Captions,
    /// Its place in the MPEG-TS form.
    pub ts: TsLayout,
}

impl Segment {
    /// Index of the track that leads: the first video track, else the first track.
    pub fn leading_track(&self) -> usize {
        leading_track(&self.tracks)
    }

    /// Whether it has a form in MPEG-TS: all its tracks can be carried there. Its CMAF form it has anyway.
    pub fn fits_ts(&self) -> bool {
        self.tracks.iter().all(|track| track.codec.fits_ts())
    }

    /// Payload bytes of all access units, and what its events cost, without any container.
    pub fn payload_bytes(&self) -> u64 {
        payload_bytes(&self.units, &self.events)
    }
}

/// Payload bytes of `units`, and what `events` cost.
pub(crate) fn payload_bytes(units: &[AccessUnit], events: &[TimedEvent]) -> u64 {
    let payloads = units.iter().map(|unit| unit.payload.len() as u64);
    let events = events.iter().map(|timed| timed.event.cost() as u64);
    payloads.chain(events).sum()
}

/// Index of the leading track among `tracks`: the first video track, else the first track.
pub fn leading_track(tracks: &[Track]) -> usize {
    tracks
        .iter()
        .position(|track| track.kind() == TrackKind::Video)
        .unwrap_or(0)
}
