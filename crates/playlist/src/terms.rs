//! On what terms a publish gets a name, and why it does not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::Notify;

#[cfg(doc)]
use crate::{Settings, Writer};

/// Two encoders that take one name from one another do it again within a few seconds. A single one on a bad
/// link may be back before its old connection counts as stalled, but not so often.
const TAKEOVERS: usize = 3;
/// The time within which [`TAKEOVERS`] may happen.
const TAKEOVERS_WITHIN: Duration = Duration::from_secs(60);

/// What a publish brings to, and wants of, the name it is to have.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Notified when the publish must end; [`Writer::dismissal`] then says why.
    pub wake: Arc<Notify>,
    /// If somebody publishes the name.
    pub on_conflict: OnConflict,
    /// What it was admitted by: only a publish with the same may take an active one's place.
    pub credential: u64,
    /// Rungs are made of it by its own time, whatever else there is of its ladder.
    pub leads: bool,
    /// How long the presentation waits for its publisher to come back before it ends.
    pub resume: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            wake: Arc::default(),
            on_conflict: OnConflict::Takeover,
            credential: 0,
            leads: false,
            resume: Duration::from_secs(30),
        }
    }
}

/// What becomes of a second publish of a name while the first is active. One that is stalled
/// ([`Settings::stalled`]) loses the name to anybody who may publish it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It takes the name, if it was admitted by the same credential: an encoder behind a dead link must
    /// not be locked out until a timeout.
    #[default]
    Takeover,
    /// It is refused.
    Reject,
    /// It is refused for now: it stands by and asks again, until the first stalls or leaves.
    Backup,
}

/// Why a publish cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Somebody publishes the name and keeps it.
    #[error("the name is being published by another encoder")]
    Occupied,
    /// Encoders take the name from one another: the one that has it keeps it for now.
    #[error(
        "encoders take this name from one another: {TAKEOVERS} times within {} s; stop all but one, or give each a name of its own",
        TAKEOVERS_WITHIN.as_secs()
    )]
    Contested,
    /// [`Settings::presentations`] is reached.
    #[error("there are {0} presentations already, as many as are allowed")]
    TooMany(usize),
}

/// Recent takeovers of active publishes of one name.
#[derive(Debug, Default)]
pub(crate) struct Contest {
    recent: VecDeque<Instant>,
    /// How many were refused.
    refused: u64,
}

impl Contest {
    /// Somebody wants to take over from an active publish.
    pub(crate) fn takeover(&mut self, now: Instant) -> Result<(), Refused> {
        self.recent
            .retain(|&at| now.saturating_duration_since(at) < TAKEOVERS_WITHIN);
        if self.recent.len() >= TAKEOVERS {
            self.refused += 1;
            return Err(Refused::Contested);
        }
        self.recent.push_back(now);
        Ok(())
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}
