//! The segment being filled.

use std::sync::Arc;

use media::{AccessUnit, Codec, MediaTime, TrackKind};

use super::Arrival;
use crate::per_kind::PerKind;
use crate::segmenter::Settings;

/// Track numbers while it is open; whether both are needed is known when it is closed.
const VIDEO: usize = 0;
pub(super) const AUDIO: usize = 1;

/// A place a segment can be cut at.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) index: usize,
    /// Where the segment behind it starts.
    pub(super) start: MediaTime,
    pub(super) random_access: bool,
}

/// The units of a segment so far.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) leading: TrackKind,
    pub(super) start: MediaTime,
    pub(super) independent: bool,
    units: Vec<AccessUnit>,
    /// So many units, from the first, are out in parts: no cut falls before them.
    fixed: usize,
    /// Units of the leading track behind those: counted as they come, for there may be tens of thousands.
    leading_behind_fixed: usize,
    cost: u64,
    codecs: PerKind<Option<Arc<Codec>>>,
    last_leading: MediaTime,
    /// Decoding can begin at some of its pictures, but not of all that come behind those: CRA pictures.
    has_open_gops: bool,
}

impl Open {
    pub(super) fn new(leading: TrackKind, start: MediaTime, independent: bool) -> Self {
        Self {
            leading,
            start,
            independent,
            units: Vec::new(),
            fixed: 0,
            leading_behind_fixed: 0,
            cost: 0,
            codecs: PerKind::default(),
            last_leading: start,
            has_open_gops: false,
        }
    }

    pub(super) fn append(&mut self, unit: Arrival) {
        self.cost += unit.cost();
        let kind = unit.kind();
        let (pts, random_access) = (unit.pts(), unit.is_sync());
        self.has_open_gops |= random_access && !unit.random_access();
        if kind == self.leading {
            self.last_leading = self.last_leading.max(pts);
            self.leading_behind_fixed += 1;
        }
        let codec = self.codecs.of_mut(kind);
        if codec
            .as_ref()
            .is_none_or(|codec| !Arc::ptr_eq(codec, &unit.codec))
        {
            *codec = Some(unit.codec);
        }
        self.units.push(AccessUnit {
            track: number(kind),
            dts: unit.dts,
            composition: unit.composition,
            random_access,
            payload: unit.payload,
        });
    }

