//! Open bitstream units (AV1 §5.3), behind one another in a temporal unit or a configuration record.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obu<'a> {
    /// `obu_type` (AV1 §6.2.2): 0..=15.
    pub kind: u8,
    /// What is behind its header and size.
    pub payload: &'a [u8],
}

impl Obu<'_> {
    /// `obu_type` of what is the same for all frames up to the next.
    pub const SEQUENCE_HEADER: u8 = 1;
    /// `obu_type` of the start of a temporal unit.
    pub const TEMPORAL_DELIMITER: u8 = 2;
    /// `obu_type` of a frame header whose tiles are in units of their own.
    pub const FRAME_HEADER: u8 = 3;
    /// `obu_type` of what goes with frames and is not needed to decode them.
    pub const METADATA: u8 = 5;
    /// `obu_type` of a frame header with its tiles.
    pub const FRAME: u8 = 6;
}

/// The units of some bytes; one that does not fit them ends them.
#[derive(Clone, Copy, Debug)]
pub struct Obus<'a> {
    rest: &'a [u8],
    bytes: usize,
}

/// A unit that goes beyond the bytes it is in, or has a header that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where it begins.
    pub at: usize,
}

impl<'a> Obus<'a> {
    /// Splits `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            bytes: bytes.len(),
        }
    }

    /// Where the next unit begins.
    pub const fn position(&self) -> usize {
        self.bytes - self.rest.len()
    }

    /// After the last unit: what ended them, unless it was the end of the bytes.
    pub fn misfit(&self) -> Option<Misfit> {
        (!self.rest.is_empty()).then(|| Misfit {
            at: self.position(),
        })
    }
}

impl<'a> Iterator for Obus<'a> {
    type Item = Obu<'a>;

    fn next(&mut self) -> Option<Obu<'a>> {
        const FORBIDDEN: u8 = 0x80;
        const EXTENSION: u8 = 0x04;
        const HAS_SIZE: u8 = 0x02;

        let (&header, mut behind) = self.rest.split_first()?;
        if header & FORBIDDEN != 0 {
            return None;
        }
        if header & EXTENSION != 0 {
            (_, behind) = behind.split_first()?;
        }
        // The last one may leave its size out.
        let size = if header & HAS_SIZE != 0 {
            let (size, rest) = leb128(behind)?;
            behind = rest;
            size
        } else {
            behind.len()
        };
        let (payload, rest) = behind.split_at_checked(size)?;
        self.rest = rest;
        Some(Obu {
            kind: header >> 3 & 0xf,
            payload,
        })
    }
}

/// A number in up to eight times seven bits, the lowest first (AV1 §4.10.5), and what is behind it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(at + 1..)?));
        }
    }
    None
}
