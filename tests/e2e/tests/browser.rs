//! The embedded pages in a real browser: what a viewer sees and hears, and what an operator does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::browser::Browser;
use e2e::test_picture::{FRAME_RATE, PITCH, SIZE, TestPicture, Tracks};
use e2e::{Gateway, fallback_site, wait};
use serde_json::Value;

/// From a publish to its picture: two segments, the player's start, a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Draws the picture small and gives its pixels, four bytes each.
const PIXELS: &str = "
    const canvas = document.createElement('canvas');
    canvas.width = 32;
    canvas.height = 18;
    const context = canvas.getContext('2d');
    context.drawImage(document.querySelector('video'), 0, 0, 32, 18);
    return Array.from(context.getImageData(0, 0, 32, 18).data);";

fn live(name: &str, gateway: &Gateway, tracks: Tracks, gop_seconds: u32) -> TestPicture {
    TestPicture::publish(
        &gateway.rtmp_url(&format!("live/{name}")),
        tracks,
        gop_seconds,
    )
}

fn stats(browser: &Browser) -> Value {
    browser.run("return window.forebay.stats()")
}

fn number(stats: &Value, key: &str) -> f64 {
    stats[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {stats}"))
}

fn until_it_plays(browser: &Browser) {
    browser.until(
        "the picture to move",
        STARTS_WITHIN,
        "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 && s.bufferAhead > 0",
    );
}

fn pixels(browser: &Browser) -> Vec<f64> {
    let pixels = browser.run(PIXELS);
    let pixels = pixels.as_array().expect("a list of bytes").iter();
    pixels.map(|byte| byte.as_f64().expect("a byte")).collect()
}

/// How much two pictures differ, in the mean, out of 255.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
    sum / a.len() as f64
}

/// Between the darkest and the brightest value of any colour.
fn contrast(pixels: &[f64]) -> f64 {
    let colours = || pixels.chunks(4).flat_map(|pixel| &pixel[..3]).copied();
    colours().fold(0.0, f64::max) - colours().fold(255.0, f64::min)
}

#[test]
fn half_a_minute_without_a_stall() {
    let gateway = Gateway::start();
    let _encoder = live("show", &gateway, Tracks::Both, 2);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser);
    browser.click("#unmute");
    browser.run(
        "const context = new AudioContext();
         const ear = context.createAnalyser();
         ear.fftSize = 8192;
         context.createMediaElementSource(document.querySelector('video')).connect(ear);
         ear.connect(context.destination);
         window.ear = ear;",
    );

    let first = stats(&browser);
    let heard_first =
        browser.run("return document.querySelector('video').webkitAudioDecodedByteCount");
    let begin = Instant::now();
    let mut pictures = Vec::new();
    let mut next_look = begin;
    wait::until("half a minute to pass", Duration::from_secs(60), || {
        if Instant::now() >= next_look {
            next_look += Duration::from_millis(500);
            let now = stats(&browser);
            assert_eq!(now["phase"], "playing", "{now}");
            assert_eq!(now["stalls"], 0, "{now}");
            pictures.push(pixels(&browser));
        }
        (begin.elapsed() >= Duration::from_secs(30)).then_some(())
    });
    let (last, took) = (stats(&browser), begin.elapsed().as_secs_f64());
    let heard_last =
        browser.run("return document.querySelector('video').webkitAudioDecodedByteCount");
    let (pitch, level) = loudest(&browser);
    // The picture: size, rate, contents, movement.
    assert_eq!(
        (number(&last, "width"), number(&last, "height")),
        (SIZE.0.into(), SIZE.1.into())
    );
    let gone = |key| number(&last, key) - number(&first, key);
    assert!(
        (gone("currentTime") / took - 1.0).abs() < 0.1,
        "{} s in {took} s",
        gone("currentTime")
    );
    let rate = gone("decodedFrames") / gone("currentTime");
    assert!(
        (rate - f64::from(FRAME_RATE)).abs() < 1.5,
        "{rate} pictures a second"
    );
    let dropped = gone("droppedFrames") / gone("decodedFrames");
    assert!(dropped < 0.1, "{:.1} % dropped", 100.0 * dropped);
    assert!(pictures.len() > 40, "{} looks", pictures.len());
    for pair in pictures.windows(2) {
        assert!(contrast(&pair[0]) > 150.0, "a blank picture");
        assert!(
            difference(&pair[0], &pair[1]) > 0.5,
            "the picture stands still"
        );
    }
    // The sound.
    let gone = heard_last.as_f64().expect("bytes") - heard_first.as_f64().expect("bytes");
    assert!(gone > 100_000.0, "{gone} bytes of sound decoded");
    assert!(
        (pitch - f64::from(PITCH)).abs() < 12.0 && level > -60.0,
        "{pitch} Hz at {level} dB"
    );
    // Around them.
    assert_eq!(last["errors"], serde_json::json!([]));
    let latency = number(&last, "latency");
    assert!(
        (0.2..3.0).contains(&latency),
        "{latency} s behind the encoder"
    );
    assert!(number(&last, "bufferAhead") > 0.5, "{last}");
    assert!(number(&last, "bitRate") > 300_000.0, "{last}");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The loudest pitch of this moment, Hz, and how loud it is, dB.
