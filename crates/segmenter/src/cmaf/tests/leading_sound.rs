//! Where there is no picture, sound leads, and its time is as exact as that of pictures.

use super::*;

/// Frames of `tracks`' sound in parts of nine, each `lasting` as long as is said: first decode times, and ends by
/// adding durations up.
fn ends(tracks: &[Track], lasting: &[MediaTime]) -> Vec<(u64, u64)> {
    let mut at = MediaTime::ZERO;
    let mut ends = Vec::new();
    for frames in lasting.chunks(9) {
        let mut units = Vec::new();
        for &lasts in frames {
            units.push(unit(0, at, 0, true, 4));
            at += lasts;
        }
        let part = part(units, Some(at));
        let fragment = Fragment {
            part: &part,
            tracks,
            rendition: Rendition::Audio,
        };
        let (_, moof, _) = read(&fragment);
        let [(2, begin, lasts)] = spans(&moof)[..] else {
            panic!("sound alone")
        };
        ends.push((begin, begin + lasts));
    }
    ends
}

proptest! {
    #[test]
    fn parts_of_sound_follow_one_another_even_where_the_clock_is_followed(
        // Nanoseconds that frames are longer or shorter than 1 024 samples.
        off in proptest::collection::vec(-1_000_000_i64..1_000_000, 1..100),
        config in prop_oneof![Just(&[0x11_u8, 0x90]), Just(&[0x12, 0x10])],
    ) {
        let tracks = [audio(config)];
        let lasts = tracks[0].codec.unit_duration().expect("sound");
        let lasting: Vec<_> = off.into_iter().map(|off| lasts + MediaTime::from_nanos(off)).collect();
        let ends = ends(&tracks, &lasting);
        for pair in ends.windows(2) {
            prop_assert_eq!(pair[0].1, pair[1].0);
        }
    }
}

#[test]
fn mp3_is_counted_in_its_own_frames() {
    let mp3 = Mp3::parse(&[0xff, 0xfb, 0x90, 0x00]).expect("a header");
    let tracks = [Track {
        codec: Codec::Mp3(mp3),
    }];
    let lasts = tracks[0].codec.unit_duration().expect("sound");
    let part_of_nine = 9 * 1_152;
    let origin = 441_000;
    assert_eq!(
        ends(&tracks, &[lasts; 18]),
        [
            (origin, origin + part_of_nine),
            (origin + part_of_nine, origin + 2 * part_of_nine)
        ]
    );
}
