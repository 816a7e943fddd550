//! The sound of a segment alone, as packed audio (rfc8216bis §3.1.3): its frames one behind the other, AAC with ADTS
//! headers, behind an ID3 tag with the time stamp that the first has in MPEG-TS. What a rendition of sound beside
//! segments of MPEG-TS is made of.

use bytes::Bytes;
use media::{AccessUnit, Codec, MediaTime, Segment, TrackKind};

use super::clock::Stamp;
use super::frames;

/// An ID3v2.4 tag with one PRIV frame, up to its eight bytes: sizes have seven bits in a byte.
const TAG: &[u8] =
    b"ID3\x04\0\0\0\0\0\x3fPRIV\0\0\0\x35\0\0com.apple.streaming.transportStreamTimestamp\0";

/// The bytes of [`packed_audio`]; 0 where it has none.
pub(super) fn size(segment: &Segment) -> u64 {
    match Sound::of(segment) {
        Some(sound) => sound.size(),
        None => 0,
    }
}

/// Writes the sound of `segment` as packed audio: empty where it has none, or none that belongs there. One allocation,
/// each payload byte copied once.
pub fn packed_audio(segment: &Segment) -> Bytes {
    let Some(sound) = Sound::of(segment) else {
        return Bytes::new();
    };
    let mut bytes = Vec::with_capacity(usize::try_from(sound.size()).unwrap_or_default());
    bytes.extend_from_slice(TAG);
    bytes.extend_from_slice(&Stamp::new(sound.begins).to_u64().to_be_bytes());
    for unit in sound.frames() {
        for piece in frames::pieces(sound.codec, &unit.payload) {
            bytes.extend_from_slice(piece.as_ref());
        }
    }
    bytes.into()
}

/// The first track of sound in a segment, which has a frame.
struct Sound<'a> {
    segment: &'a Segment,
    track: usize,
    codec: &'a Codec,
    /// When its first frame is heard.
    begins: MediaTime,
}

impl<'a> Sound<'a> {
    fn of(segment: &'a Segment) -> Option<Self> {
        let mut tracks = segment.tracks.iter().enumerate();
        let (track, described) = tracks.find(|(_, track)| track.kind() == TrackKind::Audio)?;
        let mut sound = Self {
            segment,
            track,
            codec: &described.codec,
            begins: MediaTime::ZERO,
        };
        if !sound.codec.fits_ts() {
            return None;
        }
        sound.begins = sound.frames().next()?.pts();
        Some(sound)
    }

    fn frames(&self) -> impl Iterator<Item = &'a AccessUnit> + use<'a> {
        let (track, codec) = (self.track, self.codec);
        let units = self.segment.units.iter();
        units.filter(move |unit| unit.track == track && frames::fits(codec, &unit.payload))
    }

    fn size(&self) -> u64 {
        let frames = self.frames();
        let bytes = frames.map(|unit| frames::header_len(self.codec) + unit.payload.len());
        (TAG.len() + size_of::<u64>() + bytes.sum::<usize>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use media::codec::Aac;
    use media::{Captions, Track, TsLayout};

    use super::*;

    fn segment(frames: &[&'static [u8]]) -> Segment {
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("48 kHz stereo");
        let unit = |(at, payload): (usize, &&'static [u8])| AccessUnit {
            track: 0,
            dts: MediaTime::from_millis(2_000 + 21 * i64::try_from(at).expect("few")),
            composition: MediaTime::ZERO,
            random_access: true,
            payload: Bytes::from_static(payload),
        };
        Segment {
            tracks: Arc::from([Track {
                codec: Codec::Aac(aac),
            }]),
            units: frames.iter().enumerate().map(unit).collect(),
            events: Vec::new(),
            start: MediaTime::from_millis(2_000),
            duration: MediaTime::from_millis(2_000),
            date: UNIX_EPOCH,
            independent: true,
            discontinuity: false,
            captions: Captions::NONE,
            ts: TsLayout::default(),
        }
    }

    #[test]
    fn frames_follow_a_tag_with_their_time() {
        let segment = segment(&[b"one", b"", b"three"]);
        let bytes = packed_audio(&segment);
        assert_eq!(bytes.len() as u64, size(&segment));
        // 10 s behind the origin of the clock, and 2 s more.
        let (tag, frames) = bytes.split_at(73);
        assert_eq!(tag.get(..TAG.len()), Some(TAG));
        assert_eq!(tag.get(TAG.len()..), Some(&1_080_000_u64.to_be_bytes()[..]));
        let expected: &[u8] = b"\xff\xf1\x4c\x80\x01\x5f\xfcone\xff\xf1\x4c\x80\x01\x9f\xfcthree";
        assert_eq!(frames, expected);
    }

    #[test]
    fn without_a_frame_there_is_nothing() {
        for frames in [&[][..], &[&b""[..]]] {
            let segment = segment(frames);
            assert_eq!((size(&segment), packed_audio(&segment)), (0, Bytes::new()));
        }
    }
}
