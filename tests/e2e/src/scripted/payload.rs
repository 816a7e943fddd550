//! What two containers carry of one access unit, as a number: equal for the same unit in FLV and MPEG-TS.

use std::hash::{DefaultHasher, Hasher};

/// NAL unit types that a container adds or leaves out: SPS, PPS, delimiter, filler (H.264 table 7-1).
const OF_THE_CONTAINER: [u8; 4] = [7, 8, 9, 12];

/// A hash of the NAL units of a picture behind lengths of four bytes, as in FLV.
pub fn avcc_payload(mut bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).min(rest.len());
        let (unit, rest) = rest.split_at(length);
        add(unit, &mut hasher);
        bytes = rest;
    }
    hasher.finish()
}

/// The same of a picture in a byte stream (H.264 Annex B), as in MPEG-TS.
pub fn byte_stream_payload(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut begin = None;
    let mut at = 0;
    while at + 3 <= bytes.len() {
        if bytes[at..].starts_with(&[0, 0, 1]) {
            if let Some(begin) = begin {
                add(&bytes[begin..at], &mut hasher);
            }
            at += 3;
            begin = Some(at);
        } else {
            at += 1;
        }
    }
    if let Some(begin) = begin {
        add(&bytes[begin..], &mut hasher);
    }
    hasher.finish()
}

/// A hash of an audio frame without the header that a container gives it.
pub fn audio_payload(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn add(unit: &[u8], hasher: &mut DefaultHasher) {
    // Zeros at a unit's end may belong to the next start code.
    let end = unit.iter().rposition(|&byte| byte != 0);
    let unit = end.map_or(&[][..], |end| &unit[..=end]);
    let Some(&first) = unit.first() else { return };
    if !OF_THE_CONTAINER.contains(&(first & 0x1f)) {
        hasher.write(unit);
        hasher.write_u8(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_picture_in_both_forms_is_the_same() {
        let (sei, slice): (&[u8], &[u8]) = (&[6, 5, 1, 0x80], &[0x65, 0x88, 0x84]);
        let lengths = [&[0, 0, 0, 4][..], sei, &[0, 0, 0, 3], slice].concat();
        let delimiter = &[0, 0, 0, 1, 9, 0xf0];
        let codes = [
            &delimiter[..],
            &[0, 0, 0, 1, 0x67, 1],
            &[0, 0, 1],
            sei,
            &[0, 0, 0, 1],
            slice,
        ]
        .concat();
        assert_eq!(avcc_payload(&lengths), byte_stream_payload(&codes));
        let other = [&[0, 0, 0, 3][..], slice].concat();
        assert_ne!(avcc_payload(&lengths), avcc_payload(&other));
    }
}
