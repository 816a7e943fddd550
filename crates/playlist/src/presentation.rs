//! A presentation: everything under one `app/name`, from its first publish until it is forgotten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media::{Arrivals, Captions, MediaTime, PresentationName, Rendition, Segment, TrackKind};
use tokio::sync::{Notify, watch};

use crate::ladder::Texts;
use crate::low_latency::{Growth, LowLatencyWindow};
use crate::measured::Measured;
use crate::terms::Contest;
use crate::window::Entry;
use crate::{
    Container, Label, PublishStatus, Settings, TargetDuration, Text, Window, media_playlist,
    multivariant,
};

/// Where a presentation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Somebody publishes.
    Live,
    /// The publisher left, and may come back within the resume time.
    Resuming,
    /// The resume time is over; the window lingers.
    Ended,
}

/// Why a publish must end although its encoder would go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dismissal {
    /// An operator asked for it.
    Operator,
    /// Another publish with the same name took over.
    Takeover,
}

/// Where a presentation begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Media sequence numbers, unless those that others have where its first segments begin are others.
    pub(crate) sequence: Numbers,
    /// Which are not below these.
    pub(crate) at_least: Numbers,
    /// Behind so many discontinuities.
    pub(crate) discontinuities: Numbers,
    /// The target duration, if its playlists go on from another process.
    pub(crate) target: Option<TargetDuration>,
}

/// One programme under one name. Readers see snapshots; only a [`crate::Writer`] changes them.
#[derive(Debug)]
pub struct Presentation {
    name: PresentationName,
    epoch: u32,
    windows: watch::Sender<Arc<Window>>,
    low_latency: watch::Sender<Arc<LowLatencyWindow>>,
    /// Cloned by each publish that stands by.
    backups: Arc<()>,
    /// Cloned by each request that waits for a rendition: video, audio, all tracks in one.
    waiting: [Arc<()>; 3],
    /// Of the ladder that it is the first of.
    ladder_texts: Texts,
    inner: Mutex<Inner>,
}

/// A publish that stands by for a presentation: it counts as one for as long as it holds this.
#[derive(Debug)]
pub struct Backup(#[expect(dead_code, reason = "its number of clones is what counts")] Arc<()>);

/// A request that waits for a rendition: it counts as one for as long as it holds this.
#[derive(Debug)]
pub struct Waiting(#[expect(dead_code, reason = "its number of clones is what counts")] Arc<()>);

/// Numbers of segments: in MPEG-TS, and of those that are cut into parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) segments: u64,
    pub(crate) parts: u64,
}

impl From<u64> for Numbers {
    fn from(both: u64) -> Self {
        Self {
            segments: both,
            parts: both,
        }
    }
}

impl Numbers {
    pub(crate) const ONE: Self = Self {
        segments: 1,
        parts: 1,
    };

    /// None is less than the other's.
    pub(crate) const fn reaches(self, other: Self) -> bool {
        self.segments >= other.segments && self.parts >= other.parts
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            segments: self.segments + other.segments,
            parts: self.parts + other.parts,
        }
    }

    /// The larger of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            segments: self.segments.max(other.segments),
            parts: self.parts.max(other.parts),
        }
    }
}

/// What the present publish, and whoever takes its place, goes on from.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Counts publishes: a writer of an earlier one has lost its right to write.
    pub(crate) generation: u64,
    /// The publish that pushed last: an earlier one comes too late with what it still holds.
    pub(crate) pushed: u64,
    pub(crate) publish: Option<Publish>,
    pub(crate) contest: Contest,
    /// What had its name before it, and until when that can still be fetched.
    before: Option<(Arc<Presentation>, Instant)>,
    /// What the last publish wanted: how long to wait for its return.
    pub(crate) resume: Duration,
    pub(crate) status: Option<PublishStatus>,
    /// What its sound is called.
    pub(crate) label: Label,
    pub(crate) next_sequence: u64,
    pub(crate) at_least: Numbers,
    pub(crate) discontinuities: u64,
    pub(crate) growth: Growth,
    pub(crate) measured: Measured,
    /// Counts snapshots, for entity tags.
    pub(crate) version: u64,
}

/// The publish that owns the presentation.
#[derive(Debug)]
pub(crate) struct Publish {
    /// Woken when the publish must end: shared by all publishes of one connection.
    pub(crate) wake: Arc<Notify>,
    pub(crate) dismissal: Option<Dismissal>,
    pub(crate) credential: u64,
    pub(crate) begun: Instant,
    /// When its last media came, as of its last report; at first, when it began.
    pub(crate) active: Instant,
}

