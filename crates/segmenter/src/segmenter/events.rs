//! Timed metadata of a publish: where on its timeline a timestamp is.
//!
//! What does not belong here: what an event says, and which segment it falls into (the cutter knows).

use std::sync::Arc;

use media::{Event, FaultKind, MediaTime, TimedEvent};

use super::{Output, Segmenter};

/// So far from the last access unit a timestamp is still on its clock: as far as tracks may begin apart.
const MAX_APART_MS: i64 = 10_000;
/// How many events wait for an access unit that says where they are.
const MOST_EARLY: usize = 64;

impl Segmenter {
    /// Takes what the encoder says at `timestamp_ms`, as sent. It belongs where an access unit with that timestamp
    /// would. Before the first access unit, and where the clock may be about to jump, it waits for the next one, and is
    /// left out if that is elsewhere too.
    pub fn note(&mut self, event: Arc<Event>, timestamp_ms: u32) {
        if let Some(at) = self.moment(timestamp_ms) {
            return self.tell(TimedEvent { at, event });
        }
        if self.early.len() < MOST_EARLY {
            return self.early.push((event, timestamp_ms));
        }
        let text = format!(
            "more than {MOST_EARLY} events of timed metadata before the media they belong to; that at {timestamp_ms} ms \
             is left out"
        );
        self.out.fault(FaultKind::TimedMetadata, text);
    }

    /// An access unit has been placed: what waited for it goes beside it.
    pub(super) fn place_early(&mut self) {
        for (event, timestamp_ms) in std::mem::take(&mut self.early) {
            if let Some(at) = self.moment(timestamp_ms) {
                self.tell(TimedEvent { at, event });
                continue;
            }
            let text = format!(
                "timed metadata at {timestamp_ms} ms is more than {MAX_APART_MS} ms from the media around it; left out"
            );
            self.out.fault(FaultKind::TimedMetadata, text);
        }
    }

    /// The media time at a timestamp near the last access unit's.
    fn moment(&self, timestamp_ms: u32) -> Option<MediaTime> {
        let origin = self.origin?;
        let low = u32::try_from(origin.sent_ms.rem_euclid(1 << 32)).unwrap_or(0);
        let ahead_ms = i64::from(timestamp_ms.wrapping_sub(low).cast_signed());
        let is_near = ahead_ms.abs() <= MAX_APART_MS;
        is_near.then(|| origin.media_time(origin.sent_ms + ahead_ms))
    }

    fn tell(&mut self, timed: TimedEvent) {
        self.out.push(Output::Event(timed.clone()));
        self.place(timed);
    }

    /// Takes an event of the publish that this one follows.
    pub fn place(&mut self, timed: TimedEvent) {
        if let Some(cutter) = &mut self.low_latency {
            // What is wrong with it is told once.
            cutter.push_event(timed.clone(), &mut self.low_latency_out);
            self.out.take_media(&mut self.low_latency_out);
        }
        self.cutter.push_event(timed, &mut self.out);
    }
}
