//! The access units of both tracks by decode time, however far one track arrives behind the other: a cut
//! then falls at the same moment of both, and the clock of MPEG-TS passes neither.
//!
//! Most senders interleave well, and then nothing waits: a segment is out when the random access behind
//! it is in. Only where a track is measured to be late does the other wait for it, and no longer than it
//! has been late lately.
//!
//! What does not belong here: repairing timestamps (the timeline has), where segments are cut.

use std::collections::VecDeque;
use std::time::SystemTime;

use media::{MediaTime, TrackKind};

use crate::cutter::Arrival;
use crate::per_kind::PerKind;

/// So far apart tracks may arrive without being waited for: what a player takes for starting
/// together, 200 ms, has room for it.
const CLOSE: MediaTime = MediaTime::from_millis(100);
/// The longest that anything waits: as far as tracks may begin apart and still share a clock. Who sends them so
/// far apart has that much delay anyway; when the late one stops, the other stands still for as long, once.
const LONGEST_WAIT: MediaTime = MediaTime::from_millis(10_000);
/// Lateness is forgotten after once to twice this span.
const MEMORY: MediaTime = MediaTime::from_millis(5_000);
/// The most that waits, in bytes: the longest wait at 13 Mbit/s, 2 s at 67.
const MAX_COST: u64 = 16 << 20;

/// Brings the tracks of one publish together: *push once, pull until `None`, then push again*.
#[derive(Debug, Default)]
pub(crate) struct Interleave {
    waiting: PerKind<VecDeque<(Arrival, SystemTime)>>,
    cost: u64,
    newest: PerKind<Option<MediaTime>>,
    /// How far each track has been behind the other, at most: lately, and in the span before.
    late: [PerKind<MediaTime>; 2],
    /// Since when is lately.
    since: Option<MediaTime>,
}

impl Interleave {
    /// Takes a unit, whose decode time is beyond that of the one before of its track, and the wall clock
    /// on its arrival.
    pub(crate) fn push(&mut self, unit: Arrival, now: SystemTime) {
        let (kind, dts) = (unit.kind(), unit.dts);
        self.forget(dts);
        if let Some(ahead) = *self.newest.of(other(kind)) {
            let [lately, _] = &mut self.late;
            let late = lately.of_mut(kind);
            *late = (*late).max(ahead - dts);
        }
        *self.newest.of_mut(kind) = Some(dts);
        self.cost += unit.cost();
        self.waiting.of_mut(kind).push_back((unit, now));
    }

    /// The next unit that waits for nothing any more.
    pub(crate) fn pull(&mut self) -> Option<(Arrival, SystemTime)> {
        let first = |kind| {
            let (unit, _) = self.waiting.of(kind).front()?;
            Some((unit.dts, kind))
        };
        // Of the same decode time, the picture first: it may begin the segment of both.
        let (dts, kind) = match (first(TrackKind::Video), first(TrackKind::Audio)) {
            (Some(video), Some(audio)) if audio.0 < video.0 => audio,
            (Some(video), _) => video,
            (None, audio) => audio?,
        };
        let reached = |kind| self.newest.of(kind).is_some_and(|newest| newest >= dts);
        let waited = self
            .newest
            .of(kind)
            .map_or(MediaTime::ZERO, |newest| newest - dts);
        if !reached(other(kind)) && waited < self.patience(kind) && self.cost <= MAX_COST {
            return None;
        }
        let released = self.waiting.of_mut(kind).pop_front()?;
        self.cost -= released.0.cost();
        Some(released)
    }

    /// Lets all go, in order, and begins anew: at the end, and where the sender's clock jumps.
    pub(crate) fn restart(&mut self) {
        self.newest = PerKind::default();
        self.late = Default::default();
        self.since = None;
    }

    /// How long units of `kind` wait for the other track.
    fn patience(&self, kind: TrackKind) -> MediaTime {
        let [lately, before] = &self.late;
        let late = *lately.of(other(kind)).max(before.of(other(kind)));
        if late <= CLOSE {
            return MediaTime::ZERO;
        }
        // Half as much again, as lateness wavers.
        (late + MediaTime::from_nanos(late.as_nanos() / 2)).min(LONGEST_WAIT)
    }

    fn forget(&mut self, at: MediaTime) {
        let since = *self.since.get_or_insert(at);
        if at - since >= MEMORY {
            let [lately, before] = &mut self.late;
            *before = std::mem::take(lately);
            self.since = Some(at);
        }
    }
}

const fn other(kind: TrackKind) -> TrackKind {
    match kind {
        TrackKind::Video => TrackKind::Audio,
        TrackKind::Audio => TrackKind::Video,
    }
}

#[cfg(test)]
mod tests;
