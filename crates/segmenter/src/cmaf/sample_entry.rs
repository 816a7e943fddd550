//! Sample entries: how the samples of a track are encoded (ISO/IEC 14496-12 §8.5.2), with the configuration of the
//! codec in the box that its binding says.

use media::Codec;
use media::codec::{Aac, Opus};

use super::boxes::Boxes;

/// MPEG-4 audio, and MPEG-1 audio layers (ISO/IEC 14496-1 §7.2.6.6).
const OBJECT_MPEG4_AUDIO: u8 = 0x40;
const OBJECT_MPEG1_AUDIO: u8 = 0x6b;
/// `samplesize` of what has no sample size of its own (§12.2.3.2).
const SAMPLE_BITS: u8 = 16;

/// The sample entry of a track of `codec`.
pub(super) fn sample_entry(boxes: &mut Boxes, codec: &Codec) {
    match codec {
        // ISO/IEC 14496-15 §5.4.2.1, with the encoder's own record.
        Codec::H264(h264) => picture(boxes, b"avc1", codec, |boxes| {
            boxes.put(b"avcC", |boxes| boxes.bytes(&h264.record));
        }),
        // ISO/IEC 14496-15 §8.4.1.1; not `hev1`, which Safari refuses.
        Codec::H265(h265) => picture(boxes, b"hvc1", codec, |boxes| {
            boxes.put(b"hvcC", |boxes| boxes.bytes(&h265.hvc1_record()));
        }),
        // AV1 Codec ISO Media File Format Binding §2.2.
        Codec::Av1(av1) => picture(boxes, b"av01", codec, |boxes| {
            boxes.put(b"av1C", |boxes| boxes.bytes(&av1.record));
        }),
        // VP Codec ISO Media File Format Binding §2.
        Codec::Vp9(vp9) => picture(boxes, b"vp09", codec, |boxes| {
            boxes.full(b"vpcC", 1, 0, |boxes| boxes.bytes(&vp9.vpcc_record()));
        }),
        Codec::Aac(aac) => {
            let format = (aac.channels, SAMPLE_BITS, aac.core_rate);
            sound(boxes, b"mp4a", format, |boxes| {
                esds(boxes, |boxes| decoder(boxes, OBJECT_MPEG4_AUDIO, Some(aac)));
            });
        }
        Codec::Mp3(mp3) => {
            let format = (mp3.channels, SAMPLE_BITS, mp3.sample_rate);
            sound(boxes, b"mp4a", format, |boxes| {
                esds(boxes, |boxes| decoder(boxes, OBJECT_MPEG1_AUDIO, None));
            });
        }
        // Encapsulation of Opus in ISO Base Media File Format §4.3: as the header has it, in the other byte order.
        Codec::Opus(opus) => {
            let format = (opus.channels, SAMPLE_BITS, Opus::RATE);
            sound(boxes, b"Opus", format, |boxes| {
                boxes.put(b"dOps", |boxes| {
                    boxes.u8(0);
                    boxes.u8(opus.channels);
                    boxes.u16(opus.pre_skip);
                    boxes.u32(opus.input_rate);
                    boxes.bytes(&opus.output_gain.to_be_bytes());
                    boxes.bytes(&opus.mapping);
                });
            });
        }
        // ETSI TS 102 366 §F.3 and §F.5.
        Codec::Ac3(ac3) => {
            let format = (ac3.channels, SAMPLE_BITS, ac3.sample_rate);
            sound(boxes, b"ac-3", format, |boxes| {
                boxes.put(b"dac3", |boxes| boxes.bytes(&ac3.dac3()));
            });
        }
        Codec::Eac3(eac3) => {
            let format = (eac3.channels, SAMPLE_BITS, eac3.sample_rate);
            sound(boxes, b"ec-3", format, |boxes| {
                boxes.put(b"dec3", |boxes| boxes.bytes(&eac3.dec3()));
            });
        }
        // Encapsulation of FLAC in ISO Base Media File Format §3.3.
        Codec::Flac(flac) => {
            let format = (flac.channels, flac.bit_depth, expressible(flac.sample_rate));
            sound(boxes, b"fLaC", format, |boxes| {
                boxes.full(b"dfLa", 0, 0, |boxes| {
                    // The last block, and of the kind STREAMINFO; its length in 24 bits.
                    let length = u32::try_from(flac.stream_info.len()).unwrap_or(0);
                    boxes.u32(0x8000_0000 | length);
                    boxes.bytes(&flac.stream_info);
                });
            });
        }
    }
}

