//! Which presentations there are.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use media::{MediaTime, PresentationName};

#[cfg(doc)]
use crate::Dismissal;
use crate::others::{GoesOn, Others};
use crate::presentation::Start;
use crate::{
    Ladder, LowLatency, Presentation, Refused, Remembered, RungNames, TargetDuration, Terms,
    Vacancy, Writer,
};

/// Media sequence numbers of a new presentation begin where the clock stands, counted from 2026 on in steps
/// as short as the shortest segment: a publish in real time does not run ahead of the clock, and so even a
/// gateway that remembers nothing of the process before it meets no number again. Where the clock is wrong,
/// [`Registry::restore`] is what holds. Players that hold the number in 31 bits are good until 2039.
const NUMBERS_SINCE: Duration = Duration::from_secs(1_767_225_600);
const NUMBER_EVERY: Duration = Duration::from_millis(200);

/// So many rungs of a ladder are looked at, the first by name, and as many of its sounds: each is compared with each other
/// for each segment.
const MOST_RUNGS: usize = 32;

/// How windows are kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Segment length aimed at; part of the target duration.
    pub segment: MediaTime,
    /// Segments in a media playlist.
    pub window: usize,
    /// How low-latency playlists are made.
    pub low_latency: LowLatency,
    /// H.265 is carried in MPEG-TS.
    pub hevc_in_ts: bool,
    /// Bytes of access units that one presentation may hold, listed segments excepted: beyond it removed
    /// segments are let go before their time. Bounds what a publish much faster than real time can take.
    pub removed_bytes: u64,
    /// Bytes that the listed segments of one presentation may hold, with their container. A publish that
    /// needs more gets a shorter playlist, down to three target durations, and is then ended.
    pub listed_bytes: u64,
    /// Presentations at a time, lingering ones included: each name that is published costs memory for as
    /// long as it lingers.
    pub presentations: usize,
    /// A publish without media for so long is stalled: whoever else may publish its name gets it.
    pub stalled: Duration,
    /// How long an ended presentation can still be fetched.
    pub linger: Duration,
    /// Which presentations are rungs of one ladder.
    pub rung_names: RungNames,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment: MediaTime::from_millis(2_000),
            window: 6,
            low_latency: LowLatency::default(),
            hevc_in_ts: false,
            removed_bytes: 256 << 20,
            listed_bytes: 256 << 20,
            presentations: 10_000,
            stalled: Duration::from_secs(2),
            linger: Duration::from_secs(60),
            rung_names: RungNames::default(),
        }
    }
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

