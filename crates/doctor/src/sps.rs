//! What a sequence parameter set says of fields (H.264 §7.3.2.1.1, §E.1.1).

/// Reads bits, Exp-Golomb codes among them (H.264 §9.1), past emulation prevention bytes (§7.4.1).
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    /// `nal` is a NAL unit with its header.
    fn new(nal: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(nal.len());
        let mut zeros = 0;
        for &byte in nal.iter().skip(1) {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = (byte >> (7 - self.at % 8)) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// `ue(v)`; signed codes have the same lengths.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1_u32;
        for _ in 0..zeros {
            value = (value << 1) | u32::from(self.bit()?);
        }
        Some(value - 1)
    }
}

/// Whether its pictures may be made of fields: `frame_mbs_only_flag` is 0. `None` if it cannot be read.
pub(crate) fn may_be_interlaced(sps: &[u8]) -> Option<bool> {
    let mut bits = Bits::new(sps);
    let profile = bits.bytes.first().copied()?;
    bits.skip(24)?;
    bits.golomb()?;
    if matches!(
        profile,
        44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244
    ) {
        high_profile_fields(&mut bits)?;
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.golomb()?;
            bits.golomb()?;
            let cycle = bits.golomb()?;
            for _ in 0..cycle.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.skip(1)?;
    bits.golomb()?;
    bits.golomb()?;
    Some(!bits.bit()?)
}

fn high_profile_fields(bits: &mut Bits) -> Option<()> {
    let chroma_format = bits.golomb()?;
    if chroma_format == 3 {
        bits.skip(1)?;
    }
    bits.golomb()?;
    bits.golomb()?;
    bits.skip(1)?;
    if bits.bit()? {
        for list in 0..if chroma_format == 3 { 12 } else { 8 } {
            if bits.bit()? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(())
}

/// H.264 §7.3.2.1.1.1.
fn scaling_list(bits: &mut Bits, size: u32) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..size {
        if next != 0 {
            let code = i64::from(bits.golomb()?);
            let delta = if code % 2 == 0 {
                -(code / 2)
            } else {
                (code + 1) / 2
            };
            next = (last + delta).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::PROGRESSIVE_SPS;

    #[test]
    fn whole_pictures_and_fields_are_told_apart() {
        assert_eq!(may_be_interlaced(PROGRESSIVE_SPS), Some(false));
        assert_eq!(may_be_interlaced(crate::script::INTERLACED_SPS), Some(true));
    }

    #[test]
    fn a_prefix_is_not_read() {
        for end in 0..9 {
            assert_eq!(may_be_interlaced(&PROGRESSIVE_SPS[..end]), None, "{end}");
        }
    }
}
