//! The accept loop: connections, their bounds, and the way out.
//!
//! `axum::serve` has no header, idle or write timeout and no limit of connections; this is hyper-util's
//! connection builder with all of them. One task a connection, owned by the loop: when the loop is
//! dropped, so are they.

mod activity;
mod admission;
mod connection;
mod scheme;
mod socket;
mod stream;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Service;

use crate::{Settings, Totals};
use admission::Clients;
use connection::Server;
pub use scheme::Scheme;

/// The pause after an accept that failed for want of descriptors or memory: accepting goes on, and does
/// not spin until somebody leaves.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Repeated trouble is logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

const TOO_MANY: &str = "too many HTTP connections, closing new ones at once";
const TOO_MANY_OF_ONE: &str =
    "too many HTTP connections from one address, closing new ones at once";

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the deadline and were cut.
    pub cut: usize,
}

/// Accepts on `listener`, where `scheme` is spoken, and answers with `service` until `shutdown`; then closes the
/// listener, lets requests in flight finish for [`Settings::drain`], and cuts the rest.
pub async fn serve<S>(
    listener: TcpListener,
    scheme: Scheme,
    service: S,
    settings: &Settings,
    totals: Arc<Totals>,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let server = Arc::new(Server::new(settings, totals.clone()));
    let clients = Clients::new(settings.connections_per_address);
    let (leave, leaving) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut complaints = Complaints::default();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let admitted = if connections.len() < settings.connections {
                    clients.admit(peer.ip()).ok_or(TOO_MANY_OF_ONE)
                } else {
                    Err(TOO_MANY)
                };
                match admitted {
                    Ok(admission) if prepare(&stream).is_ok() => {
                        let (server, service) = (server.clone(), service.clone());
                        let (scheme, leaving) = (scheme.clone(), leaving.clone());
                        let attended = server.attend(stream, scheme, service, leaving);
                        connections.spawn(async move {
                            attended.await;
                            drop(admission);
                        });
                    }
                    Ok(_) => {}
                    Err(why) => {
                        totals.http_faults.add(1);
                        complaints.log(why, None);
                    }
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                complaints.log("cannot accept HTTP connections", Some(&error));
                tokio::select! {
                    () = &mut shutdown => break,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    leave.send_replace(());
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(settings.drain, all_done).await;
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}

/// Answers leave in one piece, so nothing is gained by waiting for more (Nagle).
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)
}

/// The peer went before it was accepted; the listener is well.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// What went wrong since it was last said.
#[derive(Debug, Default)]
struct Complaints {
    last: Option<Instant>,
    unsaid: u64,
}

impl Complaints {
    fn log(&mut self, what: &str, error: Option<&io::Error>) {
        self.unsaid += 1;
        let now = Instant::now();
        if self
            .last
            .is_none_or(|last| now.duration_since(last) >= LOG_INTERVAL)
        {
            tracing::warn!(
                times = self.unsaid,
                error = error.map(tracing::field::display),
                "{what}"
            );
            self.last = Some(now);
            self.unsaid = 0;
        }
    }
}

#[cfg(test)]
mod tests;
