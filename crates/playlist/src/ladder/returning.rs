//! What a ladder did while the encoder of one of its rungs was away, and what that finds there. What comes of it does not
//! belong here (`others`).

use media::{MediaTime, PresentationName};

use super::{Form, Ladder, Rung};

/// In which form a rung is played with sound that is not its own, or others with its.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SharedSound {
    /// In MPEG-TS.
    pub(crate) segments: bool,
    /// In CMAF.
    pub(crate) parts: bool,
}

impl Ladder {
    /// The form that tells most of who is published: classic, but where nothing is listed there yet, parts are.
    pub(super) fn known(&self) -> Form {
        let form = self.form(Form::Classic);
        match self.live().any(|rung| rung.is_begun(form)) {
            true => form,
            false => Form::LowLatency,
        }
    }

    /// So many segments of `leading` began when the media of `name` had ended; `None` if nothing of it is listed.
    pub(crate) fn missed(&self, name: &PresentationName, leading: &Rung) -> Option<usize> {
        let form = self.known();
        let mut all = self.rungs.iter().chain(&self.sounds);
        let own = all.find(|it| it.presentation.name() == name)?;
        let until = own.boundaries(form).until()?;
        Some(leading.boundaries(form).begun_since(until))
    }

    /// Whether `name` is played beside the sound of another that is live, or such a one beside its own.
    pub(crate) fn shared_sound(&self, name: &PresentationName) -> SharedSound {
        let is_it = |rung: &Rung| rung.presentation.name() == name;
        let all = || self.rungs.iter().chain(&self.sounds);
        let Some(own) = all().find(|it| is_it(it)) else {
            return SharedSound::default();
        };
        let mut shared = SharedSound::default();
        for other in all().filter(|other| !is_it(other) && other.is_live()) {
            let any_is_sound = own.number().or(other.number()).is_some();
            let has_sound = [own, other].map(|it| it.presentation.has_sound());
            let is_mixed = matches!(has_sound, [Some(own), Some(other)] if own != other);
            shared.segments |= any_is_sound || is_mixed;
            // In CMAF all rungs hear one that has sound beside its pictures.
            shared.parts |= own.has_sound_apart() || other.has_sound_apart();
        }
        SharedSound {
            parts: shared.parts || shared.segments,
            ..shared
        }
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
        let standings = self.standings(self.known());
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
