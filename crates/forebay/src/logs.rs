//! Log lines: human or JSON, on standard error, at a bounded rate.

use std::io::{self, Stderr, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

/// Lines that may come at once. Whatever strangers find to cause lines with, they do not fill the disk.
const BURST: u32 = 1_000;
/// One more line is free after each of these.
const LINE_EVERY: Duration = Duration::from_millis(20);

/// The filter of `log`.
///
/// # Errors
/// It is not a filter.
pub(crate) fn filter(log: &Log) -> Result<EnvFilter> {
    EnvFilter::try_new(&log.filter).with_context(|| format!("log.filter is {:?}", log.filter))
}

/// Begins logging for the process.
pub(crate) fn start(log: &Log) -> Result<()> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(log)?)
        .with_writer(Bounded::new(log.format));
    match log.format {
        LogFormat::Human => {
            let colours = io::IsTerminal::is_terminal(&io::stderr());
            lines.with_target(false).with_ansi(colours).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// Standard error for as many lines as are free, nothing for the others.
struct Bounded {
    format: LogFormat,
    bucket: Mutex<Bucket>,
}

impl Bounded {
    fn new(format: LogFormat) -> Self {
        Self {
            format,
            bucket: Mutex::new(Bucket::new(Instant::now())),
        }
    }
}

impl<'a> MakeWriter<'a> for Bounded {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(dropped) = bucket.take(Instant::now()) else {
            return Line(None);
        };
        let mut out = io::stderr();
        if dropped > 0 {
            // Nobody could be told of a log that cannot be written.
            let _ = out.write_all(gap(self.format, dropped, SystemTime::now()).as_bytes());
        }
        Line(Some(out))
    }
}

/// Where one line goes; none is nowhere.
struct Line(Option<Stderr>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(out) => out.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The line that stands for those that were dropped before it.
fn gap(format: LogFormat, dropped: u64, now: SystemTime) -> String {
    let at = humantime::format_rfc3339_micros(now);
    match format {
        LogFormat::Human => {
            format!("{at}  WARN {dropped} lines were too many and are not here\n")
        }
        LogFormat::Json => format!(
            "{{\"timestamp\":\"{at}\",\"level\":\"WARN\",\
             \"message\":\"lines were too many and are not here\",\"lines\":{dropped}}}\n"
        ),
    }
}

/// Free lines.
struct Bucket {
    free: u32,
    /// Until when free lines have been added.
    filled: Instant,
    dropped: u64,
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self {
            free: BURST,
            filled: now,
            dropped: 0,
        }
    }

    /// Takes a free line, if there is one: gives how many were dropped since the last.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let steps = now.saturating_duration_since(self.filled).as_nanos() / LINE_EVERY.as_nanos();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        if self.free.saturating_add(steps) >= BURST {
            self.free = BURST;
            self.filled = now;
        } else {
            self.free += steps;
            self.filled += LINE_EVERY * steps;
        }
        if self.free == 0 {
            self.dropped += 1;
            return None;
        }
        self.free -= 1;
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_cut_and_counted() {
        let begun = Instant::now();
        let mut bucket = Bucket::new(begun);
        let written = (0..5_000).filter_map(|_| bucket.take(begun)).count();
        assert_eq!(written, 1_000);
        let later = begun + LINE_EVERY * 2 + LINE_EVERY / 2;
        assert_eq!(bucket.take(later), Some(4_000));
        assert_eq!(bucket.take(later), Some(0));
        assert_eq!(bucket.take(later), None);
        assert_eq!(
            bucket.take(begun + LINE_EVERY * 3),
            Some(1),
            "half a step was not lost"
        );
        let hour = begun + Duration::from_secs(3_600);
        let written = (0..5_000).filter_map(|_| bucket.take(hour)).count();
        assert_eq!(written, 1_000);
    }

    #[test]
    fn what_is_missing_is_said_in_the_form_of_the_log() {
        let human = gap(LogFormat::Human, 7, SystemTime::UNIX_EPOCH);
        assert_eq!(
            human,
            "1970-01-01T00:00:00.000000Z  WARN 7 lines were too many and are not here\n"
        );
        let json = gap(LogFormat::Json, 7, SystemTime::UNIX_EPOCH);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            (json["level"].as_str(), json["lines"].as_u64()),
            (Some("WARN"), Some(7))
        );
    }
}
