//! A set of trackIds.

/// Which of the 256 trackIds of one kind are in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrackSet([u64; 4]);

impl TrackSet {
    /// Puts `id` in; whether it was not in yet.
    pub(crate) fn insert(&mut self, id: u8) -> bool {
        let bit = 1 << (id & 63);
        let Some(word) = self.0.get_mut(usize::from(id >> 6)) else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// How many are in.
    pub(crate) fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_new_once() {
        let mut set = TrackSet::default();
        for count in 0..=255_u8 {
            assert_eq!(set.len(), count.into());
            // In an order of its own.
            let id = count.wrapping_mul(37);
            assert!(set.insert(id), "{id}");
            assert!(!set.insert(id), "{id}");
        }
        assert_eq!(set.len(), 256);
    }
}
