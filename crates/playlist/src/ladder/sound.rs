//! The sound of all: what every rung of a ladder hears in CMAF. Its playlist is the ladder's: that of one rung, and from when
//! the encoder of that leaves, that of another. Numbers and times are the same in both, and so are the paths of segments;
//! which rung a segment is of, its query says.
//!
//! What does not belong here: what rungs hear that have other discontinuity numbers (`groups`).

use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use media::{Rendition, Track};

use super::{Form, Ladder, Rung, Standing};
use crate::Presentation;
use crate::low_latency::{Report, times};
use crate::multivariant::{Sound, Variant};

/// The media playlist of it, in the folder of the ladder.
pub const SOUND_OF_ALL: &str = "all-audio.m3u8";

/// Sound that comes later than another's by more than so many parts is not there yet where players are.
const LATE_PARTS: i64 = 2;

/// Whose sound it is: that of the same rung for as long as that goes on, since each change may be heard.
#[derive(Debug)]
pub(crate) struct Chosen {
    of: Weak<Presentation>,
    /// Its discontinuity number.
    number: Option<u64>,
    /// Players decode what comes after it as they did this.
    track: Option<Track>,
}

impl Ladder {
    /// The presentation whose sound all rungs hear; `None` where nobody has sound beside pictures that could go on with what
    /// was heard before.
    pub fn sound_of_all(&self) -> Option<Arc<Presentation>> {
        let before = self.rungs.iter().find_map(Rung::chosen);
        if let Some(rung) = before.as_deref().and_then(|it| self.goes_on(it)) {
            return Some(rung.presentation.clone());
        }
        let standings = self.standings(Form::LowLatency);
        let rung = self.choose_sound(&standings, before.as_deref())?;
        let chosen = Chosen {
            of: Arc::downgrade(&rung.presentation),
            number: rung.discontinuity(Form::LowLatency),
            track: rung.low_latency.track_of_sound().cloned(),
        };
        // With all of them: none is there for as long as the ladder.
        let chosen = Arc::new(chosen);
        for kept in &self.rungs {
            *kept.lock_chosen() = Some(Arc::clone(&chosen));
        }
        Some(rung.presentation.clone())
    }

    /// The rung that was chosen, if nothing has happened to it. That is known without comparing all rungs: each reload asks.
    fn goes_on(&self, chosen: &Chosen) -> Option<&Rung> {
        let of = chosen.of.upgrade()?;
        let rung = self.rung_of(&of)?;
        let target = rung.low_latency.target_duration().span().to_duration();
        // What players have in hand is less than what a rung may lag by for its pictures.
        let hangs = |other: &Rung| rung.hangs_beside(other, target / 2);
        let is_there = rung.is_live()
            && rung.has_sound_apart()
            && rung.discontinuity(Form::LowLatency) == chosen.number
            && !self.rungs.iter().any(hangs);
        is_there.then_some(rung)
    }

    fn rung_of(&self, presentation: &Arc<Presentation>) -> Option<&Rung> {
        let mut all = self.rungs.iter();
        all.find(|rung| Arc::ptr_eq(&rung.presentation, presentation))
    }

