use std::sync::Arc;

use bytes::Bytes;
use media::codec::{Aac, H264, Mp3};
use media::{Codec, Fault};
use proptest::prelude::*;

use super::*;
use crate::flv::Entry;
use crate::output::Output;

fn aac(config: [u8; 2]) -> Arc<Codec> {
    let config = Bytes::copy_from_slice(&config);
    Arc::new(Codec::Aac(Aac::parse(config).expect("AAC")))
}

fn mp3() -> Arc<Codec> {
    Arc::new(Codec::Mp3(
        Mp3::parse(&[0xff, 0xfb, 0x90, 0x64]).expect("MP3"),
    ))
}

/// 44.1 kHz, 1024 samples.
fn aac_44100() -> Arc<Codec> {
    aac([0x12, 0x10])
}

/// 48 kHz, 1024 samples.
fn aac_48000() -> Arc<Codec> {
    aac([0x11, 0x90])
}

fn h264() -> Arc<Codec> {
    let record = Bytes::copy_from_slice(&[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
    ]);
    Arc::new(Codec::H264(H264::parse(record).expect("H.264")))
}

/// A timeline with what has come out of it.
struct Run {
    timeline: Timeline,
    faults: Vec<Fault>,
}

impl Run {
    fn new() -> Self {
        Self {
            timeline: Timeline::default(),
            faults: Vec::new(),
        }
    }

    fn place(&mut self, codec: &Arc<Codec>, dts_ms: i64, composition_ms: i32) -> Option<Place> {
        let unit = unit(codec, dts_ms, composition_ms);
        let mut out = Outputs::default();
        let place = self.timeline.place(&unit, &mut out);
        while let Some(output) = out.pop() {
            match output {
                Output::Fault(fault) => self.faults.push(fault),
                other => panic!("{other:?}"),
            }
        }
        place
    }

    fn kinds(&self) -> Vec<FaultKind> {
        self.faults.iter().map(|fault| fault.kind).collect()
    }
}

fn unit(codec: &Arc<Codec>, dts_ms: i64, composition_ms: i32) -> Unit {
    Unit {
        track: 0,
        codec: Arc::clone(codec),
        dts_ms,
        composition_ms,
        nanos: 0,
        entry: Entry::RandomAccess,
        payload: Bytes::new(),
    }
}

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// Milliseconds of sample `count`, as an encoder sends them.
#[derive(Clone, Copy, Debug)]
enum Rounding {
    Down,
    Nearest,
    Up,
}

fn millis(count: i64, rate: u32, rounding: Rounding) -> i64 {
    let (scaled, rate) = (count * 1_000, i64::from(rate));
    match rounding {
        Rounding::Down => scaled.div_euclid(rate),
        Rounding::Nearest => (scaled + rate / 2).div_euclid(rate),
        Rounding::Up => -(-scaled).div_euclid(rate),
    }
}

#[test]
fn nanoseconds_move_decode_and_presentation_time() {
    let mut run = Run::new();
    let picture = Unit {
        nanos: 400_000,
        ..unit(&h264(), 40, 80)
    };
    let place = run.timeline.place(&picture, &mut Outputs::default());
    let expected = Place {
        dts: ms(40) + MediaTime::from_nanos(400_000),
        composition: ms(80),
    };
    assert_eq!(place, Some(expected));
    let sound = Unit {
        nanos: 333_333,
        ..unit(&aac_48000(), 21, 0)
    };
    let place = run.timeline.place(&sound, &mut Outputs::default());
    assert_eq!(
        place.map(|place| place.dts),
        Some(MediaTime::from_nanos(21_333_333))
    );
}

#[test]
fn three_hours_of_audio_stand_on_the_grid_of_their_samples() {
    for (codec, samples, rate) in [
        (aac_44100(), 1_024, 44_100),
        (aac_48000(), 1_024, 48_000),
        (mp3(), 1_152, 44_100),
    ] {
        for rounding in [Rounding::Down, Rounding::Nearest, Rounding::Up] {
            let mut run = Run::new();
            for n in 0..3 * 3_600 * i64::from(rate) / samples {
                let sent = 7 + millis(n * samples, rate, rounding);
                let place = run.place(&codec, sent, 0).expect("placed");
                assert_eq!(
                    place.dts,
                    ms(7) + MediaTime::from_ticks(n * samples, rate),
                    "unit {n} at {rate} Hz, rounded {rounding:?}"
                );
            }
            assert_eq!(run.kinds(), []);
        }
    }
}

