//! What goes into a segment's transport stream and in which order: the one description that both the
//! sum and the writer follow, so that they cannot disagree.
//!
//! Tables first, then PES packets by decode time, whichever track they belong to and in whatever order
//! they arrived, timed metadata before what is decoded after its time; the clock references that do not fit into them stand between them.

use media::{AccessUnit, Codec, MediaTime, Segment, TimedEvent, Track};

use super::annex_b::{Picture, Video};
use super::clock::{Clock, References, Stamp};
use super::frames::{self, Frames, MAX_BYTES};
use super::pes::{Kind, Packets, Pes};
use super::{METADATA, places};
use crate::flv::Entry;

/// Where the packets go.
pub(super) trait Sink {
    /// A packet with the program association table and one with the program map table of `tracks`.
    fn tables(&mut self, tracks: &[Track]);
    /// A PES packet, divided into `packets`, with these pieces of payload.
    fn pes<P: AsRef<[u8]>>(&mut self, pes: &Pes, packets: Packets, pieces: impl Iterator<Item = P>);
    /// A packet with nothing but a clock reference.
    fn clock(&mut self, place: usize, clock: Clock);
}

/// Sends all packets of `segment` to `sink`: of one that does not belong in MPEG-TS, the tables alone, and these empty.
pub(super) fn walk(segment: &Segment, sink: &mut impl Sink) {
    if !segment.fits_ts() {
        // Half of it would be no use to anybody.
        return sink.tables(&[]);
    }
    sink.tables(&segment.tracks);

    let leading = segment.leading_track();
    let known = segment.ts.next_dts;
    let end = known.unwrap_or_else(|| decode_end(segment, leading));
    let mut cursors: Vec<Cursor<'_>> = segment
        .tracks
        .iter()
        .zip(places(&segment.tracks))
        .enumerate()
        .map(|(track, (described, place))| {
            Cursor::new(track, place, &described.codec, &segment.units)
        })
        .collect();
    let mut clocks = Clocks::new(places(&segment.tracks).nth(leading).unwrap_or(0));

    // What is longer than a PES packet can say is left out, and what would be beside nothing.
    let events = segment.events.iter();
    let mut events = events
        .filter(|timed| {
            (1..=MAX_BYTES).contains(&timed.event.tag.len()) && !segment.tracks.is_empty()
        })
        .peekable();

    // Of the same decode time, the leading track first: it has the clock.
    let order = |cursor: &Cursor<'_>| Some((cursor.dts()?, cursor.track != leading));
    while let Some((_, cursor)) = cursors
        .iter_mut()
        .filter_map(|cursor| Some((order(cursor)?, cursor)))
        .min_by_key(|(order, _)| *order)
    {
        let Some(Sendable { unit, content }) = cursor.next else {
            break;
        };
        cursor.advance();
        while let Some(timed) = events.next_if(|timed| told_at(timed, segment) < unit.dts) {
            clocks.tell(timed, segment, sink);
        }
        clocks.until(unit.dts, sink);
        match content {
            Content::Picture(picture) => {
                let kind = match picture.entry() {
                    Entry::RandomAccess => Kind::RandomAccess,
                    Entry::RecoveryPoint => Kind::RecoveryPoint,
                    Entry::None => Kind::Picture,
                };
                clocks.send(cursor, end, unit, kind, picture.pieces(), sink);
            }
            Content::Frame => {
                let mut frames = Frames::new(cursor.codec, unit.dts, &unit.payload);
                while let Some(more) = cursor.next
                    && frames.push(more.unit.dts, &more.unit.payload).is_ok()
                {
                    cursor.advance();
                }
                let kind = frames::kind(cursor.codec);
                clocks.send(cursor, end, unit, kind, frames.pieces(), sink);
            }
        }
    }
    for timed in events {
        clocks.tell(timed, segment, sink);
    }
    clocks.rest(sink);
}

/// The units of one track that can be sent, in order.
struct Cursor<'a> {
    track: usize,
    /// In the transport stream.
    place: usize,
    codec: &'a Codec,
    next: Option<Sendable<'a>>,
    behind: std::slice::Iter<'a, AccessUnit>,
}

impl<'a> Cursor<'a> {
    fn new(track: usize, place: usize, codec: &'a Codec, units: &'a [AccessUnit]) -> Self {
        let mut cursor = Self {
            track,
            place,
            codec,
            next: None,
            behind: units.iter(),
        };
        cursor.advance();
        cursor
    }

    fn dts(&self) -> Option<MediaTime> {
        self.next.map(|next| next.unit.dts)
    }

    fn advance(&mut self) {
        let (track, codec) = (self.track, self.codec);
        self.next = self
            .behind
            .by_ref()
            .filter(|unit| unit.track == track)
            .find_map(|unit| Sendable::new(codec, unit));
    }
}

/// An access unit that can be sent.
#[derive(Clone, Copy)]
struct Sendable<'a> {
    unit: &'a AccessUnit,
    content: Content<'a>,
}

#[derive(Clone, Copy)]
enum Content<'a> {
    Picture(Picture<'a>),
    /// Of audio.
    Frame,
}

