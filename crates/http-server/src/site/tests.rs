//! Every route, method and outcome, without a socket.

use super::*;
use crate::fixture::{Gateway, Reply, ask, fetch, segment_body, segment_path};

const CSP: &str = "content-security-policy: default-src 'self'; media-src 'self' blob:; \
                   worker-src 'self' blob:; connect-src 'self'; img-src 'self' data:; \
                   style-src 'self'";

fn serving(gateway: &Gateway) -> Router {
    gateway.site(&Settings::default(), Audience::Operators)
}

#[tokio::test]
async fn playlists_in_every_form() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let window = writer.presentation().window();
    let (media, multivariant) = (window.playlist(), window.multivariant());
    let tag = media.tag();
    assert_eq!(tag, multivariant.tag());

    let plain = format!(
        "200 | cache-control: public, max-age=1 | content-type: application/vnd.apple.mpegurl | \
         etag: \"{tag}\" | vary: Accept-Encoding"
    );
    for (path, body) in [
        ("/live/show/main.m3u8", media.plain()),
        ("/live/show/index.m3u8", multivariant.plain()),
        // Unknown parameters are ignored (rfc8216bis §6.2.5).
        ("/live/show/main.m3u8?_HLS_msn=1&token=x", media.plain()),
    ] {
        let reply = fetch(&site, path).await;
        assert_eq!((reply.head(), reply.body), (plain.clone(), body), "{path}");
    }

    let reply = ask(
        &site,
        Method::GET,
        "/live/show/main.m3u8",
        &[("accept-encoding", "br, gzip")],
    )
    .await;
    assert_eq!(
        reply.head(),
        format!(
            "200 | cache-control: public, max-age=1 | content-encoding: gzip | \
             content-type: application/vnd.apple.mpegurl | etag: W/\"{tag}\" | vary: Accept-Encoding"
        )
    );
    assert_eq!(reply.body, media.gzip());

    for (offered, accepts, sent) in [
        (format!("\"{tag}\""), "identity", format!("\"{tag}\"")),
        (format!("W/\"{tag}\""), "gzip", format!("W/\"{tag}\"")),
    ] {
        let headers = [("if-none-match", &*offered), ("accept-encoding", accepts)];
        let reply = ask(&site, Method::GET, "/live/show/main.m3u8", &headers).await;
        assert_eq!(
            reply.head(),
            format!(
                "304 | cache-control: public, max-age=1 | etag: {sent} | vary: Accept-Encoding"
            )
        );
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn the_alias_is_the_same_playlist_seen_from_above() {
    let gateway = Gateway::new();
    let _writers = [
        gateway.live("live", "show"),
        gateway.live("live/in", "show"),
    ];
    let site = serving(&gateway);
    for folder in ["/live/", "/live/in/"] {
        let below = fetch(&site, &format!("{folder}show/index.m3u8")).await;
        let alias = fetch(&site, &format!("{folder}show.m3u8")).await;
        assert_eq!(
            alias.text(),
            below.text().replace("\nmain.m3u8\n", "\nshow/main.m3u8\n")
        );
        assert_eq!(alias.text().matches("show/main.m3u8").count(), 1);
    }
}

#[tokio::test]
async fn segments_whole_in_part_and_unchanged() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let path = segment_path(&writer);
    let file = path.rsplit_once("main-").expect("a segment").1;
    let tag = file.trim_end_matches(".ts");
    let headers = format!(
        "accept-ranges: bytes | cache-control: public, max-age=3600, immutable | \
         {{RANGE}}content-type: video/mp2t | etag: \"{tag}\""
    );
    let whole = format!("200 | {}", headers.replace("{RANGE}", ""));
    let part = |range: &str| {
        format!(
            "206 | {}",
            headers.replace("{RANGE}", &format!("content-range: bytes {range}/100 | "))
        )
    };
    let quoted = format!("\"{tag}\"");
    let cases: [(&[(&str, &str)], String, &[u8]); 6] = [
        (&[], whole.clone(), &segment_body()),
        (
            &[("range", "bytes=10-19")],
            part("10-19"),
            &segment_body()[10..20],
        ),
        (&[("range", "bytes=-1")], part("99-99"), &[99]),
        (
            &[("range", "bytes=0-1,5-6")],
            whole.clone(),
            &segment_body(),
        ),
        (
            &[("range", "bytes=10-19"), ("if-range", &quoted)],
            part("10-19"),
            &segment_body()[10..20],
        ),
        (
            &[("range", "bytes=10-19"), ("if-range", "\"old\"")],
            whole,
            &segment_body(),
        ),
    ];
    for (request, head, body) in cases {
        let reply = ask(&site, Method::GET, &path, request).await;
        assert_eq!((reply.head(), &*reply.body), (head, body), "{request:?}");
    }

    let reply = ask(&site, Method::GET, &path, &[("range", "bytes=100-")]).await;
    assert_eq!(
        reply.head(),
        format!(
            "416 | accept-ranges: bytes | cache-control: no-store | content-range: bytes */100 | \
             content-type: application/problem+json | etag: \"{tag}\""
        )
    );
    let reply = ask(
        &site,
        Method::GET,
        &path,
        &[("if-none-match", &quoted), ("range", "bytes=0-1")],
    )
    .await;
    assert_eq!(
        reply.head(),
        format!(
            "304 | accept-ranges: bytes | cache-control: public, max-age=3600, immutable | etag: \"{tag}\""
        )
    );
}

