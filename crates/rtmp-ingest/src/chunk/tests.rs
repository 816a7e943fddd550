use proptest::prelude::*;

use super::body::FIRST_RESERVATION;
use super::*;

const BOUNDS: Bounds = Bounds {
    media_bytes: 1 << 20,
    command_bytes: 1 << 12,
    unfinished_bytes: 1 << 20,
    chunk_streams: 8,
};

/// Writes chunks by hand: `0`-`3` for the type, then what that type carries.
fn full(id: u8, timestamp: u32, length: u32, kind: u8, stream: u32) -> Vec<u8> {
    let mut out = vec![id];
    out.extend_from_slice(&timestamp.min(0xff_ffff).to_be_bytes()[1..]);
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.push(kind);
    out.extend_from_slice(&stream.to_le_bytes());
    if timestamp >= 0xff_ffff {
        out.extend_from_slice(&timestamp.to_be_bytes());
    }
    out
}

fn same_stream(id: u8, delta: u32, length: u32, kind: u8) -> Vec<u8> {
    let mut out = vec![0x40 | id];
    out.extend_from_slice(&delta.min(0xff_ffff).to_be_bytes()[1..]);
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.push(kind);
    if delta >= 0xff_ffff {
        out.extend_from_slice(&delta.to_be_bytes());
    }
    out
}

fn delta_only(id: u8, delta: u32) -> Vec<u8> {
    let mut out = vec![0x80 | id];
    out.extend_from_slice(&delta.min(0xff_ffff).to_be_bytes()[1..]);
    if delta >= 0xff_ffff {
        out.extend_from_slice(&delta.to_be_bytes());
    }
    out
}

fn control(kind: u8, word: u32) -> Vec<u8> {
    [full(2, 0, 4, kind, 0), word.to_be_bytes().to_vec()].concat()
}

fn read_all(bounds: Bounds, input: &[u8], slice: usize) -> (Vec<RawMessage>, Option<String>) {
    read_all_with(Reader::new(bounds, 0), input, slice)
}

fn read_all_with(
    mut reader: Reader,
    input: &[u8],
    slice: usize,
) -> (Vec<RawMessage>, Option<String>) {
    let mut messages = Vec::new();
    for mut piece in input.chunks(slice) {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => {
                    assert!(piece.is_empty(), "None means that all was consumed");
                    break;
                }
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
    }
    (messages, None)
}

/// Timestamps and payload lengths of what comes out, the same for every way to slice the input.
fn summary(input: &[u8]) -> Vec<(u32, usize)> {
    let whole = read_all(BOUNDS, input, input.len().max(1));
    for slice in 1..32 {
        assert_eq!(
            read_all(BOUNDS, input, slice),
            whole,
            "in slices of {slice}"
        );
    }
    assert_eq!(whole.1, None);
    whole
        .0
        .iter()
        .map(|message| (message.timestamp_ms, message.payload.len()))
        .collect()
}

fn fault(input: &[u8]) -> String {
    let whole = read_all(BOUNDS, input, input.len());
    for slice in 1..32 {
        assert_eq!(read_all(BOUNDS, input, slice).0, whole.0);
    }
    whole.1.expect("a fault")
}

#[test]
fn all_four_types_and_their_deltas() {
    let input = [
        full(4, 1000, 3, 9, 1),
        vec![0; 3],
        same_stream(4, 40, 2, 9),
        vec![0; 2],
        delta_only(4, 10),
        vec![0; 2],
        vec![0xc4],
        vec![0; 2],
        vec![0xc4],
        vec![0; 2],
    ]
    .concat();
    assert_eq!(
        summary(&input),
        [(1000, 3), (1040, 2), (1050, 2), (1060, 2), (1070, 2)]
    );
}

#[test]
fn ffmpeg_repeats_the_timestamp_as_a_delta_after_type_0() {
    let input = [full(4, 26, 1, 8, 1), vec![0], vec![0xc4, 0]].concat();
    assert_eq!(summary(&input), [(26, 1), (52, 1)]);
}

#[test]
fn chunk_stream_ids_of_one_two_and_three_bytes() {
    for (basic, id) in [
        (vec![0x03], 3),
        (vec![0x3f], 63),
        (vec![0x00, 0], 64),
        (vec![0x00, 255], 319),
        (vec![0x01, 0, 1], 320),
        (vec![0x01, 255, 255], 65_599),
    ] {
        let input = [basic.clone(), vec![0, 0, 7, 0, 0, 1, 8, 1, 0, 0, 0, 0xaa]].concat();
        assert_eq!(summary(&input), [(7, 1)], "{basic:?}");
        let (header, _) = header::parse(&input, |_| None).expect("whole header");
        assert_eq!(header.id, id);
    }
}

