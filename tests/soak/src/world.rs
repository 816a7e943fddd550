//! What publishers, viewers and whoever kills the gateway share.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::gateway::{Gateway, lock};
use crate::ledger::Book;
use crate::report::Report;
use crate::stumble::Stumble;
use crate::wilful::Wilful;

/// Bodies of each publisher that are remembered for other viewers to compare with.
const BODIES: usize = 64;

/// Everything there is.
pub(crate) struct World {
    /// All chance comes from it.
    pub(crate) seed: u64,
    /// What is tested.
    pub(crate) gateway: Gateway,
    /// What was found.
    pub(crate) report: Report,
    /// The ledger of each publisher.
    pub(crate) books: Vec<Mutex<Book>>,
    /// A fault of ours, to see that it is found.
    pub(crate) wilful: Option<Wilful>,
    bodies: Mutex<Bodies>,
    /// Publishers are to leave in good order.
    closing: AtomicBool,
    /// Viewers are to leave.
    closed: AtomicBool,
}

/// Hashes of segments by path.
#[derive(Default)]
struct Bodies {
    hashes: HashMap<String, u64>,
    order: VecDeque<String>,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        publishers: usize,
        gateway: Gateway,
        wilful: Option<Wilful>,
    ) -> Self {
        Self {
            seed,
            gateway,
            report: Report::new(publishers),
            books: (0..publishers)
                .map(|index| Mutex::new(Book::new(index)))
                .collect(),
            wilful,
            bodies: Mutex::default(),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// The name that a publisher publishes.
    pub(crate) fn name(publisher: usize) -> String {
        format!("p{publisher:02}")
    }

    /// A publisher's last session stumbles.
    pub(crate) fn stumble(&self, publisher: usize, what: Stumble) {
        self.report.stumble(publisher, what);
        lock(&self.books[publisher]).stumble(what);
    }

    /// Publishers are to leave.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Viewers are to leave.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Lets publishers leave.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Lets viewers leave.
    pub(crate) fn shut(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Remembers a segment, or holds it against what is remembered: false if it is another.
    pub(crate) fn same_body(&self, path: &str, body: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(body);
        let hash = hasher.finish();
        let mut bodies = lock(&self.bodies);
        if let Some(before) = bodies.hashes.get(path) {
            return *before == hash;
        }
        if bodies.order.len() >= BODIES * self.books.len()
            && let Some(oldest) = bodies.order.pop_front()
        {
            bodies.hashes.remove(&oldest);
        }
        bodies.order.push_back(path.to_owned());
        bodies.hashes.insert(path.to_owned(), hash);
        true
    }
}
