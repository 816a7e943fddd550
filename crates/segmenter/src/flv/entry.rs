//! Where decoding can begin, asked of the access unit itself.

use media::{Codec, Fault};

use super::body::Announced;
use super::{Entry, malformed};
use crate::nal;

/// What begins with an access unit of `codec`.
///
/// # Errors
/// It is no access unit of that codec.
pub(super) fn entry(codec: &Codec, payload: &[u8], announced: Announced) -> Result<Entry, Fault> {
    match codec {
        Codec::H264(h264) => nal_units(payload, h264.length_size, announced),
        Codec::Aac(_) | Codec::Mp3(_) => Ok(Entry::RandomAccess),
    }
}

/// Walks the NAL units of `payload`, which their lengths have to fill exactly.
///
/// Whether there is an IDR slice is asked of the NAL units, not of FrameType: encoders mark pictures as
/// key frames that are none. Nor is every recovery point one to begin with: some encoders announce one
/// with each picture, so FrameType has to say the same.
fn nal_units(payload: &[u8], length_size: u8, announced: Announced) -> Result<Entry, Fault> {
    let mut units = nal::Units::new(payload, length_size);
    let mut entry = Entry::None;
    let mut any = false;
    for unit in units.by_ref() {
        any = true;
        if nal::kind(unit) == nal::IDR {
            entry = Entry::RandomAccess;
        } else if entry == Entry::None
            && announced == Announced::KeyFrame
            && nal::is_recovery_point(unit)
        {
            entry = Entry::RecoveryPoint;
        }
    }
    match units.misfit() {
        None if any => Ok(entry),
        None => Err(malformed(
            "a video message has only NAL units of 0 bytes; dropped".to_owned(),
        )),
        Some(nal::Misfit { at, length }) => Err(malformed(format!(
            "a video message of {} bytes has a NAL unit of {length} bytes at byte {at}, beyond its end; dropped",
            payload.len(),
        ))),
    }
}
