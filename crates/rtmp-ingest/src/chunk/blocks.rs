//! Memory for the bodies of media messages, used again and again.
//!
//! Memory fresh from the kernel costs more than the bytes copied into it: each page is a fault. A publish
//! holds a window of about constant size, so bodies are cut one after the other from *blocks*, and a block
//! whose bodies are all gone is filled again.
//!
//! The price: a body that is kept pins its whole block. Bodies of one publish leave the window in the order
//! they came, so that blocks fall free in order as well; what is kept for longer (codec configuration, data
//! messages) does not belong here. How much one connection can pin beyond what its window counts has a
//! bound, [`MAX_BLOCKS`].
//!
//! Measured with 50 publishes and windows of twelve GOPs, reading alone: a third less processor time than
//! with a buffer for each body once the windows are full, and 6 % more memory.

use std::collections::VecDeque;

use bytes::BytesMut;

/// The size of a block, bytes: many bodies of an ordinary publish, and little to hold for an idle one.
pub(super) const BLOCK: usize = 256 << 10;

/// The longest body taken from a block, bytes. The rest of a block that is too short for the next body is
/// wasted: less than half of it.
pub(super) const LONGEST: usize = BLOCK / 2;

/// The shortest body taken from a block, bytes. A buffer of its own costs a shorter one little, and what is
/// kept for a publish's whole life, codec configuration, is that short.
pub(super) const SHORTEST: usize = 256;

/// Blocks of one connection, in use or free: 256 MiB, about what a window may hold. A hostile publisher can
/// keep a short body in each of them; beyond that every body has a buffer of its own size.
const MAX_BLOCKS: usize = 1024;

/// How many of the oldest blocks are asked whether they are free, and how many further on.
const ASKED: usize = 4;

/// The blocks of one connection.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// What is left of the block that is being cut up.
    current: Option<BytesMut>,
    /// The ends of those before it, the oldest first: handles that keep the allocation, and can have it
    /// back when no body is left in it.
    used_up: VecDeque<BytesMut>,
    /// Where the blocks begin that are asked next beside the oldest.
    sweep: usize,
}

impl Blocks {
    /// An empty buffer with a capacity of exactly `length` bytes; `None` if a body of that length gets a
    /// buffer of its own, or if there are too many blocks.
    pub(super) fn cut(&mut self, length: usize) -> Option<BytesMut> {
        if !(SHORTEST..=LONGEST).contains(&length) {
            return None;
        }
        let block = match self.current.take() {
            Some(block) if block.capacity() >= length => block,
            too_short => {
                self.used_up.extend(too_short);
                self.next_block()?
            }
        };
        let mut body = block;
        self.current = Some(body.split_off(length));
        Some(body)
    }

    /// A block that is whole again, else a new one; `None` at the bound.
    fn next_block(&mut self) -> Option<BytesMut> {
        let Some(place) = self.free_place() else {
            return (self.used_up.len() < MAX_BLOCKS).then(|| BytesMut::with_capacity(BLOCK));
        };
        // Those before it hold something that is kept for longer: their turn comes again.
        self.used_up.rotate_left(place);
        let block = self.used_up.pop_front();
        // As many blocks are free as are in use: the bit rate has fallen.
        let middle = self.used_up.len() / 2;
        if self.is_free(middle) {
            self.used_up.remove(middle);
        }
        block
    }

    /// The place of a free block among the oldest, or among a few others: a window that is kept for longer
    /// than the one that is being filled must not hide the free blocks behind it.
    fn free_place(&mut self) -> Option<usize> {
        let sweep = self.sweep..self.sweep + ASKED;
        self.sweep = if sweep.end < self.used_up.len() {
            sweep.end
        } else {
            0
        };
        (0..ASKED).chain(sweep).find(|&place| self.is_free(place))
    }