impl<'a> Sendable<'a> {
    fn new(codec: &'a Codec, unit: &'a AccessUnit) -> Option<Self> {
        let content = match codec {
            Codec::H264(config) => Content::Picture(Picture::new(Video::H264(config), unit)?),
            Codec::H265(config) => Content::Picture(Picture::new(Video::H265(config), unit)?),
            Codec::Aac(_) | Codec::Mp3(_) | Codec::Ac3(_) | Codec::Eac3(_) => {
                frames::fits(codec, &unit.payload).then_some(Content::Frame)?
            }
            // `walk` does not begin with a segment of these.
            Codec::Av1(_) | Codec::Vp9(_) | Codec::Opus(_) | Codec::Flac(_) => return None,
        };
        Some(Self { unit, content })
    }
}

/// The clock references of the segment so far.
struct Clocks {
    /// Place of the leading track.
    leading: usize,
    last: Option<Clock>,
    /// Those due before the next PES packet of the leading track.
    due: Option<References>,
}

impl Clocks {
    const fn new(leading: usize) -> Self {
        Self {
            leading,
            last: None,
            due: None,
        }
    }

    /// Sends those due before anything decoded at `dts`.
    fn until(&mut self, dts: MediaTime, sink: &mut impl Sink) {
        let now = Clock::at(dts);
        while let Some(clock) = self.due.as_mut().and_then(|due| due.next_until(now)) {
            self.only(clock, sink);
        }
    }

    /// Sends all that are left.
    fn rest(&mut self, sink: &mut impl Sink) {
        while let Some(clock) = self.due.as_mut().and_then(References::next) {
            self.only(clock, sink);
        }
    }

    fn only(&mut self, clock: Clock, sink: &mut impl Sink) {
        sink.clock(self.leading, clock);
        self.last = Some(clock);
    }

    /// Sends an event.
    fn tell(&mut self, timed: &TimedEvent, segment: &Segment, sink: &mut impl Sink) {
        let at = told_at(timed, segment);
        self.until(at, sink);
        let tag = &timed.event.tag;
        let pes = Pes {
            place: METADATA,
            kind: Kind::Metadata,
            pts: Stamp::new(at),
            dts: Stamp::new(at),
            payload: tag.len(),
            references: None,
        };
        sink.pes(&pes, pes.packets(), std::iter::once(tag));
    }

    /// Sends a PES packet that begins with `unit`; `cursor` stands behind what it holds. One of the leading
    /// track carries the clock, unless its decode time is not behind the one before.
    fn send<P: AsRef<[u8]>>(
        &mut self,
        cursor: &Cursor<'_>,
        end: MediaTime,
        unit: &AccessUnit,
        kind: Kind,
        pieces: impl Iterator<Item = P> + Clone,
        sink: &mut impl Sink,
    ) {
        let mut references = None;
        if cursor.place == self.leading {
            // Any still due come now at the latest: none may stand inside of what they precede.
            self.rest(sink);
            let now = Clock::at(unit.dts);
            if self.last.is_none_or(|last| last < now) {
                let next = Clock::at(cursor.dts().unwrap_or(end));
                references = Some(References::new(now, next));
            }
        }
        let pes = Pes {
            place: cursor.place,
            kind,
            pts: Stamp::new(match kind {
                Kind::Picture | Kind::RandomAccess | Kind::RecoveryPoint => unit.pts(),
                Kind::Audio | Kind::PrivateAudio | Kind::Metadata => unit.dts,
            }),
            dts: Stamp::new(unit.dts),
            payload: pieces.clone().map(|piece| piece.as_ref().len()).sum(),
            references,
        };
        let packets = pes.packets();
        sink.pes(&pes, packets, pieces);
        if let Some(mut due) = references {
            for _ in 0..packets.clocks {
                self.last = due.next().or(self.last);
            }
            self.due = Some(due);
        }
    }
}

/// When an event is, in `segment`: one that came too late for its own is at the beginning.
fn told_at(timed: &TimedEvent, segment: &Segment) -> MediaTime {
    let end = segment.start + segment.duration;
    timed.at.max(segment.start).min(end)
}

/// When the leading track's first access unit of the next segment is decoded, as far as this segment alone
/// can tell: the clock should not run past it.
///
/// The segment says when that unit is *presented*. Its composition time is not known here, but neither
/// greater than the greatest of this segment (the lower bound), nor usually different from that of this
/// segment's first unit or at another distance from the last unit than that from the one before (the
/// guesses); all three are the same for a steady picture rate.
fn decode_end(segment: &Segment, leading: usize) -> MediaTime {
    let mut units = segment.units.iter().filter(|unit| unit.track == leading);
    let Some(first) = units.next() else {
        return segment.start + segment.duration;
    };
    let mut last = first.dts;
    let mut step = None;
    let mut most = first.composition;
    for unit in units {
        step = Some(unit.dts - last);
        last = unit.dts;
        most = most.max(unit.composition);
    }
    let presented = first.pts() + segment.duration;
    let same_composition = presented - first.composition;
    let same_step = step.map_or(same_composition, |step| last + step);
    same_composition
        .min(same_step)
        .max(segment.start + segment.duration - most)
}
