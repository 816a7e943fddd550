//! ID3 tags, version 2.4 (id3v2.4.0-structure, id3v2.4.0-frames): what players of HLS get timed metadata in, in MPEG-TS
//! and CMAF alike.
//!
//! What does not belong here: which messages become which frames.

use bytes::Bytes;

/// A frame of text. Text ends at its first NUL, where this form has an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// TIT2 (§4.2.1): the one text that players show without knowing where it is from.
    Title(&'a str),
    /// TXXX (§4.2.6): what a publisher defines, by name.
    UserText {
        /// What it is.
        description: &'a str,
        /// What it says.
        value: &'a str,
    },
}

/// Sizes have 7 bits in a byte, so that none looks like the beginning of an audio frame.
const MAX_SIZE: usize = (1 << 28) - 1;
const HEADER: usize = 10;
/// The encoding of text: UTF-8.
const UTF_8: u8 = 3;

/// A tag with these frames; `None` if it would be longer than `most` bytes.
pub fn tag(frames: &[Frame<'_>], most: usize) -> Option<Bytes> {
    let size: usize = frames.iter().map(|frame| HEADER + frame.size()).sum();
    if HEADER + size > most.min(MAX_SIZE) {
        return None;
    }
    let mut bytes = Vec::with_capacity(HEADER + size);
    bytes.extend_from_slice(b"ID3\x04\0\0");
    bytes.extend_from_slice(&synchsafe(size));
    for frame in frames {
        frame.write(&mut bytes);
    }
    Some(bytes.into())
}

impl Frame<'_> {
    /// Bytes behind its header.
    fn size(&self) -> usize {
        match self {
            Self::Title(text) => 1 + until_nul(text).len(),
            Self::UserText { description, value } => {
                1 + until_nul(description).len() + 1 + until_nul(value).len()
            }
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(match self {
            Self::Title(_) => b"TIT2",
            Self::UserText { .. } => b"TXXX",
        });
        bytes.extend_from_slice(&synchsafe(self.size()));
        bytes.extend_from_slice(&[0, 0, UTF_8]);
        match self {
            Self::Title(text) => bytes.extend_from_slice(until_nul(text).as_bytes()),
            Self::UserText { description, value } => {
                bytes.extend_from_slice(until_nul(description).as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(until_nul(value).as_bytes());
            }
        }
    }
}

/// `text` up to a NUL, which would end it for a reader.
fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// A size below 2^28.
fn synchsafe(size: usize) -> [u8; 4] {
    let byte = |shift: usize| u8::try_from(size >> shift & 0x7f).unwrap_or_default();
    [byte(21), byte(14), byte(7), byte(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_byte_for_byte() {
        let frames = [
            Frame::Title("Grüß\0 dich"),
            Frame::UserText {
                description: "onTextData",
                value: "{}",
            },
        ];
        let expected = b"ID3\x04\0\0\0\0\0\x29\
            TIT2\0\0\0\x07\0\0\x03Gr\xc3\xbc\xc3\x9f\
            TXXX\0\0\0\x0e\0\0\x03onTextData\0{}";
        assert_eq!(tag(&frames, 51).as_deref(), Some(&expected[..]));
        assert_eq!(tag(&frames, 50), None);
    }

    proptest! {
        #[test]
        fn sizes_count_what_is_there(description in "\\PC{0,20}", value in "\\PC{0,300}") {
            let frame = Frame::UserText { description: &description, value: &value };
            let tag = tag(&[frame], 10_000).expect("it fits");
            let size = |at: usize| tag[at..at + 4].iter().fold(0, |size, &byte| {
                assert!(byte < 0x80);
                size << 7 | usize::from(byte)
            });
            prop_assert_eq!(size(6), tag.len() - HEADER);
            prop_assert_eq!(size(14), tag.len() - 2 * HEADER);
            let text = &tag[2 * HEADER + 1..];
            let (read, rest) = text.split_at(description.len());
            prop_assert_eq!(read, description.as_bytes());
            prop_assert_eq!(&rest[1..], value.as_bytes());
        }
    }
}