    /// Whether no body is left in the block; if so it is whole again.
    fn is_free(&mut self, place: usize) -> bool {
        self.used_up
            .get_mut(place)
            .is_some_and(|block| block.try_reclaim(BLOCK))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn fill(blocks: &mut Blocks, length: usize) -> Bytes {
        let mut body = blocks.cut(length).expect("a length for blocks");
        assert_eq!((body.len(), body.capacity()), (0, length));
        let pointer = body.as_ptr();
        body.extend_from_slice(&vec![7; length]);
        assert_eq!(body.as_ptr(), pointer, "filled without growing");
        body.freeze()
    }

    /// Two bodies that use up a block.
    fn fill_block(blocks: &mut Blocks) -> [Bytes; 2] {
        [fill(blocks, LONGEST), fill(blocks, LONGEST)]
    }

    #[test]
    fn bodies_lie_beside_each_other() {
        let mut blocks = Blocks::default();
        let first = fill(&mut blocks, 1000);
        let second = fill(&mut blocks, 300);
        assert_eq!(second.as_ptr() as usize - first.as_ptr() as usize, 1000);
    }

    #[test]
    fn only_bodies_of_a_middle_length_are_cut_from_blocks() {
        for (length, expected) in [
            (0, false),
            (SHORTEST - 1, false),
            (SHORTEST, true),
            (LONGEST, true),
            (LONGEST + 1, false),
            (usize::MAX, false),
        ] {
            let body = Blocks::default().cut(length);
            assert_eq!(body.is_some(), expected, "{length}");
        }
    }

    #[test]
    fn a_block_is_filled_again_when_its_last_body_is_gone() {
        let mut blocks = Blocks::default();
        let [first, second] = fill_block(&mut blocks);
        let begin = first.as_ptr();
        let part = second.slice(5..6);
        drop((first, second));
        let others = fill_block(&mut blocks);
        assert_ne!(
            others[0].as_ptr(),
            begin,
            "a slice of its second body lives"
        );
        drop(part);
        let again = fill_block(&mut blocks);
        assert_eq!(again[0].as_ptr(), begin);
        assert_eq!(others[0], vec![7; LONGEST]);
    }

    #[test]
    fn a_window_of_constant_length_is_held_in_a_constant_number_of_blocks() {
        let mut blocks = Blocks::default();
        let mut window = VecDeque::new();
        let mut kept = Vec::new();
        let mut most = 0;
        for n in 0..5000 {
            window.push_back(fill(&mut blocks, 20_000 + n % 7 * 1000));
            if n % 500 == 0 {
                kept.push(window[0].slice(..5));
            }
            // A segment at a time, as windows do.
            if window.len() == 400 {
                window.drain(..60);
            }
            if n == 1000 {
                most = blocks.used_up.len();
            }
        }
        assert_eq!(kept.len(), 10);
        assert!(most > 20);
        assert!(
            blocks.used_up.len() <= most + kept.len(),
            "{} after {most}",
            blocks.used_up.len()
        );
    }

    #[test]
    fn free_blocks_are_found_behind_a_window_that_stays() {
        let mut blocks = Blocks::default();
        let stays: Vec<_> = (0..50).map(|_| fill_block(&mut blocks)).collect();
        let mut window = VecDeque::new();
        for _ in 0..500 {
            window.push_back(fill_block(&mut blocks));
            if window.len() == 10 {
                window.pop_front();
            }
        }
        let most = 2 * (stays.len() + 10);
        assert!(blocks.used_up.len() < most, "{}", blocks.used_up.len());
    }

    #[test]
    fn there_are_so_many_blocks_and_no_more() {
        let mut blocks = Blocks::default();
        let mut held: Vec<_> = (0..MAX_BLOCKS).map(|_| fill_block(&mut blocks)).collect();
        let refused = (0..10).all(|_| blocks.cut(LONGEST).is_none());
        assert!(refused, "{} blocks", blocks.used_up.len());
        assert_eq!(blocks.used_up.len(), MAX_BLOCKS);
        held.truncate(MAX_BLOCKS / 2);
        let found = (0..MAX_BLOCKS).any(|_| blocks.cut(LONGEST).is_some());
        assert!(found, "blocks that fell free are used again");
    }

    #[test]
    fn surplus_blocks_are_let_go() {
        let mut blocks = Blocks::default();
        let held: Vec<_> = (0..100).map(|_| fill_block(&mut blocks)).collect();
        drop(held);
        for _ in 0..200 {
            fill_block(&mut blocks);
        }
        assert!(blocks.used_up.len() < 5, "{}", blocks.used_up.len());
    }
}
