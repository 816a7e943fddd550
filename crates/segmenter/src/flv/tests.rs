mod codecs;
mod second_reader;
mod tracks;

use media::codec::{Aac, Mp3};
use proptest::prelude::*;

use super::*;

/// Length-prefixed NAL units of the given types, two bytes each.
fn nal_units(types: &[u8]) -> Vec<u8> {
    types
        .iter()
        .flat_map(|&t| [0, 0, 0, 2, 0x60 | t, 0x80])
        .collect()
}

/// Bytes of hexadecimal digits, with spaces wherever they read well.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16);
    digits
        .chunks(2)
        .map(|pair| byte(pair).expect("hexadecimal"))
        .collect()
}

/// Everything in a message.
fn all(demuxer: &mut Demuxer, kind: MessageKind, body: &[u8]) -> Vec<Result<Unit, Fault>> {
    demuxer.push(&Message {
        kind,
        timestamp_ms: 40,
        payload: Bytes::copy_from_slice(body),
    });
    std::iter::from_fn(|| demuxer.pull()).collect()
}

/// What is in a message that holds one thing at most.
fn push(demuxer: &mut Demuxer, kind: MessageKind, body: &[u8]) -> Result<Option<Unit>, Fault> {
    let mut all = all(demuxer, kind, body);
    assert!(all.len() <= 1, "{all:?}");
    all.pop().transpose()
}

/// A demuxer that has seen an H.264 and an AAC configuration.
fn configured() -> Demuxer {
    let mut demuxer = Demuxer::new();
    let video = push(&mut demuxer, MessageKind::Video, FUZZ_HEADERS[0].1);
    assert_eq!(video, Ok(None));
    let audio = push(&mut demuxer, MessageKind::Audio, &[0xaf, 0, 0x12, 0x10]);
    assert_eq!(audio, Ok(None));
    demuxer
}

#[test]
fn video_bodies() {
    // name, header, NAL unit types, what begins there, composition time
    let cases: [(&str, [u8; 5], &[u8], Entry, i32); 6] = [
        (
            "an IDR picture",
            [0x17, 1, 0, 0, 80],
            &[7, 8, 6, 5],
            Entry::RandomAccess,
            80,
        ),
        (
            "a picture in between",
            [0x27, 1, 0, 0, 0],
            &[1],
            Entry::None,
            0,
        ),
        (
            "a key frame that is none",
            [0x17, 1, 0, 0, 0],
            &[9, 6, 1],
            Entry::None,
            0,
        ),
        (
            "an IDR picture that is not marked",
            [0x27, 1, 0, 0, 0],
            &[5],
            Entry::RandomAccess,
            0,
        ),
        (
            "the largest composition time",
            [0x27, 1, 0x7f, 0xff, 0xff],
            &[1],
            Entry::None,
            8_388_607,
        ),
        (
            "a negative composition time",
            [0x27, 1, 0xff, 0xff, 0xd8],
            &[1],
            Entry::None,
            -40,
        ),
    ];
    for (name, header, types, entry, composition_ms) in cases {
        let payload = nal_units(types);
        let body = [&header[..], &payload].concat();
        let unit = push(&mut configured(), MessageKind::Video, &body);
        let unit = unit.expect(name).expect(name);
        assert_eq!(
            (
                unit.entry,
                unit.composition_ms,
                unit.dts_ms,
                &unit.payload[..]
            ),
            (entry, composition_ms, 40, &payload[..]),
            "{name}"
        );
        assert_eq!(unit.codec.name(), "H.264", "{name}");
    }
}

/// x264 with `open-gop` or `intra-refresh`: no IDR picture but the first.
#[test]
fn recovery_points_that_the_encoder_calls_key_frames() {
    let sei = [0, 0, 0, 5, 6, 6, 1, 0xc4, 0x80];
    let body = |frame_type: u8, rest: &[u8]| [&[frame_type << 4 | 7, 1, 0, 0, 0], rest].concat();
    let cases = [
        (
            "an open GOP",
            body(1, &[&sei[..], &nal_units(&[1])].concat()),
            Entry::RecoveryPoint,
        ),
        (
            "one not called so",
            body(2, &[&sei[..], &nal_units(&[1])].concat()),
            Entry::None,
        ),
        (
            "at an IDR picture",
            body(1, &[&sei[..], &nal_units(&[5])].concat()),
            Entry::RandomAccess,
        ),
        (
            "behind one",
            body(1, &[&nal_units(&[5])[..], &sei].concat()),
            Entry::RandomAccess,
        ),
    ];
    for (name, body, expected) in cases {
        let unit = push(&mut configured(), MessageKind::Video, &body);
        assert_eq!(unit.expect(name).expect(name).entry, expected, "{name}");
    }
}

