//! The API against what it says of itself.

mod health;
mod schema;

use std::time::Instant;

use axum::Router;
use http::Method;
use media::Name;
use playlist::{Dismissal, PublishStatus, State, TranscoderState, Transcoding};
use serde_json::{Value, json};

use crate::fixture::{self, Gateway, ask, fetch, push};
use crate::{Audience, Phase, Settings};

fn serving(gateway: &Gateway) -> Router {
    gateway.site(&Settings::default(), Audience::Operators)
}

#[tokio::test]
async fn a_stream_as_json() {
    let gateway = Gateway::new();
    let writer = gateway.live("live/in", "show");
    let site = serving(&gateway);
    let reply = fetch(&site, "/api/v1/streams/live/in/show").await;
    assert_eq!(
        reply.head(),
        "200 | cache-control: no-store | content-type: application/json"
    );
    let window = writer.presentation().window();
    let sequences: Vec<u64> = window.listed().map(|entry| entry.sequence).collect();
    let segment = |sequence| {
        json!({"sequence": sequence, "duration_seconds": 2.0, "bytes": 750_000, "independent": true,
               "discontinuity": false})
    };
    assert_eq!(
        reply.json(),
        json!({
            "app": "live/in", "name": "show", "state": "live", "health": "warning",
            "playlist": "/live/in/show/index.m3u8", "container": "mpeg_ts", "low_latency_playlist": null, "dash_manifest": null,
            "watch": "/watch/live/in/show",
            "publisher": {
                "address": "192.0.2.7:50312", "encoder": "Lavf59.27.100",
                "since": "2026-11-23T15:00:00.000Z", "bytes": 1_234,
                "bit_rate_current": 3_000_000, "bit_rate_average": 2_990_000,
                "metadata": {"videodatarate": "2500"},
            },
            "rung": null, "transcoder": null, "backups": 0, "tracks": [
                {"kind": "video", "codec": "H.264", "profile": "High", "codecs": "avc1.64001f",
                 "width": 1280, "height": 720, "frame_rate": 25.0,
                 "gop_last_seconds": 2.0, "gop_max_seconds": 2.04},
                {"kind": "audio", "codec": "AAC", "profile": "LC", "codecs": "mp4a.40.2",
                 "sample_rate": 48_000, "channels": 2},
            ],
            "captions": ["CC1", "SERVICE1"],
            "window": {
                "media_sequence": sequences[0], "discontinuity_sequence": 0,
                "target_duration_seconds": 2,
                "segments": sequences.iter().map(|&sequence| segment(sequence)).collect::<Vec<_>>(),
            },
            "faults": {"total": 1, "kinds": {"early_media": 1}, "last": "audio before its configuration"},
        })
    );
}

#[tokio::test]
async fn a_stream_says_what_is_made_of_it() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let status = PublishStatus {
        transcoding: Some(Transcoding {
            ladder: "mobile".to_owned(),
            state: TranscoderState::Pausing,
            restarts: 2,
            last_error: Some("ffmpeg ended with signal: 9".to_owned()),
            rungs: vec![Name::parse("show_360p", "publish").expect("valid")],
        }),
        ..fixture::status()
    };
    writer.report(status, Instant::now()).expect("it publishes");
    let site = serving(&gateway);
    let transcoder =
        async || fetch(&site, "/api/v1/streams/live/show").await.json()["transcoder"].clone();
    assert_eq!(
        transcoder().await,
        json!({"ladder": "mobile", "state": "pausing", "restarts": 2,
               "last_error": "ffmpeg ended with signal: 9", "rungs": ["show_360p"]})
    );
    let _vacancy = writer.leave();
    assert_eq!(transcoder().await, Value::Null);
}

/// Clients made from the document put the application into one segment of the path.
#[tokio::test]
async fn the_slash_before_an_instance_may_be_encoded() {
    let gateway = Gateway::new();
    let with_instance = gateway.live("live/in", "show");
    let without = gateway.live("live", "show");
    let site = serving(&gateway);
    for (path, app) in [
        ("/api/v1/streams/live/in/show", Some("live/in")),
        ("/api/v1/streams/live%2Fin/show", Some("live/in")),
        ("/api/v1/streams/live%2fin/show", Some("live/in")),
        ("/api/v1/streams/live%2F/show", None),
        ("/api/v1/streams/live%252Fin/show", None),
        ("/api/v1/streams/live%2Fin%2Fshow", None),
        ("/api/v1/streams/l%69ve/show", None),
    ] {
        let reply = fetch(&site, path).await;
        assert_eq!(
            reply.status,
            if app.is_some() { 200 } else { 404 },
            "{path}"
        );
        assert_eq!(reply.json()["app"].as_str(), app, "{path}");
    }
    let path = "/api/v1/streams/live%2Fin/show";
    let reply = ask(&site, Method::DELETE, path, &[]).await;
    assert_eq!(reply.status, 204);
    assert_eq!(with_instance.dismissal(), Some(Dismissal::Operator));
    assert_eq!(without.dismissal(), None);
}

