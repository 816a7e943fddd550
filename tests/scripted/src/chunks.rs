//! Messages to chunks (RTMP 1.0 §5.3.1), in every shape that is allowed.

use std::collections::BTreeMap;

use crate::script::{Ids, Wire};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) timestamp_ms: u32,
    pub(crate) body: Vec<u8>,
}

/// The sender's side of the chunk layer.
pub(crate) struct Chunker {
    size: usize,
    sent: BTreeMap<u32, Sent>,
    messages: usize,
}

/// What a chunk stream's next header may leave out.
struct Sent {
    timestamp_ms: u32,
    /// What a type 3 chunk that begins a message would add.
    delta_ms: u32,
    extended: Option<u32>,
    length: usize,
    kind: u8,
    stream: u32,
}

impl Chunker {
    pub(crate) fn new() -> Self {
        Self {
            size: 128,
            sent: BTreeMap::new(),
            messages: 0,
        }
    }

    /// Set Chunk Size, and that size from then on.
    pub(crate) fn resize(&mut self, size: u32, out: &mut Vec<u8>) {
        let message = Message {
            kind: 1,
            stream: 0,
            timestamp_ms: 0,
            body: size.to_be_bytes().to_vec(),
        };
        self.begin(2, &message, 0, out);
        // The announcement itself may be longer than a chunk.
        for (n, piece) in message.body.chunks(self.size).enumerate() {
            if n > 0 {
                self.go_on(2, out);
            }
            out.extend_from_slice(piece);
        }
        self.size = usize::try_from(size).unwrap_or(usize::MAX);
    }

    /// Writes messages, as many at a time side by side as `wire` says, and gives them in the order in
    /// which they are complete.
    pub(crate) fn write(
        &mut self,
        messages: &[Message],
        wire: &Wire,
        out: &mut Vec<u8>,
    ) -> Vec<Message> {
        let mut complete = Vec::new();
        let first = match wire.ids {
            Ids::OneByte => 4,
            Ids::TwoBytes => 300,
            Ids::ThreeBytes => 65_000,
        };
        for group in messages.chunks(usize::from(wire.interleaved % 8) + 1) {
            let mut open: Vec<_> = (first..)
                .zip(group)
                .map(|(id, message)| (id, message, 0))
                .collect();
            while !open.is_empty() {
                open.retain_mut(|(id, message, from)| {
                    if *from == 0 {
                        let wish = wire.headers >> (2 * (self.messages % 4)) & 3;
                        self.messages += 1;
                        self.begin(*id, message, wish, out);
                    } else {
                        self.go_on(*id, out);
                    }
                    let to = message.body.len().min(*from + self.size);
                    out.extend_from_slice(&message.body[*from..to]);
                    *from = to;
                    let goes_on = to < message.body.len();
                    if !goes_on {
                        complete.push((*message).clone());
                    }
                    goes_on
                });
            }
        }
        complete
    }

    /// The first header of a message: of the type wished for, or the next one that says all there is to say.
    fn begin(&mut self, id: u32, message: &Message, wish: u8, out: &mut Vec<u8>) {
        let known = self.sent.get(&id);
        let delta_ms = known.map_or(0, |known| {
            message.timestamp_ms.wrapping_sub(known.timestamp_ms)
        });
        let least = known.map_or(0, |known| {
            let same_form = known.length == message.body.len() && known.kind == message.kind;
            if known.stream != message.stream {
                0
            } else if !same_form {
                1
            } else if known.delta_ms != delta_ms {
                2
            } else {
                3
            }
        });
        let format = wish.min(least);
        basic(format, id, out);
        let time = if format == 0 {
            message.timestamp_ms
        } else {
            delta_ms
        };
        let mut extended = (time >= 0xff_ffff).then_some(time);
        if format < 3 {
            out.extend_from_slice(&time.min(0xff_ffff).to_be_bytes()[1..]);
        } else {
            extended = known.and_then(|known| known.extended);
        }
        if format < 2 {
            let length = u32::try_from(message.body.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes()[1..]);
            out.push(message.kind);
        }
        if format == 0 {
            out.extend_from_slice(&message.stream.to_le_bytes());
        }
        if let Some(extended) = extended {
            out.extend_from_slice(&extended.to_be_bytes());
        }
        let next_delta_ms = match (format, extended) {
            // What FFmpeg sends, and what librtmp does.
            (0, None) => message.timestamp_ms,
            (0, Some(_)) => 0,
            _ => delta_ms,
        };
        self.sent.insert(
            id,
            Sent {
                timestamp_ms: message.timestamp_ms,
                delta_ms: next_delta_ms,
                extended,
                length: message.body.len(),
                kind: message.kind,
                stream: message.stream,
            },
        );
    }

    /// The header of a further chunk.
    fn go_on(&self, id: u32, out: &mut Vec<u8>) {
        basic(3, id, out);
        if let Some(extended) = self.sent.get(&id).and_then(|known| known.extended) {
            out.extend_from_slice(&extended.to_be_bytes());
        }
    }
}

/// The basic header in its three sizes.
fn basic(format: u8, id: u32, out: &mut Vec<u8>) {
    let format = format << 6;
    match id {
        ..64 => out.push(format | u8::try_from(id).unwrap_or(63)),
        64..320 => out.extend_from_slice(&[format, u8::try_from(id - 64).unwrap_or(255)]),
        _ => {
            let [low, high, ..] = (id - 64).to_le_bytes();
            out.extend_from_slice(&[format | 1, low, high]);
        }
    }
}

/// Joins messages in one aggregate (§7.1.6).
pub(crate) fn aggregate(parts: &[Message]) -> Message {
    let first_ms = parts.first().map_or(0, |part| part.timestamp_ms);
    let mut body = Vec::new();
    for part in parts {
        let length = u32::try_from(part.body.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes();
        let [t3, t2, t1, t0] = part.timestamp_ms.to_be_bytes();
        body.push(part.kind);
        body.extend_from_slice(&length[1..]);
        body.extend_from_slice(&[t2, t1, t0, t3, 0, 0, 0]);
        body.extend_from_slice(&part.body);
        let back = u32::try_from(part.body.len() + 11).unwrap_or(u32::MAX);
        body.extend_from_slice(&back.to_be_bytes());
    }
    Message {
        kind: 22,
        stream: parts.first().map_or(1, |part| part.stream),
        timestamp_ms: first_ms,
        body,
    }
}
