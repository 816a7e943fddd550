//! Ctrl-C, SIGTERM and SIGHUP as a value that a loop waits for.
//!
//! Every wait of this program goes through [`Interrupts::wait`], so a signal is answered at once
//! and no loop sleeps through it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context as _;

/// Signals that wait to be noticed; a third in a row adds nothing to a second.
const PENDING_SIGNALS: usize = 2;

/// The user asked this program to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// The signals that ask this program to end, in the order they come.
pub(crate) struct Interrupts {
    signals: Receiver<()>,
    /// Kept so that the channel never reads as closed.
    sender: SyncSender<()>,
}

impl Interrupts {
    /// Takes the signals over from the system; once per process.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let interrupts = Self::silent();
        let sender = interrupts.sender.clone();
        ctrlc::set_handler(move || {
            // A full channel already says what this signal would say.
            let _ = sender.try_send(());
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(interrupts)
    }

    /// Listens to nothing.
    fn silent() -> Self {
        let (sender, signals) = sync_channel(PENDING_SIGNALS);
        Self { signals, sender }
    }

    /// Waits for `limit`, or until a signal comes.
    pub(crate) fn wait(&self, limit: Duration) -> Result<(), Interrupted> {
        match self.signals.recv_timeout(limit) {
            Ok(()) => Err(Interrupted),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }
}

#[cfg(test)]
impl Interrupts {
    /// For tests: no signal ever comes.
    pub(crate) fn never() -> Self {
        Self::silent()
    }

    /// For tests: one signal has come already.
    pub(crate) fn at_once() -> Self {
        let interrupts = Self::silent();
        interrupts
            .sender
            .try_send(())
            .expect("an empty channel should take a signal");
        interrupts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_the_wait_and_is_consumed() {
        let interrupts = Interrupts::at_once();
        assert_eq!(interrupts.wait(Duration::from_secs(60)), Err(Interrupted));
        assert_eq!(interrupts.wait(Duration::from_millis(1)), Ok(()));
    }
}
