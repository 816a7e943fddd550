//! What the gateway's process holds, second by second, and whether that stays flat.

use std::time::{Duration, Instant};

use e2e::footprint::Footprint;

use crate::checked::checked;
use crate::gateway::{Gateway, Life};
use crate::world::World;

/// Resident memory may grow by so many percent after warm-up.
const MEMORY_PERCENT: u64 = 10;
/// Descriptors are counted while viewers come and go: the median may grow by so many percent and these.
const DESCRIPTORS_PERCENT: u64 = 10;
const DESCRIPTORS: u64 = 4;
/// Fewer samples say nothing.
const ENOUGH: usize = 60;
/// Between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// One look.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    life: u64,
    resident_kib: u64,
    descriptors: u64,
}

/// All looks so far.
#[derive(Debug)]
pub(crate) struct Samples {
    all: Vec<Sample>,
    next: Instant,
}

/// How two spans compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat {
    /// Medians of the first third and of the last, KiB.
    pub(crate) resident_kib: (u64, u64),
    /// The same of open descriptors.
    pub(crate) descriptors: (u64, u64),
}

impl Flat {
    /// Resident memory has not grown.
    pub(crate) fn memory_is(&self) -> bool {
        let (first, last) = self.resident_kib;
        last * 100 <= first * (100 + MEMORY_PERCENT)
    }

    /// Nor have descriptors.
    pub(crate) fn descriptors_are(&self) -> bool {
        let (first, last) = self.descriptors;
        last * 100 <= first * (100 + DESCRIPTORS_PERCENT) + DESCRIPTORS * 100
    }
}

impl Samples {
    pub(crate) fn new() -> Self {
        Self {
            all: Vec::new(),
            next: Instant::now(),
        }
    }

    /// Looks, if it is time to.
    pub(crate) fn look(&mut self, world: &World) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + EVERY;
        let life: Life = world.gateway.life();
        if let Some(footprint) = footprint(&world.gateway)
            && life.is_up()
        {
            self.all.push(Sample {
                at: now,
                life: life.number,
                resident_kib: footprint.resident_kib,
                descriptors: footprint.descriptors as u64,
            });
        }
    }

    /// Compares the last third with the first of what was sampled in one life from `warm` on; `None` if that
    /// is too little.
    pub(crate) fn flat(&self, warm: Instant) -> Option<Flat> {
        let last = self.all.last()?.life;
        let warm: Vec<&Sample> = self
            .all
            .iter()
            .filter(|sample| sample.life == last && sample.at >= warm)
            .collect();
        if warm.len() < ENOUGH {
            return None;
        }
        let third = warm.len() / 3;
        let (first, last) = (&warm[..third], &warm[warm.len() - third..]);
        let both = |of: fn(&Sample) -> u64| (median(first, of), median(last, of));
        Some(Flat {
            resident_kib: both(|sample| sample.resident_kib),
            descriptors: both(|sample| sample.descriptors),
        })
    }

    /// The most resident memory in any sample, KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let resident = self.all.iter().map(|sample| sample.resident_kib);
        resident.max().unwrap_or(0)
    }
}

fn median(samples: &[&Sample], of: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(|sample| of(sample)).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// What the gateway holds now; `None` while it is away.
pub(crate) fn footprint(gateway: &Gateway) -> Option<Footprint> {
    let pid = gateway.pid()?;
    checked(|| Footprint::of(pid)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(u64) -> u64) -> Samples {
        let begin = Instant::now();
        let all = (0..90)
            .map(|second| Sample {
                at: begin + Duration::from_secs(second),
                life: 2,
                resident_kib: resident(second),
                descriptors: 20 + second % 5,
            })
            .collect();
        Samples { all, next: begin }
    }

    #[test]
    fn growth_of_more_than_a_tenth_is_not_flat() {
        let begin = Instant::now() - Duration::from_secs(1);
        let cases: [(fn(u64) -> u64, bool); 3] = [
            (|_| 1_000, true),
            (|second| 1_000 + second, true),
            (|second| 1_000 + 3 * second, false),
        ];
        for (resident, flat) in cases {
            let judged = samples(resident).flat(begin).expect("enough samples");
            assert_eq!(judged.memory_is(), flat, "{judged:?}");
            assert!(judged.descriptors_are(), "{judged:?}");
        }
    }
}
