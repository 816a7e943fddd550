//! The body of one message while it is being put together.

use bytes::{Bytes, BytesMut};

/// What is reserved for a body of its own when its first byte arrives, at most; the rest is reserved as
/// bytes arrive, so that an announced length costs nothing.
pub(super) const FIRST_RESERVATION: usize = 64 << 10;

/// A body that grows up to the length of its message.
#[derive(Debug)]
pub(super) enum Body {
    /// A buffer of its own, which grows with the bytes that came.
    Own(Vec<u8>),
    /// A piece of a block, as long as the message.
    Cut(BytesMut),
}

impl Default for Body {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Body {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Cut(bytes) => bytes.len(),
        }
    }

    /// Bytes reserved.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.capacity(),
            Self::Cut(bytes) => bytes.capacity(),
        }
    }

    /// The capacity that `more` bytes of a message of `length` bytes need: what there is, else at least
    /// twice as much, so that copying does not add up, but never more than the message.
    pub(super) fn capacity_for(&self, more: usize, length: usize) -> usize {
        let needed = self.len() + more;
        if needed <= self.capacity() {
            return self.capacity();
        }
        needed
            .max(self.capacity().saturating_mul(2))
            .max(FIRST_RESERVATION)
            .min(length)
    }

    /// Appends bytes, in a buffer of `capacity` bytes.
    pub(super) fn append(&mut self, more: &[u8], capacity: usize) {
        match self {
            Self::Own(bytes) => {
                if capacity > bytes.capacity() {
                    bytes.reserve_exact(capacity - bytes.len());
                }
                bytes.extend_from_slice(more);
            }
            Self::Cut(bytes) => bytes.extend_from_slice(more),
        }
    }
}

impl From<Body> for Bytes {
    fn from(body: Body) -> Self {
        match body {
            Body::Own(bytes) => bytes.into(),
            Body::Cut(bytes) => bytes.freeze(),
        }
    }
}
