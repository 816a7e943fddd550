//! What was found: violations as they come, and the table at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::gateway::lock;
use crate::stumble::Stumble;

/// Violations that are printed; of more, only the number is told.
const PRINTED: u64 = 200;

/// What was checked, by kind.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Playlists that were read.
    pub(crate) playlists: AtomicU64,
    /// Segments that were fetched and taken apart.
    pub(crate) segments: AtomicU64,
    /// Segments that were fetched a second time.
    pub(crate) again: AtomicU64,
    /// Answers of viewers on bad lines that were whole, and so were checked.
    pub(crate) rude: AtomicU64,
    /// Answers of viewers on bad lines that were given up.
    pub(crate) given_up: AtomicU64,
    /// EXT-X-ENDLIST seen.
    pub(crate) endings: AtomicU64,
    /// Restarts over which a playlist was followed.
    pub(crate) restarts: AtomicU64,
    /// Sessions of publishers.
    pub(crate) sessions: AtomicU64,
    /// Pieces that the bad lines carried, and how many were late.
    pub(crate) pieces: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The report.
pub(crate) struct Report {
    begin: Instant,
    /// What was checked.
    pub(crate) counts: Counts,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// How often, and with how many violations.
    stumbles: BTreeMap<Stumble, (u64, u64)>,
    /// The last stumble of each publisher: what its violations are put down to.
    latest: Vec<Stumble>,
    violations: u64,
}

impl Report {
    pub(crate) fn new(publishers: usize) -> Self {
        let found = Found {
            latest: vec![Stumble::None; publishers],
            ..Found::default()
        };
        Self {
            begin: Instant::now(),
            counts: Counts::default(),
            found: Mutex::new(found),
        }
    }

    /// A publisher stumbles.
    pub(crate) fn stumble(&self, publisher: usize, what: Stumble) {
        let mut found = lock(&self.found);
        found.stumbles.entry(what).or_default().0 += 1;
        if let Some(latest) = found.latest.get_mut(publisher) {
            *latest = what;
        }
    }

    /// The gateway was killed: every publisher's last stumble.
    pub(crate) fn kill(&self) {
        let mut found = lock(&self.found);
        found.stumbles.entry(Stumble::Kill).or_default().0 += 1;
        found.latest.fill(Stumble::Kill);
    }

    /// A rule was broken: says so at once.
    pub(crate) fn violation(&self, publisher: Option<usize>, what: impl Into<String>) {
        let latest =
            publisher.and_then(|publisher| lock(&self.found).latest.get(publisher).copied());
        self.violation_after(publisher, latest.unwrap_or(Stumble::None), what);
    }

    /// A rule was broken after a certain stumble.
    pub(crate) fn violation_after(
        &self,
        publisher: Option<usize>,
        latest: Stumble,
        what: impl Into<String>,
    ) {
        let mut found = lock(&self.found);
        found.violations += 1;
        found.stumbles.entry(latest).or_default().1 += 1;
        if found.violations <= PRINTED {
            let who = publisher.map_or("the gateway".to_owned(), crate::world::World::name);
            println!(
                "VIOLATION at {:.1} s, {who}, after \"{}\": {}",
                self.begin.elapsed().as_secs_f64(),
                latest.words(),
                what.into()
            );
        }
    }

    /// How many rules were broken.
    pub(crate) fn violations(&self) -> u64 {
        lock(&self.found).violations
    }

    /// A line carried so many pieces, and so many of them late.
    pub(crate) fn carried(&self, pieces: u64, late: u64) {
        self.counts.pieces.fetch_add(pieces, Ordering::Relaxed);
        self.counts.late.fetch_add(late, Ordering::Relaxed);
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> u64 {
        self.begin.elapsed().as_secs()
    }

    /// The stumbles as a table.
    pub(crate) fn table(&self) -> String {
        let found = lock(&self.found);
        let mut table = format!("{:<34} {:>8} {:>12}\n", "stumble", "times", "violations");
        for what in Stumble::ALL {
            let (times, violations) = found.stumbles.get(&what).copied().unwrap_or_default();
            if what != Stumble::None || violations > 0 {
                let _ = writeln!(table, "{:<34} {times:>8} {violations:>12}", what.words());
            }
        }
        table
    }
}
