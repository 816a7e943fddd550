//! Chunk headers (RTMP 1.0 §5.3.1): basic header, message header, extended timestamp.

/// The timestamp value that announces an extended timestamp field (§5.3.1.3).
const EXTENDED: u32 = 0xff_ffff;

/// A chunk header as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The chunk stream, 2 to 65 599.
    pub id: u32,
    /// The message header.
    pub fields: Fields,
    /// The extended timestamp field, if there was one. Timestamps and deltas in `fields` already hold it.
    pub extended: Option<u32>,
}

/// The message header in its four sizes: chunk types 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    /// Type 0: everything, with an absolute timestamp.
    Full {
        timestamp_ms: u32,
        length: u32,
        kind: u8,
        stream: u32,
    },
    /// Type 1: the message stream is the last one.
    SameStream {
        delta_ms: u32,
        length: u32,
        kind: u8,
    },
    /// Type 2: length and type are the last ones as well.
    DeltaOnly { delta_ms: u32 },
    /// Type 3: everything is as before.
    Nothing,
}

impl Fields {
    /// The number in the first two bits of the chunk.
    pub(super) const fn format(self) -> u8 {
        match self {
            Self::Full { .. } => 0,
            Self::SameStream { .. } => 1,
            Self::DeltaOnly { .. } => 2,
            Self::Nothing => 3,
        }
    }
}

/// The header at the front of `input` and its length in bytes; `None` if more bytes are needed.
///
/// `extended` is the extended timestamp field of the chunk stream's last header. Where it was present the
/// standard repeats it in every type 3 chunk, and senders derived from older librtmp do not: only a field
/// with the expected value is one, everything else is payload already.
pub(super) fn parse(
    input: &[u8],
    extended: impl FnOnce(u32) -> Option<u32>,
) -> Option<(Header, usize)> {
    let mut fields = FieldReader { rest: input };
    let first = fields.u8()?;
    let id = match first & 0x3f {
        0 => 64 + u32::from(fields.u8()?),
        // The errata say it plainly: the three-byte form is little-endian.
        1 => 64 + u32::from(fields.u8()?) + 256 * u32::from(fields.u8()?),
        id => u32::from(id),
    };
    let mut header = Header {
        id,
        fields: Fields::Nothing,
        extended: None,
    };
    match first >> 6 {
        0 => {
            let timestamp_ms = fields.u24()?;
            let (length, kind) = (fields.u24()?, fields.u8()?);
            let stream = fields.array().map(u32::from_le_bytes)?;
            let (timestamp_ms, extended) = fields.extended(timestamp_ms)?;
            header.extended = extended;
            header.fields = Fields::Full {
                timestamp_ms,
                length,
                kind,
                stream,
            };
        }
        1 => {
            let delta_ms = fields.u24()?;
            let (length, kind) = (fields.u24()?, fields.u8()?);
            let (delta_ms, extended) = fields.extended(delta_ms)?;
            header.extended = extended;
            header.fields = Fields::SameStream {
                delta_ms,
                length,
                kind,
            };
        }
        2 => {
            let delta_ms = fields.u24()?;
            let (delta_ms, extended) = fields.extended(delta_ms)?;
            header.extended = extended;
            header.fields = Fields::DeltaOnly { delta_ms };
        }
        _ => {
            if let Some(expected) = extended(id) {
                fields.skip_repeated(expected)?;
                header.extended = Some(expected);
            }
        }
    }
    Some((header, input.len() - fields.rest.len()))
}

struct FieldReader<'a> {
    rest: &'a [u8],
}

impl FieldReader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*field)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u24(&mut self) -> Option<u32> {
        let [a, b, c] = self.array()?;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    /// The time that a 24-bit field means, and the extended field if the 24 bits announced one.
    fn extended(&mut self, short: u32) -> Option<(u32, Option<u32>)> {
        if short < EXTENDED {
            return Some((short, None));
        }
        let long = self.array().map(u32::from_be_bytes)?;
        Some((long, Some(long)))
    }

    /// Skips a field with the value `expected`, if it is there; `None` while that cannot be told.
    fn skip_repeated(&mut self, expected: u32) -> Option<()> {
        let expected = expected.to_be_bytes();
        if let Some(rest) = self.rest.strip_prefix(&expected) {
            self.rest = rest;
            return Some(());
        }
        let undecided = self.rest.len() < expected.len() && expected.starts_with(self.rest);
        (!undecided).then_some(())
    }
}
