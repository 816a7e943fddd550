//! Forebay beside nginx-rtmp, in turns on one machine: `cargo xtask bench` builds and starts this.
//!
//! Every measure is a module: [`density`] (cost of a stream), [`listing`] (until a segment is
//! listed), [`delivery`] (playlists and segments out), [`burst`] (bytes in), [`acceptance`] (until
//! a publish is accepted); those of [`low_latency`] compare the gateway's two forms, [`ladder`] the rungs of
//! ladders with streams alone. Below them the load ([`clip`], [`chunk`], [`publisher`], [`load`],
//! [`http`], [`viewers`], [`wrk`]), the servers ([`server`]), the clocks ([`cost`]) and the result
//! ([`table`]). Figures never decide the exit code: it says whether everything worked.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is this program's only interface"
)]

mod acceptance;
mod burst;
mod chunk;
mod clip;
mod cost;
mod delivery;
mod density;
mod http;
mod ladder;
mod listing;
mod load;
mod low_latency;
mod playlist;
mod publisher;
mod server;
mod stats;
mod table;
mod viewers;
mod wait;
mod wrk;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use burst::Readers;
use clip::Clip;
use server::Peer;
use table::Table;

/// Measures Forebay beside nginx-rtmp, its low-latency form beside its classic one and ladders beside
/// streams alone, and prints tables of ratios.
#[derive(Debug, Parser)]
struct Options {
    /// The gateway's binary; the environment variable FOREBAY_BIN without it.
    #[arg(long, value_name = "PATH")]
    gateway: Option<PathBuf>,
    /// Fewer windows, one count of streams, fewer repetitions: about two minutes.
    #[arg(long)]
    quick: bool,
    /// How often everything is repeated; the medians are of all repetitions.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Only these measures.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Measure>,
    /// Only this server, where each is measured by itself: to profile, or to try a change.
    #[arg(long)]
    peer: Option<Peer>,
    /// Counts of streams for density and ll_delay, of presentations for ladder; ll_cost takes the largest.
    #[arg(long, value_delimiter = ',')]
    streams: Vec<u32>,
    /// How many windows of two seconds density and ll_cost take, to see them settle in the samples.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    windows: Option<u32>,
    #[command(flatten)]
    low_latency: low_latency::Options,
    /// Where the figures are written as JSON, samples included.
    #[arg(long, value_name = "PATH", default_value = "target/bench.json")]
    json: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Measure {
    /// What a stream costs, with and without readers.
    Density,
    /// How long until a finished segment is listed.
    Listing,
    /// Playlists and segments for a second of the processor.
    Delivery,
    /// One publisher as fast as the server takes it.
    Burst,
    /// From connecting to an accepted publish.
    Acceptance,
    /// What a ladder costs beside its streams published alone.
    Ladder,
    /// Low latency: until a publish can be watched, and how old its pictures are then.
    LlAvailability,
    /// Low latency: from an access unit to the part that holds it, at a waiting reader.
    LlDelay,
    /// Low latency: thousands of viewers that wait for one part.
    LlCrowd,
    /// Low latency: processor time of a stream, watched or not.
    LlCost,
    /// Low latency: from a picture at the encoder to the same picture in a browser.
    LlGlass,
}

impl Measure {
    /// All that compare the two forms of one gateway.
    const LOW_LATENCY: [(Self, low_latency::Measure); 5] = [
        (Self::LlAvailability, low_latency::Measure::Availability),
        (Self::LlDelay, low_latency::Measure::Delay),
        (Self::LlCrowd, low_latency::Measure::Crowd),
        (Self::LlCost, low_latency::Measure::Cost),
        (Self::LlGlass, low_latency::Measure::Glass),
    ];
}

/// How much is measured.
#[derive(Debug)]
struct Extent {
    streams: Vec<u32>,
    /// Presentations of four rungs.
    ladders: Vec<u32>,
    /// Windows of one GOP.
    windows: u32,
    listing: Duration,
    deliveries: u32,
    delivery: Duration,
    bursts: u32,
    burst_bytes: usize,
    acceptances: u32,
}

impl Extent {
    fn new(options: &Options) -> Self {
        let mut extent = if options.quick {
            Self {
                streams: vec![20],
                ladders: vec![5],
                windows: 2,
                listing: Duration::from_secs(4),
                deliveries: 1,
                delivery: Duration::from_secs(1),
                bursts: 1,
                burst_bytes: 150_000_000,
                acceptances: 10,
            }
        } else {
            Self {
                streams: vec![1, 20, 50],
                ladders: vec![1, 5, 50],
                windows: 5,
                listing: Duration::from_secs(8),
                deliveries: 2,
                delivery: Duration::from_secs(2),
                bursts: 2,
                burst_bytes: 400_000_000,
                acceptances: 50,
            }
        };
        if !options.streams.is_empty() {
            extent.streams.clone_from(&options.streams);
            extent.ladders.clone_from(&options.streams);
        }
        extent.windows = options.windows.unwrap_or(extent.windows);
        extent
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let gateway = options
        .gateway
        .clone()
        .or_else(|| std::env::var_os("FOREBAY_BIN").map(PathBuf::from))
        .context("say which gateway to measure: --gateway PATH, or FOREBAY_BIN")?;
    let gateway = gateway
        .canonicalize()
        .with_context(|| format!("no gateway at {}", gateway.display()))?;
    let extent = Extent::new(&options);
    let clip = Arc::new(Clip::new());
    let peers = options.peer.map_or(Peer::BOTH.to_vec(), |peer| vec![peer]);
    let mut table = Table::new(["forebay", "nginx-rtmp"]);
    let mut forms = low_latency::table();
    let mut ladders = ladder::table();
    let mut tracks = ladder::table_of_tracks();
    let form_extent = low_latency::Extent::new(
        &options.low_latency,
        options.quick,
        &options.streams,
        options.windows,
    );
    let begin = Instant::now();

    for round in 1..=options.rounds {
        let wanted = |measure| options.only.is_empty() || options.only.contains(&measure);
        let say = |what: &str| {
            eprintln!("[{:3} s] round {round}: {what}", begin.elapsed().as_secs());
        };
        if wanted(Measure::Acceptance) {
            say("connect to publish accepted");
            acceptance::measure(&gateway, &clip, extent.acceptances, &mut table)?;
        }
        if wanted(Measure::Listing) {
            for peer in peers.iter().copied() {
                say(&format!("listing, {peer:?}"));
                listing::measure(peer, &gateway, &clip, extent.listing, &mut table)?;
            }
        }
        if wanted(Measure::Burst) {
            say("one fast publisher");
            for readers in [Readers::None, Readers::One] {
                for _ in 0..extent.bursts {
                    for peer in peers.iter().copied() {
                        let bytes = extent.burst_bytes;
                        burst::measure(peer, &gateway, &clip, readers, bytes, &mut table)?;
                    }
                }
            }
        }
        if wanted(Measure::Delivery) {
            say("delivery");
            let (rounds, duration) = (extent.deliveries, extent.delivery);
            delivery::measure(&gateway, &clip, rounds, duration, &mut table)?;
        }
        if wanted(Measure::Density) {
            for streams in &extent.streams {
                for peer in peers.iter().copied() {
                    say(&format!("{streams} streams, {peer:?}"));
                    let windows = extent.windows;
                    density::measure(peer, &gateway, &clip, *streams, windows, &mut table)?;
                }
            }
        }
        if wanted(Measure::Ladder) {
            for presentations in &extent.ladders {
                say(&format!("{presentations} ladders"));
                let (of, windows) = (*presentations, extent.windows);
                ladder::measure(&gateway, &clip, of, windows, &mut ladders)?;
                ladder::measure_tracks(&gateway, &clip, of, windows, &mut tracks)?;
            }
        }
        for (measure, of_forms) in Measure::LOW_LATENCY {
            if wanted(measure) {
                say(&format!("low latency, {of_forms:?}"));
                low_latency::measure(of_forms, &gateway, &clip, &form_extent, &mut forms)?;
            }
        }
    }

    for table in [&table, &forms, &ladders, &tracks] {
        if !table.is_empty() {
            println!("{table}");
        }
    }
    let mut json = table.json();
    json["low_latency"] = forms.json();
    json["ladders"] = ladders.json();
    json["tracks"] = tracks.json();
    json["processors"] = std::thread::available_parallelism()?.get().into();
    json["seconds"] = begin.elapsed().as_secs().into();
    std::fs::write(&options.json, serde_json::to_vec_pretty(&json)?)
        .with_context(|| format!("cannot write {}", options.json.display()))?;
    eprintln!("written to {}", options.json.display());
    Ok(())
}
