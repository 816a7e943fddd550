//! Publishes over time: what readers may rely on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{MediaTime, PresentationName, Segment};
use proptest::prelude::*;
use tokio::sync::Notify;

use crate::window::tests::segment;
mod continuity;

use crate::{Directory, Presentation, Registry, Settings, State, Terms, Window, Writer};

fn name() -> PresentationName {
    PresentationName::parse("live", "show").expect("valid")
}

fn registry() -> (Registry, Directory) {
    let registry = Registry::new(Settings::default());
    let directory = registry.directory();
    (registry, directory)
}

/// The `at`th segment of a publish, two seconds long.
fn nth(at: u64) -> Segment {
    segment(at, 2_000)
}

/// Takes the name on the usual terms.
fn take(registry: &Registry) -> Writer {
    registry
        .publish(&name(), &Terms::default(), Instant::now())
        .expect("the name is free to take")
}

/// Pushes so many at the pace of the clock.
fn push_all(writer: &mut Writer, count: u64) {
    let begun = Instant::now();
    for at in 0..count {
        writer
            .push(nth(at), begun + Duration::from_secs(2 * at))
            .expect("the writer owns its presentation");
    }
}

fn text(window: &Window) -> String {
    String::from_utf8(window.playlist().plain().to_vec()).expect("UTF-8")
}

fn first_sequence(presentation: &Presentation) -> u64 {
    presentation
        .window()
        .listed()
        .next()
        .expect("something is listed")
        .sequence
}

#[test]
fn the_window_slides_and_removed_segments_stay_for_a_while() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    let start = Instant::now();
    writer.push(nth(0), start).expect("owned");
    let first = first_sequence(writer.presentation());
    for at in 1..12 {
        writer
            .push(nth(at), start + Duration::from_secs(2 * at))
            .expect("owned");
    }
    let window = writer.presentation().window();
    assert_eq!(window.listed().len(), 6);
    assert_eq!(
        window.listed().next().map(|entry| entry.sequence),
        Some(first + 6)
    );
    // Each was removed by the push at 2 s × (its number + 6) and stays 2 s + 14 s from then.
    assert!(
        window.entry(first).is_some(),
        "removed at 12 s, asked for at 22 s"
    );
    for at in 12..15 {
        writer
            .push(nth(at), start + Duration::from_secs(2 * at))
            .expect("owned");
    }
    let window = writer.presentation().window();
    assert!(
        window.entry(first).is_none(),
        "removed at 12 s, asked for at 28 s"
    );
    assert!(
        window.entry(first + 1).is_some(),
        "removed at 14 s, asked for at 28 s"
    );
}

#[test]
fn a_publish_faster_than_the_clock_holds_a_bounded_number_of_bytes() {
    let registry = Registry::new(Settings {
        removed_bytes: 400,
        ..Settings::default()
    });
    let mut writer = take(&registry);
    let now = Instant::now();
    for at in 0..100 {
        writer.push(nth(at), now).expect("owned");
    }
    let window = writer.presentation().window();
    assert_eq!(
        (window.listed().len(), window.removed.len()),
        (24, 3),
        "four windows for players to see, and 132 bytes each"
    );
}

#[test]
fn a_playlist_that_would_hold_too_much_takes_no_more_and_keeps_what_it_has() {
    // Each costs 132 bytes, and 32 000 in its container.
    let registry = Registry::new(Settings {
        listed_bytes: 2 * 32_132,
        ..Settings::default()
    });
    let mut writer = take(&registry);
    push_all(&mut writer, 2);
    let refused = crate::PushError::TooLarge {
        bytes: 3 * 32_132,
        limit: 2 * 32_132,
    };
    assert_eq!(writer.push(nth(2), Instant::now()), Err(refused));
    assert_eq!(writer.presentation().window().listed().len(), 2);
    // What the publish ends with may fit again, and does not go on from what is listed.
    let mut last = nth(3);
    last.duration = MediaTime::from_millis(1);
    last.ts.bytes = 0;
    last.units.clear();
    writer.push(last, Instant::now()).expect("room for it");
    let window = writer.presentation().window();
    assert!(
        window
            .listed()
            .last()
            .expect("listed")
            .segment
            .discontinuity
    );
    assert!(
        refused.to_string().contains("lower the bit rate"),
        "{refused}"
    );
}

