//! Ladders that the gateway makes itself: which renditions ffmpeg encodes of a publish.

use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};
use media::Name;
use serde::{Deserialize, Serialize};

use super::apps::{App, twice};

/// Each costs an encoder, and players gain nothing from more.
const MAX_RENDITIONS: usize = 8;
/// Pixels.
const HEIGHTS: std::ops::RangeInclusive<u32> = 64..=4_320;
/// bit/s.
const BIT_RATES: std::ops::RangeInclusive<u32> = 50_000..=100_000_000;

/// How the publishes of an application are transcoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ladder {
    /// What an `[[app]]` calls it.
    pub(crate) name: String,
    /// Its rungs below the source.
    pub(crate) renditions: Vec<Rendition>,
}

/// One rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rendition {
    /// Pixels; the width follows.
    pub(crate) height: u32,
    /// Of its pictures, bit/s.
    pub(crate) bit_rate: u32,
    #[serde(default)]
    pub(crate) preset: Preset,
}

/// x264's presets: how much of a processor a picture may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    Ultrafast,
    Superfast,
    #[default]
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl Preset {
    /// x264's name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What encodes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Transcoder {
    /// A program on the PATH, or a path.
    pub(crate) ffmpeg: String,
    /// So many run at once, at most.
    pub(crate) max_processes: usize,
}

impl Default for Transcoder {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".to_owned(),
            max_processes: 16,
        }
    }
}

impl Ladder {
    fn check(&self) -> Result<()> {
        Name::parse(&self.name, "ladder")?;
        let named = || format!("renditions of [[ladder]] {:?}", self.name);
        ensure!(
            (1..=MAX_RENDITIONS).contains(&self.renditions.len()),
            "{} are {}; 1 to {MAX_RENDITIONS} are allowed",
            named(),
            self.renditions.len()
        );
        for (rendition, place) in self.renditions.iter().zip(1..) {
            rendition
                .check()
                .with_context(|| format!("{}, number {place}", named()))?;
        }
        if let Some((first, second)) = twice(&self.renditions, |rendition| rendition.height) {
            bail!(
                "{}: {first} and {second} have the same height; a rung is named after it",
                named()
            );
        }
        Ok(())
    }
}

impl Rendition {
    fn check(self) -> Result<()> {
        let Self {
            height, bit_rate, ..
        } = self;
        let [least, most] = [HEIGHTS.start(), HEIGHTS.end()];
        ensure!(
            HEIGHTS.contains(&height),
            "height is {height}; {least} to {most} are allowed"
        );
        ensure!(
            height.is_multiple_of(2),
            "height is {height}; it has to be even, as H.264 halves it for colour"
        );
        let [least, most] = [BIT_RATES.start(), BIT_RATES.end()];
        ensure!(
            BIT_RATES.contains(&bit_rate),
            "bit_rate is {bit_rate}; {least} to {most} are allowed, in bit/s"
        );
        Ok(())
    }
}

/// Checks all ladders, and that each application's is there.
pub(super) fn check(ladders: &[Ladder], apps: &[App]) -> Result<()> {
    ladders.iter().try_for_each(Ladder::check)?;
    if let Some((first, second)) = twice(ladders, |ladder| ladder.name.as_str()) {
        bail!("[[ladder]] {first} and {second} have the same name");
    }
    for app in apps {
        if let Some(wanted) = &app.ladder {
            ensure!(
                ladders.iter().any(|ladder| ladder.name == *wanted),
                "ladder of [[app]] {:?} is {wanted:?}, and no [[ladder]] has that name",
                app.name
            );
        }
    }
    Ok(())
}

/// Of ladders that nobody asks for.
pub(super) fn remarks(ladders: &[Ladder], apps: &[App]) -> Vec<String> {
    let is_wanted = |ladder: &&Ladder| {
        let mut wanted = apps.iter().filter_map(|app| app.ladder.as_ref());
        wanted.any(|name| *name == ladder.name)
    };
    let idle = ladders.iter().filter(|ladder| !is_wanted(ladder));
    idle.map(|Ladder { name, .. }| {
        format!(
            "[[ladder]] {name:?} is never made, since no [[app]] names it; write ladder = {name:?} into one"
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const LADDER: &str = "
        [[ladder]]
        name = 'mobile'
        renditions = [
            { height = 720, bit_rate = 2_500_000, preset = 'fast' },
            { height = 360, bit_rate = 800_000 },
        ]
        [[app]]
        name = 'live'
        ladder = 'mobile'
    ";

    fn read(text: &str) -> Result<Config> {
        Config::read(text, "the test", std::iter::empty())
    }

    #[test]
    fn an_application_has_a_ladder_by_its_name() {
        let config = read(LADDER).expect("valid");
        let [ladder] = &config.ladders[..] else {
            panic!("{:?}", config.ladders);
        };
        assert_eq!(config.apps[0].ladder.as_deref(), Some("mobile"));
        let presets = ladder.renditions.iter().map(|it| it.preset.as_str());
        assert_eq!(presets.collect::<Vec<_>>(), ["fast", "veryfast"]);
        assert_eq!(config.transcoder.ffmpeg, "ffmpeg");
    }

    #[test]
    fn a_ladder_that_nobody_names_is_remarked_upon() {
        let config = read(LADDER).expect("valid");
        assert_eq!(config.remarks(), [""; 0]);
        let config = read(&LADDER.replace("ladder = 'mobile'", "")).expect("it does no harm");
        let [remark] = &config.remarks()[..] else {
            panic!("{:?}", config.remarks());
        };
        let expected = "[[ladder]] \"mobile\" is never made, since no [[app]] names it";
        assert!(remark.starts_with(expected), "{remark}");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let nine: String = (0..9)
            .map(|n| format!("{{ height = {}, bit_rate = 500000 }},", 100 + 2 * n))
            .collect();
        let cases = [
            (
                "height = 360",
                "height = 720",
                "1 and 2 have the same height",
            ),
            (
                "height = 360",
                "height = 361",
                "renditions of [[ladder]] \"mobile\", number 2: height is 361; it has to be even",
            ),
            ("height = 360", "height = 10", "height is 10; 64 to 4320"),
            (
                "800_000",
                "800",
                "number 2: bit_rate is 800; 50000 to 100000000 are allowed, in bit/s",
            ),
            (
                "ladder = 'mobile'",
                "ladder = 'mobil'",
                "ladder of [[app]] \"live\" is \"mobil\", and no [[ladder]] has that name",
            ),
            (
                "'fast'",
                "'quick'",
                "line 5, column 60: unknown variant `quick`",
            ),
            ("bit_rate", "bitrate", "unknown field `bitrate`"),
            (
                "{ height = 360",
                &format!("{nine} {{ height = 360"),
                "renditions of [[ladder]] \"mobile\" are 11; 1 to 8 are allowed",
            ),
            (
                "[[app]]",
                "[[ladder]]\nname = 'mobile'\nrenditions = [{ height = 100, bit_rate = 100000 }]\n[[app]]",
                "[[ladder]] 1 and 2 have the same name",
            ),
        ];
        for (right, wrong, expected) in cases {
            let error = read(&LADDER.replacen(right, wrong, 1)).expect_err(expected);
            let error = format!("{error:#}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
