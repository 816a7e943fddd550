//! A publisher's life, from its first byte to its last segment: one task, plain calls, no queue.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use media::PresentationName;
use playlist::{Dismissal, PushError, Refused};
use rtmp_ingest::{Connection, Error, Event, MessageStreamId, PublishRequest, Rejection};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use crate::config::{Denial, find_app};
use crate::house::House;
use crate::publish::{Publish, REPORT_EVERY};

/// What a refused encoder is told. Why is for the log: a stranger who guesses learns nothing.
const REFUSED: &str = "this application or stream key may not be published here";

/// Why a publish, or a whole connection, ended.
pub(crate) enum Ending {
    Unpublished,
    Closed,
    Failed(Error),
    Dismissed(Dismissal),
    TooLarge(PushError),
    Drained,
}

/// Serves one encoder until it leaves, fails, is dismissed, or the gateway drains.
pub(crate) async fn serve(socket: TcpStream, peer: SocketAddr, house: Arc<House>) {
    let mut connection = Connection::new(socket, peer, house.limits());
    let mut publishes: BTreeMap<MessageStreamId, Publish> = BTreeMap::new();
    let dismissed = Arc::new(Notify::new());
    let mut draining = pin!(house.draining());
    let mut reports = interval(REPORT_EVERY);
    reports.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let ending = loop {
        // The encoder comes last: one that floods is always ready, and must not put off the others.
        let event = tokio::select! {
            biased;
            () = &mut draining => break Ending::Drained,
            () = dismissed.notified() => {
                let Some((stream, why)) = publishes
                    .iter()
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
                publishes.values_mut().for_each(Publish::report);
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
                let begun = admit(&request, &house).and_then(|name| {
                    let encoder = request.encoder.clone();
                    Publish::begin(name, peer, encoder, house.clone(), dismissed.clone())
                        .map_err(Refusal::from)
                });
                match begun {
                    Ok(publish) => {
                        publishes.insert(request.stream, publish);
                        connection.accept(request.stream);
                    }
                    Err(why) => {
                        house.totals.publishes_refused.add(1);
                        warn!(%peer, app = %request.app, "publish refused: {why}");
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
        count(error, &house);
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

/// Ends one publish of a connection that goes on.
fn end(
    connection: &mut Connection<TcpStream>,
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
fn count(error: &Error, house: &House) {
    match error {
        Error::Name { .. } => house.totals.publishes_refused.add(1),
        Error::Io(_) => {}
        Error::Protocol { .. }
        | Error::Amf { .. }
        | Error::Limit { .. }
        | Error::Unsupported { .. }
        | Error::Timeout { .. } => house.totals.faults.add(1),
    }
}

/// Decides about a publish: its public name, or why it is refused.
fn admit(request: &PublishRequest, house: &House) -> Result<PresentationName, Refusal> {
    let app = find_app(&house.config.apps, &request.app).map_err(Refusal::Denied)?;
    let mut pairs = [&request.query, &request.connect_query]
        .into_iter()
        .flatten()
        .flat_map(|query| query.reveal().split('&'));
    let token = pairs.find_map(|pair| pair.strip_prefix("key="));
    let name = app
        .admit(request.key.reveal(), token)
        .map_err(Refusal::Denied)?;
    Ok(PresentationName {
        app: request.app.clone(),
        name,
    })
}

/// Why a publish does not begin.
enum Refusal {
    Denied(Denial),
    Unavailable(Refused),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Unavailable(refused)
    }
}

impl Refusal {
    /// What the encoder is told.
    fn into_rejection(self) -> Rejection {
        match self {
            Self::Denied(_) => Rejection::Denied(REFUSED.to_owned()),
            Self::Unavailable(refused) => Rejection::BadName(refused.to_string()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Unavailable(refused) => refused.fmt(f),
        }
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
            Self::TooLarge(error) => error.fmt(f),
            Self::Drained => f.write_str("the gateway is shutting down"),
        }
    }
}
