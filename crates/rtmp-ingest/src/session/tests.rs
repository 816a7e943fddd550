//! Every command with its exact answer.

mod ending;
mod hostile;

use std::fmt::Write;

use super::*;
use crate::amf0::{self, Property, Property::Null, Property::Number, Property::Text, Value};
use crate::{PublishMode, PublishRequest, Query};

/// C0, C1 and C2 of a client without digest.
fn handshake() -> Vec<u8> {
    [vec![3], vec![0; 2 * 1536]].concat()
}

/// A message in one chunk; Set Chunk Size to the maximum comes first in [`Client::new`].
fn message(kind: u8, stream: u32, timestamp_ms: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![3];
    out.extend_from_slice(&timestamp_ms.to_be_bytes()[1..]);
    out.extend_from_slice(&body.len().to_be_bytes()[5..]);
    out.push(kind);
    out.extend_from_slice(&stream.to_le_bytes());
    out.extend_from_slice(body);
    out
}

fn command(stream: u32, name: &str, transaction: f64, arguments: &[Property<'_>]) -> Vec<u8> {
    message(
        20,
        stream,
        0,
        &amf0::write_command(name, transaction, arguments),
    )
}

fn connect(app: &str) -> Vec<u8> {
    let url = format!("rtmp://host/{app}");
    let object = [
        ("app", Text(app)),
        ("flashVer", Text("Test/1")),
        ("tcUrl", Text(&url)),
    ];
    command(0, "connect", 1.0, &[Property::Object(&object)])
}

fn create() -> Vec<u8> {
    command(0, "createStream", 2.0, &[Null])
}

fn publish(stream: u32, name: &str) -> Vec<u8> {
    // By hand, since replies shorten long text.
    let length = u16::try_from(name.len()).expect("short").to_be_bytes();
    let body = [
        &amf0::write_command("publish", 0.0, &[Null])[..],
        &[2],
        &length,
        name.as_bytes(),
        b"\x02\0\x04live",
    ];
    message(20, stream, 0, &body.concat())
}

fn show(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Object(properties) => {
            let all: Vec<String> = properties
                .iter()
                .map(|(name, value)| format!("{name}:{}", show(value)))
                .collect();
            format!("{{{}}}", all.join(" "))
        }
        Value::StrictArray(values) => {
            let all: Vec<String> = values.iter().map(show).collect();
            format!("[{}]", all.join(" "))
        }
        Value::Null => "null".into(),
        Value::Undefined => "undefined".into(),
        other => format!("{other:?}"),
    }
}

/// A session with a client that has shaken hands, and reads what it is sent.
struct Client {
    session: Session,
    reader: Reader,
    skip: usize,
}

impl Client {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let bounds = publishing_bounds(&limits);
        let mut client = Self {
            session: Session::new(limits),
            reader: Reader::new(bounds, 0),
            skip: 1 + 2 * 1536,
        };
        client.send(&handshake());
        client.send(&message(1, 0, 0, &0xff_ffff_u32.to_be_bytes()));
        client
    }

    /// A client that is connected and has message stream 1; the answers are read.
    fn connected() -> Self {
        let mut client = Self::new();
        client.send(&connect("live"));
        client.send(&create());
        client.answers();
        client
    }

    /// A client that publishes `show` on message stream 1; the answers are read.
    fn publishing() -> Self {
        let mut client = Self::connected();
        client.send(&publish(1, "show"));
        client.events();
        client.session.accept(MessageStreamId(1));
        client.answers();
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.session.push(bytes);
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.pull().expect("no fault")).collect()
    }

    fn fault(&mut self) -> String {
        loop {
            match self.session.pull() {
                Ok(Some(_)) => {}
                Ok(None) => return "none".into(),
                Err(error) => {
                    assert_eq!(self.session.pull().expect("dead"), None);
                    return error.to_string();
                }
            }
        }
    }

    /// What the gateway has sent since the last call, a line for each message.
    fn answers(&mut self) -> String {
        let output = self.session.output().to_vec();
        self.session.sent(output.len());
        let skip = self.skip.min(output.len());
        self.skip -= skip;
        let mut input = &output[skip..];
        let mut text = String::new();
        while let Some(message) = self.reader.read(&mut input).expect("well-formed output") {
            write!(text, "{}@{}", message.kind, message.stream).expect("string");
            if message.kind == 20 {
                for value in amf0::read_all(&message.payload).expect("well-formed AMF0") {
                    write!(text, " {}", show(&value)).expect("string");
                }
            } else {
                write!(text, " {:02x?}", &message.payload[..]).expect("string");
            }
            text.push('\n');
        }
        text
    }
}

