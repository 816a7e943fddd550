//! The same messages read by the scuffle-flv crate, which shares no code with the readers here: what both say of lawful
//! messages is the same, and where it is not the same of others, it is one of the differences listed here.

mod scuffle;

use media::TrackKind;
use media::codec::{Av1, ConfigurationError, H264, H265};
use proptest::prelude::*;

use super::super::body::{Announced, Body, FourCc, Packet};
use super::super::{EX_AUDIO, EX_VIDEO, enhanced, legacy};
use super::*;
use crate::random_access::tests::{AV1C, AVC, HVC};
use scuffle::theirs;

/// What both can say of a body. They read configurations, metadata and channels in their own ways: payloads are
/// compared where scuffle-flv hands them out.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    track: u8,
    codec: [u8; 4],
    packet: Packet,
    key: bool,
    nanos: u32,
    payload: Option<Bytes>,
}

/// All bodies of a message, or that it is refused.
type Reading = Result<Vec<Seen>, String>;

fn ours(kind: TrackKind, message: &Bytes) -> Reading {
    let is_enhanced = match kind {
        TrackKind::Video => message.first().is_some_and(|first| first & EX_VIDEO != 0),
        TrackKind::Audio => message.first().is_some_and(|first| first >> 4 == EX_AUDIO),
    };
    let bodies = if is_enhanced {
        enhanced::Bodies::new(kind, message.clone())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?
    } else {
        let body = legacy::body(kind, message).map_err(|error| error.to_string())?;
        body.into_iter().collect()
    };
    for body in &bodies {
        configuration(kind, body).map_err(|error| error.to_string())?;
    }
    let seen = bodies.into_iter().map(|body| Seen {
        track: body.track,
        codec: body.codec.0,
        packet: body.packet,
        key: body.announced == Announced::KeyFrame,
        nanos: body.nanos,
        payload: Some(body.payload),
    });
    Ok(seen.collect())
}

/// Reads what scuffle-flv reads with the message.
fn configuration(kind: TrackKind, body: &Body) -> Result<(), ConfigurationError> {
    let record = body.payload.clone();
    match (kind, body.packet, body.codec) {
        (TrackKind::Video, Packet::SequenceStart, FourCc::AVC) => H264::parse(record).map(drop),
        (TrackKind::Video, Packet::SequenceStart, FourCc::HEVC) => H265::parse(record).map(drop),
        (TrackKind::Video, Packet::SequenceStart, FourCc::AV1) => Av1::parse(record).map(drop),
        _ => Ok(()),
    }
}

/// Whether both say the same: also that they refuse it, whatever their reasons.
fn agree(ours: &Reading, theirs: &Reading) -> bool {
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (ours, theirs) => return ours.is_err() && theirs.is_err(),
    };
    let same = |(ours, theirs): (&Seen, &Seen)| {
        let mut ours = ours.clone();
        ours.payload = ours.payload.filter(|_| theirs.payload.is_some());
        ours == *theirs
    };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
}

/// A message that both have read.
#[derive(Debug)]
struct Case {
    kind: TrackKind,
    message: Bytes,
    ours: Reading,
    theirs: Reading,
}

impl Case {
    fn of(kind: TrackKind, message: Bytes) -> Self {
        Self {
            kind,
            ours: ours(kind, &message),
            theirs: theirs(kind, &message),
            message,
        }
    }

    fn first(&self) -> u8 {
        self.message.first().copied().unwrap_or(0)
    }

    fn is_legacy_video(&self) -> bool {
        self.kind == TrackKind::Video && self.first() & EX_VIDEO == 0
    }

    /// Only one of both refuses it, with these words in its reason.
    fn only_we_refuse(&self, words: &str) -> bool {
        self.theirs.is_ok() && self.ours.as_ref().is_err_and(|why| why.contains(words))
    }

    fn only_they_refuse(&self) -> bool {
        self.ours.is_ok() && self.theirs.is_err()
    }

    /// The difference that it shows; `None` where both say the same.
    ///
    /// # Panics
    /// It is none of those that are known.
    fn difference(&self) -> Option<usize> {
        if agree(&self.ours, &self.theirs) {
            return None;
        }
        let known = DIFFERENCES.iter().position(|(_, shows)| shows(self));
        assert!(known.is_some(), "{self:02x?}");
        known
    }
}

