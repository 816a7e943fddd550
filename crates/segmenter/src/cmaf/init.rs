//! Init sections (EXT-X-MAP): what tracks there are and how they are encoded, and no media (rfc8216bis §3.1.2).

use bytes::Bytes;
use media::codec::{Aac, H264};
use media::{Codec, Rendition, Track, TrackKind};

use super::boxes::Boxes;
use super::{rate, track_id};

/// The unity matrix of the headers of movie and track (ISO/IEC 14496-12 §8.2.2).
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// No language (ISO 639-2 `und`, three times five bits).
const NO_LANGUAGE: u16 = 0x55c4;
/// MPEG-4 audio, and MPEG-1 audio layers (ISO/IEC 14496-1 §7.2.6.6).
const OBJECT_MPEG4_AUDIO: u8 = 0x40;
const OBJECT_MPEG1_AUDIO: u8 = 0x6b;

/// The init section of what `rendition` carries of `tracks`.
pub fn init(tracks: &[Track], rendition: Rendition) -> Bytes {
    let carried = || tracks.iter().filter(|it| rendition.carries(it.kind()));
    let mut boxes = Boxes::with_capacity(1_024);
    boxes.put(b"ftyp", |boxes| {
        boxes.bytes(b"iso6");
        boxes.u32(0);
        boxes.bytes(b"iso6cmfcmp41");
    });
    boxes.put(b"moov", |boxes| {
        boxes.full(b"mvhd", 0, 0, |boxes| {
            boxes.zeros(8);
            boxes.u32(1_000);
            // How long it will be is not known.
            boxes.u32(0);
            boxes.u32(0x1_0000);
            boxes.u16(0x100);
            boxes.zeros(10);
            MATRIX.into_iter().for_each(|value| boxes.u32(value));
            boxes.zeros(24);
            boxes.u32(3);
        });
        carried().for_each(|track| trak(boxes, &track.codec));
        boxes.put(b"mvex", |boxes| {
            for track in carried() {
                boxes.full(b"trex", 0, 0, |boxes| {
                    boxes.u32(track_id(track.kind()));
                    boxes.u32(1);
                    boxes.zeros(12);
                });
            }
        });
    });
    boxes.into_bytes().into()
}

fn trak(boxes: &mut Boxes, codec: &Codec) {
    let kind = codec.kind();
    let (width, height) = codec.size().unwrap_or((0, 0));
    boxes.put(b"trak", |boxes| {
        // Enabled, in the movie, in its preview.
        boxes.full(b"tkhd", 0, 7, |boxes| {
            boxes.zeros(8);
            boxes.u32(track_id(kind));
            boxes.zeros(16);
            // Alternate group and layer; then volume.
            boxes.u32(0);
            boxes.u16(match kind {
                TrackKind::Video => 0,
                TrackKind::Audio => 0x100,
            });
            boxes.u16(0);
            MATRIX.into_iter().for_each(|value| boxes.u32(value));
            boxes.u32(u32::from(width) << 16);
            boxes.u32(u32::from(height) << 16);
        });
        boxes.put(b"mdia", |boxes| mdia(boxes, codec));
    });
}

fn mdia(boxes: &mut Boxes, codec: &Codec) {
    let (handler, name): (&[u8; 4], &[u8]) = match codec.kind() {
        TrackKind::Video => (b"vide", b"video\0"),
        TrackKind::Audio => (b"soun", b"audio\0"),
    };
    boxes.full(b"mdhd", 0, 0, |boxes| {
        boxes.zeros(8);
        boxes.u32(rate(codec));
        boxes.u32(0);
        boxes.u16(NO_LANGUAGE);
        boxes.u16(0);
    });
    boxes.full(b"hdlr", 0, 0, |boxes| {
        boxes.u32(0);
        boxes.bytes(handler);
        boxes.zeros(12);
        boxes.bytes(name);
    });
    boxes.put(b"minf", |boxes| {
        match codec.kind() {
            TrackKind::Video => boxes.full(b"vmhd", 0, 1, |boxes| boxes.zeros(8)),
            TrackKind::Audio => boxes.full(b"smhd", 0, 0, |boxes| boxes.zeros(4)),
        }
        boxes.put(b"dinf", |boxes| {
            boxes.full(b"dref", 0, 0, |boxes| {
                boxes.u32(1);
                // The media is in the same file.
                boxes.full(b"url ", 0, 1, |_| {});
            });
        });
        boxes.put(b"stbl", |boxes| {
            boxes.full(b"stsd", 0, 0, |boxes| {
                boxes.u32(1);
                sample_entry(boxes, codec);
            });
            for (kind, zeros) in [(b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4)] {
                boxes.full(kind, 0, 0, |boxes| boxes.zeros(zeros));
            }
        });
    });
}

fn sample_entry(boxes: &mut Boxes, codec: &Codec) {
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