impl Inner {
    /// Lets what had the name before go once its time is over.
    pub(crate) fn forget_before(&mut self, now: Instant) {
        self.before.take_if(|(_, until)| *until <= now);
    }

    /// How much later than they come media were put: in whole tenths of a second, up, and no more than players can hold
    /// back by.
    pub(crate) fn ahead(&self, most: TargetDuration) -> MediaTime {
        let arrivals = self.status.as_ref().and_then(|status| status.arrivals);
        let shift = arrivals.map_or(MediaTime::ZERO, |arrivals| arrivals.shift);
        let tenths = (shift.as_millis() + 99) / 100;
        MediaTime::from_millis(tenths.max(0) * 100).min(most.span())
    }
}

impl Presentation {
    pub(crate) fn new(
        name: PresentationName,
        epoch: u32,
        start: Start,
        settings: &Settings,
    ) -> Self {
        let inner = Inner {
            generation: 0,
            pushed: 0,
            publish: None,
            contest: Contest::default(),
            before: None,
            resume: Duration::ZERO,
            status: None,
            label: Label::default(),
            next_sequence: start.sequence.segments,
            at_least: start.at_least,
            discontinuities: start.discontinuities.segments,
            growth: Growth::new(start.discontinuities.parts, start.target.is_some()),
            measured: Measured::default(),
            version: 0,
        };
        let low_latency = LowLatencyWindow::new(
            name.name.clone(),
            start.sequence.parts,
            TargetDuration::fitting(settings.segment, MediaTime::ZERO),
            epoch,
            settings.low_latency,
        );
        Self {
            name,
            epoch,
            windows: watch::Sender::new(Arc::new(Window {
                target: start.target,
                ..Window::default()
            })),
            low_latency: watch::Sender::new(Arc::new(low_latency)),
            backups: Arc::default(),
            waiting: Default::default(),
            ladder_texts: Texts::default(),
            inner: Mutex::new(inner),
        }
    }

    /// Its name.
    pub fn name(&self) -> &PresentationName {
        &self.name
    }

    /// A number that tells the URLs of segments that it lists first from those of any other presentation that ever had the
    /// name.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The window as it is now.
    pub fn window(&self) -> Arc<Window> {
        self.windows.borrow().clone()
    }

    /// The window as it changes; a waiter sees each snapshot it is awake for.
    pub fn windows(&self) -> watch::Receiver<Arc<Window>> {
        self.windows.subscribe()
    }

    /// The low-latency window as it is now.
    pub fn low_latency_window(&self) -> Arc<LowLatencyWindow> {
        self.low_latency.borrow().clone()
    }

    /// The low-latency window as it changes.
    pub fn low_latency_windows(&self) -> watch::Receiver<Arc<LowLatencyWindow>> {
        self.low_latency.subscribe()
    }

    /// How many wait for the low-latency window to change, or follow it.
    pub fn low_latency_followers(&self) -> usize {
        self.low_latency.receiver_count()
    }

    /// Counts a request as waiting for `rendition`, if fewer than `most` do.
    pub fn wait_for(&self, rendition: Rendition, most: usize) -> Option<Waiting> {
        let [video, audio, muxed] = &self.waiting;
        let waiting = match rendition {
            Rendition::Video => video,
            Rendition::Audio => audio,
            Rendition::Muxed => muxed,
        };
        // One is the presentation's own.
        (Arc::strong_count(waiting) <= most).then(|| Waiting(waiting.clone()))
    }

    /// The texts of the ladder that it is the first of.
    pub(crate) fn ladder_texts(&self) -> &Texts {
        &self.ladder_texts
    }

    /// Its longest target duration, once anything is listed in any form. The low-latency form comes first.
    pub fn target_duration(&self) -> Option<TargetDuration> {
        let low_latency = self.low_latency_window();
        let low_latency = low_latency
            .is_ready()
            .then(|| low_latency.target_duration());
        self.window().target_duration().max(low_latency)
    }

    /// Caption services in its pictures, in whatever form, since it began.
    pub fn captions(&self) -> Captions {
        let mut captions = self.lock().measured.captions;
        captions |= self.low_latency_window().measured().captions;
        captions
    }

    /// Something can be played, in whatever form.
    pub(crate) fn is_listed(&self) -> bool {
        self.window().is_ready() || self.low_latency_window().is_ready()
    }

    /// Live, resuming or ended.
    pub fn state(&self) -> State {
        if self.is_published() {
            State::Live
        } else if self.window().is_ended() {
            State::Ended
        } else {
            State::Resuming
        }
    }

