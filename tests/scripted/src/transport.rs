//! The segments of one publish and their MPEG-TS form (ISO/IEC 13818-1), as far as they must fit together
//! whatever an encoder sent.

use std::collections::BTreeMap;

use media::{Codec, MediaTime, Segment};
use segmenter::ts;

use crate::flv;

const PACKET_BYTES: usize = 188;
const PAT_PID: u16 = 0;
const PMT_PID: u16 = 0x1000;
const FIRST_TRACK_PID: u16 = 0x100;
/// A last segment so short may announce sound that it has none of.
const LAST_WITHOUT_SOUND: MediaTime = MediaTime::from_millis(500);
const CLOCK_MODULUS: u64 = 1 << 33;

#[derive(Default)]
pub(crate) struct Stream {
    end: Option<MediaTime>,
    last_dts: BTreeMap<usize, MediaTime>,
    /// The highest number of a message so far, of pictures and of sound.
    numbers: [Option<u32>; 2],
    counters: BTreeMap<u16, u8>,
    /// Decode times and clock since the last discontinuity, 90 kHz and 27 MHz.
    pes_dts: BTreeMap<u16, u64>,
    clock: Option<u64>,
    /// The longest composition time of the leading track in the segment before.
    composition: MediaTime,
}

impl Stream {
    /// Checks the next segment; if what arrived is `exact`ly what was sent, also that it is in that order.
    pub(crate) fn check(&mut self, segment: &Segment, exact: bool) {
        self.check_units(segment, exact);
        let body = ts::mux(segment);
        assert_eq!(
            body.len() as u64,
            segment.ts.bytes,
            "the size said at the cut"
        );
        assert_eq!(body, ts::mux(segment), "a pure function");
        self.check_packets(segment, &body);
    }

    fn check_units(&mut self, segment: &Segment, exact: bool) {
        assert!(segment.duration > MediaTime::ZERO);
        if let (Some(end), false) = (self.end, segment.discontinuity) {
            assert_eq!(segment.start, end, "segments follow each other");
        }
        self.end = Some(segment.start + segment.duration);
        if segment.discontinuity {
            self.last_dts.clear();
        }
        let leading = segment.leading_track();
        let led = segment.units.iter().filter(|unit| unit.track == leading);
        let mut shown = led.map(media::AccessUnit::pts);
        let first = shown.clone().min().expect("a unit of the leading track");
        // What overtakes the first picture after a pause comes when the cut has been made.
        assert!(
            first == segment.start || shown.next() == Some(segment.start),
            "it begins with the first that is shown"
        );
        for track in 0..segment.tracks.len() {
            let last_without_sound = track != leading && segment.duration <= LAST_WITHOUT_SOUND;
            assert!(
                last_without_sound || segment.units.iter().any(|unit| unit.track == track),
                "a track without a unit"
            );
        }
        for unit in &segment.units {
            let track = segment
                .tracks
                .get(unit.track)
                .expect("a track of the segment");
            assert!(unit.composition >= MediaTime::ZERO);
            let last = self.last_dts.insert(unit.track, unit.dts);
            assert!(last.is_none_or(|last| unit.dts > last), "decode times rise");
            let kind = usize::from(matches!(track.codec, Codec::H264(_)));
            if let Some(number) = flv::number(&unit.payload).filter(|_| exact) {
                let before = self.numbers[kind].replace(number);
                assert!(
                    before.is_none_or(|before| number > before),
                    "message {number} comes after {before:?}"
                );
            }
        }
    }

