//! What holds of parts, for every cadence, GOP and interleaving.

use media::Part;
use proptest::prelude::*;

use super::limits::pictures_of_which_one_is_far;
use super::properties::{
    Publish, number, publish, publish_with_pause, run_on, run_whatever, whatever,
};
use super::*;

const WANTED: MediaTime = MediaTime::from_millis(200);

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.cutter = Cutter::in_parts(Settings::default(), WANTED);
    bench
}

fn run(publish: &Publish) -> (Bench, u32) {
    run_on(bench(), publish)
}

/// The end of a part.
fn end(part: &Part) -> MediaTime {
    part.start + part.duration
}

/// 25 pictures a second and sound, with a random access each `gop` pictures.
fn with_sound(bench: &mut Bench, from: i64, to: i64, gop: i64) {
    let mut sounds = MediaTime::from_millis(from).rescale(48_000) / 1_024;
    for n in 0..(to - from) / 40 {
        let at = ms(from + n * 40);
        bench.picture(at, n % gop == 0);
        while MediaTime::from_ticks(sounds * 1_024, 48_000) < at {
            bench.sound(MediaTime::from_ticks(sounds * 1_024, 48_000));
            sounds += 1;
        }
    }
}

#[test]
fn parts_of_two_seconds() {
    let mut bench = bench();
    with_sound(&mut bench, 0, 4_500, 50);
    bench.finish();
    let shown: Vec<Vec<(i64, bool, usize)>> = bench
        .parted
        .iter()
        .map(|parts| {
            parts
                .iter()
                .map(|part| {
                    let pictures = part.units.iter().filter(|unit| unit.track == 0).count();
                    (part.duration.as_millis(), part.independent, pictures)
                })
                .collect()
        })
        .collect();
    let second = |at| (200, at == 0, 5);
    let whole: Vec<_> = (0..10).map(second).collect();
    assert_eq!(
        shown,
        [
            whole.clone(),
            whole,
            vec![second(0), second(1), (80, false, 2)]
        ]
    );
    // 5 pictures are 92 % of it.
    assert_eq!(bench.parted[0][0].target, ms(218));
}

#[test]
fn a_part_is_out_when_the_picture_behind_it_is_in() {
    let mut bench = bench();
    for n in 0..5 {
        bench.picture(ms(n * 40), n == 0);
        assert!(bench.parted.is_empty() && bench.parts.is_empty());
    }
    bench.picture(ms(200), false);
    let [part] = &bench.parts[..] else {
        panic!("{:?}", bench.parts)
    };
    assert_eq!((part.units.len(), part.next_dts), (5, Some(ms(200))));
    let head = part.head.as_ref().expect("the first");
    assert!(head.independent && !head.discontinuity);
}

#[test]
fn sound_that_pauses_where_a_segment_begins_still_belongs_to_it() {
    let mut bench = bench();
    with_sound(&mut bench, 0, 2_000, 50);
    bench.pictures(2_000, 2_400, 50);
    with_sound(&mut bench, 2_400, 4_000, 100);
    bench.pictures(4_000, 6_200, 50);
    bench.finish();
    let heads: Vec<_> = bench
        .parted
        .iter()
        .map(|parts| {
            let head = parts[0].head.as_ref().expect("the first");
            (head.tracks.len(), head.discontinuity)
        })
        .collect();
    // The last has none, and the one before it had.
    assert_eq!(heads, [(2, false), (2, false), (2, false), (1, true)]);
}

#[test]
fn another_resolution_begins_a_segment_with_a_discontinuity() {
    let mut bench = bench();
    bench.pictures(0, 1_000, 25);
    bench.video = h264(0x81);
    bench.pictures(1_000, 2_000, 25);
    bench.finish();
    let heads: Vec<_> = bench
        .parted
        .iter()
        .map(|parts| parts[0].head.as_ref().map(|head| head.discontinuity))
        .collect();
    assert_eq!(heads, [Some(false), Some(true)]);
}

