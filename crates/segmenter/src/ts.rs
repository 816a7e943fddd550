//! The MPEG-TS form of a segment (ISO/IEC 13818-1; RFC 8216bis §3.1.1): a pure function of it.
//!
//! A segment begins with one packet of the program association table and one of the program map table.
//! Its PES packets follow by decode time: one for each picture, one for every few audio frames. Time 0 is
//! 10 s on the transport stream's clock. The clock (PCR) comes with the leading track, at most 40 ms apart,
//! 300 ms behind the decode time of what is sent with it.
//!
//! Continuity counters run on from segment to segment, so a segment must know where it stands:
//! [`Counters::lay_out`] says so when it is cut, from lengths alone, and [`mux`] writes it when it is first
//! asked for. Both follow one walk (`ts/walk.rs`).
//!
//! What does not belong here: when to cut, and any repair of timestamps.
#![deny(clippy::indexing_slicing)]

mod annex_b;
mod clock;
mod frames;
mod packed_audio;
mod pes;
mod psi;
mod walk;
mod write;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use media::{ByteRange, Segment, Track, TrackKind, TsLayout};
use mpeg2ts::ts::TsPacket;

use self::clock::Clock;
pub use self::packed_audio::packed_audio;
use self::pes::{Kind, Packets, Pes};
use self::walk::{Sink, walk};
use self::write::Writer;

/// PID of the program map table.
const PMT_PID: u16 = 0x1000;
/// PID of the first place that a track can have; the others follow.
const TRACKS_PID: u16 = 0x100;
/// Tracks that the one packet of the program map table has room for, each with a descriptor, beside timed metadata; what
/// belongs to others is left out.
const MAX_TRACKS: usize = 11;
/// The place of timed metadata, behind those of all tracks.
const METADATA: usize = 2 * MAX_TRACKS;
/// The largest segment that memory is set aside for before its packets are written: a layout that does
/// not belong to its segment may say anything.
const MAX_CAPACITY: u64 = 1 << 30;

/// The running continuity counters of one rendition: what its next segment begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pat: u8,
    pmt: u8,
    tracks: Vec<u8>,
    /// Once there was timed metadata.
    metadata: Option<u8>,
}

impl Counters {
    /// Says where the MPEG-TS form of `segment` stands in the transport stream and how long it is, and
    /// moves on to the segment after it. Of `segment.ts` only `next_dts` counts; the rest is what is returned:
    /// `segment.ts = counters.lay_out(&segment)`.
    ///
    /// Costs a look at each NAL length and into SEI; other payload bytes are not read.
    pub fn lay_out(&mut self, segment: &Segment) -> TsLayout {
        // Never shorter: a track that goes away and comes back goes on counting.
        let most = places(&segment.tracks).map(|place| place + 1).max();
        self.tracks
            .resize(self.tracks.len().max(most.unwrap_or(0)), 0);
        self.announce(segment);
        let mut layout = TsLayout {
            pat: self.pat,
            pmt: self.pmt,
            tracks: places(&segment.tracks)
                .map(|place| self.tracks.get(place).copied().unwrap_or(0))
                .collect(),
            metadata: self.metadata,
            bytes: 0,
            next_dts: segment.ts.next_dts,
            key_picture: None,
            packed_audio: packed_audio::size(segment),
        };
        let mut sum = Sum {
            counters: self,
            packets: 0,
            picture: None,
        };
        walk(segment, &mut sum);
        layout.key_picture = match sum.picture {
            Some((Kind::RandomAccess, range)) if segment.independent => Some(range),
            _ => None,
        };
        layout.bytes = sum.packets * TsPacket::SIZE as u64;
        layout
    }

    /// Timed metadata is announced from the first on that there is.
    fn announce(&mut self, segment: &Segment) {
        if !segment.events.is_empty() {
            self.metadata.get_or_insert(0);
        }
    }

    /// The counters of the tables' next packets.
    fn next_tables(&mut self) -> (u8, u8) {
        let tables = (self.pat, self.pmt);
        self.pat = (self.pat + 1) & 0xf;
        self.pmt = (self.pmt + 1) & 0xf;
        tables
    }

