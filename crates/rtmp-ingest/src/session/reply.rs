//! What the gateway sends: protocol control messages, command results, statuses.
//!
//! Chunks are written by rml_rtmp's `ChunkSerializer`, every one with a full header, which the oldest
//! clients need. It writes the continuation chunks of such messages wrongly; there are none, since Set
//! Chunk Size goes out before the first reply that is longer than 128 bytes.

use bytes::{Buf, Bytes, BytesMut};
use rml_rtmp::chunk_io::ChunkSerializer;
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;

use super::capabilities;
use super::command::Command;
use crate::amf0::{Property, write_command};
use crate::{Error, Rejection};

/// Chunks in both directions: clients such as FFmpeg take the server's chunk size for their own, and one
/// chunk a message is the cheapest to read.
const CHUNK_SIZE: u32 = 65_536;

/// How much the peer may send before it must have seen an acknowledgement, bytes.
const WINDOW: u32 = 2_500_000;

/// Set Peer Bandwidth's "dynamic" limit type (§5.4.5).
const DYNAMIC: u8 = 2;

/// What stands in a `_result`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Nothing,
    Number(f64),
}

/// Serialised replies that wait to be sent.
pub(super) struct Replies {
    serializer: ChunkSerializer,
    output: BytesMut,
    limit: usize,
    chunk_size: ChunkSize,
}

/// Whether the peer knows the size of the chunks it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChunkSize {
    Default,
    Announced,
}

#[derive(Clone, Copy)]
enum Level {
    Status,
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Error => "error",
        }
    }
}

