//! The sound's timestamps against its samples: where they run apart, sound and picture will too.

use std::time::Duration;

use media::{AdviceKind, MediaTime, Segment, Severity, TrackKind};

use crate::chart::{Chart, Finding};
use crate::offset::{DRIFT_REMEDY, drifts};
use crate::words::seconds;

/// A hole in the sound is not a drift; it has a fault of its own.
const MAX_HOLE: MediaTime = MediaTime::from_millis(50);

/// Counts the samples of one run of sound.
#[derive(Debug, Default)]
pub(crate) struct AudioClock {
    /// Start of the run.
    start: Option<MediaTime>,
    /// Where its samples end, counted.
    counted: MediaTime,
    /// Where its last unit ends.
    end: MediaTime,
}

impl AudioClock {
    pub(crate) fn segment(&mut self, segment: &Segment, at: Duration, chart: &mut Chart) {
        if segment.discontinuity {
            self.start = None;
        }
        let audio = |track: usize| {
            let track = segment.tracks.get(track);
            track.filter(|track| track.kind() == TrackKind::Audio)
        };
        for unit in &segment.units {
            let Some(length) = audio(unit.track).and_then(|track| track.codec.unit_duration())
            else {
                continue;
            };
            if self.start.is_none() || (unit.dts - self.end).abs() > MAX_HOLE {
                self.start = Some(unit.dts);
                self.counted = unit.dts;
            }
            self.counted += length;
            self.end = unit.dts + length;
        }
        let Some(start) = self.start else { return };
        let (moved, span) = (self.end - self.counted, self.end - start);
        if drifts(moved.as_millis(), span.to_duration()) {
            let finding = Finding {
                severity: Severity::Warning,
                text: format!(
                    "The sound's clock runs {}: {} in {} against its own samples.",
                    if moved > MediaTime::ZERO {
                        "fast"
                    } else {
                        "slow"
                    },
                    seconds(moved.abs()),
                    seconds(span)
                ),
                remedy: DRIFT_REMEDY.to_owned(),
            };
            chart.see(AdviceKind::TrackDrift, at, 2, finding);
        }
    }
}
