//! A publish whose segments are larger than a playlist may hold.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;
use e2e::witness::AVCC;

use super::{A_HUNDRED_CONNECTIONS, SOON};

/// A key frame of so many bytes.
fn key_frame(at_ms: u32, bytes: usize) -> Vec<u8> {
    let slice = [&[0x65, 0x88], &vec![0x5a; bytes][..]].concat();
    let length = u32::try_from(slice.len()).expect("small").to_be_bytes();
    let body = [&[0x17, 1, 0, 0, 0], &length[..], &slice].concat();
    wire::message(9, 1, at_ms, &body)
}

#[test]
fn a_bit_rate_too_high_for_the_window_shortens_it_and_then_ends_the_publish() {
    // Segments of a second, six of them listed, in 1 MiB: as they came, and once more in MPEG-TS.
    let besieged = Besieged::start_with(&[("FOREBAY__HLS__LISTED_BYTES", "1048576")]);
    let mut peer = Peer::publishing(besieged.gateway.rtmp, "live", "heavy");
    peer.send(&wire::message(
        9,
        1,
        0,
        &[&[0x17, 0, 0, 0, 0], AVCC].concat(),
    ));
    // Five fit, and six do not.
    for n in 0..10 {
        peer.send(&key_frame(n * 1_000, 100_000));
    }
    let stream = || besieged.gateway.get("/api/v1/streams/live/heavy").json();
    wait::until("the fault to be counted", SOON, || {
        stream()["faults"]["kinds"]["window_shortened"].as_u64()
    });
    let listed = stream()["window"]["segments"].as_array().map(Vec::len);
    assert_eq!(listed, Some(5));
    besieged.until_logged("all that hls.listed_bytes allows; lower the bit rate");

    // Not even three seconds fit.
    for n in 10..20 {
        peer.send(&key_frame(n * 1_000, 300_000));
    }
    peer.until_told("lower the bit rate or shorten the window");
    peer.until_closed(SOON);
    drop(peer);
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
