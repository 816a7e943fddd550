//! A PES packet (ISO/IEC 13818-1 §2.4.3.6) and the transport packets it is divided into: how many, and
//! which of them carry a clock reference. The sum and the writer both go by what is said here.

use mpeg2ts::ts::TsPacket;

use super::clock::{References, Stamp};

/// Payload and adaptation field of a transport packet, behind its 4 bytes of header.
pub(super) const ROOM: usize = TsPacket::SIZE - 4;
/// An adaptation field of flags only.
const FLAGS: usize = 2;
/// An adaptation field with a clock reference.
pub(super) const CLOCK: usize = 8;

/// What a PES packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One picture that a decoder cannot begin with.
    Picture,
    /// One picture that it can begin with, and show.
    RandomAccess,
    /// One picture that it can begin with, to show whole ones later.
    RecoveryPoint,
    /// Audio frames of MPEG.
    Audio,
    /// Audio frames of others: AC-3 and E-AC-3.
    PrivateAudio,
    /// Timed metadata.
    Metadata,
}

impl Kind {
    /// One picture.
    pub(super) const fn is_picture(self) -> bool {
        match self {
            Self::Picture | Self::RandomAccess | Self::RecoveryPoint => true,
            Self::Audio | Self::PrivateAudio | Self::Metadata => false,
        }
    }
}

/// A PES packet without its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pes {
    /// Place of its track.
    pub(super) place: usize,
    pub(super) kind: Kind,
    pub(super) pts: Stamp,
    pub(super) dts: Stamp,
    /// Bytes of payload.
    pub(super) payload: usize,
    /// The clock references from here to the next PES packet of the leading track, where this is one.
    pub(super) references: Option<References>,
}

impl Pes {
    /// Its header: 14 bytes, or 19 where presentation and decode time differ.
    pub(super) fn header(&self) -> Header {
        let mut bytes = [0; Header::MAX];
        // Frames are gathered so that this fits; 0, "unbounded", is for video only.
        let bounded = u16::try_from(self.header_len() - Header::UNCOUNTED + self.payload);
        let bounded = bounded.unwrap_or(u16::MAX);
        let (stream, length) = match self.kind {
            Kind::Picture | Kind::RandomAccess | Kind::RecoveryPoint => (0xe0, 0),
            Kind::Audio => (0xc0, bounded),
            Kind::PrivateAudio | Kind::Metadata => (0xbd, bounded),
        };
        let [high, low] = length.to_be_bytes();
        let [a, b, c, d, e] = self.pts.to_bytes(if self.has_dts() { 3 } else { 2 });
        // Marker bits and data_alignment_indicator: the payload begins with an access unit.
        let fixed = [0, 0, 1, stream, high, low, 0x84];
        let [p, q, r, s, t] = self.dts.to_bytes(1);
        let behind = if self.has_dts() {
            [0xc0, 10, a, b, c, d, e, p, q, r, s, t]
        } else {
            [0x80, 5, a, b, c, d, e, 0, 0, 0, 0, 0]
        };
        let all = fixed.into_iter().chain(behind);
        bytes.iter_mut().zip(all).for_each(|(to, byte)| *to = byte);
        Header {
            bytes,
            length: self.header_len(),
        }
    }

    /// The transport packets it becomes.
    pub(super) fn packets(&self) -> Packets {
        let bytes = self.header_len() + self.payload;
        let Some(references) = self.references else {
            return Packets {
                count: (bytes + self.flags()).div_ceil(ROOM),
                clocks: 0,
            };
        };
        // One clock reference fewer than packets, so that the last packet, which may be all but empty,
        // needs none.
        let alone = (bytes + CLOCK).div_ceil(ROOM);
        let clocks = references.inside().min(alone.saturating_sub(1)).max(1);
        Packets {
            count: (bytes + CLOCK * clocks).div_ceil(ROOM),
            clocks,
        }
    }

    fn has_dts(&self) -> bool {
        self.pts != self.dts
    }

    fn header_len(&self) -> usize {
        if self.has_dts() { 19 } else { 14 }
    }

