//! Tracks that come, go, and arrive apart.

use media::{AccessUnit, FaultKind, TrackKind};

use crate::feed::{Event, LARGE, Programme, by_arrival, each, programme};
use crate::published::{Published, ms, publish};

fn only(events: Vec<Event>, keep: impl Fn(&Event) -> bool) -> Published {
    publish(events.into_iter().filter(keep).collect())
}

/// What each segment holds: `v`, `a`, `va`; runs of the same once.
fn carried(published: &Published) -> Vec<String> {
    let marks = published.shown().into_iter().map(|line| {
        let marks = line.rsplit(' ').next().expect("marks").to_owned();
        marks.replace(['I', 'D'], "")
    });
    let mut runs: Vec<String> = marks.collect();
    runs.dedup();
    runs
}

fn lost_pictures(published: &Published) -> usize {
    published
        .lost()
        .iter()
        .filter(|event| event.is_picture())
        .count()
}

#[test]
fn audio_that_begins_3_s_after_video() {
    let published = only(programme(0, 12_000).events(), |event| {
        !event.is_sound() || event.timestamp >= 3_000
    });
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(carried(&published), ["v", "va"]);
    assert_eq!(published.discontinuities(), 1);
    assert_eq!(published.faults, []);
}

#[test]
fn video_that_begins_3_s_after_audio() {
    let published = only(programme(0, 12_000).events(), |event| {
        !event.is_picture() || event.timestamp >= 4_000
    });
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(carried(&published), ["a", "va"]);
    assert_eq!(published.discontinuities(), 1);
    assert_eq!(published.faults, []);
}

fn apart(feed: Programme, audio_late: i64) -> Published {
    publish(by_arrival(each(feed.events(), |event| {
        if event.is_sound() {
            event.arrival += audio_late.max(0);
        } else if event.is_picture() {
            event.arrival += (-audio_late).max(0);
        }
    })))
}

#[test]
fn tracks_that_arrive_seconds_apart_are_brought_together() {
    for late in [
        500, 1_900, 3_000, 5_000, 8_000, -500, -1_900, -3_000, -5_000, -8_000,
    ] {
        let published = apart(programme(0, 40_000), late);
        let first = if late > 0 { "v" } else { "a" };
        let carried = carried(&published);
        assert!(
            carried == ["va"] || carried == [first, "va"],
            "{late}: {:#?}",
            published.shown()
        );
        let until = late.abs() + 2_000;
        for event in published.lost() {
            assert!(event.timestamp <= until, "{late}: {event:?}");
        }
        // From then on all segments begin with a key frame, and last from one to the next.
        let settled = published
            .segments
            .iter()
            .filter(|s| s.start >= ms(until + 2_000));
        let mut count = 0;
        for segment in settled {
            assert!(segment.independent && !segment.discontinuity, "{late}");
            count += 1;
        }
        assert!(count >= 13, "{late}: {:#?}", published.shown());
    }
}

#[test]
fn audio_that_stops_and_comes_back() {
    let published = only(programme(0, 30_000).events(), |event| {
        !event.is_sound() || !(7_000..17_000).contains(&event.timestamp)
    });
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(carried(&published), ["va", "v", "va"]);
    assert_eq!(published.discontinuities(), 2);
    assert!(published.segments.iter().all(|segment| segment.independent));
    assert_eq!(published.kinds(), ["audio_resync"]);
}

#[test]
fn video_that_stops_for_good() {
    let published = only(programme(0, 30_000).events(), |event| {
        !event.is_picture() || event.timestamp < 7_000
    });
    assert_eq!(published.lost(), Vec::<&Event>::new());
    assert_eq!(carried(&published), ["va", "a"]);
    assert_eq!(published.discontinuities(), 1);
    // Nobody waits longer than for a segment that video comes no more.
    for (segment, out) in published.segments.iter().zip(&published.out_at) {
        let end = segment.start + segment.duration;
        assert!(ms(*out) - end <= ms(3_700), "{end:?} was out at {out} ms");
    }
}

