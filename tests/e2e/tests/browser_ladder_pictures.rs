//! That a switch between rungs costs no picture: each picture says its number, and what hls.js has put together of several
//! rungs is looked at picture by picture.

use e2e::browser::Browser;
use e2e::gateway::Gateway;
use e2e::ladder::{NUMBER_BITS, SOON, numbered_rungs, variants};
use e2e::player_site;
use serde_json::json;

/// hls.js as it comes, without low latency: it plays CMAF segment by segment.
const WHOLE: &str = "<!doctype html><title>hls.js</title><link rel=icon href=data:,><script src=/hls.js></script><script>
    window.play = (url) => {
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const hls = new Hls({ lowLatencyMode: false });
        window.forebay = { hls, video };
        hls.attachMedia(video);
        hls.loadSource(url);
        video.play().catch(() => undefined);
    };
    </script><body>";

/// Notes when the player has to wait. `pictures()` stands still and gives the number and the height of each picture from
/// where this was begun to where the player is; the number is null of one that does not come.
const WITNESS: &str = "
    const { hls, video } = window.forebay, PICTURE_S = 1 / 30, BITS = $BITS;
    const canvas = new OffscreenCanvas(BITS, 1), pen = canvas.getContext('2d', { willReadFrequently: true });
    const begun = video.currentTime;
    window.waits = [];
    video.addEventListener('waiting', () => window.waits.push(video.currentTime));
    const number = () => {
        pen.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 2, 0, 0, BITS, 1);
        const { data } = pen.getImageData(0, 0, BITS, 1);
        return Array.from({ length: BITS }, (_, bit) => data[4 * bit] > 127).reduce((all, bit) => 2 * all + bit, 0);
    };
    const shown = (at) => new Promise((resolve) => {
        const late = setTimeout(() => resolve({ at, number: null, height: video.videoHeight }), 5000);
        video.requestVideoFrameCallback((_, { mediaTime }) => {
            clearTimeout(late);
            resolve({ at: mediaTime, number: number(), height: video.videoHeight });
        });
        video.currentTime = at;
    });
    window.pictures = async () => {
        video.pause();
        hls.stopLoad();
        const until = video.currentTime, all = [await shown(begun)];
        // The middle of each: timestamps are whole milliseconds.
        const middle = all[0].at + PICTURE_S / 2;
        for (let at = middle + PICTURE_S; at < until && all.at(-1).number !== null; at += PICTURE_S) all.push(await shown(at));
        return all.map(({ number, height }) => [number, height]);
    };";

/// Goes down and up in what `open` opens, and looks at every picture.
fn no_picture_is_repeated_or_missing(open: impl Fn(&Browser, &Gateway)) {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoder = numbered_rungs(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 3);
    open(&browser, &gateway);
    browser.until(
        "it to play",
        SOON,
        "const { hls, video } = window.forebay ?? {}; return hls?.levels.length === 3 && video.getVideoPlaybackQuality().totalVideoFrames > 30",
    );
    browser.run(&WITNESS.replace("$BITS", &NUMBER_BITS.to_string()));
    for level in [0, 2] {
        browser.run(&format!("window.forebay.hls.loadLevel = {level}"));
        let shown = browser.until(
            "the rung to be shown",
            SOON,
            &format!(
                "const {{ hls, video }} = window.forebay; \
                 return video.videoHeight === hls.levels[{level}].height && video.currentTime"
            ),
        );
        // The next may replace what is there of the segment that it begins with.
        browser.until(
            "a segment of it",
            SOON,
            &format!("return window.forebay.video.currentTime > {shown} + 2.1"),
        );
    }
    assert_eq!(browser.run("return window.waits"), json!([]));
    let pictures = browser.run("return window.pictures()");
    let pictures = pictures.as_array().expect("a list");
    let first = pictures[0][0].as_u64().expect("a picture");
    let expected = (first..).map(Some).zip(pictures);
    let odd = expected
        .enumerate()
        .find(|(_, (number, picture))| picture[0].as_u64() != *number);
    assert_eq!(odd, None, "{pictures:?}");
    let mut heights: Vec<_> = pictures.iter().map(|it| it[1].as_u64()).collect();
    heights.dedup();
    assert!(heights.ends_with(&[Some(180), Some(360)]), "{heights:?}");
}

/// The player page.
fn page(form: &str) -> impl Fn(&Browser, &Gateway) {
    move |browser, gateway| {
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
    }
}

#[test]
fn in_mpeg_ts() {
    no_picture_is_repeated_or_missing(page("classic"));
}

#[test]
fn in_cmaf_segment_by_segment() {
    no_picture_is_repeated_or_missing(|browser, gateway| {
        browser.open(&format!("http://{}/", player_site::serve(WHOLE)));
        let url = gateway.http_url("live/show/llhls.m3u8");
        browser.run(&format!("window.play('{url}')"));
    });
}

#[test]
fn in_cmaf_part_by_part() {
    no_picture_is_repeated_or_missing(page("low-latency"));
}
