//! Log lines: human or JSON, on standard error.

use std::io;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Log, LogFormat};

/// The filter of `log`.
///
/// # Errors
/// It is not a filter.
pub(crate) fn filter(log: &Log) -> Result<EnvFilter> {
    EnvFilter::try_new(&log.filter).with_context(|| format!("log.filter is {:?}", log.filter))
}

/// Begins logging for the process.
pub(crate) fn start(log: &Log) -> Result<()> {
    let lines = fmt().with_env_filter(filter(log)?).with_writer(io::stderr);
    match log.format {
        LogFormat::Human => {
            let colours = io::IsTerminal::is_terminal(&io::stderr());
            lines.with_target(false).with_ansi(colours).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
