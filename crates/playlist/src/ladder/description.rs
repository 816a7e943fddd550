//! The description for DASH of a ladder: the same rungs as in its multivariant playlist of low latency, and the same
//! sound.

use std::sync::Arc;

use crate::low_latency::{Description, Member};
use crate::{Form, Text};

use super::texts::Kind;
use super::{Ladder, Place, Rung};

impl Ladder {
    /// The media presentation description, to be fetched in the folder of the ladder; `None` while nothing can be
    /// played.
    ///
    /// Its Periods are the runs of the rung that has gone on for longest; of each other rung a Period has what is on
    /// the same timeline at the same time. A rung that has nothing there is not in that Period.
    pub fn manifest(&self) -> Option<Arc<Text>> {
        self.text(Kind::Manifest, || self.render_manifest())
    }

    fn render_manifest(&self) -> Option<String> {
        let standings = self.standings(Form::LowLatency);
        let rungs = self.rungs.iter().zip(&standings);
        let rungs: Vec<_> = rungs
            .filter(|(_, standing)| standing.is_listed())
            .map(|(rung, _)| self.member(rung))
            .collect();
        let sounds = self.listed_sounds(Form::LowLatency, &standings);
        let sounds: Vec<_> = sounds.map(|sound| self.member(sound)).collect();
        // Of one that is away as well: the beginning of time stays where it is, whoever leads.
        let begun = self.counted().filter_map(|rung| rung.low_latency.begun());
        let description = Description::new(&rungs, &sounds, begun.min())?;
        Some(description.render())
    }

    fn member<'a>(&self, rung: &'a Rung) -> Member<'a> {
        Member {
            window: &rung.low_latency,
            folder: self.folder(rung.presentation.name(), Place::Folder),
            id: format!("{}/", rung.presentation.name().name),
            label: rung.presentation.label(),
            number: rung.number(),
        }
    }
}
