//! Publishers that leave and come back, and what viewers see of it: the same URLs, numbers that go on, and
//! nothing lost.

use std::time::Duration;

use e2e::clip::Clip;
use e2e::reader::Player;
use e2e::scenario::Outcome;
use e2e::scripted::{Ending, Left, Material, Publisher, Sent};
use e2e::{Gateway, wait};

/// Nothing here takes as long on a machine that has time.
const PATIENCE: Duration = Duration::from_secs(30);
const RESUME_5_S: (&str, &str) = ("FOREBAY__HLS__RESUME", "5s");
const RESUME_1_S: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");
const LINGER_1_S: (&str, &str) = ("FOREBAY__HLS__LINGER", "1s");
/// A busy machine's pauses are no stall.
const NEVER_STALLED: (&str, &str) = ("FOREBAY__RTMP__STALLED_AFTER", "1m");

fn usual() -> Material {
    Material::of(&Clip::usual(8))
}

fn publish(gateway: &Gateway) -> Publisher {
    Publisher::publish(gateway.rtmp, "live", "show")
}

/// 5 s of media by a clock that begins at `start_ms`, at once.
fn five_seconds(gateway: &Gateway, start_ms: i64, ending: Ending) -> Left {
    let script = usual().play(5_000);
    let script = script.map(move |unit| unit.shifted(start_ms).now());
    let left = publish(gateway).play(script, ending).join();
    assert!(!left.cut_off, "{}", left.words);
    left
}

fn until_state(gateway: &Gateway, state: &str) {
    wait::until(state, PATIENCE, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == state).then_some(())
    });
}

fn assert_true_to(sent: Vec<Sent>, player: &Player<'_>, gateway: &Gateway) -> Outcome {
    Outcome::of(sent, player, gateway, |_| false)
}

/// However it left, and wherever its clock begins.
#[test]
fn a_publisher_that_comes_back_continues_the_presentation() {
    let gateway = Gateway::start_with(&[RESUME_5_S]);
    let mut player = None;
    let mut sent = Vec::new();
    for (start_ms, ending) in [
        (0, Ending::DeleteStream),
        (0, Ending::Fin),
        (5_000, Ending::DeleteStream),
        ((1 << 31) - 1_000, Ending::Fin),
        (0, Ending::DeleteStream),
    ] {
        sent.extend(five_seconds(&gateway, start_ms, ending).sent);
        let player = player.get_or_insert_with(|| Player::join(&gateway, "/live/show"));
        until_state(&gateway, "resuming");
        player.follow_until(sent.len(), PATIENCE);
        assert!(!player.playlist.ended);
    }
    let mut player = player.expect("there were publishes");
    player.follow_to_the_end(PATIENCE);
    let outcome = assert_true_to(sent, &player, &gateway);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(4);
}

/// In real time, so that segments leave the playlist, and breaks with them.
#[test]
fn breaks_that_leave_the_playlist_are_counted() {
    let gateway = Gateway::start_with(&[
        RESUME_5_S,
        ("FOREBAY__HLS__SEGMENT", "1s"),
        ("FOREBAY__HLS__WINDOW", "3"),
    ]);
    let mut player = None;
    let mut sent = Vec::new();
    for _ in 0..3 {
        let left = publish(&gateway).play(usual().play(4_000), Ending::Fin);
        let player = player.get_or_insert_with(|| Player::join(&gateway, "/live/show"));
        wait::until("the end of the script", PATIENCE, || {
            player.look();
            left.is_over().then_some(())
        });
        sent.extend(left.join().sent);
        until_state(&gateway, "resuming");
        player.follow_until(sent.len(), PATIENCE);
    }
    let mut player = player.expect("there were publishes");
    let (first, last) = (&player.segments[0], &player.playlist);
    assert!(
        last.discontinuity_sequence > first.discontinuity_sequence,
        "{last:?}"
    );
    player.follow_to_the_end(PATIENCE);
    let outcome = assert_true_to(sent, &player, &gateway);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(2);
}

/// What the sending system still had is lost; nothing else, and nothing twice.
#[test]
fn a_connection_that_is_reset_ends_like_any_other() {
    let gateway = Gateway::start_with(&[RESUME_5_S]);
    let mut sent = five_seconds(&gateway, 0, Ending::Reset).sent;
    let first = sent.len();
    let mut player = Player::join(&gateway, "/live/show");
    until_state(&gateway, "resuming");
    sent.extend(five_seconds(&gateway, 0, Ending::DeleteStream).sent);
    player.follow_to_the_end(PATIENCE);
    let outcome = assert_true_to(sent, &player, &gateway);
    outcome.assert_faultless().assert_discontinuities(1);
    let of_second = outcome.sent[first].when;
    let lost = &outcome.delivery.lost;
    assert!(lost.iter().all(|one| one.when < of_second), "{lost:#?}");
}

