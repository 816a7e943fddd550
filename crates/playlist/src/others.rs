//! What else there is of a ladder when a publish of one of its rungs, or of its sounds, begins: whether what was there of that
//! goes on, and with which numbers something new begins beside the others.
//!
//! What does not belong here: how rungs stand beside each other (`ladder`), and who may publish (`registry`).

use std::sync::Arc;

use media::PresentationName;

use crate::ladder::SharedSound;
use crate::presentation::{Numbers, Start};
use crate::registry::number_by_the_clock;
use crate::{Ladder, Presentation, RungNames, TargetDuration};

/// What goes on of what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoesOn {
    /// All of it.
    Whole,
    /// Its segments in MPEG-TS, which have its own sound with the pictures.
    Segments,
    /// Something new begins.
    Nothing,
}

/// One moment of the others.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// The one that leads, or stands for it; `None` for who goes by a time of its own.
    leading: Option<Arc<Presentation>>,
    /// So many segments of the leading one began when the media of the one that begins had ended, if that is known.
    missed: Option<usize>,
    /// The one that begins is played with the sound of another that is published, or such a one with its own.
    shared: SharedSound,
    /// All that go on, published or not.
    all: Vec<Arc<Presentation>>,
    /// [`crate::Terms::leads`].
    leads: bool,
}

impl Others {
    /// Those beside `name` in `ladder`, of which these are `going_on`, for a publish that `leads` or not.
    pub(crate) fn new(
        name: &PresentationName,
        ladder: &Ladder,
        going_on: Vec<Arc<Presentation>>,
        leads: bool,
    ) -> Self {
        let leading = ladder.leading_beside(name).filter(|_| !leads);
        Self {
            missed: leading.and_then(|leading| ladder.missed(name, leading)),
            leading: leading.map(|rung| rung.presentation.clone()),
            shared: ladder.shared_sound(name),
            all: going_on
                .into_iter()
                .filter(|it| it.name() != name)
                .collect(),
            leads,
        }
    }

    /// What of that which is `there` can go on with what is published now.
    ///
    /// Players keep when media began, and which sound belongs to which pictures, by the discontinuity sequence number.
    pub(crate) fn goes_on(&self, there: &Presentation) -> GoesOn {
        let own = there.next_discontinuities();
        let Some(leading) = &self.leading else {
            // By another time than theirs nobody may have had its number; by theirs it may be ahead of them.
            let theirs = match self.leads {
                true => self.unused_discontinuities(),
                false => self.live_discontinuities(),
            };
            return match theirs {
                Some(theirs) if !own.reaches(theirs) => GoesOn::Nothing,
                _ => GoesOn::Whole,
            };
        };
        // Players that have left it for others find it by what they know of it: what is new of it would be for them what
        // the others had when it went away.
        let goes_on_at = || there.next_sequence().plus(Numbers::ONE);
        let is_behind = || !goes_on_at().reaches(leading.next_sequence());
        let fell_behind = self.missed.map_or_else(is_behind, |missed| missed > 1);
        // Who hears nobody else, and whom nobody else hears, may be ahead.
        let theirs = leading.discontinuities();
        let cannot = |own: u64, theirs: u64, shared: bool| own < theirs || shared && own != theirs;
        if fell_behind || cannot(own.segments, theirs.segments, self.shared.segments) {
            GoesOn::Nothing
        } else if cannot(own.parts, theirs.parts, self.shared.parts) {
            GoesOn::Segments
        } else {
            GoesOn::Whole
        }
    }

    /// Where something new begins in place of what was `there`, if anything was: behind `floor`, where nothing else says.
    pub(crate) fn start(&self, there: Option<&Presentation>, floor: Start) -> Start {
        // Its playlist has the name of one that players may have loaded: they take it for as far behind that as the
        // numbers are.
        let unused = there.map(Presentation::unused_sequence);
        let (sequence, at_least) = match (&self.leading, unused) {
            (Some(leading), unused) => {
                let unused = unused.unwrap_or_default();
                (leading.next_sequence().max(unused), unused)
            }
            (None, Some(unused)) => {
                let all = self.all.iter().map(|it| it.unused_sequence());
                let number = all.fold(unused, Numbers::max);
                (number, number)
            }
            (None, None) => {
                let number = floor.sequence.max(self.first_sequence_ever());
                (number, number)
            }
        };
        // Where media match, so do these (rfc8216bis §6.2.4), and else nobody had them.
        let leading = self.leading.as_ref().map(|it| it.discontinuities());
        let live = || self.live_discontinuities().filter(|_| !self.leads);
        let unused = || {
            let own = there.map(Presentation::next_discontinuities);
            let theirs = self.unused_discontinuities();
            theirs.into_iter().chain(own).reduce(Numbers::max)
        };
        let discontinuities = leading.or_else(live).or_else(unused);
        Start {
            sequence,
            at_least,
            discontinuities: discontinuities.unwrap_or(floor.discontinuities),
            target: None,
        }
    }

    /// That of the others while nothing is listed of them, so that rungs that begin together have the same numbers; else
    /// what the clock says.
    fn first_sequence_ever(&self) -> Numbers {
        let first = self.all.first();
        let first = first.filter(|_| !self.all.iter().any(|other| other.is_listed()));
        first.map_or_else(
            || number_by_the_clock().into(),
            |first| first.next_sequence(),
        )
    }

    /// Those of what is published now.
    fn live_discontinuities(&self) -> Option<Numbers> {
        let live = self.all.iter().filter(|it| it.is_published());
        live.map(|it| it.discontinuities()).reduce(Numbers::max)
    }

    /// Those that nobody had.
    fn unused_discontinuities(&self) -> Option<Numbers> {
        let unused = self.all.iter().map(|it| it.next_discontinuities());
        unused.reduce(Numbers::max)
    }

    /// The target duration that it has to have because the pictures of its ladder have it (rfc8216bis §6.2.4).
    pub(crate) fn target(&self) -> Option<TargetDuration> {
        let pictures = |it: &&Arc<Presentation>| RungNames::sound_in(it.name()).is_none();
        let mut pictures = self.all.iter().filter(pictures);
        pictures.find_map(|it| it.window().target_duration())
    }
}
