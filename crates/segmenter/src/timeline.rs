//! The sender's millisecond timestamps, made into decode and presentation times that a container can
//! carry: pictures presented as sent, audio on the grid of its samples, both repaired where they must be.
//!
//! What does not belong here: where segments are cut, and what the wall clock says.

mod audio;

use media::{FaultKind, MediaTime, TrackKind};

use crate::flv::Unit;
use crate::output::Outputs;
use crate::per_kind::{PerKind, word};

use audio::Grid;

/// Silence longer than this is no pause: the sender's clock has jumped forward.
const MAX_FORWARD_MS: i64 = 10_000;
/// A step back beyond this is no disorder: the sender's clock has begun again.
const MAX_BACK_MS: i64 = 1_000;
/// How far one track may begin from where the other is and still share its clock.
pub(crate) const MAX_APART_MS: i64 = 10_000;
/// Composition times beyond this are no reordering of pictures.
const MAX_COMPOSITION_MS: i64 = 10_000;
/// So far a picture may be shown before its decode time: as many pictures as reordering has been seen to take, and
/// this at least. All decode times behind it are set back by as much, so that one mistake must not be believed.
const MAX_EARLY_PICTURES: i64 = 4;
const MAX_EARLY_MS: i64 = 1_000;
/// Left between two runs, so that what the other track sends from just before a jump has room.
pub(crate) const RUN_MARGIN: MediaTime = MediaTime::from_millis(500);
/// What decode times are pushed apart by: the next tick of the 90 kHz clock of MPEG-TS.
const STEP: MediaTime = MediaTime::from_nanos(11_112);

/// How a unit's timestamp stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Succession {
    /// It goes on.
    Continues,
    /// The clock has jumped by so many milliseconds: a new run begins.
    Jumps(i64),
    /// It goes on from before the jump that the other track has made already.
    Straggles,
}

/// Decode time and composition time of a unit on the window's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) dts: MediaTime,
    pub(crate) composition: MediaTime,
}

/// The timeline of one publish: a sequence of *runs*, in each of which the sender's clock goes on.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// A moment of this run on the sender's clock, in milliseconds, and on the window's timeline.
    origin: (i64, MediaTime),
    /// Counts runs.
    run: u64,
    /// Nothing of this run is placed before it.
    floor: Option<MediaTime>,
    /// Last timestamp of each track in this run.
    last_ms: PerKind<Option<i64>>,
    /// The same at the end of the run before.
    before_ms: PerKind<Option<i64>>,
    newest_ms: Option<i64>,
    last: PerKind<Option<MediaTime>>,
    /// How far pictures are decoded before they were sent: as far as any was to be presented before.
    reorder: MediaTime,
    grid: Option<Grid>,
}

impl Timeline {
    /// Whether `unit` goes on from what was placed before. After [`Succession::Jumps`] call
    /// [`Timeline::begin_run`] before the unit is placed.
    pub(crate) fn succession(&self, unit: &Unit) -> Succession {
        let at = unit.dts_ms;
        // Before anything else: where the clock has jumped back by less, it is close enough to go on.
        if self.straggles(unit) {
            return Succession::Straggles;
        }
        match (self.last_ms.of(unit.kind()), self.newest_ms) {
            (_, None) => Succession::Continues,
            (Some(own), Some(newest)) => {
                let forward = (at - own).min(at - newest);
                if forward <= MAX_FORWARD_MS && at - own >= -MAX_BACK_MS {
                    return Succession::Continues;
                }
                Succession::Jumps(at - own)
            }
            (None, Some(newest)) => {
                if (at - newest).abs() <= MAX_APART_MS {
                    return Succession::Continues;
                }
                Succession::Jumps(at - newest)
            }
        }
    }

    /// Whether `unit`, the first of its track in this run, goes on from the last of the run before, which is not
    /// where this run is.
    fn straggles(&self, unit: &Unit) -> bool {
        let at = unit.dts_ms;
        let elsewhere = |newest: i64| (at - newest).abs() > MAX_BACK_MS;
        let goes_on = |before: i64| (0..=MAX_BACK_MS).contains(&(at - before));
        self.last_ms.of(unit.kind()).is_none()
            && self.newest_ms.is_some_and(elsewhere)
            && self.before_ms.of(unit.kind()).is_some_and(goes_on)
    }

    /// Begins a new run with `unit`, which follows `end`, where the run before ended on the window's timeline: at `at`,
    /// unless that is before. The distance between the tracks stays as sent.
    pub(crate) fn begin_run(&mut self, unit: &Unit, end: Option<MediaTime>, at: Option<MediaTime>) {
        let at = at.filter(|&at| end.is_none_or(|end| at >= end));
        if let Some(begin) = at.or(end.map(|end| end + RUN_MARGIN)) {
            self.origin = (unit.dts_ms, begin);
            self.floor = end.or(self.floor);
        }
        self.run += 1;
        if self.is_begun() {
            self.before_ms = std::mem::take(&mut self.last_ms);
        }
        self.newest_ms = None;
        self.last = PerKind::default();
        self.reorder = MediaTime::ZERO;
        self.grid = None;
    }

