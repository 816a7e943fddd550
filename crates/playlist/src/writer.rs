//! The one writer of a presentation's window.

use std::sync::{Arc, MutexGuard, Weak};
use std::time::{Duration, Instant};

use media::{Anchor, Grid, MediaTime, Part, Segment, Track};
use thiserror::Error;

use crate::low_latency::{Beginning, Growth};
use crate::presentation::{Inner, Publish};
use crate::registry::Shared;
use crate::slide::slide;
use crate::{
    Adjustment, Dismissal, Form, Label, OnConflict, Presentation, PublishStatus, Refused,
    RungNames, TargetDuration, Terms, Window, media_playlist,
};

/// So many of the newest segments keep the bodies made of them: players follow the edge, and fetch a segment
/// within a reload or two of its listing.
const WITH_BODIES: usize = 2;

/// This publish no longer owns its presentation: another took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("another publish took over the name")]
pub struct Replaced;

/// Why a segment did not go into the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PushError {
    /// This publish no longer owns its presentation.
    #[error(transparent)]
    Replaced(#[from] Replaced),
    /// The listed segments would hold more than [`Settings::listed_bytes`].
    #[error(
        "its playlist would hold {bytes} bytes, more than the {limit} allowed; lower the bit rate or shorten the window"
    )]
    TooLarge {
        /// What they would hold.
        bytes: u64,
        /// What they may.
        limit: u64,
    },
}

/// One publish's right to write a presentation. Dropping it is leaving without a word;
/// [`Writer::leave`] keeps the presentation alive for the resume time.
#[derive(Debug)]
pub struct Writer {
    presentation: Arc<Presentation>,
    shared: Arc<Shared>,
    generation: u64,
    /// Nothing was pushed yet: what comes first follows on from another publish, if from anything.
    fresh: bool,
    /// How far dates are ahead of the clock, behind a publish that was faster than it.
    ahead: Duration,
    /// The target duration that its first segment fixes, if that is not up to the segment.
    given: Option<TargetDuration>,
}

impl Writer {
    /// Takes `presentation` over from whoever writes it; `None` if it has ended.
    pub(crate) fn begin(
        presentation: Arc<Presentation>,
        shared: Arc<Shared>,
        terms: &Terms,
        now: Instant,
    ) -> Result<Option<Self>, Refused> {
        let mut inner = presentation.lock();
        if presentation.window().is_ended() {
            return Ok(None);
        }
        let rival = inner
            .publish
            .as_ref()
            .filter(|there| now.saturating_duration_since(there.active) < shared.settings.stalled);
        if let Some(rival) = rival {
            if terms.on_conflict != OnConflict::Takeover || rival.credential != terms.credential {
                return Err(Refused::Occupied);
            }
            inner.contest.takeover(now)?;
        }
        inner.generation += 1;
        inner.status = None;
        inner.resume = terms.resume;
        let publish = Publish {
            wake: terms.wake.clone(),
            dismissal: None,
            credential: terms.credential,
            begun: now,
            active: now,
        };
        if let Some(replaced) = inner.publish.replace(publish) {
            replaced.wake.notify_one();
        }
        let generation = inner.generation;
        drop(inner);
        Ok(Some(Self {
            presentation,
            shared,
            generation,
            fresh: true,
            ahead: Duration::ZERO,
            given: None,
        }))
    }

    /// Its first segment fixes `target`, if that is told: of sound, which can be cut anywhere, just that, and of pictures
    /// that or more.
    pub(crate) fn keep_to(self, target: Option<TargetDuration>) -> Self {
        Self {
            given: target,
            ..self
        }
    }

    /// The target duration of the presentation, once it is known.
    pub fn target_duration(&self) -> Option<TargetDuration> {
        let window = self.presentation.window();
        let can_keep = RungNames::sound_in(self.presentation.name()).is_some();
        window.target_duration().or(self.given.filter(|_| can_keep))
    }

