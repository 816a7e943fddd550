//! What a ladder did while the encoder of one of its rungs was away. What comes of that is the registry's to say.

use media::PresentationName;

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

    /// All hear the sound of `name`, in CMAF: it is the first that has some beside its pictures, and others are there.
    pub(crate) fn is_heard_by_all(&self, name: &PresentationName) -> bool {
        let has_sound = |rung: &&Rung| {
            let sound = rung.sound(Form::LowLatency, "");
            sound.is_some_and(|sound| sound.uri.is_some())
        };
        let is_it = |rung: &Rung| rung.presentation.name() == name;
        let mut others = self.rungs.iter().filter(|rung| !is_it(rung));
        let mut there = self.rungs.iter();
        let mut there = there.by_ref().filter(|rung| is_it(rung) || rung.is_live());
        there.find(has_sound).is_some_and(is_it) && others.any(Rung::is_live)
    }

    /// The leading rung, or another that fits where `name` leads, whose connection may hang.
    pub(crate) fn leading_beside(&self, name: &PresentationName) -> Option<&Rung> {
        let standings = self.standings(self.form(Form::Classic));
        let is_other = |rung: &&Rung| rung.presentation.name() != name && rung.is_live();
        let leading = self.leading_in(&standings).filter(is_other);
        leading.or_else(|| {
            let all = self.rungs.iter().zip(&standings);
            let mut listed = all.filter(|(_, it)| it.is_listed()).map(|(rung, _)| rung);
            listed.find(is_other)
        })
    }
}
