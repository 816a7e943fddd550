//! Serves one synthetic presentation until killed, for measuring delivery with an HTTP load generator
//! beside another server: `cargo run --release -p http-server --example delivery -- 8090 750000`.
//! Prints the paths of its playlist and of a segment.

#![expect(clippy::print_stdout, reason = "a program for the command line")]

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http_server::{
    About, Audience, Limits, Readiness, Scheme, Settings, Sources, Totals, router, serve,
};
use media::codec::Aac;
use media::{AccessUnit, Captions, Codec, MediaTime, PresentationName, Segment, Track, TsLayout};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |what: &str| -> usize {
        let argument = arguments.next().expect(what);
        argument.parse().expect(what)
    };
    let (port, segment_bytes) = (number("a port"), number("bytes of a segment"));

    let registry = playlist::Registry::new(playlist::Settings::default());
    let name = PresentationName::parse("live", "show").expect("a name");
    let mut writer = registry
        .publish(&name, &playlist::Terms::default(), Instant::now())
        .expect("the name is free to take");
    for n in 0..6 {
        writer
            .push(segment(n), Instant::now())
            .expect("the writer owns it");
    }
    let presentation = writer.presentation().clone();
    for entry in presentation.window().listed() {
        entry.mpeg_ts(|_| Bytes::from(vec![0x47; segment_bytes]));
    }
    println!("/live/show/main.m3u8");
    if let Some(entry) = presentation.window().listed().next() {
        println!("/live/show/{}", entry.uri);
    }

    let settings = Settings::default();
    let totals = Arc::new(Totals::default());
    let about = About {
        version: "0",
        started: SystemTime::now(),
        limits: Limits {
            rtmp_connections: 0,
            http_connections: 0,
            message_bytes: 0,
            segment_bytes: 0,
        },
    };
    let sources = Sources {
        directory: registry.directory(),
        totals: totals.clone(),
        readiness: Readiness::default(),
        about,
    };
    let site = router(sources, &settings, Audience::Operators);
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port).expect("a port")))
        .await
        .expect("a free port");
    let forever = std::future::pending();
    serve(listener, Scheme::Http, site, &settings, totals, forever).await;
}

fn segment(n: i64) -> Segment {
    let start = MediaTime::from_millis(n * 2_000);
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC LC");
    Segment {
        tracks: Arc::from([Track {
            codec: Codec::Aac(aac),
        }]),
        events: Vec::new(),
        units: vec![AccessUnit {
            track: 0,
            dts: start,
            composition: MediaTime::ZERO,
            random_access: true,
            payload: Bytes::from_static(&[0; 4]),
        }],
        start,
        duration: MediaTime::from_millis(2_000),
        date: SystemTime::now(),
        independent: true,
        discontinuity: false,
        captions: Captions::NONE,
        ts: TsLayout {
            bytes: 750_000,
            ..TsLayout::default()
        },
    }
}
