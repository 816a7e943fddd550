//! From an access unit's last byte to the end of the part that holds it, at a waiting reader.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::follower::{Follower, Followers, Rendition, Way};
use super::pictures::Pictures;
use super::{LATE, PART_MS, Parts, keys};
use crate::clip::{Clip, GOP_MS};
use crate::load::Load;
use crate::publisher::Publisher;
use crate::server::Server;
use crate::stats::milliseconds;
use crate::table::{Aim, Column, Metric, Table};
use crate::wait;

/// All publishers have begun, and every stream has parts.
const WARM_UP: Duration = Duration::from_millis(GOP_MS as u64 + 500);

/// Measures so many publishers with one waiting reader each, for so long.
pub(crate) fn measure(
    gateway: &Path,
    clip: &Arc<Clip>,
    publishers: u32,
    way: Way,
    duration: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut server = Server::forebay(gateway, &keys(Parts::Made))?;
    let names: Vec<String> = (0..publishers)
        .map(|index| format!("delayed{index}"))
        .collect();
    let load = Load::start(
        names
            .iter()
            .map(|name| Publisher::connect(server.rtmp, name, Arc::clone(clip)))
            .collect::<Result<_, _>>()?,
    );
    wait::pass(WARM_UP);
    let followers = names
        .iter()
        .map(|name| Follower::new(server.http, name, Rendition::Video, way));
    let followers = Followers::start(followers.collect())?;
    wait::pass(duration);
    let received = followers.stop();
    let report = load.stop()?;
    server.ensure_running()?;
    let received = received?;
    if report.latest > LATE {
        table.note(format!(
            "ll_delay, {publishers} publishers: they were up to {:?} late",
            report.latest
        ));
    }

    let by = match way {
        Way::Reload => "reload",
        Way::Hint => "hint",
    };
    let of = |which: &str| format!("delay of {which}, {publishers} publishing, by {by}");
    let goals = [3.0, 15.0].map(|more| Aim::AtMost(f64::from(PART_MS) + more));
    let rows = |which: &str, goals: Option<[Aim; 2]>| {
        let rows = [
            Metric::median(of(which), "ms"),
            Metric::p99(of(which), "ms"),
        ];
        match goals {
            Some(goals) => {
                let [median, p99] = rows;
                [median.aim(goals[0]), p99.aim(goals[1])]
            }
            None => rows,
        }
    };
    let any = rows("any picture", Some(goals));
    let first = rows("a part's first picture", Some(goals));
    // What the gateway itself adds: only this picture says that the part before it is complete.
    let next = rows("the picture behind a part", None);

    let pictures = Pictures::of(clip);
    let mut parts = 0;
    for (receipts, sent) in received.iter().zip(&report.sent) {
        for receipt in receipts {
            let held = receipt.held.context("a part without pictures")?;
            let range = pictures.range(held, receipt.arrived, sent)?;
            let mut add = |rows: &[Metric], picture: usize| {
                if let Some(sent) = pictures.sent(picture, sent) {
                    // The sending thread may have been put aside between its write and its clock.
                    let delay = receipt.arrived.saturating_duration_since(sent);
                    for row in rows {
                        table.add(row, Column::Own, milliseconds(delay));
                    }
                }
            };
            add(&first, range.start);
            add(&next, range.end);
            for picture in range {
                add(&any, picture);
            }
            parts += 1;
        }
    }
    ensure!(parts > 0, "no part arrived within {duration:?}");
    Ok(())
}
