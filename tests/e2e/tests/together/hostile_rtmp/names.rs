//! Names that would be something else in a path, a log line or a page.

use e2e::besieged::Besieged;
use e2e::raw_rtmp::{Peer, wire};
use e2e::wait;

use super::{A_HUNDRED_CONNECTIONS, SOON};

#[test]
fn names_that_cannot_be() {
    let besieged = Besieged::start_with(&[]);
    let at = besieged.gateway.rtmp;
    let long = "x".repeat(10_000);
    let dots = "begins with a dot";
    let letters = "letters, digits, '-', '_' and '.' are allowed";
    let names = [
        ("..", dots),
        (".", dots),
        (".hidden", dots),
        (
            "../../etc/passwd",
            "parts; 'app' and 'app/instance' are allowed",
        ),
        ("../show", dots),
        ("a/../b", "parts; 'app' and 'app/instance' are allowed"),
        ("a\0b", letters),
        ("a\r\nb: c", letters),
        ("\u{1b}[31mred", letters),
        ("%2e%2e", letters),
        ("%2e%2e%2fshow", letters),
        ("a b", letters),
        ("a\\b", letters),
        ("<script>", letters),
        ("имя", letters),
        ("名前", letters),
        ("اسم", letters),
        ("\u{202e}live", letters),
        ("🎥", letters),
        (&long, "has 10000 bytes, more than the 128 allowed"),
        ("", "name is empty"),
        ("?key=x", "name is empty"),
    ];
    let before = besieged.count("totals/publishes_refused");
    for (name, told) in names {
        let mut peer = Peer::connected(at, "live");
        peer.send(&wire::create_stream());
        peer.send(&wire::publish(1, name));
        peer.until_closed(SOON);
        let words = peer.words();
        assert!(
            words.contains("NetStream.Publish.BadName") && words.contains(told),
            "{name:?}: {words}"
        );
    }
    let apps = [
        ("..", dots),
        ("live/..", dots),
        ("%2e%2e", letters),
        ("api", "taken"),
        ("a/b/c/d", "parts"),
        (&long, "more than the 128"),
    ];
    for (app, told) in apps {
        let mut peer = Peer::shaken(at);
        peer.send(&wire::connect(app));
        peer.until_closed(SOON);
        let words = peer.words();
        assert!(
            words.contains("NetConnection.Connect.Rejected") && words.contains(told),
            "{app:?}: {words}"
        );
    }
    // Bytes that are no text.
    let body = [
        wire::string("publish"),
        wire::number(3.0),
        wire::NULL.to_vec(),
        b"\x02\0\x04\xff\xfe\xc0\x80".to_vec(),
    ]
    .concat();
    let mut peer = Peer::connected(at, "live");
    peer.send(&[wire::create_stream(), wire::message(20, 1, 0, &body)].concat());
    peer.until_closed(SOON);

    // An application that is not configured: the client may ask for another.
    let mut peer = Peer::connected(at, "elsewhere");
    peer.send(&[wire::create_stream(), wire::publish(1, "show")].concat());
    peer.until_told("NetStream.Publish.Denied");
    drop(peer);

    let refused = before + (names.len() + apps.len() + 2) as u64;
    wait::until("every refusal to be counted", SOON, || {
        (besieged.count("totals/publishes_refused") == refused).then_some(())
    });
    let streams = besieged.gateway.get("/api/v1/streams").json();
    let live: Vec<_> = streams["streams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| s["name"].clone())
        .collect();
    assert_eq!(live, ["witness"]);
    for line in besieged.gateway.log() {
        assert!(
            line.len() < 1_000 && !line.contains("\u{1b}[31m") && !line.contains('\0'),
            "{line:?}"
        );
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}
