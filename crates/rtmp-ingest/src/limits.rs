//! Every bound of a connection, with its reason.

use std::time::Duration;

use crate::Budget;

/// The bounds of one connection. The defaults suit the open internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From accept to a finished handshake, however slowly bytes trickle in. Honest clients need two round
    /// trips.
    pub handshake_time: Duration,
    /// From the handshake (or the end of the last publish) to an accepted publish. Commands are small;
    /// what takes longer holds a connection for nothing.
    pub publish_time: Duration,
    /// A publish without a single media message for this long is over: a dead link must not keep its name.
    /// Answering pings does not count. Nor may a message stay unfinished for twice as long, whatever else comes:
    /// what it holds is held from others.
    pub idle_time: Duration,
    /// Silence after which the peer is pinged, so that a middlebox keeps the connection and a dead one
    /// shows. Less than `idle_time`.
    pub ping_time: Duration,
    /// How long a last status may take to be written before the socket is closed anyway.
    pub close_time: Duration,
    /// The largest audio, video, data or aggregate message once a publish was accepted, bytes. A random
    /// access picture at 100 Mbit/s stays below it.
    pub message_bytes: u32,
    /// The largest command or control message, and the largest message of any kind before a publish was
    /// accepted, bytes. Real `connect` commands have less than 1 KiB.
    pub command_bytes: u32,
    /// Buffers of all unfinished messages together once a publish was accepted, bytes: two messages of the
    /// largest size, interleaved.
    pub unfinished_bytes: usize,
    /// The same before a publish was accepted, bytes: what a stranger may make the gateway hold.
    pub unfinished_bytes_before_publish: usize,
    /// Buffers of all unfinished messages of all connections together: every connection's limits hold a clone of
    /// one budget.
    pub budget: Budget,
    /// Chunk streams in use at the same time, out of 65 598 ids. Encoders use up to eight.
    pub chunk_streams: usize,
    /// Message streams made by `createStream` that exist at the same time.
    pub net_streams: u32,
    /// Commands and pings without a media message between them. A publish takes about eight.
    pub commands: u32,
    /// Replies that the peer has not read, bytes. A peer that only talks is dropped.
    pub output_bytes: usize,
    /// Query strings of `tcUrl`, application and publish name, bytes each. Signed tokens have up to 2 KiB.
    pub query_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_time: Duration::from_secs(10),
            publish_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(15),
            ping_time: Duration::from_secs(5),
            close_time: Duration::from_millis(500),
            message_bytes: 8 << 20,
            command_bytes: 64 << 10,
            unfinished_bytes: 16 << 20,
            unfinished_bytes_before_publish: 256 << 10,
            budget: Budget::default(),
            chunk_streams: 64,
            net_streams: 32,
            commands: 100,
            output_bytes: 64 << 10,
            query_bytes: 4 << 10,
        }
    }
}
