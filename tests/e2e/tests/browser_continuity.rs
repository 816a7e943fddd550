//! hls.js in a browser through what happens to encoders and gateways: the picture goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::browser::Browser;
use e2e::clip::{Clip, VIDEO, Video};
use e2e::scripted::{Ending, Material, Playing, Publisher, Unit};
use e2e::{Gateway, wait};
use serde_json::json;

/// The gateway's default.
const SEGMENT: Duration = Duration::from_secs(2);
/// What a busy machine adds to it.
const BUSY: Duration = Duration::from_secs(4);
/// Until something is shown that was published: a player is three segments behind, and starts first.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// Watches the picture from within the page: how long it stood still at most. A reload would end it.
const WATCH: &str = "
    const video = document.querySelector('video');
    const watch = { pictures: 0, moved: performance.now(), longest: 0 };
    setInterval(() => {
        const pictures = video.getVideoPlaybackQuality().totalVideoFrames;
        const now = performance.now();
        if (pictures !== watch.pictures) {
            watch.pictures = pictures;
            watch.moved = now;
        }
        watch.longest = Math.max(watch.longest, now - watch.moved);
    }, 50);
    window.watch = watch;";

fn clip(size: &'static str, profile: &'static str) -> Material {
    let video = Video {
        size,
        profile,
        ..VIDEO
    };
    Material::of(&Clip {
        video: Some(video),
        ..Clip::usual(8)
    })
}

fn publish(gateway: &Gateway, script: impl Iterator<Item = Unit> + Send + 'static) -> Playing {
    Publisher::publish(gateway.rtmp, "live", "show").play(script, Ending::Silence)
}

/// Each material in turn, by one clock: at the first random access after its sign the next one goes on.
fn in_turn(
    materials: &[Material],
    signs: &[Arc<AtomicBool>],
) -> impl Iterator<Item = Unit> + Send + use<> {
    let mut scripts: Vec<_> = materials.iter().map(|one| one.units().peekable()).collect();
    let headers: Vec<_> = materials.iter().map(Material::headers).collect();
    let signs = signs.to_vec();
    let mut turn = 0;
    let mut waiting = headers[0].clone();
    waiting.reverse();
    std::iter::from_fn(move || {
        if let Some(header) = waiting.pop() {
            return Some(header);
        }
        // All go on, so that they are at the same place.
        let units: Vec<Unit> = scripts.iter_mut().filter_map(Iterator::next).collect();
        let called = signs
            .get(turn)
            .is_some_and(|sign| sign.load(Ordering::Relaxed));
        if called && units[turn].is_random_access() {
            turn += 1;
            waiting.push(units[turn].clone());
            let ms = units[turn].timestamp_ms;
            let at = units[turn].at;
            let new = headers[turn].iter().rev();
            waiting.extend(new.map(|header| header.clone().timed(ms).due(at)));
            return waiting.pop();
        }
        Some(units[turn].clone())
    })
}

/// Opens the page and waits until the picture moves.
fn watch(gateway: &Gateway) -> Browser {
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_moves(&browser, "at first");
    browser.run(WATCH);
    browser
}

fn until_it_moves(browser: &Browser, when: &str) {
    browser.until(
        &format!("the picture to move {when}"),
        SHOWN_WITHIN,
        "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 && s.bufferAhead > 0",
    );
}

/// Waits until something is shown that was published a second from now or later.
fn until_it_shows_what_comes(browser: &Browser, when: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("the clock is set").as_millis();
    browser.until(
        &format!("a picture from {when}"),
        SHOWN_WITHIN,
        &format!("return window.forebay.hls.playingDate?.getTime() > {now} + 1000"),
    );
    assert_unharmed(browser, when);
}

fn until_it_is_wide(browser: &Browser, width: u32) {
    browser.until(
        &format!("a picture {width} pixels wide"),
        SHOWN_WITHIN,
        &format!("return document.querySelector('video').videoWidth === {width}"),
    );
    assert_unharmed(browser, "the change");
}

/// The page was not loaded again, the element has no error, and the picture has not stood still for more
/// than two segments since the last time.
fn assert_unharmed(browser: &Browser, when: &str) {
    until_it_moves(browser, when);
    let found = browser.run(
        "const longest = window.watch?.longest;
         if (window.watch) window.watch.longest = 0;
         return [longest ?? null, document.querySelector('video').error?.message ?? null]",
    );
    assert_eq!(found[1], json!(null), "video.error after {when}");
    let longest = found[0].as_f64().expect("the page was never loaded again");
    let longest = Duration::from_secs_f64(longest / 1_000.0);
    assert!(
        longest <= 2 * SEGMENT + BUSY,
        "{longest:?} without a new picture at {when}"
    );
}

fn until_state(gateway: &Gateway, state: &str) {
    wait::until(state, SHOWN_WITHIN, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == state).then_some(())
    });
}

#[test]
fn the_picture_goes_on_through_reconnect_takeover_and_codec_change() {
    let gateway = Gateway::start();
    let usual = || clip("320x180", "high").endless();
    let first = publish(&gateway, usual());
    let browser = watch(&gateway);

    first.stop(Ending::Fin);
    until_state(&gateway, "resuming");
    let second = publish(&gateway, usual());
    until_it_shows_what_comes(&browser, "the reconnect");

    // Its connection stays open, and it says nothing more.
    let _silent = second.stop(Ending::Silence);
    let signs = [Arc::default(), Arc::default()];
    let materials = [
        clip("320x180", "high"),
        clip("640x360", "high"),
        clip("320x180", "main"),
    ];
    let third = publish(&gateway, in_turn(&materials, &signs));
    until_it_shows_what_comes(&browser, "the takeover");

    for (sign, width) in signs.iter().zip([640, 320]) {
        sign.store(true, Ordering::Relaxed);
        until_it_is_wide(&browser, width);
    }
    let left = third.stop(Ending::DeleteStream);
    assert!(!left.cut_off, "{}", left.words);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_picture_goes_on_after_a_gateway_was_killed_and_started_again() {
    let gateway = Gateway::start();
    let usual = || clip("320x180", "high").endless();
    let playing = publish(&gateway, usual());
    let browser = watch(&gateway);
    gateway.kill();
    drop(playing.join());
    gateway.start_again();
    let playing = publish(&gateway, usual());
    until_it_shows_what_comes(&browser, "the restart");
    playing.stop(Ending::DeleteStream);
}
