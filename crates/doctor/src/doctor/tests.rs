//! Each trouble by a scripted stream that has it, beside one that is near it and right.

mod uplink;

use std::time::{Duration, SystemTime};

use media::codec::{Aac, Ac3, Av1, OpusHead};
use media::{AdviceKind, Codec, FaultKind, MessageKind, Severity};

use super::Latency;
use crate::script::{self, Script};

use AdviceKind as Kind;
use Severity::{Hint, Problem, Warning};

const NONE: [(AdviceKind, Severity); 0] = [];

/// Which of `count` things picture `n` takes.
fn place(n: u64, count: usize) -> usize {
    usize::try_from(n).expect("a script is short") % count
}

#[test]
fn a_right_stream_gets_no_advice_in_an_hour() {
    let mut script = Script::new();
    script.picture_bytes = 100;
    script.declare(&[
        ("audiocodecid", "10"),
        ("videocodecid", "7"),
        ("framerate", "25"),
        ("videodatarate", "2500"),
        ("audiodatarate", "128"),
    ]);
    for minute in 1..=60 {
        assert_eq!(script.run(60), [], "after {minute} min");
    }
}

#[test]
fn right_streams_of_other_kinds_get_none_either() {
    type Change = fn(&mut Script);
    let cases: [(&str, Change); 16] = [
        ("no sound, none announced", |script| script.audio = None),
        ("no pictures, none announced", |script| script.video = None),
        ("no pictures, and said so", |script| {
            script.video = None;
            script.declare(&[("hasVideo", "false"), ("videocodecid", "7")]);
        }),
        ("only key frames", |script| script.key = |_| true),
        ("29.97 pictures a second in milliseconds", |script| {
            script.picture_ms = |n| if n % 3 == 0 { 34 } else { 33 };
            script.key = |n| n % 60 == 0;
        }),
        ("a picture a second", |script| {
            script.picture_ms = |_| 1_000;
            script.key = |n| n % 2 == 0;
        }),
        ("a picture every five seconds, each a key frame", |script| {
            script.audio = None;
            script.picture_ms = |_| 5_000;
            script.key = |_| true;
            script.longest_ms = 60_000;
        }),
        ("120 pictures a second", |script| {
            script.picture_ms = |n| if n % 3 == 2 { 9 } else { 8 };
            script.key = |n| n % 240 == 0;
            script.picture_bytes = 100;
        }),
        ("a camera that jitters by 10 ms", |script| {
            script.picture_ms = |n| [40, 50, 30, 45, 35][place(n, 5)];
        }),
        ("60 pictures a second that jitter by 10 ms", |script| {
            script.picture_ms = |n| [17, 27, 7, 17, 17, 15][place(n, 6)];
            script.key = |n| n % 120 == 0;
            script.picture_bytes = 100;
        }),
        ("three pictures lost in two hundred", |script| {
            script.picture_ms = |n| {
                if matches!(n % 200, 10 | 60 | 110) {
                    40
                } else {
                    10
                }
            };
            script.key = |n| n % 200 == 0;
            script.picture_bytes = 100;
        }),
        ("one picture lost in few", |script| {
            script.picture_ms = |n| if n % 16 == 5 { 250 } else { 125 };
            script.key = |n| n % 16 == 0;
        }),
        ("key frames every second", |script| {
            script.key = |n| n % 25 == 0
        }),
        ("a scene cut now and then", |script| {
            script.key = |n| n % 50 == 0 || n % 500 == 30;
        }),
        ("B-frames where latency is usual", |script| {
            script.composition = |n| [120, 40, 80][place(n, 3)];
        }),
        ("one picture lost in a while", |script| {
            script.picture_ms = |n| if n % 50 == 7 { 80 } else { 40 };
            script.key = |n| n % 49 == 0;
        }),
    ];
    for (what, change) in cases {
        let mut script = Script::new();
        change(&mut script);
        for _ in 0..12 {
            assert_eq!(script.run(10), [], "{what}");
        }
    }
}

