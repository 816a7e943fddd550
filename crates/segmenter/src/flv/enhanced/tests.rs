use proptest::prelude::*;

use super::*;
use crate::flv::tests::hex;

fn bodies(kind: TrackKind, message: &[u8]) -> Vec<Result<Body, Error>> {
    Bodies::new(kind, Bytes::copy_from_slice(message)).collect()
}

/// A line for each body, and for the error if there is one.
fn shown(kind: TrackKind, message: &[u8]) -> Vec<String> {
    let line = |body: Result<Body, Error>| match body {
        Err(error) => error.to_string(),
        Ok(body) => {
            let key = match body.announced {
                Announced::KeyFrame => " key",
                Announced::Nothing => "",
            };
            let nanos = match body.nanos {
                0 => String::new(),
                nanos => format!(" +{nanos}ns"),
            };
            let packet = match body.packet {
                Packet::CodedFrames { composition_ms } => format!("frame {composition_ms}"),
                other => format!("{other:?}"),
            };
            format!(
                "{} {} {packet}{key}{nanos} {:02x?}",
                body.track,
                body.codec,
                &body.payload[..]
            )
        }
    };
    bodies(kind, message).into_iter().map(line).collect()
}

#[test]
fn video_headers() {
    let cases = [
        (
            "a configuration",
            "90 68766331 0102",
            vec!["0 \"hvc1\" SequenceStart key [01, 02]"],
        ),
        (
            "a picture",
            "A1 68766331 000043 0A",
            vec!["0 \"hvc1\" frame 67 [0a]"],
        ),
        (
            "one shown before it is decoded",
            "A1 61766331 FFFFD8 0A",
            vec!["0 \"avc1\" frame -40 [0a]"],
        ),
        (
            "one without a time",
            "A3 68766331 0A0B",
            vec!["0 \"hvc1\" frame 0 [0a, 0b]"],
        ),
        (
            "codecs that have none",
            "91 61763031 120034",
            vec!["0 \"av01\" frame 0 key [12, 00, 34]"],
        ),
        (
            "nor has VP9",
            "A1 76703039 828384",
            vec!["0 \"vp09\" frame 0 [82, 83, 84]"],
        ),
        (
            "VVC has one",
            "A1 76766331 000001 0A",
            vec!["0 \"vvc1\" frame 1 [0a]"],
        ),
        (
            "OBS: a key frame of track 1",
            "96 03 61766331 01 AA",
            vec!["1 \"avc1\" frame 0 key [aa]"],
        ),
        (
            "one track",
            "96 00 61766331 01 0142",
            vec!["1 \"avc1\" SequenceStart key [01, 42]"],
        ),
        (
            "and its pictures",
            "A6 01 61766331 01 0000A6 0A",
            vec!["1 \"avc1\" frame 166 [0a]"],
        ),
        (
            "tracks of one codec",
            "96 10 61766331 01 000002 AAAB 02 000001 BB",
            vec![
                "1 \"avc1\" SequenceStart [aa, ab]",
                "2 \"avc1\" SequenceStart [bb]",
            ],
        ),
        (
            "tracks of several",
            "96 21 61766331 00 000004 000005 AA 61763031 07 000001 BB",
            vec!["0 \"avc1\" frame 5 [aa]", "7 \"av01\" frame 0 [bb]"],
        ),
        (
            "a track without a byte",
            "96 11 76703039 03 000000",
            vec!["3 \"vp09\" frame 0 []"],
        ),
        (
            "OBS: colours",
            "84 68766331 0200",
            vec!["0 \"hvc1\" Metadata [02, 00]"],
        ),
        (
            "OBS: colours of track 2",
            "86 04 68766331 02 0200",
            vec!["2 \"hvc1\" Metadata [02, 00]"],
        ),
        (
            "FFmpeg: colours as a command",
            "D4 68766331 0200",
            vec!["0 \"hvc1\" Metadata [02, 00]"],
        ),
        ("a command: seek begins", "D0 00", vec![]),
        ("a command, of several tracks", "D6 00", vec![]),
        ("the end", "A2 68766331", vec!["0 \"hvc1\" SequenceEnd []"]),
        (
            "the end of track 1",
            "96 02 61766331 01",
            vec!["1 \"avc1\" SequenceEnd key []"],
        ),
        (
            "AV1 as in MPEG-TS",
            "95 61763031 80",
            vec!["0 \"av01\" Mpeg2TsSequenceStart key [80]"],
        ),
        (
            "a reserved packet type",
            "98 68766331 00",
            vec!["Enhanced RTMP video packet type 8 is reserved; messages with it are dropped"],
        ),
        (
            "one within multitrack",
            "96 0F 68766331 00",
            vec!["Enhanced RTMP video packet type 15 is reserved; messages with it are dropped"],
        ),
        (
            "multitrack within multitrack",
            "96 06 68766331 00",
            vec!["Enhanced RTMP video packet type 6 is reserved; messages with it are dropped"],
        ),
        (
            "ModEx within multitrack",
            "96 07 68766331 00",
            vec!["Enhanced RTMP video packet type 7 is reserved; messages with it are dropped"],
        ),
        (
            "a reserved multitrack type",
            "96 30 68766331 00",
            vec!["Enhanced RTMP video multitrack type 3 is reserved; messages with it are dropped"],
        ),
    ];
    for (name, message, expected) in cases {
        assert_eq!(shown(TrackKind::Video, &hex(message)), expected, "{name}");
    }
}

