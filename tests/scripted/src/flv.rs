//! Bodies of audio and video messages (FLV 10.1 §E.4.2, §E.4.3), each with a number in it by which it is
//! known again.

use crate::script::{Configuration, Content, Key};

/// Stands before the number of a message in its payload.
const MARK: &[u8; 8] = b"\xf0\xeb\xa1\x9c\x3d\x77\x51\xe2";

/// 128×96, Baseline.
const BASELINE: &[u8] = &[
    1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c, 0x80, 1,
    0, 4, 0x68, 0xce, 0x3c, 0x80,
];

/// 1280×720, High 3.1, x264's.
const HIGH: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];

/// A picture.
pub(crate) fn picture(key: Key, composition_ms: i32, content: &Content, number: u32) -> Vec<u8> {
    let announced = matches!(key, Key::Idr | Key::InName | Key::RecoveryPoint);
    let [_, c0, c1, c2] = composition_ms.to_be_bytes();
    let mut body = vec![if announced { 0x17 } else { 0x27 }, 1, c0, c1, c2];
    let slice = match key {
        Key::Idr | Key::Hidden => 0x65,
        Key::None | Key::InName | Key::RecoveryPoint => 0x41,
    };
    if key == Key::RecoveryPoint {
        // SEI: recovery point, one byte, recovery_frame_cnt 0.
        nal(&[6, 6, 1, 0xc4, 0x80], &mut body);
    }
    let marked = [&[slice][..], MARK, &number.to_be_bytes()].concat();
    match content {
        Content::Bytes(count) => {
            let filler = vec![slice; usize::from(*count) % 4_096];
            nal(&[&marked[..], &filler].concat(), &mut body);
        }
        Content::Empty => body.truncate(5),
        Content::TooLong => {
            body.extend_from_slice(&[0, 0, 0xff, 0xff]);
            body.extend_from_slice(&marked);
        }
        Content::Delimited => {
            nal(&[9, 0xf0], &mut body);
            nal(&marked, &mut body);
            nal(&[12, 0xff, 0x80], &mut body);
        }
        Content::Anything(bytes) => body.extend_from_slice(bytes),
    }
    body
}

fn nal(unit: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(unit.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(unit);
}

/// An AAC frame of `bytes` and its number.
pub(crate) fn sound(bytes: u8, number: u32) -> Vec<u8> {
    let filler = vec![0x21; usize::from(bytes)];
    [&[0xaf, 1][..], MARK, &number.to_be_bytes(), &filler].concat()
}

/// A configuration, and whether it is video's.
pub(crate) fn configuration(which: Configuration) -> (bool, Vec<u8>) {
    let video = |record: &[u8]| (true, [&[0x17, 0, 0, 0, 0], record].concat());
    let audio = |config: &[u8]| (false, [&[0xaf, 0], config].concat());
    match which {
        Configuration::Baseline => video(BASELINE),
        Configuration::High => video(HIGH),
        Configuration::OtherPictureParameters => {
            let mut record = BASELINE.to_vec();
            if let Some(last) = record.last_mut() {
                *last = 0x40;
            }
            video(&record)
        }
        Configuration::NoVideo => video(&[]),
        Configuration::Aac44 => audio(&[0x12, 0x10]),
        Configuration::Aac48 => audio(&[0x11, 0x90]),
        Configuration::AacMono => audio(&[0x11, 0x88]),
        Configuration::NoAudio => audio(&[]),
    }
}

/// The number in a payload, if it has one.
pub(crate) fn number(payload: &[u8]) -> Option<u32> {
    let at = payload.windows(MARK.len()).position(|part| part == MARK)?;
    let number = payload.get(at + MARK.len()..)?.first_chunk()?;
    Some(u32::from_be_bytes(*number))
}
