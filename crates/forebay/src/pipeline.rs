//! A publisher's life, from its first byte to its last segment: one task, plain calls, no queue.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use playlist::{Dismissal, PushError};
use rtmp_ingest::{Connection, Error, Event, MessageStreamId};
use tls::Stream;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use tracing::{debug, info, warn};

use crate::admission::{Refusal, admit};
use crate::door::{Door, Mishap};
use crate::house::House;
use crate::publish::{Publish, REPORT_EVERY};

/// Why a publish, or a whole connection, ended.
pub(crate) enum Ending {
    Unpublished,
    Closed,
    Failed(Error),
    Dismissed(Dismissal),
    /// Nothing came of it for so long, while another publish of its connection went on.
    Idle(Duration),
    TooLarge(PushError),
    /// What it was made of has ended, or the transcoder has.
    Transcoded,
    Drained,
}

/// Serves one encoder from the door on.
pub(crate) async fn serve(socket: TcpStream, peer: SocketAddr, door: Door, house: Arc<House>) {
    let accepted = Instant::now();
    let limit = house.config.rtmp.handshake_timeout;
    let entered = tokio::select! {
        biased;
        () = house.draining() => return,
        entered = timeout_at(accepted + limit, door.enter(socket)) => entered,
    };
    match entered {
        Ok(Ok(stream)) => {
            let connection = Connection::new(stream, peer, house.limits());
            converse(connection.accepted_at(accepted), peer, house).await;
        }
        Ok(Err(mishap)) => turn_away(&mishap, peer, &house),
        Err(_) => turn_away(&Mishap::Slow(limit), peer, &house),
    }
}

/// Nobody came in.
fn turn_away(mishap: &Mishap, peer: SocketAddr, house: &House) {
    if mishap.is_peer_fault() {
        house.totals.faults.add(1);
    }
    let worth_a_line = matches!(mishap, Mishap::Insecure | Mishap::Slow(_));
    match worth_a_line.then(|| house.stranger_line()).flatten() {
        Some(times) => info!(%peer, connections = times, "connection ended: {mishap}"),
        None => debug!(%peer, "connection ended: {mishap}"),
    }
}

