//! Waiting readers: each keeps a request open that the next part answers.
//!
//! One thread and one connection for each rendition that is followed: the answer wakes the thread that
//! looks at the clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::edge::{Edge, Position};
use super::pictures::Held;
use crate::http::Connection;
use crate::publisher::APP;

/// Enough for a thread that reads.
const STACK: usize = 256 << 10;

/// How a reader gets the next part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a blocking reload of the playlist, then by the URI in it: hls.js.
    Reload,
    /// By the URI that the playlist hints at, before it is there: Apple's players.
    Hint,
}

/// One of the playlists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendition {
    Video,
    Audio,
}

impl Rendition {
    /// Where its playlist is.
    pub(crate) fn playlist(self, name: &str) -> String {
        let rendition = match self {
            Self::Video => "video",
            Self::Audio => "audio",
        };
        format!("/{APP}/{name}/{rendition}.m3u8")
    }
}

/// A part that has arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receipt {
    /// Its last byte was read.
    pub(crate) arrived: Instant,
    /// Its pictures; nothing is noted of sound.
    pub(crate) held: Option<Held>,
}

/// Follows one rendition.
#[derive(Debug)]
pub(crate) struct Follower {
    connection: Connection,
    playlist: String,
    rendition: Rendition,
    way: Way,
    body: Vec<u8>,
}

impl Follower {
    /// Nothing is requested yet.
    pub(crate) fn new(http: SocketAddr, name: &str, rendition: Rendition, way: Way) -> Self {
        Self {
            connection: Connection::new(http),
            playlist: rendition.playlist(name),
            rendition,
            way,
            body: Vec::new(),
        }
    }

    /// Requests the playlist as it is, which waits for the first part.
    pub(crate) fn edge(&mut self) -> anyhow::Result<Edge> {
        let path = self.playlist.clone();
        self.fetch(&path)?;
        Edge::read(&self.body)
    }

    /// Requests the playlist once it lists `at`.
    pub(crate) fn reload(&mut self, at: Position) -> anyhow::Result<Edge> {
        let Position { segment, part } = at;
        let path = format!("{}?_HLS_msn={segment}&_HLS_part={part}", self.playlist);
        self.fetch(&path)?;
        Edge::read(&self.body)
    }

    /// Fetches what is at `uri`, relative to the playlist.
    pub(crate) fn piece(&mut self, uri: &str) -> anyhow::Result<&[u8]> {
        let path = self.resolve(uri);
        self.fetch(&path)?;
        Ok(&self.body)
    }

    /// Follows from the edge on until `stop`, and says when each part arrived.
    pub(crate) fn follow(&mut self, stop: &AtomicBool) -> anyhow::Result<Vec<Receipt>> {
        let mut receipts = Vec::new();
        let mut edge = self.edge()?;
        while !stop.load(Ordering::Relaxed) {
            let mut at = edge.next;
            if let Some(hint) = edge.hint.as_ref().filter(|_| self.way == Way::Hint) {
                let path = self.resolve(hint);
                let status = self.connection.get(&path, &mut self.body)?;
                // The segment may have ended before the part that was hinted at.
                if status != 404 {
                    ensure!(status == 200, "{path} was hinted at, and answered {status}");
                    receipts.push(self.receipt()?);
                    at.part += 1;
                }
            }
            let asked = edge.next;
            edge = self.reload(asked)?;
            let listed: Vec<String> = edge.since(at).map(|part| part.uri.clone()).collect();
            for uri in listed {
                self.piece(&uri)?;
                receipts.push(self.receipt()?);
            }
        }
        Ok(receipts)
    }

    fn receipt(&self) -> anyhow::Result<Receipt> {
        let arrived = Instant::now();
        let held = match self.rendition {
            Rendition::Video => Some(Held::read(&self.body)?),
            Rendition::Audio => None,
        };
        Ok(Receipt { arrived, held })
    }

    fn resolve(&self, uri: &str) -> String {
        let folder = self.playlist.rsplit_once('/');
        format!("{}/{uri}", folder.map_or("", |(folder, _)| folder))
    }

    fn fetch(&mut self, path: &str) -> anyhow::Result<()> {
        let status = self.connection.get(path, &mut self.body)?;
        ensure!(status == 200, "{path} was answered with {status}");
        Ok(())
    }
}

/// Readers at work. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct Followers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Vec<Receipt>>>>,
}

impl Followers {
    /// Starts all of them.
    pub(crate) fn start(followers: Vec<Follower>) -> anyhow::Result<Self> {
        let mut all = Self {
            stop: Arc::default(),
            threads: Vec::new(),
        };
        for mut follower in followers {
            let stop = Arc::clone(&all.stop);
            let thread = std::thread::Builder::new().stack_size(STACK);
            let thread = thread.spawn(move || follower.follow(&stop))?;
            all.threads.push(thread);
        }
        Ok(all)
    }

    /// Ends them, with the next part of each, and returns what they received, in the order given.
    pub(crate) fn stop(mut self) -> anyhow::Result<Vec<Vec<Receipt>>> {
        self.end()
            .into_iter()
            .enumerate()
            .map(|(index, receipts)| receipts.with_context(|| format!("waiting reader {index}")))
            .collect()
    }

    fn end(&mut self) -> Vec<anyhow::Result<Vec<Receipt>>> {
        self.stop.store(true, Ordering::Relaxed);
        let threads = self.threads.drain(..);
        threads
            .map(|thread| thread.join().expect("a reading thread should not panic"))
            .collect()
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        // Whoever wanted the receipts has them.
        let _ = self.end();
    }
}
