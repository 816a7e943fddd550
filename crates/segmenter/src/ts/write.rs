//! Transport packets as bytes (ISO/IEC 13818-1 §2.4.3.2). Ours rather than the mpeg2ts crate's, which
//! copies every payload byte three times: a fifth of the speed.

use bytes::Bytes;
use media::Track;
use mpeg2ts::ts::TsPacket;

use super::clock::Clock;
use super::clock::References;
use super::pes::{CLOCK, Packets, Pes, ROOM};
use super::walk::Sink;
use super::{Counters, METADATA, psi, track_pid};

const SYNC: u8 = TsPacket::SYNC_BYTE;
const UNIT_START: u8 = 0x40;
const ADAPTATION: u8 = 0x20;
const PAYLOAD: u8 = 0x10;
const RANDOM_ACCESS: u8 = 0x40;
const CLOCK_FLAG: u8 = 0x10;
const STUFFING: &[u8] = &[0xff; ROOM];

/// Writes packets into memory of the right size.
pub(super) struct Writer {
    bytes: Vec<u8>,
    counters: Counters,
}

impl Writer {
    /// With room for `capacity` bytes.
    pub(super) fn new(counters: Counters, capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            counters,
        }
    }

    /// The packets.
    pub(super) fn finish(self) -> Bytes {
        self.bytes.into()
    }

    /// An adaptation field of `size` bytes, its length byte included, 0 for none.
    fn adaptation(&mut self, size: usize, flags: u8, clock: Option<Clock>) {
        let Some(length) = size.checked_sub(1) else {
            return;
        };
        self.bytes.push(u8::try_from(length).unwrap_or(u8::MAX));
        if length == 0 {
            return;
        }
        let mut written = 2;
        self.bytes.push(match clock {
            Some(_) => flags | CLOCK_FLAG,
            None => flags,
        });
        if let Some(clock) = clock {
            self.bytes.extend_from_slice(&clock.to_bytes());
            written = CLOCK;
        }
        let stuffing = STUFFING.get(..size.saturating_sub(written));
        self.bytes.extend_from_slice(stuffing.unwrap_or_default());
    }
}

impl Sink for Writer {
    fn tables(&mut self, tracks: &[Track]) {
        let (pat, pmt) = self.counters.next_tables();
        self.bytes.extend_from_slice(&psi::pat(pat));
        let metadata = self.counters.metadata.map(|_| track_pid(METADATA));
        self.bytes
            .extend_from_slice(&psi::pmt(tracks, metadata, pmt));
    }

    fn pes<P: AsRef<[u8]>>(
        &mut self,
        pes: &Pes,
        packets: Packets,
        pieces: impl Iterator<Item = P>,
    ) {
        let header = pes.header();
        let mut division = Division {
            counter: self.counters.next(pes.place, packets.count),
            writer: self,
            packets,
            index: 0,
            pid: track_pid(pes.place).to_be_bytes(),
            flags: pes.flags(),
            references: pes.references,
            clocks: 0,
            room: 0,
            left: header.as_ref().len() + pes.payload,
        };
        division.feed(header.as_ref());
        for piece in pieces {
            division.feed(piece.as_ref());
        }
    }

    fn clock(&mut self, place: usize, clock: Clock) {
        let [high, low] = track_pid(place).to_be_bytes();
        // Without payload: the counter stays where it is (§2.4.3.3).
        let control = ADAPTATION | self.counters.last(place);
        self.bytes.extend_from_slice(&[SYNC, high, low, control]);
        self.adaptation(ROOM, 0, Some(clock));
    }
}

/// One PES packet on its way into transport packets.
struct Division<'w> {
    writer: &'w mut Writer,
    packets: Packets,
    /// The packet to begin next.
    index: usize,
    counter: u8,
    pid: [u8; 2],
    /// Adaptation field of the first packet where it has no clock reference.
    flags: usize,
    references: Option<References>,
    /// Clock references written.
    clocks: usize,
    /// Bytes missing in the packet begun last.
    room: usize,
    /// Bytes of header and payload to come.
    left: usize,
}

impl Division<'_> {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.room == 0 {
                self.begin();
            }
            let (part, rest) = bytes.split_at_checked(self.room).unwrap_or((bytes, &[]));
            self.writer.bytes.extend_from_slice(part);
            self.room -= part.len();
            self.left = self.left.saturating_sub(part.len());
            bytes = rest;
        }
    }

    fn begin(&mut self) {
        let [high, low] = self.pid;
        let mut high = high;
        let mut field = 0;
        let mut flags = 0;
        let mut clock = None;
        if self.index == 0 {
            high |= UNIT_START;
            field = self.flags;
            flags = if field > 0 { RANDOM_ACCESS } else { 0 };
        }
        if self.packets.of_clock(self.clocks) == Some(self.index) {
            field = CLOCK;
            clock = self.references.as_mut().and_then(References::next);
            self.clocks += 1;
        }
        self.room = ROOM - field;
        // Only the last packet is not full; stuffing stands in its adaptation field.
        field += self.room.saturating_sub(self.left);
        self.room = self.room.min(self.left.max(1));
        let control = if field > 0 {
            ADAPTATION | PAYLOAD
        } else {
            PAYLOAD
        };
        self.writer
            .bytes
            .extend_from_slice(&[SYNC, high, low, control | self.counter]);
        self.writer.adaptation(field, flags, clock);
        self.counter = (self.counter + 1) & 0xf;
        self.index += 1;
    }
}
