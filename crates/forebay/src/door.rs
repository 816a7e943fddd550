//! From an accepted socket to what RTMP is spoken on: plain, or through TLS (RTMPS).
//!
//! RTMP says its version first, which is 3, and TLS a byte that is no version of RTMP: one port can take both.

use std::fmt;
use std::io;
use std::time::Duration;

use tls::{Acceptor, CLIENT_HELLO, HandshakeError, Stream, first_byte};
use tokio::net::TcpStream;

/// The first byte of RTMP (RTMP 1.0, section 5.2.2).
const RTMP_VERSION: u8 = 3;

/// What a listener takes.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    /// RTMP, and RTMPS too if there is a certificate.
    Either(Option<Acceptor>),
    /// RTMPS alone.
    Tls(Acceptor),
}

/// Why nobody came in.
#[derive(Debug)]
pub(crate) enum Mishap {
    /// RTMP where only RTMPS is spoken.
    Insecure,
    Handshake(HandshakeError),
    /// Nothing, or half a handshake, in this time.
    Slow(Duration),
    Io(io::Error),
}

impl Door {
    /// Waits for the first byte, unless only one thing can come, and shakes hands if it is TLS's. How long that
    /// may take is the caller's business.
    pub(crate) async fn enter(&self, socket: TcpStream) -> Result<Stream<TcpStream>, Mishap> {
        let acceptor = match self {
            Self::Either(None) => return Ok(Stream::Plain(socket)),
            Self::Either(Some(acceptor)) | Self::Tls(acceptor) => acceptor,
        };
        let first = first_byte(&socket).await.map_err(Mishap::Io)?;
        match (self, first) {
            (Self::Tls(_), Some(RTMP_VERSION)) => Err(Mishap::Insecure),
            (Self::Tls(_), Some(_)) | (Self::Either(_), Some(CLIENT_HELLO)) => {
                acceptor.accept(socket).await.map_err(Mishap::Handshake)
            }
            // What is neither is refused by RTMP, in words; and who has gone is gone.
            (Self::Either(_), _) | (Self::Tls(_), None) => Ok(Stream::Plain(socket)),
        }
    }
}

impl Mishap {
    /// The peer did it, not its network.
    pub(crate) const fn is_peer_fault(&self) -> bool {
        match self {
            Self::Insecure | Self::Slow(_) => true,
            Self::Handshake(error) => error.is_peer_fault(),
            Self::Io(_) => false,
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insecure => f.write_str(
                "plain RTMP on the port of RTMPS: the encoder should publish to rtmps://, or to the port of \
                 rtmp.listen",
            ),
            Self::Handshake(error) => error.fmt(f),
            Self::Slow(limit) => {
                let limit = humantime::format_duration(*limit);
                write!(f, "neither RTMP nor a whole TLS handshake in {limit}")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}
