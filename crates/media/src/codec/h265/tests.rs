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

/// Bits, written as ITU-T H.265 §7.2 has them.
#[derive(Default)]
struct Written(Vec<bool>);

impl Written {
    fn u(&mut self, count: u32, value: u64) -> &mut Self {
        self.0
            .extend((0..count).rev().map(|at| value >> at & 1 == 1));
        self
    }

    /// Exp-Golomb numbers.
    fn ue(&mut self, values: &[u64]) -> &mut Self {
        for value in values {
            let bits = (value + 1).ilog2();
            self.u(bits, 0).u(bits + 1, value + 1);
        }
        self
    }

    /// As a NAL unit: trailing bits, and bytes that keep start codes out.
    fn nal_unit(&self, header: [u8; 2]) -> Vec<u8> {
        let mut bits = self.0.clone();
        bits.push(true);
        bits.resize(bits.len().next_multiple_of(8), false);
        let mut unit = header.to_vec();
        for byte in bits.chunks(8) {
            let byte = byte.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
            if byte <= 3 && unit.ends_with(&[0, 0]) {
                unit.push(3);
            }
            unit.push(byte);
        }
        unit
    }
}

/// Everything that may stand before the colour does: no encoder at hand sends it all.
fn sps_with_everything() -> Vec<u8> {
    let mut sps = Written::default();
    // Three sub-layers; Main 10, level 4; sub-layer 0 has profile and level, 1 a level alone.
    sps.u(4, 0).u(3, 2).u(1, 1);
    sps.u(8, 2)
        .u(32, 0x2000_0000)
        .u(48, 0x9000_0000_0000)
        .u(8, 120);
    sps.u(4, 0b1101).u(12, 0);
    sps.u(8, 2).u(32, 0x2000_0000).u(48, 0).u(8, 60).u(8, 90);
    // 4:2:0, 1920×1088 less 8 lines, 10 bits, 8 bits of picture order count.
    sps.ue(&[0, 1, 1_920, 1_088])
        .u(1, 1)
        .ue(&[0, 0, 0, 4])
        .ue(&[2, 2, 4]);
    // Buffers of each sub-layer.
    sps.u(1, 1).ue(&[1, 0, 0, 2, 1, 0, 4, 2, 0]);
    sps.ue(&[0, 3, 0, 3, 0, 0]);
    // Scaling lists: predicted ones, and one of each size with coefficients of its own.
    sps.u(1, 1).u(1, 1);
    for (size, matrices) in [(0, 6), (1, 6), (2, 6), (3, 2)] {
        for matrix in 0..matrices {
            if matrix > 0 {
                sps.u(1, 0).ue(&[0]);
                continue;
            }
            sps.u(1, 1);
            if size > 1 {
                sps.ue(&[15]);
            }
            let coefficients = 64.min(1_usize << (4 + 2 * size));
            sps.ue(&vec![1; coefficients]);
        }
    }
    // Asymmetric partitions, adaptive offset, PCM.
    sps.u(2, 3).u(1, 1).u(8, 0x77).ue(&[0, 1]).u(1, 1);
    // Three sets of references: the pictures -1, -3 and 1; told by it, -3, -1 and -2; told by that, -2, -3, -4 and -1.
    sps.ue(&[3]);
    sps.ue(&[2, 1, 0]).u(1, 1).ue(&[1]).u(1, 1).ue(&[0]).u(1, 1);
    sps.u(1, 1).u(1, 1).ue(&[1]).u(5, 0b10011);
    sps.u(1, 1).u(1, 1).ue(&[0]).u(4, 0b1111);
    // Two long-term references, of 8 bits and a flag each.
    sps.u(1, 1).ue(&[2]).u(9, 0x55).u(9, 0xaa);
    sps.u(2, 3);
    // VUI: an aspect ratio in numbers, overscan; the signal in full range, BT.2020, HLG.
    sps.u(1, 1).u(1, 1).u(8, 255).u(16, 1).u(16, 1).u(2, 0b10);
    sps.u(1, 1).u(3, 5).u(1, 1).u(1, 1).u(8, 9).u(8, 18).u(8, 9);
    // No more of it, and no extension.
    sps.u(1, 0).u(3, 0).u(1, 0).u(2, 0).u(1, 0);
    sps.nal_unit([0x42, 1])
}

#[test]
fn the_colour_is_found_behind_everything() {
    let unit = sps_with_everything();
    assert!(parse_sps(&unit).is_ok(), "as far as another reads it");
    let sps = sps::parse(&unit).expect("a sequence parameter set");
    assert_eq!((sps.width, sps.height, sps.bit_depth), (1_920, 1_080, 10));
    let expected = Colour {
        primaries: 9,
        transfer: 18,
        matrix: 9,
        full_range: true,
    };
    assert_eq!(sps.colour, Some(expected));
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
