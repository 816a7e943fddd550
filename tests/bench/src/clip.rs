//! Eight seconds of media that every publisher repeats: 3 Mbit/s of H.264 and 128 kbit/s of AAC.
//!
//! The parameter sets are x264's for 1280x720 at 30 fps; slices are bytes from a fixed sequence
//! behind a plausible NAL unit and slice header, in the sizes and the order (I, then P B B) that
//! x264 gives a GOP of two seconds with two B-frames. Neither server decodes, so this costs them
//! what a picture would, and it is the same on every machine.

use std::collections::HashMap;

use rml_amf0::Amf0Value;

use crate::chunk::{Kind, Message};

/// Milliseconds from a random access unit to the next.
pub(crate) const GOP_MS: u32 = 2000;
/// Length of the cycle: the shortest that holds whole GOPs and whole AAC frames.
pub(crate) const PERIOD_MS: u32 = 8000;

const FRAMES_PER_SECOND: u32 = 30;
/// Pictures from a random access unit to the next.
pub(crate) const FRAMES_PER_GOP: u32 = FRAMES_PER_SECOND * GOP_MS / 1000;
const SAMPLE_RATE: u32 = 48_000;
const SAMPLES_PER_FRAME: u32 = 1024;

/// Access unit sizes, bytes; a GOP of 1 I, 20 P and 39 B comes to 750 kB, 3 Mbit/s.
const I_BYTES: usize = 80_000;
const P_BYTES: usize = 17_000;
const B_BYTES: usize = 8_460;
/// 128 kbit/s at 46.875 frames a second.
const AAC_BYTES: usize = 341;

/// `AVCDecoderConfigurationRecord` of x264: High, level 3.1, 1280x720, 30 fps.
const AVCC: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x04, 0x68, 0xef, 0xbc, 0xb0, 0xfd, 0xf8, 0xf8, 0x00,
];
/// `AudioSpecificConfig`: AAC-LC, 48 kHz, stereo.
const ASC: &[u8] = &[0x11, 0x90];

/// One access unit of the cycle.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Since the cycle's start.
    pub(crate) timestamp_ms: u32,
    /// Whether a segment can begin here.
    pub(crate) random_access: bool,
    pub(crate) message: Message,
}

/// What a publisher sends.
#[derive(Debug)]
pub(crate) struct Clip {
    /// onMetaData and the sequence headers, sent once.
    pub(crate) headers: Vec<Message>,
    /// In sending order; begins with a random access unit.
    pub(crate) cycle: Vec<Unit>,
}

impl Clip {
    /// Makes the clip; the same bytes every time.
    pub(crate) fn new() -> Self {
        Self::with_tracks(1)
    }

    /// The same with so many video tracks, of the same pictures: those behind the first as Enhanced RTMP has them.
    pub(crate) fn with_tracks(count: u8) -> Self {
        let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
        let mut cycle = Vec::new();
        for index in 0..PERIOD_MS / 1000 * FRAMES_PER_SECOND {
            let in_gop = index % FRAMES_PER_GOP;
            let picture = picture(in_gop, &mut noise);
            cycle.extend((0..count).map(|track| Unit {
                timestamp_ms: frame_ms(index),
                random_access: in_gop == 0 && track == 0,
                message: Message::new(Kind::Video, &of_track(track, &picture)),
            }));
        }
        for index in 0..PERIOD_MS * (SAMPLE_RATE / 1000) / SAMPLES_PER_FRAME {
            let mut body = vec![0xAF, 1];
            noise.extend(&mut body, AAC_BYTES);
            cycle.push(Unit {
                timestamp_ms: index * SAMPLES_PER_FRAME / (SAMPLE_RATE / 1000),
                random_access: false,
                message: Message::new(Kind::Audio, &body),
            });
        }
        // Stable: of two with one timestamp the picture goes first, so a cycle begins with an IDR.
        cycle.sort_by_key(|unit| unit.timestamp_ms);

        let mut headers = vec![
            Message::new(Kind::Data, &metadata()),
            Message::new(Kind::Audio, &[&[0xAF, 0], ASC].concat()),
        ];
        let configuration = [&[0x17, 0, 0, 0, 0], AVCC].concat();
        headers.extend(
            (0..count).map(|track| Message::new(Kind::Video, &of_track(track, &configuration))),
        );
        Self { headers, cycle }
    }
}

/// An FLV video tag body as that of a track: as it is for the first, else as Multitrack of one track (Enhanced RTMP v2).
fn of_track(track: u8, body: &[u8]) -> Vec<u8> {
    const MULTITRACK: u8 = 6;
    let &[head, kind, c2, c1, c0, ref rest @ ..] = body else {
        unreachable!("a tag body of AVC has five bytes at least");
    };
    if track == 0 {
        return body.to_vec();
    }
    let mut multitrack = vec![0x80 | (head & 0x70) | MULTITRACK, kind];
    multitrack.extend_from_slice(b"avc1");
    multitrack.push(track);
    if kind == 1 {
        multitrack.extend_from_slice(&[c2, c1, c0]);
    }
    multitrack.extend_from_slice(rest);
    multitrack
}

