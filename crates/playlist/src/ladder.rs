//! A ladder: presentations of one programme, published apart, as the variants of one multivariant playlist. Nothing of
//! it is stored: it is what the windows of its rungs show at the moment, compared with each other.
//!
//! A rung is a presentation like any other, with playlists of its own. What does not belong here: how a publish
//! changes its cuts to fit in (whoever publishes does, told by [`Ladder::adjustment`]).

mod beside;
mod boundaries;
mod description;
mod groups;
mod names;
mod returning;
mod sound;
mod texts;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use media::{
    Anchor, Arrivals, Codec, Grid, MediaTime, PresentationName, Rendition, Track, TrackKind,
};

use crate::measured::Rate;
use crate::multivariant::{self, Sound, Variant};
use crate::{CmafSegment, Container, Entry, LowLatencyWindow, Presentation, State, Text, Window};

pub use boundaries::Misfit;
pub use names::RungNames;
pub(crate) use returning::SharedSound;
pub use sound::SOUND_OF_ALL;
pub(crate) use texts::Texts;

use boundaries::{Boundaries, Stretch, compared};
use groups::Groups;

pub(crate) use boundaries::{CLOCKS_AGREE, TOLERANCE};

/// A variant at most so fast comes first, where players begin: the rate that authoring guides recommend for an unknown
/// line, bit/s.
const FIRST_AT_MOST: u64 = 2_500_000;

/// So many segments of each rung are compared: every rung with every other, for each segment and each text.
const COMPARED: usize = 16;

/// While nobody lists more segments than so, all begin together: the rungs of a transcoder begin some seconds after their
/// source. The shortest window lists one more.
const BEGINNING: usize = 2;

/// In which form a presentation is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Segment by segment in MPEG-TS, where that has a place for all that is published; else as [`Form::LowLatency`].
    Classic,
    /// CMAF, part by part.
    LowLatency,
}

/// One moment of a ladder.
#[derive(Debug)]
pub struct Ladder {
    name: PresentationName,
    /// The source, if it is published, then from the highest to the lowest.
    rungs: Vec<Rung>,
    /// Sound beside theirs, in the order of their numbers.
    sounds: Vec<Rung>,
}

/// One moment of a rung.
#[derive(Debug)]
pub struct Rung {
    /// The presentation.
    pub presentation: Arc<Presentation>,
    window: Arc<Window>,
    low_latency: Arc<LowLatencyWindow>,
    state: State,
    arrivals: Option<Arrivals>,
}

/// Why a rung is among the variants, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The others are compared with it.
    Leads,
    /// Its segments begin where those of the leading rung do.
    Fits,
    /// They do not.
    Misfits(Misfit),
    /// It lists nothing yet, or in low latency no segment while another that goes on lists three.
    Empty,
    /// Its encoder is away, or nothing of it is listed for some segments, while those of others go on.
    Away,
}

/// What a rung has to change to fit in, or sound to go on fitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Why it does not.
    pub misfit: Option<Misfit>,
    /// Where the boundaries of the leading rung are, and its clock.
    pub grid: Grid,
    /// Where a segment of the leading rung begins, as far as can be foreseen.
    pub next: MediaTime,
}

impl Standing {
    /// It is among the variants.
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::Leads | Self::Fits)
    }
}

impl Ladder {
    pub(crate) fn new(
        name: PresentationName,
        source: Option<Arc<Presentation>>,
        rungs: Vec<Arc<Presentation>>,
    ) -> Self {
        let rungs = rungs.into_iter().map(Rung::new);
        let (mut sounds, mut rungs): (Vec<_>, Vec<_>) = rungs.partition(|it| it.number().is_some());
        sounds.sort_by_key(Rung::number);
        rungs.sort_by_key(|rung| std::cmp::Reverse(rung.height()));
        rungs.splice(0..0, source.map(Rung::new));
        Self {
            name,
            rungs,
            sounds,
        }
    }

    /// It has more than its source.
    pub(crate) fn has_rungs(&self) -> bool {
        let mut all = self.rungs.iter().chain(&self.sounds);
        all.any(|it| *it.presentation.name() != self.name)
    }

    /// Its name: that of its source, whether that is published or not.
    pub fn name(&self) -> &PresentationName {
        &self.name
    }

