//! MPEG-4 AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1), for AAC with and without SBR and PS.

use bytes::Bytes;

use super::ConfigurationError;
use super::bits::Bits;

/// Sampling rates by index (ISO/IEC 14496-3 table 1.18); ADTS can name no others.
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Channels by channel configuration 1..=7.
const CHANNELS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 8];

const SBR: u32 = 5;
const PS: u32 = 29;
const WHAT: &str = "AudioSpecificConfig";

/// An AAC configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aac {
    /// The AudioSpecificConfig as the encoder sent it.
    pub config: Bytes,
    /// Audio object type as signalled: 1 Main, 2 LC, 3 SSR, 4 LTP, 5 HE-AAC (SBR), 29 HE-AAC v2 (PS).
    pub object_type: u8,
    /// Object type of the core coder, which ADTS carries: 1..=4.
    pub core_object_type: u8,
    /// Index of the core rate in the standard's table, which ADTS carries: 0..=12.
    pub rate_index: u8,
    /// Sampling rate of the core coder, Hz: the rate that frames are counted in.
    pub core_rate: u32,
    /// Sampling rate of the decoded sound, Hz: twice the core's with SBR.
    pub sample_rate: u32,
    /// Channel configuration, which ADTS carries: 1..=7.
    pub channel_configuration: u8,
    /// Channels of the decoded sound: PS makes two of one.
    pub channels: u8,
    /// Samples of the core coder in one frame: 1024, or 960.
    pub samples_per_frame: u32,
}

impl Aac {
    /// Reads an AudioSpecificConfig.
    ///
    /// # Errors
    /// Truncated, reserved values, an object type other than AAC's, a rate that ADTS cannot name, or
    /// channels described only by a program config element.
    pub fn parse(config: Bytes) -> Result<Self, ConfigurationError> {
        let mut bits = Bits::new(&config);
        let mut next = |count, field| {
            bits.read(count).ok_or(ConfigurationError::Truncated {
                what: WHAT,
                bytes: config.len(),
                field,
            })
        };

        let signalled = object_type(&mut next)?;
        let rate = rate(&mut next)?;
        let channel_configuration = next(4, "channel configuration")?;
        let mut core = signalled;
        let mut sample_rate = rate;
        if signalled == SBR || signalled == PS {
            sample_rate = self::rate(&mut next)?;
            core = object_type(&mut next)?;
        }
        if !(1..=4).contains(&core) {
            return Err(unsupported("audio object type", core));
        }
        let short_frames = next(1, "frame length flag")? == 1;
        if next(1, "core coder flag")? == 1 {
            next(14, "core coder delay")?;
        }
        next(1, "extension flag")?;
        let Some(rate_index) = RATES.iter().position(|&listed| listed == rate) else {
            return Err(unsupported("sampling rate", rate));
        };
        let Some(&channels) = CHANNELS
            .get(channel_configuration as usize)
            .filter(|&&n| n > 0)
        else {
            return Err(unsupported("channel configuration", channel_configuration));
        };

        let mut object_type = signalled;
        if object_type == 2
            && let Some((extended, rate)) = backward_compatible_extension(&mut bits)
        {
            object_type = extended;
            sample_rate = rate;
        }
        Ok(Self {
            object_type: narrow(object_type),
            core_object_type: narrow(core),
            rate_index: narrow(u32::try_from(rate_index).unwrap_or(0)),
            core_rate: rate,
            sample_rate,
            channel_configuration: narrow(channel_configuration),
            channels: if object_type == PS && channels == 1 {
                2
            } else {
                channels
            },
            samples_per_frame: if short_frames { 960 } else { 1024 },
            config,
        })
    }

    /// `LC`, `HE-AAC`, …
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.object_type {
            1 => "Main",
            2 => "LC",
            3 => "SSR",
            4 => "LTP",
            5 => "HE-AAC",
            29 => "HE-AAC v2",
            _ => "unknown",
        }
    }

    pub(crate) fn rfc6381(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }
}

