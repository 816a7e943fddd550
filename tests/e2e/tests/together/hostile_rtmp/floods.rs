//! Much that means nothing, and publishers that fall silent.

use std::time::Instant;

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON, assert_alive, case, end_all};

#[test]
fn floods() {
    let besieged = Besieged::start();
    let at = besieged.gateway.rtmp;
    let commands = "commands without media between them, more than the 100 allowed";
    let cases = [
        case("commands", wire::create_stream().repeat(10_000), commands),
        case(
            "pings",
            wire::message(4, 0, 0, &[0, 6, 0, 0, 0, 1]).repeat(10_000),
            commands,
        ),
    ];
    end_all(&besieged, &cases, |_| Peer::connected(at, "live"));

    // Much without meaning does not hold the connection longer than its time to publish, and its answers
    // do not pile up.
    let tiny = wire::message(9, 1, 0, &[]).repeat(10_000);
    let windows = [wire::message(5, 0, 0, &[0; 4]), tiny.clone()].concat();
    for bytes in [
        tiny,
        windows,
        wire::message(2, 0, 0, &[0, 0, 0, 3]).repeat(10_000),
    ] {
        let mut peer = Peer::connected(at, "live");
        let begin = Instant::now();
        wait::until("the flood to be cut", SOON, || {
            (peer.send(&bytes) < bytes.len()).then_some(())
        });
        println!("cut after {:?}", begin.elapsed());
        peer.until_closed(SOON);
    }
    besieged.until_logged("no accepted publish within 2s");

    // A publisher that has fallen silent loses its name, even if it answers pings.
    let mut silent = Peer::publishing(at, "live", "silent");
    let pong = wire::message(4, 0, 0, &[0, 7, 0, 0, 0, 0]);
    wait::until("the silent publisher to be cut", SOON, || {
        (silent.send(&pong) == 0).then_some(())
    });
    silent.until_closed(SOON);
    assert!(
        silent.words().contains("no media message within 2s"),
        "{}",
        silent.words()
    );

    // So does one beside a publish that goes on.
    let mut peer = Peer::publishing(at, "live", "busy");
    peer.send(&wire::create_stream());
    peer.send(&wire::publish(2, "quiet"));
    wait::until("the quiet publish to be ended", SOON, || {
        peer.send(&wire::message(8, 1, 0, &[0xaf, 0, 0x11, 0x90]));
        let log = besieged.gateway.log();
        let mut lines = log.iter().filter(|line| line.contains("live/quiet"));
        lines
            .any(|line| line.contains("no media message of this publish within 2s"))
            .then_some(())
    });
    peer.until_told("NetStream.Unpublish.Success");
    assert_alive(&mut peer);
    drop(peer);
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
