//! Which presentations there are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::{MediaTime, PresentationName};
use thiserror::Error;
use tokio::sync::Notify;

#[cfg(doc)]
use crate::Dismissal;
use crate::{Presentation, Writer};

/// Media sequence numbers of a new presentation begin where the clock stands, counted from 2026 on in steps
/// as short as the shortest segment: a publish in real time does not run ahead of the clock, and so a
/// restart meets no number again. Players that hold the number in 31 bits are good until 2039.
const NUMBERS_SINCE: Duration = Duration::from_secs(1_767_225_600);
const NUMBER_EVERY: Duration = Duration::from_millis(200);

/// How windows are kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Segment length aimed at; part of the target duration.
    pub segment: MediaTime,
    /// Segments in a media playlist.
    pub window: usize,
    /// Bytes of access units that one presentation may hold, listed segments excepted: beyond it removed
    /// segments are let go before their time. Bounds what a publish much faster than real time can take.
    pub removed_bytes: u64,
    /// Bytes that the listed segments of one presentation may hold, with their container. They cannot be
    /// let go, so a publish that needs more is ended.
    pub listed_bytes: u64,
    /// Presentations at a time, lingering ones included: each name that is published costs memory for as
    /// long as it lingers.
    pub presentations: usize,
    /// What becomes of a second publish of a name.
    pub on_conflict: OnConflict,
    /// How long a presentation waits for its publisher to come back before it ends.
    pub resume: Duration,
    /// How long an ended presentation can still be fetched.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment: MediaTime::from_millis(2_000),
            window: 6,
            removed_bytes: 256 << 20,
            listed_bytes: 256 << 20,
            presentations: 10_000,
            on_conflict: OnConflict::Takeover,
            resume: Duration::from_secs(30),
            linger: Duration::from_secs(60),
        }
    }
}

/// What becomes of a second publish of a name that somebody publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It takes the name: an encoder behind a dead link must not be locked out until a timeout.
    #[default]
    Takeover,
    /// It is refused.
    Reject,
}

/// Why a publish cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Somebody publishes the name, and [`OnConflict::Reject`] is set.
    #[error("the name is being published by another encoder")]
    Occupied,
    /// [`Settings::presentations`] is reached.
    #[error("there are {0} presentations already, as many as are allowed")]
    TooMany(usize),
}

/// Every presentation by name, with the right to publish.
#[derive(Clone, Debug)]
pub struct Registry {
    shared: Arc<Shared>,
}

/// Every presentation by name, for reading.
#[derive(Clone, Debug)]
pub struct Directory {
    shared: Arc<Shared>,
}

type Presentations = HashMap<PresentationName, Arc<Presentation>>;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    presentations: RwLock<Presentations>,
    /// No new presentation begins below this media sequence number: it is past all that were forgotten.
    sequence_floor: AtomicU64,
    /// The same for discontinuity sequence numbers.
    discontinuity_floor: AtomicU64,
    epochs: RandomState,
}

impl Registry {
    /// An empty registry.
    pub fn new(settings: Settings) -> Self {
        let shared = Shared {
            settings,
            presentations: RwLock::default(),
            sequence_floor: AtomicU64::new(0),
            discontinuity_floor: AtomicU64::new(0),
            epochs: RandomState::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The readers' side.
    pub fn directory(&self) -> Directory {
        Directory {
            shared: self.shared.clone(),
        }
    }

    /// Begins a publish of `name`. A presentation that has not ended goes on: same URLs, next media
    /// sequence number, and whoever still publishes it loses it ([`Dismissal::Takeover`]) or keeps it, as
    /// [`Settings::on_conflict`] says. Otherwise a new presentation takes the name, with sequence numbers
    /// above all that were used before.
    ///
    /// `wake` is notified when the publish must end; [`Writer::dismissal`] then says why.
    ///
    /// # Errors
    /// Somebody publishes the name and keeps it, or there are too many presentations for another.
    pub fn publish(&self, name: &PresentationName, wake: Arc<Notify>) -> Result<Writer, Refused> {
        let shared = &self.shared;
        // Held throughout, so that nobody ends, forgets or takes over the presentation in between.
        let mut presentations = shared.write();
        if let Some(there) = presentations.get(name) {
            if there.is_published() && shared.settings.on_conflict == OnConflict::Reject {
                return Err(Refused::Occupied);
            }
            if let Some(writer) = Writer::begin(there.clone(), shared.clone(), wake.clone()) {
                return Ok(writer);
            }
            shared.raise_floors(there);
        } else if presentations.len() >= shared.settings.presentations {
            return Err(Refused::TooMany(shared.settings.presentations));
        }
        let fresh = Arc::new(shared.begin(name));
        presentations.insert(name.clone(), fresh.clone());
        Ok(Writer::begin(fresh, shared.clone(), wake)
            .expect("a new presentation should not have ended"))
    }
}

impl Directory {
    /// The presentation of this name, live or lingering.
    pub fn find(&self, name: &PresentationName) -> Option<Arc<Presentation>> {
        self.shared.read().get(name).cloned()
    }

    /// All presentations, by name.
    pub fn all(&self) -> Vec<Arc<Presentation>> {
        let mut all: Vec<_> = self.shared.read().values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }
}

impl Shared {
    /// The map is consistent between any two statements, so a panic elsewhere does not spoil it.
    fn read(&self) -> RwLockReadGuard<'_, Presentations> {
        self.presentations
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Presentations> {
        self.presentations
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, name: &PresentationName) -> Presentation {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let numbers = clock.saturating_sub(NUMBERS_SINCE).as_millis() / NUMBER_EVERY.as_millis();
        let first = u64::try_from(numbers).unwrap_or_default();
        let first = first.max(self.sequence_floor.load(Ordering::Relaxed));
        let epoch = self.epochs.hash_one((name, clock));
        let epoch = u32::try_from(epoch & u64::from(u32::MAX)).unwrap_or_default();
        let discontinuities = self.discontinuity_floor.load(Ordering::Relaxed);
        Presentation::new(name.clone(), epoch, first, discontinuities)
    }

    /// Takes `gone` out, unless another presentation has the name by now.
    pub(crate) fn forget(&self, gone: &Arc<Presentation>) {
        let mut presentations = self.write();
        if presentations
            .get(gone.name())
            .is_some_and(|there| Arc::ptr_eq(there, gone))
        {
            presentations.remove(gone.name());
            self.raise_floors(gone);
        }
    }

    fn raise_floors(&self, gone: &Presentation) {
        let inner = gone.lock();
        self.sequence_floor
            .fetch_max(inner.next_sequence, Ordering::Relaxed);
        self.discontinuity_floor
            .fetch_max(inner.discontinuities + 1, Ordering::Relaxed);
    }
}