#[test]
fn bodies_without_an_access_unit_are_no_faults() {
    let cases: [(&str, MessageKind, &[u8]); 5] = [
        ("empty video", MessageKind::Video, &[]),
        ("empty audio", MessageKind::Audio, &[]),
        ("end of sequence", MessageKind::Video, &[0x17, 2, 0, 0, 0]),
        ("short end of sequence", MessageKind::Video, &[0x17, 2]),
        ("a command to the player", MessageKind::Video, &[0x57, 0]),
    ];
    for (name, kind, body) in cases {
        assert_eq!(push(&mut configured(), kind, body), Ok(None), "{name}");
    }
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let cases: [(MessageKind, &[u8], &str); 15] = [
        (
            MessageKind::Video,
            &[0x17, 1, 0, 0, 0],
            "a video message has an access unit of 0 bytes; dropped",
        ),
        (
            MessageKind::Video,
            &[0x17, 1, 0, 0, 0, 0, 0, 0, 0],
            "a video message has only NAL units of 0 bytes; dropped",
        ),
        (
            MessageKind::Video,
            &[0x27, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            "a video message has only NAL units of 0 bytes; dropped",
        ),
        (
            MessageKind::Audio,
            &[0xaf, 1],
            "an AAC message has an access unit of 0 bytes; dropped",
        ),
        (
            MessageKind::Audio,
            &[0x2f],
            "an MP3 message has an access unit of 0 bytes; dropped",
        ),
        (
            MessageKind::Video,
            &[0x17],
            "a video message of 1 bytes is shorter than its header of 5",
        ),
        (
            MessageKind::Video,
            &[0x17, 1, 0],
            "a video message of 3 bytes is shorter than its header of 5",
        ),
        (
            MessageKind::Video,
            &[0x17, 3, 0, 0, 0],
            "a video message has AVC packet type 3; 0, 1 and 2 are defined",
        ),
        (
            MessageKind::Video,
            &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 0, 9, 0x65],
            "a video message of 10 bytes has a NAL unit of 9 bytes at byte 5, beyond its end; dropped",
        ),
        (
            MessageKind::Video,
            &[0x17, 1, 0, 0, 0, 0, 0, 0],
            "a video message of 3 bytes has a NAL unit of 3 bytes at byte 0, beyond its end; dropped",
        ),
        (
            MessageKind::Audio,
            &[0xaf],
            "an AAC message of 1 byte ends before its packet type",
        ),
        (
            MessageKind::Audio,
            &[0xaf, 7, 0],
            "an AAC message has packet type 7; 0 and 1 are defined",
        ),
        (
            MessageKind::Audio,
            &[0x2f, 0x49, 0x44, 0x33, 0x03],
            "a message of audio was dropped: MP3 frame header has synchronisation word 586, which is not allowed",
        ),
        (
            MessageKind::Video,
            &[0x90, b'h'],
            "an Enhanced RTMP video message of 2 bytes ends before its FourCC",
        ),
        (
            MessageKind::Audio,
            &[0x90, b'O'],
            "an Enhanced RTMP audio message of 2 bytes ends before its FourCC",
        ),
    ];
    for (kind, body, expected) in cases {
        let fault = push(&mut configured(), kind, body).expect_err(expected);
        assert_eq!(fault.text, expected);
        assert_eq!(fault.kind, FaultKind::MalformedMessage, "{expected}");
    }
}

