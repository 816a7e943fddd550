//! Aggregate messages (RTMP 1.0 §7.1.6): several FLV tags in one message.

use bytes::Bytes;

use crate::Error;
use crate::chunk::RawMessage;

const HEADER_BYTES: usize = 11;
const BACK_POINTER_BYTES: usize = 4;

/// The most messages in one aggregate. Servers join what they have for some hundred milliseconds, at most
/// some seconds: 4096 messages are 48 seconds of pictures and sound. One message of the largest size could
/// hold half a million tiny ones.
pub(super) const MAX_PARTS: usize = 4096;

/// The messages within `message`, one after the other. Their timestamps count from the first one's, which
/// stands for the aggregate's own. The last back pointer may be missing. After a fault there is no further
/// one.
pub(super) struct Parts<'a> {
    message: &'a RawMessage,
    /// Bytes received up to the end of `message`.
    at: u64,
    start: usize,
    first_ms: Option<u32>,
    count: usize,
}

impl<'a> Parts<'a> {
    pub(super) const fn new(message: &'a RawMessage, at: u64) -> Self {
        Self {
            message,
            at,
            start: 0,
            first_ms: None,
            count: 0,
        }
    }

    fn read(&mut self) -> Result<RawMessage, Error> {
        let body = &self.message.payload;
        let start = self.start;
        let fault = |expected| {
            let left = body.len().saturating_sub(start);
            Error::protocol(
                self.at,
                expected,
                format!("{left} bytes left at byte {start} of it"),
            )
        };
        let header: &[u8; HEADER_BYTES] = body
            .get(start..)
            .and_then(<[u8]>::first_chunk)
            .ok_or_else(|| fault("the 11-byte header of a message in an aggregate"))?;
        let &[kind, l2, l1, l0, t2, t1, t0, t3, ..] = header;
        let length = u32::from_be_bytes([0, l2, l1, l0]) as usize;
        let time_ms = u32::from_be_bytes([t3, t2, t1, t0]);
        let first_ms = *self.first_ms.get_or_insert(time_ms);
        let from = start + HEADER_BYTES;
        let to = from + length;
        if to > body.len() {
            return Err(fault("a message in an aggregate that ends within it"));
        }
        self.count += 1;
        if self.count > MAX_PARTS {
            return Err(Error::Limit {
                at: self.at,
                what: "messages in one aggregate",
                found: self.count as u64,
                limit: MAX_PARTS as u64,
            });
        }
        self.start = to + BACK_POINTER_BYTES;
        Ok(RawMessage {
            timestamp_ms: self
                .message
                .timestamp_ms
                .wrapping_add(time_ms.wrapping_sub(first_ms)),
            kind,
            stream: self.message.stream,
            payload: part(body, from, to),
        })
    }
}

impl Iterator for Parts<'_> {
    type Item = Result<RawMessage, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.start >= self.message.payload.len() {
            return None;
        }
        let part = self.read();
        if part.is_err() {
            self.start = usize::MAX;
        }
        Some(part)
    }
}

/// A part of an aggregate's body, by reference only where it is most of it: a small picture must not keep
/// megabytes in memory for as long as the window holds it.
fn part(body: &Bytes, from: usize, to: usize) -> Bytes {
    let part = body.slice(from..to);
    if part.len() < body.len() / 2 {
        return Bytes::copy_from_slice(&part);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of the lengths given, each a video message.
    fn aggregate(lengths: &[usize]) -> RawMessage {
        let mut body = Vec::new();
        for &length in lengths {
            body.push(9);
            body.extend_from_slice(&length.to_be_bytes()[5..]);
            body.extend_from_slice(&[0; 7]);
            body.resize(body.len() + length + BACK_POINTER_BYTES, 7);
        }
        RawMessage {
            timestamp_ms: 0,
            kind: 22,
            stream: 1,
            payload: body.into(),
        }
    }

    #[test]
    fn a_small_part_does_not_keep_the_whole() {
        let message = aggregate(&[60, 100_000, 3]);
        let within = message.payload.as_ptr_range();
        let parts: Vec<_> = Parts::new(&message, 0)
            .map(|part| part.expect("well-formed").payload)
            .collect();
        let copied: Vec<_> = parts
            .iter()
            .map(|part| (part.len(), !within.contains(&part.as_ptr())))
            .collect();
        assert_eq!(copied, [(60, true), (100_000, false), (3, true)]);
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        let message = aggregate(&[1; MAX_PARTS]);
        assert!(Parts::new(&message, 0).all(|part| part.is_ok()));
        let message = aggregate(&[1; MAX_PARTS + 1]);
        let last = Parts::new(&message, 7).last().expect("parts");
        assert_eq!(
            last.expect_err("one too many").to_string(),
            "at byte 7: 4097 messages in one aggregate, more than the 4096 allowed"
        );
    }
}