    /// Its rungs: the source first, then from the highest to the lowest.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Those that count: while any is published, none of those that were.
    pub fn counted(&self) -> impl Iterator<Item = &Rung> {
        let any_live = self.any_live();
        let rungs = self.rungs.iter();
        rungs.filter(move |rung| rung.is_live() || !any_live)
    }

    fn any_live(&self) -> bool {
        self.rungs.iter().any(Rung::is_live)
    }

    /// The form that `form` is: without MPEG-TS, players that know nothing of parts play the other one as well.
    pub fn form(&self, form: Form) -> Form {
        let mut counted = self.counted().chain(self.live_sounds());
        match form {
            Form::Classic if counted.any(|rung| rung.window.container() == Container::Cmaf) => {
                Form::LowLatency
            }
            form => form,
        }
    }

    /// Something can be played.
    pub fn is_begun(&self, form: Form) -> bool {
        self.counted().any(|rung| rung.is_begun(form))
    }

    /// What is published of it and cannot be played yet, or not by who goes over to it.
    pub fn awaited(&self, form: Form) -> Vec<&Rung> {
        // Nearly always nothing is, and nothing need be compared.
        let has_parts = form == Form::LowLatency;
        let is_whole =
            |rung: &Rung| rung.is_begun(form) && (!has_parts || rung.low_latency.has_segments());
        if self.live().all(is_whole) {
            return Vec::new();
        }
        let standings = self.standings(form);
        let rungs = self.rungs.iter().zip(standings);
        let lacks = |(rung, standing): &(&Rung, Standing)| {
            let is_late = has_parts && *standing == Standing::Empty;
            rung.is_live() && (!rung.is_begun(form) || is_late)
        };
        let rungs = rungs.filter(lacks).map(|(rung, _)| rung);
        let sounds = self.live_sounds().filter(|sound| !sound.is_begun(form));
        // The gateway is about to leave.
        let all = rungs.chain(sounds).filter(|it| !it.low_latency.is_over());
        all.collect()
    }

    /// All that is published of it, sound beside that of its rungs included.
    pub fn live(&self) -> impl Iterator<Item = &Rung> {
        let rungs = self.rungs.iter().filter(|rung| rung.is_live());
        rungs.chain(self.live_sounds())
    }

    fn live_sounds(&self) -> impl Iterator<Item = &Rung> {
        self.sounds.iter().filter(|sound| sound.is_live())
    }

    /// How each rung stands, in the order of [`Ladder::rungs`].
    pub fn standings(&self, form: Form) -> Vec<Standing> {
        let form = self.form(form);
        let boundaries: Vec<_> = self
            .rungs
            .iter()
            .map(|rung| rung.boundaries(form))
            .collect();
        let live = self.rungs.iter().filter(|rung| rung.is_live());
        let last_listed = live.filter_map(Rung::last_listed).max();
        let any_live = self.any_live();
        let is_away = |rung: &Rung, boundaries: &Boundaries| match rung.is_live() {
            true => last_listed.is_some_and(|last| rung.is_silent(last, boundaries)),
            false => any_live,
        };
        let all = self.rungs.iter().zip(&boundaries);
        let away: Vec<_> = all.map(|(rung, it)| is_away(rung, it)).collect();
        let all = || boundaries.iter().zip(&away);
        // A date to come is a mistake, or all are ahead of their time.
        let now = SystemTime::now();
        let goes_on = all().filter(|(_, is_away)| any_live && !**is_away);
        let newest = goes_on
            .filter_map(|(it, _)| Some(it.until()?.min(now)))
            .max();
        let late = |it: &Boundaries| newest.and_then(|newest| it.lags(newest));
        // Who has parts alone then is late, too: hls.js 1.7.4 takes such a playlist for empty, and who goes over to it
        // stands still.
        let lists_more = |rung: &Rung| rung.low_latency.listed().nth(BEGINNING).is_some();
        let is_under_way = form == Form::LowLatency
            && self.rungs.iter().zip(all()).any(|(rung, (it, is_away))| {
                rung.is_live() && !is_away && lists_more(rung) && late(it).is_none()
            });
        let has_parts_alone =
            |rung: &Rung| is_under_way && rung.is_live() && !rung.low_latency.has_segments();
        let found = self.rungs.iter().zip(all());
        let found = found.map(|(rung, (boundaries, is_away))| match late(boundaries) {
            _ if boundaries.is_empty() => Standing::Empty,
            _ if *is_away => Standing::Away,
            _ if has_parts_alone(rung) => Standing::Empty,
            Some(late) => Standing::Misfits(late),
            None => Standing::Fits,
        });
        let mut standings: Vec<_> = found.collect();
        let there = standings.iter_mut().zip(&boundaries);
        let (there, candidates): (Vec<_>, Vec<_>) =
            there.filter(|(it, _)| **it == Standing::Fits).unzip();
        let leads = compared(&candidates).into_iter().enumerate();
        // Whom most agree with leads, so that a bad one leaves out itself and not the others; of several one that others
        // are behind, for who goes back leaves media out; of several the first.
        let rank = |row: &[Result<(), Misfit>]| {
            row.iter().fold((0, 0), |(agreeing, behind), it| match it {
                Ok(()) => (agreeing + 1, behind),
                Err(Misfit::Clock(by)) if *by > MediaTime::ZERO => (agreeing, behind + 1),
                Err(_) => (agreeing, behind),
            })
        };
        let leads = leads.max_by_key(|(at, row)| (rank(row), std::cmp::Reverse(*at)));
        let (leads, row) = leads.unwrap_or_default();
        for (at, (standing, compared)) in there.into_iter().zip(row).enumerate() {
            *standing = match compared {
                _ if at == leads => Standing::Leads,
                Ok(()) => Standing::Fits,
                Err(misfit) => Standing::Misfits(misfit),
            };
        }
        let leader = candidates.get(leads);
        for (standing, boundaries) in standings.iter_mut().zip(&boundaries) {
            // One whose clock is another is helped by being put beside the others.
            if let (Standing::Misfits(misfit @ Misfit::Late(_)), Some(leader)) = (standing, leader)
                && let Err(clock @ Misfit::Clock(_)) = leader.compare(boundaries)
            {
                *misfit = clock;
            }
        }
        standings
    }

