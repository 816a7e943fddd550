//! `cargo deny`: licences, sources, duplicates, and known vulnerabilities, by `deny.toml`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::install::program_exists;
use crate::interrupt::Interrupts;
use crate::process;
use crate::workspace::Workspace;

const PROGRAM: &str = "cargo-deny";
/// Another one may find other things.
const VERSION: &str = "0.20.2";

/// How long the list of vulnerabilities may take to arrive, seconds.
const PATIENCE: &str = "60";

/// Fails if something is built in that must not be.
pub(crate) fn check(workspace: &Workspace, interrupts: &Interrupts) -> anyhow::Result<()> {
    let program = find_or_install(workspace, interrupts)?;
    let deny = || {
        let mut command = Command::new(&program);
        command.current_dir(workspace.root());
        command
    };
    let mut offline = deny();
    offline.args(["--offline", "check", "licenses", "bans", "sources"]);
    process::run(&mut offline, interrupts)?;
    // Where packets vanish, nobody says that there is no way.
    let mut fetch = Command::new("timeout");
    fetch.arg(PATIENCE).arg(&program).args(["fetch", "db"]);
    let fetched = fetch.current_dir(workspace.root()).output();
    if fetched.is_ok_and(|fetched| fetched.status.success()) {
        let mut advisories = deny();
        advisories.args(["check", "--disable-fetch", "advisories"]);
        return process::run(&mut advisories, interrupts);
    }
    println!("known vulnerabilities are not looked for: their list cannot be fetched from here");
    Ok(())
}

/// The program on the path, or one in the checkout: built without optimisation it is there within a minute,
/// and runs for a second.
fn find_or_install(workspace: &Workspace, interrupts: &Interrupts) -> anyhow::Result<PathBuf> {
    if program_exists(PROGRAM) {
        return Ok(PROGRAM.into());
    }
    let tools = workspace.root().join(".tools");
    let program = tools.join("bin").join(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    println!("installing {PROGRAM} {VERSION}");
    let mut install = workspace.cargo(["install", PROGRAM, "--locked", "--no-default-features"]);
    install.args(["--version", VERSION, "--root"]).arg(&tools);
    for (key, value) in [
        ("OPT_LEVEL", "0"),
        ("LTO", "false"),
        ("DEBUG", "false"),
        ("CODEGEN_UNITS", "16"),
    ] {
        install.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    process::run(&mut install, interrupts).context("cargo-deny cannot be installed")?;
    Ok(program)
}
