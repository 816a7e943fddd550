//! Movie fragments read by shiguredo_mp4: the access units that parts carry, with their times and payloads.

use shiguredo_mp4::demux::Fmp4SegmentDemuxer;
use shiguredo_mp4::{BoxHeader, Decode as _, TrackKind};

use crate::scripted::{Kind, audio_payload, avcc_payload};

/// The NAL unit type of a slice of an IDR picture (H.264 table 7-1).
const IDR: u8 = 5;

/// An access unit of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Picture or sound.
    pub kind: Kind,
    /// Decode time, in ticks.
    pub dts: u64,
    /// In ticks.
    pub duration: u64,
    /// Presentation time, in ticks.
    pub pts: i64,
    /// Ticks a second.
    pub rate: u32,
    /// Marked as one that decoding can begin with.
    pub sync: bool,
    /// A picture with an IDR slice in it.
    pub idr: bool,
    /// The same hash that [`crate::scripted::Sent`] has.
    pub payload: u64,
}

/// A reader of the fragments behind one init section.
pub struct Fragments(Fmp4SegmentDemuxer);

impl Fragments {
    /// For what stands behind this init section.
    ///
    /// # Panics
    /// It is none.
    pub fn behind(init: &[u8]) -> Self {
        let mut demuxer = Fmp4SegmentDemuxer::new();
        let read = demuxer.handle_init_segment(init);
        read.unwrap_or_else(|error| panic!("the init section: {error}"));
        Self(demuxer)
    }

    /// The kinds of tracks that the init section announces.
    pub fn kinds(&self) -> Vec<Kind> {
        let tracks = self.0.tracks().expect("there is an init section");
        tracks.iter().map(|track| kind(track.kind)).collect()
    }

    /// The access units of a part, or of several one behind the other; of each track in its order.
    ///
    /// # Panics
    /// A box is broken, a fragment has no `prft`, or bytes of `mdat` belong to no sample.
    pub fn samples(&mut self, body: &[u8]) -> Vec<Sample> {
        let mut samples = Vec::new();
        let (mut at, mut fragment, mut clocked) = (0, 0, false);
        while at < body.len() {
            let (header, size) = BoxHeader::decode(&body[at..]).expect("a box");
            let end = at + usize::try_from(header.box_size.get()).expect("small");
            assert!(end > at && end <= body.len(), "a box of {} bytes", end - at);
            match header.box_type.as_bytes() {
                b"prft" => clocked = true,
                b"moof" => {
                    assert!(clocked, "a fragment without prft");
                    (fragment, clocked) = (at, false);
                }
                b"mdat" => {
                    let content = end - at - size;
                    self.add(&body[fragment..end], content, &mut samples);
                }
                b"styp" => {}
                other => panic!("a box of type {other:?}"),
            }
            at = end;
        }
        samples
    }

    fn add(&mut self, fragment: &[u8], content: usize, samples: &mut Vec<Sample>) {
        let found = self.0.handle_media_segment(fragment);
        let found = found.unwrap_or_else(|error| panic!("a fragment: {error}"));
        let mut sum = 0;
        for sample in found {
            let from = usize::try_from(sample.data_offset).expect("small");
            let payload = &fragment[from..from + sample.data_size];
            let kind = kind(sample.track.kind);
            let dts = i64::try_from(sample.timestamp).expect("small");
            sum += sample.data_size;
            samples.push(Sample {
                kind,
                dts: sample.timestamp,
                duration: sample.duration.into(),
                pts: dts + sample.composition_time_offset.unwrap_or(0),
                rate: sample.track.timescale.get(),
                sync: sample.keyframe,
                idr: kind == Kind::Video && nal_types(payload).contains(&IDR),
                payload: match kind {
                    Kind::Video => avcc_payload(payload),
                    _ => audio_payload(payload),
                },
            });
        }
        assert_eq!(sum, content, "bytes of samples, and of mdat");
    }
}

fn kind(kind: TrackKind) -> Kind {
    match kind {
        TrackKind::Audio => Kind::Audio,
        TrackKind::Video => Kind::Video,
        other => panic!("a track of {other:?}"),
    }
}

/// The types of the NAL units behind lengths of four bytes, which tile the sample.
fn nal_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        assert!(
            length > 0 && length <= rest.len(),
            "a NAL unit of {length} bytes"
        );
        types.push(rest[0] & 0x1f);
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "NAL units tile the sample");
    types
}
