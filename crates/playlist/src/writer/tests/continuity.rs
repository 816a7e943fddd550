//! Who gets a name that somebody has, and what the next process goes on from.

use super::{name, nth, push_all, registry, take, text};
use std::time::{Duration, Instant};

use media::{MediaTime, PresentationName};

use crate::{
    Dismissal, OnConflict, PublishStatus, PushError, Refused, Registry, Replaced, Settings, State,
    TargetDuration, Terms, Writer,
};

fn terms(on_conflict: OnConflict) -> Terms {
    Terms {
        on_conflict,
        ..Terms::default()
    }
}

/// Tells when `writer` has received its last media.
fn report(writer: &Writer, active: Instant) {
    let reported = writer.report(PublishStatus::sample(), active);
    reported.expect("owned");
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_active_publish_keeps_its_name_and_a_stalled_one_loses_it() {
    for on_conflict in [OnConflict::Reject, OnConflict::Backup] {
        let (registry, _) = registry();
        let begun = Instant::now();
        let publish = |at| registry.publish(&name(), &terms(on_conflict), begun + at);
        let first = publish(seconds(0)).expect("free");
        report(&first, begun + seconds(1));
        report(&first, begun + seconds(2));
        // Whenever that is said again.
        report(&first, begun + seconds(2));
        let early = publish(Duration::from_millis(3_999));
        assert_eq!(early.err(), Some(Refused::Occupied));
        let second = publish(seconds(4)).expect("two seconds without media");
        assert_eq!(first.dismissal(), Some(Dismissal::Takeover));
        assert_eq!(second.dismissal(), None);
        assert_eq!(second.contests(), 0, "nobody fought");
    }
}

#[test]
fn only_an_equal_credential_takes_over_from_an_active_publish() {
    let (registry, _) = registry();
    let begun = Instant::now();
    let publish = |credential, at| {
        let terms = Terms {
            credential,
            ..Terms::default()
        };
        registry.publish(&name(), &terms, begun + at)
    };
    let _first = publish(1, seconds(0)).expect("free");
    assert_eq!(publish(2, seconds(1)).err(), Some(Refused::Occupied));
    let _again = publish(1, seconds(1)).expect("the same encoder");
    assert!(publish(2, seconds(3)).is_ok(), "the first is stalled");
}

#[test]
fn encoders_that_take_a_name_from_one_another_are_slowed_down() {
    let (registry, _) = registry();
    let begun = Instant::now();
    let publish = |at| registry.publish(&name(), &Terms::default(), begun + at);
    let _first = publish(seconds(0)).expect("free");
    let _others = [1, 2].map(|at| publish(seconds(at)).expect("not yet a fight"));
    let last = publish(seconds(3)).expect("not yet a fight");
    assert_eq!(publish(seconds(4)).err(), Some(Refused::Contested));
    assert_eq!(last.dismissal(), None, "it keeps the name");
    assert_eq!(last.contests(), 1);
    report(&last, begun + seconds(60));
    let next = publish(seconds(61)).expect("the first takeover is a minute ago");
    assert_eq!(next.contests(), 1);
    assert_eq!(publish(seconds(61)).err(), Some(Refused::Contested));
}

#[test]
fn what_a_replaced_publish_still_holds_never_fixes_the_target_duration() {
    let (registry, _) = registry();
    let mut older = take(&registry);
    let mut newer = take(&registry);
    assert_eq!(
        older.push(nth(0), Instant::now()),
        Err(PushError::Replaced(Replaced))
    );
    push_all(&mut newer, 1);
}

#[test]
fn publishes_that_stand_by_are_counted() {
    let (registry, _) = registry();
    let writer = take(&registry);
    let there = writer.presentation();
    let standing_by = [there.stand_by(), there.stand_by()];
    assert_eq!(there.backups(), 2);
    drop(standing_by);
    assert_eq!(there.backups(), 0);
}

#[test]
fn a_burst_stays_listed_until_a_player_could_see_it() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    let begun = Instant::now();
    for at in 0..20 {
        writer.push(nth(at), begun).expect("owned");
    }
    let listed = |writer: &Writer| writer.presentation().window().listed().len();
    assert_eq!(listed(&writer), 20, "all at once, more than the window");
    let before = begun + Duration::from_millis(3_999);
    writer.push(nth(20), before).expect("owned");
    assert_eq!(listed(&writer), 21);
    writer.push(nth(21), begun + seconds(4)).expect("owned");
    assert_eq!(listed(&writer), 6);
}

#[test]
fn a_playlist_too_large_is_shortened_to_three_target_durations_before_the_publish_ends() {
    // Each costs 132 bytes, and 32 000 in its container.
    let registry = Registry::new(Settings {
        listed_bytes: 3 * 32_132,
        ..Settings::default()
    });
    let mut writer = take(&registry);
    push_all(&mut writer, 3);
    assert!(!writer.presentation().window().is_shortened());
    push_all(&mut writer, 7);
    let window = writer.presentation().window();
    assert_eq!((window.listed().len(), window.is_shortened()), (3, true));
}

