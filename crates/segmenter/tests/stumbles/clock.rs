//! The sender's clock: jumps, wraps, disorder, drift, rounding.

use media::{FaultKind, MediaTime};

use crate::feed::{Event, What, by_arrival, each, programme};
use crate::published::{Published, ms, publish, publish_loosely};

/// A publish whose clock shows `by` ms more from 5 s on.
fn jumping(by: i64) -> Published {
    publish(each(programme(20_000, 32_000).events(), |event| {
        if event.timestamp >= 25_000 {
            event.timestamp += by;
        }
    }))
}

fn assert_one_jump(published: &Published, words: &str) {
    assert_eq!(published.discontinuities(), 1, "{:#?}", published.shown());
    assert_eq!(published.kinds(), ["early_media", "timestamp_jump"]);
    assert_eq!(published.words(FaultKind::TimestampJump), words);
    // Half a GOP: its key frame is in front of the jump.
    let lost = published.lost();
    assert!(
        lost.iter()
            .all(|event| (25_000..26_000).contains(&event.arrival))
    );
    assert!(lost.iter().filter(|event| event.is_picture()).count() <= 25);
}

#[test]
fn a_jump_forward_by_10_s_is_one_discontinuity() {
    let words = "the sender's clock jumped by 10040 ms to 35000 ms; a new discontinuity begins";
    assert_one_jump(&jumping(10_000), words);
}

#[test]
fn a_jump_back_by_10_s_is_one_discontinuity() {
    let words = "the sender's clock jumped by -9960 ms to 15000 ms; a new discontinuity begins";
    assert_one_jump(&jumping(-10_000), words);
}

#[test]
fn a_jump_to_0_is_one_discontinuity() {
    let words = "the sender's clock jumped by -24960 ms to 0 ms; a new discontinuity begins";
    assert_one_jump(&jumping(-25_000), words);
}

#[test]
fn sound_that_arrives_behind_a_short_jump_back_makes_no_second_one() {
    for back in [1_500, 5_000, 9_000] {
        let mut events = programme(20_000, 32_000).events();
        for event in &mut events {
            // With a key frame, so that a segment begins at once.
            if event.timestamp >= 26_000 {
                event.timestamp -= back;
            }
            // The link holds it back a little, and with it what was sent before the jump.
            if event.is_sound() {
                event.arrival += 90;
            }
        }
        let published = publish(by_arrival(events));
        assert_eq!(published.discontinuities(), 1, "{:#?}", published.shown());
        let lost = published.lost();
        assert!(lost.iter().all(|event| event.is_sound()), "{back}");
        assert!(lost.len() <= 6, "{back}: {}", lost.len());
    }
}

/// Nothing is lost, broken or complained of.
fn assert_unnoticed(published: &Published) {
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.discontinuities(), 0, "{:#?}", published.shown());
    assert_eq!(published.faults, []);
    assert!(published.segments.iter().all(|segment| segment.independent));
}

#[test]
fn the_wrap_of_32_bits_of_milliseconds_is_not_noticed() {
    for b_pictures in [false, true] {
        let feed = programme(0, 12_000);
        let feed = if b_pictures { feed.b_pictures() } else { feed };
        let published = publish(each(feed.events(), |event| {
            event.timestamp += (1 << 32) - 5_003;
        }));
        assert_unnoticed(&published);
        assert_eq!(published.segments.len(), 6);
    }
}

#[test]
fn the_wrap_of_33_bits_of_mpeg_ts_is_not_noticed() {
    // 2^33 ticks are 95 443.717 s, and MPEG-TS begins at 10 s.
    let published = publish(each(programme(0, 12_000).b_pictures().events(), |event| {
        event.timestamp += 95_428_000;
    }));
    assert_unnoticed(&published);
    let end = published
        .segments
        .last()
        .expect("segments")
        .start
        .rescale(90_000)
        + 900_000;
    assert!(end > 1 << 33);
}

