//! The player page with codecs that have no place in MPEG-TS, published by a current ffmpeg: both of its forms play
//! CMAF then.

use std::time::Duration;

use e2e::browser::Browser;
use e2e::current_ffmpeg::Encoding;
use e2e::encoder::Pace;
use e2e::gateway::scratch;
use e2e::reader::Recording;
use e2e::{Gateway, dash_site, wait};
use serde_json::json;

/// From opening the page to a moving picture, on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

fn until_it_plays(browser: &Browser, form: &str) {
    browser.until(
        &format!("{form} to play"),
        STARTS_WITHIN,
        &format!(
            "const s = window.forebay?.stats();
             return s?.phase === 'playing' && s.currentTime > 0 && s.form === '{form}'"
        ),
    );
    let from = browser.run("return document.querySelector('video').currentTime");
    browser.until(
        "4 s to be shown",
        STARTS_WITHIN,
        &format!("return document.querySelector('video').currentTime > {from} + 4"),
    );
}

/// Decoded pictures, and bytes of decoded sound.
const DECODED: &str = "
    const video = document.querySelector('video');
    return [video.getVideoPlaybackQuality().totalVideoFrames > 50, video.webkitAudioDecodedByteCount > 0,
        video.error?.message ?? null];";

fn plays(encoding: Encoding) {
    let gateway = Gateway::start_with(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let record = Recording(scratch("flv"));
    let _encoder = encoding.publish(Pace::Live, &gateway.rtmp_url("live/show"), &record.0);
    wait::until("the publish", STARTS_WITHIN, || {
        (gateway.get("/api/v1/streams/live/show").status == 200).then_some(())
    });
    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/show"));
    until_it_plays(&browser, "low-latency");
    assert_eq!(browser.run(DECODED), json!([true, true, null]));
    browser.click("#forms a:last-child");
    until_it_plays(&browser, "classic");
    assert_eq!(browser.run(DECODED), json!([true, true, null]));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn av1_and_opus() {
    plays(Encoding {
        seconds: 60,
        video: "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 25",
        audio: "-c:a libopus -b:a 96k",
    });
}

#[test]
fn vp9_and_flac() {
    plays(Encoding {
        seconds: 60,
        video: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25",
        audio: "-c:a flac",
    });
}

/// DASH names codecs and sampling rates of its own accord, and Shaka is another player of HLS.
#[test]
fn av1_and_opus_by_dash_js_and_shaka() {
    let gateway = Gateway::start();
    let record = Recording(scratch("flv"));
    let encoding = Encoding {
        seconds: 90,
        video: "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 50",
        audio: "-c:a libopus -b:a 96k",
    };
    let _encoder = encoding.publish(Pace::Live, &gateway.rtmp_url("live/show"), &record.0);
    wait::until("the playlist", STARTS_WITHIN, || {
        (gateway.get("/live/show/index.m3u8").status == 200).then_some(())
    });
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let [manifest, playlist] =
        ["manifest.mpd", "index.m3u8"].map(|file| gateway.http_url(&format!("live/show/{file}")));
    browser.run(&format!(
        "window.dashJs('{manifest}'); window.shakaPlayer('{manifest}'); window.shakaPlayer('{playlist}')"
    ));
    browser.until(
        "all to play",
        STARTS_WITHIN,
        "return window.states().every((it) => it.pictures > 100 && it.sound > 0 && it.time > 0)",
    );
    let faults = "return window.states().flatMap((it) => [...it.fatal, it.error]).filter(Boolean)";
    assert_eq!(browser.run(faults), json!([]));
}