#[test]
fn without_a_key_frame_segments_are_cut_behind_what_is_out() {
    let mut bench = bench();
    bench.pictures(0, 9_000, 1_000);
    bench.finish();
    for parts in &bench.parted {
        let span: MediaTime = parts.iter().map(|part| part.duration).sum();
        assert!(span <= ms(2_499), "{span}");
    }
    let independent = |parts: &Vec<Part>| parts[0].head.as_ref().map(|head| head.independent);
    let independent: Vec<_> = bench.parted.iter().map(independent).collect();
    assert_eq!(independent[..2], [Some(true), Some(false)]);
}

#[test]
fn a_segment_without_a_key_frame_ends_with_a_part_that_says_so() {
    for gop in [250, 1_000] {
        let mut bench = bench();
        with_sound(&mut bench, 0, 30_000, gop);
        bench.finish();
        assert_eq!(bench.closed, 0);
        for parts in &bench.parted {
            assert!(parts.last().is_some_and(|part| part.is_last));
            let span: MediaTime = parts.iter().map(|part| part.duration).sum();
            assert!(span <= ms(2_499), "{span}");
        }
        assert_eq!(bench.parted[0].len(), 12);
        let next: Vec<_> = bench.parted[0].iter().map(|part| part.next_dts).collect();
        assert_eq!(next[11], Some(ms(2_400)));
        let begins = bench.parted[1][0].units.iter().find(|unit| unit.track == 0);
        assert_eq!(begins.map(|unit| unit.dts), Some(ms(2_400)));
    }
}

#[test]
fn b_pictures_without_a_key_frame_end_their_segments_with_a_part_that_says_so() {
    let mut bench = bench();
    for n in 0..750 {
        reordered(&mut bench, n, 250);
    }
    bench.finish();
    assert_eq!(bench.closed, 0);
    for parts in &bench.parted {
        let span: MediaTime = parts.iter().map(|part| part.duration).sum();
        assert!(span <= ms(2_499), "{span}");
    }
    let parts = bench.parted.iter().flatten();
    assert_eq!(parts.map(|part| part.units.len()).sum::<usize>(), 750);
}

#[test]
fn what_ends_a_segment_without_a_key_frame_is_the_picture_behind_its_last_part() {
    let mut bench = bench();
    bench.pictures(0, 2_400, 1_000);
    assert!(bench.parted.is_empty());
    bench.picture(ms(2_400), false);
    assert_eq!(bench.parted.len(), 1);
}

#[test]
fn a_key_frame_that_is_expected_within_the_limit_is_waited_for() {
    let mut bench = bench();
    // 2.48 s.
    bench.pictures(0, 24_800, 62);
    bench.finish();
    let starts = bench.parted.iter().map(|parts| parts[0].start);
    let starts: Vec<_> = starts.map(MediaTime::as_millis).collect();
    // The first time it is not expected.
    assert_eq!(starts[..5], [0, 2_400, 2_480, 4_960, 7_440]);
}

#[test]
fn a_picture_shown_seconds_after_it_is_decoded_does_not_begin_its_segment_there() {
    for odd in [50, 75, 60, 0] {
        for composition in [3_000, 5_000, 9_990] {
            let mut bench = bench();
            pictures_of_which_one_is_far(&mut bench, odd, composition);
            let parts = || bench.parted.iter().flatten();
            let media: MediaTime = parts().map(|part| part.duration).sum();
            assert!(media >= ms(19_800), "{odd} {composition} {media}");
            assert_eq!(parts().map(|part| part.units.len()).sum::<usize>(), 500);
            for pair in bench.parted.windows(2) {
                let (before, after) = (pair[0].last().expect("some"), &pair[1][0]);
                assert!(end(before) <= after.start, "{odd} {composition}");
            }
        }
    }
}

/// I P B B as they are decoded, with a random access each `gop` pictures.
fn reordered(bench: &mut Bench, n: i64, gop: i64) {
    let composition = match n % gop {
        0 => 40,
        k if k % 3 == 1 => 120,
        _ => 0,
    };
    bench.push(Arrival {
        codec: Arc::clone(&bench.video),
        dts: ms(n * 40),
        composition: ms(composition),
        entry: entry(n % gop == 0),
        payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
    });
}