fn loudest(browser: &Browser) -> (f64, f64) {
    let found = browser.run(
        "const bins = new Float32Array(window.ear.frequencyBinCount);
         window.ear.getFloatFrequencyData(bins);
         const at = bins.reduce((best, level, at) => level > bins[best] ? at : best, 0);
         return [at * window.ear.context.sampleRate / window.ear.fftSize, Math.max(bins[at], -1000)]",
    );
    (
        found[0].as_f64().expect("Hz"),
        found[1].as_f64().expect("dB"),
    )
}

#[test]
fn picture_alone_and_sound_alone() {
    let gateway = Gateway::start();
    let _encoders = [
        live("picture", &gateway, Tracks::Video, 1),
        live("sound", &gateway, Tracks::Audio, 1),
    ];
    let browser = Browser::start();
    for (name, counter) in [
        ("picture", "webkitVideoDecodedByteCount"),
        ("sound", "webkitAudioDecodedByteCount"),
    ] {
        browser.open(&gateway.http_url(&format!("watch/live/{name}")));
        until_it_plays(&browser);
        let decoded = format!("return document.querySelector('video').{counter}");
        let first = browser.run(&decoded).as_f64().expect("bytes");
        let begun = number(&stats(&browser), "currentTime");
        browser.until(
            "five seconds of it",
            Duration::from_secs(15),
            &format!(
                "return window.forebay.stats().currentTime > {}",
                begun + 5.0
            ),
        );
        let last = browser.run(&decoded).as_f64().expect("bytes");
        let now = stats(&browser);
        assert!(
            first > 0.0 && last > first,
            "{name}: {first}, then {last} bytes decoded"
        );
        // A busy machine may be late with one part: a second ahead is all there is.
        assert_eq!(now["phase"], "playing", "{now}");
        assert!(number(&now, "longestStall") < 1.0, "{now}");
        assert_eq!(now["errors"], serde_json::json!([]));
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_player_that_was_there_first_begins_by_itself_and_survives_a_reconnect() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    browser.until(
        "the page to say that it waits",
        Duration::from_secs(30),
        "return window.forebay?.stats().phase === 'waiting'",
    );
    let encoder = live("show", &gateway, Tracks::Both, 1);
    until_it_plays(&browser);

    drop(encoder);
    wait::until("the gateway to notice", Duration::from_secs(30), || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == "resuming").then_some(())
    });
    let _encoder = live("show", &gateway, Tracks::Both, 1);
    let restarted = milliseconds_since_1970();
    browser.until(
        "a picture from after the reconnect",
        STARTS_WITHIN,
        &format!("return window.forebay.hls.playingDate?.getTime() > {restarted} + 1000"),
    );
    until_it_plays(&browser);
    let before = pixels(&browser);
    wait::until("that picture to move", Duration::from_secs(30), || {
        (difference(&before, &pixels(&browser)) > 0.5).then_some(())
    });
    let now = stats(&browser);
    assert!(number(&now, "stalls") <= 1.0, "{now}");
    let stream = gateway.get("/api/v1/streams/live/show").json();
    assert_eq!(stream["state"], "live");
}

fn milliseconds_since_1970() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("the clock is set").as_millis()
}

