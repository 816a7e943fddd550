//! A gateway under attack, with a witness stream beside it.

use std::time::Duration;

use serde_json::Value;

use crate::footprint::{self, Footprint};
use crate::witness::Witness;
use crate::{Gateway, wait};

/// A segment of the witness is fetched this long after it was complete, at the latest: a follower that
/// looks every 50 ms, on a machine where other tests run too.
const LATEST: Duration = Duration::from_secs(3);

/// Short times, so that what waits for them is soon over; everything is logged.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("FOREBAY__HLS__SEGMENT", "1s"),
    ("FOREBAY__RTMP__HANDSHAKE_TIMEOUT", "1s"),
    ("FOREBAY__RTMP__PUBLISH_TIMEOUT", "2s"),
    ("FOREBAY__RTMP__IDLE_TIMEOUT", "2s"),
    ("FOREBAY__HTTP__HEADER_TIMEOUT", "1s"),
    ("FOREBAY__HTTP__IDLE_TIMEOUT", "2s"),
    ("FOREBAY__HTTP__WRITE_TIMEOUT", "2s"),
    (
        "FOREBAY__LOG__FILTER",
        "info,forebay=debug,http_server=debug",
    ),
];

/// The gateway and what it was before the attack.
pub struct Besieged {
    /// The gateway.
    pub gateway: Gateway,
    witness: Witness,
    calm: Footprint,
}

impl Besieged {
    /// A gateway with short timeouts, and the witness running.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more keys set.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        let all: Vec<_> = ENVIRONMENT.iter().chain(environment).copied().collect();
        let gateway = Gateway::start_with(&all);
        let witness = Witness::start(gateway.rtmp, gateway.http, "witness");
        footprint::forget_peak(gateway.pid());
        let calm = Footprint::of(gateway.pid());
        Self {
            gateway,
            witness,
            calm,
        }
    }

    /// A count of `/api/v1/status`: `totals/faults`, `now/rtmp_connections`.
    pub fn count(&self, path: &str) -> u64 {
        let status = self.gateway.get("/api/v1/status").json();
        let count = status.pointer(&format!("/{path}")).and_then(Value::as_u64);
        count.unwrap_or_else(|| panic!("{path} in {status}"))
    }

    /// Waits until a line of the log has these words, and gives the first that has.
    pub fn until_logged(&self, words: &str) -> String {
        let what = format!("a log line with {words:?}");
        wait::until(&what, Duration::from_secs(30), || {
            self.gateway
                .log()
                .into_iter()
                .find(|line| line.contains(words))
        })
    }

    /// The attack is over: the process lives, nothing panicked, nobody but the witness is left, memory has
    /// never grown by more than `growth_kib`, and the witness noticed nothing.
    #[expect(clippy::print_stdout, reason = "what a failing test had seen")]
    pub fn survived(mut self, growth_kib: u64) {
        let pid = self.gateway.pid();
        assert!(self.gateway.is_running());
        wait::until(
            "every attacker's connection to end",
            Duration::from_secs(30),
            || {
                let encoders = self.count("now/rtmp_connections");
                // This question's own, and perhaps the follower's.
                let players = self.count("now/http_connections");
                (encoders == 1 && players <= 2).then_some(())
            },
        );
        assert_eq!(self.count("totals/panics"), 0, "{:?}", self.gateway.log());
        let seen = self.witness.stop();
        let late = seen.latest;
        assert!(late < LATEST, "a segment of the witness came {late:?} late");
        let now = Footprint::of(pid);
        let grown = now.peak_kib.saturating_sub(self.calm.resident_kib);
        println!(
            "{seen:?}, grown by {grown} KiB at most, {:?} then {now:?}",
            self.calm
        );
        assert!(
            grown < growth_kib,
            "memory grew by {grown} KiB, more than {growth_kib}: {:?} then {now:?}",
            self.calm
        );
        // The follower comes and goes; the witness's publisher has just left.
        assert!(
            now.descriptors <= self.calm.descriptors + 8,
            "descriptors are left: {:?} then {now:?}",
            self.calm
        );
    }
}
