//! Whether decoding can begin with an access unit: asked of what is in it, since encoders mark pictures as key frames
//! that are none. Lengths inside it are checked on the way, so that what is held can be taken apart without surprise.
//!
//! What does not belong here: how an access unit was sent (`flv`), configurations (`media::codec`).

use media::Codec;
use media::codec::{Av1, ConfigurationError, Vp9, av1};
use thiserror::Error;

use crate::flv::Entry;
use crate::nal;

/// What the encoder says of an access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Decoding can begin here.
    KeyFrame,
    /// Nothing, or something else.
    Other,
}

/// An access unit that cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A NAL unit goes beyond it.
    #[error(
        "a video message of {bytes} bytes has a NAL unit of {length} bytes at byte {at}, beyond its end; dropped"
    )]
    NalUnit {
        /// Length of the access unit.
        bytes: usize,
        /// Where the NAL unit's length stands.
        at: usize,
        /// What that says.
        length: usize,
    },
    /// There is no NAL unit with a byte in it.
    #[error("a video message has only NAL units of 0 bytes; dropped")]
    NoNalUnit,
    /// An OBU goes beyond it, or has forbidden bits.
    #[error(
        "a video message of {bytes} bytes has an OBU at byte {at} that goes beyond its end or is none; dropped"
    )]
    Obu {
        /// Length of the access unit.
        bytes: usize,
        /// Where the OBU begins.
        at: usize,
    },
    /// The header of its first frame cannot be read, or a frame goes beyond it.
    #[error("a video message was dropped: {0}")]
    Frame(#[from] ConfigurationError),
}

/// Whether decoding can begin with `unit`, an access unit of `codec` that is `mark`ed as the container has it: the
/// payload behind the composition time, for AV1 with or without its temporal delimiter.
///
/// Only H.264 looks at the mark: some encoders announce a recovery point with each picture. In H.265 an IDR or BLA
/// picture is a random access, a CRA picture (an open GOP) a recovery point; in AV1 and VP9 a key frame is a random
/// access. Each unit of audio is one, and is not looked at.
///
/// # Errors
/// What is in it does not fit it.
pub fn of(codec: &Codec, unit: &[u8], mark: Mark) -> Result<Entry, Malformed> {
    match codec {
        Codec::H264(h264) => nal_units(unit, h264.length_size, |nal_unit| {
            if nal::kind(nal_unit) == nal::IDR {
                Entry::RandomAccess
            } else if mark == Mark::KeyFrame && nal::is_recovery_point(nal_unit) {
                Entry::RecoveryPoint
            } else {
                Entry::None
            }
        }),
        Codec::H265(h265) => nal_units(unit, h265.length_size, h265_entry),
        Codec::Av1(_) => Av1::is_random_access(unit)
            .map(from_key)
            .map_err(|av1::Misfit { at }| Malformed::Obu {
                bytes: unit.len(),
                at,
            }),
        Codec::Vp9(_) => Ok(from_key(Vp9::is_random_access(unit)?)),
        Codec::Aac(_)
        | Codec::Mp3(_)
        | Codec::Opus(_)
        | Codec::Flac(_)
        | Codec::Ac3(_)
        | Codec::Eac3(_) => Ok(Entry::RandomAccess),
    }
}

/// The most that one of the NAL units of `unit` says, which their lengths have to fill exactly.
fn nal_units(
    unit: &[u8],
    length_size: u8,
    entry: impl Fn(&[u8]) -> Entry,
) -> Result<Entry, Malformed> {
    let mut units = nal::Units::new(unit, length_size);
    let mut most = None;
    for nal_unit in units.by_ref() {
        most = Some(match (most, entry(nal_unit)) {
            (Some(Entry::RandomAccess), _) | (_, Entry::RandomAccess) => Entry::RandomAccess,
            (Some(Entry::RecoveryPoint), _) | (_, Entry::RecoveryPoint) => Entry::RecoveryPoint,
            (_, Entry::None) => Entry::None,
        });
    }
    if let Some(nal::Misfit { at, length }) = units.misfit() {
        return Err(Malformed::NalUnit {
            bytes: unit.len(),
            at,
            length,
        });
    }
    most.ok_or(Malformed::NoNalUnit)
}