    /// The rung whose sound goes on from what was chosen `before`: of those that are as far that one, or the one that lists
    /// most, and of several the highest.
    fn choose_sound(&self, standings: &[Standing], before: Option<&Chosen>) -> Option<&Rung> {
        let leading = self.leading_in(standings)?;
        let number = leading.discontinuity(Form::LowLatency);
        // Its encoder may have come back to something new.
        let last = before.and_then(|it| Some(Rung::new(it.of.upgrade()?)));
        let heard = last.as_ref().unwrap_or(leading);
        let heard = heard.boundaries(Form::LowLatency);
        let all_ended = self.rungs.iter().all(|it| it.low_latency.is_ended());
        let track = before.and_then(|it| it.track.as_ref());
        let is_last = |rung: &&Rung| {
            let last = last.as_ref().map(|last| &last.presentation);
            last.is_some_and(|last| Arc::ptr_eq(last, &rung.presentation))
        };
        let can_follow = |rung: &&Rung| {
            let own = rung.low_latency.track_of_sound();
            let is_same = track.is_none_or(|track| own == Some(track));
            is_same && heard.numbers_match(&rung.boundaries(Form::LowLatency))
        };
        let can_go_on = |rung: &&Rung| {
            let is_over = rung.low_latency.is_ended() && !all_ended;
            rung.has_sound_apart() && !is_over && (is_last(rung) || can_follow(rung))
        };
        let rungs = self.rungs.iter().zip(standings);
        let listed = rungs.filter(|(_, standing)| standing.is_listed());
        let mut candidates: Vec<_> = listed.map(|(rung, _)| rung).filter(can_go_on).collect();
        // Who hears sound of another number waits for its pictures for ever.
        let has_number = |rung: &&Rung| rung.discontinuity(Form::LowLatency) == number;
        if candidates.iter().any(has_number) {
            candidates.retain(has_number);
        }
        let edge = |rung: &Rung| Some(rung.low_latency.all().next_back()?.end());
        let furthest = candidates.iter().filter_map(|rung| edge(rung)).max()?;
        candidates.retain(|rung| {
            let part = rung.low_latency.part_target().unwrap_or_default();
            edge(rung).is_some_and(|edge| furthest - edge <= times(part, LATE_PARTS))
        });
        let again = candidates.iter().copied().find(is_last);
        again.or_else(|| {
            let first = |rung: &Rung| Some(rung.low_latency.all().next()?.sequence);
            let least = candidates.iter().filter_map(|rung| first(rung)).min()?;
            // Those that began together may be one apart.
            let lists_most = |rung: &&Rung| first(rung) <= Some(least + 1);
            candidates.iter().copied().find(lists_most)
        })
    }

    /// It, to be fetched in the folder of the ladder, which `folder` says.
    pub(super) fn of_all(&self, folder: &str) -> Option<(&Rung, Sound<'_>)> {
        let rung = self.rung_of(&self.sound_of_all()?)?;
        let sound = rung.sound(Form::LowLatency, folder)?;
        let sound = Sound {
            id: self.sound_id(),
            uri: Some(format!("{folder}{SOUND_OF_ALL}")),
            ..sound
        };
        Some((rung, sound))
    }

    /// The same as a variant.
    pub(super) fn of_all_alone<'a>(&self, rung: &'a Rung, folder: &str) -> Option<Variant<'a>> {
        let variant = rung.sound_variant(Form::LowLatency, folder)?;
        Some(Variant {
            id: self.sound_id(),
            uri: format!("{folder}{SOUND_OF_ALL}"),
            ..variant
        })
    }

    /// Where it stands.
    pub(super) fn report_of_all(&self) -> Option<Report> {
        let rung = self.rung_of(&self.sound_of_all()?)?;
        let report = rung.low_latency.report(Rendition::Audio, "")?;
        Some(Report {
            uri: format!("../{}/{SOUND_OF_ALL}", self.name.name),
            ..report
        })
    }

    fn sound_id(&self) -> String {
        format!("{}/{}", self.name.name, Rendition::Audio.name())
    }
}

impl Rung {
    fn lock_chosen(&self) -> MutexGuard<'_, Option<Arc<Chosen>>> {
        let kept = &self.presentation.ladder_texts().sound;
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self) -> Option<Arc<Chosen>> {
        self.lock_chosen().clone()
    }

    /// The other has listed something more than `least` after this one has, and, where media of this one come in bursts, more
    /// than their pauses last.
    pub(super) fn hangs_beside(&self, other: &Self, least: Duration) -> bool {
        let both = other.last_listed().zip(self.last_listed());
        let behind = both.map(|(other, own)| other.saturating_duration_since(own));
        // Nearly always it is not, and nothing need be looked up.
        behind
            .filter(|behind| *behind > least)
            .is_some_and(|behind| {
                let target = self.low_latency.target_duration().span().to_duration();
                let pause = self.low_latency.longest_pause(target / 8);
                pause.is_none_or(|pause| behind > pause + target / 4)
            })
    }

    /// It has sound as a rendition of its own beside its pictures, be it with nothing but gaps for now.
    pub(super) fn has_sound_apart(&self) -> bool {
        let renditions = self.low_latency.renditions();
        renditions.first() != Some(&Rendition::Audio) && renditions.contains(&Rendition::Audio)
    }
}
