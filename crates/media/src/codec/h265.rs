//! HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1).

mod sps;

use bytes::{Buf, Bytes};

use super::{Colour, ConfigurationError};

const WHAT: &str = "HEVCDecoderConfigurationRecord";
/// What stands before the arrays of NAL units.
const HEAD: usize = 22;
/// Where the length size stands, in its lowest two bits.
const LENGTH_SIZE_AT: usize = 21;

/// `nal_unit_type` (ITU-T H.265 table 7-1) of the parameter sets.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
/// Array header: all NAL units of the kind are here, none in the access units.
const COMPLETE: u8 = 0x80;

/// An H.265 configuration. Profile, tier and level stand in the record too; those of the parameter set are the
/// true ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H265 {
    /// The HEVCDecoderConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Video parameter sets, NAL header included; at least one.
    pub vps: Vec<Bytes>,
    /// Sequence parameter sets, NAL header included; at least one.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL header included; at least one.
    pub pps: Vec<Bytes>,
    /// `general_profile_space` of the first sequence parameter set: 0..=3.
    pub profile_space: u8,
    /// Its `general_tier_flag`: High tier rather than Main.
    pub high_tier: bool,
    /// Its `general_profile_idc`: 1 is Main, 2 is Main 10.
    pub profile: u8,
    /// Its `general_profile_compatibility_flags`, that of profile 0 in the highest bit.
    pub compatibility: u32,
    /// The 48 bits behind them: `general_progressive_source_flag` is the highest.
    pub constraints: [u8; 6],
    /// Its `general_level_idc`, 30 times the level: 93 is level 3.1.
    pub level: u8,
    /// Width after cropping, pixels.
    pub width: u16,
    /// Height after cropping, pixels.
    pub height: u16,
    /// Bits of a luma sample: 8..=16.
    pub bit_depth: u8,
    /// Colour, where the parameter set says anything of it.
    pub colour: Option<Colour>,
}

impl H265 {
    /// Reads an HEVCDecoderConfigurationRecord.
    ///
    /// # Errors
    /// Truncated, a kind of parameter set missing, a NAL length of 3 bytes, or a sequence parameter set that cannot
    /// be read.
    pub fn parse(record: Bytes) -> Result<Self, ConfigurationError> {
        let mut rest = record.clone();
        let truncated = |field| ConfigurationError::Truncated {
            what: WHAT,
            bytes: record.len(),
            field,
        };
        let version = record
            .first()
            .copied()
            .ok_or_else(|| truncated("version"))?;
        // Records of before the standard was final say 0.
        if version > 1 {
            return Err(forbidden("version", version));
        }
        let length_size = record
            .get(LENGTH_SIZE_AT)
            .ok_or_else(|| truncated("NAL length size"))?;
        let length_size = (length_size & 3) + 1;
        if length_size == 3 {
            return Err(forbidden("NAL length size", length_size));
        }
        rest.advance(HEAD);

        let (mut vps, mut sps, mut pps) = (Vec::new(), Vec::new(), Vec::new());
        let arrays = rest
            .try_get_u8()
            .map_err(|_| truncated("count of arrays"))?;
        for _ in 0..arrays {
            let kind = rest
                .try_get_u8()
                .map_err(|_| truncated("an array's kind"))?
                & 0x3f;
            let units = nal_units(&mut rest).ok_or_else(|| truncated("an array of NAL units"))?;
            match kind {
                VPS => vps.extend(units),
                SPS => sps.extend(units),
                PPS => pps.extend(units),
                // Supplemental enhancement information, such as the mastering display of HDR.
                _ => {}
            }
        }
        if vps.is_empty() {
            return Err(forbidden("video parameter sets", 0));
        }
        if pps.is_empty() {
            return Err(forbidden("picture parameter sets", 0));
        }
        let first = sps
            .first()
            .ok_or_else(|| forbidden("sequence parameter sets", 0))?;
        let parsed = sps::parse(first)?;
        Ok(Self {
            length_size,
            profile_space: parsed.profile_space,
            high_tier: parsed.high_tier,
            profile: parsed.profile,
            compatibility: parsed.compatibility,
            constraints: parsed.constraints,
            level: parsed.level,
            width: parsed.width,
            height: parsed.height,
            bit_depth: parsed.bit_depth,
            colour: parsed.colour.filter(Colour::is_specified),
            vps,
            sps,
            pps,
            record,
        })
    }

    /// The record for a sample entry `hvc1`: that of the encoder, with its arrays of parameter sets said to be
    /// complete, as they have to be there (ISO/IEC 14496-15 §8.4.1.1.1). ffmpeg 9 sends them as for `hev1`.
    pub fn hvc1_record(&self) -> Vec<u8> {
        let mut record = self.record.to_vec();
        if let Some(version) = record.first_mut() {
            *version = 1;
        }
        let arrays = record.get(HEAD).copied().unwrap_or(0);
        let mut at = HEAD + 1;
        for _ in 0..arrays {
            let Some(header) = record.get_mut(at) else {
                break;
            };
            if matches!(*header & 0x3f, VPS | SPS | PPS) {
                *header |= COMPLETE;
            }
            let units = number(&record, at + 1);
            at += 3;
            for _ in 0..units {
                at += 2 + usize::from(number(&record, at));
            }
        }
        record
    }

    /// `Main`, `Main 10`, …
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.profile {
            1 => "Main",
            2 => "Main 10",
            3 => "Main Still Picture",
            4 => "Range Extensions",
            5 => "High Throughput",
            9 => "Screen-Extended",
            _ => "unknown",
        }
    }

    /// ISO/IEC 14496-15 annex E.3: `hvc1.1.6.L93.90`.
    pub(crate) fn rfc6381(&self) -> String {
        let space = match self.profile_space {
            1 => "A",
            2 => "B",
            3 => "C",
            _ => "",
        };
        let tier = if self.high_tier { 'H' } else { 'L' };
        let mut text = format!(
            "hvc1.{space}{}.{:X}.{tier}{}",
            self.profile,
            self.compatibility.reverse_bits(),
            self.level
        );
        let significant = self.constraints.iter().rposition(|&byte| byte != 0);
        for byte in self
            .constraints
            .iter()
            .take(significant.map_or(0, |at| at + 1))
        {
            text.push_str(&format!(".{byte:X}"));
        }
        text
    }
}

/// The NAL units of an array, behind their count.
fn nal_units(rest: &mut Bytes) -> Option<Vec<Bytes>> {
    let count = rest.try_get_u16().ok()?;
    let mut units = Vec::new();
    for _ in 0..count {
        let length = usize::from(rest.try_get_u16().ok()?);
        if length == 0 || length > rest.len() {
            return None;
        }
        units.push(rest.split_to(length));
    }
    Some(units)
}

/// Two bytes at `at`; 0 beyond the end.
fn number(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..).and_then(<[u8]>::first_chunk);
    two.map_or(0, |&two| u16::from_be_bytes(two))
}

fn forbidden(field: &'static str, value: u8) -> ConfigurationError {
    ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value: value.into(),
    }
}

#[cfg(test)]
mod tests;