#[tokio::test]
async fn segments_that_are_not_there() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let path = segment_path(&writer);
    let sequence = |n: &str| {
        format!(
            "/live/show/main-{:08x}-{n}.ts",
            writer.presentation().epoch()
        )
    };
    let other_epoch = path.replace(
        &format!("{:08x}", writer.presentation().epoch()),
        &format!("{:08x}", writer.presentation().epoch() ^ 1),
    );
    for path in [other_epoch, sequence("0"), sequence("18446744073709551615")] {
        let reply = fetch(&site, &path).await;
        assert_eq!(
            reply.head(),
            "404 | cache-control: no-store | content-type: application/problem+json",
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_ended_presentation_is_cached_a_little_longer() {
    tokio::time::pause();
    let gateway = Gateway::new();
    let vacancy = gateway.live("live", "show").leave();
    let site = serving(&gateway);
    let expiry = tokio::spawn(vacancy.expire());
    let cache = |reply: &Reply| reply.header("cache-control").map(str::to_owned);

    let resuming = fetch(&site, "/live/show/main.m3u8").await;
    assert_eq!(cache(&resuming).as_deref(), Some("public, max-age=1"));
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    let ended = fetch(&site, "/live/show/main.m3u8").await;
    assert_eq!(cache(&ended).as_deref(), Some("public, max-age=10"));
    assert!(ended.text().ends_with("#EXT-X-ENDLIST\n"));
    expiry.await.expect("expiry");
    assert_eq!(fetch(&site, "/live/show/main.m3u8").await.status, 404);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let segment = segment_path(&writer);
    for path in [
        "/live/show/main.m3u8",
        "/live/show.m3u8",
        &*segment,
        "/live/nobody/index.m3u8",
        "/healthz",
        "/api/v1/streams",
        "/api/v1/streams/live/nobody",
        "/",
        "/watch/live/show",
        "/nothing",
    ] {
        let get = fetch(&site, path).await;
        let head = ask(&site, Method::HEAD, path, &[]).await;
        let length = head.header("content-length").expect(path);
        assert_eq!(length, get.body.len().to_string(), "{path}");
        assert_eq!(head.head(), get.head(), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
    // Range is defined for GET alone (RFC 9110 §14.2).
    for range in ["bytes=0-9", "bytes=100-"] {
        let whole = ask(&site, Method::HEAD, &segment, &[("range", range)]).await;
        assert_eq!(
            (whole.status, whole.header("content-length")),
            (200, Some("100"))
        );
        assert_eq!(whole.header("content-range"), None);
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let gateway = Gateway::new();
    let _writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let long = format!("/live/{}/index.m3u8", "x".repeat(10_000));
    for path in [
        "/live/nobody/index.m3u8",
        "/live/nobody.m3u8",
        "/live/show",
        "/live/show/",
        "/live/show/index.m3u8/",
        "/live//show/index.m3u8",
        "/live//show.m3u8",
        "/api/v1/streams/live//show",
        "//live/show/index.m3u8",
        "/live/./show/index.m3u8",
        "/live/../live/show/index.m3u8",
        "/live/../etc",
        "/../../etc/passwd",
        "/live/%2e%2e/show/index.m3u8",
        "/live%2fshow/index.m3u8",
        "/live/sho%77/index.m3u8",
        "/live/show%00/index.m3u8",
        "/live/show/index.m3u8%00",
        "/live/show/INDEX.M3U8",
        "/live/show\\..\\x/index.m3u8",
        "/a/b/c/d/e/f/g/h.m3u8",
        "/api",
        "/api/v1/",
        "/api/v2/status",
        "/api/v1/streams/",
        "/api/v1/streams/show",
        "/api/v1/streams/live/nobody",
        "/api/v1/streams/live/sho%77",
        "/api/v1/streams/live%2fshow",
        "/api/v1/streams/a/b/c/d",
        "/api/v1/streams/../status",
        "/assets/",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/assets/nothing.js",
        "/watch",
        "/favicon.ico",
        "/robots.txt",
        "/metrics",
    ] {
        let reply = fetch(&site, path).await;
        assert_eq!(
            reply.head(),
            "404 | cache-control: no-store | content-type: application/problem+json",
            "{path}"
        );
        let problem = reply.json();
        assert_eq!(problem["status"], 404);
        assert_eq!(problem["title"], "Not Found");
        assert_eq!(problem["type"], "about:blank");
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10),
            "{path}"
        );
    }
    let reply = fetch(&site, &long).await;
    assert_eq!(
        reply.head(),
        "414 | cache-control: no-store | content-type: application/problem+json"
    );
}

#[tokio::test]
async fn methods() {
    let gateway = Gateway::new();
    let writer = gateway.live("live", "show");
    let site = serving(&gateway);
    let segment = segment_path(&writer);
    let both = "GET, HEAD, OPTIONS";
    for (path, allowed) in [
        ("/live/show/index.m3u8", both),
        (&*segment, both),
        ("/api/v1/status", both),
        ("/api/v1/streams", both),
        ("/api/v1/openapi.json", both),
        ("/api/v1/streams/live/show", "DELETE, GET, HEAD, OPTIONS"),
        ("/healthz", both),
        ("/readyz", both),
        ("/", both),
        ("/watch/live/show", both),
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::TRACE] {
            let reply = ask(&site, method, path, &[]).await;
            assert_eq!(
                reply.head(),
                format!(
                    "405 | allow: {allowed} | cache-control: no-store | content-type: application/problem+json"
                ),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn preflight_is_answered_everywhere_and_never_offers_delete() {
    let gateway = Gateway::new();
    let site = serving(&gateway);
    let both = "GET, HEAD, OPTIONS";
    for (path, allowed) in [
        ("/live/show/index.m3u8", both),
        ("/api/v1/streams", both),
        // It is allowed here, but not to pages of other origins.
        ("/api/v1/streams/live/show", "DELETE, GET, HEAD, OPTIONS"),
        ("/", both),
        ("/nothing", both),
    ] {
        let headers = [
            ("origin", "http://player.example"),
            ("access-control-request-method", "DELETE"),
            ("access-control-request-headers", "range"),
        ];
        let reply = ask(&site, Method::OPTIONS, path, &headers).await;
        assert_eq!(
            reply.head(),
            format!(
                "204 | access-control-allow-headers: Accept, Content-Type, If-None-Match, If-Range, Range | \
                 access-control-allow-methods: GET, HEAD, OPTIONS | access-control-max-age: 86400 | \
                 allow: {allowed} | cache-control: no-store"
            ),
            "{path}"
        );
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn health_follows_the_gateways_life() {
    let gateway = Gateway::new();
    let site = serving(&gateway);
    for (phase, status, text) in [
        (Phase::Starting, 503, "starting\n"),
        (Phase::Ready, 200, "ready\n"),
        (Phase::Draining, 503, "draining\n"),
    ] {
        gateway.readiness.enter(phase);
        let reply = fetch(&site, "/readyz").await;
        let head =
            format!("{status} | cache-control: no-store | content-type: text/plain; charset=utf-8");
        assert_eq!((reply.head(), reply.text()), (head, text));
        let reply = fetch(&site, "/healthz").await;
        assert_eq!((reply.status, reply.text()), (200, "ok\n"));
    }
}

#[tokio::test]
async fn pages_may_only_use_what_is_ours() {
    let gateway = Gateway::new();
    let site = serving(&gateway);
    for path in ["/", "/watch/live/show", "/watch/anything/at/all"] {
        let reply = fetch(&site, path).await;
        assert_eq!(
            reply.head(),
            format!(
                "200 | cache-control: no-cache | {CSP} | content-type: text/html; charset=utf-8"
            ),
            "{path}"
        );
        assert!(reply.text().starts_with("<!doctype html>"));
        for asset in reply
            .text()
            .split('"')
            .filter(|text| text.starts_with("/assets/"))
        {
            assert_eq!(fetch(&site, asset).await.status, 200, "{asset}");
        }
    }
}

#[tokio::test]
async fn viewers_get_neither_the_list_nor_the_api() {
    let gateway = Gateway::new();
    let _writer = gateway.live("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    for (path, status) in [
        ("/live/show/index.m3u8", 200),
        ("/watch/live/show", 200),
        ("/healthz", 200),
        ("/", 404),
        ("/api/v1/status", 404),
        ("/api/v1/streams", 404),
        ("/api/v1/streams/live/show", 404),
    ] {
        assert_eq!(fetch(&site, path).await.status, status, "{path}");
    }
    let reply = ask(&site, Method::DELETE, "/api/v1/streams/live/show", &[]).await;
    assert_eq!(reply.status, 404);
}
