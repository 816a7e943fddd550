//! How long until a finished segment is listed, as a reader over HTTP sees it.
//!
//! Two clocks are started: at the last byte of the segment's own last access unit, and at the last
//! byte of the random access unit after it, which is the first moment at which a server can know
//! that the segment is complete. Several streams cut in turn, and the one that cuts next is polled.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::clip::{Clip, GOP_MS};
use crate::load::{Cut, Load};
use crate::publisher::Publisher;
use crate::server::{Peer, Server};
use crate::stats::milliseconds;
use crate::table::{Aim, Metric, Table};
use crate::viewers::Viewer;
use crate::wait;

/// Streams that cut in turn, a quarter of a second apart.
const STREAMS: u32 = 8;
/// Until all of them have listed a segment.
const WARM_UP: Duration = Duration::from_millis(3 * GOP_MS as u64);
/// Between two requests: small against what is measured, and leaves the server its processor.
const POLL: Duration = Duration::from_micros(50);

/// Measures one server for so long.
pub(crate) fn measure(
    peer: Peer,
    gateway: &Path,
    clip: &Arc<Clip>,
    duration: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let server = Server::start(peer, gateway)?;
    let names: Vec<String> = (0..STREAMS).map(|index| format!("listed{index}")).collect();
    let publishers = names
        .iter()
        .map(|name| Publisher::connect(server.rtmp, name, Arc::clone(clip)))
        .collect::<Result<_, _>>()?;
    let load = Load::start(publishers);
    wait::pass(WARM_UP);

    let mut viewers: Vec<Viewer> = names
        .iter()
        .map(|name| Viewer::new(server.http, peer.playlist(name)))
        .collect();
    let listed = follow(&mut viewers, duration)?;
    let cuts = load.stop()?.cuts;

    let from_cut = "listing, from the next random access unit";
    let from_end = "listing, from the segment's last access unit";
    let metrics = [
        Metric::median(from_cut, "ms").aim(Aim::AtMost(2.0)),
        Metric::p95(from_cut, "ms"),
        Metric::median(from_end, "ms"),
        Metric::p95(from_end, "ms"),
    ];
    ensure!(
        !listed.is_empty(),
        "{peer:?} listed nothing within {duration:?}"
    );
    for (stream, at) in listed {
        let cut = nearest(&cuts[stream], at).with_context(|| {
            format!("{peer:?} listed a segment of stream {stream} without a cut")
        })?;
        let since = |from: Instant| milliseconds(at.saturating_duration_since(from));
        let samples = [
            since(cut.closed),
            since(cut.closed),
            since(cut.complete),
            since(cut.complete),
        ];
        for (metric, sample) in metrics.iter().zip(samples) {
            table.add(metric, peer, sample);
        }
    }
    Ok(())
}

/// When which stream listed a segment.
fn follow(viewers: &mut [Viewer], duration: Duration) -> anyhow::Result<Vec<(usize, Instant)>> {
    let mut ends = Vec::new();
    for viewer in viewers.iter_mut() {
        ends.push(viewer.poll()?.context("a stream without a playlist")?.end());
    }
    let deadline = Instant::now() + duration;
    let mut listed = Vec::new();
    let mut stream = 0;
    // Whose turn it is shows at the first change: until then all are polled in turn.
    let mut in_step = false;
    while Instant::now() < deadline {
        let end = viewers[stream]
            .poll()?
            .context("a playlist that went away")?
            .end();
        let changed = end > ends[stream];
        if changed && in_step {
            listed.push((stream, Instant::now()));
        }
        ends[stream] = end;
        in_step |= changed;
        if changed || !in_step {
            stream = (stream + 1) % viewers.len();
        }
        wait::pass(POLL);
    }
    Ok(listed)
}

/// The cut that a listing answers: cuts of one stream are seconds apart. It may seem to come after
/// its listing, when the publishing thread was put aside between its write and its clock.
fn nearest(cuts: &[Cut], listed: Instant) -> Option<&Cut> {
    let distance = |cut: &&Cut| {
        let after = listed.saturating_duration_since(cut.closed);
        after.max(cut.closed.saturating_duration_since(listed))
    };
    cuts.iter()
        .min_by_key(distance)
        .filter(|cut| distance(cut) < Duration::from_millis(u64::from(GOP_MS) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_answers_the_nearest_cut() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let cut = |ms| Cut {
            complete: at(ms - 33),
            closed: at(ms),
        };
        let cuts = [cut(2000), cut(4000)];
        for (listed, expected) in [
            (2001, Some(2000)),
            (3999, Some(4000)),
            (4900, Some(4000)),
            (5000, None),
            (0, None),
        ] {
            let found = nearest(&cuts, at(listed)).map(|cut| cut.closed);
            assert_eq!(found, expected.map(at), "{listed}");
        }
    }
}
