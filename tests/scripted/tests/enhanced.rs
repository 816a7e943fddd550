//! Enhanced RTMP as no encoder sends it yet: what was put into a message comes out of the demuxer, whatever form the
//! message has and whatever stands before it.

use bytes::Bytes;
use e2e::enhanced::{Header, Packet, Track, with_mod_ex, with_nanos};
use e2e::scripted::Kind;
use media::{Message, MessageKind};
use proptest::prelude::*;
use segmenter::flv::{Demuxer, Unit};

const AVCC: &[u8] = &[
    1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c, 0x80, 1,
    0, 4, 0x68, 0xce, 0x3c, 0x80,
];
const AUDIO_SPECIFIC_CONFIG: &[u8] = &[0x12, 0x10];
const MP3_HEADER: &[u8] = &[0xff, 0xfb, 0x90, 0x64];

/// How the tracks are laid out.
#[derive(Clone, Copy, Debug)]
enum Form {
    OneTrack,
    ManyTracks,
    ManyCodecs,
}

/// What stands before a message.
#[derive(Clone, Debug)]
enum Prefix {
    Nanos(u32),
    /// Of a type that means nothing.
    Unknown(u8, Vec<u8>),
}

fn prefixes() -> impl Strategy<Value = Vec<Prefix>> {
    let data = proptest::collection::vec(any::<u8>(), 1..600);
    let prefix = prop_oneof![
        (0_u32..1_000_000).prop_map(Prefix::Nanos),
        (1_u8..16, data).prop_map(|(mod_ex_type, data)| Prefix::Unknown(mod_ex_type, data)),
    ];
    proptest::collection::vec(prefix, 0..4)
}

/// Different trackIds, in any order, each with the bytes of an access unit and its composition time.
fn tracks() -> impl Strategy<Value = Vec<(u8, Vec<u8>, i32)>> {
    let payload = proptest::collection::vec(any::<u8>(), 1..40);
    let track = (payload, -0x80_0000_i32..0x80_0000);
    proptest::collection::btree_map(any::<u8>(), track, 1..33)
        .prop_map(|tracks| {
            tracks
                .into_iter()
                .map(|(id, (bytes, ms))| (id, bytes, ms))
                .collect()
        })
        .prop_shuffle()
}

fn messages(header: Header, form: Form, tracks: &[Track]) -> Vec<Vec<u8>> {
    match form {
        Form::OneTrack => tracks.iter().map(|track| header.one_track(track)).collect(),
        Form::ManyTracks => vec![header.many_tracks(tracks)],
        Form::ManyCodecs => vec![header.many_codecs(tracks)],
    }
}

fn pulled(demuxer: &mut Demuxer, kind: MessageKind, message: Vec<u8>) -> Vec<Unit> {
    demuxer.push(&Message {
        kind,
        timestamp_ms: 40,
        payload: Bytes::from(message),
    });
    let found = std::iter::from_fn(|| demuxer.pull());
    found.map(|unit| unit.expect("nothing is wrong")).collect()
}

fn behind(message: Vec<u8>, prefixes: &[Prefix]) -> Vec<u8> {
    prefixes
        .iter()
        .rev()
        .fold(message, |message, prefix| match prefix {
            Prefix::Nanos(nanos) => with_nanos(&message, *nanos),
            Prefix::Unknown(mod_ex_type, data) => with_mod_ex(&message, *mod_ex_type, data),
        })
}

/// What stands last before the message counts.
fn nanos(prefixes: &[Prefix]) -> u32 {
    let mut nanos = prefixes.iter().rev().filter_map(|prefix| match prefix {
        Prefix::Nanos(nanos) => Some(*nanos),
        Prefix::Unknown(..) => None,
    });
    nanos.next().unwrap_or(0)
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::OneTrack),
        Just(Form::ManyTracks),
        Just(Form::ManyCodecs)
    ]
}

proptest! {
    #[test]
    fn pictures(sent in tracks(), form in form(), before in prefixes(), started in form()) {
        let track = |id, body| Track { id, four_cc: *b"avc1", body };
        let header = |packet| Header { kind: Kind::Video, frame_type: 2, packet };
        let mut demuxer = Demuxer::new();
        let starts: Vec<_> = sent.iter().map(|(id, ..)| track(*id, AVCC.to_vec())).collect();
        for message in messages(header(Packet::SequenceStart), started, &starts) {
            prop_assert_eq!(pulled(&mut demuxer, MessageKind::Video, message), []);
        }
        // One NAL unit each, a slice that no picture begins with.
        let picture = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len() + 1).expect("short");
            [&length.to_be_bytes()[..], &[0x41], bytes].concat()
        };
        let frames: Vec<_> = sent
            .iter()
            .map(|(id, bytes, ms)| track(*id, [&ms.to_be_bytes()[1..], &picture(bytes)].concat()))
            .collect();
        let mut units = Vec::new();
        for message in messages(header(Packet::CodedFrames), form, &frames) {
            units.extend(pulled(&mut demuxer, MessageKind::Video, behind(message, &before)));
        }
        prop_assert_eq!(units.len(), sent.len());
        for (unit, (id, bytes, ms)) in units.iter().zip(&sent) {
            prop_assert_eq!((unit.track, unit.composition_ms), (*id, *ms));
            prop_assert_eq!((unit.dts_ms, unit.nanos), (40, nanos(&before)));
            prop_assert_eq!(&unit.payload[..], &picture(bytes)[..]);
        }
    }

    #[test]
    fn sounds_of_two_codecs(sent in tracks(), before in prefixes()) {
        // Odd tracks are MP3, which needs no configuration.
        let four_cc = |id: u8| if id.is_multiple_of(2) { *b"mp4a" } else { *b".mp3" };
        let track = |id, body| Track { id, four_cc: four_cc(id), body };
        let header = |packet| Header { kind: Kind::Audio, frame_type: 0, packet };
        let mut demuxer = Demuxer::new();
        for (id, ..) in sent.iter().filter(|(id, ..)| id.is_multiple_of(2)) {
            let start = track(*id, AUDIO_SPECIFIC_CONFIG.to_vec());
            let message = header(Packet::SequenceStart).one_track(&start);
            prop_assert_eq!(pulled(&mut demuxer, MessageKind::Audio, message), []);
        }
        let frame = |id: u8, bytes: &[u8]| match id % 2 {
            0 => bytes.to_vec(),
            _ => [MP3_HEADER, bytes].concat(),
        };
        let frames: Vec<_> =
            sent.iter().map(|(id, bytes, _)| track(*id, frame(*id, bytes))).collect();
        let message = behind(header(Packet::CodedFrames).many_codecs(&frames), &before);
        let units = pulled(&mut demuxer, MessageKind::Audio, message);
        prop_assert_eq!(units.len(), sent.len());
        for (unit, (id, bytes, _)) in units.iter().zip(&sent) {
            prop_assert_eq!((unit.track, unit.nanos), (*id, nanos(&before)));
            prop_assert_eq!(&unit.payload[..], &frame(*id, bytes)[..]);
            prop_assert_eq!(unit.codec.name(), if id.is_multiple_of(2) { "AAC" } else { "MP3" });
        }
    }
}
