//! Connections that are reset, in every state an encoder can be in.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON};

/// All that an encoder says until it publishes and sends media.
fn dialogue(name: &str) -> Vec<u8> {
    [
        wire::handshake(),
        wire::set_chunk_size(0xff_ffff),
        wire::connect("live"),
        wire::create_stream(),
        wire::publish(1, name),
        wire::message(9, 1, 0, &[0x17; 1_000]),
        wire::message(8, 1, 0, &[0xaf; 100]),
    ]
    .concat()
}

#[test]
fn resets_in_every_state_leave_nothing() {
    const STATES: usize = 300;
    let besieged = Besieged::start();
    let before = besieged.count("totals/rtmp_connections");
    let whole = dialogue("reset").len();
    for n in 0..STATES {
        let said = dialogue(&format!("reset-{n}"));
        let mut peer = Peer::connect(besieged.gateway.rtmp);
        peer.send(&said[..whole * n / STATES]);
        peer.reset();
    }
    // A reset before the answer to the handshake leaves nothing behind either, which `survived` sees.
    wait::until("all of them to have been here", SOON, || {
        let here = besieged.count("totals/rtmp_connections") - before;
        (here == STATES as u64).then_some(())
    });
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn a_reset_publish_leaves_its_name_free() {
    let besieged = Besieged::start_with(&[("FOREBAY__RTMP__ON_CONFLICT", "reject")]);
    for _ in 0..10 {
        Peer::publishing(besieged.gateway.rtmp, "live", "again").reset();
        wait::until("its end to be noticed", SOON, || {
            let answer = besieged.gateway.get("/api/v1/streams/live/again");
            (answer.status == 404).then_some(())
        });
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
