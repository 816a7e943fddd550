//! What ffmpeg writes, through the whole crate: every access unit comes out once, in order, with its time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use media::{AccessUnit, MediaTime, Message, MessageKind, Segment, TrackKind};
use segmenter::flv::{Demuxer, Unit, file::Reader};
use segmenter::{Output, Segmenter, Settings};

fn messages(file: &str) -> Vec<Message> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus/files")
        .join(file);
    let mut reader = Reader::new();
    reader.push(&std::fs::read(path).expect("a file of the corpus"));
    let messages: Vec<Message> =
        std::iter::from_fn(|| reader.pull().expect("an FLV file")).collect();
    assert_eq!(reader.unread(), 0);
    messages
}

fn segments(messages: &[Message]) -> Vec<Segment> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let mut segmenter = Segmenter::new(Settings::default());
    let mut segments = Vec::new();
    let mut pull = |segmenter: &mut Segmenter| {
        while let Some(output) = segmenter.pull() {
            match output {
                Output::Segment(segment) => segments.push(segment),
                other => panic!("{other:?}"),
            }
        }
    };
    for message in messages {
        segmenter.push(message, now);
        pull(&mut segmenter);
    }
    segmenter.finish();
    pull(&mut segmenter);
    segments
}

/// Timestamp, composition time and payload of the access units of `kind`, read without the crate.
fn sent(messages: &[Message], kind: MessageKind) -> Vec<(i64, i64, &[u8])> {
    let of_kind = messages.iter().filter(|message| message.kind == kind);
    of_kind
        .filter_map(|message| {
            let (composition, payload) = match *message.payload {
                [0x17 | 0x27, 1, a, b, c, ref payload @ ..] => {
                    (i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8), payload)
                }
                [0xaf, 1, ref payload @ ..] => (0, payload),
                [first, ref payload @ ..] if first >> 4 == 2 && kind == MessageKind::Audio => {
                    (0, payload)
                }
                _ => return None,
            };
            Some((i64::from(message.timestamp_ms), composition, payload))
        })
        .collect()
}

fn of_kind(segments: &[Segment], kind: TrackKind) -> Vec<&AccessUnit> {
    segments
        .iter()
        .flat_map(|segment| segment.units.iter().map(move |unit| (segment, unit)))
        .filter(|(segment, unit)| segment.tracks[unit.track].kind() == kind)
        .map(|(_, unit)| unit)
        .collect()
}

fn assert_complete(messages: &[Message], segments: &[Segment]) {
    for (kind, track) in [
        (MessageKind::Video, TrackKind::Video),
        (MessageKind::Audio, TrackKind::Audio),
    ] {
        let (sent, units) = (sent(messages, kind), of_kind(segments, track));
        assert_eq!(units.len(), sent.len(), "{track:?}");
        for (unit, (dts, composition, payload)) in units.iter().zip(sent) {
            assert_eq!(&unit.payload[..], payload);
            match track {
                TrackKind::Video => {
                    assert_eq!(unit.dts, MediaTime::from_millis(dts));
                    assert_eq!(unit.composition, MediaTime::from_millis(composition));
                }
                TrackKind::Audio => {
                    let off = (unit.dts - MediaTime::from_millis(dts)).abs();
                    assert!(
                        off <= MediaTime::from_millis(1),
                        "{dts} ms is at {:?}",
                        unit.dts
                    );
                }
            }
        }
    }
    for pair in segments.windows(2) {
        assert_eq!(pair[0].start + pair[0].duration, pair[1].start);
        assert!(!pair[1].discontinuity);
    }
    assert!(segments.iter().all(|segment| segment.independent));
}

fn shown(segments: &[Segment]) -> Vec<String> {
    let line = |segment: &Segment| {
        let codecs: Vec<String> = segment
            .tracks
            .iter()
            .map(|track| track.codec.rfc6381())
            .collect();
        format!(
            "{:?} +{:?} {}",
            segment.start,
            segment.duration,
            codecs.join(",")
        )
    };
    segments.iter().map(line).collect()
}

#[test]
fn x264_with_b_frames_and_aac() {
    let messages = messages("video-b-frames-aac.flv");
    let segments = segments(&messages);
    assert_complete(&messages, &segments);
    assert!(
        of_kind(&segments, TrackKind::Video)
            .iter()
            .any(|unit| unit.composition > MediaTime::ZERO)
    );
    assert_eq!(
        shown(&segments),
        [
            "0.067s +2.002s avc1.64000a,mp4a.40.2",
            "2.069s +2.002s avc1.64000a,mp4a.40.2",
            "4.071s +1.012s avc1.64000a,mp4a.40.2"
        ]
    );
}

#[test]
fn video_only() {
    let messages = messages("video-only.flv");
    let segments = segments(&messages);
    assert_complete(&messages, &segments);
    assert_eq!(
        shown(&segments),
        [
            "0.080s +2.000s avc1.64000a",
            "2.080s +2.000s avc1.64000a",
            "4.080s +1.000s avc1.64000a"
        ]
    );
}

#[test]
fn aac_only() {
    let messages = messages("audio-aac.flv");
    let segments = segments(&messages);
    assert_complete(&messages, &segments);
    assert_eq!(
        shown(&segments),
        [
            "0.000s +2.005s mp4a.40.2",
            "2.005s +2.005s mp4a.40.2",
            "4.011s +1.024s mp4a.40.2"
        ]
    );
}

#[test]
fn mp3_only() {
    let messages = messages("audio-mp3.flv");
    let segments = segments(&messages);
    assert_complete(&messages, &segments);
    assert_eq!(
        shown(&segments),
        [
            "0.000s +2.011s mp4a.40.34",
            "2.011s +2.011s mp4a.40.34",
            "4.023s +1.019s mp4a.40.34"
        ]
    );
}

/// FFmpeg 9 with the same picture and the same sound twice: track 0 in the legacy form, track 1 in Enhanced RTMP's.
#[test]
fn two_tracks_of_each_kind() {
    let messages = messages("two-of-each.flv");
    let mut demuxer = Demuxer::new();
    let mut units = Vec::new();
    for message in &messages {
        demuxer.push(message);
        while let Some(found) = demuxer.pull() {
            units.push(found.expect("nothing is wrong"));
        }
    }
    for kind in [TrackKind::Video, TrackKind::Audio] {
        let track = |track| -> Vec<&Unit> {
            let its = units.iter().filter(|unit| unit.kind() == kind);
            its.filter(|unit| unit.track == track).collect()
        };
        let (first, second) = (track(0), track(1));
        assert!(first.len() >= 10, "{kind:?}");
        assert_eq!(first.len(), second.len(), "{kind:?}");
        for (one, other) in first.into_iter().zip(second) {
            let as_first = Unit {
                track: 0,
                ..other.clone()
            };
            assert_eq!(*one, as_first);
        }
    }
}

#[test]
fn timestamps_that_wrap_in_the_middle_change_nothing_but_the_start() {
    let mut messages = messages("video-b-frames-aac.flv");
    let from_zero = segments(&messages);
    let shift = u32::MAX - 2_500;
    for message in &mut messages {
        message.timestamp_ms = message.timestamp_ms.wrapping_add(shift);
    }
    let wrapping = segments(&messages);
    assert_eq!(wrapping.len(), from_zero.len());
    for (a, b) in from_zero.iter().zip(&wrapping) {
        assert_eq!(a.start + MediaTime::from_millis(shift.into()), b.start);
        assert_eq!(
            (a.duration, a.units.len(), a.date),
            (b.duration, b.units.len(), b.date)
        );
    }
}
