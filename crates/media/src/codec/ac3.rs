//! AC-3, known from the header of each syncframe (ETSI TS 102 366 §4.3).

use super::ConfigurationError;
use super::bits::Bits;

const WHAT: &str = "AC-3 syncframe";
/// The synchronisation word of every syncframe, of E-AC-3 too.
pub(super) const SYNC: u32 = 0x0b77;
/// Sampling rates by `fscod`.
pub(super) const RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// Channels by `acmod`, without the LFE.
const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
/// Bit rates by `frmsizecod / 2`, kbit/s.
const BIT_RATES: [u16; 19] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
const SAMPLES_PER_FRAME: u32 = 1_536;
/// The highest `bsid` of this syntax.
const MAX_BSID: u8 = 8;

/// An AC-3 configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ac3 {
    /// Sampling rate, Hz.
    pub sample_rate: u32,
    /// Channels, the LFE among them: 1..=6.
    pub channels: u8,
    /// Samples of an access unit: 1536 for each of its syncframes, of which there usually is one.
    pub samples_per_unit: u32,
    /// `bsid`: 8, or 6.
    pub bsid: u8,
    /// `bsmod`: 0 for a complete main service.
    pub bsmod: u8,
    /// `acmod`: 2 is stereo, 7 has five channels.
    pub acmod: u8,
    /// There is an LFE channel.
    pub lfe: bool,
    /// `frmsizecod / 2`: 10 is 192 kbit/s.
    pub bit_rate_code: u8,
}

impl Ac3 {
    /// Reads the first syncframe's header of an access unit, and how many syncframes there are.
    ///
    /// # Errors
    /// A syncframe that is cut short, no synchronisation word, reserved values, or the syntax of E-AC-3.
    pub fn parse(unit: &[u8]) -> Result<Self, ConfigurationError> {
        let (first, length) = header(unit, unit.len())?;
        let mut rest = unit.get(length..).unwrap_or_default();
        let mut frames = 1;
        while !rest.is_empty() {
            let (_, length) = header(rest, unit.len())?;
            rest = rest.get(length..).unwrap_or_default();
            frames += 1;
        }
        Ok(Self {
            samples_per_unit: SAMPLES_PER_FRAME * frames,
            ..first
        })
    }

    /// The content of `dac3` (ETSI TS 102 366 §F.4).
    pub fn dac3(&self) -> [u8; 3] {
        let rate = RATES.iter().position(|&rate| rate == self.sample_rate);
        let fscod = u32::try_from(rate.unwrap_or(0)).unwrap_or(0);
        let bits = fscod << 22
            | u32::from(self.bsid) << 17
            | u32::from(self.bsmod) << 14
            | u32::from(self.acmod) << 11
            | u32::from(self.lfe) << 10
            | u32::from(self.bit_rate_code) << 5;
        let [_, content @ ..] = bits.to_be_bytes();
        content
    }
}

/// The header at the beginning of `bytes`, and how long its syncframe is, which they have to hold.
fn header(bytes: &[u8], of: usize) -> Result<(Ac3, usize), ConfigurationError> {
    let mut bits = Bits::new(bytes);
    let mut next = |count, field| {
        bits.read(count).ok_or(ConfigurationError::Truncated {
            what: WHAT,
            bytes: of,
            field,
        })
    };
    let forbidden = |field, value: u32| ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value: value.into(),
    };
    let sync = next(16, "synchronisation word")?;
    if sync != SYNC {
        return Err(forbidden("synchronisation word", sync));
    }
    next(16, "checksum")?;
    let rate = next(2, "sampling rate code")?;
    let Some(&sample_rate) = RATES.get(rate as usize) else {
        return Err(forbidden("sampling rate code", rate));
    };
    let size = next(6, "frame size code")?;
    let Some(&kilobits) = BIT_RATES.get(size as usize / 2) else {
        return Err(forbidden("frame size code", size));
    };
    let bsid = next(5, "bit stream identification")?;
    if bsid > MAX_BSID.into() {
        return Err(forbidden("bit stream identification", bsid));
    }
    let bsmod = next(3, "bit stream mode")?;
    let acmod = next(3, "audio coding mode")?;
    // Levels of the downmix, where there is a centre, where there is a surround; or whether it is Dolby Surround.
    let levels = match acmod {
        2 => 2,
        _ => 2 * (usize::from(acmod & 1 == 1 && acmod != 1) + usize::from(acmod & 4 != 0)),
    };
    next(levels, "mix levels")?;
    let lfe = next(1, "LFE flag")? == 1;

    let length = frame_bytes(sample_rate, kilobits, size & 1);
    if length > bytes.len() {
        return Err(ConfigurationError::Truncated {
            what: WHAT,
            bytes: of,
            field: "audio blocks",
        });
    }
    let channels = CHANNELS.get(acmod as usize).copied().unwrap_or(0);
    let narrow = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
    let ac3 = Ac3 {
        sample_rate,
        channels: channels + u8::from(lfe),
        samples_per_unit: SAMPLES_PER_FRAME,
        bsid: narrow(bsid),
        bsmod: narrow(bsmod),
        acmod: narrow(acmod),
        lfe,
        bit_rate_code: narrow(size / 2),
    };
    Ok((ac3, length))
}

