//! Waiting for another process's condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until `condition` yields; past the deadline an error that names `what`.
pub(crate) fn until<T>(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {within:?}");
        }
        pass(LOOK);
    }
}

/// Lets a measuring window pass.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime here, and a window is a time by definition"
)]
pub(crate) fn pass(window: Duration) {
    std::thread::sleep(window);
}
