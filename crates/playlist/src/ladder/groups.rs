//! The groups of sound of a ladder. One serves all variants, unless a variant cannot have it: all groups have the same
//! members then, and differ in where the first of them is from (rfc8216bis §4.4.6.1.1), or the variant has none.
//!
//! What does not belong here: the tags (`multivariant.rs`).

use super::{Form, Rung};
use crate::multivariant::Sound;

/// What variants hear.
pub(super) struct Groups<'a> {
    form: Form,
    /// The rungs that have sound of their own, and that.
    own: Vec<(&'a Rung, Sound<'a>)>,
    /// Sound in MPEG-TS, for a rung that has none, and what it is of.
    apart: Option<(&'a Rung, Sound<'a>)>,
    /// Further sound, for all.
    beside: Vec<Sound<'a>>,
    /// The discontinuity number that it has.
    number: Option<u64>,
    all: Vec<Vec<Sound<'a>>>,
}

impl<'a> Groups<'a> {
    /// Of the rungs `listed`, each with its folder, with the sound `of_all` in CMAF, which is of one of them, and the sound
    /// `beside` theirs, which has the discontinuity `number`.
    pub(super) fn new(
        form: Form,
        listed: &'a [(&'a Rung, String)],
        of_all: Option<(&'a Rung, Sound<'a>)>,
        beside: Vec<Sound<'a>>,
        number: Option<u64>,
    ) -> Self {
        let own = listed
            .iter()
            .filter_map(|(rung, folder)| Some((*rung, rung.sound(form, folder)?)));
        let mut own: Vec<_> = own.collect();
        let highest = own.first().map(|(_, sound)| sound.label.clone());
        if let Some((rung, _)) = &of_all {
            own.retain(|(there, _)| !std::ptr::eq(*there, *rung));
        }
        own.splice(0..0, of_all);
        // What they are called is one thing.
        if let Some(label) = highest {
            for (_, sound) in &mut own {
                sound.label = label.clone();
            }
        }
        let has_silent = own.len() < listed.len();
        // What a rung of sound has is that.
        let alone = |(rung, folder): &'a (&'a Rung, String)| {
            let alone = match rung.has_pictures(form) {
                true => rung.sound_variant(form, folder)?,
                false => rung.variant(form, folder),
            };
            Some((*rung, alone))
        };
        let apart = listed
            .iter()
            .find_map(alone)
            .filter(|_| form == Form::Classic && has_silent)
            .zip(own.first())
            .map(|((rung, alone), (_, own))| {
                let sound = Sound {
                    uri: Some(alone.uri),
                    rate: alone.measured.all,
                    ..own.clone()
                };
                (rung, sound)
            });
        Self {
            form,
            own,
            apart,
            beside,
            number,
            all: Vec::new(),
        }
    }

    /// The group of `rung`, with its place among all; `None` where what comes with its pictures needs no name.
    pub(super) fn of(&mut self, rung: &Rung) -> Option<(usize, &[Sound<'a>])> {
        let own = self.own_of(rung).cloned();
        let has_choice = !self.beside.is_empty() || self.apart.is_some();
        let own = own.filter(|own| own.uri.is_some() || has_choice);
        let is_apart = rung.discontinuity(self.form) != self.number;
        // A rung of another number would wait for what is published apart for ever.
        if own.is_none() && (is_apart || !rung.has_pictures(self.form)) {
            return None;
        }
        let group: Vec<_> = own.into_iter().chain(self.beside.iter().cloned()).collect();
        let uri = &group.first()?.uri;
        let is_it = |there: &Vec<Sound<'_>>| there.first().is_some_and(|it| it.uri == *uri);
        let at = self.all.iter().position(is_it).unwrap_or(self.all.len());
        if at == self.all.len() {
            self.all.push(group);
        }
        Some((at, self.all.get(at)?))
    }

    /// The sound of a rung: that of the first that has some, if it has as many discontinuities behind it. Players begin
    /// with the pictures of a discontinuity and look for the sound of the same (hls.js waits for ever): a rung that has
    /// none of its own is silent rather than that.
    fn own_of(&self, rung: &Rung) -> Option<&Sound<'a>> {
        let number = rung.discontinuity(self.form);
        let is_same = |there: &Rung| there.discontinuity(self.form) == number;
        let own = self
            .own
            .iter()
            .find(|(there, _)| std::ptr::eq(*there, rung));
        let beside = || self.own.iter().filter(|(_, sound)| sound.uri.is_some());
        if beside().next().is_none() {
            return match own {
                Some(_) => self.own.first().map(|(_, first)| first),
                None => {
                    let apart = self.apart.as_ref().filter(|(there, _)| is_same(there));
                    apart.map(|(_, apart)| apart)
                }
            };
        }
        if own.is_some_and(|(_, sound)| sound.uri.is_none()) {
            // It is sound itself, among rungs that have theirs beside their pictures.
            return None;
        }
        let same = beside().find(|(there, _)| is_same(there));
        same.map(|(_, sound)| sound)
    }

    /// Those that variants hear.
    pub(super) fn all(&self) -> &[Vec<Sound<'a>>] {
        &self.all
    }
}