#[test]
fn audio_headers() {
    let cases = [
        (
            "a configuration",
            "90 4F707573 4F707573",
            vec!["0 \"Opus\" SequenceStart [4f, 70, 75, 73]"],
        ),
        (
            "FFmpeg: AC-3 needs none",
            "90 61632D33",
            vec!["0 \"ac-3\" SequenceStart []"],
        ),
        (
            "FFmpeg: bare STREAMINFO",
            "90 664C6143 04000400",
            vec!["0 \"fLaC\" SequenceStart [04, 00, 04, 00]"],
        ),
        (
            "FFmpeg: and channels behind it",
            "94 4F707573 01 01 00000004",
            vec!["0 \"Opus\" MultichannelConfig [01, 01, 00, 00, 00, 04]"],
        ),
        (
            "a frame",
            "91 4F707573 FC01",
            vec!["0 \"Opus\" frame 0 [fc, 01]"],
        ),
        (
            "FFmpeg: an empty one at the end",
            "91 664C6143",
            vec!["0 \"fLaC\" frame 0 []"],
        ),
        (
            "FFmpeg: AAC of track 1",
            "95 00 6D703461 01 1188",
            vec!["1 \"mp4a\" SequenceStart [11, 88]"],
        ),
        (
            "and its channels",
            "95 04 6D703461 01 0101",
            vec!["1 \"mp4a\" MultichannelConfig [01, 01]"],
        ),
        (
            "and its frames",
            "95 01 6D703461 01 DC00",
            vec!["1 \"mp4a\" frame 0 [dc, 00]"],
        ),
        (
            "tracks of several codecs",
            "95 21 6D703461 00 000001 AA 2E6D7033 01 000001 FF",
            vec!["0 \"mp4a\" frame 0 [aa]", "1 \".mp3\" frame 0 [ff]"],
        ),
        ("the end", "92 6D703461", vec!["0 \"mp4a\" SequenceEnd []"]),
        (
            "reserved, a picture's without time",
            "93 6D703461",
            vec!["Enhanced RTMP audio packet type 3 is reserved; messages with it are dropped"],
        ),
        (
            "reserved, a picture's multitrack",
            "96 00 6D703461 01",
            vec!["Enhanced RTMP audio packet type 6 is reserved; messages with it are dropped"],
        ),
    ];
    for (name, message, expected) in cases {
        assert_eq!(shown(TrackKind::Audio, &hex(message)), expected, "{name}");
    }
}

