//! The soak: publishers that stumble at random, a network that delays, splits and cuts, SIGKILL of the
//! gateway in between, and viewers that check every playlist, every segment and every access unit.
//!
//! It prints each broken rule as it is found and a table at the end, and leaves with 0 if no rule was
//! broken. All chance comes from one seed, which it names. The rule of what may be missing is in
//! `ledger.rs`; what goes wrong on purpose is in `stumble.rs`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is this program's only interface"
)]

mod checked;
mod connection;
mod dice;
mod gateway;
mod ledger;
mod link;
mod material;
mod playing;
mod publisher;
mod report;
mod rude;
mod samples;
mod segment;
mod stumble;
mod table;
mod viewer;
mod wait;
mod wilful;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use clap::Parser;

use dice::Dice;
use gateway::{Gateway, lock};
use publisher::Publisher;
use rude::Rude;
use samples::{Samples, footprint};
use viewer::Viewer;
use wilful::Wilful;
use world::World;

/// One viewer on a bad line for so many publishers.
const PUBLISHERS_PER_RUDE: usize = 4;
/// The gateway is away for so long after a SIGKILL, milliseconds.
const AWAY_MS: std::ops::RangeInclusive<i64> = 200..=3_000;
/// What was handed over comes out within so long of the last publisher's leaving.
const COMES_OUT_WITHIN: Duration = Duration::from_secs(30);
/// What nobody holds any more is closed within so long.
const CLOSES_WITHIN: Duration = Duration::from_secs(40);
/// Descriptors that a gateway may hold more than at its start, when all are gone.
const DESCRIPTORS_LEFT: usize = 2;

/// Publishers that stumble, a network that does, viewers that check everything.
#[derive(Debug, Parser)]
struct Options {
    /// How long publishers go on.
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// How many of them.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    publishers: u16,
    /// Where chance comes from [default: the clock].
    #[arg(long)]
    seed: Option<u64>,
    /// The gateway's binary [default: FOREBAY_BIN].
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Where the gateway's log goes.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Leave the gateway alive.
    #[arg(long)]
    no_kill: bool,
    /// A fault of the soak's own: it must then find one.
    #[arg(long, value_enum)]
    wilful: Option<Wilful>,
}

fn main() -> ExitCode {
    checked::install();
    match run(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it; gives how many rules were broken.
fn run(options: &Options) -> anyhow::Result<u64> {
    let binary = options
        .gateway
        .clone()
        .or_else(|| std::env::var_os("FOREBAY_BIN").map(PathBuf::from))
        .context("name the gateway with --gateway or FOREBAY_BIN")?;
    ensure!(options.minutes > 0.0, "it has to last");
    let seed = options.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    });
    let folder = Folder::new()?;
    let lasts = Duration::from_secs_f64(options.minutes * 60.0);
    let publishers = usize::from(options.publishers);
    println!(
        "soak: {publishers} publishers for {} s, seed {seed}",
        lasts.as_secs()
    );
    let gateway = Gateway::start(&binary, &folder.0, options.log.as_deref())?;
    let world = World::new(seed, publishers, gateway, options.wilful);
    let idle = footprint(&world.gateway).context("the gateway has no footprint")?;
    let mut samples = Samples::new();
    let begin = Instant::now();

    let went = thread::scope(|scope| -> anyhow::Result<()> {
        let world = &world;
        let mut viewers = Vec::new();
        for index in 0..publishers {
            viewers.push(scope.spawn(move || Viewer::new(world, index).run()));
        }
        for index in 0..publishers.div_ceil(PUBLISHERS_PER_RUDE) {
            viewers.push(scope.spawn(move || Rude::new(world, index).run()));
        }
        let working: Vec<_> = (0..publishers)
            .map(|index| scope.spawn(move || Publisher::new(world, index).run()))
            .collect();
        let lived = live(world, options, lasts, &folder.0, &mut samples);
        world.close();
        for publisher in working {
            if publisher.join().is_err() {
                world
                    .report
                    .violation(None, "a publisher of the soak panicked");
            }
        }
        // What came last has to come out, too. Whatever does not, the ledger names. A fault of our own may be
        // that it never does.
        let limit = match world.wilful {
            None => COMES_OUT_WITHIN,
            Some(_) => COMES_OUT_WITHIN / 10,
        };
        wait::until(limit, || {
            world.books.iter().all(|book| lock(book).is_complete())
        });
        world.shut();
        for viewer in viewers {
            if viewer.join().is_err() {
                world
                    .report
                    .violation(None, "a viewer of the soak panicked");
            }
        }
        lived
    });
    if let Err(error) = went {
        world.report.violation(None, format!("{error:#}"));
    }
    leave(&world, idle.descriptors);
    // The gateway is killed in the first half; a fifth of the whole is for warming up.
    let flat = samples.flat(begin + lasts.mul_f64(0.7));
    print!("{}", table::render(&world, &samples, flat));
    Ok(world.report.violations())
}

/// Lets time pass, looks at the gateway, and kills it now and then in the first half.
fn live(
    world: &World,
    options: &Options,
    lasts: Duration,
    folder: &Path,
    samples: &mut Samples,
) -> anyhow::Result<()> {
    let mut dice = Dice::new(world.seed).fork(0xdead);
    let begin = Instant::now();
    let half = i64::try_from((lasts / 2).as_millis())?;
    // About eight times, in a soak of twenty minutes; at least once in the shortest.
    let mut pause = || dice.millis(half.min(90_000) / 2..=half.min(90_000));
    let mut next = begin + pause();
    let mut lives = Dice::new(world.seed).fork(0xa11e);
    while begin.elapsed() < lasts {
        wait::sleep(Duration::from_millis(50));
        samples.look(world);
        world.gateway.ensure_running()?;
        let now = Instant::now();
        if options.no_kill || now < next || begin.elapsed() > lasts / 2 + Duration::from_secs(1) {
            continue;
        }
        world.report.kill();
        world.gateway.kill()?;
        if world.wilful == Some(Wilful::ForgetState) {
            std::fs::remove_dir_all(folder.join("state"))?;
        }
        wait::sleep(lives.millis(AWAY_MS));
        world.gateway.restart()?;
        next = Instant::now() + pause();
    }
    Ok(())
}

/// The end: nothing may be left open, and SIGTERM is obeyed.
fn leave(world: &World, idle: usize) {
    let open = || footprint(&world.gateway).map_or(0, |now| now.descriptors);
    if !wait::until(CLOSES_WITHIN, || open() <= idle + DESCRIPTORS_LEFT) {
        let what = format!("{} descriptors are open, {idle} were at the start", open());
        world.report.violation(None, what);
    }
    match world.gateway.stop() {
        Ok(status) if status.success() => {}
        Ok(status) => world
            .report
            .violation(None, format!("left with {status} after SIGTERM")),
        Err(error) => world.report.violation(None, format!("{error:#}")),
    }
    for line in world.gateway.panics() {
        world.report.violation(None, line);
    }
    if world.report.violations() > 0 {
        println!("the gateway's last lines:\n{}", world.gateway.last_lines());
    }
}

/// A folder of its own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("forebay-soak-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
