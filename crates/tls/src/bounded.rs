//! A socket that gives only so much until the handshake is done.
//!
//! A message of a handshake may announce 64 KiB (RFC 8446 §4), and rustls would hold as much for each of thousands
//! of connections that nobody has spoken to yet.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A ClientHello has two KiB with the largest key shares in use; who sends more than a whole record of it means no
/// good.
pub(crate) const HANDSHAKE_BYTES: usize = 16 << 10;

/// More than [`HANDSHAKE_BYTES`], and still no end.
#[derive(Debug, thiserror::Error)]
#[error("it is longer than {HANDSHAKE_BYTES} bytes")]
pub(crate) struct TooLong;

/// The socket below TLS.
#[derive(Debug)]
pub struct Bounded<T> {
    socket: T,
    /// What it may still give; `None` once the handshake is done. A read that begins within it is not cut short.
    left: Option<usize>,
}

impl<T> Bounded<T> {
    pub(crate) const fn new(socket: T) -> Self {
        Self {
            socket,
            left: Some(HANDSHAKE_BYTES),
        }
    }

    /// The handshake is done.
    pub(crate) const fn open(&mut self) {
        self.left = None;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == Some(0) {
            return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, TooLong)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(buffer.filled().len() - before);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Bounded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
