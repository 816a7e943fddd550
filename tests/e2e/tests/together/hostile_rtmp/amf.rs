//! AMF0: depth, false lengths, missing values.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};

use super::{A_HUNDRED_CONNECTIONS, assert_alive, case, end_all};

#[test]
fn amf_that_cannot_be_read() {
    let besieged = Besieged::start();
    let nested = |begin: &[u8]| {
        let body = [
            wire::string("connect"),
            wire::number(1.0),
            begin.repeat(10_000),
        ]
        .concat();
        wire::message(20, 0, 0, &body)
    };
    let connect_with = |object: &[u8]| wire::command(0, "connect", 1.0, &[object]);
    let too_deep = "values lie deeper than 32 levels";
    let cases = [
        case("objects 10 000 deep", nested(b"\x03\0\x01a"), too_deep),
        case("arrays 10 000 deep", nested(b"\x0a\0\0\0\x01"), too_deep),
        case(
            "ECMA arrays 10 000 deep",
            nested(b"\x08\0\0\0\x01\0\0"),
            too_deep,
        ),
        case(
            "typed objects 10 000 deep",
            nested(b"\x10\0\x01a\0\0"),
            too_deep,
        ),
        case(
            "a string beyond the end",
            connect_with(b"\x03\0\x03app\x02\xff\xfflive"),
            "inside a string",
        ),
        case(
            "a long string of 4 GiB",
            connect_with(b"\x0c\xff\xff\xff\xfflive"),
            "inside a long string",
        ),
        case(
            "a property's name beyond the end",
            connect_with(b"\x03\xff\xffapp"),
            "inside a property name",
        ),
        case(
            "an array of 4 thousand million",
            connect_with(b"\x0a\xff\xff\xff\xff\x05"),
            "inside a value",
        ),
        case(
            "half a number",
            connect_with(&[0, 0x3f, 0xf0]),
            "inside a number",
        ),
        case(
            "an object without an end",
            connect_with(b"\x03\0\x03app"),
            "inside a value",
        ),
        case(
            "no such marker",
            connect_with(&[0x77]),
            "0x77, which is no AMF0 marker",
        ),
        case(
            "no command at all",
            wire::message(20, 0, 0, &[]),
            "found an empty message",
        ),
        case(
            "a command without a name",
            wire::message(20, 0, 0, &wire::number(1.0)),
            "the name of a command, found a number",
        ),
    ];
    end_all(&besieged, &cases, |_| Peer::shaken(besieged.gateway.rtmp));

    // In media messages nothing of it ends the publish.
    let mut peer = Peer::publishing(besieged.gateway.rtmp, "live", "metadata");
    for begin in [
        &b"\x03\0\x01a"[..],
        b"\x0a\0\0\0\x01",
        b"\x0a\xff\xff\xff\xff",
        b"\x02\xff\xff",
    ] {
        let body = [wire::string("onMetaData"), begin.repeat(10_000)].concat();
        peer.send(&wire::message(18, 1, 0, &body));
    }
    assert_alive(&mut peer);
    drop(peer);
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
