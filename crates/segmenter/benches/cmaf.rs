//! What stands before the payloads of a part of 200 ms, six pictures and nine audio frames: by [`Fragment::header`],
//! and, for comparison, the same `moof` by the mp4-atom crate, which is encoded a second time once it is known how
//! long it is. Prints nanoseconds and the ratio.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::hint::black_box;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use media::codec::{Aac, H264};
use media::{AccessUnit, Captions, Codec, MediaTime, Part, Rendition, Sizes, Track, TrackKind};
use mp4_atom::{Decode, Encode, Mfhd, Moof, Prft, Tfdt, Tfhd, Traf, Trun, TrunEntry};
use segmenter::cmaf::Fragment;

/// x264, 1280×720, High 3.1.
const RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];
const VIDEO_RATE: u32 = 90_000;
const AUDIO_RATE: u32 = 48_000;
/// Each figure is the best of so many rounds: other programs only ever make one slower.
const ROUNDS: u32 = 9;
const CALLS: u32 = 20_000;

fn tracks() -> [Track; 2] {
    let h264 = H264::parse(Bytes::from_static(RECORD)).expect("x264's record");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("LC, 48 kHz, stereo");
    [Codec::H264(h264), Codec::Aac(aac)].map(|codec| Track { codec })
}

fn part() -> Part {
    let unit = |track, dts, size| AccessUnit {
        track,
        dts,
        composition: MediaTime::ZERO,
        random_access: dts == MediaTime::ZERO,
        payload: vec![0; size].into(),
    };
    let pictures = (0..6).map(|n| unit(0, MediaTime::from_ticks(n, 30), 12_500));
    let frames = (0..9).map(|n| unit(1, MediaTime::from_ticks(n * 1_024, AUDIO_RATE), 341));
    let mut units: Vec<_> = pictures.chain(frames).collect();
    units.sort_by_key(|unit| unit.dts);
    Part {
        head: None,
        units,
        events: Vec::new(),
        start: MediaTime::ZERO,
        duration: MediaTime::from_millis(200),
        next_dts: Some(MediaTime::from_millis(200)),
        independent: true,
        is_last: false,
        target: MediaTime::from_millis(218),
        captions: Captions::NONE,
        sizes: Sizes::default(),
    }
}

/// The `moof` of the muxed rendition, as one writes it with mp4-atom.
fn write_with_mp4_atom(part: &Part, tracks: &[Track]) -> Vec<u8> {
    let trafs = (0..).zip(tracks).map(|(index, track)| {
        let units = || part.units.iter().filter(move |unit| unit.track == index);
        let video = track.kind() == TrackKind::Video;
        let rate = if video { VIDEO_RATE } else { AUDIO_RATE };
        let ticks = |at: MediaTime| at.rescale(rate) + 10 * i64::from(rate);
        let nexts = units().skip(1).map(|unit| ticks(unit.dts));
        let last = units().last().expect("a unit");
        let end = if video {
            part.next_dts.map(ticks).expect("it is known")
        } else {
            ticks(last.dts) + 1_024
        };
        let samples = units().zip(nexts.chain([end])).map(|(unit, next)| {
            let flags = if unit.random_access {
                0x0200_0000
            } else {
                0x0101_0000
            };
            TrunEntry {
                duration: Some(u32::try_from(next - ticks(unit.dts)).expect("small")),
                size: Some(u32::try_from(unit.payload.len()).expect("small")),
                flags: video.then_some(flags),
                cts: video.then(|| unit.composition.rescale(rate)),
            }
        });
        let first = units().next().expect("a unit");
        Traf {
            tfhd: Tfhd {
                track_id: if video { 1 } else { 2 },
                default_sample_flags: (!video).then_some(0x0200_0000),
                default_base_is_moof: true,
                ..Tfhd::default()
            },
            tfdt: Some(Tfdt {
                base_media_decode_time: ticks(first.dts).unsigned_abs(),
            }),
            trun: vec![Trun {
                data_offset: Some(0),
                samples: samples.collect::<Vec<_>>().into(),
            }],
            ..Traf::default()
        }
    });
    let mut moof = Moof {
        mfhd: Mfhd { sequence_number: 7 },
        traf: trafs.collect(),
    };
    let mut bytes = Vec::with_capacity(512);
    moof.encode(&mut bytes).expect("into memory");
    let mut offset = bytes.len() + 8;
    for traf in &mut moof.traf {
        for trun in &mut traf.trun {
            trun.data_offset = Some(i32::try_from(offset).expect("small"));
            let sizes = trun.samples.iter().filter_map(|sample| sample.size);
            offset += sizes.map(|size| size as usize).sum::<usize>();
        }
    }
    bytes.clear();
    moof.encode(&mut bytes).expect("into memory");
    bytes
}

/// Nanoseconds of one call of `work`.
fn time<T>(rounds: u32, work: impl Fn() -> T) -> f64 {
    let round = || {
        let begin = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        ROUNDS
    } else {
        1
    };
    let (tracks, part) = (tracks(), part());
    let fragment = Fragment {
        part: &part,
        tracks: &tracks,
        rendition: Rendition::Muxed,
    };
    let header = || black_box(&fragment).header(7, SystemTime::UNIX_EPOCH);
    let moof = || write_with_mp4_atom(black_box(&part), black_box(&tracks));

    // Both do the same work.
    let bytes = header();
    let mut rest = &bytes[..];
    Prft::decode(&mut rest).expect("prft");
    assert_eq!(rest[..rest.len() - 8], moof());

    let (own, other) = (time(rounds, header), time(rounds, moof));
    let sizes = time(rounds, || black_box(&fragment).size());
    println!("header    {own:7.0} ns, {:.0} ns a sample", own / 15.0);
    println!("mp4-atom  {other:7.0} ns, {:.1} times as long", other / own);
    println!("size      {sizes:7.0} ns");
}
