//! One moment of a low-latency window: segments on hand, the open one, and the texts that list them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use media::{MediaTime, Name, Rendition, Track, TrackKind};

use super::segment::{CmafSegment, InitSection, Lazy};
use super::{Beside, Description, LowLatency, Member, Packaging, Report, text};
use crate::date_ranges::DateRanges;
use crate::measured::Measured;
use crate::multivariant::{self, Sound, Variant};
use crate::slide::Removed;
use crate::{Label, TargetDuration, Text};

/// Sound that begins this long after the picture is waited for before the multivariant playlist is first shown.
const TRACKS_KNOWN_AFTER: MediaTime = MediaTime::from_millis(1_000);

/// What comes in this time says how much comes.
const MEASURED_AFTER: MediaTime = MediaTime::from_millis(1_000);

/// A form of a media playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playlist {
    /// All of it.
    Full,
    /// Older segments are skipped (EXT-X-SKIP).
    Delta,
}

/// The segments that are complete: changes once a segment.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) removed: VecDeque<Removed<CmafSegment>>,
    pub(super) listed: VecDeque<Arc<CmafSegment>>,
    pub(super) measured: Measured,
}

/// An immutable snapshot; a new one replaces it with every part. Its texts are made when somebody asks for them: a
/// presentation that nobody watches with low latency costs none.
#[derive(Debug)]
pub struct LowLatencyWindow {
    pub(super) settled: Arc<Settled>,
    pub(super) open: Option<Arc<CmafSegment>>,
    pub(super) ranges: DateRanges,
    pub(crate) next_sequence: u64,
    pub(super) target: TargetDuration,
    pub(super) part_target: Option<MediaTime>,
    /// So much later than they come its media are, as they were put beside those of others.
    pub(crate) ahead: MediaTime,
    /// Wall clock at the beginning of time in the description for DASH: before that of its first segment ever.
    pub(super) begun: Option<SystemTime>,
    pub(super) ended: bool,
    /// Its publisher has left, and nothing has come of another.
    pub(super) left: bool,
    /// Nothing more comes of it in this process.
    pub(super) over: bool,
    pub(super) name: Name,
    pub(super) epoch: u32,
    pub(super) style: LowLatency,
    /// Counts snapshots, for entity tags.
    pub(super) version: u64,
    pub(super) full: Lazy<Text>,
    pub(super) delta: Lazy<Text>,
    pub(super) multivariant: OnceLock<Text>,
    pub(super) alias: OnceLock<Text>,
    pub(super) manifest: OnceLock<Text>,
    pub(super) i_frames: OnceLock<Text>,
}

impl LowLatencyWindow {
    pub(crate) fn new(
        name: Name,
        next_sequence: u64,
        target: TargetDuration,
        epoch: u32,
        style: LowLatency,
    ) -> Self {
        Self {
            settled: Arc::default(),
            open: None,
            next_sequence,
            target,
            part_target: None,
            ahead: MediaTime::ZERO,
            ranges: DateRanges::default(),
            begun: None,
            ended: false,
            left: false,
            over: false,
            name,
            epoch,
            style,
            version: 0,
            full: Lazy::default(),
            delta: Lazy::default(),
            multivariant: OnceLock::new(),
            alias: OnceLock::new(),
            manifest: OnceLock::new(),
            i_frames: OnceLock::new(),
        }
    }

    /// What follows it, the same so far.
    pub(super) fn next(&self) -> Self {
        Self {
            settled: self.settled.clone(),
            open: self.open.clone(),
            part_target: self.part_target,
            ahead: self.ahead,
            ranges: self.ranges.clone(),
            begun: self.begun,
            ended: self.ended,
            over: self.over,
            version: self.version + 1,
            ..Self::new(
                self.name.clone(),
                self.next_sequence,
                self.target,
                self.epoch,
                self.style,
            )
        }
    }

