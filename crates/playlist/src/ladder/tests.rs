//! Ladders of windows that are written as publishes write them.

use std::time::{Duration, Instant, UNIX_EPOCH};

use media::{MediaTime, PresentationName, Segment};

use super::*;
use crate::registry::number_by_the_clock;
use crate::window::tests::video_segment;
use crate::{Registry, Settings, Terms, Writer};

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn name(name: &str) -> PresentationName {
    PresentationName::parse("live", name).expect("valid")
}

/// From `start` on, as long as told; dated as if time zero had been `late` milliseconds into the day.
fn segment(start: i64, lasts: i64, late: i64, bytes: u64) -> Segment {
    let mut segment = video_segment(0, lasts, bytes);
    segment.start = ms(start);
    let day = UNIX_EPOCH + Duration::from_secs(1_795_392_000);
    segment.date = day + ms(start + late).to_duration();
    segment
}

fn begin(registry: &Registry, rung: &str) -> Writer {
    let terms = Terms::default();
    registry
        .publish(&name(rung), &terms, Instant::now())
        .expect("free")
}

/// Segments of two seconds from each of `starts` on.
fn list(writer: &mut Writer, starts: &[i64], late: i64, bytes: u64) {
    for &start in starts {
        let pushed = writer.push(segment(start, 2_000, late, bytes), Instant::now());
        pushed.expect("owned");
    }
}

fn ladder(registry: &Registry) -> Ladder {
    registry
        .directory()
        .ladder(&name("show"))
        .expect("it has rungs")
}

#[test]
fn a_whole_playlist_begins_with_what_an_unknown_line_can_take() {
    let registry = Registry::new(Settings::default());
    let mut writers = Vec::new();
    for (rung, bytes) in [
        ("show_360p", 200_000),
        ("show_720p", 500_000),
        ("show_1080p", 1_500_000),
    ] {
        let mut writer = begin(&registry, rung);
        list(&mut writer, &[0, 2_000], 0, bytes);
        writers.push(writer);
    }
    let other = begin(&registry, "other_720p");
    let text = |place| {
        let text = ladder(&registry).multivariant(Form::Classic, place);
        String::from_utf8(text.expect("rungs").plain().to_vec()).expect("UTF-8")
    };
    assert_eq!(
        text(Place::Folder),
        "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30
../show_720p/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=6000000,AVERAGE-BANDWIDTH=6000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30
../show_1080p/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,AVERAGE-BANDWIDTH=800000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30
../show_360p/main.m3u8
"
    );
    let uris = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(
        uris(&text(Place::Above)),
        [
            "show_720p/main.m3u8",
            "show_1080p/main.m3u8",
            "show_360p/main.m3u8"
        ]
    );
    // The source, published beside its rungs, is one of them.
    let mut source = begin(&registry, "show");
    list(&mut source, &[2_000], 0, 900_000);
    assert_eq!(
        uris(&text(Place::Folder)),
        [
            "../show_720p/main.m3u8",
            "../show_1080p/main.m3u8",
            "main.m3u8",
            "../show_360p/main.m3u8"
        ]
    );
    drop(other);
}

#[test]
fn rungs_that_begin_together_have_the_same_numbers() {
    let registry = Registry::new(Settings::default());
    let mut first = begin(&registry, "show_720p");
    let before = number_by_the_clock();
    while number_by_the_clock() == before {
        std::hint::spin_loop();
    }
    let second = begin(&registry, "show_360p");
    let numbers = |writer: &Writer| writer.presentation().low_latency_window().next_sequence();
    assert_eq!(numbers(&first), numbers(&second));
    list(&mut first, &[0], 0, 1_000);
    let late = begin(&registry, "show_180p");
    assert_ne!(
        numbers(&late),
        numbers(&second),
        "it begins behind what is listed"
    );
}