#[test]
fn key_frames_ten_seconds_apart_are_told_before_the_second_and_go_away_when_mended() {
    let mut script = Script::new();
    script.key = |n| n % 250 == 0;
    assert_eq!(script.run(6), []);
    let advice = script.one(Kind::KeyFrameInterval, 2);
    assert_eq!(advice.severity, Warning);
    assert!(
        advice.text.starts_with("No key frame for 8.0 s, "),
        "{}",
        advice.text
    );

    let advice = script.one(Kind::KeyFrameInterval, 24);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Warning,
            "Key frames are 10.0 s apart, and a segment should last 2 s: so segments are as long, and viewers \
             as much later."
        )
    );
    let since = Duration::from_secs(8);
    assert_eq!(advice.since, SystemTime::UNIX_EPOCH + since);
    assert_eq!(
        advice.times, 4,
        "each key frame, and the wait for the first"
    );
    assert!(
        advice.remedy.contains("Keyframe Interval 2 s") && advice.remedy.contains("n_forced*2"),
        "{}",
        advice.remedy
    );

    let waiting = script.one(Kind::KeyFrameInterval, 7);
    assert_eq!(waiting.text, advice.text, "that it waits is known by now");

    script.key = |n| n % 50 == 0;
    script.run(31);
    assert_eq!(script.run(2), [], "mended");
}

#[test]
fn key_frames_a_little_too_far_apart_are_told_with_their_distance() {
    let mut script = Script::new();
    script.key = |n| n % 75 == 0;
    let advice = script.one(Kind::KeyFrameInterval, 20);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Warning,
            "Key frames are 3.0 s apart, and a segment should last 2 s: so segments are as long, and viewers \
             as much later."
        )
    );
}

#[test]
fn key_frames_that_do_not_divide_the_segment_are_a_hint() {
    let mut script = Script::new();
    script.key = |n| n % 35 == 0;
    let advice = script.one(Kind::KeyFrameInterval, 20);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Hint,
            "Key frames are 1.4 s apart, which does not divide the segment length of 2 s: segments last 2.8 s."
        )
    );
}

#[test]
fn key_frames_at_every_scene_cut_are_a_hint_for_another_setting() {
    let mut script = Script::new();
    script.key = |n| matches!(n % 100, 0 | 38 | 75);
    let advice = script.one(Kind::KeyFrameInterval, 30);
    assert_eq!(advice.severity, Hint);
    assert!(advice.text.contains("unevenly"), "{}", advice.text);
    assert!(advice.remedy.contains("scenecut=0"), "{}", advice.remedy);
}

#[test]
fn key_frames_that_miss_the_longest_segment_now_and_then_are_told() {
    let mut script = Script::new();
    // Cut at 2.4 s, since 1.92 s are too early, and 4 s too late.
    script.longest_ms = 2_400;
    script.key = |n| matches!(n % 100, 0 | 48);
    let advice = script.one(Kind::KeyFrameInterval, 30);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Warning,
            "Key frames come unevenly, up to 2.1 s apart, so some segments begin without one and cannot be \
             joined at."
        )
    );
}

#[test]
fn key_frames_further_apart_than_a_segment_may_last_are_a_problem() {
    let mut script = Script::new();
    // 20 s: cut after 12 without one.
    script.key = |n| n % 500 == 0;
    assert_eq!(script.kinds(45), [(Kind::NoKeyFrame, Problem)]);
}

#[test]
fn a_stream_with_a_single_key_frame_is_a_problem() {
    let mut script = Script::new();
    script.key = |n| n == 0;
    assert_eq!(script.kinds(8), [(Kind::KeyFrameInterval, Warning)]);
    let advice = script.one(Kind::NoKeyFrame, 52);
    assert_eq!((advice.severity, advice.times), (Problem, 1));
    assert_eq!(
        advice.text,
        "No key frame for 60.0 s, although pictures arrive: whoever joins now sees nothing until the next one."
    );
}

#[test]
fn a_stream_without_any_key_frame_is_a_problem_before_there_is_a_segment() {
    let mut script = Script::new();
    script.key = |_| false;
    script.longest_ms = i64::MAX;
    assert_eq!(script.kinds(13), [(Kind::NoKeyFrame, Problem)]);
}

#[test]
fn segments_that_begin_at_recovery_points_are_told() {
    let mut script = Script::new();
    script.run(10);
    script.recovery_points = true;
    assert_eq!(script.kinds(20), [(Kind::OpenGop, Warning)]);
}

#[test]
fn pictures_at_irregular_distances_are_told_with_figures() {
    let mut script = Script::new();
    script.picture_ms = |n| {
        if n % 50 < 40 {
            40
        } else {
            [10, 90][place(n, 2)]
        }
    };
    script.key = |n| n % 50 == 0;
    let advice = script.one(Kind::FrameRate, 20);
    assert_eq!(advice.severity, Warning);
    assert!(
        advice.text.contains(
            "10 of 50 pictures came 10 to 90 ms after the one before, most of them 40 ms"
        ),
        "{}",
        advice.text
    );
}

