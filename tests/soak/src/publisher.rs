//! A publisher's life: sessions that stumble on their way, and end in one way or another.

use std::time::{Duration, Instant};

use e2e::http;

use crate::connection::{APP, Connection, Failure};
use crate::dice::Dice;
use crate::gateway::{IDLE, LINGER, RESUME, lock};
use crate::ledger::End;
use crate::link::Link;
use crate::playing::Playing;
use crate::report::count;
use crate::stumble::Stumble;
use crate::wait::{self, sleep};
use crate::world::World;

/// Between two sendings.
const TICK: Duration = Duration::from_millis(20);
/// The gateway closes its side within so long of ours, on a busy machine.
const CLOSES_WITHIN: Duration = Duration::from_secs(30);
/// More takeovers than these within this time are a fight, which the gateway refuses.
const TAKEOVERS: usize = 3;
const TAKEOVERS_WITHIN: Duration = Duration::from_secs(62);

/// One publisher, which keeps its name.
pub(crate) struct Publisher<'a> {
    world: &'a World,
    index: usize,
    name: String,
    dice: Dice,
    /// Of active publishes, lately.
    takeovers: Vec<Instant>,
    /// Half-open connections, and when they are let go of.
    frozen: Vec<(Link, Instant)>,
    /// The connection that took over, and the gateway's life it was made in.
    ahead: Option<(Connection, u64)>,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(world: &'a World, index: usize) -> Self {
        Self {
            world,
            index,
            name: World::name(index),
            dice: Dice::new(world.seed).fork(index as u64 + 1),
            takeovers: Vec::new(),
            frozen: Vec::new(),
            ahead: None,
        }
    }

    /// Publishes, session after session, until the soak is over.
    pub(crate) fn run(mut self) {
        // They come one after another, as people do.
        sleep(self.dice.millis(0..=3_000));
        while !self.world.is_closing() {
            let life = self.world.gateway.life();
            if !life.is_up() {
                sleep(TICK);
                continue;
            }
            if let Some((connection, life)) = self.ahead.take() {
                self.session(connection, life);
            } else {
                match Connection::publish(&self.world.gateway, &self.name, &mut self.dice) {
                    Ok(connection) => self.session(connection, life.number),
                    Err(failure) => self.failed(failure, life.number),
                }
            }
            let now = Instant::now();
            self.frozen.retain(|(_, until)| *until > now);
        }
    }

    fn failed(&mut self, failure: Failure, life: u64) {
        match failure {
            Failure::Broken(_) if self.is_over(life) => {}
            Failure::Broken(error) => self.violation(format!("cannot publish: {error}")),
            Failure::Refused(words) => self.violation(format!("publish refused: {words}")),
        }
        sleep(self.dice.millis(200..=1_000));
    }

    /// The gateway was killed since then. It is known before it happens.
    fn is_over(&self, life: u64) -> bool {
        self.world.gateway.life().number != life
    }

    fn violation(&self, what: String) {
        self.world.report.violation(Some(self.index), what);
    }

    fn session(&mut self, mut connection: Connection, life: u64) {
        let session = lock(&self.world.books[self.index]).begin();
        count(&self.world.report.counts.sessions);
        let mut playing = Playing::new(self.world, self.index, session, &mut self.dice);
        let last = Instant::now() + self.dice.millis(8_000..=60_000);
        let ending = loop {
            playing.send_due(&mut connection, &mut self.dice);
            if let Some(bytes) = connection.news() {
                lock(&self.world.books[self.index]).acknowledge(session, bytes);
            }
            if connection.link.has_ended() {
                return self.broken_off(connection, session, life);
            }
            if self.world.is_closing() {
                break Stumble::Unpublish;
            }
            if playing.is_steady() && Instant::now() >= last {
                let ending = self.dice.pick(&Stumble::ENDINGS);
                if self.may(ending) {
                    break ending;
                }
            }
            sleep(TICK);
        };
        if !self.world.is_closing() {
            self.world.stumble(self.index, ending);
        }
        let (pieces, late) = connection.link.carried();
        self.world.report.carried(pieces, late);
        let end = self.end(ending, connection, session, life, playing);
        lock(&self.world.books[self.index]).end(session, end);
        self.pause(ending);
    }

    /// The gateway closed the connection.
    fn broken_off(&mut self, mut connection: Connection, session: usize, life: u64) {
        let end = self.acknowledged(&mut connection, session);
        lock(&self.world.books[self.index]).end(session, end);
        if !self.is_over(life) {
            self.violation(format!(
                "the gateway closed session {session}: {}",
                connection.words()
            ));
        }
        sleep(self.dice.millis(100..=2_000));
    }

    /// A takeover that would be taken for a fight is left out.
    fn may(&mut self, ending: Stumble) -> bool {
        let now = Instant::now();
        self.takeovers
            .retain(|at| now.saturating_duration_since(*at) < TAKEOVERS_WITHIN);
        let takes_over = matches!(ending, Stumble::HalfOpen | Stumble::Takeover);
        if takes_over && self.takeovers.len() >= TAKEOVERS {
            return false;
        }
        if takes_over {
            self.takeovers.push(now);
        }
        true
    }

    /// Ends the session; gives how far it is known to have come.
    fn end(
        &mut self,
        ending: Stumble,
        mut connection: Connection,
        session: usize,
        life: u64,
        mut playing: Playing<'_>,
    ) -> End {
        match ending {
            Stumble::Fin => {
                let bytes = connection.link.cut();
                self.whole(connection, session, life, bytes, CLOSES_WITHIN)
            }
            Stumble::Reset => {
                connection.link.reset();
                let end = self.acknowledged(&mut connection, session);
                self.let_go(life);
                end
            }
            Stumble::HalfOpen => {
                connection.link.freeze();
                let end = self.acknowledged(&mut connection, session);
                let until = Instant::now() + self.dice.millis(5_000..=20_000);
                self.frozen.push((connection.link, until));
                end
            }
            Stumble::Takeover => {
                let end = self.acknowledged(&mut connection, session);
                match Connection::publish(&self.world.gateway, &self.name, &mut self.dice) {
                    Ok(next) => self.ahead = Some((next, life)),
                    Err(failure) => self.failed(failure, life),
                }
                // The encoder that was taken over does not know it yet.
                playing.send_due(&mut connection, &mut self.dice);
                connection.link.finish();
                end
            }
            Stumble::Silence => {
                connection.link.carries_all_within(CLOSES_WITHIN);
                let bytes = connection.bytes;
                self.whole(connection, session, life, bytes, IDLE + CLOSES_WITHIN)
            }
            _ => {
                connection.unpublish();
                let bytes = connection.link.finish();
                self.whole(connection, session, life, bytes, CLOSES_WITHIN)
            }
        }
    }

    /// Waits for the gateway to close its side, having read so many bytes.
    fn whole(
        &mut self,
        mut connection: Connection,
        session: usize,
        life: u64,
        bytes: u64,
        limit: Duration,
    ) -> End {
        let closed = connection.link.ends_within(limit);
        let at = Instant::now();
        // A process that was killed closes its connections, too.
        if self.is_over(life) {
            return self.acknowledged(&mut connection, session);
        }
        if !closed {
            self.violation(format!(
                "session {session} is not closed {limit:?} after its end"
            ));
            return self.acknowledged(&mut connection, session);
        }
        End::Whole { bytes, at }
    }

    fn acknowledged(&self, connection: &mut Connection, session: usize) -> End {
        let mut book = lock(&self.world.books[self.index]);
        if let Some(bytes) = connection.news() {
            book.acknowledge(session, bytes);
        }
        End::Acknowledged {
            bytes: book.acknowledged(session),
        }
    }

    /// Waits until the gateway has noticed that the publisher is gone.
    fn let_go(&self, life: u64) {
        let path = format!("/api/v1/streams/{APP}/{}", self.name);
        let gone = || {
            let answer = http::send(self.world.gateway.http, "GET", &path, &[], &[]);
            let state = answer.map(|answer| {
                let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
                json.and_then(|json| Some(json["state"].as_str()? == "live"))
            });
            !matches!(state, Ok(Some(true)))
        };
        let gone = wait::until(CLOSES_WITHIN, || self.is_over(life) || gone());
        if !gone {
            self.violation("a reset connection still counts as live".to_owned());
        }
    }

    fn pause(&mut self, ending: Stumble) {
        let pause = match ending {
            Stumble::Takeover => Duration::ZERO,
            Stumble::HalfOpen => self.dice.millis(300..=2_500),
            Stumble::Away if self.dice.chance(50) => RESUME + self.dice.millis(1_000..=4_000),
            Stumble::Away => RESUME + LINGER + self.dice.millis(1_000..=3_000),
            _ => self.dice.millis(50..=2_500),
        };
        wait::until(pause, || self.world.is_closing());
    }
}
