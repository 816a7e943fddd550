//! Sample entries: how the samples of a track are encoded (ISO/IEC 14496-12 §8.5.2), with the configuration of the codec
//! in the box that its binding says.

use media::Codec;
use media::codec::{Aac, H264};

use super::boxes::Boxes;

/// MPEG-4 audio, and MPEG-1 audio layers (ISO/IEC 14496-1 §7.2.6.6).
const OBJECT_MPEG4_AUDIO: u8 = 0x40;
const OBJECT_MPEG1_AUDIO: u8 = 0x6b;

/// The sample entry of a track of `codec`.
pub(super) fn sample_entry(boxes: &mut Boxes, codec: &Codec) {
    match codec {
        Codec::H264(h264) => avc1(boxes, h264),
        Codec::Aac(aac) => mp4a(boxes, aac.channels, aac.core_rate, |boxes| {
            decoder(boxes, OBJECT_MPEG4_AUDIO, Some(aac));
        }),
        Codec::Mp3(mp3) => mp4a(boxes, mp3.channels, mp3.sample_rate, |boxes| {
            decoder(boxes, OBJECT_MPEG1_AUDIO, None);
        }),
    }
}

/// ISO/IEC 14496-12 §12.1.3 and 14496-15 §5.4.2.1, with the encoder's own record.
fn avc1(boxes: &mut Boxes, h264: &H264) {
    boxes.put(b"avc1", |boxes| {
        boxes.zeros(6);
        boxes.u16(1);
        boxes.zeros(16);
        boxes.u16(h264.width);
        boxes.u16(h264.height);
        // 72 dpi, which nobody looks at.
        boxes.u32(0x48_0000);
        boxes.u32(0x48_0000);
        boxes.u32(0);
        boxes.u16(1);
        boxes.zeros(32);
        boxes.u16(24);
        boxes.u16(0xffff);
        boxes.put(b"avcC", |boxes| boxes.bytes(&h264.record));
    });
}

/// ISO/IEC 14496-12 §12.2.3 and 14496-14 §6.7.2; `decoder` writes the decoder configuration.
fn mp4a(boxes: &mut Boxes, channels: u8, rate: u32, decoder: impl FnOnce(&mut Boxes)) {
    boxes.put(b"mp4a", |boxes| {
        boxes.zeros(6);
        boxes.u16(1);
        boxes.zeros(8);
        boxes.u16(channels.into());
        boxes.u16(16);
        boxes.u32(0);
        // 16.16; a rate that does not fit is in the decoder configuration alone.
        boxes.u32(u16::try_from(rate).map_or(0, |rate| u32::from(rate) << 16));
        boxes.full(b"esds", 0, 0, |boxes| {
            let mut inner = Boxes::default();
            inner.u16(0);
            inner.u8(0);
            decoder(&mut inner);
            // How packets are laid out: as MP4 says (ISO/IEC 14496-14 §3.1.2).
            descriptor(&mut inner, 6, &[2]);
            descriptor(boxes, 3, &inner.into_bytes());
        });
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