    /// The presentation that is written.
    pub fn presentation(&self) -> &Arc<Presentation> {
        &self.presentation
    }

    /// Why this publish must end, if it must.
    pub fn dismissal(&self) -> Option<Dismissal> {
        match self.owned() {
            Ok(inner) => inner.publish.as_ref()?.dismissal,
            Err(Replaced) => Some(Dismissal::Takeover),
        }
    }

    /// Tells the status API how the publish is doing. `active` is when its last media came, by the monotonic
    /// clock: it is stalled from then on, not from a report.
    ///
    /// # Errors
    /// [`Replaced`] if this publish was taken over.
    pub fn report(&self, status: PublishStatus, active: Instant) -> Result<(), Replaced> {
        let mut inner = self.owned()?;
        if let Some(publish) = &mut inner.publish {
            publish.active = publish.active.max(active);
        }
        inner.status = Some(status);
        inner.forget_before(active);
        Ok(())
    }

    /// Says what its sound is called.
    ///
    /// # Errors
    /// [`Replaced`] if this publish was taken over.
    pub fn label(&self, label: Label) -> Result<(), Replaced> {
        self.owned()?.label = label;
        Ok(())
    }

    /// How many encoders were refused this presentation's name, ever, with [`Refused::Contested`].
    pub fn contests(&self) -> u64 {
        self.presentation.lock().contest.refused()
    }

    /// Appends a segment to the window and wakes every waiter once. `now` is the monotonic clock, which
    /// decides how long segments are listed and then still served. Gives the presentation's target duration,
    /// which the first segment fixes.
    ///
    /// A publish that was taken over may still bring in what it holds, until its successor lists something; not where that
    /// begins anew beside others.
    ///
    /// # Errors
    /// Another publish took over, or the window would hold too much; the segment is then lost.
    pub fn push(
        &mut self,
        mut segment: Segment,
        now: Instant,
    ) -> Result<TargetDuration, PushError> {
        let settings = &self.shared.settings;
        let is_first = !self.presentation.window().is_ready();
        let beside = is_first.then(|| self.sequence_beside(Form::Classic, segment.start));
        let beside = beside.flatten();
        let mut inner = self.presentation.lock();
        let before = self.presentation.window();
        // The successor cuts by the target duration it found: it must not be fixed behind its back.
        let late = inner.generation != self.generation && before.target.is_none();
        if late || inner.pushed > self.generation || before.is_ended() {
            return Err(Replaced.into());
        }
        if self.fresh {
            // The first segment of a publish breaks with whatever stands before it, listed here or by the
            // process before, and with nothing else.
            segment.discontinuity = before.target.is_some();
        }
        if segment.discontinuity
            && let Some(last) = before.listed.back()
        {
            let end = last.segment.date + last.segment.duration.to_duration();
            // Dates rise from segment to segment, and are exact within a discontinuity.
            self.ahead = end.duration_since(segment.date).unwrap_or_default();
        }
        segment.date += self.ahead;
        let target = before.target.unwrap_or_else(|| {
            let first = MediaTime::from_millis(media_playlist::extinf_millis(&segment));
            let fitting = TargetDuration::fitting(settings.segment, first);
            self.given.map_or(fitting, |given| given.max(fitting))
        });
        if let Some(number) = beside.filter(|_| !before.is_ready()) {
            inner.next_sequence = number.max(inner.at_least.segments);
        }
        let mut listed = before.listed.clone();
        let mut removed = before.removed.clone();
        let entry = Arc::new(inner.number(segment, self.presentation.epoch(), now));
        listed.push_back(entry.clone());
        let older = listed.iter().rev().skip(WITH_BODIES);
        let older = older.chain(removed.iter().map(|removed| &removed.entry));
        older.for_each(|entry| entry.let_bodies_go());
        let held = slide(&mut listed, &mut removed, settings, target, now);
        if held.bytes > settings.listed_bytes {
            // What may still come does not go on from what is listed.
            self.fresh = true;
            return Err(PushError::TooLarge {
                bytes: held.bytes,
                limit: settings.listed_bytes,
            });
        }
        inner.enlist(&entry, settings.segment);
        inner.pushed = self.generation;
        let mut ranges = before.ranges.clone();
        let segment = &entry.segment;
        let anchor = Anchor {
            at: segment.start,
            date: segment.date,
        };
        ranges.add(&segment.events, anchor);
        if let Some(first) = listed.front() {
            ranges.forget_before(first.segment.date);
        }
        let window = Window {
            ranges,
            removed,
            listed,
            target: Some(target),
            shortened: held.shortened,
            ..Window::default()
        };
        self.presentation.show(&mut inner, window);
        drop(inner);
        self.fresh = false;
        Ok(target)
    }

