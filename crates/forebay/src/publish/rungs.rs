//! Further tracks of one connection (Enhanced RTMP's multitrack): each is a publish of its own. One of pictures is a rung
//! of the ladder that the first track is the source of, and has the sound of the first; one of sound is for viewers to
//! choose beside that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use media::{Fault, FaultKind, Message, PresentationName, TrackKind};
use playlist::{Dismissal, PushError};
use segmenter::flv::{Entry, Unit};
use tracing::{info, warn};

use super::{Publish, REPORT_EVERY, Source};
use crate::metadata;
use crate::pipeline::Ending;
use crate::transcoder::Placed;

/// A track of which nothing came for so long has ended, though the connection goes on: in reports.
const LOST_AFTER: u32 = 5;

/// The publishes of the tracks beside the first.
#[derive(Default)]
pub(super) struct Rungs {
    /// By track; `None` where it has none until the next report, when it is tried again.
    by_track: BTreeMap<Track, Option<Rung>>,
    /// Those of which it was told why they have none.
    told: BTreeSet<Track>,
    opening: Opening,
}

/// The pictures of the first track that came before its second random access, without their payload: sound that comes
/// among them is cut as they are.
#[derive(Default)]
struct Opening {
    units: Vec<Unit>,
    is_over: bool,
}

impl Opening {
    /// More are no opening any encoder has: ten seconds at 120 Hz.
    const MOST: usize = 1_200;

    /// One more, without its payload.
    fn add(&mut self, guide: &Unit) {
        if self.is_over {
            return;
        }
        let begins = guide.entry == Entry::RandomAccess;
        self.is_over = begins && !self.units.is_empty() || self.units.len() >= Self::MOST;
        if self.is_over {
            self.units = Vec::new();
        } else if begins || !self.units.is_empty() {
            self.units.push(guide.clone());
        }
    }
}

/// What sound is cut by.
fn guide(unit: &Unit) -> Unit {
    Unit {
        payload: Bytes::new(),
        ..unit.clone()
    }
}

/// A track beside the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Track {
    Video(u8),
    Audio(u8),
}

impl Track {
    fn of(unit: &Unit) -> Self {
        match unit.kind() {
            TrackKind::Video => Self::Video(unit.track),
            TrackKind::Audio => Self::Audio(unit.track),
        }
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Video(number) => write!(f, "video track {number}"),
            Self::Audio(number) => write!(f, "audio track {number}"),
        }
    }
}

struct Rung {
    publish: Publish,
    /// Reports since its last access unit, of a connection that went on sending.
    silent: u32,
}

impl Rungs {
    /// Those there are.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Publish> {
        let rungs = self.by_track.values_mut().flatten();
        rungs.map(|rung| &mut rung.publish)
    }

    /// Those of pictures.
    fn of_pictures(&mut self) -> impl Iterator<Item = &mut Publish> {
        let all = self.by_track.iter_mut();
        let pictures = all.filter(|(track, _)| matches!(track, Track::Video(_)));
        pictures.filter_map(|(_, rung)| Some(&mut rung.as_mut()?.publish))
    }

    /// Those of sound.
    fn of_sound(&mut self) -> impl Iterator<Item = &mut Publish> {
        let all = self.by_track.iter_mut();
        let sound = all.filter(|(track, _)| matches!(track, Track::Audio(_)));
        sound.filter_map(|(_, rung)| Some(&mut rung.as_mut()?.publish))
    }
}

impl Publish {
    /// Takes the access units of a message, each to its publish. Gives where the one of a first track was put.
    pub(super) fn take_apart(&mut self, message: &Message) -> Result<Option<Placed>, PushError> {
        let now = SystemTime::now();
        let mut placed = None;
        self.demuxer.push(message);
        while let Some(found) = self.demuxer.pull() {
            let unit = match found {
                Ok(unit) => unit,
                Err(fault) => {
                    self.record(fault);
                    continue;
                }
            };
            match (unit.kind(), unit.track) {
                (TrackKind::Video, 0) => {
                    let guide = guide(&unit);
                    placed = self.place(unit, now);
                    // What is left out is in no segment, and so cuts none.
                    if placed.is_some() {
                        self.rungs.opening.add(&guide);
                        self.guide(&guide, now);
                    }
                }
                (TrackKind::Audio, 0) => {
                    let is_shared = self.rungs.of_pictures().next().is_some();
                    let shared = is_shared.then(|| unit.clone());
                    placed = self.place(unit, now);
                    // What has no place beside its own pictures has none beside theirs.
                    if let (Some(Placed { origin, .. }), Some(unit)) = (&placed, shared) {
                        for rung in self.rungs.of_pictures() {
                            rung.segmenter.follow(*origin);
                            rung.take_unit(unit.clone(), now);
                        }
                    }
                }
                _ => self.climb(Track::of(&unit), unit, now),
            }
        }
        self.tell_of_run();
        self.store()?;
        self.store_rungs();
        Ok(placed)
    }

