//! What a stream costs while it runs: processor time, wake-ups and memory, with and without readers.
//!
//! The server is started anew for every count. Each window is one GOP, so that it holds one cut of
//! every stream; the median of the windows leaves out what other programs did meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clip::{Clip, GOP_MS};
use crate::cost::{Memory, Processes, stream_costs};
use crate::load::Load;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::table::{Aim, Metric, Table};
use crate::viewers::Viewers;
use crate::wait;

/// Two GOPs: codecs are known, and the first segment of every stream is listed or about to be.
const WARM_UP: Duration = Duration::from_millis(2 * GOP_MS as u64);
/// For the readers to reach the edge.
const READERS_WARM_UP: Duration = Duration::from_millis(GOP_MS as u64);
/// A server that has just begun to listen may still do so.
const SETTLE: Duration = Duration::from_millis(300);
/// A write later than this means that the machine could not carry the load.
const LATE: Duration = Duration::from_millis(250);

/// Measures one server with so many publishers, in so many windows of each kind.
pub(crate) fn measure(
    peer: Peer,
    gateway: &Path,
    clip: &Arc<Clip>,
    streams: u32,
    windows: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut server = Server::start(peer, gateway)?;
    let processes = server.processes()?;
    wait::pass(SETTLE);
    let idle = processes.memory()?;

    let names: Vec<String> = (0..streams).map(|index| format!("stream{index}")).collect();
    let publishers = names
        .iter()
        .map(|name| Publisher::connect(server.rtmp, name, Arc::clone(clip)))
        .collect::<Result<_, _>>()?;
    let load = Load::start(publishers);
    wait::pass(WARM_UP);
    observe(&processes, peer, streams, "unwatched", windows, table)?;
    memory(&server, &processes, idle, streams, "unwatched", table)?;

    let playlists = names.iter().map(|name| peer.playlist(name)).collect();
    let viewers = Viewers::start(server.http, playlists);
    wait::pass(READERS_WARM_UP);
    observe(&processes, peer, streams, "watched", windows, table)?;
    memory(&server, &processes, idle, streams, "watched", table)?;

    let fetched = viewers.stop()?;
    let latest = load.stop()?.latest;
    server.ensure_running()?;
    if latest > LATE {
        table.note(format!(
            "{peer:?}, {streams} streams: the publishers were up to {latest:?} late"
        ));
    }
    anyhow::ensure!(
        fetched >= u64::from(windows.min(2) * streams),
        "{peer:?}: {streams} readers fetched no more than {fetched} segments"
    );
    Ok(())
}

/// Processor time and wake-ups, a sample for each window.
fn observe(
    processes: &Processes,
    peer: Peer,
    streams: u32,
    readers: &str,
    windows: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut cpu = Metric::median(
        format!("processor, {streams} streams {readers}"),
        "ms/stream-second",
    );
    if readers == "watched" {
        cpu = cpu.aim(Aim::RatioAtMost(0.5));
    }
    let wakes = Metric::median(
        format!("wake-ups, {streams} streams {readers}"),
        "/stream-second",
    );
    for cost in stream_costs(processes, streams, windows)? {
        table.add(&cpu, peer, cost.cpu_ms);
        table.add(&wakes, peer, cost.wakes);
    }
    Ok(())
}

fn memory(
    server: &Server,
    processes: &Processes,
    idle: Memory,
    streams: u32,
    readers: &str,
    table: &mut Table,
) -> anyhow::Result<()> {
    let of =
        |what: &str| Metric::median(format!("{what}, {streams} streams {readers}"), "MB/stream");
    let now = processes.memory()?;
    let megabytes = |bytes: u64| as_f64(bytes) / 1e6 / f64::from(streams);
    let private = megabytes(now.pss.saturating_sub(idle.pss));
    let files = megabytes(server.bytes_on_tmpfs()?);
    table.add(&of("memory (PSS)"), server.peer, private);
    table.add(
        &of("memory with segments on tmpfs"),
        server.peer,
        private + files,
    );
    Ok(())
}

/// Counts here are far below 2^52.
fn as_f64(count: u64) -> f64 {
    count as f64
}
