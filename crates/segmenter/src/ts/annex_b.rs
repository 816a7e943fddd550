//! H.264 and H.265 in MPEG-TS: length-prefixed NAL units become a byte stream (ITU-T H.264 and H.265 Annex B) that a
//! decoder can enter at every IDR picture (ISO/IEC 13818-1 §2.14.1, §2.17.1).

use bytes::Bytes;
use media::AccessUnit;
use media::codec::{H264, H265};

use crate::flv::Entry;
use crate::nal::{self, DELIMITER, FILLER, IDR, PPS, SPS, h265};
use crate::random_access::h265_entry;

const START_CODE: &[u8] = &[0, 0, 1];
/// Asked for before an access unit's first NAL unit and before parameter sets (H.264 §B.1.2, H.265 §B.2.2).
const LONG_START_CODE: &[u8] = &[0, 0, 0, 1];
/// An access unit delimiter that promises nothing: any slice type may follow (primary_pic_type 7).
const H264_DELIMITER: &[u8] = &[0, 0, 0, 1, DELIMITER, 0xf0];
/// The same of H.265 (pic_type 2).
const H265_DELIMITER: &[u8] = &[0, 0, 0, 1, h265::DELIMITER << 1, 1, 0x50];

/// What describes pictures.
#[derive(Clone, Copy, Debug)]
pub(super) enum Video<'a> {
    H264(&'a H264),
    H265(&'a H265),
}

/// What a NAL unit is to a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// We write our own, or it says nothing.
    Dropped,
    ParameterSet,
    Other,
}

impl<'a> Video<'a> {
    const fn delimiter(self) -> &'static [u8] {
        match self {
            Self::H264(_) => H264_DELIMITER,
            Self::H265(_) => H265_DELIMITER,
        }
    }

    /// The parameter sets of the configuration, in the order in which they refer to each other.
    fn sets(self) -> impl Iterator<Item = &'a Bytes> + Clone {
        let (vps, sps, pps) = match self {
            Self::H264(config) => (&[][..], &config.sps, &config.pps),
            Self::H265(config) => (&config.vps[..], &config.sps, &config.pps),
        };
        vps.iter().chain(sps).chain(pps)
    }

    fn role(self, unit: &[u8]) -> Role {
        match self {
            Self::H264(_) => match nal::kind(unit) {
                DELIMITER | FILLER => Role::Dropped,
                SPS | PPS => Role::ParameterSet,
                _ => Role::Other,
            },
            Self::H265(_) => match nal::h265_kind(unit) {
                h265::DELIMITER | h265::FILLER => Role::Dropped,
                h265::VPS | h265::SPS | h265::PPS => Role::ParameterSet,
                _ => Role::Other,
            },
        }
    }

    fn entry(self, unit: &[u8]) -> Entry {
        match self {
            Self::H264(_) if nal::kind(unit) == IDR => Entry::RandomAccess,
            Self::H264(_) if nal::is_recovery_point(unit) => Entry::RecoveryPoint,
            Self::H264(_) => Entry::None,
            Self::H265(_) => h265_entry(unit),
        }
    }

    /// The encoder's NAL units without those that we write ourselves.
    fn kept(self, payload: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
        let length_size = match self {
            Self::H264(config) => config.length_size,
            Self::H265(config) => config.length_size,
        };
        nal::Units::new(payload, length_size).filter(move |unit| match self.role(unit) {
            Role::Dropped => false,
            Role::ParameterSet => !self.sets().any(|set| set == unit),
            Role::Other => true,
        })
    }

    fn start_code(self, unit: &[u8]) -> &'static [u8] {
        match self.role(unit) {
            Role::ParameterSet => LONG_START_CODE,
            Role::Dropped | Role::Other => START_CODE,
        }
    }
}

/// An access unit as it goes into MPEG-TS.
///
/// It has exactly one delimiter, ours: encoders send none, one, or two. The configuration's parameter sets
/// stand before every IDR picture, ahead of its SEI, which refers to them; the encoder's own copies of
/// them are left out, and so is filler. A recovery point (x264's intra refresh, open GOPs) is led in like
/// an IDR picture: decoders that begin there need the parameter sets too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    video: Video<'a>,
    payload: &'a [u8],
    entry: Entry,
}

impl<'a> Picture<'a> {
    /// Reads the NAL headers of `unit`; `None` where nothing is worth sending.
    pub(super) fn new(video: Video<'a>, unit: &'a AccessUnit) -> Option<Self> {
        let mut units = video.kept(&unit.payload).peekable();
        units.peek()?;
        let mut entry = Entry::None;
        for unit in units {
            match video.entry(unit) {
                Entry::None => {}
                found => entry = found,
            }
            if entry == Entry::RandomAccess {
                break;
            }
        }
        Some(Self {
            video,
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
        let video = self.video;
        let sets = video.sets().filter(move |_| self.entry != Entry::None);
        std::iter::once(video.delimiter())
            .chain(sets.flat_map(|set| [LONG_START_CODE, set]))
            .chain(
                video
                    .kept(self.payload)
                    .flat_map(move |unit| [video.start_code(unit), unit]),
            )
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::MediaTime;
    use proptest::prelude::*;

    use super::*;
    use crate::random_access::tests::HVC;

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
        written_as(Video::H264(config), payload)
    }

    fn written_as(video: Video<'_>, payload: &[u8]) -> Option<Vec<u8>> {
        let unit = unit(payload);
        let picture = Picture::new(video, &unit)?;
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
    fn the_same_of_h265() {
        const AUD: &[u8] = &[0, 0, 0, 1, 0x46, 1, 0x50];
        const SETS: [&[u8]; 3] = [&[0x40, 1, 7], &[0x42, 1, 8], &[0x44, 1, 9]];
        let [vps, sps, pps] = SETS;
        let long = SETS.map(|set| [&[0, 0, 0, 1][..], set].concat()).concat();
        let sets = |set: &'static [u8]| vec![Bytes::from_static(set)];
        let mut config = H265::parse(Bytes::from_static(HVC)).expect("x265's");
        (config.vps, config.sps, config.pps) = (sets(vps), sets(sps), sets(pps));
        let slices: [(&[u8], Entry); 4] = [
            (&[0x26, 1, 5], Entry::RandomAccess),
            (&[0x28, 1, 5], Entry::RandomAccess),
            (&[0x2a, 1, 5], Entry::RecoveryPoint),
            (&[0x02, 1, 5], Entry::None),
        ];
        for (slice, entry) in slices {
            // A delimiter, sets and filler of the encoder's own, and an SEI.
            let units = [
                &[0x46, 1, 0x10],
                vps,
                sps,
                pps,
                &[0x4e, 1, 3],
                slice,
                &[0x4c, 1, 0xff],
            ];
            let led_in = if entry == Entry::None { &[][..] } else { &long };
            let expected = [AUD, led_in, &[0, 0, 1, 0x4e, 1, 3, 0, 0, 1], slice].concat();
            let payload = prefixed(4, &units);
            let video = Video::H265(&config);
            assert_eq!(written_as(video, &payload), Some(expected), "{slice:?}");
            let unit = unit(&payload);
            assert_eq!(Picture::new(video, &unit).map(|it| it.entry()), Some(entry));
        }
    }

    #[test]
    fn a_recovery_point_without_an_idr_picture_has_parameter_sets_too() {
        let config = config(4);
        let recovery_point: &[u8] = &[6, 6, 1, 0xc4, 0x80];
        let unit = unit(&prefixed(4, &[recovery_point, &[0x41, 1]]));
        let picture = Picture::new(Video::H264(&config), &unit).expect("a slice");
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