fn requested(events: &[Event]) -> &PublishRequest {
    match events {
        [Event::Publish(request)] => request,
        other => panic!("expected one request, found {other:?}"),
    }
}

fn media(stream: u32, kind: MessageKind, timestamp_ms: u32, payload: &[u8]) -> Event {
    Event::Media {
        stream: MessageStreamId(stream),
        message: Message {
            kind,
            timestamp_ms,
            payload: payload.to_vec().into(),
        },
    }
}

#[test]
fn the_handshake_is_answered_as_early_as_possible_and_c2_is_never_compared() {
    let mut session = Session::new(Limits::default());
    session.push(&[3]);
    assert_eq!(session.output().len(), 1 + 1536);
    session.push(&[7; 1536]);
    assert_eq!(session.output().len(), 1 + 2 * 1536);
    assert_eq!(session.phase(), Phase::Handshake);
    session.push(&[9; 1536]);
    assert_eq!(session.phase(), Phase::Connected);
    assert_eq!(session.pull().expect("no fault"), None);
}

#[test]
fn other_guests_are_told_apart() {
    for (first, expected) in [
        (
            6,
            "at byte 0: RTMPE (encrypted RTMP, version 6 or 8) is not supported",
        ),
        (
            b'G',
            "at byte 0: expected RTMP version 3, found 'G', which begins an HTTP request",
        ),
        (
            0x16,
            "at byte 0: expected RTMP version 3, found 22, which begins TLS: this port speaks plain RTMP",
        ),
        (200, "at byte 0: expected RTMP version 3, found 200"),
    ] {
        let mut session = Session::new(Limits::default());
        session.push(&[first, 1, 2, 3]);
        assert_eq!(session.pull().expect_err(expected).to_string(), expected);
        assert!(session.output().is_empty());
    }
}

#[test]
fn connect_is_answered_in_order() {
    let mut client = Client::new();
    client.send(&connect("live"));
    assert_eq!(
        client.answers(),
        "5@0 [00, 26, 25, a0]\n\
         6@0 [00, 26, 25, a0, 02]\n\
         20@0 \"_result\" 1 {fmsVer:\"FMS/3,0,1,123\" capabilities:31 #} \
         {level:\"status\" code:\"NetConnection.Connect.Success\" description:\"connection succeeded\" #}\n"
            .replace(
                '#',
                "objectEncoding:0 capsEx:15 \
                 fourCcList:[\"avc1\" \"hvc1\" \"av01\" \"vp09\" \"mp4a\" \"Opus\" \"fLaC\" \"ac-3\" \"ec-3\" \".mp3\"] \
                 videoFourCcInfoMap:{avc1:4 hvc1:4 av01:4 vp09:4} \
                 audioFourCcInfoMap:{mp4a:4 Opus:4 fLaC:4 ac-3:4 ec-3:4 .mp3:4}"
            )
    );
    assert_eq!(client.reader.chunk_size(), 65_536);
}

#[test]
fn who_said_that_it_knows_the_request_is_asked_to_reconnect() {
    let request = "20@0 \"onStatus\" 0 null {level:\"status\" code:\"NetConnection.Connect.ReconnectRequest\" \
                   description:\"leaving\"}\n";
    let connect = |caps: Property<'_>| {
        let object = [("app", Text("live")), ("capsEx", caps)];
        command(0, "connect", 1.0, &[Property::Object(&object)])
    };
    let cases = [
        (Number(1.0), request),
        (Number(15.0), request),
        (Number(14.0), ""),
        (Number(0.0), ""),
        (Number(f64::NAN), ""),
        (Number(f64::INFINITY), ""),
        (Text("1"), ""),
        (Null, ""),
    ];
    for (caps, expected) in cases {
        let mut client = Client::new();
        client.send(&connect(caps));
        client.answers();
        let asked = client.session.ask_to_reconnect("leaving");
        assert_eq!(client.answers(), expected, "{caps:?}");
        assert_eq!(asked, !expected.is_empty(), "{caps:?}");
    }
    // What is published goes on.
    let mut client = Client::new();
    for bytes in [connect(Number(1.0)), create(), publish(1, "show")] {
        client.send(&bytes);
    }
    client.events();
    client.session.accept(MessageStreamId(1));
    assert!(client.session.ask_to_reconnect("leaving"));
    client.send(&message(9, 1, 7, &[0x17, 1]));
    assert_eq!(
        client.events(),
        [media(1, MessageKind::Video, 7, &[0x17, 1])]
    );
    // Nobody is asked before connect, or after the end.
    assert!(!Client::new().session.ask_to_reconnect("leaving"));
    client.session.end("over");
    assert!(!client.session.ask_to_reconnect("leaving"));
}

