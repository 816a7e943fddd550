//! Forebay on its built-in configuration: 2 s segments, 6 in the window, application `live`.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;

use super::{LOG, PATIENCE, Process};
use crate::publisher::APP;
use crate::wait;

/// Where both listeners are, as the gateway says once they accept.
#[derive(Debug, Deserialize)]
struct Ready {
    rtmp: SocketAddr,
    http: SocketAddr,
}

pub(super) fn playlist(name: &str) -> String {
    format!("/{APP}/{name}/main.m3u8")
}

pub(super) fn start(
    gateway: &Path,
    folder: &Path,
    keys: &[(&str, &str)],
) -> anyhow::Result<(Process, SocketAddr, SocketAddr)> {
    let ready_file = folder.join("ready");
    let child = Command::new(gateway)
        .args([
            "serve",
            "--rtmp-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
        ])
        .arg("--ready-file")
        .arg(&ready_file)
        // Of its own: one gateway has it at a time, and some measures run two.
        .env("FOREBAY__STATE__DIRECTORY", folder.join("state"))
        .envs(keys.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join(LOG))?)
        .spawn()
        .with_context(|| format!("cannot run {}", gateway.display()))?;
    let mut process = Process(child);
    let ready: Ready = wait::until("listening", PATIENCE, || {
        process.ensure_running(folder)?;
        // It may be there and not written yet.
        let text = fs::read(&ready_file).unwrap_or_default();
        Ok(serde_json::from_slice(&text).ok())
    })?;
    Ok((process, ready.rtmp, ready.http))
}