    /// How `sound` stands beside the rungs, which stand as told. Its segments need not begin with theirs: of sound,
    /// decoding can begin anywhere.
    fn standing_of_sound(&self, sound: &Rung, form: Form, standings: &[Standing]) -> Standing {
        let boundaries = sound.boundaries(form);
        let Some(leader) = self.leading_in(standings) else {
            return Standing::Empty;
        };
        let last_listed = leader.last_listed();
        let leader = leader.boundaries(form);
        if boundaries.is_empty() {
            Standing::Empty
        } else if sound.has_pictures(form) {
            Standing::Misfits(Misfit::Pictures)
        } else if !sound.is_live()
            || last_listed.is_some_and(|last| sound.is_silent(last, &boundaries))
        {
            Standing::Away
        } else {
            let clock = leader.compare(&boundaries).err();
            let clock = clock.filter(|it| matches!(it, Misfit::Clock(_)));
            let late = || boundaries.lags(leader.until()?);
            let apart = || boundaries.apart_by_discontinuities(&leader);
            let misfit = clock.or_else(late).or_else(apart);
            misfit.map_or(Standing::Fits, Standing::Misfits)
        }
    }

    /// Sound that viewers may choose.
    fn listed_sounds(&self, form: Form, standings: &[Standing]) -> impl Iterator<Item = &Rung> {
        let stands = move |sound: &Rung| self.standing_of_sound(sound, form, standings);
        self.live_sounds()
            .filter(move |sound| sound.is_begun(form) && stands(sound).is_listed())
    }

    /// Where the boundaries of the leading rung are, and its clock, for the rung or the sound `name` to find its place.
    /// If none but that leads, or what leads has yet to list something, those of its own before, or of one that was there:
    /// those that come back together, or one after the other, find each other where most of them were, and pictures find
    /// sound that was there before them.
    pub fn grid(&self, name: &PresentationName) -> Option<Grid> {
        let form = self.form(Form::Classic);
        let leader = self.leader(name, &self.standings(form));
        if let Some(leader) = leader.filter(|leader| leader.presentation.has_listed()) {
            return leader.boundaries(form).grid(true);
        }
        let all = self.rungs.iter().chain(&self.sounds);
        let all = all.map(|it| (it.presentation.name(), it.boundaries(form)));
        let known: Vec<_> = all.filter(|(_, it)| !it.is_empty()).collect();
        if known.iter().all(|(only, _)| *only == name) {
            return None;
        }
        // One that did not fit has boundaries of its own, and those that come back after this one would not go by them.
        let boundaries: Vec<_> = known.iter().map(|(_, it)| it).collect();
        let rows = compared(&boundaries).into_iter();
        let agreeing = rows.map(|row| row.iter().filter(|it| it.is_ok()).count());
        let all = boundaries.iter().zip(agreeing);
        let (newest, _) = all.max_by_key(|(it, agreeing)| (*agreeing, it.until()))?;
        newest.grid(false)
    }

