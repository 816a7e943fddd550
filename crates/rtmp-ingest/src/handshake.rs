//! The server's side of the handshake (RTMP 1.0 §5.2), plain and with digest.
//!
//! rml_rtmp's `Handshake` does the work: it answers C1 in whichever form it has, and never compares C2.
//! What is added here is the version check with a clear word for each wrong guest.

use bytes::BytesMut;
use rml_rtmp::handshake::{Handshake as Inner, HandshakeProcessResult, PeerType};

use crate::Error;

/// C0, C1 and C2 together.
const TOTAL_BYTES: usize = 1 + 1536 + 1536;

/// What a piece of the handshake led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More bytes are needed.
    Unfinished,
    /// C2 is in: chunks follow.
    Finished,
}

/// One handshake in progress: about 5 KiB, dropped when it is over.
pub(crate) struct Handshake {
    inner: Box<Inner>,
    received: usize,
}

impl Handshake {
    pub(crate) fn new() -> Self {
        Self {
            inner: Box::new(Inner::new(PeerType::Server)),
            received: 0,
        }
    }

    /// Takes what belongs to the handshake off the front of `input` and appends the answer to `output`.
    pub(crate) fn read(
        &mut self,
        input: &mut &[u8],
        output: &mut BytesMut,
    ) -> Result<Progress, Error> {
        let (part, rest) = input.split_at(input.len().min(TOTAL_BYTES - self.received));
        *input = rest;
        if self.received == 0
            && let Some(&version) = part.first()
        {
            check_version(version)?;
        }
        let at = self.received as u64;
        self.received += part.len();
        let result = self.inner.process_bytes(part).map_err(|error| {
            Error::protocol(at, "an RTMP handshake", error.to_string().to_lowercase())
        })?;
        Ok(match result {
            HandshakeProcessResult::InProgress { response_bytes } => {
                output.extend_from_slice(&response_bytes);
                Progress::Unfinished
            }
            HandshakeProcessResult::Completed { response_bytes, .. } => {
                output.extend_from_slice(&response_bytes);
                Progress::Finished
            }
        })
    }
}

fn check_version(version: u8) -> Result<(), Error> {
    let found = match version {
        3 => return Ok(()),
        6 | 8 => {
            return Err(Error::Unsupported {
                at: 0,
                what: "RTMPE (encrypted RTMP, version 6 or 8)",
            });
        }
        0x16 => "22, which begins TLS: this port speaks plain RTMP".to_owned(),
        b'G' | b'P' | b'H' | b'O' | b'D' | b'C' => {
            format!("{:?}, which begins an HTTP request", char::from(version))
        }
        _ => version.to_string(),
    };
    Err(Error::protocol(0, "RTMP version 3", found))
}
