//! Names of applications and presentations: one canonical spelling that is authorised, registered and
//! served.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// The longest name accepted, in bytes: room for a UUID with a prefix, short enough for every log line,
/// file system and URL it ends up in.
pub const MAX_NAME_BYTES: usize = 128;

/// First path components that HTTP uses for itself, and that an application therefore cannot have.
pub const RESERVED_APPS: [&str; 8] = [
    "api",
    "assets",
    "favicon.ico",
    "healthz",
    "metrics",
    "readyz",
    "robots.txt",
    "watch",
];

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing is left once the query string is cut off.
    #[error("the {0} name is empty")]
    Empty(&'static str),
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("the {what} name has {bytes} bytes, more than the {MAX_NAME_BYTES} allowed")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A character outside letters, digits, `-`, `_` and `.`.
    #[error(
        "the {what} name has {found:?} at byte {at}; letters, digits, '-', '_' and '.' are allowed"
    )]
    Character {
        /// Which name.
        what: &'static str,
        /// The character.
        found: char,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A leading dot: hidden files, `.` and `..`.
    #[error("the {0} name begins with a dot")]
    LeadingDot(&'static str),
    /// `a/b/c` where at most `app/instance` is allowed.
    #[error("the application name has {0} parts; 'app' and 'app/instance' are allowed")]
    TooDeep(usize),
    /// One of [`RESERVED_APPS`].
    #[error("the application name {0:?} is taken by the gateway's own pages")]
    Reserved(String),
}

/// One validated component of a path: ASCII letters, digits, `-`, `_`, `.`, no leading dot, at most
/// [`MAX_NAME_BYTES`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Validates `text`; `what` names it in the error ("application", "publish").
    ///
    /// # Errors
    /// Whatever makes it unfit for a URL, a log line or a registry key.
    pub fn parse(text: &str, what: &'static str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty(what));
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(NameError::TooLong {
                what,
                bytes: text.len(),
            });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some((at, found)) = text.char_indices().find(|&(_, c)| !allowed(c)) {
            return Err(NameError::Character { what, found, at });
        }
        if text.starts_with('.') {
            return Err(NameError::LeadingDot(what));
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An application with an optional instance, as RTMP's `connect` names it: `live` or `live/studio-2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName(Arc<str>);

impl AppName {
    /// Validates an application name; one trailing `/` is forgiven, since encoders add it.
    ///
    /// # Errors
    /// A bad component, more than two of them, or a reserved first one.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let parts = text.split('/').count();
        if parts > 2 {
            return Err(NameError::TooDeep(parts));
        }
        for part in text.split('/') {
            Name::parse(part, "application")?;
        }
        let app = Self(text.into());
        if RESERVED_APPS.contains(&app.application()) {
            return Err(NameError::Reserved(app.application().to_owned()));
        }
        Ok(app)
    }

    /// The whole name, instance included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The application alone: what the configuration's `[[app]]` is looked up by.
    pub fn application(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(&*self.0, |(application, _)| application)
    }
}

/// What viewers ask for: `app/name`, the key of a presentation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PresentationName {
    /// The application, with its instance if it has one.
    pub app: AppName,
    /// The public name within it.
    pub name: Name,
}

impl PresentationName {
    /// Validates both halves.
    ///
    /// # Errors
    /// The first thing wrong with either.
    pub fn parse(app: &str, name: &str) -> Result<Self, NameError> {
        Ok(Self {
            app: AppName::parse(app)?,
            name: Name::parse(name, "publish")?,
        })
    }
}

impl fmt::Display for PresentationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.name)
    }
}

impl fmt::Debug for PresentationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! reads_as_text {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    )+};
}

reads_as_text!(Name, AppName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_pass() {
        for (app, name) in [
            ("live", "show"),
            ("live/", "a"),
            ("live/studio-2", "cam_1.main"),
            ("LIVE", "9"),
        ] {
            let parsed = PresentationName::parse(app, name).expect("ordinary name");
            assert_eq!(
                parsed.to_string(),
                format!("{}/{name}", app.trim_end_matches('/'))
            );
        }
        assert_eq!(
            AppName::parse("live/studio").expect("app").application(),
            "live"
        );
    }

    #[test]
    fn hostile_names_are_refused_with_the_reason() {
        let long = "x".repeat(10_000);
        let cases = [
            ("live", "", "the publish name is empty"),
            ("live", "..", "the publish name begins with a dot"),
            ("..", "a", "the application name begins with a dot"),
            (
                "live/../../tmp",
                "a",
                "the application name has 4 parts; 'app' and 'app/instance' are allowed",
            ),
            ("live/..", "a", "the application name begins with a dot"),
            (
                "live",
                "a/../b",
                "the publish name has '/' at byte 1; letters, digits, '-', '_' and '.' are allowed",
            ),
            (
                "live",
                "a\0b",
                "the publish name has '\\0' at byte 1; letters, digits, '-', '_' and '.' are allowed",
            ),
            (
                "live",
                "%2e%2e",
                "the publish name has '%' at byte 0; letters, digits, '-', '_' and '.' are allowed",
            ),
            (
                "live",
                "имя",
                "the publish name has 'и' at byte 0; letters, digits, '-', '_' and '.' are allowed",
            ),
            (
                "live",
                &long,
                "the publish name has 10000 bytes, more than the 128 allowed",
            ),
            (
                "api",
                "a",
                "the application name \"api\" is taken by the gateway's own pages",
            ),
        ];
        for (app, name, expected) in cases {
            let error = PresentationName::parse(app, name).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_safe_in_a_path(app in ".{0,12}", name in ".{0,12}") {
            if let Ok(parsed) = PresentationName::parse(&app, &name) {
                let text = parsed.to_string();
                prop_assert!(!text.contains("..") || !text.split('/').any(|part| part.starts_with('.')));
                prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'%' && b != b'\\'));
                prop_assert_eq!(PresentationName::parse(parsed.app.as_str(), parsed.name.as_str()), Ok(parsed));
            }
        }
    }
}