#[test]
fn a_clock_that_drifts_by_a_second_an_hour_is_followed_within_20_ms() {
    for per_hour_ms in [1_000, -1_000] {
        for rounding in [Rounding::Down, Rounding::Nearest] {
            let codec = aac_44100();
            let mut run = Run::new();
            let mut last = None;
            for n in 0..4 * 3_600 * 44_100 / 1_024 {
                let at = millis(n * 1_024, 44_100, rounding);
                let sent = at + at * per_hour_ms / 3_600_000;
                let dts = run.place(&codec, sent, 0).expect("placed").dts;
                assert!(
                    (dts - ms(sent)).abs() <= ms(20),
                    "unit {n}: {sent} ms is at {dts}"
                );
                if let Some(last) = last {
                    let change = dts - last - MediaTime::from_ticks(1_024, 44_100);
                    assert!(
                        change.abs() < MediaTime::from_nanos(30_000),
                        "unit {n}: {change}"
                    );
                }
                last = Some(dts);
            }
            assert_eq!(run.kinds(), []);
        }
    }
}

#[test]
fn jitter_of_10_ms_does_not_move_the_grid() {
    let codec = aac_48000();
    let mut run = Run::new();
    let mut state = 1_u64;
    let mut last: Option<MediaTime> = None;
    for n in 0..3_600 * 48_000 / 1_024 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let jitter = i64::try_from((state >> 33) % 21).expect("small") - 10;
        let jitter = if n == 0 { 0 } else { jitter };
        let sent = 100 + millis(n * 1_024, 48_000, Rounding::Nearest) + jitter;
        let dts = run.place(&codec, sent, 0).expect("placed").dts;
        assert_eq!(
            dts,
            ms(100) + MediaTime::from_ticks(n * 1_024, 48_000),
            "unit {n}"
        );
        assert!(last.is_none_or(|last| dts > last));
        last = Some(dts);
    }
    assert_eq!(run.kinds(), []);
}

#[test]
fn a_gap_is_resynchronised_at_once_and_said() {
    let codec = aac_48000();
    let mut run = Run::new();
    for sent in [0, 21, 43] {
        run.place(&codec, sent, 0);
    }
    assert_eq!(run.place(&codec, 564, 0).expect("placed").dts, ms(564));
    let after = run.place(&codec, 585, 0).expect("placed").dts;
    assert_eq!(after, ms(564) + MediaTime::from_ticks(1_024, 48_000));
    assert_eq!(
        run.faults,
        [Fault {
            kind: FaultKind::AudioResync,
            text: "audio timestamps have a gap of 0.500s against the samples sent; resynchronised at 0.564s"
                .to_owned()
        }]
    );
}

#[test]
fn a_few_lost_frames_become_a_gap_once_it_is_certain() {
    for (lost, jitter) in [(43, 0), (64, 0), (85, 0), (99, 0), (43, 10), (-43, 0)] {
        let codec = aac_48000();
        let mut run = Run::new();
        let mut last = None;
        let mut gaps = Vec::new();
        for n in 0..400_i64 {
            let sent = 500 + millis(n * 1_024, 48_000, Rounding::Nearest);
            let sent = sent + if n >= 100 { lost } else { 0 };
            let wavers = match n {
                0 => 0,
                n if n % 2 == 0 => jitter,
                _ => -jitter,
            };
            let dts = run.place(&codec, sent + wavers, 0).expect("placed").dts;
            let off = dts - ms(sent);
            if !(100..112).contains(&n) {
                assert!(off.abs() <= ms(2), "{lost}: unit {n} is {off} off");
            }
            if let Some(last) = last {
                let change: MediaTime = dts - last - MediaTime::from_ticks(1_024, 48_000);
                if change.abs() >= ms(1) {
                    gaps.push((n, change));
                } else if lost > 0 || n < 107 {
                    // What is no gap is no stretch either.
                    assert!(
                        change.abs() <= MediaTime::from_nanos(50_000),
                        "{lost}: unit {n}: {change}"
                    );
                }
            }
            last = Some(dts);
        }
        assert_eq!(gaps.first().map(|&(n, _)| n), Some(107), "{gaps:?}");
        if lost > 0 {
            assert_eq!(gaps.len(), 1, "{gaps:?}");
            assert!((gaps[0].1 - ms(lost)).abs() <= ms(2), "{gaps:?}");
            assert_eq!(run.kinds(), [FaultKind::AudioResync], "{lost}");
        }
        let resyncs = run.kinds().into_iter();
        let resyncs = resyncs.filter(|&kind| kind == FaultKind::AudioResync);
        assert_eq!(resyncs.count(), 1, "{lost}");
    }
}

#[test]
fn timestamps_that_are_off_for_less_than_that_move_nothing() {
    // Off by so much, for so many units of each hundred.
    for (off, units) in [(99, 1), (-99, 1), (60, 7), (-60, 7)] {
        let codec = aac_48000();
        let mut run = Run::new();
        for n in 0..1_000_i64 {
            let odd = n % 100 > 50 && n % 100 <= 50 + units;
            let at = 500 + millis(n * 1_024, 48_000, Rounding::Nearest);
            let dts = run.place(&codec, at + if odd { off } else { 0 }, 0);
            let dts = dts.expect("placed").dts;
            assert!((dts - ms(at)).abs() <= ms(2), "{off}: unit {n} at {dts}");
        }
        assert_eq!(run.kinds(), []);
    }
}

