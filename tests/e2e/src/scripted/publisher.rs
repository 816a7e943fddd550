//! The connection of a scripted publisher, and its thread.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Sent, Unit};
use crate::raw_rtmp::{Peer, wire};

/// A gateway that takes nothing for so long has stopped reading. Slow machines take their time.
const TAKES_WITHIN: Duration = Duration::from_secs(60);
/// So long an answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

const CONNECTED: &str = "NetConnection.Connect.Success";
const PUBLISHING: &str = "NetStream.Publish.Start";
/// The level of a status that refuses (RTMP 1.0 §7.2.2); each such status begins with it.
const ERROR: &str = "error";

/// How a publisher leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With `deleteStream`, then closing the connection.
    DeleteStream,
    /// Closing the connection.
    Fin,
    /// With a reset: what the system has not sent yet is lost.
    Reset,
    /// Not at all: the connection stays open, and silent, until [`Left`] is dropped.
    Silence,
}

/// Why a publish did not begin, in the gateway's words.
#[derive(Clone, Debug)]
pub struct Refused(pub String);

/// A publish that was accepted.
pub struct Publisher {
    peer: Peer,
    sent: Arc<Mutex<Vec<Sent>>>,
}

/// What was sent, and what has become of the connection.
pub struct Left {
    /// The access units that the socket took, in order.
    pub sent: Vec<Sent>,
    /// The gateway closed the connection, or stopped reading, before the script was over.
    pub cut_off: bool,
    /// What the gateway said, as far as it is text.
    pub words: String,
    /// The connection, if the publisher left in silence.
    _open: Option<Peer>,
}

impl Publisher {
    /// Connects and publishes `app/name`.
    ///
    /// # Panics
    /// It is refused.
    pub fn publish(rtmp: SocketAddr, app: &str, name: &str) -> Self {
        Self::try_publish(rtmp, app, name)
            .unwrap_or_else(|refused| panic!("{app}/{name} was refused: {refused:?}"))
    }

    /// The same where a refusal is expected.
    ///
    /// # Errors
    /// It is refused, or the connection ends before there is an answer.
    pub fn try_publish(rtmp: SocketAddr, app: &str, name: &str) -> Result<Self, Refused> {
        let mut peer = Peer::try_connect(rtmp).map_err(|error| Refused(error.to_string()))?;
        peer.takes_within(TAKES_WITHIN);
        peer.wordless = wire::ANSWER_BYTES;
        let mut hello = wire::handshake();
        hello.extend(wire::set_chunk_size(0xff_ffff));
        hello.extend(wire::connect(app));
        peer.send(&hello);
        until_told(CONNECTED, &mut peer)?;
        peer.send(&[wire::create_stream(), wire::publish(1, name)].concat());
        until_told(PUBLISHING, &mut peer)?;
        Ok(Self {
            peer,
            sent: Arc::default(),
        })
    }

    /// Sends a message now; false when the gateway does not take it any more.
    #[must_use]
    pub fn send(&mut self, unit: &Unit) -> bool {
        let bytes = wire::message(
            unit.kind.message_type(),
            1,
            wrapped(unit.timestamp_ms),
            &unit.body,
        );
        if self.peer.send(&bytes) < bytes.len() {
            return false;
        }
        if let Some(sent) = Sent::of(unit) {
            self.sent.lock().expect("no panic").push(sent);
        }
        true
    }

    /// Leaves.
    pub fn leave(self, ending: Ending) -> Left {
        self.left(ending, false)
    }

    /// Sends a script on a thread of its own, each unit when it is due and not before, then leaves.
    pub fn play<Script>(mut self, script: Script, ending: Ending) -> Playing
    where
        Script: IntoIterator<Item = Unit>,
        Script::IntoIter: Send + 'static,
    {
        let script = script.into_iter();
        let sent = self.sent.clone();
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let begin = Instant::now();
            let mut ending = ending;
            let mut cut_off = false;
            for unit in script {
                let pause = unit.at.saturating_sub(begin.elapsed());
                match stopped.recv_timeout(pause) {
                    Ok(other) => {
                        ending = other;
                        break;
                    }
                    // Whoever could stop it has let go of it: it goes on to the end of the script.
                    Err(RecvTimeoutError::Disconnected) if pause.is_zero() => {}
                    Err(RecvTimeoutError::Disconnected) => wait_for(pause),
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if !self.send(&unit) {
                    cut_off = true;
                    break;
                }
            }
            self.left(ending, cut_off)
        });
        Playing { thread, stop, sent }
    }

    fn left(mut self, ending: Ending, cut_off: bool) -> Left {
        let mut open = None;
        match ending {
            // What the gateway said last is worth hearing.
            _ if cut_off => self.peer.hear_out(ANSWERS_WITHIN),
            Ending::DeleteStream => {
                self.peer.send(&wire::delete_stream(1));
                self.peer.finish();
                self.peer.hear_out(ANSWERS_WITHIN);
            }
            Ending::Fin => {
                self.peer.finish();
                self.peer.hear_out(ANSWERS_WITHIN);
            }
            Ending::Reset | Ending::Silence => {}
        }
        let words = self.peer.words();
        match ending {
            Ending::Reset => self.peer.reset(),
            Ending::Silence => open = Some(self.peer),
            Ending::DeleteStream | Ending::Fin => {}
        }
        Left {
            sent: std::mem::take(&mut *self.sent.lock().expect("no panic")),
            cut_off,
            words,
            _open: open,
        }
    }
}

/// A script that is being sent.
pub struct Playing {
    thread: JoinHandle<Left>,
    stop: Sender<Ending>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Playing {
    /// What was sent so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no panic").clone()
    }

    /// How many access units were sent so far.
    pub fn count(&self) -> usize {
        self.sent.lock().expect("no panic").len()
    }

    /// It has come to its end, whichever.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Lets it leave before its next unit, in this way.
    ///
    /// # Panics
    /// Its thread did.
    pub fn stop(self, ending: Ending) -> Left {
        // It may be over already.
        let _ = self.stop.send(ending);
        self.thread.join().expect("a publisher does not panic")
    }

    /// Waits for the end of the script.
    ///
    /// # Panics
    /// Its thread did.
    pub fn join(self) -> Left {
        self.thread.join().expect("a publisher does not panic")
    }
}

/// Waits for an answer; one that is an error ends the connection.
fn until_told(good: &str, peer: &mut Peer) -> Result<(), Refused> {
    if peer.told_one_of(&[good, ERROR], ANSWERS_WITHIN) == Some(good) {
        return Ok(());
    }
    // All that is said to it.
    peer.finish();
    peer.hear_out(ANSWERS_WITHIN);
    Err(Refused(peer.words()))
}

/// RTMP's clock has 32 bits.
fn wrapped(timestamp_ms: i64) -> u32 {
    let modulo = timestamp_ms.rem_euclid(1 << 32);
    u32::try_from(modulo).expect("below 2^32")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the thread has nothing else to do"
)]
fn wait_for(pause: Duration) {
    std::thread::sleep(pause);
}