#[test]
fn commands_and_their_answers() {
    let failed = |text: &str| {
        format!("{{level:\"error\" code:\"NetConnection.Call.Failed\" description:\"{text}\"}}")
    };
    let cases = [
        (command(0, "releaseStream", 3.0, &[Null, Text("show")]), "20@0 \"_result\" 3 null undefined\n".into()),
        (
            command(0, "FCPublish", 4.0, &[Null, Text("show?k=secret")]),
            "20@0 \"_result\" 4 null undefined\n\
             20@0 \"onFCPublish\" 0 null {code:\"NetStream.Publish.Start\" description:\"show\"}\n".into(),
        ),
        (command(0, "createStream", 5.0, &[Null]), "20@0 \"_result\" 5 null 2\n".into()),
        (command(0, "getStreamLength", 6.0, &[Null, Text("show")]), "20@0 \"_result\" 6 null 0\n".into()),
        (command(0, "_checkbw", 7.0, &[Null]), "20@0 \"_result\" 7 null undefined\n".into()),
        (
            command(1, "play", 0.0, &[Null, Text("show")]),
            "20@1 \"onStatus\" 0 null {level:\"error\" code:\"NetStream.Play.Failed\" description:\"this gateway plays over HLS only, not over RTMP\"}\n".into(),
        ),
        (
            command(0, "FCUnpublish", 8.0, &[Null, Text("show")]),
            "20@0 \"_result\" 8 null undefined\n\
             20@0 \"onFCUnpublish\" 0 null {code:\"NetStream.Unpublish.Success\" description:\"show\"}\n".into(),
        ),
        (command(1, "closeStream", 0.0, &[Null]), String::new()),
        (command(0, "deleteStream", 0.0, &[Null, Number(9.0)]), String::new()),
        (command(0, "deleteStream", 0.0, &[]), String::new()),
        (command(0, "fancy", 0.0, &[]), String::new()),
        (command(0, "_result", 9.0, &[]), String::new()),
        (
            command(0, "fancy", 9.0, &[]),
            format!("20@0 \"_error\" 9 null {}\n", failed("this gateway does not know the command")),
        ),
        (
            connect("live"),
            "20@0 \"_error\" 1 null {level:\"error\" code:\"NetConnection.Connect.Rejected\" description:\"this connection is connected already\"}\n".into(),
        ),
        (
            publish(7, "show"),
            "20@7 \"onStatus\" 0 null {level:\"error\" code:\"NetStream.Publish.BadName\" description:\"create a message stream before publishing on it\"}\n".into(),
        ),
        (message(4, 0, 0, &[0, 6, 1, 2, 3, 4]), "4@0 [00, 07, 01, 02, 03, 04]\n".into()),
        (message(4, 0, 0, &[0, 26, 1]), String::new()),
        (message(3, 0, 0, &[0; 4]), String::new()),
        (message(99, 0, 0, &[0; 4]), String::new()),
        (message(17, 0, 0, &[&[0], &amf0::write_command("createStream", 3.0, &[Null])[..]].concat()), "20@0 \"_result\" 3 null 2\n".into()),
    ];
    for (input, expected) in cases {
        let mut client = Client::connected();
        client.send(&input);
        assert_eq!(client.answers(), expected);
        assert_eq!(client.events(), []);
    }
}

#[test]
fn commands_before_connect_are_refused_and_the_session_goes_on() {
    let mut client = Client::new();
    client.send(&create());
    client.send(&publish(1, "show"));
    client.send(&message(9, 1, 0, &[1, 2, 3]));
    assert_eq!(
        client.answers(),
        "20@0 \"_error\" 2 null {level:\"error\" code:\"NetConnection.Call.Failed\" description:\"connect before creating a stream\"}\n\
         20@1 \"onStatus\" 0 null {level:\"error\" code:\"NetStream.Publish.BadName\" description:\"connect before publishing\"}\n"
    );
    assert_eq!(client.events(), []);
    assert_eq!(client.session.dropped_messages(), 1);
    client.send(&connect("live"));
    assert!(client.answers().contains("Connect.Success"));
}

