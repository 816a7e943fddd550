//! Enhanced RTMP through the demuxer: tracks, their configurations, and what encoders really send.

use super::*;
use crate::flv::body::{FourCc, Packet};

const AVCC: &str = "0142C00BFFE100096742C00BDA101A6C8001000468CE3C80";
/// The same with another picture parameter set.
const OTHER_AVCC: &str = "0142C00BFFE100096742C00BDA101A6C8001000468CE3C40";
const IDR: &str = "00000002 6588";
const INTER: &str = "00000002 419A";
const VIDEO: MessageKind = MessageKind::Video;
const AUDIO: MessageKind = MessageKind::Audio;

/// Everything in a message of hexadecimal digits, where nothing is wrong.
fn units(demuxer: &mut Demuxer, kind: MessageKind, message: &str) -> Vec<Unit> {
    let all: Result<_, _> = all(demuxer, kind, &hex(message)).into_iter().collect();
    all.unwrap_or_else(|fault: Fault| panic!("{message}: {}", fault.text))
}

/// The only unit in it.
pub(super) fn unit(demuxer: &mut Demuxer, kind: MessageKind, message: &str) -> Unit {
    let mut units = units(demuxer, kind, message);
    assert_eq!(units.len(), 1, "{message}");
    units.remove(0)
}

pub(super) fn nothing(demuxer: &mut Demuxer, kind: MessageKind, message: &str) {
    assert_eq!(units(demuxer, kind, message), [], "{message}");
}

/// The texts of what is wrong in it.
pub(super) fn faults(demuxer: &mut Demuxer, kind: MessageKind, message: &str) -> Vec<String> {
    let faults = all(demuxer, kind, &hex(message)).into_iter();
    faults
        .filter_map(Result::err)
        .map(|fault| fault.text)
        .collect()
}

#[test]
fn ffmpeg_9_sends_track_0_as_ever_and_more_tracks_one_a_message() {
    let mut demuxer = Demuxer::new();
    nothing(&mut demuxer, VIDEO, &format!("17 00 000000 {AVCC}"));
    nothing(
        &mut demuxer,
        VIDEO,
        &format!("96 00 61766331 01 {OTHER_AVCC}"),
    );
    nothing(&mut demuxer, AUDIO, "AF 00 118856E500");
    nothing(&mut demuxer, AUDIO, "95 00 6D703461 01 118856E500");
    nothing(&mut demuxer, AUDIO, "95 04 6D703461 01 01 01 00000004");
    let sounds = [
        unit(&mut demuxer, AUDIO, "AF 01 DC004C"),
        unit(&mut demuxer, AUDIO, "95 01 6D703461 01 DC004C"),
    ];
    let pictures = [
        unit(&mut demuxer, VIDEO, &format!("17 01 000000 {IDR}")),
        unit(&mut demuxer, VIDEO, &format!("96 03 61766331 01 {IDR}")),
        unit(
            &mut demuxer,
            VIDEO,
            &format!("A6 01 61766331 01 0000A6 {INTER}"),
        ),
    ];
    assert_eq!(sounds[0].payload, sounds[1].payload);
    assert_eq!(pictures[0].payload, pictures[1].payload);
    assert_eq!([0, 1].map(|at: usize| sounds[at].track), [0, 1]);
    assert_eq!([0, 1, 2].map(|at: usize| pictures[at].track), [0, 1, 1]);
    assert_ne!(pictures[0].codec, pictures[1].codec);
    assert_eq!(pictures[1].entry, Entry::RandomAccess);
    assert_eq!(
        (pictures[2].entry, pictures[2].composition_ms),
        (Entry::None, 166)
    );
    assert!(Arc::ptr_eq(&pictures[1].codec, &pictures[2].codec));
}

#[test]
fn one_message_may_hold_a_unit_of_each_track() {
    let mut demuxer = Demuxer::new();
    let starts = format!("96 10 61766331 00 000018 {AVCC} 03 000018 {OTHER_AVCC}");
    nothing(&mut demuxer, VIDEO, &starts);
    let both =
        format!("97 02 07A120 06 11 61766331 00 000009 000000 {IDR} 03 000009 000028 {INTER}");
    let found = units(&mut demuxer, VIDEO, &both);
    let shown: Vec<_> = found
        .iter()
        .map(|unit| {
            (
                unit.track,
                unit.entry,
                unit.dts_ms,
                unit.composition_ms,
                unit.nanos,
            )
        })
        .collect();
    // FrameType says "key frame" of both.
    assert_eq!(
        shown,
        [
            (0, Entry::RandomAccess, 40, 0, 500_000),
            (3, Entry::None, 40, 40, 500_000)
        ]
    );
    // What was not pulled is gone with the next message.
    demuxer.push(&Message {
        kind: VIDEO,
        timestamp_ms: 80,
        payload: hex(&both).into(),
    });
    assert!(demuxer.pull().is_some_and(|unit| unit.is_ok()));
    nothing(&mut demuxer, AUDIO, "");
    // MP3 tells its configuration with each frame.
    let mp3 = units(
        &mut demuxer,
        AUDIO,
        "95 11 2E6D7033 00 000004 FFFB9064 01 000004 FFF344C4",
    );
    assert_eq!(mp3.len(), 2);
    assert_ne!(mp3[0].codec, mp3[1].codec);
}

