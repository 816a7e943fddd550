//! Dates as the API writes them.

use std::time::{SystemTime, UNIX_EPOCH};

/// RFC 3339, UTC, milliseconds.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at.max(UNIX_EPOCH)).to_string()
}
