//! What hostile clients try.

use super::*;

#[test]
fn bad_names_are_answered_then_end_the_session() {
    let long = "x".repeat(10_000);
    for (name, why) in [
        ("..", "the publish name begins with a dot"),
        (
            "a/../b",
            "the application name has 3 parts; 'app' and 'app/instance' are allowed",
        ),
        (
            "a\0b",
            "the publish name has '\\0' at byte 1; letters, digits, '-', '_' and '.' are allowed",
        ),
        (
            "%2e%2e",
            "the publish name has '%' at byte 0; letters, digits, '-', '_' and '.' are allowed",
        ),
        (
            "имя",
            "the publish name has 'и' at byte 0; letters, digits, '-', '_' and '.' are allowed",
        ),
        (
            &long,
            "the publish name has 10000 bytes, more than the 128 allowed",
        ),
        ("", "the publish name is empty"),
        ("?token=1", "the publish name is empty"),
    ] {
        let mut client = Client::connected();
        client.send(&publish(1, name));
        let answer = client.answers();
        assert!(answer.contains("NetStream.Publish.BadName"), "{answer}");
        let fault = client.fault();
        assert!(fault.ends_with(why), "{fault} / {why}");
    }
    for (app, why) in [
        (
            "live/../../tmp",
            "the application name has 4 parts; 'app' and 'app/instance' are allowed",
        ),
        ("..", "the application name begins with a dot"),
        (
            "api",
            "the application name \"api\" is taken by the gateway's own pages",
        ),
        (
            "a b",
            "the application name has ' ' at byte 1; letters, digits, '-', '_' and '.' are allowed",
        ),
    ] {
        let mut client = Client::new();
        client.send(&connect(app));
        let answer = client.answers();
        assert!(
            answer.contains("NetConnection.Connect.Rejected"),
            "{answer}"
        );
        let fault = client.fault();
        assert!(fault.ends_with(why), "{fault} / {why}");
        client.send(&connect("live"));
        assert_eq!(client.answers(), "", "a dead session stays dead");
    }
}

#[test]
fn hostile_messages_end_the_session_with_a_clear_word() {
    let deep = [
        &b"\x02\0\x07connect\0\0\0\0\0\0\0\0\0"[..],
        &b"\x0a\0\0\0\x01".repeat(10_000),
    ]
    .concat();
    let cases = [
        (
            message(20, 0, 0, &deep),
            "a command cannot be read: at byte 179 values lie deeper than 32 levels",
        ),
        (
            message(20, 0, 0, b""),
            "expected the name of a command, found an empty message",
        ),
        (
            message(20, 0, 0, b"\x01\x01"),
            "expected the name of a command, found a boolean",
        ),
        (
            message(20, 0, 0, b"\x02\xff\xffx"),
            "a command cannot be read: it ends at byte 4, inside a string",
        ),
        (
            message(4, 0, 0, &[0]),
            "expected a user control message of 2 bytes or more, 6 if it is a ping, found 1 bytes",
        ),
        (
            message(4, 0, 0, &[0, 6, 1]),
            "expected a user control message of 2 bytes or more, 6 if it is a ping, found 3 bytes",
        ),
        (
            message(5, 0, 0, &[1]),
            "expected 4 bytes of Window Acknowledgement Size, found 1 bytes",
        ),
        (
            message(3, 0, 0, &[1]),
            "expected 4 bytes of Acknowledgement, found 1 bytes",
        ),
        (
            message(20, 0, 0, &vec![5; 65_537]),
            "65537 bytes in one message, more than the 65536 allowed",
        ),
        (
            message(9, 1, 0, &vec![5; 65_537]),
            "65537 bytes in one message, more than the 65536 allowed",
        ),
        (
            message(22, 1, 0, &[9; 10]),
            "expected the 11-byte header of a message in an aggregate, found 10 bytes left at byte 0 of it",
        ),
        (
            message(22, 1, 0, &[9; 11]),
            "expected a message in an aggregate that ends within it, found 11 bytes left at byte 0 of it",
        ),
        (
            publish(1, &format!("show?{}", "q".repeat(4097))),
            "4097 bytes in a query string, more than the 4096 allowed",
        ),
        (
            create().repeat(101),
            "101 commands without media between them, more than the 100 allowed",
        ),
        (
            message(4, 0, 0, &[0, 6, 1, 2, 3, 4]).repeat(101),
            "101 commands without media between them, more than the 100 allowed",
        ),
    ];
    for (input, expected) in cases {
        let mut client = Client::connected();
        client.send(&input);
        let fault = client.fault();
        assert!(fault.ends_with(expected), "{fault} / {expected}");
    }
}

#[test]
fn message_streams_are_bounded() {
    let mut client = Client::connected();
    client.send(&create().repeat(31));
    assert!(client.answers().ends_with("\"_result\" 2 null 32\n"));
    client.send(&create());
    assert_eq!(
        client.answers(),
        "20@0 \"_error\" 2 null {level:\"error\" code:\"NetConnection.Call.Failed\" description:\"a connection has at most 32 message streams\"}\n"
    );
}

#[test]
fn a_peer_that_never_reads_is_dropped() {
    let mut client = Client::with(Limits {
        commands: 1_000_000,
        ..Limits::default()
    });
    client.send(&message(4, 0, 0, &[0, 6, 1, 2, 3, 4]).repeat(100_000));
    let fault = client.fault();
    assert!(
        fault.contains("bytes of replies that the peer has not read, more than the 65536"),
        "{fault}"
    );
    assert!(client.session.output().len() < 66_000);
}

#[test]
fn a_driver_that_reads_on_during_a_decision_is_stopped() {
    let mut client = Client::connected();
    client.send(&publish(1, "show"));
    client.send(&vec![3; 256 << 10]);
    assert_eq!(client.events().len(), 1);
    client.send(&[3]);
    let fault = client.fault();
    assert!(
        fault.ends_with(
            "262145 bytes behind a publish that is not decided, more than the 262144 allowed"
        ),
        "{fault}"
    );
}
