//! How a low-latency window grows: part by part, segment by segment. Pure: a snapshot and what is new give the next.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use media::{Anchor, Part, Rendition, Track};

use super::segment::{CmafSegment, InitSection, RENDITIONS, Run, Sections, index};
use super::window::{LowLatencyWindow, Settled};
use super::{dash, text};
use crate::slide::slide;
use crate::{PushError, Replaced, Settings};

/// A window, and whether its newest segment was too large to be in it.
pub(crate) type Grown = (LowLatencyWindow, Result<(), PushError>);

/// Where a window begins, as far as that is known from others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beginning {
    /// When time began.
    pub(crate) begun: Option<SystemTime>,
    /// The media sequence number of its first segment.
    pub(crate) sequence: Option<u64>,
}

/// What a window goes on from.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) discontinuities: u64,
    /// The publish whose part was last: an earlier one comes too late.
    pushed: u64,
    /// The newest init section of each rendition.
    sections: Sections,
    /// How far dates are ahead of the clock, behind a publish that was faster than it.
    ahead: Duration,
    /// Something was listed before, here or by the process before.
    goes_on: bool,
    /// What comes next does not go on from what is listed.
    broken: bool,
    /// What is listed without a break.
    run: Option<Run>,
}

impl Growth {
    pub(crate) const fn new(discontinuities: u64, goes_on: bool) -> Self {
        Self {
            discontinuities,
            pushed: 0,
            sections: [const { None }; RENDITIONS],
            ahead: Duration::ZERO,
            goes_on,
            broken: false,
            run: None,
        }
    }

    /// The publish that pushed last.
    pub(crate) const fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Something was listed before, here or by the process before.
    pub(crate) const fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// The window behind the next part of the publish number `generation`, and why that publish has to end, if its
    /// segment was too large. `beside` is what others tell of its first.
    ///
    /// # Errors
    /// Another publish has listed something since.
    pub(crate) fn part(
        &mut self,
        before: &LowLatencyWindow,
        mut part: Part,
        beside: Beginning,
        generation: u64,
        settings: &Settings,
        now: Instant,
    ) -> Result<Grown, Replaced> {
        if before.ended || self.pushed > generation {
            return Err(Replaced);
        }
        let mut window = before.next();
        if let Some(mut head) = part.head.take() {
            // What another publish, or a panic, has left open is complete with what is there of it. That it is too
            // large is not the fault of this one.
            self.broken |= settle(&mut window, settings, now).is_err();
            if self.pushed != generation {
                // The first segment of a publish breaks with whatever stands before it.
                head.discontinuity = self.goes_on;
                self.pushed = generation;
            }
            head.discontinuity |= std::mem::take(&mut self.broken);
            if head.discontinuity
                && let Some(last) = window.settled.listed.back()
            {
                let lasted = (last.end() - last.start()).to_duration();
                // Dates rise from segment to segment, and are exact within a discontinuity.
                self.ahead = (last.head.date + lasted)
                    .duration_since(head.date)
                    .unwrap_or_default();
            }
            head.date += self.ahead;
            let origin = dash::origin(head.date, part.start);
            if let (None, Some(sequence)) = (window.begun, beside.sequence) {
                window.next_sequence = sequence;
            }
            window.begun = window.begun.or(beside.begun).or(Some(origin));
            self.discontinuities += u64::from(head.discontinuity);
            let run = match self.run {
                Some(run) if !head.discontinuity => run,
                _ => Run {
                    sequence: window.next_sequence,
                    date: head.date,
                    start: part.start,
                },
            };
            self.run = Some(run);
            let sections = self.sections_for(window.next_sequence, &head.tracks);
            let segment = CmafSegment::new(
                window.next_sequence,
                self.discontinuities,
                head,
                sections,
                run,
                generation,
                now,
            );
            window.open = Some(Arc::new(segment));
        }
        let Some(open) = window.open.filter(|open| open.generation == generation) else {
            // Its beginning was not listed, and so nothing of it is.
            return Err(Replaced);
        };
        self.goes_on = true;
        window.part_target.get_or_insert(part.target);
        let is_last = part.is_last;
        let open = open.grown(part, now);
        if let Some(entry) = open.parts.last() {
            let anchor = Anchor {
                at: entry.part.start,
                date: entry.date,
            };
            window.ranges.add(&entry.part.events, anchor);
        }
        window.open = Some(Arc::new(open));
        if is_last {
            // At once: in between, a playlist would hint at a part that never comes.
            return Ok(self.settled(window, settings, now));
        }
        Ok((window, Ok(())))
    }

