//! What a connection tells its owner.

use std::fmt;

use media::{AppName, Message, Name};

/// A message stream (NetStream) of one connection, as numbered by `createStream`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageStreamId(pub(crate) u32);

impl fmt::Display for MessageStreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The last component of a publish's path. It may be a secret that maps to a public name, so it never
/// shows in text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StreamKey(Name);

impl StreamKey {
    pub(crate) const fn new(name: Name) -> Self {
        Self(name)
    }

    /// The key itself, for the decision. Where the application is open it is the public name.
    pub const fn reveal(&self) -> &Name {
        &self.0
    }
}

/// A query string, without its `?`: tokens and signatures, so it never shows in text.
#[derive(Clone, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The query itself, for the decision, as the client sent it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

macro_rules! reads_as_redacted {
    ($($secret:ty),+) => {$(
        impl fmt::Display for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }

        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    )+};
}

reads_as_redacted!(StreamKey, Query);

/// How the client wants its publish kept (RTMP 1.0 §7.2.2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublishMode {
    /// Live only: also what is missing or unknown counts as.
    #[default]
    Live,
    /// Recorded, replacing what there was.
    Record,
    /// Recorded, appended to what there was.
    Append,
}

/// A client asks to publish. Nothing more of the connection is read until the request is accepted or
/// rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishRequest {
    /// The message stream to accept or reject.
    pub stream: MessageStreamId,
    /// The application, with its instance if there is one.
    pub app: AppName,
    /// The name, which may be a secret.
    pub key: StreamKey,
    /// The query string of the publish name.
    pub query: Option<Query>,
    /// The query string of the application, else of `tcUrl`.
    pub connect_query: Option<Query>,
    /// `tcUrl` without its query string, and without the key where that was part of it.
    pub tc_url: Option<String>,
    /// `flashVer`: what the encoder calls itself.
    pub encoder: Option<String>,
    /// `live`, `record` or `append`.
    pub mode: PublishMode,
}

/// Why a publish is rejected, with words for the person at the encoder. No secrets: the words are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The name cannot be published to, or is in use (`NetStream.Publish.BadName`).
    BadName(String),
    /// The client may not publish here (`NetStream.Publish.Denied`).
    Denied(String),
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client asks to publish: answer with `accept` or `reject`.
    Publish(Box<PublishRequest>),
    /// A media message of an accepted publish.
    Media {
        /// The publish it belongs to.
        stream: MessageStreamId,
        /// The message.
        message: Message,
    },
    /// An accepted publish ended in good order.
    Unpublish {
        /// The publish.
        stream: MessageStreamId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_request_does_not_make_every_event_large() {
        assert!(size_of::<Event>() <= size_of::<Message>() + size_of::<u64>());
        assert!(size_of::<PublishRequest>() > 2 * size_of::<Event>());
    }
}
