//! Entry points for fuzzing: plain functions that must return for any input. The targets in `fuzz/` call
//! them with new inputs, `tests/corpus.rs` with the kept ones.

use bytes::BytesMut;

use crate::chunk::{Bounds, RawMessage, Reader};
use crate::handshake::{Handshake, Progress};
use crate::{Event, Limits, Rejection, Session, amf0};

/// Small enough that a short input reaches every bound.
const BOUNDS: Bounds = Bounds {
    media_bytes: 1 << 16,
    command_bytes: 1 << 12,
    unfinished_bytes: 1 << 17,
    chunk_streams: 8,
};

/// The first byte is the size of the slices, the rest chunks: slicing must not change what comes out.
pub fn chunk(input: &[u8]) {
    let Some((&slice, input)) = input.split_first() else {
        return;
    };
    let whole = read_chunks(input, input.len());
    let sliced = read_chunks(input, slice.into());
    assert!(whole == sliced, "slices of {slice} change what is read");
}

fn read_chunks(input: &[u8], slice: usize) -> (Vec<RawMessage>, Option<String>) {
    let mut reader = Reader::new(BOUNDS, 0);
    let mut messages = Vec::new();
    for mut piece in input.chunks(slice.max(1)) {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
        assert!(
            piece.is_empty(),
            "a reader that wants more has consumed all"
        );
    }
    (messages, None)
}

/// What C0, C1 and C2 have together, and the answer to them.
const HANDSHAKE_BYTES: usize = 1 + 2 * 1536;

/// The first byte is the size of the slices, the rest a handshake and what follows it: slicing must not
/// change how far it comes, and what follows is left alone.
pub fn handshake(input: &[u8]) {
    let Some((&slice, input)) = input.split_first() else {
        return;
    };
    let whole = shake_hands(input, input.len());
    let sliced = shake_hands(input, slice.into());
    assert!(whole == sliced, "slices of {slice} change the handshake");
}

/// Bytes taken and answered, and whether it is finished; `None` if it failed. The answer itself is random.
fn shake_hands(input: &[u8], slice: usize) -> Option<(usize, usize, bool)> {
    let mut handshake = Handshake::new();
    let mut output = BytesMut::new();
    let mut taken = 0;
    for piece in input.chunks(slice.max(1)) {
        let mut rest = piece;
        let progress = handshake.read(&mut rest, &mut output).ok()?;
        taken += piece.len() - rest.len();
        assert!(taken <= HANDSHAKE_BYTES && output.len() <= HANDSHAKE_BYTES);
        if progress == Progress::Finished {
            assert!(taken == HANDSHAKE_BYTES && output.len() == HANDSHAKE_BYTES);
            return Some((taken, output.len(), true));
        }
        assert!(rest.is_empty(), "a handshake that wants more has taken all");
    }
    Some((taken, output.len(), false))
}

/// AMF0 values: no more of them than bytes.
pub fn amf0(input: &[u8]) {
    if let Ok(values) = amf0::read_all(input) {
        assert!(values.len() <= input.len(), "every value has a marker");
    }
}

/// The first byte is the size of the slices, the rest follows a handshake. Publishes whose key begins with
/// `x` are rejected, all others accepted.
pub fn session(input: &[u8]) {
    let Some((&slice, input)) = input.split_first() else {
        return;
    };
    let whole = run_session(input, input.len());
    let sliced = run_session(input, slice.into());
    assert!(whole == sliced, "slices of {slice} change what happens");
}

fn run_session(input: &[u8], slice: usize) -> (Vec<Event>, Option<String>) {
    let limits = Limits::default();
    let mut session = Session::new(limits.clone());
    let mut events = Vec::new();
    session.push(&[3]);
    session.push(&[0; 2 * 1536]);
    for piece in input.chunks(slice.max(1)) {
        // Slicing decides when replies are sent, so the peer that reads nothing is another test.
        session.sent(usize::MAX);
        session.push(piece);
        loop {
            match session.pull() {
                Ok(Some(event)) => {
                    if let Event::Publish(request) = &event {
                        if request.key.reveal().as_str().starts_with('x') {
                            let why = Rejection::Denied("x".to_owned());
                            session.reject(request.stream, &why);
                        } else {
                            session.accept(request.stream);
                        }
                    }
                    events.push(event);
                }
                Ok(None) => break,
                Err(error) => return (events, Some(error.to_string())),
            }
        }
    }
    (events, None)
}