#[test]
fn mod_ex_prefixes() {
    let skipped = |size: usize| {
        let size_field = match u8::try_from(size - 1) {
            Ok(short @ 0..=254) => vec![short],
            _ => [
                &[0xff][..],
                &u16::try_from(size - 1).expect("16 bits").to_be_bytes(),
            ]
            .concat(),
        };
        [
            &[0xa7][..],
            &size_field,
            &vec![7; size],
            &hex("F3 68766331 0A"),
        ]
        .concat()
    };
    let plain = "0 \"hvc1\" frame 0 [0a]";
    let cases = [
        (
            "half a millisecond",
            hex("97 02 07A120 01 68766331 000000 0A"),
            "0 \"hvc1\" frame 0 key +500000ns [0a]",
        ),
        (
            "the most",
            hex("A7 02 0F423F 03 68766331 0A"),
            "0 \"hvc1\" frame 0 +999999ns [0a]",
        ),
        (
            "too much is none",
            hex("A7 02 0F4240 03 68766331 0A"),
            plain,
        ),
        (
            "longer than it needs",
            hex("A7 04 000001FFFF 03 68766331 0A"),
            "0 \"hvc1\" frame 0 +1ns [0a]",
        ),
        ("too short is none", hex("A7 01 0001 03 68766331 0A"), plain),
        (
            "two: the second counts",
            hex("A7 02 000001 07 02 000002 03 68766331 0A"),
            "0 \"hvc1\" frame 0 +2ns [0a]",
        ),
        (
            "one unknown, one known",
            hex("A7 00 AA 17 02 000003 03 68766331 0A"),
            "0 \"hvc1\" frame 0 +3ns [0a]",
        ),
        (
            "before multitrack",
            hex("A7 02 000001 06 03 68766331 05 0A"),
            "5 \"hvc1\" frame 0 +1ns [0a]",
        ),
        (
            "before colours that look like a command",
            hex("D7 00 00 14 68766331 0A"),
            "0 \"hvc1\" Metadata [0a]",
        ),
        ("1 byte", skipped(1), plain),
        ("255 bytes", skipped(255), plain),
        ("256 bytes", skipped(256), plain),
        ("257 bytes", skipped(257), plain),
        ("65536 bytes", skipped(65_536), plain),
    ];
    for (name, message, expected) in cases {
        assert_eq!(shown(TrackKind::Video, &message), [expected], "{name}");
    }
    assert_eq!(
        shown(TrackKind::Audio, &hex("97 02 000001 01 4F707573 FC")),
        ["0 \"Opus\" frame 0 +1ns [fc]"]
    );
    // Behind a command nothing is read.
    assert!(shown(TrackKind::Video, &hex("D7 00 00 03")).is_empty());
}

