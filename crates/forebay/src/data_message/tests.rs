mod any;
mod cues;

use super::*;
use crate::amf_sample::{message, number, object, text};

fn heard(payload: &Bytes) -> Heard {
    read(payload, 0, &mut Cues::default())
}

/// Frames of a tag as text: `TIT2 Hello`, `TXXX name=value`.
fn frames(payload: &Bytes) -> Vec<String> {
    let Heard { event, fault } = heard(payload);
    assert_eq!(fault, None);
    let (event, _) = event.expect("an event");
    let mut rest = &event.tag[10..];
    let mut frames = Vec::new();
    while let Some((header, behind)) = rest.split_first_chunk::<10>() {
        let size = usize::from(header[6]) << 7 | usize::from(header[7]);
        let (body, behind) = behind.split_at(size);
        let id = std::str::from_utf8(&header[..4]).expect("an id");
        let body = std::str::from_utf8(&body[1..]).expect("UTF-8");
        frames.push(format!("{id} {}", body.replace('\0', "=")));
        rest = behind;
    }
    frames
}

#[test]
fn text_is_a_title_and_the_whole_message_is_json() {
    let said = object(&[
        ("text", text("Grüß \"Gott\"")),
        ("language", text("de")),
        ("trackid", number(3.0)),
    ]);
    assert_eq!(
        frames(&message("onTextData", &[said])),
        [
            "TIT2 Grüß \"Gott\"",
            r#"TXXX onTextData={"language":"de","text":"Grüß \"Gott\"","trackid":3}"#
        ]
    );
}

#[test]
fn whatever_is_sent_is_json_under_its_name() {
    let nested = object(&[
        ("half", number(0.5)),
        ("none", vec![5]),
        ("no", vec![1, 0]),
        ("nan", number(f64::NAN)),
        (
            "date",
            [
                vec![11],
                number(1_795_392_000_000.0)[1..].to_vec(),
                vec![0, 0],
            ]
            .concat(),
        ),
        (
            "list",
            [vec![10, 0, 0, 0, 2], number(-1.0), text("x")].concat(),
        ),
    ]);
    let cases = [
        (
            message("score", &[nested]),
            r#"TXXX score={"date":1795392000000,"half":0.5,"list":[-1,"x"],"nan":null,"no":false,"none":null}"#,
        ),
        (message("goal", &[text("1:0")]), r#"TXXX goal="1:0""#),
        (
            message("goal", &[text("1:0"), number(1e300)]),
            r#"TXXX goal=["1:0",1e+300]"#,
        ),
        (message("bell", &[]), "TXXX bell=[]"),
        (message("on\nText", &[text("")]), r#"TXXX onText="""#),
    ];
    for (payload, expected) in cases {
        assert_eq!(frames(&payload), [expected]);
    }
}

#[test]
fn what_is_not_for_viewers_is_no_event() {
    for payload in [
        message("onMetaData", &[object(&[])]),
        message("|RtmpSampleAccess", &[vec![1, 0], vec![1, 0]]),
        message("", &[text("x")]),
        number(1.0).into(),
        Bytes::new(),
        Bytes::from_static(b"\x02\x00\x09onText"),
    ] {
        assert_eq!(heard(&payload), Heard::default(), "{payload:?}");
    }
}

#[test]
fn what_cannot_be_carried_is_told() {
    let deep = [[3, 0, 1, b'a']; 40].concat();
    for (payload, expected) in [
        (
            message("onTextData", &[vec![0, 1]]),
            "onTextData cannot be read: it ends at byte 15, inside a number; left out",
        ),
        (
            message("onTextData", &[deep]),
            "onTextData cannot be read: at byte 141 values lie deeper than 32 levels; left out",
        ),
        (
            message("blob", &[text(&"x".repeat(17_000))]),
            "blob has 17010 bytes, more than the 16384 that are carried; left out",
        ),
        (
            message("blob", &[text(&"\u{1}".repeat(16_000))]),
            "blob has more text than is carried; left out",
        ),
    ] {
        let Heard { event, fault } = heard(&payload);
        assert_eq!(event, None);
        let fault = fault.expect("it cannot be carried");
        assert_eq!(fault.kind, FaultKind::TimedMetadata);
        assert_eq!(fault.text, expected);
    }
}
