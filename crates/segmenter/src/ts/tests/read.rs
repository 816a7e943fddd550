//! A transport stream taken apart, and all of it checked that needs no knowledge of what went in.

use std::collections::BTreeMap;

use mpeg2ts::ts::{ReadTsPacket, TsPacket, TsPacketReader, TsPayload};

/// What a transport stream holds.
#[derive(Default)]
pub(super) struct Stream {
    /// PID of each packet.
    pub(super) pids: Vec<u16>,
    /// PCRs with the packets they stand in, 27 MHz.
    pub(super) clocks: Vec<(usize, u64)>,
    /// Packets without payload.
    pub(super) empty: usize,
    /// PES packets by PID.
    pub(super) tracks: BTreeMap<u16, Vec<Pes>>,
}

/// A PES packet.
pub(super) struct Pes {
    /// The transport packet it begins in.
    pub(super) packet: usize,
    pub(super) random_access: bool,
    /// 90 kHz.
    pub(super) pts: u64,
    pub(super) dts: u64,
    pub(super) data: Vec<u8>,
    length: usize,
}

/// Reads `bytes`; panics at a wrong CRC, a continuity counter out of turn, a PES length that is not its
/// payload's, a clock whose reserved bits are not ones, and at whatever the reader does not accept.
pub(super) fn read(bytes: &[u8]) -> Stream {
    let mut stream = Stream::default();
    let mut counters: BTreeMap<u16, u8> = BTreeMap::new();
    let mut reader = TsPacketReader::new(bytes);
    assert_eq!(bytes.len() % TsPacket::SIZE, 0);
    for (index, raw) in bytes.chunks_exact(TsPacket::SIZE).enumerate() {
        let packet = reader
            .read_ts_packet()
            .expect("a packet")
            .expect("a packet");
        let pid = packet.header.pid.as_u16();
        let counter = packet.header.continuity_counter.as_u8();
        stream.pids.push(pid);
        if let Some(&before) = counters.get(&pid) {
            let step = u8::from(packet.payload.is_some());
            assert_eq!(
                counter,
                (before + step) & 0xf,
                "packet {index}, PID {pid:#x}"
            );
        }
        counters.insert(pid, counter);

        let field = packet.adaptation_field;
        if let Some(clock) = field.as_ref().and_then(|field| field.pcr) {
            assert_eq!(raw[10] & 0x7e, 0x7e, "reserved bits of packet {index}");
            stream.clocks.push((index, clock.as_u64()));
        }
        let track = stream.tracks.entry(pid).or_default();
        match packet.payload {
            Some(TsPayload::PesStart(pes)) => {
                let pts = pes.header.pts.expect("a PTS").as_u64();
                let behind = if pes.header.dts.is_some() { 13 } else { 8 };
                track.push(Pes {
                    packet: index,
                    random_access: field.is_some_and(|field| field.random_access_indicator),
                    pts,
                    dts: pes.header.dts.map_or(pts, |dts| dts.as_u64()),
                    data: pes.data.to_vec(),
                    length: usize::from(pes.pes_packet_len).saturating_sub(behind),
                });
            }
            Some(TsPayload::PesContinuation(data)) => {
                let pes = track.last_mut().expect("the beginning of a PES packet");
                assert!(!data.is_empty(), "packet {index} says it has payload");
                pes.data.extend_from_slice(&data);
            }
            Some(TsPayload::Pat(_) | TsPayload::Pmt(_)) => {}
            None => stream.empty += 1,
            other => panic!("packet {index} holds {other:?}"),
        }
    }
    for pes in stream.tracks.values().flatten() {
        assert!(pes.length == 0 || pes.length == pes.data.len());
    }
    stream
}
