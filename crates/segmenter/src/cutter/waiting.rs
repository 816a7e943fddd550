//! Before a run's first segment: audio is held until it is known whether a picture leads.

use std::collections::VecDeque;
use std::sync::Arc;

use media::{MediaTime, TrackKind};

use super::Arrival;
use crate::flv::Entry;
use crate::per_kind::PerKind;
use crate::segmenter::Settings;

/// Audio that may stand before the first picture: sound without a picture for longer makes players
/// wait, or begin with a frozen one.
pub(super) const LEAD_IN: MediaTime = MediaTime::from_millis(200);

/// What has been held so far.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    audio: VecDeque<Arrival>,
    cost: u64,
    /// A picture has come, though none that decoding can begin with.
    video_seen: bool,
}

/// What one more unit has led to.
#[derive(Debug)]
pub(super) enum Decision {
    /// Not known yet.
    Wait,
    /// The first picture has come that decoding can begin with, with the audio just before it.
    Video { held: Vec<Arrival>, first: Arrival },
    /// No picture comes: audio leads.
    AudioOnly(Vec<Arrival>),
}

impl Waiting {
    pub(super) fn add(
        &mut self,
        unit: Arrival,
        settings: &Settings,
        longest: MediaTime,
        early: &mut PerKind<u64>,
    ) -> Decision {
        match unit.kind() {
            TrackKind::Video if unit.entry != Entry::None => {
                let from = unit.pts() - LEAD_IN;
                let codec = self.audio.back().map(|audio| Arc::clone(&audio.codec));
                let (held, late): (Vec<_>, Vec<_>) = self
                    .take()
                    .partition(|audio| audio.pts() >= from && codec.as_ref() == Some(&audio.codec));
                early.audio += late.len() as u64;
                Decision::Video { held, first: unit }
            }
            TrackKind::Video => {
                self.video_seen = true;
                early.video += 1;
                Decision::Wait
            }
            TrackKind::Audio => {
                let begun = self.audio.front().map_or(unit.pts(), Arrival::pts);
                let span = unit.pts() - begun;
                self.cost += unit.cost();
                self.audio.push_back(unit);
                while self.cost > settings.max_segment_bytes
                    && let Some(oldest) = self.audio.pop_front()
                {
                    self.cost -= oldest.cost();
                    early.audio += 1;
                }
                // Pictures without a random access are waited for no longer than for a segment.
                let patience = if self.video_seen {
                    longest
                } else {
                    settings.segment_target
                };
                if span >= patience {
                    Decision::AudioOnly(self.take().collect())
                } else {
                    Decision::Wait
                }
            }
        }
    }

    /// The publish ends: what is held, if no picture has been seen.
    pub(super) fn give_up(&mut self, early: &mut PerKind<u64>) -> Vec<Arrival> {
        let video_seen = self.video_seen;
        let held: Vec<Arrival> = self.take().collect();
        if video_seen {
            early.audio += held.len() as u64;
            return Vec::new();
        }
        held
    }

    fn take(&mut self) -> impl Iterator<Item = Arrival> + use<> {
        std::mem::take(self).audio.into_iter()
    }
}
