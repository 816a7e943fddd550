//! One publisher as fast as the server takes it, every segment made.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::clip::Clip;
use crate::cost::Processes;
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::table::{Aim, Metric, Table};
use crate::viewers::Viewer;
use crate::wait;

const NAME: &str = "burst";
/// GOPs before the clock starts, one more than are listed then: fewer than any window holds.
const LEAD: u64 = 3;
/// GOPs between two looks of the reader: fewer than any window holds.
const STEP: u64 = 4;
/// Longest wait for what has been sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who takes the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Nobody: the publisher is held back by TCP alone.
    None,
    /// One, that fetches each segment once; the publisher waits for it every few GOPs.
    One,
}

/// Measures one server with about so many bytes.
pub(crate) fn measure(
    peer: Peer,
    gateway: &Path,
    clip: &Arc<Clip>,
    readers: Readers,
    bytes: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let server = Server::start(peer, gateway)?;
    let processes = server.processes()?;
    let mut source = Source {
        publisher: Publisher::connect(server.rtmp, NAME, Arc::clone(clip))?,
        wire: Vec::new(),
    };
    let mut viewer = Viewer::new(server.http, peer.playlist(NAME));
    source.publisher.send_headers()?;
    for _ in 0..LEAD {
        source.send_gop()?;
    }
    // The last GOP is closed by the one after it.
    let first = listed(&mut viewer, |end, first| end - first == LEAD - 1)?.media_sequence;

    let begin = (Instant::now(), processes.usage()?);
    let (mut sent, mut gops) = (0, LEAD);
    while sent < bytes {
        sent += source.send_gop()?;
        gops += 1;
        if readers == Readers::One && gops.is_multiple_of(STEP) {
            let listing = listed(&mut viewer, |end, _| end == first + gops - 1)?;
            viewer.fetch_new(&listing)?;
        }
    }
    drain(&processes)?;
    let elapsed = begin.0.elapsed();
    let used = processes.usage()? - begin.1;

    let end = listed(&mut viewer, |end, _| end == first + gops - 1)
        .with_context(|| format!("{peer:?} did not make every one of {} segments", gops - 1))?
        .end();
    ensure!(end == first + gops - 1);

    let megabytes = sent as f64 / 1e6;
    let peak = processes.memory()?.peak;
    let peak = peak as f64 / 1e6;
    let mut add = |metric: Metric, sample| table.add(&metric, peer, sample);
    let per_cpu = "MB/processor-second";
    match readers {
        Readers::None => {
            add(
                Metric::median("one fast publisher", per_cpu).aim(Aim::AtLeast(1000.0)),
                megabytes / used.cpu.as_secs_f64(),
            );
            add(
                Metric::median("one fast publisher, by the clock", "MB/s"),
                megabytes / elapsed.as_secs_f64(),
            );
            add(
                Metric::median("one fast publisher, peak memory (RSS)", "MB"),
                peak,
            );
        }
        Readers::One => add(
            Metric::median("one fast publisher, each segment fetched once", per_cpu),
            megabytes / used.cpu.as_secs_f64(),
        ),
    }
    Ok(())
}

struct Source {
    publisher: Publisher,
    wire: Vec<u8>,
}

impl Source {
    /// Sends a GOP and returns its length on the wire.
    fn send_gop(&mut self) -> anyhow::Result<usize> {
        self.wire.clear();
        loop {
            self.publisher.take_next(&mut self.wire);
            if self.publisher.next_is_random_access() {
                break;
            }
        }
        self.publisher.send(&self.wire)?;
        Ok(self.wire.len())
    }
}

/// Waits for a playlist whose end and first media sequence number are as wanted.
fn listed(
    viewer: &mut Viewer,
    wanted: impl Fn(u64, u64) -> bool,
) -> anyhow::Result<crate::playlist::Listing> {
    wait::until("the segments that were sent", PATIENCE, || {
        let listing = viewer.poll()?;
        Ok(listing.filter(|listing| wanted(listing.end(), listing.media_sequence)))
    })
}

/// Waits until the server has done its work: what the socket buffers still held is part of it.
fn drain(processes: &Processes) -> anyhow::Result<()> {
    let mut before = processes.usage()?.cpu;
    wait::until("the end of the work", PATIENCE, || {
        wait::pass(Duration::from_millis(20));
        let now = processes.usage()?.cpu;
        let used = now - before;
        before = now;
        Ok((used < Duration::from_micros(500)).then_some(()))
    })
}
