//! `cargo xtask bench`: the gateway beside nginx-rtmp, or with `--criterion` the benches of the crates.

use std::ffi::OsString;

use anyhow::Context as _;
use clap::Args;

use crate::install;
use crate::interrupt::Interrupts;
use crate::process;
use crate::web;
use crate::workspace::{GATEWAY_VARIABLE, Workspace};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The crates' own benches instead of the whole gateway.
    #[arg(long, conflicts_with_all = ["quick", "json", "rest"])]
    criterion: bool,
    /// A first impression in about two minutes.
    #[arg(long)]
    quick: bool,
    /// Where the figures are written as JSON [default: bench.json in the target directory].
    #[arg(long, value_name = "PATH")]
    json: Option<OsString>,
    /// Options of the bench program itself (`cargo xtask bench -- --help`).
    #[arg(last = true, value_name = "OPTIONS")]
    rest: Vec<OsString>,
}

/// Builds what is measured and what measures, and runs it.
pub(crate) fn run(
    options: &Options,
    workspace: &Workspace,
    interrupts: &Interrupts,
) -> anyhow::Result<()> {
    if options.criterion {
        // criterion keeps its own records in the target directory.
        return process::run(&mut workspace.cargo(["bench", "--workspace"]), interrupts);
    }
    install::install(install::PEERS_AND_LOAD)?;
    let json = match &options.json {
        Some(path) => std::path::absolute(path)?,
        None => workspace.bench_figures(),
    };
    // Glass to glass is measured on the player page.
    web::build_if_possible(&workspace.web(), interrupts)?;
    process::run(
        &mut workspace.cargo(["build", "--release", "-p", "forebay", "-p", "bench"]),
        interrupts,
    )
    .context("the gateway or its bench does not build")?;
    let mut command = workspace.cargo(["run", "--release", "-q", "-p", "bench", "--"]);
    if std::env::var_os(GATEWAY_VARIABLE).is_none() {
        command.env(GATEWAY_VARIABLE, workspace.gateway());
    }
    if options.quick {
        command.arg("--quick");
    }
    command.arg("--json").arg(json).args(&options.rest);
    process::run(&mut command, interrupts)
}