#[test]
fn the_target_duration_fits_extinf_and_not_only_the_segment() {
    let (registry, _) = registry();
    let mut writer = take(&registry);
    let mut first = nth(0);
    first.start = MediaTime::from_nanos(400_000);
    first.duration = MediaTime::from_nanos(2_499_600_000);
    writer.push(first, Instant::now()).expect("owned");
    let text = text(&writer.presentation().window());
    assert!(text.contains("#EXTINF:2.500,"), "{text}");
    assert!(text.contains("#EXT-X-TARGETDURATION:3\n"), "{text}");
}

#[test]
fn dates_never_step_back() {
    let (registry, _) = registry();
    let mut first = take(&registry);
    push_all(&mut first, 5);
    let mut second = take(&registry);
    // Dated as the first ones of the publish before, by the clock.
    push_all(&mut second, 3);
    let mut late = nth(100);
    late.discontinuity = true;
    second.push(late.clone(), Instant::now()).expect("owned");
    let window = second.presentation().window();
    let dates: Vec<_> = window.listed().map(|entry| entry.segment.date).collect();
    let steps: Vec<_> = dates
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).expect("forward"))
        .collect();
    let (_, by_two) = steps.split_last().expect("many");
    assert!(by_two.iter().all(|step| *step == seconds(2)), "{steps:?}");
    assert_eq!(dates.last(), Some(&late.date), "the clock has caught up");
}

/// What a gateway leaves behind, and another that begins with it.
fn restarted(before: &Registry) -> (Registry, Vec<crate::Vacancy>) {
    let after = Registry::new(Settings::default());
    let vacancies = after.restore(&before.remember().ahead(1_000_000_000), |_| seconds(30));
    (after, vacancies)
}

#[tokio::test(start_paused = true)]
async fn a_presentation_goes_on_after_a_restart_with_higher_numbers() {
    let (before, _) = registry();
    let mut writer = take(&before);
    let long = crate::window::tests::segment(0, 3_400);
    writer.push(long, Instant::now()).expect("owned");
    push_all(&mut writer, 2);
    let window = writer.presentation().window();
    let last = window.listed().last().expect("listed").clone();

    let (after, vacancies) = restarted(&before);
    for vacancy in vacancies {
        tokio::spawn(vacancy.expire());
    }
    let there = after.directory().find(&name()).expect("it waits");
    assert_eq!(there.state(), State::Resuming);
    assert!(!there.window().is_ready());
    tokio::time::sleep(seconds(29)).await;

    let mut writer = take(&after);
    push_all(&mut writer, 1);
    tokio::time::sleep(seconds(100)).await;
    assert_eq!(there.state(), State::Live, "nobody ended it");
    let window = there.window();
    let first = window.listed().next().expect("listed");
    assert!(
        first.sequence > last.sequence + 900_000_000,
        "not by the clock alone"
    );
    assert!(first.discontinuity_sequence > last.discontinuity_sequence);
    assert_ne!(first.uri, last.uri);
    let text = text(&window);
    assert!(text.contains("#EXT-X-TARGETDURATION:3\n"), "{text}");
    assert!(text.contains("#EXT-X-DISCONTINUITY\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_presentation_that_nobody_resumes_after_a_restart_is_forgotten() {
    let (before, _) = registry();
    push_all(&mut take(&before), 1);
    let (after, vacancies) = restarted(&before);
    assert_eq!(vacancies.len(), 1);
    let there = after.directory().find(&name()).expect("it waits");
    let mut windows = there.windows();
    let waiter = tokio::spawn(async move { windows.wait_for(|it| it.is_ended()).await.is_ok() });
    for vacancy in vacancies {
        vacancy.expire().await;
    }
    assert!(waiter.await.expect("no panic"), "players learn of it");
    assert!(after.directory().find(&name()).is_none());
    let sequence = after.remember().media_sequence;
    assert!(sequence > before.remember().media_sequence);
}

#[test]
fn what_is_cut_for_longer_segments_now_or_has_no_room_is_not_awaited() {
    let (before, _) = registry();
    push_all(&mut take(&before), 1);
    let remembered = before.remember();
    assert_eq!(
        remembered.target_durations,
        [(name(), TargetDuration::from_seconds(2))]
    );
    let longer = Registry::new(Settings {
        segment: MediaTime::from_millis(6_000),
        ..Settings::default()
    });
    assert!(longer.restore(&remembered, |_| seconds(30)).is_empty());
    let full = Registry::new(Settings {
        presentations: 0,
        ..Settings::default()
    });
    assert!(full.restore(&remembered, |_| seconds(30)).is_empty());
    let other = PresentationName::parse("live", "other").expect("valid");
    let refused = full.publish(&other, &Terms::default(), Instant::now());
    assert_eq!(refused.err(), Some(Refused::TooMany(0)));
}
