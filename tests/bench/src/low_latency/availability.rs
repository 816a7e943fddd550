//! How soon a publish can be watched, and how old its pictures are then: both forms of one stream, each
//! with a reader of its own that was there before the publisher.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::edge::Edge;
use super::follower::{Follower, Receipt, Rendition, Way};
use super::pictures::Pictures;
use super::{LATE, Parts, keys};
use crate::clip::{Clip, FRAMES_PER_GOP, GOP_MS};
use crate::http::Connection;
use crate::load::{Cut, Load};
use crate::publisher::{APP, Publisher};
use crate::server::{Peer, Server};
use crate::stats::milliseconds;
use crate::table::{Aim, Column, Metric, Table};
use crate::viewers::Viewer;
use crate::wait;

/// Long enough for the classic form's first segment.
const BEGINNING: Duration = Duration::from_millis(GOP_MS as u64 + 500);
/// Between two looks of the classic reader.
const POLL: Duration = Duration::from_millis(5);
/// Players without parts stay so many target durations behind the edge (RFC 8216 §6.3.3).
const CLASSIC_HOLD_BACK: u32 = 3;

/// What a reader saw.
#[derive(Debug)]
struct Watched {
    /// The first playlist with something in it.
    listed: Instant,
    /// The first of what it lists.
    fetched: Instant,
    /// Everything after that.
    receipts: Vec<Receipt>,
    hold_back: Duration,
}

/// Watches so many publishes begin; the last of them is followed for `follow`.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    beginnings: u32,
    follow: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut server = Server::forebay(gateway, &keys(Parts::Made))?;
    for index in 1..=beginnings {
        let duration = if index == beginnings {
            follow.max(BEGINNING)
        } else {
            BEGINNING
        };
        watch(&server, clip, &format!("begun{index}"), duration, table)?;
    }
    server.ensure_running()
}

fn watch(
    server: &Server,
    clip: &Arc<Clip>,
    name: &str,
    duration: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let publisher = Publisher::connect(server.rtmp, name, Arc::clone(clip))?;
    let stop = AtomicBool::new(false);
    let http = server.http;
    let (report, low_latency, classic) = std::thread::scope(|scope| {
        let low_latency = scope.spawn(|| watch_low_latency(http, name, &stop));
        let classic = scope.spawn(|| watch_classic(http, name, &stop));
        let load = Load::start(vec![publisher]);
        wait::pass(duration);
        stop.store(true, Ordering::Relaxed);
        let low_latency = low_latency.join().expect("a reader should not panic");
        let classic = classic.join().expect("a reader should not panic");
        (load.stop(), low_latency, classic)
    });
    let report = report?;
    let low_latency = low_latency.context("the low-latency form")?;
    let classic = classic.context("the classic form")?;
    if report.latest > LATE {
        table.note(format!(
            "ll_availability: the publisher was up to {:?} late",
            report.latest
        ));
    }

    let pictures = Pictures::of(clip);
    let sent = &report.sent[0];
    let first = pictures.sent(0, sent).context("no picture was sent")?;
    let half_a_second = Aim::AtMost(500.0);
    let listed = Metric::median("first key frame to first playlist", "ms").aim(half_a_second);
    let fetched = Metric::median("first key frame to first part or segment", "ms");
    let fetched = fetched.aim(half_a_second);
    for (column, watched) in [(Column::Own, &low_latency), (Column::Other, &classic)] {
        let since = |at: Instant| milliseconds(at.saturating_duration_since(first));
        table.add(&listed, column, since(watched.listed));
        table.add(&fetched, column, since(watched.fetched));
    }

    let mut arrivals = Vec::new();
    for receipt in &low_latency.receipts {
        let held = receipt.held.context("a part without pictures")?;
        let range = pictures.range(held, receipt.arrived, sent)?;
        arrivals.push((receipt.arrived, range));
    }
    ages(
        Column::Own,
        &arrivals,
        low_latency.hold_back,
        &pictures,
        sent,
        table,
    );
    let mut arrivals = Vec::new();
    for receipt in &classic.receipts {
        let segment = cut_before(&report.cuts[0], receipt.arrived);
        let segment = segment.context("a segment was listed that had not been cut")?;
        let gop = usize::try_from(FRAMES_PER_GOP)?;
        arrivals.push((receipt.arrived, segment * gop..(segment + 1) * gop));
    }
    ages(
        Column::Other,
        &arrivals,
        classic.hold_back,
        &pictures,
        sent,
        table,
    );
    Ok(())
}

