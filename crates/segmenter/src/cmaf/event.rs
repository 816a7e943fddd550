//! Timed metadata in event message boxes (ISO/IEC 23009-1 §5.10.3.3, version 1), as AOM's "Carriage of ID3 Timed Metadata
//! in CMAF" has it. Its brand `aid3` is in no init section: that is out before anybody knows that there will be any.

use media::{Event, Part, TimedEvent};

use super::boxes::Boxes;
use super::fragment::FULL_BOX;
use super::ticks;

/// Behind the scheme: its end, and an empty value.
const ENDS: &[u8] = b"\0\0";
/// An ID3 tag does not say how long it is for.
const UNKNOWN: u32 = u32::MAX;

/// Bytes of the box.
pub(super) fn size(timed: &TimedEvent) -> usize {
    FULL_BOX + 20 + Event::SCHEME.len() + ENDS.len() + timed.event.tag.len()
}

/// Writes the box of an event of `part`, timed in ticks of `rate`. It has to be within the part (§2.2.4): one that came
/// too late for its own is at the beginning.
pub(super) fn write(boxes: &mut Boxes, timed: &TimedEvent, part: &Part, rate: u32) {
    let begin = ticks(part.start, rate);
    let last = (ticks(part.start + part.duration, rate) - 1).max(begin);
    let at = ticks(timed.at, rate).clamp(begin, last).unsigned_abs();
    boxes.full(b"emsg", 1, 0, |boxes| {
        boxes.u32(rate);
        boxes.u64(at);
        boxes.u32(UNKNOWN);
        boxes.u32(id(at, &timed.event.tag));
        boxes.bytes(Event::SCHEME.as_bytes());
        boxes.bytes(ENDS);
        boxes.bytes(&timed.event.tag);
    });
}

/// What tells events apart: players take two with one number for the same (FNV-1a over time and tag).
fn id(at: u64, tag: &[u8]) -> u32 {
    let bytes = at.to_be_bytes();
    let all = bytes.iter().chain(tag);
    all.fold(0x811c_9dc5, |hash: u32, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
