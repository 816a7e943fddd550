//! What a connection hands to the kernel.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Mutex;

use tokio::io::ReadBuf;

use super::*;
use crate::listener::socket::Socket;

/// Sends one request, then nothing; remembers where written bytes came from.
#[derive(Clone)]
struct Witness {
    request: &'static [u8],
    written: Arc<Mutex<Vec<Range<usize>>>>,
}

impl AsyncRead for Witness {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.request.is_empty() {
            return Poll::Pending;
        }
        let (now, later) = self
            .request
            .split_at(self.request.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.request = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Witness {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let places = slices.iter().map(|slice| {
            let begin = slice.as_ptr().addr();
            begin..begin + slice.len()
        });
        self.written.lock().expect("no panic").extend(places);
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_are_written_whole_and_from_where_they_are() {
    let body = Bytes::from(vec![0x47; 750_000]);
    let place = body.as_ptr().addr()..body.as_ptr().addr() + body.len();
    let service = tower::service_fn(move |_: Request<Incoming>| {
        std::future::ready(Ok(Response::new(Body::from(body.clone()))))
    });
    let witness = Witness {
        request: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        written: Arc::default(),
    };
    let (_leave, leaving) = watch::channel(());
    // Ends when the connection has been idle for too long.
    let activity = Arc::new(Activity::new(Instant::now()));
    let socket = Socket::new(witness.clone(), activity.clone(), Arc::default());
    Server::new(&Settings::default(), Arc::default())
        .converse(
            Stream::Plain(socket),
            Way::Right,
            activity,
            service,
            leaving,
        )
        .await;
    let written = witness.written.lock().expect("no panic");
    assert_eq!(written.len(), 2, "head and body: {written:?}");
    assert_eq!(written.last(), Some(&place));
}
