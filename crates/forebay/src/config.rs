//! The configuration: one TOML file, environment variables above it, command-line options above both.
//!
//! Every key has a default; `config/forebay.toml` shows them all, and a test holds it to them.

mod apps;
mod environment;
mod ladders;
mod ranges;
mod text;
mod tls;
mod units;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use toml::Table;

pub(crate) use apps::{App, Denial, find as find_app};
#[cfg(test)]
pub(crate) use ladders::Preset;
pub(crate) use ladders::{Ladder, Rendition, Transcoder};
pub(crate) use tls::Tls;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) rtmp: Rtmp,
    pub(crate) http: Http,
    pub(crate) tls: Tls,
    pub(crate) hls: Hls,
    pub(crate) state: State,
    pub(crate) log: Log,
    pub(crate) shutdown: Shutdown,
    pub(crate) transcoder: Transcoder,
    #[serde(rename = "ladder", skip_serializing_if = "Vec::is_empty")]
    pub(crate) ladders: Vec<Ladder>,
    #[serde(rename = "app")]
    pub(crate) apps: Vec<App>,
}

/// The first mile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rtmp {
    pub(crate) listen: SocketAddr,
    #[serde(with = "units::optional_address")]
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    #[serde(with = "units::duration")]
    pub(crate) handshake_timeout: Duration,
    #[serde(with = "units::duration")]
    pub(crate) publish_timeout: Duration,
    #[serde(with = "units::duration")]
    pub(crate) idle_timeout: Duration,
    pub(crate) max_message_bytes: u32,
    pub(crate) max_unfinished_bytes: u64,
    pub(crate) max_failed_publishes: u32,
    pub(crate) on_conflict: OnConflict,
    #[serde(with = "units::duration")]
    pub(crate) stalled_after: Duration,
}

/// What happens to a publish of a name that somebody publishes already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnConflict {
    /// It takes the name, and the earlier publish ends: an encoder must not be locked out by its own
    /// dead link.
    Takeover,
    /// It is refused.
    Reject,
    /// It stands by, and takes the name when the earlier publish stalls or leaves.
    Backup,
}

/// The last mile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    #[serde(with = "units::optional_address")]
    pub(crate) tls_listen: Option<SocketAddr>,
    #[serde(with = "units::optional_address")]
    pub(crate) operators_listen: Option<SocketAddr>,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    #[serde(with = "units::duration")]
    pub(crate) header_timeout: Duration,
    #[serde(with = "units::duration")]
    pub(crate) idle_timeout: Duration,
    #[serde(with = "units::duration")]
    pub(crate) write_timeout: Duration,
    #[serde(with = "units::duration")]
    pub(crate) first_segment_wait: Duration,
}

/// Segments and windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hls {
    #[serde(with = "units::duration")]
    pub(crate) segment: Duration,
    #[serde(with = "units::duration")]
    pub(crate) max_segment: Duration,
    pub(crate) max_segment_bytes: u64,
    pub(crate) window: usize,
    #[serde(with = "units::duration")]
    pub(crate) part: Duration,
    pub(crate) parts: Addressing,
    pub(crate) tracks: Packaging,
    pub(crate) hevc_in_ts: bool,
    pub(crate) listed_bytes: u64,
    pub(crate) removed_bytes: u64,
    pub(crate) max_presentations: usize,
    #[serde(with = "units::duration")]
    pub(crate) resume: Duration,
    #[serde(with = "units::duration")]
    pub(crate) linger: Duration,
}

/// How the parts of a low-latency segment are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Addressing {
    /// Each is a file of its own.
    Files,
    /// Each is a byte range of its segment.
    Ranges,
}

/// Which tracks of a low-latency presentation travel together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Packaging {
    /// Pictures and sound each have a playlist.
    Separate,
    /// One playlist has both.
    Muxed,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct State {
    /// Empty: where the system keeps such things.
    pub(crate) directory: PathBuf,
}

/// Logs, on standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// The way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Shutdown {
    #[serde(with = "units::duration")]
    pub(crate) deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rtmp: Rtmp::default(),
            http: Http::default(),
            tls: Tls::default(),
            hls: Hls::default(),
            state: State::default(),
            log: Log::default(),
            shutdown: Shutdown::default(),
            transcoder: Transcoder::default(),
            ladders: Vec::new(),
            apps: vec![App::open("live")],
        }
    }
}

impl Default for Rtmp {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 1935)),
            tls_listen: None,
            max_connections: 4_000,
            max_connections_per_address: 2_000,
            handshake_timeout: Duration::from_secs(10),
            publish_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(15),
            max_message_bytes: 8 * 1024 * 1024,
            max_unfinished_bytes: 256 * 1024 * 1024,
            max_failed_publishes: 30,
            on_conflict: OnConflict::Takeover,
            stalled_after: Duration::from_secs(2),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            tls_listen: None,
            operators_listen: None,
            max_connections: 10_000,
            max_connections_per_address: 5_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            first_segment_wait: Duration::from_secs(15),
        }
    }
}

