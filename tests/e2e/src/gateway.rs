//! The built gateway as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{http, wait};

/// A gateway on free ports of the loopback interface; killed when dropped, with its log shown if the test
/// is failing.
pub struct Gateway {
    child: Child,
    /// Where encoders publish.
    pub rtmp: SocketAddr,
    /// Where players ask.
    pub http: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// Its own state folder, unless the environment names another.
    state: PathBuf,
}

impl Gateway {
    /// Starts on the built-in configuration.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts with keys overridden: `("FOREBAY__HLS__SEGMENT", "1s")`.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::launch(None, environment)
    }

    /// Starts on this configuration text.
    pub fn start_on(configuration: &str) -> Self {
        let file = scratch("toml");
        std::fs::write(&file, configuration).expect("the temporary folder takes files");
        let gateway = Self::launch(Some(&file), &[]);
        std::fs::remove_file(&file).expect("the file was just written");
        gateway
    }

    fn launch(configuration: Option<&PathBuf>, environment: &[(&str, &str)]) -> Self {
        let ready = scratch("ready");
        let mut command = Command::new(binary());
        command.args([
            "serve",
            "--rtmp-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
            "--ready-file",
        ]);
        let state = scratch("state");
        command
            .arg(&ready)
            .env("STATE_DIRECTORY", &state)
            .envs(environment.iter().copied());
        if let Some(file) = configuration {
            command.arg("--config").arg(file);
        }
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()));
        let log = follow(&mut child);
        let text = wait::until("the ready file", Duration::from_secs(10), || {
            if let Some(status) = child.try_wait().expect("the child can be asked") {
                panic!(
                    "the gateway left with {status}: {:?}",
                    log.lock().expect("no panic")
                );
            }
            std::fs::read_to_string(&ready).ok()
        });
        std::fs::remove_file(&ready).expect("the file is there");
        let addresses: serde_json::Value =
            serde_json::from_str(&text).expect("the ready file is JSON");
        let address = |key: &str| {
            addresses[key]
                .as_str()
                .and_then(|at| at.parse().ok())
                .unwrap_or_else(|| panic!("{key} in {text}"))
        };
        Self {
            child,
            rtmp: address("rtmp"),
            http: address("http"),
            log,
            state,
        }
    }

    /// `rtmp://HOST:PORT/path`.
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp)
    }

    /// `http://HOST:PORT/path`.
    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.http)
    }

    /// Asks for a path, which begins with `/`.
    pub fn get(&self, path: &str) -> http::Answer {
        http::get(self.http, path)
    }

    /// The log so far, a line each.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no panic").clone()
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("the child can be asked")
            .is_none()
    }

    /// Sends SIGTERM.
    pub fn ask_to_leave(&self) {
        let killed = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status();
        assert!(killed.expect("kill is there").success());
    }

    /// Waits for the end.
    pub fn left(&mut self, limit: Duration) -> ExitStatus {
        wait::until("the gateway to leave", limit, || {
            self.child.try_wait().expect("the child can be asked")
        })
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a failing test shows the gateway's log"
)]
impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.state);
        if std::thread::panicking() {
            for line in self.log() {
                println!("gateway: {line}");
            }
        }
    }
}

/// The binary under test: `FOREBAY_BIN`, else the release build in the target directory that this test
/// was built in.
pub fn binary() -> PathBuf {
    std::env::var_os("FOREBAY_BIN").map_or_else(release_build, PathBuf::from)
}

fn release_build() -> PathBuf {
    let test = std::env::current_exe().expect("the test knows where it lies");
    let target = test.ancestors().nth(3);
    target
        .expect("a test should lie in TARGET/PROFILE/deps")
        .join("release/forebay")
}

/// A path in the temporary folder that no other test has.
pub fn scratch(suffix: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!(
        "forebay-e2e-{}-{count}.{suffix}",
        std::process::id()
    ))
}

fn follow(child: &mut Child) -> Arc<Mutex<Vec<String>>> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    let into = log.clone();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            into.lock().expect("no panic").push(line);
        }
    });
    log
}
