//! Applications and their stream keys: who may publish, and under which public name.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use media::{AppName, Name, NameError};
use playlist::Label;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Expected, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{OnConflict, ranges, units};

/// An application that accepts publishes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct App {
    /// The first component of RTMP's application name, or `*` for any.
    pub(crate) name: String,
    /// Who may publish: empty for everybody, under the name they publish.
    #[serde(default)]
    pub(crate) keys: Vec<Key>,
    /// What stands behind `_` in the names of the rungs of a ladder, beside heights: `mobile` in `show_mobile`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rungs: Vec<String>,
    /// What the sound is called that viewers may choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) audio: Vec<Audio>,
    /// The `[[ladder]]` that its publishes are transcoded to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ladder: Option<String>,
    /// Above `rtmp.on_conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_conflict: Option<OnConflict>,
    /// Above `hls.resume`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "units::optional_duration"
    )]
    pub(crate) resume: Option<Duration>,
}

/// What the sound of a track is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audio {
    /// 0 for the first of a publish; else the number in Enhanced RTMP, or in the name of a publish (`show_audio1`).
    pub(crate) track: u8,
    name: Option<String>,
    language: Option<String>,
    #[serde(default)]
    default: bool,
}

/// A publish that may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Its public name.
    pub(crate) name: Name,
    /// What admitted it: the place of its key among those of the application, or 0 where anybody may publish.
    pub(crate) credential: u64,
}

/// A stream key. Its public name is what viewers see; without one it is the key itself.
#[derive(Clone, PartialEq, Serialize)]
#[serde(into = "Spelling")]
pub(crate) struct Key {
    secret: Name,
    name: Option<Name>,
}

/// The two spellings: `"secret"` and `{ key = "secret", name = "public" }`.
#[derive(Serialize)]
#[serde(untagged)]
enum Spelling {
    Bare(String),
    Named(Named),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    key: String,
    name: String,
}

/// Why a publish was refused: for the log; the encoder learns no more than that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// No `[[app]]` has this name.
    UnknownApp,
    /// The application has keys, and this is none of them.
    WrongKey,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownApp => "no [[app]] of this name is configured",
            Self::WrongKey => "the stream key is none of those configured for the application",
        })
    }
}

impl From<Key> for Spelling {
    fn from(key: Key) -> Self {
        let secret = key.secret.to_string();
        match key.name {
            Some(name) => Self::Named(Named {
                key: secret,
                name: name.to_string(),
            }),
            None => Self::Bare(secret),
        }
    }
}

/// By hand, so that a mistake has the place of the key in its list, and never shows it.
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherSpelling)
    }
}

struct EitherSpelling;