    /// The sound beside is cut as the pictures are.
    fn guide(&mut self, picture: &Unit, now: SystemTime) {
        let origin = self.segmenter.origin();
        for sound in self.rungs.of_sound() {
            if let Some(origin) = origin {
                sound.segmenter.follow(origin);
            }
            sound.segmenter.take(picture.clone(), now);
        }
    }

    fn place(&mut self, unit: Unit, now: SystemTime) -> Option<Placed> {
        let (entry, codec) = (unit.entry, unit.codec.clone());
        Some(Placed {
            origin: self.segmenter.take(unit, now)?,
            entry,
            codec,
        })
    }

    /// An access unit of a track beside the first.
    fn climb(&mut self, track: Track, unit: Unit, now: SystemTime) {
        let origin = self.segmenter.origin();
        if self.segmenter.waits() || matches!(track, Track::Audio(_)) && origin.is_none() {
            // What began by its own clock could not be put elsewhere later without a discontinuity.
            return;
        }
        if origin.is_some_and(|origin| !origin.is_near(unit.dts_ms)) {
            // It would be put where the first track never comes, or is long over.
            return self.record(Fault {
                kind: FaultKind::TimestampJump,
                text: format!(
                    "{track} is at {} ms, where the first track is nowhere near; left out",
                    unit.dts_ms
                ),
            });
        }
        if !self.rungs.by_track.contains_key(&track) {
            let rung = self.begin_rung(track, &unit, now);
            self.rungs.by_track.insert(track, rung);
        }
        if let Some(Some(rung)) = self.rungs.by_track.get_mut(&track) {
            rung.silent = 0;
            // One clock, one timeline: what becomes of the first track, becomes of all.
            if let Some(origin) = origin {
                rung.publish.segmenter.follow(origin);
            }
            rung.publish.take_unit(unit, now);
        }
    }

    fn begin_rung(&mut self, track: Track, first: &Unit, now: SystemTime) -> Option<Rung> {
        let name = match track {
            Track::Video(number) => self.name_of_pictures(number, first),
            Track::Audio(number) => self.house.sound_of(&self.name, number),
        };
        let Some(name) = name else {
            let why = "its pictures have no known size, or its name would be too long";
            self.leave_out(track, &format!("a part of {}", self.name), why);
            return None;
        };
        // Of several rungs with the same sound the first has it for all.
        if matches!(track, Track::Audio(_)) && self.house.is_live(&name) {
            if self.rungs.told.insert(track) {
                info!(stream = %self.name, peer = %self.peer, "{track} is left out while {name} is published by another");
            }
            return None;
        }
        let begun = Publish::begin_as(
            Source::Track,
            name.clone(),
            self.terms.clone(),
            self.peer,
            self.encoder.clone(),
            self.house.clone(),
        );
        match begun {
            Ok(mut publish) => {
                self.rungs.told.remove(&track);
                info!(stream = %self.name, peer = %self.peer, "{track} is published as {name}");
                if let Track::Audio(number) = track {
                    publish.call_sound(number, &self.metadata);
                    publish.segmenter.leave_pictures_out();
                    let origin = self.segmenter.origin();
                    origin
                        .into_iter()
                        .for_each(|it| publish.segmenter.follow(it));
                    for picture in &self.rungs.opening.units {
                        publish.segmenter.take(picture.clone(), now);
                    }
                }
                Some(Rung { publish, silent: 0 })
            }
            Err(why) => {
                self.leave_out(track, &name.to_string(), &why.to_string());
                None
            }
        }
    }

    /// Tells once that `track` cannot be published as `name`, and why.
    fn leave_out(&mut self, track: Track, name: &str, why: &str) {
        if self.rungs.told.insert(track) {
            self.record(Fault {
                kind: FaultKind::LadderMisfit,
                text: format!(
                    "{track} cannot be published as {name}: {why}; left out until it can"
                ),
            });
        }
    }

