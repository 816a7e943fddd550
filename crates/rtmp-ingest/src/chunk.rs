//! The chunk reader (RTMP 1.0 §5.3): bytes in, whole messages out.
//!
//! It keeps the state of every chunk stream, puts interleaved messages together, and applies the two
//! protocol control messages that concern chunks themselves, Set Chunk Size and Abort. What messages mean
//! does not belong here.

mod blocks;
mod body;
mod header;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use self::blocks::Blocks;
use self::body::Body;
use self::header::{Fields, Header};
use crate::Error;
use crate::budget::{Budget, Share};

/// The chunk size before any Set Chunk Size (§5.4.1).
const FIRST_CHUNK_SIZE: u32 = 128;

/// Chunks cannot be larger than the largest message; MonaServer and others announce more and mean "whole
/// messages".
const MAX_CHUNK_SIZE: u32 = 0xff_ffff;

/// The chunk stream of protocol control messages (§5.4).
const CONTROL_STREAM: u32 = 2;

const SET_CHUNK_SIZE: u8 = 1;
const ABORT: u8 = 2;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

/// A message as the chunk layer delivers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMessage {
    /// The sender's timestamp, milliseconds modulo 2^32.
    pub timestamp_ms: u32,
    /// The message type id (§5.4, §7.1).
    pub kind: u8,
    /// The message stream it belongs to; 0 is the connection itself.
    pub stream: u32,
    /// The whole body.
    pub payload: Bytes,
}

/// What a [`Reader`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest audio, video, data or aggregate message, bytes.
    pub media_bytes: u32,
    /// The largest message of any other type, bytes.
    pub command_bytes: u32,
    /// Buffers of all unfinished messages together, bytes.
    pub unfinished_bytes: usize,
    /// Chunk streams with state.
    pub chunk_streams: usize,
}

/// Puts messages together from chunks.
///
/// Contract: call [`Reader::read`] with the bytes received until it gives `None`, which means that all of
/// them are consumed; then again with the next bytes. After an `Err` it is dead.
#[derive(Debug)]
pub struct Reader {
    bounds: Bounds,
    chunk_size: u32,
    streams: Vec<ChunkStream>,
    /// Place of the chunk stream that was used last: chunks of one message follow each other.
    last: usize,
    /// The body that is being read: chunk stream by place, and the bytes missing from its chunk.
    body: Option<(usize, usize)>,
    /// The beginning of a header whose rest has not arrived.
    carry: Carry,
    /// Where bodies of audio and video come from, once that was asked for.
    blocks: Option<Blocks>,
    /// Bytes reserved for unfinished messages.
    reserved: Share,
    position: u64,
}

/// One chunk stream: the last message header, and the message that is being put together.
#[derive(Debug)]
struct ChunkStream {
    id: u32,
    timestamp_ms: u32,
    /// What a type 3 chunk that begins a message adds to the timestamp.
    delta_ms: u32,
    /// The extended timestamp field of the last header, if it had one.
    extended: Option<u32>,
    length: u32,
    kind: u8,
    stream: u32,
    /// Where the message that is being put together, or the last one, began.
    begun: u64,
    /// `None` between messages.
    payload: Option<Body>,
}

/// Room for the longest header, and for what is joined to it from the next input.
const CARRY_BYTES: usize = 32;

#[derive(Debug, Default)]
struct Carry {
    bytes: [u8; CARRY_BYTES],
    len: usize,
}

impl Carry {
    fn set(&mut self, bytes: &[u8]) {
        self.len = 0;
        self.append(bytes);
    }

    /// Appends as much of `bytes` as there is room for, and says how much that was.
    fn append(&mut self, bytes: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let count = room.len().min(bytes.len());
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len += count;
        count
    }
}

impl Reader {
    /// A reader for the chunks that begin at byte `position` of the connection.
    pub fn new(bounds: Bounds, position: u64) -> Self {
        Self {
            bounds,
            chunk_size: FIRST_CHUNK_SIZE,
            streams: Vec::new(),
            last: 0,
            body: None,
            carry: Carry::default(),
            blocks: None,
            reserved: Share::default(),
            position,
        }
    }

