//! Audio of a new configuration beside a leading video: it waits for the next random access, so that the segment
//! behind the change begins with a whole picture. Players start their decoders anew there, and those with Media
//! Source Extensions drop pictures up to the next key frame.

use media::MediaTime;

use super::Arrival;

/// The audio that waits.
#[derive(Debug, Default)]
pub(super) struct Changed {
    held: Vec<Arrival>,
    cost: u64,
}

impl Changed {
    /// Takes a unit; how many before it are given up because they have yet another configuration.
    pub(super) fn push(&mut self, unit: Arrival) -> u64 {
        let other = self.held.first().is_some_and(|f| f.codec != unit.codec);
        let given_up = if other { self.give_up() } else { 0 };
        self.cost += unit.cost();
        self.held.push(unit);
        given_up
    }

    /// Forgets what is held, and says how many units it was.
    pub(super) fn give_up(&mut self) -> u64 {
        self.cost = 0;
        std::mem::take(&mut self.held).len() as u64
    }

    /// When the first of it is presented, and the last.
    pub(super) fn span(&self) -> Option<(MediaTime, MediaTime)> {
        Some((self.held.first()?.pts(), self.held.last()?.pts()))
    }

    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    /// What is presented at `from` or later, and how many units before that are given up.
    pub(super) fn take(&mut self, from: MediaTime) -> (Vec<Arrival>, u64) {
        self.cost = 0;
        let mut held = std::mem::take(&mut self.held);
        let kept = held.split_off(held.partition_point(|unit| unit.pts() < from));
        (kept, held.len() as u64)
    }
}