    /// The number of this run.
    pub(crate) const fn run(&self) -> u64 {
        self.run
    }

    /// What is there was placed in a run before this one.
    pub(crate) fn is_over(&self, there: MediaTime) -> bool {
        self.floor.is_some_and(|floor| there < floor)
    }

    /// Something of this run has been placed.
    pub(crate) const fn is_begun(&self) -> bool {
        self.newest_ms.is_some()
    }

    /// Where `unit` was sent to be, if it goes on from what was placed before.
    pub(crate) fn sent(&self, unit: &Unit) -> MediaTime {
        let (origin_ms, origin) = self.origin;
        origin
            + MediaTime::from_millis(unit.dts_ms - origin_ms)
            + MediaTime::from_nanos(unit.nanos.into())
    }

    /// Places a unit; `None` if it belongs before the start of this run.
    pub(crate) fn place(&mut self, unit: &Unit, out: &mut Outputs) -> Option<Place> {
        let kind = unit.kind();
        let before_ms = self.last_ms.of_mut(kind).replace(unit.dts_ms);
        self.newest_ms = self.newest_ms.max(Some(unit.dts_ms));

        let sent = self.sent(unit);
        if self.floor.is_some_and(|floor| sent < floor) {
            out.fault(
                FaultKind::TimestampOrder,
                format!(
                    "{} at {} ms belongs before the jump of the sender's clock; dropped",
                    word(kind),
                    unit.dts_ms
                ),
            );
            return None;
        }
        if let Some(samples) = unit.codec.samples_per_unit() {
            let wanted = self.on_grid(sent, samples, out);
            return Some(Place {
                dts: self.in_order(kind, wanted, wanted, out),
                composition: MediaTime::ZERO,
            });
        }
        // Composition time is signed. A picture keeps the moment it is presented, whatever becomes of its
        // decode time; only the few before a greater reordering is known may have to wait for theirs.
        let gap_ms = before_ms.map_or(0, |before| unit.dts_ms - before);
        let composition = composition(unit.composition_ms, gap_ms, out);
        self.reorder = self.reorder.max(-composition);
        let dts = self.in_order(kind, sent, sent - self.reorder, out);
        Some(Place {
            dts,
            composition: (sent + composition - dts).max(MediaTime::ZERO),
        })
    }

    fn on_grid(
        &mut self,
        sent: MediaTime,
        (samples, rate): (u32, u32),
        out: &mut Outputs,
    ) -> MediaTime {
        let grid = match &mut self.grid {
            Some(grid) if grid.rate() == rate => grid,
            other => other.insert(Grid::new(sent, rate)),
        };
        let (at, resynchronised) = grid.place(sent, samples);
        if let Some(by) = resynchronised {
            let (distance, side) = if by > MediaTime::ZERO {
                (by, "a gap")
            } else {
                (-by, "an overlap")
            };
            out.fault(
                FaultKind::AudioResync,
                format!(
                    "audio timestamps have {side} of {distance} against the samples sent; resynchronised at {at}"
                ),
            );
        }
        at
    }

    /// `wanted`, or the next possible time after the track's last. That `wanted` is before what was `sent`
    /// is no fault of the sender's.
    fn in_order(
        &mut self,
        kind: TrackKind,
        sent: MediaTime,
        wanted: MediaTime,
        out: &mut Outputs,
    ) -> MediaTime {
        let dts = match *self.last.of(kind) {
            Some(last) if wanted <= last => {
                if sent <= last {
                    out.fault(
                        FaultKind::TimestampOrder,
                        format!(
                            "{} decode time {sent} does not rise above the {last} before it; moved on",
                            word(kind)
                        ),
                    );
                }
                last + STEP
            }
            _ => wanted,
        };
        *self.last.of_mut(kind) = Some(dts);
        dts
    }
}

/// The composition time of a picture that is decoded `gap_ms` after the one before it.
fn composition(ms: i32, gap_ms: i64, out: &mut Outputs) -> MediaTime {
    let most_ms = if ms < 0 {
        (MAX_EARLY_PICTURES * gap_ms).clamp(MAX_EARLY_MS, MAX_COMPOSITION_MS)
    } else {
        MAX_COMPOSITION_MS
    };
    if i64::from(ms).abs() <= most_ms {
        return MediaTime::from_millis(ms.into());
    }
    out.fault(
        FaultKind::CompositionTime,
        format!(
            "a composition time of {ms} ms is beyond {}; taken as 0",
            MediaTime::from_millis(most_ms)
        ),
    );
    MediaTime::ZERO
}

#[cfg(test)]
mod tests;
