//! Requests that wait, in paused time.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use media::Name;
use playlist::{PublishStatus, TranscoderState, Transcoding, Writer};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::fixture::{self, Gateway, Reply, ask, fetch, push, push_part};
use crate::{Audience, Settings};

struct Bench {
    gateway: Gateway,
    writer: Writer,
    site: Router,
    /// Number of its first segment, and what stands before it in file names.
    first: u64,
    epoch: String,
}

impl Bench {
    /// A publish with so many parts.
    fn new(parts: i64, settings: &Settings) -> Self {
        let gateway = Gateway::new();
        let mut writer = gateway.publish("live", "show");
        let window = writer.presentation().low_latency_window();
        let site = gateway.site(settings, Audience::Viewers);
        (0..parts).for_each(|n| push_part(&mut writer, n));
        Self {
            gateway,
            site,
            first: window.next_sequence(),
            epoch: format!("{:08x}", window.epoch()),
            writer,
        }
    }

    /// A path with `{first}`, `{next}` and so on filled in.
    fn path(&self, path: &str) -> String {
        let [first, second, far] = [0, 1, 9].map(|n| (self.first + n).to_string());
        let path = path.replace("FIRST", &first).replace("SECOND", &second);
        let path = path.replace("FAR", &far).replace("EPOCH", &self.epoch);
        format!("/live/show/{path}")
    }

    async fn fetch(&self, path: &str) -> Reply {
        fetch(&self.site, &self.path(path)).await
    }

    /// Asks in a task of its own.
    fn begin(&self, path: &str) -> tokio::task::JoinHandle<Reply> {
        asked(&self.site, self.path(path))
    }