#[test]
fn the_last_segment_of_a_video_that_stops_lasts_until_its_last_picture_has_been_shown() {
    // Wherever among the pictures that are reordered it stops.
    for stops in (7_000..7_480).step_by(40) {
        let feed = programme(0, 30_000).b_pictures();
        let published = only(feed.events(), |event| {
            !event.is_picture() || event.timestamp < stops
        });
        assert_eq!(published.lost(), Vec::<&Event>::new());
        assert_eq!(carried(&published), ["va", "a"]);
        let mut segments = published.segments.iter();
        let last = segments.rfind(|segment| segment.tracks.len() == 2);
        let last = last.expect("with pictures");
        let pictures = last.units.iter().filter(|unit| unit.track == 0);
        let shown = pictures.map(AccessUnit::pts).max().expect("pictures");
        let over = last.start + last.duration - shown;
        assert!(over > ms(0) && over <= ms(22), "{stops}: {over}");
    }
}

#[test]
fn video_that_stops_and_comes_back_with_the_picture_that_follows() {
    let published = only(programme(0, 30_000).events(), |event| {
        !event.is_picture() || !(7_000..17_000).contains(&event.timestamp)
    });
    // The encoder has dropped nothing it had sent: its next picture can be decoded.
    assert_eq!(lost_pictures(&published), 0, "{:#?}", published.shown());
    assert_eq!(carried(&published), ["va", "a", "va"]);
    assert_eq!(published.discontinuities(), 2);
    let back = published.segments.iter().find(|s| s.start == ms(17_000));
    assert!(back.is_some_and(|segment| !segment.independent && segment.discontinuity));
    let next = published.segments.iter().find(|s| s.start == ms(18_000));
    assert!(next.is_some_and(|segment| segment.independent && !segment.discontinuity));
}

#[test]
fn a_video_with_b_pictures_that_comes_back_begins_its_segment_with_the_first_that_is_shown() {
    // Wherever among the pictures that are reordered it comes back, and wherever a segment of the sound ends.
    for back in (15_000..19_000).step_by(40) {
        let feed = programme(0, 30_000).b_pictures();
        let published = only(feed.events(), |event| {
            !event.is_picture() || !(7_000..back).contains(&event.timestamp)
        });
        assert_eq!(lost_pictures(&published), 0, "{back}");
        assert_eq!(carried(&published), ["va", "a", "va"], "{back}");
        assert_eq!(published.discontinuities(), 2, "{back}");
        assert_eq!(published.faults, [], "{back}");
    }
}

#[test]
fn a_last_segment_too_short_for_sound_is_no_discontinuity_and_a_longer_one_is() {
    // It ends with so much of the next GOP, of which the sounds do not arrive any more.
    for (pictures_for, breaks) in [(40, 0), (480, 0), (1_960, 1)] {
        let end = 8_000 + pictures_for;
        let published = only(programme(0, end).events(), |event| {
            !event.is_sound() || event.timestamp < 7_990
        });
        assert_eq!(published.lost(), Vec::<&Event>::new());
        assert_eq!(published.discontinuities(), breaks, "{pictures_for} ms");
        assert_eq!(published.segments.len(), 5);
        assert_eq!(published.segments[4].duration, ms(pictures_for));
        let announced = published.segments[4].tracks.len();
        assert_eq!(announced, 2 - breaks, "as its program map table says");
    }
}

#[test]
fn a_last_segment_of_another_configuration_is_a_discontinuity_however_short() {
    let feed = programme(0, 8_040).events().into_iter();
    let mut events: Vec<Event> = feed
        .filter(|event| !event.is_sound() || event.timestamp < 7_990)
        .collect();
    let last = events.len() - 1;
    events.insert(last, Event::video_header(LARGE, 8_000));
    let published = publish(events);
    assert_eq!(carried(&published), ["va", "v"]);
    assert_eq!(published.discontinuities(), 1);
}

#[test]
fn a_slow_picture_source_beside_steady_audio_loses_nothing() {
    // A shared screen on which little happens: a picture every 5 s, one key frame in all.
    let published = publish(programme(0, 60_000).fps(1, 5).gop(1_000).events());
    assert_eq!(published.lost(), Vec::<&Event>::new());
}

#[test]
fn audio_that_arrives_after_its_segment_was_cut_is_dropped_and_said() {
    let published = apart(programme(0, 20_000), 5_000);
    assert_eq!(published.kinds(), ["late_media"]);
    assert!(published.count(FaultKind::LateMedia) <= 3);
    assert!(
        published
            .segments
            .iter()
            .all(|segment| segment.tracks[segment.leading_track()].kind() == TrackKind::Video)
    );
}
