//! A ladder in players of DASH.

use e2e::browser::Browser;
use e2e::gateway::Gateway;
use e2e::ladder::{HEIGHTS, SOON, rung, rungs_of_one_connection, variants};
use e2e::{dash_site, wait};
use serde_json::{Value, json};

/// The values of `key` of all players.
fn of_all(browser: &Browser, key: &str) -> Vec<Value> {
    let values = browser.run(&format!("return window.states().map((it) => it.{key})"));
    values.as_array().expect("a list").clone()
}

/// Waits until all have shown three seconds more.
fn until_they_go_on(browser: &Browser, when: &str) {
    let before = browser.run("return window.states().map((it) => it.pictures)");
    browser.until(
        when,
        SOON,
        &format!(
            "const before = {before}; \
             return window.states().every((it, at) => it.pictures > before[at] + 90 && it.sound > 0)"
        ),
    );
}

#[test]
fn shaka_and_dash_js_switch_down_and_up() {
    // First: while others have their turn, encoders would take the processor from them.
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", HEIGHTS.len());
    browser.open(&format!("http://{}/", dash_site::serve()));
    let url = gateway.http_url("live/show/manifest.mpd");
    // Each at a host of its own: a browser opens six connections to one, and a player of a site has them for itself.
    for (player, host) in [("shakaPlayer", "127.0.0.1"), ("dashJs", "localhost")] {
        let url = url.replace("127.0.0.1", host);
        browser.run(&format!("window.{player}('{url}')"));
    }
    until_they_go_on(&browser, "it to play");
    let mut heights: Vec<Value> = of_all(&browser, "heights");
    for all in &mut heights {
        let all = all.as_array_mut().expect("a list");
        all.sort_by_key(Value::as_u64);
        assert_eq!(*all, [180, 270, 360].map(Value::from));
    }
    // What the first seconds of a busy machine cost is not what switching costs.
    let began = of_all(&browser, "waits");
    for height in [180, 360, 270] {
        browser.run(&format!("window.showRung({height})"));
        browser.until(
            &format!("{height} pixels"),
            SOON,
            &format!("return window.states().every((it) => it.height === {height})"),
        );
        until_they_go_on(&browser, &format!("{height} pixels to go on"));
    }
    let waits = of_all(&browser, "waits");
    assert_eq!(waits[1], began[1], "dash.js");
    // Shaka 5.2 may not ask for the rung it goes to, at one switch of ten or less: it makes an index of that rung's
    // segments, which is to grow by itself, and finds none there behind the one that it has ("cannot find segment
    // endTime"), until it gives up what it has and jumps to the edge. It is asked to go on.
    let shakas = |all: &[Value]| all[0].as_array().expect("a list").len();
    assert!(shakas(&waits) <= shakas(&began) + 6, "{waits:?}");
    assert_eq!(of_all(&browser, "fatal"), [json!([]), json!([])]);
    assert_eq!(of_all(&browser, "error"), [Value::Null, Value::Null]);
}

/// The tracks of one connection come back one after the other: the next Period has all of them again.
#[test]
fn shaka_goes_on_through_a_reconnect_and_switches_behind_it() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let mut first = rungs_of_one_connection(&gateway);
    variants(&gateway, "/live/show/llhls.m3u8", HEIGHTS.len());
    browser.open(&format!("http://{}/", dash_site::serve()));
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!("window.shakaPlayer('{url}')"));
    until_they_go_on(&browser, "it to play");
    first.interrupt();
    wait::until("the gateway to notice", SOON, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == "resuming").then_some(())
    });
    let _second = rungs_of_one_connection(&gateway);
    until_they_go_on(&browser, "it to go on after the reconnect");
    for height in [180, 360] {
        browser.run(&format!("window.showRung({height})"));
        browser.until(
            &format!("{height} pixels"),
            SOON,
            &format!("return window.states().every((it) => it.height === {height})"),
        );
        until_they_go_on(&browser, &format!("{height} pixels to go on"));
    }
    assert_eq!(of_all(&browser, "fatal"), [json!([])]);
}
