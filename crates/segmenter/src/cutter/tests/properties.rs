//! What holds for every cadence, GOP, limit and interleaving.

use proptest::prelude::*;

use super::*;

/// A publish: pictures by their distance in time and whether they are random access, audio in between.
#[derive(Clone, Debug)]
pub(super) struct Publish {
    /// Distance to the next picture (ms), composition time (ms), random access.
    pictures: Vec<(i64, i64, bool)>,
    /// Milliseconds by which audio is behind in arrival; `None` without audio. Twice what the interleaving lets
    /// through, and less than [`LEAD_IN`]: sound further behind is given up where it joins.
    pub(super) audio_lag: Option<i64>,
    /// Before the picture of this number comes a pause of so many milliseconds.
    pause: Option<(usize, i64)>,
    longest: i64,
}

pub(super) fn publish() -> impl Strategy<Value = Publish> {
    let cadence = (8_i64..200, 1_usize..400, any::<bool>());
    let pictures = (cadence, 1_usize..600).prop_flat_map(|((gap, gop, jitter), count)| {
        let picture = (0_i64..5, 0_i64..3, 0_usize..40);
        proptest::collection::vec(picture, count).prop_map(move |pictures| {
            let picture = |(n, (wobble, reorder, odd)): (usize, (i64, i64, usize))| {
                let wobble = if jitter { wobble } else { 0 };
                (
                    gap + wobble,
                    reorder * gap,
                    n % gop == 0 || (jitter && odd == 0),
                )
            };
            pictures
                .into_iter()
                .enumerate()
                .map(picture)
                .collect::<Vec<_>>()
        })
    });
    (
        pictures,
        proptest::option::of(0_i64..200),
        1_000_i64..12_000,
    )
        .prop_map(|(pictures, audio_lag, longest)| Publish {
            pictures,
            audio_lag,
            pause: None,
            longest,
        })
}

/// A publish whose video pauses once, while audio goes on.
pub(super) fn publish_with_pause() -> impl Strategy<Value = Publish> {
    (publish(), 0_usize..600, 0_i64..30_000).prop_map(|(publish, before, lasting)| Publish {
        pause: Some((before % publish.pictures.len(), lasting)),
        ..publish
    })
}

/// Runs `publish`, each unit marked by its number; segments and faults, and how many units went in.
fn run(publish: &Publish) -> (Bench, u32) {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(publish.longest));
    run_on(bench, publish)
}

pub(super) fn run_on(mut bench: Bench, publish: &Publish) -> (Bench, u32) {
    let mut number = 0_u32;
    let mut push = |bench: &mut Bench, codec: &Arc<Codec>, dts, composition, random_access| {
        let payload = Bytes::copy_from_slice(&number.to_be_bytes());
        let codec = Arc::clone(codec);
        bench.push(Arrival {
            codec,
            dts,
            composition,
            entry: entry(random_access),
            payload,
        });
        number += 1;
    };
    let (video, audio) = (Arc::clone(&bench.video), Arc::clone(&bench.audio));
    let mut at = 0;
    let mut sounds = 0;
    for (n, &(gap, composition, random_access)) in publish.pictures.iter().enumerate() {
        at += match publish.pause {
            Some((before, lasting)) if before == n => lasting,
            _ => 0,
        };
        while let Some(lag) = publish.audio_lag
            && MediaTime::from_ticks(sounds * 1_024, 48_000) < ms(at - lag)
        {
            let dts = MediaTime::from_ticks(sounds * 1_024, 48_000);
            push(&mut bench, &audio, dts, MediaTime::ZERO, true);
            sounds += 1;
        }
        push(
            &mut bench,
            &video,
            ms(at),
            ms(composition),
            random_access || n == 0,
        );
        at += gap;
    }
    bench.finish();
    (bench, number)
}

pub(super) fn number(unit: &media::AccessUnit) -> u32 {
    u32::from_be_bytes(unit.payload[..].try_into().expect("four bytes"))
}

/// Anything: video or audio, the step of its track's clock, composition time, random access, and whether its
/// configuration changes or the clock jumps.
type Whatever = Vec<(bool, i64, i64, bool, u8, u8)>;

pub(super) fn whatever() -> impl Strategy<Value = Whatever> {
    let unit = (
        any::<bool>(),
        1_i64..3_000,
        0_i64..9_000,
        any::<bool>(),
        0_u8..20,
        0_u8..40,
    );
    proptest::collection::vec(unit, 1..300)
}