#[test]
fn recovery_points_of_several_tracks_are_not_believed() {
    let mut demuxer = configured();
    let open_gop = "00000005 060601C480 00000002 419A";
    let one = unit(&mut demuxer, VIDEO, &format!("93 61766331 {open_gop}"));
    assert_eq!(one.entry, Entry::RecoveryPoint);
    let several = unit(
        &mut demuxer,
        VIDEO,
        &format!("96 13 61766331 00 00000F {open_gop}"),
    );
    assert_eq!(several.entry, Entry::None);
}

#[test]
fn legacy_and_enhanced_are_one_track() {
    let mut demuxer = configured();
    let legacy = unit(&mut demuxer, VIDEO, &format!("27 01 000000 {INTER}"));
    nothing(&mut demuxer, VIDEO, &format!("90 61766331 {AVCC}"));
    let enhanced = unit(&mut demuxer, VIDEO, &format!("A3 61766331 {INTER}"));
    assert!(Arc::ptr_eq(&legacy.codec, &enhanced.codec));
    assert_eq!(legacy, enhanced);
    nothing(
        &mut demuxer,
        VIDEO,
        &format!("96 00 61766331 00 {OTHER_AVCC}"),
    );
    let changed = unit(&mut demuxer, VIDEO, &format!("27 01 000000 {INTER}"));
    assert_ne!(legacy.codec, changed.codec);
}

#[test]
fn a_track_may_change_its_codec_and_back() {
    let mut demuxer = configured();
    let names =
        ["AF 01 21", "2F FFFB9064"].map(|message| unit(&mut demuxer, AUDIO, message).codec.name());
    assert_eq!(names, ["AAC", "MP3"]);
    let early =
        ["audio came before its configuration (AAC sequence header); dropped until it comes"];
    assert_eq!(faults(&mut demuxer, AUDIO, "AF 01 21"), early);
    // An empty configuration is not that of MP3, which has none.
    assert_eq!(
        faults(&mut demuxer, AUDIO, "90 6D703461"),
        [
            "unusable configuration of audio, the one before stays: AudioSpecificConfig ends after 0 bytes, in the \
          middle of audio object type"
        ]
    );
    nothing(&mut demuxer, AUDIO, "AF 00 1210");
    assert_eq!(unit(&mut demuxer, AUDIO, "AF 01 21").codec.name(), "AAC");
}

#[test]
fn each_track_is_told_of_for_itself() {
    let mut demuxer = configured();
    let early = |track| {
        format!(
            "video track {track} came before its configuration (H.264 sequence header); dropped until it comes"
        )
    };
    for track in [1, 2] {
        let message = format!("A6 03 61766331 0{track} {INTER}");
        assert_eq!(faults(&mut demuxer, VIDEO, &message), [early(track)]);
        nothing(&mut demuxer, VIDEO, &message);
    }
    assert_eq!(
        faults(&mut demuxer, AUDIO, "95 00 6D703461 07 12"),
        [
            "unusable configuration of audio track 7: AudioSpecificConfig ends after 1 bytes, in the middle of \
          sampling rate index"
        ]
    );
    assert_eq!(
        faults(&mut demuxer, VIDEO, "A6 03 61766331 02"),
        ["a message of video track 2 has an access unit of 0 bytes; dropped"]
    );
}

#[test]
fn messages_without_media_are_no_faults() {
    let messages = [
        (
            "ffmpeg_9_ends_a_track_with_an_empty_frame",
            AUDIO,
            "91 6D703461",
        ),
        ("channels", AUDIO, "94 6D703461 01 01 00000004"),
        (
            "channels of a track that never comes",
            AUDIO,
            "95 04 4F707573 09 01 01 00000004",
        ),
        ("the end", AUDIO, "92 6D703461"),
        ("the end of a track", VIDEO, "96 02 61766331 01"),
        (
            "obs_30_sends_colours_with_frame_type_0",
            VIDEO,
            "84 61766331 0200",
        ),
        (
            "ffmpeg_9_sends_colours_as_a_command_without_their_track",
            VIDEO,
            "D4 68766331 0200",
        ),
        ("colours of a track", VIDEO, "86 04 61766331 01 0200"),
        ("a command", VIDEO, "D1 00"),
        ("MP3 needs no SequenceStart", AUDIO, "90 2E6D7033"),
        ("silence", AUDIO, ""),
    ];
    for (name, kind, message) in messages {
        let mut demuxer = configured();
        assert_eq!(units(&mut demuxer, kind, message), [], "{name}");
        // Nor do they change a track.
        assert_eq!(
            unit(&mut demuxer, AUDIO, "AF 01 21").codec.name(),
            "AAC",
            "{name}"
        );
        assert_eq!(
            unit(&mut demuxer, VIDEO, &format!("27 01 000000 {INTER}")).track,
            0,
            "{name}"
        );
    }
}

