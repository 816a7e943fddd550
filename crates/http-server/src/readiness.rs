//! Whether load balancers should send anybody here: what `/readyz` answers; and when nobody should wait any more.

use std::sync::Arc;

use tokio::sync::watch;

/// Where the gateway is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not all listeners accept yet.
    Starting,
    /// Everything accepts.
    Ready,
    /// It is about to leave; who is here may finish.
    Draining,
    /// All there will be is there: requests that wait for more are answered.
    Closing,
}

/// A shared phase: set by who runs the gateway, read by `/readyz` and by requests that wait.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<Phase>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Starting)))
    }
}

impl Readiness {
    /// Moves on to `phase`.
    pub fn enter(&self, phase: Phase) {
        self.0.send_replace(phase);
    }

    /// The present phase; [`Phase::Starting`] at first.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Completes in [`Phase::Closing`].
    pub(crate) async fn closing(&self) {
        let mut phases = self.0.subscribe();
        // Its end means the same.
        let _ = phases.wait_for(|phase| *phase == Phase::Closing).await;
    }
}