/// ITU-T H.265 table 7-1, of the base layer.
pub(crate) fn h265_entry(nal_unit: &[u8]) -> Entry {
    const BLA_W_LP: u8 = 16;
    const IDR_N_LP: u8 = 20;
    const CRA: u8 = 21;
    let Some(&[first, second]) = nal_unit.first_chunk() else {
        return Entry::None;
    };
    let is_base_layer = first & 1 == 0 && second >> 3 == 0;
    match nal::h265_kind(nal_unit) {
        BLA_W_LP..=IDR_N_LP if is_base_layer => Entry::RandomAccess,
        CRA if is_base_layer => Entry::RecoveryPoint,
        _ => Entry::None,
    }
}

const fn from_key(is_key: bool) -> Entry {
    if is_key {
        Entry::RandomAccess
    } else {
        Entry::None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use media::codec::{Aac, H264, H265, Vp9KeyFrame, Vp9Record};
    use proptest::prelude::*;

    use super::*;

    /// Baseline, 128×96.
    pub(crate) const AVC: &[u8] = &[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
    ];
    /// Main, 640×360; NAL lengths of 4 bytes.
    pub(crate) const HVC: &[u8] = &[
        0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00,
        0xfc, 0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01,
        0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x03, 0x00, 0x3f, 0x95, 0x94, 0x09, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01,
        0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f,
        0xa0, 0x05, 0x02, 0x01, 0x71, 0xf2, 0xe5, 0x95, 0x95, 0x29, 0x30, 0xbc, 0x05, 0xa0, 0x20,
        0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0x21, 0x22, 0x00, 0x01, 0x00, 0x06,
        0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89,
    ];
    /// 640×360.
    pub(crate) const AV1C: &[u8] = &[
        0x81, 0x01, 0x0c, 0x00, 0x0a, 0x0c, 0x02, 0x00, 0x00, 0x0d, 0x26, 0x27, 0xfb, 0x38, 0x05,
        0xf0, 0x00, 0x80,
    ];
    const VP9_KEY: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x16, 0x76, 0x06];

    /// H.264 and H.265 with lengths of 4 bytes, AV1, VP9, AAC.
    pub(crate) fn codecs() -> [Codec; 5] {
        let record = Vp9Record::parse(Bytes::from_static(&[0, 21, 0x82, 2, 2, 2, 0, 0]));
        let key = Vp9KeyFrame::read(VP9_KEY).expect("a header");
        let vp9 = record.expect("a record").with(key.expect("a key frame"));
        [
            Codec::H264(H264::parse(Bytes::from_static(AVC)).expect("H.264")),
            Codec::H265(H265::parse(Bytes::from_static(HVC)).expect("H.265")),
            Codec::Av1(Av1::parse(Bytes::from_static(AV1C)).expect("AV1")),
            Codec::Vp9(vp9),
            Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC")),
        ]
    }

    /// NAL units behind lengths of 4 bytes.
    pub(crate) fn prefixed(units: &[&[u8]]) -> Vec<u8> {
        let prefix = |unit: &&[u8]| {
            let length = u32::try_from(unit.len()).expect("short").to_be_bytes();
            [&length[..], unit].concat()
        };
        units.iter().flat_map(prefix).collect()
    }

    #[test]
    fn what_is_in_a_unit_decides() {
        use Entry::{None, RandomAccess, RecoveryPoint};
        use Mark::{KeyFrame, Other};
        let [h264, h265, av1, vp9, aac] = codecs();
        let h265_unit = |kind: u8| prefixed(&[&[70, 1, 0x50], &[kind << 1, 1, 0xaa]]);
        let recovery: &[u8] = &[6, 6, 1, 0xc4, 0x80];
        let cases: [(&str, &Codec, Vec<u8>, Mark, Entry); 21] = [
            (
                "H.264, IDR",
                &h264,
                prefixed(&[&[9, 0xf0], &[0x65]]),
                Other,
                RandomAccess,
            ),
            ("H.264, no IDR", &h264, prefixed(&[&[0x41]]), KeyFrame, None),
            (
                "H.264, recovery",
                &h264,
                prefixed(&[recovery, &[0x41]]),
                KeyFrame,
                RecoveryPoint,
            ),
            (
                "H.264, unmarked",
                &h264,
                prefixed(&[recovery, &[0x41]]),
                Other,
                None,
            ),
            (
                "H.264, both",
                &h264,
                prefixed(&[recovery, &[0x65]]),
                KeyFrame,
                RandomAccess,
            ),
            ("H.265, TRAIL_R", &h265, h265_unit(1), KeyFrame, None),
            ("H.265, RASL_R", &h265, h265_unit(9), Other, None),
            ("H.265, BLA_W_LP", &h265, h265_unit(16), Other, RandomAccess),
            (
                "H.265, IDR_W_RADL",
                &h265,
                h265_unit(19),
                Other,
                RandomAccess,
            ),
            ("H.265, IDR_N_LP", &h265, h265_unit(20), Other, RandomAccess),
            ("H.265, CRA", &h265, h265_unit(21), Other, RecoveryPoint),
            ("H.265, reserved", &h265, h265_unit(22), KeyFrame, None),
            ("H.265, VPS alone", &h265, h265_unit(32), KeyFrame, None),
            (
                "H.265, another layer",
                &h265,
                prefixed(&[&[19 << 1, 9, 0xaa]]),
                Other,
                None,
            ),
            (
                "H.265, CRA of another",
                &h265,
                prefixed(&[&[21 << 1 | 1, 1, 0xaa]]),
                Other,
                None,
            ),
            (
                "AV1, key frame",
                &av1,
                vec![0x12, 0, 0x0a, 1, 0, 0x32, 1, 0x10],
                Other,
                RandomAccess,
            ),
            (
                "AV1, inter frame",
                &av1,
                vec![0x12, 0, 0x32, 1, 0x30],
                KeyFrame,
                None,
            ),
            (
                "VP9, key frame",
                &vp9,
                VP9_KEY.to_vec(),
                Other,
                RandomAccess,
            ),
            (
                "VP9, inter frame",
                &vp9,
                vec![0x86, 0, 0x40, 0x92, 0x9c],
                KeyFrame,
                None,
            ),
            ("AAC", &aac, vec![1], Other, RandomAccess),
            ("AAC, nothing", &aac, vec![], Other, RandomAccess),
        ];
        for (name, codec, unit, mark, expected) in cases {
            assert_eq!(of(codec, &unit, mark), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_says_where() {
        let [h264, h265, av1, vp9, _] = codecs();
        let cases: [(&Codec, &[u8], &str); 6] = [
            (
                &h264,
                &[0, 0, 0, 1, 0x65, 0, 0, 0, 9, 1],
                "a video message of 10 bytes has a NAL unit of 9 bytes at byte 5, beyond its end; dropped",
            ),
            (
                &h265,
                &[0, 0, 1],
                "a video message of 3 bytes has a NAL unit of 3 bytes at byte 0, beyond its end; dropped",
            ),
            (
                &h265,
                &[0, 0, 0, 0],
                "a video message has only NAL units of 0 bytes; dropped",
            ),
            (
                &h265,
                &[],
                "a video message has only NAL units of 0 bytes; dropped",
            ),
            (
                &av1,
                &[0x12, 0, 0x32, 2, 0x10],
                "a video message of 5 bytes has an OBU at byte 2 that goes beyond its end or is none; dropped",
            ),
            (
                &vp9,
                &[0],
                "a video message was dropped: the VP9 frame header cannot be read: VP9 frame_marker must be 2",
            ),
        ];
        for (codec, unit, expected) in cases {
            let error = of(codec, unit, Mark::KeyFrame).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_entry_or_malformed(
            unit in proptest::collection::vec(prop_oneof![0_u8..50, any::<u8>()], 0..64),
        ) {
            for codec in codecs() {
                let _ = of(&codec, &unit, Mark::KeyFrame);
            }
        }
    }
}