#[test]
fn codecs_that_are_not_carried_are_named_once_each() {
    let mut demuxer = configured();
    let mut named = |kind, body: &[u8]| {
        let first = push(&mut demuxer, kind, body).expect_err("not carried");
        assert_eq!(first.kind, FaultKind::UnsupportedCodec);
        for _ in 0..100 {
            assert_eq!(push(&mut demuxer, kind, body), Ok(None));
        }
        first.text
    };
    let advice = "is not carried; set the encoder to H.264 and AAC";
    let no_player =
        "is not carried, since no player of HLS takes it; set the encoder to H.264 and AAC";
    assert_eq!(
        named(MessageKind::Video, &[0x14, 0]),
        format!("video codec 4 (On2 VP6) {advice}")
    );
    assert_eq!(
        named(MessageKind::Video, b"\x90dvh1\0"),
        format!("video codec \"dvh1\" {advice}")
    );
    assert_eq!(
        named(MessageKind::Video, b"\x90vvc1\0"),
        format!("video codec \"vvc1\" (VVC) {no_player}")
    );
    assert_eq!(
        named(MessageKind::Video, b"\x91vp08\0"),
        format!("video codec \"vp08\" (VP8) {no_player}")
    );
    assert_eq!(
        named(MessageKind::Video, b"\x90mp4a\0"),
        format!("video codec \"mp4a\" (AAC) {advice}")
    );
    assert_eq!(
        named(MessageKind::Audio, b"\x90hvc1\0"),
        format!("audio codec \"hvc1\" (HEVC) {advice}")
    );
    assert_eq!(
        named(MessageKind::Audio, b"\x91\xff\"\n1\0"),
        format!("audio codec \"\\xff\\\"\\n1\" {advice}")
    );
    assert_eq!(
        named(MessageKind::Audio, &[0xb6, 0]),
        format!("sound format 11 (Speex) {advice}")
    );
}

#[test]
fn made_up_fourccs_end_in_silence() {
    let mut demuxer = configured();
    let faults = (0..1_000_u32)
        .filter(|n| {
            let body = [&[0x90][..], &n.to_be_bytes()].concat();
            push(&mut demuxer, MessageKind::Video, &body).is_err()
        })
        .count();
    assert_eq!(faults, 8);
}

#[test]
fn media_before_its_configuration_is_one_fault() {
    let mut demuxer = Demuxer::new();
    for (kind, body) in [
        (
            MessageKind::Video,
            &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65][..],
        ),
        (MessageKind::Audio, &[0xaf, 1, 0x21][..]),
    ] {
        let fault = push(&mut demuxer, kind, body).expect_err("too early");
        assert_eq!(fault.kind, FaultKind::EarlyMedia);
        assert_eq!(push(&mut demuxer, kind, body), Ok(None));
    }
}

#[test]
fn the_same_configuration_again_is_no_change() {
    let mut demuxer = configured();
    let picture = [0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65];
    let sound = [0xaf, 1, 0x21];
    let mut codec = |header: &[u8], kind, body: &[u8]| {
        push(&mut demuxer, kind, header).expect("a configuration");
        let unit = push(&mut demuxer, kind, body)
            .expect("media")
            .expect("a unit");
        unit.codec
    };
    let first = codec(FUZZ_HEADERS[0].1, MessageKind::Video, &picture);
    let again = codec(FUZZ_HEADERS[0].1, MessageKind::Video, &picture);
    assert!(Arc::ptr_eq(&first, &again));
    let mut other = FUZZ_HEADERS[0].1.to_vec();
    *other.last_mut().expect("bytes") = 0x81;
    let changed = codec(&other, MessageKind::Video, &picture);
    assert_ne!(first, changed);

    let first = codec(&[0xaf, 0, 0x12, 0x10], MessageKind::Audio, &sound);
    let again = codec(&[0xaf, 0, 0x12, 0x10], MessageKind::Audio, &sound);
    assert!(Arc::ptr_eq(&first, &again));
    let changed = codec(&[0xaf, 0, 0x11, 0x90], MessageKind::Audio, &sound);
    assert_ne!(first, changed);
}

