//! FLV files (FLV 10.1 §E.2 to §E.4.1): the header and the tags, whose bodies are media messages.

mod writer;

use bytes::{Buf, Bytes, BytesMut};
use media::{Message, MessageKind};
use thiserror::Error;

pub use writer::{Framing, header};

/// Signature, version, flags, data offset.
const HEADER_BYTES: usize = 9;
/// PreviousTagSize, which also stands before the first tag.
const PREVIOUS_TAG_SIZE_BYTES: usize = 4;
/// Type, size of the body, timestamp, stream id.
const TAG_HEADER_BYTES: usize = 11;
/// Flag in a tag's type: the body is encrypted.
const FILTER: u8 = 0x20;

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;

/// Why a file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The first bytes are not those of an FLV file of version 1.
    #[error("not an FLV file: it begins with {0:02x?} instead of 46 4c 56 01")]
    NotFlv([u8; 4]),
    /// The header ends before its own fields do.
    #[error("the FLV header gives its own length as {0} bytes; it has at least {HEADER_BYTES}")]
    HeaderLength(u32),
    /// A tag of a protected file.
    #[error("the FLV tag at byte {0} is encrypted, which this gateway does not carry")]
    Encrypted(u64),
}

/// Reads an FLV file from however many pieces: *push bytes, pull until `None`, push again*. After an
/// error it is dead.
///
/// It holds at most one unfinished tag, 16 MiB, beside what was pushed last.
#[derive(Debug, Default)]
pub struct Reader {
    unread: BytesMut,
    at: u64,
    skip: u64,
    header_read: bool,
}

impl Reader {
    /// A reader at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next audio, video or script tag; `None` when more bytes are needed. Tags of other types are
    /// skipped.
    ///
    /// # Errors
    /// The file is no FLV file, or is encrypted.
    pub fn pull(&mut self) -> Result<Option<Message>, Error> {
        loop {
            if !self.skip() {
                return Ok(None);
            }
            if !self.header_read {
                if !self.header()? {
                    return Ok(None);
                }
                continue;
            }
            let Some((tag_type, timestamp_ms, payload)) = self.tag()? else {
                return Ok(None);
            };
            let kind = match tag_type {
                AUDIO => MessageKind::Audio,
                VIDEO => MessageKind::Video,
                SCRIPT => MessageKind::Data,
                _ => continue,
            };
            return Ok(Some(Message {
                kind,
                timestamp_ms,
                payload,
            }));
        }
    }

    /// Bytes pushed but not part of a whole tag: at the end of the file, what was cut off.
    pub fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Whether nothing is left to skip. The length of what is skipped is only announced, so it is never
    /// waited for in memory.
    fn skip(&mut self) -> bool {
        let now = self
            .unread
            .len()
            .min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.advance(now);
        self.skip -= now as u64;
        self.skip == 0
    }

    fn header(&mut self) -> Result<bool, Error> {
        if let Some(&start) = self.unread.first_chunk::<4>()
            && start != *b"FLV\x01"
        {
            return Err(Error::NotFlv(start));
        }
        let Some(&[_, _, _, _, _, o0, o1, o2, o3]) = self.unread.first_chunk::<HEADER_BYTES>()
        else {
            return Ok(false);
        };
        let offset = u32::from_be_bytes([o0, o1, o2, o3]);
        if (offset as usize) < HEADER_BYTES {
            return Err(Error::HeaderLength(offset));
        }
        self.header_read = true;
        self.skip = u64::from(offset) + PREVIOUS_TAG_SIZE_BYTES as u64;
        Ok(true)
    }

    /// Type, timestamp and body of the next tag, once all of it is there.
    fn tag(&mut self) -> Result<Option<(u8, u32, Bytes)>, Error> {
        let Some(&[tag_type, s0, s1, s2, t0, t1, t2, t_high, ..]) =
            self.unread.first_chunk::<TAG_HEADER_BYTES>()
        else {
            return Ok(None);
        };
        if tag_type & FILTER != 0 {
            return Err(Error::Encrypted(self.at));
        }
        let size = u32::from_be_bytes([0, s0, s1, s2]) as usize;
        if self.unread.len() < TAG_HEADER_BYTES + size {
            return Ok(None);
        }
        self.advance(TAG_HEADER_BYTES);
        self.at += size as u64;
        let body = self.unread.split_to(size).freeze();
        // Its value is not asked: writers get it wrong, and the tags say it better.
        self.skip = PREVIOUS_TAG_SIZE_BYTES as u64;
        Ok(Some((
            tag_type & 0x1f,
            u32::from_be_bytes([t_high, t0, t1, t2]),
            body,
        )))
    }

    fn advance(&mut self, bytes: usize) {
        self.unread.advance(bytes);
        self.at += bytes as u64;
    }
}

#[cfg(test)]
mod tests;
