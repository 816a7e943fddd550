//! The distances between pictures, and their order.

use std::time::Duration;

use media::{AdviceKind, MediaTime, Segment, Severity, TrackKind};

use crate::chart::{Chart, Finding};
use crate::declared::Declared;
use crate::doctor::Latency;

/// Fewer pictures say nothing of their rate.
const FEWEST: usize = 8;
/// Timestamps are rounded to milliseconds, and cameras jitter by some.
const JITTER: MediaTime = MediaTime::from_millis(15);
/// From this share of irregular distances on it is no single hiccup.
const IRREGULAR_PERCENT: usize = 5;
/// So many of them at least.
const IRREGULAR: usize = 3;
/// Below this share of what is declared, the encoder does not keep its rate.
const KEPT_SHARE: f64 = 0.9;

/// Watches the pictures of one publish.
#[derive(Debug)]
pub(crate) struct Pictures {
    latency: Latency,
    /// The last picture's decode time.
    last: Option<MediaTime>,
    /// Distances of one segment: kept for its allocation.
    gaps: Vec<MediaTime>,
}

impl Pictures {
    pub(crate) fn new(latency: Latency) -> Self {
        Self {
            latency,
            last: None,
            gaps: Vec::new(),
        }
    }

    pub(crate) fn segment(
        &mut self,
        segment: &Segment,
        declared: &Declared,
        at: Duration,
        chart: &mut Chart,
    ) {
        // The first segment of a run holds what encoders do before they have found their pace.
        let first = segment.discontinuity || self.last.is_none();
        if segment.discontinuity {
            self.last = None;
        }
        self.gaps.clear();
        let (mut delay, mut newest, mut reordered) = (MediaTime::ZERO, None, false);
        let pictures = segment.units.iter().filter(|unit| {
            let track = segment.tracks.get(unit.track);
            track.is_some_and(|track| track.kind() == TrackKind::Video)
        });
        for unit in pictures {
            if let Some(last) = self.last.replace(unit.dts) {
                self.gaps.push(unit.dts - last);
            }
            delay = delay.max(unit.composition);
            reordered |= newest > Some(unit.pts());
            newest = newest.max(Some(unit.pts()));
        }
        if self.latency == Latency::Low && reordered {
            see_reordering(delay, at, chart);
        }
        if first || self.gaps.len() < FEWEST {
            return;
        }
        self.gaps.sort_unstable();
        self.see_irregular(at, chart);
        self.see_too_few(declared, at, chart);
    }

    fn see_irregular(&self, at: Duration, chart: &mut Chart) {
        let (Some(&shortest), Some(&usual), Some(&longest)) = (
            self.gaps.first(),
            self.gaps.get(self.gaps.len() / 2),
            self.gaps.last(),
        ) else {
            return;
        };
        let within = MediaTime::from_nanos(usual.as_nanos() / 2).max(JITTER);
        let irregular = self
            .gaps
            .iter()
            .filter(|gap| (**gap - usual).abs() > within);
        let (irregular, all) = (irregular.count(), self.gaps.len());
        if irregular < IRREGULAR || irregular * 100 <= all * IRREGULAR_PERCENT {
            return;
        }
        let finding = Finding {
            severity: Severity::Warning,
            text: format!(
                "The frame rate is irregular: {irregular} of {all} pictures came {} to {} ms after the one before, \
                 most of them {} ms.",
                shortest.as_millis(),
                longest.as_millis(),
                usual.as_millis()
            ),
            remedy: "Use a constant frame rate. OBS: Settings, Video, Common FPS Values; if View, Stats shows \
                     skipped or missed frames, the machine or the network cannot keep up: lower the resolution \
                     or take a faster preset. ffmpeg: -fps_mode cfr -r 30 (before 5.1: -vsync cfr)."
                .to_owned(),
        };
        chart.see(AdviceKind::FrameRate, at, 2, finding);
    }

    fn see_too_few(&self, declared: &Declared, at: Duration, chart: &mut Chart) {
        let Some(rate) = declared.frame_rate else {
            return;
        };
        let span: MediaTime = self.gaps.iter().copied().sum();
        let pictures = u32::try_from(self.gaps.len()).unwrap_or(u32::MAX);
        let measured = f64::from(pictures) / span.as_secs_f64();
        // An irregular rate is said already, and explains this.
        if measured >= KEPT_SHARE * rate || chart.has(AdviceKind::FrameRate, at) && !self.is_even()
        {
            return;
        }
        let finding = Finding {
            severity: Severity::Hint,
            text: format!(
                "The encoder declares {} pictures a second and sends {measured:.1}.",
                (rate * 100.0).round() / 100.0
            ),
            remedy: "If the rate is meant, nothing needs to be done. Otherwise the machine cannot keep up: lower \
                     the resolution or the frame rate (OBS: Settings, Video; ffmpeg: -s, -r), or take a faster \
                     preset (x264: veryfast) or a hardware encoder."
                .to_owned(),
        };
        chart.see(AdviceKind::FrameRate, at, 5, finding);
    }

    /// The shortest distance is as long as the longest, jitter aside.
    fn is_even(&self) -> bool {
        let ends = self.gaps.first().zip(self.gaps.last());
        ends.is_none_or(|(shortest, longest)| *longest - *shortest <= JITTER)
    }
}

fn see_reordering(delay: MediaTime, at: Duration, chart: &mut Chart) {
    let finding = Finding {
        severity: Severity::Hint,
        text: format!(
            "Pictures are reordered (B-frames), which delays each by {} ms where latency counts.",
            delay.as_millis()
        ),
        remedy: "Switch B-frames off. OBS: Settings, Output, Max B-frames 0, or Tune zerolatency; ffmpeg: -bf 0, \
                 or -tune zerolatency."
            .to_owned(),
    };
    chart.see(AdviceKind::PictureReordering, at, 2, finding);
}