/// A VisualSampleEntry (ISO/IEC 14496-12 §12.1.3): `content` writes the codec's configuration.
fn picture(boxes: &mut Boxes, kind: &[u8; 4], codec: &Codec, content: impl FnOnce(&mut Boxes)) {
    let (width, height) = codec.size().unwrap_or((0, 0));
    boxes.put(kind, |boxes| {
        boxes.zeros(6);
        boxes.u16(1);
        boxes.zeros(16);
        boxes.u16(width);
        boxes.u16(height);
        // 72 dpi, which nobody looks at.
        boxes.u32(0x48_0000);
        boxes.u32(0x48_0000);
        boxes.u32(0);
        boxes.u16(1);
        boxes.zeros(32);
        boxes.u16(24);
        boxes.u16(0xffff);
        content(boxes);
        if let Some(colour) = codec.colour() {
            // As ITU-T H.273 counts (§12.1.5).
            boxes.put(b"colr", |boxes| {
                boxes.bytes(b"nclx");
                boxes.u16(colour.primaries.into());
                boxes.u16(colour.transfer.into());
                boxes.u16(colour.matrix.into());
                boxes.u8(u8::from(colour.full_range) << 7);
            });
        }
    });
}

/// An AudioSampleEntry (ISO/IEC 14496-12 §12.2.3): `content` writes the codec's configuration. A `rate` that does not
/// fit 16.16 is in the configuration alone.
fn sound(
    boxes: &mut Boxes,
    kind: &[u8; 4],
    (channels, bits, rate): (u8, u8, u32),
    content: impl FnOnce(&mut Boxes),
) {
    boxes.put(kind, |boxes| {
        boxes.zeros(6);
        boxes.u16(1);
        boxes.zeros(8);
        boxes.u16(channels.into());
        boxes.u16(bits.into());
        boxes.u32(0);
        boxes.u32(u16::try_from(rate).map_or(0, |rate| u32::from(rate) << 16));
        content(boxes);
    });
}

/// The largest half, quarter, … of `rate` that an AudioSampleEntry can say, as FLAC wants it (§3.3.1).
fn expressible(mut rate: u32) -> u32 {
    while rate > u16::MAX.into() {
        rate /= 2;
    }
    rate
}

/// An ES descriptor (ISO/IEC 14496-14 §6.7.2) around the decoder configuration that `decoder` writes.
fn esds(boxes: &mut Boxes, decoder: impl FnOnce(&mut Boxes)) {
    boxes.full(b"esds", 0, 0, |boxes| {
        let mut inner = Boxes::default();
        inner.u16(0);
        inner.u8(0);
        decoder(&mut inner);
        // How packets are laid out: as MP4 says (ISO/IEC 14496-14 §3.1.2).
        descriptor(&mut inner, 6, &[2]);
        descriptor(boxes, 3, &inner.into_bytes());
    });
}

/// A DecoderConfigDescriptor (ISO/IEC 14496-1 §7.2.6.6).
fn decoder(boxes: &mut Boxes, object: u8, aac: Option<&Aac>) {
    let mut inner = Boxes::default();
    inner.u8(object);
    // An audio stream.
    inner.u8(0x15);
    // Buffer size and bit rates, which are not known.
    inner.zeros(11);
    if let Some(aac) = aac {
        descriptor(&mut inner, 5, &aac.config);
    }
    descriptor(boxes, 4, &inner.into_bytes());
}

/// A descriptor (ISO/IEC 14496-1 §8.3.3): its length in four times seven bits.
fn descriptor(boxes: &mut Boxes, tag: u8, content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    boxes.u8(tag);
    for (shift, more) in [(21, 0x80), (14, 0x80), (7, 0x80), (0, 0)] {
        let [.., low] = (length >> shift & 0x7f | more).to_be_bytes();
        boxes.u8(low);
    }
    boxes.bytes(content);
}