    /// Takes what it reserves from a budget that other readers share.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.reserved = Share::of(budget);
        self
    }

    /// Changes the bounds from the next message header on.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// From the next message on, cuts the bodies of audio and video from blocks that are filled again when
    /// nothing of them is left: for a peer that may hold that much.
    pub fn use_blocks(&mut self) {
        self.blocks.get_or_insert_default();
    }

    /// Bytes of the connection up to the end of what was consumed, a header's beginning not counted.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Where the oldest message that is still unfinished began, in bytes of the connection.
    pub fn unfinished_since(&self) -> Option<u64> {
        let unfinished = self.streams.iter().filter(|it| it.payload.is_some());
        unfinished.map(|stream| stream.begun).min()
    }

    #[cfg(test)]
    pub(crate) const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// The next message; what was read is taken off the front of `input`.
    ///
    /// # Errors
    /// The peer broke the chunk protocol, or went past a bound.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<RawMessage>, Error> {
        while self.carry.len > 0 && !input.is_empty() {
            let mut joined = std::mem::take(&mut self.carry);
            let from_input = joined.append(input);
            let mut rest = joined.bytes.get(..joined.len).unwrap_or_default();
            let message = self.read_contiguous(&mut rest)?;
            // What was not consumed goes back where it came from: the end of it to the input.
            let back_to_input = rest.len().min(from_input);
            let (again, _) = rest.split_at(rest.len() - back_to_input);
            if !again.is_empty() {
                self.carry.set(again);
            }
            *input = input.get(from_input - back_to_input..).unwrap_or_default();
            if message.is_some() {
                return Ok(message);
            }
        }
        if input.is_empty() && self.carry.len > 0 {
            return self.read_carried();
        }
        self.read_contiguous(input)
    }

    /// Messages that are whole within the carried bytes, once there is no further input: a header that
    /// looked too short may have left payload behind it.
    fn read_carried(&mut self) -> Result<Option<RawMessage>, Error> {
        let carried = std::mem::take(&mut self.carry);
        let mut rest = carried.bytes.get(..carried.len).unwrap_or_default();
        let message = self.read_contiguous(&mut rest)?;
        if !rest.is_empty() {
            self.carry.set(rest);
        }
        Ok(message)
    }

    fn read_contiguous(&mut self, input: &mut &[u8]) -> Result<Option<RawMessage>, Error> {
        loop {
            if let Some((place, missing)) = self.body {
                let count = missing.min(input.len());
                let (chunk, rest) = input.split_at(count);
                self.append(place, chunk)?;
                *input = rest;
                self.position += count as u64;
                if count < missing {
                    self.body = Some((place, missing - count));
                    return Ok(None);
                }
                self.body = None;
                if let Some(message) = self.finish(place)? {
                    return Ok(Some(message));
                }
                continue;
            }
            if input.is_empty() {
                return Ok(None);
            }
            let Some((header, used)) = self.parse_header(input) else {
                self.carry.set(input);
                *input = &[];
                return Ok(None);
            };
            let place = self.begin_chunk(&header)?;
            *input = input.get(used..).unwrap_or_default();
            self.position += used as u64;
            self.last = place;
            let Some(stream) = self.streams.get(place) else {
                continue;
            };
            self.body = Some((place, stream.missing().min(self.chunk_size as usize)));
        }
    }

    fn parse_header(&self, input: &[u8]) -> Option<(Header, usize)> {
        header::parse(input, |id| {
            self.find(id)
                .and_then(|place| self.streams.get(place))
                .and_then(|stream| stream.extended)
        })
    }

    fn find(&self, id: u32) -> Option<usize> {
        if self.streams.get(self.last).is_some_and(|s| s.id == id) {
            return Some(self.last);
        }
        self.streams.iter().position(|stream| stream.id == id)
    }

    /// Applies a chunk header to its chunk stream and gives the stream's place.
    fn begin_chunk(&mut self, header: &Header) -> Result<usize, Error> {
        let at = self.position;
        let place = match self.find(header.id) {
            Some(place) => place,
            None => self.open(header)?,
        };
        let Some(stream) = self.streams.get_mut(place) else {
            return Ok(place);
        };
        if stream.payload.is_some() {
            stream.check_continuation(header, at)?;
            return Ok(place);
        }
        stream.apply(header);
        let limit = match stream.kind {
            AUDIO | VIDEO | 15 | 18 | 22 => self.bounds.media_bytes,
            _ => self.bounds.command_bytes,
        };
        if stream.length > limit {
            return Err(Error::Limit {
                at,
                what: "bytes in one message",
                found: stream.length.into(),
                limit: limit.into(),
            });
        }
        stream.begun = at;
        stream.payload = Some(Body::default());
        Ok(place)
    }

    /// State for a chunk stream that is used for the first time.
    fn open(&mut self, header: &Header) -> Result<usize, Error> {
        let may_begin = match header.fields {
            Fields::Full { .. } => true,
            // librtmp answers a ping, and announces its buffer length, with a type 1 chunk on a control
            // stream that it never used before; the message stream is 0.
            Fields::SameStream { .. } => header.id == CONTROL_STREAM,
            Fields::DeltaOnly { .. } | Fields::Nothing => false,
        };
        if !may_begin {
            return Err(Error::protocol(
                self.position,
                "a type 0 chunk to begin a chunk stream",
                format!(
                    "type {} on chunk stream {}",
                    header.fields.format(),
                    header.id
                ),
            ));
        }
        if self.streams.len() >= self.bounds.chunk_streams {
            return Err(Error::Limit {
                at: self.position,
                what: "chunk streams in use",
                found: self.streams.len() as u64 + 1,
                limit: self.bounds.chunk_streams as u64,
            });
        }
        self.streams.push(ChunkStream {
            id: header.id,
            timestamp_ms: 0,
            delta_ms: 0,
            extended: None,
            length: 0,
            kind: 0,
            stream: 0,
            begun: 0,
            payload: None,
        });
        Ok(self.streams.len() - 1)
    }

    /// Appends a piece of a chunk's body. A buffer of its own grows with the bytes that came, never with
    /// what was announced; a cut one has its whole length, which is bounded, from the first byte on.
    fn append(&mut self, place: usize, chunk: &[u8]) -> Result<(), Error> {
        let Some(stream) = self.streams.get_mut(place) else {
            return Ok(());
        };
        let length = stream.length as usize;
        let Some(payload) = stream.payload.as_mut() else {
            return Ok(());
        };
        let mut grown = 0;
        if payload.capacity() == 0
            && !chunk.is_empty()
            && matches!(stream.kind, AUDIO | VIDEO)
            && let Some(cut) = self.blocks.as_mut().and_then(|blocks| blocks.cut(length))
        {
            *payload = Body::Cut(cut);
            grown = length;
        }
        let capacity = payload.capacity_for(chunk.len(), length);
        grown += capacity - payload.capacity();
        let room = self.reserved.grow(grown);
        let (found, limit, what) = if self.reserved.held() > self.bounds.unfinished_bytes {
            let limit = self.bounds.unfinished_bytes;
            (self.reserved.held(), limit, "bytes in unfinished messages")
        } else if !room {
            let budget = self.reserved.budget();
            let what = "bytes in unfinished messages of all connections";
            (budget.used(), budget.limit(), what)
        } else {
            payload.append(chunk, capacity);
            return Ok(());
        };
        Err(Error::Limit {
            at: self.position,
            what,
            found: found as u64,
            limit: limit as u64,
        })
    }

    /// After a whole chunk: the message, if it was its last one and concerns the layers above.
    fn finish(&mut self, place: usize) -> Result<Option<RawMessage>, Error> {
        let Some(stream) = self.streams.get_mut(place) else {
            return Ok(None);
        };
        if stream.missing() > 0 {
            return Ok(None);
        }
        let payload = stream.payload.take().unwrap_or_default();
        // A buffer is never reserved beyond the length of its message, and ends at exactly that.
        self.reserved.shrink(payload.len());
        let message = RawMessage {
            timestamp_ms: stream.timestamp_ms,
            kind: stream.kind,
            stream: stream.stream,
            payload: Bytes::from(payload),
        };
        match message.kind {
            SET_CHUNK_SIZE => self.set_chunk_size(&message.payload).map(|()| None),
            ABORT => self.abort(&message.payload).map(|()| None),
            _ => Ok(Some(message)),
        }
    }

    /// The standard asks for 128 bytes or more, but chunks of one byte are read as well, without a limit
    /// to what they cost: 240 MB of them take a second of one processor, which is a quarter of the pace
    /// at which ordinary media go through the whole gateway. Messages of one byte are four times as dear
    /// again whatever the chunk size, and as audio of a silent room they are honest, so that a limit here
    /// would bound nothing.
    fn set_chunk_size(&mut self, payload: &[u8]) -> Result<(), Error> {
        let size = self.control_word(payload, "4 bytes of Set Chunk Size")?;
        if size == 0 || size > i32::MAX.unsigned_abs() {
            return Err(Error::protocol(
                self.position,
                "a chunk size from 1 to 2147483647",
                size.to_string(),
            ));
        }
        self.chunk_size = size.min(MAX_CHUNK_SIZE);
        Ok(())
    }

    fn abort(&mut self, payload: &[u8]) -> Result<(), Error> {
        let id = self.control_word(payload, "4 bytes of Abort Message")?;
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            let dropped = stream.payload.take().unwrap_or_default();
            self.reserved.shrink(dropped.capacity());
        }
        Ok(())
    }

    fn control_word(&self, payload: &[u8], expected: &'static str) -> Result<u32, Error> {
        <[u8; 4]>::try_from(payload)
            .map(u32::from_be_bytes)
            .map_err(|_| {
                Error::protocol(self.position, expected, format!("{} bytes", payload.len()))
            })
    }
}

