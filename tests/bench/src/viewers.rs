//! Light readers: each polls one playlist once per segment and fetches every new segment once.
//!
//! All on one thread with one kept-alive connection per stream; nothing is decoded or kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::clip::GOP_MS;
use crate::http::Connection;
use crate::playlist::Listing;

/// Readers at work. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct Viewers {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<u64>>>,
}

impl Viewers {
    /// One reader for each of the playlists at these paths; each begins with the newest segment.
    pub(crate) fn start(http: SocketAddr, playlists: Vec<String>) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || run(http, playlists, &stopped));
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Ends them and returns how many segments they fetched.
    pub(crate) fn stop(mut self) -> anyhow::Result<u64> {
        self.end().context("the viewers were ended twice")?
    }

    fn end(&mut self) -> Option<anyhow::Result<u64>> {
        drop(self.stop.take());
        let thread = self.thread.take()?;
        Some(thread.join().expect("the reading thread should not panic"))
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        // Whoever wanted the count has it.
        let _ = self.end();
    }
}

/// Follows one media playlist.
#[derive(Debug)]
pub(crate) struct Viewer {
    playlist: String,
    connection: Connection,
    /// The media sequence number after the last segment fetched.
    next: Option<u64>,
    body: Vec<u8>,
}

impl Viewer {
    /// Nothing is requested yet.
    pub(crate) fn new(http: SocketAddr, playlist: String) -> Self {
        Self {
            playlist,
            connection: Connection::new(http),
            next: None,
            body: Vec::new(),
        }
    }

    /// Requests the playlist; `None` while there is none.
    pub(crate) fn poll(&mut self) -> anyhow::Result<Option<Listing>> {
        if self.connection.get(&self.playlist, &mut self.body)? != 200 {
            return Ok(None);
        }
        Listing::read(&self.playlist, &self.body).map(Some)
    }

    /// Fetches what is listed and not yet fetched, and returns how much that was. Of the first
    /// listing only the newest is fetched, as by a player at the live edge.
    pub(crate) fn fetch_new(&mut self, listing: &Listing) -> anyhow::Result<u64> {
        let newest = listing.end().saturating_sub(1);
        let next = *self.next.get_or_insert(newest);
        ensure!(
            next >= listing.media_sequence,
            "segment {next} left {} before it was fetched",
            self.playlist
        );
        let skip = usize::try_from(next - listing.media_sequence)?;
        for path in listing.paths.iter().skip(skip) {
            let status = self.connection.get(path, &mut self.body)?;
            ensure!(status == 200, "{path} is listed and answered with {status}");
        }
        self.next = Some(listing.end().max(next));
        Ok(listing.end().saturating_sub(next))
    }
}

fn run(http: SocketAddr, playlists: Vec<String>, stopped: &Receiver<()>) -> anyhow::Result<u64> {
    let period = Duration::from_millis(GOP_MS.into());
    let begin = Instant::now();
    let count = u32::try_from(playlists.len())?;
    let mut viewers: Vec<Viewer> = playlists
        .into_iter()
        .map(|playlist| Viewer::new(http, playlist))
        .collect();
    let mut due: BinaryHeap<_> = (0..count)
        .zip(0..viewers.len())
        .map(|(share, index)| Reverse((begin + period * share / count, index)))
        .collect();
    let mut fetched = 0;
    while let Some(Reverse((deadline, index))) = due.pop() {
        let wait = deadline.saturating_duration_since(Instant::now());
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        let viewer = &mut viewers[index];
        let listing = viewer
            .poll()?
            .with_context(|| format!("no {}", viewer.playlist))?;
        fetched += viewer.fetch_new(&listing)?;
        due.push(Reverse((deadline + period, index)));
    }
    Ok(fetched)
}
