//! Panics: there should be none. One ends the task it happens in, and the operator learns of it.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http_server::Totals;
use tracing::error;

use crate::repeated::Repeated;

/// Counts each panic of the process in `totals`, and logs it, at a bounded rate: who has found one input that
/// panics sends it again.
pub(crate) fn count_in(totals: Arc<Totals>) {
    let lines = Mutex::new(Repeated::default());
    panic::set_hook(Box::new(move |panicked| {
        totals.panics.add(1);
        let due = lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .due(Instant::now());
        if let Some(times) = due {
            error!(
                panics = times,
                "a fault of the gateway itself ended a task, please report it: {}",
                describe(panicked)
            );
        }
    }));
}

/// Where and why, on one line.
fn describe(panicked: &PanicHookInfo<'_>) -> String {
    let place = panicked
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("{:?} at {place}", words(panicked.payload()))
}

fn words(payload: &(dyn Any + Send)) -> &str {
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    let literal = payload.downcast_ref::<&str>().copied();
    formatted.or(literal).unwrap_or("no words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_named_on_one_line() {
        let totals = Arc::<Totals>::default();
        let before = panic::take_hook();
        count_in(totals.clone());
        let ended = std::thread::spawn(|| panic!("two\nlines")).join();
        panic::set_hook(before);
        let payload = ended.expect_err("it panicked");
        assert_eq!(words(&*payload), "two\nlines");
        // Another test may have failed meanwhile.
        assert!(totals.panics.value() >= 1);
    }
}
