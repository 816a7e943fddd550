//! An accepted publish on a bad line: what was handed over in bytes, and what the gateway has acknowledged.

use std::io;
use std::time::{Duration, Instant};

use e2e::raw_rtmp::wire;

use crate::dice::Dice;
use crate::gateway::Gateway;
use crate::link::{Hazards, Link};

/// The application.
pub(crate) const APP: &str = "live";
/// The message stream that is published on.
const STREAM: u32 = 1;
/// The gateway acknowledges as often: about ten times a second.
const WINDOW: u32 = 2_048;
/// An answer to a command takes no longer over the worst line, on a busy machine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Message types (RTMP 1.0 §5.4).
const ACKNOWLEDGEMENT: u8 = 3;
const WINDOW_SIZE: u8 = 5;
/// The header of a chunk of type 0, which all that the gateway sends has (§5.3.1.2.1).
const HEADER: usize = 12;

/// Why there is no publish.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The gateway does not answer.
    Broken(io::Error),
    /// It does, but does not let it begin.
    Refused(String),
}

/// A connection that publishes.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The line.
    pub(crate) link: Link,
    /// Bytes handed over.
    pub(crate) bytes: u64,
    heard: Vec<u8>,
    /// Bytes of `heard` that were understood.
    read: usize,
    acknowledged: u64,
}

impl Connection {
    /// Publishes `name`.
    pub(crate) fn publish(gateway: &Gateway, name: &str, dice: &mut Dice) -> Result<Self, Failure> {
        let hazards = Hazards::any(dice);
        let link = Link::open(gateway.rtmp, &hazards, dice).map_err(Failure::Broken)?;
        let mut connection = Self {
            link,
            bytes: 0,
            heard: Vec::new(),
            read: wire::ANSWER_BYTES,
            acknowledged: 0,
        };
        let window = wire::message(WINDOW_SIZE, 0, 0, &WINDOW.to_be_bytes());
        let hello = [
            wire::handshake(),
            wire::set_chunk_size(0xff_ffff),
            window,
            wire::connect(APP),
        ];
        connection.send(&hello.concat());
        connection.is_told("NetConnection.Connect.Success")?;
        connection.send(&[wire::create_stream(), wire::publish(STREAM, name)].concat());
        connection.is_told("NetStream.Publish.Start")?;
        Ok(connection)
    }

    /// Hands bytes over.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.link.send(bytes);
    }

    /// A media message.
    pub(crate) fn message(kind: u8, timestamp_ms: i64, body: &[u8]) -> Vec<u8> {
        let timestamp = u32::try_from(timestamp_ms.rem_euclid(1 << 32)).unwrap_or(0);
        wire::message(kind, STREAM, timestamp, body)
    }

    /// Unpublishes in good order.
    pub(crate) fn unpublish(&mut self) {
        self.send(&wire::delete_stream(STREAM));
    }

    /// What was acknowledged in all, if that is news.
    pub(crate) fn news(&mut self) -> Option<u64> {
        let before = self.acknowledged;
        self.listen();
        (self.acknowledged > before).then_some(self.acknowledged)
    }

    /// What the gateway has said, as far as it is text.
    pub(crate) fn words(&mut self) -> String {
        self.listen();
        let answers = self.heard.get(wire::ANSWER_BYTES..).unwrap_or_default();
        answers
            .iter()
            .map(|&byte| char::from(byte))
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .collect()
    }

    fn is_told(&mut self, words: &str) -> Result<(), Failure> {
        let deadline = Instant::now() + ANSWERS_WITHIN;
        loop {
            let said = self.words();
            if said.contains(words) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let refused = ["BadName", "_error", "Rejected", "Denied"];
            if refused.into_iter().any(|word| said.contains(word)) {
                return Err(Failure::Refused(said));
            }
            if self.link.has_ended() || left.is_zero() || !self.link.hears_within(left) {
                let why = format!("waited for {words}, was told {said:?}");
                return Err(Failure::Broken(io::Error::other(why)));
            }
        }
    }

    /// Reads acknowledgements. Every message of the gateway is one chunk with a full header.
    fn listen(&mut self) {
        self.heard.extend(self.link.take_heard());
        while let Some(header) = self.heard.get(self.read..self.read + HEADER) {
            let length = u32::from_be_bytes([0, header[4], header[5], header[6]]) as usize;
            let (kind, begin) = (header[7], self.read + HEADER);
            let Some(body) = self.heard.get(begin..begin + length) else {
                return;
            };
            if kind == ACKNOWLEDGEMENT
                && let Ok(bytes) = <[u8; 4]>::try_from(body)
            {
                // No session comes near 4 GiB.
                self.acknowledged = u32::from_be_bytes(bytes).into();
            }
            self.read = begin + length;
        }
    }
}
