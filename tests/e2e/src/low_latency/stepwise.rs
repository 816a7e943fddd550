//! A publisher that sends when it is told to, and requests that wait meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::load::Load;
use crate::peer::Peer;
use crate::scripted::{Ending, Left, Publisher, Unit};
use crate::{Gateway, http, wait};

/// Nothing that is not held on purpose takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A publish of `live/show` that goes no further than it is told.
pub struct Stepwise {
    publisher: Publisher,
    script: Box<dyn Iterator<Item = Unit> + Send>,
    next: Option<Unit>,
}

impl Stepwise {
    /// Begins to publish, and sends nothing yet.
    ///
    /// # Panics
    /// It is refused.
    pub fn publish(gateway: &Gateway, script: impl Iterator<Item = Unit> + Send + 'static) -> Self {
        Self {
            publisher: Publisher::publish(gateway.rtmp, "live", "show"),
            script: Box::new(script),
            next: None,
        }
    }

    /// Sends what is due before this media time, in milliseconds, at once.
    ///
    /// # Panics
    /// The gateway does not take it.
    pub fn send_until(&mut self, ms: u64) {
        let end = Duration::from_millis(ms);
        while let Some(unit) = self.next.take().or_else(|| self.script.next()) {
            if unit.at >= end {
                self.next = Some(unit);
                return;
            }
            assert!(self.publisher.send(&unit), "it is cut off");
        }
    }

    /// Goes on with another script.
    pub fn go_on(&mut self, script: impl Iterator<Item = Unit> + Send + 'static) {
        self.script = Box::new(script);
        self.next = None;
    }

    /// Leaves.
    pub fn leave(self, ending: Ending) -> Left {
        self.publisher.leave(ending)
    }
}

/// A request that was sent; nobody has looked for its answer yet.
pub struct Asked {
    path: String,
    peer: Peer,
    since: Instant,
}

impl Asked {
    /// Asks for a path, which begins with `/`.
    pub fn get(at: SocketAddr, path: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
        Self::raw(at, path, &head)
    }

    /// Sends this head, which asks for `path`.
    pub fn raw(at: SocketAddr, path: &str, head: &str) -> Self {
        let mut peer = Peer::connect(at);
        assert_eq!(peer.send(head.as_bytes()), head.len(), "it is taken");
        Self {
            path: path.to_owned(),
            peer,
            since: Instant::now(),
        }
    }

    /// What has come of the answer within so long.
    pub fn heard_within(&mut self, limit: Duration) -> &[u8] {
        self.peer.hear_out(limit);
        self.peer.heard()
    }

    /// Waits for the whole answer; gives when it was there, counted from the request.
    ///
    /// # Panics
    /// There is none within `limit`.
    pub fn answer(mut self, limit: Duration) -> (http::Answer, Duration) {
        self.peer.until_closed(limit);
        let took = self.since.elapsed();
        let answer = http::parse(self.peer.heard());
        let words = self.peer.words();
        let answer = answer.unwrap_or_else(|| panic!("{}: no answer but {words:?}", self.path));
        (answer, took)
    }

    /// Waits for a playlist.
    ///
    /// # Panics
    /// The answer is another one.
    pub fn load(self) -> Load {
        let path = self.path.clone();
        let (answer, _) = self.answer(PATIENCE);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        Load::read(&answer.text())
    }
}

/// Loads a media playlist of `/live/show` until it shows something.
///
/// # Panics
/// It does not.
pub fn until_listed(
    gateway: &Gateway,
    uri: &str,
    what: &str,
    shows: impl Fn(&Load) -> bool,
) -> Load {
    wait::until(what, PATIENCE, || {
        let answer = gateway.get(&format!("/live/show/{uri}"));
        if answer.status != 200 {
            return None;
        }
        let load = Load::read(&answer.text());
        shows(&load).then_some(load)
    })
}
