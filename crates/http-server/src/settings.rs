//! The bounds of the HTTP side, each with its reason.

use std::time::Duration;

/// What a listener and the routes behind it allow.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From the first byte of a request (or from the accept) to the end of its headers. Bytes that
    /// trickle in do not extend it: half-sent requests must not hold connections.
    pub request_head: Duration,
    /// How long a connection may stay silent between two requests: longer than any target duration, so
    /// that players keep theirs, and long enough for the pools of a CDN.
    pub idle: Duration,
    /// How long a reader may take nothing of an answer. A slow one that goes on reading is never cut. Over
    /// HTTP/2 each answer has to get on by a DATA frame of 16 KiB in this time.
    pub write_progress: Duration,
    /// Connections of one listener at a time; those above are closed at once. An idle one costs about
    /// 20 KiB, most of it hyper's buffer.
    pub connections: usize,
    /// Connections of one client address at a time; those above are closed at once. Many viewers behind
    /// one address translator fit, and one client cannot shut out the others.
    pub connections_per_address: usize,
    /// Bytes of a request line with its headers: cookies of a whole site fit, floods do not.
    pub request_head_bytes: usize,
    /// Requests in flight on one HTTP/2 connection: a player has less than ten, a proxy many.
    pub concurrent_streams: u32,
    /// How long a playlist request waits for the first segment of a publish that has just begun: the
    /// longest GOP in common use, and some room.
    pub first_segment_wait: Duration,
    /// The longest that a request waits for media: a blocking reload waits three target durations.
    pub longest_wait: Duration,
    /// Requests that wait at a time, over all connections; those above are answered 503 at once.
    pub waiting_requests: usize,
    /// Requests that wait at a time for the next part of one rendition; those above are answered 503, to be tried
    /// again. One costs about 4 KiB beside its connection.
    pub waiting_for_one: usize,
    /// How long requests in flight may go on once the listener has to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write_progress: Duration::from_secs(30),
            connections: 10_000,
            connections_per_address: 5_000,
            request_head_bytes: 16 * 1024,
            concurrent_streams: 128,
            first_segment_wait: Duration::from_secs(15),
            longest_wait: Duration::from_secs(15),
            waiting_requests: 20_000,
            waiting_for_one: 20_000,
            drain: Duration::from_secs(10),
        }
    }
}
