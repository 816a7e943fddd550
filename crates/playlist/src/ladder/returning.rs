//! What a ladder did while the encoder of one of its rungs was away. What comes of that is the registry's to say.

use media::{MediaTime, PresentationName};

use super::{Form, Ladder, Rung};

impl Ladder {
    /// So many segments of `leading` began when the media of `name` had ended; `None` if nothing of it is listed.
    pub(crate) fn missed(&self, name: &PresentationName, leading: &Rung) -> Option<usize> {
        let form = self.form(Form::Classic);
        let mut all = self.rungs.iter().chain(&self.sounds);
        let own = all.find(|it| it.presentation.name() == name)?;
        let until = own.boundaries(form).until()?;
        Some(leading.boundaries(form).begun_since(until))
    }

    /// `name` is played beside the sound of another that is live, or such a one beside its own.
    pub(crate) fn shares_sound(&self, name: &PresentationName) -> bool {
        let is_it = |rung: &Rung| rung.presentation.name() == name;
        let all = || self.rungs.iter().chain(&self.sounds);
        let Some(own) = all().find(|it| is_it(it)) else {
            return false;
        };
        // In CMAF all rungs hear the first that has sound beside its pictures.
        let is_apart = |rung: &&Rung| {
            let sound = rung.sound(Form::LowLatency, "");
            sound.is_some_and(|sound| sound.uri.is_some())
        };
        let mut there = self.rungs.iter().filter(|it| is_it(it) || it.is_live());
        let is_heard = there.find(is_apart).is_some_and(is_it);
        let with = |other: &Rung| {
            let any_is_sound = [own, other].iter().any(|it| it.number().is_some());
            let sounds = own
                .presentation
                .has_sound()
                .zip(other.presentation.has_sound());
            let is_mixed = sounds.is_some_and(|(own, other)| own != other);
            any_is_sound || is_mixed || is_heard && other.number().is_none()
        };
        all().any(|other| !is_it(other) && other.is_live() && with(other))
    }

    /// The media sequence number of a segment of `name` that begins at `at`: that of the leading rung's there. `None` where
    /// `name` leads, or that lists nothing nearby.
    pub(crate) fn sequence_at(
        &self,
        name: &PresentationName,
        form: Form,
        at: MediaTime,
    ) -> Option<u64> {
        let leader = self.leader(name, &self.standings(form))?;
        leader.boundaries(form).sequence_at(at)
    }

    /// The leading rung, or another that fits where `name` leads. Not what shares the connection that publishes `name` still:
    /// whoever takes that over takes them all over.
    pub(crate) fn leading_beside(&self, name: &PresentationName) -> Option<&Rung> {
        let standings = self.standings(self.form(Form::Classic));
        let is_it = |rung: &&Rung| rung.presentation.name() == name;
        let own = self.rungs.iter().chain(&self.sounds).find(is_it);
        let is_other = |rung: &&Rung| {
            let shares = |own: &Rung| own.presentation.shares_connection(&rung.presentation);
            rung.is_live() && !is_it(rung) && !own.is_some_and(shares)
        };
        let leading = self.leading_in(&standings).filter(is_other);
        leading.or_else(|| {
            let all = self.rungs.iter().zip(&standings);
            let mut listed = all.filter(|(_, it)| it.is_listed()).map(|(rung, _)| rung);
            listed.find(is_other)
        })
    }
}
