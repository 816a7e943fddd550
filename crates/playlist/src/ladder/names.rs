//! Which presentations are rungs of one ladder: a rule for names, so that no show has to be declared.

use std::collections::BTreeMap;

use media::{Name, NameError, PresentationName};

/// What stands between the name of a ladder and that of its rung.
const JOINT: char = '_';

/// What stands before the number of sound beside the rungs.
const SOUND: &str = "audio";

/// Heights that pictures have: a number at the end of a name that is one of these was meant as one.
const USUAL: [&str; 12] = [
    "144", "180", "240", "270", "360", "432", "480", "540", "720", "1080", "1440", "2160",
];

/// Stands for all applications that are not named.
const ANY: &str = "*";

/// `show_720p` is a rung of `show`, as is `show_mobile` where `mobile` is declared for the application, and
/// `show_audio1` is sound that belongs to it.
#[derive(Clone, Debug, Default)]
pub struct RungNames {
    /// What may stand behind the name beside heights, by application.
    declared: BTreeMap<String, Vec<String>>,
}

impl RungNames {
    /// Declares the rungs of `application`, or of all others where that is `*`, that are not named by a height.
    pub fn declare(&mut self, application: &str, rungs: &[String]) {
        self.declared.insert(application.to_owned(), rungs.to_vec());
    }

    /// The ladder that a presentation is a rung of, by its name.
    pub fn ladder_over(&self, name: &PresentationName) -> Option<PresentationName> {
        let (ladder, rung) = name.name.as_str().rsplit_once(JOINT)?;
        let declared = self.declared.get(name.app.application());
        let declared = declared.or_else(|| self.declared.get(ANY));
        let is_declared = declared.is_some_and(|rungs| rungs.iter().any(|it| it == rung));
        if !is_declared && height(rung).is_none() && sound(rung).is_none() {
            return None;
        }
        Some(PresentationName {
            app: name.app.clone(),
            name: Name::parse(ladder, "publish").ok()?,
        })
    }

    /// What a presentation would be called as a rung, if its name is none and looks like one: `show_720p` of `show_720` and
    /// `show-720p`.
    pub fn nearly(&self, name: &PresentationName) -> Option<PresentationName> {
        let (ladder, rung) = name.name.as_str().rsplit_once([JOINT, '-'])?;
        let height = rung.strip_suffix(['p', 'P']).unwrap_or(rung);
        if !USUAL.contains(&height) || self.ladder_over(name).is_some() {
            return None;
        }
        let rung = PresentationName {
            app: name.app.clone(),
            name: Name::parse(&format!("{ladder}{JOINT}{height}p"), "publish").ok()?,
        };
        self.ladder_over(&rung).is_some().then_some(rung)
    }

    /// The name of the sound of track `number`, which is not 0, beside that of `ladder`.
    ///
    /// # Errors
    /// It is too long.
    pub fn sound_of(ladder: &PresentationName, number: u8) -> Result<PresentationName, NameError> {
        let name = format!("{}{JOINT}{SOUND}{number}", ladder.name);
        Ok(PresentationName {
            app: ladder.app.clone(),
            name: Name::parse(&name, "publish")?,
        })
    }

    /// The number of the sound in the name of a presentation.
    pub fn sound_in(name: &PresentationName) -> Option<u8> {
        let (_, rung) = name.name.as_str().rsplit_once(JOINT)?;
        sound(rung)
    }

    /// The first name that a rung of `ladder` may have, in the order of names; `None` if it were too long.
    pub(crate) fn first_below(ladder: &PresentationName) -> Option<PresentationName> {
        let first = format!("{}{JOINT}", ladder.name);
        Some(PresentationName {
            app: ladder.app.clone(),
            name: Name::parse(&first, "publish").ok()?,
        })
    }

    /// Whether `name` comes no later, in the order of names, than the last that a rung of `ladder` may have.
    pub(crate) fn may_be_below(name: &PresentationName, ladder: &PresentationName) -> bool {
        let rest = name.name.as_str().strip_prefix(ladder.name.as_str());
        name.app == ladder.app && rest.is_some_and(|rest| rest.starts_with(JOINT))
    }
}

/// The height in the name of a rung, pixels: of `720p`, and of `720p60` or `720p2500`, which tell two of one height
/// apart.
pub(super) fn height(rung: &str) -> Option<u32> {
    let (height, more) = rung.split_once('p')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // One height has one name.
    if !digits(height) || height.starts_with('0') || height.len() > 5 {
        return None;
    }
    if !digits(more) || more.len() > 6 {
        return None;
    }
    height.parse().ok()
}

/// The number of the sound in the name of what belongs to a ladder beside its rungs: of `audio1`.
pub(super) fn sound(rung: &str) -> Option<u8> {
    let number = rung.strip_prefix(SOUND)?;
    let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || number.starts_with('0') {
        return None;
    }
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_rungs_everywhere_and_words_where_declared() {
        let mut rule = RungNames::default();
        rule.declare("live", &["mobile".to_owned()]);
        let cases = [
            ("live", "show_720p", Some("show")),
            ("live", "show_720p60", Some("show")),
            ("live/studio", "show_mobile", Some("show")),
            ("other", "show_mobile", None),
            ("live", "my_show_1080p", Some("my_show")),
            ("live", "show", None),
            ("live", "my_show", None),
            ("live", "show_audio1", Some("show")),
            ("live", "show_audio", None),
            ("live", "show_audio01", None),
            ("live", "show_audio0", None),
            ("live", "show_audio256", None),
            ("live", "show_p", None),
            ("live", "show_0p", None),
            ("live", "show_0720p", None),
            ("live", "show_720px", None),
            ("live", "_720p", None),
            ("live", "show_99999999999p", None),
        ];
        for (app, name, ladder) in cases {
            let name = PresentationName::parse(app, name).expect("valid");
            let expected = ladder.map(|it| PresentationName::parse(app, it).expect("valid"));
            assert_eq!(rule.ladder_over(&name), expected, "{name}");
        }
    }

    #[test]
    fn what_looks_like_a_rung_is_told_its_name() {
        let mut rule = RungNames::default();
        rule.declare("live", &["1080".to_owned()]);
        for (name, rung) in [
            ("show_720", Some("show_720p")),
            ("show-720p", Some("show_720p")),
            ("show_480P", Some("show_480p")),
            ("show_720p", None),
            ("show_1080", None),
            ("cam_2026", None),
            ("show", None),
            ("-720", None),
        ] {
            let name = PresentationName::parse("live", name).expect("valid");
            let nearly = rule.nearly(&name);
            let nearly = nearly.as_ref().map(|it| it.name.as_str());
            assert_eq!(nearly, rung, "{name}");
        }
    }
}
