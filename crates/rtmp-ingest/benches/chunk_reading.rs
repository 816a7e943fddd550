//! Chunk reading beside rml_rtmp's deserialiser: ten seconds of 6 Mbit/s in slices of 64 KiB.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::collections::VecDeque;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rml_rtmp::chunk_io::{ChunkDeserializer, ChunkSerializer};
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;
use rtmp_ingest::chunk::{Bounds, Reader};

const SLICE: usize = 64 << 10;

const BOUNDS: Bounds = Bounds {
    media_bytes: 8 << 20,
    command_bytes: 64 << 10,
    unfinished_bytes: 16 << 20,
    chunk_streams: 64,
};

/// What a window of ten segments holds at 6 Mbit/s and two seconds.
const WINDOW_BYTES: usize = 15 << 20;

/// 30 pictures a second, every 60th a large one, and 43 audio frames a second.
fn publish(chunk_size: u32) -> Vec<u8> {
    let mut serializer = ChunkSerializer::new();
    let start = RtmpTimestamp::new(0);
    let mut out = serializer
        .set_max_chunk_size(chunk_size, start)
        .expect("size")
        .bytes;
    let mut send = |kind, time, length| {
        let message = MessagePayload {
            timestamp: RtmpTimestamp::new(time),
            type_id: kind,
            message_stream_id: 1,
            data: Bytes::from(vec![kind; length]),
        };
        let packet = serializer
            .serialize(&message, false, false)
            .expect("chunks");
        out.extend_from_slice(&packet.bytes);
    };
    for picture in 0..300_u32 {
        send(
            9,
            picture * 33,
            if picture % 60 == 0 { 180_000 } else { 21_000 },
        );
        send(8, picture * 33, 380);
        if picture % 2 == 0 {
            send(8, picture * 33 + 20, 380);
        }
    }
    out
}

/// Where the bodies of messages lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Buffers {
    Own,
    Blocks,
}

fn reader(buffers: Buffers) -> Reader {
    let mut reader = Reader::new(BOUNDS, 0);
    if buffers == Buffers::Blocks {
        reader.use_blocks();
    }
    reader
}

fn ours(input: &[u8]) -> usize {
    let mut reader = reader(Buffers::Blocks);
    let mut messages = 0;
    for mut slice in input.chunks(SLICE) {
        while let Some(message) = reader.read(&mut slice).expect("well-formed") {
            messages += 1;
            black_box(message);
        }
    }
    messages
}

/// The newest payloads, held as the gateway's window holds them.
#[derive(Default)]
struct Window {
    payloads: VecDeque<Bytes>,
    bytes: usize,
}

impl Window {
    fn push(&mut self, payload: Bytes) {
        self.bytes += payload.len();
        self.payloads.push_back(payload);
        while self.bytes > WINDOW_BYTES {
            self.bytes -= self.payloads.pop_front().map_or(0, |oldest| oldest.len());
        }
    }
}

/// One connection that goes on and on, `input` after `input`.
fn held(reader: &mut Reader, window: &mut Window, input: &[u8]) -> usize {
    let mut messages = 0;
    for mut slice in input.chunks(SLICE) {
        while let Some(message) = reader.read(&mut slice).expect("well-formed") {
            messages += 1;
            // As the FLV demuxer does: the payload is a slice of the message.
            window.push(message.payload.slice(5..));
        }
    }
    messages
}

fn rml(input: &[u8]) -> usize {
    let mut reader = ChunkDeserializer::new();
    let mut messages = 0;
    for slice in input.chunks(SLICE) {
        let mut slice = slice;
        while let Some(message) = reader.get_next_message(slice).expect("well-formed") {
            slice = &[];
            if message.type_id == 1 {
                let size: [u8; 4] = message.data[..].try_into().expect("4 bytes");
                let size = u32::from_be_bytes(size) as usize;
                reader.set_max_chunk_size(size).expect("size");
            } else {
                messages += 1;
            }
            black_box(message);
        }
    }
    messages
}

fn chunk_reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk_reading");
    for chunk_size in [128, 4096, 65_536] {
        let input = publish(chunk_size);
        assert_eq!(ours(&input), 750);
        assert_eq!(rml(&input), 750);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_with_input(BenchmarkId::new("ours", chunk_size), &input, |b, input| {
            b.iter(|| ours(input));
        });
        for (name, buffers) in [("held", Buffers::Own), ("held in blocks", Buffers::Blocks)] {
            group.bench_with_input(BenchmarkId::new(name, chunk_size), &input, |b, input| {
                let mut reader = reader(buffers);
                let mut window = Window::default();
                b.iter(|| held(&mut reader, &mut window, input));
            });
        }
        group.bench_with_input(
            BenchmarkId::new("rml_rtmp", chunk_size),
            &input,
            |b, input| {
                b.iter(|| rml(input));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, chunk_reading);
criterion_main!(benches);
