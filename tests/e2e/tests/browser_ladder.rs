//! Ladders in a real player. One test after the other: each waits for its browser before it has three encoders.

use e2e::browser::Browser;
use e2e::gateway::Gateway;
use e2e::ladder::{HEIGHTS, SOON, kilobits, rung, variants};

/// Switching in a real player, up and down: without a stall, or the least that hls.js can do part by part.
#[test]
fn hls_js_switches_up_and_down_without_a_stall() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for (form, chosen) in [("classic", "nextLevel"), ("low-latency", "loadLevel")] {
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
        browser.until(
            "it to play",
            SOON,
            "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 \
             && window.forebay.hls.levels.length === 3",
        );
        browser.run(
            "window.waits = [];
             const video = document.querySelector('video'), hls = window.forebay.hls;
             video.addEventListener('waiting', () => {
                 const ranges = Array.from(video.buffered, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
                 const levels = [hls.currentLevel, hls.loadLevel, hls.nextLevel];
                 window.waits.push({ at: video.currentTime, ranges, levels, edge: hls.liveSyncPosition });
             });",
        );
        for level in [0, 2, 1] {
            browser.run(&format!("window.forebay.hls.{chosen} = {level}"));
            let height = browser.run(&format!("return window.forebay.hls.levels[{level}].height"));
            browser.until(
                "the rung to be shown",
                SOON,
                &format!("return document.querySelector('video').videoHeight === {height}"),
            );
        }
        let waits = browser.run("return window.waits");
        let stalls = waits.as_array().expect("a list").len();
        // Part by part hls.js 1.7.4 begins a level with one that is INDEPENDENT, and may lose the rest of the segment that
        // is being shown: it waits once or twice at a switch, and jumps to the next segment.
        let most = if form == "classic" { 0 } else { 6 };
        assert!(stalls <= most, "{form}: {waits}");
        // It also says so where it replaces what it has in hand by the same from another rung, and goes on.
        let bearable = if form == "classic" {
            "bufferAppendNoProgress"
        } else {
            "mediaError buffer"
        };
        let errors = browser.run("return window.forebay.stats().errors");
        let errors = errors.as_array().expect("a list").iter();
        let grave = errors
            .map(ToString::to_string)
            .find(|error| !error.contains(bearable));
        assert_eq!(grave, None, "{form}");
    }
}

/// What an adaptive player does by itself when the line gets worse and better.
#[test]
fn hls_js_goes_down_on_a_weak_line_and_up_again() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for form in ["classic", "low-latency"] {
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
        let shows = |what: &str, condition: &str| {
            browser.until(
                what,
                SOON,
                &format!(
                    "const height = document.querySelector('video')?.videoHeight; \
                     return window.forebay?.stats().phase === 'playing' && {condition}"
                ),
            );
        };
        shows("the best rung", "height === 360");
        // Less than the middle rung, more than the lowest with its sound.
        browser.throttle(Some(kilobits(270) * 1_000));
        shows("the lowest rung on a weak line", "height === 180");
        browser.throttle(None);
        shows("the best rung again", "height === 360");
    }
}
