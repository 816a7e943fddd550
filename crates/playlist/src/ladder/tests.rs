//! Ladders of windows that are written as publishes write them.

use std::time::{Duration, Instant, UNIX_EPOCH};

use media::codec::H265;
use media::{Captions, Codec, Head, MediaTime, Part, PresentationName, Segment, Sizes, Track};

use super::*;
use crate::registry::number_by_the_clock;
use crate::window::tests::video_segment;
use crate::{Label, Registry, Report, Settings, Terms, Writer};

mod description;
mod joining;
mod low_latency;
mod sounds;
mod texts;

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
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30,SCORE=2,STABLE-VARIANT-ID=\"show_720p\",CLOSED-CAPTIONS=NONE
../show_720p/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=6000000,AVERAGE-BANDWIDTH=6000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30,SCORE=3,STABLE-VARIANT-ID=\"show_1080p\",CLOSED-CAPTIONS=NONE
../show_1080p/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,AVERAGE-BANDWIDTH=800000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30,SCORE=1,STABLE-VARIANT-ID=\"show_360p\",CLOSED-CAPTIONS=NONE
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
    // Sound has a variant of its own once there is some, of the first rung that has it.
    let mut with_sound = segment(4_000, 2_000, 0, 200_000);
    with_sound.ts.packed_audio = 16_000;
    writers[0].push(with_sound, Instant::now()).expect("owned");
    let lines = text(Place::Folder);
    assert!(
        lines.ends_with(
            "\
#EXT-X-STREAM-INF:BANDWIDTH=64000,AVERAGE-BANDWIDTH=64000,CODECS=\"mp4a.40.2\",SCORE=1,STABLE-VARIANT-ID=\"show_360p/audio\",CLOSED-CAPTIONS=NONE
../show_360p/sound.m3u8
"
        ),
        "{lines}"
    );
    assert!(lines.contains("SCORE=4"), "{lines}");
    // The source, published beside its rungs, is one of them.
    let mut source = begin(&registry, "show");
    list(&mut source, &[2_000], 0, 900_000);
    assert_eq!(
        uris(&text(Place::Folder)),
        [
            "../show_720p/main.m3u8",
            "../show_1080p/main.m3u8",
            "main.m3u8",
            "../show_360p/main.m3u8",
            "../show_360p/sound.m3u8"
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
    let numbers = |writer: &Writer| writer.presentation().next_sequence();
    assert_eq!(numbers(&first), numbers(&second));
    list(&mut first, &[0], 0, 1_000);
    let late = begin(&registry, "show_180p");
    assert_ne!(numbers(&late), numbers(&second));
    assert_eq!(
        numbers(&late),
        numbers(&first),
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
    for (at, &start) in starts.iter().enumerate() {
        let lasts = starts.get(at + 1).map_or(2_000, |next| next - start);
        let pushed = own.push(segment(start, lasts, late, 100_000), Instant::now());
        pushed.expect("owned");
    }
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
    let cases: [(&[i64], i64, Standing); 13] = [
        (&[10_000, 12_000, 14_000, 16_000, 18_000], 0, Standing::Fits),
        // Timestamps are rounded, and encoders begin to count a few pictures apart.
        (&[10_066, 12_066, 14_066, 16_066, 18_066], 0, Standing::Fits),
        // It is behind, or has just come.
        (&[6_000, 8_000, 10_000, 12_000], 0, Standing::Fits),
        (&[18_000], 200, Standing::Fits),
        // With the first key frame that it sends, in the middle of their segment.
        (&[17_000, 18_000], 0, Standing::Fits),
        // It was cut elsewhere, and no longer is.
        (&[11_000, 13_000, 16_000, 18_000], 0, Standing::Fits),
        (&[11_000, 13_000, 15_000, 17_000], 0, misfit(18_000)),
        // Two lengths come together now and then.
        (&[10_000, 13_000, 15_000, 18_000], 0, misfit(16_000)),
        (&[9_000, 11_000, 14_000, 16_000], 0, Standing::Fits),
        // Its line holds it up for more than those who change to it can wait.
        (
            &[4_000, 6_000, 8_000, 10_000],
            0,
            Standing::Misfits(Misfit::Late(ms(8_000))),
        ),
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

/// Its GOP is twice as long, and every other of its segments had to begin somewhere.
#[test]
fn a_rung_whose_segments_have_to_be_cut_inside_a_gop_is_left_out() {
    let registry = Registry::new(Settings::default());
    let [mut good, mut odd] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for start in [10_000, 12_000, 14_000, 16_000, 18_000] {
        list(&mut good, &[start], 0, 500_000);
        let mut cut = segment(start, 2_000, 0, 100_000);
        cut.independent = start % 4_000 == 0;
        odd.push(cut, Instant::now()).expect("owned");
    }
    let misfit = Standing::Misfits(Misfit::KeyFrames(ms(18_000)));
    assert_eq!(
        ladder(&registry).standings(Form::Classic),
        [Standing::Leads, misfit]
    );
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

/// Its encoder sends nothing, which is another thing than being late: who lists something is there for its viewers.
#[test]
fn a_rung_has_left_when_it_lists_nothing_while_others_go_on() {
    let registry = Registry::new(Settings::default());
    let [mut there, mut late] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let begun = Instant::now();
    let push = |writer: &mut Writer, start, at| {
        let at = begun + ms(at).to_duration();
        let pushed = writer.push(segment(start, 2_000, 0, 500_000), at);
        pushed.expect("owned");
    };
    let is_late = |by| Standing::Misfits(Misfit::Late(ms(by)));
    for (start, at) in [(0, 2_000), (2_000, 4_000)] {
        push(&mut there, start, at);
        push(&mut late, start, at);
    }
    for start in [4_000, 6_000, 8_000] {
        push(&mut there, start, start + 2_000);
    }
    let now = || {
        let ladder = ladder(&registry);
        let standing = ladder.standings(Form::Classic)[1];
        let left =
            [Form::Classic, Form::LowLatency].map(|it| ladder.has_left(&name("show_360p"), it));
        (standing, left)
    };
    assert_eq!(now(), (Standing::Fits, [false, true]));
    push(&mut there, 10_000, 12_000);
    assert_eq!(now(), (Standing::Away, [true, true]));
    push(&mut there, 12_000, 14_000);
    push(&mut late, 4_000, 14_500);
    assert_eq!(now(), (is_late(8_000), [false, false]));
    let adjustment = late.adjustment(ms(6_000)).expect("it is told why");
    assert_eq!(adjustment.misfit, Some(Misfit::Late(ms(8_000))));
    // Sound that viewers have chosen as well.
    let mut sound = begin(&registry, "show_audio1");
    let has_left = || ladder(&registry).has_left(&name("show_audio1"), Form::Classic);
    let pushed = sound.push(
        sounds::sound(12_000, 2_000, 0),
        begun + ms(14_000).to_duration(),
    );
    pushed.expect("owned");
    assert!(!has_left());
    for start in [14_000, 16_000, 18_000, 20_000] {
        push(&mut there, start, start + 2_000);
    }
    assert!(has_left());
    // Nobody is there to go on with: all are waited for.
    let _vacancies = [there, late, sound].map(Writer::leave);
    assert!(!has_left());
}

/// It has no place in MPEG-TS.
fn h265() -> Track {
    const HVCC: &[u8] = &[
        0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00,
        0xfc, 0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01,
        0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x03, 0x00, 0x3f, 0x95, 0x94, 0x09, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01,
        0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f,
        0xa0, 0x05, 0x02, 0x01, 0x71, 0xf2, 0xe5, 0x95, 0x95, 0x29, 0x30, 0xbc, 0x05, 0xa0, 0x20,
        0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0x21, 0x22, 0x00, 0x01, 0x00, 0x06,
        0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89,
    ];
    Track {
        codec: Codec::H265(H265::parse(HVCC.into()).expect("x265")),
    }
}

/// A segment of 2 s in one part, of H.265.
fn list_parts(writer: &mut Writer, starts: &[i64]) {
    for &start in starts {
        let day = UNIX_EPOCH + Duration::from_secs(1_795_392_000);
        let part = Part {
            head: Some(Head {
                tracks: [h265()].into(),
                date: day + ms(start).to_duration(),
                discontinuity: false,
                independent: true,
            }),
            units: segment(start, 2_000, 0, 1_000).units,
            events: Vec::new(),
            start: ms(start),
            duration: ms(2_000),
            next_dts: None,
            independent: true,
            is_last: true,
            target: ms(2_000),
            captions: Captions::NONE,
            sizes: Sizes {
                video: Some(100_000),
                ..Sizes::default()
            },
        };
        writer.push_part(part, Instant::now()).expect("owned");
    }
}

#[test]
fn where_one_rung_has_no_place_in_ts_all_are_played_in_cmaf() {
    let registry = Registry::new(Settings::default());
    let [mut one, mut other] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    list(&mut one, &[0, 2_000], 0, 500_000);
    assert_eq!(ladder(&registry).form(Form::Classic), Form::Classic);
    list_parts(&mut other, &[0]);
    let ladder_now = ladder(&registry);
    assert_eq!(ladder_now.form(Form::Classic), Form::LowLatency);
    assert!(ladder_now.is_begun(Form::Classic) && ladder_now.awaited(Form::Classic).is_empty());
    // This one lists nothing in CMAF.
    assert_eq!(
        ladder_now.standings(Form::Classic),
        [Standing::Empty, Standing::Leads]
    );
    let text = ladder_now
        .multivariant(Form::Classic, Place::Folder)
        .expect("a variant");
    let text = String::from_utf8(text.plain().to_vec()).expect("UTF-8");
    assert!(
        text.contains("../show_360p/video.m3u8") && text.contains("hvc1.1.6.L"),
        "{text}"
    );
    list_parts(&mut one, &[0]);
    let standings = || ladder(&registry).standings(Form::Classic);
    assert_eq!(standings(), [Standing::Leads, Standing::Fits]);
    let report = |segment: u64| Report {
        uri: "../show_720p/video.m3u8".to_owned(),
        segment,
        part: 0,
    };
    let first = ladder(&registry).beside(&name("show_360p")).reports[0].segment;
    assert_eq!(
        ladder(&registry).beside(&name("show_360p")).reports,
        [report(first)]
    );
    list_parts(&mut one, &[2_000]);
    assert_eq!(
        ladder(&registry).beside(&name("show_360p")).reports,
        [report(first + 1)]
    );
    // Nobody publishes: what is there can still be played.
    let _vacancies = [one, other].map(Writer::leave);
    assert_eq!(standings(), [Standing::Leads, Standing::Fits]);
}

#[test]
fn a_rung_dated_in_the_future_leaves_out_itself_and_no_other() {
    let registry = Registry::new(Settings::default());
    let day = segment(0, 2_000, 0, 1).date;
    let since = SystemTime::now().duration_since(day);
    let today = MediaTime::from(since.expect("later")).as_millis() - 4_000;
    let mut hasty = begin(&registry, "show_1080p");
    list(&mut hasty, &[60_000, 62_000], today, 1_500_000);
    let [mut second, mut third] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for writer in [&mut second, &mut third] {
        list(writer, &[0, 2_000], today, 500_000);
    }
    let standings = ladder(&registry).standings(Form::Classic);
    assert!(
        matches!(
            standings[..],
            [Standing::Misfits(_), Standing::Leads, Standing::Fits]
        ),
        "{standings:?}"
    );
}

/// Players would begin with what is over, and would not look for variants again.
#[tokio::test]
async fn what_has_ended_is_not_listed_beside_what_begins() {
    let registry = Registry::new(Settings::default());
    let mut before = begin(&registry, "show_1080p");
    list(&mut before, &[0, 2_000], 0, 500_000);
    let _vacancy = before.leave();
    let now = || ladder(&registry);
    assert_eq!(now().standings(Form::Classic), [Standing::Leads]);
    let mut next = begin(&registry, "show_720p");
    assert!(!now().is_begun(Form::Classic));
    assert_eq!(
        now().standings(Form::Classic),
        [Standing::Away, Standing::Empty]
    );
    assert!(now().multivariant(Form::Classic, Place::Folder).is_none());
    list(&mut next, &[0], 0, 200_000);
    assert!(now().is_begun(Form::Classic));
    assert_eq!(
        now().standings(Form::Classic),
        [Standing::Away, Standing::Leads]
    );
}

#[test]
fn a_ladder_has_32_rungs_at_most_beside_its_source() {
    let registry = Registry::new(Settings::default());
    let names = (1..=40).map(|n| format!("show_{n}p"));
    let sounds = (1..=40).map(|n| format!("show_audio{n}"));
    let all = names.chain(sounds);
    let writers: Vec<_> = all.map(|rung| begin(&registry, &rung)).collect();
    let source = begin(&registry, "show");
    assert_eq!(ladder(&registry).rungs().len(), 33);
    assert_eq!(ladder(&registry).live().count(), 33 + 32);
    drop((writers, source));
}