#[test]
fn fewer_pictures_than_declared_are_a_hint_and_as_many_are_none() {
    let mut script = Script::new();
    script.declare(&[("framerate", "30")]);
    let advice = script.one(Kind::FrameRate, 20);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Hint,
            "The encoder declares 30 pictures a second and sends 25.0."
        )
    );
    for declared in ["25", "26", "1000"] {
        let mut script = Script::new();
        script.declare(&[("framerate", declared)]);
        assert_eq!(script.run(20), [], "{declared}");
    }
}

#[test]
fn reordered_pictures_are_a_hint_where_latency_counts() {
    let mut script = Script::with(Latency::Low);
    script.composition = |n| [120, 40, 80][place(n, 3)];
    let advice = script.one(Kind::PictureReordering, 10);
    assert_eq!(advice.severity, Hint);
    assert!(advice.text.contains("by 120 ms"), "{}", advice.text);

    let mut script = Script::with(Latency::Low);
    script.composition = |_| 40;
    assert_eq!(script.run(10), []);
}

#[test]
fn a_bit_rate_above_the_declared_is_told_and_one_near_it_is_not() {
    // 2 Mbit/s of pictures.
    for (declared, told) in [("1000", true), ("1800", false), ("0", false)] {
        let mut script = Script::new();
        script.declare(&[("videodatarate", declared)]);
        let advice = script.run(40);
        assert_eq!(!advice.is_empty(), told, "{declared}: {advice:?}");
        if let Some(advice) = advice.first() {
            assert_eq!((advice.kind, advice.severity), (Kind::BitRate, Warning));
            assert_eq!(
                advice.text,
                "The media takes 2.0 Mbit/s, and the encoder declares 1.0 Mbit/s."
            );
            assert!(advice.remedy.contains("-maxrate 1000k"), "{advice:?}");
        }
    }
}

#[test]
fn a_segment_too_large_is_a_problem() {
    let mut script = Script::new();
    script.run(10);
    script.fault(FaultKind::SegmentTooLarge);
    assert_eq!(script.kinds(1), [(Kind::BitRate, Problem)]);
    assert_eq!(script.run(32), []);
}

#[test]
fn sound_that_arrives_far_from_its_picture_is_told() {
    for (offset, words) in [
        (
            (|_| -1_200) as fn(i64) -> i64,
            "Sound arrives 1.2 s behind the picture",
        ),
        (|_| 900, "The picture arrives 0.9 s behind the sound"),
    ] {
        let mut script = Script::new();
        script.audio_offset = offset;
        let advice = script.one(Kind::TrackOffset, 30);
        assert_eq!(advice.severity, Warning);
        assert!(advice.text.starts_with(words), "{}", advice.text);
    }
    let mut script = Script::new();
    script.audio_offset = |_| -300;
    assert_eq!(script.run(60), []);
}

#[test]
fn clocks_that_run_apart_a_second_an_hour_are_told_within_a_quarter_of_it() {
    let mut script = Script::new();
    script.picture_bytes = 100;
    script.audio_offset = |time| time / 3_600;
    let advice = script.one(Kind::TrackDrift, 15 * 60);
    assert_eq!(advice.severity, Warning);
    assert!(
        advice.text.contains("run apart: by 0.2 s in"),
        "{}",
        advice.text
    );
}

#[test]
fn the_drift_of_a_usual_sound_card_is_none() {
    let mut script = Script::new();
    script.picture_bytes = 100;
    // 60 parts per million.
    script.audio_offset = |time| time * 60 / 1_000_000;
    script.audio_ppm = 60;
    for _ in 0..12 {
        assert_eq!(script.run(600), []);
    }
}

#[test]
fn sound_whose_samples_run_apart_from_its_timestamps_is_told() {
    let mut script = Script::new();
    script.picture_bytes = 100;
    script.audio_ppm = 278;
    let advice = script.one(Kind::TrackDrift, 15 * 60);
    assert!(
        advice.text.starts_with("The sound's clock runs fast"),
        "{}",
        advice.text
    );
}

