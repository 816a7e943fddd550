//! Whether media arrives as fast as it plays: arrival times against the encoder's timestamps.

use std::time::Duration;

use media::{AdviceKind, MediaTime, MessageKind, Severity};

use crate::chart::{Chart, Finding};
use crate::words::seconds;

/// A pause this much longer than its media is a stall.
const STALL_MS: i64 = 2_000;
/// The speed is measured over spans of at least this length.
const SPAN_MS: i64 = 10_000;
/// So many slow spans in a row are no stall that is caught up with.
const SLOW_SPANS: u32 = 3;
/// Slower than this share of real time is slow: what players hold is used up within minutes. Clocks do not
/// differ by so much.
const SLOW_PERCENT: i64 = 98;
/// Each time the media has gained so much on the clock, it is faster than real time …
const GAIN_MS: i64 = 10_000;
/// … unless that took so long that the gain is below this share of it: clocks differ, and 100 ppm are 10 s in 28 hours.
const FAST_PERCENT: i64 = 100 - SLOW_PERCENT;
/// A step beyond this is no distance between messages: the sender's clock has jumped.
const MAX_STEP_MS: i32 = 10_000;
/// So far a timestamp may be ahead of its arrival without being a jump of the sender's clock.
const MAX_AHEAD_MS: i64 = 1_000;
/// When a track has been behind its own newest timestamp for so long, the sender's clock has jumped back.
const BEHIND_MS: i64 = 1_000;

const REMEDY: &str = "Let the encoder's connection have twice the stream's bit rate: lower the bit rate (OBS: \
Settings, Output, Bitrate; ffmpeg: -b:v, -maxrate, -bufsize), use a cable instead of Wi-Fi, and in OBS switch on \
Settings, Advanced, \"Dynamically change bitrate to manage congestion\". If the network is idle, the encoder \
itself is too slow: take a faster preset (x264: veryfast) or a hardware encoder.";

/// Watches the pace of one publish.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// A single stall this long is worth a word; players hold little more in hand.
    long_stall_ms: i64,
    /// The newest timestamp of any track.
    newest: Option<u32>,
    /// The track that it is of.
    furthest: MessageKind,
    /// Since when that track is behind it.
    behind_since_ms: Option<i64>,
    /// When anything arrived last, however old.
    arrived_ms: i64,
    /// Where the media stands, counted from the first message.
    position_ms: i64,
    first_at_ms: i64,
    last_at_ms: i64,
    last_step_ms: i64,
    /// The present stall has been told already.
    stalled: bool,
    /// Arrival and position at the start of the present span.
    span: (i64, i64),
    slow_spans: u32,
    /// Arrival time and media in the slow spans together.
    slow: (i64, i64),
    /// How far the media was ahead of the clock when that was last told, and when.
    told_ahead: (i64, i64),
}

impl Uplink {
    pub(crate) fn new(segment: MediaTime) -> Self {
        Self {
            long_stall_ms: (2 * segment.as_millis()).max(2 * STALL_MS),
            newest: None,
            furthest: MessageKind::Video,
            behind_since_ms: None,
            arrived_ms: 0,
            position_ms: 0,
            first_at_ms: 0,
            last_at_ms: 0,
            // Nobody knows yet when the second message is due.
            last_step_ms: MAX_STEP_MS.into(),
            stalled: false,
            span: (0, 0),
            slow_spans: 0,
            slow: (0, 0),
            told_ahead: (0, 0),
        }
    }

    pub(crate) fn arrival(
        &mut self,
        kind: MessageKind,
        timestamp_ms: u32,
        at: Duration,
        chart: &mut Chart,
    ) {
        let at_ms = millis(at);
        self.arrived_ms = at_ms;
        let Some(newest) = self.newest else {
            (self.newest, self.furthest) = (Some(timestamp_ms), kind);
            (self.first_at_ms, self.last_at_ms) = (at_ms, at_ms);
            self.span = (at_ms, 0);
            self.told_ahead = (0, at_ms);
            return;
        };
        // Modulo 2^32, as the sender's clock runs.
        let step = timestamp_ms.wrapping_sub(newest).cast_signed();
        if (-MAX_STEP_MS..=0).contains(&step) && !self.has_jumped_back(kind, step, at_ms) {
            // The other track, a little behind.
            return;
        }
        (self.newest, self.furthest) = (Some(timestamp_ms), kind);
        self.behind_since_ms = None;
        let waited = at_ms - self.last_at_ms;
        // A clock that jumps says nothing of the pace.
        let step = if (0..=MAX_STEP_MS).contains(&step) {
            i64::from(step).min(waited + MAX_AHEAD_MS)
        } else {
            waited
        };
        self.position_ms += step;
        if waited - step >= STALL_MS {
            self.see_stall(waited - step, at, chart);
        }
        self.stalled = false;
        (self.last_at_ms, self.last_step_ms) = (at_ms, step);
        self.measure_speed(at, chart);
        self.measure_gain(at, chart);
    }