    /// The encoder of the rung, or of the sound, `name` is away, and players that play it in the form `played` find what they
    /// need with others. One that has come back, and has yet to list something, is not.
    pub fn has_left(&self, name: &PresentationName, played: Form) -> bool {
        let form = self.known();
        let standings = self.standings(form);
        let own = self.standing_of(name, form, &standings);
        let Some((own, standing)) = own else {
            return false;
        };
        let comes = own.is_live() && !own.presentation.has_listed();
        // Part by part players have little in hand.
        let target = own.low_latency.target_duration().span().to_duration();
        let is_away = |other: &Rung| {
            standing == Standing::Away
                || (played == Form::LowLatency && own.hangs_beside(other, target))
        };
        // Where all are waited for, nobody else has anything for them.
        let all = self.rungs.iter().zip(&standings);
        let mut others = all
            .filter(|(rung, standing)| standing.is_listed() && rung.presentation.name() != name)
            .map(|(rung, _)| rung)
            .filter(|rung| rung.is_live() && rung.presentation.has_listed());
        !comes && others.any(is_away)
    }

    /// The rung, or the sound, `name`, and how it stands beside the rungs, which stand as told.
    fn standing_of(
        &self,
        name: &PresentationName,
        form: Form,
        standings: &[Standing],
    ) -> Option<(&Rung, Standing)> {
        let is_it = |rung: &&Rung| rung.presentation.name() == name;
        let mut rungs = self.rungs.iter().zip(standings.iter().copied());
        rungs.find(|(rung, _)| is_it(rung)).or_else(|| {
            let sound = self.sounds.iter().find(is_it)?;
            Some((sound, self.standing_of_sound(sound, form, standings)))
        })
    }

    /// What the rung `name` has to change to fit in, with what comes at `from` or later; `None` where it fits or leads, or
    /// lists nothing. Of sound, always where the pictures are cut next: it has none that would say so.
    pub fn adjustment(&self, name: &PresentationName, from: MediaTime) -> Option<Adjustment> {
        let form = self.form(Form::Classic);
        let standings = self.standings(form);
        let (_, standing) = self.standing_of(name, form, &standings)?;
        let misfit = match standing {
            Standing::Misfits(misfit) => Some(misfit),
            Standing::Fits if RungNames::sound_in(name).is_some() => None,
            _ => return None,
        };
        let leader = self.leader(name, &standings)?.boundaries(form);
        Some(Adjustment {
            misfit,
            grid: leader.grid(true)?,
            next: leader.next_from(from)?,
        })
    }

    fn leading_in(&self, standings: &[Standing]) -> Option<&Rung> {
        let leads = standings.iter().position(|it| *it == Standing::Leads)?;
        self.rungs.get(leads)
    }

    /// The leading rung, if it is another than that.
    fn leader(&self, other_than: &PresentationName, standings: &[Standing]) -> Option<&Rung> {
        let leading = self.leading_in(standings);
        leading.filter(|leader| leader.presentation.name() != other_than)
    }

    /// The multivariant playlist to be fetched at `place`; `None` while nothing can be played.
    pub fn multivariant(&self, form: Form, place: Place) -> Option<Arc<Text>> {
        let form = self.form(form);
        self.text(texts::Kind::Multivariant(form, place), || {
            self.render_multivariant(form, place)
        })
    }

