//! Thousands of viewers that wait for the same part: when the last is answered, and what one costs.
//!
//! Right after a segment has begun everybody asks for the first part of the next one, so that all of
//! them wait for more than a second and then for one part. The same connections ask for the classic
//! playlist, which is answered at once: the processor time of a request without the waiting.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::edge::{Edge, Position};
use super::follower::{Follower, Rendition, Way};
use super::pictures::{Held, Pictures};
use super::throng::Throng;
use super::{LATE, Parts, keys};
use crate::clip::{Clip, GOP_MS};
use crate::cost::Processes;
use crate::load::Load;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::stats::milliseconds;
use crate::table::{Aim, Column, Metric, Table};
use crate::wait;

const NAME: &str = "crowded";
/// Both forms have segments.
const WARM_UP: Duration = Duration::from_millis(2 * GOP_MS as u64 + 500);
/// From the last request to the look at the memory: all of them are read by then.
const SETTLE: Duration = Duration::from_millis(400);
/// Longest wait for the last answer, from when it may come at the latest.
const PATIENCE: Duration = Duration::from_secs(15);
/// Parts of a segment that may be there when everybody asks for the next.
const FRESH: u64 = 2;

/// One part that everybody waited for.
#[derive(Debug)]
struct Release {
    /// The last request was written.
    asked: Instant,
    answers: Vec<Instant>,
    held: Held,
}

/// Measures so many viewers with so many parts.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    viewers: u32,
    releases: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut server = Server::forebay(gateway, &keys(Parts::Made))?;
    let processes = server.processes()?;
    let publisher = Publisher::connect(server.rtmp, NAME, Arc::clone(clip))?;
    let load = Load::start(vec![publisher]);
    wait::pass(WARM_UP);
    let own = own_cost(&processes)?;
    let mut probe = Follower::new(server.http, NAME, Rendition::Video, Way::Reload);
    let mut edge = probe.edge()?;
    let cpu = Metric::median(format!("processor for an answer, {viewers} viewers"), "µs");
    let cpu = cpu.aim(Aim::AtMost(40.0));
    let memory = Metric::worst(
        format!("memory (RSS) of a waiting viewer, of {viewers}"),
        "kB",
    );
    let memory = memory.aim(Aim::AtMost(20.0));

    let resident = processes.memory()?.rss;
    let mut throng = Throng::connect(server.http, viewers)?;
    let mut released = Vec::new();
    for _ in 0..releases {
        while edge.next.part == 0 || edge.next.part > FRESH {
            edge = probe.reload(edge.next)?;
        }
        let at = Position {
            segment: edge.next.segment + 1,
            part: 0,
        };
        let before = (Instant::now(), processes.usage()?.cpu);
        throng.ask(&format!(
            "{}?_HLS_msn={}&_HLS_part={}",
            Rendition::Video.playlist(NAME),
            at.segment,
            at.part
        ))?;
        let asked = Instant::now();
        wait::pass(SETTLE);
        let waiting = processes.memory()?.rss.saturating_sub(resident);
        table.add(
            &memory,
            Column::Own,
            waiting as f64 / 1e3 / f64::from(viewers),
        );
        let answers = throng.answers(PATIENCE)?;
        table.add(&cpu, Column::Own, each(&processes, before, own, viewers)?);
        edge = probe.edge()?;
        released.push(Release {
            asked,
            answers,
            held: held(&mut probe, &edge, at)?,
        });
    }
    for _ in 0..releases {
        let before = (Instant::now(), processes.usage()?.cpu);
        throng.ask(&Peer::Forebay.playlist(NAME))?;
        throng.answers(PATIENCE)?;
        table.add(&cpu, Column::Other, each(&processes, before, own, viewers)?);
    }
    drop(throng);
    let report = load.stop()?;
    server.ensure_running()?;
    if report.latest > LATE {
        table.note(format!(
            "ll_crowd: the publisher was up to {:?} late",
            report.latest
        ));
    }
    answered(&released, &report.sent[0], clip, viewers, table)
}

/// Adds how long after the part everybody had an answer.
fn answered(
    released: &[Release],
    sent: &[Instant],
    clip: &Clip,
    viewers: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let what = format!("part to answer, {viewers} viewers");
    let median = Metric::median(&what, "ms");
    let p99 = Metric::p99(&what, "ms");
    let last = Metric::worst(&what, "ms").aim(Aim::AtMost(100.0));
    let pictures = Pictures::of(clip);
    for release in released {
        let first = release.answers.iter().min().context("nobody waited")?;
        let range = pictures.range(release.held, *first, sent)?;
        // The picture behind a part says that the part is complete.
        let complete = pictures.sent(range.end, sent);
        let complete = complete.context("a part was listed before the picture behind it")?;
        if release.asked > complete {
            table.note(format!(
                "ll_crowd: the last of {viewers} viewers asked {:?} after the part was there; \
                 that part is left out",
                release.asked - complete
            ));
            continue;
        }
        for answer in &release.answers {
            let after = milliseconds(answer.saturating_duration_since(complete));
            for metric in [&median, &p99, &last] {
                table.add(metric, Column::Own, after);
            }
        }
    }
    Ok(())
}

/// What the part at `at` holds, which has been listed.
fn held(probe: &mut Follower, edge: &Edge, at: Position) -> anyhow::Result<Held> {
    let part = edge.since(at).next().context("the part is not listed")?;
    ensure!(part.at == at, "{at:?} is missing before {:?}", part.at);
    Held::read(probe.piece(&part.uri)?)
}

/// Processor time of the stream itself, as a share of the time.
fn own_cost(processes: &Processes) -> anyhow::Result<f64> {
    let before = (Instant::now(), processes.usage()?.cpu);
    wait::pass(Duration::from_millis(GOP_MS.into()));
    let used = processes.usage()?.cpu.saturating_sub(before.1);
    Ok(used.as_secs_f64() / before.0.elapsed().as_secs_f64())
}

/// Processor time of each of the requests since `before`, without the stream's own; microseconds.
fn each(
    processes: &Processes,
    before: (Instant, Duration),
    own: f64,
    requests: u32,
) -> anyhow::Result<f64> {
    let used = processes.usage()?.cpu.saturating_sub(before.1);
    let own = own * before.0.elapsed().as_secs_f64();
    Ok((used.as_secs_f64() - own).max(0.0) * 1e6 / f64::from(requests))
}
