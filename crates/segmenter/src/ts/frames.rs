//! Audio in MPEG-TS: frames gathered into PES packets, AAC with ADTS headers (ISO/IEC 13818-7 §6.2), others as they
//! are.

use media::codec::Aac;
use media::{Codec, MediaTime};

use super::pes::Kind;

/// The most frames in one PES packet: 171 ms of 48 kHz AAC. Each PES packet costs some 14 bytes of header
/// and half a packet of stuffing, but a decoder hears nothing before it has come in whole.
const MAX_FRAMES: usize = 8;
/// The longest PES packet, for rates whose frames last longer.
const MAX_SPAN: MediaTime = MediaTime::from_millis(200);
/// How far a frame may be off the sample grid and still follow the one before: only the first frame of a
/// PES packet has a time stamp, and RTMP rounds to milliseconds.
const MAX_OFFSET: MediaTime = MediaTime::from_millis(1);
/// The most payload of a PES packet whose length is given in 16 bits, behind a header with one stamp.
pub(super) const MAX_BYTES: usize = 65_535 - 8;
const ADTS_HEADER: usize = 7;
/// An ADTS header counts itself and its frame in 13 bits.
const MAX_ADTS_FRAME: usize = 8_191;

/// Whether a frame can be sent at all: not empty, and not longer than the container can say.
pub(super) fn fits(codec: &Codec, frame: &[u8]) -> bool {
    let most = if has_adts(codec) {
        MAX_ADTS_FRAME - ADTS_HEADER
    } else {
        MAX_BYTES
    };
    (1..=most).contains(&frame.len())
}

/// What a PES packet with frames of `codec` is: AC-3 and E-AC-3 are private data to ISO/IEC 13818-1 (ATSC A/52
/// annex A).
pub(super) const fn kind(codec: &Codec) -> Kind {
    match codec {
        Codec::Ac3(_) | Codec::Eac3(_) => Kind::PrivateAudio,
        _ => Kind::Audio,
    }
}

/// The frames of one PES packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames<'a> {
    codec: &'a Codec,
    first: MediaTime,
    frames: [&'a [u8]; MAX_FRAMES],
    count: usize,
    bytes: usize,
}

impl<'a> Frames<'a> {
    /// A PES packet that begins with `frame`, which [`fits`].
    pub(super) fn new(codec: &'a Codec, dts: MediaTime, frame: &'a [u8]) -> Self {
        let mut frames = [&[][..]; MAX_FRAMES];
        let [first, ..] = &mut frames;
        *first = frame;
        Self {
            codec,
            first: dts,
            frames,
            count: 1,
            bytes: header_len(codec) + frame.len(),
        }
    }

    /// Takes one more frame, or leaves it for the next PES packet.
    pub(super) fn push(&mut self, dts: MediaTime, frame: &'a [u8]) -> Result<(), Full> {
        let (samples, rate) = self.codec.samples_per_unit().unwrap_or((0, 1));
        let ahead = i64::from(samples) * i64::try_from(self.count).unwrap_or(i64::MAX);
        let expected = self.first + MediaTime::from_ticks(ahead, rate);
        let bytes = self.bytes + header_len(self.codec) + frame.len();
        let end = expected + MediaTime::from_ticks(i64::from(samples), rate);
        if (dts - expected).abs() > MAX_OFFSET || end - self.first > MAX_SPAN || bytes > MAX_BYTES {
            return Err(Full);
        }
        *self.frames.get_mut(self.count).ok_or(Full)? = frame;
        self.count += 1;
        self.bytes = bytes;
        Ok(())
    }

    /// Its bytes in order: each frame, behind a header where the codec has one.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + Clone + use<'a> {
        let codec = self.codec;
        let frames = self.frames.into_iter().take(self.count);
        frames.flat_map(move |frame| pieces(codec, frame))
    }
}

/// One frame, behind a header where its codec has one.
pub(super) fn pieces<'a>(codec: &Codec, frame: &'a [u8]) -> [Piece<'a>; 2] {
    let header = if let Codec::Aac(aac) = codec {
        Piece::Adts(adts_header(aac, frame.len()))
    } else {
        Piece::Slice(&[])
    };
    [header, Piece::Slice(frame)]
}

/// The PES packet has as many frames as it may have, or the frame does not follow the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A run of payload bytes: of the encoder's, or made here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Slice(&'a [u8]),
    Adts([u8; ADTS_HEADER]),
}

impl AsRef<[u8]> for Piece<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Slice(bytes) => bytes,
            Self::Adts(header) => header,
        }
    }
}

