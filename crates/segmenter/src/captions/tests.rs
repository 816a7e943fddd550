use CaptionService::{Cc1, Cc2, Cc3, Cc4, Service1, Service2, Service3, Service6};
use media::CaptionService;
use proptest::prelude::*;

use super::*;
use crate::random_access::tests::{codecs, prefixed};

/// What x264 and others fill with: zeros in both fields, and a DTVCC packet that is not valid.
const PADDING: [[u8; 3]; 3] = [[0xfc, 0x80, 0x80], [0xfd, 0x80, 0x80], [0xfa, 0, 0]];
/// Resume caption loading, of channel 1 of field 1, with parity.
pub(crate) const RESUME: [u8; 3] = [0xfc, 0x94, 0x20];

/// User data with these constructs, from the country code on.
fn user_data(constructs: &[[u8; 3]]) -> Vec<u8> {
    let count = u8::try_from(constructs.len()).expect("31 at most");
    let constructs = constructs.concat();
    [
        &ATSC_CAPTIONS[..],
        &[0xc0 | count, 0xff],
        &constructs,
        &[0xff],
    ]
    .concat()
}

/// An SEI message.
fn message(payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![payload_type];
    message.extend(vec![0xff; payload.len() / 255]);
    message.push(u8::try_from(payload.len() % 255).expect("a byte"));
    message.extend_from_slice(payload);
    message
}

