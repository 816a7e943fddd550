//! Where the checkout lies, where cargo puts what it builds, and how to call cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// Names a gateway binary that is to be used instead of the release build, and is what the
/// end-to-end tests read.
pub(crate) const GATEWAY_VARIABLE: &str = "FOREBAY_BIN";

/// One checkout.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo about the workspace of the working directory.
    pub(crate) fn locate() -> anyhow::Result<Self> {
        let mut command = Command::new(cargo_program());
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        Ok(serde_json::from_slice(&output(&mut command)?)?)
    }

    /// The folder of the root `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the pages' sources.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The gateway as `cargo build --release` leaves it.
    pub(crate) fn gateway(&self) -> PathBuf {
        self.target_directory.join("release").join("forebay")
    }

    /// Where `bench` leaves its figures.
    pub(crate) fn bench_figures(&self) -> PathBuf {
        self.target_directory.join("bench.json")
    }

    /// A cargo command in the root folder.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(cargo_program());
        command.args(arguments).current_dir(&self.root);
        command
    }
}

/// Runs a command to its end and returns what it printed on stdout; its stderr goes to ours.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}",
        output.status
    );
    Ok(output.stdout)
}

/// The cargo that runs this program, so that one toolchain does everything.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
