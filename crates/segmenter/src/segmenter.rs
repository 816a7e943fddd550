//! A publish's way from media messages to segments, in one value.

mod events;
mod joining;

use std::sync::Arc;
use std::time::SystemTime;

use media::{
    Anchor, Cadence, Event, FaultKind, Grid, MediaTime, Message, Segment, Track, TrackKind,
};

use crate::cutter::{Arrival, Cutter};
use crate::flv::{Demuxer, TrackSet, Unit};
use crate::interleave::Interleave;
use crate::origin::Origin;
use crate::output::{Output, Outputs};
use crate::per_kind::{PerKind, word};
use crate::sender_clock::SenderClock;
use crate::timeline::{Succession, Timeline};
use joining::{Joining, Joins};

/// Parts of a publish whose codecs have no place in MPEG-TS, where none are asked for: CMAF is made of parts.
const USUAL_PART: MediaTime = MediaTime::from_millis(200);

/// How a publish is segmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A segment ends at the first random access this long after its start.
    pub segment_target: MediaTime,
    /// The longest segment while the playlist has not fixed its target duration: encoders at their
    /// defaults send GOPs of 10 s.
    pub max_segment: MediaTime,
    /// The most a segment may hold, in bytes, with [`Settings::UNIT_COST`] for each access unit: what
    /// bounds the memory of a stream whose timestamps stand still.
    pub max_segment_bytes: u64,
    /// How long the parts are that low-latency segments come in, about: what a part has at least and at most follows
    /// from the cadence. `None`: no parts are made, but of codecs that have no place in MPEG-TS.
    pub part: Option<MediaTime>,
    /// H.265 is carried in MPEG-TS.
    pub hevc_in_ts: bool,
}

impl Settings {
    /// What an access unit costs beside its payload, in bytes: its entry in the segment and the
    /// allocation behind its payload.
    pub const UNIT_COST: u64 = 128;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_target: MediaTime::from_millis(2_000),
            max_segment: MediaTime::from_millis(12_000),
            max_segment_bytes: 64 << 20,
            part: None,
            hevc_in_ts: false,
        }
    }
}

/// Makes segments of the messages of one publish: *push once, pull until `None`, then push again*.
#[derive(Debug)]
pub struct Segmenter {
    demuxer: Demuxer,
    /// Tracks beside the first of their kind that were told of.
    left_out: PerKind<TrackSet>,
    /// Which kind of track has a codec, as of its last unit, that has no place in MPEG-TS.
    beyond_ts: PerKind<bool>,
    settings: Settings,
    clock: SenderClock,
    timeline: Timeline,
    interleave: Interleave,
    cutter: Cutter,
    /// Cuts the same units for low latency: in parts that are out before their segment is, with a target duration that
    /// is known before the first GOP is.
    low_latency: Option<Cutter>,
    /// The part target that the playlist has fixed.
    longest_part: Option<MediaTime>,
    /// The ladder that this publish is a rung of.
    ladder: Option<Grid>,
    /// What comes next has to agree with it.
    joins: Joins,
    /// When something came first that does not.
    joining_since: Option<SystemTime>,
    /// The kind of track that it begins with there.
    begins: TrackKind,
    /// What comes next begins here at the earliest, for what is listed ends here.
    joins_behind: MediaTime,
    /// So much later than it came the present run was put.
    shift: MediaTime,
    /// To join it, media are left out up to there.
    resumes_at: Option<MediaTime>,
    /// When the media of the present run come, where that is known.
    arrival: Option<Anchor>,
    /// Whose media this publish's come beside: it says when they are.
    follows: Option<Origin>,
    /// The run of that by which its media were last put where they are.
    followed: Option<u64>,
    /// Of the last unit.
    origin: Option<Origin>,
    /// Its pictures are those of another publish.
    without_pictures: bool,
    /// Events that wait for an access unit near their timestamps.
    early: Vec<(Arc<Event>, u32)>,
    out: Outputs,
    low_latency_out: Outputs,
}

