//! The process itself: command line, ready file, signals.

use std::process::Command;
use std::time::Duration;

use e2e::clip::Clip;
use e2e::encoder::{Encoder, Pace};
use e2e::raw_rtmp::{Peer, wire};
use e2e::reader::Player;
use e2e::{Gateway, gateway, wait};

#[test]
fn starts_on_free_ports_says_so_and_leaves_on_sigterm() {
    let mut gateway = Gateway::start();
    assert_eq!(gateway.get("/healthz").status, 200);
    assert_eq!(gateway.get("/readyz").status, 200);
    gateway.ask_to_leave();
    let status = gateway.left(Duration::from_secs(30));
    assert_eq!(status.code(), Some(0), "{:?}", gateway.log());
}

#[test]
fn players_get_the_last_segment_of_a_gateway_that_leaves() {
    let mut gateway = Gateway::start();
    let url = gateway.rtmp_url("live/show");
    let mut encoder = Encoder::send(&Clip::usual(20).file(), Pace::Live, &url);
    let mut player = Player::join(&gateway, "/live/show");
    gateway.ask_to_leave();
    encoder.ended(Duration::from_secs(30));
    let seen = player.segments.len();
    wait::until("the last segment", Duration::from_secs(30), || {
        (player.look().entries.len() > seen).then_some(())
    });
    assert!(
        !player.playlist.ended,
        "a gateway that is restarted is expected back"
    );
    assert_eq!(gateway.get("/readyz").status, 503);
    let status = gateway.left(Duration::from_secs(30));
    assert_eq!(status.code(), Some(0), "{:?}", gateway.log());
}

/// Half of the deadline is its time to be gone; encoders that do not know the request end at once.
#[test]
fn an_encoder_that_can_is_asked_to_reconnect_and_goes_on_until_it_does() {
    let environment = [("FOREBAY__SHUTDOWN__DEADLINE", "20s")];
    let mut gateway = Gateway::start_with(&environment);
    let publish = |connect: Vec<u8>, name: &str| {
        let mut peer = Peer::shaken(gateway.rtmp);
        for bytes in [connect, wire::create_stream(), wire::publish(1, name)] {
            peer.send(&bytes);
        }
        peer.until_told("NetStream.Publish.Start");
        peer
    };
    let mut knows = publish(wire::connect_reconnecting("live"), "knows");
    let mut knows_not = publish(wire::connect("live"), "knows-not");
    gateway.ask_to_leave();
    knows.until_told("NetConnection.Connect.ReconnectRequest");
    knows_not.until_closed(Duration::from_secs(5));
    assert!(!knows_not.words().contains("ReconnectRequest"));
    // Its pings are answered: nobody has closed it.
    knows.send(&wire::message(4, 0, 0, &[0, 6, 1, 2, 3, 4]));
    knows.until_told_bytes(&[0, 7, 1, 2, 3, 4]);
    knows.send(&wire::command(
        0,
        "deleteStream",
        0.0,
        &[wire::NULL, &wire::number(1.0)],
    ));
    knows.finish();
    knows.until_closed(Duration::from_secs(5));
    let status = gateway.left(Duration::from_secs(30));
    assert_eq!(status.code(), Some(0), "{:?}", gateway.log());
}

#[test]
fn check_tells_a_good_configuration_from_a_bad_one() {
    let check = |text: &str| {
        let file = gateway::scratch("toml");
        std::fs::write(&file, text).expect("the temporary folder takes files");
        let output = Command::new(gateway::binary())
            .args(["check", "--config"])
            .arg(&file)
            .output();
        std::fs::remove_file(&file).expect("the file was just written");
        let output = output.expect("the gateway runs");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert!(check(include_str!("../../../../config/forebay.toml")).0);
    let (good, why) = check("[hls]\nwindow = 1\n");
    assert!(
        !good && why.contains("hls.window is 1; 3 to 10000 are allowed"),
        "{why}"
    );
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = taken.local_addr().expect("it is bound").to_string();
    let output = Command::new(gateway::binary())
        .args(["serve", "--rtmp-listen", &at])
        .output();
    let output = output.expect("the gateway runs");
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        why.contains(&format!("cannot listen on {at} (rtmp.listen)")),
        "{why}"
    );
}