#[test]
fn names_are_limited() {
    let registry = Registry::new(Settings {
        presentations: 1,
        ..Settings::default()
    });
    let writer = take(&registry);
    let other = PresentationName::parse("live", "other").expect("valid");
    assert_eq!(
        registry
            .publish(&other, &Terms::default(), Instant::now())
            .err(),
        Some(crate::Refused::TooMany(1))
    );
    let _vacancy = writer.leave();
    assert!(
        registry
            .publish(&name(), &Terms::default(), Instant::now())
            .is_ok(),
        "the name is there already"
    );
}

#[test]
fn an_older_segment_lets_its_body_go_and_can_have_it_made_again() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    push_all(&mut writer, 1);
    let first = first_sequence(writer.presentation());
    let entry = writer
        .presentation()
        .window()
        .entry(first)
        .cloned()
        .expect("listed");
    let made = std::cell::Cell::new(0);
    let ask = || {
        entry.mpeg_ts(|_| {
            made.set(made.get() + 1);
            bytes::Bytes::from_static(b"ts")
        })
    };
    assert_eq!((ask(), ask()), (ask(), ask()));
    push_all(&mut writer, 1);
    assert_eq!(
        (ask(), made.get()),
        (ask(), 1),
        "made once while it is among the newest"
    );
    push_all(&mut writer, 1);
    assert_eq!(
        (ask(), ask(), made.get()),
        (ask(), ask(), 2),
        "made once more for all who ask now"
    );
}

#[tokio::test]
async fn no_body_outlives_the_next_segment_or_the_end() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    push_all(&mut writer, 8);
    let there = writer.presentation().clone();
    let window = there.window();
    let removed = &window.removed.front().expect("some are").entry;
    let last = window.listed.back().expect("listed");
    let has_body = |entry: &crate::Entry| {
        let mut made = false;
        entry.mpeg_ts(|_| {
            made = true;
            bytes::Bytes::from_static(b"ts")
        });
        !made
    };
    for entry in [removed, last] {
        assert!(!has_body(entry) && has_body(entry));
    }
    push_all(&mut writer, 1);
    assert!(has_body(last), "it is among the newest");
    assert!(!has_body(removed), "it left the playlist long ago");
    assert!(writer.leave().end().is_some());
    assert!(
        !has_body(removed) && !has_body(last),
        "nothing comes any more"
    );
}