#[test]
fn the_list_shows_what_is_live_and_disconnects_it() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let browser = Browser::start();
    browser.open(&gateway.http_url(""));
    let says = |what: &str, script: &str| browser.until(what, Duration::from_secs(10), script);
    says(
        "an empty list",
        "return document.querySelector('#headline').textContent === 'Nothing is live'",
    );

    let mut encoder = live("show", &gateway, Tracks::Both, 1);
    says(
        "the stream in the headline",
        "return document.querySelector('#headline').textContent === '1 stream live'",
    );
    let card = says(
        "the facts of both tracks",
        "const text = document.querySelector('article.card')?.innerText ?? '';
         return text.includes('AAC LC') && /\\d segments of/.test(text) && text",
    );
    let card = card.as_str().expect("a text").to_owned();
    for fact in [
        "live / show",
        "Live",
        "Lavf",
        "127.0.0.1:",
        "H.264 High",
        "640×360",
        "30 fps",
        "48 kHz",
        "kbit/s",
    ] {
        assert!(card.contains(fact), "{fact:?} is missing in {card}");
    }
    browser.until(
        "the facts to change",
        Duration::from_secs(30),
        &format!(
            "return document.querySelector('article.card').innerText !== {}",
            serde_json::json!(card)
        ),
    );
    browser.click("article.card a.primary");
    until_it_plays(&browser);
    browser.open(&gateway.http_url(""));
    says(
        "the card again",
        "return document.querySelector('article.card button.danger') !== null",
    );

    browser.click("article.card button.danger");
    browser.click("#disconnect-cancel");
    assert!(encoder.ended().is_none());
    browser.click("article.card button.danger");
    browser.click("#disconnect-confirm");
    wait::until(
        "the encoder to be disconnected",
        Duration::from_secs(30),
        || encoder.ended(),
    );
    says(
        "the card to say so",
        "return document.querySelector('article.card').innerText.includes('Waiting for the encoder')
             && document.querySelector('article.card button.danger').disabled
             && !document.querySelector('#disconnect').open",
    );
    let log = gateway.log();
    assert!(
        log.iter()
            .any(|line| line.contains("an operator disconnected it")),
        "{log:?}"
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn nothing_runs_over_the_edge_of_a_phone() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let longest = "n".repeat(128);
    let _encoders = [
        live("show", &gateway, Tracks::Both, 1),
        live(&longest, &gateway, Tracks::Audio, 1),
    ];
    let browser = Browser::start();
    browser.become_phone(360, 740);
    for page in [
        "",
        "watch/live/show",
        &format!("watch/live/{longest}"),
        "watch/live/nobody",
    ] {
        browser.open(&gateway.http_url(page));
        if page.is_empty() {
            browser.until(
                "both cards with their facts",
                Duration::from_secs(10),
                "return [...document.querySelectorAll('article.card')]
                     .filter((card) => /AAC.*segments? of/s.test(card.innerText)).length === 2",
            );
            browser.run("document.querySelector('#publishing').open = true");
        } else if !page.ends_with("nobody") {
            until_it_plays(&browser);
        }
        let over = browser.run(
            "const wide = document.documentElement.clientWidth;
             return [document.documentElement.scrollWidth - wide, wide, [...document.querySelectorAll('body *')]
                 .filter((element) => element.getBoundingClientRect().right > wide + 0.5)
                 .map((element) => element.outerHTML.slice(0, 120)).slice(0, 5)]",
        );
        assert_eq!(
            (&over[0], &over[1]),
            (&0.into(), &360.into()),
            "{page}: {over}"
        );
    }
}

#[test]
fn the_plain_pages_list_and_play_with_the_browsers_own_hls() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let _encoder = live("show", &gateway, Tracks::Both, 1);
    let site = fallback_site::serve(gateway.http);
    let browser = Browser::start();
    browser.open(&format!("http://{site}/"));
    browser.until(
        "the stream in the list",
        Duration::from_secs(10),
        "return document.querySelector('#streams').innerText === 'live / show (live)'",
    );
    browser.click("#streams a");
    let can = browser.run(
        "return document.querySelector('video').canPlayType('application/vnd.apple.mpegurl') !== ''",
    );
    if can == false {
        let said = browser.run("return document.querySelector('#said').innerText");
        assert_eq!(said, "This browser has no HLS of its own.");
        return;
    }
    browser.until(
        "three seconds of it",
        STARTS_WITHIN,
        "return document.querySelector('video').currentTime > 3
             && document.querySelector('#said').innerText === ''",
    );
    assert!(contrast(&pixels(&browser)) > 150.0);
    assert_eq!(browser.complaints(), [""; 0]);
}
