//! Timed metadata until the segment or part is out that it belongs to, and the boundaries that it asks for.
//!
//! What does not belong here: when an event is (the segmenter says so), and what it says.

use media::{FaultKind, MediaTime, TimedEvent};

use super::Cutter;
use crate::allowance::{self, Allowance, Verdict};
use crate::output::Outputs;

/// The most events of a segment: more than one with each picture of the longest at 20 pictures a second.
const MOST: usize = 256;
/// What the events of a segment may cost together, bytes.
const MOST_BYTES: usize = 256 << 10;
/// What begins a segment is where that begins, if that is not later than so. A message has the timestamp of a picture that
/// is decoded then and shown a few pictures later.
const REORDERED: MediaTime = MediaTime::from_millis(250);
/// How many boundaries are known ahead.
const MOST_BOUNDARIES: usize = 64;
/// So long behind the end of the last segment of a run an event still belongs to it: it came with the last unit.
const BEHIND_THE_END: MediaTime = MediaTime::from_millis(1_000);

impl Cutter {
    /// Takes an event, for the segment or part that it falls into.
    pub(crate) fn push_event(&mut self, timed: TimedEvent, out: &mut Outputs) {
        self.events.push(timed, out);
    }
}

/// Events in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: Vec<TimedEvent>,
    /// Those that the open segment has and those that wait, and what they cost.
    count: usize,
    bytes: usize,
    /// Where segments are to begin.
    boundaries: Vec<MediaTime>,
    allowance: Allowance,
    /// Nothing comes behind what is being taken.
    is_end: bool,
}

impl Events {
    /// Takes an event, unless the open segment has too many already.
    pub(super) fn push(&mut self, timed: TimedEvent, out: &mut Outputs) {
        for cancelled in timed.event.cancels() {
            self.take_back(cancelled);
        }
        let cost = timed.event.cost();
        if self.count >= MOST || self.bytes + cost > MOST_BYTES {
            let text = format!(
                "more timed metadata than the {MOST} events and {MOST_BYTES} bytes that a segment carries; that at {} is \
                 left out",
                timed.at
            );
            return out.fault(FaultKind::TimedMetadata, text);
        }
        self.ask_for_boundaries(&timed, out);
        self.count += 1;
        self.bytes += cost;
        let place = self.waiting.partition_point(|there| there.at <= timed.at);
        self.waiting.insert(place, timed);
    }

    /// What was to happen is not said at all, and no segment begins with it.
    fn take_back(&mut self, cancelled: u32) {
        let gone = self
            .waiting
            .extract_if(.., |timed| timed.event.is_of(cancelled));
        for timed in gone {
            self.count -= 1;
            self.bytes -= timed.event.cost();
            for behind in timed.event.boundaries() {
                let at = timed.at + behind;
                // Another may be there at the same time, for one of its own.
                if let Some(place) = self.boundaries.iter().position(|&it| it == at) {
                    self.boundaries.remove(place);
                }
            }
        }
    }

    fn ask_for_boundaries(&mut self, timed: &TimedEvent, out: &mut Outputs) {
        let mut wanted = timed.event.boundaries().peekable();
        if wanted.peek().is_none() {
            return;
        }
        match self.allowance.ask(timed.at) {
            Verdict::Granted => {
                self.boundaries
                    .extend(wanted.map(|behind| timed.at + behind));
                // Those that come by themselves may be far ahead.
                self.boundaries.sort_unstable();
                self.boundaries.truncate(MOST_BOUNDARIES);
            }
            Verdict::Refused => {
                let text = format!(
                    "more than {} splices within {}; no segments begin with those that follow",
                    allowance::MOST,
                    allowance::PERIOD
                );
                out.fault(FaultKind::TimedMetadata, text);
            }
            Verdict::RefusedAgain => {}
        }
    }

    /// The events of what ends at `end`; those that are late are among them.
    pub(super) fn take(&mut self, end: MediaTime) -> Vec<TimedEvent> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let end = if self.is_end {
            end + BEHIND_THE_END
        } else {
            end
        };
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (waiting, taken) = all.partition(|timed| {
            let near = !self.is_end && timed.at > end - REORDERED;
            timed.at >= end || near && is_awaited(&self.boundaries, timed)
        });
        self.waiting = waiting;
        taken
    }

    /// A segment is to begin at `at` or before.
    pub(super) fn begin_segment_by(&self, at: MediaTime) -> bool {
        self.boundaries.iter().any(|&boundary| boundary <= at)
    }

    /// A segment begins at `start`, and with it what was to begin one by `at`.
    pub(super) fn begin_segment(&mut self, start: MediaTime, at: MediaTime) {
        let near = start - REORDERED..=at;
        for timed in &mut self.waiting {
            if near.contains(&timed.at) && is_awaited(&self.boundaries, timed) {
                timed.at = start;
            }
        }
        self.waiting.sort_by_key(|timed| timed.at);
        self.boundaries.retain(|&boundary| boundary > at);
        self.count = self.waiting.len();
        let costs = self.waiting.iter().map(|timed| timed.event.cost());
        self.bytes = costs.sum();
    }

    /// What is taken next is the last of its run.
    pub(super) const fn end(&mut self) {
        self.is_end = true;
    }

    /// The run is over: what still waits is at no time of it.
    pub(super) fn give_up(&mut self, out: &mut Outputs) {
        if !self.waiting.is_empty() {
            let text = format!(
                "timed metadata of {} events is for later than the media end; left out",
                self.waiting.len()
            );
            out.fault(FaultKind::TimedMetadata, text);
        }
        self.waiting.clear();
        self.boundaries.clear();
        self.is_end = false;
        self.begin_segment(MediaTime::ZERO, MediaTime::ZERO);
    }
}

/// One of `boundaries` is where a segment has yet to begin with it.
fn is_awaited(boundaries: &[MediaTime], timed: &TimedEvent) -> bool {
    let at_once = timed.event.boundaries().next() == Some(MediaTime::ZERO);
    at_once && boundaries.contains(&timed.at)
}
