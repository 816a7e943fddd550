//! The network: it carries bytes between one client and the gateway in pieces of any size, late, and not
//! always to the end. It knows how far it came, which is what a judgement of losses rests on.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::dice::Dice;

/// How often a quiet link looks whether it is to be reset.
const LOOK: Duration = Duration::from_millis(100);
/// Nobody who reads takes longer to make room.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// How bad the network is.
#[derive(Clone, Debug)]
pub(crate) struct Hazards {
    /// Bytes that travel together, both ways.
    pub(crate) piece: RangeInclusive<usize>,
    /// How many pieces of a hundred are late.
    pub(crate) late_percent: u64,
    /// By how many milliseconds.
    pub(crate) late_ms: RangeInclusive<i64>,
}

impl Hazards {
    /// One of several kinds.
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let (piece, late_percent, late_ms) = match dice.within(0..=3) {
            // A clean line.
            0 => (1_460..=65_536, 0, 0..=0),
            // Small pieces.
            1 => (1..=200, 0, 0..=0),
            // Jitter.
            2 => (100..=1_460, 5, 5..=120),
            // Wi-Fi: mostly quick, sometimes away for a second or more.
            _ => (500..=4_000, 1, 200..=1_500),
        };
        Self {
            piece,
            late_percent,
            late_ms,
        }
    }
}

/// What the link is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Carry,
    /// Carry what is there, then close our side.
    Finish,
    /// Close our side now: what is there is lost.
    Fin,
    /// Carry nothing any more, and do not say so.
    Freeze,
    Reset,
}

#[derive(Debug)]
struct State {
    order: Order,
    outgoing: VecDeque<u8>,
    /// The order has been carried out: nothing more will be forwarded.
    stopped: bool,
    forwarded: u64,
    heard: Vec<u8>,
    /// The gateway has closed its side.
    ended: bool,
    /// Whoever reads from the gateway is gone.
    deaf: bool,
    pieces: u64,
    late: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        let (state, _) = self
            .changed
            .wait_timeout(state, limit)
            .unwrap_or_else(PoisonError::into_inner);
        state
    }

    /// Waits for `limit`, or until the order is not to carry any more.
    fn pause(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        while matches!(state.order, Order::Carry | Order::Finish) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait(state, left);
        }
    }
}

/// One connection to the gateway over a bad network. Dropping it resets the connection.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn open(to: SocketAddr, hazards: &Hazards, dice: &mut Dice) -> io::Result<Self> {
        let socket = TcpStream::connect(to)?;
        if socket.local_addr()? == socket.peer_addr()? {
            // While nobody listens, TCP may connect a port to itself.
            return Err(ErrorKind::ConnectionRefused.into());
        }
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LOOK))?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                order: Order::Carry,
                outgoing: VecDeque::new(),
                stopped: false,
                forwarded: 0,
                heard: Vec::new(),
                ended: false,
                deaf: false,
                pieces: 0,
                late: 0,
            }),
            changed: Condvar::new(),
        });
        dice.roll();
        let back = Way {
            shared: shared.clone(),
            socket: socket.try_clone()?,
            hazards: hazards.clone(),
            dice: dice.fork(1),
        };
        let forth = Way {
            shared: shared.clone(),
            socket,
            hazards: hazards.clone(),
            dice: dice.fork(2),
        };
        thread::spawn(move || back.hear());
        thread::spawn(move || forth.carry());
        Ok(Self { shared })
    }

    /// Hands bytes over; whether they arrive is another matter.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.shared.lock().outgoing.extend(bytes);
        self.shared.changed.notify_all();
    }

    /// What has come back since the last call.
    pub(crate) fn take_heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.shared.lock().heard)
    }

    /// The gateway has closed its side, or the connection is broken.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.lock().ended
    }

    /// Waits for [`Link::has_ended`]; false if it does not come to that.
    pub(crate) fn ends_within(&self, limit: Duration) -> bool {
        self.wait_for(limit, |state| state.ended)
    }

    /// Waits until something can be taken, or the end; false if nothing came.
    pub(crate) fn hears_within(&self, limit: Duration) -> bool {
        self.wait_for(limit, |state| state.ended || !state.heard.is_empty())
    }

    /// Waits until all that was handed over has been passed on; false if it was not.
    pub(crate) fn carries_all_within(&self, limit: Duration) -> bool {
        let sent = |state: &State| state.outgoing.is_empty();
        self.wait_for(limit, |state| sent(state) || state.ended)
    }

    /// Carries what is there and closes our side. Gives the bytes that were passed on in all.
    pub(crate) fn finish(&self) -> u64 {
        self.order(Order::Finish)
    }

    /// Closes our side wherever it is. Gives the bytes that were passed on in all: these will arrive.
    pub(crate) fn cut(&self) -> u64 {
        self.order(Order::Fin)
    }

    /// Falls silent; the connection stays open.
    pub(crate) fn freeze(&self) -> u64 {
        self.order(Order::Freeze)
    }

    /// Breaks the connection: what was passed on may not arrive.
    pub(crate) fn reset(&self) -> u64 {
        self.order(Order::Reset)
    }

    /// Pieces carried, and how many of them were late.
    pub(crate) fn carried(&self) -> (u64, u64) {
        let state = self.shared.lock();
        (state.pieces, state.late)
    }

    fn order(&self, order: Order) -> u64 {
        {
            let mut state = self.shared.lock();
            state.order = order;
            state.stopped = false;
        }
        self.shared.changed.notify_all();
        self.wait_for(TAKEN_WITHIN, |state| state.stopped);
        self.shared.lock().forwarded
    }

    fn wait_for(&self, limit: Duration, condition: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if condition(&state) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.wait(state, left);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.lock().order = Order::Reset;
        self.shared.changed.notify_all();
    }
}

