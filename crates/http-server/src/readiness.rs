//! Whether load balancers should send anybody here: what `/readyz` answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the gateway is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not all listeners accept yet.
    Starting,
    /// Everything accepts.
    Ready,
    /// It is about to leave; who is here may finish.
    Draining,
}

/// A shared flag: set by who runs the gateway, read by `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Moves on to `phase`.
    pub fn enter(&self, phase: Phase) {
        let code = match phase {
            Phase::Starting => 0,
            Phase::Ready => 1,
            Phase::Draining => 2,
        };
        self.0.store(code, Ordering::Relaxed);
    }

    /// The present phase; [`Phase::Starting`] at first.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }
}