#[test]
fn old_numbers_of_new_codecs_are_the_same_codecs() {
    let read = |message: &str| {
        legacy::audio(&hex(message).into())
            .expect("Opus")
            .expect("a body")
    };
    let frame = Packet::CodedFrames { composition_ms: 0 };
    for (message, packet, payload) in [
        ("DF 00 4F707573", Packet::SequenceStart, "4F707573"),
        ("DF 01 FC01", frame, "FC01"),
        ("DF FC01", frame, "FC01"),
    ] {
        let body = read(message);
        assert_eq!(
            (body.packet, &body.payload[..]),
            (packet, &hex(payload)[..]),
            "{message}"
        );
    }
    let hevc = legacy::video(&hex("2C 01 FFFFD8 0A").into())
        .expect("HEVC")
        .expect("a body");
    assert_eq!(
        (hevc.codec, hevc.packet),
        (
            FourCc::HEVC,
            Packet::CodedFrames {
                composition_ms: -40
            }
        )
    );
}

#[test]
fn what_is_reserved_is_skipped_and_counted() {
    let mut demuxer = configured();
    for message in ["98", "98", "99", "96 30", "96 40", "A8"] {
        let told = faults(&mut demuxer, VIDEO, message);
        assert_eq!(told.len(), 1, "{told:?}");
    }
    let message = "95 61763031 80";
    assert_eq!(
        faults(&mut demuxer, VIDEO, message),
        [
            "a video configuration in the form of MPEG-TS (MPEG2TSSequenceStart) is not read; set the encoder to send \
          it as av1C (SequenceStart)"
        ]
    );
    nothing(&mut demuxer, VIDEO, message);
}

#[test]
fn tracks_beyond_the_32nd_are_told_once_and_dropped() {
    let mut demuxer = Demuxer::new();
    let start = |track: u8| format!("95 00 6D703461 {track:02x} 1210");
    let frame = |track: u8| format!("95 01 6D703461 {track:02x} 21");
    for track in 0..32 {
        nothing(&mut demuxer, AUDIO, &start(track * 8));
    }
    assert_eq!(
        faults(&mut demuxer, AUDIO, &start(7)),
        ["audio track 7 is one more than the 32 that are taken; dropped"]
    );
    for track in 0..=255 {
        assert_eq!(faults(&mut demuxer, AUDIO, &start(track)), [""; 0]);
        let found = units(&mut demuxer, AUDIO, &frame(track));
        assert_eq!(found.len(), usize::from(track % 8 == 0), "{track}");
    }
    // Pictures count for themselves.
    nothing(&mut demuxer, VIDEO, &format!("17 00 000000 {AVCC}"));
    assert_eq!(
        unit(&mut demuxer, VIDEO, &format!("17 01 000000 {IDR}")).track,
        0
    );
}

proptest! {
    #[test]
    fn any_change_to_a_good_message_is_survived(
        which in 0_usize..10, at in 0_usize..60, with: u8, end in 0_usize..60,
    ) {
        let mut message = hex(&[
            format!("96 10 61766331 00 000018 {AVCC}"),
            format!("96 11 61766331 00 000009 000000 {IDR} 03 000009 000028 {INTER}"),
            format!("97 02 07A120 06 21 61766331 00 000009 000000 {IDR} 61763031 01 000003 120034"),
            format!("97 FF 0003 AABBCCDD 03 61766331 {IDR}"),
            "95 11 2E6D7033 00 000004 FFFB9064 01 000004 FFF344C4".to_owned(),
            "95 21 6D703461 00 000002 2110 2E6D7033 01 000004 FFFB9064".to_owned(),
            "90 76703039 0015820202020000 8249834200 27F0167606".to_owned(),
            "91 61763031 1200 0A0100 320110".to_owned(),
            "91 76703039 8249834200 27F0167606".to_owned(),
            "95 21 4F707573 00 000002 FC7E 4F707573 01 000004 FF03FC7E".to_owned(),
        ][which]);
        if let Some(byte) = message.get_mut(at) {
            *byte = with;
        }
        message.truncate(end);
        fuzz(&message);
    }
}
