//! What makes a segment of the units between two cuts: its tracks, its date, how it follows the one before,
//! and its place in the transport stream.

use std::sync::Arc;
use std::time::SystemTime;

use media::{
    AccessUnit, Anchor, Codec, Head, MediaTime, Segment, TimedEvent, Track, TrackKind, TsLayout,
};

use super::open::{AUDIO, Open};
use crate::captions;
use crate::output::Outputs;
use crate::per_kind::PerKind;
use crate::ts;

/// A last segment as short as this may be without the sound that there was: some does not arrive at every end.
const SHORT: MediaTime = MediaTime::from_millis(500);

/// What a segment takes over from those before it.
#[derive(Debug, Default)]
pub(super) struct Closing {
    counters: ts::Counters,
    /// The tracks of the last segment, and their codecs.
    tracks: Option<Arc<[Track]>>,
    codecs: PerKind<Option<Arc<Codec>>>,
    /// Where the last segment ends.
    edge: Option<MediaTime>,
    /// The open segment does not begin where the last one ends.
    broken: bool,
    /// The wall clock at a media time, for this run: when its first media arrived.
    arrival: Option<Anchor>,
    /// The same for all runs, from another publish: it dates in place of the arrival.
    clock: Option<Anchor>,
    /// Pictures say where to cut, and are in no segment.
    without_pictures: bool,
}

impl Closing {
    /// Pictures say where to cut from here on, and are in no segment.
    pub(super) const fn leave_pictures_out(&mut self) {
        self.without_pictures = true;
    }

    /// Where the last segment ends.
    pub(super) const fn edge(&self) -> Option<MediaTime> {
        self.edge
    }

    /// The last segment has audio.
    pub(super) const fn has_audio(&self) -> bool {
        self.codecs.audio.is_some()
    }

    /// The next segment begins at `start`; the first of a run dates it.
    pub(super) fn begin(&mut self, start: MediaTime, now: SystemTime) {
        self.arrival.get_or_insert(Anchor {
            at: start,
            date: now,
        });
        self.broken |= self.edge.is_some_and(|edge| edge != start);
    }

    /// It begins at `start` after all, not at `before`: if it dates the run, then with the same date.
    pub(super) fn begin_earlier(&mut self, before: MediaTime, start: MediaTime) {
        if let Some(anchor) = &mut self.arrival
            && anchor.at == before
        {
            anchor.at = start;
        }
    }

    /// What follows is a new discontinuity, with a date of its own.
    pub(super) fn end_run(&mut self) {
        self.broken = true;
        self.arrival = None;
    }

    /// What the segment that is open says of itself with its first part. Sound that was there in the segment before
    /// and has not come yet still belongs to it, if it `expects_audio`.
    pub(super) fn head(&mut self, open: &mut Open, expects_audio: bool) -> Head {
        let mut codecs = open.codecs();
        if expects_audio && !self.broken && self.lacks_only_audio(&codecs) {
            codecs.audio.clone_from(&self.codecs.audio);
        }
        open.expect(codecs.audio.clone());
        let (tracks, same) = self.tracks_of(codecs);
        let discontinuity = self.edge.is_some() && (self.broken || !same);
        self.broken = false;
        Head {
            tracks,
            date: self.date(open.start),
            discontinuity,
            independent: open.independent,
        }
    }

    /// The tracks of the newest head.
    pub(super) fn tracks(&self) -> &[Track] {
        self.tracks.as_deref().unwrap_or_default()
    }

    /// The segment whose parts are all out ends at `at`.
    pub(super) const fn end(&mut self, at: MediaTime) {
        self.edge = Some(at);
    }

    /// What is carried of `units`, which have the track numbers of the newest tracks with pictures among them.
    pub(super) fn carried(&self, mut units: Vec<AccessUnit>) -> Vec<AccessUnit> {
        if self.leaves_out_pictures() {
            units.retain(|unit| unit.track == AUDIO);
            units.iter_mut().for_each(|unit| unit.track = 0);
        }
        units
    }

    /// Units of that kind are in segments.
    pub(super) fn carries(&self, kind: TrackKind) -> bool {
        !self.without_pictures || kind == TrackKind::Audio
    }

    /// There are pictures, and they are in no segment.
    pub(super) const fn leaves_out_pictures(&self) -> bool {
        self.without_pictures && self.codecs.video.is_some()
    }

    /// Makes the segment of `open` with its events; `next_dts` is that of the unit that leads what follows without a gap, and
    /// `last` says that nothing follows in this run.
    pub(super) fn close(
        &mut self,
        open: Open,
        events: Vec<TimedEvent>,
        duration: MediaTime,
        next_dts: Option<MediaTime>,
        last: bool,
        out: &mut Outputs,
    ) {
        let (start, independent) = (open.start, open.independent);
        let (units, mut codecs) = open.into_units();
        if last && !self.broken && duration <= SHORT && self.lacks_only_audio(&codecs) {
            codecs.audio.clone_from(&self.codecs.audio);
        }
        let (tracks, same) = self.tracks_of(codecs);
        if tracks.is_empty() {
            // Nothing of it is carried: the next does not follow.
            return;
        }
        let units = self.carried(units);
        let discontinuity = self.edge.is_some() && (self.broken || !same);
        // They are with the pictures.
        let events = if self.without_pictures {
            Vec::new()
        } else {
            events
        };
        let mut segment = Segment {
            captions: captions::in_units(&tracks, &units),
            tracks,
            units,
            events,
            start,
            duration,
            date: self.date(start),
            independent,
            discontinuity,
            ts: TsLayout {
                next_dts: next_dts.filter(|_| !self.leaves_out_pictures()),
                ..TsLayout::default()
            },
        };
        segment.ts = self.counters.lay_out(&segment);
        self.edge = Some(start + duration);
        self.broken = false;
        out.segment(segment);
    }

    /// Whether `codecs` are those of the segment before, but for its audio. Such a segment can go on announcing what
    /// the one before did: its tracks are the same then, as they have to be where no discontinuity is listed
    /// (rfc8216bis §4.4.4.3), and no player begins anew for the last picture of a publish.
    fn lacks_only_audio(&self, codecs: &PerKind<Option<Arc<Codec>>>) -> bool {
        codecs.audio.is_none() && codecs.video.is_some() && codecs.video == self.codecs.video
    }

    /// The tracks for `codecs`, and whether they are those of the segment before.
    fn tracks_of(&mut self, codecs: PerKind<Option<Arc<Codec>>>) -> (Arc<[Track]>, bool) {
        if let Some(tracks) = &self.tracks
            && self.codecs == codecs
        {
            return (Arc::clone(tracks), true);
        }
        let tracks: Arc<[Track]> = [&codecs.video, &codecs.audio]
            .into_iter()
            .flatten()
            .filter(|codec| self.carries(codec.kind()))
            .map(|codec| Track {
                codec: Codec::clone(codec),
            })
            .collect();
        self.tracks = Some(Arc::clone(&tracks));
        self.codecs = codecs;
        (tracks, false)
    }

    /// Segments are dated by `clock` from the next on, if there is one, and not by their arrival.
    pub(super) const fn date_by(&mut self, clock: Option<Anchor>) {
        self.clock = clock;
    }

    /// The wall clock at `at`; `None` before the first segment of a run that no other clock dates.
    pub(super) fn date_at(&self, at: MediaTime) -> Option<SystemTime> {
        let anchor = self.clock.or(self.arrival)?;
        Some(anchor.date_at(at))
    }

    fn date(&self, at: MediaTime) -> SystemTime {
        // The first segment of each run has set it.
        self.date_at(at).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