    /// A timestamp that is not beyond the newest. Whether the sender's clock has jumped back, by less than what is a
    /// jump at first sight: the track that had come furthest has been behind for a while, and keeps arriving.
    fn has_jumped_back(&mut self, kind: MessageKind, step: i32, at_ms: i64) -> bool {
        if kind != self.furthest || step == 0 {
            return false;
        }
        let since = *self.behind_since_ms.get_or_insert(at_ms);
        at_ms - since >= BEHIND_MS
    }

    /// A stall shows before it is over.
    pub(crate) fn look(&mut self, at: Duration, chart: &mut Chart) {
        let waited = millis(at) - self.arrived_ms - self.last_step_ms;
        if self.newest.is_some() && waited >= STALL_MS {
            self.see_stall(waited, at, chart);
        }
    }

    fn see_stall(&mut self, waited_ms: i64, at: Duration, chart: &mut Chart) {
        let finding = Finding {
            severity: Severity::Warning,
            text: format!(
                "Nothing arrived for {}: players with less than that in hand stood still.",
                seconds(MediaTime::from_millis(waited_ms))
            ),
            remedy: REMEDY.to_owned(),
        };
        let needs = if waited_ms >= self.long_stall_ms {
            1
        } else {
            2
        };
        let times = u64::from(!self.stalled);
        self.stalled = true;
        chart.see_times(AdviceKind::UplinkStalls, at, times, needs, finding);
    }

    fn measure_speed(&mut self, at: Duration, chart: &mut Chart) {
        let (from_ms, from_position) = self.span;
        let took = self.last_at_ms - from_ms;
        let media = self.position_ms - from_position;
        if took < SPAN_MS {
            return;
        }
        self.span = (self.last_at_ms, self.position_ms);
        if media * 100 >= took * SLOW_PERCENT {
            self.slow_spans = 0;
            self.slow = (0, 0);
            return;
        }
        self.slow_spans += 1;
        let (slow_took, slow_media) = (self.slow.0 + took, self.slow.1 + media);
        self.slow = (slow_took, slow_media);
        if self.slow_spans >= SLOW_SPANS {
            let finding = Finding {
                severity: Severity::Problem,
                text: format!(
                    "Media arrives slower than it plays: {} of it in {}. Players run empty again and again.",
                    seconds(MediaTime::from_millis(slow_media)),
                    seconds(MediaTime::from_millis(slow_took))
                ),
                remedy: REMEDY.to_owned(),
            };
            chart.see(AdviceKind::UplinkSlow, at, 1, finding);
        }
    }

    fn measure_gain(&mut self, at: Duration, chart: &mut Chart) {
        let ahead = self.position_ms - (self.last_at_ms - self.first_at_ms);
        let (told, told_at) = self.told_ahead;
        let gained = ahead - told;
        if gained < GAIN_MS {
            return;
        }
        let took = self.last_at_ms - told_at;
        self.told_ahead = (ahead, self.last_at_ms);
        if gained * 100 < took * FAST_PERCENT {
            return;
        }
        let finding = Finding {
            severity: Severity::Warning,
            text: format!(
                "Media arrives faster than it plays: {} of it in {}. Segments leave the playlist before players \
                 come to them.",
                seconds(MediaTime::from_millis(gained + took)),
                seconds(MediaTime::from_millis(took))
            ),
            remedy: "Send a file at the speed it plays: ffmpeg -re before -i. For a camera or a capture card, \
                     check that its timestamps follow the clock."
                .to_owned(),
        };
        chart.see(AdviceKind::FasterThanRealTime, at, 1, finding);
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
