//! The texts of a ladder that are served already: each is made, and compressed, once for each state of the ladder, however
//! many ask for it. A ladder is not stored; the first of its presentations keeps them.
//!
//! What does not belong here: what is in them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::sound::Chosen;
use super::{Form, Ladder, Place};
use crate::Text;

/// One of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Multivariant(Form, Place),
    Manifest,
}

/// The last of each kind, and what has to stay the same from one moment to the next.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: Mutex<Vec<Kept>>,
    /// Whose sound was last that of all, with each rung that there was then.
    pub(super) sound: Mutex<Option<Arc<Chosen>>>,
}

#[derive(Debug)]
struct Kept {
    kind: Kind,
    /// The ladder that it is of.
    state: u64,
    text: Arc<Text>,
}

impl Ladder {
    /// The text of this kind, which `make` makes if it is not there.
    pub(super) fn text(
        &self,
        kind: Kind,
        make: impl FnOnce() -> Option<String>,
    ) -> Option<Arc<Text>> {
        let keeper = self.rungs.first()?;
        let texts = keeper.presentation.ladder_texts();
        // Held while it is made: of many that ask at once, one makes it.
        let mut kept = texts.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state();
        if let Some(kept) = kept.iter().find(|it| it.kind == kind && it.state == state) {
            return Some(Arc::clone(&kept.text));
        }
        let text = Arc::new(Text::tagged_by_content(make()?));
        kept.retain(|it| it.kind != kind);
        kept.push(Kept {
            kind,
            state,
            text: Arc::clone(&text),
        });
        Some(text)
    }

    /// Another one after each change that the texts could show.
    fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.name.hash(&mut hasher);
        for rung in self.rungs.iter().chain(&self.sounds) {
            rung.presentation.name().hash(&mut hasher);
            rung.state.hash(&mut hasher);
            rung.presentation.label().hash(&mut hasher);
            rung.presentation.epoch().hash(&mut hasher);
            rung.window.playlist().tag().hash(&mut hasher);
            rung.low_latency.version().hash(&mut hasher);
        }
        hasher.finish()
    }
}
