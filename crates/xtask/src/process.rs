//! Child processes that never outlive this one.
//!
//! A child gets a process group of its own: Ctrl-C then reaches us alone and *we* decide the order
//! in which children end, and what a child starts (cargo its tests, a test its browser) ends with
//! it. What does not belong here: which programs are run, and why.

mod tail;

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::interrupt::Interrupts;
use tail::Tail;

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// Time for a step's processes to end on SIGTERM before they are killed.
const STEP_GRACE: Duration = Duration::from_secs(5);

/// Where a child's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// To our own stdout and stderr, untouched.
    Inherited,
    /// Line by line to our stdout, behind the child's name; the last lines are kept.
    Named,
}

/// A running child. Dropping it kills its whole process group.
#[derive(Debug)]
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    tail: Option<Tail>,
}

impl Running {
    /// Starts `command` under a name for messages.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        output: Output,
    ) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).process_group(0);
        let tail = match output {
            Output::Inherited => None,
            Output::Named => {
                // One pipe for both, so that the lines keep the order they were written in.
                let (lines, pipe) = std::io::pipe()?;
                command.stdout(pipe.try_clone()?).stderr(pipe);
                Some(Tail::follow(name, lines))
            }
        };
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()));
        if output == Output::Named {
            // The command holds our ends of the pipe; the tail ends when the child's alone close.
            command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
        }
        let child = child?;
        Ok(Self { name, child, tail })
    }

    /// How the child ended, or `None` while it runs.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot ask for the state of {}", self.name))
    }

    /// An error with the last lines if the child has ended; it was not asked to.
    pub(crate) fn ensure_running(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.ended()? else {
            return Ok(());
        };
        let lines = self.tail.as_ref().map(Tail::last_lines).unwrap_or_default();
        if lines.is_empty() {
            bail!(
                "the {} ended by itself with {status} and without a word",
                self.name
            );
        }
        bail!(
            "the {} ended by itself with {status}; its last lines:\n{lines}",
            self.name
        )
    }

    /// Waits until the child ends by itself. A signal ends the wait, and the child.
    pub(crate) fn wait(mut self, interrupts: &Interrupts) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if let Err(interrupted) = interrupts.wait(POLL) {
                // What matters is that they end; how is of no interest after Ctrl-C.
                let _ = self.stop(STEP_GRACE, interrupts);
                return Err(interrupted.into());
            }
        }
    }

    /// Asks the child to end (SIGTERM) and waits for it. Past the grace, or at a signal, it is
    /// killed and that is an error.
    pub(crate) fn stop(
        mut self,
        grace: Duration,
        interrupts: &Interrupts,
    ) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        let deadline = Instant::now() + grace;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!(
                    "the {} did not end within {grace:?} of SIGTERM and was killed",
                    self.name
                );
            }
            interrupts.wait(POLL)?;
        }
    }

    /// Signals the whole group; nothing if the child has been reaped (its id may be another's).
    fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            let group = Pid::from_raw(i32::try_from(self.child.id())?);
            killpg(group, signal).with_context(|| format!("cannot signal the {}", self.name))?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors have no one to hear them here; the likeliest is that the child is gone already.
        let _ = self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end with our own stdout and stderr; anything but success is an error.
pub(crate) fn run(command: &mut Command, interrupts: &Interrupts) -> anyhow::Result<()> {
    let status = Running::start("step", command, Output::Inherited)?.wait(interrupts)?;
    if !status.success() {
        bail!("`{}` ended with {status}", line_of(command));
    }
    Ok(())
}

/// The command as its user would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    // cargo is called by its path inside the toolchain, which nobody types.
    let program = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command
        .get_args()
        .map(|argument| quoted(&argument.to_string_lossy()));
    std::iter::once(program)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `text` as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
