//! A bit reader that returns `None` at the end instead of panicking.

/// Reads big-endian bit fields from a slice.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits (at most 32), most significant first; `None` if fewer are left, and then
    /// nothing is consumed.
    pub(super) fn read(&mut self, count: usize) -> Option<u32> {
        if count > self.left() {
            return None;
        }
        let mut value = 0;
        for at in self.at..self.at + count {
            let byte = self.bytes.get(at / 8)?;
            value = (value << 1) | u32::from((byte >> (7 - at % 8)) & 1);
        }
        self.at += count;
        Some(value)
    }

    /// The next bit as a flag.
    pub(super) fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// Passes over `count` bits; `None` if fewer are left, and then nothing is consumed.
    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        if count > self.left() {
            return None;
        }
        self.at += count;
        Some(())
    }

    /// An Exp-Golomb number (ITU-T H.264 §9.1, H.265 §9.2) below 2^32 - 1.
    pub(super) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.read(zeros)?;
        Some(((1_u32 << zeros) - 1) + rest)
    }

    /// Bits not yet read.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_numbers() {
        let cases: [(&[u8], Option<u32>); 6] = [
            (&[0b1000_0000], Some(0)),
            (&[0b0100_0000], Some(1)),
            (&[0b0011_1000], Some(6)),
            (&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff], Some(u32::MAX - 1)),
            (&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], None),
            (&[0b0001_0000], Some(7)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Bits::new(bytes).exp_golomb(), expected, "{bytes:?}");
        }
    }
}
