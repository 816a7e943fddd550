//! What else there is of a ladder when a publish of one of its rungs, or of its sounds, begins: whether what was there of that
//! goes on, and with which numbers something new begins beside the others.
//!
//! What does not belong here: how rungs stand beside each other (`ladder`), and who may publish (`registry`).

use std::sync::Arc;

use media::PresentationName;

use crate::presentation::Numbers;
use crate::registry::number_by_the_clock;
use crate::{Ladder, Presentation, RungNames, TargetDuration};

/// One moment of the others.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// The one that leads, or stands for it, if any is published.
    leading: Option<Arc<Presentation>>,
    /// Sound beside that of rungs which is published: what begins beside it alone has its time.
    sound: Option<Arc<Presentation>>,
    /// So many segments of the leading one began when the media of the one that begins had ended, if that is known.
    missed: Option<usize>,
    /// The one that begins is played with the sound of another that is published, or such a one with its own.
    share_sound: bool,
    /// All that go on, published or not.
    all: Vec<Arc<Presentation>>,
}

impl Others {
    /// Those beside `name` in `ladder`, of which these are `going_on`.
    pub(crate) fn new(
        name: &PresentationName,
        ladder: &Ladder,
        going_on: Vec<Arc<Presentation>>,
    ) -> Self {
        let leading = ladder.leading_beside(name);
        Self {
            missed: leading.and_then(|leading| ladder.missed(name, leading)),
            leading: leading.map(|rung| rung.presentation.clone()),
            sound: ladder.sound_beside(name).map(|it| it.presentation.clone()),
            share_sound: ladder.shares_sound(name),
            all: going_on
                .into_iter()
                .filter(|it| it.name() != name)
                .collect(),
        }
    }

    /// What is `there` cannot go on with what is published now.
    ///
    /// Players keep when media began, and which sound belongs to which pictures, by the discontinuity sequence number.
    pub(crate) fn begins_anew(&self, there: &Presentation) -> bool {
        let own = there.next_discontinuities();
        let Some(leading) = &self.leading else {
            // All that come back now come by a time of their own: nobody may have had their number by another.
            let mut unused = self.all.iter().map(|it| it.next_discontinuities());
            return unused.any(|theirs| !own.reaches(theirs));
        };
        // Players that have left it for others find it by what they know of it: what is new of it would be for them what
        // the others had when it went away.
        let goes_on_at = || there.next_sequence().plus(Numbers::ONE);
        let is_behind = || !goes_on_at().reaches(leading.next_sequence());
        let fell_behind = self.missed.map_or_else(is_behind, |missed| missed > 1);
        // What nobody else hears, and hears nobody else, may be ahead: it comes by the time of the one that leads.
        let theirs = leading.discontinuities();
        fell_behind || !own.reaches(theirs) || self.share_sound && own != theirs
    }

    /// The media sequence numbers that something new begins with, in place of what was `there`; `None` where nothing says so.
    pub(crate) fn first_sequence(&self, there: Option<&Presentation>) -> Option<Numbers> {
        // Its playlist has the name of one that players may have loaded: they take it for as far behind that as the
        // numbers are.
        let unused = there.map(Presentation::unused_sequence);
        let theirs = match (&self.leading, there) {
            (Some(leading), _) => Some(leading.next_sequence()),
            (None, Some(_)) => self.highest(Presentation::unused_sequence),
            (None, None) => None,
        };
        theirs.into_iter().chain(unused).reduce(Numbers::max)
    }

    /// The same then: that of the others while nothing is listed of them, so that rungs that begin together
    /// have the same numbers; else what the clock says.
    pub(crate) fn first_sequence_ever(&self) -> u64 {
        let first = self.all.first();
        let first = first.filter(|_| !self.all.iter().any(|other| other.is_listed()));
        first.map_or_else(number_by_the_clock, |first| first.next_sequence().parts)
    }

    /// The discontinuity sequence numbers: where media match, so do these (rfc8216bis §6.2.4), and else nobody had them.
    pub(crate) fn first_discontinuities(&self, there: Option<&Presentation>) -> Option<Numbers> {
        if let Some(live) = self.leading.as_ref().or(self.sound.as_ref()) {
            return Some(live.discontinuities());
        }
        let own = there.map(Presentation::next_discontinuities);
        let theirs = self.highest(Presentation::next_discontinuities);
        theirs.into_iter().chain(own).reduce(Numbers::max)
    }

    fn highest(&self, number: impl Fn(&Presentation) -> Numbers) -> Option<Numbers> {
        let numbers = self.all.iter().map(|it| number(it));
        numbers.reduce(Numbers::max)
    }

    /// The target duration that it has to have because the pictures of its ladder have it (rfc8216bis §6.2.4).
    pub(crate) fn target(&self) -> Option<TargetDuration> {
        let pictures = |it: &&Arc<Presentation>| RungNames::sound_in(it.name()).is_none();
        let mut pictures = self.all.iter().filter(pictures);
        pictures.find_map(|it| it.window().target_duration())
    }
}