#[test]
fn a_publish_request_carries_everything_but_shows_no_secret() {
    let mut client = Client::new();
    let object = [
        ("app", Text("live/studio?t=hidden1")),
        ("flashVer", Text("FMLE/3.0 (compatible; \u{7}Lavf59)")),
        ("tcUrl", Text("rtmp://host/live/studio/hidden2?t=hidden1")),
        ("fpad", Number(0.0)),
    ];
    client.send(&command(
        0,
        "connect",
        1.0,
        &[Property::Object(&object), Text("extra")],
    ));
    client.send(&create());
    client.send(&command(
        1,
        "publish",
        5.0,
        &[Null, Text("hidden2?k=hidden3"), Text("RECORD")],
    ));
    let events = client.events();
    let request = requested(&events);
    assert_eq!(client.session.phase(), Phase::Deciding);
    assert_eq!(request.app.as_str(), "live/studio");
    assert_eq!(request.key.reveal().as_str(), "hidden2");
    assert_eq!(request.query.as_ref().map(Query::reveal), Some("k=hidden3"));
    assert_eq!(
        request.connect_query.as_ref().map(Query::reveal),
        Some("t=hidden1")
    );
    assert_eq!(request.tc_url.as_deref(), Some("rtmp://host/live/studio/"));
    assert_eq!(
        request.encoder.as_deref(),
        Some("FMLE/3.0 (compatible; Lavf59)")
    );
    assert_eq!(request.mode, PublishMode::Record);
    assert!(!format!("{request:?}").contains("hidden"));
}

#[test]
fn publish_without_a_mode_or_with_odd_fields() {
    for arguments in [
        &[Null, Text("show")][..],
        &[Null, Text("show"), Number(1.0)],
    ] {
        let mut client = Client::connected();
        client.send(&command(1, "publish", 0.0, arguments));
        assert_eq!(requested(&client.events()).mode, PublishMode::Live);
    }
    // The whole path in tcUrl, nothing anywhere else.
    let mut client = Client::new();
    let object = [
        ("app", Number(1.0)),
        ("tcUrl", Text("rtmp://host/live/show")),
    ];
    client.send(&command(0, "connect", 1.0, &[Property::Object(&object)]));
    client.send(&create());
    client.send(&command(1, "publish", 0.0, &[]));
    let events = client.events();
    assert_eq!(requested(&events).app.as_str(), "live");
    assert_eq!(requested(&events).key.reveal().as_str(), "show");
    assert_eq!(
        requested(&events).tc_url.as_deref(),
        Some("rtmp://host/live/")
    );
}

#[test]
fn accept_and_reject_answer_the_encoder() {
    let mut client = Client::connected();
    client.send(&publish(1, "show"));
    client.session.accept(MessageStreamId(1));
    assert_eq!(
        client.answers(),
        "4@0 [00, 00, 00, 00, 00, 01]\n\
         20@1 \"onStatus\" 0 null {level:\"status\" code:\"NetStream.Publish.Start\" description:\"publishing\"}\n"
    );
    assert_eq!(client.session.phase(), Phase::Publishing);
    client.session.accept(MessageStreamId(1));
    client
        .session
        .reject(MessageStreamId(2), &Rejection::Denied("x".into()));
    assert_eq!(client.answers(), "");

    for (why, expected) in [
        (
            Rejection::BadName("in use".into()),
            "BadName\" description:\"in use\"",
        ),
        (
            Rejection::Denied("no such key".into()),
            "Denied\" description:\"no such key\"",
        ),
    ] {
        let mut client = Client::connected();
        client.send(&publish(1, "show"));
        client.send(&message(9, 1, 0, &[1, 2, 3]));
        client.session.reject(MessageStreamId(1), &why);
        assert_eq!(
            client.answers(),
            format!(
                "20@1 \"onStatus\" 0 null {{level:\"error\" code:\"NetStream.Publish.{expected}}}\n"
            )
        );
        assert_eq!(client.events().len(), 1);
        assert_eq!(client.session.dropped_messages(), 1);
        // It may ask again.
        client.send(&publish(1, "other"));
        assert_eq!(requested(&client.events()).key.reveal().as_str(), "other");
    }
}

#[test]
fn a_pipelining_client_loses_nothing() {
    let large = vec![0x17; 200_000];
    let input = [
        connect("live"),
        create(),
        publish(1, "show"),
        message(18, 1, 0, b"\x02\0\x0d@setDataFrame\x02\0\x0aonMetaData\x05"),
        message(9, 1, 0, &large),
        message(8, 1, 1, &[0xaf, 1]),
        command(0, "deleteStream", 0.0, &[Null, Number(1.0)]),
    ]
    .concat();
    for slice in [1000, 64 << 10, input.len()] {
        let mut client = Client::new();
        let mut events = Vec::new();
        for piece in input.chunks(slice) {
            client.send(piece);
            while let Some(event) = client.session.pull().expect("no fault") {
                if let Event::Publish(request) = &event {
                    assert_eq!(client.session.pull().expect("no fault"), None);
                    client.session.accept(request.stream);
                }
                events.push(event);
            }
        }
        assert_eq!(
            events[1..],
            [
                media(1, MessageKind::Data, 0, b"\x02\0\x0aonMetaData\x05"),
                media(1, MessageKind::Video, 0, &large),
                media(1, MessageKind::Audio, 1, &[0xaf, 1]),
                Event::Unpublish {
                    stream: MessageStreamId(1)
                },
            ]
        );
    }
}