#[test]
fn b_pictures_that_come_back_begin_their_segment_with_the_first_that_is_shown() {
    for back in 200..240 {
        let mut bench = bench();
        let mut sounds = 0;
        for n in 0..300 {
            while MediaTime::from_ticks(sounds * 1_024, 48_000) < ms(n * 40) {
                bench.sound(MediaTime::from_ticks(sounds * 1_024, 48_000));
                sounds += 1;
            }
            if !(100..back).contains(&n) {
                reordered(&mut bench, n, 61);
            }
        }
        bench.finish();
        let with_pictures = |parts: &&Vec<Part>| {
            let head = parts[0].head.as_ref().expect("the first");
            head.discontinuity && head.tracks.len() == 2
        };
        let returned = bench.parted.iter().rfind(with_pictures);
        let returned = returned.expect("one of both");
        let units = returned.iter().flat_map(|part| &part.units);
        let pictures = units.filter(|unit| unit.track == 0);
        let shown = pictures.map(media::AccessUnit::pts).min();
        assert_eq!(shown, Some(returned[0].start), "{back}");
    }
}

/// Whether `part` keeps the rule of rfc8216bis §4.4.4.9, in the milliseconds that playlists have.
fn in_bounds(part: &Part) -> bool {
    let millis = end(part).as_millis() - part.start.as_millis();
    let target = part.target.as_millis();
    millis <= target && millis * 100 >= target * 85
}

#[test]
fn sound_beside_a_pause_of_the_video_is_not_taken_back_when_it_is_out() {
    let mut bench = bench();
    bench.pictures(0, 1_000, 1_000);
    // Sound arrives 200 ms ahead, and goes out with the picture that comes back.
    bench.sounds(0, 2_600);
    for n in 60..80 {
        bench.picture(ms(n * 40), false);
    }
    bench.finish();
    let units = bench.parted.iter().flatten().flat_map(|part| &part.units);
    let (pictures, sounds): (Vec<_>, Vec<_>) = units.partition(|unit| unit.payload.len() > 1);
    assert_eq!((pictures.len(), sounds.len()), (25 + 20, 122));
    assert!(sounds.is_sorted_by_key(|unit| unit.dts));
}

#[test]
fn a_segment_that_begins_where_the_parts_before_end_follows_them() {
    // Its first picture is shown 254 ms after it is decoded, and none behind it: the parts, which last as long as
    // from one decode time to the next, are 254 ms ahead of what they show.
    let mut bench = bench();
    for n in 0..60 {
        bench.push(Arrival {
            codec: Arc::clone(&bench.video),
            dts: ms(n * 127),
            composition: ms(if n == 15 { 254 } else { 0 }),
            entry: entry(!(33..36).contains(&n)),
            payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
        });
    }
    bench.finish();
    let parts: Vec<&Part> = bench.parted.iter().flatten().collect();
    for pair in parts.windows(2) {
        assert_eq!(end(pair[0]), pair[1].start);
        assert_eq!(pair[0].next_dts, Some(pair[1].units[0].dts));
        let head = pair[1].head.as_ref();
        assert!(head.is_none_or(|head| !head.discontinuity));
    }
}

#[test]
fn a_part_has_room_for_the_millisecond_that_a_timestamp_is_rounded_by() {
    let mut bench = bench();
    for n in 0..60 {
        bench.picture(ms(n * 18_017 / 1_000), true);
    }
    bench.finish();
    for parts in &bench.parted {
        let (_, but_last) = parts.split_last().expect("some");
        assert!(but_last.iter().all(in_bounds), "{but_last:#?}");
    }
}

#[test]
fn pictures_of_one_moment_all_come_out() {
    // Not quadratic: when all units of a part were walked for each, this took minutes.
    let mut bench = bench();
    bench.cutter.settings.max_segment_bytes = u64::MAX;
    bench.cutter.limit_parts(ms(218));
    for n in 0..60_000 {
        bench.picture(MediaTime::from_nanos(n), n == 0);
    }
    bench.finish();
    let units = bench.parted.iter().flatten().map(|part| part.units.len());
    assert_eq!(units.sum::<usize>(), 60_000);
}

