//! The same read back by the mp4-atom crate, which shares no code with the first reader: each byte is accounted for.

use mp4_atom::{
    Codec as Entry, Decode, DrefEntry, Encode, Ftyp, Moof, Moov, Prft, ReferenceTime, Traf,
};

use super::*;

/// Pictures that are shown in another order, and sound; the second picture and the last frame are empty.
fn a_part() -> Part {
    let sizes = [(700, true, 80), (0, false, 120), (60, false, 0)];
    let mut units = Vec::new();
    for (at, (size, random_access, composition)) in (0..).zip(sizes) {
        units.push(unit(0, ms(40 * at), composition, random_access, size));
        units.push(unit(
            1,
            frame(at, 48_000),
            0,
            true,
            [30, 31, 0][units.len() / 2],
        ));
    }
    // Distinct from one another, to be found again.
    for (n, unit) in (1..).zip(&mut units) {
        unit.payload = vec![n; unit.payload.len()].into();
    }
    part(units, Some(ms(120)))
}

fn fragment<'a>(part: &'a Part, tracks: &'a [Track], rendition: Rendition) -> Fragment<'a> {
    Fragment {
        part,
        tracks,
        rendition,
    }
}

/// `prft`, `moof`, and all of the fragment from `moof` on.
fn decode(fragment: &Fragment<'_>) -> (Prft, Moof, Vec<u8>) {
    let mut bytes = fragment.header(7, a_date()).to_vec();
    fragment
        .payloads()
        .for_each(|payload| bytes.extend_from_slice(payload));
    let mut rest = &bytes[..];
    let prft = Prft::decode(&mut rest).expect("prft");
    let from_moof = rest.to_vec();
    let moof = Moof::decode(&mut rest).expect("moof");
    (prft, moof, from_moof)
}

#[test]
fn init_sections_have_the_encoders_configuration_and_no_media() {
    // name, configuration, channels, rate of the core
    let cases: [(&str, &'static [u8], u16, u16); 3] = [
        ("LC", &[0x11, 0x90], 2, 48_000),
        ("HE-AAC", &[0x2b, 0x11, 0x88, 0x00], 2, 24_000),
        ("HE-AAC v2", &[0xeb, 0x09, 0x88, 0x00], 2, 24_000),
    ];
    for (name, config, channels, rate) in cases {
        let bytes = init(&[video(), audio(config)], Rendition::Muxed);
        let mut rest = &bytes[..];
        let ftyp = Ftyp::decode(&mut rest).expect("ftyp");
        assert_eq!(ftyp.major_brand, (*b"iso6").into());
        assert!(ftyp.compatible_brands.contains(&(*b"cmfc").into()));
        let moov = Moov::decode(&mut rest).expect("moov");
        assert_eq!(rest, b"");
        assert_eq!(moov.mvhd.duration, 0);
        let trex: Vec<u32> = moov
            .mvex
            .expect("mvex")
            .trex
            .iter()
            .map(|it| it.track_id)
            .collect();
        assert_eq!(trex, [1, 2]);
        for trak in &moov.trak {
            assert_eq!((trak.tkhd.duration, trak.mdia.mdhd.duration), (0, 0));
            let minf = &trak.mdia.minf;
            // In the same file.
            let references = &minf.dinf.dref.entries[..];
            assert!(matches!(references, [DrefEntry::Url(url)] if url.location.is_empty()));
            let tables = &minf.stbl;
            assert_eq!(
                (tables.stts.entries.len(), tables.stsc.entries.len()),
                (0, 0)
            );
            match &tables.stsd.codecs[..] {
                [Entry::Avc1(avc1)] => {
                    assert_eq!((avc1.visual.width, avc1.visual.height), (1280, 720));
                    let (width, height) = (trak.tkhd.width, trak.tkhd.height);
                    assert_eq!((width.integer(), height.integer()), (1280, 720));
                    let at = find(&bytes, b"avcC");
                    assert_eq!(bytes[at + 4..at + 4 + AVC.len()], *AVC);
                }
                [Entry::Mp4a(mp4a)] => {
                    assert_eq!(mp4a.audio.channel_count, channels, "{name}");
                    assert_eq!(mp4a.audio.sample_rate.integer(), rate, "{name}");
                    assert_eq!(trak.mdia.mdhd.timescale, u32::from(rate), "{name}");
                    find(&bytes, config);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Where `wanted` stands in `bytes`.
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    windows
        .position(|window| window == wanted)
        .expect("it is there")
}

#[test]
fn fragments_say_when_and_how_long() {
    let (tracks, part) = (both(), a_part());
    let (prft, moof, _) = decode(&fragment(&part, &tracks, Rendition::Muxed));
    assert_eq!(prft.reference_track_id, 1);
    assert_eq!(prft.media_time, 900_000);
    assert_eq!(prft.utc_time_semantics, ReferenceTime::RealTime);
    assert_eq!(moof.mfhd.sequence_number, 7);
    let [pictures, sound] = &moof.traf[..] else {
        panic!("{moof:?}")
    };
    assert_eq!(run(pictures).0, (1, 900_000, None));
    assert_eq!(
        run(pictures).1,
        [
            (3_600, 700, Some(0x0200_0000), Some(7_200)),
            (3_600, 0, Some(0x0101_0000), Some(10_800)),
            (3_600, 60, Some(0x0101_0000), Some(0)),
        ]
    );
    assert_eq!(run(sound).0, (2, 480_000, Some(0x0200_0000)));
    let frames = [30, 31, 0].map(|size| (1_024, size, None, None));
    assert_eq!(run(sound).1, frames);
}

type Sample = (u32, u32, Option<u32>, Option<i64>);

fn run(traf: &Traf) -> ((u32, u64, Option<u32>), Vec<Sample>) {
    assert!(traf.tfhd.default_base_is_moof && traf.tfhd.base_data_offset.is_none());
    let samples = traf.trun[0].samples.iter().map(|sample| {
        let duration = sample.duration.expect("a duration");
        let size = sample.size.expect("a size");
        (duration, size, sample.flags, sample.cts)
    });
    let tfdt = traf.tfdt.as_ref().expect("tfdt");
    let head = (
        traf.tfhd.track_id,
        tfdt.base_media_decode_time,
        traf.tfhd.default_sample_flags,
    );
    (head, samples.collect())
}

#[test]
fn samples_stand_where_the_runs_say() {
    let (tracks, part) = (both(), a_part());
    for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
        let (_, moof, bytes) = decode(&fragment(&part, &tracks, rendition));
        let mut end = 0;
        for traf in &moof.traf {
            let track = usize::try_from(traf.tfhd.track_id).expect("small") - 1;
            let units = part.units.iter().filter(|unit| unit.track == track);
            let mut at = usize::try_from(traf.trun[0].data_offset.expect("one")).expect("positive");
            let sizes = traf.trun[0].samples.iter().map(|sample| sample.size);
            for (unit, size) in units.zip(sizes) {
                let next = at + usize::try_from(size.expect("a size")).expect("small");
                assert_eq!(bytes[at..next], unit.payload[..], "{rendition:?}");
                at = next;
            }
            end = at;
        }
        assert_eq!(end, bytes.len(), "{rendition:?}");
    }
}

#[test]
fn the_other_crate_writes_the_same_bytes() {
    let (tracks, part) = (both(), a_part());
    for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
        let (_, moof, bytes) = decode(&fragment(&part, &tracks, rendition));
        let mut again = Vec::new();
        moof.encode(&mut again).expect("moof");
        assert_eq!(bytes[..again.len()], again, "{rendition:?}");
    }
}