/// The length of the header that stands before each frame, bytes.
pub(super) const fn header_len(codec: &Codec) -> usize {
    if has_adts(codec) { ADTS_HEADER } else { 0 }
}

/// Raw frames of AAC alone have no header of their own.
const fn has_adts(codec: &Codec) -> bool {
    matches!(codec, Codec::Aac(_))
}

/// MPEG-4, layer 0, no CRC, one raw data block, buffer fullness "variable rate". HE-AAC is announced as
/// its core: decoders find SBR and PS in the frames themselves.
fn adts_header(aac: &Aac, frame: usize) -> [u8; ADTS_HEADER] {
    let bits = (0xfff1_u64 << 40)
        | (u64::from(aac.core_object_type.wrapping_sub(1) & 3) << 38)
        | (u64::from(aac.rate_index & 0xf) << 34)
        | (u64::from(aac.channel_configuration & 7) << 30)
        | (((ADTS_HEADER + frame) as u64 & 0x1fff) << 13)
        | (0x7ff << 2);
    let [_, header @ ..] = bits.to_be_bytes();
    header
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::codec::Mp3;

    use super::*;

    fn aac(config: &'static [u8]) -> Codec {
        Codec::Aac(Aac::parse(Bytes::from_static(config)).expect("a configuration"))
    }

    fn mp3() -> Codec {
        Codec::Mp3(Mp3::parse(&[0xff, 0xfb, 0x90, 0x64]).expect("44.1 kHz stereo"))
    }

    /// How many frames of `bytes` at these milliseconds one PES packet takes.
    fn taken(codec: &Codec, bytes: usize, times: impl IntoIterator<Item = i64>) -> usize {
        let frame = vec![0; bytes];
        let mut times = times.into_iter().map(MediaTime::from_millis);
        let mut frames = Frames::new(codec, times.next().expect("a frame"), &frame);
        let more = times.take_while(|&dts| frames.push(dts, &frame).is_ok());
        1 + more.count()
    }

    #[test]
    fn headers_say_what_the_configuration_says() {
        let cases: [(&str, &'static [u8], [u8; 7]); 3] = [
            // As ffmpeg 5.1 writes them around frames of 364 bytes.
            (
                "LC 48 kHz stereo",
                &[0x11, 0x90],
                [0xff, 0xf1, 0x4c, 0x80, 0x2e, 0x7f, 0xfc],
            ),
            (
                "LC 44.1 kHz mono",
                &[0x12, 0x08],
                [0xff, 0xf1, 0x50, 0x40, 0x2e, 0x7f, 0xfc],
            ),
            (
                "HE-AAC 24/48 kHz stereo: its core",
                &[0x2b, 0x11, 0x88, 0x00],
                [0xff, 0xf1, 0x58, 0x80, 0x2e, 0x7f, 0xfc],
            ),
        ];
        for (name, config, expected) in cases {
            let Codec::Aac(aac) = aac(config) else {
                unreachable!("made of AAC")
            };
            assert_eq!(adts_header(&aac, 364), expected, "{name}");
        }
    }

    #[test]
    fn frames_gather_while_they_follow_each_other() {
        let lc = aac(&[0x11, 0x90]);
        let grid = |n: i64| n * 1024 / 48;
        assert_eq!(taken(&lc, 341, (0..20).map(grid)), 8, "eight and no more");
        assert_eq!(
            taken(&lc, 341, [0, 21, 43, 66]),
            3,
            "a frame 2 ms off the grid"
        );
        assert_eq!(taken(&lc, 341, [0, 0]), 1, "the same time twice");
        assert_eq!(taken(&lc, 8_184, (0..9).map(grid)), 7, "16 bits of length");
        let slow = aac(&[0x15, 0x88]);
        assert_eq!(taken(&slow, 100, [0, 128, 256]), 1, "200 ms");
        assert_eq!(taken(&mp3(), 417, [0, 26, 52, 78, 104, 131, 157, 183]), 7);
    }

    #[test]
    fn frames_too_long_to_be_described_do_not_fit() {
        let lc = aac(&[0x11, 0x90]);
        for (codec, bytes, expected) in [
            (&lc, 0, false),
            (&lc, 1, true),
            (&lc, 8_184, true),
            (&lc, 8_185, false),
            (&mp3(), 8_185, true),
            (&mp3(), 65_528, false),
        ] {
            assert_eq!(fits(codec, &vec![0; bytes]), expected, "{bytes}");
        }
    }
}
