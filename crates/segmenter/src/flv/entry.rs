//! Where decoding can begin, asked of the access unit itself.

use media::{Codec, Fault};

use super::body::Announced;
use super::{Entry, malformed};
use crate::random_access::{self, Mark};

/// What begins with an access unit of `codec`.
///
/// # Errors
/// It is no access unit of that codec.
pub(super) fn entry(codec: &Codec, payload: &[u8], announced: Announced) -> Result<Entry, Fault> {
    let mark = match announced {
        Announced::KeyFrame => Mark::KeyFrame,
        _ => Mark::Other,
    };
    random_access::of(codec, payload, mark).map_err(|error| malformed(error.to_string()))
}