    pub(super) const fn len(&self) -> usize {
        self.units.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    /// What its units from `index` on cost.
    pub(super) fn cost_from(&self, index: usize) -> u64 {
        self.units.iter().skip(index).map(cost).sum()
    }

    /// Presentation time of the unit of the leading track that is presented last.
    pub(super) const fn last_leading(&self) -> MediaTime {
        self.last_leading
    }

    /// How many of its units, from the first, are out in parts.
    pub(super) const fn fixed(&self) -> usize {
        self.fixed
    }

    /// Units of the leading track that are not out in parts yet.
    pub(super) const fn leading_behind_fixed(&self) -> usize {
        self.leading_behind_fixed
    }

    fn count_leading(&mut self) {
        let track = number(self.leading);
        let rest = self.units.iter().skip(self.fixed);
        self.leading_behind_fixed = rest.filter(|unit| unit.track == track).count();
    }

    /// The units from those that are out on to `end`, which are out from here on, with their final track numbers.
    pub(super) fn fix(&mut self, end: usize) -> Vec<AccessUnit> {
        let from = self.fixed;
        self.fixed = end.max(from);
        self.count_leading();
        let mut units = self.units.get(from..end).unwrap_or_default().to_vec();
        if self.leading == TrackKind::Audio {
            units.iter_mut().for_each(|unit| unit.track = 0);
        }
        units
    }

    /// The codecs of the tracks that have units.
    pub(super) fn codecs(&self) -> PerKind<Option<Arc<Codec>>> {
        present(&self.units, self.codecs.clone())
    }

    /// It goes on with `codec`, of which it has no unit yet: another is a change.
    pub(super) fn expect(&mut self, codec: Option<Arc<Codec>>) {
        if self.codecs.audio.is_none() {
            self.codecs.audio = codec;
        }
    }

    /// Whether `codec` is not the configuration that its track has now.
    pub(super) fn differs(&self, codec: &Arc<Codec>) -> bool {
        self.codecs
            .of(codec.kind())
            .as_ref()
            .is_some_and(|current| !Arc::ptr_eq(current, codec) && current != codec)
    }

    pub(super) fn pts_at(&self, index: usize) -> Option<MediaTime> {
        self.units.get(index).map(AccessUnit::pts)
    }

    /// The places it can be cut at without a random access, in order: no picture before one is presented behind
    /// any picture after it, `next` (the presentation time of the unit that comes) included. A segment that begins
    /// there starts with its first *presented* picture, which B-pictures make another than the first decoded. Before
    /// the first picture there is none: nothing would be left in front.
    fn places(&self, next: Option<MediaTime>) -> Vec<At> {
        let track = number(self.leading);
        let units = self.units.iter().enumerate();
        let mut latest = MediaTime::from_nanos(i64::MIN);
        let mut led = Vec::new();
        for (index, unit) in units.filter(|(_, unit)| unit.track == track) {
            led.push((index, unit, latest));
            latest = latest.max(unit.pts());
        }
        let mut earliest = next.unwrap_or(MediaTime::from_nanos(i64::MAX));
        let mut places = Vec::new();
        for (index, unit, before) in led.into_iter().skip(1).rev() {
            earliest = earliest.min(unit.pts());
            if index >= self.fixed && before < earliest && earliest > self.start {
                places.push(At {
                    index,
                    start: earliest,
                    random_access: self.is_clean(unit),
                });
            }
        }
        places.reverse();
        places
    }

    /// The last place after the segment's start, and at most `span` later, that it can be cut at before a unit
    /// presented at `next`.
    pub(super) fn last_within(&self, span: MediaTime, next: Option<MediaTime>) -> Option<At> {
        let mut places = self.places(next).into_iter().rev();
        places.find(|at| at.start - self.start <= span)
    }

    /// The first place at `from` or later.
    pub(super) fn first_from(&self, from: MediaTime, next: Option<MediaTime>) -> Option<At> {
        let mut places = self.places(next).into_iter();
        places.find(|at| at.start >= from)
    }

    /// Which of its units is the first that is presented at `from` or later; not the very first, nor one that is out.
    pub(super) fn shown_from(&self, from: MediaTime) -> usize {
        let units = self.units.iter().enumerate().skip(self.fixed.max(1));
        let mut behind = units.filter(|(_, unit)| unit.pts() >= from);
        behind.next().map_or(self.len(), |(index, _)| index)
    }

    /// The decode time of its first unit of the leading track.
    pub(super) fn first_dts(&self) -> Option<MediaTime> {
        self.leading_dts_from(0)
    }

    /// Whether decoding can begin with the first unit of the leading track from `index` on.
    pub(super) fn begins_with_random_access(&self, index: usize) -> bool {
        let track = number(self.leading);
        let mut rest = self.units.iter().skip(index);
        rest.find(|unit| unit.track == track)
            .is_some_and(|unit| self.is_clean(unit))
    }

    /// Nothing from before `unit` is needed any more.
    const fn is_clean(&self, unit: &AccessUnit) -> bool {
        unit.random_access && !self.has_open_gops
    }

    /// The decode time of the first unit of the leading track from `index` on.
    pub(super) fn leading_dts_from(&self, index: usize) -> Option<MediaTime> {
        let track = number(self.leading);
        let mut rest = self.units.iter().skip(index);
        Some(rest.find(|unit| unit.track == track)?.dts)
    }

    /// The decode time of its last unit of the leading track.
    pub(super) fn last_dts(&self) -> Option<MediaTime> {
        let track = number(self.leading);
        let mut back = self.units.iter().rev();
        Some(back.find(|unit| unit.track == track)?.dts)
    }

    /// Where in decode order its units of the leading track begin that are not out in parts, but for the first.
    pub(super) fn leading_places(&self) -> impl Iterator<Item = At> {
        let track = number(self.leading);
        let rest = self.units.iter().enumerate().skip(self.fixed);
        let led = rest.filter(move |(_, unit)| unit.track == track).skip(1);
        led.map(|(index, unit)| At {
            index,
            start: unit.dts,
            random_access: self.is_clean(unit),
        })
    }

    /// It holds audio.
    pub(super) const fn has_audio(&self) -> bool {
        self.codecs.audio.is_some()
    }

    /// Where among the units before `index` the audio begins that came after their last picture and is
    /// presented after all of them, which B-pictures make another than the last; `None` without such audio that is
    /// not out in parts, or if it leads.
    pub(super) fn audio_behind_video(&self, index: usize) -> Option<usize> {
        if self.leading == TrackKind::Audio {
            return None;
        }
        let units = self.units.get(..index)?;
        let last = units.iter().rposition(|unit| unit.track == VIDEO)?;
        let pictures = units.iter().filter(|unit| unit.track == VIDEO);
        let presented = pictures.map(AccessUnit::pts).max()?;
        let tail = units.iter().enumerate().skip(self.fixed.max(last + 1));
        let mut behind = tail.filter(|(_, unit)| unit.pts() > presented);
        behind.next().map(|(index, _)| index)
    }

    /// Where the unit begins that is presented last of those before `index`.
    pub(super) fn last_before(&self, index: usize) -> MediaTime {
        let before = self.units.iter().take(index).map(AccessUnit::pts);
        before.max().unwrap_or(self.start)
    }

    /// The end of the unit that ends last, with pictures of `video` and audio frames of `audio`.
    pub(super) fn end(&self, video: MediaTime, audio: MediaTime) -> MediaTime {
        let ends = self
            .units
            .iter()
            .map(|unit| unit.pts() + if unit.track == VIDEO { video } else { audio });
        ends.max().unwrap_or(self.start)
    }

    /// Takes the units from `index` on into a segment of their own that starts at `start`, but for those of other
    /// tracks that are presented before it: they came late, and belong here.
    pub(super) fn split_off(
        &mut self,
        index: usize,
        leading: TrackKind,
        start: MediaTime,
        independent: bool,
    ) -> Self {
        let mut next = Self::new(leading, start, independent);
        if index < self.units.len() {
            let track = number(leading);
            // Where all that is here is out, they come too late for it.
            let all_out = self.fixed > 0 && index == self.fixed;
            let (here, there) = self
                .units
                .split_off(index)
                .into_iter()
                .partition(|unit| !all_out && unit.track != track && unit.pts() < start);
            self.units.extend::<Vec<_>>(here);
            next.units = there;
            next.cost = next.units.iter().map(cost).sum();
            self.cost -= next.cost;
            self.count_leading();
            next.count_leading();
        } else {
            // The next segment is likely as large as this one.
            next.units.reserve(self.units.len());
        }
        next.codecs = present(&next.units, self.codecs.clone());
        next.has_open_gops = self.has_open_gops;
        let led = next
            .units
            .iter()
            .filter(|unit| unit.track == number(leading));
        next.last_leading = led.map(AccessUnit::pts).max().unwrap_or(start);
        next
    }

    /// The units with their final track numbers, and the codecs of the tracks that have any.
    pub(super) fn into_units(mut self) -> (Vec<AccessUnit>, PerKind<Option<Arc<Codec>>>) {
        let codecs = present(&self.units, self.codecs);
        if codecs.video.is_none() {
            for unit in &mut self.units {
                unit.track = 0;
            }
        }
        (self.units, codecs)
    }
}

const fn number(kind: TrackKind) -> usize {
    match kind {
        TrackKind::Video => VIDEO,
        TrackKind::Audio => AUDIO,
    }
}

fn cost(unit: &AccessUnit) -> u64 {
    unit.payload.len() as u64 + Settings::UNIT_COST
}

/// `codecs` without those that no unit is encoded with.
fn present(
    units: &[AccessUnit],
    codecs: PerKind<Option<Arc<Codec>>>,
) -> PerKind<Option<Arc<Codec>>> {
    let any = |number| units.iter().any(|unit| unit.track == number);
    PerKind {
        video: codecs.video.filter(|_| any(VIDEO)),
        audio: codecs.audio.filter(|_| any(AUDIO)),
    }
}
