//! Sequence headers (AV1 §5.5), up to the colour.
//!
//! shiguredo_mp4 reads them too, but keeps nothing of the colour; it is the witness in tests.

use super::super::bits::Bits;
use super::super::{Colour, ConfigurationError};

const WHAT: &str = "AV1 sequence header";
const MAIN: u8 = 0;
const HIGH: u8 = 1;
const PROFESSIONAL: u8 = 2;
/// Levels from here on (4.0) have tiers.
const FIRST_WITH_TIERS: u32 = 8;
/// RGB (§5.5.2): BT.709 primaries, sRGB transfer, identity matrix.
const RGB: [u8; 3] = [1, 13, 0];

/// What is read of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SequenceHeader {
    pub(super) profile: u8,
    pub(super) level: u8,
    pub(super) high_tier: bool,
    pub(super) bit_depth: u8,
    pub(super) monochrome: bool,
    pub(super) chroma: [u8; 3],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) colour: Colour,
}

/// Reads the payload of its OBU.
pub(super) fn parse(payload: &[u8]) -> Result<SequenceHeader, ConfigurationError> {
    let mut bits = Bits::new(payload);
    let truncated = |field| ConfigurationError::Truncated {
        what: WHAT,
        bytes: payload.len(),
        field,
    };
    let profile = byte(&mut bits, 3).ok_or_else(|| truncated("profile"))?;
    if profile > PROFESSIONAL {
        return Err(ConfigurationError::Forbidden {
            what: WHAT,
            field: "profile",
            value: profile.into(),
        });
    }
    bits.skip(1).ok_or_else(|| truncated("still picture"))?;
    let reduced = bits
        .flag()
        .ok_or_else(|| truncated("reduced still picture header"))?;
    let (level, high_tier) =
        operating_points(&mut bits, reduced).ok_or_else(|| truncated("operating points"))?;
    let (width, height) = size(&mut bits).ok_or_else(|| truncated("frame size"))?;
    skip_tools(&mut bits, reduced).ok_or_else(|| truncated("coding tools"))?;
    let colours = colours(&mut bits, profile).ok_or_else(|| truncated("colour"))?;
    Ok(SequenceHeader {
        profile,
        level,
        high_tier,
        width,
        height,
        ..colours
    })
}

/// Whether it is one of a picture alone, whose frame header says nothing of its kind; `None` if it is cut short.
pub(super) fn is_reduced_still(payload: &[u8]) -> Option<bool> {
    let mut bits = Bits::new(payload);
    bits.skip(4)?;
    bits.flag()
}

/// Level and tier of the first one.
fn operating_points(bits: &mut Bits<'_>, reduced: bool) -> Option<(u8, bool)> {
    if reduced {
        return Some((byte(bits, 5)?, false));
    }
    let mut delay_bits = None;
    if bits.flag()? {
        // Timing: ticks, time scale, whether pictures are equally far apart.
        bits.skip(64)?;
        if bits.flag()? {
            skip_uvlc(bits)?;
        }
        if bits.flag()? {
            delay_bits = Some(usize::try_from(bits.read(5)?).ok()? + 1);
            bits.skip(32 + 5 + 5)?;
        }
    }
    let display_delays = bits.flag()?;
    let mut first = None;
    for _ in 0..=bits.read(5)? {
        bits.skip(12)?;
        let level = bits.read(5)?;
        let high_tier = level >= FIRST_WITH_TIERS && bits.flag()?;
        first = first.or(Some((u8::try_from(level).ok()?, high_tier)));
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if display_delays && bits.flag()? {
            bits.skip(4)?;
        }
    }
    first
}

fn size(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let across = usize::try_from(bits.read(4)?).ok()? + 1;
    let down = usize::try_from(bits.read(4)?).ok()? + 1;
    Some((bits.read(across)? + 1, bits.read(down)? + 1))
}

/// From the frame numbers to the restoration filter.
fn skip_tools(bits: &mut Bits<'_>, reduced: bool) -> Option<()> {
    if !reduced && bits.flag()? {
        bits.skip(4 + 3)?;
    }
    bits.skip(3)?;
    if !reduced {
        bits.skip(4)?;
        let order_hints = bits.flag()?;
        if order_hints {
            bits.skip(2)?;
        }
        // Screen content tools: chosen for each frame, or told here.
        let screen_content = bits.flag()? || bits.flag()?;
        if screen_content && !bits.flag()? {
            bits.skip(1)?;
        }
        if order_hints {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

/// `color_config` (§5.5.2).
fn colours(bits: &mut Bits<'_>, profile: u8) -> Option<SequenceHeader> {
    let high = bits.flag()?;
    let bit_depth = match (high, profile) {
        (true, PROFESSIONAL) if bits.flag()? => 12,
        (true, _) => 10,
        (false, _) => 8,
    };
    let monochrome = profile != HIGH && bits.flag()?;
    let mut codes = [2; 3];
    if bits.flag()? {
        for code in &mut codes {
            *code = byte(bits, 8)?;
        }
    }
    let [primaries, transfer, matrix] = codes;
    let (full_range, [x, y]) = if monochrome {
        (bits.flag()?, [1, 1])
    } else if codes == RGB {
        (true, [0, 0])
    } else {
        let full_range = bits.flag()?;
        let subsampling = match (profile, bit_depth) {
            (MAIN, _) => [1, 1],
            (HIGH, _) => [0, 0],
            (_, 12) => match byte(bits, 1)? {
                0 => [0, 0],
                x => [x, byte(bits, 1)?],
            },
            _ => [1, 0],
        };
        (full_range, subsampling)
    };
    let position = if !monochrome && [x, y] == [1, 1] {
        byte(bits, 2)?
    } else {
        0
    };
    Some(SequenceHeader {
        profile,
        level: 0,
        high_tier: false,
        bit_depth,
        monochrome,
        chroma: [x, y, position],
        width: 0,
        height: 0,
        colour: Colour {
            primaries,
            transfer,
            matrix,
            full_range,
        },
    })
}

/// AV1 §4.10.3.
fn skip_uvlc(bits: &mut Bits<'_>) -> Option<()> {
    let mut zeros = 0;
    while !bits.flag()? {
        zeros += 1;
    }
    // A number of 32 bits and more is told by the zeros alone.
    if zeros < 32 {
        bits.skip(zeros)
    } else {
        Some(())
    }
}

fn byte(bits: &mut Bits<'_>, count: usize) -> Option<u8> {
    u8::try_from(bits.read(count)?).ok()
}
