//! Many connections that do nothing.

use std::time::Duration;

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON};

#[test]
fn a_thousand_idle_encoders() {
    let besieged = Besieged::start_with(&[
        ("FOREBAY__RTMP__MAX_CONNECTIONS_PER_ADDRESS", "1500"),
        ("FOREBAY__RTMP__HANDSHAKE_TIMEOUT", "4s"),
    ]);
    let at = besieged.gateway.rtmp;
    let hello = wire::handshake();
    // One in ten goes on to wait for its publish.
    let mut idle: Vec<_> = (0..1000)
        .map(|n| {
            let mut peer = Peer::connect(at);
            peer.send(&hello[..if n % 10 == 0 { hello.len() } else { n }]);
            peer
        })
        .collect();
    wait::until("a thousand connections", SOON, || {
        (besieged.count("now/rtmp_connections") == 1001).then_some(())
    });
    let publisher = Peer::publishing(at, "live", "late-comer");
    drop(publisher);
    for peer in &mut idle {
        peer.until_closed(Duration::from_secs(6));
    }
    drop(idle);
    // 64 KiB each.
    besieged.survived(1000 * 64);
}

#[test]
fn one_address_does_not_take_all_connections() {
    let besieged = Besieged::start_with(&[("FOREBAY__RTMP__MAX_CONNECTIONS_PER_ADDRESS", "20")]);
    let mut first: Vec<_> = (0..19)
        .map(|_| Peer::connect(besieged.gateway.rtmp))
        .collect();
    wait::until("twenty connections", SOON, || {
        (besieged.count("now/rtmp_connections") == 20).then_some(())
    });
    let took = Peer::connect(besieged.gateway.rtmp).until_closed(SOON);
    assert!(took < Duration::from_millis(500), "{took:?}");
    besieged.until_logged("rtmp.max_connections_per_address is 20, and so many are here");
    first.pop();
    wait::until("a place to be free", SOON, || {
        (besieged.count("now/rtmp_connections") == 19).then_some(())
    });
    Peer::publishing(besieged.gateway.rtmp, "live", "next");
    drop(first);
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
