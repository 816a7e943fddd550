//! What the `mpeg2ts` crate finds in segments (ISO/IEC 13818-1): the structure that decoders forgive and
//! set-top boxes do not.

use std::collections::BTreeMap;

use mpeg2ts::ts::payload::Pmt;
use mpeg2ts::ts::{ReadTsPacket, TsPacket, TsPacketReader, TsPayload};

/// In ticks of 27 MHz.
const MAX_CLOCK_GAP: u64 = 40 * 27_000;
/// Where the clock begins again.
const WRAP: u64 = (1 << 33) * 300;
/// A step so great is one back.
const LONG: u64 = WRAP / 2;
/// Where the program map table is announced.
const PAT_PID: u16 = 0;

/// ISO/IEC 13818-1 table 2-34.
const H264: u8 = 0x1b;

/// Reads segment after segment of one transport stream.
#[derive(Debug, Default)]
pub struct Transport {
    /// Continuity counter of the last packet of each PID.
    counters: BTreeMap<u16, u8>,
    /// The last PCR, of 27 MHz.
    clock: Option<u64>,
}

/// One segment.
#[derive(Debug, Default)]
pub struct Segment {
    /// Stream types and PIDs of the program map table.
    pub tracks: Vec<(u8, u16)>,
    /// Presentation time of the first picture shown, or of the first sound where there is no picture; 90 kHz.
    pub start: u64,
    /// The first PES packet of the leading track is marked as random access.
    pub random_access: bool,
}

impl Segment {
    /// Pictures lead.
    pub fn has_video(&self) -> bool {
        self.tracks.first().is_some_and(|(kind, _)| *kind == H264)
    }
}

impl Transport {
    /// A break that the playlist announces: clock and counters may begin again.
    pub fn discontinuity(&mut self) {
        *self = Self::default();
    }

    /// Checks the next segment.
    ///
    /// # Panics
    /// It breaks a rule.
    pub fn read(&mut self, body: &[u8]) -> Segment {
        assert_eq!(body.len() % TsPacket::SIZE, 0, "whole packets");
        let mut reader = TsPacketReader::new(body);
        let mut segment = Segment::default();
        let mut leading = None;
        let mut start: Option<u64> = None;
        for at in 0..body.len() / TsPacket::SIZE {
            let packet = reader.read_ts_packet();
            let packet = packet.unwrap_or_else(|error| panic!("packet {at}: {error}"));
            let packet = packet.expect("there are that many");
            self.count(at, &packet);
            self.tick(at, &packet);
            match packet.payload {
                Some(TsPayload::Pat(_)) => assert_eq!(at, 0, "one association table, first"),
                Some(TsPayload::Pmt(table)) => {
                    assert_eq!(at, 1, "one map table, second");
                    leading = Some(lead(&table, &mut segment));
                }
                Some(TsPayload::PesStart(pes)) => {
                    let pts = pes
                        .header
                        .pts
                        .expect("each PES packet has its time")
                        .as_u64();
                    let dts = pes.header.dts.map_or(pts, |dts| dts.as_u64());
                    assert!(
                        since(dts * 300, pts * 300) < LONG,
                        "packet {at}: decoded at {dts}, shown at {pts}"
                    );
                    // Sound may come before the first picture, and with it the clock.
                    let clock = self.clock.unwrap_or(dts * 300);
                    assert!(
                        since(clock, dts * 300) < LONG,
                        "packet {at}: PCR {clock} is past decode time {dts}"
                    );
                    if leading == Some(packet.header.pid.as_u16()) {
                        if start.is_none() {
                            let field = packet.adaptation_field;
                            segment.random_access =
                                field.is_some_and(|field| field.random_access_indicator);
                        }
                        let earlier = |start: &u64| since(*start * 300, pts * 300) < LONG;
                        start = Some(start.filter(earlier).unwrap_or(pts));
                    }
                }
                _ => {}
            }
        }
        segment.start = start.expect("the leading track is there");
        segment
    }

    fn count(&mut self, at: usize, packet: &TsPacket) {
        let pid = packet.header.pid.as_u16();
        assert!(
            at > 0 || pid == PAT_PID,
            "the association table comes first"
        );
        assert!(!packet.header.transport_error_indicator);
        let counter = packet.header.continuity_counter.as_u8();
        if let Some(last) = self.counters.insert(pid, counter) {
            let step = u8::from(packet.payload.is_some());
            assert_eq!(
                counter,
                (last + step) & 0xf,
                "packet {at}, PID {pid}: the continuity counter after {last}"
            );
        }
    }

    fn tick(&mut self, at: usize, packet: &TsPacket) {
        let field = packet.adaptation_field.as_ref();
        let Some(pcr) = field.and_then(|field| field.pcr) else {
            return;
        };
        let pcr = pcr.as_u64();
        if let Some(last) = self.clock.replace(pcr) {
            let gap = since(last, pcr);
            assert!(
                (1..=MAX_CLOCK_GAP).contains(&gap),
                "packet {at}: PCR {pcr} follows {last}, {} ms apart",
                gap / 27_000
            );
        }
    }
}

/// From one time of 27 MHz to another, through the wrap at 33 bits of 90 kHz (§2.4.3.5).
fn since(before: u64, after: u64) -> u64 {
    (after + WRAP - before) % WRAP
}

/// The PID of the leading track.
fn lead(table: &Pmt, segment: &mut Segment) -> u16 {
    let tracks = table
        .es_info
        .iter()
        .map(|track| (track.stream_type as u8, track.elementary_pid.as_u16()));
    segment.tracks = tracks.collect();
    let clock = table
        .pcr_pid
        .expect("the map table names the clock")
        .as_u16();
    assert_eq!(
        segment.tracks.first().map(|(_, pid)| *pid),
        Some(clock),
        "the leading track carries the clock"
    );
    clock
}
