//! What the gateway has done since it started, counted where it happens and shown by the status API.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number of things that come and go.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more.
    pub fn rise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less; only after [`Gauge::rise`].
    pub fn fall(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of the whole gateway. The HTTP ones are counted by this crate, the others by who runs it.
#[derive(Debug, Default)]
pub struct Totals {
    /// Publishes accepted.
    pub publishes: Counter,
    /// Publishes refused: unknown application, wrong key, bad name.
    pub publishes_refused: Counter,
    /// RTMP connections accepted.
    pub rtmp_connections: Counter,
    /// RTMP connections open.
    pub rtmp_connections_now: Gauge,
    /// Bytes received from encoders.
    pub bytes_received: Counter,
    /// Faults of publishes, worked around, and of RTMP connections, which ended for them.
    pub faults: Counter,
    /// Faults of the gateway itself, each of which ended the task it happened in.
    pub panics: Counter,
    /// HTTP connections accepted.
    pub http_connections: Counter,
    /// HTTP connections open.
    pub http_connections_now: Gauge,
    /// HTTP requests answered or being answered.
    pub http_requests: Counter,
    /// HTTP connections that ended for a fault of the client: not HTTP, no TLS where it is spoken, headers too
    /// long or too slow, or more connections than allowed.
    pub http_faults: Counter,
    /// Bytes sent over HTTP, headers and what TLS adds included.
    pub bytes_sent: Counter,
}
