//! hls.js and Shaka in a browser in low-latency mode, in a page of another origin: near the edge, and on by themselves
//! when the encoder comes back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::browser::Browser;
use e2e::clip::Clip;
use e2e::scripted::{Ending, Material, Playing, Publisher};
use e2e::{Gateway, player_site, wait};
use serde_json::Value;

/// What a browser may take to start, and a busy machine to show something.
const SHOWN_WITHIN: Duration = Duration::from_secs(40);
/// Behind the encoder, in seconds: classic HLS with the same segments is at 3 s and more.
const NEAR: f64 = 3.0;

/// Delta updates are possible: 7 s are listed, and more.
const KEYS: [(&str, &str); 2] = [
    ("FOREBAY__HLS__SEGMENT", "1s"),
    ("FOREBAY__HLS__WINDOW", "20"),
];
const RANGES: (&str, &str) = ("FOREBAY__HLS__PARTS", "ranges");
const MUXED: (&str, &str) = ("FOREBAY__HLS__TRACKS", "muxed");

/// `play(url)` adds a player; `players` says how each is. Nothing is done for a player but what is here, and what the
/// README gives to hls.js.
const HLS_JS: &str = "<!doctype html><title>hls.js</title><link rel=icon href=data:,><script src=/hls.js></script><script>
    class AlternateSound extends Hls.DefaultConfig.audioStreamController {
        onInitPtsFound(event, data) { super.onInitPtsFound(event, data); this.tick(); }
    }
    window.players = [];
    window.play = (url) => {
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1, audioStreamController: AlternateSound });
        const player = { video, hls, fatal: [], errors: [], parts: 0, skipped: 0, latency: () => {
            const shown = hls.playingDate?.getTime();
            return shown === undefined ? null : (Date.now() - shown) / 1000;
        } };
        hls.on(Hls.Events.FRAG_LOADED, (_, { part }) => { if (part) player.parts += 1; });
        hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
            if (details.skippedSegments > 0) player.skipped += 1;
        });
        hls.on(Hls.Events.ERROR, (_, { fatal, details, reason, error }) => {
            player.errors.push(`${details} ${reason ?? error?.message ?? ''}`);
            if (fatal) player.fatal.push(details);
        });
        hls.attachMedia(video);
        hls.loadSource(url);
        video.play().catch(() => undefined);
        window.players.push(player);
    };
    </script><body>";

/// The same. In search of captions Shaka 5.2 asks for segments that are still open, by a URI that they do not have
/// yet, and gives up.
const SHAKA: &str = "<!doctype html><title>Shaka</title><link rel=icon href=data:,><script src=/shaka.js></script><script>
    window.players = [];
    window.play = async (url) => {
        shaka.polyfill.installAll();
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const shown = new shaka.Player();
        const player = { video, fatal: [], errors: [], parts: 0, skipped: 0, latency: () => {
            const at = shown.getPlayheadTimeAsDate?.()?.getTime();
            return at === undefined ? null : (Date.now() - at) / 1000;
        } };
        window.players.push(player);
        shown.addEventListener('error', ({ detail }) => {
            player.errors.push(`${detail.code} ${detail.data}`);
            if (detail.severity === 2) player.fatal.push(detail.code);
        });
        await shown.attach(video);
        shown.configure({ manifest: { hls: { disableClosedCaptionsDetection: true } },
            streaming: { lowLatencyMode: true }});
        await shown.load(url).catch((error) => player.fatal.push(`${error.code} ${error.data} ${error.message}`));
        video.play().catch(() => undefined);
    };
    </script><body>";

fn publish(gateway: &Gateway) -> Playing {
    let script = Material::of(&Clip::usual(8)).endless();
    Publisher::publish(gateway.rtmp, "live", "show").play(script, Ending::Silence)
}

/// A page with a player for each gateway.
fn watch(page: &'static str, gateways: &[Gateway]) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("http://{}/", player_site::serve(page)));
    for gateway in gateways {
        let url = gateway.http_url("live/show/llhls.m3u8");
        browser.run(&format!("window.play('{url}')"));
    }
    browser
}

fn now_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("the clock is set").as_millis()
}

fn states(browser: &Browser) -> Vec<Value> {
    let states = browser.run(
        "return window.players.map(({ video, fatal, errors, parts, skipped, latency }) => ({
             error: video.error?.message ?? null, time: video.currentTime, latency: latency(),
             fatal, errors, parts, skipped,
             pictures: video.getVideoPlaybackQuality().totalVideoFrames,
         }))",
    );
    states.as_array().expect("a list").clone()
}