#[test]
fn a_jump_of_the_clock_is_told_at_once_and_little_disorder_not_at_all() {
    let mut script = Script::new();
    script.run(10);
    for _ in 0..4 {
        script.fault(FaultKind::TimestampOrder);
    }
    assert_eq!(script.run(5), []);
    script.fault(FaultKind::TimestampJump);
    let advice = script.one(Kind::TimestampRepairs, 1);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Warning,
            "Timestamps had to be repaired: 1 jump, 4 decode times out of order. At each jump players begin anew."
        )
    );
    assert_eq!(script.run(35), []);
    for _ in 0..6 {
        script.fault(FaultKind::TimestampOrder);
    }
    let advice = script.one(Kind::TimestampRepairs, 1);
    assert_eq!((advice.severity, advice.times), (Hint, 6));
}

#[test]
fn what_viewers_notice_at_once_is_told_at_once() {
    for (fault, expected) in [
        (FaultKind::ClockUnusable, (Kind::TimestampRepairs, Warning)),
        (FaultKind::LateMedia, (Kind::TrackOffset, Problem)),
        (FaultKind::NameContested, (Kind::NameContested, Warning)),
        (FaultKind::LadderMisfit, (Kind::LadderMisfit, Problem)),
        (FaultKind::Transcoding, (Kind::Transcoding, Warning)),
    ] {
        let mut script = Script::new();
        script.run(10);
        script.fault(fault);
        assert_eq!(script.kinds(1), [expected]);
        assert_eq!(script.run(31), []);
    }
}

#[test]
fn a_guessed_place_is_told_for_as_long_as_media_are_there() {
    let mut script = Script::new();
    script.fault(FaultKind::LadderClock);
    let advice = script.run(100);
    let advice = advice.first().expect("it lasts");
    assert_eq!(
        (advice.kind, advice.severity, advice.times),
        (Kind::LadderClock, Warning, 1)
    );
    script.fault(FaultKind::LadderMisfit);
    let both = [(Kind::LadderMisfit, Problem), (Kind::LadderClock, Warning)];
    assert_eq!(script.kinds(20), both, "what keeps it out is not hidden");
    script.doctor.in_place();
    assert_eq!(script.run(40), []);
}

#[test]
fn gaps_in_the_sound_are_told_from_the_second_on() {
    let mut script = Script::new();
    script.run(10);
    script.fault(FaultKind::AudioResync);
    assert_eq!(script.run(2), []);
    script.fault(FaultKind::AudioResync);
    assert_eq!(script.kinds(2), [(Kind::TimestampRepairs, Warning)]);
}

#[test]
fn what_cannot_be_read_or_carried_is_told_in_the_words_of_the_fault() {
    let mut script = Script::new();
    script.run(4);
    script.fault(FaultKind::UnsupportedCodec);
    let advice = script.one(Kind::UnsupportedCodec, 1);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (
            Problem,
            "A track is left out: a scripted unsupported_codec."
        )
    );

    let mut script = Script::new();
    script.fault(FaultKind::EarlyMedia);
    script.fault(FaultKind::MalformedMessage);
    assert_eq!(script.run(4), []);
    script.fault(FaultKind::BadConfiguration);
    script.fault(FaultKind::MalformedMessage);
    assert_eq!(script.kinds(1), [(Kind::Unreadable, Warning)]);
}

#[test]
fn sound_that_is_announced_and_missing_is_told_and_silence_is_not() {
    let mut script = Script::new();
    script.declare(&[("audiocodecid", "10")]);
    script.audio = None;
    assert_eq!(script.run(4), []);
    let advice = script.one(Kind::AudioMissing, 10);
    assert_eq!(
        (advice.severity, advice.text.as_str()),
        (Warning, "The encoder announces sound and sends none.")
    );
    // Muted: frames of silence.
    let mut script = Script::new();
    script.declare(&[("audiocodecid", "10")]);
    assert_eq!(script.run(60), []);
}

#[test]
fn sound_that_stops_is_told_as_long_as_it_is_away() {
    let mut script = Script::new();
    script.run(15);
    let audio = script.audio.take();
    let advice = script.one(Kind::AudioMissing, 20);
    assert!(
        advice.text.starts_with("Sound has stopped for 1"),
        "{}",
        advice.text
    );
    assert_eq!(advice.times, 1);
    script.return_sound(audio);
    script.run(10);
    assert_eq!(script.run(30), []);
}