/// By name, so that the rungs of a ladder lie side by side.
type Presentations = BTreeMap<PresentationName, Arc<Presentation>>;

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

    /// Begins a publish of `name` on `terms`. A presentation that has not ended goes on: same URLs, next
    /// media sequence number; whoever still publishes it loses it ([`Dismissal::Takeover`]) or keeps it, as
    /// the terms say. Otherwise, and where it could not go on with the others of its ladder, a new presentation takes the
    /// name, with the sequence numbers of the ladder that it joins, but above those of the one before it, or above all that
    /// were used before; in MPEG-TS it may go on with what the one before lists. `now` is the monotonic clock.
    ///
    /// # Errors
    /// Somebody publishes the name and keeps it, or there are too many presentations for another.
    pub fn publish(
        &self,
        name: &PresentationName,
        terms: &Terms,
        now: Instant,
    ) -> Result<Writer, Refused> {
        let shared = &self.shared;
        // Held throughout, so that nobody ends, forgets or takes over the presentation in between.
        let mut presentations = shared.write();
        let ladder = shared.ladder_of(&presentations, &shared.ladder_named(name));
        let others = Others::new(
            name,
            &ladder,
            shared.beside(&presentations, name),
            terms.leads,
        );
        let mut before = None;
        if let Some(there) = presentations.get(name) {
            let goes_on = others.goes_on(there);
            if let Some(writer) = Writer::begin(there.clone(), shared.clone(), terms, now)? {
                if goes_on == GoesOn::Whole {
                    return Ok(writer);
                }
                before = Some((there.clone(), goes_on == GoesOn::Segments));
            }
            shared.raise_floors(there);
        } else if presentations.len() >= shared.settings.presentations {
            return Err(Refused::TooMany(shared.settings.presentations));
        }
        let there = presentations.get(name).map(|it| &**it);
        let start = others.start(there, shared.floor());
        let target = before.as_ref();
        let target = target.and_then(|(it, _)| it.window().target_duration());
        let target = target.max(others.target());
        let fresh = Arc::new(shared.begin(name, start));
        if let Some((before, goes_on)) = before {
            fresh.replace(before, now + shared.settings.linger, goes_on);
        }
        presentations.insert(name.clone(), fresh.clone());
        let writer = Writer::begin(fresh, shared.clone(), terms, now)?;
        let writer = writer.expect("a new presentation should not have ended");
        Ok(writer.keep_to(target))
    }

    /// Wakes whoever waits for a part, in vain: the gateway is about to leave, and what is here is all that comes. They
    /// are requests in flight, which would keep their connections from draining.
    pub fn release(&self) {
        for there in self.shared.read().values() {
            there.release();
        }
    }

    /// What the next process has to know, as it is now.
    pub fn remember(&self) -> Remembered {
        let shared = &self.shared;
        let mut remembered = Remembered {
            media_sequence: shared.sequence_floor.load(Ordering::Relaxed),
            discontinuity_sequence: shared.discontinuity_floor.load(Ordering::Relaxed),
            target_durations: Vec::new(),
        };
        for there in shared.read().values() {
            let (sequence, discontinuity) = there.floors();
            remembered.media_sequence = remembered.media_sequence.max(sequence);
            remembered.discontinuity_sequence =
                remembered.discontinuity_sequence.max(discontinuity);
            let ended = there.window().is_ended();
            if let Some(target) = there.target_duration().filter(|_| !ended) {
                let name = there.name().clone();
                remembered.target_durations.push((name, target));
            }
        }
        remembered.target_durations.sort();
        remembered
    }

    /// Goes on where another process stopped: no number is used again, and the presentations that were
    /// alive wait for their publishers, each for what `resume` gives, as if these had all left just now.
    /// One that was cut for a shorter target duration than this gateway keeps is not awaited: it cannot
    /// go on. Call it before the first publish.
    pub fn restore(
        &self,
        remembered: &Remembered,
        resume: impl Fn(&PresentationName) -> Duration,
    ) -> Vec<Vacancy> {
        let shared = &self.shared;
        shared
            .sequence_floor
            .fetch_max(remembered.media_sequence, Ordering::Relaxed);
        shared
            .discontinuity_floor
            .fetch_max(remembered.discontinuity_sequence, Ordering::Relaxed);
        let least = TargetDuration::fitting(shared.settings.segment, MediaTime::ZERO);
        let mut presentations = shared.write();
        let kept = remembered
            .target_durations
            .iter()
            .filter(|(_, target)| *target >= least)
            .take(shared.settings.presentations);
        kept.map(|(name, target)| {
            let floor = shared.floor();
            let sequence = floor.sequence.max(number_by_the_clock().into());
            let start = Start {
                sequence,
                at_least: sequence,
                target: Some(*target),
                ..floor
            };
            let waiting = Arc::new(shared.begin(name, start));
            presentations.insert(name.clone(), waiting.clone());
            Vacancy::restored(&waiting, shared.clone(), resume(name))
        })
        .collect()
    }
}

/// The media sequence number that a presentation begins with if none above it was used.
pub(crate) fn number_by_the_clock() -> u64 {
    number_by(since_1970())
}

fn since_1970() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

fn number_by(clock: Duration) -> u64 {
    let numbers = clock.saturating_sub(NUMBERS_SINCE).as_millis() / NUMBER_EVERY.as_millis();
    u64::try_from(numbers).unwrap_or_default()
}

impl Directory {
    /// The presentation of this name, live or lingering.
    pub fn find(&self, name: &PresentationName) -> Option<Arc<Presentation>> {
        self.shared.read().get(name).cloned()
    }

    /// What has, or had, the name in this epoch, or one of the rungs of the ladder that the name stands for.
    pub fn of_epoch(&self, name: &PresentationName, epoch: u32) -> Option<Arc<Presentation>> {
        let presentations = self.shared.read();
        let own = presentations.get(name).into_iter();
        let mut all = own.chain(self.shared.rungs(&presentations, name));
        all.find_map(|it| it.of_epoch(epoch))
    }

