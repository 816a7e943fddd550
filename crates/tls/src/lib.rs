//! TLS for both miles: certificates, their renewal, handshakes.
//!
//! [`Certificates`] are those that are on hand at the moment, chosen by the name that a client asks for, and
//! renewed when their files change. An [`Acceptor`] makes a [`Stream`] of an accepted socket. What is spoken
//! on it, how long a handshake may take, and who is counted or logged for what, belongs to who accepts.
//!
//! rustls with ring; nothing here is built from C++ or needs cmake.

mod acceptor;
mod bounded;
mod certificates;
mod error;
mod first_byte;
#[cfg(test)]
mod fixture;
mod identity;
mod pem;
mod renewal;
mod self_signed;
mod standing;
mod stream;

pub use acceptor::{Acceptor, HandshakeError};
pub use bounded::Bounded;
pub use certificates::Certificates;
pub use error::Error;
pub use first_byte::{CLIENT_HELLO, first_byte};
pub use identity::Files;
pub use self_signed::names_of_this_host;
pub use stream::Stream;