    /// What its last publish reported; `None` before the first report.
    pub fn status(&self) -> Option<PublishStatus> {
        self.lock().status.clone()
    }

    /// Its present publish has listed something.
    pub(crate) fn has_listed(&self) -> bool {
        let inner = self.lock();
        let newest = inner.pushed.max(inner.growth.pushed());
        inner.publish.is_some() && newest == inner.generation
    }

    /// [`PublishStatus::arrivals`] of its publish.
    pub(crate) fn arrivals(&self) -> Option<Arrivals> {
        self.lock().status.as_ref()?.arrivals
    }

    /// What its sound is called, as far as its last publish has said.
    pub fn label(&self) -> Label {
        self.lock().label.clone()
    }

    /// Asks the present publish to end; `false` if nobody publishes.
    pub fn dismiss(&self, why: Dismissal) -> bool {
        match &mut self.lock().publish {
            Some(publish) => {
                publish.dismissal = Some(why);
                publish.wake.notify_one();
                true
            }
            None => false,
        }
    }

    /// How many publishes stand by to take the place of the present one.
    pub fn backups(&self) -> usize {
        Arc::strong_count(&self.backups) - 1
    }

    /// Counts a publish as standing by.
    pub fn stand_by(&self) -> Backup {
        Backup(self.backups.clone())
    }

    /// Its newest segment has sound; `None` while nothing is listed.
    pub(crate) fn has_sound(&self) -> Option<bool> {
        let window = self.window();
        let tracks = window
            .listed()
            .last()
            .map(|entry| entry.segment.tracks.clone());
        let parts = self.low_latency_window();
        let newest = parts
            .all()
            .next_back()
            .map(|segment| segment.head.tracks.clone());
        let tracks = tracks.or(newest)?;
        Some(tracks.iter().any(|it| it.kind() == TrackKind::Audio))
    }

    /// Takes the name of `before`, and what is contested about that: nobody writes that one or waits for its encoder any
    /// more, and its segments can be fetched until then. In MPEG-TS it `goes_on` with them: what the last publish still
    /// holds comes too late.
    pub(crate) fn replace(&self, before: Arc<Self>, until: Instant, goes_on: bool) {
        let mut inner = before.lock();
        inner.generation += 1;
        inner.pushed = inner.generation;
        inner.publish = None;
        inner.before = None;
        let contest = std::mem::take(&mut inner.contest);
        let (sequence, discontinuities) = (inner.next_sequence, inner.discontinuities);
        let measured = inner.measured;
        let window = before.window();
        drop(inner);
        before.release();
        let mut inner = self.lock();
        inner.contest = contest;
        if goes_on {
            inner.next_sequence = sequence;
            inner.discontinuities = discontinuities;
            inner.measured = measured;
            self.windows.send_replace(window);
        } else {
            window.let_bodies_go();
        }
        inner.before = Some((before, until));
    }

    /// What has, or had, its name in this epoch.
    pub fn of_epoch(self: &Arc<Self>, epoch: u32) -> Option<Arc<Self>> {
        if epoch == self.epoch {
            return Some(self.clone());
        }
        let inner = self.lock();
        let (before, _) = inner.before.as_ref()?;
        (before.epoch == epoch).then(|| before.clone())
    }

    /// The segment in MPEG-TS that was listed first in this epoch of its name, and has this media sequence number. What had
    /// its name before may have gone on with it.
    pub fn segment(&self, epoch: u32, sequence: u64) -> Option<Arc<Entry>> {
        let find = |of: &Self| {
            let window = of.window();
            let entry = window.entry(sequence);
            entry.filter(|entry| entry.epoch == epoch).cloned()
        };
        find(self).or_else(|| {
            let (before, _) = self.lock().before.clone()?;
            find(&before)
        })
    }

    /// Lets what had its name before go, though its time be not over.
    pub(crate) fn let_before_go(&self) {
        self.lock().before = None;
    }

    /// Wakes whoever waits for a part, in vain: what is here is all that comes.
    pub(crate) fn release(&self) {
        let _inner = self.lock();
        self.show_low_latency(Growth::release(&self.low_latency_window()));
    }

    /// The discontinuity sequence numbers of its newest segments, or of those that its present publish is about to list.
    pub(crate) fn discontinuities(&self) -> Numbers {
        let inner = self.lock();
        let number = |pushed: u64, last, next| match inner.publish {
            Some(_) if pushed < inner.generation => next,
            _ => last,
        };
        let (last, next) = self.last_and_next(&inner);
        Numbers {
            segments: number(inner.pushed, last.segments, next.segments),
            parts: number(inner.growth.pushed(), last.parts, next.parts),
        }
    }