impl Segmenter {
    /// A segmenter for a new publish.
    pub fn new(settings: Settings) -> Self {
        Self {
            demuxer: Demuxer::new(),
            left_out: PerKind::default(),
            beyond_ts: PerKind::default(),
            settings,
            clock: SenderClock::default(),
            timeline: Timeline::default(),
            interleave: Interleave::default(),
            cutter: Cutter::new(settings),
            low_latency: settings.part.map(|part| Cutter::in_parts(settings, part)),
            longest_part: None,
            low_latency_out: Outputs::default(),
            ladder: None,
            joins: Joins::Settled,
            joining_since: None,
            begins: TrackKind::Video,
            joins_behind: MediaTime::ZERO,
            shift: MediaTime::ZERO,
            resumes_at: None,
            arrival: None,
            follows: None,
            followed: None,
            origin: None,
            without_pictures: false,
            early: Vec::new(),
            out: Outputs::default(),
        }
    }

    /// Takes the next message; data messages change nothing. `now`, when it arrived, dates the first segment of
    /// each discontinuity, and media whose timestamps cannot be used.
    pub fn push(&mut self, message: &Message, now: SystemTime) {
        self.demuxer.push(message);
        while let Some(found) = self.demuxer.pull() {
            match found {
                Ok(unit) if unit.track == 0 => {
                    self.take(unit, now);
                }
                Ok(unit) => self.leave_out(&unit),
                Err(fault) => self.out.push(Output::Fault(fault)),
            }
        }
    }

    /// What the last push or [`Segmenter::finish`] has led to, in order.
    pub fn pull(&mut self) -> Option<Output> {
        self.out.pop()
    }

    /// Ends the publish, or a stretch of it: what is still open becomes the last segment, and what is pushed
    /// after it begins a discontinuity. Pull again afterwards.
    pub fn finish(&mut self) {
        self.interleave.restart();
        self.cut();
        self.end_run();
    }

    /// No segment from here on is longer than `longest`: to be called once the playlist has fixed its
    /// target duration.
    pub fn limit(&mut self, longest: MediaTime) {
        self.cutter.limit(longest);
    }

    /// No part from here on is longer than `longest`: the part target that the playlist has fixed.
    pub fn limit_parts(&mut self, longest: MediaTime) {
        self.longest_part = Some(longest);
        if let Some(cutter) = &mut self.low_latency {
            cutter.limit_parts(longest);
        }
    }

    /// The next segment begins at the first random access at `at` or shortly before, however long the one before is
    /// then: where the segments of another publish of the same programme do.
    pub fn begin_next_at(&mut self, at: MediaTime) {
        self.cutter.begin_next_at(at);
        if let Some(cutter) = &mut self.low_latency {
            cutter.begin_next_at(at);
        }
    }

    /// The pictures that it takes are those of another publish, which say where to cut and are in no segment: sound that
    /// viewers choose beside pictures needs the segments of those, one for one (rfc8216bis §6.2.4). To be called before
    /// the first unit.
    pub const fn leave_pictures_out(&mut self) {
        self.without_pictures = true;
        self.cutter.leave_pictures_out();
        if let Some(cutter) = &mut self.low_latency {
            cutter.leave_pictures_out();
        }
    }

    /// All that it carries has a place in MPEG-TS, as of the last unit of each track. Where it has not, only the parts
    /// are for players, and the segments for who looks at the encoder: one with a picture and without its sound would
    /// be half.
    const fn fits_ts(&self) -> bool {
        let PerKind { video, audio } = self.beyond_ts;
        !video && !audio
    }

    /// `segment` is for players of MPEG-TS.
    pub fn is_for_ts(&self, segment: &Segment) -> bool {
        let with_hevc = self.settings.hevc_in_ts;
        let mut codecs = segment.tracks.iter().map(|track| &track.codec);
        self.fits_ts() && codecs.all(|codec| codec.belongs_in_ts(with_hevc))
    }

    /// The tracks that have arrived so far, video first, and how they arrive.
    pub fn tracks(&self) -> Vec<(Track, Cadence)> {
        self.cutter.tracks()
    }

    /// A track beside the first of its kind.
    fn leave_out(&mut self, unit: &Unit) {
        let kind = unit.kind();
        if self.left_out.of_mut(kind).insert(unit.track) {
            let (word, track, codec) = (word(kind), unit.track, unit.codec.name());
            let text = format!(
                "{word} track {track} ({codec}) is dropped: one track of a kind is carried here"
            );
            self.out.fault(FaultKind::UnsupportedCodec, text);
        }
    }

