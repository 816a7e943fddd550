use super::*;
use crate::codec::VideoRange;
use proptest::prelude::*;
use shiguredo_mp4::bitstream::h265::parse_sps;

/// x265 through ffmpeg 9.0.2, 640×360, Main 3.0, without its SEI.
const MAIN: &[u8] = &[
    0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00, 0xfc,
    0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
    0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x3f, 0x95, 0x94, 0x09, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00,
    0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0xa0, 0x05, 0x02, 0x01, 0x71,
    0xf2, 0xe5, 0x95, 0x95, 0x29, 0x30, 0xbc, 0x05, 0xa0, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00,
    0x00, 0x03, 0x03, 0x21, 0x22, 0x00, 0x01, 0x00, 0x06, 0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89,
];
/// The same with 644×362 pixels, cropped, 10 bits, BT.2020 and PQ.
const MAIN_10_PQ: &[u8] = &[
    0x01, 0x02, 0x20, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00, 0xfc,
    0xfd, 0xfa, 0xfa, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
    0xff, 0xff, 0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x3f, 0x95, 0x94, 0x09, 0x21, 0x00, 0x01, 0x00, 0x33, 0x42, 0x01, 0x01, 0x02, 0x20, 0x00, 0x00,
    0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0xa0, 0x05, 0x22, 0x01, 0x71,
    0xcf, 0x23, 0x65, 0x95, 0x95, 0x29, 0x30, 0xbf, 0xfc, 0x16, 0xa0, 0x16, 0xa5, 0xa8, 0x48, 0x80,
    0x48, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0x21, 0x22, 0x00, 0x01, 0x00,
    0x06, 0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89,
];

fn parse(record: &[u8]) -> Result<H265, ConfigurationError> {
    H265::parse(Bytes::copy_from_slice(record))
}

#[test]
fn reads_what_x265_sends() {
    let h265 = parse(MAIN).expect("a record of x265");
    assert_eq!((h265.width, h265.height, h265.bit_depth), (640, 360, 8));
    assert_eq!(h265.rfc6381(), "hvc1.1.6.L63.90");
    assert_eq!((h265.profile_name(), h265.colour), ("Main", None));
    let sets = [&h265.vps, &h265.sps, &h265.pps].map(Vec::len);
    assert_eq!((h265.length_size, sets), (4, [1, 1, 1]));
}

#[test]
fn reads_cropping_and_the_colour_of_hdr() {
    let h265 = parse(MAIN_10_PQ).expect("a record of x265");
    assert_eq!((h265.width, h265.height, h265.bit_depth), (644, 362, 10));
    assert_eq!(h265.rfc6381(), "hvc1.2.4.L63.90");
    let colour = h265.colour.expect("a colour description");
    assert_eq!(
        (colour.primaries, colour.transfer, colour.matrix),
        (9, 16, 9)
    );
    assert_eq!(colour.video_range(), VideoRange::Pq);
}

#[test]
fn codec_strings_are_those_of_annex_e() {
    let mut h265 = parse(MAIN).expect("a record of x265");
    h265.compatibility = 0x6000_0000;
    h265.level = 93;
    // name, constraints, expected
    let cases: [(&str, [u8; 6], &str); 3] = [
        ("one byte", [0xb0, 0, 0, 0, 0, 0], "hvc1.1.6.L93.B0"),
        ("none", [0; 6], "hvc1.1.6.L93"),
        (
            "zeros only behind the last are left out",
            [0x80, 0, 0x20, 8, 0, 0],
            "hvc1.1.6.L93.80.0.20.8",
        ),
    ];
    for (name, constraints, expected) in cases {
        h265.constraints = constraints;
        assert_eq!(h265.rfc6381(), expected, "{name}");
    }
    (h265.profile_space, h265.high_tier) = (2, true);
    assert_eq!(h265.rfc6381(), "hvc1.B1.6.H93.80.0.20.8");
}

#[test]
fn the_record_of_hvc1_says_that_its_arrays_are_complete() {
    let mut with_sei = MAIN.to_vec();
    with_sei[HEAD] += 1;
    with_sei.extend_from_slice(&[39, 0, 1, 0, 3, 0x4e, 0x01, 0x80]);
    let record = parse(&with_sei).expect("a record").hvc1_record();
    let changed: Vec<usize> = (0..record.len())
        .filter(|&at| record[at] != with_sei[at])
        .collect();
    assert_eq!(changed, [23, 52, 100]);
    assert!(changed.iter().all(|&at| record[at] == with_sei[at] | 0x80));
}

#[test]
fn what_cannot_be_used_says_why() {
    let changed = |at: usize, value: u8| {
        let mut record = MAIN.to_vec();
        record[at] = value;
        record
    };
    let cases: [(&str, Vec<u8>, &str); 4] = [
        (
            "a later version",
            changed(0, 2),
            "HEVCDecoderConfigurationRecord has version 2, which is not allowed",
        ),
        (
            "lengths of three bytes",
            changed(21, 2),
            "HEVCDecoderConfigurationRecord has NAL length size 3, which is not allowed",
        ),
        (
            "a VPS that is said to be something else",
            changed(23, 39),
            "HEVCDecoderConfigurationRecord has video parameter sets 0, which is not allowed",
        ),
        (
            "no arrays",
            MAIN[..HEAD].to_vec(),
            "HEVCDecoderConfigurationRecord ends after 22 bytes, in the middle of count of arrays",
        ),
    ];
    for (name, record, expected) in cases {
        let error = parse(&record).expect_err(name);
        assert_eq!(error.to_string(), expected, "{name}");
    }
}

#[test]
fn every_prefix_is_an_error_not_a_panic() {
    for end in 0..MAIN.len() {
        parse(&MAIN[..end]).expect_err("a prefix is no record");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_a_configuration_or_an_error(
        changes in proptest::collection::vec((0..MAIN_10_PQ.len(), any::<u8>()), 0..4),
        end in 0..=MAIN_10_PQ.len(),
    ) {
        let mut record = MAIN_10_PQ.to_vec();
        for (at, with) in changes {
            record[at] = with;
        }
        record.truncate(end);
        if let Ok(h265) = parse(&record) {
            prop_assert!(h265.rfc6381().starts_with("hvc1."));
            prop_assert_eq!(h265.hvc1_record().len(), end);
        }
    }

    #[test]
    fn a_sequence_parameter_set_reads_as_shiguredo_mp4_reads_it(
        changes in proptest::collection::vec((2..51_usize, any::<u8>()), 0..3),
    ) {
        let mut unit = MAIN_10_PQ[57..57 + 51].to_vec();
        for (at, with) in changes {
            unit[at] = with;
        }
        if let Ok(theirs) = parse_sps(&unit) {
            let ours = sps::parse(&unit).expect("what another reads");
            prop_assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
            prop_assert_eq!(ours.compatibility, theirs.general_profile_compatibility_flags);
            prop_assert_eq!((ours.profile, ours.level), (theirs.general_profile_idc, theirs.general_level_idc));
            prop_assert_eq!(ours.bit_depth, theirs.bit_depth_luma_minus8 + 8);
        }
    }
}