/// ETSI TS 102 366 table 4.13: at 44.1 kHz, frames of two lengths alternate.
fn frame_bytes(rate: u32, kilobits: u16, odd: u32) -> usize {
    let kilobits = u32::from(kilobits);
    let words = match rate {
        44_100 => 320 * kilobits / 147 + odd,
        rate => kilobits * (96_000 / rate),
    };
    2 * words as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ffmpeg 9.0.2, 48 kHz stereo, 192 kbit/s: 768 bytes.
    const STEREO: [u8; 8] = [0x0b, 0x77, 0xfe, 0x95, 0x14, 0x40, 0x43, 0xe1];

    fn frame(header: &[u8], bytes: usize) -> Vec<u8> {
        let mut frame = header.to_vec();
        frame.resize(bytes, 0);
        frame
    }

    #[test]
    fn headers_of_ffmpeg() {
        let ac3 = Ac3::parse(&frame(&STEREO, 768)).expect("a syncframe");
        assert_eq!(
            (ac3.sample_rate, ac3.channels, ac3.samples_per_unit),
            (48_000, 2, 1_536)
        );
        // 48 kHz, bsid 8, complete main, 2/0, no LFE, 192 kbit/s: as ffmpeg writes it.
        assert_eq!(ac3.dac3(), [0x10, 0x11, 0x40]);
        // 3/2 with an LFE: bit 5 behind the two levels of 2 bits each.
        let surround = [0x0b, 0x77, 0, 0, 0x1e, 0x40, 0b1110_0001, 0];
        let ac3 = Ac3::parse(&frame(&surround, 1_792)).expect("5.1 with 448 kbit/s");
        assert_eq!((ac3.channels, ac3.lfe, ac3.bit_rate_code), (6, true, 15));
    }

    #[test]
    fn an_access_unit_may_have_several_syncframes() {
        let two = frame(&STEREO, 768).repeat(2);
        let ac3 = Ac3::parse(&two).expect("two syncframes");
        assert_eq!(ac3.samples_per_unit, 3_072);
    }

    #[test]
    fn lengths_of_frames() {
        for (rate, kilobits, odd, expected) in [
            (48_000, 640, 0, 2_560),
            (44_100, 192, 0, 834),
            (44_100, 192, 1, 836),
            (32_000, 32, 0, 192),
        ] {
            assert_eq!(frame_bytes(rate, kilobits, odd), expected, "{kilobits}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let changed = |at: usize, value: u8| {
            let mut bytes = frame(&STEREO, 768);
            bytes[at] = value;
            bytes
        };
        let cases: [(Vec<u8>, &str); 5] = [
            (
                vec![],
                "AC-3 syncframe ends after 0 bytes, in the middle of synchronisation word",
            ),
            (
                frame(&STEREO, 767),
                "AC-3 syncframe ends after 767 bytes, in the middle of audio blocks",
            ),
            (
                frame(&STEREO, 769),
                "AC-3 syncframe ends after 769 bytes, in the middle of synchronisation word",
            ),
            (
                changed(4, 0xd4),
                "AC-3 syncframe has sampling rate code 3, which is not allowed",
            ),
            (
                changed(5, 0x80),
                "AC-3 syncframe has bit stream identification 16, which is not allowed",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                Ac3::parse(&bytes).expect_err(expected).to_string(),
                expected
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..12), length in 0_usize..4_000,
        ) {
            let mut unit = STEREO[..2].to_vec();
            unit.extend(bytes);
            unit.resize(length, 0);
            if let Ok(ac3) = Ac3::parse(&unit) {
                prop_assert!(ac3.channels > 0 && ac3.sample_rate > 0);
            }
        }
    }
}
