//! Which segments are in which Period, and what their numbers say of their times.

use media::{Anchor, MediaTime};

use super::super::segment::{CmafSegment, Run};
use super::super::text::times;
use super::super::window::LowLatencyWindow;
use super::sets::Description;
use crate::ladder::{CLOCKS_AGREE, TOLERANCE};

/// So many segments are too few for their mean length to be exact.
const FEW: i64 = 30;
/// A further Period of a ladder is listed when it has lasted so long: rungs come back one after the other, and Shaka
/// 5.2 never looks again for Representations in a Period that it knows.
const ALL_ARE_BACK: MediaTime = MediaTime::from_millis(1_000);

/// What goes on without a break in the leading presentation.
#[derive(Debug)]
pub(super) struct Period<'a> {
    leading: &'a LowLatencyWindow,
    pub(super) run: Run,
    segments: Vec<&'a CmafSegment>,
    /// How long segments are, if a player can compute which is open.
    length: Option<MediaTime>,
    /// Nothing is added to it any more.
    pub(super) is_over: bool,
}

/// What a presentation has in a Period.
#[derive(Debug)]
pub(super) struct Share<'a> {
    /// Not empty.
    pub(super) segments: Vec<&'a CmafSegment>,
    /// The run of the presentation that they are of.
    pub(super) run: Run,
    /// By how much its clock is behind that of the Period; negative: ahead.
    pub(super) late: MediaTime,
    pub(super) numbers: Option<Numbers>,
}

/// Segments as long as each other, one number after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// That of the segment at the start of the Period.
    pub(super) first: u64,
    pub(super) length: MediaTime,
}

/// The Periods to be listed, oldest first.
pub(super) fn periods<'a>(description: &Description<'a>) -> Vec<Period<'a>> {
    let leading = description.leading;
    let mut runs = runs(leading);
    let is_new = runs.last().is_some_and(|run| lasts(run) < ALL_ARE_BACK);
    let waits = runs.len() > 1 && is_new && description.is_of_several() && !leading.is_ended();
    if waits {
        runs.pop();
    }
    let count = runs.len();
    let all = runs.into_iter().enumerate();
    all.filter_map(|(at, segments)| {
        Some(Period {
            leading,
            run: segments.first()?.run,
            length: regular(leading, &segments),
            segments,
            is_over: at + 1 < count || leading.is_ended(),
        })
    })
    .collect()
}

impl<'a> Period<'a> {
    /// Where it ends, or the newest of it does so far.
    pub(super) fn end(&self) -> MediaTime {
        let newest = self.segments.last();
        newest.map_or(self.run.start, |newest| newest.end())
    }

    /// What `window` has in it: of its newest run that is on the same timeline at the same time.
    pub(super) fn share(&self, window: &'a LowLatencyWindow) -> Option<Share<'a>> {
        if std::ptr::eq(window, self.leading) {
            return self.share_of(window, self.segments.clone());
        }
        runs(window).into_iter().rev().find_map(|mut segments| {
            segments.retain(|it| self.has(it.start()));
            let share = self.share_of(window, segments)?;
            (share.late <= CLOCKS_AGREE && -share.late <= CLOCKS_AGREE).then_some(share)
        })
    }

    fn share_of(
        &self,
        window: &LowLatencyWindow,
        segments: Vec<&'a CmafSegment>,
    ) -> Option<Share<'a>> {
        let run = segments.first()?.run;
        Some(Share {
            late: anchor(run).behind(&anchor(self.run)),
            numbers: self.numbers(window, &segments),
            run,
            segments,
        })
    }

    /// A segment that starts there is in it.
    fn has(&self, start: MediaTime) -> bool {
        let start = start + TOLERANCE;
        start >= self.run.start && (!self.is_over || start < self.end())
    }

    /// What the numbers of `segments` of `window` say, if those of the leading presentation say something.
    fn numbers(&self, window: &LowLatencyWindow, segments: &[&CmafSegment]) -> Option<Numbers> {
        let length = self.length?;
        let (run, newest) = (segments.first()?.run, segments.last()?);
        let off = run.start - self.run.start;
        if off <= TOLERANCE
            && -off <= TOLERANCE
            && let Some(length) = regular(window, segments)
        {
            return Some(Numbers {
                first: run.sequence,
                length,
            });
        }
        // It has joined in the middle, or was cut otherwise before it fitted: the newest says how many would have been
        // before.
        let since = (newest.start() - self.run.start).as_nanos();
        let before = since.saturating_add(length.as_nanos() / 2) / length.as_nanos();
        let off = since - length.as_nanos().saturating_mul(before);
        let first = newest.sequence.checked_sub(u64::try_from(before).ok()?)?;
        (off.saturating_abs().saturating_mul(4) <= length.as_nanos())
            .then_some(Numbers { first, length })
    }
}

const fn anchor(run: Run) -> Anchor {
    Anchor {
        at: run.start,
        date: run.date,
    }
}

fn lasts(run: &[&CmafSegment]) -> MediaTime {
    let newest = run.last();
    newest.map_or(MediaTime::ZERO, |newest| newest.end() - newest.run.start)
}

/// What goes on without a break, together.
fn runs(window: &LowLatencyWindow) -> Vec<Vec<&CmafSegment>> {
    let mut runs: Vec<Vec<&CmafSegment>> = Vec::new();
    for segment in window.all() {
        match runs.last_mut() {
            Some(run)
                if run
                    .last()
                    .is_some_and(|it| it.run.sequence == segment.run.sequence) =>
            {
                run.push(segment);
            }
            _ => runs.push(vec![segment]),
        }
    }
    runs
}

/// How long segments are, if a player can tell from their numbers where each of them begins: no more than a quarter of
/// a segment off.
fn regular(window: &LowLatencyWindow, segments: &[&CmafSegment]) -> Option<MediaTime> {
    let (run, newest) = (segments.first()?.run, segments.last()?);
    let since = |segment: &CmafSegment| i64::try_from(segment.sequence - run.sequence).ok();
    // The mean is what keeps numbers and times together for hours. The newest is not complete, or the last: shorter.
    let length = match since(newest)? {
        0 => window.target.span(),
        count => MediaTime::from_nanos((newest.start() - run.start).as_nanos() / count),
    };
    // As the encoder means it, while few segments say so: a whole number of 10 ms.
    let few = since(newest)? < FEW;
    let length = match few {
        true => MediaTime::from_millis((length.as_millis() + 5) / 10 * 10),
        false => length,
    };
    let fits = segments.iter().all(|segment| {
        let at = since(segment).map(|count| length.as_nanos().saturating_mul(count));
        at.is_some_and(|at| {
            let off = segment.start() - run.start - MediaTime::from_nanos(at);
            off.abs().as_nanos() * 4 <= length.as_nanos()
        })
    });
    let room = times(length, since(newest)? + 1) - (newest.end() - run.start);
    let fits = fits && room.as_nanos() * 4 >= -length.as_nanos();
    (fits && length > MediaTime::ZERO).then_some(length)
}
