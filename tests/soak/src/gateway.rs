//! The gateway as a process that is killed and started again: same ports, same state directory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::sleep;

/// A name without a publisher for so long ends.
pub(crate) const RESUME: Duration = Duration::from_secs(6);
/// An ended presentation can be fetched for so long.
pub(crate) const LINGER: Duration = Duration::from_secs(6);
/// A publisher without a media message for so long is let go: longer than the longest stall on the worst line.
pub(crate) const IDLE: Duration = Duration::from_secs(10);
/// The longest segment of a presentation's first publish, seconds; and so its longest target duration.
pub(crate) const MAX_SEGMENT_SECONDS: i64 = 4;

/// A start takes no longer, even on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// The gateway's own deadline for a shutdown, and some more for a busy machine.
const LEAVES_WITHIN: Duration = Duration::from_secs(20);
/// Lines of its log that are kept.
const LINES: usize = 60;

/// What the gateway is started with, beside its ports.
fn environment(state: &Path) -> Vec<(&'static str, String)> {
    let seconds = |time: Duration| format!("{}s", time.as_secs());
    vec![
        ("FOREBAY__STATE__DIRECTORY", state.display().to_string()),
        ("FOREBAY__HLS__RESUME", seconds(RESUME)),
        ("FOREBAY__HLS__LINGER", seconds(LINGER)),
        (
            "FOREBAY__HLS__MAX_SEGMENT",
            format!("{MAX_SEGMENT_SECONDS}s"),
        ),
        ("FOREBAY__RTMP__IDLE_TIMEOUT", seconds(IDLE)),
    ]
}

/// One life of the gateway's process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Even while it is up, odd while it is away; another number for each life.
    pub(crate) number: u64,
    /// When its process was started, or went away.
    pub(crate) since: Instant,
}

impl Life {
    /// It is there.
    pub(crate) fn is_up(&self) -> bool {
        self.number.is_multiple_of(2)
    }
}

/// The gateway under test.
pub(crate) struct Gateway {
    binary: PathBuf,
    folder: PathBuf,
    /// Where encoders publish.
    pub(crate) rtmp: SocketAddr,
    /// Where players ask.
    pub(crate) http: SocketAddr,
    child: Mutex<Option<Child>>,
    life: Mutex<Life>,
    starts: AtomicU64,
    log: Arc<Mutex<Log>>,
}

/// What its log says.
#[derive(Debug, Default)]
struct Log {
    last: VecDeque<String>,
    panics: Vec<String>,
    file: Option<File>,
}

impl Gateway {
    /// Starts it on free ports. Its log goes on in `log`.
    ///
    /// # Errors
    /// It does not start, or the log cannot be written.
    pub(crate) fn start(binary: &Path, folder: &Path, log: Option<&Path>) -> anyhow::Result<Self> {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let mut gateway = Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            rtmp: any,
            http: any,
            child: Mutex::new(None),
            life: Mutex::new(Life {
                number: 1,
                since: Instant::now(),
            }),
            starts: AtomicU64::new(0),
            log: Arc::new(Mutex::new(Log {
                file: log.map(File::create).transpose()?,
                ..Log::default()
            })),
        };
        (gateway.rtmp, gateway.http) = gateway.launch()?;
        Ok(gateway)
    }

    /// Its present life.
    pub(crate) fn life(&self) -> Life {
        *lock(&self.life)
    }

    /// How often it was started.
    pub(crate) fn starts(&self) -> u64 {
        self.starts.load(Ordering::Relaxed)
    }

    /// The process's number, while it is up.
    pub(crate) fn pid(&self) -> Option<u32> {
        lock(&self.child).as_ref().map(Child::id)
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let Some(mut child) = lock(&self.child).take() else {
            bail!("nothing to kill");
        };
        // Whoever fails from now on has an excuse.
        self.next_life(Instant::now());
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Starts it again after a kill, where it was.
    pub(crate) fn restart(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTS_WITHIN;
        // A client's own port may be in the way for a moment.
        while let Err(error) = self.launch() {
            if Instant::now() > deadline {
                return Err(error.context("it does not start again"));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// SIGTERM; gives how it left.
    pub(crate) fn stop(&self) -> anyhow::Result<ExitStatus> {
        let Some(mut child) = lock(&self.child).take() else {
            bail!("nothing to stop");
        };
        self.next_life(Instant::now());
        kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
        let deadline = Instant::now() + LEAVES_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(20));
        }
        child.kill()?;
        child.wait()?;
        bail!("it did not leave within {LEAVES_WITHIN:?} of SIGTERM")
    }

    /// An error if it has ended by itself.
    pub(crate) fn ensure_running(&self) -> anyhow::Result<()> {
        if let Some(child) = &mut *lock(&self.child)
            && let Some(status) = child.try_wait()?
        {
            bail!(
                "it ended by itself with {status}; its last lines:\n{}",
                self.last_lines()
            );
        }
        Ok(())
    }

    /// Lines of its log that tell of a panic.
    pub(crate) fn panics(&self) -> Vec<String> {
        lock(&self.log).panics.clone()
    }

    /// The end of its log.
    pub(crate) fn last_lines(&self) -> String {
        let log = lock(&self.log);
        log.last.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    fn launch(&self) -> anyhow::Result<(SocketAddr, SocketAddr)> {
        let ready = self.folder.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let state = self.folder.join("state");
        std::fs::create_dir_all(&state)?;
        let started = Instant::now();
        let mut child = Command::new(&self.binary)
            .arg("serve")
            .args(["--rtmp-listen", &self.rtmp.to_string()])
            .args(["--http-listen", &self.http.to_string()])
            .arg("--ready-file")
            .arg(&ready)
            .envs(environment(&state))
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        self.follow(&mut child);
        let deadline = Instant::now() + STARTS_WITHIN;
        let text = loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                break text;
            }
            if let Some(status) = child.try_wait()? {
                bail!("it left with {status}:\n{}", self.last_lines());
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("it was not ready within {STARTS_WITHIN:?}");
            }
            sleep(Duration::from_millis(5));
        };
        let addresses: serde_json::Value = serde_json::from_str(&text)?;
        let address = |key: &str| -> anyhow::Result<SocketAddr> {
            let text = addresses[key].as_str();
            Ok(text
                .with_context(|| format!("{key} in {addresses}"))?
                .parse()?)
        };
        let both = (address("rtmp")?, address("http")?);
        *lock(&self.child) = Some(child);
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.next_life(started);
        Ok(both)
    }

    fn next_life(&self, since: Instant) {
        let mut life = lock(&self.life);
        life.number += 1;
        life.since = since;
    }

    fn follow(&self, child: &mut Child) {
        let Some(stderr) = child.stderr.take() else {
            return;
        };
        let into = self.log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = lock(&into);
                if line.contains("panicked") {
                    log.panics.push(line.clone());
                }
                if let Some(file) = &mut log.file {
                    let _ = writeln!(file, "{line}");
                }
                if log.last.len() == LINES {
                    log.last.pop_front();
                }
                log.last.push_back(line);
            }
        });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = lock(&self.child).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What is in it is consistent between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