#[test]
fn video_keeps_its_milliseconds() {
    let codec = h264();
    let mut run = Run::new();
    for (dts, composition) in [(0, 67), (33, 133), (67, 0), (100, 10_000)] {
        let place = run.place(&codec, dts, composition).expect("placed");
        assert_eq!(
            (place.dts, place.composition),
            (ms(dts), ms(composition.into()))
        );
    }
    assert_eq!(run.kinds(), []);
}

#[test]
fn decode_times_that_do_not_rise_are_pushed_on_and_the_picture_keeps_its_moment() {
    let codec = h264();
    let mut run = Run::new();
    run.place(&codec, 100, 0);
    let same = run.place(&codec, 100, 40).expect("placed");
    assert_eq!(same.dts, ms(100) + STEP);
    assert_eq!(same.dts + same.composition, ms(140));
    let back = run.place(&codec, 60, 0).expect("placed");
    assert_eq!(
        (back.dts, back.composition),
        (ms(100) + STEP + STEP, MediaTime::ZERO)
    );
    assert_eq!(
        run.kinds(),
        [FaultKind::TimestampOrder, FaultKind::TimestampOrder]
    );
    assert_eq!(
        run.faults[0].text,
        "video decode time 0.100s does not rise above the 0.100s before it; moved on"
    );
}

/// Some hardware encoders send decode times that are not set back for the reordering of pictures.
#[test]
fn pictures_presented_before_their_sent_decode_time_keep_their_moment() {
    // I0 P3 B1 B2, P6 B4 B5, and so on.
    let codec = h264();
    let mut run = Run::new();
    let mut last = None;
    for n in 0..300_i64 {
        let frame = match n {
            0 => 0,
            n if n % 3 == 1 => n + 2,
            n => n - 1,
        };
        let composition = i32::try_from((frame - n) * 40).expect("small");
        let place = run.place(&codec, n * 40, composition).expect("placed");
        let (dts, pts) = (place.dts, place.dts + place.composition);
        assert_eq!(pts.as_millis(), frame * 40, "picture {n}");
        if n > 2 {
            assert_eq!((dts, pts), (ms(n * 40 - 40), ms(frame * 40)), "picture {n}");
        }
        assert!(Some(dts) > last && place.composition >= MediaTime::ZERO);
        last = Some(dts);
    }
    assert_eq!(run.kinds(), []);
}

#[test]
fn a_deeper_reordering_is_followed_once_it_is_seen() {
    let codec = h264();
    let mut run = Run::new();
    // I0 P4 B2 b1 b3, twice: where the first b1 ought to be decoded, B2 has been already.
    let frames = [0, 4, 2, 1, 3, 8, 6, 5, 7];
    let placed: Vec<(i64, i64)> = (0..)
        .zip(frames)
        .map(|(n, frame)| {
            let composition = i32::try_from((frame - n) * 40).expect("small");
            let place = run.place(&codec, n * 40, composition).expect("placed");
            (
                place.dts.as_millis(),
                (place.dts + place.composition).as_millis(),
            )
        })
        .collect();
    assert_eq!(
        placed,
        [
            (0, 0),
            (40, 160),
            (80, 80),
            (80, 80),
            (80, 120),
            (120, 320),
            (160, 240),
            (200, 200),
            (240, 280)
        ]
    );
    assert_eq!(run.kinds(), []);
}

#[test]
fn composition_times_that_cannot_be_true_count_as_none() {
    let codec = h264();
    let mut run = Run::new();
    for (n, composition) in [10_001, -10_001, -8_388_608].into_iter().enumerate() {
        let dts = i64::try_from(n).expect("small") * 40;
        let place = run.place(&codec, dts, composition).expect("placed");
        assert_eq!((place.dts, place.composition), (ms(dts), MediaTime::ZERO));
    }
    assert_eq!(run.kinds(), [FaultKind::CompositionTime; 3]);
    assert_eq!(
        run.faults[0].text,
        "a composition time of 10001 ms is beyond 10.000s; taken as 0"
    );
}

#[test]
fn one_picture_shown_far_before_it_is_decoded_does_not_spoil_the_rest() {
    let codec = h264();
    let mut run = Run::new();
    for n in 0..50 {
        let composition = if n == 10 { -9_000 } else { 0 };
        let place = run.place(&codec, n * 40, composition).expect("placed");
        let expected = (ms(n * 40), MediaTime::ZERO);
        assert_eq!((place.dts, place.composition), expected, "picture {n}");
    }
    assert_eq!(
        run.faults,
        [Fault {
            kind: FaultKind::CompositionTime,
            text: "a composition time of -9000 ms is beyond 1.000s; taken as 0".to_owned()
        }]
    );
}

