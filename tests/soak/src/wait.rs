//! The only place that sleeps: everything here is paced by the clock.

use std::time::{Duration, Instant};

/// Sleeps.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of a publisher or viewer has nothing else to do"
)]
pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// Looks at `condition` until it holds; false if it does not within `limit`.
pub(crate) fn until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
}