    /// A part is listed: media playlists can be served.
    pub fn is_ready(&self) -> bool {
        self.part_target.is_some()
    }

    /// Another one after each change.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// The wall clock at the end of what is listed.
    pub fn listed_until(&self) -> Option<SystemTime> {
        let last = self.all().next_back()?;
        Some(last.head.date + (last.end() - last.start()).to_duration())
    }

    /// When the newest part was listed, by the monotonic clock.
    pub fn last_listed(&self) -> Option<Instant> {
        Some(self.all().next_back()?.listed_at)
    }

    /// A segment is complete: players that know nothing of parts find something to play.
    pub fn has_segments(&self) -> bool {
        !self.settled.listed.is_empty()
    }

    /// It is known well enough which tracks there are: the multivariant playlist can be served.
    pub fn tracks_are_known(&self) -> bool {
        let Some(open) = &self.open else {
            return self.has_segments();
        };
        self.has_segments()
            || open.head.tracks.len() > 1
            || open.end() - open.start() >= TRACKS_KNOWN_AFTER
    }

    /// How much it is can be said: not yet of a first part, most of which is a key picture.
    pub fn is_measured(&self) -> bool {
        let long = |open: &CmafSegment| open.end() - open.start() >= MEASURED_AFTER;
        self.has_segments() || self.open.as_ref().is_some_and(|open| long(open))
    }

    /// The media playlists carry EXT-X-ENDLIST.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The gateway is about to leave, or another presentation has its name: nothing more comes, although the presentation has not ended.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Its publisher has left, and nothing has come of another.
    pub fn is_left(&self) -> bool {
        self.left
    }

    /// The longest time from the end of one segment to that of the next, as they were listed, where that was longer than the
    /// segment by more than `much`.
    pub(crate) fn longest_pause(&self, much: Duration) -> Option<Duration> {
        let pauses = self
            .all()
            .zip(self.all().skip(1))
            .filter_map(|(one, next)| {
                let pause = next.listed_at.saturating_duration_since(one.listed_at);
                let lasts = (next.end() - next.start()).to_duration();
                (pause > lasts + much).then_some(pause)
            });
        pauses.max()
    }

    /// The complete segments of the playlists, oldest first.
    pub fn listed(&self) -> impl DoubleEndedIterator<Item = &Arc<CmafSegment>> {
        self.settled.listed.iter()
    }

    /// The segment under way, with at least one part.
    pub fn open(&self) -> Option<&Arc<CmafSegment>> {
        self.open.as_ref()
    }

    /// The media sequence number of the segment that is open, or else of the next.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// A number that tells its URLs from those of any other presentation that ever had the name.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The target duration.
    pub fn target_duration(&self) -> TargetDuration {
        self.target
    }

    /// The part target, once the first part is listed.
    pub fn part_target(&self) -> Option<MediaTime> {
        self.part_target
    }

    /// The segment with this media sequence number: listed, recently removed, or open.
    pub fn segment(&self, sequence: u64) -> Option<&Arc<CmafSegment>> {
        let open = self.open.iter().filter(|open| open.sequence == sequence);
        let removed = self.settled.removed.iter().map(|removed| &removed.entry);
        open.chain(self.settled.listed.iter().rev())
            .chain(removed)
            .find(|segment| segment.sequence == sequence)
    }

    /// The init section with this name.
    pub fn section(&self, rendition: Rendition, id: u64) -> Option<&Arc<InitSection>> {
        let removed = self.settled.removed.iter().map(|removed| &removed.entry);
        self.open
            .iter()
            .chain(self.settled.listed.iter().rev())
            .chain(removed)
            .filter_map(|segment| segment.section(rendition))
            .find(|section| section.id == id)
    }

