//! An RTMP client that publishes the clip: handshake and commands through `rml_rtmp`'s types, media
//! from messages serialised once.
//!
//! Blocking, one socket, no thread and no clock of its own: who sends when is decided in
//! [`crate::load`] and [`crate::burst`].

use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rml_amf0::Amf0Value;
use rml_rtmp::chunk_io::{ChunkDeserializer, ChunkSerializer};
use rml_rtmp::messages::{MessagePayload, RtmpMessage};
use rml_rtmp::time::RtmpTimestamp;

use crate::chunk;
use crate::clip::{Clip, PERIOD_MS};

/// The application both servers are configured with.
pub(crate) const APP: &str = "live";

/// Longest wait for the server: generous, since only a broken server gets there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Length of C1, C2, S1 and S2 (RTMP 1.0 §5.2.3).
const HANDSHAKE: usize = 1536;

/// Transaction ids of the commands whose answers we wait for.
const CONNECT: f64 = 1.0;
const CREATE_STREAM: f64 = 4.0;

/// An accepted publish.
#[derive(Debug)]
pub(crate) struct Publisher {
    socket: TcpStream,
    message_stream: u32,
    clip: Arc<Clip>,
    /// Access units sent.
    sent: usize,
}

impl Publisher {
    /// Connects and publishes `live/{name}`; returns once the server has said
    /// `NetStream.Publish.Start`. No media has been sent then.
    pub(crate) fn connect(rtmp: SocketAddr, name: &str, clip: Arc<Clip>) -> anyhow::Result<Self> {
        let (socket, message_stream) = publish(rtmp, name)
            .with_context(|| format!("cannot publish {APP}/{name} to {rtmp}"))?;
        Ok(Self {
            socket,
            message_stream,
            clip,
            sent: 0,
        })
    }

    /// Sends metadata and sequence headers.
    pub(crate) fn send_headers(&self) -> io::Result<()> {
        for message in &self.clip.headers {
            let (head, rest) = message.at(0, self.message_stream);
            write_both(&self.socket, &head, rest)?;
        }
        Ok(())
    }

    /// When the next access unit is due, in media time since the first.
    pub(crate) fn next_due(&self) -> Duration {
        Duration::from_millis(self.next().0.into())
    }

    /// Whether a segment can begin at the next access unit.
    pub(crate) fn next_is_random_access(&self) -> bool {
        self.next().1.random_access
    }

    /// Sends one access unit with one write.
    pub(crate) fn send_next(&mut self) -> io::Result<()> {
        let (timestamp_ms, unit) = self.next();
        let (head, rest) = unit.message.at(timestamp_ms, self.message_stream);
        write_both(&self.socket, &head, rest)?;
        self.sent += 1;
        Ok(())
    }

    /// Appends the next access unit to `wire` instead of sending it.
    pub(crate) fn take_next(&mut self, wire: &mut Vec<u8>) {
        let (timestamp_ms, unit) = self.next();
        let (head, rest) = unit.message.at(timestamp_ms, self.message_stream);
        wire.extend_from_slice(&head);
        wire.extend_from_slice(rest);
        self.sent += 1;
    }

    /// Sends what was taken.
    pub(crate) fn send(&mut self, wire: &[u8]) -> io::Result<()> {
        self.socket.write_all(wire)
    }

    fn next(&self) -> (u32, &crate::clip::Unit) {
        let cycle = &self.clip.cycle;
        let rounds = u32::try_from(self.sent / cycle.len()).unwrap_or(u32::MAX);
        let unit = &cycle[self.sent % cycle.len()];
        (rounds * PERIOD_MS + unit.timestamp_ms, unit)
    }
}

/// Both slices with one system call, more only if the socket takes less.
fn write_both(mut socket: &TcpStream, head: &[u8], rest: &[u8]) -> io::Result<()> {
    let written = socket.write_vectored(&[IoSlice::new(head), IoSlice::new(rest)])?;
    match written.checked_sub(head.len()) {
        Some(of_rest) => socket.write_all(&rest[of_rest..]),
        None => {
            socket.write_all(&head[written..])?;
            socket.write_all(rest)
        }
    }
}

fn publish(rtmp: SocketAddr, name: &str) -> anyhow::Result<(TcpStream, u32)> {
    let mut socket = TcpStream::connect(rtmp)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;

    let c2 = handshake(&mut socket)?;
    let mut commands = Commands::new();
    let connect = Amf0Value::Object(HashMap::from([
        ("app".to_owned(), text(APP)),
        ("type".to_owned(), text("nonprivate")),
        ("flashVer".to_owned(), text("FMLE/3.0 (compatible; bench)")),
        ("tcUrl".to_owned(), text(&format!("rtmp://{rtmp}/{APP}"))),
    ]));
    let mut wire = c2;
    commands.write_chunk_size(&mut wire)?;
    commands.write(&mut wire, 0, "connect", CONNECT, connect, vec![])?;
    socket.write_all(&wire)?;
    commands.result(&mut socket, CONNECT)?;

    wire.clear();
    let null = || Amf0Value::Null;
    commands.write(&mut wire, 0, "releaseStream", 2.0, null(), vec![text(name)])?;
    commands.write(&mut wire, 0, "FCPublish", 3.0, null(), vec![text(name)])?;
    commands.write(&mut wire, 0, "createStream", CREATE_STREAM, null(), vec![])?;
    socket.write_all(&wire)?;
    let created = commands.result(&mut socket, CREATE_STREAM)?;
    let Some(Amf0Value::Number(number)) = created.first() else {
        bail!("createStream was answered without a message stream id: {created:?}");
    };
    let message_stream = message_stream_of(*number)?;

    wire.clear();
    let arguments = vec![text(name), text("live")];
    commands.write(&mut wire, message_stream, "publish", 5.0, null(), arguments)?;
    socket.write_all(&wire)?;
    commands.publish_start(&mut socket)?;
    Ok((socket, message_stream))
}