    /// Appends a part to the low-latency window, whose segment it may begin or complete, and wakes every waiter once.
    /// Gives the part target, which the first part fixes.
    ///
    /// # Errors
    /// Another publish took over, or the window would hold too much; the part is then lost.
    pub fn push_part(&mut self, part: Part, now: Instant) -> Result<MediaTime, PushError> {
        // The beginning of time of a ladder stays where it is when the rung leaves that it was of. Asked before the lock
        // is taken: the registry's comes first.
        let begun = self.presentation.low_latency_window().begun();
        let is_first = begun.is_none();
        let begun = begun.or_else(|| self.shared.begun_beside(self.presentation.name()));
        let sequence = is_first.then(|| self.sequence_beside(Form::LowLatency, part.start));
        let sequence = sequence.flatten();
        let mut inner = self.presentation.lock();
        let before = self.presentation.low_latency_window();
        // The successor makes its parts as the window it found asks for: nothing must be fixed behind its back.
        if inner.generation != self.generation && before.part_target().is_none() {
            return Err(Replaced.into());
        }
        let target = before.part_target().unwrap_or(part.target);
        let tracks = part.head.as_ref().map(|head| head.tracks.clone());
        let settings = &self.shared.settings;
        let beside = Beginning {
            begun,
            sequence: sequence.map(|number| number.max(inner.at_least.parts)),
        };
        let (mut window, result) =
            inner
                .growth
                .part(&before, part, beside, self.generation, settings, now)?;
        window.ahead = inner.ahead(window.target_duration());
        self.presentation.show_low_latency(window);
        let belongs = |track: &Track| track.codec.belongs_in_ts(settings.hevc_in_ts);
        if tracks.is_some_and(|tracks| !tracks.iter().all(belongs)) {
            self.presentation.leave_ts(&mut inner);
        }
        result.map(|()| target)
    }

    /// The low-latency segment of the parts so far is complete with those.
    ///
    /// # Errors
    /// The window would hold too much; the segment is then lost.
    pub fn close_segment(&mut self, now: Instant) -> Result<(), PushError> {
        let mut inner = self.presentation.lock();
        let before = self.presentation.low_latency_window();
        let settings = &self.shared.settings;
        let closed = inner.growth.close(&before, self.generation, settings, now);
        let Some((window, result)) = closed else {
            return Ok(());
        };
        self.presentation.show_low_latency(window);
        result
    }

    /// Where the boundaries of the ladder are that this presentation is a rung of, and its clock; `None` where it is none,
    /// or leads.
    pub fn ladder_grid(&self) -> Option<Grid> {
        let name = self.presentation.name();
        self.shared.ladder_over(name)?.grid(name)
    }

    /// What this presentation has to change to fit into its ladder, with what comes at `from` or later; `None` where it
    /// has none, or fits.
    pub fn adjustment(&self, from: MediaTime) -> Option<Adjustment> {
        let name = self.presentation.name();
        self.shared.ladder_over(name)?.adjustment(name, from)
    }

