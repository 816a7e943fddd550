//! A presentation that ended and is published anew, as a viewer of the page sees it.

use std::time::Duration;

use e2e::browser::Browser;
use e2e::test_picture::{TestPicture, Tracks};
use e2e::{Gateway, wait};

const WITHIN: Duration = Duration::from_secs(60);

#[test]
fn the_page_goes_on_with_the_second_life_and_not_with_the_end_of_the_first() {
    goes_on_with_the_second_life("watch/live/show");
}

#[test]
fn so_does_the_page_of_the_classic_form() {
    goes_on_with_the_second_life("watch/live/show?form=classic");
}

/// The end of the first life may be kept by caches for some seconds; it must not be shown again.
fn goes_on_with_the_second_life(page: &str) {
    let gateway = Gateway::start_with(&[
        ("FOREBAY__HLS__RESUME", "1s"),
        ("FOREBAY__HLS__LINGER", "2s"),
    ]);
    let url = gateway.rtmp_url("live/show");
    let first = TestPicture::publish(&url, Tracks::Both, 2);
    let browser = Browser::start();
    browser.open(&gateway.http_url(page));
    let playing = "return window.forebay?.stats().phase === 'playing'";
    browser.until("the first life", WITHIN, playing);
    drop(first);
    browser.until(
        "its end",
        WITHIN,
        "return window.forebay?.stats().phase === 'ended'",
    );
    wait::until("nothing to be left of it", WITHIN, || {
        (gateway.get("/live/show/index.m3u8").status == 404).then_some(())
    });

    let begun = browser.run("return Date.now()");
    let _second = TestPicture::publish(&url, Tracks::Both, 2);
    browser.until("the second life", WITHIN, playing);
    // Dated by the gateway, on the same machine; the date is there when the first picture is.
    let shown = browser.until(
        "the date of what is shown",
        WITHIN,
        "return window.forebay.hls.playingDate?.getTime()",
    );
    assert!(
        shown.as_f64() >= begun.as_f64(),
        "what is shown is from before the second life: {shown} < {begun}"
    );
    let error = browser.run("return document.querySelector('video').error");
    assert!(error.is_null(), "{error}");
}
