//! VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding §2), and what only key frames say: the size.

use bytes::Bytes;
use shiguredo_mp4::bitstream::vp9::{Vp9FrameSize, Vp9FrameType, parse_frame_header};

use super::{Colour, ConfigurationError};

const WHAT: &str = "VPCodecConfigurationRecord";
const HEADER: &str = "VP9 frame header";
/// Version and flags of the full box `vpcC`: ffmpeg 9 sends them as part of the record.
const FULL_BOX: [u8; 4] = [1, 0, 0, 0];
/// `chromaSubsampling` of the record: 4:2:0 with chroma between lines, and at luma (0,0); 4:2:2; 4:4:4.
const C420_COLOCATED: u8 = 1;
const C422: u8 = 2;
const C444: u8 = 3;

/// Levels (VP9 levels, webmproject.org): ten times their number, luma samples a second, luma samples of a picture.
const LEVELS: [(u8, u64, u64); 14] = [
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
];
/// Pictures a second that a level is chosen for where the encoder names none.
const ASSUMED_RATE: u64 = 60;

/// A VPCodecConfigurationRecord: of a VP9 configuration what does not depend on the first key frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vp9Record {
    /// As the encoder sent it.
    bytes: Bytes,
    level: u8,
    chroma: u8,
    colour: Colour,
}

/// What the uncompressed header of a key frame says (VP9 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp9KeyFrame {
    /// Profile: 0..=3.
    pub profile: u8,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// `subsampling_x` and `subsampling_y`: each 0 or 1.
    pub subsampling: [u8; 2],
    /// Width, pixels.
    pub width: u16,
    /// Height, pixels.
    pub height: u16,
}

/// A VP9 configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vp9 {
    /// The VPCodecConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Profile: 0 and 2 are 4:2:0, 0 and 1 have 8 bits.
    pub profile: u8,
    /// Ten times the level: 31 is level 3.1.
    pub level: u8,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// `chromaSubsampling` as the record counts: 0 and 1 are 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    pub chroma: u8,
    /// Width, pixels.
    pub width: u16,
    /// Height, pixels.
    pub height: u16,
    /// Colour, where the record says anything of it.
    pub colour: Option<Colour>,
}

impl Vp9Record {
    /// Reads a VPCodecConfigurationRecord, with or without the version and flags of `vpcC` before it.
    ///
    /// # Errors
    /// Truncated.
    pub fn parse(bytes: Bytes) -> Result<Self, ConfigurationError> {
        let record = bytes.strip_prefix(&FULL_BOX).unwrap_or(&bytes);
        let Some(&[_, level, depth_and_chroma, primaries, transfer, matrix, ..]) =
            record.first_chunk::<8>()
        else {
            return Err(ConfigurationError::Truncated {
                what: WHAT,
                bytes: bytes.len(),
                field: "profile to initialisation data",
            });
        };
        Ok(Self {
            level,
            chroma: depth_and_chroma >> 1 & 7,
            colour: Colour {
                primaries,
                transfer,
                matrix,
                full_range: depth_and_chroma & 1 == 1,
            },
            bytes,
        })
    }

    /// The configuration of what begins with `key`. What both say is taken from the key frame; a level that the record
    /// does not name (0, which browsers refuse) is one for the size at 60 pictures a second.
    pub fn with(&self, key: Vp9KeyFrame) -> Vp9 {
        Vp9 {
            record: self.bytes.clone(),
            profile: key.profile,
            level: if self.level > 0 {
                self.level
            } else {
                key.level()
            },
            bit_depth: key.bit_depth,
            chroma: match key.subsampling {
                [1, 1] => self.chroma.min(C420_COLOCATED),
                [1, 0] => C422,
                _ => C444,
            },
            width: key.width,
            height: key.height,
            colour: Some(self.colour).filter(Colour::is_specified),
        }
    }
}

impl Vp9KeyFrame {
    /// Reads the first frame of `unit`, a frame or superframe; `None` if that is no key frame.
    ///
    /// # Errors
    /// A header that is cut short or has forbidden values, a size beyond 65 535 pixels, or chroma at full width and
    /// half height (4:4:0), which the record cannot say.
    pub fn read(unit: &[u8]) -> Result<Option<Self>, ConfigurationError> {
        let header = parse_frame_header(unit)
            .map_err(|error| ConfigurationError::FrameHeader(error.reason.to_string()))?;
        let (Vp9FrameType::Key, Vp9FrameSize::Resolved { width, height }) =
            (header.frame_type, header.frame_size)
        else {
            return Ok(None);
        };
        let unsupported = |field, value: u32| ConfigurationError::Unsupported {
            what: HEADER,
            field,
            value: value.into(),
        };
        let subsampling = [header.subsampling_x, header.subsampling_y];
        if subsampling == [0, 1] {
            return Err(unsupported(
                "chroma subsampling 4:4:0, in profile",
                header.profile.into(),
            ));
        }
        Ok(Some(Self {
            profile: header.profile,
            bit_depth: header.bit_depth,
            subsampling,
            width: u16::try_from(width).map_err(|_| unsupported("width", width))?,
            height: u16::try_from(height).map_err(|_| unsupported("height", height))?,
        }))
    }