pub(super) fn run_whatever(mut bench: Bench, units: Whatever) -> Bench {
    let videos = [h264(0x80), h264(0x81)];
    let audios = [aac(AAC_44100), aac(AAC_48000)];
    let (mut video, mut audio) = (0, 0);
    let (mut video_at, mut audio_at) = (0, 0);
    for (is_video, step, composition, random_access, change, jump) in units {
        if change == 0 {
            video = 1 - video;
        }
        if change == 1 {
            audio = 1 - audio;
        }
        if jump == 0 {
            let mut out = Outputs::default();
            bench.cutter.end_run(&mut out);
            bench.take(out);
            let end = bench.cutter.edge().map_or(0, MediaTime::as_millis) + 500;
            (video_at, audio_at) = (end.max(video_at), end.max(audio_at));
        }
        if is_video {
            video_at += step;
            bench.push(Arrival {
                codec: Arc::clone(&videos[video]),
                dts: ms(video_at),
                composition: ms(composition),
                entry: entry(random_access),
                payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
            });
        } else {
            audio_at += step;
            bench.audio = Arc::clone(&audios[audio]);
            bench.sound(ms(audio_at));
        }
    }
    bench.finish();
    bench
}

proptest! {
    #[test]
    fn every_unit_comes_out_once_and_in_order(publish in publish()) {
        let (bench, pushed) = run(&publish);
        let out = bench.segments.iter().flat_map(|s| &s.units).map(number);
        let mut all: Vec<u32> = out.collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..pushed).collect::<Vec<_>>());
        for kind in [TrackKind::Video, TrackKind::Audio] {
            let led = bench.segments.iter().flat_map(|s| s.units.iter().map(move |unit| (s, unit)));
            let of_kind = led.filter(|(s, unit)| s.tracks[unit.track].kind() == kind);
            prop_assert!(of_kind.map(|(_, unit)| number(unit)).is_sorted());
        }
    }

    #[test]
    fn durations_are_the_timeline_and_within_the_limit(publish in publish()) {
        let (bench, _) = run(&publish);
        for pair in bench.segments.windows(2) {
            prop_assert_eq!(pair[0].start + pair[0].duration, pair[1].start);
        }
        for segment in &bench.segments {
            prop_assert!(segment.duration > MediaTime::ZERO);
            prop_assert!(segment.duration <= ms(publish.longest), "{:?}", bench.shown());
        }
    }

    #[test]
    fn what_a_segment_holds_is_presented_while_it_lasts(publish in publish_with_pause()) {
        let (bench, _) = run(&publish);
        prop_assert!(all_within(&bench.segments), "{:?}", bench.shown());
    }

    #[test]
    fn a_segment_says_what_it_holds(publish in publish()) {
        let (bench, _) = run(&publish);
        for (n, segment) in bench.segments.iter().enumerate() {
            let leading = segment.leading_track();
            let first = segment.units.iter().find(|unit| unit.track == leading).expect("led");
            // A short one at the end goes on announcing the sound that does not come any more.
            let goes_on = n > 0 && n + 1 == bench.segments.len() && segment.duration <= ms(500)
                && segment.tracks == bench.segments[n - 1].tracks;
            prop_assert_eq!(segment.independent, first.random_access);
            prop_assert!(segment.start <= first.pts());
            for track in 0..segment.tracks.len() {
                let any = segment.units.iter().any(|unit| unit.track == track);
                prop_assert!(any || (goes_on && segment.tracks[track].kind() == TrackKind::Audio));
                let dts = segment.units.iter().filter(|unit| unit.track == track).map(|unit| unit.dts);
                prop_assert!(dts.is_sorted());
            }
            prop_assert!(segment.units.iter().all(|unit| unit.track < segment.tracks.len()));
        }
    }

    #[test]
    fn a_random_access_after_the_target_is_always_taken(publish in publish()) {
        let (bench, _) = run(&publish);
        let target = Settings::default().segment_target;
        for segment in &bench.segments {
            let leading = segment.leading_track();
            let led = segment.units.iter().filter(|unit| unit.track == leading);
            for unit in led.skip(1).filter(|unit| unit.random_access) {
                prop_assert!(unit.pts() - segment.start < target);
            }
        }
    }

    #[test]
    fn whatever_comes_segments_follow_each_other(
        units in whatever(), longest in 1_i64..12_000, bytes in 200_u64..100_000,
    ) {
        let mut bench = Bench::with(Settings { max_segment_bytes: bytes, ..Settings::default() });
        bench.cutter.limit(ms(longest));
        let bench = run_whatever(bench, units);
        for pair in bench.segments.windows(2) {
            prop_assert!(pair[1].start >= pair[0].start + pair[0].duration, "{:?}", bench.shown());
            prop_assert!(pair[1].discontinuity || Arc::ptr_eq(&pair[0].tracks, &pair[1].tracks));
        }
        for segment in &bench.segments {
            prop_assert!(segment.duration > MediaTime::ZERO && segment.duration <= ms(longest), "{:?}", bench.shown());
            prop_assert!(!segment.units.is_empty());
        }
    }
}