    /// The segments of the playlists with the open one.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<CmafSegment>> {
        self.settled.listed.iter().chain(&self.open)
    }

    /// The renditions there are, what leads first.
    pub fn renditions(&self) -> Vec<Rendition> {
        if self.style.packaging == Packaging::Muxed {
            return vec![Rendition::Muxed];
        }
        let Some(newest) = self.all().next_back() else {
            return Vec::new();
        };
        [Rendition::Video, Rendition::Audio]
            .into_iter()
            .filter(|&rendition| newest.section(rendition).is_some())
            .collect()
    }

    /// It is worth telling players of: the run that goes on has some of it, or has just begun. A rendition stays for those
    /// who play it, with gaps alone where the encoder came back without; who begins would look for more than gaps in vain.
    fn is_offered(&self, rendition: Rendition) -> bool {
        let Some(newest) = self.all().next_back() else {
            return true;
        };
        let run = newest.run.sequence;
        let is_of_run = |segment: &&Arc<CmafSegment>| segment.run.sequence == run;
        let mut of_run = self.all().rev().take_while(is_of_run);
        !self.listed().next_back().is_some_and(|it| is_of_run(&it))
            || of_run.any(|segment| !segment.is_gap(rendition))
    }

    /// The media playlist of `rendition`. `beside` says where the other rungs of its ladder stand; it is asked when the
    /// text is made, with the first call.
    pub fn playlist(
        &self,
        rendition: Rendition,
        form: Playlist,
        beside: impl FnOnce() -> Beside,
    ) -> &Text {
        let cell = match form {
            Playlist::Full => &self.full,
            // Nothing is old enough to be skipped.
            Playlist::Delta if text::skippable(self) == 0 => &self.full,
            Playlist::Delta => &self.delta,
        };
        cell.get_or_init(rendition, || {
            let tag = format!(
                "{:08x}-{:x}-{}{}",
                self.epoch,
                self.version,
                rendition.name(),
                if form == Playlist::Delta { "-d" } else { "" }
            );
            Text::new(text::render(self, rendition, form, beside), tag)
        })
    }

    /// The multivariant playlist; `label` is what its sound is called.
    pub fn multivariant(&self, label: impl FnOnce() -> Label) -> &Text {
        let text = || self.multivariant_in("", label());
        self.multivariant.get_or_init(text)
    }

    /// The multivariant playlist for `/{app}/{name}.m3u8`, one folder above: its URIs begin with `name`.
    pub fn alias(&self, name: &Name, label: impl FnOnce() -> Label) -> &Text {
        let text = || self.multivariant_in(&format!("{name}/"), label());
        self.alias.get_or_init(text)
    }

    fn multivariant_in(&self, folder: &str, label: Label) -> Text {
        let groups: Vec<_> = self
            .sound(folder, label)
            .map(|it| vec![it])
            .into_iter()
            .collect();
        let variant = Variant {
            hears: (!groups.is_empty()).then_some(0),
            ..self.variant(folder)
        };
        let text = multivariant::render(&[variant], &groups);
        Text::new(text, format!("{:08x}-{:x}-ll", self.epoch, self.version))
    }

    /// The I-frame playlist; `None` where no complete segment began with a key picture so far.
    pub fn i_frames(&self) -> Option<&Text> {
        if self.settled.listed.is_empty() || self.settled.measured.key_pictures.is_nothing() {
            return None;
        }
        let make = || {
            let tag = format!("{:08x}-{:x}-i", self.epoch, self.version);
            Text::new(text::render_i_frames(self), tag)
        };
        Some(self.i_frames.get_or_init(make))
    }

    /// The media presentation description of DASH, once something is listed; `label` is what its sound is called.
    pub fn manifest(&self, label: impl FnOnce() -> Label) -> &Text {
        self.manifest.get_or_init(|| {
            let member = Member {
                window: self,
                folder: String::new(),
                id: String::new(),
                label: label(),
                number: None,
            };
            let description = Description::new(&[member], &[], self.begun);
            let text = description.map(|it| it.render());
            let tag = format!("{:08x}-{:x}-mpd", self.epoch, self.version);
            Text::new(text.unwrap_or_default(), tag)
        })
    }

    /// Wall clock at the beginning of time in its own description for DASH: the same for all of a ladder.
    pub(crate) fn begun(&self) -> Option<SystemTime> {
        self.begun
    }

    /// Where `rendition` stands, unless it is over; `folder` goes before the URI.
    pub(crate) fn report(&self, rendition: Rendition, folder: &str) -> Option<Report> {
        let is_there = !self.ended && self.renditions().contains(&rendition);
        is_there.then(|| text::report(self, rendition, folder))?
    }

    /// Where each of its renditions stands, what leads first, unless it is over; `folder` goes before the URIs.
    pub(crate) fn reports(&self, folder: &str) -> Vec<Report> {
        let renditions = self.renditions().into_iter().filter(|_| !self.ended);
        let reports = renditions.filter_map(|it| text::report(self, it, folder));
        reports.collect()
    }

    /// Its variant; `folder` goes before the URI.
    pub(crate) fn variant(&self, folder: &str) -> Variant<'_> {
        let mut renditions = self.renditions().into_iter();
        let leading = renditions.find(|&it| self.is_offered(it));
        let leading = leading.unwrap_or(Rendition::Muxed);
        Variant {
            tracks: self.tracks(),
            measured: self.measured(),
            id: self.name.to_string(),
            uri: format!("{folder}{}", text::uri::playlist(leading)),
            i_frames: Some(format!("{folder}{}", text::uri::i_frames())),
            hears: None,
        }
    }

    /// A variant of its sound alone, where that can be had; `folder` goes before the URI.
    pub(crate) fn sound_variant(&self, folder: &str) -> Option<Variant<'_>> {
        let sound = self.sound(folder, Label::default())?;
        let measured = self.measured().of_sound();
        (!measured.all.is_nothing()).then_some(Variant {
            tracks: sound.track.into_iter().collect(),
            measured,
            id: sound.id,
            uri: sound.uri?,
            i_frames: None,
            hears: None,
        })
    }

    /// Its sound, called `label`, where that is a rendition of its own beside pictures.
    pub(crate) fn sound(&self, folder: &str, label: Label) -> Option<Sound<'_>> {
        let mut renditions = self.renditions().into_iter();
        let sound = renditions.nth(1).filter(|&it| self.is_offered(it))?;
        Some(Sound {
            track: self.sound_track(),
            label,
            id: format!("{}/{}", self.name, sound.name()),
            uri: Some(format!("{folder}{}", text::uri::playlist(sound))),
            rate: self.measured().sound,
        })
    }

    /// The track of its sound, wherever that is.
    pub(crate) fn sound_track(&self) -> Option<&Track> {
        let mut tracks = self.tracks().into_iter();
        tracks.find(|track| track.kind() == TrackKind::Audio)
    }

    /// The newest track of its rendition of sound, whether that is offered or not.
    pub(crate) fn track_of_sound(&self) -> Option<&Track> {
        self.track_of(Rendition::Audio)
    }

    fn track_of(&self, rendition: Rendition) -> Option<&Track> {
        let section = self.all().next_back()?.section(rendition)?;
        let mut tracks = section.tracks.iter();
        tracks.find(|track| rendition.carries(track.kind()))
    }

    /// The newest track of each kind that is offered, one that pauses included.
    pub(super) fn tracks(&self) -> Vec<&Track> {
        let tracks = [Rendition::Video, Rendition::Audio].into_iter();
        let tracks = tracks.filter(|&it| self.is_offered(it));
        tracks.filter_map(|it| self.track_of(it)).collect()
    }

    /// What was measured, of the open segment if nothing else is there.
    pub(crate) fn measured(&self) -> Measured {
        let mut measured = self.settled.measured;
        if self.settled.listed.is_empty()
            && let Some(open) = &self.open
        {
            measured.add(&text::sample(open), self.target.span());
        }
        measured
    }
}