#[test]
fn a_broken_configuration_leaves_the_good_one() {
    let mut demuxer = configured();
    for (kind, header, unit) in [
        (
            MessageKind::Video,
            &[0x17, 0, 0, 0, 0, 9][..],
            &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65][..],
        ),
        (
            MessageKind::Video,
            &[0x17, 0, 0, 0, 0],
            &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65],
        ),
        (MessageKind::Audio, &[0xaf, 0, 0x12], &[0xaf, 1, 0x21]),
        (MessageKind::Audio, &[0xaf, 0], &[0xaf, 1, 0x21]),
    ] {
        let fault = push(&mut demuxer, kind, header).expect_err("broken");
        assert_eq!(fault.kind, FaultKind::BadConfiguration);
        assert!(
            fault.text.contains("the one before stays"),
            "{}",
            fault.text
        );
        assert!(push(&mut demuxer, kind, unit).expect("media").is_some());
    }
}

#[test]
fn mp3_is_configured_by_each_frame() {
    let mut demuxer = Demuxer::new();
    for (header, rate) in [
        ([0x2f, 0xff, 0xfb, 0x90, 0x64], 44_100),
        ([0x2f, 0xff, 0xfb, 0x50, 0x64], 44_100),
        ([0xef, 0xff, 0xf3, 0x44, 0xc4], 24_000),
    ] {
        let unit = push(&mut demuxer, MessageKind::Audio, &header);
        let unit = unit.expect("MP3").expect("a frame");
        assert_eq!(&unit.payload[..], &header[1..]);
        assert_eq!(unit.entry, Entry::RandomAccess);
        match &*unit.codec {
            Codec::Mp3(Mp3 { sample_rate, .. }) => assert_eq!(*sample_rate, rate),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn payloads_are_slices_of_the_message() {
    let payload = Bytes::from_static(&[0xaf, 1, 0x21, 0x22]);
    let mut demuxer = configured();
    demuxer.push(&Message {
        kind: MessageKind::Audio,
        timestamp_ms: 0,
        payload: payload.clone(),
    });
    let unit = demuxer.pull().expect("a unit").expect("media");
    assert_eq!(unit.payload.as_ptr(), payload[2..].as_ptr());
    assert!(matches!(
        &*unit.codec,
        Codec::Aac(Aac {
            sample_rate: 44_100,
            ..
        })
    ));
}

/// What is counted of a unit is its payload: a track of few bytes must not hold the megabyte beside it.
#[test]
fn small_units_of_large_messages_are_copied() {
    let track = |id: u8, unit: &[u8]| -> Vec<u8> {
        let length = u32::try_from(unit.len()).expect("short").to_be_bytes();
        [&[id], &length[1..], unit].concat()
    };
    let small = nal_units(&[5]);
    let large = [&[0, 0x10, 0, 0][..], &vec![0x65; 1 << 20]].concat();
    // Multitrack of one codec: CodedFramesX of several tracks.
    let head = [&[0x96, 0x13][..], b"avc1"].concat();
    let message = Bytes::from([head, track(0, &small), track(1, &large)].concat());
    let record = FUZZ_HEADERS[0].1.get(5..).expect("longer").to_vec();
    let start = [
        &[0x96, 0x10][..],
        b"avc1",
        &*track(0, &record),
        &track(1, &record),
    ]
    .concat();
    let mut demuxer = Demuxer::new();
    assert_eq!(all(&mut demuxer, MessageKind::Video, &start), []);
    demuxer.push(&Message {
        kind: MessageKind::Video,
        timestamp_ms: 0,
        payload: message.clone(),
    });
    let whole = message.as_ptr_range();
    let units = std::iter::from_fn(|| demuxer.pull());
    let found: Vec<_> = units
        .map(|unit| unit.expect("media").payload)
        .map(|payload| (payload.len(), whole.contains(&payload.as_ptr())))
        .collect();
    assert_eq!(found, [(small.len(), false), (large.len(), true)]);
}

proptest! {
    #[test]
    fn any_body_is_survived(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        fuzz(&body);
    }

    #[test]
    fn any_change_to_a_good_body_is_survived(at in 0_usize..29, with: u8, end in 0_usize..29) {
        let mut body = [&[0x17, 1, 0, 0, 0][..], &nal_units(&[7, 8, 6, 5])].concat();
        body[at] = with;
        body.truncate(end);
        fuzz(&body);
    }
}
