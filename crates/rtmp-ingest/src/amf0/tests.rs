use proptest::prelude::*;

use super::writer::write_value;
use super::*;

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn nested(marker: &[u8], levels: usize) -> Vec<u8> {
    marker.repeat(levels)
}

#[test]
fn every_marker() {
    let number = [&[0_u8][..], &1.5_f64.to_be_bytes()].concat();
    let cases: &[(&[u8], Value)] = &[
        (&number, Value::Number(1.5)),
        (&[1, 0], Value::Boolean(false)),
        (&[1, 7], Value::Boolean(true)),
        (b"\x02\0\x02ab", text("ab")),
        (b"\x02\0\x02a\xff", text("a\u{fffd}")),
        (
            b"\x03\0\x01a\x05\0\x01b\x02\0\x01c\0\0\x09",
            Value::Object(vec![("a".into(), Value::Null), ("b".into(), text("c"))]),
        ),
        (&[4], Value::Undefined),
        (&[5], Value::Null),
        (&[6], Value::Undefined),
        (&[7, 0, 1], Value::Undefined),
        (
            b"\x08\xff\xff\xff\xff\0\x01a\x01\x01\0\0\x09",
            Value::EcmaArray(vec![("a".into(), Value::Boolean(true))]),
        ),
        (
            b"\x0a\0\0\0\x02\x05\x06",
            Value::StrictArray(vec![Value::Null, Value::Undefined]),
        ),
        (b"\x0a\0\0\0\0", Value::StrictArray(vec![])),
        (&[11, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0], Value::Date(1.0)),
        (b"\x0c\0\0\0\x02ab", text("ab")),
        (&[13], Value::Unsupported),
        (b"\x0f\0\0\0\x04<a/>", Value::Xml("<a/>".into())),
        (
            b"\x10\0\x01C\0\x01a\x05\0\0\x09",
            Value::TypedObject {
                class: "C".into(),
                properties: vec![("a".into(), Value::Null)],
            },
        ),
        // A property may have an empty name, as long as no end marker follows it.
        (
            b"\x03\0\0\x05\0\0\x09",
            Value::Object(vec![(String::new(), Value::Null)]),
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read_all(bytes), Ok(vec![expected.clone()]), "{bytes:02x?}");
        for end in 1..bytes.len() {
            assert!(
                matches!(read_all(&bytes[..end]), Err(Error::Truncated { at, .. }) if at == end)
                    || matches!(expected, Value::EcmaArray(_)),
                "{bytes:02x?} cut at {end}"
            );
        }
    }
}

#[test]
fn the_switch_to_amf3_ends_the_values_quietly() {
    assert_eq!(read_all(b"\x05\x11\x0a\x0b"), Ok(vec![Value::Null]));
    assert_eq!(
        read_all(b"\x03\0\x01a\x05\0\x01b\x11\x99"),
        Ok(vec![Value::Object(vec![("a".into(), Value::Null)])])
    );
}

#[test]
fn an_ecma_array_without_its_end_marker_at_the_end() {
    assert_eq!(
        read_all(b"\x08\0\0\0\x01\0\x01a\x05"),
        Ok(vec![Value::EcmaArray(vec![("a".into(), Value::Null)])])
    );
}

#[test]
fn nesting_beyond_the_limit_is_refused_where_it_happens() {
    for marker in [
        &b"\x0a\0\0\0\x01"[..],
        b"\x03\0\x01a",
        b"\x08\0\0\0\0\0\x01a",
    ] {
        let deep = nested(marker, 10_000);
        assert_eq!(
            read_all(&deep),
            Err(Error::TooDeep {
                at: MAX_DEPTH * marker.len()
            })
        );
        let allowed = [nested(marker, MAX_DEPTH), vec![5]].concat();
        assert!(
            !matches!(read_all(&allowed), Err(Error::TooDeep { .. })),
            "{marker:?}"
        );
    }
    let allowed = [nested(b"\x0a\0\0\0\x01", MAX_DEPTH), vec![5]].concat();
    assert!(read_all(&allowed).is_ok());
}

#[test]
fn declared_counts_and_lengths_reserve_nothing() {
    assert_eq!(
        read_all(b"\x0a\xff\xff\xff\xff\x05"),
        Err(Error::Truncated {
            at: 6,
            field: "a value"
        })
    );
    assert_eq!(
        read_all(b"\x0c\xff\xff\xff\xffab"),
        Err(Error::Truncated {
            at: 7,
            field: "a long string"
        })
    );
}

#[test]
fn the_number_of_values_is_bounded() {
    assert_eq!(
        read_all(&vec![5; MAX_VALUES]).map(|values| values.len()),
        Ok(MAX_VALUES)
    );
    assert_eq!(
        read_all(&vec![5; MAX_VALUES + 1]),
        Err(Error::TooMany { at: MAX_VALUES })
    );
}

#[test]
fn unknown_markers_are_named() {
    assert_eq!(
        read_all(&[5, 0x42]),
        Err(Error::Marker { at: 1, found: 0x42 })
    );
    assert_eq!(
        Error::Marker { at: 1, found: 0x42 }.to_string(),
        "byte 1 is 0x42, which is no AMF0 marker"
    );
}

#[test]
fn replies_are_written_in_order() {
    let written = write_command(
        "_result",
        1.0,
        &[
            Property::Null,
            Property::Object(&[
                ("b", Property::Text("x")),
                ("a", Property::Object(&[("n", Property::Number(31.0))])),
            ]),
            Property::Undefined,
        ],
    );
    assert_eq!(
        read_all(&written),
        Ok(vec![
            text("_result"),
            Value::Number(1.0),
            Value::Null,
            Value::Object(vec![
                ("b".into(), text("x")),
                (
                    "a".into(),
                    Value::Object(vec![("n".into(), Value::Number(31.0))])
                ),
            ]),
            Value::Undefined,
        ])
    );
}

#[test]
fn long_text_is_shortened_in_replies() {
    let mut out = Vec::new();
    write_value(&mut out, Property::Text(&"ж".repeat(100_000)));
    assert_eq!(read_all(&out), Ok(vec![text(&"ж".repeat(512))]));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in proptest::collection::vec(prop_oneof![0_u8..20, any::<u8>()], 0..400),
    ) {
        if let Ok(values) = read_all(&bytes) {
            prop_assert!(values.len() <= bytes.len());
        }
    }

    #[test]
    fn what_rml_amf0_writes_is_read(number in any::<f64>(), string in ".{0,50}", flag in any::<bool>()) {
        prop_assume!(!number.is_nan());
        use rml_amf0::Amf0Value;
        let object = [("key".to_owned(), Amf0Value::Utf8String(string.clone()))].into();
        let written = rml_amf0::serialize(&vec![
            Amf0Value::Number(number), Amf0Value::Boolean(flag), Amf0Value::Object(object),
        ]).expect("serialises");
        prop_assert_eq!(read_all(&written), Ok(vec![
            Value::Number(number),
            Value::Boolean(flag),
            Value::Object(vec![("key".into(), Value::String(string))]),
        ]));
    }
}