    fn settled(
        &mut self,
        mut window: LowLatencyWindow,
        settings: &Settings,
        now: Instant,
    ) -> Grown {
        let result = settle(&mut window, settings, now);
        self.broken |= result.is_err();
        (window, result)
    }

    /// The window with its open segment complete; `None` if there is none of `generation`.
    pub(crate) fn close(
        &mut self,
        before: &LowLatencyWindow,
        generation: u64,
        settings: &Settings,
        now: Instant,
    ) -> Option<Grown> {
        before
            .open
            .as_ref()
            .filter(|open| open.generation == generation)?;
        Some(self.settled(before.next(), settings, now))
    }

    /// The last window: what is open is complete, and nothing follows.
    pub(crate) fn end(
        &mut self,
        before: &LowLatencyWindow,
        settings: &Settings,
        now: Instant,
    ) -> LowLatencyWindow {
        let mut window = before.next();
        // Too large or not: it is the last.
        let _ = settle(&mut window, settings, now);
        window.ended = true;
        window
    }

    /// The same window, which nobody adds to for now.
    pub(crate) fn leave(before: &LowLatencyWindow) -> LowLatencyWindow {
        LowLatencyWindow {
            left: true,
            ..before.next()
        }
    }

    /// The same window for whoever waits for another, that does not come.
    pub(crate) fn release(before: &LowLatencyWindow) -> LowLatencyWindow {
        LowLatencyWindow {
            over: true,
            ..before.next()
        }
    }

    /// The init sections for `tracks`: those there are, where nothing has changed for a rendition. One that has nothing
    /// in this segment keeps its own: it is there for as long as the presentation is, with gaps.
    fn sections_for(&mut self, sequence: u64, tracks: &Arc<[Track]>) -> Sections {
        for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
            let carried = |tracks: &[Track]| -> Vec<Track> {
                let all = tracks.iter();
                all.filter(|track| rendition.carries(track.kind()))
                    .cloned()
                    .collect()
            };
            let Some(newest) = self.sections.get_mut(index(rendition)) else {
                continue;
            };
            let same = newest.as_ref().is_some_and(|there| {
                Arc::ptr_eq(&there.tracks, tracks) || carried(&there.tracks) == carried(tracks)
            });
            if !same && !carried(tracks).is_empty() {
                *newest = Some(Arc::new(InitSection::new(sequence, tracks.clone())));
            }
        }
        self.sections.clone()
    }
}

/// What is open becomes complete, and the window slides.
///
/// # Errors
/// All together would hold too much: what was open is gone, and what follows does not go on from what is listed.
fn settle(
    window: &mut LowLatencyWindow,
    settings: &Settings,
    now: Instant,
) -> Result<(), PushError> {
    let Some(open) = window.open.take() else {
        return Ok(());
    };
    window.next_sequence = open.sequence + 1;
    let mut listed = window.settled.listed.clone();
    let mut removed = window.settled.removed.clone();
    let mut measured = window.settled.measured;
    measured.add(&text::sample(&open), settings.segment);
    listed.push_back(open);
    let held = slide(&mut listed, &mut removed, settings, window.target, now);
    if held.bytes > settings.listed_bytes {
        return Err(PushError::TooLarge {
            bytes: held.bytes,
            limit: settings.listed_bytes,
        });
    }
    if let Some(first) = listed.front() {
        window.ranges.forget_before(first.head.date);
    }
    window.settled = Arc::new(Settled {
        removed,
        listed,
        measured,
    });
    Ok(())
}