/// What is known to be read differently, and how to tell.
type Difference = (&'static str, fn(&Case) -> bool);

const DIFFERENCES: [Difference; 9] = [
    (
        "commands to the player are passed over here, whatever is in them",
        |case| {
            case.kind == TrackKind::Video
                && case.first() >> 4 & 7 == 5
                && case.ours == Ok(Vec::new())
        },
    ),
    (
        "an AVC end of sequence of two bytes, which some encoders send, is one here",
        |case| case.is_legacy_video() && case.message.get(1) == Some(&2) && case.only_they_refuse(),
    ),
    ("an access unit of no bytes is refused here", |case| {
        case.only_we_refuse("access unit of 0 bytes")
    }),
    (
        "what is in the parameter sets of a configuration is not looked at there",
        |case| {
            let mut bodies = case.theirs.iter().flatten();
            let is_record =
                |body: &Seen| body.packet == Packet::SequenceStart && body.payload.is_none();
            case.only_we_refuse("") && bodies.any(is_record)
        },
    ),
    (
        "metadata and channels are read there, and need not be whole here",
        |case| {
            let mut bodies = case.ours.iter().flatten();
            let is_such =
                |body: &Seen| matches!(body.packet, Packet::Metadata | Packet::MultichannelConfig);
            case.only_they_refuse() && bodies.any(is_such)
        },
    ),
    (
        "an offset in nanoseconds of fewer than three bytes is passed over here",
        |case| matches!(&case.theirs, Err(why) if why.contains("invalid modExData")),
    ),
    (
        "some codecs are known here by numbers that never were in the standard",
        |case| {
            let number = match case.kind {
                TrackKind::Video => case.first() & 0x0f,
                TrackKind::Audio => case.first() >> 4,
            };
            let is_legacy = case.is_legacy_video() || case.kind == TrackKind::Audio;
            is_legacy && matches!(number, 12 | 13)
        },
    ),
    ("a track may be in a message once here", |case| {
        case.only_we_refuse("twice")
    }),
    ("a message may have 32 tracks here", |case| {
        case.only_we_refuse("more than 32")
    }),
];

#[test]
fn of_the_corpus_and_all_that_it_begins_with_both_say_the_same_but_for_known_differences() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/flv");
    let mut same = 0;
    let mut differ = [0; DIFFERENCES.len()];
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let message = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let message = Bytes::from(message);
        for kind in [TrackKind::Video, TrackKind::Audio] {
            for end in 1..=message.len() {
                match Case::of(kind, message.slice(..end)).difference() {
                    None => same += 1,
                    Some(difference) => differ[difference] += 1,
                }
            }
        }
    }
    for ((difference, _), count) in DIFFERENCES.iter().zip(differ) {
        assert!(count > 0, "no message shows that {difference}");
    }
    let differ: usize = differ.iter().sum();
    assert!(same > 15 * differ, "{same} of {}", same + differ);
}

/// A lawful message, and how many bodies are in it.
#[derive(Clone, Debug)]
struct Lawful {
    kind: TrackKind,
    message: Vec<u8>,
    bodies: usize,
}

/// FrameTypes of pictures; a command is none.
const FRAME_TYPES: std::ops::RangeInclusive<u8> = 1..=4;

fn bytes(size: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), size)
}

fn legacy_messages() -> impl Strategy<Value = Lawful> {
    let lawful = |kind, message| Lawful {
        kind,
        message,
        bodies: 1,
    };
    let picture = (FRAME_TYPES, any::<[u8; 3]>(), bytes(1..40)).prop_map(
        move |(frame_type, [a, b, c], data)| {
            let header = [frame_type << 4 | 7, 1, a, b, c];
            lawful(TrackKind::Video, [&header[..], &data].concat())
        },
    );
    let configuration = FRAME_TYPES.prop_map(move |frame_type| {
        let header = [frame_type << 4 | 7, 0, 0, 0, 0];
        lawful(TrackKind::Video, [&header[..], AVC].concat())
    });
    let aac = (0_u8..16, 0_u8..2, bytes(1..40)).prop_map(move |(low, packet_type, data)| {
        let header = [0xa0 | low, packet_type];
        lawful(TrackKind::Audio, [&header[..], &data].concat())
    });
    let mp3 = (prop_oneof![Just(2_u8), Just(14)], 0_u8..16, bytes(1..40)).prop_map(
        move |(format, low, data)| {
            lawful(TrackKind::Audio, [&[format << 4 | low][..], &data].concat())
        },
    );
    prop_oneof![picture, configuration, aac, mp3]
}

/// Where the bodies of an enhanced message lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    NoTrack,
    OneTrack,
    ManyTracks,
    ManyCodecs,
}

fn four_cc(kind: TrackKind) -> impl Strategy<Value = [u8; 4]> + Clone {
    proptest::sample::select(match kind {
        TrackKind::Video => vec![*b"avc1", *b"hvc1", *b"av01", *b"vp09", *b"vp08", *b"none"],
        TrackKind::Audio => vec![*b"mp4a", *b"Opus", *b"fLaC", *b".mp3", *b"ac-3", *b"none"],
    })
}

/// A body of packet type 0 (SequenceStart), 1 (CodedFrames), 2 (SequenceEnd), 3 (CodedFramesX) or 4
/// (MultichannelConfig).
fn body(packet_type: u8, codec: [u8; 4]) -> BoxedStrategy<Vec<u8>> {
    match (packet_type, &codec) {
        (0, b"avc1") => Just(AVC.to_vec()).boxed(),
        (0, b"hvc1") => Just(HVC.to_vec()).boxed(),
        (0, b"av01") => Just(AV1C.to_vec()).boxed(),
        (2, _) => Just(Vec::new()).boxed(),
        // Native order: left and right.
        (4, _) => Just(vec![1, 2, 0, 0, 0, 3]).boxed(),
        _ => bytes(3..40).boxed(),
    }
}

