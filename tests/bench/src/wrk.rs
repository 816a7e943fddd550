//! `wrk`, the load generator for delivery.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Kept-alive connections at a time.
const CONNECTIONS: &str = "32";

/// Requests one URL as fast as the server answers and returns how many replies were read.
pub(crate) fn run(http: SocketAddr, path: &str, duration: Duration) -> anyhow::Result<u32> {
    let output = Command::new("wrk")
        .args(["-t1", "-c", CONNECTIONS, "-d"])
        .arg(format!("{}s", duration.as_secs()))
        .arg(format!("http://{http}{path}"))
        .output()
        .context("cannot run wrk (Debian: wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "wrk ended with {}: {text}",
        output.status
    );
    replies(&text)
}

/// The count in wrk's report, if every reply was a good one.
fn replies(report: &str) -> anyhow::Result<u32> {
    for trouble in ["Socket errors:", "Non-2xx"] {
        ensure!(!report.contains(trouble), "wrk met trouble:\n{report}");
    }
    report
        .lines()
        .find_map(|line| line.split_once(" requests in "))
        .and_then(|(count, _)| count.trim().parse().ok())
        .with_context(|| format!("no count of requests in wrk's report:\n{report}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
Running 3s test @ http://127.0.0.1:18080/live/show/main.m3u8
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   339.62us   73.33us   2.80ms   88.17%
    Req/Sec    93.76k     4.32k  101.25k    76.67%
  279923 requests in 3.00s, 217.30MB read
Requests/sec:  93261.53
Transfer/sec:     72.40MB
";

    #[test]
    fn replies_are_counted_and_trouble_is_an_error() {
        assert_eq!(replies(REPORT).unwrap(), 279_923);
        let refused = format!("{REPORT}  Non-2xx or 3xx responses: 279923\n");
        assert!(replies(&refused).is_err());
        let cut = format!("{REPORT}  Socket errors: connect 0, read 3, write 0, timeout 0\n");
        assert!(replies(&cut).is_err());
        assert!(replies("unable to connect").is_err());
    }
}