    fn level(&self) -> u8 {
        let samples = u64::from(self.width) * u64::from(self.height);
        let fits = |(_, a_second, a_picture): &&(u8, u64, u64)| {
            samples <= *a_picture && samples * ASSUMED_RATE <= *a_second
        };
        let [.., (highest, ..)] = LEVELS;
        LEVELS
            .iter()
            .find(fits)
            .map_or(highest, |(level, ..)| *level)
    }
}

impl Vp9 {
    /// Whether a frame or superframe starts decoding: its first frame is a key frame. The frames of a superframe have
    /// to fit it (VP9 annex B).
    ///
    /// # Errors
    /// A frame header that cannot be read, or an index of a superframe that says more bytes than there are.
    pub fn is_random_access(unit: &[u8]) -> Result<bool, ConfigurationError> {
        if let Some(inside) = superframe_bytes(unit)
            && inside > unit.len()
        {
            return Err(ConfigurationError::Truncated {
                what: "VP9 superframe",
                bytes: unit.len(),
                field: "a frame",
            });
        }
        let header = parse_frame_header(unit)
            .map_err(|error| ConfigurationError::FrameHeader(error.reason.to_string()))?;
        Ok(header.frame_type == Vp9FrameType::Key)
    }

    /// The content of `vpcC`, behind version and flags.
    pub fn vpcc_record(&self) -> [u8; 8] {
        let Colour {
            primaries,
            transfer,
            matrix,
            full_range,
        } = self.colour.unwrap_or(Colour::UNSPECIFIED);
        let samples = self.bit_depth << 4 | self.chroma << 1 | u8::from(full_range);
        let (profile, level) = (self.profile, self.level);
        [profile, level, samples, primaries, transfer, matrix, 0, 0]
    }

    /// `Profile 0`, …
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.profile {
            0 => "Profile 0",
            1 => "Profile 1",
            2 => "Profile 2",
            _ => "Profile 3",
        }
    }

    /// Binding §5: `vp09.00.31.08`, and all of it where colour is not what is assumed without being told.
    pub(crate) fn rfc6381(&self) -> String {
        let mut text = format!(
            "vp09.{:02}.{:02}.{:02}",
            self.profile, self.level, self.bit_depth
        );
        let colour = self.colour.unwrap_or(Colour::UNSPECIFIED);
        if self.chroma > C420_COLOCATED || !colour.is_usual() {
            text.push_str(&format!(
                ".{:02}.{:02}.{:02}.{:02}.{:02}",
                self.chroma,
                colour.primaries,
                colour.transfer,
                colour.matrix,
                u8::from(colour.full_range),
            ));
        }
        text
    }
}

