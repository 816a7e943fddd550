//! Init sections and fragments, read back by the shiguredo_mp4 crate.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use media::codec::{Aac, H264, Mp3};
use media::{AccessUnit, Captions, Codec, MediaTime, Part, Rendition, Sizes, Track};
use proptest::prelude::*;
use shiguredo_mp4::Decode;
use shiguredo_mp4::boxes::{FtypBox, MoofBox, MoovBox, SampleEntry};

use super::*;

mod codecs;
mod events;
mod hostile;
mod leading_sound;
mod second_reader;

/// x264, 1280×720, High 3.1.
const AVC: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0,
];

fn video() -> Track {
    Track {
        codec: Codec::H264(H264::parse(Bytes::from_static(AVC)).expect("H.264")),
    }
}

fn audio(config: &'static [u8]) -> Track {
    Track {
        codec: Codec::Aac(Aac::parse(Bytes::from_static(config)).expect("AAC")),
    }
}

fn both() -> [Track; 2] {
    [video(), audio(&[0x11, 0x90])]
}

fn unit(
    track: usize,
    dts: MediaTime,
    composition: i64,
    random_access: bool,
    size: usize,
) -> AccessUnit {
    AccessUnit {
        track,
        dts,
        composition: MediaTime::from_millis(composition),
        random_access,
        payload: vec![0x65; size].into(),
    }
}

fn part(units: Vec<AccessUnit>, next_dts: Option<MediaTime>) -> Part {
    Part {
        head: None,
        start: units.first().map_or(MediaTime::ZERO, |unit| unit.dts),
        units,
        events: Vec::new(),
        duration: MediaTime::from_millis(200),
        next_dts,
        independent: true,
        is_last: false,
        target: MediaTime::from_millis(218),
        captions: Captions::NONE,
        sizes: Sizes::default(),
    }
}

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// The `number`th audio frame.
fn frame(number: i64, rate: u32) -> MediaTime {
    MediaTime::from_ticks(number * 1_024, rate)
}

fn a_date() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_795_392_000, 500_000_000)
}

/// What a fragment says: `prft` as words, then `moof`, and the bytes of both.
fn read(fragment: &Fragment<'_>) -> (Vec<u32>, MoofBox, usize) {
    let header = fragment.header(7, a_date());
    let words = header[..PRFT_BYTES].chunks(4);
    let words = words.map(|word| u32::from_be_bytes(word.try_into().expect("four")));
    let (moof, size) = MoofBox::decode(&header[PRFT_BYTES..]).expect("a movie fragment");
    let mdat = &header[PRFT_BYTES + size..];
    let payloads: usize = fragment.payloads().map(Bytes::len).sum();
    assert_eq!(
        mdat[..4],
        u32::try_from(payloads + 8).expect("small").to_be_bytes()
    );
    assert_eq!(&mdat[4..], b"mdat");
    let total = header.len() + payloads;
    assert_eq!(fragment.size(), Some(total as u64));
    (words.collect(), moof, size)
}

const PRFT_BYTES: usize = 32;

