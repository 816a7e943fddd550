//! A segment of 2 s, 3 Mbit/s of H.264 and 128 kbit/s of AAC: laid out, written, and, for comparison, the
//! same payload divided by the mpeg2ts crate's packet writer, without Annex B, ADTS or a clock.

use std::hint::black_box;
use std::time::SystemTime;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::codec::{Aac, H264};
use media::{AccessUnit, Captions, Codec, MediaTime, Segment, Track, TsLayout};
use mpeg2ts::es::StreamId;
use mpeg2ts::pes::PesHeader;
use mpeg2ts::time::Timestamp;
use mpeg2ts::ts::payload::{Bytes as Payload, Pes};
use mpeg2ts::ts::{
    ContinuityCounter, Pid, TransportScramblingControl, TsHeader, TsPacket, TsPacketWriter,
    TsPayload, WriteTsPacket,
};
use segmenter::ts::{Counters, mux};

/// x264, 1280×720, High 3.1.
const RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];

fn segment() -> Segment {
    let h264 = H264::parse(Bytes::from_static(RECORD)).expect("x264's record");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("LC, 48 kHz, stereo");
    let unit = |track, dts, payload: Vec<u8>| AccessUnit {
        track,
        dts,
        composition: MediaTime::ZERO,
        random_access: false,
        payload: payload.into(),
    };
    let mut units: Vec<_> = (0..60)
        .map(|n| {
            let mut payload = vec![if n == 0 { 0x65 } else { 0x41 }; 12_500];
            payload[..4].copy_from_slice(&12_496_u32.to_be_bytes());
            unit(0, MediaTime::from_ticks(n, 30), payload)
        })
        .collect();
    units.extend((0..94).map(|n| unit(1, MediaTime::from_ticks(n * 1_024, 48_000), vec![0; 341])));
    units.sort_by_key(|unit| unit.dts);
    let mut segment = Segment {
        tracks: [Codec::H264(h264), Codec::Aac(aac)]
            .map(|codec| Track { codec })
            .into(),
        units,
        events: Vec::new(),
        start: MediaTime::ZERO,
        duration: MediaTime::from_millis(2_000),
        date: SystemTime::UNIX_EPOCH,
        independent: true,
        discontinuity: false,
        captions: Captions::NONE,
        ts: TsLayout::default(),
    };
    segment.ts = Counters::default().lay_out(&segment);
    segment
}

fn write_with_mpeg2ts(segment: &Segment) -> Vec<u8> {
    let capacity = usize::try_from(segment.ts.bytes).expect("small");
    let mut writer = TsPacketWriter::new(Vec::with_capacity(capacity));
    let mut counters = [ContinuityCounter::new(); 2];
    for unit in &segment.units {
        let (pid, id) = [(0x100, StreamId::VIDEO_MIN), (0x101, StreamId::AUDIO_MIN)][unit.track];
        let ticks = u64::try_from(unit.dts.rescale(90_000)).expect("positive");
        let mut header = Some(PesHeader {
            stream_id: StreamId::new(id),
            priority: false,
            data_alignment_indicator: true,
            copyright: false,
            original_or_copy: false,
            pts: Some(Timestamp::new(ticks).expect("small")),
            dts: None,
            escr: None,
        });
        let mut rest = &unit.payload[..];
        while !rest.is_empty() {
            let room = if header.is_some() { 170 } else { 184 };
            let (part, behind) = rest.split_at(room.min(rest.len()));
            let data = Payload::new(part).expect("at most 184 bytes");
            let payload = match header.take() {
                Some(header) => TsPayload::PesStart(Pes {
                    header,
                    pes_packet_len: 0,
                    data,
                }),
                None => TsPayload::PesContinuation(data),
            };
            let packet = TsPacket {
                header: TsHeader {
                    transport_error_indicator: false,
                    transport_priority: false,
                    pid: Pid::new(pid).expect("13 bits"),
                    transport_scrambling_control: TransportScramblingControl::NotScrambled,
                    continuity_counter: counters[unit.track],
                },
                adaptation_field: None,
                payload: Some(payload),
            };
            writer.write_ts_packet(&packet).expect("into memory");
            counters[unit.track].increment();
            rest = behind;
        }
    }
    writer.into_stream()
}

fn benches(criterion: &mut Criterion) {
    let segment = segment();
    let mut group = criterion.benchmark_group("ts");
    group.throughput(Throughput::Bytes(segment.payload_bytes()));
    group.bench_function("lay_out", |bencher| {
        let mut counters = Counters::default();
        bencher.iter(|| counters.lay_out(black_box(&segment)));
    });
    group.bench_function("mux", |bencher| {
        bencher.iter(|| mux(black_box(&segment)));
    });
    group.bench_function("mpeg2ts", |bencher| {
        bencher.iter(|| write_with_mpeg2ts(black_box(&segment)));
    });
    group.finish();
}

criterion_group!(ts, benches);
criterion_main!(ts);