impl ChunkStream {
    /// Bytes of the current message that have not come yet.
    fn missing(&self) -> usize {
        (self.length as usize).saturating_sub(self.payload.as_ref().map_or(0, Body::len))
    }

    /// A header inside a message may repeat what is known, but not change it.
    fn check_continuation(&self, header: &Header, at: u64) -> Result<(), Error> {
        match header.fields {
            Fields::Nothing | Fields::DeltaOnly { .. } => Ok(()),
            Fields::SameStream { length, .. } if length == self.length => Ok(()),
            Fields::SameStream { length, .. } => Err(Error::protocol(
                at,
                "the length of the message that was begun",
                format!("{length} instead of {} bytes", self.length),
            )),
            Fields::Full { .. } => Err(Error::protocol(
                at,
                "the rest of the message that was begun",
                format!("a type 0 chunk on chunk stream {}", self.id),
            )),
        }
    }

    /// A header that begins a message.
    fn apply(&mut self, header: &Header) {
        match header.fields {
            Fields::Full {
                timestamp_ms,
                length,
                kind,
                stream,
            } => {
                self.timestamp_ms = timestamp_ms;
                // §5.3.1.2.4: a type 3 chunk after a type 0 chunk adds its timestamp once more, and
                // FFmpeg sends exactly that. Nobody means a delta of hours: there librtmp and OBS say
                // "the same timestamp".
                self.delta_ms = match header.extended {
                    Some(_) => 0,
                    None => timestamp_ms,
                };
                self.length = length;
                self.kind = kind;
                self.stream = stream;
                self.extended = header.extended;
            }
            Fields::SameStream {
                delta_ms,
                length,
                kind,
            } => {
                self.delta_ms = delta_ms;
                self.timestamp_ms = self.timestamp_ms.wrapping_add(delta_ms);
                self.length = length;
                self.kind = kind;
                self.extended = header.extended;
            }
            Fields::DeltaOnly { delta_ms } => {
                self.delta_ms = delta_ms;
                self.timestamp_ms = self.timestamp_ms.wrapping_add(delta_ms);
                self.extended = header.extended;
            }
            Fields::Nothing => {
                self.timestamp_ms = self.timestamp_ms.wrapping_add(self.delta_ms);
            }
        }
    }
}
