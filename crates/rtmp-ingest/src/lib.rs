//! RTMP server: bytes in, publishes and their media messages out.
//!
//! [`Connection`] drives one accepted socket and yields [`Event`]s: a request to publish, which its owner
//! accepts or rejects after whatever it needs to decide, then media messages, then the end. Below it
//! everything is a plain value that takes bytes: [`Session`], [`chunk::Reader`], [`amf0::read_all`].
//!
//! From rml_rtmp come the handshake, the chunk writer and the scalars of AMF0 writing; its reading side mixes
//! interleaved messages and can be made to panic or to overflow the stack, so reading is done here.
//!
//! FLV contents, HLS, configuration and the decision who may publish do not belong here.

#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod amf0;
mod budget;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod chunk;
mod connection;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzzing;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
mod handshake;
mod limits;
mod presentable;
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod session;

pub use budget::Budget;
pub use connection::Connection;
pub use error::Error;
pub use event::{Event, MessageStreamId, PublishMode, PublishRequest, Query, Rejection, StreamKey};
pub use limits::Limits;
pub use presentable::presentable;
pub use session::Session;
