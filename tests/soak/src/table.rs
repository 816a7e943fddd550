//! The table at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::gateway::lock;
use crate::ledger::Excuse;
use crate::samples::{Flat, Samples};
use crate::world::World;

/// All that was found; a process that is not flat is a violation of its own.
pub(crate) fn render(world: &World, samples: &Samples, flat: Option<Flat>) -> String {
    if let Some(flat) = flat {
        if !flat.memory_is() {
            let what = format!("resident memory is not flat: {:?} KiB", flat.resident_kib);
            world.report.violation(None, what);
        }
        if !flat.descriptors_are() {
            let what = format!("descriptors are not flat: {:?}", flat.descriptors);
            world.report.violation(None, what);
        }
    }
    let mut table = format!("\n{}\n", world.report.table());
    let mut row = |what: &str, value: String| {
        let _ = writeln!(table, "{what:<52} {value:>24}");
    };
    let counts = &world.report.counts;
    let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed).to_string();
    row("seed", world.seed.to_string());
    row("seconds", world.report.seconds().to_string());
    row("publishers", world.books.len().to_string());
    row("sessions", number(&counts.sessions));
    row("playlists checked", number(&counts.playlists));
    row("segments checked", number(&counts.segments));
    row("segments fetched again, equal", number(&counts.again));
    row("EXT-X-ENDLIST seen", number(&counts.endings));
    row(
        "playlists followed over a restart",
        number(&counts.restarts),
    );
    row("answers on bad lines: whole, checked", number(&counts.rude));
    row("answers on bad lines: given up", number(&counts.given_up));
    row("pieces on bad lines", number(&counts.pieces));
    row("of these late", number(&counts.late));
    let mut out = 0;
    let mut excused: BTreeMap<Excuse, u64> = BTreeMap::new();
    for book in &world.books {
        let book = lock(book);
        out += book.out;
        for (excuse, count) in &book.excused {
            *excused.entry(*excuse).or_default() += count;
        }
    }
    row(
        "access units that came out, each once, in order",
        out.to_string(),
    );
    for (excuse, count) in excused {
        row(&format!("not out: {}", excuse.words()), count.to_string());
    }
    row("starts of the gateway", world.gateway.starts().to_string());
    row(
        "resident memory, peak",
        format!("{} KiB", samples.peak_kib()),
    );
    match flat {
        Some(Flat {
            resident_kib: (first, last),
            descriptors: (open, left),
        }) => {
            row(
                "resident memory after warm-up",
                format!("{first} to {last} KiB"),
            );
            row("descriptors after warm-up", format!("{open} to {left}"));
        }
        None => row("memory and descriptors", "too short to judge".to_owned()),
    }
    row("violations", world.report.violations().to_string());
    table
}
