//! The low-latency form beside the classic one of the same gateway.
//!
//! [`availability`] (until something can be watched, and how old it is then), [`delay`] (until a part
//! has arrived), [`crowd`] (thousands of waiting viewers), [`cost`] (processor time of a stream), [`glass`] (from
//! encoder to screen). Below them a playlist with parts ([`edge`]), who waits for them ([`follower`], [`throng`]),
//! what they hold ([`pictures`]), and pictures that say when they were made ([`clock_picture`]).

mod availability;
mod clock_picture;
mod cost;
mod crowd;
mod delay;
mod edge;
mod follower;
mod glass;
mod pictures;
mod throng;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::clip::Clip;
use crate::table::Table;
use follower::Way;

/// Length of the parts, milliseconds: the gateway's default, and what the goals are written for. At 30
/// pictures a second they are exactly so long.
const PART_MS: u32 = 200;

/// A write later than this means that the machine could not carry the load.
const LATE: Duration = Duration::from_millis(100);

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Availability,
    Delay,
    Crowd,
    Cost,
    Glass,
}

/// How much is measured of the low-latency form.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Viewers that wait at once in ll_crowd [default: 5000; 500 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=9000))]
    viewers: Option<u32>,
    /// Seconds that each reader of ll_availability and ll_delay follows [default: 15; 4 with --quick], and that
    /// ll_glass watches [default: 300; 30 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..=3600))]
    seconds: Option<u32>,
}

/// How much is measured.
#[derive(Debug)]
pub(crate) struct Extent {
    /// Publishes whose beginning is watched.
    beginnings: u32,
    follow: Duration,
    /// Counts of publishers, for the delay.
    publishers: Vec<u32>,
    ways: &'static [Way],
    viewers: u32,
    /// Parts that everybody waits for.
    releases: u32,
    /// Streams whose cost is measured, and windows of one GOP for each.
    streams: u32,
    windows: u32,
    /// How long a browser watches.
    watch: Duration,
}

impl Extent {
    /// `streams` and `windows` as for the other measures, where they were given.
    pub(crate) fn new(
        options: &Options,
        quick: bool,
        streams: &[u32],
        windows: Option<u32>,
    ) -> Self {
        let mut extent = if quick {
            Self {
                beginnings: 2,
                follow: Duration::from_secs(4),
                publishers: vec![1, 10],
                ways: &[Way::Reload],
                viewers: 500,
                releases: 1,
                streams: 10,
                windows: 1,
                watch: Duration::from_secs(30),
            }
        } else {
            Self {
                beginnings: 5,
                follow: Duration::from_secs(15),
                publishers: vec![1, 50],
                ways: &[Way::Reload, Way::Hint],
                viewers: 5000,
                releases: 3,
                streams: 50,
                windows: 5,
                watch: Duration::from_secs(300),
            }
        };
        if let Some(most) = streams.iter().max() {
            extent.publishers = streams.to_vec();
            extent.streams = *most;
        }
        if let Some(seconds) = options.seconds {
            extent.follow = Duration::from_secs(seconds.into());
            extent.watch = extent.follow;
        }
        extent.viewers = options.viewers.unwrap_or(extent.viewers);
        extent.windows = windows.unwrap_or(extent.windows);
        extent
    }
}

/// Takes one measure.
pub(crate) fn measure(
    measure: Measure,
    gateway: &Path,
    clip: &Arc<Clip>,
    extent: &Extent,
    table: &mut Table,
) -> anyhow::Result<()> {
    match measure {
        Measure::Availability => {
            availability::measure(gateway, clip, extent.beginnings, extent.follow, table)
        }
        Measure::Delay => {
            for publishers in &extent.publishers {
                for way in extent.ways {
                    delay::measure(gateway, clip, *publishers, *way, extent.follow, table)?;
                }
            }
            Ok(())
        }
        Measure::Crowd => crowd::measure(gateway, clip, extent.viewers, extent.releases, table),
        Measure::Cost => cost::measure(gateway, clip, extent.streams, extent.windows, table),
        Measure::Glass => glass::measure(gateway, extent.watch, table),
    }
}

/// The table of these measures.
pub(crate) fn table() -> Table {
    Table::new(["low latency", "classic"])
}

/// Whether the gateway makes parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Of [`PART_MS`].
    Made,
    /// The low-latency form is off.
    None,
}

/// The gateway's keys; connections have no limit that matters here.
const fn keys(parts: Parts) -> [(&'static str, &'static str); 3] {
    let part = match parts {
        Parts::Made => "200ms",
        Parts::None => "0s",
    };
    [
        ("FOREBAY__HLS__PART", part),
        ("FOREBAY__HTTP__MAX_CONNECTIONS", "20000"),
        ("FOREBAY__HTTP__MAX_CONNECTIONS_PER_ADDRESS", "20000"),
    ]
}
