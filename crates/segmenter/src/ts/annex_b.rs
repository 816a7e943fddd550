//! H.264 in MPEG-TS: length-prefixed NAL units become a byte stream (ITU-T H.264 Annex B) that a decoder
//! can enter at every IDR picture (ISO/IEC 13818-1 §2.14.1).

use media::AccessUnit;
use media::codec::H264;

use crate::flv::Entry;
use crate::nal::{self, DELIMITER, FILLER, IDR, PPS, SPS};

const START_CODE: &[u8] = &[0, 0, 1];
/// Asked for before an access unit's first NAL unit and before parameter sets (H.264 §B.1.2).
const LONG_START_CODE: &[u8] = &[0, 0, 0, 1];
/// An access unit delimiter that promises nothing: any slice type may follow (primary_pic_type 7).
const DELIMITER_UNIT: &[u8] = &[0, 0, 0, 1, DELIMITER, 0xf0];

/// An access unit as it goes into MPEG-TS.
///
/// It has exactly one delimiter, ours: encoders send none, one, or two. The configuration's parameter sets
/// stand before every IDR picture, ahead of its SEI, which refers to them; the encoder's own copies of
/// them are left out, and so is filler. A recovery point (x264's intra refresh, open GOPs) is led in like
/// an IDR picture: decoders that begin there need the parameter sets too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    config: &'a H264,
    payload: &'a [u8],
    entry: Entry,
}

impl<'a> Picture<'a> {
    /// Reads the NAL headers of `unit`; `None` where nothing is worth sending.
    pub(super) fn new(config: &'a H264, unit: &'a AccessUnit) -> Option<Self> {
        let mut units = kept(config, &unit.payload).peekable();
        units.peek()?;
        let mut entry = Entry::None;
        for unit in units {
            if nal::kind(unit) == IDR {
                entry = Entry::RandomAccess;
                break;
            }
            if entry == Entry::None && nal::is_recovery_point(unit) {
                entry = Entry::RecoveryPoint;
            }
        }
        Some(Self {
            config,
            payload: &unit.payload,
            entry,
        })
    }

    /// Whether a decoder can begin here.
    pub(super) const fn entry(&self) -> Entry {
        self.entry
    }

    /// Its bytes, in order.
    pub(super) fn pieces(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let sets = match self.entry {
            Entry::RandomAccess | Entry::RecoveryPoint => {
                (self.config.sps.as_slice(), self.config.pps.as_slice())
            }
            Entry::None => (&[][..], &[][..]),
        };
        let sets = sets.0.iter().chain(sets.1);
        std::iter::once(DELIMITER_UNIT)
            .chain(sets.flat_map(|set| [LONG_START_CODE, set]))
            .chain(kept(self.config, self.payload).flat_map(|unit| [start_code(unit), unit]))
    }
}

fn start_code(unit: &[u8]) -> &'static [u8] {
    match nal::kind(unit) {
        SPS | PPS => LONG_START_CODE,
        _ => START_CODE,
    }
}