#[test]
fn what_does_not_fit_is_said_in_words() {
    let video = |message: &str| shown(TrackKind::Video, &hex(message)).pop().expect(message);
    let cases = [
        (
            "97",
            "an Enhanced RTMP video message of 1 bytes ends before its ModEx size",
        ),
        (
            "97 FF 00",
            "an Enhanced RTMP video message of 3 bytes ends before its ModEx size",
        ),
        (
            "97 FF FFFF 00",
            "an Enhanced RTMP video message of 5 bytes ends before its ModEx data",
        ),
        (
            "97 00 00",
            "an Enhanced RTMP video message of 3 bytes ends before its packet type",
        ),
        (
            "90 6876",
            "an Enhanced RTMP video message of 3 bytes ends before its FourCC",
        ),
        (
            "96",
            "an Enhanced RTMP video message of 1 bytes ends before its multitrack type",
        ),
        (
            "96 01 687663",
            "an Enhanced RTMP video message of 5 bytes ends before its FourCC",
        ),
        (
            "96 01 68766331",
            "an Enhanced RTMP video message of 6 bytes ends before its track id",
        ),
        (
            "96 11 68766331",
            "an Enhanced RTMP video message of 6 bytes ends before its track id",
        ),
        (
            "96 21",
            "an Enhanced RTMP video message of 2 bytes ends before its FourCC",
        ),
        (
            "96 11 68766331 01 0000",
            "an Enhanced RTMP video message of 9 bytes ends before its track size",
        ),
        (
            "A1 68766331 0000",
            "an Enhanced RTMP video message of 7 bytes ends before its composition time",
        ),
        (
            "96 11 68766331 01 000002 0000",
            "an Enhanced RTMP video message of 12 bytes ends before its composition time",
        ),
        (
            "96 13 68766331 09 000003 AABB",
            "an Enhanced RTMP video message gives track 9 3 bytes, but has 2 left; dropped from there on",
        ),
        (
            "96 13 68766331 02 000001 AA 03 FFFFFF BB",
            "an Enhanced RTMP video message gives track 3 16777215 bytes, but has 1 left; dropped from there on",
        ),
        (
            "96 13 68766331 02 000001 AA 02 000001 BB",
            "an Enhanced RTMP video message has track 2 twice; dropped from there on",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(video(message), expected);
    }
}

/// `count` tracks of VP9 with a byte each.
fn many(count: u8) -> Vec<u8> {
    let tracks = (0..count).flat_map(|id| [id, 0, 0, 1, id]);
    hex("A6 11 76703039").into_iter().chain(tracks).collect()
}

#[test]
fn what_came_before_a_mistake_stands() {
    let shown = shown(
        TrackKind::Video,
        &hex("96 13 68766331 02 000001 AA 03 FFFFFF BB"),
    );
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0], "2 \"hvc1\" frame 0 [aa]");
    let good = bodies(TrackKind::Video, &many(32));
    assert_eq!(good.len(), 32);
    assert!(good.iter().all(Result::is_ok));
    for count in [33, 255] {
        let found = bodies(TrackKind::Video, &many(count));
        assert_eq!(found[..32], good);
        assert_eq!(found[32..], [Err(Error::TooManyTracks("video"))]);
    }
}

#[test]
fn cut_off_after_every_byte() {
    for message in [
        "97 02 07A120 06 20 61766331 01 000002 AABB 68766331 02 000003 CCDDEE",
        "A7 00 00 16 11 68766331 01 000004 000001AA 02 000004 000002BB",
        "A1 68766331 000043 0A0B",
    ] {
        let whole = hex(message);
        let good = bodies(TrackKind::Video, &whole);
        assert!(good.iter().all(Result::is_ok), "{message}");
        for end in 0..whole.len() {
            let found = bodies(TrackKind::Video, &whole[..end]);
            let (last, before) = found.split_last().expect("at least an error");
            assert_eq!(before, &good[..before.len()], "{message} to {end}");
            // Only where no size says more can what is cut off pass for whole.
            assert!(
                last.is_err() || found.len() < good.len() || good.len() == 1,
                "{message} to {end}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_slices_of_themselves_and_at_most_one_error(
        first in prop_oneof![Just(0x96_u8), Just(0xa6), Just(0x97), Just(0xd7), any::<u8>()],
        rest in proptest::collection::vec(prop_oneof![0_u8..4, Just(0x61), any::<u8>()], 0..80),
        audio: bool,
    ) {
        let kind = if audio { TrackKind::Audio } else { TrackKind::Video };
        let message = Bytes::from([&[first][..], &rest].concat());
        let found: Vec<_> = Bodies::new(kind, message.clone()).collect();
        let mut from = message.as_ptr();
        for (at, body) in found.iter().enumerate() {
            match body {
                Ok(body) if body.payload.is_empty() => {}
                Ok(body) => {
                    let part = body.payload.as_ptr_range();
                    prop_assert!(from < part.start && part.end <= message.as_ptr_range().end);
                    from = part.end.wrapping_sub(1);
                    prop_assert!(body.nanos < 1_000_000);
                }
                Err(_) => prop_assert_eq!(at, found.len() - 1),
            }
        }
        prop_assert!(found.len() <= 33);
    }
}