    /// Of the names that such a track may have, the first that no other has.
    fn name_of_pictures(&mut self, number: u8, first: &Unit) -> Option<PresentationName> {
        let (_, height) = first.codec.size()?;
        let ladder = &self.name;
        // Two of one height are told apart by their numbers.
        let names = [
            format!("{}_{height}p", ladder.name),
            format!("{}_{height}p{number}", ladder.name),
        ];
        let taken: Vec<_> = self
            .rungs
            .all()
            .map(|rung| rung.name.name.to_string())
            .collect();
        let name = names.into_iter().find(|name| !taken.contains(name));
        PresentationName::parse(ladder.app.as_str(), &name?).ok()
    }

    /// Tells what the sound is called of all that it publishes, when its encoder has said so.
    pub(super) fn call_sounds(&mut self) {
        let metadata = self.metadata.clone();
        self.call_sound(0, &metadata);
        for (track, rung) in &mut self.rungs.by_track {
            if let (Track::Audio(number), Some(rung)) = (track, rung) {
                rung.publish.call_sound(*number, &metadata);
            }
        }
    }

    /// Its sound is what the encoder calls `track` in its `metadata`, unless the configuration says otherwise.
    pub(super) fn call_sound(&mut self, track: u8, metadata: &[(String, String)]) {
        let sent = metadata::label(metadata, track);
        self.label = self.house.label(&self.name).or(sent);
        self.show_label();
    }

    fn take_unit(&mut self, unit: Unit, now: SystemTime) {
        self.meter
            .add(unit.payload.len(), std::time::Instant::now());
        let kind = match unit.kind() {
            TrackKind::Video => media::MessageKind::Video,
            TrackKind::Audio => media::MessageKind::Audio,
        };
        // The doctor unwraps it again.
        let timestamp_ms = u32::try_from(unit.dts_ms & i64::from(u32::MAX)).unwrap_or_default();
        self.doctor
            .arrival(kind, timestamp_ms, self.began.elapsed());
        self.segmenter.take(unit, now);
    }

    /// A rung that has to end does not take the others with it.
    fn store_rungs(&mut self) {
        let full: Vec<_> = self
            .rungs
            .by_track
            .iter_mut()
            .filter_map(|(&track, rung)| {
                let error = rung.as_mut()?.publish.store().err()?;
                Some((track, error))
            })
            .collect();
        for (track, error) in full {
            self.end_rung(track, &Ending::TooLarge(error));
        }
    }

    fn end_rung(&mut self, track: Track, why: &Ending) {
        if let Some(rung) = self.rungs.by_track.get_mut(&track).and_then(Option::take) {
            rung.publish.end(why);
        }
    }

    /// What is to be done every [`REPORT_EVERY`].
    pub(super) fn tick_rungs(&mut self) {
        for rung in self.rungs.all() {
            rung.tick();
        }
        // Whoever had the name may have left.
        self.rungs.by_track.retain(|_, rung| rung.is_some());
    }

    /// What is to be done every [`REPORT_EVERY`] in which the connection has sent something: a track without pictures
    /// ends, and may come again.
    pub(super) fn end_lost_rungs(&mut self) {
        for rung in self.rungs.by_track.values_mut().flatten() {
            rung.silent += 1;
        }
        let lost = |rung: &Option<Rung>| rung.as_ref().is_some_and(|it| it.silent > LOST_AFTER);
        let lost: Vec<Track> = self
            .rungs
            .by_track
            .iter()
            .filter(|(_, rung)| lost(rung))
            .map(|(&track, _)| track)
            .collect();
        for track in lost {
            self.end_rung(track, &Ending::Idle(LOST_AFTER * REPORT_EVERY));
            self.rungs.by_track.remove(&track);
        }
    }

    /// Rungs whose names others have taken over end alone; an operator who dismisses one means its encoder.
    pub(super) fn dismissed_rung(&mut self) -> Option<Dismissal> {
        let dismissed: Vec<_> = self
            .rungs
            .by_track
            .iter_mut()
            .filter_map(|(&track, rung)| Some((track, rung.as_mut()?.publish.dismissal()?)))
            .collect();
        for &(track, why) in &dismissed {
            warn!(stream = %self.name, peer = %self.peer, "{track} is no longer published");
            self.end_rung(track, &Ending::Dismissed(why));
        }
        let mut all = dismissed.into_iter().map(|(_, why)| why);
        all.find(|&why| why == Dismissal::Operator)
    }

    /// Ends all of them, as the encoder has left.
    pub(super) fn end_rungs(&mut self, why: &Ending) {
        for rung in std::mem::take(&mut self.rungs.by_track)
            .into_values()
            .flatten()
        {
            rung.publish.end(why);
        }
    }
}
