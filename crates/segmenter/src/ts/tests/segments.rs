//! Segments to write: steady ones as encoders make them, and arbitrary ones.

use std::time::SystemTime;

use bytes::Bytes;
use media::codec::{Aac, Ac3, Eac3, H264, H265, Mp3, Vp9KeyFrame, Vp9Record};
use media::{AccessUnit, Captions, Codec, MediaTime, Segment, Track, TsLayout};
use proptest::prelude::*;

use crate::random_access::tests::HVC;

/// x264, 1280×720, High 3.1.
const RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];

pub(in crate::ts) fn h264() -> Track {
    let config = H264::parse(Bytes::from_static(RECORD)).expect("x264's record");
    Track {
        codec: Codec::H264(config),
    }
}

/// x265, Main, 640×360.
pub(in crate::ts) fn h265() -> Track {
    let config = H265::parse(Bytes::from_static(HVC)).expect("x265's record");
    Track {
        codec: Codec::H265(config),
    }
}

/// LC, 48 kHz, stereo.
pub(in crate::ts) fn aac() -> Track {
    let config = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("a configuration");
    Track {
        codec: Codec::Aac(config),
    }
}

/// 0xfb: 44.1 kHz; 0xf3: half of it.
pub(in crate::ts) fn mp3(second_byte: u8) -> Track {
    let config = Mp3::parse(&[0xff, second_byte, 0x90, 0x64]).expect("a header");
    Track {
        codec: Codec::Mp3(config),
    }
}

/// 48 kHz, stereo, 192 kbit/s; frames of 768 bytes.
pub(in crate::ts) fn ac3() -> Track {
    let mut frame = vec![0x0b, 0x77, 0xfe, 0x95, 0x14, 0x40, 0x43, 0xe1];
    frame.resize(768, 0);
    Track {
        codec: Codec::Ac3(Ac3::parse(&frame).expect("a syncframe")),
    }
}

/// 48 kHz, 5.1, 384 kbit/s; frames of 1536 bytes.
pub(in crate::ts) fn eac3() -> Track {
    let mut frame = vec![0x0b, 0x77, 0x02, 0xff, 0x3f, 0x87, 0xc0, 0x00];
    frame.resize(1_536, 0);
    Track {
        codec: Codec::Eac3(Eac3::parse(&frame).expect("a syncframe")),
    }
}

/// What does not belong in MPEG-TS.
pub(super) fn vp9() -> Track {
    let record = Vp9Record::parse(Bytes::from_static(&[0, 21, 0x82, 2, 2, 2, 0, 0]));
    let key = [0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x16, 0x76, 0x06];
    let key = Vp9KeyFrame::read(&key).expect("a header");
    let config = record.expect("a record").with(key.expect("a key frame"));
    Track {
        codec: Codec::Vp9(config),
    }
}

/// NAL units behind lengths of 4 bytes.
pub(super) fn prefixed(units: &[&[u8]]) -> Vec<u8> {
    let mut payload = Vec::new();
    for unit in units {
        let length = u32::try_from(unit.len()).expect("short");
        payload.extend_from_slice(&length.to_be_bytes());
        payload.extend_from_slice(unit);
    }
    payload
}

pub(super) fn unit(track: usize, dts: MediaTime, payload: Vec<u8>) -> AccessUnit {
    AccessUnit {
        track,
        dts,
        composition: MediaTime::ZERO,
        random_access: false,
        payload: payload.into(),
    }
}

/// A segment of these units; its duration is that of as many units as it has of the leading track, at the
/// distance of its first two.
pub(super) fn steady(tracks: Vec<Track>, units: Vec<AccessUnit>) -> Segment {
    let leading = media::leading_track(&tracks);
    let led: Vec<_> = units.iter().filter(|unit| unit.track == leading).collect();
    let (start, duration) = match led[..] {
        [first, second, ..] => {
            let last = led[led.len() - 1];
            (first.pts(), last.dts - first.dts + (second.dts - first.dts))
        }
        [first] => (first.pts(), MediaTime::from_millis(40)),
        [] => (MediaTime::ZERO, MediaTime::from_millis(40)),
    };
    Segment {
        tracks: tracks.into(),
        units,
        events: Vec::new(),
        start,
        duration,
        date: SystemTime::UNIX_EPOCH,
        independent: true,
        discontinuity: false,
        captions: Captions::NONE,
        ts: TsLayout::default(),
    }
}

