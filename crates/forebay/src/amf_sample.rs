//! AMF0 byte by byte, for tests of what reads it.

use bytes::Bytes;

/// A string, as AMF0.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("short").to_be_bytes();
    [&[2][..], &length, text.as_bytes()].concat()
}

pub(crate) fn number(number: f64) -> Vec<u8> {
    [&[0][..], &number.to_be_bytes()].concat()
}

/// An object with these properties, each as name and encoded value.
pub(crate) fn object(properties: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![3];
    for (name, value) in properties {
        bytes.extend_from_slice(&text(name)[1..]);
        bytes.extend_from_slice(value);
    }
    bytes.extend_from_slice(&[0, 0, 9]);
    bytes
}

/// A message with these values behind its name.
pub(crate) fn message(name: &str, values: &[Vec<u8>]) -> Bytes {
    [text(name), values.concat()].concat().into()
}
