//! A gateway that is killed and started again: publishers and viewers go on at the same URLs.

use std::time::Duration;

use e2e::clip::Clip;
use e2e::delivery::Delivery;
use e2e::raw_rtmp::Peer;
use e2e::reader::Player;
use e2e::scripted::{Ending, Material, Playing, Publisher};
use e2e::{Gateway, ffmpeg_witness, wait};

const PATIENCE: Duration = Duration::from_secs(30);
const SEGMENT: (&str, &str) = ("FOREBAY__HLS__SEGMENT", "1s");

/// Publishes in real time by a clock that begins at `start_ms`.
fn publish(gateway: &Gateway, start_ms: i64) -> Playing {
    let script = Material::of(&Clip::usual(8)).endless();
    let script = script.map(move |unit| unit.shifted(start_ms));
    Publisher::publish(gateway.rtmp, "live", "show").play(script, Ending::Silence)
}

fn until_segments(player: &mut Player<'_>, count: usize) {
    let count = player.segments.len() + count;
    wait::until("more segments", PATIENCE, || {
        player.look();
        (player.segments.len() >= count).then_some(())
    });
}

/// What a crash leaves behind names the presentation and its numbers.
fn until_remembered(gateway: &Gateway) {
    wait::until("the presentation in the state folder", PATIENCE, || {
        let files = std::fs::read_dir(gateway.state()).ok()?.flatten();
        let mut texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.any(|text| text.contains("show")).then_some(())
    });
}

#[test]
fn a_presentation_goes_on_after_each_crash_with_higher_numbers() {
    let gateway = Gateway::start_with(&[SEGMENT]);
    let mut playing = publish(&gateway, 0);
    let mut player = Player::join(&gateway, "/live/show");
    let mut begins = vec![0];
    let mut all = Vec::new();
    // A clock that begins again, and one that has gone on elsewhere.
    for start_ms in [0, 3_600_000] {
        until_segments(&mut player, 3);
        until_remembered(&gateway);
        gateway.kill();
        let left = playing.join();
        assert!(left.cut_off);
        all.push(left.sent);
        gateway.start_again();
        playing = publish(&gateway, start_ms);
        begins.push(player.segments.len());
        player.look_after_restart();
    }
    until_segments(&mut player, 3);
    all.push(playing.stop(Ending::DeleteStream).sent);
    begins.push(player.segments.len());
    for (sent, pair) in all.iter().zip(begins.windows(2)) {
        let delivery = Delivery::of(sent, &player.segments[pair[0]..pair[1]]);
        delivery.assert_in_step(|_| false);
    }
    ffmpeg_witness::decode(&player.record().0);
}

#[test]
fn who_asks_before_the_publisher_is_back_waits_and_is_answered() {
    let gateway = Gateway::start_with(&[SEGMENT, ("FOREBAY__HTTP__FIRST_SEGMENT_WAIT", "1m")]);
    let playing = publish(&gateway, 0);
    let mut player = Player::join(&gateway, "/live/show");
    until_segments(&mut player, 1);
    until_remembered(&gateway);
    gateway.kill();
    drop(playing.join());
    gateway.start_again();
    let asked = ["index.m3u8", "main.m3u8"].map(|file| {
        let mut player = Peer::connect(gateway.http);
        let request = format!("GET /live/show/{file} HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(player.send(request.as_bytes()), request.len());
        player
    });
    let unknown = gateway.get("/live/other/index.m3u8");
    assert_eq!(unknown.status, 404, "nobody publishes that");
    let playing = publish(&gateway, 0);
    for mut player in asked {
        player.until_told("#EXTM3U");
        assert!(
            player.words().starts_with("HTTP/1.1 200"),
            "{}",
            player.words()
        );
    }
    player.look_after_restart();
    playing.stop(Ending::DeleteStream);
}

#[test]
fn a_gateway_that_left_in_good_order_goes_on_as_well() {
    let mut gateway = Gateway::start_with(&[SEGMENT]);
    let playing = publish(&gateway, 0);
    let (before, left) = {
        let mut player = Player::join(&gateway, "/live/show");
        until_segments(&mut player, 1);
        gateway.ask_to_leave();
        let left = playing.join();
        player.look();
        (player.playlist.clone(), left)
    };
    assert!(left.cut_off && !before.ended);
    assert_eq!(gateway.left(PATIENCE).code(), Some(0));
    gateway.start_again();
    let playing = publish(&gateway, 0);
    let player = Player::join(&gateway, "/live/show");
    player.playlist.assert_resumes(&before);
    playing.stop(Ending::DeleteStream);
}
