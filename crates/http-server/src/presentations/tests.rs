//! Waiting for a first segment, in paused time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use http::Method;
use media::PresentationName;
use playlist::Terms;
use tokio::time::Instant;

use crate::fixture::{Gateway, Reply, ask, fetch, push, push_part, push_part_with_opus};
use crate::{Audience, Settings};

/// `request` waits as long as nothing else happens.
async fn is_waiting(request: impl Future<Output = Reply>) {
    let mut request = pin!(request);
    let waited = tokio::time::timeout(Duration::from_secs(5), &mut request).await;
    assert!(waited.is_err(), "answered at once: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_playlist_asked_for_early_comes_with_the_first_segment() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let begin = Instant::now();
    let players = [
        "/live/show/index.m3u8",
        "/live/show.m3u8",
        "/live/show/main.m3u8",
    ]
    .map(|path| {
        let site = site.clone();
        tokio::spawn(async move { fetch(&site, path).await })
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    push(&mut writer, 0);
    for player in players {
        let reply = player.await.expect("a player");
        assert_eq!(reply.status, 200);
        assert!(reply.text().contains("main"));
    }
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let gateway = Gateway::new();
    let _writer = gateway.publish("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let begin = Instant::now();
    let reply = fetch(&site, "/live/show/index.m3u8").await;
    assert_eq!(begin.elapsed(), Duration::from_secs(15));
    assert_eq!(
        reply.head(),
        "404 | cache-control: no-store | content-type: application/problem+json"
    );
    assert_eq!(
        reply.json()["detail"],
        "live/show has begun, but nothing of it can be played yet"
    );
}

#[tokio::test(start_paused = true)]
async fn hls_js_goes_on_asking_for_what_waits_for_its_encoder_after_a_restart() {
    let before = Gateway::new();
    let _writer = before.live("live", "show");
    let after = Gateway::new();
    let resume = Duration::from_secs(20);
    let waiting = after
        .registry
        .restore(&before.registry.remember(), |_| resume);
    for vacancy in waiting {
        tokio::spawn(vacancy.expire());
    }
    let site = after.site(&Settings::default(), Audience::Viewers);
    let (classic, low_latency) = tokio::join!(
        fetch(&site, "/live/show/main.m3u8"),
        fetch(&site, "/live/show/video.m3u8")
    );
    for reply in [&classic, &low_latency] {
        assert_eq!(
            reply.head(),
            "503 | cache-control: no-store | content-type: application/problem+json | retry-after: 1"
        );
        assert_eq!(
            reply.json()["detail"],
            "live/show waits for its encoder after a restart of the gateway"
        );
    }
    let begin = Instant::now();
    assert_eq!(fetch(&site, "/live/show/main.m3u8").await.status, 404);
    assert_eq!(begin.elapsed(), Duration::from_secs(5), "nobody came");
}

#[tokio::test(start_paused = true)]
async fn hls_js_goes_on_asking_for_the_sound_of_a_ladder_after_a_restart() {
    const PATH: &str = "/live/show/all-audio.m3u8";
    let before = Gateway::new();
    let _writers = ["show_720p", "show_360p"].map(|rung| before.live("live", rung));
    let after = Gateway::new();
    let site = after.site(&Settings::default(), Audience::Viewers);
    assert_eq!(fetch(&site, PATH).await.status, 404, "there is no ladder");
    let resume = Duration::from_secs(60);
    let remembered = before.registry.remember();
    let _waiting = after.registry.restore(&remembered, |_| resume);
    let reply = fetch(&site, PATH).await;
    assert_eq!(
        (reply.status, &reply.json()["detail"]),
        (
            503,
            &"no rung of live/show has sound that goes on with what was heard of it".into()
        )
    );
    let player = tokio::spawn({
        let site = site.clone();
        async move { fetch(&site, PATH).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut back = after.publish("live", "show_360p");
    for n in 0..5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(
            !player.is_finished(),
            "hls.js takes parts alone for nothing"
        );
        push_part(&mut back, n);
    }
    assert_eq!(player.await.expect("a player").status, 200);
}

/// Who has loaded the ladder knows no other playlist of its sound.
#[tokio::test(start_paused = true)]
async fn the_sound_of_a_ladder_is_that_of_its_source_when_nothing_else_is_left() {
    let gateway = Gateway::new();
    let mut source = gateway.publish("live", "show");
    (0..6).for_each(|n| push_part(&mut source, n));
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let reply = fetch(&site, "/live/show/all-audio.m3u8").await;
    let uri = format!(".m4s?epoch={:08x}\n", source.presentation().epoch());
    assert!(reply.text().contains(&uri), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_ends_without_a_segment_frees_who_waits() {
    let gateway = Gateway::new();
    let writer = gateway.publish("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let begin = Instant::now();
    let player = {
        let site = site.clone();
        tokio::spawn(async move { fetch(&site, "/live/show/index.m3u8").await })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    writer.leave().expire().await;
    let reply = player.await.expect("a player");
    assert_eq!(
        (reply.status, begin.elapsed()),
        (404, Duration::from_secs(1))
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_names_and_segments_never_wait() {
    let gateway = Gateway::new();
    let writer = gateway.publish("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let begin = Instant::now();
    let segment = format!("/live/show/main-{:08x}-1.ts", writer.presentation().epoch());
    for path in ["/live/other/index.m3u8", &segment] {
        assert_eq!(fetch(&site, path).await.status, 404);
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_and_leaves_nothing_behind() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    let settings = Settings {
        waiting_requests: 1,
        ..Settings::default()
    };
    let site = gateway.site(&settings, Audience::Viewers);
    let first = {
        let site = site.clone();
        tokio::spawn(async move { fetch(&site, "/live/show/index.m3u8").await })
    };
    tokio::task::yield_now().await;
    let begin = Instant::now();
    let second = fetch(&site, "/live/show/index.m3u8").await;
    assert_eq!((second.status, begin.elapsed()), (503, Duration::ZERO));

    // The first one's client goes away: its place is free again.
    first.abort();
    let _ = first.await;
    is_waiting(fetch(&site, "/live/show/index.m3u8")).await;
    push(&mut writer, 0);
    assert_eq!(fetch(&site, "/live/show/index.m3u8").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_ladder_that_begins_anew_is_waited_for_though_its_old_rungs_linger() {
    let gateway = Gateway::new();
    let old = gateway.live("live", "show_1080p").leave();
    tokio::spawn(old.expire());
    tokio::time::sleep(Duration::from_secs(31)).await;
    let away = gateway.live("live", "show_720p").leave();
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let old_text = fetch(&site, "/live/show/index.m3u8")
        .await
        .text()
        .to_owned();
    assert!(old_text.contains("show_720p/main.m3u8"), "{old_text}");

    let mut writer = gateway.publish("live", "show_360p");
    let begin = Instant::now();
    let reply = fetch(&site, "/live/show/index.m3u8").await;
    assert_eq!(
        (reply.status, begin.elapsed()),
        (404, Duration::from_secs(15))
    );
    assert_eq!(
        reply.json()["detail"],
        "live/show_360p has begun, but nothing of it can be played yet"
    );
    let player = tokio::spawn(async move { fetch(&site, "/live/show/index.m3u8").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    push(&mut writer, 0);
    let text = player.await.expect("a player").text().to_owned();
    let uris: Vec<_> = text.lines().filter(|line| line.contains("m3u8")).collect();
    assert_eq!(uris, ["../show_360p/main.m3u8"], "{text}");
    drop(away);
}

#[tokio::test(start_paused = true)]
async fn a_ladder_waits_for_its_other_rungs_only_where_that_is_possible() {
    let gateway = Gateway::new();
    let mut rung = gateway.publish("live", "show_720p");
    push(&mut rung, 0);
    let _other = gateway.publish("live", "show_360p");
    for (waiting_requests, waited) in [(1, 2), (0, 0)] {
        let settings = Settings {
            waiting_requests,
            ..Settings::default()
        };
        let site = gateway.site(&settings, Audience::Viewers);
        let begin = Instant::now();
        let reply = fetch(&site, "/live/show/index.m3u8").await;
        assert_eq!(reply.status, 200);
        assert!(reply.text().contains("../show_720p/main.m3u8"));
        assert_eq!(begin.elapsed().as_secs(), waited);
    }
}

/// An encoder that never sends a key frame must not hold up each request for ever.
#[tokio::test(start_paused = true)]
async fn a_ladder_does_not_wait_for_a_rung_that_has_had_its_time() {
    let gateway = Gateway::new();
    let mut rung = gateway.publish("live", "show_720p");
    push(&mut rung, 0);
    (0..5).for_each(|n| push_part(&mut rung, n));
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let name = PresentationName::parse("live", "show_360p").expect("a name");
    for (age, waited) in [(14, 2), (15, 0)] {
        let begun = std::time::Instant::now().checked_sub(Duration::from_secs(age));
        let _other = gateway
            .registry
            .publish(
                &name,
                &Terms::default(),
                begun.expect("it is later than that"),
            )
            .expect("free");
        for file in ["index.m3u8", "manifest.mpd"] {
            let begin = Instant::now();
            let reply = fetch(&site, &format!("/live/show/{file}")).await;
            assert_eq!(reply.status, 200);
            assert!(reply.text().contains("../show_720p/"), "{}", reply.text());
            assert_eq!(begin.elapsed().as_secs(), waited, "{file}, {age} s");
        }
    }
}

/// Players do not look again. The second comes while the first is waited for.
#[tokio::test(start_paused = true)]
async fn who_asks_while_rungs_join_is_answered_when_a_segment_of_each_is_complete() {
    let gateway = Gateway::new();
    let mut steady = gateway.publish("live", "show_720p");
    (0..20).for_each(|n| push_part(&mut steady, n));
    let mut first = gateway.publish("live", "show_360p");
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let player = tokio::spawn(async move { fetch(&site, "/live/show/llhls.m3u8").await });
    let begin = Instant::now();
    let mut second = None;
    for n in 20..30 {
        tokio::time::sleep(Duration::from_millis(180)).await;
        push_part(&mut steady, n);
        if n < 25 {
            push_part(&mut first, n);
        }
        if n == 23 {
            second = Some(gateway.publish("live", "show_180p"));
        }
        if let Some(second) = second.as_mut().filter(|_| n >= 25) {
            push_part(second, n);
        }
    }
    let reply = player.await.expect("a player");
    for rung in ["720p", "360p", "180p"] {
        let uri = format!("../show_{rung}/video.m3u8");
        assert!(reply.text().contains(&uri), "{}", reply.text());
    }
    assert_eq!(begin.elapsed(), Duration::from_millis(1_800));
}

#[tokio::test(start_paused = true)]
async fn a_ladder_without_parts_has_no_low_latency_form_and_says_so_with_the_first_segment() {
    const FILES: [&str; 2] = ["llhls.m3u8", "manifest.mpd"];
    let gateway = Gateway::new();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| gateway.publish("live", rung));
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let begin = Instant::now();
    let early = FILES.map(|file| {
        let site = site.clone();
        tokio::spawn(async move { fetch(&site, &format!("/live/show/{file}")).await })
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    push(&mut high, 0);
    // The other may be in CMAF.
    tokio::time::sleep(Duration::from_secs(1)).await;
    push(&mut low, 0);
    let mut replies = Vec::new();
    for early in early {
        replies.push(early.await.expect("a reply"));
    }
    for file in FILES {
        replies.push(fetch(&site, &format!("/live/show/{file}")).await);
    }
    for reply in replies {
        assert_eq!(
            (reply.status, &reply.json()["detail"]),
            (
                404,
                &"there is no low-latency form of it: hls.part is 0".into()
            )
        );
    }
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
    // One of them in CMAF is enough.
    (0..5).for_each(|n| push_part_with_opus(&mut low, n));
    for file in FILES {
        assert_eq!(
            fetch(&site, &format!("/live/show/{file}")).await.status,
            200
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_place_in_ts_comes_as_cmaf_with_its_first_segment() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    let site = gateway.site(&Settings::default(), Audience::Operators);
    let begin = Instant::now();
    let ask = |path| {
        let site = site.clone();
        tokio::spawn(async move { fetch(&site, path).await })
    };
    let players = ["/live/show/index.m3u8", "/live/show.m3u8"].map(ask);
    let media = ask("/live/show/main.m3u8");
    tokio::time::sleep(Duration::from_secs(1)).await;
    (0..4).for_each(|n| push_part_with_opus(&mut writer, n));
    let reply = media.await.expect("a player");
    assert_eq!(reply.status, 404);
    assert!(
        reply.text().contains("no place in MPEG-TS"),
        "{}",
        reply.text()
    );
    // Without a segment its playlists are empty for whoever knows nothing of parts.
    is_waiting(fetch(&site, "/live/show/index.m3u8")).await;
    push_part_with_opus(&mut writer, 4);
    for (player, folder) in players.into_iter().zip(["", "show/"]) {
        let text = player.await.expect("a player").text().to_owned();
        let sound = format!("#EXT-X-MEDIA:TYPE=AUDIO,URI=\"{folder}audio.m3u8\",");
        assert!(text.contains(&sound), "{text}");
        assert!(text.contains(&format!("\n{folder}video.m3u8\n")), "{text}");
        assert!(
            text.contains(&format!("URI=\"{folder}video-iframes.m3u8\"")),
            "{text}"
        );
        assert!(text.contains("CODECS=\"avc1.64001f,Opus\""), "{text}");
    }
    assert!(begin.elapsed() < Duration::from_secs(7));
    assert_eq!(in_the_api(&site).await, "cmaf");
    // The next publish has another codec: what it lists in MPEG-TS is what it is in.
    push_part(&mut writer, 5);
    push(&mut writer, 0);
    let text = fetch(&site, "/live/show/index.m3u8")
        .await
        .text()
        .to_owned();
    assert!(text.ends_with("main.m3u8\n"), "{text}");
    assert_eq!(in_the_api(&site).await, "mpeg_ts");
    // And back: the old segments stay, and whoever comes is sent to the new ones.
    (6..11).for_each(|n| push_part_with_opus(&mut writer, n));
    let text = fetch(&site, "/live/show/index.m3u8")
        .await
        .text()
        .to_owned();
    assert!(text.contains("\nvideo.m3u8\n"), "{text}");
    assert_eq!(fetch(&site, "/live/show/main.m3u8").await.status, 200);
}

async fn in_the_api(site: &axum::Router) -> String {
    let stream = fetch(site, "/api/v1/streams/live/show").await.json();
    assert_eq!(
        stream["window"]["segments"].as_array().map(Vec::len),
        Some(1)
    );
    stream["container"].as_str().expect("a word").to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_manifest_of_a_ladder_waits_for_its_rungs_and_is_asked_for_again() {
    const PATH: &str = "/live/show/manifest.mpd";
    let gateway = Gateway::new();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| gateway.publish("live", rung));
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let player = tokio::spawn({
        let site = site.clone();
        async move { fetch(&site, PATH).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    push_part(&mut high, 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    push_part(&mut low, 0);
    let reply = player.await.expect("a player");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/dash+xml"))
    );
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let text = reply.text();
    for rung in ["show_720p", "show_360p"] {
        let media = format!("media=\"../{rung}/video-");
        assert_eq!(text.matches(&media).count(), 1, "{text}");
    }
    assert_eq!(text.matches("contentType=\"audio\"").count(), 1, "{text}");
    // What it names is there.
    for attribute in ["initialization", "media"] {
        let (_, rest) = text.split_once(&format!("{attribute}=\"../")).expect("one");
        let (_, first) = text.split_once("startNumber=\"").expect("one");
        let first = first.split('"').next().expect("a value");
        let path = rest.split('"').next().expect("a value");
        let path = format!("/live/{}", path.replace("$Number$", first));
        let head = ask(&site, Method::HEAD, &path, &[]).await;
        assert_eq!(head.status, 200, "{path}");
    }
    assert_eq!(fetch(&site, "/live/show/clock.txt").await.status, 200);
    let tag = reply.header("etag").expect("a tag").to_owned();
    let again = ask(&site, Method::GET, PATH, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.header("etag")), (304, Some(&*tag)));
    push_part(&mut high, 1);
    let again = ask(&site, Method::GET, PATH, &[("if-none-match", &tag)]).await;
    assert_eq!(again.status, 200);
    assert_ne!(again.header("etag"), Some(&*tag));
}