/// Bytes of the frames of a superframe with their index; `None` if `unit` is a frame alone.
fn superframe_bytes(unit: &[u8]) -> Option<usize> {
    const MARKER: u8 = 0b110;
    let &marker = unit.last()?;
    if marker >> 5 != MARKER {
        return None;
    }
    let frames = usize::from(marker & 7) + 1;
    let width = usize::from(marker >> 3 & 3) + 1;
    let index = 2 + frames * width;
    let (inside, index) = unit.split_at_checked(unit.len().checked_sub(index)?)?;
    // A frame alone may end with the marker by chance: an index begins with it as well.
    let (&first, sizes) = index.split_first()?;
    if first != marker {
        return None;
    }
    let sizes = sizes.get(..frames * width)?.chunks(width);
    let size = |bytes: &[u8]| {
        let digit = |number, &byte: &u8| number << 8 | usize::from(byte);
        bytes.iter().rev().fold(0, digit)
    };
    let frames: usize = sizes.map(size).sum();
    Some(unit.len() - inside.len() + frames)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::VideoRange;
    use proptest::prelude::*;

    /// libvpx through ffmpeg 9.0.2, 640×360; the key frame ends behind its size.
    const RECORD: &[u8] = &[0x01, 0, 0, 0, 0x00, 0x15, 0x82, 0x02, 0x02, 0x02, 0, 0];
    const KEY: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x16, 0x76, 0x06];
    /// The same with 10 bits.
    const RECORD_10: &[u8] = &[0x01, 0, 0, 0, 0x02, 0x15, 0xa2, 0x02, 0x02, 0x02, 0, 0];
    const KEY_10: &[u8] = &[0x92, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf8, 0x0b, 0x3b, 0x03];
    const INTER: &[u8] = &[0x86, 0x00, 0x40, 0x92, 0x9c];

    fn vp9(record: &[u8], key: &[u8]) -> Vp9 {
        let record = Vp9Record::parse(Bytes::copy_from_slice(record)).expect("a record");
        let key = Vp9KeyFrame::read(key)
            .expect("a header")
            .expect("a key frame");
        record.with(key)
    }

    #[test]
    fn reads_what_libvpx_sends() {
        let config = vp9(RECORD, KEY);
        assert_eq!((config.width, config.height), (640, 360));
        assert_eq!(
            (config.rfc6381().as_str(), config.profile_name()),
            ("vp09.00.21.08", "Profile 0")
        );
        assert_eq!(config.vpcc_record(), RECORD[4..]);
        // Without version and flags it is the same but for its bytes.
        assert_eq!(vp9(&RECORD[4..], KEY).vpcc_record(), RECORD[4..]);
        let config = vp9(RECORD_10, KEY_10);
        assert_eq!(
            (config.width, config.height, config.bit_depth),
            (640, 360, 10)
        );
        assert_eq!(config.rfc6381(), "vp09.02.21.10");
    }

    #[test]
    fn codec_strings_are_whole_where_colour_is_unusual() {
        let pq = [2, 0, 0xa2, 9, 16, 9, 0, 0];
        let config = vp9(&pq, KEY_10);
        assert_eq!(config.rfc6381(), "vp09.02.30.10.01.09.16.09.00");
        let colour = config.colour.expect("a colour");
        assert_eq!(colour.video_range(), VideoRange::Pq);
    }

    #[test]
    fn a_level_that_is_not_named_is_one_for_the_size() {
        let key = |width, height| Vp9KeyFrame {
            profile: 0,
            bit_depth: 8,
            subsampling: [1, 1],
            width,
            height,
        };
        for (width, height, expected) in [
            (320, 180, 20),
            (1280, 720, 40),
            (1920, 1080, 41),
            (3840, 2160, 51),
            (u16::MAX, u16::MAX, 62),
        ] {
            assert_eq!(key(width, height).level(), expected, "{width}x{height}");
        }
    }

    #[test]
    fn where_decoding_can_begin() {
        let superframe = |frames: &[&[u8]], sizes: &[u8]| {
            let marker = 0xc0 | u8::try_from(sizes.len() - 1).expect("few");
            [&frames.concat(), &[marker][..], sizes, &[marker]].concat()
        };
        let cases: [(&str, Vec<u8>, Result<bool, &str>); 8] = [
            ("a key frame", KEY.to_vec(), Ok(true)),
            ("an inter frame", INTER.to_vec(), Ok(false)),
            ("one shown again", vec![0x88], Ok(false)),
            (
                "a superframe",
                superframe(&[KEY, INTER], &[10, 5]),
                Ok(true),
            ),
            (
                "one of inter frames",
                superframe(&[INTER, INTER], &[5, 5]),
                Ok(false),
            ),
            (
                "one that is cut short",
                superframe(&[INTER, INTER], &[5, 6]),
                Err("VP9 superframe ends after 14 bytes, in the middle of a frame"),
            ),
            (
                "no frame marker",
                vec![0x42],
                Err("the VP9 frame header cannot be read: VP9 frame_marker must be 2"),
            ),
            ("a marker by chance", [INTER, &[0xc1]].concat(), Ok(false)),
        ];
        for (name, unit, expected) in cases {
            let found = Vp9::is_random_access(&unit).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{name}");
        }
        assert_eq!(Vp9KeyFrame::read(INTER), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            record in proptest::collection::vec(any::<u8>(), 0..14),
            mut unit in proptest::collection::vec(any::<u8>(), 0..24),
            key: bool,
        ) {
            if key {
                unit.splice(0..unit.len().min(4), KEY[..4].iter().copied());
            }
            let _ = Vp9::is_random_access(&unit);
            if let Ok(record) = Vp9Record::parse(record.into())
                && let Ok(Some(key)) = Vp9KeyFrame::read(&unit)
            {
                prop_assert!(record.with(key).rfc6381().starts_with("vp09."));
            }
        }
    }
}
