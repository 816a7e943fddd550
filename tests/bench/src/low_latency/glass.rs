//! Glass to glass: from a picture that is handed to ffmpeg to the same picture on the screen of Chromium, which
//! plays it on the gateway's own page with hls.js.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use e2e::browser::Browser;
use serde::Deserialize;

use super::clock_picture::{CLOCK_BITS, ClockPicture, RATE};
use super::{LATE, Parts, keys};
use crate::publisher::APP;
use crate::server::Server;
use crate::table::{Aim, Column, Metric, Table};
use crate::wait;

/// From opening the page to a picture that moves.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// What the page has noted, and the player says of itself.
const OUTCOME: &str = "
    const { stalls, longestStall, errors } = window.forebay.stats();
    return { ...window.glass, stalls, longestStall, errors };";

/// What came of one viewing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    seen: Vec<Seen>,
    /// Pictures shown whose clock could not be read.
    unread: u32,
    /// How often the player began anew.
    began: u32,
    /// How often the picture stood still, and for how many seconds at most.
    stalls: u32,
    longest_stall: f64,
    errors: Vec<String>,
}

/// A picture on the screen; milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Seen(
    /// When, since 1970.
    f64,
    /// The clock in the picture.
    f64,
    /// Since the gateway had it, by the date in the playlist.
    Option<f64>,
);

impl Seen {
    /// Milliseconds since the picture was drawn.
    fn delay(self) -> f64 {
        (self.0 - self.1).rem_euclid(f64::from(1 << CLOCK_BITS))
    }
}

/// Watches for `duration`, once the page plays.
pub(crate) fn measure(gateway: &Path, duration: Duration, table: &mut Table) -> anyhow::Result<()> {
    let mut server = Server::forebay(gateway, &keys(Parts::Made))?;
    let picture = ClockPicture::publish(&format!("rtmp://{}/{APP}/glass", server.rtmp))?;
    let browser = Browser::start();
    browser.open(&format!("http://{}/watch/{APP}/glass", server.http));
    if browser.run("return window.forebay === undefined") == true {
        table.note(
            "ll_glass: not measured, the gateway was built without the pages in web/".to_owned(),
        );
        return Ok(());
    }
    let plays = "return window.forebay?.stats().phase === 'playing'";
    browser.until("the page to play", SHOWN_WITHIN, plays);
    browser.run(include_str!("glass.js"));
    wait::pass(duration);
    let outcome: Outcome = serde_json::from_value(browser.run(OUTCOME))?;
    drop(browser);
    let latest = picture.stop()?;
    server.ensure_running()?;
    if latest > LATE {
        table.note(format!(
            "ll_glass: pictures were drawn up to {latest:?} late"
        ));
    }
    report(&outcome, table)
}

fn report(outcome: &Outcome, table: &mut Table) -> anyhow::Result<()> {
    let what = "glass to glass, ffmpeg to hls.js in Chromium";
    let rows = [
        Metric::median(what, "ms").aim(Aim::AtMost(1200.0)),
        Metric::p95(what, "ms"),
        Metric::worst(what, "ms"),
    ];
    // Less by what the first picture took longer than the others to the gateway, which counts from there.
    let dated = Metric::median("glass: the same by the dates in the playlist", "ms");
    let apart = Metric::worst("glass: from one picture to the next", "ms");
    for seen in &outcome.seen {
        for row in &rows {
            table.add(row, Column::Own, seen.delay());
        }
    }
    for behind in outcome.seen.iter().filter_map(|seen| seen.2) {
        table.add(&dated, Column::Own, behind);
    }
    for (before, seen) in outcome.seen.iter().zip(outcome.seen.iter().skip(1)) {
        table.add(&apart, Column::Own, seen.0 - before.0);
    }

    let [first, .., last] = outcome.seen.as_slice() else {
        anyhow::bail!("no pictures were seen");
    };
    let drawn =
        (last.1 - first.1).rem_euclid(f64::from(1 << CLOCK_BITS)) * f64::from(RATE) / 1e3 + 1.0;
    let count = u32::try_from(outcome.seen.len()).context("more pictures than can be counted")?;
    let share = f64::from(count) / drawn * 100.0;
    let none = Some(Aim::AtMost(0.0));
    for (what, unit, aim, value) in [
        ("stalls", "times", none, outcome.stalls.into()),
        ("longest stall", "ms", None, outcome.longest_stall * 1e3),
        ("begun anew", "times", none, outcome.began.into()),
        ("pictures seen", "", None, count.into()),
        ("pictures seen of those drawn", "%", None, share),
        ("pictures not read", "", None, outcome.unread.into()),
    ] {
        let metric = Metric::worst(format!("glass: {what}"), unit);
        table.add(&Metric { aim, ..metric }, Column::Own, value);
    }
    for error in &outcome.errors {
        table.note(format!("ll_glass: the page says {error:?}"));
    }
    Ok(())
}
