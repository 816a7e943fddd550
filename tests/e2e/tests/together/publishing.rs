//! Who may publish, under which name, how a publish ends, and who comes after it.

use std::process::ExitStatus;
use std::time::Duration;

use e2e::arrival::{assert_transport, assert_whole};
use e2e::clip::{Clip, VIDEO, Video};
use e2e::encoder::{Encoder, Pace};
use e2e::ffmpeg_witness::Tracks;
use e2e::gateway::{Gateway, scratch};
use e2e::reader::{Player, Recording};
use e2e::{http, wait};

const END: Duration = Duration::from_secs(20);
const SHORT_RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "5s");
/// From an encoder's end to its last segment in the playlist: before the resume time is over, on any machine.
const LAST_SEGMENT: Duration = Duration::from_secs(4);

const SECRET: &str = "s3cret-f81d4fae";
const KEYS: &str = r#"
[hls]
resume = "1s"

[[app]]
name = "live"
keys = [{ key = "s3cret-f81d4fae", name = "show" }]

[[app]]
name = "open"
"#;

#[test]
fn the_last_partial_segment_is_listed_soon_after_the_end() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let (clip, url) = (Clip::usual(8).file(), gateway.rtmp_url("live/show"));
    let mut encoder = Encoder::send_and_record(&clip, Pace::Live, &url, &record.0);
    let mut player = Player::join(&gateway, "/live/show");
    let seen = player.segments.len();
    encoder.interrupt();
    encoder.ended(END);
    wait::until("the last segment", LAST_SEGMENT, || {
        (player.look().entries.len() > seen).then_some(())
    });
    let last = player.segments[seen].entry.duration_ms;
    assert!(last < 2_000, "{last} ms");
    assert!(!player.playlist.ended, "the publisher may come back");
    player.follow_to_the_end(END);
    assert_whole(&Tracks::read(&record.0), &player);
}

#[test]
fn an_encoder_that_vanishes_leaves_its_last_segment_behind() {
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let (clip, url) = (Clip::usual(8).file(), gateway.rtmp_url("live/show"));
    let mut encoder = Encoder::send(&clip, Pace::Live, &url);
    let mut player = Player::join(&gateway, "/live/show");
    let seen = player.segments.len();
    encoder.kill();
    wait::until("the last segment", LAST_SEGMENT, || {
        (player.look().entries.len() > seen).then_some(())
    });
    player.follow_to_the_end(END);
    assert_transport(&player);
}

#[test]
fn a_key_is_published_under_its_public_name_and_shown_nowhere() {
    publishes_with_secret(SECRET);
}

#[test]
fn a_name_with_its_key_as_query_is_published_and_the_key_shown_nowhere() {
    publishes_with_secret(&format!("show?key={SECRET}"));
}

fn publishes_with_secret(name: &str) {
    let gateway = Gateway::start_on(KEYS);
    let clip = Clip::usual(6).file();
    let url = gateway.rtmp_url(&format!("live/{name}"));
    let mut encoder = Encoder::send(&clip, Pace::Burst, &url);
    let mut player = Player::join(&gateway, "/live/show");
    let streams = || gateway.get("/api/v1/streams").text();
    let mut shown = vec![player.multivariant.clone(), streams()];
    encoder.succeeds(END);
    player.follow_to_the_end(END);
    assert_whole(&Tracks::read(&clip), &player);

    let by_secret = gateway.get(&format!("/live/{SECRET}/index.m3u8"));
    assert_eq!(by_secret.status, 404);
    shown.extend([streams(), gateway.get("/api/v1/status").text()]);
    shown.extend(gateway.log());
    assert!(
        shown.iter().all(|text| !text.contains(SECRET)),
        "{shown:#?}"
    );
}

#[test]
fn a_wrong_key_is_refused_and_named_without_the_secret() {
    let gateway = Gateway::start_on(KEYS);
    let clip = Clip::usual(6).file();
    let refused = [
        "live/wr0ng-key",
        "live/show",
        "live/show?key=wr0ng-key",
        "elsewhere/show",
    ];
    for path in refused {
        let mut encoder = Encoder::send(&clip, Pace::Live, &gateway.rtmp_url(path));
        let (status, errors): (ExitStatus, String) = encoder.ended(END);
        assert!(!status.success(), "{path} was taken");
        assert!(!errors.is_empty(), "{path}: the encoder was not told");
    }
    // Not each has a line of its own: strangers do not flood the log.
    let lines = wait::until("a line in the log", END, || {
        let mut log = gateway.log();
        log.retain(|line| line.contains("publish refused"));
        (!log.is_empty()).then_some(log)
    });
    for line in lines {
        assert!(!line.contains("wr0ng") && !line.contains(SECRET), "{line}");
    }
    let status = gateway.get("/api/v1/status").json();
    assert_eq!(status["totals"]["publishes_refused"], 4);
    let streams = gateway.get("/api/v1/streams").json();
    assert_eq!(streams["streams"], serde_json::json!([]));
}

