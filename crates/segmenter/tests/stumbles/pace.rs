//! How fast, how large and how regular: key frames, sizes, picture rates, bursts.

use media::{FaultKind, MediaTime, MessageKind};
use segmenter::Settings;

use crate::feed::{Event, What, body, each, programme};
use crate::published::{Published, ms, publish, publish_with};

fn assert_nothing_lost_or_broken(published: &Published) {
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.discontinuities(), 0, "{:#?}", published.shown());
}

fn total(published: &Published) -> MediaTime {
    published
        .segments
        .iter()
        .map(|segment| segment.duration)
        .sum()
}

#[test]
fn no_key_frame_for_60_s_is_cut_at_the_limit_and_the_encoder_told() {
    for b_pictures in [false, true] {
        let feed = programme(0, 70_000).gop(1_600);
        let feed = if b_pictures { feed.b_pictures() } else { feed };
        let published = publish(feed.events());
        assert_nothing_lost_or_broken(&published);
        assert_eq!(published.kinds(), ["forced_cut"]);
        // B-pictures are cut at in front of the picture they are shown before.
        let since = if b_pictures { "3.600s" } else { "3.520s" };
        assert_eq!(
            published.words(FaultKind::ForcedCut),
            format!(
                "no key frame (IDR picture) 2.000s to 3.499s behind the beginning of a segment, and the last was {since} \
                 ago: cut in the middle of a GOP; set the encoder's keyframe interval to 2.000s or less, and scene cut \
                 detection off"
            )
        );
        let independent = published.segments.iter().filter(|s| s.independent).count();
        assert_eq!(independent, 2, "{:#?}", published.shown());
        assert!((total(&published) - ms(70_000)).abs() <= ms(60));
    }
}

#[test]
fn key_frames_only_are_cut_at_the_target() {
    let published = publish(programme(0, 20_000).gop(1).events());
    assert_nothing_lost_or_broken(&published);
    assert_eq!(published.faults, []);
    assert_eq!(published.segments.len(), 10);
}

#[test]
fn a_gop_of_10_s_is_a_segment_where_the_limit_allows_and_cut_where_not() {
    let feed = programme(0, 60_000).gop(250);
    let free = publish_with(feed.events(), ms(10_499), Settings::default());
    assert_nothing_lost_or_broken(&free);
    assert_eq!(free.faults, []);
    assert_eq!(free.segments.len(), 6);
    assert!(free.segments.iter().all(|segment| segment.independent));

    let cut = publish(feed.events());
    assert_nothing_lost_or_broken(&cut);
    assert_eq!(cut.kinds(), ["forced_cut"]);
    let independent = cut.segments.iter().filter(|segment| segment.independent);
    assert_eq!(independent.count(), 6);
}

#[test]
fn gops_that_vary_with_the_scene_are_cut_at_the_first_key_frame_past_the_target() {
    let mut n = 0;
    let mut next = 0;
    let published = publish(each(programme(0, 60_000).events(), |event| {
        if let What::Picture { key, .. } = &mut event.what {
            *key = n == next;
            if *key {
                // 0.4 to 2.4 s.
                next = n + 10 + n * 31 % 51;
            }
            n += 1;
        }
    }));
    assert_nothing_lost_or_broken(&published);
    assert!(published.segments.iter().all(|segment| segment.independent));
    assert_eq!(published.faults, []);
    assert!((total(&published) - ms(60_000)).abs() <= ms(60));
}

