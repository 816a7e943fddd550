//! What the tests of this crate serve.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use media::codec::{Aac, H264, OpusHead};
use media::{
    AccessUnit, Advice, AdviceKind, Cadence, CaptionService, Captions, Codec, Fault, FaultKind,
    Faults, Head, MediaTime, Part, PresentationName, Rendition, Segment, Severity, Sizes, Track,
    TsLayout,
};
use playlist::{PublishStatus, Registry, Writer};
use segmenter::cmaf::Fragment;
use tower::ServiceExt;

use crate::{About, Audience, Limits, Readiness, Settings, Sources, Totals, router};

/// x264, 1280×720, High 3.1.
const AVC: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0,
];

/// What a segment's body is: a hundred bytes that tell their place.
pub(crate) fn segment_body() -> Bytes {
    (0..100).collect::<Vec<u8>>().into()
}

/// A gateway without its RTMP side.
pub(crate) struct Gateway {
    pub(crate) registry: Registry,
    pub(crate) totals: Arc<Totals>,
    pub(crate) readiness: Readiness,
}

/// A reply, all of it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) async fn from(response: Response) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.expect("a body").to_bytes(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Status and headers, as a reader can compare them. CORS and nosniff, which must be everywhere, are
    /// checked and left out; so is the length, which hyper adds where it is missing.
    pub(crate) fn head(&self) -> String {
        assert_eq!(self.header("access-control-allow-origin"), Some("*"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert!(
            self.header("access-control-expose-headers")
                .is_some_and(|names| names.contains("Content-Range"))
        );
        if let Some(length) = self.header("content-length") {
            assert!(self.body.is_empty() || length == self.body.len().to_string());
        }
        let mut lines: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "access-control-allow-origin"
                        | "access-control-expose-headers"
                        | "content-length"
                        | "x-content-type-options"
                )
            })
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
            .collect();
        lines.sort();
        format!("{} | {}", self.status, lines.join(" | "))
    }
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self {
            registry: Registry::new(playlist::Settings::default()),
            totals: Arc::default(),
            readiness: Readiness::default(),
        }
    }

    pub(crate) fn site(&self, settings: &Settings, audience: Audience) -> Router {
        let sources = Sources {
            directory: self.registry.directory(),
            totals: self.totals.clone(),
            readiness: self.readiness.clone(),
            about: About {
                version: "0.1.0",
                started: UNIX_EPOCH + Duration::from_secs(1_795_446_000),
                limits: Limits {
                    rtmp_connections: 1_000,
                    http_connections: 10_000,
                    message_bytes: 8_388_608,
                    segment_bytes: 67_108_864,
                },
            },
        };
        router(sources, settings, audience)
    }

    /// Begins a publish with no segment yet.
    pub(crate) fn publish(&self, app: &str, name: &str) -> Writer {
        let name = PresentationName::parse(app, name).expect("a name");
        self.registry
            .publish(&name, &playlist::Terms::default(), Instant::now())
            .expect("the name is free to take")
    }

    /// Begins a publish of three segments, and a report.
    pub(crate) fn live(&self, app: &str, name: &str) -> Writer {
        let mut writer = self.publish(app, name);
        for n in 0..3 {
            push(&mut writer, n);
        }
        writer
            .report(status(), Instant::now())
            .expect("the writer owns it");
        writer
    }
}

/// Appends the `n`th segment as if at the pace of a clock, its MPEG-TS form made already.
pub(crate) fn push(writer: &mut Writer, n: i64) {
    let segment = segment(n);
    let now = Instant::now() + segment.start.to_duration();
    writer.push(segment, now).expect("the writer owns it");
    for entry in writer.presentation().window().listed() {
        entry.mpeg_ts(|_| segment_body());
    }
}

/// Appends the `n`th part of 200 ms, five to a segment, each 5 pictures of 25 bytes in all and two audio frames; the
/// last of a segment completes it.
pub(crate) fn push_part(writer: &mut Writer, n: i64) {
    push_part_of(writer, n, tracks());
}

/// The same with sound that has no place in MPEG-TS.
pub(crate) fn push_part_with_opus(writer: &mut Writer, n: i64) {
    let [video, _] = tracks();
    let opus = OpusHead::of_channels(2).expect("stereo").with(960);
    let codec = Codec::Opus(opus);
    push_part_of(writer, n, [video, Track { codec }]);
}

