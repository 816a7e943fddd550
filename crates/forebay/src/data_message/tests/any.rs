//! Whatever comes: what it says is bounded, and can stand in a playlist.

use proptest::prelude::*;

use super::*;

/// A placement opportunity (ANSI/SCTE 35 §14.1), as base64.
const SECTION: &str =
    "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==";

/// Names of messages and of properties that mean something, and some that do not.
fn known() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("onCuePoint".to_owned()),
        Just("onAdCue".to_owned()),
        Just("onTextData".to_owned()),
        "(name|type|time|duration|id|cue|message|parameters|text|x-\\PC{0,40})",
        "\\PC{0,40}",
    ]
}

/// A value, as AMF0.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let section = (0..SECTION.len(), "[A-Za-z0-9+/=]{0,3}").prop_map(|(at, instead)| {
        let end = (at + instead.len()).min(SECTION.len());
        [&SECTION[..at], &instead, &SECTION[end..]].concat()
    });
    let leaf = prop_oneof![
        any::<f64>().prop_map(number),
        (0.0..100.0).prop_map(number),
        any::<bool>().prop_map(|it| vec![1, u8::from(it)]),
        section.prop_map(|it| text(&it)),
        "(scte35|SCTE35|event|\\PC{0,300})".prop_map(|it| text(&it)),
        Just(vec![5]),
    ];
    leaf.prop_recursive(3, 40, 20, |inner| {
        prop::collection::vec((known(), inner), 0..20).prop_map(|properties| {
            let properties: Vec<_> = properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            object(&properties)
        })
    })
}

/// Reads it twice: what was said before counts.
fn check(payload: &Bytes) {
    let mut cues = Cues::default();
    for _ in 0..2 {
        let Heard { event, .. } = read(payload, 20_000, &mut cues);
        let Some((event, at_ms)) = event else {
            continue;
        };
        assert!(event.tag.len() <= MOST_TAG_BYTES);
        assert!((12_000..=28_000).contains(&at_ms), "{at_ms}");
        for cue in &event.cues {
            let attributes = &cue.attributes;
            assert!(attributes.len() <= 16, "{attributes:?}");
            for (name, value) in attributes {
                let is_in_name =
                    |it: u8| it.is_ascii_uppercase() || it == b'-' || it.is_ascii_digit();
                assert!(
                    name.starts_with("X-") && name.bytes().all(is_in_name),
                    "{name}"
                );
                assert!(!value.contains(['"', '\r', '\n']), "{value:?}");
                let mut same = attributes.iter().filter(|(other, _)| other == name);
                assert!(same.nth(1).is_none(), "{name} is there twice");
            }
        }
    }
}

proptest! {
    #[test]
    fn what_a_message_says_is_bounded(
        name in known(),
        values in prop::collection::vec(value(), 0..3),
    ) {
        check(&message(&name, &values));
    }

    #[test]
    fn any_bytes_are_a_message_or_not(
        name in known(),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&[text(&name), rest].concat().into());
    }
}