    /// Bytes of adaptation field in its first packet where that carries no clock reference.
    pub(super) const fn flags(&self) -> usize {
        match self.kind {
            Kind::RandomAccess | Kind::RecoveryPoint => FLAGS,
            Kind::Picture | Kind::Audio | Kind::PrivateAudio | Kind::Metadata => 0,
        }
    }
}

/// The bytes of a PES header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    bytes: [u8; Self::MAX],
    length: usize,
}

impl Header {
    const MAX: usize = 19;
    /// PES_packet_length counts what stands behind it.
    const UNCOUNTED: usize = 6;
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// How a PES packet is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packets {
    /// Transport packets, all with payload.
    pub(super) count: usize,
    /// Clock references among them.
    pub(super) clocks: usize,
}

impl Packets {
    /// The packet that carries clock reference `clock`: the first has the first, the others are spread
    /// evenly, none is in the last packet of several.
    pub(super) fn of_clock(&self, clock: usize) -> Option<usize> {
        (clock < self.clocks).then(|| clock * self.count / self.clocks)
    }
}

#[cfg(test)]
mod tests {
    use media::MediaTime;
    use proptest::prelude::*;

    use super::super::clock::Clock;
    use super::*;

    fn pes(kind: Kind, payload: usize, gap_ms: Option<i64>) -> Pes {
        let (pts, dts) = (MediaTime::from_millis(80), MediaTime::from_millis(40));
        let clock = |ms| Clock::at(MediaTime::from_millis(ms));
        Pes {
            place: 0,
            kind,
            pts: Stamp::new(pts),
            dts: Stamp::new(if kind == Kind::Audio { pts } else { dts }),
            payload,
            references: gap_ms.map(|gap| References::new(clock(40), clock(40 + gap))),
        }
    }

    #[test]
    fn headers_byte_for_byte() {
        // 90 kHz: 10.08 s is 907 200, 10.04 s is 903 600.
        assert_eq!(
            pes(Kind::Picture, 1_000, None).header().as_ref(),
            [
                0, 0, 1, 0xe0, 0, 0, 0x84, 0xc0, 10, 0x31, 0x00, 0x37, 0xaf, 0x81, 0x11, 0x00,
                0x37, 0x93, 0x61
            ]
        );
        assert_eq!(
            pes(Kind::Audio, 1_000, None).header().as_ref(),
            [
                0, 0, 1, 0xc0, 3, 0xf0, 0x84, 0x80, 5, 0x21, 0x00, 0x37, 0xaf, 0x81
            ]
        );
    }

    #[test]
    fn packets_by_size() {
        let cases = [
            (pes(Kind::Audio, 170, None), (1, 0)),
            (pes(Kind::Audio, 171, None), (2, 0)),
            (pes(Kind::Picture, 165, None), (1, 0)),
            (pes(Kind::RandomAccess, 163, None), (1, 0)),
            (pes(Kind::RandomAccess, 164, None), (2, 0)),
            (pes(Kind::Picture, 157, Some(33)), (1, 1)),
            (pes(Kind::Picture, 158, Some(33)), (2, 1)),
            // Three references are due; two packets have room for one of them, four for all.
            (pes(Kind::Picture, 300, Some(100)), (2, 1)),
            (pes(Kind::Picture, 600, Some(100)), (4, 3)),
            // Only those of the first 300 ms may be inside.
            (pes(Kind::Picture, 60_000, Some(1_000)), (327, 8)),
        ];
        for (pes, expected) in cases {
            let packets = pes.packets();
            assert_eq!((packets.count, packets.clocks), expected, "{pes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_packet_has_payload_and_none_is_too_small(payload in 1_usize..3_000, gap in 0_i64..400) {
            let pes = pes(Kind::Picture, payload, Some(gap));
            let packets = pes.packets();
            let clocks: Vec<_> = (0..).map_while(|clock| packets.of_clock(clock)).collect();
            prop_assert_eq!(clocks.first(), Some(&0));
            prop_assert!(clocks.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(packets.count == 1 || clocks.iter().all(|&at| at + 1 < packets.count));
            let room = packets.count * ROOM - packets.clocks * CLOCK;
            let bytes = payload + 19;
            prop_assert!(bytes <= room && room - bytes < ROOM);
        }
    }
}
