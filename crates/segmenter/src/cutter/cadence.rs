//! How a track arrives: its rate and the length of its GOPs, measured.

use std::sync::Arc;

use media::{Cadence, Codec, MediaTime, Track, TrackKind};

use super::Arrival;
use crate::flv::Entry;

/// The rate is that of the last half to whole of this span: long enough that milliseconds do not show
/// in three decimals, short enough to follow an encoder that slows down.
const SPAN: MediaTime = MediaTime::from_millis(60_000);
/// Closer to the one before it than senders can say, a unit has been moved there by the timeline.
const CROWDED: MediaTime = MediaTime::from_millis(1);
/// What a unit lasts before two of them have come.
const FIRST_GUESS: MediaTime = MediaTime::from_millis(33);
/// Rates in use. A span measured to the millisecond cannot tell a rate from its neighbours within the
/// error; these are what encoders mean.
const RATES: [f64; 10] = [
    15.0,
    24_000.0 / 1_001.0,
    24.0,
    25.0,
    30_000.0 / 1_001.0,
    30.0,
    50.0,
    60_000.0 / 1_001.0,
    60.0,
    120.0,
];

/// What a meter needs of an access unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    dts: MediaTime,
    pts: MediaTime,
    begins_gop: bool,
}

impl Moment {
    pub(super) fn of(unit: &Arrival) -> Self {
        Self {
            dts: unit.dts,
            pts: unit.pts(),
            begins_gop: unit.entry != Entry::None,
        }
    }
}

/// Measures one track.
#[derive(Debug)]
pub(super) struct Meter {
    codec: Arc<Codec>,
    count: u32,
    last: Option<MediaTime>,
    /// Nothing has come yet of what is measured next.
    fresh: bool,
    /// The rate is counted from the first of these; the second takes its place when it is old enough.
    marks: [(MediaTime, u32); 2],
    /// The last two distances between decode times.
    gaps: [Option<MediaTime>; 2],
    gop_start: Option<MediaTime>,
    gop_last: Option<MediaTime>,
    gop_max: Option<MediaTime>,
}

impl Meter {
    pub(super) fn new(codec: &Arc<Codec>, first: Moment) -> Self {
        Self {
            codec: Arc::clone(codec),
            count: 0,
            last: None,
            fresh: true,
            marks: [(first.dts, 0); 2],
            gaps: [None; 2],
            gop_start: None,
            gop_last: None,
            gop_max: None,
        }
    }

    /// The clock has jumped, or the publish has ended: nothing is measured across it. What was measured stays until
    /// there is more.
    pub(super) fn restart(&mut self) {
        self.fresh = true;
        self.gop_start = None;
    }

    pub(super) fn add(&mut self, codec: Arc<Codec>, unit: Moment) {
        self.codec = codec;
        match self.last.filter(|_| !self.fresh) {
            None => {
                self.count = 0;
                self.marks = [(unit.dts, 0); 2];
            }
            Some(last) => {
                let [_, before] = self.gaps;
                self.gaps = [before, Some(unit.dts - last)];
                self.count = self.count.wrapping_add(1);
                // GStreamer's flvmux has no times below zero: the first pictures share one.
                if self.marks == [(last, self.count.wrapping_sub(1)); 2]
                    && unit.dts - last < CROWDED
                {
                    self.marks = [(unit.dts, self.count); 2];
                }
            }
        }
        self.last = Some(unit.dts);
        self.fresh = false;
        let [_, second] = self.marks;
        if unit.dts - second.0 >= SPAN - MediaTime::from_nanos(SPAN.as_nanos() / 2) {
            self.marks = [second, (unit.dts, self.count)];
        }
        if unit.begins_gop
            && self.codec.kind() == TrackKind::Video
            && let Some(before) = self.gop_start.replace(unit.pts)
        {
            let gop = unit.pts - before;
            self.gop_last = Some(gop);
            self.gop_max = self.gop_max.max(Some(gop));
        }
    }

    pub(super) fn report(&self) -> (Track, Cadence) {
        let track = Track {
            codec: Codec::clone(&self.codec),
        };
        let cadence = Cadence {
            unit_rate: self.unit_rate(),
            gop_last: self.gop_last,
            gop_max: self.gop_max,
        };
        (track, cadence)
    }

    /// How long a unit lasts: an audio frame by its samples, a picture as long as the shorter of the
    /// two before it, so that a pause in front of the last one does not count.
    pub(super) fn unit_duration(&self) -> MediaTime {
        let by_gap = || self.gaps.into_iter().flatten().min();
        let lasting = self.codec.unit_duration().or_else(by_gap);
        lasting.unwrap_or(FIRST_GUESS)
    }

    /// From the last picture that decoding can begin with to `at`.
    pub(super) fn since_gop_start(&self, at: MediaTime) -> Option<MediaTime> {
        self.gop_start.map(|start| at - start)
    }

    /// When the next GOP begins if it comes as long after this one as this one after the last.
    pub(super) fn next_gop_start(&self) -> Option<MediaTime> {
        Some(self.gop_start? + self.gop_last?)
    }

    fn unit_rate(&self) -> Option<f64> {
        let [(since, count), _] = self.marks;
        let span = (self.last? - since).as_secs_f64();
        let units = self.count.wrapping_sub(count);
        if units == 0 || span <= 0.0 {
            return None;
        }
        let rate = f64::from(units) / span;
        let error = rate * 0.001 / span;
        let meant = RATES
            .into_iter()
            .map(|listed| ((listed - rate).abs(), listed))
            .filter(|&(distance, _)| distance <= error)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        Some(meant.map_or(rate, |(_, listed)| listed))
    }
}
