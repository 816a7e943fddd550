//! The one place that knows tokio: a [`Session`] on a socket, with deadlines.
//!
//! TCP_NODELAY and keepalive belong to whoever accepts the `TcpStream`; set both before handing it over.
//! Without TCP_NODELAY replies wait tens of milliseconds for the client's acknowledgements.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::session::Phase;
use crate::{Error, Event, Limits, MessageStreamId, Rejection, Session};

/// What is read at once. Enough for a random access picture of most publishes; shared by all connections
/// of a thread, so that an idle one costs next to nothing.
const READ_BYTES: usize = 64 << 10;

/// A timer this late means that the process was stopped, or the owner busy. That is not the peer's fault:
/// its deadlines move by as much.
const LATE: Duration = Duration::from_secs(1);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// One RTMP connection of a publisher.
///
/// Call [`Connection::next`] in a loop. It is cancel-safe: a `select!` may drop it at any time, and nothing
/// is lost.
pub struct Connection<S> {
    socket: S,
    peer: SocketAddr,
    session: Session,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    /// What `timer` was last set to. It is set again when it fires, never by messages.
    armed: Instant,
    /// The phase whose deadline applies. A decision has none: it takes the owner's time.
    phase: Phase,
    /// When that phase began; while publishing, when the last media message came.
    since: Instant,
    received: Instant,
    /// How many bytes had come when unfinished messages were last looked at, and when that was.
    looked: (u64, Instant),
    pinged: bool,
    unflushed: bool,
    stage: Stage,
}

enum Stage {
    Open,
    /// The fault that ended the connection, if one did, and a status for the peer on its way.
    Failing(Option<Error>, Farewell),
    /// The peer has closed its side, or was told to go.
    Closed,
}

/// How far the last words have come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Writing,
    ShuttingDown,
    /// Reading on, so that the kernel does not answer late bytes with a reset that would overtake the
    /// status.
    Draining,
    Over,
}