impl<'de> Visitor<'de> for EitherSpelling {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream key: \"secret\", or { key = \"secret\", name = \"public\" }")
    }

    fn visit_str<E: de::Error>(self, secret: &str) -> Result<Key, E> {
        Key::parse(secret, None).map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Key, M::Error> {
        // Its own error would show the secret to whoever wrote { secret = "public" }.
        let Named { key, name } = Named::deserialize(MapAccessDeserializer::new(map))
            .map_err(|_| de::Error::custom(format_args!("expected {}", &self as &dyn Expected)))?;
        Key::parse(&key, Some(&name)).map_err(de::Error::custom)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl App {
    /// An application that anybody may publish to.
    pub(crate) fn open(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            keys: Vec::new(),
            rungs: Vec::new(),
            audio: Vec::new(),
            ladder: None,
            on_conflict: None,
            resume: None,
        }
    }

    /// What the types alone cannot say: its name, and each key once.
    fn check(&self) -> Result<()> {
        if self.name != "*" {
            let app = AppName::parse(&self.name)?;
            ensure!(
                app.application() == app.as_str(),
                "[[app]] name {:?} has an instance; name the application alone",
                self.name
            );
            ensure!(
                app.as_str() == self.name,
                "[[app]] name {:?} ends with '/'; leave it out",
                self.name
            );
        }
        for rung in &self.rungs {
            Name::parse(rung, "rung")
                .with_context(|| format!("rungs of [[app]] {:?}", self.name))?;
            ensure!(
                !rung.contains('_'),
                "rungs of [[app]] {:?}: {rung:?} has a '_'; name what stands behind the last one",
                self.name
            );
        }
        if let Some((first, second)) = twice(&self.rungs, String::as_str) {
            bail!(
                "[[app]] {:?} has one rung twice: its rungs {first} and {second} are the same",
                self.name
            );
        }
        if let Some((first, second)) = twice(&self.audio, |audio| audio.track) {
            bail!(
                "[[app]] {:?}: its audio {first} and {second} are the same track; write what both say into one",
                self.name
            );
        }
        let mut defaults = self.audio.iter().filter(|audio| audio.default);
        if let (Some(first), Some(second)) = (defaults.next(), defaults.next()) {
            bail!(
                "[[app]] {:?}: its audio of track {} and of track {} are both the default; players begin with one",
                self.name,
                first.track,
                second.track
            );
        }
        for audio in &self.audio {
            audio
                .check()
                .with_context(|| format!("audio of [[app]] {:?}", self.name))?;
        }
        if let Some(resume) = self.resume {
            ranges::check_duration("resume of an [[app]]", resume, ranges::ABSENCE)?;
        }
        if let Some((first, second)) = twice(&self.keys, |key| key.secret.as_str()) {
            bail!(
                "[[app]] {:?} has one stream key twice: its keys {first} and {second} are the same",
                self.name
            );
        }
        Ok(())
    }

    /// Decides about a publish of `key`, which came with `token` in the query (`?key=…`) or without: the
    /// public name, or why not. A publisher either names its secret as the stream key, or publishes the
    /// public name and carries the secret in the query.
    ///
    /// Every configured key is compared in constant time, whatever the others gave.
    pub(crate) fn admit(&self, key: &Name, token: Option<&str>) -> Result<Admitted, Denial> {
        if self.keys.is_empty() {
            return Ok(Admitted {
                name: key.clone(),
                credential: 0,
            });
        }
        let mut admitted = None;
        for (configured, credential) in self.keys.iter().zip(1..) {
            let name = configured.public_name();
            let secret = configured.secret.as_str().as_bytes();
            let as_key = secret.ct_eq(key.as_str().as_bytes());
            let as_token = token.is_some_and(|token| bool::from(secret.ct_eq(token.as_bytes())));
            if bool::from(as_key) || (as_token && name == key) {
                admitted = Some(Admitted {
                    name: name.clone(),
                    credential,
                });
            }
        }
        admitted.ok_or(Denial::WrongKey)
    }
}

impl Audio {
    pub(crate) fn label(&self) -> Label {
        Label::new(self.name.as_deref(), self.language.as_deref(), self.default)
    }

    fn check(&self) -> Result<()> {
        let label = self.label();
        ensure!(
            label.language() == self.language.as_deref(),
            "language {:?} of track {} is no language tag, such as \"en\" or \"de-AT\"",
            self.language.as_deref().unwrap_or_default(),
            self.track
        );
        ensure!(
            label.name() == self.name.as_deref(),
            "name {:?} of track {} cannot stand in a playlist: 1 to 60 characters, without quotes and line breaks",
            self.name.as_deref().unwrap_or_default(),
            self.track
        );
        Ok(())
    }
}

impl Key {
    /// A secret travels as the name of an RTMP publish or as a value in its query, so it is spelled like
    /// a name. The error shows nothing of it.
    fn parse(secret: &str, name: Option<&str>) -> Result<Self> {
        let secret = match Name::parse(secret, "stream key") {
            Err(NameError::Empty(_)) => {
                bail!(
                    "the stream key is empty, which would let anybody publish; for that, write keys = []"
                )
            }
            Err(NameError::Character { .. }) => bail!(
                "the stream key has a character other than letters, digits, '-', '_' and '.'; it is \
                 sent as an RTMP name and in a query, so no other is allowed"
            ),
            parsed => parsed?,
        };
        let name = name.map(|name| Name::parse(name, "public")).transpose()?;
        Ok(Self { secret, name })
    }

    fn public_name(&self) -> &Name {
        self.name.as_ref().unwrap_or(&self.secret)
    }
}

/// Checks all applications together.
///
/// # Errors
/// There is none, one is there twice, or one is wrong in itself.
pub(super) fn check(apps: &[App]) -> Result<()> {
    ensure!(
        !apps.is_empty(),
        "no [[app]] is configured, so nobody could publish"
    );
    apps.iter().try_for_each(App::check)?;
    if let Some((first, second)) = twice(apps, |app| app.name.as_str()) {
        bail!("[[app]] {first} and {second} have the same name; write the keys of both into one");
    }
    Ok(())
}

/// The places, counted from 1, of the first two that are spelled the same.
pub(super) fn twice<'a, T, S: Eq + Hash>(
    all: &'a [T],
    spelled: impl Fn(&'a T) -> S,
) -> Option<(usize, usize)> {
    let mut places = HashMap::new();
    all.iter()
        .zip(1..)
        .find_map(|(each, place)| Some((places.insert(spelled(each), place)?, place)))
}

/// The application that `name` belongs to: its own, or `*`.
pub(crate) fn find<'a>(apps: &'a [App], name: &AppName) -> Result<&'a App, Denial> {
    apps.iter()
        .find(|app| app.name == name.application())
        .or_else(|| apps.iter().find(|app| app.name == "*"))
        .ok_or(Denial::UnknownApp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<App>, toml::de::Error> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            app: Vec<App>,
        }
        Ok(toml::from_str::<File>(text)?.app)
    }

    fn apps() -> Vec<App> {
        read(
            "
            [[app]]
            name = 'live'
            keys = ['plain', { key = 's3cret', name = 'show' }]
            [[app]]
            name = 'open'
        ",
        )
        .expect("valid")
    }

    fn admit(app: &str, key: &str, token: Option<&str>) -> Result<String, Denial> {
        let app = AppName::parse(app).expect("valid");
        let key = Name::parse(key, "publish").expect("valid");
        find(&apps(), &app)?
            .admit(&key, token)
            .map(|admitted| admitted.name.to_string())
    }

    #[test]
    fn keys_decide_who_publishes_and_under_which_name() {
        let cases = [
            ("open", "anything", None, Ok("anything")),
            ("live", "plain", None, Ok("plain")),
            ("live", "s3cret", None, Ok("show")),
            ("live/studio", "s3cret", None, Ok("show")),
            ("live", "show", Some("s3cret"), Ok("show")),
            ("live", "show", None, Err(Denial::WrongKey)),
            ("live", "show", Some("plain"), Err(Denial::WrongKey)),
            ("live", "other", Some("s3cret"), Err(Denial::WrongKey)),
            ("live", "s3cre", None, Err(Denial::WrongKey)),
            ("other", "plain", None, Err(Denial::UnknownApp)),
        ];
        for (app, key, token, expected) in cases {
            assert_eq!(
                admit(app, key, token),
                expected.map(str::to_owned),
                "{app} {key} {token:?}"
            );
        }
    }

    #[test]
    fn a_star_takes_every_application() {
        let apps = [App::open("live"), App::open("*")];
        let of =
            |name| find(&apps, &AppName::parse(name).expect("valid")).map(|app| app.name.clone());
        assert_eq!(of("live"), Ok("live".to_owned()));
        assert_eq!(of("else"), Ok("*".to_owned()));
    }

    #[test]
    fn a_secret_never_reaches_debug_output() {
        assert!(!format!("{:?}", apps()).contains("s3cret"));
    }

    #[test]
    fn keys_keep_their_spelling() {
        let written =
            "[[app]]\nname = \"live\"\nkeys = [\"plain\", { key = \"s3cret\", name = \"show\" }]\n";
        let read: toml::Table = toml::from_str(written).expect("TOML");
        let apps: Vec<App> = read["app"].clone().try_into().expect("applications");
        assert_eq!(toml::Value::try_from(apps), Ok(read["app"].clone()));
    }

    #[test]
    fn bad_applications_are_refused_with_the_reason() {
        let cases = [
            ("", "no [[app]] is configured, so nobody could publish"),
            (
                "[[app]]\nname = 'a b'",
                "the application name has ' ' at byte 1; letters, digits, '-', '_' and '.' are allowed",
            ),
            (
                "[[app]]\nname = 'live/studio'",
                "[[app]] name \"live/studio\" has an instance; name the application alone",
            ),
            (
                "[[app]]\nname = 'live/'",
                "[[app]] name \"live/\" ends with '/'; leave it out",
            ),
            (
                "[[app]]\nname = 'live'\n[[app]]\nname = '*'\n[[app]]\nname = 'live'",
                "[[app]] 1 and 3 have the same name; write the keys of both into one",
            ),
            (
                "[[app]]\nname = 'live'\nresume = '8days'",
                "resume of an [[app]] is 8days; 0s to 7days are allowed",
            ),
            (
                "[[app]]\nname = 'live'\naudio = [{ track = 1, default = true }, { track = 3, default = true }]",
                "[[app]] \"live\": its audio of track 1 and of track 3 are both the default; players begin with one",
            ),
            (
                "[[app]]\nname = 'live'\nkeys = ['s3cret', 'b', { key = 's3cret', name = 'show' }]",
                "[[app]] \"live\" has one stream key twice: its keys 1 and 3 are the same",
            ),
        ];
        for (text, expected) in cases {
            let error = check(&read(text).expect(expected)).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn two_keys_may_share_a_public_name_and_are_told_apart() {
        let apps = read(
            "[[app]]\nname = 'live'\nkeys = [{ key = 'a', name = 'show' }, { key = 'b', name = 'show' }]",
        );
        let apps = apps.expect("two encoders of one programme");
        check(&apps).expect("good");
        let [a, b] = ["a", "b"].map(|key| {
            let key = Name::parse(key, "publish").expect("valid");
            apps[0].admit(&key, None).expect("its key")
        });
        assert_eq!(a.name, b.name);
        assert_ne!(a.credential, b.credential);
    }

    #[test]
    fn an_application_may_have_its_own_ways() {
        let written =
            "[[app]]\nname = \"live\"\nkeys = []\non_conflict = \"backup\"\nresume = \"2m\"\n";
        let table: toml::Table = toml::from_str(written).expect("TOML");
        let apps: Vec<App> = table["app"].clone().try_into().expect("applications");
        assert_eq!(apps[0].on_conflict, Some(OnConflict::Backup));
        assert_eq!(apps[0].resume, Some(Duration::from_secs(120)));
        assert_eq!(toml::Value::try_from(apps), Ok(table["app"].clone()));
    }

    #[test]
    fn bad_keys_are_refused_with_the_reason_and_not_shown() {
        let cases = [
            ("''", "the stream key is empty, which would let anybody"),
            (
                "{ key = '', name = 'show' }",
                "the stream key is empty, which would let anybody",
            ),
            ("'s3cret/b'", "the stream key has a character other than"),
            (
                "{ key = 's3cret&b', name = 'show' }",
                "the stream key has a character other than",
            ),
            ("'.s3cret'", "the stream key name begins with a dot"),
            (
                "{ key = 's3cret', name = 'a b' }",
                "the public name has ' ' at byte 1",
            ),
            (
                "{ key = 's3cret' }",
                "expected a stream key: \"secret\", or { key = \"secret\", name = \"public\" }",
            ),
        ];
        for (key, expected) in cases {
            let error = read(&format!("[[app]]\nname = 'live'\nkeys = [{key}]"))
                .expect_err(expected)
                .message()
                .to_owned();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