    /// Makes parts from here on, if it makes none.
    fn make_parts(&mut self) {
        if self.low_latency.is_some() {
            return;
        }
        let mut cutter = Cutter::in_parts(self.settings, USUAL_PART);
        if let Some(longest) = self.longest_part {
            cutter.limit_parts(longest);
        }
        if let Some(clock) = self.cutter.clock() {
            cutter.date_by(clock);
        }
        if self.without_pictures {
            cutter.leave_pictures_out();
        }
        self.low_latency = Some(cutter);
    }

    /// Takes the next access unit of its one video or its one audio track, taken out of its message elsewhere; else like
    /// [`Segmenter::push`]. Gives where the unit was put; `None` if it has no place.
    pub fn take(&mut self, mut unit: Unit, now: SystemTime) -> Option<Origin> {
        let (kind, sent) = (unit.kind(), unit.dts_ms);
        let fits_ts = unit.codec.belongs_in_ts(self.settings.hevc_in_ts);
        *self.beyond_ts.of_mut(kind) = !fits_ts;
        if !fits_ts {
            self.make_parts();
        }
        unit.dts_ms = self.clock.date(kind, sent, now, &mut self.out);
        if self.join(&unit, sent, now) == Joining::GivenUp {
            return None;
        }
        let mut succession = self.timeline.succession(&unit);
        if matches!(succession, Succession::Jumps(_))
            && !self.clock.may_jump(kind, now, &mut self.out)
        {
            unit.dts_ms = self.clock.date(kind, sent, now, &mut self.out);
            succession = self.timeline.succession(&unit);
        }
        if succession != Succession::Straggles {
            self.clock.keep(kind, unit.dts_ms, now);
        }
        match succession {
            Succession::Continues => {}
            Succession::Straggles => {
                let text = format!(
                    "a timestamp of {} ms belongs before the jump of the other track; dropped",
                    unit.dts_ms
                );
                self.out.fault(FaultKind::TimestampJump, text);
                return None;
            }
            Succession::Jumps(by_ms) => {
                self.finish();
                self.timeline.begin_run(&unit, self.edge(), None);
                let text = format!(
                    "the sender's clock jumped by {by_ms} ms to {} ms; a new discontinuity begins",
                    unit.dts_ms
                );
                self.out.fault(FaultKind::TimestampJump, text);
                // The boundaries of its ladder are elsewhere on the new clock.
                self.joins = Joins::Anyway;
                if self.join(&unit, sent, now) == Joining::GivenUp {
                    return None;
                }
            }
        }
        let place = self.timeline.place(&unit, &mut self.out)?;
        let at = self.timeline.sent(&unit);
        let arrival = Arrival {
            codec: unit.codec,
            dts: place.dts,
            composition: place.composition,
            entry: unit.entry,
            payload: unit.payload,
        };
        self.interleave.push(arrival, now);
        self.cut();
        // Behind the cut: the first picture dates its run by when it is shown.
        let date = self.cutter.date_at(at).unwrap_or(now);
        self.origin = Some(Origin {
            sent_ms: sent,
            clock: Anchor { at, date },
            run: self.timeline.run(),
        });
        if !self.early.is_empty() {
            self.place_early();
        }
        self.origin
    }

    fn cut(&mut self) {
        while let Some((unit, now)) = self.interleave.pull() {
            if let Some(cutter) = &mut self.low_latency {
                cutter.push(unit.clone(), now, &mut self.low_latency_out);
                // What was wrong with the encoder is told once.
                self.out.take_media(&mut self.low_latency_out);
            }
            self.cutter.push(unit, now, &mut self.out);
        }
    }

    fn end_run(&mut self) {
        if let Some(cutter) = &mut self.low_latency {
            cutter.end_run(&mut self.low_latency_out);
            self.out.take_media(&mut self.low_latency_out);
        }
        self.cutter.end_run(&mut self.out);
    }

    /// Where the last segment ends.
    fn edge(&self) -> Option<MediaTime> {
        let low_latency = self.low_latency.as_ref().and_then(Cutter::edge);
        self.cutter.edge().max(low_latency)
    }
}

#[cfg(test)]
mod tests;