#[test]
fn decode_times_equal_or_slightly_backward_are_repaired_and_pictures_keep_their_moment() {
    let mut n = 0;
    let published = publish(each(programme(0, 20_000).events(), |event| {
        if let What::Picture { key: false, .. } = event.what {
            n += 1;
            // Twice the time of the one before, or a little before it.
            let back = if n % 10 == 3 {
                40
            } else if n % 17 == 5 {
                55
            } else {
                0
            };
            event.timestamp -= back;
            event.composition += i32::try_from(back).expect("small");
        }
    }));
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.discontinuities(), 0);
    assert_eq!(published.kinds(), ["timestamp_order"]);
    assert!(published.count(FaultKind::TimestampOrder) >= 40);
    let words = published.words(FaultKind::TimestampOrder);
    assert_eq!(
        words,
        "video decode time 0.080s does not rise above the 0.080s before it; moved on"
    );
}

#[test]
fn negative_composition_times_leave_every_picture_its_moment() {
    // Decode times as the pictures are shown: those that are decoded early have to be decoded before.
    let published = publish(each(
        programme(1_000, 21_000).b_pictures().events(),
        |event| {
            if event.is_picture() {
                event.composition -= 80;
                event.shown += ms(-80);
            } else if event.is_sound() {
                event.timestamp -= 80;
                event.shown += ms(-80);
            }
        },
    ));
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.discontinuities(), 0);
    assert_eq!(published.faults, []);
}

#[test]
fn huge_composition_times_count_as_none() {
    for composition in [8_000_000, -8_000_000] {
        let mut n = 0;
        let published = publish(each(programme(0, 20_000).events(), |event| {
            if event.is_picture() {
                n += 1;
                event.composition = if n % 25 == 7 { composition } else { 0 };
            }
        }));
        assert_eq!(published.lost(), Vec::<&Event>::new());
        assert_eq!(published.discontinuities(), 0);
        assert_eq!(published.kinds(), ["composition_time"]);
        assert_eq!(published.faults.len(), 20);
    }
}

/// The time of each audio frame stands exactly on the samples before it.
fn assert_on_the_grid(published: &Published, rate: u32) {
    let sounds = published.segments.iter().flat_map(|segment| {
        let sound = segment.tracks.len() - 1;
        segment.units.iter().filter(move |unit| unit.track == sound)
    });
    let mut sounds = sounds.map(|unit| unit.dts);
    let first = sounds.next().expect("audio");
    for (n, dts) in (1_i64..).zip(sounds) {
        assert_eq!((dts - first).rescale(rate), n * 1_024);
    }
}

#[test]
fn an_hour_of_milliseconds_leaves_no_gap_and_no_overlap_in_audio() {
    for rate in [44_100, 48_000] {
        let hour = 3_600_000;
        let published = publish(
            programme(0, hour)
                .rate(rate)
                .fps(30_000, 1_001)
                .gop(60)
                .events(),
        );
        assert_unnoticed(&published);
        assert_on_the_grid(&published, rate);
        let sum: MediaTime = published.segments.iter().map(|s| s.duration).sum();
        assert!((sum - ms(hour)).abs() <= ms(60), "{sum:?}");
    }
}

#[test]
fn an_hour_of_audio_alone_leaves_no_gap_and_no_overlap() {
    for rate in [44_100, 48_000] {
        let published = publish(programme(0, 3_600_000).audio_only().rate(rate).events());
        assert_unnoticed(&published);
        assert_on_the_grid(&published, rate);
        assert!((1_790..1_810).contains(&published.segments.len()));
    }
}

#[test]
fn a_sound_card_that_drifts_by_a_second_an_hour_is_followed() {
    for parts in [3_600, -3_600] {
        let drift = |at: i64| at + at / parts;
        let published = publish(by_arrival(each(
            programme(0, 3_600_000).events(),
            |event| {
                if event.is_sound() {
                    // The sender's clock dates what its sound card took too long, or not long enough, for.
                    let at = MediaTime::from_nanos(drift(event.shown.as_nanos()));
                    event.shown = at;
                    event.timestamp = at.as_nanos() / 1_000_000;
                    event.arrival = event.timestamp;
                }
            },
        )));
        assert_unnoticed(&published);
    }
}

#[test]
fn lost_audio_frames_are_silence_within_a_moment_and_said() {
    for lost in 2..=4_i64 {
        // Those that begin at 9 s.
        let from = ms(9_000);
        let to = from + MediaTime::from_ticks(lost * 1_024, 48_000);
        let events = programme(0, 20_000).events().into_iter();
        let events =
            events.filter(|event| !event.is_sound() || event.shown < from || event.shown >= to);
        let published = publish_loosely(events.collect());
        assert_eq!(published.discontinuities(), 0);
        assert_eq!(published.kinds(), ["audio_resync"], "{lost}");
        let words = published.words(FaultKind::AudioResync);
        assert!(words.contains("have a gap of 0.0"), "{words}");
        for n in 0..published.segments.len() {
            let (earliest, latest) = published.moved(n);
            // The first few are heard too early.
            if published.segments[n].start != ms(8_000) {
                assert!(latest - earliest <= ms(2), "{lost}: {n}");
            }
        }
    }
}

