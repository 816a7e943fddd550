//! One RTMP session, without a socket: handshake, chunks, control messages, NetConnection and NetStream
//! (RTMP 1.0 §5 to §7).
//!
//! What media messages contain, who may publish, and when to give up on a silent peer do not belong here.

mod address;
mod aggregate;
mod capabilities;
mod command;
mod control;
mod net_connection;
mod net_stream;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use media::{Message, MessageKind};

use self::capabilities::OnReconnectRequest;
use self::command::Command;
use self::control::Acknowledgements;
use self::net_connection::Application;
use self::net_stream::NetStreams;
use self::reply::Replies;
use crate::chunk::{Bounds, RawMessage, Reader};
use crate::handshake::{Handshake, Progress};
use crate::{Error, Event, Limits, MessageStreamId, Rejection};

/// Events that an emptied queue keeps room for: what a read of 64 KiB usually holds. A flood of tiny
/// messages leaves no more than this behind.
const KEPT_EVENTS: usize = 64;

/// How far a session has come: decides which deadline applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The handshake is not complete.
    Handshake,
    /// Nothing is being published: not yet, or not any more.
    Connected,
    /// A publish waits to be accepted or rejected.
    Deciding,
    /// At least one publish is accepted.
    Publishing,
}

/// The server's side of one RTMP connection.
///
/// Contract: *push once, pull until `None`, then push again*, and send what [`Session::output`] holds.
/// After [`Event::Publish`] nothing is processed until [`Session::accept`] or [`Session::reject`]; what a
/// pipelining client sent behind its request is kept and comes out after the decision. Events found before
/// an error come out before it; after the error the session is dead, but its output is still worth sending.
pub struct Session {
    limits: Limits,
    stage: Stage,
    replies: Replies,
    events: VecDeque<Event>,
    failure: Option<Error>,
    /// Input behind a publish request that waits for its decision.
    held: Vec<u8>,
    application: Option<Application>,
    streams: NetStreams,
    acknowledgements: Acknowledgements,
    /// Commands and pings since the last media message.
    commands: u32,
    dropped_messages: u64,
    media_received: bool,
}

enum Stage {
    Handshake(Handshake),
    Chunks(Box<Reader>),
    Dead,
}

impl Session {
    /// A session that waits for the client's first byte.
    pub fn new(limits: Limits) -> Self {
        Self {
            stage: Stage::Handshake(Handshake::new()),
            replies: Replies::new(limits.output_bytes),
            events: VecDeque::new(),
            failure: None,
            held: Vec::new(),
            application: None,
            streams: NetStreams::new(limits.net_streams),
            acknowledgements: Acknowledgements::default(),
            commands: 0,
            dropped_messages: 0,
            media_received: false,
            limits,
        }
    }

    /// Processes bytes from the peer. Faults come out of [`Session::pull`].
    pub fn push(&mut self, input: &[u8]) {
        if matches!(self.stage, Stage::Dead) {
            return;
        }
        self.acknowledgements.received(input.len());
        if self.streams.pending().is_some() {
            self.hold_more(input);
            return;
        }
        self.process(input);
        if let Some(total) = self.acknowledgements.due() {
            self.replies.acknowledgement(total);
        }
        if let Err(error) = self.replies.check(self.acknowledgements.total()) {
            self.fail(error);
        }
    }

