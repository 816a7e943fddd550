//! What a scripted publisher sent, held against what a player fetched: nothing invented, doubled or out of
//! order; what is lost; and when each unit is presented.

use std::collections::BTreeMap;

use crate::reader::Segment;
use crate::received::{self, CLOCK, Received};
use crate::scripted::{Kind, Sent};

/// Of 90 kHz.
const TICKS_PER_MS: i64 = 90;
/// Picture and sound may be apart from how they were published by so much, in ticks.
const APART: i64 = 20 * TICKS_PER_MS;
/// Where pictures join the sound: as far as they are reordered, in ticks.
const TRACK_CHANGE: i64 = 100 * TICKS_PER_MS;
/// How long a picture may last that is alone in its segment: at one a second.
const LONE_UNIT: i64 = 1_000 * TICKS_PER_MS;
/// Half a turn of the clock of PES time stamps, in ticks.
const HALF_A_TURN: i64 = 1 << 32;

/// A unit that came out.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// As it was sent.
    pub sent: Sent,
    /// Its place among all that were sent.
    pub index: usize,
    /// Presentation time, in ticks of 90 kHz, without the wrap at 33 bits.
    pub pts: i64,
    /// The segment's place among those fetched.
    pub segment: usize,
}

impl Came {
    /// How much later it is presented than its timestamp said, in ticks.
    fn shift(&self) -> i64 {
        self.pts - self.sent.pts_ms * TICKS_PER_MS
    }
}

/// What has become of the access units of a publish, or of several one behind the other.
#[derive(Debug)]
pub struct Delivery {
    /// Those that came out, by track in their order.
    pub came: Vec<Came>,
    /// Those that did not.
    pub lost: Vec<Sent>,
}

impl Delivery {
    /// Compares.
    ///
    /// # Panics
    /// A unit came out that was not sent, or twice, or before one that was sent before it.
    pub fn of(sent: &[Sent], segments: &[Segment]) -> Self {
        let mut came: Vec<Came> = Vec::new();
        let mut next: BTreeMap<Kind, usize> = BTreeMap::new();
        let mut last_pts: BTreeMap<Kind, i64> = BTreeMap::new();
        for (at, segment) in segments.iter().enumerate() {
            for unit in received::units(&segment.body) {
                let from = next.entry(unit.kind).or_default();
                let found = sent[*from..]
                    .iter()
                    .position(|one| one.kind == unit.kind && one.payload == unit.payload);
                let index = *from + found.unwrap_or_else(|| not_sent(sent, *from, &unit, segment));
                *from = index + 1;
                let last = last_pts.values().max().copied();
                let pts = unwrapped(unit.pts, last);
                last_pts.insert(unit.kind, pts);
                came.push(Came {
                    sent: sent[index],
                    index,
                    pts,
                    segment: at,
                });
            }
        }
        let mut arrived = vec![false; sent.len()];
        for one in &came {
            arrived[one.index] = true;
        }
        let lost = sent.iter().zip(arrived).filter(|(_, arrived)| !arrived);
        Self {
            lost: lost.map(|(one, _)| *one).collect(),
            came,
        }
    }

    /// Checks that within each segment pictures and sounds are as far apart as they were published, but
    /// for those with times that cannot be true.
    ///
    /// # Panics
    /// They are not, by more than 20 ms.
    pub fn assert_in_step(&self, untrue: impl Fn(&Sent) -> bool) {
        let mut by_segment: BTreeMap<usize, Vec<&Came>> = BTreeMap::new();
        for one in self.came.iter().filter(|one| !untrue(&one.sent)) {
            by_segment.entry(one.segment).or_default().push(one);
        }
        for (segment, units) in by_segment {
            let least = units.iter().min_by_key(|one| one.shift());
            let most = units.iter().max_by_key(|one| one.shift());
            let (least, most) = least.zip(most).expect("a segment is not empty");
            assert!(
                most.shift() - least.shift() <= APART,
                "segment {segment}: {:.1} ms out of step\n{least:?}\n{most:?}",
                (most.shift() - least.shift()) as f64 / TICKS_PER_MS as f64
            );
        }
    }

    /// Checks the EXTINF that no later segment can prove: before a break, and of the last segment. It is
    /// as long as what leads in the segment, pictures or else sounds: from the first to the last, and a bit
    /// for the last itself. Sound that pictures join ends where the first of them is decoded, and is listed up to
    /// where that is shown.
    ///
    /// # Panics
    /// It is not.
    pub fn assert_extinf(&self, segments: &[Segment]) {
        for (at, segment) in segments.iter().enumerate() {
            let next = segments.get(at + 1);
            if next.is_some_and(|next| !next.entry.discontinuity) {
                continue;
            }
            let kinds = self.kinds(at);
            let joined = next.is_some() && self.kinds(at + 1).first() < kinds.first();
            let close = if joined { TRACK_CHANGE } else { TICKS_PER_MS };
            let mine = || self.came.iter().filter(|one| one.segment == at);
            let leads = |one: &&Came| Some(&one.sent.kind) == kinds.first();
            let mut times: Vec<i64> = mine().filter(leads).map(|one| one.pts).collect();
            times.sort_unstable();
            let (first, last) = (times[0], times[times.len() - 1]);
            let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
            let lasts = gaps.max().unwrap_or(LONE_UNIT);
            let end = mine().map(|one| one.pts).max().unwrap_or(last);
            let listed = i64::try_from(segment.entry.duration_ms).expect("small") * TICKS_PER_MS;
            assert!(
                (last - first - TICKS_PER_MS..=end - first + lasts + close).contains(&listed),
                "{} is listed with {} ms; there are {} ms to its last leading unit, {} to its last",
                segment.entry.uri,
                segment.entry.duration_ms,
                (last - first) / TICKS_PER_MS,
                (end - first) / TICKS_PER_MS,
            );
        }
    }

    /// What there is in a segment, what leads first.
    fn kinds(&self, segment: usize) -> Vec<Kind> {
        let mine = self.came.iter().filter(|one| one.segment == segment);
        let mut kinds: Vec<Kind> = mine.map(|one| one.sent.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// A time of 33 bits that is nearest to `last`.
fn unwrapped(ticks: u64, last: Option<i64>) -> i64 {
    let clock = i64::try_from(CLOCK).expect("33 bits");
    let ticks = i64::try_from(ticks).expect("33 bits");
    let Some(last) = last else { return ticks };
    let turns = (last - ticks + HALF_A_TURN).div_euclid(clock);
    ticks + turns * clock
}

fn not_sent(sent: &[Sent], from: usize, unit: &Received, segment: &Segment) -> usize {
    let before = sent[..from]
        .iter()
        .rposition(|one| one.kind == unit.kind && one.payload == unit.payload);
    match before {
        Some(at) => panic!(
            "a unit comes out a second time or late, in {}: {:?}, {unit:?}",
            segment.entry.uri, sent[at]
        ),
        None => panic!("{unit:?} of {} was never sent", segment.entry.uri),
    }
}
