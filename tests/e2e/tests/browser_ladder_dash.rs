//! A ladder in players of DASH.

use std::time::Duration;

use e2e::browser::Browser;
use e2e::gateway::Gateway;
use e2e::ladder::{HEIGHTS, SOON, rung, variants};
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
fn shaka_switches_down_and_up_without_a_stall() {
    switches("shakaPlayer");
}

#[test]
fn dash_js_switches_down_and_up_without_a_stall() {
    switches("dashJs");
}

fn switches(player: &str) {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", HEIGHTS.len());
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!("window.{player}('{url}')"));
    until_they_go_on(&browser, "it to play");
    let mut heights: Vec<Value> = of_all(&browser, "heights");
    for all in &mut heights {
        let all = all.as_array_mut().expect("a list");
        all.sort_by_key(Value::as_u64);
        assert_eq!(*all, [180, 270, 360].map(Value::from));
    }
    // What the first seconds of a busy machine cost is not what switching costs.
    let began = of_all(&browser, "waits");
    for height in [180, 360, 270, 180] {
        browser.run(&format!("window.showRung({height})"));
        browser.until(
            &format!("{height} pixels"),
            SOON,
            &format!("return window.states().every((it) => it.height === {height})"),
        );
        until_they_go_on(&browser, &format!("{height} pixels to go on"));
    }
    assert_eq!(of_all(&browser, "waits"), began, "{began:?}");
    assert_eq!(of_all(&browser, "fatal"), [json!([])]);
    assert_eq!(of_all(&browser, "error"), [Value::Null]);
    wait::until("it to be near the edge", Duration::from_secs(1), || {
        let latency = of_all(&browser, "latency").first()?.as_f64()?;
        (0.0..4.0).contains(&latency).then_some(())
    });
}
