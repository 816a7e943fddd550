//! The built gateway as a process of its own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::certificate::Certificate;
use crate::{http, wait};

/// It is ready within a second; a loaded machine takes its time.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Listeners for TLS, wherever there is room.
const ON_FREE_PORTS: [(&str, &str); 2] = [
    ("FOREBAY__RTMP__TLS_LISTEN", "127.0.0.1:0"),
    ("FOREBAY__HTTP__TLS_LISTEN", "127.0.0.1:0"),
];

/// A gateway on free ports of the loopback interface; killed when dropped, with its log shown if the test
/// is failing.
pub struct Gateway {
    /// Replaced at a restart, under the eyes of players.
    child: Mutex<Child>,
    /// Where encoders publish.
    pub rtmp: SocketAddr,
    /// Where players ask.
    pub http: SocketAddr,
    /// Where encoders publish over TLS, if it was opened.
    pub rtmps: Option<SocketAddr>,
    /// Where players ask over TLS, if it was opened.
    pub https: Option<SocketAddr>,
    log: Log,
    launch: Launch,
}

/// The log so far, a line each.
type Log = Arc<Mutex<Vec<String>>>;

/// What the ready file says.
struct Addresses {
    rtmp: SocketAddr,
    http: SocketAddr,
    rtmps: Option<SocketAddr>,
    https: Option<SocketAddr>,
}

/// How it was started.
struct Launch {
    configuration: Option<PathBuf>,
    options: &'static [&'static str],
    environment: Vec<(String, String)>,
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
        Self::launch(None, &[], environment)
    }

    /// Starts with a certificate that it has made itself, and with keys overridden.
    pub fn start_self_signed(environment: &[(&str, &str)]) -> Self {
        let environment = [&ON_FREE_PORTS[..], environment].concat();
        Self::launch(None, &["--self-signed"], &environment)
    }

    /// Starts with these certificates, the first being the default, and with keys overridden.
    pub fn start_secure(certificates: &[&Certificate], environment: &[(&str, &str)]) -> Self {
        let pairs = Certificate::as_key(certificates);
        let own = [("FOREBAY__TLS__CERTIFICATES", pairs.as_str())];
        let environment = [&ON_FREE_PORTS[..], &own, environment].concat();
        Self::launch(None, &[], &environment)
    }

    /// Starts on this configuration text.
    pub fn start_on(configuration: &str) -> Self {
        let file = scratch("toml");
        fs::write(&file, configuration).expect("the temporary folder takes files");
        Self::launch(Some(file), &[], &[])
    }

    fn launch(
        configuration: Option<PathBuf>,
        options: &'static [&'static str],
        environment: &[(&str, &str)],
    ) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let launch = Launch {
            configuration,
            options,
            environment: environment.iter().map(own).collect(),
            state: scratch("state"),
        };
        let log = Log::default();
        let free: SocketAddr = ([127, 0, 0, 1], 0).into();
        let (child, at) = launch.run([free, free], &log);
        Self {
            child: Mutex::new(child),
            rtmp: at.rtmp,
            http: at.http,
            rtmps: at.rtmps,
            https: at.https,
            log,
            launch,
        }
    }

    /// Kills it as a crash does, with SIGKILL.
    pub fn kill(&self) {
        let mut child = self.child();
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
    }

    /// Starts it again after its end, at the same addresses and on the same state.
    pub fn start_again(&self) {
        let at = [self.rtmp, self.http];
        let (child, again) = self.launch.run(at, &self.log);
        assert_eq!([again.rtmp, again.http], at);
        *self.child() = child;
    }

    /// The folder of what it remembers over a restart.
    pub fn state(&self) -> &Path {
        &self.launch.state
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.child().id()
    }

    /// The processes that it has started and that still run.
    ///
    /// # Panics
    /// It does not run.
    pub fn children(&self) -> Vec<u32> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it runs");
        let of = |task: io::Result<fs::DirEntry>| {
            let children = task.ok()?.path().join("children");
            fs::read_to_string(children).ok()
        };
        let all: Vec<String> = tasks.filter_map(of).collect();
        let ids = all.iter().flat_map(|ids| ids.split_whitespace());
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// Kills its only child, as a crash does.
    ///
    /// # Panics
    /// There is none, or there are more.
    pub fn kill_child(&self) {
        let [child] = self.children()[..] else {
            panic!("one child: {:?}", self.children());
        };
        let killed = Command::new("kill")
            .args(["-KILL", &child.to_string()])
            .status();
        assert!(killed.expect("kill is there").success());
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child()
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
            self.child().try_wait().expect("the child can be asked")
        })
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a failing test shows the gateway's log"
)]
impl Drop for Gateway {
    fn drop(&mut self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        let _ = fs::remove_dir_all(&self.launch.state);
        if let Some(file) = &self.launch.configuration {
            let _ = fs::remove_file(file);
        }
        if std::thread::panicking() {
            for line in self.log() {
                println!("gateway: {line}");
            }
        }
    }
}

impl Launch {
    /// The process and its addresses.
    fn run(&self, at: [SocketAddr; 2], log: &Log) -> (Child, Addresses) {
        let ready = scratch("ready");
        let [rtmp, http] = at.map(|at| at.to_string());
        let mut command = Command::new(binary());
        command.args(["serve", "--rtmp-listen", &rtmp, "--http-listen", &http]);
        command.arg("--ready-file").arg(&ready);
        command.args(self.options);
        command.env("STATE_DIRECTORY", &self.state);
        let environment = self.environment.iter();
        command.envs(environment.map(|(key, value)| (key, value)));
        if let Some(file) = &self.configuration {
            command.arg("--config").arg(file);
        }
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()));
        follow(&mut child, log.clone());
        let text = wait::until("the ready file", READY_WITHIN, || {
            if let Some(status) = child.try_wait().expect("the child can be asked") {
                panic!(
                    "the gateway left with {status}: {:?}",
                    log.lock().expect("no panic")
                );
            }
            fs::read_to_string(&ready).ok()
        });
        fs::remove_file(&ready).expect("the file is there");
        let addresses: serde_json::Value =
            serde_json::from_str(&text).expect("the ready file is JSON");
        let known = |key: &str| addresses[key].as_str().and_then(|at| at.parse().ok());
        let address = |key: &str| known(key).unwrap_or_else(|| panic!("{key} in {text}"));
        let addresses = Addresses {
            rtmp: address("rtmp"),
            http: address("http"),
            rtmps: known("rtmps"),
            https: known("https"),
        };
        (child, addresses)
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

fn follow(child: &mut Child, log: Log) {
    let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            log.lock().expect("no panic").push(line);
        }
    });
}
