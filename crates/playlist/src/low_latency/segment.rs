//! A segment as its parts, complete or open, and the init sections that go with it.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use media::{ByteRange, Captions, Head, MediaTime, Part, Rendition, Track};

use crate::slide::Held;
use crate::window::UNIT_COST;

/// Renditions there can be, as indices of arrays.
pub(super) const RENDITIONS: usize = 3;

/// The place of `rendition` in an array of [`RENDITIONS`].
pub(super) const fn index(rendition: Rendition) -> usize {
    match rendition {
        Rendition::Video => 0,
        Rendition::Audio => 1,
        Rendition::Muxed => 2,
    }
}

/// A value of each rendition, made when it is first asked for.
#[derive(Debug)]
pub(super) struct Lazy<T>([OnceLock<T>; RENDITIONS]);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }
}

impl<T> Lazy<T> {
    pub(super) fn get_or_init(&self, rendition: Rendition, make: impl FnOnce() -> T) -> &T {
        let [video, audio, muxed] = &self.0;
        let cell = match rendition {
            Rendition::Video => video,
            Rendition::Audio => audio,
            Rendition::Muxed => muxed,
        };
        cell.get_or_init(make)
    }
}

/// A part with the headers that were made of it so far.
#[derive(Debug)]
pub struct PartEntry {
    /// The part itself.
    pub part: Part,
    /// Wall clock at its start.
    pub date: SystemTime,
    headers: Lazy<Bytes>,
}

impl PartEntry {
    pub(super) fn new(part: Part, date: SystemTime) -> Self {
        Self {
            part,
            date,
            headers: Lazy::default(),
        }
    }

    /// What stands before the payloads in `rendition`: `make` runs for the first reader, and all others share the
    /// result.
    pub fn header(&self, rendition: Rendition, make: impl FnOnce() -> Bytes) -> Bytes {
        self.headers.get_or_init(rendition, make).clone()
    }

    /// It has nothing of `rendition` (GAP=YES).
    pub fn is_gap(&self, rendition: Rendition) -> bool {
        self.part.sizes.of(rendition).is_none()
    }

    /// Decoding can begin in it (INDEPENDENT=YES): of sound with every access unit.
    pub fn is_independent(&self, rendition: Rendition) -> bool {
        !self.is_gap(rendition) && (self.part.independent || rendition == Rendition::Audio)
    }
}

/// What a player needs before the first part of a rendition (EXT-X-MAP).
#[derive(Debug)]
pub struct InitSection {
    /// The media sequence number of the first segment that needs it: its name.
    pub id: u64,
    /// The tracks of that segment.
    pub tracks: Arc<[Track]>,
    body: OnceLock<Bytes>,
}

impl InitSection {
    pub(super) fn new(id: u64, tracks: Arc<[Track]>) -> Self {
        Self {
            id,
            tracks,
            body: OnceLock::new(),
        }
    }

    /// Its bytes: `make` runs for the first reader.
    pub fn body(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        self.body.get_or_init(make).clone()
    }
}

/// The init section of each rendition that there is.
pub(super) type Sections = [Option<Arc<InitSection>>; RENDITIONS];

/// Where the media began that goes on without a break up to a segment: the period of DASH it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The media sequence number of its first segment.
    pub(super) sequence: u64,
    /// Wall clock at its beginning.
    pub(super) date: SystemTime,
    /// Presentation time of its beginning.
    pub(super) start: MediaTime,
}

/// A segment, complete or with the parts it has so far.
#[derive(Debug)]
pub struct CmafSegment {
    /// Media sequence number: never used twice under one presentation name.
    pub sequence: u64,
    /// How many discontinuities came up to and including this segment.
    pub discontinuity_sequence: u64,
    /// What was known of it with its first part.
    pub head: Head,
    /// Its parts, the first at index 0.
    pub parts: Vec<Arc<PartEntry>>,
    pub(super) sections: Sections,
    pub(super) run: Run,
    /// The publish it is of.
    pub(super) generation: u64,
    /// When its newest part was listed, by the monotonic clock.
    pub(super) listed_at: Instant,
    pub(super) lines: Lazy<String>,
    pub(super) part_lines: Lazy<String>,
}