/// Adds how old pictures were when what holds them had arrived, and when they became playable: when the
/// edge was `hold_back` ahead of them.
fn ages(
    column: Column,
    arrivals: &[(Instant, std::ops::Range<usize>)],
    hold_back: Duration,
    pictures: &Pictures,
    sent: &[Instant],
    table: &mut Table,
) {
    let what = "a picture's age when it has arrived";
    let arrived = [
        Metric::median(what, "ms").aim(Aim::AtMost(110.0)),
        Metric::p95(what, "ms").aim(Aim::AtMost(210.0)),
    ];
    let playable = "a picture's age when it is playable";
    let playable = Metric::median(playable, "ms").aim(Aim::AtMost(750.0));
    let mut held_back = VecDeque::new();
    for (at, range) in arrivals {
        let edge = pictures.time(range.end);
        for picture in range.clone() {
            let Some(sent) = pictures.sent(picture, sent) else {
                continue;
            };
            let age = milliseconds(at.saturating_duration_since(sent));
            for metric in &arrived {
                table.add(metric, column, age);
            }
            held_back.push_back((pictures.time(picture), sent));
        }
        while let Some((time, sent)) = held_back.front().copied()
            && time + hold_back <= edge
        {
            held_back.pop_front();
            table.add(
                &playable,
                column,
                milliseconds(at.saturating_duration_since(sent)),
            );
        }
    }
}

fn watch_low_latency(http: SocketAddr, name: &str, stop: &AtomicBool) -> anyhow::Result<Watched> {
    let multivariant = format!("/{APP}/{name}/llhls.m3u8");
    let status = Connection::new(http).get(&multivariant, &mut Vec::new())?;
    ensure!(status == 200, "{multivariant} was answered with {status}");
    let mut follower = Follower::new(http, name, Rendition::Video, Way::Reload);
    let edge: Edge = follower.edge()?;
    let part = edge.parts.last().context("a playlist without parts")?;
    let listed = Instant::now();
    let section = edge.section.as_ref().context("no init section")?;
    follower.piece(section)?;
    follower.piece(&part.uri)?;
    Ok(Watched {
        listed,
        fetched: Instant::now(),
        receipts: follower.follow(stop)?,
        hold_back: edge.part_hold_back,
    })
}

fn watch_classic(http: SocketAddr, name: &str, stop: &AtomicBool) -> anyhow::Result<Watched> {
    let playlist = Peer::Forebay.playlist(name);
    let mut viewer = Viewer::new(http, playlist);
    let listing = viewer.poll()?.context("no classic playlist")?;
    let listed = Instant::now();
    viewer.fetch_new(&listing)?;
    let fetched = Instant::now();
    let mut receipts = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        wait::pass(POLL);
        let listing = viewer.poll()?.context("a playlist that went away")?;
        if viewer.fetch_new(&listing)? > 0 {
            receipts.push(Receipt {
                arrived: Instant::now(),
                held: None,
            });
        }
    }
    Ok(Watched {
        listed,
        fetched,
        receipts,
        // The target duration is what the clip's GOP makes it.
        hold_back: CLASSIC_HOLD_BACK * Duration::from_millis(GOP_MS.into()),
    })
}

/// The number of the newest segment that was closed at `at`, or a moment later: the sending thread may
/// have been put aside between its write and its clock.
fn cut_before(cuts: &[Cut], at: Instant) -> Option<usize> {
    let tolerance = Duration::from_millis(u64::from(GOP_MS) / 4);
    cuts.iter().rposition(|cut| cut.closed <= at + tolerance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_playable_when_the_edge_is_far_enough_ahead() {
        let clip = Clip::new();
        let pictures = Pictures::of(&clip);
        let begin = Instant::now();
        let sent: Vec<Instant> = clip
            .cycle
            .iter()
            .map(|unit| begin + Duration::from_millis(unit.timestamp_ms.into()))
            .collect();
        // Parts of six pictures that arrive with the picture behind them.
        let arrivals: Vec<_> = (0..20)
            .map(|part| part * 6..part * 6 + 6)
            .map(|range| (begin + pictures.time(range.end), range))
            .collect();
        let mut table = Table::new(["own", "other"]);
        let hold_back = Duration::from_millis(600);
        ages(
            Column::Own,
            &arrivals,
            hold_back,
            &pictures,
            &sent,
            &mut table,
        );
        let json = table.json();
        let figure = |row: usize| json["rows"][row]["own"].as_f64().unwrap();
        assert!((116.0..118.0).contains(&figure(0)), "{json}");
        assert!((199.0..201.0).contains(&figure(1)), "{json}");
        assert!((667.0..=700.0).contains(&figure(2)), "{json}");
    }
}
