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

    /// Bits not yet read.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }
}