#[tokio::test]
async fn the_discontinuity_sequence_is_that_of_the_playlist() {
    let gateway = Gateway::new();
    let vacancy = gateway.live("live", "show").leave();
    let mut writer = gateway.publish("live", "show");
    let site = serving(&gateway);
    let mut numbers = Vec::new();
    for n in 3..10 {
        push(&mut writer, n);
        let stream = fetch(&site, "/api/v1/streams/live/show").await.json();
        let playlist = fetch(&site, "/live/show/main.m3u8").await;
        let number = &stream["window"]["discontinuity_sequence"];
        let line = format!("#EXT-X-DISCONTINUITY-SEQUENCE:{number}\n");
        assert!(playlist.text().contains(&line), "{line}{}", playlist.text());
        numbers.push(number.as_u64().expect("a number"));
    }
    assert_eq!(numbers, [0, 0, 0, 0, 0, 0, 1]);
    drop(vacancy);
}

#[tokio::test]
async fn streams_are_sorted_and_say_where_they_are() {
    let gateway = Gateway::new();
    let _held = [gateway.live("live", "b"), gateway.publish("live", "a")];
    let _vacancy = gateway.live("aux", "z").leave();
    let streams = fetch(&serving(&gateway), "/api/v1/streams").await.json();
    let streams: Vec<Value> = streams["streams"].as_array().expect("a list").clone();
    let short: Vec<Value> = streams
        .iter()
        .map(|stream| {
            json!([
                stream["app"],
                stream["name"],
                stream["state"],
                stream["publisher"]["bytes"]
            ])
        })
        .collect();
    assert_eq!(
        short,
        [
            json!(["aux", "z", "resuming", null]),
            json!(["live", "a", "live", null]),
            json!(["live", "b", "live", 1_234]),
        ]
    );
    assert_eq!(streams[1]["window"]["media_sequence"], Value::Null);
}

#[tokio::test]
async fn status_shows_what_was_counted() {
    let gateway = Gateway::new();
    let _held = gateway.live("live", "a");
    let _vacancy = gateway.live("live", "b").leave();
    gateway.totals.publishes.add(3);
    gateway.totals.http_faults.add(2);
    gateway.totals.rtmp_connections_now.rise();
    let mut status = fetch(&serving(&gateway), "/api/v1/status").await.json();
    assert!(
        status["uptime_seconds"]
            .take()
            .as_f64()
            .is_some_and(|seconds| seconds >= 0.0)
    );
    assert_eq!(
        status,
        json!({
            "version": "0.1.0", "started": "2026-11-23T15:00:00.000Z", "uptime_seconds": null,
            "totals": {"publishes": 3, "publishes_refused": 0, "rtmp_connections": 0,
                       "http_connections": 0, "http_requests": 0, "bytes_received": 0,
                       "bytes_sent": 0, "faults": 0, "panics": 0, "http_faults": 2},
            "now": {"streams": 2, "publishers": 1, "rtmp_connections": 1, "http_connections": 0},
            "limits": {"rtmp_connections": 1_000, "http_connections": 10_000,
                       "message_bytes": 8_388_608, "segment_bytes": 67_108_864},
        })
    );
}

#[tokio::test]
async fn delete_disconnects_the_publisher_and_nobody_elses_page_may_ask_for_it() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let delete = async |path: &str, headers: &[(&str, &str)]| {
        ask(&site, Method::DELETE, path, headers).await
    };

    for headers in [
        [("host", "gateway"), ("sec-fetch-site", "cross-site")],
        [("host", "gateway"), ("origin", "http://evil.example")],
    ] {
        let reply = delete("/api/v1/streams/live/show", &headers).await;
        assert_eq!(
            reply.head(),
            "403 | cache-control: no-store | content-type: application/problem+json"
        );
        assert_eq!(writer.dismissal(), None);
    }
    assert_eq!(delete("/api/v1/streams/live/nobody", &[]).await.status, 404);

    let reply = delete("/api/v1/streams/live/show", &[]).await;
    assert_eq!(reply.head(), "204 | cache-control: no-store");
    assert_eq!(writer.dismissal(), Some(Dismissal::Operator));

    let presentation = writer.presentation().clone();
    let _vacancy = writer.leave();
    assert_eq!(presentation.state(), State::Resuming);
    let reply = delete("/api/v1/streams/live/show", &[]).await;
    assert_eq!(
        (reply.status, &reply.json()["detail"]),
        (409, &json!("nobody publishes live/show at the moment"))
    );
}

