//! FLAC: the metadata block STREAMINFO (RFC 9639 §8.2).

use bytes::{Buf, Bytes};

use super::ConfigurationError;
use super::bits::Bits;

const WHAT: &str = "FLAC STREAMINFO";
const MAGIC: &[u8] = b"fLaC";
/// A metadata block begins with its type and length; STREAMINFO is type 0.
const BLOCK_HEADER: usize = 4;
const BLOCK_TYPE: u8 = 0x7f;
const STREAM_INFO: usize = 34;

/// A FLAC configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flac {
    /// STREAMINFO as the encoder sent it: 34 bytes.
    pub stream_info: Bytes,
    /// Samples of each channel in a frame: 16..=65 535.
    pub block_size: u32,
    /// Sampling rate, Hz.
    pub sample_rate: u32,
    /// 1..=8.
    pub channels: u8,
    /// Bits of a sample: 4..=32.
    pub bit_depth: u8,
}

impl Flac {
    /// Reads STREAMINFO: its 34 bytes alone, as ffmpeg 9 sends it, or behind `fLaC` and the header of its block.
    ///
    /// # Errors
    /// Truncated, another block first, no rate, or frames of different lengths: what is written of a frame's time must
    /// be known from the configuration.
    pub fn parse(bytes: Bytes) -> Result<Self, ConfigurationError> {
        let length = bytes.len();
        let truncated = |field| ConfigurationError::Truncated {
            what: WHAT,
            bytes: length,
            field,
        };
        let mut begin = 0;
        if let Some(blocks) = bytes.strip_prefix(MAGIC) {
            let header = blocks.first().ok_or_else(|| truncated("block header"))?;
            if header & BLOCK_TYPE != 0 {
                return Err(forbidden("block type", (header & BLOCK_TYPE).into()));
            }
            begin = MAGIC.len() + BLOCK_HEADER;
        }
        if length < begin + STREAM_INFO {
            return Err(truncated("block sizes to checksum"));
        }
        let mut stream_info = bytes;
        stream_info.advance(begin);
        stream_info.truncate(STREAM_INFO);
        let fields = Fields::read(&stream_info).ok_or_else(|| truncated("sampling rate"))?;
        if fields.rate == 0 {
            return Err(forbidden("sampling rate", 0));
        }
        if fields.smallest < 16 {
            return Err(forbidden("block size", fields.smallest.into()));
        }
        if fields.smallest != fields.largest {
            return Err(ConfigurationError::Unsupported {
                what: WHAT,
                field: "block sizes that vary, up to",
                value: fields.largest.into(),
            });
        }
        Ok(Self {
            stream_info,
            block_size: fields.largest.into(),
            sample_rate: fields.rate,
            channels: fields.channels,
            bit_depth: fields.bit_depth,
        })
    }

    /// How many bits its samples have.
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.bit_depth {
            8 => "8 bit",
            16 => "16 bit",
            20 => "20 bit",
            24 => "24 bit",
            32 => "32 bit",
            _ => "unusual samples",
        }
    }
}

struct Fields {
    smallest: u16,
    largest: u16,
    rate: u32,
    channels: u8,
    bit_depth: u8,
}

impl Fields {
    fn read(stream_info: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(stream_info);
        let smallest = u16::try_from(bits.read(16)?).ok()?;
        let largest = u16::try_from(bits.read(16)?).ok()?;
        // Sizes of frames, bytes.
        bits.skip(48)?;
        Some(Self {
            smallest,
            largest,
            rate: bits.read(20)?,
            channels: u8::try_from(bits.read(3)?).ok()? + 1,
            bit_depth: u8::try_from(bits.read(5)?).ok()? + 1,
        })
    }
}

fn forbidden(field: &'static str, value: u64) -> ConfigurationError {
    ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ffmpeg 9.0.2, 48 kHz stereo.
    const RAW: [u8; 34] = {
        let mut bytes = [0; 34];
        let head = [4, 0, 4, 0, 0, 0, 0, 0, 0x10, 0x98, 0x0b, 0xb8, 0x02, 0xf0];
        let mut at = 0;
        while at < head.len() {
            bytes[at] = head[at];
            at += 1;
        }
        bytes
    };

    fn parse(bytes: &[u8]) -> Result<Flac, ConfigurationError> {
        Flac::parse(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn with_and_without_signature() {
        let flac = parse(&RAW).expect("as ffmpeg sends it");
        assert_eq!((flac.sample_rate, flac.channels), (48_000, 2));
        assert_eq!((flac.block_size, flac.bit_depth), (1_024, 16));
        assert_eq!(
            (&flac.stream_info[..], flac.profile_name()),
            (&RAW[..], "16 bit")
        );
        let whole = [b"fLaC\x80\0\0\x22", &RAW[..]].concat();
        assert_eq!(parse(&whole).expect("as Enhanced RTMP has it"), flac);
        // Comments and pictures may follow.
        let more = [b"fLaC\0\0\0\x22", &RAW[..], b"\x84\0\0\x01x"].concat();
        assert_eq!(parse(&more).expect("more blocks"), flac);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let changed = |at: usize, value: u8| {
            let mut bytes = RAW.to_vec();
            bytes[at] = value;
            bytes
        };
        let cases: [(Vec<u8>, &str); 5] = [
            (
                RAW[..33].to_vec(),
                "FLAC STREAMINFO ends after 33 bytes, in the middle of block sizes to checksum",
            ),
            (
                b"fLaC\x84\0\0\0".to_vec(),
                "FLAC STREAMINFO has block type 4, which is not allowed",
            ),
            (
                changed(2, 16),
                "FLAC STREAMINFO has block sizes that vary, up to 4096, which this gateway does not carry",
            ),
            (
                changed(0, 0),
                "FLAC STREAMINFO has block size 0, which is not allowed",
            ),
            (
                [&RAW[..10], &[0, 0, 2], &RAW[13..]].concat(),
                "FLAC STREAMINFO has sampling rate 0, which is not allowed",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(&bytes).expect_err(expected).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            at in 0..RAW.len(), with: u8, end in 0..=RAW.len(), signed: bool,
        ) {
            let mut bytes = RAW.to_vec();
            bytes[at] = with;
            bytes.truncate(end);
            if signed {
                bytes = [b"fLaC\0\0\0\x22", &bytes[..]].concat();
            }
            if let Ok(flac) = parse(&bytes) {
                prop_assert!(flac.sample_rate > 0 && flac.block_size > 0 && flac.channels > 0);
            }
        }
    }
}