impl Default for Hls {
    fn default() -> Self {
        Self {
            segment: Duration::from_secs(2),
            max_segment: Duration::from_secs(12),
            max_segment_bytes: 64 * 1024 * 1024,
            window: 6,
            part: Duration::from_millis(200),
            parts: Addressing::Files,
            tracks: Packaging::Separate,
            hevc_in_ts: false,
            listed_bytes: 256 * 1024 * 1024,
            removed_bytes: 256 * 1024 * 1024,
            max_presentations: 10_000,
            resume: Duration::from_secs(30),
            linger: Duration::from_secs(60),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            filter: "info".to_owned(),
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Reads `file`, if there is one, and lays the environment over it.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self> {
        let Some(path) = file else {
            return Self::read("", "the built-in configuration", environment);
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::read(&text, &path.display().to_string(), environment)
    }

    fn read(
        text: &str,
        origin: &str,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self> {
        // Read once for itself, since only the file's own text gives errors with line and column.
        text::read::<Self>(text).with_context(|| format!("in {origin}"))?;
        let mut table: Table = text::read(text).with_context(|| format!("in {origin}"))?;
        let overrides = environment::lay_over(&mut table, environment)?;
        let origin = match overrides.as_slice() {
            [] => origin.to_owned(),
            overrides => format!("{origin} with {}", overrides.join(", ")),
        };
        let config: Self = text::read_table(table).with_context(|| format!("in {origin}"))?;
        config.validate().with_context(|| format!("in {origin}"))?;
        Ok(config)
    }

    /// What the types alone cannot say.
    fn validate(&self) -> Result<()> {
        ranges::check(self)?;
        self.check_listeners()?;
        apps::check(&self.apps)?;
        ladders::check(&self.ladders, &self.apps)
    }

    /// What is allowed, and hardly meant.
    pub(crate) fn remarks(&self) -> Vec<String> {
        ladders::remarks(&self.ladders, &self.apps)
    }
}

impl Config {
    /// Two listeners cannot have one port of one address; port 0 is a different one each time.
    fn check_listeners(&self) -> Result<()> {
        let listeners = [
            ("rtmp.listen", Some(self.rtmp.listen)),
            ("rtmp.tls_listen", self.rtmp.tls_listen),
            ("http.listen", Some(self.http.listen)),
            ("http.tls_listen", self.http.tls_listen),
            ("http.operators_listen", self.http.operators_listen),
        ];
        for (at, (key, address)) in listeners.iter().enumerate() {
            let Some(address) = address.filter(|address| address.port() != 0) else {
                continue;
            };
            let twin = listeners[..at].iter().find(|(_, other)| {
                other.is_some_and(|other| {
                    let anywhere = other.ip().is_unspecified() || address.ip().is_unspecified();
                    other.port() == address.port() && (anywhere || other.ip() == address.ip())
                })
            });
            if let Some((other, _)) = twin {
                bail!("{key} and {other} both want port {}", address.port());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = include_str!("../../../config/forebay.toml");

    fn from_text(text: &str, environment: &[(&str, &str)]) -> Result<Config> {
        let environment = environment
            .iter()
            .map(|&(key, value)| (key.into(), value.into()));
        Config::read(text, "the test", environment)
    }

    #[test]
    fn the_file_shows_every_key_with_its_default() {
        let shown: Table = toml::from_str(SHOWN).expect("config/forebay.toml is TOML");
        let built_in = Table::try_from(Config::default()).expect("the configuration is a table");
        assert_eq!(shown, built_in);
    }

    #[test]
    fn the_environment_overrides_a_key() {
        let environment = [
            ("FOREBAY__HLS__SEGMENT", "4s"),
            ("FOREBAY__HLS__WINDOW", "10"),
            ("FOREBAY__RTMP__LISTEN", "127.0.0.1:0"),
            ("PATH", "/bin"),
        ];
        let config = from_text("[hls]\nsegment = '1s'\n", &environment).expect("valid");
        assert_eq!(
            (config.hls.segment, config.hls.window),
            (Duration::from_secs(4), 10)
        );
        assert_eq!(config.rtmp.listen.port(), 0);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let cases = [
            (
                "[hls]\nsegmnet = '2s'\n",
                &[][..],
                "unknown field `segmnet`",
            ),
            ("[hls]\nsegment = '2 parsecs'\n", &[], "unknown time unit"),
            (
                "[http]\nlisten = '127.0.0.1:1935'\n",
                &[],
                "http.listen and rtmp.listen both want port 1935",
            ),
            (
                "[http]\ntls_listen = '0.0.0.0:8080'\n",
                &[],
                "http.tls_listen and http.listen both want port 8080",
            ),
            (
                "[hls]\nsegment = '1ms'\n",
                &[],
                "in the test: hls.segment is 1ms",
            ),
            (
                "[hls]\nwindow = 7\n",
                &[("FOREBAY__HLS__WINDOW", "2")],
                "in the test with FOREBAY__HLS__WINDOW: hls.window is 2",
            ),
            (
                "[rtmp]\non_conflict = 'fight'\n",
                &[],
                "unknown variant `fight`, expected one of `takeover`, `reject`, `backup`",
            ),
            ("app = []\n", &[], "no [[app]] is configured"),
            (
                "",
                &[("FOREBAY__HLS__SEGMNET", "2s")],
                "unknown field `segmnet`",
            ),
            (
                "",
                &[("FOREBAY__HLS__WINDOW", "x")],
                "in the test with FOREBAY__HLS__WINDOW: invalid type: string \"x\", expected usize in `hls.window`",
            ),
            (
                "",
                &[("FOREBAY__HLS", "2s")],
                "expected FOREBAY__SECTION__KEY",
            ),
            ("[[app]]\nname = 'a b'\n", &[], "' ' at byte 1"),
        ];
        for (text, environment, expected) in cases {
            let error = format!("{:#}", from_text(text, environment).expect_err(expected));
            assert!(error.contains(expected), "{error}");
        }
    }
}
