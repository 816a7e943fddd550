//! Writing the commands the gateway answers with. Scalars are written by rml_amf0; objects are framed
//! here, since its own have a random order and replies should be the same every time.

use rml_amf0::Amf0Value;

/// Longest text in a reply, bytes: descriptions hold the peer's words, and strings are limited to 65 535.
const MAX_TEXT_BYTES: usize = 1024;

/// A value in a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Property<'a> {
    Null,
    Undefined,
    Number(f64),
    Text(&'a str),
    Object(&'a [(&'a str, Property<'a>)]),
    StrictArray(&'a [Property<'a>]),
}

/// A command message's body.
pub(crate) fn write_command(name: &str, transaction: f64, arguments: &[Property<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_value(&mut out, Property::Text(name));
    write_value(&mut out, Property::Number(transaction));
    for &argument in arguments {
        write_value(&mut out, argument);
    }
    out
}

/// Appends one value. Objects lie in objects as deep as the caller writes them.
pub(super) fn write_value(out: &mut Vec<u8>, value: Property<'_>) {
    let scalar = match value {
        Property::Null => Amf0Value::Null,
        Property::Undefined => Amf0Value::Undefined,
        Property::Number(number) => Amf0Value::Number(number),
        Property::Text(text) => Amf0Value::Utf8String(shortened(text).to_owned()),
        Property::Object(properties) => {
            out.push(3);
            for &(name, property) in properties {
                write_name(out, name);
                write_value(out, property);
            }
            out.extend_from_slice(&[0, 0, 9]);
            return;
        }
        Property::StrictArray(values) => {
            out.push(10);
            let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_be_bytes());
            for &value in values {
                write_value(out, value);
            }
            return;
        }
    };
    let written = rml_amf0::serialize(&vec![scalar])
        .expect("text should fit its 16-bit length after being shortened");
    out.extend_from_slice(&written);
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    let name = shortened(name);
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(name.as_bytes());
}

fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES))
        .unwrap_or_default()
}
