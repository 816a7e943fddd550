//! The access units in a segment of MPEG-TS, read back to be held against what was sent.

use mpeg2ts::ts::{ReadTsPacket, TsPacketReader, TsPayload};

use crate::scripted::{Kind, audio_payload, byte_stream_payload};

/// Samples per second by `sampling_frequency_index` (ISO/IEC 14496-3 table 1.18).
const SAMPLE_RATES: [u64; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// Samples in an AAC frame.
const AAC_SAMPLES: u64 = 1024;
/// The clock of PES time stamps has 33 bits.
pub const CLOCK: u64 = 1 << 33;

/// An access unit of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Picture or sound.
    pub kind: Kind,
    /// Decode time, in ticks of 90 kHz, of 33 bits.
    pub dts: u64,
    /// Presentation time, in ticks of 90 kHz, of 33 bits.
    pub pts: u64,
    /// The same hash that [`crate::scripted::Sent`] has.
    pub payload: u64,
}

/// A PES packet that is being gathered.
struct Open {
    pid: u16,
    kind: Kind,
    dts: u64,
    pts: u64,
    bytes: Vec<u8>,
}

/// The access units of H.264 and AAC in a segment; of each track in its order.
///
/// # Panics
/// It is no transport stream, or what it carries is broken.
pub fn units(segment: &[u8]) -> Vec<Received> {
    let mut reader = TsPacketReader::new(segment);
    let mut units = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    while let Some(packet) = reader.read_ts_packet().expect("a transport stream") {
        let pid = packet.header.pid.as_u16();
        match packet.payload {
            Some(TsPayload::PesStart(pes)) => {
                if let Some(at) = open.iter().position(|one| one.pid == pid) {
                    close(&open.remove(at), &mut units);
                }
                let pts = pes.header.pts.expect("a time").as_u64();
                open.push(Open {
                    pid,
                    kind: if pes.header.stream_id.is_video() {
                        Kind::Video
                    } else {
                        Kind::Audio
                    },
                    dts: pes.header.dts.map_or(pts, |dts| dts.as_u64()),
                    pts,
                    bytes: pes.data.to_vec(),
                });
            }
            Some(TsPayload::PesContinuation(bytes)) => {
                let one = open.iter_mut().find(|one| one.pid == pid);
                one.expect("a PES packet has a start")
                    .bytes
                    .extend_from_slice(&bytes);
            }
            _ => {}
        }
    }
    for one in open {
        close(&one, &mut units);
    }
    units
}

fn close(pes: &Open, units: &mut Vec<Received>) {
    if pes.kind == Kind::Video {
        units.push(Received {
            kind: Kind::Video,
            dts: pes.dts,
            pts: pes.pts,
            payload: byte_stream_payload(&pes.bytes),
        });
        return;
    }
    let mut rest = pes.bytes.as_slice();
    let mut count = 0;
    while !rest.is_empty() {
        // adts_fixed_header and adts_variable_header (ISO/IEC 13818-7 §6.2).
        let Some(&[0xff, sync, rate, a, b, c, _]) = rest.first_chunk::<7>() else {
            panic!(
                "no ADTS header where a frame begins: {:02x?}",
                &rest[..rest.len().min(7)]
            );
        };
        assert_eq!(
            sync & 0xf6,
            0xf0,
            "the second half of the syncword, layer 0"
        );
        let length = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c >> 5);
        let header = if sync & 1 == 1 { 7 } else { 9 };
        assert!(
            (header..=rest.len()).contains(&length),
            "a frame of {length} bytes"
        );
        let rate = SAMPLE_RATES[usize::from(rate >> 2 & 0xf)];
        let at = (pes.pts + (count * AAC_SAMPLES * 90_000 + rate / 2) / rate) % CLOCK;
        units.push(Received {
            kind: Kind::Audio,
            dts: at,
            pts: at,
            payload: audio_payload(&rest[header..length]),
        });
        count += 1;
        rest = &rest[length..];
    }
}