#[test]
fn interleaved_messages_keep_their_own_bytes() {
    let input = [
        full(4, 5, 200, 9, 1),
        vec![9; 128],
        full(5, 6, 130, 8, 1),
        vec![8; 128],
        vec![0xc4],
        vec![9; 72],
        vec![0xc5],
        vec![8; 2],
    ]
    .concat();
    let (messages, fault) = read_all(BOUNDS, &input, 50);
    assert_eq!(fault, None);
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[0].kind, messages[0].stream), (9, 1));
    assert_eq!(messages[0].payload, vec![9; 200]);
    assert_eq!(messages[1].payload, vec![8; 130]);
}

#[test]
fn extended_timestamps_with_and_without_the_field_on_type_3() {
    for time in [0xff_ffff, 0x0100_0000, u32::MAX] {
        let repeated = time.to_be_bytes().to_vec();
        for repeat in [repeated, Vec::new()] {
            let input = [
                full(4, time, 300, 9, 1),
                vec![1; 128],
                vec![0xc4],
                repeat.clone(),
                vec![2; 128],
                vec![0xc4],
                repeat.clone(),
                vec![3; 44],
                delta_only(4, 40),
                vec![4; 128],
                vec![0xc4],
                vec![5; 128],
                vec![0xc4],
                vec![6; 44],
            ]
            .concat();
            assert_eq!(
                summary(&input),
                [(time, 300), (time.wrapping_add(40), 300)],
                "{time:#x} {repeat:?}"
            );
            let (messages, _) = read_all(BOUNDS, &input, 7);
            assert_eq!(messages[0].payload[127..130], [1, 2, 2]);
            assert_eq!(messages[0].payload[256], 3);
        }
    }
}

#[test]
fn payload_that_looks_like_the_first_bytes_of_the_omitted_field() {
    // The last chunk has two bytes, equal to the beginning of the field: the next header decides.
    let time = 0x0123_4567_u32;
    let input = [
        full(4, time, 130, 9, 1),
        vec![1; 128],
        vec![0xc4, 0x01, 0x23],
        full(5, 9, 1, 8, 1),
        vec![0xaa],
    ]
    .concat();
    assert_eq!(summary(&input), [(time, 130), (9, 1)]);
}

#[test]
fn timestamps_wrap_and_go_back() {
    let input = [
        full(4, u32::MAX, 1, 9, 1),
        vec![0],
        delta_only(4, 41),
        vec![0],
        delta_only(4, u32::MAX),
        vec![0],
    ]
    .concat();
    assert_eq!(summary(&input), [(u32::MAX, 1), (40, 1), (39, 1)]);
}

#[test]
fn abort_drops_the_message_but_keeps_its_timestamp() {
    let input = [
        full(4, 100, 200, 9, 1),
        vec![9; 128],
        control(2, 4),
        delta_only(4, 10),
        vec![7; 128],
        vec![0xc4],
        vec![7; 72],
    ]
    .concat();
    assert_eq!(summary(&input), [(110, 200)]);
}

#[test]
fn set_chunk_size_applies_from_the_next_chunk_and_is_clamped() {
    for size in [1_u32, 200, 0xff_ffff, 0x0100_0000, i32::MAX as u32] {
        let mut input = control(1, size);
        input.extend(full(4, 0, 150, 9, 1));
        for (n, piece) in [9; 150].chunks((size as usize).min(150)).enumerate() {
            if n > 0 {
                input.push(0xc4);
            }
            input.extend_from_slice(piece);
        }
        assert_eq!(summary(&input), [(0, 150)], "{size}");
    }
}

#[test]
fn librtmp_answers_a_ping_with_type_1() {
    let input = [same_stream(2, 0, 6, 4), vec![0, 7, 0, 0, 0, 1]].concat();
    let (messages, fault) = read_all(BOUNDS, &input, 100);
    assert_eq!(fault, None);
    assert_eq!((messages[0].kind, messages[0].stream), (4, 0));
}

#[test]
fn an_empty_message_is_a_message() {
    let input = [full(4, 3, 0, 9, 1), vec![0xc4]].concat();
    assert_eq!(summary(&input), [(3, 0), (6, 0)]);
}

