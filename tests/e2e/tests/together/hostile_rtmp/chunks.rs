//! Chunks and protocol control messages (§5.3, §5.4): sizes, partial messages, headers that cannot be.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};

use super::{A_HUNDRED_CONNECTIONS, SOON, case, end_all};

#[test]
fn chunks_that_cannot_be() {
    let besieged = Besieged::start();
    let fits = |length| wire::header(3, 20, 0, 0, length);
    let too_many: Vec<u8> = (2..=63)
        .map(|id| wire::header(id, 8, 0, 0, 1000))
        // Two-byte ids from 64.
        .chain((0..10).map(|id| {
            let mut header = wire::header(0, 8, 0, 0, 1000);
            header.insert(1, id);
            header
        }))
        .flat_map(|header| [header, vec![0; 128]].concat())
        .collect();
    let half_sent: Vec<u8> =
        (2..=63)
            .flat_map(|id| [wire::header(id, 20, 0, 0, 60_000), vec![0; 128]].concat())
            .chain((2..=63).flat_map(|id| {
                (0..100).flat_map(move |_| [vec![0xc0 | id], vec![0; 128]].concat())
            }))
            .collect();
    let before_publish = [
        case(
            "chunk size 0",
            wire::set_chunk_size(0),
            "a chunk size from 1 to 2147483647, found 0",
        ),
        case(
            "chunk size with the top bit",
            wire::set_chunk_size(0x8000_0080),
            "a chunk size from 1 to 2147483647, found 2147483776",
        ),
        case(
            "no chunk size",
            wire::message(1, 0, 0, &[]),
            "4 bytes of Set Chunk Size, found 0 bytes",
        ),
        case(
            "half a chunk size",
            wire::message(1, 0, 0, &[0, 1]),
            "Set Chunk Size, found 2 bytes",
        ),
        case(
            "a short abort",
            wire::message(2, 0, 0, &[0, 0, 3]),
            "4 bytes of Abort Message",
        ),
        case(
            "a short ping",
            wire::message(4, 0, 0, &[0, 6, 1]),
            "6 if it is a ping, found 3 bytes",
        ),
        case(
            "a long window",
            wire::message(5, 0, 0, &[0; 5]),
            "Window Acknowledgement Size, found 5",
        ),
        case(
            "a command over the limit",
            fits(65_537),
            "65537 bytes in one message, more than the 65536 allowed",
        ),
        case(
            "the longest command",
            fits(0xff_ffff),
            "16777215 bytes in one message",
        ),
        case(
            "the longest picture of a stranger",
            wire::header(6, 9, 1, 0, 0xff_ffff),
            "16777215 bytes in one message",
        ),
        case(
            "too many partial messages",
            too_many,
            "65 chunk streams in use, more than the 64 allowed",
        ),
        case(
            "too much of them",
            half_sent,
            "bytes in unfinished messages, more than the 262144 allowed",
        ),
        case(
            "no history, type 1",
            vec![0x45, 0, 0, 0, 0, 0, 4, 8],
            "type 1 on chunk stream 5",
        ),
        case(
            "no history, type 2",
            vec![0x85, 0, 0, 0],
            "type 2 on chunk stream 5",
        ),
        case(
            "no history, type 3",
            vec![0xc5, 0, 0, 0],
            "type 3 on chunk stream 5",
        ),
        case(
            "another length inside a message",
            [
                wire::header(5, 20, 0, 0, 500),
                vec![0; 128],
                vec![0x45, 0, 0, 0, 0, 0, 99, 20],
            ]
            .concat(),
            "99 instead of 500 bytes",
        ),
        case(
            "a beginning inside a message",
            [
                wire::header(5, 20, 0, 0, 500),
                vec![0; 128],
                wire::header(5, 20, 0, 0, 500),
            ]
            .concat(),
            "a type 0 chunk on chunk stream 5",
        ),
    ];
    end_all(&besieged, &before_publish, |_| {
        let mut peer = Peer::connect(besieged.gateway.rtmp);
        peer.send(&wire::handshake());
        peer
    });

    let eight_mib = 8 << 20;
    let publishing = [
        case(
            "a picture over the limit",
            wire::header(6, 9, 1, 0, eight_mib + 1),
            "8388609 bytes in one message, more than the 8388608 allowed",
        ),
        case(
            "an aggregate with false sizes",
            wire::message(
                22,
                1,
                0,
                &[9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
            ),
            "aggregate",
        ),
    ];
    end_all(&besieged, &publishing, |case| {
        Peer::publishing(besieged.gateway.rtmp, "live", &case.name.replace(' ', "-"))
    });
    // Messages of the whole connection have one budget.
    let mut peer = Peer::publishing(besieged.gateway.rtmp, "live", "hoarder");
    peer.send(&wire::set_chunk_size(6 << 20));
    for id in 10..=12 {
        peer.send(&wire::header(id, 9, 1, 0, eight_mib));
        peer.send(&vec![0x17; 6 << 20]);
    }
    peer.until_closed(SOON);
    besieged.until_logged("bytes in unfinished messages, more than the 16777216 allowed");
    besieged.survived(A_HUNDRED_CONNECTIONS + (24 << 10));
}