    /// The counter of the first of `packets` with payload.
    fn next(&mut self, place: usize, packets: usize) -> u8 {
        let counter = match place {
            METADATA => self.metadata.as_mut(),
            place => self.tracks.get_mut(place),
        };
        let Some(counter) = counter else { return 0 };
        let first = *counter;
        let [low, ..] = packets.to_le_bytes();
        *counter = first.wrapping_add(low) & 0xf;
        first
    }

    /// The counter of the last packet with payload.
    fn last(&self, place: usize) -> u8 {
        let next = self.tracks.get(place).copied().unwrap_or(0);
        next.wrapping_sub(1) & 0xf
    }
}

/// Writes `segment` as MPEG-TS: `segment.ts.bytes` bytes that begin with the counters of `segment.ts`, as
/// [`Counters::lay_out`] gave them. One allocation, each payload byte copied once.
///
/// A segment that does not belong in MPEG-TS ([`Segment::fits_ts`]) becomes two packets with empty tables.
///
/// What cannot be carried is left out: access units without content, AAC frames of more than 8184 bytes,
/// whatever stands behind a NAL length that goes beyond its access unit.
pub fn mux(segment: &Segment) -> Bytes {
    let layout = &segment.ts;
    let mut counters = Counters {
        pat: layout.pat & 0xf,
        pmt: layout.pmt & 0xf,
        tracks: Vec::new(),
        metadata: layout.metadata.map(|counter| counter & 0xf),
    };
    counters.announce(segment);
    let begins = layout.tracks.iter().copied().chain(std::iter::repeat(0));
    for (place, counter) in places(&segment.tracks).zip(begins) {
        let most = counters.tracks.len().max(place + 1);
        counters.tracks.resize(most, 0);
        if let Some(begin) = counters.tracks.get_mut(place) {
            *begin = counter & 0xf;
        }
    }
    let capacity = usize::try_from(layout.bytes.min(MAX_CAPACITY)).unwrap_or(0);
    let mut writer = Writer::new(counters, capacity);
    walk(segment, &mut writer);
    writer.finish()
}

/// The place of each track in the transport stream: even ones for video, odd ones for audio, whatever
/// other tracks there are. ffmpeg reads all segments as one stream, and hands what comes under a PID
/// that it knows to the decoder that it had there first: sound that was alone must not give its PID to a picture
/// that joins it.
fn places(tracks: &[Track]) -> impl Iterator<Item = usize> {
    let (mut video, mut audio) = (0, 1);
    tracks.iter().take(MAX_TRACKS).map(move |track| {
        let next = match track.kind() {
            TrackKind::Video => &mut video,
            TrackKind::Audio => &mut audio,
        };
        let place = *next;
        *next += 2;
        place
    })
}

/// PID of a track, or of timed metadata, by its place.
fn track_pid(place: usize) -> u16 {
    TRACKS_PID + u16::try_from(place % (METADATA + 1)).unwrap_or(0)
}

/// Counts packets instead of writing them.
struct Sum<'a> {
    counters: &'a mut Counters,
    packets: u64,
    /// The first picture.
    picture: Option<(Kind, ByteRange)>,
}

impl Sink for Sum<'_> {
    fn tables(&mut self, _: &[Track]) {
        self.counters.next_tables();
        self.packets += 2;
    }

    fn pes<P: AsRef<[u8]>>(&mut self, pes: &Pes, packets: Packets, _: impl Iterator<Item = P>) {
        self.counters.next(pes.place, packets.count);
        if pes.kind.is_picture() && self.picture.is_none() {
            // Nothing stands between the packets of a PES packet.
            let range = ByteRange {
                offset: self.packets * TsPacket::SIZE as u64,
                bytes: packets.count as u64 * TsPacket::SIZE as u64,
            };
            self.picture = Some((pes.kind, range));
        }
        self.packets += packets.count as u64;
    }

    fn clock(&mut self, _: usize, _: Clock) {
        self.packets += 1;
    }
}
