//! The server's side of a handshake.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::bounded::TooLong;
use crate::{Bounded, Certificates, Stream};

/// Makes encrypted streams of sockets: TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// What the client sent is not TLS, or nothing that both know, or it does not like our certificate.
    #[error("no TLS handshake: {0}")]
    Tls(rustls::Error),
    /// It does not end.
    #[error("no TLS handshake: {TooLong}")]
    TooLong,
    /// The connection broke.
    #[error("no TLS handshake: {0}")]
    Io(io::Error),
}

impl HandshakeError {
    /// The client did it, not its network.
    pub const fn is_peer_fault(&self) -> bool {
        !matches!(self, Self::Io(_))
    }
}

impl Acceptor {
    /// Shows `certificates`, and speaks what stands first in `protocols` that the client offers (ALPN, RFC
    /// 7301); without any, that is not talked about.
    pub fn new(certificates: Arc<Certificates>, protocols: &[&str]) -> Self {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring should have a cipher suite for each version")
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = protocols.iter().map(|&name| name.into()).collect();
        // Sessions are resumed from what the client brings: of thousands of players none is remembered.
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        Self(TlsAcceptor::from(Arc::new(config)))
    }

    /// Shakes hands. How long that may take is the caller's business.
    ///
    /// # Errors
    /// It came to nothing. The client was told, if it could be.
    pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: T,
    ) -> Result<Stream<T>, HandshakeError> {
        let mut stream = self.0.accept(Bounded::new(socket)).await?;
        stream.get_mut().0.open();
        Ok(Stream::Tls(Box::new(stream)))
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.downcast().map(Self::Tls) {
            Ok(error) => error,
            Err(error) if error.get_ref().is_some_and(|why| why.is::<TooLong>()) => Self::TooLong,
            Err(error) => Self::Io(error),
        }
    }
}

/// Nothing of the keys.
impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
