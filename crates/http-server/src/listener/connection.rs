//! One connection: HTTP/1.1 or HTTP/2, by prior knowledge or as TLS agreed on; its requests counted, its time
//! limited.

use std::convert::Infallible;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower::Service;

use super::activity::{Activity, Deadlines, Slowness, Verdict};
use super::scheme::{self, Scheme, Stream, Way};
use super::stream::{Pace, Pieces, Streams};
use crate::{Settings, Totals};

/// What one HTTP/2 stream may have ready to be sent: enough to fill the window that a peer begins with.
const STREAM_BUFFER_BYTES: usize = 64 * 1024;

/// What all connections of a listener have in common.
#[derive(Debug)]
pub(super) struct Server {
    builder: Builder<Streams>,
    deadlines: Deadlines,
    totals: Arc<Totals>,
}

impl Server {
    pub(super) fn new(settings: &Settings, totals: Arc<Totals>) -> Self {
        let head_bytes = settings.request_head_bytes.max(8 * 1024);
        let mut builder = Builder::new(Streams::new(settings.write_progress));
        builder
            .http1()
            .timer(TokioTimer::new())
            // hyper's also runs between requests, and arms a timer for each; ours does neither.
            .header_read_timeout(None)
            .max_buf_size(head_bytes)
            // Who has asked may close its own side, as `printf … | nc` does, and still wait for an answer. One
            // that is gone looks the same until it is answered, at the latest when a deadline says so.
            .half_close(true)
            // Head and body in one call, the body from where it is. `pipeline_flush` would undo this
            // silently: every connection would then copy the segment it sends.
            .writev(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_send_buf_size(STREAM_BUFFER_BYTES)
            .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(settings.concurrent_streams);
        Self {
            builder,
            deadlines: Deadlines::new(settings),
            totals,
        }
    }

    /// Answers one connection until it closes, is too slow, or is told to leave.
    pub(super) async fn attend<S>(
        self: Arc<Self>,
        socket: TcpStream,
        scheme: Scheme,
        service: S,
        mut leaving: watch::Receiver<()>,
    ) where
        S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + 'static,
    {
        let _open = Open::new(self.totals.clone());
        let activity = Arc::new(Activity::new(Instant::now()));
        let entered = tokio::select! {
            biased;
            entered = scheme.enter(socket, activity.clone(), self.totals.clone()) => entered,
            why = self.slowness(&activity) => return self.note(why),
            // It has asked for nothing yet.
            _ = leaving.changed() => return,
        };
        match entered {
            Ok(Some((stream, way))) => {
                if way == Way::Insecure {
                    self.totals.http_faults.add(1);
                }
                self.converse(stream, way, activity, service, leaving).await;
            }
            Ok(None) => {}
            Err(error) => {
                if error.is_peer_fault() {
                    self.totals.http_faults.add(1);
                }
                tracing::debug!(%error, "HTTPS connection failed");
            }
        }
    }

    /// Answers what is asked on `stream`.
    async fn converse<T, S>(
        &self,
        stream: Stream<T>,
        way: Way,
        activity: Arc<Activity>,
        service: S,
        mut leaving: watch::Receiver<()>,
    ) where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + 'static,
    {
        let counted = Counted {
            service,
            way,
            activity: activity.clone(),
            totals: self.totals.clone(),
        };
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), counted));
        let mut slow = pin!(self.slowness(&activity));
        let mut told = pin!(leaving.changed());
        let mut finishing = false;
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        if is_fault_of_peer(&*error) {
                            self.totals.http_faults.add(1);
                        }
                        tracing::trace!(%error, "HTTP connection failed");
                    }
                    return;
                }
                why = slow.as_mut() => return self.note(why),
                _ = told.as_mut(), if !finishing => {
                    finishing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Completes when the connection is too slow.
    async fn slowness(&self, activity: &Activity) -> Slowness {
        loop {
            match activity.verdict(&self.deadlines, Instant::now()) {
                Verdict::Until(then) => sleep_until(then).await,
                Verdict::TooSlow(why) => return why,
            }
        }
    }

    fn note(&self, why: Slowness) {
        if why == Slowness::RequestHead {
            self.totals.http_faults.add(1);
        }
        tracing::debug!(?why, "HTTP connection closed: too slow");
    }
}

/// What came was not HTTP, or more of it than allowed; a connection that broke is nobody's fault.
fn is_fault_of_peer(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let Some(error) = error.downcast_ref::<hyper::Error>() else {
        return false;
    };
    // What h2 finds wrong has no question of its own; what the socket says is an `io::Error`.
    let of_protocol = error
        .source()
        .is_some_and(|cause| !cause.is::<std::io::Error>());
    error.is_parse() || (of_protocol && !error.is_user())
}

/// Counts an open connection.
struct Open(Arc<Totals>);

impl Open {
    fn new(totals: Arc<Totals>) -> Self {
        totals.http_connections.add(1);
        totals.http_connections_now.rise();
        Self(totals)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.http_connections_now.fall();
    }
}

/// The service of one connection, with its requests noted.
struct Counted<S> {
    service: S,
    way: Way,
    activity: Arc<Activity>,
    totals: Arc<Totals>,
}

impl<S> hyper::service::Service<Request<Incoming>> for Counted<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = http::Response<Noted>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.totals.http_requests.add(1);
        let version = request.version();
        self.activity.request(version, Instant::now());
        let in_flight = InFlight(self.activity.clone());
        // Routers are always ready.
        let answer = match self.way {
            Way::Right => Some(self.service.clone().call(request)),
            Way::Insecure => None,
        };
        Box::pin(async move {
            let response = match answer {
                Some(answer) => {
                    let Ok(response) = answer.await;
                    response
                }
                None => scheme::insecure(version),
            };
            Ok(response.map(|body| Noted {
                body,
                pieces: Pace::current().map(Pieces::new),
                in_flight,
            }))
        })
    }
}

/// Ends with the answer's last byte being handed over, or with the request being given up.
struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.answered(Instant::now());
    }
}

/// A body, in flight until it is dropped.
struct Noted {
    body: Body,
    /// Over HTTP/2 only: HTTP/1 writes a body from where it is, and the socket tells how that goes.
    pieces: Option<Pieces>,
    in_flight: InFlight,
}

impl HttpBody for Noted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self {
            body,
            pieces,
            in_flight: InFlight(activity),
        } = &mut *self;
        let Some(pieces) = pieces else {
            return Pin::new(body).poll_frame(context);
        };
        if pieces.remaining() == 0 {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => pieces.put(data),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let now = Instant::now();
        activity.moved(now);
        Poll::Ready(Some(Ok(Frame::data(pieces.take(now)))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == 0 && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.remaining() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}

impl Noted {
    fn remaining(&self) -> usize {
        self.pieces.as_ref().map_or(0, Pieces::remaining)
    }
}

#[cfg(test)]
mod tests;