/// Publishes and expiries at the same time: the last publish owns what the directory shows.
#[test]
fn a_publish_is_never_lost_to_an_expiry_or_another_publish() {
    let registry = Registry::new(Settings {
        stalled: Duration::ZERO,
        linger: Duration::ZERO,
        ..Settings::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    for _ in 0..500 {
        let first = take(&registry);
        let (second, third) = std::thread::scope(|scope| {
            let publish = || {
                registry
                    .publish(&name(), &Terms::default(), Instant::now())
                    .expect("taken over")
            };
            let second = scope.spawn(publish);
            let third = scope.spawn(publish);
            runtime.block_on(first.leave().expire());
            (
                second.join().expect("no panic"),
                third.join().expect("no panic"),
            )
        });
        let owners = [&second, &third].map(|writer| writer.dismissal().is_none());
        assert_ne!(owners[0], owners[1], "exactly one owns the name");
        let owner = if owners[0] { &second } else { &third };
        let found = registry.directory().find(&name()).expect("it is published");
        assert!(Arc::ptr_eq(&found, owner.presentation()));
        for writer in [second, third] {
            runtime.block_on(writer.leave().expire());
        }
    }
}

#[test]
fn a_publisher_that_returns_goes_on_behind_a_discontinuity() {
    let (registry, directory) = registry();
    let mut writer = take(&registry);
    push_all(&mut writer, 2);
    let first = first_sequence(writer.presentation());
    let epoch = writer.presentation().epoch();
    let _vacancy = writer.leave();
    assert_eq!(
        directory.find(&name()).expect("resuming").state(),
        State::Resuming
    );

    let mut writer = take(&registry);
    push_all(&mut writer, 1);
    assert_eq!(writer.presentation().state(), State::Live);
    assert_eq!(
        text(&writer.presentation().window()),
        format!(
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:{first}
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXTINF:2.000,
main-{epoch:08x}-{first}.ts
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:02.000Z
#EXTINF:2.000,
main-{epoch:08x}-{}.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:04.000Z
#EXTINF:2.000,
main-{epoch:08x}-{}.ts
",
            first + 1,
            first + 2
        )
    );
}

#[test]
fn the_discontinuity_sequence_counts_only_tags_that_are_gone() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    push_all(&mut writer, 1);
    let mut writer = take(&registry);
    push_all(&mut writer, 6);
    let with_tag = text(&writer.presentation().window());
    assert!(
        with_tag.contains("#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n"),
        "{with_tag}"
    );
    writer
        .push(nth(6), Instant::now() + Duration::from_secs(12))
        .expect("owned");
    let without = text(&writer.presentation().window());
    assert!(
        without.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-PROGRAM"),
        "{without}"
    );
}

#[tokio::test]
async fn a_takeover_dismisses_the_older_publish_and_bars_it_from_writing() {
    let (registry, _) = registry();
    let wake = Arc::new(Notify::new());
    let mut older = registry
        .publish(
            &name(),
            &Terms {
                wake: wake.clone(),
                ..Terms::default()
            },
            Instant::now(),
        )
        .expect("the name is free to take");
    assert_eq!(older.dismissal(), None);
    push_all(&mut older, 1);
    let mut newer = take(&registry);
    wake.notified().await;
    assert_eq!(older.dismissal(), Some(crate::Dismissal::Takeover));
    older
        .push(nth(1), Instant::now())
        .expect("what it still holds comes before what the newer one lists");
    push_all(&mut newer, 1);
    assert_eq!(
        older.push(nth(2), Instant::now()),
        Err(crate::PushError::Replaced(crate::Replaced))
    );
    let vacancy = older.leave();
    vacancy.expire().await;
    assert_eq!(
        newer.presentation().state(),
        State::Live,
        "the older one's end is not the newer one's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_presentation_ends_lingers_and_is_forgotten() {
    let (registry, directory) = registry();
    let mut writer = take(&registry);
    push_all(&mut writer, 3);
    let presentation = writer.presentation().clone();
    let expiry = tokio::spawn(writer.leave().expire());

    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(!text(&presentation.window()).contains("ENDLIST"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(text(&presentation.window()).ends_with("#EXT-X-ENDLIST\n"));
    assert_eq!(
        directory.find(&name()).expect("lingering").state(),
        State::Ended
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    expiry.await.expect("no panic");
    assert!(directory.find(&name()).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_ended_presentation_is_followed_by_a_new_one_with_higher_numbers_and_other_urls() {
    let (registry, directory) = registry();
    let mut writer = take(&registry);
    // Many more segments than seconds have passed.
    push_all(&mut writer, 1_000);
    let mut writer = take(&registry);
    push_all(&mut writer, 1);
    let before = writer.presentation().clone();
    let expiry = tokio::spawn(writer.leave().expire());
    tokio::time::sleep(Duration::from_secs(31)).await;

    let mut writer = take(&registry);
    push_all(&mut writer, 1);
    expiry.await.expect("no panic");
    let after = directory
        .find(&name())
        .expect("the new one is not forgotten with the old one");
    assert!(Arc::ptr_eq(&after, writer.presentation()));
    assert_ne!(after.epoch(), before.epoch());
    let last = before.window().listed().last().expect("listed").sequence;
    assert!(
        first_sequence(&after) > last,
        "{} after {last}",
        first_sequence(&after)
    );
    let used = before
        .window()
        .listed()
        .last()
        .expect("listed")
        .discontinuity_sequence;
    let first = after
        .window()
        .listed()
        .next()
        .expect("listed")
        .discontinuity_sequence;
    assert!(first > used, "{first} after {used}");
}

#[tokio::test(start_paused = true)]
async fn a_publish_without_a_segment_leaves_nothing_and_wakes_who_waits_for_one() {
    let (registry, directory) = registry();
    let writer = take(&registry);
    let mut windows = writer.presentation().windows();
    let waiter = tokio::spawn(async move {
        windows
            .wait_for(|window| window.is_ready() || window.is_ended())
            .await
            .map(|w| w.is_ready())
    });
    writer.leave().expire().await;
    assert!(
        !waiter
            .await
            .expect("no panic")
            .expect("the presentation is alive")
    );
    assert!(directory.find(&name()).is_none());
}

#[tokio::test]
async fn an_operator_can_dismiss_a_publisher_and_only_a_present_one() {
    let (registry, directory) = registry();
    let wake = Arc::new(Notify::new());
    let writer = registry
        .publish(
            &name(),
            &Terms {
                wake: wake.clone(),
                ..Terms::default()
            },
            Instant::now(),
        )
        .expect("the name is free to take");
    let presentation = directory.find(&name()).expect("live");
    assert!(presentation.dismiss(crate::Dismissal::Operator));
    wake.notified().await;
    assert_eq!(writer.dismissal(), Some(crate::Dismissal::Operator));
    let _vacancy = writer.leave();
    assert!(!presentation.dismiss(crate::Dismissal::Operator));
}

proptest! {
    /// The rules of rfc8216bis §6.2.1 and §6.2.2, over publishes that come and go.
    #[test]
    fn updates_follow_the_rules(
        durations in proptest::collection::vec(1_i64..2_499, 1..60),
        returns in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let registry = Registry::new(Settings { stalled: Duration::ZERO, ..Settings::default() });
        let mut writer = take(&registry);
        let presentation = writer.presentation().clone();
        let mut before: Option<m3u8_rs::MediaPlaylist> = None;
        let mut start = MediaTime::ZERO;
        for (&millis, &comes_back) in durations.iter().zip(&returns) {
            if comes_back {
                writer = take(&registry);
            }
            let mut segment = segment(1, millis);
            segment.start = start;
            start += segment.duration;
            writer.push(segment, Instant::now()).expect("owned");
            let text = presentation.window().playlist().plain();
            let (_, now) = m3u8_rs::parse_media_playlist(&text).expect("m3u8-rs reads it");

            for listed in &now.segments {
                #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
                let target = now.target_duration as f64;
                prop_assert!(f64::from(listed.duration).round() <= target, "{}", listed.duration);
            }
            if let Some(before) = &before {
                prop_assert_eq!(now.target_duration, before.target_duration);
                let gone = usize::try_from(now.media_sequence - before.media_sequence).expect("never back");
                let (left, kept) = before.segments.split_at(gone);
                prop_assert_eq!(kept, &now.segments[..kept.len()], "what stays is unchanged");
                prop_assert_eq!(now.segments.len(), kept.len() + 1);
                let tags = left.iter().filter(|segment| segment.discontinuity).count() as u64;
                prop_assert_eq!(now.discontinuity_sequence, before.discontinuity_sequence + tags);
                let total: f32 = now.segments.iter().map(|segment| segment.duration).sum();
                prop_assert!(gone == 0 || total >= 3.0 * now.target_duration as f32 - 0.01);
            }
            before = Some(now);
        }
    }
}

#[test]
fn a_cue_is_listed_above_the_segments_while_it_reaches_into_them() {
    let cue = media::Cue {
        class: None,
        planned: Some(MediaTime::from_millis(3_000)),
        splice: None,
        attributes: Vec::new(),
    };
    let event = media::Event {
        tag: bytes::Bytes::new(),
        cues: vec![cue],
    };
    let (registry, _) = registry();
    let mut writer = take(&registry);
    let begun = Instant::now();
    let mut listed = 0;
    for at in 0..12 {
        let mut segment = nth(at);
        if at == 1 {
            segment.events = vec![media::TimedEvent {
                at: segment.start + MediaTime::from_millis(500),
                event: Arc::new(event.clone()),
            }];
        }
        let now = begun + Duration::from_secs(2 * at);
        writer.push(segment, now).expect("owned");
        let window = writer.presentation().window();
        let line = "SEQUENCE:0\n#EXT-X-DATERANGE:ID=\"cue-1795392002500\",START-DATE=\"2026-11-23T00:00:02.500Z\",\
                    DURATION=3.000\n#EXT-X-PROGRAM-DATE-TIME:";
        listed += u32::from(text(&window).contains(line));
    }
    // With the pushes of segments 1 to 7: the playlist then begins with segment 2, into which it reaches until 5.5 s.
    assert_eq!(listed, 7);
}