/// The NAL unit of some SEI messages, escaped.
fn sei(header: &[u8], messages: &[u8]) -> Vec<u8> {
    let mut unit = header.to_vec();
    let mut zeros = 0;
    for &byte in messages.iter().chain(&[0x80]) {
        if zeros >= 2 && byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        unit.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
    unit
}

/// A picture of H.264 with these constructs.
pub(crate) fn picture(constructs: &[[u8; 3]]) -> Vec<u8> {
    let sei = sei(&[6], &message(4, &user_data(constructs)));
    prefixed(&[&[9, 0xf0], &sei, &[0x41, 0x9a]])
}

fn set(services: &[CaptionService]) -> Captions {
    services.iter().copied().collect()
}

#[test]
fn what_is_a_service_and_what_is_filling() {
    let [h264, ..] = codecs();
    let cases: [(&str, &[[u8; 3]], &[CaptionService]); 20] = [
        ("nothing", &[], &[]),
        ("filling", &PADDING, &[]),
        ("field 1, channel 1", &[RESUME], &[Cc1]),
        ("behind filling", &[PADDING[0], PADDING[1], RESUME], &[Cc1]),
        ("without parity", &[[0xfc, 0x14, 0x25]], &[Cc1]),
        ("field 1, channel 2", &[[0xfc, 0x1c, 0x20]], &[Cc2]),
        ("field 2, channel 1", &[[0xfd, 0x15, 0x20]], &[Cc3]),
        ("field 2, channel 2", &[[0xfd, 0x9d, 0x20]], &[Cc4]),
        ("marked as not valid", &[[0xf8, 0x94, 0x20]], &[]),
        ("characters alone", &[[0xfc, 0xc8, 0xe9]], &[]),
        (
            "XDS in field 2",
            &[[0xfd, 0x01, 0x05], [0xfd, 0x8f, 0x1c]],
            &[],
        ),
        // 3 bytes behind the header: a block of 2 bytes of service 1.
        (
            "CEA-708",
            &[[0xff, 0x02, 0x22], [0xfe, b'H', b'i']],
            &[Service1],
        ),
        (
            "two services in a packet",
            &[[0xff, 0x03, 0x21], [0xfe, b'H', 0x41], [0xfe, b'S', 0]],
            &[Service1, Service2],
        ),
        (
            "the last service",
            &[[0xff, 0x02, 0xc1], [0xfe, b'H', 0]],
            &[Service6],
        ),
        (
            "a null service",
            &[[0xff, 0x02, 0], [0xfe, 0x21, b'H']],
            &[],
        ),
        (
            "zeros of a service",
            &[[0xff, 0x02, 0x22], [0xfe, 0, 0]],
            &[],
        ),
        (
            "an extended service and another behind it",
            &[[0xff, 0x03, 0xe1], [0xfe, 0x09, b'H'], [0xfe, 0x61, b'S']],
            &[Service3],
        ),
        (
            "behind the packet",
            &[[0xff, 0x01, 0], [0xfe, 0x21, b'H']],
            &[],
        ),
        ("no beginning", &[[0xfe, 0x22, b'H'], [0xfe, b'i', 0]], &[]),
        (
            "a packet of 128 bytes, both kinds, and filling between",
            &[
                [0xff, 0, 0x3f],
                PADDING[0],
                PADDING[2],
                RESUME,
                [0xfe, b'H', b'i'],
            ],
            &[Cc1, Service1],
        ),
    ];
    for (name, constructs, expected) in cases {
        assert_eq!(of(&h264, &picture(constructs)), set(expected), "{name}");
    }
}

#[test]
fn where_captions_are_looked_for() {
    let [h264, h265, av1, vp9, aac] = codecs();
    let captions = user_data(&[RESUME]);
    let changed = |at: usize, byte: u8| {
        let mut changed = captions.clone();
        changed[at] = byte;
        sei(&[6], &message(4, &changed))
    };
    let registered = message(4, &captions);
    let long = [message(5, &[7; 300]), registered.clone()].concat();
    let zeros = [message(1, &[0, 0, 0, 0, 1]), registered.clone()].concat();
    let metadata = |metadata_type: u8| {
        let size = u8::try_from(captions.len() + 1).expect("short");
        [
            &[0x12, 0, 0x2a, size, metadata_type][..],
            &captions,
            &[0x32, 1, 0x30],
        ]
        .concat()
    };
    let units = |nal_unit: &[u8]| prefixed(&[nal_unit, &[0x65, 0x88]]);
    let cases: [(&str, &Codec, Vec<u8>, &[CaptionService]); 19] = [
        ("H.264", &h264, units(&sei(&[6], &registered)), &[Cc1]),
        (
            "behind a long message",
            &h264,
            units(&sei(&[6], &long)),
            &[Cc1],
        ),
        (
            "behind escaped bytes",
            &h264,
            units(&sei(&[6], &zeros)),
            &[Cc1],
        ),
        (
            "another payloadType",
            &h264,
            units(&sei(&[6], &message(5, &captions))),
            &[],
        ),
        (
            "another NAL unit",
            &h264,
            units(&sei(&[0x41], &registered)),
            &[],
        ),
        ("another country", &h264, units(&changed(0, 0xb4)), &[]),
        ("another provider", &h264, units(&changed(2, 0x2f)), &[]),
        ("another identifier", &h264, units(&changed(3, b'D')), &[]),
        ("bar data", &h264, units(&changed(7, 6)), &[]),
        ("not to be processed", &h264, units(&changed(8, 0x81)), &[]),
        ("no constructs", &h264, units(&changed(8, 0xc0)), &[]),
        (
            "more than there are",
            &h264,
            units(&changed(8, 0xdf)),
            &[Cc1],
        ),
        ("H.265", &h265, units(&sei(&[78, 1], &registered)), &[Cc1]),
        (
            "H.265, behind the picture",
            &h265,
            units(&sei(&[80, 1], &registered)),
            &[],
        ),
        ("AV1", &av1, metadata(4), &[Cc1]),
        ("AV1, other metadata", &av1, metadata(1), &[]),
        ("VP9", &vp9, units(&sei(&[6], &registered)), &[]),
        ("AAC", &aac, units(&sei(&[6], &registered)), &[]),
        ("nothing", &h264, vec![], &[]),
    ];
    for (name, codec, unit, expected) in cases {
        assert_eq!(of(codec, &unit), set(expected), "{name}");
    }
}

#[test]
fn a_picture_that_is_cut_short_has_at_most_what_it_had() {
    let [h264, ..] = codecs();
    let dtvcc = [[0xff, 0x02, 0x22], [0xfe, b'H', b'i']];
    let whole = picture(&[RESUME, dtvcc[0], dtvcc[1], [0xfd, 0x15, 0x20]]);
    let all = [Cc1, Cc3, Service1];
    assert_eq!(of(&h264, &whole), set(&all));
    for end in 0..whole.len() {
        let some = of(&h264, &whole[..end]);
        assert!(
            some.services().all(|it| all.contains(&it)),
            "{end}: {some:?}"
        );
    }
}

#[test]
fn a_segment_has_those_of_all_its_pictures() {
    let [h264, _, _, _, aac] = codecs();
    let tracks = [h264, aac].map(|codec| Track { codec });
    let unit = |track, payload: Vec<u8>| AccessUnit {
        track,
        dts: media::MediaTime::ZERO,
        composition: media::MediaTime::ZERO,
        random_access: true,
        payload: payload.into(),
    };
    let units = [
        unit(0, picture(&[RESUME])),
        unit(1, picture(&[[0xfc, 0x1c, 0x20]])),
        unit(0, picture(&[[0xfd, 0x15, 0x20]])),
        // There is no such track.
        unit(2, picture(&[[0xfd, 0x9d, 0x20]])),
    ];
    assert_eq!(in_units(&tracks, &units), set(&[Cc1, Cc3]));
}

fn constructs() -> impl Strategy<Value = Vec<[u8; 3]>> {
    let head = prop_oneof![0_u8..8, 0xf8_u8..=0xff];
    let byte = || prop_oneof![Just(0_u8), 0_u8..4, 0x10_u8..0x30, any::<u8>()];
    proptest::collection::vec([head.boxed(), byte().boxed(), byte().boxed()], 0..32)
}

proptest! {
    #[test]
    fn any_bytes_are_walked_to_an_end(
        unit in proptest::collection::vec(prop_oneof![0_u8..7, Just(0xff), any::<u8>()], 0..96),
    ) {
        for codec in codecs() {
            of(&codec, &unit);
        }
        in_user_data([&ATSC_CAPTIONS[..], &unit].concat().into_iter());
    }

    #[test]
    fn the_same_captions_are_the_same_wherever_they_are(constructs in constructs()) {
        let [h264, h265, av1, ..] = codecs();
        let user_data = user_data(&constructs);
        let expected = in_user_data(user_data.iter().copied());
        let message = message(4, &user_data);
        let size = u8::try_from(user_data.len() + 1).expect("a byte");
        // In leb128.
        let size = [size & 0x7f | 0x80, size >> 7];
        let metadata = [&[0x2a, size[0], size[1], 4][..], &user_data].concat();
        prop_assert_eq!(of(&h264, &prefixed(&[&sei(&[6], &message)])), expected);
        prop_assert_eq!(of(&h265, &prefixed(&[&sei(&[78, 1], &message)])), expected);
        prop_assert_eq!(of(&av1, &metadata), expected);
    }
}
