//! TOML text, and its mistakes by line and column.
//!
//! The text itself is never repeated, since stream keys stand in it: neither the line, which
//! [`toml::de::Error`] would show, nor a value in the wrong place, which serde would quote.

use anyhow::{Result, anyhow};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Reads `text`; a mistake is named as `line 3, column 5: what is wrong`.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let message = without_value(error.message());
        match error.span() {
            Some(span) => {
                let (line, column) = place(text, span.start);
                anyhow!("line {line}, column {column}: {message}")
            }
            None => anyhow!("{message}"),
        }
    })
}

/// Reads a table that the environment was laid over; a mistake is named by its key, having no place.
pub(super) fn read_table<T: DeserializeOwned>(table: Table) -> Result<T> {
    Value::Table(table)
        .try_into()
        .map_err(|error| anyhow!("{}", error.to_string().trim_end().replace('\n', " ")))
}

/// serde's `invalid type: string "s3cret", expected a sequence` without the value, and without Rust's name of a number.
fn without_value(message: &str) -> &str {
    let quotes = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| message.starts_with(start));
    match message.rsplit_once(", ") {
        Some((_, "expected u8")) if quotes => "expected a whole number, 0 to 255",
        Some((_, "expected u32" | "expected u64" | "expected usize")) if quotes => {
            "expected a whole number, 0 or more, without quotes"
        }
        Some((_, "expected a sequence")) if quotes => {
            "expected a list, in brackets; a section that may be there more than once has two of them, as in [[app]]"
        }
        Some((_, expected)) if quotes && expected.starts_with("expected ") => expected,
        _ if quotes => "a value of the wrong kind",
        _ => message,
    }
}

/// Line and column of a byte, both from 1; columns are characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const SECRET: &str = "s3cret-f81d4fae";

    fn mistake(text: &str) -> String {
        let error = read::<Config>(text).expect_err(text);
        format!("{error:#}")
    }

    #[test]
    fn mistakes_are_placed() {
        let cases = [
            (
                "[hls]\nwindow = 6\n  segmnet = '2s'\n",
                "line 3, column 3: unknown field `segmnet`, expected one of ",
            ),
            (
                "[hls]\nsegment = 2\n",
                "line 2, column 11: expected a string",
            ),
            (
                "[rtmp]\nmax_connections = -1\n",
                "line 2, column 19: expected a whole number, 0 or more",
            ),
            ("[hls\n", "line 1, column 5: "),
            (
                "[ladder]\nname = 'mobile'\n",
                "line 1, column 1: expected a list, in brackets; a section that may be there more than once has two",
            ),
            ("# é\n[hls]\nsegment = '2 parsecs'\n", "line 3, column 11: "),
            (
                "[[app]]\nname = 'live'\nkeys = [\n  'plain',\n  { key = 's3cret', nmae = 'show' },\n]\n",
                "line 5, column 3: expected a stream key: \"secret\", or { key = \"secret\", name = \"public\" }",
            ),
        ];
        for (text, expected) in cases {
            let mistake = mistake(text);
            assert!(mistake.starts_with(expected), "{text}: {mistake}");
        }
    }

    #[test]
    fn a_stream_key_in_the_wrong_place_is_not_repeated() {
        let spellings = [
            "keys = 'SECRET'",
            "keys = SECRET",
            "keys = ['SECRET'",
            "keys = ['SECRET', 5]",
            "keys = ['SECRET\n']",
            "keys = [{ key = 'SECRET', nmae = 'show' }]",
            "keys = [{ key = 'SECRET' }]",
            "keys = [{ key = 'SECRET', name = 5 }]",
            "keys = [{ key = ['SECRET'], name = 'show' }]",
            "keys = [{ SECRET = 'show' }]",
            "keys = { SECRET = 'show' }",
            "keys = ['SECRET two']",
            "keys = ['.SECRET']",
            "keys = ['SECRET', expected]",
            "keys = 'SECRET, expected SECRET'",
            "name = ['SECRET']",
        ];
        for spelling in spellings {
            let line = spelling.replace("SECRET", SECRET);
            let name = if spelling.starts_with("name") {
                ""
            } else {
                "name = 'live'\n"
            };
            let mistake = mistake(&format!("[[app]]\n{name}{line}\n"));
            assert!(!mistake.contains("s3cret"), "{line}: {mistake}");
        }
    }

    #[test]
    fn no_slip_of_the_pen_shows_a_stream_key() {
        let text =
            format!("[[app]]\nname = 'live'\nkeys = [{{ key = '{SECRET}', name = 'show' }}]\n");
        for at in 0..=text.len() {
            for typed in ["", "'", "\"", "=", "[", "]", "{", "}", ",", "#", "1", " "] {
                for skipped in [0, 1] {
                    let rest = text.get(at + skipped..).unwrap_or_default();
                    let slip = format!("{}{typed}{rest}", &text[..at]);
                    if let Err(error) = read::<Config>(&slip) {
                        let error = format!("{error:#}");
                        assert!(!error.contains("s3cret"), "{slip}{error}");
                        assert!(!error.contains("f81d4fae"), "{slip}{error}");
                    }
                }
            }
        }
    }
}
