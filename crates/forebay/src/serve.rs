//! The gateway from start to end: listeners, the ready file, signals, the way out.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_server::{Audience, Phase, Readiness, Totals};
use playlist::Remembered;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::config::{self, Config};
use crate::house::{House, raised};
use crate::state::{self, State};
use crate::{accept, panics};

/// Connections the kernel holds until they are accepted.
const BACKLOG: u32 = 1_024;
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
    ready_file: Option<&Path>,
    ingest: &Handle,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    raise_descriptors();
    let rtmp = {
        // A listener belongs to the runtime it is made on.
        let _ingest = ingest.enter();
        listen(config.rtmp.listen, "rtmp.listen")?
    };
    let http = listen(config.http.listen, "http.listen")?;
    let operators = config
        .http
        .operators_listen
        .map(|at| listen(at, "http.operators_listen"))
        .transpose()?;
    let addresses = (rtmp.local_addr()?, http.local_addr()?);

    let state = open_state(&config.state)?;
    let totals = Arc::new(Totals::default());
    panics::count_in(totals.clone());
    let readiness = Readiness::default();
    let house = Arc::new(House::new(config, totals.clone()));
    let settled = watch::Sender::new(false);
    let keeping = state.map(|(state, found)| {
        for vacancy in house.restore(&found) {
            ingest.spawn(vacancy.expire());
        }
        tokio::spawn(state.keep(house.registry.clone(), raised(&settled)))
    });
    let (closing, _) = watch::channel(false);
    let encoders = ingest.spawn(accept::run(rtmp, house.clone()));
    let everything = if operators.is_some() {
        Audience::Viewers
    } else {
        Audience::Operators
    };
    let mut players = JoinSet::new();
    for (listener, audience) in [(http, everything)]
        .into_iter()
        .chain(operators.map(|listener| (listener, Audience::Operators)))
    {
        let site = house.site(audience, &readiness);
        let (settings, totals, closed) = (house.http(), totals.clone(), raised(&closing));
        players.spawn(async move {
            http_server::serve(listener, site, &settings, totals, closed).await
        });
    }
    readiness.enter(Phase::Ready);
    if let Some(path) = ready_file {
        announce(path, addresses)?;
    }
    info!(
        "forebay {} is ready: rtmp on {}, http on {}",
        env!("CARGO_PKG_VERSION"),
        addresses.0,
        addresses.1
    );

    signals.wait().await;
    readiness.enter(Phase::Draining);
    let deadline = Instant::now() + house.config.shutdown.deadline;
    info!(
        "shutting down within {:?}; another signal leaves at once",
        house.config.shutdown.deadline
    );
    let leave = async {
        house.drain.send_replace(true);
        let ended = timeout_at(deadline, encoders).await.is_ok();
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
        readiness.enter(Phase::Closing);
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

fn listen(at: SocketAddr, key: &str) -> Result<TcpListener> {
    let open = || {
        let socket = if at.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restart must not wait for the kernel to forget the old connections.
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        socket.listen(BACKLOG)
    };
    open().with_context(|| format!("cannot listen on {at} ({key})"))
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

/// Writes where the listeners are, all at once: a reader sees nothing or everything.
fn announce(path: &Path, (rtmp, http): (SocketAddr, SocketAddr)) -> Result<()> {
    let text =
        serde_json::json!({ "rtmp": rtmp.to_string(), "http": http.to_string() }).to_string();
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write the ready file {}", path.display()))
}
