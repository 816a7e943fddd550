//! How a publish fits into its ladder: what it changes of its clock and its cuts, and what it tells if that does not help.
//!
//! What does not belong here: how rungs are compared (`playlist::Ladder`), and how media find their place
//! (`segmenter/joining.rs`).

use media::{Fault, FaultKind, Grid, MediaTime, TrackKind};
use playlist::{Adjustment, Misfit, RungNames};
use tracing::info;

use super::Publish;
use super::seat::Seat;

/// So much in a row that does not fit a ladder is nothing to tell, nor is a single segment: whoever joins it has to find its
/// way.
const PARDONED: MediaTime = MediaTime::from_millis(8_000);

/// Segments in a row that did not fit a ladder.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    count: u32,
    /// How long they are, all together.
    lasted: MediaTime,
}

impl Misfits {
    fn are_told(&self) -> bool {
        self.count > 1 && self.lasted >= PARDONED
    }
}

impl Publish {
    /// Goes on as a presentation that is new, with the discontinuity number of what is beside it.
    pub(super) fn begin_anew(&mut self) {
        self.vacate();
        // Nobody has the name but who took it at this moment; it is tried again then.
        if let Ok(seat) = Seat::find(&self.name, &self.terms, &self.house) {
            self.sit_down(seat);
        }
    }

    /// Goes on by the clock of a ladder, behind what is listed.
    pub(super) fn join(&mut self, grid: Grid) {
        let listed = self.seat.as_ref().map(Seat::listed_until);
        let listed = listed.into_iter().flatten().flatten().max();
        let behind = listed.map_or(MediaTime::ZERO, |until| grid.origin.media_time(until));
        let begins = match RungNames::sound_in(&self.name) {
            Some(_) => TrackKind::Audio,
            None => TrackKind::Video,
        };
        let arrival = self.arrivals().map(|arrivals| arrivals.anchor);
        self.segmenter.join_ladder(grid, behind, begins, arrival);
    }

    /// Cuts so that it fits its ladder, and tells what stands against it, with a segment that lasts so long, if that has not
    /// helped.
    pub(super) fn adjust(&mut self, adjustment: Option<Adjustment>, lasts: MediaTime) {
        let Some(Adjustment { misfit, grid, next }) = adjustment else {
            self.fits();
            return;
        };
        match misfit {
            Some(Misfit::Clock(_)) if self.has_own_clock() => self.join(grid),
            Some(Misfit::KeyFrames(_)) => self.segmenter.begin_next_at(next),
            None if self.has_own_clock() => self.segmenter.begin_next_at(next),
            Some(Misfit::Discontinuities(own, others)) if own < others => self.segmenter.finish(),
            Some(Misfit::Discontinuities(..)) => self.begin_anew(),
            // It is where the publish is that it follows, or those that follow are where it is; or nothing helps.
            Some(Misfit::Clock(_) | Misfit::Late(_) | Misfit::Pictures) | None => {}
        }
        let Some(misfit) = misfit else {
            self.fits();
            return;
        };
        self.misfits.count += 1;
        self.misfits.lasted += lasts;
        if self.misfits.are_told() {
            self.record(Fault {
                kind: FaultKind::LadderMisfit,
                text: format!("{} is no variant of its ladder: {misfit}", self.name),
            });
        }
    }

    fn fits(&mut self) {
        if std::mem::take(&mut self.misfits).are_told() {
            info!(stream = %self.name, "it is a variant of its ladder again");
        }
    }
}