/// The encoder's NAL units without those that we write ourselves.
fn kept<'a>(config: &'a H264, payload: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
    nal::Units::new(payload, config.length_size).filter(|unit| match nal::kind(unit) {
        DELIMITER | FILLER => false,
        SPS => !config.sps.iter().any(|set| set == unit),
        PPS => !config.pps.iter().any(|set| set == unit),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::MediaTime;
    use proptest::prelude::*;

    use super::*;

    const SPS_SET: &[u8] = &[0x67, 0x64, 0x00, 0x1f];
    const PPS_SET: &[u8] = &[0x68, 0xeb];

    fn config(length_size: u8) -> H264 {
        H264 {
            record: Bytes::new(),
            length_size,
            sps: vec![Bytes::from_static(SPS_SET)],
            pps: vec![Bytes::from_static(PPS_SET)],
            profile: 100,
            constraints: 0,
            level: 31,
            width: 1280,
            height: 720,
        }
    }

    fn prefixed(length_size: u8, units: &[&[u8]]) -> Vec<u8> {
        let mut payload = Vec::new();
        for unit in units {
            let length = u32::try_from(unit.len()).expect("short").to_be_bytes();
            payload.extend_from_slice(&length[4 - usize::from(length_size)..]);
            payload.extend_from_slice(unit);
        }
        payload
    }

    fn unit(payload: &[u8]) -> AccessUnit {
        AccessUnit {
            track: 0,
            dts: MediaTime::ZERO,
            composition: MediaTime::ZERO,
            random_access: false,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn written(config: &H264, payload: &[u8]) -> Option<Vec<u8>> {
        let unit = unit(payload);
        let picture = Picture::new(config, &unit)?;
        Some(picture.pieces().collect::<Vec<_>>().concat())
    }

    const AUD: &[u8] = &[0, 0, 0, 1, 9, 0xf0];
    const SETS: &[u8] = &[0, 0, 0, 1, 0x67, 0x64, 0, 0x1f, 0, 0, 0, 1, 0x68, 0xeb];

    #[test]
    fn what_encoders_send_and_what_becomes_of_it() {
        let cases: [(&str, &[&[u8]], &[&[u8]]); 7] = [
            ("a P picture", &[&[0x41, 1]], &[AUD, &[0, 0, 1, 0x41, 1]]),
            (
                "an IDR picture behind SEI",
                &[&[6, 5], &[0x65, 2]],
                &[AUD, SETS, &[0, 0, 1, 6, 5, 0, 0, 1, 0x65, 2]],
            ),
            (
                "delimiters and parameter sets of the encoder's own",
                &[&[9, 0x10], &[9, 0x10], SPS_SET, PPS_SET, &[0x65, 2]],
                &[AUD, SETS, &[0, 0, 1, 0x65, 2]],
            ),
            (
                "a different parameter set in band",
                &[&[0x68, 0xff], &[0x65, 2]],
                &[AUD, SETS, &[0, 0, 0, 1, 0x68, 0xff, 0, 0, 1, 0x65, 2]],
            ),
            (
                "two slices and filler",
                &[&[0x41, 1], &[0x41, 2], &[12, 0xff, 0x80]],
                &[AUD, &[0, 0, 1, 0x41, 1, 0, 0, 1, 0x41, 2]],
            ),
            (
                "an empty unit",
                &[&[], &[0x41, 1]],
                &[AUD, &[0, 0, 1, 0x41, 1]],
            ),
            ("nothing but filler", &[&[9, 0xf0], &[12, 0x80]], &[]),
        ];
        for (name, units, expected) in cases {
            for length_size in [1, 2, 4] {
                let bytes = written(&config(length_size), &prefixed(length_size, units));
                let expected = (!expected.is_empty()).then(|| expected.concat());
                assert_eq!(bytes, expected, "{name}, {length_size} byte lengths");
            }
        }
    }

    #[test]
    fn a_recovery_point_without_an_idr_picture_has_parameter_sets_too() {
        let config = config(4);
        let recovery_point: &[u8] = &[6, 6, 1, 0xc4, 0x80];
        let unit = unit(&prefixed(4, &[recovery_point, &[0x41, 1]]));
        let picture = Picture::new(&config, &unit).expect("a slice");
        let bytes = picture.pieces().collect::<Vec<_>>().concat();
        assert_eq!(picture.entry(), Entry::RecoveryPoint);
        assert_eq!(
            bytes,
            [AUD, SETS, &[0, 0, 1, 6, 6, 1, 0xc4, 0x80, 0, 0, 1, 0x41, 1]].concat()
        );
    }

    #[test]
    fn a_length_beyond_the_end_ends_the_walk() {
        let mut payload = prefixed(4, &[&[0x41, 1]]);
        payload.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x65]);
        let bytes = written(&config(4), &payload).expect("the first unit");
        assert_eq!(bytes, [AUD, &[0, 0, 1, 0x41, 1]].concat());
        assert_eq!(written(&config(4), &[0, 0, 1]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_to_an_end(
            payload in proptest::collection::vec(0_u8..16, 0..64), length_size in 0_u8..=4,
        ) {
            let config = config(length_size);
            if let Some(bytes) = written(&config, &payload) {
                prop_assert!(bytes.starts_with(AUD));
            }
        }
    }
}