/// One direction.
struct Way {
    shared: Arc<Shared>,
    socket: TcpStream,
    hazards: Hazards,
    dice: Dice,
}

impl Way {
    /// From the client to the gateway, until it is told to stop for good.
    fn carry(mut self) {
        loop {
            let mut state = self.shared.lock();
            while state.order == Order::Carry && (state.outgoing.is_empty() || state.ended) {
                state = self.shared.wait(state, TAKEN_WITHIN);
            }
            match state.order {
                Order::Finish if !state.outgoing.is_empty() && !state.ended => {}
                Order::Carry => {}
                Order::Reset => break,
                order @ (Order::Finish | Order::Fin | Order::Freeze) => {
                    if order != Order::Freeze {
                        let _ = self.socket.shutdown(Shutdown::Write);
                    }
                    state.stopped = true;
                    self.shared.changed.notify_all();
                    while state.order == order {
                        state = self.shared.wait(state, TAKEN_WITHIN);
                    }
                    continue;
                }
            }
            let count = self
                .dice
                .size(&self.hazards.piece)
                .min(state.outgoing.len());
            let piece: Vec<u8> = state.outgoing.iter().copied().take(count).collect();
            drop(state);
            let late = self.dice.chance(self.hazards.late_percent);
            if late {
                let by = self.dice.millis(self.hazards.late_ms.clone());
                self.shared.pause(by);
                if !matches!(self.shared.lock().order, Order::Carry | Order::Finish) {
                    continue;
                }
            }
            let written = self.socket.write_all(&piece);
            let mut state = self.shared.lock();
            state.pieces += 1;
            state.late += u64::from(late);
            match written {
                Ok(()) => {
                    state.outgoing.drain(..count);
                    state.forwarded += count as u64;
                }
                Err(_) => state.ended = true,
            }
            self.shared.changed.notify_all();
        }
        // The last to close the socket is to send the reset.
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        let mut state = self.shared.lock();
        while !state.deaf {
            state = self.shared.wait(state, TAKEN_WITHIN);
        }
        drop(self.socket);
        state.stopped = true;
        state.ended = true;
        self.shared.changed.notify_all();
    }

    /// From the gateway to the client.
    fn hear(mut self) {
        let mut buffer = vec![0; *self.hazards.piece.end()];
        loop {
            let mut state = self.shared.lock();
            while state.order == Order::Freeze {
                state = self.shared.wait(state, TAKEN_WITHIN);
            }
            if state.order == Order::Reset {
                break;
            }
            drop(state);
            let size = self.dice.size(&self.hazards.piece).min(buffer.len());
            match self.socket.read(&mut buffer[..size]) {
                Ok(count) if count > 0 => {
                    if self.dice.chance(self.hazards.late_percent) {
                        let by = self.dice.millis(self.hazards.late_ms.clone());
                        self.shared.pause(by);
                    }
                    let mut state = self.shared.lock();
                    state.heard.extend_from_slice(&buffer[..count]);
                    self.shared.changed.notify_all();
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Ok(_) | Err(_) => break,
            }
        }
        drop(self.socket);
        let mut state = self.shared.lock();
        state.ended = true;
        state.deaf = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const SMALL: Hazards = Hazards {
        piece: 1..=50,
        late_percent: 10,
        late_ms: 0..=3,
    };

    /// A link, the other end, and what was handed over.
    fn link() -> (Link, TcpStream, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("bound");
        let link = Link::open(at, &SMALL, &mut Dice::new(5)).expect("somebody listens");
        let (other, _) = listener.accept().expect("a connection");
        let mut bytes = Vec::new();
        Dice::new(6).fill(&mut bytes, 20_000);
        link.send(&bytes);
        (link, other, bytes)
    }

    fn read(mut other: &TcpStream) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        let whole = other.read_to_end(&mut read).is_ok();
        (read, whole)
    }

    #[test]
    fn all_arrives_in_order_if_it_is_let() {
        let (link, mut other, bytes) = link();
        other.write_all(b"an answer").expect("it is open");
        assert_eq!(link.finish(), 20_000);
        let mut heard = Vec::new();
        while heard.len() < 9 && link.hears_within(TAKEN_WITHIN) {
            heard.extend(link.take_heard());
        }
        assert_eq!(heard, b"an answer");
        assert_eq!(read(&other), (bytes, true));
        drop(other);
        assert!(link.ends_within(TAKEN_WITHIN));
    }

    #[test]
    fn what_was_cut_off_is_known_to_the_byte() {
        let (link, other, bytes) = link();
        let passed = usize::try_from(link.cut()).expect("few");
        let (read, whole) = read(&other);
        assert!(whole, "it was closed, not reset");
        assert_eq!(read, bytes[..passed]);
    }

    #[test]
    fn a_reset_is_one() {
        let (link, mut other, _) = link();
        link.reset();
        assert!(link.has_ended());
        // What is in the buffer may be read before the error.
        let mut buffer = [0; 1_000];
        let error = loop {
            match other.read(&mut buffer) {
                Ok(count) => assert!(count > 0, "no end without an error"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_frozen_link_stays_open_and_is_silent() {
        let (link, other, bytes) = link();
        let passed = usize::try_from(link.freeze()).expect("few");
        assert!(!link.has_ended());
        drop(link);
        let (read, whole) = read(&other);
        assert!(!whole && read.len() <= passed && bytes.starts_with(&read));
    }
}
