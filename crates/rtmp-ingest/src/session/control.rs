//! Acknowledgements and user control messages (RTMP 1.0 §5.4.3 to §5.4.5, §6.2).

use super::Session;
use crate::Error;
use crate::chunk::RawMessage;

/// The window until the peer says another: what players and servers commonly announce.
const FIRST_WINDOW: u32 = 2_500_000;

/// Peers that announce a window of 0 or 1 get an acknowledgement for every kilobyte, not for every byte.
const MIN_WINDOW: u32 = 1024;

const PING_REQUEST: u16 = 6;

/// How much has come, and how much of it the peer knows to have come.
#[derive(Debug)]
pub(super) struct Acknowledgements {
    total: u64,
    acknowledged: u64,
    window: u32,
}

impl Default for Acknowledgements {
    fn default() -> Self {
        Self {
            total: 0,
            acknowledged: 0,
            window: FIRST_WINDOW,
        }
    }
}

impl Acknowledgements {
    pub(super) fn received(&mut self, bytes: usize) {
        self.total += bytes as u64;
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// The sequence number to acknowledge, if the window is used up: all bytes so far, modulo 2^32.
    pub(super) fn due(&mut self) -> Option<u32> {
        if self.total - self.acknowledged < u64::from(self.window) {
            return None;
        }
        self.acknowledged = self.total;
        Some(u32::try_from(self.total & u64::from(u32::MAX)).unwrap_or(0))
    }
}

impl Session {
    /// Message types 3 to 6.
    pub(super) fn control(&mut self, message: &RawMessage, at: u64) -> Result<(), Error> {
        match message.kind {
            3 => word(message, at, "4 bytes of Acknowledgement").map(drop),
            4 => self.user_control(message, at),
            5 => {
                let window = word(message, at, "4 bytes of Window Acknowledgement Size")?;
                self.acknowledgements.window = window.max(MIN_WINDOW);
                Ok(())
            }
            // Set Peer Bandwidth bounds what the gateway may send: it sends a few replies.
            _ => Ok(()),
        }
    }

    fn user_control(&mut self, message: &RawMessage, at: u64) -> Result<(), Error> {
        let wrong = || {
            Error::protocol(
                at,
                "a user control message of 2 bytes or more, 6 if it is a ping",
                format!("{} bytes", message.payload.len()),
            )
        };
        let (event, rest) = message
            .payload
            .split_first_chunk()
            .map(|(event, rest)| (u16::from_be_bytes(*event), rest))
            .ok_or_else(wrong)?;
        if event == PING_REQUEST {
            let time = rest.first_chunk::<4>().ok_or_else(wrong)?;
            self.count_command(at)?;
            self.replies.pong(*time);
        }
        Ok(())
    }
}

fn word(message: &RawMessage, at: u64, expected: &'static str) -> Result<u32, Error> {
    <[u8; 4]>::try_from(&*message.payload)
        .map(u32::from_be_bytes)
        .map_err(|_| Error::protocol(at, expected, format!("{} bytes", message.payload.len())))
}
