//! Commands (§7.2) with missing values, out of order, and twice.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};

use super::{A_HUNDRED_CONNECTIONS, assert_alive};

#[test]
fn commands_with_missing_values_or_out_of_order() {
    let besieged = Besieged::start();
    let at = besieged.gateway.rtmp;
    let bare = |stream, name| wire::message(20, stream, 0, &wire::string(name));
    let rejected = "NetConnection.Connect.Rejected";
    let bad_name = "NetStream.Publish.BadName";
    // After the handshake: what is sent, and what the answer says. The connection stays.
    let early = [
        (
            "createStream before connect",
            wire::create_stream(),
            "connect before creating a stream",
        ),
        (
            "publish before connect",
            wire::publish(1, "show"),
            "connect before publishing",
        ),
        (
            "an unknown command",
            wire::command(0, "makeCoffee", 9.0, &[]),
            "_error",
        ),
        (
            "play",
            wire::command(1, "play", 0.0, &[wire::NULL, &wire::string("x")]),
            "NetStream.Play",
        ),
        (
            "connect without anything",
            bare(0, "connect"),
            "NetConnection.Connect.Success",
        ),
    ];
    for (name, bytes, told) in early {
        let mut peer = Peer::shaken(at);
        peer.send(&bytes);
        println!("{name}");
        peer.until_told(told);
        assert_alive(&mut peer);
    }
    // What asks for no answer gets none, and changes nothing.
    let ignored = [
        wire::message(9, 1, 0, &[0x17, 1, 0, 0, 0, 1]),
        wire::message(8, 7, 0, &[0xaf, 1]),
        wire::message(18, 0, 0, &wire::string("onMetaData")),
        wire::message(22, 1, 0, &[0; 15]),
        wire::message(99, 0, 0, &[1, 2, 3]),
        wire::message(3, 0, 0, &[0, 0, 0, 1]),
        wire::message(5, 0, 0, &[0; 4]),
        wire::message(6, 0, 0, &[]),
        wire::message(4, 0, 0, &[0xff, 0xff]),
        wire::message(2, 0, 0, &[0, 0, 0, 77]),
        bare(0, "deleteStream"),
        bare(9, "closeStream"),
        bare(0, "FCUnpublish"),
        bare(0, "releaseStream"),
        bare(0, "_result"),
        wire::command(
            0,
            "deleteStream",
            0.0,
            &[wire::NULL, &wire::number(f64::NAN)],
        ),
        wire::command(0, "deleteStream", 0.0, &[wire::NULL, &wire::number(-1e300)]),
    ];
    for bytes in &ignored {
        let mut peer = Peer::connected(at, "live");
        peer.send(bytes);
        assert_alive(&mut peer);
    }
    // Once connected.
    let late = [
        ("connect again", wire::connect("live"), rejected),
        (
            "publish without a stream",
            wire::publish(1, "show"),
            "create a message stream before",
        ),
        ("publish on stream 0", wire::publish(0, "show"), bad_name),
        (
            "publish without a name",
            [wire::create_stream(), bare(1, "publish")].concat(),
            "the publish name is empty",
        ),
        (
            "publish a number",
            [
                wire::create_stream(),
                wire::command(1, "publish", 3.0, &[wire::NULL, &wire::number(1.0)]),
            ]
            .concat(),
            "the publish name is empty",
        ),
        (
            "publish twice",
            [
                wire::create_stream(),
                wire::publish(1, "twice"),
                wire::publish(1, "twice"),
            ]
            .concat(),
            "this message stream publishes already",
        ),
        (
            "33 streams",
            wire::create_stream().repeat(33),
            "a connection has at most 32 message streams",
        ),
    ];
    for (name, bytes, told) in late {
        let mut peer = Peer::connected(at, "live");
        peer.send(&bytes);
        println!("{name}");
        peer.until_told(told);
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