/// Milliseconds of a frame, as encoders round them.
fn frame_ms(index: u32) -> u32 {
    (index * 1000 + FRAMES_PER_SECOND / 2) / FRAMES_PER_SECOND
}

/// The FLV video tag body of the GOP's access unit `index` in decoding order.
fn picture(index: u32, noise: &mut Noise) -> Vec<u8> {
    // (first FLV byte, NAL unit header, slice header, bytes, composition time in frames); the
    // encoder delays by one frame so that no composition time is below zero.
    let (flv, nal, slice, bytes, composition) = if index == 0 {
        (0x17, 0x65, 0x88, I_BYTES, 1)
    } else if index % 3 == 1 && index + 1 < FRAMES_PER_GOP {
        // The last P of the GOP has one B before it, all others two.
        let ahead = 2.min(FRAMES_PER_GOP - 1 - index);
        (0x27, 0x41, 0x9A, P_BYTES, ahead + 1)
    } else {
        (0x27, 0x01, 0x9E, B_BYTES, 0)
    };
    // A tenth more or less, as a rate control would; the mean stays.
    let spread = bytes / 10;
    let bytes =
        bytes - spread + usize::try_from(noise.next() % 1000).map_or(0, |n| n * spread / 500);

    let mut body = vec![flv, 1];
    body.extend_from_slice(&frame_ms(composition).to_be_bytes()[1..]);
    let nal_bytes = u32::try_from(bytes).expect("an access unit should be small");
    body.extend_from_slice(&nal_bytes.to_be_bytes());
    body.extend_from_slice(&[nal, slice]);
    noise.extend(&mut body, bytes - 2);
    body
}

/// `@setDataFrame onMetaData`, as ffmpeg sends it.
fn metadata() -> Vec<u8> {
    let numbers = [
        ("duration", 0.0),
        ("width", 1280.0),
        ("height", 720.0),
        ("videodatarate", 3000.0),
        ("framerate", f64::from(FRAMES_PER_SECOND)),
        ("videocodecid", 7.0),
        ("audiodatarate", 128.0),
        ("audiosamplerate", f64::from(SAMPLE_RATE)),
        ("audiosamplesize", 16.0),
        ("audiocodecid", 10.0),
    ];
    let mut object: HashMap<String, Amf0Value> = numbers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Amf0Value::Number(value)))
        .collect();
    object.insert("stereo".to_owned(), Amf0Value::Boolean(true));
    object.insert(
        "encoder".to_owned(),
        Amf0Value::Utf8String("forebay bench".to_owned()),
    );
    let values = [
        Amf0Value::Utf8String("@setDataFrame".to_owned()),
        Amf0Value::Utf8String("onMetaData".to_owned()),
        Amf0Value::Object(object),
    ];
    rml_amf0::serialize(&values.to_vec()).expect("our own metadata should be writable")
}

/// A fixed sequence (xorshift64) without zero bytes, which would need emulation prevention.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn extend(&mut self, body: &mut Vec<u8>, count: usize) {
        body.reserve(count);
        let end = body.len() + count;
        while body.len() < end {
            let bytes = self.next().to_le_bytes();
            let wanted = (end - body.len()).min(bytes.len());
            body.extend(bytes.iter().take(wanted).map(|byte| byte | 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_rate_is_what_the_table_says() {
        let clip = Clip::new();
        let units = clip.cycle.iter();
        let bytes: usize = units.map(|unit| unit.message.at(0, 1).1.len()).sum();
        let kilobits_per_second = bytes * 8 / usize::try_from(PERIOD_MS).unwrap();
        assert!(
            (3_100..3_200).contains(&kilobits_per_second),
            "{kilobits_per_second} kbit/s"
        );
    }

    #[test]
    fn a_cycle_follows_a_cycle_without_a_gap() {
        let clip = Clip::new();
        let of = |keep: fn(&Unit) -> bool| -> Vec<u32> {
            let units = clip.cycle.iter().filter(|unit| keep(unit));
            units.map(|unit| unit.timestamp_ms).collect()
        };
        assert!(clip.cycle[0].random_access);
        assert_eq!(of(|unit| unit.random_access), [0, 2000, 4000, 6000]);
        let all = of(|_| true);
        assert_eq!(all.len(), 240 + 375);
        assert!(all.is_sorted());
        assert!(PERIOD_MS - all.last().unwrap() <= 34, "{:?}", all.last());
    }

    #[test]
    fn every_picture_of_a_gop_is_shown_once() {
        let mut noise = Noise(1);
        let mut shown: Vec<u32> = (0..FRAMES_PER_GOP)
            .map(|index| {
                let body = picture(index, &mut noise);
                frame_ms(index) + u32::from_be_bytes([0, body[2], body[3], body[4]])
            })
            .collect();
        shown.sort_unstable();
        let apart: Vec<u32> = shown.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(apart.iter().all(|ms| (32..=35).contains(ms)), "{apart:?}");
    }
}