#[test]
fn access_units_of_0_bytes_are_left_out_and_each_is_said() {
    let mut events = Vec::new();
    let mut empties = 0;
    for event in programme(0, 20_000).events() {
        let (kind, at) = (event.kind, event.timestamp);
        let empty: &[&[u8]] = match kind {
            MessageKind::Video => &[&[0x27, 1, 0, 0, 0], &[0x27, 1, 0, 0, 0, 0, 0, 0, 0]],
            _ => &[&[0xaf, 1]],
        };
        events.push(event);
        events.extend(empty.iter().map(|empty| body(kind, at, empty)));
        empties += empty.len();
        // A message without a body has no access unit.
        events.push(body(kind, at, &[]));
    }
    let published = publish(events);
    assert_nothing_lost_or_broken(&published);
    assert_eq!(published.kinds(), ["malformed_message"]);
    assert_eq!(published.count(FaultKind::MalformedMessage), empties);
    assert_eq!(published.segments.len(), 10);
}

#[test]
fn access_units_of_5_megabytes_are_carried() {
    let published = publish(each(programme(0, 12_000).events(), |event| {
        if let What::Picture { key: true, bytes } = &mut event.what {
            *bytes = 5_000_000;
        }
    }));
    assert_nothing_lost_or_broken(&published);
    assert_eq!(published.faults, []);
    assert_eq!(published.segments.len(), 6);
}

#[test]
fn pictures_of_a_rate_that_passes_the_byte_limit_are_cut_early_and_said() {
    let settings = Settings {
        max_segment_bytes: 1 << 20,
        ..Settings::default()
    };
    for feed in [
        programme(0, 12_000),
        programme(0, 12_000).b_pictures(),
        programme(0, 12_000).gop(300).b_pictures(),
    ] {
        let events = each(feed.events(), |event| {
            if let What::Picture { bytes, .. } = &mut event.what {
                *bytes = 40_000;
            }
        });
        let published = publish_with(events, ms(3_499), settings);
        assert_nothing_lost_or_broken(&published);
        assert_eq!(published.kinds(), ["segment_too_large"]);
        let mut segments = published.segments.iter();
        assert!(segments.all(|segment| segment.payload_bytes() <= 1 << 20));
    }
}

#[test]
fn one_picture_a_second() {
    let published = publish(programme(0, 30_000).fps(1, 1).gop(2).events());
    assert_nothing_lost_or_broken(&published);
    assert_eq!(published.faults, []);
    assert_eq!(published.segments.len(), 15);
}

#[test]
fn a_hundred_and_twenty_pictures_a_second() {
    for b_pictures in [false, true] {
        let feed = programme(0, 20_000).fps(120, 1).gop(240);
        let feed = if b_pictures { feed.b_pictures() } else { feed };
        let published = publish(feed.events());
        assert_nothing_lost_or_broken(&published);
        assert_eq!(published.faults, []);
        assert_eq!(published.segments.len(), 10);
    }
}

/// The segments of a programme do not depend on when its messages arrive.
fn assert_pace_does_not_matter(arrival: impl Fn(i64) -> i64) -> Published {
    let feed = programme(0, 40_000).b_pictures();
    let steady = publish(feed.events());
    let published = publish(each(feed.events(), |event| {
        event.arrival = arrival(event.arrival);
    }));
    assert_nothing_lost_or_broken(&published);
    assert_eq!(published.faults, []);
    assert_eq!(published.shown(), steady.shown());
    published
}

#[test]
fn a_burst_after_a_stall_of_5_s_loses_nothing() {
    assert_pace_does_not_matter(|at| {
        if (11_300..16_300).contains(&at) {
            16_300
        } else {
            at
        }
    });
}

#[test]
fn eight_times_real_time() {
    assert_pace_does_not_matter(|at| at / 8);
}

#[test]
fn all_at_once() {
    assert_pace_does_not_matter(|_| 0);
}

#[test]
fn a_third_of_real_time() {
    assert_pace_does_not_matter(|at| at * 3);
}

#[test]
fn a_tenth_of_real_time() {
    assert_pace_does_not_matter(|at| at * 10);
}

#[test]
fn a_stall_of_an_hour_and_the_rest_in_one_burst() {
    assert_pace_does_not_matter(|at| if at < 11_300 { at } else { 3_600_000 });
}