/// The plain handshake (RTMP 1.0 §5.2); C2 is returned, to travel with the first command.
fn handshake(socket: &mut TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut c0_c1 = vec![0; 1 + HANDSHAKE];
    c0_c1[0] = 3;
    // Time and version stay zero: no digest is looked for. The rest is anything.
    for (byte, filler) in c0_c1[9..].iter_mut().zip((1..=u8::MAX).cycle()) {
        *byte = filler;
    }
    socket.write_all(&c0_c1)?;
    let mut answer = vec![0; 1 + 2 * HANDSHAKE];
    socket.read_exact(&mut answer).context("no S0, S1 and S2")?;
    ensure!(answer[0] == 3, "S0 says version {}, not 3", answer[0]);
    Ok(answer[1..=HANDSHAKE].to_vec())
}

fn text(value: &str) -> Amf0Value {
    Amf0Value::Utf8String(value.to_owned())
}

fn message_stream_of(number: f64) -> anyhow::Result<u32> {
    (1..=16)
        .find(|id| f64::from(*id) == number)
        .with_context(|| format!("message stream id {number} is not a small whole number"))
}

/// Commands out, answers in.
struct Commands {
    writer: ChunkSerializer,
    reader: ChunkDeserializer,
}

impl Commands {
    fn new() -> Self {
        Self {
            writer: ChunkSerializer::new(),
            reader: ChunkDeserializer::new(),
        }
    }

    fn write_chunk_size(&mut self, wire: &mut Vec<u8>) -> anyhow::Result<()> {
        let size = u32::try_from(chunk::CHUNK_SIZE)?;
        let packet = self
            .writer
            .set_max_chunk_size(size, RtmpTimestamp::new(0))?;
        wire.extend_from_slice(&packet.bytes);
        Ok(())
    }

    fn write(
        &mut self,
        wire: &mut Vec<u8>,
        message_stream: u32,
        name: &str,
        transaction_id: f64,
        command_object: Amf0Value,
        additional_arguments: Vec<Amf0Value>,
    ) -> anyhow::Result<()> {
        let command = RtmpMessage::Amf0Command {
            command_name: name.to_owned(),
            transaction_id,
            command_object,
            additional_arguments,
        };
        let message = command.into_message_payload(RtmpTimestamp::new(0), message_stream)?;
        let packet = self.writer.serialize(&message, true, false)?;
        wire.extend_from_slice(&packet.bytes);
        Ok(())
    }

    /// The arguments of the `_result` of a transaction.
    fn result(&mut self, socket: &mut TcpStream, of: f64) -> anyhow::Result<Vec<Amf0Value>> {
        loop {
            let (name, transaction_id, arguments) = self.next(socket)?;
            if transaction_id == of {
                ensure!(
                    name == "_result",
                    "{name} {arguments:?} to transaction {of}"
                );
                return Ok(arguments);
            }
        }
    }

    fn publish_start(&mut self, socket: &mut TcpStream) -> anyhow::Result<()> {
        loop {
            let (name, _, arguments) = self.next(socket)?;
            if name != "onStatus" {
                continue;
            }
            let Some(Amf0Value::Object(properties)) = arguments.first() else {
                bail!("onStatus without an object: {arguments:?}");
            };
            match properties.get("code") {
                Some(Amf0Value::Utf8String(code)) if code == "NetStream.Publish.Start" => {
                    return Ok(());
                }
                code => bail!("publish was answered with {code:?}"),
            }
        }
    }

    /// The next command; chunk sizes are obeyed, everything else is passed over.
    fn next(&mut self, socket: &mut TcpStream) -> anyhow::Result<(String, f64, Vec<Amf0Value>)> {
        let mut received = 0;
        let mut buffer = [0; 4096];
        loop {
            while let Some(message) = self.reader.get_next_message(&buffer[..received])? {
                received = 0;
                if let Some(command) = self.take(&message)? {
                    return Ok(command);
                }
            }
            received = match socket.read(&mut buffer) {
                Ok(0) => bail!("the server closed the connection before it accepted the publish"),
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => return Err(error).context("no answer to a command"),
            };
        }
    }

    fn take(
        &mut self,
        message: &MessagePayload,
    ) -> anyhow::Result<Option<(String, f64, Vec<Amf0Value>)>> {
        match message.type_id {
            1 | 20 => {}
            _ => return Ok(None),
        }
        match message.to_rtmp_message()? {
            RtmpMessage::SetChunkSize { size } => {
                self.reader.set_max_chunk_size(usize::try_from(size)?)?;
                Ok(None)
            }
            RtmpMessage::Amf0Command {
                command_name,
                transaction_id,
                additional_arguments,
                ..
            } => Ok(Some((command_name, transaction_id, additional_arguments))),
            _ => Ok(None),
        }
    }
}
