//! Sound against picture as they arrive: what is sent together should have the same time, and go on having
//! it.

use std::time::Duration;

use media::{AdviceKind, Fault, MediaTime, MessageKind, Severity};

use crate::chart::{Chart, Finding};
use crate::words::seconds;

/// Distances are averaged over this span.
const SPAN: Duration = Duration::from_secs(10);
/// From here on players have to hold one track back for the other.
const OFFSET_MS: i64 = 500;
/// A viewer sees that lips and voice part at a fifth of a second.
pub(crate) const DRIFT_MS: i64 = 200;
/// In parts per million; a usual sound card is within 100.
pub(crate) const DRIFT_PPM: i64 = 150;
/// Tracks so far apart share no clock; one of them has jumped.
const MAX_APART_MS: i64 = 10_000;

const OFFSET_REMEDY: &str = "Let the encoder send both tracks as they come: check sync offsets and delays of its \
sources (OBS: Advanced Audio Properties, Sync Offset; render delay filters), and that both come from one device; \
ffmpeg: no -itsoffset, and -re for every input or none.";

pub(crate) const DRIFT_REMEDY: &str = "Let one device give both, or both follow one clock: OBS: set the same sample \
rate in Settings, Audio and in the system, and for a capture card take its own sound (\"Use Device Timestamps\" \
off in the audio source's properties); ffmpeg: -af aresample=async=1000, and -use_wallclock_as_timestamps for \
either both inputs or none.";

/// Distance of the picture's timestamps from those of the sound that arrived before it.
#[derive(Debug, Default)]
pub(crate) struct Offset {
    newest_audio: Option<u32>,
    /// Sound has arrived since the last picture: only then is there something to compare.
    fresh: bool,
    /// Start, sum and number of the distances of the present span.
    span: Option<(Duration, i64, i64)>,
    spans: u32,
    /// Time and mean distance that drift is measured from.
    base: Option<(Duration, i64)>,
}

impl Offset {
    pub(crate) fn arrival(
        &mut self,
        kind: MessageKind,
        timestamp_ms: u32,
        at: Duration,
        chart: &mut Chart,
    ) {
        if kind == MessageKind::Audio {
            self.newest_audio = Some(timestamp_ms);
            self.fresh = true;
            return;
        }
        let Some(audio) = self.newest_audio.filter(|_| self.fresh) else {
            return;
        };
        self.fresh = false;
        let distance = i64::from(timestamp_ms.wrapping_sub(audio).cast_signed());
        if distance.abs() > MAX_APART_MS {
            *self = Self::default();
            return;
        }
        let (from, sum, number) = self.span.get_or_insert((at, 0, 0));
        *sum += distance;
        *number += 1;
        let (from, mean) = (*from, *sum / *number);
        if at.saturating_sub(from) >= SPAN {
            self.span = None;
            self.compare(mean, at, chart);
        }
    }

    /// One track was so far ahead that what the other sent was of no use any more.
    pub(crate) fn late_media(&self, fault: &Fault, at: Duration, chart: &mut Chart) {
        let finding = Finding {
            severity: Severity::Problem,
            text: format!(
                "Sound and picture arrive too far apart to be brought together: {}.",
                fault.text
            ),
            remedy: OFFSET_REMEDY.to_owned(),
        };
        chart.see(AdviceKind::TrackOffset, at, 1, finding);
    }

    fn compare(&mut self, mean_ms: i64, at: Duration, chart: &mut Chart) {
        self.spans += 1;
        if self.spans == 1 {
            // Encoders start their tracks one after the other.
            return;
        }
        if mean_ms.abs() >= OFFSET_MS {
            let (late, early) = if mean_ms > 0 {
                ("Sound", "the picture")
            } else {
                ("The picture", "the sound")
            };
            let finding = Finding {
                severity: Severity::Warning,
                text: format!(
                    "{late} arrives {} behind {early} that has the same time.",
                    seconds(MediaTime::from_millis(mean_ms.abs()))
                ),
                remedy: OFFSET_REMEDY.to_owned(),
            };
            chart.see(AdviceKind::TrackOffset, at, 1, finding);
        }
        let Some((since, base_ms)) = self.base else {
            self.base = Some((at, mean_ms));
            return;
        };
        let moved = mean_ms - base_ms;
        let span = at.saturating_sub(since);
        if drifts(moved, span) {
            let finding = Finding {
                severity: Severity::Warning,
                text: format!(
                    "The clocks of sound and picture run apart: by {} in {}.",
                    seconds(MediaTime::from_millis(moved.abs())),
                    seconds(span.into())
                ),
                remedy: DRIFT_REMEDY.to_owned(),
            };
            chart.see(AdviceKind::TrackDrift, at, 2, finding);
        }
    }
}

/// So much in such a span is a drift.
pub(crate) fn drifts(moved_ms: i64, span: Duration) -> bool {
    let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    moved_ms.abs() >= DRIFT_MS
        && moved_ms.abs().saturating_mul(1_000_000) >= span_ms.saturating_mul(DRIFT_PPM)
}