#[test]
fn init_sections_say_what_is_in_them() {
    let tracks = both();
    for (rendition, expected) in [
        (Rendition::Video, vec![(1, 90_000)]),
        (Rendition::Audio, vec![(2, 48_000)]),
        (Rendition::Muxed, vec![(1, 90_000), (2, 48_000)]),
    ] {
        let bytes = init(&tracks, rendition);
        let (ftyp, read) = FtypBox::decode(&bytes).expect("ftyp");
        assert_eq!(ftyp.major_brand.get(), *b"iso6");
        let (moov, rest) = MoovBox::decode(&bytes[read..]).expect("moov");
        assert_eq!(read + rest, bytes.len());
        let ids: Vec<_> = moov
            .trak_boxes
            .iter()
            .map(|trak| {
                (
                    trak.tkhd_box.track_id,
                    trak.mdia_box.mdhd_box.timescale.get(),
                )
            })
            .collect();
        assert_eq!(ids, expected);
        let extends = moov.mvex_box.expect("mvex").trex_boxes;
        let extended: Vec<_> = extends.iter().map(|trex| trex.track_id).collect();
        assert_eq!(extended, ids.iter().map(|&(id, _)| id).collect::<Vec<_>>());
        for trak in &moov.trak_boxes {
            let tables = &trak.mdia_box.minf_box.stbl_box;
            match &tables.stsd_box.entries[..] {
                [SampleEntry::Avc1(avc1)] => {
                    assert_eq!((avc1.visual.width, avc1.visual.height), (1280, 720));
                    assert_eq!(avc1.avcc_box.sps_list, [AVC[8..34].to_vec()]);
                }
                [SampleEntry::Mp4a(mp4a)] => {
                    assert_eq!(
                        (mp4a.audio.channelcount, mp4a.audio.samplerate.integer),
                        (2, 48_000)
                    );
                    let decoder = &mp4a.esds_box.es.dec_config_descr;
                    assert_eq!(decoder.object_type_indication, 0x40);
                    let specific = decoder.dec_specific_info.as_ref().expect("a configuration");
                    assert_eq!(specific.payload, [0x11, 0x90]);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn mp3_is_mpeg_1_audio() {
    let mp3 = Mp3::parse(&[0xff, 0xfb, 0x90, 0x00]).expect("a header");
    let track = Track {
        codec: Codec::Mp3(mp3),
    };
    let bytes = init(&[track], Rendition::Audio);
    let (_, read) = FtypBox::decode(&bytes).expect("ftyp");
    let (moov, _) = MoovBox::decode(&bytes[read..]).expect("moov");
    let [SampleEntry::Mp4a(mp4a)] = &moov.trak_boxes[0]
        .mdia_box
        .minf_box
        .stbl_box
        .stsd_box
        .entries[..]
    else {
        panic!("no mp4a");
    };
    let decoder = &mp4a.esds_box.es.dec_config_descr;
    assert_eq!(decoder.object_type_indication, 0x6b);
    assert!(decoder.dec_specific_info.is_none());
}

#[test]
fn a_fragment_of_both_tracks() {
    let tracks = both();
    let units = vec![
        unit(0, ms(0), 80, true, 900),
        unit(1, frame(0, 48_000), 0, true, 11),
        unit(0, ms(40), 120, false, 50),
        unit(1, frame(1, 48_000), 0, true, 12),
        unit(0, ms(80), 0, false, 60),
    ];
    let part = part(units, Some(ms(121)));
    let fragment = Fragment {
        part: &part,
        tracks: &tracks,
        rendition: Rendition::Muxed,
    };
    let (prft, moof, moof_size) = read(&fragment);
    // 2026-11-23 in seconds since 1900, and half of one; time 0 is 10 s.
    let ntp = 1_795_392_000_u64 + 2_208_988_800;
    let ntp = u32::try_from(ntp & 0xffff_ffff).expect("masked");
    assert_eq!(prft[2..], [0x0100_0018, 1, ntp, 0x8000_0000, 0, 900_000]);
    assert_eq!(moof.mfhd_box.sequence_number, 7);
    let [pictures, sound] = &moof.traf_boxes[..] else {
        panic!("{moof:?}")
    };
    let base = i32::try_from(moof_size + 8).expect("small");
    let run = |traf: &shiguredo_mp4::boxes::TrafBox| {
        assert!(traf.tfhd_box.default_base_is_moof && traf.tfhd_box.base_data_offset.is_none());
        let samples = traf.trun_boxes[0].samples.iter().map(|sample| {
            let flags = sample
                .flags
                .or(traf.tfhd_box.default_sample_flags)
                .expect("flags");
            let composition = sample.composition_time_offset.unwrap_or(0);
            (
                sample.duration.expect("a duration"),
                sample.size.expect("a size"),
                flags.get(),
                composition,
            )
        });
        (
            traf.tfhd_box.track_id,
            traf.tfdt_box.as_ref().expect("tfdt").base_media_decode_time,
            traf.trun_boxes[0].data_offset.expect("an offset"),
            samples.collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        run(pictures),
        (
            1,
            900_000,
            base,
            vec![
                (3_600, 900, 0x0200_0000, 7_200),
                (3_600, 50, 0x0101_0000, 10_800),
                // Up to the picture behind the part.
                (3_690, 60, 0x0101_0000, 0),
            ]
        )
    );
    assert_eq!(
        run(sound),
        (
            2,
            480_000,
            base + 1_010,
            vec![(1_024, 11, 0x0200_0000, 0), (1_024, 12, 0x0200_0000, 0)]
        )
    );
    let sizes: Vec<usize> = fragment.payloads().map(Bytes::len).collect();
    assert_eq!(sizes, [900, 50, 60, 11, 12]);
}

#[test]
fn a_part_without_sound_is_a_gap_for_those_who_hear() {
    let tracks = both();
    let part = part(vec![unit(0, ms(0), 0, true, 9)], None);
    let sizes = sizes(&part, &tracks);
    assert_eq!(sizes.audio, None);
    assert!(sizes.video.is_some() && sizes.muxed == sizes.video);
}

/// Sums of durations against decode times: (first decode time, sum of durations) of each track.
fn spans(moof: &MoofBox) -> Vec<(u32, u64, u64)> {
    let spans = moof.traf_boxes.iter().map(|traf| {
        let lasts = traf.trun_boxes[0].samples.iter();
        let lasts = lasts.map(|sample| u64::from(sample.duration.expect("a duration")));
        let at = traf.tfdt_box.as_ref().expect("tfdt").base_media_decode_time;
        (traf.tfhd_box.track_id, at, lasts.sum())
    });
    spans.collect()
}

#[test]
fn an_hour_of_sound_and_pictures_has_no_hole_and_no_overlap() {
    for (config, rate) in [(&[0x11, 0x90], 48_000), (&[0x12, 0x10], 44_100)] {
        let tracks = [video(), audio(config)];
        let (mut picture, mut sound) = (0, 0);
        let mut ends = [900_000, 10 * u64::from(rate)];
        // 29.97 pictures a second in the milliseconds of RTMP, six in a part.
        let at = |picture: i64| ms(picture * 1_001 / 30);
        while at(picture) < ms(3_600_000) {
            let next = at(picture + 6);
            let mut units: Vec<_> = (picture..picture + 6)
                .map(|n| unit(0, at(n), 0, n % 60 == 0, 4))
                .collect();
            while frame(sound, rate) < next {
                units.push(unit(1, frame(sound, rate), 0, true, 4));
                sound += 1;
            }
            let part = part(units, Some(next));
            let fragment = Fragment {
                part: &part,
                tracks: &tracks,
                rendition: Rendition::Muxed,
            };
            let (_, moof, _) = read(&fragment);
            for (end, (_, begin, lasts)) in ends.iter_mut().zip(spans(&moof)) {
                assert_eq!(*end, begin);
                *end = begin + lasts;
            }
            picture += 6;
        }
        assert_eq!(
            ends[0],
            900_000 + u64::try_from(at(picture).rescale(90_000)).expect("positive")
        );
    }
}

proptest! {
    #[test]
    fn any_part_is_as_large_as_it_says_and_can_be_read(
        units in proptest::collection::vec(
            (0_usize..4, any::<i64>(), any::<i64>(), any::<bool>(), 0_usize..50), 1..60,
        ),
        next in any::<Option<i64>>(),
        duration in any::<i64>(),
    ) {
        let tracks = both();
        let units = units.into_iter().map(|(track, dts, composition, random_access, size)| AccessUnit {
            track,
            dts: MediaTime::from_nanos(dts),
            composition: MediaTime::from_nanos(composition),
            random_access,
            payload: vec![1; size].into(),
        });
        let mut part = part(units.collect(), next.map(MediaTime::from_nanos));
        part.duration = MediaTime::from_nanos(duration);
        for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
            let fragment = Fragment { part: &part, tracks: &tracks, rendition };
            if fragment.size().is_some() {
                read(&fragment);
            } else {
                prop_assert_eq!(fragment.payloads().count(), 0);
            }
        }
    }

    #[test]
    fn decode_times_go_on_from_part_to_part(
        parts in proptest::collection::vec(proptest::collection::vec(1_i64..3_000_000_000, 1..9), 1..20),
    ) {
        let tracks = [video()];
        let mut at = MediaTime::ZERO;
        let mut end = 900_000;
        for gaps in parts {
            let mut units = Vec::new();
            for gap in gaps {
                units.push(unit(0, at, 0, false, 1));
                // A tick apart at least.
                at += MediaTime::from_nanos(gap.max(11_112));
            }
            let part = part(units, Some(at));
            let fragment = Fragment { part: &part, tracks: &tracks, rendition: Rendition::Video };
            let (_, moof, _) = read(&fragment);
            let [(_, begin, lasts)] = spans(&moof)[..] else { panic!("one track") };
            prop_assert_eq!(begin, end);
            end = begin + lasts;
        }
    }
}
