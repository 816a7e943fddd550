//! Sequence headers: changed, repeated, missing, endless.

use media::{FaultKind, MediaTime};

use crate::feed::{AAC_44100, AAC_MONO, Event, LARGE, SMALL, body, by_arrival, each, programme};
use crate::published::{Published, ms, publish};

/// A programme, with `header` just before the media of 10 s.
fn with_header(header: Event) -> Vec<Event> {
    let mut events = programme(0, 20_000).events();
    let at = events
        .iter()
        .position(|event| event.is_media() && event.timestamp >= 10_000);
    events.insert(at.expect("10 s"), header);
    events
}

fn assert_one_change_at_10_s(published: &Published) {
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.faults, []);
    assert_eq!(published.discontinuities(), 1, "{:#?}", published.shown());
    assert!(published.segments.iter().all(|segment| segment.independent));
    let changed = published
        .segments
        .iter()
        .find(|segment| segment.discontinuity);
    assert_eq!(changed.map(|segment| segment.start), Some(ms(10_000)));
}

#[test]
fn another_resolution_and_profile_begin_a_discontinuity_at_their_key_frame() {
    assert_one_change_at_10_s(&publish(with_header(Event::video_header(LARGE, 10_000))));
}

#[test]
fn pictures_without_a_key_frame_of_their_new_configuration_are_dropped_and_said() {
    let mut events = programme(0, 20_000).events();
    let at = events
        .iter()
        .position(|event| event.is_picture() && event.timestamp >= 11_000);
    events.insert(at.expect("11 s"), Event::video_header(LARGE, 11_000));
    let published = publish(events);
    let lost = published.lost();
    assert_eq!(lost.len(), 25);
    assert!(
        lost.iter()
            .all(|event| (11_000..12_000).contains(&event.timestamp))
    );
    assert_eq!(published.discontinuities(), 1);
    assert!(published.segments.iter().all(|segment| segment.independent));
    assert_eq!(
        published.words(FaultKind::EarlyMedia),
        "25 video and 0 audio access units could not be decoded without the random access (IDR picture) that \
         comes after them; dropped"
    );
}

#[test]
fn another_audio_channel_count_at_a_key_frame_is_a_discontinuity_there() {
    assert_one_change_at_10_s(&publish(with_header(Event::audio_header(AAC_MONO, 10_000))));
}

/// A programme whose audio changes from 48 to 44.1 kHz at `at`.
fn new_rate(at: i64, gop: usize) -> Published {
    let feed = programme(0, 20_000).gop(gop);
    let mut events: Vec<Event> = feed
        .events()
        .into_iter()
        .filter(|event| !event.is_sound() || event.timestamp < at)
        .collect();
    events.push(Event::audio_header(AAC_44100, at));
    events.extend(programme(at, 20_000).audio_only().rate(44_100).media());
    publish(by_arrival(events))
}

#[test]
fn another_audio_rate_begins_a_discontinuity_at_the_next_key_frame() {
    let published = new_rate(11_000, 50);
    let lost = published.lost();
    assert!(lost.iter().all(|event| event.is_sound()));
    assert!(
        lost.iter()
            .all(|event| (11_000..12_000).contains(&event.timestamp))
    );
    assert_eq!(published.kinds(), ["early_media"]);
    assert_eq!(published.discontinuities(), 1, "{:#?}", published.shown());
    assert!(published.segments.iter().all(|segment| segment.independent));
}

#[test]
fn another_audio_rate_waits_no_longer_for_a_key_frame_than_a_segment_may_last() {
    let published = new_rate(11_000, 10_000);
    assert_eq!(published.discontinuities(), 1, "{:#?}", published.shown());
    let lost = published.lost();
    assert!(
        lost.iter()
            .all(|event| event.is_sound() && event.timestamp < 14_500)
    );
}

#[test]
fn identical_headers_every_second_change_nothing() {
    let mut events = programme(0, 20_000).events();
    for at in (1..20).map(|second| second * 1_000) {
        events.push(Event::video_header(SMALL, at));
        events.push(Event::audio_header(&[0x11, 0x90], at));
    }
    let published = publish(by_arrival(events));
    assert_eq!(
        published.shown(),
        publish(programme(0, 20_000).events()).shown()
    );
    assert_eq!(published.faults, []);
    assert_eq!(published.discontinuities(), 0);
}

#[test]
fn headers_that_come_3_s_late_are_waited_for_and_it_is_said() {
    let mut events = programme(0, 20_000).media();
    events.push(Event::video_header(SMALL, 3_000));
    events.push(Event::audio_header(&[0x11, 0x90], 3_000));
    let published = publish(by_arrival(events));
    assert_eq!(published.kinds(), ["early_media"]);
    assert!(published.lost().iter().all(|event| event.timestamp < 4_000));
    assert!(published.segments.iter().all(|segment| segment.independent));
    assert_eq!(published.discontinuities(), 0);
    assert_eq!(published.segments[0].start, ms(4_000));
}

#[test]
fn a_video_header_that_never_comes_leaves_the_audio() {
    let mut events = programme(0, 20_000).media();
    events.insert(0, Event::audio_header(&[0x11, 0x90], 0));
    let published = publish(events);
    assert_eq!(published.kinds(), ["early_media"]);
    assert_eq!(
        published.words(FaultKind::EarlyMedia),
        "video came before its configuration (H.264 sequence header); dropped until it comes"
    );
    assert!(published.lost().iter().all(|event| event.is_picture()));
}

#[test]
fn an_empty_header_leaves_the_good_one() {
    let mut events = with_header(body(media::MessageKind::Video, 10_000, &[0x17, 0, 0, 0, 0]));
    events = each(events, |_| ());
    let published = publish(events);
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(published.kinds(), ["bad_configuration"]);
    assert_eq!(published.discontinuities(), 0);
}

/// Average length of the segments.
fn average(published: &Published) -> MediaTime {
    let sum: MediaTime = published.segments.iter().map(|s| s.duration).sum();
    let count = i64::try_from(published.segments.len()).expect("few");
    MediaTime::from_nanos(sum.as_nanos() / count)
}

#[test]
fn another_configuration_with_every_key_frame_makes_no_flood_of_segments() {
    let mut events = Vec::new();
    for (n, event) in programme(0, 120_000)
        .gop(1)
        .events()
        .into_iter()
        .enumerate()
    {
        if event.is_picture() {
            let record = if n % 2 == 0 { SMALL } else { LARGE };
            events.push(Event::video_header(record, event.timestamp));
        }
        events.push(event);
    }
    let published = publish(events);
    assert!(
        average(&published) >= ms(1_000),
        "{}",
        published.segments.len()
    );
    assert!(published.count(FaultKind::ConfigurationFlood) > 0);
    assert!(published.faults.len() < 500, "{}", published.faults.len());
}

#[test]
fn another_configuration_with_every_audio_frame_makes_no_flood_of_segments() {
    for feed in [programme(0, 120_000), programme(0, 120_000).audio_only()] {
        let mut events = Vec::new();
        for (n, event) in feed.events().into_iter().enumerate() {
            if event.is_sound() {
                let config = if n % 2 == 0 { AAC_44100 } else { AAC_MONO };
                events.push(Event::audio_header(config, event.timestamp));
            }
            events.push(event);
        }
        let published = publish(events);
        assert!(
            average(&published) >= ms(1_000),
            "{}",
            published.segments.len()
        );
    }
}
