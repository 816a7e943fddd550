//! Sequence parameter sets (ITU-T H.265 §7.3.2.2), as far as to the colour in their VUI (§E.2.1).
//!
//! shiguredo_mp4, which reads those of H.264, ends before the VUI; it is the witness in tests.

use super::super::bits::Bits;
use super::super::{Colour, ConfigurationError};

const WHAT: &str = "H.265 sequence parameter set";
/// The NAL header.
const HEADER: usize = 2;
/// `aspect_ratio_idc` of a ratio that is given in numbers.
const EXTENDED_RATIO: u32 = 255;
/// The most short-term reference picture sets there may be (§7.4.3.2.1), and pictures in one.
const MAX_SETS: u32 = 64;
const MAX_PICTURES: u32 = 16;

/// What is read of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sps {
    pub(super) profile_space: u8,
    pub(super) high_tier: bool,
    pub(super) profile: u8,
    pub(super) compatibility: u32,
    pub(super) constraints: [u8; 6],
    pub(super) level: u8,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) bit_depth: u8,
    /// `None` if it is not there, or stands behind something that cannot be read.
    pub(super) colour: Option<Colour>,
}

/// Reads `unit`, NAL header included.
pub(super) fn parse(unit: &[u8]) -> Result<Sps, ConfigurationError> {
    let content = unescaped(unit);
    let mut bits = Bits::new(&content);
    let truncated = |field| ConfigurationError::Truncated {
        what: WHAT,
        bytes: unit.len(),
        field,
    };
    let forbidden = |field, value: u64| ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value,
    };

    let sub_layers = sub_layers(&mut bits).ok_or_else(|| truncated("sub-layers"))?;
    let general = general(&mut bits).ok_or_else(|| truncated("profile, tier and level"))?;
    skip_sub_layers(&mut bits, sub_layers).ok_or_else(|| truncated("sub-layer levels"))?;
    let picture = picture(&mut bits).ok_or_else(|| truncated("picture size"))?;
    if picture.chroma > 3 {
        return Err(forbidden("chroma format", picture.chroma.into()));
    }
    // ITU-T H.265 table 6-1.
    let (across, down) = match picture.chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let [left, right, top, bottom] = picture.crop.map(u64::from);
    let width = cropped(picture.width, across * (left + right))
        .ok_or_else(|| forbidden("width", picture.width.into()))?;
    let height = cropped(picture.height, down * (top + bottom))
        .ok_or_else(|| forbidden("height", picture.height.into()))?;
    let bit_depth = u8::try_from(picture.bit_depth)
        .ok()
        .filter(|depth| (8..=16).contains(depth))
        .ok_or_else(|| forbidden("bit depth", picture.bit_depth.into()))?;
    Ok(Sps {
        width,
        height,
        bit_depth,
        colour: colour(&mut bits, sub_layers).flatten(),
        ..general
    })
}

/// `sps_max_sub_layers_minus1`, and the bits on both sides of it.
fn sub_layers(bits: &mut Bits<'_>) -> Option<u32> {
    bits.skip(4)?;
    let sub_layers = bits.read(3)?;
    bits.skip(1)?;
    Some(sub_layers)
}

/// The general part of `profile_tier_level` (§7.3.3).
fn general(bits: &mut Bits<'_>) -> Option<Sps> {
    let mut byte = |count| bits.read(count).and_then(|value| u8::try_from(value).ok());
    let (profile_space, tier, profile) = (byte(2)?, byte(1)?, byte(5)?);
    let compatibility = bits.read(32)?;
    let mut constraints = [0; 6];
    for constraint in &mut constraints {
        *constraint = u8::try_from(bits.read(8)?).ok()?;
    }
    Some(Sps {
        profile_space,
        high_tier: tier == 1,
        profile,
        compatibility,
        constraints,
        level: u8::try_from(bits.read(8)?).ok()?,
        width: 0,
        height: 0,
        bit_depth: 0,
        colour: None,
    })
}

/// The rest of `profile_tier_level`: `count` sub-layers below the highest.
fn skip_sub_layers(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    // Two flags for each of eight, whether there are as many or not.
    let present: Vec<(bool, bool)> = (0..8)
        .map(|_| Some((bits.flag()?, bits.flag()?)))
        .collect::<Option<_>>()?;
    for (profile, level) in present.into_iter().take(usize::try_from(count).ok()?) {
        bits.skip(if profile { 88 } else { 0 })?;
        bits.skip(if level { 8 } else { 0 })?;
    }
    Some(())
}

struct Picture {
    chroma: u32,
    width: u32,
    height: u32,
    /// Left, right, top, bottom, in samples of chroma.
    crop: [u32; 4],
    bit_depth: u32,
}

