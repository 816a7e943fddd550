//! How a listener is spoken to: `http://` or `https://`.

use std::sync::Arc;

use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, StatusCode, Version};
use tls::{Acceptor, HandshakeError, first_byte};
use tokio::net::TcpStream;

use super::activity::Activity;
use super::socket::Socket;
use crate::{Totals, replies};

/// What URLs of a listener begin with.
#[derive(Clone, Debug)]
pub enum Scheme {
    /// Bytes as they come.
    Http,
    /// TLS, and whoever comes without it is told so.
    Https(Acceptor),
}

/// What HTTP is spoken on. The notes are taken below TLS: what counts as progress is what moves on the wire.
pub(super) type Stream<T> = tls::Stream<Socket<T>>;

/// How a client has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As the listener is spoken to.
    Right,
    /// Without TLS where there is TLS.
    Insecure,
}

impl Scheme {
    /// Makes of an accepted socket what HTTP is spoken on; `None` if the client goes before it says anything.
    /// How long it may take is the caller's business.
    pub(super) async fn enter(
        &self,
        socket: TcpStream,
        activity: Arc<Activity>,
        totals: Arc<Totals>,
    ) -> Result<Option<(Stream<TcpStream>, Way)>, HandshakeError> {
        let Self::Https(acceptor) = self else {
            let socket = Socket::new(socket, activity, totals);
            return Ok(Some((Stream::Plain(socket), Way::Right)));
        };
        let Some(first) = first_byte(&socket).await.map_err(HandshakeError::Io)? else {
            return Ok(None);
        };
        let socket = Socket::new(socket, activity.clone(), totals);
        // Every method is a word, and so is the preface of HTTP/2.
        if first.is_ascii_alphabetic() {
            return Ok(Some((Stream::Plain(socket), Way::Insecure)));
        }
        let stream = acceptor.accept(socket).await?;
        activity.secured();
        Ok(Some((stream, Way::Right)))
    }
}

/// What is answered to any request that came without TLS where there is TLS.
pub(super) fn insecure(version: Version) -> Response {
    let mut response = replies::problem(
        StatusCode::BAD_REQUEST,
        "this port speaks HTTPS: ask again with https:// instead of http://",
    );
    // HTTP/2 has no such header (RFC 9113 §8.2.2).
    if version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}