    fn render_multivariant(&self, form: Form, place: Place) -> Option<String> {
        let standings = self.standings(form);
        let listed = self.rungs.iter().zip(&standings);
        let listed: Vec<_> = listed
            .filter(|(_, standing)| standing.is_listed())
            .map(|(rung, _)| (rung, self.folder(rung.presentation.name(), place)))
            .collect();
        let beside: Vec<_> = self
            .listed_sounds(form, &standings)
            .map(|sound| {
                let folder = self.folder(sound.presentation.name(), place);
                sound.alternative(form, &folder)
            })
            .collect();
        let leading = self.leading_in(&standings);
        let number = leading.and_then(|leading| leading.discontinuity(form));
        let ladder = self.folder(&self.name, place);
        let of_all = match form {
            Form::Classic => None,
            Form::LowLatency => self.of_all(&ladder),
        };
        let heard = of_all.as_ref().map(|(rung, _)| *rung);
        let mut groups = Groups::new(form, &listed, of_all, beside, number);
        let mut variants: Vec<_> = listed
            .iter()
            .map(|(rung, folder)| {
                let mut variant = rung.variant(form, folder);
                if let Some((at, sounds)) = groups.of(rung) {
                    variant.hear(at, sounds);
                }
                variant
            })
            .collect();
        variants.sort_by_key(|variant| std::cmp::Reverse(variant.measured.all.peak()));
        let first = variants
            .iter()
            .position(|it| it.measured.all.peak() <= FIRST_AT_MOST);
        let first = first.unwrap_or(variants.len().checked_sub(1)?);
        variants.get_mut(..=first)?.rotate_right(1);
        // For the weakest lines. hls.js 1.7.4 and Shaka 5.2 leave it out beside variants with pictures.
        let of_all = heard.and_then(|rung| self.of_all_alone(rung, &ladder));
        let mut all = listed.iter();
        let alone = of_all.or_else(|| all.find_map(|(rung, it)| rung.sound_variant(form, it)));
        let groups = groups.all();
        let hears = (!groups.is_empty()).then_some(0);
        variants.extend(alone.map(|alone| Variant { hears, ..alone }));
        Some(multivariant::render(&variants, groups))
    }

    /// What stands before the URIs of the playlists of `name`, a rung's or its own.
    fn folder(&self, name: &PresentationName, place: Place) -> String {
        match place {
            Place::Folder if *name == self.name => String::new(),
            Place::Folder => format!("../{}/", name.name),
            Place::Above => format!("{}/", name.name),
        }
    }
}

/// Where a multivariant playlist is fetched: its URIs are relative to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the folder of the ladder.
    Folder,
    /// One folder above, as `{name}.m3u8`.
    Above,
}

impl Rung {
    fn new(presentation: Arc<Presentation>) -> Self {
        Self {
            window: presentation.window(),
            low_latency: presentation.low_latency_window(),
            state: presentation.state(),
            arrivals: presentation.arrivals(),
            presentation,
        }
    }

    /// Somebody publishes it.
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// When something was last listed of it in any form.
    fn last_listed(&self) -> Option<Instant> {
        self.window
            .last_listed()
            .max(self.low_latency.last_listed())
    }

    /// It lists nothing while others have, the last at `last`: players who change to it would not find what they need.
    fn is_silent(&self, last: Instant, boundaries: &Boundaries) -> bool {
        let own = self.last_listed();
        own.is_none_or(|own| last.saturating_duration_since(own) > boundaries.may_lag())
    }

    fn is_begun(&self, form: Form) -> bool {
        match form {
            Form::Classic => match self.window.container() {
                Container::MpegTs => self.window.is_ready(),
                Container::Cmaf => self.low_latency.has_segments(),
            },
            Form::LowLatency => self.low_latency.is_ready() && self.low_latency.is_measured(),
        }
    }

    /// Waits until it is no longer one of [`Ladder::awaited`], or for the first half of it: until it can be played, then
    /// until a segment is complete.
    pub async fn comes(&self, form: Form) {
        match self.is_begun(form) {
            true => self.complete().await,
            false => self.begun(form).await,
        }
    }

    /// Waits until a segment of it is complete in CMAF, or none ever will be.
    async fn complete(&self) {
        let mut windows = self.presentation.low_latency_windows();
        let _ = windows
            .wait_for(|it| it.has_segments() || it.is_ended() || it.is_over())
            .await;
    }

    /// Waits until it can be played, or never will.
    pub async fn begun(&self, form: Form) {
        // That the presentation is gone ends the wait as well.
        match form {
            Form::Classic => {
                let mut windows = self.presentation.windows();
                let settled = windows.wait_for(|it| it.is_settled()).await;
                if settled.is_ok_and(|it| it.container() == Container::Cmaf) {
                    self.complete().await;
                }
            }
            Form::LowLatency => {
                let measured = |it: &Arc<LowLatencyWindow>| it.is_ready() && it.is_measured();
                let mut windows = self.presentation.low_latency_windows();
                let _ = windows
                    .wait_for(|it| measured(it) || it.is_ended() || it.is_over())
                    .await;
            }
        }
    }

