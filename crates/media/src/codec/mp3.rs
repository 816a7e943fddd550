//! MPEG audio layer III, known from the header of each frame (ISO/IEC 11172-3 §2.4.1.3, 13818-3).

use super::ConfigurationError;
use super::bits::Bits;

const WHAT: &str = "MP3 frame header";
const RATES: [u32; 3] = [44_100, 48_000, 32_000];

/// An MP3 configuration; frames that differ only in bit rate have the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mp3 {
    /// MPEG-1; `false` for the half and quarter rates of MPEG-2 and 2.5.
    pub mpeg1: bool,
    /// Sampling rate, Hz.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u8,
    /// 1152, or 576 at the half and quarter rates.
    pub samples_per_frame: u32,
}

impl Mp3 {
    /// Reads the header at the start of a frame.
    ///
    /// # Errors
    /// Fewer than four bytes, no synchronisation word, another layer, or reserved values.
    pub fn parse(frame: &[u8]) -> Result<Self, ConfigurationError> {
        let mut bits = Bits::new(frame);
        let mut next = |count, field| {
            bits.read(count).ok_or(ConfigurationError::Truncated {
                what: WHAT,
                bytes: frame.len(),
                field,
            })
        };
        let forbidden = |field, value: u32| ConfigurationError::Forbidden {
            what: WHAT,
            field,
            value: value.into(),
        };

        let sync = next(11, "synchronisation word")?;
        if sync != 0x7ff {
            return Err(forbidden("synchronisation word", sync));
        }
        let version = next(2, "version")?;
        let divisor = match version {
            0b11 => 1,
            0b10 => 2,
            0b00 => 4,
            _ => return Err(forbidden("version", version)),
        };
        let layer = next(2, "layer")?;
        if layer != 0b01 {
            return Err(forbidden("layer code", layer));
        }
        next(1, "protection bit")?;
        let bit_rate = next(4, "bit rate index")?;
        if bit_rate == 15 {
            return Err(forbidden("bit rate index", bit_rate));
        }
        let rate = next(2, "sampling rate index")?;
        let Some(&full_rate) = RATES.get(rate as usize) else {
            return Err(forbidden("sampling rate index", rate));
        };
        next(2, "padding and private bits")?;
        let mono = next(2, "channel mode")? == 0b11;
        Ok(Self {
            mpeg1: divisor == 1,
            sample_rate: full_rate / divisor,
            channels: if mono { 1 } else { 2 },
            samples_per_frame: if divisor == 1 { 1_152 } else { 576 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_of_lame() {
        let stereo = Mp3::parse(&[0xff, 0xfb, 0x90, 0x64]).expect("44.1 kHz stereo");
        assert_eq!(
            stereo,
            Mp3 {
                mpeg1: true,
                sample_rate: 44_100,
                channels: 2,
                samples_per_frame: 1_152
            }
        );
        let half = Mp3::parse(&[0xff, 0xf3, 0x44, 0xc4]).expect("24 kHz mono");
        assert_eq!(
            half,
            Mp3 {
                mpeg1: false,
                sample_rate: 24_000,
                channels: 1,
                samples_per_frame: 576
            }
        );
    }

    #[test]
    fn what_is_no_header_says_why() {
        let error = Mp3::parse(&[0x49, 0x44, 0x33, 0x03]).expect_err("an ID3 tag");
        assert_eq!(
            error.to_string(),
            "MP3 frame header has synchronisation word 586, which is not allowed"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..6)) {
            let _ = Mp3::parse(&bytes);
        }
    }
}