#[test]
fn faults_say_where_and_what() {
    let begun = [full(4, 0, 200, 9, 1), vec![9; 128]].concat();
    let cases = [
        (
            control(1, 0),
            "at byte 16: expected a chunk size from 1 to 2147483647, found 0",
        ),
        (
            control(1, 0x8000_0000),
            "at byte 16: expected a chunk size from 1 to 2147483647, found 2147483648",
        ),
        (
            full(2, 0, 0, 1, 0),
            "at byte 12: expected 4 bytes of Set Chunk Size, found 0 bytes",
        ),
        (
            [full(2, 0, 5, 2, 0), vec![0; 5]].concat(),
            "at byte 17: expected 4 bytes of Abort Message, found 5 bytes",
        ),
        (
            vec![0xc4, 0],
            "at byte 0: expected a type 0 chunk to begin a chunk stream, found type 3 on chunk stream 4",
        ),
        (
            same_stream(4, 0, 1, 9),
            "at byte 0: expected a type 0 chunk to begin a chunk stream, found type 1 on chunk stream 4",
        ),
        (
            delta_only(2, 0),
            "at byte 0: expected a type 0 chunk to begin a chunk stream, found type 2 on chunk stream 2",
        ),
        (
            [begun.clone(), full(4, 0, 200, 9, 1)].concat(),
            "at byte 140: expected the rest of the message that was begun, found a type 0 chunk on chunk stream 4",
        ),
        (
            [begun.clone(), same_stream(4, 0, 100, 9)].concat(),
            "at byte 140: expected the length of the message that was begun, found 100 instead of 200 bytes",
        ),
        (
            full(4, 0, (1 << 20) + 1, 9, 1),
            "at byte 0: 1048577 bytes in one message, more than the 1048576 allowed",
        ),
        (
            full(4, 0, (1 << 12) + 1, 20, 0),
            "at byte 0: 4097 bytes in one message, more than the 4096 allowed",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(fault(&input), expected);
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_beyond() {
    assert_eq!(summary(&full(4, 0, 1 << 20, 9, 1)), []);
    let streams = |count: u8| -> Vec<u8> {
        (3..3 + count)
            .flat_map(|id| [full(id, 0, 1, 8, 1), vec![0]].concat())
            .collect()
    };
    assert_eq!(summary(&streams(8)).len(), 8);
    assert_eq!(
        fault(&streams(9)),
        "at byte 104: 9 chunk streams in use, more than the 8 allowed"
    );
}

#[test]
fn unfinished_messages_share_one_budget_by_bytes_received() {
    let bounds = Bounds {
        unfinished_bytes: 3 * FIRST_RESERVATION,
        ..BOUNDS
    };
    let begun = |id: u8| [full(id, 0, 1 << 20, 9, 1), vec![9; 128]].concat();
    let three: Vec<u8> = (3..6).flat_map(begun).collect();
    assert_eq!(read_all(bounds, &three, 100), (vec![], None));
    let four: Vec<u8> = (3..7).flat_map(begun).collect();
    assert_eq!(
        read_all(bounds, &four, 100).1.as_deref(),
        Some("at byte 432: 262144 bytes in unfinished messages, more than the 196608 allowed")
    );
    // Finished and aborted messages give their bytes back.
    let again: Vec<u8> = (0..10)
        .flat_map(|_| [begun(3), control(2, 3), full(4, 0, 1, 9, 1), vec![0]].concat())
        .collect();
    assert_eq!(read_all(bounds, &again, 100).0.len(), 10);
}

#[test]
fn the_oldest_unfinished_message_is_known_by_where_it_began() {
    let mut reader = Reader::new(BOUNDS, 1_000);
    let mut since = |input: &[u8]| {
        let mut rest = input;
        while reader.read(&mut rest).expect("well-formed").is_some() {}
        reader.unfinished_since()
    };
    assert_eq!(since(&[full(3, 0, 2, 9, 1), vec![9; 2]].concat()), None);
    assert_eq!(since(&[full(4, 0, 2, 9, 1), vec![9]].concat()), Some(1_014));
    assert_eq!(since(&[9]), None);
    let long = |id| [full(id, 0, 200, 9, 1), vec![9; 128]].concat();
    assert_eq!(since(&[long(4), long(5)].concat()), Some(1_028));
    assert_eq!(since(&[&[0xc4][..], &[9; 72]].concat()), Some(1_168));
    assert_eq!(since(&control(2, 5)), None, "it was aborted");
}

#[test]
fn a_payload_is_allocated_once_at_its_size() {
    let input = [control(1, 0xff_ffff), full(4, 0, 5000, 9, 1), vec![1; 5000]].concat();
    let mut reader = Reader::new(BOUNDS, 0);
    let mut rest = input.as_slice();
    let message = reader.read(&mut rest).expect("well-formed").expect("whole");
    let payload = Vec::from(message.payload);
    assert_eq!((payload.len(), payload.capacity()), (5000, 5000));
    assert_eq!(reader.reserved.held(), 0);
}

fn with_blocks(bounds: Bounds) -> Reader {
    let mut reader = Reader::new(bounds, 0);
    reader.use_blocks();
    reader
}

#[test]
fn audio_and_video_lie_in_blocks_and_data_messages_do_not() {
    let mut reader = with_blocks(BOUNDS);
    let input = [control(1, 0xff_ffff)]
        .into_iter()
        .chain([9, 8, 18, 9].map(|kind| [full(4, 0, 5000, kind, 1), vec![kind; 5000]].concat()))
        .collect::<Vec<_>>()
        .concat();
    let mut rest = input.as_slice();
    let messages: Vec<_> =
        std::iter::from_fn(|| reader.read(&mut rest).expect("well-formed")).collect();
    let begin = messages[0].payload.as_ptr() as usize;
    let distance = |n: usize| (messages[n].payload.as_ptr() as usize).wrapping_sub(begin);
    assert_eq!(distance(1), 5000);
    assert_eq!(distance(3), 10_000, "the data message lies elsewhere");
    assert_eq!(reader.reserved.held(), 0);
}

#[test]
fn cut_bodies_count_as_unfinished_until_they_are_finished_or_aborted() {
    let bounds = Bounds {
        unfinished_bytes: 2 * 100_000,
        ..BOUNDS
    };
    let begun = |id: u8| [full(id, 0, 100_000, 9, 1), vec![9; 128]].concat();
    let three: Vec<u8> = (3..6).flat_map(begun).collect();
    assert_eq!(
        read_all_with(with_blocks(bounds), &three, 100).1.as_deref(),
        Some("at byte 292: 300000 bytes in unfinished messages, more than the 200000 allowed")
    );
    let again: Vec<u8> = (0..10)
        .flat_map(|_| [begun(3), control(2, 3), full(4, 0, 1, 9, 1), vec![0]].concat())
        .collect();
    let (messages, fault) = read_all_with(with_blocks(bounds), &again, 100);
    assert_eq!((messages.len(), fault), (10, None));
}

proptest! {
    #[test]
    fn any_bytes_in_any_slices_give_the_same(
        input in proptest::collection::vec(prop_oneof![Just(0_u8), Just(4), Just(0xc4), any::<u8>()], 0..600),
        slice in 1_usize..50,
    ) {
        prop_assert_eq!(
            read_all(BOUNDS, &input, input.len().max(1)),
            read_all(BOUNDS, &input, slice)
        );
    }

    #[test]
    fn what_rml_rtmp_writes_is_read(
        messages in proptest::collection::vec(
            (any::<u32>(), prop_oneof![Just(8_u8), Just(9), Just(18)], 1_usize..1000), 1..12),
        chunk_size in 1_u32..500,
        slice in 1_usize..300,
    ) {
        use rml_rtmp::{chunk_io::ChunkSerializer, messages::MessagePayload, time::RtmpTimestamp};
        let mut serializer = ChunkSerializer::new();
        let mut input = serializer
            .set_max_chunk_size(chunk_size, RtmpTimestamp::new(0))
            .expect("size")
            .bytes;
        let mut expected = Vec::new();
        for (timestamp_ms, kind, length) in messages {
            let payload = Bytes::from(vec![kind; length]);
            let message = MessagePayload {
                timestamp: RtmpTimestamp::new(timestamp_ms),
                type_id: kind,
                message_stream_id: 1,
                data: payload.clone(),
            };
            input.extend(serializer.serialize(&message, false, false).expect("chunks").bytes);
            expected.push(RawMessage { timestamp_ms, kind, stream: 1, payload });
        }
        prop_assert_eq!(&read_all_with(with_blocks(BOUNDS), &input, slice).0, &expected);
        prop_assert_eq!(read_all(BOUNDS, &input, slice), (expected, None));
    }
}