#[test]
fn audio_dated_by_a_sound_card_that_drifts_arrives_a_second_late_after_an_hour() {
    let published = publish(by_arrival(each(
        programme(0, 3_600_000).events(),
        |event| {
            if event.is_sound() {
                event.arrival += event.arrival / 3_600;
            }
        },
    )));
    assert_unnoticed(&published);
}

/// No segment is open for longer than this much wall clock.
fn assert_listed_in_time(published: &Published, longest: i64) {
    let mut last = 0;
    for &at in &published.out_at {
        assert!(at - last <= longest, "nothing between {last} and {at} ms");
        last = at;
    }
}

#[test]
fn timestamps_that_stand_still_are_replaced_by_the_time_of_arrival() {
    for stopped in [0, 7_000] {
        let mut events = programme(0, 60_000).events();
        for event in &mut events {
            event.timestamp = event.timestamp.min(stopped);
        }
        let published = publish_loosely(events);
        // Where one track has changed to the time of arrival and the other has not yet.
        assert!(published.lost().len() <= 2, "{:?}", published.lost());
        assert_eq!(published.count(FaultKind::ClockUnusable), 2);
        let words = published.words(FaultKind::ClockUnusable);
        let expected = format!(
            " timestamps stand still at {stopped} ms; access units are dated by their arrival until they rise"
        );
        assert!(words.ends_with(&expected), "{words}");
        assert_listed_in_time(&published, 6_000);
        assert!(published.segments.len() >= 26, "{:#?}", published.shown());
        assert!(published.discontinuities() <= 2, "{:#?}", published.shown());
    }
}

#[test]
fn a_clock_that_creeps_stands_still() {
    let mut events = programme(0, 60_000).events();
    for event in &mut events {
        event.timestamp /= 100;
    }
    let published = publish_loosely(events);
    assert_listed_in_time(&published, 6_000);
    assert!(published.count(FaultKind::ClockUnusable) >= 2);
}

#[test]
fn a_clock_that_goes_on_again_is_used_again() {
    let mut events = programme(0, 60_000).events();
    for event in &mut events {
        event.timestamp = match event.timestamp {
            at @ ..10_000 => at,
            10_000..20_000 => 10_000,
            at => at - 10_000,
        };
    }
    let published = publish_loosely(events);
    assert_listed_in_time(&published, 6_000);
    let (min, max) = published.moved(published.segments.len() - 3);
    assert!(max - min <= ms(20), "{min:?} {max:?}");
    assert_eq!(published.count(FaultKind::ClockUnusable), 2);
}

#[test]
fn one_track_whose_timestamps_stand_still_is_dated_beside_the_other() {
    for sound in [true, false] {
        let mut events = programme(50_000, 110_000).events();
        for event in &mut events {
            if event.is_sound() == sound {
                event.timestamp = 50_000;
            }
        }
        let published = publish_loosely(events);
        assert_listed_in_time(&published, 60_000);
        assert_eq!(published.count(FaultKind::ClockUnusable), 1);
        let lost = published.lost();
        assert!(
            lost.iter().all(|event| event.arrival < 55_000),
            "{}",
            lost.len()
        );
        let settled = published.segments.iter().filter(|s| s.start > ms(60_000));
        assert!(settled.count() >= 23, "{:#?}", published.shown());
    }
}

#[test]
fn a_clock_that_jumps_all_the_time_makes_no_flood_of_segments() {
    for every in [1, 7, 40] {
        let mut n = 0;
        let mut by = 0;
        let published = publish_loosely(each(programme(20_000, 140_000).events(), |event| {
            n += 1;
            if n % every == 0 {
                by = 15_000 - by;
            }
            event.timestamp += by;
        }));
        assert!(
            published.segments.len() <= 100,
            "{}",
            published.segments.len()
        );
        assert!(published.count(FaultKind::ClockUnusable) > 0);
    }
}
