//! Init sections (EXT-X-MAP): what tracks there are and how they are encoded, and no media (rfc8216bis §3.1.2).

use bytes::Bytes;
use media::{Codec, Rendition, Track, TrackKind};

use super::boxes::Boxes;
use super::sample_entry::sample_entry;
use super::{rate, track_id};

/// The unity matrix of the headers of movie and track (ISO/IEC 14496-12 §8.2.2).
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// No language (ISO 639-2 `und`, three times five bits).
const NO_LANGUAGE: u16 = 0x55c4;

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
