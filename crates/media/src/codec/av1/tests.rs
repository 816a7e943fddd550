use super::*;
use crate::codec::VideoRange;
use proptest::prelude::*;
use shiguredo_mp4::bitstream::av1::parse_sequence_header;

/// SVT-AV1 through ffmpeg 9.0.2, 640×360.
const MAIN: &[u8] = &[
    0x81, 0x01, 0x0c, 0x00, 0x0a, 0x0c, 0x02, 0x00, 0x00, 0x0d, 0x26, 0x27, 0xfb, 0x38, 0x05, 0xf0,
    0x00, 0x80,
];
/// libaom through ffmpeg 9.0.2, 640×360, 10 bits, BT.2020 and HLG.
const HLG: &[u8] = &[
    0x81, 0x01, 0x4c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36, 0xbe, 0x54,
    0x24, 0x48, 0x24, 0x10,
];

fn parse(record: &[u8]) -> Result<Av1, ConfigurationError> {
    Av1::parse(Bytes::copy_from_slice(record))
}

#[test]
fn reads_what_svt_av1_sends() {
    let av1 = parse(MAIN).expect("a record of SVT-AV1");
    assert_eq!((av1.width, av1.height, av1.bit_depth), (640, 360, 8));
    assert_eq!(
        (av1.rfc6381().as_str(), av1.profile_name()),
        ("av01.0.01M.08", "Main")
    );
    assert_eq!((av1.colour, av1.chroma), (None, [1, 1, 0]));
}

#[test]
fn reads_the_colour_of_hdr() {
    let av1 = parse(HLG).expect("a record of libaom");
    assert_eq!((av1.width, av1.height, av1.bit_depth), (640, 360, 10));
    assert_eq!(av1.rfc6381(), "av01.0.01M.10.0.110.09.18.09.0");
    let colour = av1.colour.expect("a colour description");
    assert_eq!(colour.video_range(), VideoRange::Hlg);
}

#[test]
fn codec_strings_are_whole_where_something_is_unusual() {
    let usual = Colour {
        primaries: 1,
        transfer: 1,
        matrix: 1,
        full_range: false,
    };
    let mut av1 = parse(MAIN).expect("a record of SVT-AV1");
    (av1.colour, av1.level, av1.high_tier) = (Some(usual), 13, true);
    assert_eq!(av1.rfc6381(), "av01.0.13H.08");
    av1.colour = Some(Colour {
        full_range: true,
        ..usual
    });
    assert_eq!(av1.rfc6381(), "av01.0.13H.08.0.110.01.01.01.1");
    (av1.profile, av1.chroma, av1.colour) = (1, [0, 0, 0], None);
    assert_eq!(av1.rfc6381(), "av01.1.13H.08.0.000.02.02.02.0");
}

#[test]
fn what_cannot_be_used_says_why() {
    let cases: [(&[u8], &str); 4] = [
        // ffmpeg 9 sends one of these ahead of the real one where the encoder has none yet.
        (
            &[],
            "AV1CodecConfigurationRecord ends after 0 bytes, in the middle of profile, level and tier",
        ),
        (
            &[0x01, 0, 0, 0],
            "AV1CodecConfigurationRecord has marker and version 1, which is not allowed",
        ),
        (
            &[0x81, 0, 0, 0],
            "AV1CodecConfigurationRecord has sequence headers 0, which this gateway does not carry",
        ),
        (
            &[0x81, 0, 0, 0, 0x0a, 2, 0, 0],
            "AV1 sequence header ends after 2 bytes, in the middle of operating points",
        ),
    ];
    for (record, expected) in cases {
        assert_eq!(parse(record).expect_err(expected).to_string(), expected);
    }
}

/// OBUs with sizes: kind and payload of each.
fn unit(obus: &[(u8, &[u8])]) -> Vec<u8> {
    let mut unit = Vec::new();
    for (kind, payload) in obus {
        unit.push(kind << 3 | 2);
        unit.push(u8::try_from(payload.len()).expect("short"));
        unit.extend_from_slice(payload);
    }
    unit
}

const SEQUENCE: (u8, &[u8]) = (1, &[0x02, 0, 0, 0x0d, 0x26]);
const DELIMITER: (u8, &[u8]) = (2, &[]);
const KEY: (u8, &[u8]) = (6, &[0b0001_0000, 0]);
const INTER: (u8, &[u8]) = (6, &[0b0011_0000, 0]);

