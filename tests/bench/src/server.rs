//! The two servers, started alike: free ports on loopback, files on tmpfs, gone when dropped.

mod folder;
mod forebay;
mod nginx;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cost::Processes;
use crate::wait;
use folder::Folder;

/// Longest wait for a server to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// The gateway of this repository.
    Forebay,
    /// nginx with libnginx-mod-rtmp.
    NginxRtmp,
}

impl Peer {
    /// In the order they take turns.
    pub(crate) const BOTH: [Self; 2] = [Self::Forebay, Self::NginxRtmp];

    /// Where the media playlist of a publish is.
    pub(crate) fn playlist(self, name: &str) -> String {
        match self {
            Self::Forebay => forebay::playlist(name),
            Self::NginxRtmp => nginx::playlist(name),
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Which.
    pub(crate) peer: Peer,
    /// Where it takes publishes.
    pub(crate) rtmp: SocketAddr,
    /// Where it serves playlists and segments.
    pub(crate) http: SocketAddr,
    process: Process,
    folder: Folder,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(peer: Peer, gateway: &Path) -> anyhow::Result<Self> {
        match peer {
            Peer::Forebay => Self::forebay(gateway, &[]),
            Peer::NginxRtmp => Self::listening(peer, nginx::start),
        }
    }

    /// Starts Forebay with these environment variables, which override keys of its configuration.
    pub(crate) fn forebay(gateway: &Path, keys: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::listening(Peer::Forebay, |folder| {
            forebay::start(gateway, folder, keys)
        })
    }

    fn listening(
        peer: Peer,
        start: impl FnOnce(&Path) -> anyhow::Result<(Process, SocketAddr, SocketAddr)>,
    ) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let (process, rtmp, http) =
            start(folder.path()).with_context(|| format!("cannot start {peer:?}"))?;
        Ok(Self {
            peer,
            rtmp,
            http,
            process,
            folder,
        })
    }

    /// The server's processes now; none is started later.
    pub(crate) fn processes(&self) -> anyhow::Result<Processes> {
        Processes::of(self.process.0.id())
    }

    /// The folder nginx serves below `/static/`; of no use with Forebay.
    pub(crate) fn static_folder(&self) -> PathBuf {
        self.folder.path().join(nginx::STATIC)
    }

    /// Bytes of the files it keeps on tmpfs: memory that is in no process.
    pub(crate) fn bytes_on_tmpfs(&self) -> anyhow::Result<u64> {
        self.folder.bytes()
    }

    /// An error if it ended by itself, with what it wrote last.
    pub(crate) fn ensure_running(&mut self) -> anyhow::Result<()> {
        self.process.ensure_running(self.folder.path())
    }
}

/// A child that ends with its value.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    fn ensure_running(&mut self, folder: &Path) -> anyhow::Result<()> {
        if let Some(status) = self.ended()? {
            let log = std::fs::read_to_string(folder.join(LOG)).unwrap_or_default();
            bail!("it ended by itself with {status} and wrote:\n{log}");
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: nginx's master takes its worker with it, which SIGKILL would leave behind.
        // Forebay would give players time to fetch its last segments; ours do not come.
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let ended = wait::until("the end", PATIENCE, || self.ended());
        if ended.is_err() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// The file in the server's folder that takes its stderr.
const LOG: &str = "log";
