//! The RTMP listeners.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tracing::{Instrument, debug, warn};

use crate::door::Door;
use crate::house::House;
use crate::pipeline;
use crate::repeated::Repeated;

/// How long accepting pauses when the process has run out of descriptors: streams go on meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);
/// A dead link shows after about a minute even where nothing is to be sent.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(30))
    .with_interval(Duration::from_secs(10));

/// Accepts encoders at `door` until the gateway drains, then waits for those that are here.
pub(crate) async fn run(listener: TcpListener, door: Door, house: Arc<House>) {
    let mut draining = pin!(house.draining());
    let mut connections = JoinSet::new();
    let (mut refusals, mut exhaustions) = (Repeated::default(), Repeated::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    admit(socket, peer, &door, &house, &mut connections, &mut refusals);
                }
                Err(error) => {
                    if let Some(times) = exhaustions.due(Instant::now()) {
                        warn!(times, "cannot accept an encoder: {error}");
                    }
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report(ended),
            () = &mut draining => break,
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

fn admit(
    socket: TcpStream,
    peer: SocketAddr,
    door: &Door,
    house: &Arc<House>,
    connections: &mut JoinSet<()>,
    refusals: &mut Repeated,
) {
    house.totals.rtmp_connections.add(1);
    let admission = match house.admit(peer.ip()) {
        Ok(admission) => admission,
        Err(why) => {
            house.totals.faults.add(1);
            if let Some(times) = refusals.due(Instant::now()) {
                warn!(%peer, connections = times, "connection refused: {why}");
            }
            return;
        }
    };
    if let Err(error) = prepare(&socket) {
        return warn!(%peer, "connection failed: {error}");
    }
    let (door, house) = (door.clone(), house.clone());
    connections.spawn(
        async move {
            pipeline::serve(socket, peer, door, house).await;
            drop(admission);
        }
        .in_current_span(),
    );
}

fn prepare(socket: &TcpStream) -> io::Result<()> {
    // Replies are small and waited for: Nagle's algorithm would hold each for a round trip.
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_tcp_keepalive(&KEEPALIVE)
}

/// A panic ends the connection it happened in, and nothing else; the hook has counted and logged it.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        debug!("a connection's task failed: {error}");
    }
}