#[test]
fn pictures_that_are_announced_and_missing_or_stop_are_a_problem() {
    let mut script = Script::new();
    script.declare(&[("videocodecid", "7")]);
    script.video = None;
    assert_eq!(script.kinds(15), [(Kind::VideoMissing, Problem)]);

    let mut script = Script::new();
    script.run(20);
    script.video = None;
    let advice = script.one(Kind::VideoMissing, 20);
    assert!(
        advice.text.starts_with("Pictures have stopped for"),
        "{}",
        advice.text
    );
}

#[test]
fn profiles_that_players_cannot_decode_are_a_problem() {
    let mut script = Script::new();
    script.video = Some(script::h264_with(script::HIGH_444_SPS));
    let advice = script.one(Kind::VideoProfile, 4);
    assert_eq!(advice.severity, Problem);
    assert!(
        advice.text.contains("High 4:4:4 Predictive (244)"),
        "{}",
        advice.text
    );
    assert!(advice.remedy.contains("yuv420p"), "{}", advice.remedy);
}

#[test]
fn fields_are_told() {
    let mut script = Script::new();
    script.video = Some(script::h264_with(script::INTERLACED_SPS));
    assert_eq!(script.kinds(4), [(Kind::Interlaced, Warning)]);
}

#[test]
fn levels_higher_than_players_take_or_the_picture_needs_are_told() {
    for (level, expected) in [
        (62, &[(Kind::VideoLevel, Warning)][..]),
        (51, &[(Kind::VideoLevel, Hint)]),
        (42, &NONE),
    ] {
        let mut script = Script::new();
        let Some(Codec::H264(mut h264)) = script.video.take() else {
            unreachable!("the script sends H.264")
        };
        h264.level = level;
        script.video = Some(Codec::H264(h264));
        assert_eq!(script.kinds(10), expected, "level {level}");
    }
    // 3840x2160 at 25 pictures a second needs 5.1.
    let mut script = Script::new();
    let Some(Codec::H264(mut h264)) = script.video.take() else {
        unreachable!("the script sends H.264")
    };
    (h264.level, h264.width, h264.height) = (51, 3_840, 2_160);
    script.video = Some(Codec::H264(h264));
    assert_eq!(script.kinds(10), NONE);
}

#[test]
fn sound_that_some_players_cannot_decode_is_told_and_he_aac_is_not() {
    let aac = |config: &'static [u8]| {
        Codec::Aac(Aac::parse(bytes::Bytes::from_static(config)).expect("AAC"))
    };
    for (codec, expected) in [
        (script::mp3(), &[(Kind::AudioCodec, Hint)][..]),
        // AAC Main, 48 kHz.
        (aac(&[0x09, 0x90]), &[(Kind::AudioCodec, Warning)]),
        // LC, 96 kHz.
        (aac(&[0x10, 0x10]), &[(Kind::AudioCodec, Hint)]),
        // HE-AAC, 24 kHz core, and HE-AAC v2, mono core.
        (aac(&[0x2b, 0x11, 0x88, 0x00]), &NONE),
        (aac(&[0xeb, 0x09, 0x88, 0x00]), &NONE),
    ] {
        let mut script = Script::new();
        script.audio = Some(codec.clone());
        assert_eq!(script.kinds(10), expected, "{codec:?}");
    }
}

#[test]
fn codecs_that_do_not_play_everywhere_are_told() {
    let av1c = [
        0x81, 0x01, 0x0c, 0x00, 0x0a, 0x0c, 0x02, 0x00, 0x00, 0x0d, 0x26, 0x27, 0xfb, 0x38, 0x05,
        0xf0, 0x00, 0x80,
    ];
    let mut script = Script::new();
    script.video = Some(Codec::Av1(
        Av1::parse(bytes::Bytes::copy_from_slice(&av1c)).expect("libaom"),
    ));
    let opus = OpusHead::of_channels(2).expect("stereo").with(960);
    script.audio = Some(Codec::Opus(opus));
    assert_eq!(
        script.kinds(10),
        [(Kind::VideoCodec, Hint), (Kind::AudioCodec, Hint)]
    );
    let mut syncframe = vec![0x0b, 0x77, 0xfe, 0x95, 0x14, 0x40, 0x43, 0xe1];
    syncframe.resize(768, 0);
    let mut script = Script::new();
    script.audio = Some(Codec::Ac3(Ac3::parse(&syncframe).expect("stereo")));
    assert_eq!(script.kinds(10), [(Kind::AudioCodec, Warning)]);
}
