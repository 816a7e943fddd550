//! What a cut costs: a segment into the window, both playlists rendered, waiters woken.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use media::codec::Aac;
use media::{AccessUnit, Captions, Codec, MediaTime, PresentationName, Segment, Track, TsLayout};
use playlist::{Registry, Settings};

fn segment(tracks: &Arc<[Track]>, at: i64) -> Segment {
    let start = MediaTime::from_ticks(2 * at, 1);
    let unit = AccessUnit {
        track: 0,
        dts: start,
        composition: MediaTime::ZERO,
        random_access: true,
        payload: Bytes::from_static(&[0; 400]),
    };
    Segment {
        tracks: tracks.clone(),
        units: vec![unit; 94],
        events: Vec::new(),
        start,
        duration: MediaTime::from_ticks(2, 1),
        date: SystemTime::UNIX_EPOCH,
        independent: true,
        discontinuity: false,
        captions: Captions::NONE,
        ts: TsLayout {
            bytes: 40_000,
            ..TsLayout::default()
        },
    }
}

fn push(criterion: &mut Criterion) {
    let config = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC LC");
    let tracks: Arc<[Track]> = Arc::from([Track {
        codec: Codec::Aac(config),
    }]);
    let name = PresentationName::parse("live", "bench").expect("valid");
    for window in [6, 7_200] {
        let registry = Registry::new(Settings {
            window,
            ..Settings::default()
        });
        let mut writer = registry
            .publish(&name, &playlist::Terms::default(), Instant::now())
            .expect("a free name");
        let mut at = 0;
        let now = Instant::now();
        criterion.bench_function(&format!("push and render, {window} listed"), |bencher| {
            bencher.iter(|| {
                at += 1;
                writer.push(segment(&tracks, at), now)
            });
        });
    }
}

criterion_group!(benches, push);
criterion_main!(benches);