    /// All presentations, by name.
    pub fn all(&self) -> Vec<Arc<Presentation>> {
        self.shared.read().values().cloned().collect()
    }

    /// The ladder that `name` stands for, as it is now; `None` where nothing is a rung of it.
    pub fn ladder(&self, name: &PresentationName) -> Option<Ladder> {
        self.shared.ladder(name)
    }

    /// The ladder that the presentation `name` is a rung of, by its name.
    pub fn ladder_over(&self, name: &PresentationName) -> Option<Ladder> {
        self.shared.ladder_over(name)
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

    /// The presentation `name`, if there is one, and the rungs below it; `None` without a rung.
    pub(crate) fn ladder(&self, name: &PresentationName) -> Option<Ladder> {
        let ladder = self.ladder_of(&self.read(), name);
        ladder.has_rungs().then_some(ladder)
    }

    fn ladder_of(&self, presentations: &Presentations, name: &PresentationName) -> Ladder {
        let rungs: Vec<_> = self.rungs(presentations, name).cloned().collect();
        let source = presentations.get(name).cloned();
        Ladder::new(name.clone(), source, rungs)
    }

    /// The rungs of the ladder `name`, by name.
    fn rungs<'a>(
        &'a self,
        presentations: &'a Presentations,
        name: &'a PresentationName,
    ) -> impl Iterator<Item = &'a Arc<Presentation>> {
        let first = RungNames::first_below(name);
        let all = first
            .into_iter()
            .flat_map(|first| presentations.range(first..));
        all.take_while(|(there, _)| RungNames::may_be_below(there, name))
            .filter(|(there, _)| {
                let above = self.settings.rung_names.ladder_over(there);
                above.as_ref() == Some(name)
            })
            .filter({
                let mut left = [MOST_RUNGS; 2];
                move |(there, _)| {
                    let [rungs, sounds] = &mut left;
                    let left = RungNames::sound_in(there).map_or(rungs, |_| sounds);
                    let is_one = *left > 0;
                    *left = left.saturating_sub(1);
                    is_one
                }
            })
            .map(|(_, rung)| rung)
    }

    /// The presentations of the ladder that `name` is of, or stands for, which go on.
    fn beside(
        &self,
        presentations: &Presentations,
        name: &PresentationName,
    ) -> Vec<Arc<Presentation>> {
        let ladder = self.ladder_named(name);
        let source = presentations.get(&ladder);
        let all = source.into_iter().chain(self.rungs(presentations, &ladder));
        let going_on = all.filter(|other| !other.window().is_ended());
        going_on.cloned().collect()
    }

    /// When time began for those that are in a ladder with `name`, itself included: one of them, once any has begun.
    pub(crate) fn begun_beside(&self, name: &PresentationName) -> Option<SystemTime> {
        let beside = self.beside(&self.read(), name);
        let begun = beside
            .iter()
            .filter_map(|it| it.low_latency_window().begun());
        begun.min()
    }

    /// The ladder that has the presentation `name` as a rung, or as its source.
    pub(crate) fn ladder_over(&self, name: &PresentationName) -> Option<Ladder> {
        self.ladder(&self.ladder_named(name))
    }

    /// The ladder that `name` is a rung of, or stands for.
    fn ladder_named(&self, name: &PresentationName) -> PresentationName {
        let above = self.settings.rung_names.ladder_over(name);
        above.unwrap_or_else(|| name.clone())
    }

    /// Above all that were forgotten.
    fn floor(&self) -> Start {
        let sequence = self.sequence_floor.load(Ordering::Relaxed).into();
        Start {
            sequence,
            at_least: sequence,
            discontinuities: self.discontinuity_floor.load(Ordering::Relaxed).into(),
            target: None,
        }
    }

    fn begin(&self, name: &PresentationName, start: Start) -> Presentation {
        let epoch = self.epochs.hash_one((name, since_1970()));
        let epoch = u32::try_from(epoch & u64::from(u32::MAX)).unwrap_or_default();
        Presentation::new(name.clone(), epoch, start, &self.settings)
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
        let (sequence, discontinuity) = gone.floors();
        self.sequence_floor.fetch_max(sequence, Ordering::Relaxed);
        self.discontinuity_floor
            .fetch_max(discontinuity, Ordering::Relaxed);
    }
}