fn push_part_of(writer: &mut Writer, n: i64, tracks: [Track; 2]) {
    let tracks: Arc<[Track]> = Arc::from(tracks);
    let start = MediaTime::from_millis(200 * n);
    let unit = |track, dts, random_access| AccessUnit {
        track,
        dts,
        composition: MediaTime::ZERO,
        random_access,
        payload: Bytes::from_static(b"bytes"),
    };
    let pictures = (0..5).map(|picture| {
        let at = start + MediaTime::from_millis(40 * picture);
        unit(0, at, n % 5 == 0 && picture == 0)
    });
    let sounds = (0..2).map(|frame| unit(1, start + MediaTime::from_millis(100 * frame), true));
    let mut part = Part {
        head: (n % 5 == 0).then(|| Head {
            tracks: tracks.clone(),
            date: UNIX_EPOCH + Duration::from_secs(1_795_446_000) + start.to_duration(),
            discontinuity: false,
            independent: true,
        }),
        units: pictures.chain(sounds).collect(),
        events: Vec::new(),
        start,
        duration: MediaTime::from_millis(200),
        next_dts: Some(start + MediaTime::from_millis(200)),
        independent: n % 5 == 0,
        is_last: n % 5 == 4,
        target: MediaTime::from_millis(218),
        captions: Captions::NONE,
        sizes: Sizes::default(),
    };
    let size = |rendition| {
        Fragment {
            part: &part,
            tracks: &tracks,
            rendition,
        }
        .size()
    };
    part.sizes = Sizes {
        video: size(Rendition::Video),
        audio: size(Rendition::Audio),
        muxed: size(Rendition::Muxed),
    };
    let now = Instant::now() + start.to_duration();
    writer.push_part(part, now).expect("the writer owns it");
}

/// The path of the oldest listed segment.
pub(crate) fn segment_path(writer: &Writer) -> String {
    let presentation = writer.presentation();
    let window = presentation.window();
    let entry = window.listed().next().expect("a segment");
    format!("/{}/{}", presentation.name(), entry.uri)
}

/// Asks once.
pub(crate) async fn ask(
    site: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = site.clone().oneshot(request).await;
    Reply::from(response).await
}

pub(crate) async fn fetch(site: &Router, path: &str) -> Reply {
    ask(site, Method::GET, path, &[]).await
}

fn tracks() -> [Track; 2] {
    [
        Track {
            codec: Codec::H264(H264::parse(Bytes::from_static(AVC)).expect("x264")),
        },
        Track {
            codec: Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC LC")),
        },
    ]
}

fn segment(n: i64) -> Segment {
    let start = MediaTime::from_millis(2_000 * n);
    Segment {
        tracks: Arc::from(tracks()),
        events: Vec::new(),
        units: (0..50)
            .map(|picture| AccessUnit {
                track: 0,
                dts: start + MediaTime::from_millis(40 * picture),
                composition: MediaTime::ZERO,
                random_access: picture == 0,
                payload: Bytes::from_static(&[0; 4]),
            })
            .collect(),
        start,
        duration: MediaTime::from_millis(2_000),
        date: UNIX_EPOCH + Duration::from_secs(1_795_446_000) + start.to_duration(),
        independent: true,
        discontinuity: false,
        captions: [CaptionService::Cc1, CaptionService::Service1]
            .into_iter()
            .collect(),
        ts: TsLayout {
            bytes: 750_000,
            ..TsLayout::default()
        },
    }
}

pub(crate) fn status() -> PublishStatus {
    let mut faults = Faults::default();
    faults.record(Fault {
        kind: FaultKind::EarlyMedia,
        text: "audio before its configuration".into(),
    });
    let [video, audio] = tracks();
    let cadence = Cadence {
        unit_rate: Some(25.000_04),
        gop_last: Some(MediaTime::from_millis(2_000)),
        gop_max: Some(MediaTime::from_millis(2_040)),
    };
    PublishStatus {
        address: "192.0.2.7:50312".parse().expect("an address"),
        encoder: Some("Lavf59.27.100".into()),
        metadata: vec![("videodatarate".into(), "2500".into())],
        since: UNIX_EPOCH + Duration::from_secs(1_795_446_000),
        bytes: 1_234,
        bit_rate_current: 3_000_000,
        bit_rate_average: 2_990_000,
        arrivals: None,
        tracks: vec![(video, cadence), (audio, Cadence::default())],
        faults,
        advice: vec![advice(AdviceKind::KeyFrameInterval, Severity::Warning)],
        transcoding: None,
    }
}

/// A piece of advice with words and times of its own.
pub(crate) fn advice(kind: AdviceKind, severity: Severity) -> Advice {
    let since = UNIX_EPOCH + Duration::from_secs(1_795_446_010);
    Advice {
        kind,
        severity,
        since,
        last: since + Duration::from_millis(20_500),
        times: 3,
        text: format!("The {kind} is wrong."),
        remedy: format!("Set the {kind} right."),
    }
}