#[test]
fn the_first_gap_alone_makes_no_part_target() {
    let mut bench = bench();
    bench.picture(ms(0), true);
    bench.pictures(1_500, 6_000, 1_000);
    bench.finish();
    let parts: Vec<&Part> = bench.parted.iter().flatten().collect();
    assert_eq!(parts[0].duration, ms(1_500));
    assert!(parts.iter().all(|part| part.target == ms(218)));
    let (_, rest) = parts.split_first().expect("some");
    assert!(rest.iter().all(|part| part.duration <= part.target));
}

#[test]
fn a_slow_cadence_makes_a_part_target_of_one_picture() {
    for gap in [250, 300, 500, 1_000, 1_200] {
        let mut bench = bench();
        for n in 0..12 {
            bench.picture(ms(n * gap), n % 4 == 0);
        }
        bench.finish();
        let parts: Vec<&Part> = bench.parted.iter().flatten().collect();
        assert_eq!(parts.len(), 12, "{gap}");
        let (_, but_last) = parts.split_last().expect("some");
        assert!(but_last.iter().all(|part| in_bounds(part)), "{gap}");
    }
}

#[test]
fn a_first_segment_of_two_pictures_makes_no_part_target() {
    let mut bench = bench();
    bench.pictures(0, 80, 25);
    bench.video = h264(0x81);
    bench.pictures(80, 2_000, 100);
    bench.finish();
    let parts: Vec<&Part> = bench.parted.iter().flatten().collect();
    assert!(parts[0].target >= ms(200), "{:?}", parts[0].target);
    assert!(parts.len() <= 11);
}

proptest! {
    #[test]
    fn every_unit_is_in_one_part_and_in_order(publish in publish()) {
        let (bench, pushed) = run(&publish);
        let units = bench.parted.iter().flatten().flat_map(|part| &part.units);
        let mut all: Vec<u32> = units.clone().map(number).collect();
        for track in 0..2 {
            let of_track = units.clone().filter(|unit| unit.track == track);
            prop_assert!(publish.audio_lag.is_some() || of_track.map(number).is_sorted());
        }
        all.sort_unstable();
        prop_assert_eq!(all, (0..pushed).collect::<Vec<_>>());
        prop_assert!(bench.parts.is_empty(), "the last segment is closed");
    }

    #[test]
    fn parts_follow_each_other_and_make_up_their_segment(publish in publish_with_pause()) {
        let (bench, _) = run(&publish);
        for parts in &bench.parted {
            for (n, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.head.is_some(), n == 0);
                prop_assert!(part.duration > MediaTime::ZERO);
                prop_assert!(!part.units.is_empty());
            }
            for pair in parts.windows(2) {
                prop_assert_eq!(end(&pair[0]), pair[1].start);
            }
            let tracks = &parts[0].head.as_ref().expect("the first").tracks;
            let leading = media::leading_track(tracks);
            let led = parts.iter().flat_map(|part| &part.units);
            let first = led.clone().find(|unit| unit.track == leading).expect("led");
            prop_assert_eq!(first.random_access, parts[0].head.as_ref().expect("the first").independent);
            for part in parts {
                let led = || part.units.iter().filter(|unit| unit.track == leading);
                prop_assert_eq!(part.independent, led().any(|unit| unit.random_access));
            }
        }
        for pair in bench.parted.windows(2) {
            let (before, after) = (pair[0].last().expect("some"), &pair[1][0]);
            let head = after.head.as_ref().expect("the first");
            prop_assert!(head.discontinuity || end(before) == after.start, "{:?} {:?} {:?}", end(before), after.start, pair[0].iter().map(|p| (p.start, p.duration, p.units.len())).collect::<Vec<_>>());
        }
    }

    #[test]
    fn whatever_comes_parts_follow_each_other(units in whatever(), bytes in 200_u64..100_000) {
        let mut bench = Bench::with(Settings { max_segment_bytes: bytes, ..Settings::default() });
        bench.cutter = Cutter::in_parts(bench.cutter.settings, WANTED);
        let bench = run_whatever(bench, units);
        for parts in &bench.parted {
            prop_assert!(!parts.is_empty());
            for (n, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.head.is_some(), n == 0);
                prop_assert!(part.duration > MediaTime::ZERO && !part.units.is_empty());
            }
            for pair in parts.windows(2) {
                prop_assert_eq!(end(&pair[0]), pair[1].start);
            }
        }
        for pair in bench.parted.windows(2) {
            let (before, after) = (pair[0].last().expect("some"), &pair[1][0]);
            let discontinuity = after.head.as_ref().expect("the first").discontinuity;
            prop_assert!(after.start >= end(before) && (discontinuity || end(before) == after.start), "{:?} {:?} {:?}", end(before), after.start, discontinuity);
        }
    }

    #[test]
    fn what_comes_next_is_decoded_when_a_part_says(publish in publish()) {
        let (bench, _) = run(&publish);
        let parts: Vec<&Part> = bench.parted.iter().flatten().collect();
        for pair in parts.windows(2) {
            let led = |part: &Part| part.units.iter().find(|unit| unit.track == 0).map(|unit| unit.dts);
            // Behind a gap nothing is known.
            prop_assert!(pair[0].next_dts.is_none_or(|next| Some(next) == led(pair[1])), "{:?} {:?} {:?} {:?}", pair[0].next_dts, led(pair[1]), pair[0].start, pair[1].head.is_some());
            prop_assert!(pair[0].next_dts.is_some() || pair[1].head.as_ref().is_some_and(|it| it.discontinuity));
        }
    }

    #[test]
    fn parts_keep_to_the_part_target_at_any_cadence(
        gap in 8_333_i64..1_100_000, gop in 1_i64..60, count in 20_i64..400, rounded in any::<bool>(),
    ) {
        let mut bench = bench();
        for n in 0..count {
            let micros = n * gap;
            let at = if rounded { ms(micros / 1_000) } else { MediaTime::from_nanos(micros * 1_000) };
            bench.picture(at, n % gop == 0);
        }
        bench.finish();
        for parts in &bench.parted {
            let (_, but_last) = parts.split_last().expect("some");
            prop_assert!(but_last.iter().all(in_bounds), "{:?}", parts.iter().map(|part| part.duration).collect::<Vec<_>>());
            let last = end(&parts[parts.len() - 1]);
            prop_assert!(last.as_millis() - parts[parts.len() - 1].start.as_millis() <= parts[0].target.as_millis());
        }
    }

    #[test]
    fn parts_keep_to_the_part_target_behind_an_odd_first_gap(
        first in 1_i64..1_900, gap in 8_333_i64..150_000, gop in 1_i64..60, count in 20_i64..400, rounded in any::<bool>(),
    ) {
        keeps_to_the_part_target_behind(first, gap, gop, count, rounded);
    }
}

