//! Sound that is cut by the pictures of another publish.

use media::{AccessUnit, Track, TrackKind};

use super::*;

/// Of another size than [`VIDEO_HEADER`]'s pictures.
const OTHER_VIDEO_HEADER: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x0f,
    0x0a, 0x69, 0xa8, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
];

/// What a rendition of sound shows of what it is made of.
#[derive(Debug, PartialEq)]
struct Shown {
    tracks: usize,
    units: Vec<AccessUnit>,
    start: MediaTime,
    duration: MediaTime,
    date: Option<SystemTime>,
    discontinuity: bool,
}

/// The sound of units with pictures among them.
fn sound(units: &[AccessUnit], tracks: &[Track]) -> Vec<AccessUnit> {
    let audio = tracks.iter().position(|it| it.kind() == TrackKind::Audio);
    let units = units.iter().filter(|unit| Some(unit.track) == audio);
    let alone = |unit: &AccessUnit| AccessUnit {
        track: 0,
        ..unit.clone()
    };
    units.map(alone).collect()
}

fn segments(bench: &Bench) -> Vec<Shown> {
    let all = bench.segments.iter().map(|it| Shown {
        tracks: it
            .tracks
            .iter()
            .filter(|it| it.kind() == TrackKind::Audio)
            .count(),
        units: sound(&it.units, &it.tracks),
        start: it.start,
        duration: it.duration,
        date: Some(it.date),
        discontinuity: it.discontinuity,
    });
    all.collect()
}

fn parts(bench: &Bench) -> Vec<Shown> {
    let mut tracks: Arc<[Track]> = Arc::default();
    let all = bench.parts.iter().map(|it| {
        if let Some(head) = &it.head {
            tracks = head.tracks.clone();
        }
        Shown {
            tracks: tracks
                .iter()
                .filter(|it| it.kind() == TrackKind::Audio)
                .count(),
            units: sound(&it.units, &tracks),
            start: it.start,
            duration: it.duration,
            date: it.head.as_ref().map(|head| head.date),
            discontinuity: it.head.as_ref().is_some_and(|head| head.discontinuity),
        }
    });
    all.collect()
}

/// GOPs longer than the target, another configuration, a jump of the clock, and a last GOP that is not whole.
fn publish(bench: &mut Bench) {
    let gop = |bench: &mut Bench, from: u32, seconds: u32| {
        let mut sounds = 0;
        for n in 0..seconds * 25 {
            bench.push(
                MessageKind::Video,
                from + n * 40,
                if n == 0 { IDR } else { INTER },
            );
            while sounds * 64 / 3 < (n + 1) * 40 {
                bench.push(MessageKind::Audio, from + sounds * 64 / 3, SOUND);
                sounds += 1;
            }
        }
    };
    gop(bench, 0, 5);
    gop(bench, 5_000, 3);
    bench.push(MessageKind::Video, 8_000, OTHER_VIDEO_HEADER);
    gop(bench, 8_000, 5);
    gop(bench, 90_000, 5);
    gop(bench, 95_000, 1);
    bench.finish();
}

#[test]
fn its_segments_are_those_of_the_pictures_one_for_one() {
    let settings = Settings {
        part: Some(MediaTime::from_millis(200)),
        ..Settings::default()
    };
    let [mut whole, mut guided] = [(); 2].map(|()| Bench::with(settings));
    guided.segmenter.leave_pictures_out();
    publish(&mut whole);
    publish(&mut guided);
    assert_eq!(whole.starts(), [0, 5_000, 8_000, 13_522, 18_522]);
    let began: Vec<_> = whole.segments.iter().map(|it| it.discontinuity).collect();
    assert_eq!(began, [false, false, true, true, false]);
    assert_eq!(segments(&whole), segments(&guided));
    assert!(
        guided
            .segments
            .iter()
            .all(|it| it.tracks.len() == 1 && it.units.len() > 40)
    );
    assert_eq!(parts(&whole), parts(&guided));
    assert!(
        guided
            .parts
            .iter()
            .all(|it| it.independent && it.units.len() > 5)
    );
    assert_eq!(guided.segmenter.tracks().len(), 1);
}

#[test]
fn where_there_is_no_sound_there_is_no_segment() {
    let mut guided = Bench::new();
    guided.segmenter.leave_pictures_out();
    for n in 0..150 {
        guided.push(
            MessageKind::Video,
            n * 40,
            if n % 25 == 0 { IDR } else { INTER },
        );
    }
    guided.seconds(6_000, 4);
    guided.finish();
    assert_eq!(guided.starts(), [6_000, 8_000]);
}
