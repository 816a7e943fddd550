//! The longest segment, and what is cut for its sake.

use super::*;

#[test]
fn a_second_segment_of_the_same_moment_keeps_to_what_the_first_has_fixed() {
    // The playlist fixes its target duration with the first segment, and the audio beside the pause is cut behind
    // it before anybody can say so.
    let mut bench = Bench::new();
    bench.pictures(0, 2_000, 100);
    bench.sounds(0, 12_000);
    bench.pictures(12_040, 12_080, 100);
    bench.finish();
    let shown = bench.shown();
    assert_eq!(shown[0], "0.000s+1.960s I va");
    let longest = bench.segments.iter().map(|segment| segment.duration).max();
    assert!(longest <= Some(ms(2_499)), "{shown:#?}");
    assert!(all_within(&bench.segments), "{shown:#?}");
}

#[test]
fn late_audio_stays_in_front_of_a_forced_cut() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.pictures(0, 2_520, 1_000);
    // Behind the picture that the next segment begins with.
    bench.sounds(2_300, 2_400);
    for at in [2_520, 2_560] {
        bench.picture(ms(at), false);
    }
    bench.finish();
    assert_eq!(bench.shown(), ["0.000s+2.480s I va", "2.480s+0.120s  va"]);
}

#[test]
fn b_pictures_are_cut_at_where_nothing_is_shown_across() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    // I B B P B B P as they are decoded: I P B B P B B; a picture every 40 ms.
    for n in 0..100 {
        let composition = match n {
            0 => 40,
            _ if n % 3 == 1 => 120,
            _ => 0,
        };
        bench.push(Arrival {
            codec: Arc::clone(&bench.video),
            dts: ms(n * 40),
            composition: ms(composition),
            entry: entry(n == 0),
            payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
        });
    }
    bench.finish();
    assert_eq!(bench.shown(), ["0.040s+2.320s I v", "2.360s+1.680s  v"]);
    for segment in &bench.segments {
        let shown = || segment.units.iter().map(media::AccessUnit::pts);
        assert_eq!(shown().min(), Some(segment.start));
        assert_eq!(
            shown().max(),
            Some(segment.start + segment.duration - ms(40))
        );
    }
}

/// Pictures every 40 ms and a key frame each second; the composition time of number `odd` is `composition`.
pub(super) fn pictures_of_which_one_is_far(bench: &mut Bench, odd: i64, composition: i64) {
    for n in 0..500 {
        bench.push(Arrival {
            codec: Arc::clone(&bench.video),
            dts: ms(n * 40),
            composition: ms(if n == odd { composition } else { 0 }),
            entry: entry(n % 25 == 0),
            payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
        });
        // Nothing stays open for long.
        let edge = bench.cutter.edge().unwrap_or_default();
        assert!(ms(n * 40) - edge <= ms(4_000), "{n} {:?}", bench.shown());
    }
    bench.finish();
}

#[test]
fn a_picture_shown_seconds_after_it_is_decoded_does_not_begin_its_segment_there() {
    // A key frame that begins a segment, one that does not, one within a GOP, the very first.
    for odd in [50, 75, 60, 0] {
        for composition in [3_000, 5_000, 9_990] {
            let mut bench = Bench::new();
            bench.cutter.limit(ms(2_499));
            pictures_of_which_one_is_far(&mut bench, odd, composition);
            let media: MediaTime = bench.segments.iter().map(|s| s.duration).sum();
            assert!(
                media >= ms(19_900),
                "{odd} {composition} {:#?}",
                bench.shown()
            );
            assert_eq!(bench.units(), 500);
            assert!(
                bench.kinds().contains(&FaultKind::CompositionTime),
                "{odd} {composition} {:#?}",
                bench.faults
            );
        }
    }
}
