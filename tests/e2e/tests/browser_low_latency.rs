//! The player page in low latency: how far behind the encoder it is, and what it does where there is none.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::browser::Browser;
use e2e::encoder::Encoder;
use e2e::test_picture::{TestPicture, Tracks};
use e2e::{Gateway, wait};
use serde_json::{Value, json};

/// From opening the page to a picture that is as near as it gets; a busy machine takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(15);

/// The same in the classic form, three segments behind.
const CLASSIC_WITHIN: Duration = Duration::from_secs(30);

/// Seconds behind the encoder, as the page says; null until it says so.
const SAID: &str = "
    const words = [...document.querySelectorAll('#stats dd')].map((dd) => dd.innerText);
    const said = words.find((words) => words.endsWith(' s behind the encoder'));
    return said ? parseFloat(said) : null;";

fn publish(gateway: &Gateway) -> TestPicture {
    TestPicture::publish(&gateway.rtmp_url("live/show"), Tracks::Both, 2)
}

fn until_it_says_less_than(seconds: u32, browser: &Browser) {
    browser.until(
        &format!("the page to say less than {seconds} s"),
        STARTS_WITHIN,
        &format!("const said = (() => {{ {SAID} }})(); return said !== null && said < {seconds};"),
    );
}

fn until_it_plays(browser: &Browser, form: &str) {
    browser.until(
        &format!("{form} to play"),
        CLASSIC_WITHIN,
        &format!(
            "const s = window.forebay?.stats();
             return s?.phase === 'playing' && s.currentTime > 0 && s.form === '{form}'"
        ),
    );
}

/// Waits until `seconds` more of the presentation were shown.
fn let_play(browser: &Browser, seconds: u32) {
    let from = browser.run("return document.querySelector('video').currentTime");
    browser.until(
        &format!("{seconds} s to be shown"),
        CLASSIC_WITHIN,
        &format!("return document.querySelector('video').currentTime > {from} + {seconds}"),
    );
}

/// The form that plays, as the switch shows it, and what there is to complain about.
fn playing(browser: &Browser) -> Value {
    browser.run(
        "return [
             document.querySelector('#forms [aria-current]')?.innerText ?? null,
             window.forebay.stats().form,
             document.querySelector('video').error?.message ?? null]",
    )
}

#[test]
fn the_picture_is_less_than_two_seconds_behind_and_stays_there() {
    let gateway = Gateway::start();
    let _encoder = publish(&gateway);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_says_less_than(2, &browser);
    let_play(&browser, 10);
    until_it_says_less_than(2, &browser);
    assert_eq!(
        playing(&browser),
        json!(["Low latency", "low-latency", null])
    );
    // Not by the page's arithmetic: the date of what is shown, and the clock of this process.
    let shown = browser.run("return window.forebay.hls.playingDate.getTime()");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let late = now.expect("the clock is set").as_secs_f64() - shown.as_f64().expect("ms") / 1_000.0;
    assert!((0.2..3.0).contains(&late), "{late} s behind the encoder");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn without_low_latency_the_page_plays_the_classic_form() {
    let gateway = Gateway::start_with(&[
        ("FOREBAY__HLS__PART", "0s"),
        ("FOREBAY__HLS__SEGMENT", "1s"),
    ]);
    let _encoder = TestPicture::publish(&gateway.rtmp_url("live/show"), Tracks::Both, 1);
    wait::until("the playlist", CLASSIC_WITHIN, || {
        (gateway.get("/live/show/index.m3u8").status == 200).then_some(())
    });
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser, "classic");
    let_play(&browser, 3);
    assert_eq!(playing(&browser), json!(["Classic", "classic", null]));
    assert_eq!(
        browser.run("return window.forebay.stats().errors"),
        json!([])
    );
}

#[test]
fn a_viewer_chooses() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let _encoder = TestPicture::publish(&gateway.rtmp_url("live/show"), Tracks::Both, 1);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser, "low-latency");
    browser.click("#forms a:last-child");
    until_it_plays(&browser, "classic");
    let_play(&browser, 1);
    assert!(browser.run(SAID).as_f64().is_some_and(|said| said > 1.5));
    browser.click("#forms a:first-child");
    until_it_plays(&browser, "low-latency");
    until_it_says_less_than(2, &browser);
}

#[test]
fn what_cannot_be_played_in_low_latency_is_played_classic() {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let _encoder = TestPicture::publish(&gateway.rtmp_url("live/show"), Tracks::Both, 1);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser, "low-latency");
    // One such error is recovered from. As hls.js tells it of media that the browser refuses.
    browser.run(
        "for (const turn of [1, 2]) window.forebay.hls.trigger('hlsError', {
             type: 'mediaError', details: 'bufferAppendError', fatal: true, error: new Error(`refused ${turn}`) })",
    );
    until_it_plays(&browser, "classic");
    let_play(&browser, 1);
}

/// The usual encoder of the README. ffmpeg reads sound as far as pictures have come out, and x264 keeps back more than
/// a second: when it leaves, those pictures come at once, and no sound beside them.
fn publish_usually(gateway: &Gateway) -> Encoder {
    let url = gateway.rtmp_url("live/show");
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 \
        -f lavfi -i sine=frequency=440:sample_rate=48000 -c:v libx264 -pix_fmt yuv420p -g 60 \
        -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.push(&url);
    Encoder::start("ffmpeg", &arguments)
}

/// Long enough for what is buffered to be used up, and for playlist requests to be given up. Twice, as an encoder never
/// leaves at the same place.
#[test]
fn the_picture_goes_on_behind_an_encoder_that_was_away_for_seconds() {
    let gateway = Gateway::start();
    let mut encoder = publish_usually(&gateway);
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser, "low-latency");
    for _ in 0..2 {
        let_play(&browser, 3);
        encoder.interrupt();
        let gone = Instant::now();
        wait::until("five seconds without the encoder", CLASSIC_WITHIN, || {
            (gone.elapsed() > Duration::from_secs(5)).then_some(())
        });
        let back = SystemTime::now().duration_since(UNIX_EPOCH);
        let back = back.expect("the clock is set").as_millis();
        encoder = publish_usually(&gateway);
        browser.until(
            "a picture from the encoder that is back",
            CLASSIC_WITHIN,
            &format!(
                "const video = document.querySelector('video');
                 return video.readyState > 2 && window.forebay.hls.playingDate?.getTime() > {back} + 1000"
            ),
        );
    }
    assert_eq!(
        browser.run("return document.querySelector('video').error"),
        Value::Null
    );
}
