//! AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1).

use bytes::{Buf, Bytes};
use shiguredo_mp4::bitstream::h264::parse_sps;

use super::ConfigurationError;

const WHAT: &str = "AVCDecoderConfigurationRecord";

/// An H.264 configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H264 {
    /// The AVCDecoderConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Sequence parameter sets, NAL header included; at least one.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL header included; at least one.
    pub pps: Vec<Bytes>,
    /// `profile_idc` of the first sequence parameter set.
    pub profile: u8,
    /// Its constraint flags.
    pub constraints: u8,
    /// Its `level_idc`: 31 is level 3.1.
    pub level: u8,
    /// Width after cropping, pixels.
    pub width: u16,
    /// Height after cropping, pixels.
    pub height: u16,
}

impl H264 {
    /// Reads an AVCDecoderConfigurationRecord.
    ///
    /// # Errors
    /// Truncated, no parameter set, a NAL length of 3 bytes, or a sequence parameter set that cannot be read.
    pub fn parse(record: Bytes) -> Result<Self, ConfigurationError> {
        let bytes = record.len();
        let truncated = |field| ConfigurationError::Truncated {
            what: WHAT,
            bytes,
            field,
        };
        let mut rest = record.clone();

        let version = rest.try_get_u8().map_err(|_| truncated("version"))?;
        if version != 1 {
            return Err(ConfigurationError::Forbidden {
                what: WHAT,
                field: "version",
                value: version.into(),
            });
        }
        // Profile, compatibility and level stand here too; those of the parameter set are the true ones.
        if rest.remaining() < 4 {
            return Err(truncated("profile and level"));
        }
        rest.advance(3);
        let length_size = (rest.get_u8() & 3) + 1;
        if length_size == 3 {
            return Err(ConfigurationError::Forbidden {
                what: WHAT,
                field: "NAL length size",
                value: 3,
            });
        }
        let count = rest
            .try_get_u8()
            .map_err(|_| truncated("count of sequence parameter sets"))?
            & 0x1f;
        let sps =
            nal_units(&mut rest, count).ok_or_else(|| truncated("a sequence parameter set"))?;
        let count = rest
            .try_get_u8()
            .map_err(|_| truncated("count of picture parameter sets"))?;
        let pps =
            nal_units(&mut rest, count).ok_or_else(|| truncated("a picture parameter set"))?;

        let first = sps
            .first()
            .ok_or_else(|| none_of("sequence parameter sets"))?;
        if pps.is_empty() {
            return Err(none_of("picture parameter sets"));
        }
        let parsed = parse_sps(first)
            .map_err(|error| ConfigurationError::SequenceParameterSet(error.reason.to_string()))?;
        Ok(Self {
            length_size,
            profile: parsed.profile_level_id.profile_idc,
            constraints: parsed.profile_level_id.profile_iop,
            level: parsed.profile_level_id.level_idc,
            width: parsed.width,
            height: parsed.height,
            sps,
            pps,
            record,
        })
    }

    /// `High`, `Constrained Baseline`, …
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.profile {
            66 if self.constraints & 0x40 != 0 => "Constrained Baseline",
            66 => "Baseline",
            77 => "Main",
            88 => "Extended",
            100 => "High",
            110 => "High 10",
            122 => "High 4:2:2",
            244 => "High 4:4:4 Predictive",
            _ => "unknown",
        }
    }

    pub(crate) fn rfc6381(&self) -> String {
        format!(
            "avc1.{:02x}{:02x}{:02x}",
            self.profile, self.constraints, self.level
        )
    }
}

fn nal_units(rest: &mut Bytes, count: u8) -> Option<Vec<Bytes>> {
    (0..count)
        .map(|_| {
            let length = usize::from(rest.try_get_u16().ok()?);
            (length > 0 && length <= rest.len()).then(|| rest.split_to(length))
        })
        .collect()
}

fn none_of(field: &'static str) -> ConfigurationError {
    ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// x264 through ffmpeg 5.1, 1280×720, High 3.1.
    const RECORD: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40,
        0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0,
        0xf1, 0x83, 0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8,
        0xf8, 0x00,
    ];
    /// Behind this the record of the High profiles only describes the chroma format again.
    const PARAMETER_SETS_END: usize = 43;

    #[test]
    fn reads_what_x264_sends() {
        let h264 = H264::parse(Bytes::from_static(RECORD)).expect("record of x264");
        assert_eq!((h264.width, h264.height), (1280, 720));
        assert_eq!(
            (h264.rfc6381().as_str(), h264.profile_name()),
            ("avc1.64001f", "High")
        );
        assert_eq!(
            (h264.length_size, h264.sps.len(), h264.pps.len()),
            (4, 1, 1)
        );
    }

    #[test]
    fn every_prefix_is_an_error_not_a_panic() {
        for end in 0..PARAMETER_SETS_END {
            H264::parse(Bytes::from_static(&RECORD[..end])).expect_err("a prefix is no record");
        }
    }

    #[test]
    fn a_record_without_parameter_sets_is_refused() {
        let error =
            H264::parse(Bytes::from_static(&[1, 100, 0, 31, 0xff, 0xe0, 0])).expect_err("empty");
        assert_eq!(
            error.to_string(),
            "AVCDecoderConfigurationRecord has sequence parameter sets 0, which is not allowed"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            at in 0..RECORD.len(), with: u8, end in 0..=RECORD.len(),
        ) {
            let mut bytes = RECORD.to_vec();
            bytes[at] = with;
            bytes.truncate(end);
            let _ = H264::parse(bytes.into());
        }
    }
}