    /// Until so many wait.
    async fn until_waiting(&self, count: usize) {
        while self.writer.presentation().low_latency_followers() != count {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_waits_for_what_it_names_and_all_are_answered_at_once() {
    let mut bench = Bench::new(6, &Settings::default());
    let begun = Instant::now();
    let waiting = [
        "video.m3u8?_HLS_msn=SECOND&_HLS_part=1",
        "audio.m3u8?_HLS_msn=SECOND&_HLS_part=1",
        "video.m3u8?_HLS_msn=SECOND&_HLS_part=1&_HLS_skip=YES",
        "video-SECOND.1.m4s?epoch=EPOCH",
    ]
    .map(|path| bench.begin(path));
    bench.until_waiting(4).await;
    push_part(&mut bench.writer, 6);
    for reply in waiting {
        let reply = reply.await.expect("a reply");
        assert_eq!(reply.status, 200);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(bench.writer.presentation().low_latency_followers(), 0);
    let listed = bench.fetch("video.m3u8?_HLS_msn=SECOND&_HLS_part=1").await;
    assert!(
        listed
            .text()
            .contains(&bench.path("video-SECOND.1.m4s?epoch=EPOCH")["/live/show/".len()..])
    );
    assert_eq!(
        listed.header("cache-control"),
        Some("public, max-age=10"),
        "it is the same for all who ask for it"
    );
    let plain = bench.fetch("video.m3u8").await;
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
}

#[tokio::test(start_paused = true)]
async fn an_i_frame_playlist_waits_for_complete_segments() {
    let mut bench = Bench::new(2, &Settings::default());
    let first = bench.begin("video-iframes.m3u8");
    let second = bench.begin("video-iframes.m3u8?_HLS_msn=SECOND&_HLS_part=0");
    bench.until_waiting(2).await;
    (2..7).for_each(|n| push_part(&mut bench.writer, n));
    let first = first.await.expect("a reply");
    assert_eq!(
        (first.status, first.text().matches("BYTERANGE").count()),
        (200, 1)
    );
    bench.until_waiting(1).await;
    (7..10).for_each(|n| push_part(&mut bench.writer, n));
    let second = second.await.expect("a reply");
    let text = second.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("#EXT-X-BYTERANGE:"));
    let (bytes, _) = line
        .and_then(|range| range.split_once('@'))
        .expect("a range");
    assert_eq!(text.matches("BYTERANGE").count(), 2);
    let segment = bench.path("video-FIRST.m4s?epoch=EPOCH");
    let range = format!("bytes=0-{}", bytes.parse::<u64>().expect("a number") - 1);
    let picture = ask(&bench.site, Method::GET, &segment, &[("range", &range)]).await;
    let part = bench.fetch("video-FIRST.0.m4s?epoch=EPOCH").await;
    assert_eq!((picture.status, picture.body), (206, part.body));
    let none = fetch(&bench.site, "/live/show/iframes.m3u8");
    push(&mut bench.writer, 0);
    assert_eq!(
        none.await.status,
        404,
        "no segment there begins with a picture"
    );
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_at_once() {
    let bench = Bench::new(6, &Settings::default());
    for query in [
        "_HLS_msn=-1",
        "_HLS_msn=x",
        "_HLS_msn=99999999999999999999999",
        "_HLS_msn=FIRST&_HLS_msn=FIRST",
        "_HLS_part=0",
        "_HLS_msn=FAR",
        "_HLS_msn=SECOND&_HLS_part=900",
    ] {
        let reply = bench.fetch(&format!("video.m3u8?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    // The multivariant playlist knows no directives.
    assert_eq!(bench.fetch("llhls.m3u8?_HLS_msn=FAR").await.status, 200);
    for nothing in [
        "muxed.m3u8",
        "video-FAR.m4s?epoch=EPOCH",
        "video-FAR.0.m4s?epoch=EPOCH",
        "video-FIRST.5.m4s?epoch=EPOCH",
        "video-FIRST.0.m4s?epoch=00000000",
        "video-SECOND.mp4?epoch=EPOCH",
    ] {
        assert_eq!(bench.fetch(nothing).await.status, 404, "{nothing}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_stalls_is_waited_for_three_target_durations() {
    let mut bench = Bench::new(6, &Settings::default());
    let begun = Instant::now();
    let waiting = [
        "video.m3u8?_HLS_msn=SECOND",
        "audio-SECOND.1.m4s?epoch=EPOCH",
    ];
    for reply in waiting.map(|path| bench.begin(path)) {
        let reply = reply.await.expect("a reply");
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, Some("1"))
        );
    }
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    push_part(&mut bench.writer, 6);
    assert_eq!(
        bench.fetch("audio-SECOND.1.m4s?epoch=EPOCH").await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn the_way_out_answers_whoever_waits() {
    let bench = Bench::new(6, &Settings::default());
    let waiting = bench.begin("video.m3u8?_HLS_msn=SECOND");
    bench.until_waiting(1).await;
    bench.gateway.registry.release();
    assert_eq!(waiting.await.expect("a reply").status, 503);
}

#[tokio::test(start_paused = true)]
async fn the_end_answers_whoever_waits() {
    let Bench {
        writer,
        gateway,
        first,
        ..
    } = Bench::new(6, &Settings::default());
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    tokio::spawn(writer.leave().expire());
    // The encoder is waited for for half a minute, and requests for six seconds.
    tokio::time::sleep(Duration::from_secs(28)).await;
    let begun = Instant::now();
    let path = format!("/live/show/video.m3u8?_HLS_msn={}&_HLS_part=2", first + 1);
    let reply = fetch(&site, &path).await;
    assert!(
        reply.text().ends_with("#EXT-X-ENDLIST\n"),
        "{}",
        reply.text()
    );
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn ten_thousand_who_leave_leave_nothing_behind() {
    let bench = Bench::new(6, &Settings::default());
    let waiting: Vec<_> = (0..10_000)
        .map(|_| bench.begin("video.m3u8?_HLS_msn=SECOND&_HLS_part=1"))
        .collect();
    bench.until_waiting(10_000).await;
    waiting.iter().for_each(|reply| reply.abort());
    bench.until_waiting(0).await;
}

#[tokio::test(start_paused = true)]
async fn so_many_may_wait_and_the_next_is_told_to_try_again() {
    let settings = Settings {
        waiting_for_one: 2,
        ..Settings::default()
    };
    let bench = Bench::new(6, &settings);
    let waiting = [1, 2].map(|_| bench.begin("video.m3u8?_HLS_msn=SECOND"));
    bench.until_waiting(2).await;
    let third = bench.fetch("video.m3u8?_HLS_msn=SECOND").await;
    assert_eq!(
        (third.status, third.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(bench.fetch("video.m3u8").await.status, 200);
    waiting.iter().for_each(|reply| reply.abort());
}

#[tokio::test(start_paused = true)]
async fn who_reads_a_segment_that_grows_is_one_of_those_who_wait() {
    let settings = Settings {
        waiting_for_one: 2,
        ..Settings::default()
    };
    let mut bench = Bench::new(6, &settings);
    push_part(&mut bench.writer, 6);
    let readers = [1, 2].map(|_| bench.begin("video-SECOND.m4s?epoch=EPOCH"));
    bench.until_waiting(2).await;
    assert_eq!(
        bench.fetch("video-SECOND.m4s?epoch=EPOCH").await.status,
        503
    );
    readers.iter().for_each(|reader| reader.abort());
    bench.until_waiting(0).await;
    let again = bench.begin("video-SECOND.m4s?epoch=EPOCH");
    bench.until_waiting(1).await;
    again.abort();
}

#[tokio::test(start_paused = true)]
async fn a_segment_is_its_parts_and_is_sent_while_it_grows() {
    let mut bench = Bench::new(6, &Settings::default());
    let begun = Instant::now();
    let [growing, from_the_middle] = ["", "bytes=100-"].map(|range| {
        let (site, path) = (
            bench.site.clone(),
            bench.path("video-SECOND.m4s?epoch=EPOCH"),
        );
        tokio::spawn(async move {
            let range = [("range", range)];
            ask(
                &site,
                Method::GET,
                &path,
                if range[0].1.is_empty() { &[] } else { &range },
            )
            .await
        })
    });
    bench.until_waiting(2).await;
    for n in 6..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        push_part(&mut bench.writer, n);
        if n == 9 {
            break;
        }
        // A part that is there is sent at once, and says nothing of how long its segment will be.
        let path = bench.path("video-SECOND.m4s?epoch=EPOCH");
        let range = [("range", "bytes=10-99")];
        let part = ask(&bench.site, Method::GET, &path, &range).await;
        assert_eq!((part.status, part.body.len()), (206, 90));
        assert_eq!(part.header("content-range"), Some("bytes 10-99/*"));
    }
    let (growing, from_the_middle) = (
        growing.await.expect("a reply"),
        from_the_middle.await.expect("a reply"),
    );
    assert_eq!(begun.elapsed(), Duration::from_millis(800));
    assert_eq!((growing.status, from_the_middle.status), (200, 206));
    assert_eq!(
        from_the_middle.header("content-range"),
        Some("bytes 100-9007199254740991/*")
    );
    let mut parts = Vec::new();
    for n in 0..5 {
        let part = bench
            .fetch(&format!("video-SECOND.{n}.m4s?epoch=EPOCH"))
            .await;
        assert_eq!(part.header("content-type"), Some("video/mp4"));
        parts.extend_from_slice(&part.body);
    }
    let whole = bench.fetch("video-SECOND.m4s?epoch=EPOCH").await;
    assert_eq!(whole.body, parts);
    assert_eq!(growing.body, parts);
    assert_eq!(from_the_middle.body, parts[100..]);
    let path = bench.path("video-SECOND.m4s?epoch=EPOCH");
    let second = ask(
        &bench.site,
        Method::GET,
        &path,
        &[("range", "bytes=10-299")],
    )
    .await;
    assert_eq!((second.status, &second.body[..]), (206, &parts[10..300]));
}

#[tokio::test(start_paused = true)]
async fn the_multivariant_playlist_waits_until_the_tracks_are_known() {
    let mut bench = Bench::new(0, &Settings::default());
    let [playlist, manifest] = ["llhls.m3u8", "manifest.mpd"].map(|path| bench.begin(path));
    bench.until_waiting(2).await;
    push_part(&mut bench.writer, 0);
    let playlist = playlist.await.expect("a reply");
    assert!(playlist.text().contains("TYPE=AUDIO"));
    assert_eq!(manifest.await.expect("a reply").status, 200);
}

#[tokio::test(start_paused = true)]
async fn where_there_are_no_parts_nobody_waits_longer_than_for_the_first_segment() {
    let mut bench = Bench::new(0, &Settings::default());
    let early = ["llhls.m3u8", "video.m3u8"].map(|path| bench.begin(path));
    bench.until_waiting(2).await;
    let begun = Instant::now();
    push(&mut bench.writer, 0);
    for reply in early {
        assert_eq!(reply.await.expect("a reply").status, 404);
    }
    assert_eq!(bench.fetch("llhls.m3u8").await.status, 404);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_reads_too_slowly_is_not_told_that_a_segment_is_whole() {
    let mut bench = Bench::new(6, &Settings::default());
    let path = bench.path("video-SECOND.m4s?epoch=EPOCH");
    let request = Request::builder().uri(path).body(Body::empty());
    let request = request.expect("a request");
    let Ok(response) = bench.site.clone().oneshot(request).await;
    let mut body = response.into_body();
    let first = body.frame().await.expect("a part is there");
    assert!(first.is_ok());
    // Until the segment has left the window, and the time that it is still served is over.
    (6..400).for_each(|n| push_part(&mut bench.writer, n));
    assert!(body.collect().await.is_err());
}

/// Shaka and dash.js put what they get where the period goes on, and after a 404 never go on.
#[tokio::test(start_paused = true)]
async fn a_number_behind_the_end_of_a_period_has_nothing_in_it() {
    const NOTHING: &[u8] = b"\0\0\0\x14stypmsdh\0\0\0\0msdh";
    let bench = Bench::new(5, &Settings::default());
    let waiting = bench.begin("video-SECOND.m4s?epoch=EPOCH&period=FIRST");
    bench.until_waiting(1).await;
    let mut again = bench.gateway.publish("live", "show");
    (0..5).for_each(|n| push_part(&mut again, n));
    let waited = waiting.await.expect("a reply");
    assert_eq!((waited.status, &waited.body[..]), (200, NOTHING));
    let later = bench.fetch("audio-FAR.m4s?epoch=EPOCH&period=FIRST").await;
    assert_eq!((later.status, &later.body[..]), (200, NOTHING));
    assert_eq!(later.header("content-type"), Some("audio/mp4"));
    for number in ["FIRST", "SECOND"] {
        let path = format!("video-{number}.m4s?epoch=EPOCH&period={number}");
        let segment = bench.fetch(&path).await;
        assert!(
            segment.status == 200 && segment.body.len() > NOTHING.len(),
            "{path}"
        );
    }
    let far = bench.fetch("video-FAR.m4s?epoch=EPOCH&period=SECOND").await;
    assert_eq!(far.status, 404);
}

/// `show_720p` and `show_360p`, each with a segment, and so many parts.
fn two_rungs(parts: i64) -> (Gateway, Router, [Writer; 2]) {
    let gateway = Gateway::new();
    let site = gateway.site(&Settings::default(), Audience::Viewers);
    let rungs = ["show_720p", "show_360p"].map(|rung| {
        let mut writer = gateway.publish("live", rung);
        push(&mut writer, 0);
        (0..parts).for_each(|n| push_part(&mut writer, n));
        writer
    });
    (gateway, site, rungs)
}

/// Asks in a task of its own.
fn asked(site: &Router, path: String) -> tokio::task::JoinHandle<Reply> {
    let site = site.clone();
    tokio::spawn(async move { fetch(&site, &path).await })
}

/// Who waits for what it would have sent goes over to others, in the time that is left in hand.
#[tokio::test(start_paused = true)]
async fn a_rung_that_leaves_alone_is_refused_at_once_in_low_latency() {
    let (_gateway, site, [high, low]) = two_rungs(12);
    let next = high.presentation().low_latency_window().next_sequence();
    let ask = |rung: &str| {
        let path = format!("/live/{rung}/video.m3u8?_HLS_msn={next}&_HLS_part=2");
        asked(&site, path)
    };
    let begin = Instant::now();
    let waiting = ask("show_720p");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _vacancy = high.leave();
    let reply = waiting.await.expect("a reply");
    assert_eq!((reply.status, begin.elapsed().as_millis()), (503, 600));
    for (file, status) in [("video.m3u8", 503), ("main.m3u8", 200)] {
        let reply = fetch(&site, &format!("/live/show_720p/{file}")).await;
        assert_eq!(reply.status, status, "{file}");
    }
    assert_eq!(begin.elapsed().as_millis(), 600);
    // The last one is waited for: there is nothing to go over to.
    let waiting = ask("show_360p");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _vacancy = low.leave();
    assert_eq!(waiting.await.expect("a reply").status, 503);
    assert!(begin.elapsed() > Duration::from_secs(6));
}

/// hls.js never loads the rest of a segment that it takes for whole.
#[tokio::test(start_paused = true)]
async fn the_sound_of_a_ladder_does_not_show_the_end_of_a_rung() {
    let (_gateway, site, [mut high, mut low]) = two_rungs(12);
    let of_low = format!("m4s?epoch={:08x}", low.presentation().epoch());
    let next = high.presentation().low_latency_window().next_sequence();
    let path = format!("/live/show/all-audio.m3u8?_HLS_msn={next}&_HLS_part=2");
    let waiting = asked(&site, path);
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The last part that it has ends its segment.
    (12..15).for_each(|n| push_part(&mut high, n));
    let _vacancy = high.leave();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    push_part(&mut low, 12);
    let reply = waiting.await.expect("a player");
    assert!(reply.text().contains(&of_low), "{}", reply.text());
}

/// What is made of it leaves with it: there is nothing to go over to.
#[tokio::test(start_paused = true)]
async fn a_source_that_leaves_is_waited_for_though_its_transcoder_goes_on_for_a_moment() {
    let (_gateway, site, [source, _made]) = two_rungs(12);
    let status = PublishStatus {
        transcoding: Some(Transcoding {
            ladder: "mobile".to_owned(),
            state: TranscoderState::Running,
            restarts: 0,
            last_error: None,
            rungs: vec![Name::parse("show_360p", "publish").expect("valid")],
        }),
        ..fixture::status()
    };
    let now = std::time::Instant::now();
    source.report(status, now).expect("it publishes");
    let next = source.presentation().low_latency_window().next_sequence();
    let path = format!("/live/show_720p/video.m3u8?_HLS_msn={next}&_HLS_part=2");
    let begin = Instant::now();
    let waiting = asked(&site, path);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _vacancy = source.leave();
    assert_eq!(waiting.await.expect("a reply").status, 503);
    assert!(begin.elapsed() > Duration::from_secs(6));
}

/// Players know the sound of a ladder by one playlist, whose sound it may ever be.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_sound_of_a_ladder_is_answered_with_that_of_another_rung() {
    const URL: &str = "/live/show/all-audio.m3u8";
    let (_gateway, site, [high, mut low]) = two_rungs(12);
    let ask = |query: String| asked(&site, format!("{URL}{query}"));
    let [of_high, of_low] =
        [&high, &low].map(|it| format!("m4s?epoch={:08x}", it.presentation().epoch()));
    let before = fetch(&site, URL).await.text().to_owned();
    assert!(
        before.contains(&of_high) && !before.contains(&of_low),
        "{before}"
    );
    let next = high.presentation().low_latency_window().next_sequence();
    let begin = Instant::now();
    let waiting = ask(format!("?_HLS_msn={next}&_HLS_part=2"));
    let followed = |writer: &Writer| {
        let presentation = writer.presentation().clone();
        let is_followed = async move {
            while presentation.low_latency_followers() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(1), is_followed)
    };
    followed(&high).await.expect("a reader");
    let _vacancy = high.leave();
    followed(&low).await.expect("a reader");
    push_part(&mut low, 12);
    let after = waiting.await.expect("a reply").text().to_owned();
    assert!(begin.elapsed() < Duration::from_millis(200));
    assert!(
        after.contains(&of_low) && !after.contains(&of_high),
        "{after}"
    );
    let paths = |text: &str, of: &str| -> Vec<String> {
        let text = text.replace(of, "m4s");
        let lines = text.lines().filter(|line| line.starts_with("audio-"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(paths(&before, &of_high), paths(&after, &of_low));
    for (text, of) in [(&before, &of_high), (&after, &of_low)] {
        for path in paths(text, of) {
            let (path, _) = path.split_once("m4s").expect("a segment");
            let reply = fetch(&site, &format!("/live/show/{path}{of}")).await;
            assert_eq!(reply.status, 200, "{path}{of}");
        }
    }
    // Where all have left, somebody may come back.
    let waiting = ask(format!("?_HLS_msn={next}&_HLS_part=3"));
    followed(&low).await.expect("a reader");
    let _vacancy = low.leave();
    assert_eq!(waiting.await.expect("a reply").status, 503);
    assert!(begin.elapsed() > Duration::from_secs(6));
}

/// Who has watched what begins anew beside others asks for its playlists at once, and takes one without a segment for
/// empty. One that nothing comes of is asked for again.
#[tokio::test(start_paused = true)]
async fn what_begins_anew_in_its_ladder_has_playlists_once_it_has_a_segment() {
    let (gateway, site, [mut steady, back]) = two_rungs(1);
    let of_parts = fetch(&site, "/live/show_360p/video.m3u8").await;
    assert_eq!(of_parts.status, 200, "all begin together");
    assert!(!of_parts.text().contains("EXTINF"), "{}", of_parts.text());
    let of_segments = fetch(&site, "/live/show_360p/main.m3u8").await;
    let lines = of_parts.text().lines().chain(of_segments.text().lines());
    let of_others = ["#EXT-X-PRELOAD", "#EXT-X-RENDITION"];
    let listed = lines.filter(|line| !of_others.iter().any(|it| line.starts_with(it)));
    let listed: Vec<_> = listed
        .filter_map(|line| {
            let uri = line.split_once("URI=\"").map(|(_, uri)| uri);
            let uri = uri.and_then(|uri| uri.split_once('"')).map(|(uri, _)| uri);
            uri.or((!line.starts_with('#')).then_some(line))
        })
        .collect();
    let kinds = [".mp4", ".m4s", ".ts"];
    assert!(
        kinds
            .iter()
            .all(|kind| listed.iter().any(|uri| uri.contains(kind))),
        "{listed:?}"
    );
    (1..4).for_each(|n| push(&mut steady, n));
    (1..20).for_each(|n| push_part(&mut steady, n));
    drop(back.leave());
    let mut back = gateway.publish("live", "show_360p");
    for file in ["video", "main"] {
        let begin = Instant::now();
        let reply = fetch(&site, &format!("/live/show_360p/{file}.m3u8")).await;
        let waited = begin.elapsed().as_secs();
        assert_eq!((reply.status, waited), (503, 15), "{file} {}", reply.text());
    }
    let player = tokio::spawn({
        let site = site.clone();
        async move { fetch(&site, "/live/show_360p/audio.m3u8").await }
    });
    for n in 20..25 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!player.is_finished(), "{n}");
        push_part(&mut back, n);
    }
    let reply = player.await.expect("a player");
    assert_eq!(
        reply.text().matches("#EXTINF").count(),
        1,
        "{}",
        reply.text()
    );
    // Who was playing has yet to fetch what was listed.
    for uri in listed {
        let reply = fetch(&site, &format!("/live/show_360p/{uri}")).await;
        assert_eq!(reply.status, 200, "{uri}");
    }
}

/// It hears the sound of another, or the other its: in parts it begins anew, and in MPEG-TS it goes on.
#[tokio::test(start_paused = true)]
async fn what_begins_anew_in_parts_alone_is_waited_for() {
    let (gateway, site, [_steady, back]) = two_rungs(10);
    drop(back.leave());
    let mut back = gateway.publish("live", "show_360p");
    let listed = fetch(&site, "/live/show_360p/main.m3u8").await;
    assert_eq!(listed.status, 200);
    let waiting = tokio::spawn({
        let site = site.clone();
        async move { fetch(&site, "/live/show_360p/video.m3u8").await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    (10..15).for_each(|n| push_part(&mut back, n));
    let parts = waiting.await.expect("a reply");
    assert_eq!(parts.status, 200, "{}", parts.text());
    assert!(!parts.text().contains("#EXT-X-DISCONTINUITY\n"));
    push(&mut back, 1);
    let again = fetch(&site, "/live/show_360p/main.m3u8").await;
    let before = listed.text().lines().last().expect("a segment");
    let both = format!("{before}\n#EXT-X-DISCONTINUITY\n");
    assert!(again.text().contains(&both), "{}", again.text());
    let segment = fetch(&site, &format!("/live/show_360p/{before}")).await;
    assert_eq!(segment.status, 200);
}
