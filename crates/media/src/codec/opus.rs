//! Opus: the identification header (RFC 7845 §5.1), and what only packets say: how long they last (RFC 6716 §3).

use bytes::Bytes;

use super::ConfigurationError;

const WHAT: &str = "OpusHead";
const MAGIC: &[u8] = b"OpusHead";
/// Its fields up to the mapping family.
const FIXED: usize = 19;
/// Opus counts in this rate whatever it was made from, Hz.
const RATE: u32 = 48_000;
/// What decoders are told to drop where no header says so: 6.5 ms, as of libopus.
const USUAL_PRE_SKIP: u16 = 312;
/// The longest packet: 120 ms (RFC 6716 §3.2.5, R5).
const MAX_SAMPLES: u32 = 5_760;

/// An identification header: of an Opus configuration what does not depend on the packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusHead {
    bytes: Bytes,
    channels: u8,
    pre_skip: u16,
    input_rate: u32,
    output_gain: i16,
    mapping: Bytes,
}

/// An Opus configuration. Packets of another length are another one: fragments of CMAF say once how long they last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opus {
    /// The identification header as the encoder sent it; empty if it sent none.
    pub head: Bytes,
    /// Channels of the decoded sound.
    pub channels: u8,
    /// Samples that a decoder drops where it begins, of 48 kHz.
    pub pre_skip: u16,
    /// Sampling rate of what was encoded, Hz; for information only.
    pub input_rate: u32,
    /// What a decoder amplifies by, in 1/256 dB.
    pub output_gain: i16,
    /// The mapping family; behind all but 0 the numbers of streams and of coupled ones, and the stream channel of each
    /// output channel. The same in the header and in `dOps`.
    pub mapping: Bytes,
    /// Samples of a packet, of 48 kHz: 120..=5760.
    pub samples_per_packet: u32,
}

impl OpusHead {
    /// Reads an identification header.
    ///
    /// # Errors
    /// Truncated, another signature, a version that is not 1.x, no channel, or a mapping of none.
    pub fn parse(bytes: Bytes) -> Result<Self, ConfigurationError> {
        let truncated = |field| ConfigurationError::Truncated {
            what: WHAT,
            bytes: bytes.len(),
            field,
        };
        let forbidden = |field, value: u64| ConfigurationError::Forbidden {
            what: WHAT,
            field,
            value,
        };
        let fields = bytes
            .first_chunk::<FIXED>()
            .ok_or_else(|| truncated("channels and rate"))?;
        let Some(&[version, channels, p0, p1, r0, r1, r2, r3, g0, g1, family]) =
            fields.strip_prefix(MAGIC).and_then(<[u8]>::first_chunk)
        else {
            return Err(forbidden("signature", u64::from(fields[0])));
        };
        // The high nibble is what cannot be understood by readers of another.
        if version >> 4 != 0 {
            return Err(forbidden("version", version.into()));
        }
        if channels == 0 || (family == 0 && channels > 2) {
            return Err(forbidden("channels", channels.into()));
        }
        let mapping = match family {
            0 => 0..1,
            _ => 0..3 + usize::from(channels),
        };
        let mapping = FIXED - 1 + mapping.start..FIXED - 1 + mapping.end;
        if mapping.end > bytes.len() {
            return Err(truncated("channel mapping"));
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([p0, p1]),
            input_rate: u32::from_le_bytes([r0, r1, r2, r3]),
            output_gain: i16::from_le_bytes([g0, g1]),
            mapping: bytes.slice(mapping),
            bytes,
        })
    }

    /// What is assumed of `channels` where the encoder sends no header.
    ///
    /// # Errors
    /// Not one or two: only a header says how more are mapped.
    pub fn of_channels(channels: u8) -> Result<Self, ConfigurationError> {
        if !matches!(channels, 1 | 2) {
            return Err(ConfigurationError::Unsupported {
                what: "Opus without OpusHead",
                field: "channels",
                value: channels.into(),
            });
        }
        Ok(Self {
            bytes: Bytes::new(),
            channels,
            pre_skip: USUAL_PRE_SKIP,
            input_rate: RATE,
            output_gain: 0,
            mapping: Bytes::from_static(&[0]),
        })
    }

    /// The configuration of packets of as many samples ([`Opus::samples`]).
    pub fn with(&self, samples_per_packet: u32) -> Opus {
        Opus {
            head: self.bytes.clone(),
            channels: self.channels,
            pre_skip: self.pre_skip,
            input_rate: self.input_rate,
            output_gain: self.output_gain,
            mapping: self.mapping.clone(),
            samples_per_packet,
        }
    }
}

impl Opus {
    /// The rate that samples are counted in, Hz.
    pub const RATE: u32 = RATE;

