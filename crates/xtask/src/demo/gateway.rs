//! The gateway as a child: its ports, its start, where it says it listens.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::encoder::{APP, NAME};
use crate::interrupt::Interrupts;
use crate::process::{Output, Running};

/// Time for the gateway to finish the current segment and let players fetch it; above its own
/// deadline, so that a kill here always means a fault there.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// Time for both listeners to accept.
const START: Duration = Duration::from_secs(15);

const POLL: Duration = Duration::from_millis(50);

/// Where the gateway listens, as its ready file says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Listening {
    rtmp: SocketAddr,
    http: SocketAddr,
}

impl Listening {
    /// What OBS calls Server.
    pub(super) fn rtmp_server(&self) -> String {
        format!("rtmp://{}/{APP}", authority(self.rtmp))
    }

    /// What ffmpeg and GStreamer take.
    pub(super) fn publish_url(&self) -> String {
        format!("{}/{NAME}", self.rtmp_server())
    }

    /// An address on HTTP; `path` begins with a slash.
    pub(super) fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http_authority())
    }

    /// Host and port of HTTP.
    pub(super) fn http_authority(&self) -> String {
        authority(self.http)
    }
}

/// Starts the gateway and waits until both listeners accept.
pub(super) fn start(
    serve: &mut Command,
    interrupts: &Interrupts,
) -> anyhow::Result<(Running, Listening)> {
    let folder = TemporaryFolder::create()?;
    let ready_file = folder.0.join("ready.json");
    serve.arg("--ready-file").arg(&ready_file);
    let mut gateway = Running::start("gateway", serve, Output::Named)?;
    let deadline = Instant::now() + START;
    loop {
        if let Some(listening) = read_ready_file(&ready_file) {
            return Ok((gateway, listening));
        }
        gateway.ensure_running()?;
        if Instant::now() >= deadline {
            bail!("the gateway runs, and did not say within {START:?} that it listens");
        }
        interrupts.wait(POLL)?;
    }
}

/// An error that says what to do if someone listens there already.
pub(super) fn ensure_free(flag: &str, listen: SocketAddr) -> anyhow::Result<()> {
    match TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let port = listen.port();
            bail!(
                "port {port} is taken; stop the program that listens there \
                 (`ss -ltnp 'sport = :{port}'` names it), or choose another port: \
                 `cargo xtask demo {flag} 0.0.0.0:{}`",
                port.checked_add(1).unwrap_or(0)
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {listen} ({flag})")),
    }
}

/// `None` until the file is there and whole.
fn read_ready_file(path: &Path) -> Option<Listening> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Host and port for a client on this machine.
fn authority(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() || ip.is_loopback() => {
            format!("localhost:{}", address.port())
        }
        IpAddr::V6(ip) if ip.is_unspecified() || ip.is_loopback() => {
            format!("localhost:{}", address.port())
        }
        _ => address.to_string(),
    }
}

/// A folder of our own below the system's; removed with what is in it.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("forebay-demo-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // A leftover in the system's temporary folder is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
impl Listening {
    /// For tests.
    pub(super) fn on(rtmp: &str, http: &str) -> Self {
        let parse = |text: &str| text.parse().expect("the test's address should be one");
        Self {
            rtmp: parse(rtmp),
            http: parse(http),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for `forebay serve`: the script gets the ready file's path as `$2`.
    fn stand_in(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "forebay"]);
        command
    }

    #[test]
    fn urls_are_for_a_client_on_this_machine() {
        let everywhere = Listening::on("0.0.0.0:1935", "[::]:8080");
        assert_eq!(everywhere.rtmp_server(), "rtmp://localhost:1935/live");
        assert_eq!(everywhere.publish_url(), "rtmp://localhost:1935/live/demo");
        assert_eq!(
            everywhere.http_url("/healthz"),
            "http://localhost:8080/healthz"
        );
        let one_address = Listening::on("192.0.2.7:1", "[2001:db8::1]:2");
        assert_eq!(one_address.publish_url(), "rtmp://192.0.2.7:1/live/demo");
        assert_eq!(one_address.http_url("/"), "http://[2001:db8::1]:2/");
    }

    #[test]
    fn start_and_its_ends() {
        // One test: all of them want the same temporary folder.
        let never = Interrupts::never();
        let ready =
            r#"printf '{"rtmp":"127.' >"$2"; printf '0.0.1:5","http":"[::1]:6"}' >>"$2"; sleep 60"#;
        let (_gateway, listening) = start(&mut stand_in(ready), &never).unwrap();
        assert_eq!(listening, Listening::on("127.0.0.1:5", "[::1]:6"));

        let dies = "echo 'error: no such key' >&2; exit 1";
        let error = start(&mut stand_in(dies), &never).unwrap_err().to_string();
        assert_eq!(
            error,
            "the gateway ended by itself with exit status: 1; its last lines:\n    error: no such key"
        );

        let error = start(&mut stand_in("sleep 60"), &Interrupts::at_once()).unwrap_err();
        assert!(error.is::<crate::interrupt::Interrupted>(), "{error:#}");
    }

    #[test]
    fn a_taken_port_is_named_with_the_way_out() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let error = ensure_free("--http-listen", address)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("port {} is taken", address.port())),
            "{error}"
        );
        assert!(
            error.contains("cargo xtask demo --http-listen 0.0.0.0:"),
            "{error}"
        );
        drop(other);
        // A program that another test starts at this moment holds it until it runs.
        let deadline = Instant::now() + Duration::from_secs(5);
        while let Err(error) = ensure_free("--http-listen", address) {
            assert!(Instant::now() < deadline, "{error:#}");
            Interrupts::never().wait(POLL).unwrap();
        }
    }
}