    /// The height that its name says, pixels.
    fn height(&self) -> Option<u32> {
        let (_, rung) = self.presentation.name().name.as_str().rsplit_once('_')?;
        names::height(rung)
    }

    /// Of its newest segments: enough to tell where the others are, however many are listed.
    fn boundaries(&self, form: Form) -> Boundaries {
        let newest: Boundaries = match form {
            Form::Classic => {
                let stretch = |entry: &Arc<Entry>| Stretch {
                    begins: Anchor {
                        at: entry.segment.start,
                        date: entry.segment.date,
                    },
                    sequence: entry.sequence,
                    number: entry.discontinuity_sequence,
                    is_entry: is_entry(entry.segment.independent, &entry.segment.tracks),
                    lasts: entry.segment.duration,
                    is_open: false,
                };
                let listed = self.window.listed().rev();
                listed.take(COMPARED).map(stretch).collect()
            }
            Form::LowLatency => {
                let stretch = |segment: &CmafSegment, is_open| Stretch {
                    begins: Anchor {
                        at: segment.start(),
                        date: segment.head.date,
                    },
                    sequence: segment.sequence,
                    number: segment.discontinuity_sequence,
                    is_entry: is_entry(segment.head.independent, &segment.head.tracks),
                    lasts: segment.end() - segment.start(),
                    is_open,
                };
                let open = self.low_latency.open().map(|it| stretch(it, true));
                let listed = self.low_latency.listed().rev();
                let whole = listed.take(COMPARED).map(|it| stretch(it, false));
                open.into_iter().chain(whole).collect()
            }
        };
        newest.arriving(self.arrivals)
    }

    fn variant(&self, form: Form, folder: &str) -> Variant<'_> {
        match form {
            Form::Classic => self.window.variant(folder, &self.presentation.name().name),
            Form::LowLatency => self.low_latency.variant(folder),
        }
    }

    fn sound_variant(&self, form: Form, folder: &str) -> Option<Variant<'_>> {
        match form {
            Form::Classic => self
                .window
                .sound_variant(folder, &self.presentation.name().name),
            Form::LowLatency => self.low_latency.sound_variant(folder),
        }
    }

    /// The discontinuity sequence number of its newest segment.
    fn discontinuity(&self, form: Form) -> Option<u64> {
        match form {
            Form::Classic => Some(self.window.listed().last()?.discontinuity_sequence),
            Form::LowLatency => {
                let listed = self.low_latency.listed().next_back();
                let newest = self.low_latency.open().or(listed)?;
                Some(newest.discontinuity_sequence)
            }
        }
    }

    /// Its sound beside its pictures.
    fn sound(&self, form: Form, folder: &str) -> Option<Sound<'_>> {
        let label = self.presentation.label();
        let among_pictures = |track| Sound {
            track: Some(track),
            label: label.clone(),
            id: format!(
                "{}/{}",
                self.presentation.name().name,
                Rendition::Audio.name()
            ),
            uri: None,
            rate: Rate::default(),
        };
        match form {
            Form::Classic => self.window.sound_track().map(among_pictures),
            Form::LowLatency => self
                .low_latency
                .sound(folder, label.clone())
                .or_else(|| self.low_latency.sound_track().map(among_pictures)),
        }
    }

    fn has_pictures(&self, form: Form) -> bool {
        let tracks = self.variant(form, "").tracks;
        tracks.iter().any(|track| track.kind() == TrackKind::Video)
    }

    /// The number of the sound that it is, in its name.
    fn number(&self) -> Option<u8> {
        RungNames::sound_in(self.presentation.name())
    }

    /// As sound beside that of other rungs.
    fn alternative(&self, form: Form, folder: &str) -> Sound<'_> {
        let variant = self.variant(form, folder);
        Sound {
            track: match form {
                Form::Classic => self.window.sound_track(),
                Form::LowLatency => self.low_latency.sound_track(),
            },
            label: self.presentation.label(),
            id: variant.id,
            uri: Some(variant.uri),
            rate: variant.measured.all,
        }
    }
}

/// Segments begin with a key picture, or had to begin somewhere. Those of H.265 are not independent with CRA pictures
/// either, which begin a GOP.
fn is_entry(independent: bool, tracks: &[Track]) -> bool {
    independent
        || tracks
            .iter()
            .any(|track| matches!(track.codec, Codec::H265(_)))
}
