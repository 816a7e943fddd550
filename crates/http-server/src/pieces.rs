//! A body in several pieces, each from where it is held: headers that were made once, and payloads as the encoder sent
//! them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Pieces that are sent one after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    rest: VecDeque<Bytes>,
    length: usize,
}

impl Pieces {
    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.rest.push_back(piece);
    }

    /// Bytes of all together.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// The next piece.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let piece = self.rest.pop_front()?;
        self.length -= piece.len();
        Some(piece)
    }

    /// The pieces of a part of it, which lies within.
    pub(crate) fn slice(self, range: Range<usize>) -> Self {
        let mut slice = Self::default();
        let mut at = 0;
        for piece in self.rest {
            let (from, to) = (range.start.max(at), range.end.min(at + piece.len()));
            if from < to {
                slice.push(piece.slice(from - at..to - at));
            }
            at += piece.len();
        }
        slice
    }
}

impl From<Bytes> for Pieces {
    fn from(piece: Bytes) -> Self {
        let mut pieces = Self::default();
        pieces.push(piece);
        pieces
    }
}

impl From<Pieces> for Body {
    fn from(mut pieces: Pieces) -> Self {
        match pieces.rest.len() {
            0 | 1 => Self::from(pieces.pop().unwrap_or_default()),
            _ => Self::new(pieces),
        }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pop().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slice_is_that_of_all_the_bytes(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..9),
            ends in any::<(proptest::sample::Index, proptest::sample::Index)>(),
        ) {
            let whole = pieces.concat();
            let ends = [ends.0, ends.1].map(|end| end.index(whole.len() + 1));
            let range = ends[0].min(ends[1])..ends[0].max(ends[1]);
            let mut all = Pieces::default();
            pieces.into_iter().for_each(|piece| all.push(piece.into()));
            prop_assert_eq!(all.len(), whole.len());
            let mut slice = all.slice(range.clone());
            prop_assert_eq!(slice.len(), range.len());
            let mut bytes = Vec::new();
            while let Some(piece) = slice.pop() {
                bytes.extend_from_slice(&piece);
            }
            prop_assert_eq!(bytes, &whole[range]);
        }
    }

    #[tokio::test]
    async fn all_pieces_are_sent() {
        let mut pieces = Pieces::default();
        for piece in [&b"one "[..], b"", b"two"] {
            pieces.push(Bytes::from_static(piece));
        }
        let body = Body::from(pieces).collect().await.expect("whole");
        assert_eq!(body.to_bytes(), "one two");
    }
}
