//! The `forebay` command: an RTMP-to-HLS gateway.
//!
//! A reader's way in: [`pipeline`] is a publisher's life on one screen, [`serve`] is everything around
//! it, [`transmux`] is the same pipeline without sockets.

mod accept;
mod admission;
#[cfg(test)]
mod amf_sample;
mod colour;
mod config;
mod data_message;
mod door;
mod entrance;
mod governor;
mod house;
mod listeners;
mod logs;
mod metadata;
mod meter;
mod panics;
mod pipeline;
mod publish;
mod repeated;
mod serve;
mod state;
mod transcoder;
mod transmux;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::transcoder::Workshop;

/// Ingest takes about a thousandth of a core for a publish of 3 Mbit/s, so every fourth is plenty.
const CORES_PER_INGEST_THREAD: usize = 4;

/// RTMP in, HLS out, nothing re-encoded unless told to.
///
/// Without a command it serves on its defaults: publish to rtmp://HOST/live/KEY, watch on
/// http://HOST:8080/.
#[derive(Parser)]
#[command(name = "forebay", version, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(ServeArguments),
    /// Check a configuration and leave: 0 if it would serve, 1 with the reason if not.
    Check {
        /// The configuration file; the built-in configuration without one.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Cut an FLV file into a folder of HLS: the same pipeline, offline.
    Transmux {
        /// An FLV file, or - for standard input.
        input: PathBuf,
        /// Where index.m3u8, main.m3u8 and the segments go; made if missing.
        output: PathBuf,
        /// Segment length aimed at.
        #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
        segment: Duration,
    },
}

#[derive(clap::Args, Default)]
struct ServeArguments {
    /// The configuration file; the built-in configuration without one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen for encoders, above the configuration; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    rtmp_listen: Option<SocketAddr>,
    /// Where to listen for players, above the configuration; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    http_listen: Option<SocketAddr>,
    /// Make a certificate for this host, known to nobody, and open HTTPS on port 8443 and RTMPS on port 1936
    /// where nothing else is configured.
    #[arg(long)]
    self_signed: bool,
    /// Written once all listeners accept: {"rtmp":"ADDR:PORT","http":"ADDR:PORT"}, and "rtmps", "https" if they
    /// are there.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        None => run(&ServeArguments::default()),
        Some(Command::Serve(arguments)) => run(&arguments),
        Some(Command::Check { config }) => check(config.as_deref()),
        Some(Command::Transmux {
            input,
            output,
            segment,
        }) => transmux::run(&input, &output, segment).map(|report| say(&report.to_string())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("forebay: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &ServeArguments) -> Result<()> {
    if let Some(path) = &arguments.ready_file {
        forget(path)?;
    }
    let mut config = Config::load(arguments.config.as_deref(), std::env::vars_os())?;
    config.rtmp.listen = arguments.rtmp_listen.unwrap_or(config.rtmp.listen);
    config.http.listen = arguments.http_listen.unwrap_or(config.http.listen);
    let certificates = if arguments.self_signed {
        Some(config.self_signed()?)
    } else {
        config.certificates()?
    };
    logs::start(&config.log)?;
    // Encoders have threads of their own, and few: a thread that serves many wakes up for several at once,
    // and none of them has to wake another. One serves hundreds of publishes.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let ingest = runtime("ingest", cores.div_ceil(CORES_PER_INGEST_THREAD))?;
    let players = runtime("players", cores)?;
    let outcome = players.block_on(serve::serve(
        config,
        certificates,
        arguments.ready_file.as_deref(),
        ingest.handle(),
    ));
    // What still runs was given its time; nothing is left to wait for.
    players.shutdown_background();
    ingest.shutdown_background();
    outcome
}

fn runtime(name: &str, threads: usize) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Removes the ready file of an earlier run, so that nobody takes it for this one's.
fn forget(ready_file: &Path) -> Result<()> {
    match std::fs::remove_file(ready_file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error)
            .with_context(|| format!("cannot remove the old ready file {}", ready_file.display())),
        _ => Ok(()),
    }
}

fn check(file: Option<&Path>) -> Result<()> {
    let config = Config::load(file, std::env::vars_os())?;
    logs::filter(&config.log)?;
    let certificates = config.certificates()?;
    runtime("check", 1)?.block_on(Workshop::open(&config))?;
    let apps: Vec<&str> = config.apps.iter().map(|app| app.name.as_str()).collect();
    say(&format!(
        "the configuration is good: rtmp on {}, http on {}, operators on {}, {}applications {}",
        config.rtmp.listen,
        config.http.listen,
        config.http.operators_listen.unwrap_or(config.http.listen),
        secure(&config),
        apps.join(", ")
    ));
    let of_certificates = certificates.map(|certificates| certificates.remarks(SystemTime::now()));
    let remarks = config.remarks().into_iter();
    for remark in remarks.chain(of_certificates.into_iter().flatten()) {
        say(&format!("warning: {remark}"));
    }
    Ok(())
}

/// The listeners that speak TLS, if there are any.
fn secure(config: &Config) -> String {
    let listeners = [
        ("rtmps", config.rtmp.tls_listen),
        ("https", config.http.tls_listen),
    ];
    let shown = listeners.map(|(what, listen)| listen.map(|at| format!("{what} on {at}, ")));
    shown.into_iter().flatten().collect()
}

/// What a command has to say goes to standard output.
#[expect(
    clippy::print_stdout,
    reason = "this is the program's output, not a log"
)]
fn say(text: &str) {
    println!("{text}");
}

/// The reason for a failing exit code goes to standard error, logs or no logs.
#[expect(
    clippy::print_stderr,
    reason = "the command failed before, or without, any logging"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_file_of_an_earlier_run_is_removed() {
        let folder = std::env::temp_dir().join(format!("forebay-ready-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let ready = folder.join("ready");
        std::fs::write(&ready, "{}").unwrap();
        forget(&ready).unwrap();
        assert!(!ready.exists());
        forget(&ready).expect("none is as good");
        let error = forget(&folder).expect_err("a folder is no ready file");
        assert!(
            error
                .to_string()
                .starts_with("cannot remove the old ready file ")
        );
        std::fs::remove_dir(&folder).unwrap();
    }
}
