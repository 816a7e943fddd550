//! The one writer of a presentation's window.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use media::{MediaTime, Segment};
use thiserror::Error;
use tokio::sync::Notify;

use crate::presentation::{Inner, Publish};
use crate::registry::Shared;
use crate::window::{Entry, Removed};
use crate::{Dismissal, Presentation, PublishStatus, Settings, TargetDuration, Window};

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
}

impl Writer {
    /// Takes `presentation` over from whoever writes it; `None` if it has ended.
    pub(crate) fn begin(
        presentation: Arc<Presentation>,
        shared: Arc<Shared>,
        wake: Arc<Notify>,
    ) -> Option<Self> {
        let mut inner = presentation.lock();
        if presentation.window().is_ended() {
            return None;
        }
        inner.generation += 1;
        inner.status = None;
        let publish = Publish {
            wake,
            dismissal: None,
        };
        if let Some(replaced) = inner.publish.replace(publish) {
            replaced.wake.notify_one();
        }
        let generation = inner.generation;
        drop(inner);
        Some(Self {
            presentation,
            shared,
            generation,
            fresh: true,
        })
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

    /// Tells the status API how the publish is doing.
    ///
    /// # Errors
    /// [`Replaced`] if this publish was taken over.
    pub fn report(&self, status: PublishStatus) -> Result<(), Replaced> {
        self.owned()?.status = Some(status);
        Ok(())
    }

    /// Appends a segment to the window and wakes every waiter once. `now` is the monotonic clock, which
    /// decides how long removed segments are still served. Gives the presentation's target duration,
    /// which the first segment fixes.
    ///
    /// # Errors
    /// Another publish took over, or the window would hold too much; the segment is then lost.
    pub fn push(
        &mut self,
        mut segment: Segment,
        now: Instant,
    ) -> Result<TargetDuration, PushError> {
        let settings = &self.shared.settings;
        let mut inner = self.owned()?;
        let before = self.presentation.window();
        if self.fresh {
            // The first segment of a publish breaks with whatever stands before it, and with nothing else.
            segment.discontinuity = before.is_ready();
        }
        let target = before
            .target
            .unwrap_or_else(|| TargetDuration::fitting(settings.segment, segment.duration));
        let mut listed = before.listed.clone();
        let mut removed = before.removed.clone();
        let entry = Arc::new(inner.number(segment, self.presentation.epoch()));
        listed.push_back(entry.clone());
        listed
            .iter()
            .rev()
            .skip(WITH_BODIES)
            .for_each(|older| older.let_bodies_go());
        slide(&mut listed, &mut removed, settings, target, now);
        let bytes = listed
            .iter()
            .map(|entry| entry.cost + entry.segment.ts.bytes)
            .sum();
        if bytes > settings.listed_bytes {
            return Err(PushError::TooLarge {
                bytes,
                limit: settings.listed_bytes,
            });
        }
        inner.enlist(&entry, settings.segment);
        let window = Window {
            removed,
            listed,
            target: Some(target),
            ..Window::default()
        };
        self.presentation.show(&mut inner, window);
        drop(inner);
        self.fresh = false;
        Ok(target)
    }

    /// Ends the publish. The presentation stays as it is; what becomes of it is up to [`Vacancy::expire`].
    pub fn leave(self) -> Vacancy {
        if let Ok(mut inner) = self.owned() {
            inner.publish = None;
        }
        Vacancy {
            presentation: self.presentation.clone(),
            shared: self.shared.clone(),
            generation: self.generation,
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
    presentation: Arc<Presentation>,
    shared: Arc<Shared>,
    generation: u64,
}

impl Vacancy {
    /// Waits out the resume time, ends the presentation with EXT-X-ENDLIST, lets it linger and forgets
    /// it; stops at once when somebody publishes it again. A presentation without a single segment is
    /// forgotten immediately.
    pub async fn expire(self) {
        if self.presentation.lock().generation != self.generation {
            return;
        }
        if self.presentation.window().is_ready() {
            tokio::time::sleep(self.shared.settings.resume).await;
            if !self.end() {
                return;
            }
            tokio::time::sleep(self.shared.settings.linger).await;
        } else if !self.end() {
            return;
        }
        self.shared.forget(&self.presentation);
    }

    /// Puts the last snapshot up; `false` if somebody publishes again.
    fn end(&self) -> bool {
        let mut inner = self.presentation.lock();
        if inner.generation != self.generation {
            return false;
        }
        let before = self.presentation.window();
        let window = Window {
            removed: before.removed.clone(),
            listed: before.listed.clone(),
            target: before.target,
            ended: true,
            ..Window::default()
        };
        self.presentation.show(&mut inner, window);
        true
    }
}

/// Moves what no longer fits from the playlist to the removed segments, and lets go of those whose time
/// is over: a removed segment is served for its own duration and that of the longest playlist that held
/// it (RFC 8216 §6.2.2). The playlist never shrinks below three target durations.
fn slide(
    listed: &mut VecDeque<Arc<Entry>>,
    removed: &mut VecDeque<Removed>,
    settings: &Settings,
    target: TargetDuration,
    now: Instant,
) {
    let duration = |entries: &VecDeque<Arc<Entry>>| -> MediaTime {
        entries.iter().map(|entry| entry.segment.duration).sum()
    };
    let three_targets = target.span() + target.span() + target.span();
    while listed.len() > settings.window.max(1) {
        let held = duration(listed);
        let Some(oldest) = listed.front().cloned() else {
            break;
        };
        if held - oldest.segment.duration < three_targets {
            break;
        }
        listed.pop_front();
        let until = now + (oldest.segment.duration + held).to_duration();
        removed.push_back(Removed {
            entry: oldest,
            until,
        });
    }
    let mut bytes: u64 = removed.iter().map(|removed| removed.entry.cost).sum();
    while let Some(oldest) = removed.front() {
        if oldest.until > now && bytes <= settings.removed_bytes {
            break;
        }
        bytes -= oldest.entry.cost;
        removed.pop_front();
    }
}

#[cfg(test)]
mod tests;
