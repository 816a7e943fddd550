//! Cue points, and what encoders are known to put in them.

use media::{Cue, MediaTime, Side};

use super::*;

/// Of a placement opportunity, event 0x4800008e, 307 s (ANSI/SCTE 35 §14.1), and its end (§14.3).
const START: &str = "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==";
const END: &str = "/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=";

/// As Elemental Live sends it, but for the name of what holds the section.
fn elemental(section: &str) -> Bytes {
    let parameters = object(&[("message", text(section))]);
    let cue = object(&[
        ("name", text("scte35")),
        ("time", number(12.5)),
        ("type", text("event")),
        ("parameters", parameters),
    ]);
    message("onCuePoint", &[cue])
}

/// As Adobe Primetime has it.
fn primetime(section: &str, duration: f64) -> Bytes {
    let cue = object(&[
        ("cue", text(section)),
        ("type", text("scte35")),
        ("id", text("1")),
        ("duration", number(duration)),
        ("time", number(12.5)),
    ]);
    message("onAdCue", &[cue])
}

/// What a message at `at_ms` that nothing is wrong with says of cues, and when they are.
fn found(cues: &mut Cues, payload: &Bytes, at_ms: u32) -> (Vec<Cue>, u32) {
    let Heard { event, fault } = read(payload, at_ms, cues);
    assert_eq!(fault, None);
    let (event, at_ms) = event.expect("an event");
    (event.cues, at_ms)
}

