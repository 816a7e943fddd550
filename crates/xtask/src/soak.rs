//! `cargo xtask soak`: publishers that stumble, a network that does, SIGKILL in between, and viewers that check
//! everything.

use std::ffi::OsString;

use anyhow::Context as _;
use clap::Args;

use crate::interrupt::Interrupts;
use crate::process;
use crate::workspace::{GATEWAY_VARIABLE, Workspace};

/// How long, how many, and what chance.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long publishers go on.
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// How many of them.
    #[arg(long, default_value_t = 20)]
    publishers: u16,
    /// Where chance comes from; every run names its own [default: the clock].
    #[arg(long)]
    seed: Option<u64>,
    /// Options of the soak program itself (`cargo xtask soak -- --help`).
    #[arg(last = true, value_name = "OPTIONS")]
    rest: Vec<OsString>,
}

/// Builds the gateway and the soak, and runs it; fails if a rule was broken.
pub(crate) fn run(
    options: &Options,
    workspace: &Workspace,
    interrupts: &Interrupts,
) -> anyhow::Result<()> {
    // No pages are asked for, so they are not built.
    process::run(
        &mut workspace.cargo(["build", "--release", "-p", "forebay", "-p", "soak"]),
        interrupts,
    )
    .context("the gateway or its soak does not build")?;
    let mut command = workspace.cargo(["run", "--release", "-q", "-p", "soak", "--"]);
    if std::env::var_os(GATEWAY_VARIABLE).is_none() {
        command.env(GATEWAY_VARIABLE, workspace.gateway());
    }
    command
        .arg("--minutes")
        .arg(options.minutes.to_string())
        .arg("--publishers")
        .arg(options.publishers.to_string());
    if let Some(seed) = options.seed {
        command.arg("--seed").arg(seed.to_string());
    }
    command.args(&options.rest);
    process::run(&mut command, interrupts)
}