impl CmafSegment {
    pub(super) fn new(
        sequence: u64,
        discontinuity_sequence: u64,
        head: Head,
        sections: Sections,
        run: Run,
        generation: u64,
        now: Instant,
    ) -> Self {
        Self {
            sequence,
            discontinuity_sequence,
            head,
            parts: Vec::new(),
            sections,
            run,
            generation,
            listed_at: now,
            lines: Lazy::default(),
            part_lines: Lazy::default(),
        }
    }

    /// The same with one part more.
    pub(super) fn grown(&self, part: Part, now: Instant) -> Self {
        let date = self.date_at(part.start);
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        parts.extend_from_slice(&self.parts);
        parts.push(Arc::new(PartEntry::new(part, date)));
        Self {
            head: self.head.clone(),
            parts,
            sections: self.sections.clone(),
            lines: Lazy::default(),
            part_lines: Lazy::default(),
            listed_at: now,
            ..*self
        }
    }

    fn date_at(&self, start: MediaTime) -> SystemTime {
        let into = self.parts.first().map_or(Duration::ZERO, |first| {
            (start - first.part.start).to_duration()
        });
        self.head.date + into
    }

    /// The period of DASH it is in, by its id.
    pub fn period(&self) -> u64 {
        self.run.sequence
    }

    /// Presentation time of its beginning.
    pub fn start(&self) -> MediaTime {
        let first = self.parts.first();
        first.map_or(MediaTime::ZERO, |first| first.part.start)
    }

    /// The end of its parts so far.
    pub fn end(&self) -> MediaTime {
        let last = self.parts.last();
        last.map_or(MediaTime::ZERO, |last| last.part.start + last.part.duration)
    }

    /// It has nothing of `rendition` so far (EXT-X-GAP).
    pub fn is_gap(&self, rendition: Rendition) -> bool {
        self.parts.iter().all(|part| part.is_gap(rendition))
    }

    /// Bytes of `rendition` so far.
    pub fn bytes(&self, rendition: Rendition) -> u64 {
        let sizes = self.parts.iter();
        sizes
            .filter_map(|entry| entry.part.sizes.of(rendition))
            .sum()
    }

    /// Caption services in its pictures so far.
    pub(super) fn captions(&self) -> Captions {
        let mut captions = Captions::NONE;
        for entry in &self.parts {
            captions |= entry.part.captions;
        }
        captions
    }

    /// Its first part, where that begins with a picture that decoding can begin with: what an I-frame playlist has of
    /// it. Players take the picture out of it; a range that ended with the picture would cut a box.
    pub(super) fn key_picture(&self) -> Option<ByteRange> {
        let bytes = self.parts.first()?.part.sizes.video?;
        let range = ByteRange { offset: 0, bytes };
        self.head.independent.then_some(range)
    }

    /// The init section of `rendition`, if it or a segment before has something of it.
    pub fn section(&self, rendition: Rendition) -> Option<&Arc<InitSection>> {
        let [video, audio, muxed] = &self.sections;
        match rendition {
            Rendition::Video => video,
            Rendition::Audio => audio,
            Rendition::Muxed => muxed,
        }
        .as_ref()
    }
}

impl Held for CmafSegment {
    fn duration(&self) -> MediaTime {
        self.end() - self.start()
    }

    fn listed_at(&self) -> Instant {
        self.listed_at
    }

    fn cost(&self) -> u64 {
        let parts = self.parts.iter().map(|entry| &entry.part);
        parts
            .map(|part| part.payload_bytes() + UNIT_COST * part.units.len() as u64)
            .sum()
    }

    fn listed_cost(&self) -> u64 {
        self.cost()
    }
}
