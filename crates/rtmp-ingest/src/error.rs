//! What ends a connection, by whose fault it is.

use std::io;
use std::time::Duration;

use media::NameError;
use thiserror::Error;

use crate::amf0;

/// Why a session or connection ended. Offsets count the bytes received on the connection, the handshake
/// included, so that the place can be found in a capture.
#[derive(Debug, Error)]
pub enum Error {
    /// The peer broke the protocol.
    #[error("at byte {at}: expected {expected}, found {found}")]
    Protocol {
        /// Bytes received before the fault.
        at: u64,
        /// What the protocol asks for there.
        expected: &'static str,
        /// What was there instead.
        found: String,
    },
    /// The peer sent AMF0 that cannot be read.
    #[error("at byte {at}: {what} cannot be read: {source}")]
    Amf {
        /// Bytes received before the end of the message.
        at: u64,
        /// Which message.
        what: &'static str,
        /// What is wrong in it; its offset counts within the message.
        source: amf0::Error,
    },
    /// The peer named an application or a publish that cannot exist here.
    #[error("at byte {at}: {source}")]
    Name {
        /// Bytes received before the end of the command.
        at: u64,
        /// What is wrong with the name.
        source: NameError,
    },
    /// The peer went past a bound of [`Limits`](crate::Limits).
    #[error("at byte {at}: {found} {what}, more than the {limit} allowed")]
    Limit {
        /// Bytes received before the bound was passed.
        at: u64,
        /// What is bounded, in the plural.
        what: &'static str,
        /// How many there would have been.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// Legal, but not spoken here.
    #[error("at byte {at}: {what} is not supported")]
    Unsupported {
        /// Bytes received before it.
        at: u64,
        /// What the peer asked for.
        what: &'static str,
    },
    /// The peer kept the connection without doing what it is for.
    #[error("no {what} within {after:?}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether the peer did what it must not (as against a limit, a timeout, a lost connection).
    pub const fn is_peer_fault(&self) -> bool {
        matches!(
            self,
            Self::Protocol { .. } | Self::Amf { .. } | Self::Name { .. }
        )
    }

    /// A breach of the protocol at `at`.
    pub(crate) fn protocol(at: u64, expected: &'static str, found: impl Into<String>) -> Self {
        Self::Protocol {
            at,
            expected,
            found: found.into(),
        }
    }
}
