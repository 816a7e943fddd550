//! What the sound of a presentation is called, for whoever chooses among several.

/// The most characters of a name.
const MAX_NAME: usize = 60;
/// The most characters of a language tag: RFC 5646 §4.4.1 asks for room for 35.
const MAX_LANGUAGE: usize = 35;

/// What a rendition of sound is called (rfc8216bis §4.4.6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Label {
    name: Option<String>,
    language: Option<String>,
    is_default: bool,
}

impl Label {
    /// From what an encoder or a configuration says; what cannot stand in a playlist is left out. Of several that are
    /// the default, the first is.
    pub fn new(name: Option<&str>, language: Option<&str>, is_default: bool) -> Self {
        let name = name.map(|name| {
            let fit = name.chars().filter(|c| !c.is_control() && *c != '"');
            fit.take(MAX_NAME).collect::<String>().trim().to_owned()
        });
        let is_tag = |tag: &&str| {
            (1..=MAX_LANGUAGE).contains(&tag.len())
                && tag.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        Self {
            name: name.filter(|name| !name.is_empty()),
            language: language.filter(is_tag).map(str::to_owned),
            is_default,
        }
    }

    /// This, and where it says nothing, what `other` says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            language: self.language.or(other.language),
            is_default: self.is_default || other.is_default,
        }
    }

    /// NAME.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// LANGUAGE, a tag of RFC 5646.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Players begin with it.
    pub fn is_default(&self) -> bool {
        self.is_default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_does_not_say_the_other_says() {
        let configured = Label::new(Some("Deutsch"), None, false);
        let sent = Label::new(Some("audio 1"), Some("de"), false);
        let both = Label::new(Some("Deutsch"), Some("de"), false);
        assert_eq!(configured.or(sent.clone()), both);
        assert_eq!(Label::default().or(sent.clone()), sent);
    }

    #[test]
    fn what_cannot_stand_in_a_playlist_is_left_out() {
        let label = Label::new(Some(" Deutsch\n\"x\" "), Some("de-AT"), false);
        assert_eq!(label.name(), Some("Deutschx"));
        assert_eq!(label.language(), Some("de-AT"));
        let hostile = Label::new(Some("\"\r\n"), Some("en\",URI=\"x"), false);
        assert_eq!(hostile, Label::default());
        let long = Label::new(Some(&"ü".repeat(100)), Some(&"a".repeat(36)), false);
        assert_eq!(long.name().map(|name| name.chars().count()), Some(60));
        assert_eq!(long.language(), None);
    }
}