/// How `show_360p` stands, which lists `starts` beside the others' 10 s to 20 s.
fn standing(starts: &[i64], late: i64) -> Standing {
    let registry = Registry::new(Settings::default());
    let others = [10_000, 12_000, 14_000, 16_000, 18_000];
    let mut writers: Vec<_> = ["show_1080p", "show_720p"]
        .map(|rung| begin(&registry, rung))
        .into();
    for writer in &mut writers {
        list(writer, &others, 0, 500_000);
    }
    let mut own = begin(&registry, "show_360p");
    list(&mut own, starts, late, 100_000);
    let ladder = ladder(&registry);
    let standings = ladder.standings(Form::Classic);
    assert_eq!(standings[..2], [Standing::Leads, Standing::Fits]);
    if let Standing::Misfits(_) = standings[2] {
        let text = ladder
            .multivariant(Form::Classic, Place::Folder)
            .expect("two");
        assert!(!String::from_utf8_lossy(&text.plain()).contains("360p"));
    }
    standings[2]
}

#[test]
fn a_rung_is_left_out_unless_it_is_cut_where_the_others_are() {
    let misfit = |at| Standing::Misfits(Misfit::KeyFrames(ms(at)));
    let cases: [(&[i64], i64, Standing); 10] = [
        (&[10_000, 12_000, 14_000, 16_000, 18_000], 0, Standing::Fits),
        // Timestamps are rounded, and encoders begin to count a few pictures apart.
        (&[10_066, 12_066, 14_066, 16_066, 18_066], 0, Standing::Fits),
        // It is behind, or has just come.
        (&[6_000, 8_000, 10_000, 12_000], 0, Standing::Fits),
        (&[18_000], 200, Standing::Fits),
        // It was cut elsewhere, and no longer is.
        (&[11_000, 13_000, 16_000, 18_000], 0, Standing::Fits),
        (&[11_000, 13_000, 15_000, 17_000], 0, misfit(19_000)),
        // It has stopped, or has just come back.
        (&[4_000, 6_000, 8_000, 10_000], 0, Standing::Away),
        (&[], 0, Standing::Empty),
        (
            &[10_000, 12_000, 14_000],
            3_000,
            Standing::Misfits(Misfit::Clock(ms(3_000))),
        ),
        (
            &[0, 2_000, 4_000],
            10_000,
            Standing::Misfits(Misfit::Clock(ms(10_000))),
        ),
    ];
    for (starts, late, expected) in cases {
        assert_eq!(standing(starts, late), expected, "{starts:?} {late}");
    }
}

#[tokio::test]
async fn a_bad_rung_and_a_lost_one_disturb_no_other() {
    let registry = Registry::new(Settings::default());
    let mut writers: Vec<_> = ["show_1080p", "show_720p", "show_360p"]
        .map(|rung| begin(&registry, rung))
        .into();
    // The first is the odd one.
    list(&mut writers[0], &[11_000, 13_000], 0, 500_000);
    for writer in &mut writers[1..] {
        list(writer, &[10_000, 12_000, 14_000], 0, 500_000);
    }
    let standings = || ladder(&registry).standings(Form::Classic);
    assert!(matches!(
        standings()[..],
        [Standing::Misfits(_), Standing::Leads, Standing::Fits]
    ));
    let adjustment = writers[0].adjustment(ms(15_200)).expect("it does not fit");
    assert_eq!(adjustment.next, ms(16_000));
    assert_eq!(writers[1].adjustment(ms(16_200)), None);
    // Who leads leaves.
    let vacancy = writers.remove(1).leave();
    assert!(matches!(
        standings()[..],
        [
            Standing::Misfits(_) | Standing::Leads,
            Standing::Away,
            Standing::Leads | Standing::Misfits(_)
        ]
    ));
    // All leave: what is there can still be played.
    let vacancies: Vec<_> = writers.into_iter().map(Writer::leave).collect();
    assert!(matches!(
        standings()[1..],
        [Standing::Leads, Standing::Fits]
    ));
    drop((vacancy, vacancies));
}
