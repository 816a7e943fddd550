//! From connecting to an accepted publish: TCP, handshake, connect, createStream, publish.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::clip::Clip;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::stats::milliseconds;
use crate::table::{Aim, Metric, Table};

/// Measures both servers in turn, so often each.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    count: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let servers = Peer::BOTH.map(|peer| Server::start(peer, gateway));
    let what = "connect to publish accepted";
    let median = Metric::median(what, "ms").aim(Aim::AtMost(2.0));
    let p95 = Metric::p95(what, "ms");
    let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
    for index in 0..count {
        for server in &servers {
            let name = format!("accepted{index}");
            let begin = Instant::now();
            let publisher = Publisher::connect(server.rtmp, &name, Arc::clone(clip))?;
            let took = milliseconds(begin.elapsed());
            drop(publisher);
            table.add(&median, server.peer, took);
            table.add(&p95, server.peer, took);
        }
    }
    Ok(())
}
