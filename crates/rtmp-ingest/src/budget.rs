//! Memory that connections share: what each may hold alone is bounded by its own limits, and what all hold
//! together by this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a connection may always hold, bytes, however much others do: a large random access picture. Who holds
/// more goes first when the budget is used up, so that a few greedy peers cost the others nothing.
const ALWAYS: usize = 1 << 20;

/// Bytes that the unfinished messages of all connections with a clone of it may hold together, beside
/// 1 MiB for each connection.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let used = AtomicUsize::new(0);
        Self(Arc::new(Shared { limit, used }))
    }

    /// The bytes it allows.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}

/// No bound beside those of each connection.
impl Default for Budget {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

/// Budgets are equal if they are one.
impl PartialEq for Budget {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Budget {}

/// What one connection holds of a budget; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    budget: Budget,
    held: usize,
}

impl Share {
    pub(crate) fn of(budget: Budget) -> Self {
        Self { budget, held: 0 }
    }

    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Bytes held.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// Takes `by` bytes; `false` if all connections together hold too much, and this one more than it always
    /// may.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        self.held += by;
        let before = self.budget.0.used.fetch_add(by, Ordering::Relaxed);
        self.held <= ALWAYS || before.saturating_add(by) <= self.budget.0.limit
    }

    /// Gives `by` bytes back, or all if there are fewer.
    pub(crate) fn shrink(&mut self, by: usize) {
        let by = by.min(self.held);
        self.held -= by;
        self.budget.0.used.fetch_sub(by, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_more_than_a_picture_goes_first() {
        let budget = Budget::new(3 * ALWAYS);
        let [mut greedy, mut second, mut honest] = [(); 3].map(|()| Share::of(budget.clone()));
        assert!(greedy.grow(3 * ALWAYS), "exactly all of it");
        assert!(honest.grow(ALWAYS), "a picture is always taken");
        assert!(!honest.grow(1), "and no byte more");
        assert!(second.grow(1));
        assert!(!greedy.grow(1));
        drop(greedy);
        assert_eq!(budget.used(), ALWAYS + 2);
        assert!(honest.grow(1), "there is room again");
        honest.shrink(usize::MAX);
        drop(second);
        assert_eq!(budget.used(), 0);
    }
}
