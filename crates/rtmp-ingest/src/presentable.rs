//! Text of the peer's that people will read, in logs, the status API and on pages.

/// The longest text that is kept, characters: one line of a page.
const MAX_CHARS: usize = 128;

/// `text` as one line of at most 128 characters: without control characters, which could move a terminal's
/// cursor or begin a line of a log, and without blanks around it; `None` if nothing is left.
pub fn presentable(text: &str) -> Option<String> {
    let line: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_text() {
        let long = "я".repeat(1000);
        for (text, expected) in [
            ("Lavf59.27.100", Some("Lavf59.27.100")),
            ("\u{1b}[1mX\nY\0\u{85}Z", Some("[1mXYZ")),
            ("  a b \t", Some("a b")),
            (&long, Some(&long[..2 * MAX_CHARS])),
            ("", None),
            (" \r\n", None),
        ] {
            assert_eq!(presentable(text).as_deref(), expected, "{text:?}");
        }
    }
}