/// The one cue of it, if it has any.
fn cue(cues: &mut Cues, payload: &Bytes, at_ms: u32) -> Option<Cue> {
    let (mut found, _) = found(cues, payload, at_ms);
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

/// The one cue of a message that something is wrong with, and what.
fn faulty(payload: &Bytes) -> (Cue, Fault) {
    let Heard { event, fault } = read(payload, 0, &mut Cues::default());
    let (mut event, _) = event.expect("an event");
    (event.cues.pop().expect("a cue"), fault.expect("a fault"))
}

#[test]
fn a_cue_point_has_what_it_says_as_attributes() {
    let parameters = object(&[
        ("adId", text("ab\"c\r\nd")),
        ("weight", number(0.5)),
        ("skip", vec![1, 1]),
        ("name", text("not twice")),
        ("nested", object(&[])),
        ("größe", text("x".repeat(300).as_str())),
    ]);
    let point = object(&[
        ("name", text("break")),
        ("type", text("event")),
        ("duration", text("1.25")),
        ("parameters", parameters),
    ]);
    let mut cues = Cues::default();
    let payload = message("onCuePoint", &[point]);
    let first = cue(&mut cues, &payload, 0).expect("a cue");
    assert_eq!(first.class, Some("onCuePoint"));
    assert_eq!(first.planned, Some(MediaTime::from_millis(1_250)));
    let attributes: Vec<_> = first
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let long = format!("X-GR--E={}", "x".repeat(256));
    assert_eq!(
        attributes,
        [
            "X-NAME=break",
            "X-TYPE=event",
            "X-ADID=abcd",
            "X-WEIGHT=0.5",
            "X-SKIP=true",
            &long
        ]
    );
    assert_eq!(cue(&mut cues, &payload, 0), Some(first), "points repeat");
}

#[test]
fn a_cue_point_has_so_many_attributes_and_no_more() {
    let names: Vec<_> = (0..100).map(|n| format!("n{n}")).collect();
    let all: Vec<_> = names.iter().map(|name| (&name[..], number(1.0))).collect();
    let payload = message("onCuePoint", &[object(&all)]);
    let many = cue(&mut Cues::default(), &payload, 0).expect("a cue");
    assert_eq!(many.attributes.len(), 16);
    let long = "x".repeat(250);
    let names = names.iter().take(20);
    let all: Vec<_> = names.map(|name| (&name[..], text(&long))).collect();
    let payload = message("onCuePoint", &[object(&all)]);
    let long = cue(&mut Cues::default(), &payload, 0).expect("a cue");
    assert_eq!(long.attributes.len(), 4, "1024 bytes of all together");
}

#[test]
fn other_messages_are_no_cues() {
    for payload in [
        message("onTextData", &[object(&[("text", text("x"))])]),
        message("onCuePoint", &[]),
        message("onCuePoint", &[text("x")]),
    ] {
        assert_eq!(cue(&mut Cues::default(), &payload, 0), None);
    }
}

/// Its event, where it leads, and for how long in milliseconds.
fn splice(cue: Option<Cue>) -> Option<(Option<u32>, Side, Option<i64>)> {
    let cue = cue?;
    let planned = cue.planned.map(MediaTime::as_millis);
    let splice = cue.splice.expect("a splice");
    Some((splice.event, splice.side, planned))
}

#[test]
fn what_is_said_again_is_no_other_break() {
    let mut cues = Cues::default();
    let mut at = |ms, payload: &Bytes| splice(cue(&mut cues, payload, ms));
    let begun = Some((Some(0x4800_008e), Side::Out, Some(307_000)));
    let ended = Some((Some(0x4800_008e), Side::In, None));
    // Near the wrap of timestamps, and each said twice.
    let from = u32::MAX - 10_000;
    assert_eq!(at(from, &elemental(START)), begun);
    assert_eq!(at(from + 5_000, &elemental(START)), None);
    assert_eq!(at(30_000, &primetime(END, 0.0)), ended);
    assert_eq!(at(31_000, &primetime(END, 0.0)), None);
    // The encoder uses its number again.
    assert_eq!(at(40_000, &elemental(START)), begun);
    // Every minute, for who has just come: it lasts 307 s.
    for minute in 1..6 {
        assert_eq!(at(40_000 + minute * 60_000, &elemental(START)), None);
    }
    assert_eq!(at(340_500, &elemental(END)), ended);
    assert_eq!(at(400_000, &elemental(END)), ended, "of nothing known");
}

/// splice_insert, event 1, out, at once.
const OUT: &str = "/DAbAAAAAAAAAP/wCgUAAAABf98AAQAAAAC8d2D7";

#[test]
fn a_break_without_a_plan_is_the_same_while_it_is_said_again() {
    let mut cues = Cues::default();
    let mut is_new = |seconds: u32| cue(&mut cues, &elemental(OUT), seconds * 1_000).is_some();
    let found = [0, 20, 40, 60, 91].map(&mut is_new);
    assert_eq!(found, [true, false, false, false, true]);
}

#[test]
fn a_cue_is_when_it_says_where_that_is_a_little_ahead() {
    for (at_ms, expected) in [
        (4_499, 4_499),
        (4_500, 12_500),
        (12_000, 12_500),
        (12_501, 12_501),
    ] {
        let (cues, found) = found(&mut Cues::default(), &elemental(START), at_ms);
        assert_eq!((cues.len(), found), (1, expected));
    }
}

#[test]
fn a_section_without_a_duration_has_that_of_its_message() {
    for (section, planned) in [(OUT, 12_000), (START, 307_000)] {
        let cue = cue(&mut Cues::default(), &primetime(section, 12.0), 0);
        let (_, side, found) = splice(cue).expect("a splice");
        assert_eq!((side, found), (Side::Out, Some(planned)));
    }
}

#[test]
fn what_is_to_be_a_section_and_is_none_is_told_and_stays_a_cue_point() {
    let wrong = START.replace("cr0AU", "cr0AV");
    let long = format!("/D{}", "A".repeat(2_000));
    for (section, expected) in [
        (
            wrong.as_str(),
            "the SCTE-35 section of onCuePoint cannot be used: its CRC is 0x9ac9d17e, and has to be",
        ),
        (
            long.as_str(),
            "the SCTE-35 section of onCuePoint cannot be used: it is no base64 of at most 512 bytes; no splice is made of it",
        ),
    ] {
        let (cue, fault) = faulty(&elemental(section));
        assert_eq!(cue.splice, None);
        assert_eq!(fault.kind, FaultKind::TimedMetadata);
        assert!(fault.text.starts_with(expected), "{}", fault.text);
    }
    // A path is none, and nobody says so.
    let path = object(&[("name", text("slide")), ("url", text("/Do/not/read"))]);
    let path = cue(&mut Cues::default(), &message("onCuePoint", &[path]), 0);
    assert_eq!(path.map(|cue| cue.splice), Some(None));
}