fn picture(bits: &mut Bits<'_>) -> Option<Picture> {
    bits.exp_golomb()?;
    let chroma = bits.exp_golomb()?;
    if chroma == 3 {
        bits.skip(1)?;
    }
    let (width, height) = (bits.exp_golomb()?, bits.exp_golomb()?);
    let mut crop = [0; 4];
    if bits.flag()? {
        for edge in &mut crop {
            *edge = bits.exp_golomb()?;
        }
    }
    let bit_depth = bits.exp_golomb()?.saturating_add(8);
    bits.exp_golomb()?;
    Some(Picture {
        chroma,
        width,
        height,
        crop,
        bit_depth,
    })
}

/// What is left of `length` without `crop`: at least one pixel, and as many as a sample entry can say.
fn cropped(length: u32, crop: u64) -> Option<u16> {
    let left = u64::from(length).checked_sub(crop)?;
    u16::try_from(left).ok().filter(|&left| left > 0)
}

/// Everything from the bit depths up to the colour; `None` where it cannot be read, `Some(None)` where it says nothing.
fn colour(bits: &mut Bits<'_>, sub_layers: u32) -> Option<Option<Colour>> {
    let order_count_bits = usize::try_from(bits.exp_golomb()?).ok()?.checked_add(4)?;
    let all = bits.flag()?;
    for _ in 0..if all { sub_layers + 1 } else { 1 } {
        numbers(bits, 3)?;
    }
    // Sizes of coding and transform blocks, depths of the hierarchy.
    numbers(bits, 6)?;
    if bits.flag()? && bits.flag()? {
        skip_scaling_lists(bits)?;
    }
    bits.skip(2)?;
    if bits.flag()? {
        // PCM: two bit depths, two sizes, the filter.
        bits.skip(8)?;
        numbers(bits, 2)?;
        bits.skip(1)?;
    }
    skip_short_term_sets(bits)?;
    if bits.flag()? {
        for _ in 0..bits.exp_golomb()?.min(MAX_SETS) {
            bits.skip(order_count_bits + 1)?;
        }
    }
    bits.skip(2)?;
    if !bits.flag()? {
        return Some(None);
    }
    if bits.flag()? && bits.read(8)? == EXTENDED_RATIO {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?;
    }
    if !bits.flag()? {
        return Some(None);
    }
    bits.skip(3)?;
    let full_range = bits.flag()?;
    let mut colour = Colour {
        full_range,
        ..Colour::UNSPECIFIED
    };
    if bits.flag()? {
        for code in [
            &mut colour.primaries,
            &mut colour.transfer,
            &mut colour.matrix,
        ] {
            *code = u8::try_from(bits.read(8)?).ok()?;
        }
    }
    Some(Some(colour))
}

fn numbers(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    for _ in 0..count {
        bits.exp_golomb()?;
    }
    Some(())
}

/// `scaling_list_data` (§7.3.4).
fn skip_scaling_lists(bits: &mut Bits<'_>) -> Option<()> {
    for size in 0..4_u32 {
        let matrices = if size == 3 { 2 } else { 6 };
        for _ in 0..matrices {
            if bits.flag()? {
                let coefficients = 64.min(1 << (4 + 2 * size));
                numbers(bits, coefficients + u32::from(size > 1))?;
            } else {
                bits.exp_golomb()?;
            }
        }
    }
    Some(())
}

/// All of `st_ref_pic_set` (§7.3.7).
fn skip_short_term_sets(bits: &mut Bits<'_>) -> Option<()> {
    let sets = bits.exp_golomb()?;
    if sets > MAX_SETS {
        return None;
    }
    // Pictures in the set before, which the next may be told by. (The picture itself is never counted; no encoder says
    // that it refers to it.)
    let mut pictures = 0;
    for set in 0..sets {
        let predicted = set > 0 && bits.flag()?;
        if predicted {
            bits.skip(1)?;
            bits.exp_golomb()?;
            let mut kept = 0;
            for _ in 0..=pictures {
                let used = bits.flag()?;
                kept += u32::from(used || bits.flag()?);
            }
            pictures = kept;
        } else {
            let (before, behind) = (bits.exp_golomb()?, bits.exp_golomb()?);
            if before > MAX_PICTURES || behind > MAX_PICTURES {
                return None;
            }
            pictures = before + behind;
            for _ in 0..pictures {
                bits.exp_golomb()?;
                bits.skip(1)?;
            }
        }
    }
    Some(())
}

/// The content behind the NAL header, without the bytes that keep start codes out (§7.3.1.1).
fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let content = unit.iter().copied().filter(|&byte| {
        let escape = zeros >= 2 && byte == 3;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        !escape
    });
    content.skip(HEADER).collect()
}
