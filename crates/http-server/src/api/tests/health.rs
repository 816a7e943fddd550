//! The health of a presentation: its words, its one word, and its path.

use std::time::Instant;

use media::{AdviceKind, Severity};
use playlist::PublishStatus;
use serde_json::json;

use super::serving;
use crate::fixture::{Gateway, advice, fetch, status};

#[tokio::test]
async fn the_health_of_a_stream_is_in_words_with_times() {
    let gateway = Gateway::new();
    let writer = gateway.live("live/in", "show");
    let site = serving(&gateway);
    let path = "/api/v1/streams/live/in/show/health";
    let mut expected = json!({
        "app": "live/in", "name": "show", "state": "live", "status": "warning", "at": null,
        "publishing_since": "2026-11-23T15:00:00.000Z",
        "advice": [{
            "kind": "key_frame_interval", "severity": "warning",
            "since": "2026-11-23T15:00:10.000Z", "last": "2026-11-23T15:00:30.500Z", "times": 3,
            "text": "The key_frame_interval is wrong.",
            "remedy": "Set the key_frame_interval right.",
        }],
    });
    let reply = fetch(&site, path).await;
    assert_eq!(
        reply.head(),
        "200 | cache-control: no-store | content-type: application/json"
    );
    let mut health = reply.json();
    assert!(health["at"].take().is_string());
    assert_eq!(health, expected);

    // What was so when the publisher left.
    let _vacancy = writer.leave();
    let mut health = fetch(&site, path).await.json();
    health["at"].take();
    expected["state"] = json!("resuming");
    assert_eq!(health, expected);
}

#[tokio::test]
async fn the_gravest_advice_decides_the_health() {
    let gateway = Gateway::new();
    let writer = gateway.publish("live", "show");
    let site = serving(&gateway);
    let health = async || {
        let streams = fetch(&site, "/api/v1/streams").await.json();
        let health = fetch(&site, "/api/v1/streams/live/show/health")
            .await
            .json();
        assert_eq!(streams["streams"][0]["health"], health["status"]);
        health["status"].as_str().map(str::to_owned)
    };
    assert_eq!(health().await.as_deref(), Some("good"), "before any report");
    for (severities, expected) in [
        (&[][..], "good"),
        (&[Severity::Hint], "good"),
        (&[Severity::Warning, Severity::Hint], "warning"),
        (&[Severity::Problem, Severity::Warning], "problem"),
    ] {
        let kinds = AdviceKind::ALL.into_iter().zip(severities);
        let status = PublishStatus {
            advice: kinds.map(|(kind, it)| advice(kind, *it)).collect(),
            ..status()
        };
        writer
            .report(status, Instant::now())
            .expect("the writer owns it");
        assert_eq!(health().await.as_deref(), Some(expected), "{severities:?}");
    }
}

#[tokio::test]
async fn a_stream_called_health_and_the_health_of_a_stream_are_told_apart() {
    let gateway = Gateway::new();
    let _held = [
        gateway.live("live", "show"),
        gateway.live("live", "health"),
        gateway.live("live/show", "health"),
        gateway.live("aux/in", "health"),
    ];
    let site = serving(&gateway);
    for (path, expected) in [
        ("live/show/health", Some(("live", "show", true))),
        ("live%2Fshow/health", Some(("live/show", "health", false))),
        ("live/health", Some(("live", "health", false))),
        ("live/health/health", Some(("live", "health", true))),
        (
            "live/show/health/health",
            Some(("live/show", "health", true)),
        ),
        (
            "live%2Fshow/health/health",
            Some(("live/show", "health", true)),
        ),
        ("aux/in/health", Some(("aux/in", "health", false))),
        ("live/nobody/health", None),
        ("health", None),
        ("/health", None),
        ("live/show/health/", None),
    ] {
        let reply = fetch(&site, &format!("/api/v1/streams/{path}")).await;
        let Some((app, name, health)) = expected else {
            assert_eq!(
                reply.head(),
                "404 | cache-control: no-store | content-type: application/problem+json",
                "{path}"
            );
            continue;
        };
        assert_eq!(reply.status, 200, "{path}");
        let json = reply.json();
        assert_eq!(
            (&json["app"], &json["name"]),
            (&app.into(), &name.into()),
            "{path}"
        );
        assert_eq!(json["advice"].is_array(), health, "{path}");
    }
}

/// Nobody publishes the ladder by its own name, and its page asks for it.
#[tokio::test]
async fn the_health_of_a_ladder_is_that_of_its_rungs() {
    let gateway = Gateway::new();
    let site = serving(&gateway);
    let [good, bad] = ["show_720p", "show_360p"].map(|rung| gateway.live("live", rung));
    let says = |severity| PublishStatus {
        advice: vec![advice(AdviceKind::KeyFrameInterval, severity)],
        ..status()
    };
    good.report(says(Severity::Hint), Instant::now())
        .expect("owned");
    bad.report(says(Severity::Problem), Instant::now())
        .expect("owned");
    let health = fetch(&site, "/api/v1/streams/live/show/health")
        .await
        .json();
    assert_eq!(
        (&health["name"], &health["state"], &health["status"]),
        (&json!("show"), &json!("live"), &json!("problem"))
    );
    let texts: Vec<_> = health["advice"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|advice| advice["text"].as_str().unwrap_or_default())
        .collect();
    assert!(texts[0].starts_with("show_360p: "), "{texts:?}");
    assert!(texts[1].starts_with("show_720p: "), "{texts:?}");
    let _left = [good.leave(), bad.leave()];
    let health = fetch(&site, "/api/v1/streams/live/show/health")
        .await
        .json();
    assert_eq!(
        (&health["state"], &health["status"]),
        (&json!("resuming"), &json!("good"))
    );
}
