//! Where each number and each duration of the configuration may lie: what the types alone cannot say.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Config;
use crate::publish::REPORT_EVERY;

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Shorter ones cost more requests than they save time.
const SHORTEST_PART: Duration = Duration::from_millis(100);
/// What is known of a publish is up to a report old: less would take its name from one that is active.
const LEAST_STALL: Duration = REPORT_EVERY.saturating_mul(2);

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
/// The most that the length field of an RTMP message can say (RTMP 1.0, section 5.3.1).
const LONGEST_MESSAGE: u64 = (1 << 24) - 1;

/// How long a publisher may be away.
pub(super) const ABSENCE: RangeInclusive<Duration> = Duration::ZERO..=DAY.saturating_mul(7);

type Row<T> = (&'static str, T, RangeInclusive<T>);

/// Refuses the first value outside its range.
pub(super) fn check(config: &Config) -> Result<()> {
    let shown = |span: Duration| humantime::format_duration(span);
    durations(config)
        .into_iter()
        .try_for_each(|row| check_row(row, shown))?;
    counts(config)
        .into_iter()
        .try_for_each(|row| check_row(row, |count| count))
}

/// Refuses a value of `key` outside `range`.
pub(super) fn check_duration(
    key: &'static str,
    span: Duration,
    range: RangeInclusive<Duration>,
) -> Result<()> {
    check_row((key, span, range), humantime::format_duration)
}

fn check_row<T: PartialOrd + Copy, S: Display>(
    (key, value, range): Row<T>,
    shown: impl Fn(T) -> S,
) -> Result<()> {
    ensure!(
        range.contains(&value),
        "{key} is {}; {} to {} are allowed",
        shown(value),
        shown(*range.start()),
        shown(*range.end())
    );
    Ok(())
}

fn durations(config: &Config) -> [Row<Duration>; 14] {
    let Config {
        rtmp,
        http,
        hls,
        shutdown,
        ..
    } = config;
    let timeout = || MILLISECOND..=DAY;
    let absence = || ABSENCE;
    [
        ("rtmp.handshake_timeout", rtmp.handshake_timeout, timeout()),
        ("rtmp.publish_timeout", rtmp.publish_timeout, timeout()),
        ("rtmp.idle_timeout", rtmp.idle_timeout, timeout()),
        (
            "rtmp.stalled_after",
            rtmp.stalled_after,
            LEAST_STALL..=MINUTE,
        ),
        ("http.header_timeout", http.header_timeout, timeout()),
        ("http.idle_timeout", http.idle_timeout, timeout()),
        ("http.write_timeout", http.write_timeout, timeout()),
        // None at all is an answer at once.
        (
            "http.first_segment_wait",
            http.first_segment_wait,
            Duration::ZERO..=DAY,
        ),
        ("hls.segment", hls.segment, MILLISECOND * 200..=MINUTE),
        // Zero is none at all.
        (
            "hls.part",
            hls.part,
            if hls.part.is_zero() {
                Duration::ZERO..=Duration::ZERO
            } else {
                SHORTEST_PART..=hls.segment
            },
        ),
        (
            "hls.max_segment",
            hls.max_segment,
            hls.segment..=MINUTE * 10,
        ),
        ("hls.resume", hls.resume, absence()),
        ("hls.linger", hls.linger, absence()),
        (
            "shutdown.deadline",
            shutdown.deadline,
            Duration::ZERO..=MINUTE * 5,
        ),
    ]
}

fn counts(config: &Config) -> [Row<u64>; 13] {
    let Config {
        rtmp,
        http,
        hls,
        transcoder,
        ..
    } = config;
    // More than any machine has descriptors for.
    let connections = || 1..=100_000_000;
    [
        (
            "rtmp.max_connections",
            rtmp.max_connections as u64,
            connections(),
        ),
        (
            "rtmp.max_connections_per_address",
            rtmp.max_connections_per_address as u64,
            connections(),
        ),
        (
            "rtmp.max_message_bytes",
            rtmp.max_message_bytes.into(),
            64 * KIB..=LONGEST_MESSAGE,
        ),
        (
            "rtmp.max_unfinished_bytes",
            rtmp.max_unfinished_bytes,
            MIB..=1024 * GIB,
        ),
        (
            "rtmp.max_failed_publishes",
            rtmp.max_failed_publishes.into(),
            1..=1_000_000,
        ),
        (
            "http.max_connections",
            http.max_connections as u64,
            connections(),
        ),
        (
            "http.max_connections_per_address",
            http.max_connections_per_address as u64,
            connections(),
        ),
        ("hls.max_segment_bytes", hls.max_segment_bytes, MIB..=GIB),
        // Players need three segments (RFC 8216, section 6.3.3).
        ("hls.window", hls.window as u64, 3..=10_000),
        ("hls.listed_bytes", hls.listed_bytes, MIB..=1024 * GIB),
        ("hls.removed_bytes", hls.removed_bytes, 0..=1024 * GIB),
        (
            "hls.max_presentations",
            hls.max_presentations as u64,
            1..=10_000_000,
        ),
        (
            "transcoder.max_processes",
            transcoder.max_processes as u64,
            1..=1_000,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::{Table, Value};

    /// The built-in configuration with one key set.
    fn with(key: &str, value: Value) -> Config {
        let mut table = Table::try_from(Config::default()).expect("the configuration is a table");
        let (section, key) = key.split_once('.').expect("section.key");
        let section = table[section].as_table_mut().expect("a section");
        assert!(section.insert(key.to_owned(), value).is_some(), "{key}");
        Value::Table(table).try_into().expect("the right type")
    }

    #[test]
    fn every_number_and_duration_has_a_range() {
        let config = Config::default();
        let mut checked: Vec<&str> = durations(&config).iter().map(|row| row.0).collect();
        checked.extend(counts(&config).iter().map(|row| row.0));
        checked.sort_unstable();
        let mut ranged = Vec::new();
        for (section, keys) in Table::try_from(config).expect("the configuration is a table") {
            for (key, value) in keys.as_table().into_iter().flatten() {
                let is_duration = |text: &str| humantime::parse_duration(text).is_ok();
                if value.is_integer() || value.as_str().is_some_and(is_duration) {
                    ranged.push(format!("{section}.{key}"));
                }
            }
        }
        ranged.sort_unstable();
        assert_eq!(checked, ranged);
    }

    #[test]
    fn the_ends_of_a_range_are_allowed_and_what_lies_beyond_is_not() {
        let config = Config::default();
        for (key, _, range) in durations(&config) {
            let set = |span: Duration| {
                let text = humantime::format_duration(span).to_string();
                check(&with(key, Value::String(text)))
            };
            // A longer segment needs a longer max_segment.
            if key != "hls.segment" {
                assert!(set(*range.end()).is_ok(), "{key}");
            }
            assert!(set(*range.start()).is_ok(), "{key}");
            assert!(set(*range.end() + MILLISECOND).is_err(), "{key}");
            if let Some(below) = range.start().checked_sub(Duration::from_nanos(1)) {
                assert!(set(below).is_err(), "{key}");
            }
        }
        for (key, _, range) in counts(&config) {
            let set = |count: u64| {
                let count = i64::try_from(count).expect("it fits");
                check(&with(key, Value::Integer(count)))
            };
            assert!(set(*range.start()).is_ok(), "{key}");
            assert!(set(*range.end()).is_ok(), "{key}");
            assert!(set(*range.end() + 1).is_err(), "{key}");
            if let Some(below) = range.start().checked_sub(1) {
                assert!(set(below).is_err(), "{key}");
            }
        }
    }

    #[test]
    fn a_refusal_says_value_and_range() {
        let cases = [
            (
                with("hls.segment", Value::String("1ms".into())),
                "hls.segment is 1ms; 200ms to 1m are allowed",
            ),
            (
                with("hls.window", Value::Integer(2)),
                "hls.window is 2; 3 to 10000 are allowed",
            ),
            (
                with("hls.max_segment", Value::String("1s".into())),
                "hls.max_segment is 1s; 2s to 10m are allowed",
            ),
        ];
        for (config, expected) in cases {
            let error = check(&config).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }
}
