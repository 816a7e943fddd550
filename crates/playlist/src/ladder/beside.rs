//! What the media playlists of a rung say of the others.

use media::{PresentationName, Rendition};

use super::Ladder;
use crate::Beside;

impl Ladder {
    /// What the low-latency playlists of `rung` say of the others: where their pictures stand, and the sound that serves
    /// all.
    pub fn beside(&self, rung: &PresentationName) -> Beside {
        let folder = |name: &PresentationName| format!("../{}/", name.name);
        let others = self.live().filter(|it| it.presentation.name() != rung);
        let pictures = others.filter_map(|it| {
            let folder = folder(it.presentation.name());
            it.low_latency.reports(&folder).into_iter().next()
        });
        let own_sound = || {
            let with_sound = self.live().find(|it| it.has_sound_apart())?;
            let name = with_sound.presentation.name();
            let report = || {
                with_sound
                    .low_latency
                    .report(Rendition::Audio, &folder(name))
            };
            (name != rung).then(report)?
        };
        Beside {
            folder: folder(rung),
            reports: pictures.collect(),
            sound: self.report_of_all().or_else(own_sound),
            ahead: self
                .live()
                .map(|it| it.low_latency.ahead)
                .max()
                .unwrap_or_default(),
        }
    }
}