#[test]
fn media_messages_and_what_is_taken_off_them() {
    let mut aggregate = Vec::new();
    for (kind, time, body) in [
        (8, 5000_u32, &b"aa"[..]),
        (9, 5040, b"vvv"),
        (18, 5040, b"\x05"),
        (7, 0, b""),
    ] {
        aggregate.push(kind);
        aggregate.extend_from_slice(&body.len().to_be_bytes()[5..]);
        aggregate.extend_from_slice(&time.to_be_bytes()[1..]);
        aggregate.extend_from_slice(&[0; 4]);
        aggregate.extend_from_slice(body);
        aggregate.extend_from_slice(&[0; 4]);
    }
    let without_last_pointer = aggregate[..aggregate.len() - 4].to_vec();
    let parts = vec![
        media(1, MessageKind::Audio, 100, b"aa"),
        media(1, MessageKind::Video, 140, b"vvv"),
        media(1, MessageKind::Data, 140, b"\x05"),
    ];
    let cases = [
        (
            message(8, 1, 7, b"a"),
            vec![media(1, MessageKind::Audio, 7, b"a")],
        ),
        (
            message(9, 1, 8, b"v"),
            vec![media(1, MessageKind::Video, 8, b"v")],
        ),
        (
            message(18, 1, 9, b"\x02\0\x01x"),
            vec![media(1, MessageKind::Data, 9, b"\x02\0\x01x")],
        ),
        (
            message(15, 1, 9, b"\0\x02\0\x01x"),
            vec![media(1, MessageKind::Data, 9, b"\x02\0\x01x")],
        ),
        (
            message(15, 1, 9, b"\0\x02\0\x0d@setDataFrame\x02\0\x0aonTextData"),
            vec![media(1, MessageKind::Data, 9, b"\x02\0\x0aonTextData")],
        ),
        (
            message(18, 1, 9, b"\x02\0\x0f@clearDataFrame\x02\0\x0aonMetaData"),
            vec![],
        ),
        (message(18, 1, 9, b"\x02\0\x0d@setDataFrame"), vec![]),
        (message(9, 1, 8, b""), vec![]),
        (message(9, 2, 8, b"v"), vec![]),
        (message(22, 1, 100, &aggregate), parts.clone()),
        (message(22, 1, 100, &without_last_pointer), parts),
        (message(22, 1, 100, b""), vec![]),
    ];
    for (input, expected) in cases {
        let mut client = Client::publishing();
        client.send(&input);
        assert_eq!(client.events(), expected);
    }
}

#[test]
fn acknowledgements_carry_the_running_total_and_tiny_windows_do_no_harm() {
    for (window, expected) in [(0, 1), (1, 1), (2000, 1), (10_000, 0)] {
        let mut client = Client::publishing();
        client.send(&message(5, 0, 0, &u32::to_be_bytes(window)));
        client.answers();
        client.session.acknowledgements.due_now();
        client.send(&message(9, 1, 0, &[1; 2500]));
        let total = u32::try_from(client.session.bytes_received()).expect("small");
        let line = format!("3@0 {:02x?}\n", total.to_be_bytes());
        assert_eq!(client.answers(), line.repeat(expected), "{window}");
    }
    let mut acknowledgements = Acknowledgements::default();
    acknowledgements.received(0x1_0000_0007);
    assert_eq!(acknowledgements.due(), Some(7));
    assert_eq!(acknowledgements.due(), None);
}

impl Acknowledgements {
    fn due_now(&mut self) {
        self.received(3_000_000);
        self.due();
    }
}

#[test]
fn events_before_a_fault_come_out_before_it() {
    let mut client = Client::publishing();
    client.send(
        &[
            message(9, 1, 0, b"v"),
            message(20, 0, 0, b""),
            message(9, 1, 0, b"w"),
        ]
        .concat(),
    );
    assert_eq!(
        client.session.pull().expect("event"),
        Some(media(1, MessageKind::Video, 0, b"v"))
    );
    assert!(client.session.pull().expect_err("fault").is_peer_fault());
    assert_eq!(client.session.pull().expect("dead"), None);
}
