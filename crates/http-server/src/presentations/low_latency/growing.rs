//! The body of a segment that is still open: each part leaves with the change that lists it.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use media::Rendition;
use playlist::{LowLatencyWindow, Waiting};
use tokio::sync::watch;

use super::push_part;
use crate::pieces::Pieces;

type Windows = watch::Receiver<Arc<LowLatencyWindow>>;
type Change = Pin<Box<dyn Future<Output = (Windows, bool)> + Send>>;

/// A segment that grows, from its first byte or from the middle.
pub(super) struct Growing {
    rendition: Rendition,
    sequence: u64,
    /// The bytes that are still to be sent.
    wanted: Range<u64>,
    /// Where the next part begins.
    at: u64,
    /// How many of its parts have been seen.
    parts: usize,
    ready: Pieces,
    state: State,
    /// It is one of those who wait for the rendition, to its end.
    _waiting: Waiting,
}

enum State {
    Looking(Windows),
    Waiting(Change),
    Over,
}

/// What a look at the window has shown.
enum Look {
    /// There will be more.
    Open,
    /// All there is, or was asked for.
    Whole,
    /// A reader so slow that the segment has left the window: the end of the body must not look like that of the
    /// segment.
    Gone,
}

impl Growing {
    pub(super) fn new(
        windows: Windows,
        waiting: Waiting,
        rendition: Rendition,
        sequence: u64,
        wanted: Range<u64>,
    ) -> Self {
        Self {
            rendition,
            sequence,
            wanted,
            at: 0,
            parts: 0,
            ready: Pieces::default(),
            state: State::Looking(windows),
            _waiting: waiting,
        }
    }

    /// Takes over what is new in `window`.
    fn look(&mut self, window: &LowLatencyWindow) -> Look {
        let Some(segment) = window.segment(self.sequence) else {
            return Look::Gone;
        };
        for (at, entry) in segment.parts.iter().enumerate().skip(self.parts) {
            let mut pieces = Pieces::default();
            push_part(&mut pieces, segment, at, entry, self.rendition);
            let part = self.at..self.at + pieces.len() as u64;
            let within = |end: u64| {
                let end = end.clamp(part.start, part.end) - part.start;
                usize::try_from(end).unwrap_or(usize::MAX)
            };
            let mut slice = pieces.slice(within(self.wanted.start)..within(self.wanted.end));
            while let Some(piece) = slice.pop() {
                self.ready.push(piece);
            }
            self.at = part.end;
            self.parts = at + 1;
        }
        if self.at < self.wanted.end && self.sequence >= window.next_sequence() {
            Look::Open
        } else {
            Look::Whole
        }
    }
}

impl http_body::Body for Growing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(piece) = self.ready.pop() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Looking(mut windows) => {
                    let window = Arc::clone(&windows.borrow_and_update());
                    match self.look(&window) {
                        Look::Open => State::Waiting(Box::pin(async move {
                            let changed = windows.changed().await.is_ok();
                            (windows, changed)
                        })),
                        Look::Whole => State::Over,
                        Look::Gone => {
                            let why = "the segment left the window before it was read";
                            return Poll::Ready(Some(Err(io::Error::other(why))));
                        }
                    }
                }
                State::Waiting(mut change) => match change.as_mut().poll(context) {
                    Poll::Pending => {
                        self.state = State::Waiting(change);
                        return Poll::Pending;
                    }
                    Poll::Ready((windows, true)) => State::Looking(windows),
                    Poll::Ready((_, false)) => State::Over,
                },
            };
        }
    }
}