#[test]
fn a_half_open_connection_does_not_lock_its_encoder_out() {
    let gateway = Gateway::start_with(&[RESUME_1_S, NEVER_STALLED]);
    // Half a segment is open when it falls silent.
    let silent = five_seconds(&gateway, 0, Ending::Silence);
    let mut player = Player::join(&gateway, "/live/show");
    let back = five_seconds(&gateway, 0, Ending::DeleteStream);
    player.follow_to_the_end(PATIENCE);
    let sent = [silent.sent.as_slice(), &back.sent].concat();
    let outcome = assert_true_to(sent, &player, &gateway);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(1);
}

#[test]
fn on_conflict_reject_refuses_the_second_and_leaves_the_first_alone() {
    let gateway = Gateway::start_with(&[
        RESUME_1_S,
        NEVER_STALLED,
        ("FOREBAY__RTMP__ON_CONFLICT", "reject"),
    ]);
    let playing = publish(&gateway).play(usual().endless(), Ending::DeleteStream);
    let mut player = Player::join(&gateway, "/live/show");
    let second = Publisher::try_publish(gateway.rtmp, "live", "show");
    let words = second.err().expect("it is refused").0;
    assert!(words.contains("NetStream.Publish.BadName"), "{words}");
    let seen = player.segments.len();
    wait::until("the first to go on", PATIENCE, || {
        (player.look().entries.len() > seen).then_some(())
    });
    let left = playing.stop(Ending::DeleteStream);
    assert!(!left.cut_off, "{}", left.words);
    player.follow_to_the_end(PATIENCE);
    let outcome = assert_true_to(left.sent, &player, &gateway);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities_inside(0);
}

#[test]
fn after_the_resume_time_a_publish_is_another_presentation() {
    let gateway = Gateway::start_with(&[RESUME_1_S, LINGER_1_S]);
    five_seconds(&gateway, 0, Ending::DeleteStream);
    let mut first = Player::join(&gateway, "/live/show");
    first.follow_to_the_end(PATIENCE);
    let status = |path: &str| gateway.get(&format!("/live/show/{path}")).status;
    wait::until("the end of the window", PATIENCE, || {
        (status("index.m3u8") == 404).then_some(())
    });
    for segment in &first.segments {
        assert_eq!(status(&segment.entry.uri), 404);
    }
    let left = five_seconds(&gateway, 0, Ending::DeleteStream);
    let mut second = Player::join(&gateway, "/live/show");
    second.follow_to_the_end(PATIENCE);
    second.playlist.assert_resumes(&first.playlist);
    let outcome = assert_true_to(left.sent, &second, &gateway);
    outcome.assert_nothing_lost().assert_discontinuities(0);
}

#[test]
fn two_encoders_that_fight_over_a_name_are_stopped_and_told_why() {
    let gateway = Gateway::start_with(&[RESUME_1_S, NEVER_STALLED]);
    let mut fighters = vec![publish(&gateway).play(usual().endless(), Ending::Fin)];
    let mut player = Player::join(&gateway, "/live/show");
    let refused = wait::until("a refusal", PATIENCE, || {
        match Publisher::try_publish(gateway.rtmp, "live", "show") {
            Ok(publisher) => {
                fighters.push(publisher.play(usual().endless(), Ending::Fin));
                player.look();
                None
            }
            Err(refused) => Some(refused),
        }
    });
    assert!(
        refused.0.contains("NetStream.Publish.BadName") && refused.0.contains("from one another"),
        "{refused:?}"
    );
    assert!(fighters.len() > 2, "a single takeover is no fight");
    // Whoever has it keeps it.
    let last = fighters.pop().expect("there are some");
    for fighter in fighters {
        assert!(fighter.join().cut_off);
    }
    let seen = player.segments.len();
    wait::until("the last to go on", PATIENCE, || {
        player.look();
        (player.segments.len() > seen + 1).then_some(())
    });
    wait::until("the fight in the status API", PATIENCE, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["faults"]["kinds"]["name_contested"].as_u64()? > 0).then_some(())
    });
    assert!(!last.stop(Ending::DeleteStream).cut_off);
}

#[test]
fn a_gateway_that_is_told_to_leave_tells_its_publishers_and_serves_what_it_has() {
    let mut gateway = Gateway::start_with(&[("FOREBAY__SHUTDOWN__DEADLINE", "30s")]);
    let playing = publish(&gateway).play(usual().endless(), Ending::Fin);
    let mut player = Player::join(&gateway, "/live/show");
    gateway.ask_to_leave();
    let left = playing.join();
    assert!(
        left.cut_off && left.words.contains("shutting down"),
        "{}",
        left.words
    );
    until_state(&gateway, "resuming");
    player.look();
    assert!(!player.playlist.ended);
    let outcome = assert_true_to(left.sent, &player, &gateway);
    outcome.assert_faultless().assert_discontinuities_inside(0);
    // What was sent, and came behind the last segment, was on its way when the connection was closed.
    let came = outcome.delivery.came.iter().map(|one| one.index).max();
    let came = came.expect("there are segments");
    let lost_before = outcome
        .sent
        .iter()
        .take(came)
        .filter(|one| outcome.delivery.lost.contains(one));
    assert_eq!(lost_before.count(), 0);
    drop(player);
    let status = gateway.left(PATIENCE);
    assert_eq!(status.code(), Some(0), "{:?}", gateway.log());
}
