//! A headless chromium, driven by the WebDriver protocol (W3C) over plain HTTP.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{gateway, http, wait};

/// One browser at a time: two of them decoding on two cores would stall for want of time.
static TURN: Mutex<()> = Mutex::new(());

/// The key of an element's reference in WebDriver's JSON (WebDriver §11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Nothing is asked of the network but the page, and sound plays without a click.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,900",
];

/// A browser with one window and an empty profile; closed when dropped.
pub struct Browser {
    driver: Child,
    at: SocketAddr,
    session: String,
    profile: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Waits for its turn, then starts one.
    ///
    /// # Panics
    /// chromium or chromedriver is missing or does not start.
    pub fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (driver, at) = start_driver();
        let mut browser = Self {
            driver,
            at,
            session: String::new(),
            profile: gateway::scratch("profile"),
            _turn: turn,
        };
        let profile = format!("--user-data-dir={}", browser.profile.display());
        let flags: Vec<&str> = FLAGS.iter().copied().chain([profile.as_str()]).collect();
        let session = browser.command(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": flags},
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"script": 30_000, "pageLoad": 30_000},
            }}}),
        );
        let id = session["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("/session/{id}");
        browser
    }

    /// Goes to a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.ask("/url", &json!({ "url": url }));
    }

    /// Runs the body of a function in the page and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs `script` again and again until it returns something other than null, false, 0 or "".
    ///
    /// # Panics
    /// It did not within `limit`.
    pub fn until(&self, what: &str, limit: Duration, script: &str) -> Value {
        wait::until(what, limit, || {
            let value = self.run(script);
            let nothing = [json!(null), json!(false), json!(0), json!("")];
            (!nothing.contains(&value)).then_some(value)
        })
    }

    /// Clicks as a hand would: an element that is hidden or covered cannot be clicked.
    pub fn click(&self, selector: &str) {
        let found = self.ask(
            "/element",
            &json!({"using": "css selector", "value": selector}),
        );
        let id = found[ELEMENT].as_str().expect("an element has an id");
        self.ask(&format!("/element/{id}/click"), &json!({}));
    }

    /// Becomes a phone in portrait: so many CSS pixels wide and high, with touch.
    pub fn become_phone(&self, width: u32, height: u32) {
        for (command, parameters) in [
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": height, "deviceScaleFactor": 3, "mobile": true}),
            ),
            (
                "Emulation.setTouchEmulationEnabled",
                json!({"enabled": true}),
            ),
        ] {
            self.tell(command, &parameters);
        }
    }

    /// From here on the line gives so much, in bit/s; `None`: as much as it can.
    pub fn throttle(&self, bits_per_second: Option<u32>) {
        self.tell("Network.enable", &json!({}));
        let bytes = bits_per_second.map_or(-1, |bits| i64::from(bits / 8));
        self.tell(
            "Network.emulateNetworkConditions",
            &json!({"offline": false, "latency": 0, "downloadThroughput": bytes, "uploadThroughput": -1}),
        );
    }

    /// A command of the DevTools protocol.
    fn tell(&self, command: &str, parameters: &Value) {
        self.ask(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// What the pages complained about since the last call: exceptions, refused requests, violated
    /// content security policy.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.ask("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        self.command("POST", &format!("{}{path}", self.session), body)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let json = [("Content-Type", "application/json")];
        let answer = http::send(self.at, method, path, &json, body.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{method} {path} of chromedriver: {error}"));
        let mut answer = answer.json();
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            panic!("{path} with {body}: {error}: {}", value["message"]);
        }
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends chromium; chromedriver alone would leave it behind.
        let _ = http::send(self.at, "DELETE", &self.session, &[], &[]);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A driver exits where the port that it was given for one family of addresses is taken in the other, by whoever tests beside
/// it.
const DRIVERS: usize = 5;

/// chromedriver on a port of its choice.
fn start_driver() -> (Child, SocketAddr) {
    let mut drivers = (0..DRIVERS).filter_map(|_| try_driver());
    drivers.next().expect("chromedriver says its port")
}

/// The port is said on its standard output; `None` if it exits before.
fn try_driver() -> Option<(Child, SocketAddr)> {
    let mut driver = Command::new("/usr/bin/chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start chromedriver: {error}"));
    let mut lines = BufReader::new(driver.stdout.take().expect("stdout is piped")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    let Some(port) = port else {
        let _ = driver.wait();
        return None;
    };
    // Read on, or it would stop at a full pipe.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Some((driver, (Ipv4Addr::LOCALHOST, port).into()))
}