/// method, documented path, actual path, headers, status
type Asked = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    u16,
);

const STREAM: &str = "/api/v1/streams/{app}/{name}";
const HEALTH: &str = "/api/v1/streams/{app}/{name}/health";
const FOREIGN: &[(&str, &str)] = &[("origin", "http://evil.example"), ("host", "gateway")];

/// Before the gateway is ready.
const ASKED_EARLY: [Asked; 1] = [("get", "/readyz", "/readyz", &[], 503)];

const ASKED: [Asked; 15] = [
    ("get", "/healthz", "/healthz", &[], 200),
    ("get", "/readyz", "/readyz", &[], 200),
    (
        "get",
        "/api/v1/openapi.json",
        "/api/v1/openapi.json",
        &[],
        200,
    ),
    ("get", "/api/v1/status", "/api/v1/status", &[], 200),
    ("get", "/api/v1/streams", "/api/v1/streams", &[], 200),
    ("get", STREAM, "/api/v1/streams/live/show", &[], 200),
    ("get", STREAM, "/api/v1/streams/live/empty", &[], 200),
    ("get", STREAM, "/api/v1/streams/live/nobody", &[], 404),
    ("get", HEALTH, "/api/v1/streams/live/show/health", &[], 200),
    ("get", HEALTH, "/api/v1/streams/live/empty/health", &[], 200),
    (
        "get",
        HEALTH,
        "/api/v1/streams/live/nobody/health",
        &[],
        404,
    ),
    ("delete", STREAM, "/api/v1/streams/live/show", FOREIGN, 403),
    ("delete", STREAM, "/api/v1/streams/live/nobody", &[], 404),
    ("delete", STREAM, "/api/v1/streams/live/gone", &[], 409),
    ("delete", STREAM, "/api/v1/streams/live/show", &[], 204),
];

/// Each documented operation, a request for each documented status, and what the answer must look like.
#[tokio::test]
async fn the_document_is_true() {
    let gateway = Gateway::new();
    let _audio = gateway.publish("live", "empty");
    let writer = gateway.live("live", "show");
    let _gone = gateway.live("live", "gone").leave();
    let site = serving(&gateway);
    let document = fetch(&site, "/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for asked in &ASKED_EARLY {
        is_as_documented(&document, &site, asked).await;
    }
    gateway.readiness.enter(Phase::Ready);
    for asked in &ASKED {
        is_as_documented(&document, &site, asked).await;
    }
    let mut untried = documented(&document);
    for (method, template, _, _, status) in ASKED_EARLY.iter().chain(&ASKED) {
        untried.retain(|(operation, documented)| {
            operation != &format!("{method} {template}") || documented != &status.to_string()
        });
    }
    assert_eq!(untried, [], "documented, and not tried here");
    assert!(writer.dismissal().is_some());
}

async fn is_as_documented(document: &Value, site: &Router, asked: &Asked) {
    let &(method, template, path, headers, status) = asked;
    let verb = method.to_uppercase().parse().expect("a method");
    let reply = ask(site, verb, path, headers).await;
    assert_eq!(reply.status, status, "{method} {path}");
    let response = &document["paths"][template][method]["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "{method} {template} does not document {status}"
    );
    let Some(content) = response["content"].as_object() else {
        assert!(
            reply.body.is_empty(),
            "{method} {path} has an undocumented body"
        );
        return;
    };
    let content_type = reply.header("content-type").expect("a content type");
    let (media_type, body) = match content_type.split_once(';') {
        Some((text, _)) => (text, Value::from(reply.text())),
        None => (content_type, reply.json()),
    };
    assert_eq!(
        schema::check(document, &content[media_type]["schema"], &body),
        Ok(()),
        "{method} {path}"
    );
}

/// Each operation with each of its statuses.
fn documented(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            for status in operation["responses"]
                .as_object()
                .expect("responses")
                .keys()
            {
                all.push((format!("{method} {path}"), status.clone()));
            }
        }
    }
    all
}

/// The router's own list, so that a route without documentation does not go unnoticed.
#[tokio::test]
async fn every_route_is_documented() {
    let gateway = Gateway::new();
    let document = fetch(&serving(&gateway), "/api/v1/openapi.json")
        .await
        .json();
    let mut documented: Vec<String> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        // One route for all below a name: see `show_or_health`.
        .map(|path| path.replace("{app}/{name}/health", "{*name}"))
        .map(|path| path.replace("{app}/{name}", "{*name}"))
        .collect();
    documented.sort();
    documented.dedup();
    let mut routed: Vec<&str> = include_str!("../api.rs")
        .split('"')
        .filter(|text| text.starts_with("/api/v1/"))
        .chain(["/healthz", "/readyz"])
        .collect();
    routed.sort_unstable();
    assert_eq!(documented, routed);
}
