use std::sync::Arc;

use bytes::Bytes;
use media::Codec;
use media::codec::{Aac, H264};
use proptest::prelude::*;

use super::*;
use crate::flv::Entry;

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn codecs() -> PerKind<Arc<Codec>> {
    let record = Bytes::from_static(&[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
    ]);
    let config = Bytes::from_static(&[0x11, 0x90]);
    PerKind {
        video: Arc::new(Codec::H264(H264::parse(record).expect("H.264"))),
        audio: Arc::new(Codec::Aac(Aac::parse(config).expect("AAC"))),
    }
}

/// An interleaving, and what has come out of it: kind and decode time in milliseconds.
struct Bench {
    interleave: Interleave,
    codecs: PerKind<Arc<Codec>>,
    out: Vec<(TrackKind, i64)>,
}

impl Bench {
    fn new() -> Self {
        Self {
            interleave: Interleave::default(),
            codecs: codecs(),
            out: Vec::new(),
        }
    }

    fn push(&mut self, kind: TrackKind, at: i64, payload: Bytes) {
        let unit = Arrival {
            codec: Arc::clone(self.codecs.of(kind)),
            dts: ms(at),
            composition: MediaTime::ZERO,
            entry: Entry::RandomAccess,
            payload,
        };
        self.interleave.push(unit, SystemTime::UNIX_EPOCH);
        self.pull();
    }

    fn pull(&mut self) {
        while let Some((unit, _)) = self.interleave.pull() {
            self.out.push((unit.kind(), unit.dts.as_millis()));
        }
    }

    /// Both tracks with a unit every 20 ms from `from` to `to`, audio so much later than video on arrival.
    fn programme(&mut self, from: i64, to: i64, audio_late: i64) {
        for at in (from - audio_late.abs()..to + audio_late.abs()).step_by(20) {
            if (from..to).contains(&at) {
                self.push(TrackKind::Video, at, Bytes::new());
            }
            if (from..to).contains(&(at - audio_late)) {
                self.push(TrackKind::Audio, at - audio_late, Bytes::new());
            }
        }
    }

    /// By how much a unit from `from` on comes out behind a later one, at most (ms).
    fn disorder(&self, from: i64) -> i64 {
        let mut newest = from;
        let mut most = 0;
        for &(_, at) in self.out.iter().filter(|(_, at)| *at >= from) {
            most = most.max(newest - at);
            newest = newest.max(at);
        }
        most
    }
}

#[test]
fn what_arrives_well_interleaved_waits_for_nothing() {
    for late in [0, 20, 100, -20, -100] {
        let mut bench = Bench::new();
        bench.programme(0, 2_000, late);
        assert_eq!(bench.out.len(), 200, "{late} ms");
        bench.push(TrackKind::Video, 4_000, Bytes::new());
        assert_eq!(bench.out.last(), Some(&(TrackKind::Video, 4_000)));
    }
}

#[test]
fn a_track_that_is_late_is_waited_for() {
    for late in [
        140, 500, 1_500, 2_000, 6_000, -140, -500, -1_500, -2_000, -6_000,
    ] {
        let mut bench = Bench::new();
        bench.programme(0, 10_000, late);
        // Until its lateness was known, the other went ahead.
        assert_eq!(bench.disorder(late.abs() + 40), 0, "{late} ms");
        bench.interleave.restart();
        bench.pull();
        assert_eq!(bench.out.len(), 1_000, "{late} ms");
    }
}

#[test]
fn a_track_that_stops_is_waited_for_no_longer_than_it_has_been_late_and_then_not_at_all() {
    let mut bench = Bench::new();
    bench.programme(0, 4_000, 400);
    bench.out.clear();
    for at in (4_000..30_000).step_by(20) {
        bench.push(TrackKind::Video, at, Bytes::new());
        let &(_, last) = bench.out.last().unwrap_or(&(TrackKind::Video, 3_980));
        let allowed = if at < 14_000 { 600 } else { 0 };
        assert!(at - last <= allowed, "at {at} ms {last} ms is out");
    }
}

#[test]
fn what_waits_is_bounded() {
    let mut bench = Bench::new();
    bench.programme(0, 4_000, 1_000);
    let length = bench.out.len();
    for n in 0..40 {
        bench.push(TrackKind::Video, 4_000 + n, Bytes::from(vec![0; 1 << 20]));
        assert!(bench.interleave.cost <= MAX_COST + (1 << 20) + 1_000);
    }
    assert!(bench.out.len() > length + 20);
}

proptest! {
    #[test]
    fn each_track_comes_out_once_and_in_order(
        units in proptest::collection::vec((any::<bool>(), 1_i64..2_000), 1..300),
    ) {
        let mut bench = Bench::new();
        let mut at = PerKind { video: 0, audio: 0 };
        let mut sent = PerKind { video: Vec::new(), audio: Vec::new() };
        for (is_video, step) in units {
            let kind = if is_video { TrackKind::Video } else { TrackKind::Audio };
            *at.of_mut(kind) += step;
            sent.of_mut(kind).push((kind, *at.of(kind)));
            bench.push(kind, *at.of(kind), Bytes::new());
        }
        bench.interleave.restart();
        bench.pull();
        for kind in [TrackKind::Video, TrackKind::Audio] {
            let out: Vec<_> = bench.out.iter().copied().filter(|(of, _)| *of == kind).collect();
            prop_assert_eq!(&out, sent.of(kind));
        }
        prop_assert_eq!(bench.interleave.cost, 0);
    }
}