/// `count` segments of 2 s of film with sound, 3 Mbit/s and 128 kbit/s, B-pictures included.
pub(super) fn film(count: i64, rate: u32, per: i64) -> Vec<Segment> {
    let pictures = 2 * i64::from(rate) / per;
    let bytes = 3_000_000 / 8 * 2 / usize::try_from(pictures).expect("positive");
    (0..count)
        .map(|segment| {
            let time = |picture| MediaTime::from_ticks(picture * per, rate);
            let (from, to) = (segment * pictures, (segment + 1) * pictures);
            let mut units: Vec<AccessUnit> = (from..to)
                .map(|picture| {
                    let idr = picture == from;
                    let header = if idr { 0x65 } else { 0x41 };
                    let mut slice = vec![header; varied(bytes, picture)];
                    slice[1] = u8::try_from(picture % 251).expect("small");
                    let sei: &[u8] = &[6, 1, 2, 3];
                    let composition = [2, 4, 1][usize::try_from((picture - from) % 3).expect("3")];
                    AccessUnit {
                        composition: time(picture + composition) - time(picture),
                        random_access: idr,
                        ..unit(0, time(picture), prefixed(&[sei, &slice]))
                    }
                })
                .collect();
            let frames = |time: MediaTime| (time.rescale(48_000) + 1_023) / 1_024;
            units.extend((frames(time(from))..frames(time(to))).map(|frame| {
                let payload = vec![u8::try_from(frame % 251).expect("small"); varied(341, frame)];
                unit(1, MediaTime::from_ticks(frame * 1_024, 48_000), payload)
            }));
            let mut segment = steady(vec![h264(), aac()], units);
            segment.duration = time(to + 2) - segment.start;
            segment
        })
        .collect()
}

/// `bytes` give or take a tenth, so that the last packets of the units are filled as they happen to be.
fn varied(bytes: usize, n: i64) -> usize {
    let step = usize::try_from(n * 7_919 % 1_001).expect("positive");
    bytes * 9 / 10 + bytes * step / 5_000
}

/// `count` segments of 94 frames of 128 kbit/s.
pub(super) fn audio_only(count: i64, track: &Track) -> Vec<Segment> {
    let (samples, rate) = track.codec.samples_per_unit().expect("audio");
    (0..count)
        .map(|segment| {
            let time = |frame| MediaTime::from_ticks(frame * i64::from(samples), rate);
            let (from, to) = (segment * 94, (segment + 1) * 94);
            let units =
                (from..to).map(|frame| unit(0, time(frame), vec![0x55; varied(341, frame)]));
            let mut segment = steady(vec![track.clone()], units.collect());
            segment.duration = time(to) - time(from);
            segment
        })
        .collect()
}

/// Up to four segments of one set of tracks, of anything.
pub(super) fn any_segments() -> impl Strategy<Value = Vec<Segment>> {
    let tracks = prop_oneof![
        Just(vec![h264(), aac()]),
        Just(vec![aac(), h264()]),
        Just(vec![h264()]),
        Just(vec![aac()]),
        Just(vec![mp3(0xf3)]),
        Just(vec![]),
    ];
    let slice = (
        prop_oneof![Just(0x65_u8), Just(0x41), any::<u8>()],
        0..2_000_usize,
    )
        .prop_map(|(header, bytes)| prefixed(&[&[6, 1], &vec![header; bytes]]));
    let payload = prop_oneof![
        4 => slice,
        2 => proptest::collection::vec(any::<u8>(), 0..600),
        1 => (0..9_000_usize).prop_map(|bytes| vec![1; bytes]),
    ];
    let times = (0..90_i64, 0..3_i64, -20..200_i64);
    let unit = (0..3_usize, times, any::<bool>(), payload);
    let segment = (proptest::collection::vec(unit, 0..40), -10..5_000_i64);
    (tracks, proptest::collection::vec(segment, 1..=4)).prop_map(|(tracks, segments)| {
        let mut dts = MediaTime::ZERO;
        segments
            .into_iter()
            .map(|(units, duration)| {
                let units = units
                    .into_iter()
                    .map(
                        |(track, (step, grid, composition), random_access, payload)| {
                            dts += match grid {
                                0 => MediaTime::from_ticks(1_024, 48_000),
                                _ => MediaTime::from_millis(step),
                            };
                            AccessUnit {
                                track,
                                dts,
                                composition: MediaTime::from_millis(composition),
                                random_access,
                                payload: payload.into(),
                            }
                        },
                    )
                    .collect();
                let mut segment = steady(tracks.clone(), units);
                segment.duration = MediaTime::from_millis(duration);
                segment
            })
            .collect()
    })
}