/// What an encoder says, and what becomes of it, until it leaves, fails, is dismissed, or the gateway drains.
async fn converse(
    mut connection: Connection<Stream<TcpStream>>,
    peer: SocketAddr,
    house: Arc<House>,
) {
    let mut publishes: BTreeMap<MessageStreamId, Publish> = BTreeMap::new();
    let dismissed = Arc::new(Notify::new());
    let mut draining = pin!(house.draining());
    // A client that connects elsewhere goes on here meanwhile, up to a key frame of its own.
    let mut asked_to_reconnect = false;
    let mut overdue = pin!(sleep_behind(
        house.draining(),
        house.config.shutdown.deadline / 2
    ));
    let mut reports = interval(REPORT_EVERY);
    reports.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let ending = loop {
        // The encoder comes last: one that floods is always ready, and must not put off the others.
        let event = tokio::select! {
            biased;
            () = &mut draining, if !asked_to_reconnect => {
                let why = Ending::Drained.to_string();
                asked_to_reconnect = !publishes.is_empty() && connection.ask_to_reconnect(&why);
                if !asked_to_reconnect {
                    break Ending::Drained;
                }
                continue;
            }
            () = &mut overdue, if asked_to_reconnect => break Ending::Drained,
            () = dismissed.notified() => {
                let Some((stream, why)) = publishes
                    .iter_mut()
                    .find_map(|(&stream, publish)| Some((stream, publish.dismissal()?)))
                else {
                    continue;
                };
                // There may be another one.
                dismissed.notify_one();
                if publishes.len() == 1 {
                    break Ending::Dismissed(why);
                }
                end(&mut connection, &mut publishes, stream, &Ending::Dismissed(why));
                continue;
            }
            _ = reports.tick(), if !publishes.is_empty() => {
                publishes.values_mut().for_each(Publish::tick);
                // One that is alone is idle as its connection is, which looks after itself.
                while publishes.len() > 1
                    && let Some((&stream, _)) = publishes.iter().find(|(_, it)| it.is_idle())
                {
                    let why = Ending::Idle(house.config.rtmp.idle_timeout);
                    end(&mut connection, &mut publishes, stream, &why);
                }
                continue;
            }
            event = connection.next() => event,
        };
        match event {
            Ok(Some(Event::Media { stream, message })) => {
                if let Some(publish) = publishes.get_mut(&stream)
                    && let Err(too_large) = publish.take(&message)
                {
                    end(
                        &mut connection,
                        &mut publishes,
                        stream,
                        &Ending::TooLarge(too_large),
                    );
                }
            }
            Ok(Some(Event::Publish(request))) => {
                let wake = dismissed.clone();
                let begun = admit(&request, peer, wake, &house).and_then(|(name, terms)| {
                    let encoder = request.encoder.clone();
                    Publish::begin(name, terms, peer, encoder, house.clone())
                        .map_err(Refusal::Unavailable)
                });
                match begun {
                    Ok(publish) => {
                        publishes.insert(request.stream, publish);
                        connection.accept(request.stream);
                    }
                    Err(why) => {
                        if let Some(times) = house.refusal_line() {
                            warn!(%peer, app = %request.app, refusals = times, "publish refused: {why}");
                        }
                        connection.reject(request.stream, &why.into_rejection());
                    }
                }
            }
            Ok(Some(Event::Unpublish { stream })) => {
                if let Some(publish) = publishes.remove(&stream) {
                    publish.end(&Ending::Unpublished);
                }
            }
            Ok(None) => break Ending::Closed,
            Err(error) => break Ending::Failed(error),
        }
    };

    if let Ending::Failed(error) = &ending {
        count(error, peer, &house);
    }
    house.totals.faults.add(connection.dropped_messages());
    if publishes.is_empty() {
        let fault = matches!(&ending, Ending::Failed(error) if !matches!(error, Error::Io(_)));
        match fault.then(|| house.stranger_line()).flatten() {
            Some(times) => info!(%peer, connections = times, "connection ended: {ending}"),
            None => debug!(%peer, "connection ended: {ending}"),
        }
    }
    for publish in publishes.into_values() {
        publish.end(&ending);
    }
    connection.close(&ending.to_string()).await;
}

/// Completes so long after `event`.
async fn sleep_behind(event: impl Future<Output = ()>, time: Duration) {
    event.await;
    sleep(time).await;
}

/// Ends one publish of a connection that goes on.
fn end(
    connection: &mut Connection<Stream<TcpStream>>,
    publishes: &mut BTreeMap<MessageStreamId, Publish>,
    stream: MessageStreamId,
    why: &Ending,
) {
    if let Some(publish) = publishes.remove(&stream) {
        publish.end(why);
        connection.end_publish(stream, &why.to_string());
    }
}

/// What a peer did wrong is counted; that its network failed is not its fault.
fn count(error: &Error, peer: SocketAddr, house: &House) {
    match error {
        Error::Name { .. } => {
            house.totals.publishes_refused.add(1);
            house.failed(peer.ip());
        }
        Error::Io(_) => {}
        Error::Protocol { .. }
        | Error::Amf { .. }
        | Error::Limit { .. }
        | Error::Unsupported { .. }
        | Error::Timeout { .. } => house.totals.faults.add(1),
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpublished => f.write_str("the encoder unpublished"),
            Self::Closed => f.write_str("the encoder closed the connection"),
            Self::Failed(error) => error.fmt(f),
            Self::Dismissed(Dismissal::Operator) => f.write_str("an operator disconnected it"),
            Self::Dismissed(Dismissal::Takeover) => {
                f.write_str("another publish took over the name")
            }
            Self::Idle(after) => write!(
                f,
                "no media message of this publish within {after:?}, though others came on its connection"
            ),
            Self::TooLarge(error) => error.fmt(f),
            Self::Transcoded => f.write_str("the transcoder gives no more of it"),
            Self::Drained => f.write_str("the gateway is shutting down"),
        }
    }
}
