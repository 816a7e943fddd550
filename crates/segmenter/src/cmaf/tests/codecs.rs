//! Sample entries of all codecs, from configurations of real encoders (ffmpeg 9.0.2), read back by both crates.

use media::codec::{Ac3, Av1, Eac3, Flac, H265, OpusHead, Vp9KeyFrame, Vp9Record};
use mp4_atom::{Codec as Entry, Colr, Decode as _, Ftyp, Moov};
use shiguredo_mp4::codec_string::from_sample_entry;

use super::*;

/// x265, 640×360, Main.
const HVC: &[u8] = &[
    0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00, 0xfc,
    0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
    0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x3f, 0x95, 0x94, 0x09, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00,
    0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0xa0, 0x05, 0x02, 0x01, 0x71,
    0xf2, 0xe5, 0x95, 0x95, 0x29, 0x30, 0xbc, 0x05, 0xa0, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00,
    0x00, 0x03, 0x03, 0x21, 0x22, 0x00, 0x01, 0x00, 0x06, 0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89,
];
/// libaom, 640×360, 10 bits, BT.2020 and HLG.
const AV1C: &[u8] = &[
    0x81, 0x01, 0x4c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36, 0xbe, 0x54,
    0x24, 0x48, 0x24, 0x10,
];
/// libvpx, 640×360, and the beginning of its key frame.
const VPCC: &[u8] = &[0x00, 0x15, 0x82, 0x02, 0x02, 0x02, 0, 0];
const VP9_KEY: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x16, 0x76, 0x06];

/// libopus, 5.1.
const OPUS_HEAD: &[u8] =
    b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\x01\xff\x01\x04\x02\x00\x04\x01\x02\x03\x05";

fn opus(head: &'static [u8], samples: u32) -> Codec {
    let head = OpusHead::parse(Bytes::from_static(head)).expect("Opus");
    Codec::Opus(head.with(samples))
}

/// 24 bits, stereo.
fn flac(rate: u32) -> Codec {
    let format = (u64::from(rate) << 44 | 1 << 41 | 23 << 36).to_be_bytes();
    let stream_info = [&[16, 0, 16, 0, 0, 0, 0, 0, 0, 0][..], &format, &[0; 16]].concat();
    Codec::Flac(Flac::parse(stream_info.into()).expect("FLAC"))
}

fn h265() -> Codec {
    Codec::H265(H265::parse(Bytes::from_static(HVC)).expect("H.265"))
}

fn av1() -> Codec {
    Codec::Av1(Av1::parse(Bytes::from_static(AV1C)).expect("AV1"))
}

fn vp9() -> Codec {
    let record = Vp9Record::parse(Bytes::from_static(VPCC)).expect("a record");
    let key = Vp9KeyFrame::read(VP9_KEY).expect("a header");
    Codec::Vp9(record.with(key.expect("a key frame")))
}

/// The sample entry of `codec` as each of the two crates reads it.
fn entries(codec: Codec) -> (SampleEntry, Entry) {
    let rendition = match codec.kind() {
        TrackKind::Video => Rendition::Video,
        TrackKind::Audio => Rendition::Audio,
    };
    let bytes = init(&[Track { codec }], rendition);
    let (_, read) = FtypBox::decode(&bytes).expect("ftyp");
    let (moov, rest) = MoovBox::decode(&bytes[read..]).expect("moov");
    assert_eq!(read + rest, bytes.len());
    let tables = &moov.trak_boxes[0].mdia_box.minf_box.stbl_box;
    let [theirs] = &tables.stsd_box.entries[..] else {
        panic!("{tables:?}");
    };
    let mut rest = &bytes[..];
    Ftyp::decode(&mut rest).expect("ftyp");
    let moov = Moov::decode(&mut rest).expect("moov");
    let other = &moov.trak[0].mdia.minf.stbl.stsd.codecs[..];
    let [other] = other else {
        panic!("{other:?}");
    };
    (theirs.clone(), other.clone())
}

