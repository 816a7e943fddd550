//! What a ladder costs: streams that are the rungs of presentations beside as many that are published alone.

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

/// The table of this measure.
pub(crate) fn table() -> Table {
    Table::new(["ladder", "alone"])
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
    let of = |what: &str| format!("{what}, {presentations} presentations of 4 rungs");
    let cpu = Metric::median(of("processor"), "ms/stream-second").aim(Aim::RatioAtMost(1.1));
    let wakes = Metric::median(of("wake-ups"), "/stream-second");
    let memory = Metric::median(of("memory (PSS)"), "MB/stream");
    let late = Metric::worst(of("publishers late"), "ms").aim(Aim::AtMost(250.0));
    let variants = Metric::median(of("variants"), "").aim(Aim::AtLeast(4.0));
    let streams = presentations * 4;

    for column in [Column::Own, Column::Other] {
        let mut server = Server::forebay(gateway, &[])?;
        let processes = server.processes()?;
        let idle = processes.memory()?;
        let name = |of: u32, rung: u32| match column {
            Column::Own => format!("show{of}_{rung}p"),
            Column::Other => format!("show{of}-{rung}"),
        };
        let names = (0..presentations).flat_map(|of| RUNGS.map(|rung| name(of, rung)));
        let publishers = names
            .map(|name| Publisher::connect(server.rtmp, &name, Arc::clone(clip)))
            .collect::<Result<_, _>>()?;
        let load = Load::start(publishers);
        wait::pass(WARM_UP);

        // Players take one rung at a time.
        let watched = |of: u32| name(of, RUNGS[usize::try_from(of).unwrap_or(0) % RUNGS.len()]);
        let playlists = (0..presentations).map(|of| Peer::Forebay.playlist(&watched(of)));
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
        if column == Column::Own {
            for of in 0..presentations {
                table.add(&variants, column, variants_of(&server, of)? as f64);
            }
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
