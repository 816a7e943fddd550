//! The gateway from start to end: listeners, the ready file, signals, the way out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_server::{Audience, Phase, Readiness, Scheme, Totals};
use playlist::Remembered;
use tls::{Acceptor, Certificates};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::config::{self, Config};
use crate::door::Door;
use crate::house::{House, raised};
use crate::listeners::Listeners;
use crate::state::{self, State};
use crate::transcoder::Workshop;
use crate::{accept, panics};

/// Descriptors worth asking for; a connection takes one.
const DESCRIPTORS: u64 = 65_536;
/// From a player's reload to the end of its segment, on any line that plays at all.
const A_FETCH: Duration = Duration::from_millis(500);
/// What is left of the deadline for requests in flight once the listeners close.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// What a slow disk may take beyond the deadline.
const STATE_TIME: Duration = Duration::from_millis(250);

/// Runs until SIGTERM or SIGINT, or until a listener cannot be opened.
/// Encoders are served on `ingest`, players on the runtime it is called on.
pub(crate) async fn serve(
    config: Config,
    certificates: Option<Arc<Certificates>>,
    ready_file: Option<&Path>,
    ingest: &Handle,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    raise_descriptors();
    for remark in config.remarks() {
        warn!("{remark}");
    }
    let workshop = Workshop::open(&config).await?;
    let listeners = Listeners::open(&config, ingest)?;
    let addresses = listeners.addresses()?;

    let state = open_state(&config.state)?;
    let totals = Arc::new(Totals::default());
    panics::count_in(totals.clone());
    let readiness = Readiness::default();
    let house = Arc::new(House::new(config, totals.clone()).with_workshop(workshop));
    let settled = watch::Sender::new(false);
    let keeping = state.map(|(state, found)| {
        for vacancy in house.restore(&found) {
            ingest.spawn(vacancy.expire());
        }
        tokio::spawn(state.keep(house.registry.clone(), raised(&settled)))
    });
    let (closing, _) = watch::channel(false);
    let secure = |protocols: &[&str]| {
        let certificates = certificates.as_ref()?;
        Some(Acceptor::new(certificates.clone(), protocols))
    };
    let encoders = {
        let rtmps = listeners.rtmps.zip(secure(&[]));
        let rtmps = rtmps.map(|(listener, acceptor)| (listener, Door::Tls(acceptor)));
        let doors = [(listeners.rtmp, Door::Either(secure(&[])))].into_iter();
        let accept = |(listener, door)| ingest.spawn(accept::run(listener, door, house.clone()));
        doors.chain(rtmps).map(accept).collect::<Vec<_>>()
    };
    let everything = if listeners.operators.is_some() {
        Audience::Viewers
    } else {
        Audience::Operators
    };
    let http = [(listeners.http, Scheme::Http, everything)];
    let https = listeners.https.zip(secure(&["h2", "http/1.1"]));
    let https = https.map(|(listener, acceptor)| (listener, Scheme::Https(acceptor), everything));
    let operators = listeners.operators;
    let operators = operators.map(|listener| (listener, Scheme::Http, Audience::Operators));
    let mut players = JoinSet::new();
    for (listener, scheme, audience) in http.into_iter().chain(https).chain(operators) {
        let site = house.site(audience, &readiness);
        let (settings, totals, closed) = (house.http(), totals.clone(), raised(&closing));
        players.spawn(async move {
            http_server::serve(listener, scheme, site, &settings, totals, closed).await
        });
    }
    readiness.enter(Phase::Ready);
    if let Some(path) = ready_file {
        addresses.announce(path)?;
    }
    info!(
        "forebay {} is ready: {addresses}",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.keep_current());
    }

    signals.wait().await;
    readiness.enter(Phase::Draining);
    let deadline = Instant::now() + house.config.shutdown.deadline;
    info!(
        "shutting down within {:?}; another signal leaves at once",
        house.config.shutdown.deadline
    );
    let leave = async {
        house.drain.send_replace(true);
        let gone = async {
            for accepting in encoders {
                let _ = accepting.await;
            }
            house.transcoders_gone().await;
        };
        let ended = timeout_at(deadline, gone).await.is_ok();
        if !ended {
            warn!("publishes did not end within the deadline");
        }
        // Players learn of the last segments at their next reload, and fetch them.
        let lingering = house
            .longest_target()
            .map_or(Duration::ZERO, |target| target + A_FETCH);
        let last_requests = deadline - LAST_REQUESTS.min(house.config.shutdown.deadline);
        sleep_until(last_requests.min(Instant::now() + lingering)).await;
        // Whoever waits for more is answered, and then the connections can go.
        house.registry.release();
        closing.send_replace(true);
        if timeout_at(deadline, players.join_all()).await.is_err() {
            warn!("requests were still in flight at the deadline");
        }
        // With nobody left to use a number, what is used is known.
        if let Some(keeping) = keeping.filter(|_| ended) {
            settled.send_replace(true);
            if timeout_at(deadline + STATE_TIME, keeping).await.is_err() {
                warn!("the state folder was not written in time: numbers will skip some");
            }
        }
    };
    tokio::select! {
        () = leave => info!("shut down in good order"),
        () = signals.wait() => warn!("second signal: leaving at once"),
    }
    Ok(())
}

/// The folder of what outlives the process, with what the last one left. `None` without one, if none is
/// configured: then numbers follow the clock.
fn open_state(configured: &config::State) -> Result<Option<(State, Remembered)>> {
    if !configured.directory.as_os_str().is_empty() {
        return State::open(&configured.directory)
            .map(Some)
            .context("state.directory");
    }
    let Some(folder) = state::usual_folder(|name| std::env::var(name).ok()) else {
        warn!("no state folder: after a restart, numbers of playlists follow the clock");
        return Ok(None);
    };
    Ok(State::open(&folder)
        .inspect_err(|why| {
            warn!("after a restart, numbers of playlists follow the clock: {why:#}");
        })
        .ok())
}

/// SIGTERM and SIGINT, which mean the same.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let to = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: to(SignalKind::terminate())?,
            interrupt: to(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A soft limit of 1 024 descriptors is common, and too few for a gateway.
fn raise_descriptors() {
    match rlimit::increase_nofile_limit(DESCRIPTORS) {
        Ok(now) if now < 4_096 => {
            warn!("only {now} file descriptors are allowed: raise the hard limit for many viewers");
        }
        Ok(_) => {}
        Err(error) => warn!("cannot raise the limit of file descriptors: {error}"),
    }
}
