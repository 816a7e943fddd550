//! Many connections that do nothing.

use std::process::Command;

use e2e::besieged::Besieged;
use e2e::footprint::Footprint;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON};

#[test]
fn a_thousand_idle_encoders() {
    let besieged = Besieged::start_with(&[
        ("FOREBAY__RTMP__MAX_CONNECTIONS_PER_ADDRESS", "1500"),
        ("FOREBAY__RTMP__HANDSHAKE_TIMEOUT", "4s"),
    ]);
    Peer::room_for(1_000);
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
        peer.until_closed(SOON);
    }
    drop(idle);
    // 64 KiB each.
    besieged.survived(1000 * 64);
}

/// What the gateway is told to allow for messages under way, beside 1 MiB for each connection.
const BUDGET_BYTES: u64 = 32 << 20;

#[test]
fn messages_that_are_announced_and_never_end_hold_a_bounded_total() {
    const CONNECTIONS: u64 = 200;
    let besieged = Besieged::start_with(&[
        ("FOREBAY__RTMP__MAX_MESSAGE_BYTES", "16777215"),
        (
            "FOREBAY__RTMP__MAX_UNFINISHED_BYTES",
            &BUDGET_BYTES.to_string(),
        ),
        ("FOREBAY__RTMP__IDLE_TIMEOUT", "20s"),
    ]);
    // One chunk of 64 KiB of a message of 16 MiB on each of a hundred chunk streams: 64 are allowed, which
    // would be 4 MiB for each connection, and 800 in all.
    let chunk = vec![0; 64 << 10];
    let announced: Vec<u8> = (3..60)
        .flat_map(|id| [wire::header(id, 9, 1, 0, (16 << 20) - 1), chunk.clone()].concat())
        .collect();
    let attackers: Vec<_> = (0..CONNECTIONS)
        .map(|n| {
            let mut peer = Peer::publishing(besieged.gateway.rtmp, "live", &format!("greedy-{n}"));
            peer.send(&wire::set_chunk_size(64 << 10));
            // Once the connection is closed it takes nothing more.
            peer.send(&announced);
            peer
        })
        .collect();
    besieged.until_logged("bytes in unfinished messages of all connections, more than the");
    drop(attackers);
    // Buffers of the sockets and of what was read at a time come on top.
    besieged.survived((BUDGET_BYTES >> 10) + CONNECTIONS * (1 << 10) + CONNECTIONS * 128);
}

#[test]
fn a_gateway_without_descriptors_pauses_and_recovers() {
    let besieged = Besieged::start();
    let gateway = &besieged.gateway;
    let allowed = Footprint::of(gateway.pid()).descriptors + 30;
    let limit = format!("--nofile={allowed}:{allowed}");
    let pid = gateway.pid().to_string();
    let lowered = Command::new("prlimit")
        .args(["--pid", &pid, &limit])
        .status();
    assert!(lowered.expect("util-linux is there").success());

    // More than there is room for; the kernel takes the others in until somebody accepts them.
    let crowd: Vec<_> = [gateway.rtmp, gateway.http]
        .into_iter()
        .flat_map(|at| std::iter::repeat_n(at, 40))
        .map(Peer::connect)
        .collect();
    besieged.until_logged("cannot accept an encoder");
    drop(crowd);
    let name = "after-all";
    drop(Peer::publishing(gateway.rtmp, "live", name));
    let lines = gateway.log();
    let said = lines
        .iter()
        .filter(|line| line.contains("cannot accept"))
        .count();
    assert!(said <= 10, "{said} lines say that nothing can be accepted");
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn one_address_does_not_take_all_connections() {
    twenty_and_no_more(
        "FOREBAY__RTMP__MAX_CONNECTIONS_PER_ADDRESS",
        "rtmp.max_connections_per_address is 20, and so many are here",
    );
}

#[test]
fn connections_above_the_limit_are_closed_at_once() {
    twenty_and_no_more(
        "FOREBAY__RTMP__MAX_CONNECTIONS",
        "rtmp.max_connections is 20, and so many are here",
    );
}

fn twenty_and_no_more(key: &str, logged: &str) {
    let besieged = Besieged::start_with(&[
        (key, "20"),
        // None is closed for anything else.
        ("FOREBAY__RTMP__HANDSHAKE_TIMEOUT", "2m"),
    ]);
    let mut first: Vec<_> = (0..19)
        .map(|_| Peer::connect(besieged.gateway.rtmp))
        .collect();
    wait::until("twenty connections", SOON, || {
        (besieged.count("now/rtmp_connections") == 20).then_some(())
    });
    Peer::connect(besieged.gateway.rtmp).until_closed(SOON);
    besieged.until_logged(logged);
    first.pop();
    wait::until("a place to be free", SOON, || {
        (besieged.count("now/rtmp_connections") == 19).then_some(())
    });
    Peer::publishing(besieged.gateway.rtmp, "live", "next");
    drop(first);
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn who_fails_too_often_is_not_looked_at() {
    let besieged = Besieged::start_with(&[("FOREBAY__RTMP__MAX_FAILED_PUBLISHES", "2")]);
    let told = |app: &str, words: &str| {
        let mut peer = Peer::connected(besieged.gateway.rtmp, app);
        peer.send(&wire::create_stream());
        peer.send(&wire::publish(1, "show"));
        peer.until_told(words);
    };
    for _ in 0..2 {
        told("nowhere", "may not be published here");
    }
    told("live", "too many publishes from this address have failed");
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