    /// The next event; `None` when everything pushed so far is processed, or waits for a decision.
    ///
    /// # Errors
    /// What ended the session, once, after the events before it.
    pub fn pull(&mut self) -> Result<Option<Event>, Error> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        if self.events.capacity() > KEPT_EVENTS {
            self.events.shrink_to(KEPT_EVENTS);
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    /// Lets the publish on `stream` begin. Nothing happens if it is not waiting for a decision.
    pub fn accept(&mut self, stream: MessageStreamId) {
        if self.streams.accept(stream) {
            self.replies.publish_started(stream.0);
            if let Stage::Chunks(reader) = &mut self.stage {
                reader.set_bounds(publishing_bounds(&self.limits));
                reader.use_blocks();
            }
            self.process_held();
        }
    }

    /// Refuses the publish on `stream`. Nothing happens if it is not waiting for a decision. The client may
    /// ask again; what it sends for this publish is dropped.
    pub fn reject(&mut self, stream: MessageStreamId, why: &Rejection) {
        if self.streams.reject(stream) {
            self.replies.publish_rejected(stream.0, why);
            self.process_held();
        }
    }

    /// Ends the publish on `stream` from this side and tells the peer why, in words without secrets. Its
    /// media that were not pulled yet, and all that follow, are dropped; there is no
    /// [`Event::Unpublish`]. The client may publish on the stream again. Nothing happens if the stream
    /// publishes nothing.
    pub fn end_publish(&mut self, stream: MessageStreamId, why: &str) {
        if self.streams.end(stream) {
            self.replies.unpublished(stream.0, why);
            self.drop_queued(stream);
        }
    }

    /// Tells the peer that its publishes are over, and why, in words without secrets.
    pub fn end(&mut self, why: &str) {
        for stream in self.streams.publishing() {
            self.replies.unpublished(stream, why);
        }
        self.stage = Stage::Dead;
    }

    /// Asks the peer to connect anew, and tells it why, in words without secrets; whether it was asked: only a
    /// client that said in `connect` that it knows the request is. What it publishes goes on until it leaves.
    pub fn ask_to_reconnect(&mut self, why: &str) -> bool {
        let asked = matches!(self.stage, Stage::Chunks(_))
            && self.application.as_ref().is_some_and(|application| {
                application.on_reconnect_request == OnReconnectRequest::Connects
            });
        if asked {
            self.replies.reconnect_request(why);
        }
        asked
    }

    /// Asks the peer for a sign of life. Nothing is sent before the handshake is complete.
    pub fn ping(&mut self) {
        if matches!(self.stage, Stage::Chunks(_)) {
            self.replies.ping();
        }
    }

    /// How far the session has come.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Handshake(_) => Phase::Handshake,
            _ if self.streams.pending().is_some() => Phase::Deciding,
            _ if self.streams.publishing().next().is_some() => Phase::Publishing,
            _ => Phase::Connected,
        }
    }

    /// Bytes to send to the peer; [`Session::sent`] takes them off.
    pub fn output(&self) -> &[u8] {
        self.replies.bytes()
    }

    /// Takes `count` sent bytes off the front of the output.
    pub fn sent(&mut self, count: usize) {
        self.replies.sent(count);
    }

    /// Bytes received, the handshake included.
    pub const fn bytes_received(&self) -> u64 {
        self.acknowledgements.total()
    }

    /// How many bytes had been received when the oldest message that is still unfinished began.
    pub fn unfinished_since(&self) -> Option<u64> {
        match &self.stage {
            Stage::Chunks(reader) => reader.unfinished_since(),
            Stage::Handshake(_) | Stage::Dead => None,
        }
    }

    /// Media messages that belonged to no accepted publish.
    pub const fn dropped_messages(&self) -> u64 {
        self.dropped_messages
    }

    /// Whether a media message of an accepted publish came since the last call: what the idle time asks.
    pub fn take_media_received(&mut self) -> bool {
        std::mem::take(&mut self.media_received)
    }

    fn drop_queued(&mut self, ended: MessageStreamId) {
        let before = self.events.len();
        self.events
            .retain(|event| !matches!(event, Event::Media { stream, .. } if *stream == ended));
        self.dropped_messages += (before - self.events.len()) as u64;
    }

    fn hold(&mut self, input: &[u8]) {
        self.held.extend_from_slice(input);
    }

    /// A driver stops reading while a decision is awaited; one that does not is stopped here.
    fn hold_more(&mut self, input: &[u8]) {
        self.hold(input);
        let limit = self.limits.unfinished_bytes_before_publish;
        if self.held.len() > limit {
            self.fail(Error::Limit {
                at: self.acknowledgements.total(),
                what: "bytes behind a publish that is not decided",
                found: self.held.len() as u64,
                limit: limit as u64,
            });
        }
    }

    fn process_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.process(&held);
    }

    fn process(&mut self, mut input: &[u8]) {
        if let Err(error) = self.advance(&mut input) {
            self.fail(error);
        } else if !input.is_empty() {
            self.hold(input);
        }
    }

    fn fail(&mut self, error: Error) {
        self.stage = Stage::Dead;
        self.held = Vec::new();
        self.failure.get_or_insert(error);
    }

    /// Reads until the input is used up or a publish waits for its decision.
    fn advance(&mut self, input: &mut &[u8]) -> Result<(), Error> {
        loop {
            match &mut self.stage {
                Stage::Handshake(handshake) => {
                    if input.is_empty() {
                        return Ok(());
                    }
                    if handshake.read(input, self.replies.raw())? == Progress::Finished {
                        let position = self.acknowledgements.total() - input.len() as u64;
                        let bounds = stranger_bounds(&self.limits);
                        self.stage = Stage::Chunks(Box::new(
                            Reader::new(bounds, position).within(self.limits.budget.clone()),
                        ));
                    }
                }
                Stage::Chunks(reader) => {
                    let Some(message) = reader.read(input)? else {
                        return Ok(());
                    };
                    let at = reader.position();
                    self.dispatch(message, at)?;
                    if self.streams.pending().is_some() {
                        return Ok(());
                    }
                }
                Stage::Dead => return Ok(()),
            }
        }
    }

    /// Gives a message to the layer it is for (§5.4, §7.1); unknown types are ignored.
    fn dispatch(&mut self, message: RawMessage, at: u64) -> Result<(), Error> {
        match message.kind {
            8 => self.media(MessageKind::Audio, message),
            9 => self.media(MessageKind::Video, message),
            18 => self.media(MessageKind::Data, message),
            15 => self.media(MessageKind::Data, without_amf3_byte(message)),
            20 => return self.command(&message, at),
            17 => return self.command(&without_amf3_byte(message), at),
            22 => {
                for part in aggregate::Parts::new(&message, at) {
                    self.dispatch_part(part?);
                }
            }
            3..=6 => return self.control(&message, at),
            _ => {}
        }
        Ok(())
    }

    fn dispatch_part(&mut self, part: RawMessage) {
        match part.kind {
            8 => self.media(MessageKind::Audio, part),
            9 => self.media(MessageKind::Video, part),
            18 => self.media(MessageKind::Data, part),
            _ => {}
        }
    }

    fn media(&mut self, kind: MessageKind, message: RawMessage) {
        let stream = MessageStreamId(message.stream);
        let payload = match kind {
            MessageKind::Data => command::without_set_data_frame(message.payload),
            MessageKind::Audio | MessageKind::Video => message.payload,
        };
        if !self.streams.is_publishing(stream) {
            self.dropped_messages += 1;
        } else if !payload.is_empty() {
            self.commands = 0;
            self.media_received = true;
            self.events.push_back(Event::Media {
                stream,
                message: Message {
                    kind,
                    timestamp_ms: message.timestamp_ms,
                    payload,
                },
            });
        }
    }

    fn command(&mut self, message: &RawMessage, at: u64) -> Result<(), Error> {
        self.count_command(at)?;
        let command = Command::read(message, at)?;
        let name = command.name.as_str();
        match name {
            "connect" => self.connect(&command, at),
            "createStream" => {
                self.create_stream(&command);
                Ok(())
            }
            "releaseStream" | "_checkbw" => {
                self.replies.result(&command, reply::Answer::Nothing);
                Ok(())
            }
            "FCPublish" => {
                self.replies.fc_publish(&command);
                Ok(())
            }
            "getStreamLength" => {
                self.replies.result(&command, reply::Answer::Number(0.0));
                Ok(())
            }
            "publish" => self.publish(&command, at),
            "FCUnpublish" => {
                self.fc_unpublish(&command);
                Ok(())
            }
            "closeStream" => {
                self.close_stream(MessageStreamId(command.stream));
                Ok(())
            }
            "deleteStream" => {
                self.delete_stream(&command);
                Ok(())
            }
            "play" | "play2" => {
                self.replies.play_refused(&command);
                Ok(())
            }
            // Answers and notifications from the peer ask for nothing.
            "_result" | "_error" | "onStatus" => Ok(()),
            _ => {
                self.replies.unknown_command(&command);
                Ok(())
            }
        }
    }

    /// Bounds the work that commands and pings cost without any media between them.
    fn count_command(&mut self, at: u64) -> Result<(), Error> {
        self.commands += 1;
        if self.commands > self.limits.commands {
            return Err(Error::Limit {
                at,
                what: "commands without media between them",
                found: self.commands.into(),
                limit: self.limits.commands.into(),
            });
        }
        // A slice full of commands must not pile up answers before the driver can send any.
        self.replies.check(at)
    }
}

/// AMF3-marked messages (types 15 and 17) begin with a byte that selects AMF0, which is all anybody sends.
fn without_amf3_byte(mut message: RawMessage) -> RawMessage {
    if message.payload.first() == Some(&0) {
        message.payload = message.payload.slice(1..);
    }
    message
}

fn stranger_bounds(limits: &Limits) -> Bounds {
    Bounds {
        media_bytes: limits.command_bytes,
        command_bytes: limits.command_bytes,
        unfinished_bytes: limits.unfinished_bytes_before_publish,
        chunk_streams: limits.chunk_streams,
    }
}

fn publishing_bounds(limits: &Limits) -> Bounds {
    Bounds {
        media_bytes: limits.message_bytes,
        command_bytes: limits.command_bytes,
        unfinished_bytes: limits.unfinished_bytes,
        chunk_streams: limits.chunk_streams,
    }
}