/// Waits until each player shows what was published `ahead` ms from now, near the edge.
fn until_all_show(browser: &Browser, when: &str, ahead: u128) {
    let from = now_ms() + ahead;
    let begin = Instant::now();
    wait::until(&format!("all to play {when}"), SHOWN_WITHIN, || {
        let states = states(browser);
        for state in &states {
            assert_eq!(state["error"], Value::Null, "video.error {when}: {state:#}");
            let fatal = state["fatal"]
                .as_array()
                .is_some_and(|list| !list.is_empty());
            assert!(!fatal, "{when}: {state:#}");
        }
        let is_near = |state: &Value| state["latency"].as_f64().is_some_and(|it| it < NEAR);
        let near = states.iter().any(is_near)
            && states
                .iter()
                .all(|state| is_near(state) || (jumped(state) && state["latency"].is_number()));
        // In words before the wait is over.
        let late = begin.elapsed() > SHOWN_WITHIN - Duration::from_secs(2);
        assert!(near || !late, "{when}: {states:#?}");
        (near && now_ms() > from + 3_000).then_some(())
    });
}

/// hls.js 1.7 sometimes fetches the next segment while it loads the last part of one, jumps the hole that this leaves, and
/// never catches up from there: it shows the picture all the same, segment by segment. Such a player stands for up to
/// 18 s where sound ends more than a tenth before the next picture, as it does at a reconnect.
fn jumped(state: &Value) -> bool {
    state["errors"].to_string().contains("bufferSeekOverHole")
}

fn publish_on(gateways: &[Gateway]) -> Vec<Playing> {
    gateways.iter().map(publish).collect()
}

#[test]
fn hls_js_stays_near_the_edge_and_goes_on_through_a_reconnect() {
    let forms: [&[_]; 3] = [&[], &[RANGES], &[MUXED]];
    let gateways = forms.map(|form| Gateway::start_with(&[&KEYS, form].concat()));
    let first = publish_on(&gateways);
    let browser = watch(HLS_JS, &gateways);
    // Long enough for updates that skip what is six target durations old.
    until_all_show(&browser, "at first", 6_000);
    for publisher in first {
        publisher.stop(Ending::Fin);
    }
    for gateway in &gateways {
        wait::until("the gateway to notice", SHOWN_WITHIN, || {
            let stream = gateway.get("/api/v1/streams/live/show").json();
            (stream["state"] == "resuming").then_some(())
        });
    }
    let before = states(&browser);
    let second = publish_on(&gateways);
    // The discontinuity becomes as old as that, too (hls.js issue 6949).
    until_all_show(&browser, "after the reconnect", 6_000);
    for (state, before) in states(&browser).iter().zip(&before) {
        let number = |state: &Value, key: &str| state[key].as_f64().expect("a number");
        let more = |key: &str| number(state, key) - number(before, key);
        let both = format!("{before:#}, then {state:#}");
        assert!(
            number(before, "skipped") > 0.0 && more("skipped") > 5.0,
            "{both}"
        );
        let in_parts = number(before, "parts") > 20.0 && more("parts") > 20.0;
        assert!(in_parts || jumped(state), "{both}");
        let pictures = if jumped(state) { 20.0 } else { 100.0 };
        assert!(more("time") > 5.0 && more("pictures") > pictures, "{both}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
    for publisher in second {
        let left = publisher.stop(Ending::DeleteStream);
        assert!(!left.cut_off, "{}", left.words);
    }
}

#[test]
fn shaka_stays_near_the_edge() {
    let forms: [&[_]; 2] = [&[], &[RANGES]];
    let gateways = forms.map(|form| Gateway::start_with(&[&KEYS, form].concat()));
    let _publishers = publish_on(&gateways);
    // Shaka 5.2 looks for captions in segments that a younger playlist does not have yet, and gives up.
    for gateway in &gateways {
        wait::until("three segments", SHOWN_WITHIN, || {
            let playlist = gateway.get("/live/show/video.m3u8");
            let text = String::from_utf8(playlist.body).ok()?;
            (text.matches("#EXTINF").count() >= 3).then_some(())
        });
    }
    let browser = watch(SHAKA, &gateways);
    until_all_show(&browser, "from the start", 3_000);
    wait::until("fifty pictures of each", SHOWN_WITHIN, || {
        let states = states(&browser);
        let all = states
            .iter()
            .all(|state| state["pictures"].as_f64() > Some(50.0));
        all.then_some(())
    });
    assert_eq!(browser.complaints(), [""; 0]);
}
