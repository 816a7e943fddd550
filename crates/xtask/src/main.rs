//! Development tasks: `cargo xtask demo | test | bench | soak`.
//!
//! This file only dispatches. Each task is one file; what they share is below them: [`workspace`]
//! (where things lie), [`install`] and [`current_ffmpeg`] (what a fresh machine lacks), [`process`] (children that never
//! outlive us), [`interrupt`] (Ctrl-C as a value). Nothing of the gateway is linked in: the tasks
//! drive the built binary, so that `cargo xtask` itself builds in seconds.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is this program's only interface"
)]

mod arrows;
mod bench;
mod current_ffmpeg;
mod demo;
mod deny;
mod install;
mod interrupt;
mod process;
mod soak;
mod test;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use interrupt::{Interrupted, Interrupts};
use workspace::Workspace;

/// Development tasks of Forebay.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Start the gateway with a test encoder and say where to watch; runs until Ctrl-C.
    Demo(demo::Options),
    /// Run every check there is, and stop at the first that fails.
    Test(test::Options),
    /// Measure the gateway beside nginx-rtmp.
    Bench(bench::Options),
    /// Let publishers stumble at random for a while, kill the gateway in between, and check everything.
    Soak(soak::Options),
}

/// What a shell reports for a program that Ctrl-C ended (128 + SIGINT).
const EXIT_INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("stopped");
            ExitCode::from(EXIT_INTERRUPTED)
        }
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let interrupts = Interrupts::listen()?;
    let workspace = Workspace::locate()?;
    match task {
        Task::Demo(options) => demo::run(&options, &workspace, &interrupts),
        Task::Test(options) => test::run(&options, &workspace, &interrupts),
        Task::Bench(options) => bench::run(&options, &workspace, &interrupts),
        Task::Soak(options) => soak::run(&options, &workspace, &interrupts),
    }
}
