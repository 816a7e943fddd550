//! Waiting for a condition with a deadline: the only way these tests wait.

use std::time::{Duration, Instant};

/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks at `condition` until it gives something.
///
/// # Panics
/// It gave nothing within `limit`: says `what` was waited for.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain for {what}"
        );
        pause();
    }
}

/// Sleeps for a moment, between two looks at a condition.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's thread may sleep between two looks at a condition"
)]
pub fn pause() {
    std::thread::sleep(PAUSE);
}