#[test]
fn pictures_have_their_size_and_say_the_codec_that_playlists_name() {
    for codec in [h265(), av1(), vp9()] {
        let name = codec.name();
        let (theirs, _) = entries(codec.clone());
        let size = match &theirs {
            SampleEntry::Hvc1(hvc1) => (hvc1.visual.width, hvc1.visual.height),
            SampleEntry::Av01(av01) => (av01.visual.width, av01.visual.height),
            SampleEntry::Vp09(vp09) => (vp09.visual.width, vp09.visual.height),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(Some(size), codec.size(), "{name}");
        let string = from_sample_entry(&theirs).expect(name);
        // Theirs has no colour.
        assert!(codec.rfc6381().starts_with(&string), "{name}: {string}");
    }
}

#[test]
fn h265_has_complete_arrays_of_parameter_sets() {
    let (theirs, other) = entries(h265());
    let SampleEntry::Hvc1(hvc1) = theirs else {
        panic!("{theirs:?}");
    };
    let arrays = &hvc1.hvcc_box.nalu_arrays;
    let found: Vec<_> = arrays
        .iter()
        .map(|it| {
            (
                it.nal_unit_type.get(),
                it.array_completeness.get(),
                it.nalus.len(),
            )
        })
        .collect();
    assert_eq!(found, [(32, 1, 1), (33, 1, 1), (34, 1, 1)]);
    let Entry::Hvc1(hvc1) = other else {
        panic!("{other:?}");
    };
    assert_eq!(hvc1.hvcc.general_level_idc, 63);
    assert!(hvc1.colr.is_none(), "x265 was told no colour");
}

#[test]
fn av1_has_the_encoders_record_and_its_colour() {
    let (theirs, other) = entries(av1());
    let SampleEntry::Av01(av01) = theirs else {
        panic!("{theirs:?}");
    };
    assert_eq!(av01.av1c_box.config_obus, AV1C[4..]);
    let Entry::Av01(av01) = other else {
        panic!("{other:?}");
    };
    let colour = Colr::Nclx {
        colour_primaries: 9,
        transfer_characteristics: 18,
        matrix_coefficients: 9,
        full_range_flag: false,
    };
    assert_eq!(av01.colr, Some(colour));
}

#[test]
fn vp9_has_a_record_of_its_own() {
    let (_, other) = entries(vp9());
    let Entry::Vp09(vp09) = other else {
        panic!("{other:?}");
    };
    assert_eq!((vp09.vpcc.profile, vp09.vpcc.level), (0, 21));
    assert_eq!((vp09.vpcc.bit_depth, vp09.vpcc.chroma_subsampling), (8, 1));
}

#[test]
fn opus_has_the_fields_of_its_header_in_the_other_byte_order() {
    let stereo = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\x01\xff\0";
    let codec = opus(stereo, 960);
    let (theirs, other) = entries(codec.clone());
    let string = from_sample_entry(&theirs).expect("a codec string");
    assert_eq!(codec.rfc6381(), string);
    let Entry::Opus(read) = other else {
        panic!("{other:?}");
    };
    assert_eq!(
        (read.audio.channel_count, read.audio.sample_rate.integer()),
        (2, 48_000)
    );
    assert_eq!(
        (
            read.dops.pre_skip,
            read.dops.input_sample_rate,
            read.dops.output_gain
        ),
        (312, 48_000, -255)
    );
}

#[test]
fn opus_of_several_streams_has_its_mapping() {
    // Neither crate reads one.
    let codec = opus(OPUS_HEAD, 960);
    let bytes = init(&[Track { codec }], Rendition::Audio);
    let at = bytes.windows(4).position(|it| it == b"dOps").expect("dOps");
    let expected = [
        &[0, 6, 1, 56, 0, 0, 0xbb, 0x80, 0xff, 0x01][..],
        &OPUS_HEAD[18..],
    ];
    assert_eq!(bytes[at - 4..at], [0, 0, 0, 27]);
    assert_eq!(bytes[at + 4..at + 23], expected.concat());
}

#[test]
fn flac_has_its_stream_info_and_a_rate_that_can_be_said() {
    for (rate, said) in [(48_000, 48_000), (96_000, 48_000), (176_400, 44_100)] {
        let codec = flac(rate);
        let (theirs, other) = entries(codec.clone());
        let string = from_sample_entry(&theirs).expect("a codec string");
        assert_eq!(codec.rfc6381(), string);
        let (SampleEntry::Flac(theirs), Entry::Flac(other)) = (theirs, other) else {
            panic!("no FLAC");
        };
        let [block] = &theirs.dfla_box.metadata_blocks[..] else {
            panic!("{theirs:?}");
        };
        assert_eq!(block.block_data.len(), 34);
        assert_eq!(other.audio.sample_rate.integer(), said, "{rate}");
        assert_eq!(
            (other.audio.sample_size, other.audio.channel_count),
            (24, 2)
        );
    }
}

#[test]
fn ac_3_and_e_ac_3_have_what_their_frames_say() {
    let mut frame = vec![0x0b, 0x77, 0xfe, 0x95, 0x14, 0x40, 0x43, 0xe1];
    frame.resize(768, 0);
    // shiguredo_mp4 knows neither.
    let (_, entry) = entries(Codec::Ac3(Ac3::parse(&frame).expect("AC-3")));
    let Entry::Ac3(ac3) = entry else {
        panic!("{entry:?}");
    };
    assert_eq!(
        (ac3.audio.channel_count, ac3.audio.sample_rate.integer()),
        (2, 48_000)
    );
    assert_eq!((ac3.dac3.fscod, ac3.dac3.bsid, ac3.dac3.acmod), (0, 8, 2));
    assert_eq!((ac3.dac3.lfeon, ac3.dac3.bit_rate_code), (false, 10));

    let mut frame = vec![0x0b, 0x77, 0x02, 0xff, 0x3f, 0x87, 0xc0, 0x00];
    frame.resize(1_536, 0);
    let (_, entry) = entries(Codec::Eac3(Eac3::parse(&frame).expect("E-AC-3")));
    let Entry::Eac3(eac3) = entry else {
        panic!("{entry:?}");
    };
    assert_eq!((eac3.audio.channel_count, eac3.dec3.data_rate), (6, 384));
    let [programme] = &eac3.dec3.substreams[..] else {
        panic!("{:?}", eac3.dec3);
    };
    assert_eq!(
        (
            programme.fscod,
            programme.bsid,
            programme.acmod,
            programme.lfeon,
            programme.num_dep_sub
        ),
        (0, 16, 7, true, 0)
    );
}

#[test]
fn sound_is_counted_in_its_own_samples() {
    let cases = [
        (opus(OPUS_HEAD, 2_880), 48_000, 2_880_u32),
        (flac(96_000), 96_000, 4_096),
    ];
    for (codec, rate, samples) in cases {
        assert_eq!(super::rate(&codec), rate);
        let name = codec.name();
        let tracks = [Track { codec }];
        let at = |n| MediaTime::from_ticks(n * i64::from(samples), rate);
        let units = (0..3).map(|n| unit(0, at(n), 0, true, 9)).collect();
        let part = part(units, None);
        let fragment = Fragment {
            part: &part,
            tracks: &tracks,
            rendition: Rendition::Audio,
        };
        let (_, moof, _) = read(&fragment);
        let expected = (2, u64::from(rate) * 10, 3 * u64::from(samples));
        assert_eq!(spans(&moof), [expected], "{name}");
    }
}
