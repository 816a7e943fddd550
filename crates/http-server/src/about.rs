//! What the status API says about the gateway itself.

use std::time::SystemTime;

/// What runs here, since when, and within which limits.
#[derive(Clone, Debug)]
pub struct About {
    /// The version of the program.
    pub version: &'static str,
    /// When it started.
    pub started: SystemTime,
    /// What it allows.
    pub limits: Limits,
}

/// The limits shown by `/api/v1/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// RTMP connections at a time.
    pub rtmp_connections: u64,
    /// HTTP connections at a time.
    pub http_connections: u64,
    /// Bytes of one RTMP message.
    pub message_bytes: u64,
    /// Bytes of one segment.
    pub segment_bytes: u64,
}
