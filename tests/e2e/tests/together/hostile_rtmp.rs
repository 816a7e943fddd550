//! Broken and hostile encoders against the built gateway: each gets a clear word or a closed connection,
//! soon, at a bounded price, is counted, and the stream beside it does not notice.

mod amf;
mod bit_rates;
mod chunks;
mod commands;
mod crowds;
mod floods;
mod handshakes;
mod names;
mod resets;

use std::time::Duration;

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

/// What a hundred connections may cost at a time, KiB: a few buffers of 64 KiB each.
const A_HUNDRED_CONNECTIONS: u64 = 24 << 10;

/// The gateway's timeouts are one and two seconds here, and the machine may be slow.
const SOON: Duration = Duration::from_secs(30);

/// A peer that breaks the rules, and what the log says of it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    logged: &'static str,
}

fn case(name: &'static str, bytes: Vec<u8>, logged: &'static str) -> Case {
    Case {
        name,
        bytes,
        logged,
    }
}

/// Each case on a connection of its own, all of them open at the same time; `open` makes the connection.
/// All end soon, are logged, and are counted as faults.
#[expect(clippy::print_stdout, reason = "a failing test shows how far it came")]
fn end_all(besieged: &Besieged, cases: &[Case], open: impl Fn(&Case) -> Peer) {
    let before = besieged.count("totals/faults");
    let mut peers: Vec<_> = cases.iter().map(&open).collect();
    for (case, peer) in cases.iter().zip(&mut peers) {
        peer.send(&case.bytes);
    }
    for (case, peer) in cases.iter().zip(&mut peers) {
        println!("{}: {:?}", case.name, peer.until_closed(SOON));
        besieged.until_logged(case.logged);
    }
    let faults = wait::until("the faults to be counted", SOON, || {
        let faults = besieged.count("totals/faults") - before;
        (faults >= cases.len() as u64).then_some(faults)
    });
    assert_eq!(faults, cases.len() as u64);
}

/// The gateway still answers this peer.
fn assert_alive(peer: &mut Peer) {
    peer.send(&wire::command(
        0,
        "getStreamLength",
        4711.0,
        &[wire::NULL, &wire::string("x")],
    ));
    // The transaction comes back.
    let answer = [wire::string("_result"), wire::number(4711.0)].concat();
    peer.until_told_bytes(&answer);
}