/// Two B-pictures at one picture in two seconds.
#[test]
fn slow_pictures_may_be_shown_as_far_before_they_are_decoded_as_reordering_takes() {
    let codec = h264();
    let mut run = Run::new();
    for (n, composition) in (0..).zip([0, 4_000, -2_000, -2_000]) {
        let place = run.place(&codec, n * 2_000, composition).expect("placed");
        let shown = (place.dts + place.composition).as_millis();
        assert_eq!(shown, n * 2_000 + i64::from(composition), "picture {n}");
    }
    assert_eq!(run.kinds(), []);
}

#[test]
fn what_is_a_jump_and_what_is_not() {
    use Succession::{Continues, Jumps};
    // name, what has come, what comes, how it stands to it
    let (video, audio) = (h264(), aac_48000());
    let cases: [(&str, &[(&Arc<Codec>, i64)], (&Arc<Codec>, i64), Succession); 9] = [
        ("the first", &[], (&video, 4_000_000_000), Continues),
        (
            "10 s of silence",
            &[(&video, 0)],
            (&video, 10_000),
            Continues,
        ),
        ("more", &[(&video, 0)], (&video, 10_001), Jumps(10_001)),
        ("1 s back", &[(&video, 5_000)], (&video, 4_000), Continues),
        ("more", &[(&video, 5_000)], (&video, 3_999), Jumps(-1_001)),
        (
            "audio that pauses while video goes on",
            &[(&audio, 0), (&video, 60_000)],
            (&audio, 60_000),
            Continues,
        ),
        (
            "audio 2 s behind video",
            &[(&video, 5_000), (&audio, 3_000)],
            (&audio, 3_021),
            Continues,
        ),
        (
            "audio that begins 5 s behind",
            &[(&video, 9_000)],
            (&audio, 4_000),
            Continues,
        ),
        (
            "audio with a clock of its own",
            &[(&video, 90_000)],
            (&audio, 0),
            Jumps(-90_000),
        ),
    ];
    for (name, before, (codec, at), expected) in cases {
        let mut run = Run::new();
        for &(codec, at) in before {
            run.place(codec, at, 0);
        }
        assert_eq!(
            run.timeline.succession(&unit(codec, at, 0)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_new_run_follows_the_old_and_keeps_the_tracks_apart_as_sent() {
    let (video, audio) = (h264(), aac_48000());
    let mut run = Run::new();
    run.place(&video, 100_000, 0);
    run.place(&audio, 100_010, 0);
    let again = unit(&video, 0, 0);
    assert_eq!(run.timeline.succession(&again), Succession::Jumps(-100_000));
    run.timeline.begin_run(&again, Some(ms(100_040)), None);
    assert_eq!(run.place(&video, 0, 0).expect("placed").dts, ms(100_540));

    let late = unit(&audio, 100_031, 0);
    assert_eq!(run.timeline.succession(&late), Succession::Straggles);
    assert_eq!(run.place(&audio, -400, 0).expect("placed").dts, ms(100_140));
    assert_eq!(
        run.place(&audio, -600, 0),
        None,
        "before the end of the old run"
    );
}

#[test]
fn what_is_sent_from_before_a_short_jump_back_straggles() {
    let (video, audio) = (h264(), aac_48000());
    for back in [1_100, 5_000, 9_900] {
        let mut run = Run::new();
        run.place(&video, 100_000, 0);
        run.place(&audio, 100_010, 0);
        let again = unit(&video, 100_040 - back, 0);
        assert_eq!(
            run.timeline.succession(&again),
            Succession::Jumps(40 - back)
        );
        run.timeline.begin_run(&again, Some(ms(100_040)), None);
        run.place(&video, 100_040 - back, 0);
        let stands = |at| run.timeline.succession(&unit(&audio, at, 0));
        assert_eq!(stands(100_031), Succession::Straggles, "{back}");
        assert_eq!(stands(100_052 - back), Succession::Continues, "{back}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_decode_times_rise_and_presentation_follows(
        sent in proptest::collection::vec((any::<bool>(), -3_000_i64..3_000, -100_000_i32..100_000), 1..200),
    ) {
        let (video, audio) = (h264(), aac_44100());
        let mut run = Run::new();
        let mut last = [None; 2];
        let mut at = 0;
        for (is_video, step, composition) in sent {
            at += step;
            let codec = if is_video { &video } else { &audio };
            let Some(place) = run.place(codec, at, composition) else { continue };
            let last = &mut last[usize::from(is_video)];
            prop_assert!(Some(place.dts) > *last);
            prop_assert!(place.composition >= MediaTime::ZERO);
            *last = Some(place.dts);
        }
    }
}