impl Replies {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            serializer: ChunkSerializer::new(),
            output: BytesMut::new(),
            limit,
            chunk_size: ChunkSize::Default,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.output
    }

    pub(super) fn sent(&mut self, count: usize) {
        self.output.advance(count.min(self.output.len()));
        if self.output.is_empty() {
            // A connection sends a few hundred bytes in its life, then nothing for hours.
            self.output = BytesMut::new();
        }
    }

    /// Where the handshake writes.
    pub(super) const fn raw(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Whether the peer reads what it is sent.
    pub(super) fn check(&self, at: u64) -> Result<(), Error> {
        if self.output.len() > self.limit {
            return Err(Error::Limit {
                at,
                what: "bytes of replies that the peer has not read",
                found: self.output.len() as u64,
                limit: self.limit as u64,
            });
        }
        Ok(())
    }

    pub(super) fn acknowledgement(&mut self, total: u32) {
        self.send(3, 0, total.to_be_bytes().to_vec());
    }

    pub(super) fn ping(&mut self) {
        self.send(4, 0, vec![0, 6, 0, 0, 0, 0]);
    }

    pub(super) fn pong(&mut self, time: [u8; 4]) {
        self.send(4, 0, [&[0, 7], &time[..]].concat());
    }

    /// The answer to `connect`.
    pub(super) fn connected(&mut self, command: &Command) {
        self.send(5, 0, WINDOW.to_be_bytes().to_vec());
        self.send(6, 0, [&WINDOW.to_be_bytes()[..], &[DYNAMIC]].concat());
        self.announce_chunk_size();
        let server = [
            ("fmsVer", Property::Text("FMS/3,0,1,123")),
            ("capabilities", Property::Number(31.0)),
        ];
        let outcome = [
            ("level", Property::Text("status")),
            ("code", Property::Text("NetConnection.Connect.Success")),
            ("description", Property::Text("connection succeeded")),
        ];
        let offered = capabilities::offered();
        let server = [&server[..], &offered].concat();
        let outcome = [&outcome[..], &offered].concat();
        self.command(
            0,
            "_result",
            transaction(command),
            &[Property::Object(&server), Property::Object(&outcome)],
        );
    }

    /// Asks the peer to connect anew, to the same address, and to publish there (Enhanced RTMP v2, "Reconnect
    /// Request").
    pub(super) fn reconnect_request(&mut self, why: &str) {
        self.status(
            0,
            Level::Status,
            "NetConnection.Connect.ReconnectRequest",
            why,
        );
    }

    pub(super) fn connect_rejected(&mut self, command: &Command, why: &str) {
        let outcome = [
            ("level", Property::Text("error")),
            ("code", Property::Text("NetConnection.Connect.Rejected")),
            ("description", Property::Text(why)),
        ];
        self.command(
            0,
            "_error",
            transaction(command),
            &[Property::Null, Property::Object(&outcome)],
        );
    }

    /// `_result` for a command that asked for one.
    pub(super) fn result(&mut self, command: &Command, answer: Answer) {
        if command.transaction == 0.0 {
            return;
        }
        let answer = match answer {
            Answer::Nothing => Property::Undefined,
            Answer::Number(number) => Property::Number(number),
        };
        self.command(0, "_result", command.transaction, &[Property::Null, answer]);
    }

    /// `_error` for a command that asked for an answer.
    pub(super) fn error(&mut self, command: &Command, why: &str) {
        if command.transaction == 0.0 {
            return;
        }
        let outcome = [
            ("level", Property::Text("error")),
            ("code", Property::Text("NetConnection.Call.Failed")),
            ("description", Property::Text(why)),
        ];
        self.command(
            command.stream,
            "_error",
            command.transaction,
            &[Property::Null, Property::Object(&outcome)],
        );
    }

    pub(super) fn unknown_command(&mut self, command: &Command) {
        self.error(command, "this gateway does not know the command");
    }

    /// Old encoders wait for `onFCPublish` before they publish.
    pub(super) fn fc_publish(&mut self, command: &Command) {
        self.result(command, Answer::Nothing);
        self.fc_status(command, "onFCPublish", "NetStream.Publish.Start");
    }

    pub(super) fn fc_unpublish(&mut self, command: &Command) {
        self.result(command, Answer::Nothing);
        self.fc_status(command, "onFCUnpublish", "NetStream.Unpublish.Success");
    }

    fn fc_status(&mut self, command: &Command, name: &str, code: &str) {
        let status = [
            ("code", Property::Text(code)),
            (
                "description",
                Property::Text(
                    command
                        .text(0)
                        .map_or("", |name| super::address::cut_query(name).0),
                ),
            ),
        ];
        self.command(0, name, 0.0, &[Property::Null, Property::Object(&status)]);
    }

    /// The answer to an accepted `publish`.
    pub(super) fn publish_started(&mut self, stream: u32) {
        // User control event 0, Stream Begin.
        self.send(4, 0, [&[0, 0], &stream.to_be_bytes()[..]].concat());
        self.status(
            stream,
            Level::Status,
            "NetStream.Publish.Start",
            "publishing",
        );
    }

    pub(super) fn publish_rejected(&mut self, stream: u32, why: &Rejection) {
        let (code, text) = match why {
            Rejection::BadName(text) => ("NetStream.Publish.BadName", text),
            Rejection::Denied(text) => ("NetStream.Publish.Denied", text),
        };
        self.status(stream, Level::Error, code, text);
    }

    pub(super) fn unpublished(&mut self, stream: u32, why: &str) {
        self.status(stream, Level::Status, "NetStream.Unpublish.Success", why);
    }

    pub(super) fn play_refused(&mut self, command: &Command) {
        self.status(
            command.stream,
            Level::Error,
            "NetStream.Play.Failed",
            "this gateway plays over HLS only, not over RTMP",
        );
    }

    fn status(&mut self, stream: u32, level: Level, code: &str, description: &str) {
        let status = [
            ("level", Property::Text(level.as_str())),
            ("code", Property::Text(code)),
            ("description", Property::Text(description)),
        ];
        self.command(
            stream,
            "onStatus",
            0.0,
            &[Property::Null, Property::Object(&status)],
        );
    }

    fn command(&mut self, stream: u32, name: &str, transaction: f64, arguments: &[Property<'_>]) {
        self.announce_chunk_size();
        self.send(20, stream, write_command(name, transaction, arguments));
    }

    /// Before the first command, whichever that is.
    fn announce_chunk_size(&mut self) {
        if self.chunk_size == ChunkSize::Announced {
            return;
        }
        self.chunk_size = ChunkSize::Announced;
        let packet = self
            .serializer
            .set_max_chunk_size(CHUNK_SIZE, RtmpTimestamp::new(0))
            .expect("the chunk size should be within the protocol's range");
        self.output.extend_from_slice(&packet.bytes);
    }

    fn send(&mut self, kind: u8, stream: u32, body: Vec<u8>) {
        let message = MessagePayload {
            timestamp: RtmpTimestamp::new(0),
            type_id: kind,
            message_stream_id: stream,
            data: Bytes::from(body),
        };
        let packet = self
            .serializer
            .serialize(&message, true, false)
            .expect("a reply should be shorter than the longest message");
        self.output.extend_from_slice(&packet.bytes);
    }
}

/// `connect` is transaction 1 by definition; some clients leave the number out.
fn transaction(command: &Command) -> f64 {
    if command.transaction == 0.0 {
        1.0
    } else {
        command.transaction
    }
}
