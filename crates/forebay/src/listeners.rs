//! The ports of both miles, opened and announced.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;

use crate::config::Config;

/// Connections the kernel holds until they are accepted.
const BACKLOG: u32 = 1_024;

/// Open, and nothing accepted yet.
pub(crate) struct Listeners {
    pub(crate) rtmp: TcpListener,
    pub(crate) rtmps: Option<TcpListener>,
    pub(crate) http: TcpListener,
    pub(crate) https: Option<TcpListener>,
    pub(crate) operators: Option<TcpListener>,
}

/// Where the listeners are.
#[derive(Serialize)]
pub(crate) struct Addresses {
    rtmp: SocketAddr,
    http: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtmps: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<SocketAddr>,
}

impl Listeners {
    /// Opens what is configured. A listener belongs to the runtime it is made on: those for encoders to `ingest`,
    /// the others to that of the caller.
    ///
    /// # Errors
    /// One cannot be opened: names its key.
    pub(crate) fn open(config: &Config, ingest: &Handle) -> Result<Self> {
        let (rtmp, rtmps) = {
            let _ingest = ingest.enter();
            (
                listen(config.rtmp.listen, "rtmp.listen")?,
                listen_if(config.rtmp.tls_listen, "rtmp.tls_listen")?,
            )
        };
        Ok(Self {
            rtmp,
            rtmps,
            http: listen(config.http.listen, "http.listen")?,
            https: listen_if(config.http.tls_listen, "http.tls_listen")?,
            operators: listen_if(config.http.operators_listen, "http.operators_listen")?,
        })
    }

    pub(crate) fn addresses(&self) -> Result<Addresses> {
        let of = |listener: &Option<TcpListener>| {
            let listener = listener.as_ref();
            listener.map(TcpListener::local_addr).transpose()
        };
        Ok(Addresses {
            rtmp: self.rtmp.local_addr()?,
            http: self.http.local_addr()?,
            rtmps: of(&self.rtmps)?,
            https: of(&self.https)?,
        })
    }
}

impl Addresses {
    /// Writes where the listeners are, all at once: a reader sees nothing or everything.
    pub(crate) fn announce(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string(self)?;
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, text)
            .and_then(|()| std::fs::rename(&unfinished, path))
            .with_context(|| format!("cannot write the ready file {}", path.display()))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rtmp on {}, http on {}", self.rtmp, self.http)?;
        for (what, address) in [("rtmps", self.rtmps), ("https", self.https)] {
            if let Some(address) = address {
                write!(f, ", {what} on {address}")?;
            }
        }
        Ok(())
    }
}

fn listen_if(at: Option<SocketAddr>, key: &str) -> Result<Option<TcpListener>> {
    at.map(|at| listen(at, key)).transpose()
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