#[test]
fn an_application_may_have_an_instance_and_a_name_a_query() {
    let configuration = "[[app]]\nname = \"*\"\n[hls]\nresume = \"1s\"\n";
    let gateway = Gateway::start_on(configuration);
    let clip = Clip::usual(6).file();
    for path in ["stage/left/show?token=1&a=b", "stage/right/show"] {
        let folder = format!("/{}", path.split('?').next().unwrap());
        let mut encoder = Encoder::send(&clip, Pace::Burst, &gateway.rtmp_url(path));
        let mut player = Player::join(&gateway, &folder);
        encoder.succeeds(END);
        player.follow_to_the_end(END);
        assert_whole(&Tracks::read(&clip), &player);
    }
}

#[test]
fn publishers_at_the_same_time_do_not_mix() {
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let clips = [
        Clip::usual(6),
        Clip {
            audio: None,
            ..Clip::usual(6)
        },
        Clip {
            video: None,
            ..Clip::usual(6)
        },
        Clip::usual(8),
    ];
    std::thread::scope(|scope| {
        for (at, clip) in clips.iter().enumerate() {
            let gateway = &gateway;
            scope.spawn(move || {
                let (file, name) = (clip.file(), format!("live/show-{at}"));
                let mut encoder = Encoder::send(&file, Pace::Burst, &gateway.rtmp_url(&name));
                let mut player = Player::join(gateway, &format!("/{name}"));
                encoder.succeeds(END);
                player.follow_to_the_end(END);
                assert_whole(&Tracks::read(&file), &player);
            });
        }
    });
}

#[test]
fn an_operator_disconnects_a_publisher() {
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let clip = Clip::usual(8).file();
    let mut encoder = Encoder::send(&clip, Pace::Live, &gateway.rtmp_url("live/show"));
    let mut player = Player::join(&gateway, "/live/show");
    let delete = || http::request(gateway.http, "DELETE", "/api/v1/streams/live/show", &[]);
    assert_eq!(delete().status, 204);
    let (status, errors) = encoder.ended(END);
    assert!(
        !status.success() && !errors.is_empty(),
        "the encoder was not told: {errors}"
    );
    player.follow_to_the_end(END);
    assert_transport(&player);
    assert_eq!(delete().status, 409);
}

/// An encoder behind a dead link must not be locked out; whoever watches goes on at the same URL.
#[test]
fn a_publisher_that_returns_with_a_longer_gop_is_held_to_the_target_duration() {
    // A window that holds all of it: a burst is faster than any player.
    let gateway = Gateway::start_with(&[
        ("FOREBAY__HLS__RESUME", "5s"),
        ("FOREBAY__HLS__WINDOW", "20"),
    ]);
    let url = gateway.rtmp_url("live/show");
    let short = Clip::usual(6).file();
    let long = Clip {
        video: Some(Video {
            gop: Some(200),
            ..VIDEO
        }),
        ..Clip::usual(10)
    };
    let mut first = Encoder::send(&short, Pace::Burst, &url);
    let mut player = Player::join(&gateway, "/live/show");
    first.succeeds(END);
    Encoder::send(&long.file(), Pace::Burst, &url).succeeds(END);
    // Each look holds EXTINF to the target duration.
    player.follow_to_the_end(END);
    assert!(
        player.duration_ms() >= 15_900,
        "{} ms",
        player.duration_ms()
    );
}

#[test]
fn a_second_publisher_takes_over_behind_a_discontinuity() {
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let url = gateway.rtmp_url("live/show");
    let (long, short) = (Clip::usual(8).file(), Clip::usual(6).file());
    let mut first = Encoder::send(&long, Pace::Live, &url);
    let mut player = Player::join(&gateway, "/live/show");
    let mut second = Encoder::send(&short, Pace::Burst, &url);
    let (status, _) = first.ended(END);
    assert!(!status.success(), "the first was not told");
    second.succeeds(END);
    player.follow_to_the_end(END);
    assert_transport(&player);
    let breaks: Vec<bool> = player
        .segments
        .iter()
        .map(|one| one.entry.discontinuity)
        .collect();
    assert_eq!(
        breaks.iter().filter(|broken| **broken).count(),
        1,
        "{breaks:?}"
    );
    // Nothing of the second is lost.
    let last = player.segments.last().map(|one| one.discontinuity_sequence);
    player
        .segments
        .retain(|one| Some(one.discontinuity_sequence) == last);
    assert_whole(&Tracks::read(&short), &player);
}