/// `count` pictures each `gap` us, `first` ms behind the very first, with a random access each `gop`.
#[track_caller]
fn keeps_to_the_part_target_behind(first: i64, gap: i64, gop: i64, count: i64, rounded: bool) {
    let mut bench = bench();
    bench.picture(ms(0), true);
    for n in 0..count {
        let micros = first * 1_000 + n * gap;
        let at = if rounded {
            ms(micros / 1_000)
        } else {
            MediaTime::from_nanos(micros * 1_000)
        };
        bench.picture(at, n % gop == gop - 1);
    }
    bench.finish();
    let said = || {
        let parts = bench.parted.iter().flatten();
        let lasting: Vec<_> = parts.map(|part| (part.duration, part.target)).collect();
        format!("{lasting:?} behind {first} ms, {gap} us each, {gop} in a GOP")
    };
    // One part has the gap in it.
    let mut but_first = bench.parted.iter().flatten().skip(1);
    assert!(
        but_first.all(|part| part.duration <= part.target),
        "{}",
        said()
    );
    for (n, parts) in bench.parted.iter().enumerate() {
        let (_, but_last) = parts.split_last().expect("some");
        let but_last = but_last.get(usize::from(n == 0)..).unwrap_or_default();
        assert!(but_last.iter().all(in_bounds), "{}", said());
    }
}

/// The first segment ends before two distances agree: what its last one says has to do for all that come.
#[test]
fn one_distance_makes_a_target_that_whole_pictures_fill() {
    for first in (1_700..1_900).step_by(10) {
        for gap in (9_000..150_000).step_by(1_000) {
            for gop in [1, 2, 5] {
                keeps_to_the_part_target_behind(first, gap, gop, 20, false);
            }
        }
    }
}
