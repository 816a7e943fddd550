//! Who may publish, under which name, on what terms; and what the others are told.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use media::PresentationName;
use playlist::{Refused, Terms};
use rtmp_ingest::{PublishRequest, Rejection};
use tokio::sync::Notify;

use crate::config::{Denial, find_app};
use crate::house::House;

/// What a refused encoder is told. Why is for the log: a stranger who guesses learns nothing.
const REFUSED: &str = "this application or stream key may not be published here";

/// Decides about a publish: its public name and the terms on which it gets it, or why it is refused. `wake`
/// is what tells it later that it must end.
pub(crate) fn admit(
    request: &PublishRequest,
    peer: SocketAddr,
    wake: Arc<Notify>,
    house: &House,
) -> Result<(PresentationName, Terms), Refusal> {
    if !house.may_try(peer.ip()) {
        return Err(Refusal::Barred);
    }
    let denied = |denial| {
        house.failed(peer.ip());
        Refusal::Denied(denial)
    };
    let app = find_app(&house.config.apps, &request.app).map_err(denied)?;
    let mut pairs = [&request.query, &request.connect_query]
        .into_iter()
        .flatten()
        .flat_map(|query| query.reveal().split('&'));
    let token = pairs.find_map(|pair| pair.strip_prefix("key="));
    let admitted = app.admit(request.key.reveal(), token).map_err(denied)?;
    let name = PresentationName {
        app: request.app.clone(),
        name: admitted.name,
    };
    Ok((name, house.terms(app, admitted.credential, wake)))
}

/// Why a publish does not begin.
pub(crate) enum Refusal {
    /// It may not be published here.
    Denied(Denial),
    /// Too many publishes from there have failed to look at another.
    Barred,
    /// Its name cannot be had.
    Unavailable(Refused),
}

impl Refusal {
    /// What the encoder is told.
    pub(crate) fn into_rejection(self) -> Rejection {
        match self {
            Self::Denied(_) => Rejection::Denied(REFUSED.to_owned()),
            Self::Barred => Rejection::Denied(self.to_string()),
            Self::Unavailable(refused) => Rejection::BadName(refused.to_string()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Barred => f.write_str(
                "too many publishes from this address have failed; try again in a minute",
            ),
            Self::Unavailable(refused) => refused.fmt(f),
        }
    }
}
