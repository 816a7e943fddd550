//! Access units to segments, by DESIGN's rules of time: a segment begins at a random access of the
//! leading track once the target is reached, and is never longer than the limit. One that begins at a
//! recovery point (an open GOP, intra refresh) is not called independent.
//!
//! What does not belong here: repairing timestamps (the timeline has), target durations and windows
//! (the playlist's), what a segment says of itself (`cutter/closing.rs`).

mod cadence;
mod changed;
mod closing;
mod events;
mod limits;
mod open;
mod parts;
mod waiting;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use media::{Anchor, Cadence, Codec, FaultKind, MediaTime, Track, TrackKind};

use crate::allowance::{self, Allowance, Verdict};
use crate::flv::Entry;
use crate::output::Outputs;
use crate::per_kind::{PerKind, word};
use crate::segmenter::Settings;

use cadence::{Meter, Moment};
use changed::Changed;
use closing::Closing;
use events::Events;
use open::{At, Open};
use parts::Parts;
use waiting::{Decision, LEAD_IN, Waiting};

/// The most by which a segment may fall short of its target: timestamps are rounded to milliseconds,
/// and half a frame at 25 fps is within what players take for the same.
const MAX_TOLERANCE: MediaTime = MediaTime::from_millis(20);
/// How far before its segment's first picture is decoded audio may still be heard that arrives behind the cut. Players
/// play it behind what they have, and so far the clock of MPEG-TS stands behind that picture.
const LATEST: MediaTime = MediaTime::from_millis(300);
/// A picture shown so much later than one that is decoded after it has been given a wrong composition time.
const MAX_REORDERING: MediaTime = MediaTime::from_millis(1_000);
/// So long before the moment that was asked for a segment may begin: encoders of one programme differ by as much.
const NEAR_WANTED: MediaTime = MediaTime::from_millis(100);
/// A segment is never shorter, whatever the timestamps say: EXTINF is above zero.
const SHORTEST: MediaTime = MediaTime::from_millis(1);

/// An access unit with its place on the window's timeline.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) codec: Arc<Codec>,
    pub(crate) dts: MediaTime,
    pub(crate) composition: MediaTime,
    pub(crate) entry: Entry,
    pub(crate) payload: Bytes,
}

impl Arrival {
    pub(crate) fn kind(&self) -> TrackKind {
        self.codec.kind()
    }

    /// Nothing from before it is needed any more.
    fn random_access(&self) -> bool {
        self.entry == Entry::RandomAccess
    }

    /// Decoding can begin with it: with a CRA picture too, if those that are decoded behind it and shown before it are
    /// left out, as every decoder does (ITU-T H.265 §8.1.3). Players that look for such a sample would find none
    /// behind the first, of x265 at its defaults.
    fn is_sync(&self) -> bool {
        let is_clean_random_access =
            self.entry == Entry::RecoveryPoint && matches!(*self.codec, Codec::H265(_));
        self.random_access() || is_clean_random_access
    }

    fn pts(&self) -> MediaTime {
        self.dts + self.composition
    }

    /// What it costs while it is held, in bytes.
    pub(crate) fn cost(&self) -> u64 {
        self.payload.len() as u64 + Settings::UNIT_COST
    }
}

/// What the segment behind a cut is to be.
#[derive(Clone, Copy, Debug)]
struct Next {
    start: MediaTime,
    independent: bool,
    leading: TrackKind,
    /// The decode time of the unit that it begins with, if that is not yet in the open segment.
    dts: Option<MediaTime>,
}

impl Next {
    /// It begins with `unit`, which comes next.
    fn before(unit: &Arrival) -> Self {
        Self {
            start: unit.pts(),
            independent: unit.random_access(),
            leading: unit.kind(),
            dts: Some(unit.dts),
        }
    }
}

