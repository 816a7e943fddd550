//! What a ladder costs: streams that are the rungs of presentations beside as many that are published alone, and rungs
//! that come through one connection beside as many that come through one each.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::clip::{Clip, GOP_MS};
use crate::cost::stream_costs;
use crate::http::Connection;
use crate::load::Load;
use crate::publisher::{APP, Publisher};
use crate::server::{Peer, Server};
use crate::stats::milliseconds;
use crate::table::{Aim, Column, Metric, Table};
use crate::viewers::Viewers;
use crate::wait;

const RUNGS: [u32; 4] = [1080, 720, 480, 360];

/// Codecs are known, rungs have found their places, and some segments are listed.
const WARM_UP: Duration = Duration::from_millis(4 * GOP_MS as u64);

/// The table of ladders beside streams alone.
pub(crate) fn table() -> Table {
    Table::new(["ladder", "alone"])
}

/// The table of the rungs of one connection beside those of four.
pub(crate) fn table_of_tracks() -> Table {
    Table::new(["1 connection", "4 connections"])
}

/// What publishes the rungs of a presentation, and which of them is watched.
struct Side {
    clip: Arc<Clip>,
    names: Vec<String>,
    watched: String,
    is_ladder: bool,
}

/// Measures so many presentations of four rungs, with a viewer for each presentation, and as many streams and viewers
/// without any ladder, in so many windows.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    presentations: u32,
    windows: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let side = |joint: &'static str, end: &'static str| {
        move |of: u32| {
            let names = RUNGS.map(|rung| format!("show{of}{joint}{rung}{end}"));
            // Players take one rung at a time.
            let watched = names[usize::try_from(of).unwrap_or(0) % RUNGS.len()].clone();
            Side {
                clip: Arc::clone(clip),
                names: names.to_vec(),
                watched,
                is_ladder: end == "p",
            }
        }
    };
    let sides: [&dyn Fn(u32) -> Side; 2] = [&side("_", "p"), &side("-", "")];
    compare(gateway, sides, presentations, windows, 1.1, table)
}

/// The same for presentations whose rungs are the video tracks of one connection, beside rungs that have one each.
pub(crate) fn measure_tracks(
    gateway: &Path,
    clip: &Arc<Clip>,
    presentations: u32,
    windows: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let tracks = Arc::new(Clip::with_tracks(u8::try_from(RUNGS.len())?));
    let together = |of: u32| Side {
        clip: Arc::clone(&tracks),
        names: vec![format!("show{of}")],
        watched: format!("show{of}"),
        is_ladder: true,
    };
    let apart = |of: u32| Side {
        clip: Arc::clone(clip),
        names: RUNGS.map(|rung| format!("show{of}_{rung}p")).to_vec(),
        watched: format!("show{of}_{}p", RUNGS[0]),
        is_ladder: true,
    };
    compare(
        gateway,
        [&together, &apart],
        presentations,
        windows,
        1.0,
        table,
    )
}

fn compare(
    gateway: &Path,
    sides: [&dyn Fn(u32) -> Side; 2],
    presentations: u32,
    windows: u32,
    at_most: f64,
    table: &mut Table,
) -> anyhow::Result<()> {
    let of = |what: &str| format!("{what}, {presentations} presentations of 4 rungs");
    let cpu = Metric::median(of("processor"), "ms/stream-second").aim(Aim::RatioAtMost(at_most));
    let wakes = Metric::median(of("wake-ups"), "/stream-second");
    let memory = Metric::median(of("memory (PSS)"), "MB/stream");
    let late = Metric::worst(of("publishers late"), "ms").aim(Aim::AtMost(250.0));
    let variants = Metric::median(of("variants"), "").aim(Aim::AtLeast(4.0));
    let streams = presentations * 4;

    for (column, side) in [Column::Own, Column::Other].into_iter().zip(sides) {
        let sides: Vec<Side> = (0..presentations).map(side).collect();
        let mut server = Server::forebay(gateway, &[])?;
        let processes = server.processes()?;
        let idle = processes.memory()?;
        let publishers = sides
            .iter()
            .flat_map(|side| side.names.iter().map(|name| (name, &side.clip)))
            .map(|(name, clip)| Publisher::connect(server.rtmp, name, Arc::clone(clip)))
            .collect::<Result<_, _>>()?;
        let load = Load::start(publishers);
        wait::pass(WARM_UP);

        let playlists = sides.iter().map(|it| Peer::Forebay.playlist(&it.watched));
        let viewers = Viewers::start(server.http, playlists.collect());
        wait::pass(WARM_UP);
        for cost in stream_costs(&processes, streams, windows)? {
            table.add(&cpu, column, cost.cpu_ms);
            table.add(&wakes, column, cost.wakes);
        }
        let held = processes.memory()?.pss.saturating_sub(idle.pss);
        table.add(&memory, column, held as f64 / 1e6 / f64::from(streams));
        let fetched = viewers.stop()?;
        ensure!(
            fetched >= u64::from(presentations),
            "{presentations} viewers fetched no more than {fetched} segments"
        );
        for (of, _) in (0..presentations)
            .zip(&sides)
            .filter(|(_, it)| it.is_ladder)
        {
            table.add(&variants, column, variants_of(&server, of)? as f64);
        }
        table.add(&late, column, milliseconds(load.stop()?.latest));
        server.ensure_running()?;
    }
    Ok(())
}

/// How many variants the multivariant playlist of presentation number `of` lists.
fn variants_of(server: &Server, of: u32) -> anyhow::Result<usize> {
    let mut body = Vec::new();
    let mut connection = Connection::new(server.http);
    let status = connection.get(&format!("/{APP}/show{of}/index.m3u8"), &mut body)?;
    ensure!(status == 200, "show{of}: {status} in place of a ladder");
    let text = String::from_utf8_lossy(&body);
    Ok(text.matches("#EXT-X-STREAM-INF:").count())
}
