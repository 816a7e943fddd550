//! An ffmpeg as a process: how it is started, for a run and for the trial before all runs, and how it ends with what it
//! has started.
//!
//! What does not belong here: what it is told (`command.rs`), what it is fed.

use std::io;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::command::arguments;
use super::preamble::Sound;
use super::workshop::Workshop;
use crate::config::Rendition;

/// How much nicer than the gateway it is (`nice(1)`, 0 to 19).
const NICENESS: &str = "5";

/// Starts one that makes `outputs`, each a rendition and the socket it goes to, of what is written to its standard
/// input, and that is killed when both are dropped.
///
/// # Errors
/// Those of the operating system.
pub(super) fn start(
    workshop: &Workshop,
    outputs: &[(Rendition, &Path)],
    sound: Sound,
) -> io::Result<(Child, Group)> {
    let mut command = match &workshop.nice {
        // It becomes ffmpeg, as the same process.
        Some(nice) => {
            let mut command = Command::new(nice);
            command.args(["-n", NICENESS]).arg(&workshop.ffmpeg);
            command
        }
        None => Command::new(&workshop.ffmpeg),
    };
    let child = command
        .args(arguments(outputs, sound))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C in a terminal is for the gateway, which ends it in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group::of(&child);
    Ok((child, group))
}

/// The process group of an ffmpeg: where that is a script, what the script has started is in it too. It ends with this.
pub(super) struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self(leader.map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // There is nothing left of it, where all have ended.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
