//! Sample entries of all codecs, from configurations of real encoders (ffmpeg 9.0.2), read back by both crates.

use media::codec::{Av1, H265, Vp9KeyFrame, Vp9Record};
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
