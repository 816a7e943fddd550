//! AV1CodecConfigurationRecord (AV1 Codec ISO Media File Format Binding §2.3), with the sequence header in it.

mod obu;
mod sequence_header;

use bytes::Bytes;

use super::bits::Bits;
use super::{Colour, ConfigurationError};

pub use obu::{Misfit, Obu, Obus};

const WHAT: &str = "AV1CodecConfigurationRecord";
/// What stands before the OBUs.
const HEAD: usize = 4;
/// `marker` and `version`.
const VERSION: u8 = 0x81;

/// An AV1 configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Av1 {
    /// The AV1CodecConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// `seq_profile`: 0 Main, 1 High, 2 Professional.
    pub profile: u8,
    /// `seq_level_idx` of the first operating point: 8 is level 4.0, 31 is no level.
    pub level: u8,
    /// `seq_tier` of the first operating point: High tier rather than Main.
    pub high_tier: bool,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// There is no chroma.
    pub monochrome: bool,
    /// `subsampling_x` and `subsampling_y`, each 0 or 1, and `chroma_sample_position`: 0..=3.
    pub chroma: [u8; 3],
    /// The largest width of a frame, pixels.
    pub width: u16,
    /// The largest height of a frame, pixels.
    pub height: u16,
    /// Colour, where the sequence header says anything of it.
    pub colour: Option<Colour>,
}

impl Av1 {
    /// Reads an AV1CodecConfigurationRecord (the content of `av1C`).
    ///
    /// # Errors
    /// Truncated, another version, no sequence header in it, one that cannot be read, or frames of more than 65 535
    /// pixels across.
    pub fn parse(record: Bytes) -> Result<Self, ConfigurationError> {
        let Some((head, obus)) = record.split_at_checked(HEAD) else {
            return Err(ConfigurationError::Truncated {
                what: WHAT,
                bytes: record.len(),
                field: "profile, level and tier",
            });
        };
        let version = head.first().copied().unwrap_or(0);
        if version != VERSION {
            return Err(ConfigurationError::Forbidden {
                what: WHAT,
                field: "marker and version",
                value: version.into(),
            });
        }
        let sequence = Obus::new(obus)
            .find(|obu| obu.kind == Obu::SEQUENCE_HEADER)
            .ok_or(ConfigurationError::Unsupported {
                what: WHAT,
                field: "sequence headers",
                value: 0,
            })?;
        let sequence = sequence_header::parse(sequence.payload)?;
        let pixels = |field, value: u32| {
            u16::try_from(value).map_err(|_| ConfigurationError::Unsupported {
                what: WHAT,
                field,
                value: value.into(),
            })
        };
        Ok(Self {
            profile: sequence.profile,
            level: sequence.level,
            high_tier: sequence.high_tier,
            bit_depth: sequence.bit_depth,
            monochrome: sequence.monochrome,
            chroma: sequence.chroma,
            width: pixels("width", sequence.width)?,
            height: pixels("height", sequence.height)?,
            colour: Some(sequence.colour).filter(Colour::is_specified),
            record,
        })
    }

    /// `unit` as a sample of CMAF has it (Binding §2.4): a temporal unit without the temporal delimiter that it
    /// begins with. ffmpeg 9 sends it with SVT-AV1.
    pub fn sample(unit: &Bytes) -> Bytes {
        let mut obus = Obus::new(unit);
        let mut begin = 0;
        while obus
            .next()
            .is_some_and(|obu| obu.kind == Obu::TEMPORAL_DELIMITER)
        {
            begin = obus.position();
        }
        unit.slice(begin..)
    }

    /// Whether a temporal unit starts decoding (Binding §2.4, sync sample): its first frame is a key frame that is
    /// shown, behind a sequence header. OBUs behind that frame are not looked at, but have to be whole.
    ///
    /// # Errors
    /// An OBU that goes beyond the unit, or has forbidden bits.
    pub fn is_random_access(unit: &[u8]) -> Result<bool, Misfit> {
        let mut obus = Obus::new(unit);
        let mut still = None;
        let mut first_frame = None;
        for obu in obus.by_ref() {
            match obu.kind {
                Obu::SEQUENCE_HEADER => still = sequence_header::is_reduced_still(obu.payload),
                Obu::FRAME | Obu::FRAME_HEADER if first_frame.is_none() => {
                    let starts = still.is_some_and(|still| still || is_shown_key(obu.payload));
                    first_frame = Some(starts);
                }
                _ => {}
            }
        }
        obus.misfit().map_or(Ok(first_frame == Some(true)), Err)
    }

    /// `Main`, `High`, `Professional`.
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.profile {
            0 => "Main",
            1 => "High",
            _ => "Professional",
        }
    }

    /// Binding §5: `av01.0.08M.08`, and all of it where colour is not what is assumed without being told.
    pub(crate) fn rfc6381(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        let mut text = format!(
            "av01.{}.{:02}{tier}.{:02}",
            self.profile, self.level, self.bit_depth
        );
        let colour = self.colour.unwrap_or(Colour::UNSPECIFIED);
        let [x, y, position] = self.chroma;
        if self.monochrome || (x, y) != (1, 1) || !colour.is_usual() {
            text.push_str(&format!(
                ".{}.{x}{y}{position}.{:02}.{:02}.{:02}.{}",
                u8::from(self.monochrome),
                colour.primaries,
                colour.transfer,
                colour.matrix,
                u8::from(colour.full_range),
            ));
        }
        text
    }
}

/// Whether a frame header is that of a key frame that is shown (AV1 §5.9.2).
fn is_shown_key(header: &[u8]) -> bool {
    const KEY_FRAME: u32 = 0;
    let mut bits = Bits::new(header);
    // Not one from before shown again.
    bits.flag() == Some(false) && bits.read(2) == Some(KEY_FRAME) && bits.flag() == Some(true)
}

#[cfg(test)]
mod tests;