#[test]
fn where_decoding_can_begin() {
    let cases: [(&str, Vec<u8>, bool); 9] = [
        ("a key frame", unit(&[DELIMITER, SEQUENCE, KEY]), true),
        (
            "its header alone",
            unit(&[SEQUENCE, (3, KEY.1), (4, &[1])]),
            true,
        ),
        ("no sequence header", unit(&[DELIMITER, KEY]), false),
        ("one behind the frame", unit(&[KEY, SEQUENCE]), false),
        ("an inter frame", unit(&[SEQUENCE, INTER]), false),
        ("another frame first", unit(&[SEQUENCE, INTER, KEY]), false),
        ("not shown", unit(&[SEQUENCE, (6, &[0, 0])]), false),
        ("shown again", unit(&[SEQUENCE, (3, &[0b1001_0000])]), false),
        ("a still picture", unit(&[(1, &[0x18]), (6, &[0xff])]), true),
    ];
    for (name, unit, expected) in cases {
        assert_eq!(Av1::is_random_access(&unit), Ok(expected), "{name}");
    }
}

#[test]
fn units_that_do_not_fit_say_where() {
    let whole = unit(&[DELIMITER, SEQUENCE, KEY]);
    let cases: [(&str, Vec<u8>, usize); 4] = [
        ("cut short", whole[..whole.len() - 1].to_vec(), 9),
        ("a forbidden bit", [&whole[..], &[0x82, 0]].concat(), 13),
        ("an extension cut short", vec![0x16], 0),
        (
            "a size without end",
            vec![0x32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            0,
        ),
    ];
    for (name, unit, at) in cases {
        assert_eq!(Av1::is_random_access(&unit), Err(Misfit { at }), "{name}");
    }
    // The last may leave its size out.
    let mut open = unit(&[SEQUENCE]);
    open.extend_from_slice(&[6 << 3, 0b0001_0000, 0]);
    assert_eq!(Av1::is_random_access(&open), Ok(true));
}

#[test]
fn samples_have_no_temporal_delimiter() {
    let cases: [(&str, Vec<u8>, Vec<u8>); 4] = [
        (
            "first",
            unit(&[DELIMITER, SEQUENCE, KEY]),
            unit(&[SEQUENCE, KEY]),
        ),
        ("none", unit(&[INTER]), unit(&[INTER])),
        ("nothing else", unit(&[DELIMITER]), vec![]),
        ("nothing", vec![], vec![]),
    ];
    for (name, sent, expected) in cases {
        assert_eq!(Av1::sample(&sent.into()), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_a_configuration_or_an_error(
        changes in proptest::collection::vec((0..HLG.len(), any::<u8>()), 0..4),
        end in 0..=HLG.len(),
    ) {
        let mut record = HLG.to_vec();
        for (at, with) in changes {
            record[at] = with;
        }
        record.truncate(end);
        if let Ok(av1) = parse(&record) {
            prop_assert!(av1.width > 0 && av1.rfc6381().starts_with("av01."));
        }
    }

    #[test]
    fn a_sequence_header_reads_as_shiguredo_mp4_reads_it(
        changes in proptest::collection::vec((0..14_usize, any::<u8>()), 0..4),
    ) {
        let mut payload = HLG[6..].to_vec();
        for (at, with) in changes {
            payload[at] = with;
        }
        if let Ok(theirs) = parse_sequence_header(&payload) {
            let ours = sequence_header::parse(&payload).expect("what another reads");
            prop_assert_eq!((ours.width, ours.height), (theirs.max_frame_width, theirs.max_frame_height));
            prop_assert_eq!((ours.profile, ours.level), (theirs.seq_profile, theirs.seq_level_idx_0));
            prop_assert_eq!(ours.bit_depth > 8, theirs.high_bitdepth);
            let chroma = [theirs.chroma_subsampling_x, theirs.chroma_subsampling_y, theirs.chroma_sample_position];
            prop_assert_eq!(ours.chroma, chroma);
            prop_assert_eq!((ours.monochrome, ours.high_tier), (theirs.monochrome, theirs.seq_tier_0 == 1));
        }
    }

    #[test]
    fn any_unit_is_walked_to_an_end(
        unit in proptest::collection::vec(prop_oneof![0_u8..32, any::<u8>()], 0..64),
    ) {
        let _ = Av1::is_random_access(&unit);
        prop_assert!(Av1::sample(&unit.clone().into()).len() <= unit.len());
    }
}