impl Farewell {
    const fn next(self) -> Self {
        match self {
            Self::Writing => Self::ShuttingDown,
            Self::ShuttingDown => Self::Draining,
            Self::Draining | Self::Over => Self::Over,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection on a socket that was just accepted from `peer`. Must be called within a tokio runtime.
    pub fn new(socket: S, peer: SocketAddr, limits: Limits) -> Self {
        let now = Instant::now();
        let armed = now + limits.handshake_time;
        Self {
            socket,
            peer,
            session: Session::new(limits.clone()),
            limits,
            timer: Box::pin(sleep_until(armed)),
            armed,
            phase: Phase::Handshake,
            since: now,
            received: now,
            looked: (0, now),
            pinged: false,
            unflushed: false,
            stage: Stage::Open,
        }
    }

    /// The same, if what came before RTMP's first byte counts as well: the handshake must end within its time from
    /// `accepted` on.
    pub fn accepted_at(mut self, accepted: Instant) -> Self {
        self.since = accepted;
        self.armed = accepted + self.limits.handshake_time;
        self.timer.as_mut().reset(self.armed);
        self
    }

    /// The next event; `None` when the peer has closed its side.
    ///
    /// After [`Event::Publish`] nothing more is read until [`Connection::accept`] or
    /// [`Connection::reject`]. Cancel-safe.
    ///
    /// # Errors
    /// What ended the connection, once. A status that tells the peer was sent, if that could be done in
    /// time.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Lets the publish on `stream` begin. The peer is told by the next call of [`Connection::next`].
    pub fn accept(&mut self, stream: MessageStreamId) {
        self.session.accept(stream);
    }

    /// Refuses the publish on `stream`. The connection stays, and the client may ask again in time.
    pub fn reject(&mut self, stream: MessageStreamId, why: &Rejection) {
        self.session.reject(stream, why);
    }

    /// Ends the publish on `stream`, and no other. The next call of [`Connection::next`] tells the peer
    /// why, in words without secrets. What comes of it from now on is dropped, and so is what has come but
    /// was not given out yet; there is no [`Event::Unpublish`]. The client may publish on the stream again.
    pub fn end_publish(&mut self, stream: MessageStreamId, why: &str) {
        self.session.end_publish(stream, why);
    }

    /// Asks the peer to connect anew, and to publish there; whether it was asked, which only a client is that said it
    /// knows the request. The next call of [`Connection::next`] tells it, with why, in words without secrets. What it
    /// publishes here goes on until it leaves.
    pub fn ask_to_reconnect(&mut self, why: &str) -> bool {
        self.session.ask_to_reconnect(why)
    }

    /// Tells the peer why its publishes are over, in words without secrets, and closes the socket within
    /// [`Limits::close_time`].
    pub async fn close(&mut self, why: &str) {
        self.session.end(why);
        if matches!(self.stage, Stage::Open) {
            self.begin_farewell(None);
        }
        poll_fn(|context| self.poll_farewell(context)).await;
        self.stage = Stage::Closed;
    }

    /// Bytes received, the handshake included.
    pub const fn bytes_received(&self) -> u64 {
        self.session.bytes_received()
    }

    /// Media messages that belonged to no accepted publish.
    pub const fn dropped_messages(&self) -> u64 {
        self.session.dropped_messages()
    }

    /// The other end.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, Error>> {
        loop {
            if let Stage::Failing(..) = self.stage {
                ready!(self.poll_farewell(context));
                let Stage::Failing(error, _) = std::mem::replace(&mut self.stage, Stage::Closed)
                else {
                    continue;
                };
                return Poll::Ready(error.map_or(Ok(None), Err));
            }
            match self.session.pull() {
                Ok(Some(event)) => return Poll::Ready(Ok(Some(event))),
                Ok(None) => {}
                Err(error) => {
                    self.fail(error);
                    continue;
                }
            }
            if let Stage::Closed = self.stage {
                return Poll::Ready(Ok(None));
            }
            self.observe_phase();
            // A peer that does not read only fills the output, up to its limit.
            let _ = self.poll_write(context);
            if let Err(error) = ready!(self.poll_progress(context)) {
                self.fail(error);
            }
        }
    }

    /// Reads once, or waits for the timer.
    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.session.phase() != Phase::Deciding
            && let Poll::Ready(read) = self.poll_read(context)
        {
            let now = Instant::now();
            match read {
                Ok(0) => self.stage = Stage::Closed,
                Ok(_) => self.note_received(now),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
            if now < self.armed {
                return Poll::Ready(Ok(()));
            }
            return Poll::Ready(self.on_timer(now));
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(self.on_timer(Instant::now()))
    }

    /// Reads into the thread's buffer and straight on into the session.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
            self.session.push(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// Writes what there is to write; an error only ends the writing, since what the peer sent before it
    /// went away is still to be read.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.session.output().is_empty() {
            let written =
                ready!(Pin::new(&mut self.socket).poll_write(context, self.session.output()));
            self.unflushed = true;
            match written {
                Ok(count) if count > 0 => self.session.sent(count),
                _ => self.session.sent(usize::MAX),
            }
        }
        if self.unflushed {
            let _ = ready!(Pin::new(&mut self.socket).poll_flush(context));
            self.unflushed = false;
        }
        Poll::Ready(())
    }

    fn observe_phase(&mut self) {
        let phase = self.session.phase();
        if phase == self.phase || phase == Phase::Deciding {
            return;
        }
        self.phase = phase;
        self.since = Instant::now();
        self.looked = (self.session.bytes_received(), self.since);
        let (_, after) = self.patience();
        let earliest = self.since + after.min(self.limits.ping_time);
        if earliest < self.armed {
            self.armed = earliest;
            self.timer.as_mut().reset(earliest);
        }
    }

    /// What the current phase waits for, and how long.
    const fn patience(&self) -> (&'static str, Duration) {
        match self.phase {
            Phase::Handshake => ("handshake", self.limits.handshake_time),
            Phase::Connected | Phase::Deciding => ("accepted publish", self.limits.publish_time),
            Phase::Publishing => ("media message", self.limits.idle_time),
        }
    }

    fn note_received(&mut self, now: Instant) {
        self.received = now;
        self.pinged = false;
        if self.session.take_media_received() {
            self.since = now;
        }
        self.observe_phase();
    }

    /// Judges the deadlines, pings, and sets the timer again.
    fn on_timer(&mut self, now: Instant) -> Result<(), Error> {
        let late = now.saturating_duration_since(self.armed);
        if late > LATE {
            self.since += late;
            self.received += late;
            self.looked.1 += late;
        }
        let (what, after) = self.patience();
        let deadline = self.since + after;
        let deciding = self.session.phase() == Phase::Deciding;
        if now >= deadline && !deciding {
            return Err(Error::Timeout { what, after });
        }
        let mut look = self.looked.1 + self.limits.idle_time;
        if self.phase == Phase::Publishing && now >= look && !deciding {
            self.look_for_unfinished(now)?;
            look = now + self.limits.idle_time;
        }
        let ping = self.received + self.limits.ping_time;
        if self.phase == Phase::Publishing && !self.pinged && now >= ping {
            self.session.ping();
            self.pinged = true;
        }
        self.armed = match self.phase {
            Phase::Publishing if !self.pinged => deadline.min(look).min(ping),
            Phase::Publishing => deadline.min(look),
            _ => deadline,
        };
        if deciding {
            self.armed = self.armed.max(now + self.limits.ping_time);
        }
        self.timer.as_mut().reset(self.armed);
        Ok(())
    }

    /// A message that was unfinished at the last look already has had its time: while others come, nothing else
    /// would end it.
    fn look_for_unfinished(&mut self, now: Instant) -> Result<(), Error> {
        let (before, _) = std::mem::replace(&mut self.looked, (self.session.bytes_received(), now));
        match self.session.unfinished_since() {
            Some(begun) if begun < before => Err(Error::Timeout {
                what: "end of a message that was begun",
                after: self.limits.idle_time,
            }),
            _ => Ok(()),
        }
    }

    fn fail(&mut self, error: Error) {
        self.session.end(&error.to_string());
        self.begin_farewell(Some(error));
    }

    fn begin_farewell(&mut self, error: Option<Error>) {
        self.armed = Instant::now() + self.limits.close_time;
        self.timer.as_mut().reset(self.armed);
        // A guest that was never spoken to gets no last word.
        let step = if self.session.output().is_empty() {
            Farewell::Over
        } else {
            Farewell::Writing
        };
        self.stage = Stage::Failing(error, step);
    }

    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Stage::Failing(_, step) = &self.stage else {
                return Poll::Ready(());
            };
            let done = match step {
                Farewell::Writing => self.poll_write(context),
                Farewell::ShuttingDown => {
                    Pin::new(&mut self.socket).poll_shutdown(context).map(drop)
                }
                Farewell::Draining => self.poll_drain(context),
                Farewell::Over => return Poll::Ready(()),
            };
            if done.is_pending() {
                return self.timer.as_mut().poll(context);
            }
            if let Stage::Failing(_, step) = &mut self.stage {
                *step = step.next();
            }
        }
    }

    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // The session is dead and ignores what is pushed.
        while let Ok(1..) = ready!(self.poll_read(context)) {
            if Instant::now() >= self.armed {
                break;
            }
        }
        Poll::Ready(())
    }
}
