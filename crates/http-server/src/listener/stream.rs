//! One answer over HTTP/2 (RFC 9113): its body in pieces, its time limited.
//!
//! A peer grants each stream a window of its own (§5.2). One that grants none, and keeps the connection
//! busy with pings or with another stream, must not hold what it does not read (§10.5): such a stream is
//! reset, and the others go on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::rt::Executor;
use tokio::time::{Instant, sleep_until};

/// The bytes that a body is handed over in: one DATA frame (RFC 9113 §6.5.2). As long as the peer takes
/// none of them, the next are not asked for.
const PIECE_BYTES: usize = 16 * 1024;

tokio::task_local! {
    /// The pace of the stream that this task answers.
    static PACE: Arc<Pace>;
}

/// Runs the streams of HTTP/2 connections, and resets those that nobody reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    write_progress: Duration,
}

impl Streams {
    pub(super) fn new(write_progress: Duration) -> Self {
        Self { write_progress }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let allowed = self.write_progress;
        let pace = Arc::<Pace>::default();
        tokio::spawn(PACE.scope(pace.clone(), async move {
            tokio::select! {
                () = stream => {}
                // What is dropped unfinished is reset.
                () = pace.stalls(allowed) => tracing::debug!("HTTP/2 stream reset: not read"),
            }
        }));
    }
}

/// When the answer of a stream last moved.
#[derive(Debug, Default)]
pub(super) struct Pace {
    moved: Mutex<Option<Instant>>,
}

impl Pace {
    /// That of the stream which this task answers; `None` over HTTP/1.
    pub(super) fn current() -> Option<Arc<Self>> {
        PACE.try_with(Arc::clone).ok()
    }

    /// A piece was asked for, so the one before it is on its way.
    fn moves(&self, now: Instant) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Completes when a body has begun and has then not moved for `allowed`.
    async fn stalls(&self, allowed: Duration) {
        loop {
            let now = Instant::now();
            let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            let deadline = moved.unwrap_or(now) + allowed;
            if deadline <= now {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// The part of a body that is not handed over yet.
#[derive(Debug)]
pub(super) struct Pieces {
    pace: Arc<Pace>,
    rest: Bytes,
}

impl Pieces {
    pub(super) fn new(pace: Arc<Pace>) -> Self {
        Self {
            pace,
            rest: Bytes::new(),
        }
    }

    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// After what is there was taken.
    pub(super) fn put(&mut self, data: Bytes) {
        self.rest = data;
    }

    /// The next piece: a copy, so that what a peer leaves in the queue of its stream is that much, and not
    /// the segment around it.
    pub(super) fn take(&mut self, now: Instant) -> Bytes {
        self.pace.moves(now);
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Bytes::copy_from_slice(&piece)
    }
}