/// The tracks of a message, by their numbers: their codecs and bodies.
type Tracks = std::collections::BTreeMap<u8, ([u8; 4], Vec<u8>)>;

fn tracks(kind: TrackKind, layout: Layout, packet_type: u8) -> BoxedStrategy<Tracks> {
    let count = match layout {
        Layout::NoTrack | Layout::OneTrack => 1..2,
        Layout::ManyTracks | Layout::ManyCodecs => 1..6,
    };
    let several = move |codec: BoxedStrategy<[u8; 4]>| {
        let one = codec
            .prop_flat_map(move |codec| body(packet_type, codec).prop_map(move |it| (codec, it)));
        proptest::collection::btree_map(any::<u8>(), one, count.clone())
    };
    if layout == Layout::ManyTracks {
        let shared = four_cc(kind).prop_flat_map(move |codec| several(Just(codec).boxed()));
        return shared.boxed();
    }
    several(four_cc(kind).boxed()).boxed()
}

/// A ModEx prefix without its packet type: an offset in nanoseconds, or one that nothing is known of.
fn mod_ex() -> impl Strategy<Value = Vec<u8>> {
    let nanos = (0_u32..2_000_000).prop_map(|nanos| (0, nanos.to_be_bytes()[1..].to_vec()));
    let other = (1_u8..16, prop_oneof![bytes(1..5), bytes(250..300)]);
    prop_oneof![nanos, other].prop_map(|(mod_ex_type, data)| {
        let size = u16::try_from(data.len() - 1).expect("short");
        let size = match u8::try_from(size) {
            Ok(size @ 0..=254) => vec![size],
            _ => [&[255][..], &size.to_be_bytes()].concat(),
        };
        [&size[..], &data, &[mod_ex_type << 4]].concat()
    })
}

fn enhanced_messages() -> impl Strategy<Value = Lawful> {
    let video = (Just(TrackKind::Video), 0_u8..4);
    let audio = (Just(TrackKind::Audio), prop_oneof![0_u8..3, Just(4)]);
    let layout = proptest::sample::select(vec![
        Layout::NoTrack,
        Layout::OneTrack,
        Layout::ManyTracks,
        Layout::ManyCodecs,
    ]);
    (prop_oneof![video, audio], layout).prop_flat_map(|((kind, packet_type), layout)| {
        let prefixes = proptest::collection::vec(mod_ex(), 0..3);
        let tracks = tracks(kind, layout, packet_type);
        (FRAME_TYPES, prefixes, tracks).prop_map(move |(frame_type, prefixes, tracks)| Lawful {
            kind,
            message: enhanced_message(kind, frame_type, &prefixes, layout, packet_type, &tracks),
            bodies: tracks.len(),
        })
    })
}

fn enhanced_message(
    kind: TrackKind,
    frame_type: u8,
    prefixes: &[Vec<u8>],
    layout: Layout,
    packet_type: u8,
    tracks: &Tracks,
) -> Vec<u8> {
    const MOD_EX: u8 = 7;
    let (first, multitrack) = match kind {
        TrackKind::Video => (EX_VIDEO | frame_type << 4, 6),
        TrackKind::Audio => (EX_AUDIO << 4, 5),
    };
    let mut message = vec![first];
    // A packet type goes into the lower half of what is there last.
    let add = |packet_type: u8, message: &mut Vec<u8>| {
        *message.last_mut().expect("a byte") |= packet_type;
    };
    for prefix in prefixes {
        add(MOD_EX, &mut message);
        message.extend(prefix);
    }
    let multitrack_type = match layout {
        Layout::NoTrack => None,
        Layout::OneTrack => Some(0),
        Layout::ManyTracks => Some(1),
        Layout::ManyCodecs => Some(2),
    };
    match multitrack_type {
        None => add(packet_type, &mut message),
        Some(multitrack_type) => {
            add(multitrack, &mut message);
            message.push(multitrack_type << 4 | packet_type);
        }
    }
    for (at, (track, (codec, body))) in tracks.iter().enumerate() {
        if at == 0 || layout == Layout::ManyCodecs {
            message.extend(codec);
        }
        if layout != Layout::NoTrack {
            message.push(*track);
        }
        if matches!(layout, Layout::ManyTracks | Layout::ManyCodecs) {
            let size = u32::try_from(body.len()).expect("short");
            message.extend(&size.to_be_bytes()[1..]);
        }
        message.extend(body);
    }
    message
}

proptest! {
    #[test]
    fn of_lawful_messages_both_say_the_same(
        lawful in prop_oneof![legacy_messages(), enhanced_messages()],
    ) {
        let whole = Case::of(lawful.kind, lawful.message.clone().into());
        prop_assert_eq!(whole.difference(), None, "{:02x?}", whole);
        prop_assert_eq!(whole.ours.map(|bodies| bodies.len()), Ok(lawful.bodies));
        // What it begins with may be lawful or not, and shows no difference that is not known.
        for end in 1..lawful.message.len() {
            let message = Bytes::copy_from_slice(&lawful.message[..end]);
            Case::of(lawful.kind, message).difference();
        }
    }
}
