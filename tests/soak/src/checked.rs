//! The end-to-end library judges by panicking; here a judgement is a value.

use std::cell::Cell;
use std::panic::{self, UnwindSafe};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Lets judgements be passed without a word on stderr; once per process.
pub(crate) fn install() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !QUIET.get() {
            usual(panic);
        }
    }));
}

/// What `judge` gives, or the words it panics with.
pub(crate) fn checked<T>(judge: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    QUIET.set(true);
    let judged = panic::catch_unwind(judge);
    QUIET.set(false);
    judged.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
        text.unwrap_or_else(|| "a panic without words".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_words() {
        install();
        assert_eq!(checked(|| 1), Ok(1));
        let number = 2;
        let judged = checked(|| assert_eq!(number, 3, "no {number}"));
        assert!(judged.is_err_and(|why| why.contains("no 2")));
    }
}