    fn check_packets(&mut self, segment: &Segment, body: &[u8]) {
        let packets: Vec<_> = body.chunks(PACKET_BYTES).map(Packet::read).collect();
        assert!(packets.len() > 2);
        assert_eq!((packets[0].pid, packets[1].pid), (PAT_PID, PMT_PID));
        // Any audio frame is a random access point, and none is marked as one.
        let video = matches!(
            segment.tracks.get(segment.leading_track()),
            Some(track) if matches!(track.codec, Codec::H264(_))
        );
        if segment.discontinuity {
            self.pes_dts.clear();
            self.clock = None;
        }
        let leading_pid = FIRST_TRACK_PID + u16::from(!video);
        let first = packets
            .iter()
            .find(|packet| packet.pid == leading_pid && packet.starts);
        if segment.independent && video {
            assert!(
                first.is_some_and(|first| first.random_access),
                "an independent segment begins with a random access point"
            );
        }
        // The clock runs on to where the next segment is decoded, as far as the composition times seen so
        // far can tell. Pictures reordered further than any before are decoded earlier than that.
        let led = segment
            .units
            .iter()
            .filter(|unit| unit.track == segment.leading_track());
        let mut compositions = led.map(|unit| unit.composition);
        let at_first = compositions.clone().next().unwrap_or_default();
        let longest = compositions.by_ref().max().unwrap_or_default();
        let mut reordered = at_first > std::mem::replace(&mut self.composition, longest);
        for (n, packet) in packets.iter().enumerate() {
            if let Some(&before) = self.counters.get(&packet.pid) {
                let step = u8::from(!packet.payload.is_empty());
                assert_eq!(
                    packet.counter,
                    (before + step) & 0xf,
                    "packet {n}, {:#x}",
                    packet.pid
                );
            }
            self.counters.insert(packet.pid, packet.counter);
            if let Some(clock) = packet.clock {
                if let Some(before) = self.clock.replace(clock).filter(|_| !reordered) {
                    let ahead = (clock + 300 * CLOCK_MODULUS - before) % (300 * CLOCK_MODULUS);
                    assert!(
                        ahead < 300 * CLOCK_MODULUS / 2,
                        "the clock steps from {before} back to {clock} at packet {n}"
                    );
                }
                reordered = false;
            }
            if packet.starts && packet.pid != PAT_PID && packet.pid != PMT_PID {
                let (pts, dts) = pes_times(packet.payload);
                assert!((pts + CLOCK_MODULUS - dts) % CLOCK_MODULUS < CLOCK_MODULUS / 2);
                if let Some(before) = self.pes_dts.insert(packet.pid, dts) {
                    let ahead = (dts + CLOCK_MODULUS - before) % CLOCK_MODULUS;
                    assert!(
                        (1..CLOCK_MODULUS / 2).contains(&ahead),
                        "decode times rise in PES"
                    );
                }
            }
        }
    }
}

struct Packet<'a> {
    pid: u16,
    counter: u8,
    /// A PES packet or section begins.
    starts: bool,
    random_access: bool,
    /// PCR, 27 MHz.
    clock: Option<u64>,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let (&[sync, high, low, flags], rest) = bytes.split_first_chunk().expect("a header");
        assert_eq!((sync, bytes.len(), high & 0x80), (0x47, PACKET_BYTES, 0));
        let (field, payload) = if flags & 0x20 == 0 {
            (&[][..], rest)
        } else {
            let (&length, rest) = rest.split_first().expect("a length");
            rest.split_at(length.into())
        };
        let payload = if flags & 0x10 == 0 { &[][..] } else { payload };
        let field_flags = field.first().copied().unwrap_or(0);
        let clock = (field_flags & 0x10 != 0).then(|| {
            let base = field[1..5]
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            let base = base << 1 | u64::from(field[5] >> 7);
            300 * base + (u64::from(field[5] & 1) << 8 | u64::from(field[6]))
        });
        Self {
            pid: u16::from_be_bytes([high & 0x1f, low]),
            counter: flags & 0xf,
            starts: high & 0x40 != 0,
            random_access: field_flags & 0x40 != 0,
            clock,
            payload,
        }
    }
}

/// PTS and DTS of a PES packet's header, 90 kHz.
fn pes_times(pes: &[u8]) -> (u64, u64) {
    assert_eq!(pes[..3], [0, 0, 1], "packet_start_code_prefix");
    let time = |at: usize| {
        let [a, b, c, d, e] = *pes[at..].first_chunk().expect("a time stamp");
        u64::from(a >> 1 & 7) << 30
            | u64::from(b) << 22
            | u64::from(c >> 1) << 15
            | u64::from(d) << 7
            | u64::from(e >> 1)
    };
    let pts = time(9);
    (pts, if pes[7] & 0x40 == 0 { pts } else { time(14) })
}
