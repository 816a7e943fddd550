//! The handshake (RTMP 1.0 §5.2): garbage, truncated, stalled.

use std::time::Instant;

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON, case, end_all};

#[test]
fn handshakes_that_are_none() {
    let besieged = Besieged::start();
    let cases = [
        case(
            "another protocol",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            "expected RTMP version 3, found 'G', which begins an HTTP request",
        ),
        case("TLS", vec![0x16, 3, 1, 2, 0, 1], "22, which begins TLS"),
        case(
            "encrypted",
            vec![6; 1537],
            "RTMPE (encrypted RTMP, version 6 or 8) is not supported",
        ),
        case(
            "garbage",
            (0..4096)
                .map(|n: u32| (n * 7919).to_be_bytes()[2] | 0x80)
                .collect(),
            "found 128",
        ),
    ];
    end_all(&besieged, &cases, |_| Peer::connect(besieged.gateway.rtmp));

    // Silent from the start, after a byte, inside C1, before C2, inside C2.
    let mut stalled: Vec<_> = [0, 1, 1000, 1537, 3000]
        .into_iter()
        .map(|length| {
            let mut peer = Peer::connect(besieged.gateway.rtmp);
            peer.send(&wire::handshake()[..length]);
            (length, peer)
        })
        .collect();
    for (length, peer) in &mut stalled {
        println!("{length} bytes: {:?}", peer.until_closed(SOON));
    }
    besieged.until_logged("no handshake within 1s");

    // A byte now and then does not buy time.
    let mut trickle = Peer::connect(besieged.gateway.rtmp);
    let begin = Instant::now();
    wait::until("a trickling handshake to be cut", SOON, || {
        (trickle.send(&[3]) == 0).then_some(())
    });
    assert!(begin.elapsed() < SOON);

    // Gone in the middle: nothing is waited for.
    for length in [0, 1, 1000, 1537, 3073] {
        let mut peer = Peer::connect(besieged.gateway.rtmp);
        peer.send(&wire::handshake()[..length]);
        peer.finish();
        println!("{length} bytes, gone: {:?}", peer.until_closed(SOON));
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