    /// Rungs that begin beside others have their numbers where their media are. Asked before the presentation is locked.
    fn sequence_beside(&self, form: Form, start: MediaTime) -> Option<u64> {
        let name = self.presentation.name();
        let ladder = self.shared.ladder_over(name)?;
        ladder.sequence_at(name, form, start)
    }

    /// Ends the publish. The presentation stays as it is; what becomes of it is up to [`Vacancy::expire`].
    pub fn leave(self) -> Vacancy {
        let mut resume = Duration::ZERO;
        if let Ok(mut inner) = self.owned() {
            inner.publish = None;
            resume = inner.resume;
            // Who waits may find elsewhere what does not come.
            let window = Growth::leave(&self.presentation.low_latency_window());
            self.presentation.show_low_latency(window);
        }
        Vacancy {
            presentation: Arc::downgrade(&self.presentation),
            shared: self.shared.clone(),
            generation: self.generation,
            resume,
        }
    }

    fn owned(&self) -> Result<MutexGuard<'_, Inner>, Replaced> {
        let inner = self.presentation.lock();
        if inner.generation == self.generation {
            Ok(inner)
        } else {
            Err(Replaced)
        }
    }
}

/// A presentation whose publisher left.
#[derive(Debug)]
#[must_use = "a presentation that is not expired stays for ever"]
pub struct Vacancy {
    /// The registry keeps it, and for a while what has its name after it. That may be before the wait is over, and it is as
    /// large as its window.
    presentation: Weak<Presentation>,
    shared: Arc<Shared>,
    generation: u64,
    resume: Duration,
}

impl Vacancy {
    /// A presentation of the process before, which nobody has published in this one.
    pub(crate) fn restored(
        presentation: &Arc<Presentation>,
        shared: Arc<Shared>,
        resume: Duration,
    ) -> Self {
        Self {
            presentation: Arc::downgrade(presentation),
            shared,
            generation: 0,
            resume,
        }
    }

    /// Waits out the resume time, ends the presentation with EXT-X-ENDLIST, lets it linger and forgets
    /// it; stops at once when somebody publishes it again. A presentation that never had a playlist is
    /// forgotten immediately.
    pub async fn expire(self) {
        let awaited = self.vacant().map(|there| there.target_duration().is_some());
        match awaited {
            None => return,
            Some(true) => {
                // Nobody reports until then, and the wait may be one of hours.
                let linger = self.shared.settings.linger.min(self.resume);
                tokio::time::sleep(linger).await;
                if let Some(there) = self.vacant().filter(|_| linger < self.resume) {
                    there.let_before_go();
                }
                tokio::time::sleep(self.resume - linger).await;
            }
            Some(false) => {}
        }
        let Some(presentation) = self.end() else {
            return;
        };
        if presentation.is_listed() {
            tokio::time::sleep(self.shared.settings.linger).await;
        }
        self.shared.forget(&presentation);
    }

    /// The presentation, if nobody publishes it again.
    fn vacant(&self) -> Option<Arc<Presentation>> {
        let presentation = self.presentation.upgrade()?;
        let generation = presentation.lock().generation;
        (generation == self.generation).then_some(presentation)
    }

    /// Puts the last snapshot up, and gives whose that is; `None` if somebody publishes again.
    fn end(&self) -> Option<Arc<Presentation>> {
        let presentation = self.presentation.upgrade()?;
        let mut inner = presentation.lock();
        if inner.generation != self.generation {
            return None;
        }
        let before = presentation.window();
        // No later segment does it.
        before.let_bodies_go();
        let window = Window {
            ranges: before.ranges.clone(),
            removed: before.removed.clone(),
            listed: before.listed.clone(),
            target: before.target,
            container: before.container,
            ended: true,
            ..Window::default()
        };
        presentation.show(&mut inner, window);
        let before = presentation.low_latency_window();
        let settings = &self.shared.settings;
        let window = inner.growth.end(&before, settings, Instant::now());
        presentation.show_low_latency(window);
        drop(inner);
        Some(presentation)
    }
}

#[cfg(test)]
mod tests;
