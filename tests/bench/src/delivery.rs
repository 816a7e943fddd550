//! How many playlists and segments a second of the server's processor delivers.
//!
//! Forebay serves a live publish; nginx serves the same bytes as files on tmpfs from its cache of
//! open files, which is the fastest it knows. The load is `wrk` with kept-alive connections.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::clip::Clip;
use crate::http::Connection;
use crate::load::Load;
use crate::playlist::Listing;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::table::{Aim, Metric, Table};
use crate::viewers::Viewer;
use crate::{wait, wrk};

/// The publish that is delivered.
const NAME: &str = "delivered";
/// Segments listed before the first request, so that the playlist has its usual length.
const SEGMENTS: usize = 6;
/// Longest wait for enough segments.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures both servers in turn, so often and so long each.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    rounds: u32,
    duration: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let forebay = Server::start(Peer::Forebay, gateway)?;
    let nginx = Server::start(Peer::NginxRtmp, gateway)?;
    let publisher = Publisher::connect(forebay.rtmp, NAME, Arc::clone(clip))?;
    let load = Load::start(vec![publisher]);
    let playlist = Peer::Forebay.playlist(NAME);
    let mut viewer = Viewer::new(forebay.http, playlist.clone());
    wait::until("segments to deliver", PATIENCE, || {
        Ok(viewer
            .poll()?
            .filter(|listing| listing.paths.len() >= SEGMENTS))
    })?;

    for _ in 0..rounds {
        for content in [Content::Playlist, Content::Segment] {
            let path = match content {
                Content::Playlist => playlist.clone(),
                // The newest stays longest.
                Content::Segment => newest(viewer.poll()?)?,
            };
            let mut body = Vec::new();
            let status = Connection::new(forebay.http).get(&path, &mut body)?;
            ensure!(status == 200, "{path} was answered with {status}");
            let copy = match content {
                Content::Playlist => "playlist.m3u8",
                Content::Segment => "segment.ts",
            };
            // Once: nginx may hold the open file.
            let file = nginx.static_folder().join(copy);
            if !file.exists() {
                fs::write(&file, &body)?;
            }
            let file_bytes = fs::metadata(&file)?.len();
            deliver(&forebay, &path, content, body.len() as f64, duration, table)?;
            let path = format!("/static/{copy}");
            deliver(&nginx, &path, content, file_bytes as f64, duration, table)?;
        }
    }
    load.stop()?;
    Ok(())
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Playlist,
    Segment,
}

fn newest(listing: Option<Listing>) -> anyhow::Result<String> {
    let listing = listing.context("the playlist went away")?;
    listing.paths.last().cloned().context("an empty playlist")
}

fn deliver(
    server: &Server,
    path: &str,
    content: Content,
    body_bytes: f64,
    duration: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let processes = server.processes()?;
    let before = processes.usage()?;
    let replies = f64::from(wrk::run(server.http, path, duration)?);
    let seconds = (processes.usage()? - before).cpu.as_secs_f64();
    let mut add = |metric: Metric, sample| table.add(&metric, server.peer, sample);
    match content {
        Content::Playlist => add(
            Metric::median("playlists delivered", "/processor-second").aim(Aim::RatioAtLeast(1.0)),
            replies / seconds,
        ),
        Content::Segment => {
            add(
                Metric::median("segments delivered", "/processor-second")
                    .aim(Aim::RatioAtLeast(1.0)),
                replies / seconds,
            );
            add(
                Metric::median("segments delivered, bytes", "GB/processor-second"),
                replies * body_bytes / seconds / 1e9,
            );
        }
    }
    Ok(())
}