    /// Those of the first segments of another publish.
    pub(crate) fn next_discontinuities(&self) -> Numbers {
        let (_, next) = self.last_and_next(&self.lock());
        next
    }

    fn last_and_next(&self, inner: &Inner) -> (Numbers, Numbers) {
        let last = Numbers {
            segments: inner.discontinuities,
            parts: inner.growth.discontinuities,
        };
        let next = Numbers {
            segments: last.segments + u64::from(self.window().target.is_some()),
            parts: last.parts + u64::from(inner.growth.goes_on()),
        };
        (last, next)
    }

    /// One connection publishes both.
    pub(crate) fn shares_connection(&self, with: &Self) -> bool {
        let wake = |of: &Self| of.lock().publish.as_ref().map(|it| it.wake.clone());
        let both = wake(self).zip(wake(with));
        both.is_some_and(|(own, other)| Arc::ptr_eq(&own, &other))
    }

    /// The media sequence numbers of its next segments, or of the one that is open.
    pub(crate) fn next_sequence(&self) -> Numbers {
        let parts = self.low_latency.borrow().next_sequence();
        Numbers {
            segments: self.lock().next_sequence,
            parts,
        }
    }

    /// The first media sequence numbers that it has not used.
    pub(crate) fn unused_sequence(&self) -> Numbers {
        let is_open = self.low_latency.borrow().open().is_some();
        let next = self.next_sequence();
        Numbers {
            parts: next.parts + u64::from(is_open),
            ..next
        }
    }

    /// The first media sequence number and the first discontinuity sequence number that it has not used in any form.
    pub(crate) fn floors(&self) -> (u64, u64) {
        let unused = self.unused_sequence();
        let inner = self.lock();
        (
            unused.segments.max(unused.parts),
            inner.discontinuities.max(inner.growth.discontinuities) + 1,
        )
    }

    /// When its present publish began, by the monotonic clock; `None` if nobody publishes.
    pub fn publish_begun(&self) -> Option<Instant> {
        Some(self.lock().publish.as_ref()?.begun)
    }

    pub(crate) fn is_published(&self) -> bool {
        self.lock().publish.is_some()
    }

    /// Replaces the snapshot that readers see, with its texts.
    pub(crate) fn show(&self, inner: &mut Inner, window: Window) {
        self.windows
            .send_replace(Arc::new(self.render(inner, window)));
    }

    /// What is published from here on is in CMAF alone: wakes those who wait for it in MPEG-TS.
    pub(crate) fn leave_ts(&self, inner: &mut Inner) {
        let before = self.window();
        if before.container == Container::Cmaf || before.ended {
            return;
        }
        let window = Window {
            removed: before.removed.clone(),
            listed: before.listed.clone(),
            ranges: before.ranges.clone(),
            target: before.target,
            container: Container::Cmaf,
            ..Window::default()
        };
        self.show(inner, window);
    }

    /// Replaces the low-latency snapshot that readers see.
    pub(crate) fn show_low_latency(&self, window: LowLatencyWindow) {
        self.low_latency.send_replace(Arc::new(window));
    }

    /// Fills in the texts of a snapshot that lists something.
    fn render(&self, inner: &mut Inner, window: Window) -> Window {
        let Some(target) = window.target.filter(|_| window.is_ready()) else {
            return window;
        };
        inner.version += 1;
        let text = |plain| Text::new(plain, format!("{:08x}-{:x}", self.epoch, inner.version));
        let window = Window {
            measured: inner.measured,
            ..window
        };
        let multivariant =
            |folder: &str| multivariant::render(&[window.variant(folder, &self.name.name)], &[]);
        Window {
            playlist: text(media_playlist::render(
                &window.listed,
                &window.ranges,
                target,
                window.measured.is_independent(),
                window.ended,
            )),
            multivariant: text(multivariant("")),
            alias: text(multivariant(&format!("{}/", self.name.name))),
            ..window
        }
    }

    /// The inner state is consistent between any two statements, so a panic elsewhere does not spoil it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The next entry of the window: `segment` with its numbers and lines.
    pub(crate) fn number(&self, segment: Segment, epoch: u32, now: Instant) -> Entry {
        let discontinuities = self.discontinuities + u64::from(segment.discontinuity);
        Entry::new(self.next_sequence, discontinuities, segment, epoch, now)
    }

    /// Counts `entry` as listed.
    pub(crate) fn enlist(&mut self, entry: &Entry, target: MediaTime) {
        self.next_sequence = entry.sequence + 1;
        self.discontinuities = entry.discontinuity_sequence;
        self.measured.add_segment(&entry.segment, target);
    }
}