/// Cuts the access units of one publish into segments.
#[derive(Debug)]
pub(crate) struct Cutter {
    settings: Settings,
    longest: MediaTime,
    /// The longest segment is fixed: by the playlist, or by the first segment.
    limited: bool,
    waiting: Waiting,
    open: Option<Open>,
    closing: Closing,
    /// Where parts are made, and not whole segments.
    parts: Option<Parts>,
    events: Events,
    now: SystemTime,
    /// Units given up since the last report: they needed what comes after them, or came too late.
    early: PerKind<u64>,
    late: PerKind<u64>,
    changed: Changed,
    changes: Allowance,
    /// The configuration of the last picture, if none has been given up since: the next follows from it.
    unbroken: Option<Arc<Codec>>,
    /// How long after it is decoded the last random access of the video is shown.
    delay: MediaTime,
    /// Where the next segment is to begin, whatever its target: others of the same programme do.
    wanted: Option<MediaTime>,
    /// What dates segments, if not the time of arrival.
    clock: Option<Anchor>,
    meters: PerKind<Option<Meter>>,
}

impl Cutter {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            longest: settings.max_segment.max(SHORTEST),
            limited: false,
            waiting: Waiting::default(),
            open: None,
            closing: Closing::default(),
            parts: None,
            events: Events::default(),
            now: SystemTime::UNIX_EPOCH,
            early: PerKind::default(),
            late: PerKind::default(),
            changed: Changed::default(),
            changes: Allowance::default(),
            unbroken: None,
            delay: MediaTime::ZERO,
            wanted: None,
            clock: None,
            meters: PerKind::default(),
        }
    }

    /// A cutter whose segments come in parts of about `part`, for playlists with a fixed target duration: no segment
    /// is longer than what rounds to it.
    pub(crate) fn in_parts(settings: Settings, part: MediaTime) -> Self {
        let mut cutter = Self::new(settings);
        cutter.parts = Some(Parts::new(part, settings.segment_target));
        cutter.limit(rounding_as(settings.segment_target));
        cutter
    }

    /// No part from here on is longer than `longest`.
    pub(crate) const fn limit_parts(&mut self, longest: MediaTime) {
        if let Some(parts) = &mut self.parts {
            parts.fix_target(longest);
        }
    }

    pub(crate) fn limit(&mut self, longest: MediaTime) {
        self.longest = longest.max(SHORTEST);
        self.limited = true;
    }

    /// The next segment begins at the first random access at `at` or shortly before, if that is not too late.
    pub(crate) const fn begin_next_at(&mut self, at: MediaTime) {
        self.wanted = Some(at);
    }

    /// The segments that begin from here on are dated by `clock`, and not by the time of arrival.
    pub(crate) const fn date_by(&mut self, clock: Anchor) {
        self.clock = Some(clock);
    }

    /// What segments are dated by, if not by their arrival.
    pub(crate) const fn clock(&self) -> Option<Anchor> {
        self.clock
    }

    /// The wall clock at a media time; `None` while nothing says it.
    pub(crate) fn date_at(&self, at: MediaTime) -> Option<SystemTime> {
        self.closing.date_at(at)
    }

    /// Where the last segment ends.
    pub(crate) const fn edge(&self) -> Option<MediaTime> {
        self.closing.edge()
    }

    pub(crate) const fn has_pictures(&self) -> bool {
        self.meters.video.is_some()
    }

    pub(crate) fn tracks(&self) -> Vec<(Track, Cadence)> {
        let all = [&self.meters.video, &self.meters.audio];
        let all = all.into_iter().flatten().map(Meter::report);
        all.filter(|(track, _)| self.closing.carries(track.kind()))
            .collect()
    }

    /// Pictures say where to cut from here on, and are in no segment.
    pub(crate) const fn leave_pictures_out(&mut self) {
        self.closing.leave_pictures_out();
    }

    pub(crate) fn push(&mut self, unit: Arrival, now: SystemTime, out: &mut Outputs) {
        self.now = now;
        let codec = Arc::clone(&unit.codec);
        let moment = Moment::of(&unit);
        if self.open.is_some() {
            self.add(unit, out);
        } else {
            self.wait(unit, out);
        }
        // Last, so that a cut still sees how long the units before this one were.
        self.meters
            .of_mut(codec.kind())
            .get_or_insert_with(|| Meter::new(&codec, moment))
            .add(codec, moment);
    }

    /// Ends the run: what follows is a new discontinuity.
    pub(crate) fn end_run(&mut self, out: &mut Outputs) {
        self.finish(out);
        self.closing.end_run();
        self.unbroken = None;
        for meter in [&mut self.meters.video, &mut self.meters.audio] {
            meter.iter_mut().for_each(Meter::restart);
        }
    }

    /// Cuts the last segment.
    pub(crate) fn finish(&mut self, out: &mut Outputs) {
        let held = self.waiting.give_up(&mut self.early);
        self.flow(held, out);
        let last_leading = self.open.as_ref().map(Open::last_leading);
        if let Some(((_, last), leading)) = self.changed.span().zip(last_leading)
            && last - leading >= self.settings.segment_target
        {
            // Video had ended before.
            self.lead_with_changed(out);
        }
        self.early.audio += self.changed.give_up();
        self.cut_rest(out);
        self.events.end();
        if let Some(open) = self.open.take() {
            let duration = self.content_end(&open) - open.start;
            let duration = duration.clamp(SHORTEST, self.longest);
            self.close(open, duration, None, true, out);
        }
        self.events.give_up(out);
        self.report_early(out);
    }

    /// Before the first picture of a run that decoding can begin with.
    fn wait(&mut self, unit: Arrival, out: &mut Outputs) {
        let decision = self
            .waiting
            .add(unit, &self.settings, self.longest, &mut self.early);
        match decision {
            Decision::Wait => {}
            Decision::Video { held, first } => {
                self.begin(&first, out);
                for audio in held {
                    self.append(audio, out);
                }
                self.append(first, out);
            }
            Decision::AudioOnly(held) => self.flow(held, out),
        }
    }

    /// Lets audio go that was held for a video that has not come.
    fn flow(&mut self, held: Vec<Arrival>, out: &mut Outputs) {
        for unit in held {
            if self.open.is_some() {
                self.add(unit, out);
            } else {
                self.begin(&unit, out);
                self.append(unit, out);
            }
        }
    }

    /// Opens the first segment of a run, led by `first`, which is yet to be appended.
    fn begin(&mut self, first: &Arrival, out: &mut Outputs) {
        let start = first.pts();
        self.begin_at(start);
        self.open = Some(Open::new(first.kind(), start, first.random_access()));
        self.report_early(out);
    }

    fn begin_at(&mut self, start: MediaTime) {
        self.wanted = self.wanted.filter(|&at| start < at - NEAR_WANTED);
        self.events.begin_segment(start, start + NEAR_WANTED);
        self.closing.date_by(self.clock);
        self.closing.begin(start, self.now);
        if let Some(parts) = &mut self.parts {
            parts.begin(start);
        }
    }

    /// With a segment open.
    fn add(&mut self, unit: Arrival, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        match (unit.kind(), open.leading) {
            (TrackKind::Video, TrackKind::Audio) => self.take_the_lead(unit, out),
            (TrackKind::Audio, TrackKind::Video) => self.follow(unit, out),
            _ => self.lead(unit, out),
        }
    }

    /// A unit of the leading track: the only kind that segments are cut at while it keeps coming.
    fn lead(&mut self, unit: Arrival, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        if open.differs(&unit.codec) {
            if !unit.random_access() || unit.pts() <= open.start {
                // It cannot be decoded with the configuration in force, nor begin with its own.
                *self.early.of_mut(unit.kind()) += 1;
                return self.give_up(&unit);
            }
            if !self.may_change(&unit, out) {
                return self.give_up(&unit);
            }
            self.cut_before(&unit, out);
        }
        self.begin_earlier(&unit, out);
        self.settle_parts(&unit, out);
        self.shorten(&unit, out);

        let Some(open) = &self.open else { return };
        let span = unit.pts() - open.start;
        let target = self.settings.segment_target.min(self.longest) - self.tolerance(&unit);
        let reached = self.events.begin_segment_by(unit.pts() + NEAR_WANTED);
        let reached = match self.wanted {
            _ if reached => true,
            // Further than a segment may reach, it would be cut where decoding cannot begin.
            Some(at) if at <= open.start + self.longest => unit.pts() >= at - NEAR_WANTED,
            _ => span >= target,
        };
        let due = match unit.entry {
            Entry::None => false,
            Entry::RecoveryPoint => reached,
            Entry::RandomAccess => {
                reached
                    || !open.independent
                    || (self.changed.span().is_some() && self.may_change(&unit, out))
            }
        };
        let Some(open) = &self.open else { return };
        let due = due && span > MediaTime::ZERO;
        if !open.is_empty() && (due || span > self.longest) {
            self.cut_before(&unit, out);
        } else if self.too_large(&unit) && !self.split_for_size(&unit, out) {
            return self.give_up(&unit);
        }
        self.append(unit, out);
    }

    /// The open segment begins with the first picture that is *shown*, if that is `unit`, as far as the segment before
    /// leaves room. One composition time of seconds would otherwise keep it open until the rest has come so far.
    fn begin_earlier(&mut self, unit: &Arrival, out: &mut Outputs) {
        let edge = self.closing.edge();
        let Some(open) = &mut self.open else { return };
        if unit.kind() == TrackKind::Audio || open.fixed() > 0 {
            return;
        }
        let (before, start) = (open.start, edge.max(Some(unit.pts())));
        let Some(start) = start.filter(|&start| start < before) else {
            return;
        };
        open.start = start;
        self.closing.begin_earlier(before, start);
        if let Some(parts) = &mut self.parts {
            parts.begin_earlier(start);
        }
        if before - start > MAX_REORDERING {
            let text = format!(
                "a picture is to be shown {} before one that is decoded before it; the segment of both begins at {start}",
                before - unit.pts()
            );
            out.fault(FaultKind::CompositionTime, text);
        }
    }

    /// Whether one more segment may begin because the configuration changes, with `unit`.
    fn may_change(&mut self, unit: &Arrival, out: &mut Outputs) -> bool {
        let verdict = self.changes.ask(unit.pts());
        if verdict == Verdict::Refused {
            let text = format!(
                "the codec configuration changed more than {} times within {}; {} access units are dropped until it \
                 changes less often",
                allowance::MOST,
                allowance::PERIOD,
                word(unit.kind()),
            );
            out.fault(FaultKind::ConfigurationFlood, text);
        }
        verdict == Verdict::Granted
    }

    /// `unit` goes nowhere: if it is a picture, those that follow need one to begin with.
    fn give_up(&mut self, unit: &Arrival) {
        if unit.kind() == TrackKind::Video {
            self.unbroken = None;
        }
    }

    /// Audio beside a leading video.
    fn follow(&mut self, unit: Arrival, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        let joins = !open.has_audio() && !self.closing.has_audio();
        let latest = if joins { LEAD_IN } else { LATEST };
        let from = open
            .first_dts()
            .map_or(open.start, |dts| dts.min(open.start));
        if unit.pts() < from - latest {
            self.late.audio += 1;
            return;
        }
        let stalled = unit.pts() - open.last_leading() >= self.longest;
        if open.differs(&unit.codec) {
            self.early.audio += self.changed.push(unit);
            if stalled {
                self.lead_with_changed(out);
            }
            return;
        }
        self.early.audio += self.changed.give_up();
        if stalled {
            return self.take_over(unit, out);
        }
        if self.too_large(&unit) && !self.split_for_size(&unit, out) {
            return;
        }
        self.append(unit, out);
    }

    /// Audio when video has stalled: it leads from where it stands behind the last picture.
    fn take_over(&mut self, unit: Arrival, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        if let Some(index) = open.audio_behind_video(open.len()) {
            self.cut_audio_off(index, out);
            self.lead(unit, out);
        } else {
            self.cut_before(&unit, out);
            self.append(unit, out);
        }
    }

    /// Audio of a new configuration when video has stalled.
    fn lead_with_changed(&mut self, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        let (held, given_up) = self.changed.take(open.last_leading() + SHORTEST);
        self.early.audio += given_up;
        let mut held = held.into_iter();
        if let Some(first) = held.next() {
            self.cut_before(&first, out);
            self.append(first, out);
        }
        for unit in held {
            self.lead(unit, out);
        }
    }

    /// Video beside a leading audio: it leads from the first picture on that decoding can begin with, or that
    /// follows from the last one there was. An encoder that had nothing new to show, or a link that stood
    /// still, has dropped nothing, and its next key frame may be far.
    fn take_the_lead(&mut self, unit: Arrival, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        if unit.pts() <= open.start {
            self.late.video += 1;
            return self.give_up(&unit);
        }
        if unit.entry == Entry::None && self.unbroken.as_ref() != Some(&unit.codec) {
            self.early.video += 1;
            return self.give_up(&unit);
        }
        let next = Next {
            start: self.first_shown(&unit, open),
            ..Next::before(&unit)
        };
        self.cut(open.shown_from(next.start), next, out);
        self.report_early(out);
        self.append(unit, out);
    }

    /// When the first of the pictures from `unit` on is shown, which need not be `unit`: reordering delays all of them
    /// by as much as the last random access. Where that is far within what is open already, it is not believed.
    fn first_shown(&self, unit: &Arrival, open: &Open) -> MediaTime {
        let pts = unit.pts();
        let first = pts.min(unit.dts + self.delay);
        let believed = first > open.start && first >= open.last_leading() - LEAD_IN;
        if unit.random_access() || !believed {
            pts
        } else {
            first
        }
    }

    /// Ends the open segment where `unit` begins the next.
    fn cut_before(&mut self, unit: &Arrival, out: &mut Outputs) {
        let index = self.open.as_ref().map_or(0, Open::len);
        self.cut(index, Next::before(unit), out);
    }

    /// Ends the open segment at `at`, where a unit of its leading track begins the next.
    fn cut_at(&mut self, at: At, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        let next = Next {
            start: at.start,
            independent: at.random_access,
            leading: open.leading,
            dts: None,
        };
        self.cut(at.index, next, out);
    }

    /// Ends the open segment before its unit number `index`.
    fn cut(&mut self, index: usize, next: Next, out: &mut Outputs) {
        let parts = self.parts.as_ref().zip(self.open.as_ref());
        let start = parts.map_or(next.start, |(parts, open)| {
            parts.beginning(open, index, next.start)
        });
        if let Some(open) = self
            .open
            .as_ref()
            .filter(|open| overlong(open, self.longest, index))
            && let Some(behind) = open.audio_behind_video(index)
            && open.pts_at(behind) < Some(start)
            && open.start + SHORTEST < start
        {
            // Video has paused, and the audio beside the pause does not fit any more.
            self.cut_audio_off(behind, out);
            let mut index = index - behind;
            let target = self.settings.segment_target.min(self.longest);
            while let Some(open) = self
                .open
                .as_ref()
                .filter(|open| overlong(open, self.longest, index))
                && let Some(at) = open
                    .last_within(target, None)
                    .filter(|at| at.index < index && at.start < next.start)
            {
                index -= at.index;
                self.cut_at(at, out);
            }
            return self.cut(index, next, out);
        }
        let Some(mut closed) = self.open.take() else {
            return;
        };
        let opened = closed.split_off(index, next.leading, start, next.independent);
        let span = start - closed.start;
        // Parts that are out may reach beyond the longest, if composition times waver: then it begins where they end.
        let follows = span <= self.longest
            || self
                .parts
                .as_ref()
                .is_some_and(|parts| start == parts.beginning(&closed, closed.len(), closed.start));
        let (duration, next_dts) = if follows {
            (span, opened.first_dts().or(next.dts))
        } else {
            // A gap in the media: the segment lasts as long as what is in it.
            let content = self.content_end(&closed) - closed.start;
            (content.clamp(SHORTEST, self.longest), None)
        };
        self.close(closed, duration, next_dts, false, out);
        self.begin_at(start);
        let adopts = next.leading == TrackKind::Video && !opened.has_audio();
        self.open = Some(opened);
        if adopts {
            let (held, given_up) = self.changed.take(start - LEAD_IN);
            self.early.audio += given_up;
            held.into_iter().for_each(|unit| self.append(unit, out));
        }
        if next.independent {
            self.report_early(out);
        }
    }

    /// Makes a segment of `open`. The first fixes how long those behind it may be, even if they are cut before the
    /// playlist says so: as long as round to the same target duration (rfc8216bis §4.4.3.1).
    fn close(
        &mut self,
        open: Open,
        duration: MediaTime,
        next_dts: Option<MediaTime>,
        last: bool,
        out: &mut Outputs,
    ) {
        if self.parts.is_some() {
            return self.close_parts(open, duration, next_dts, out);
        }
        let events = self.events.take(open.start + duration);
        self.closing
            .close(open, events, duration, next_dts, last, out);
        if !self.limited {
            let rounds = rounding_as(self.settings.segment_target.max(duration));
            self.longest = self.longest.min(rounds);
            self.limited = true;
        }
    }

    /// Where the last of the units of `open` ends; a picture lasts as long as the one before it.
    fn content_end(&self, open: &Open) -> MediaTime {
        let lasting = |kind| self.meters.of(kind).as_ref().map(Meter::unit_duration);
        open.end(
            lasting(TrackKind::Video).unwrap_or_default(),
            lasting(TrackKind::Audio).unwrap_or_default(),
        )
    }

    fn tolerance(&self, unit: &Arrival) -> MediaTime {
        let meter = self.meters.of(unit.kind()).as_ref();
        let lasting = meter.map(Meter::unit_duration).unwrap_or_default();
        MediaTime::from_nanos(lasting.as_nanos() / 2).min(MAX_TOLERANCE)
    }

    fn append(&mut self, unit: Arrival, out: &mut Outputs) {
        if unit.kind() == TrackKind::Video {
            self.unbroken = Some(Arc::clone(&unit.codec));
            if unit.random_access() {
                self.delay = unit.composition;
            }
        }
        self.end_part(&unit, out);
        if let Some(open) = &mut self.open {
            open.append(unit);
        }
    }

    /// Says once what was dropped, when it is over.
    fn report_early(&mut self, out: &mut Outputs) {
        let PerKind { video, audio } = std::mem::take(&mut self.early);
        if video + audio > 0 {
            out.fault(
                FaultKind::EarlyMedia,
                format!(
                    "{video} {} and {audio} {} access units could not be decoded without the random access \
                     (IDR picture) that comes after them; dropped",
                    word(TrackKind::Video),
                    word(TrackKind::Audio)
                ),
            );
        }
        let PerKind { video, audio } = std::mem::take(&mut self.late);
        if video + audio > 0 {
            out.fault(
                FaultKind::LateMedia,
                format!(
                    "{video} {} and {audio} {} access units arrived when the segment they belong to had been cut, so \
                     far ahead was the other track; dropped",
                    word(TrackKind::Video),
                    word(TrackKind::Audio)
                ),
            );
        }
    }
}

/// The longest that rounds to as many seconds as `duration`, and to one at least (rfc8216bis §4.4.3.1).
fn rounding_as(duration: MediaTime) -> MediaTime {
    MediaTime::from_ticks(duration.rescale(1).max(1), 1) + MediaTime::from_millis(499)
}

/// Whether the units of `open` before `index` take longer than `longest`.
fn overlong(open: &Open, longest: MediaTime, index: usize) -> bool {
    open.last_before(index) - open.start > longest
}

#[cfg(test)]
mod tests;