/// SBR and PS signalled behind a plain LC configuration, for decoders that know neither (§1.6.5):
/// the object type they amount to, and the rate of the decoded sound.
fn backward_compatible_extension(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    if bits.read(11)? != 0x2b7 || bits.read(5)? != SBR || bits.read(1)? == 0 {
        return None;
    }
    let index = bits.read(4)?;
    let rate = if index == 15 {
        bits.read(24)?
    } else {
        *RATES.get(index as usize)?
    };
    let parametric_stereo = bits.read(11) == Some(0x548) && bits.read(1) == Some(1);
    Some((if parametric_stereo { PS } else { SBR }, rate))
}

fn object_type(
    next: &mut impl FnMut(usize, &'static str) -> Result<u32, ConfigurationError>,
) -> Result<u32, ConfigurationError> {
    match next(5, "audio object type")? {
        31 => Ok(32 + next(6, "extended audio object type")?),
        object_type => Ok(object_type),
    }
}

fn rate(
    next: &mut impl FnMut(usize, &'static str) -> Result<u32, ConfigurationError>,
) -> Result<u32, ConfigurationError> {
    let index = next(4, "sampling rate index")?;
    if index == 15 {
        return next(24, "sampling rate");
    }
    RATES
        .get(index as usize)
        .copied()
        .ok_or(ConfigurationError::Forbidden {
            what: WHAT,
            field: "sampling rate index",
            value: index.into(),
        })
}

fn unsupported(field: &'static str, value: u32) -> ConfigurationError {
    ConfigurationError::Unsupported {
        what: WHAT,
        field,
        value: value.into(),
    }
}

/// Fields of at most eight bits, read as `u32`.
fn narrow(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Result<Aac, ConfigurationError> {
        Aac::parse(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn configurations_of_real_encoders() {
        // name, bytes, CODECS, core rate, output rate, channels
        let cases: [(&str, &[u8], &str, u32, u32, u8); 5] = [
            (
                "ffmpeg LC 48 kHz stereo",
                &[0x11, 0x90, 0x56, 0xe5, 0x00],
                "mp4a.40.2",
                48_000,
                48_000,
                2,
            ),
            (
                "OBS LC 44.1 kHz stereo",
                &[0x12, 0x10],
                "mp4a.40.2",
                44_100,
                44_100,
                2,
            ),
            (
                "LC 44.1 kHz mono",
                &[0x12, 0x08],
                "mp4a.40.2",
                44_100,
                44_100,
                1,
            ),
            (
                "HE-AAC, explicit, 24/48 kHz",
                &[0x2b, 0x11, 0x88, 0x00],
                "mp4a.40.5",
                24_000,
                48_000,
                2,
            ),
            (
                "HE-AAC, behind LC, 24/48 kHz",
                &[0x13, 0x10, 0x56, 0xe5, 0x98],
                "mp4a.40.5",
                24_000,
                48_000,
                2,
            ),
        ];
        for (name, bytes, codecs, core, output, channels) in cases {
            let aac = parse(bytes).expect(name);
            assert_eq!(aac.rfc6381(), codecs, "{name}");
            assert_eq!(
                (aac.core_rate, aac.sample_rate, aac.channels),
                (core, output, channels),
                "{name}"
            );
            assert_eq!(
                (aac.core_object_type, aac.samples_per_frame),
                (2, 1024),
                "{name}"
            );
        }
    }

    #[test]
    fn parametric_stereo_makes_two_channels_of_one() {
        let aac = parse(&[0xeb, 0x09, 0x88, 0x00]).expect("HE-AAC v2");
        assert_eq!(
            (aac.rfc6381().as_str(), aac.channels, aac.profile_name()),
            ("mp4a.40.29", 2, "HE-AAC v2")
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let cases: [(&[u8], &str); 4] = [
            (
                &[],
                "AudioSpecificConfig ends after 0 bytes, in the middle of audio object type",
            ),
            (
                &[0x12],
                "AudioSpecificConfig ends after 1 bytes, in the middle of sampling rate index",
            ),
            (
                &[0x16, 0x90],
                "AudioSpecificConfig has sampling rate index 13, which is not allowed",
            ),
            (
                &[0x12, 0x00],
                "AudioSpecificConfig has channel configuration 0, which this gateway does not carry",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(bytes).expect_err(expected).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            if let Ok(aac) = parse(&bytes) {
                prop_assert!(aac.channels > 0 && aac.core_rate > 0 && aac.rate_index <= 12);
            }
        }
    }
}
