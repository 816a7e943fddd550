//! What the low-latency form costs: processor time of a stream with a viewer of that form beside one
//! with a classic viewer, and of a stream that nobody watches beside a gateway that makes no parts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::follower::{Follower, Followers, Rendition, Way};
use super::{Parts, keys};
use crate::clip::{Clip, GOP_MS};
use crate::cost::stream_costs;
use crate::load::Load;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::table::{Aim, Column, Metric, Table};
use crate::viewers::Viewers;
use crate::wait;

/// Two GOPs: codecs are known, and the first segment of every stream is listed or about to be.
const WARM_UP: Duration = Duration::from_millis(2 * GOP_MS as u64);
/// For the readers to reach the edge.
const READERS_WARM_UP: Duration = Duration::from_millis(GOP_MS as u64);
/// A write later than this means that the machine could not carry the load.
const LATE: Duration = Duration::from_millis(250);

/// Measures both gateways, one after the other, with so many publishers and in so many windows.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    streams: u32,
    windows: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let of = |who: &str| {
        Metric::median(
            format!("processor, {streams} streams, {who}"),
            "ms/stream-second",
        )
    };
    let watched = of("each watched in its form").aim(Aim::RatioAtMost(1.5));
    let unwatched = of("not watched; beside no parts");
    let classically = of("watched classically; beside no parts");
    // Tells dear requests from a server that wakes more often than its streams ask for.
    let wakes = Metric::median(
        format!("wake-ups, {streams} streams, each watched in its form"),
        "/stream-second",
    );
    let requests = Metric::median(
        format!("parts or segments fetched, {streams} streams"),
        "/stream-second",
    );

    for parts in [Parts::None, Parts::Made] {
        let column = match parts {
            Parts::Made => Column::Own,
            Parts::None => Column::Other,
        };
        let mut server = Server::forebay(gateway, &keys(parts))?;
        let processes = server.processes()?;
        let names: Vec<String> = (0..streams).map(|index| format!("stream{index}")).collect();
        let publishers = names
            .iter()
            .map(|name| Publisher::connect(server.rtmp, name, Arc::clone(clip)))
            .collect::<Result<_, _>>()?;
        let load = Load::start(publishers);
        wait::pass(WARM_UP);
        let observe = |table: &mut Table, metrics: &[&Metric]| -> anyhow::Result<()> {
            for sample in stream_costs(&processes, streams, windows)? {
                for metric in metrics {
                    table.add(metric, column, sample.cpu_ms);
                    if **metric == watched {
                        table.add(&wakes, column, sample.wakes);
                    }
                }
            }
            Ok(())
        };
        observe(table, &[&unwatched])?;

        // Of both forms the classic viewers first: then the low-latency form has not been asked for yet.
        let playlists = names.iter().map(|name| Peer::Forebay.playlist(name));
        let viewers = Viewers::start(server.http, playlists.collect());
        let begin = Instant::now();
        wait::pass(READERS_WARM_UP);
        match parts {
            Parts::Made => observe(table, &[&classically])?,
            Parts::None => observe(table, &[&classically, &watched])?,
        }
        let segments = viewers.stop()?;
        let stream_seconds = begin.elapsed().as_secs_f64() * f64::from(streams);
        ensure!(
            segments >= u64::from(streams),
            "{streams} viewers fetched no more than {segments} segments"
        );
        if parts == Parts::None {
            table.add(&requests, column, segments as f64 / stream_seconds);
        } else {
            let both = [Rendition::Video, Rendition::Audio];
            let followers = names.iter().flat_map(|name| {
                both.map(|rendition| Follower::new(server.http, name, rendition, Way::Reload))
            });
            let followers = Followers::start(followers.collect())?;
            let begin = Instant::now();
            wait::pass(READERS_WARM_UP);
            observe(table, &[&watched])?;
            let received = followers.stop()?;
            let stream_seconds = begin.elapsed().as_secs_f64() * f64::from(streams);
            let received: usize = received.iter().map(Vec::len).sum();
            table.add(&requests, column, received as f64 / stream_seconds);
        }
        let latest = load.stop()?.latest;
        server.ensure_running()?;
        if latest > LATE {
            table.note(format!(
                "ll_cost, {streams} streams, parts: {parts:?}: the publishers were up to {latest:?} late"
            ));
        }
    }
    Ok(())
}