    /// Samples of `packet`, of 48 kHz (RFC 6716 §3.1). Of several streams, whose packets stand behind one another, all
    /// last as long as the first.
    ///
    /// # Errors
    /// Empty, cut short, without frames, or longer than 120 ms.
    pub fn samples(packet: &[u8]) -> Result<u32, ConfigurationError> {
        const PACKET: &str = "Opus packet";
        let truncated = |field| ConfigurationError::Truncated {
            what: PACKET,
            bytes: packet.len(),
            field,
        };
        let &toc = packet
            .first()
            .ok_or_else(|| truncated("table of contents"))?;
        let frame = match (toc >> 3, toc >> 3 & 3) {
            // SILK: 10, 20, 40, 60 ms.
            (0..12, 0) => 480,
            (0..12, size) => 960 * u32::from(size),
            // Hybrid: 10 and 20 ms.
            (12..16, size) => 480 << (size & 1),
            // CELT: 2.5, 5, 10, 20 ms.
            (_, size) => 120 << size,
        };
        let frames = match toc & 3 {
            0 => 1,
            1 | 2 => 2,
            _ => u32::from(packet.get(1).ok_or_else(|| truncated("frame count"))? & 0x3f),
        };
        let samples = frame * frames;
        if samples == 0 || samples > MAX_SAMPLES {
            return Err(ConfigurationError::Forbidden {
                what: PACKET,
                field: "samples",
                value: samples.into(),
            });
        }
        Ok(samples)
    }

    /// How long its packets last.
    pub(crate) const fn profile_name(&self) -> &'static str {
        match self.samples_per_packet {
            120 => "2.5 ms",
            240 => "5 ms",
            480 => "10 ms",
            960 => "20 ms",
            1_920 => "40 ms",
            2_880 => "60 ms",
            3_840 => "80 ms",
            4_800 => "100 ms",
            5_760 => "120 ms",
            _ => "unusual packets",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// libopus through ffmpeg 9.0.2.
    const STEREO: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
    const SURROUND: &[u8] =
        b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\x00\x04\x01\x02\x03\x05";

    #[test]
    fn headers_of_libopus() {
        let stereo = OpusHead::parse(Bytes::from_static(STEREO)).expect("a header");
        let opus = stereo.with(960);
        assert_eq!((opus.channels, opus.pre_skip), (2, 312));
        assert_eq!((opus.input_rate, opus.output_gain), (48_000, 0));
        assert_eq!((&opus.mapping[..], &opus.head[..]), (&[0][..], STEREO));
        assert_eq!(opus.profile_name(), "20 ms");
        let surround = OpusHead::parse(Bytes::from_static(SURROUND)).expect("a header");
        assert_eq!(surround.mapping, SURROUND[18..]);
        let assumed = OpusHead::of_channels(2).expect("stereo").with(960);
        assert_eq!(
            Opus {
                head: opus.head.clone(),
                ..assumed
            },
            opus
        );
    }

    #[test]
    fn how_long_packets_last() {
        let cases: [(&str, &[u8], Result<u32, &str>); 10] = [
            ("libopus, 20 ms", &[0xfc, 0x7e], Ok(960)),
            ("libopus, three times 20 ms", &[0xff, 0x03], Ok(2_880)),
            ("CELT of 2.5 ms", &[16 << 3], Ok(120)),
            ("two of 5 ms", &[17 << 3 | 1], Ok(480)),
            ("hybrid of 20 ms", &[13 << 3], Ok(960)),
            ("SILK of 10 ms", &[0], Ok(480)),
            ("SILK of 60 ms", &[3 << 3], Ok(2_880)),
            (
                "three of 60 ms",
                &[3 << 3 | 3, 3],
                Err("Opus packet has samples 8640, which is not allowed"),
            ),
            (
                "no frames",
                &[3, 0],
                Err("Opus packet has samples 0, which is not allowed"),
            ),
            (
                "no count",
                &[3],
                Err("Opus packet ends after 1 bytes, in the middle of frame count"),
            ),
        ];
        for (name, packet, expected) in cases {
            let found = Opus::samples(packet).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let changed = |at: usize, value: u8| {
            let mut head = STEREO.to_vec();
            head[at] = value;
            head
        };
        let cases: [(Vec<u8>, &str); 5] = [
            (
                STEREO[..18].to_vec(),
                "OpusHead ends after 18 bytes, in the middle of channels and rate",
            ),
            (
                changed(0, b'o'),
                "OpusHead has signature 111, which is not allowed",
            ),
            (
                changed(8, 0x10),
                "OpusHead has version 16, which is not allowed",
            ),
            (
                changed(9, 3),
                "OpusHead has channels 3, which is not allowed",
            ),
            (
                changed(18, 1),
                "OpusHead ends after 19 bytes, in the middle of channel mapping",
            ),
        ];
        for (head, expected) in cases {
            let error = OpusHead::parse(head.into()).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
        let error = OpusHead::of_channels(6).expect_err("5.1");
        assert_eq!(
            error.to_string(),
            "Opus without OpusHead has channels 6, which this gateway does not carry"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            changes in proptest::collection::vec((0..SURROUND.len(), any::<u8>()), 0..4),
            end in 0..=SURROUND.len(),
            packet in proptest::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut head = SURROUND.to_vec();
            for (at, with) in changes {
                head[at] = with;
            }
            head.truncate(end);
            let _ = OpusHead::parse(head.into());
            if let Ok(samples) = Opus::samples(&packet) {
                prop_assert!((120..=MAX_SAMPLES).contains(&samples));
            }
        }
    }
}
