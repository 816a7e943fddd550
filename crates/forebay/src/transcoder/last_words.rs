//! What a program said last on its standard error, in little memory however much it says.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The last lines are kept: an error of ffmpeg's is one to four.
const LINES: usize = 4;
/// Bytes of a line; what is longer is cut.
const LINE_BYTES: usize = 200;

/// Reads to the end; gives the last lines, joined.
pub(super) async fn last_words(mut from: impl AsyncRead + Unpin) -> String {
    let mut lines: VecDeque<Vec<u8>> = VecDeque::from([Vec::new()]);
    let mut buffer = [0; 1_024];
    // A failed read is an end.
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        for &byte in buffer.iter().take(read) {
            match (byte, lines.back_mut()) {
                // What is shown as progress ends with a return.
                (b'\n' | b'\r', Some(last)) if last.is_empty() => {}
                (b'\n' | b'\r', _) => {
                    lines.push_back(Vec::new());
                    lines.drain(..lines.len().saturating_sub(LINES + 1));
                }
                (byte, Some(last)) if last.len() < LINE_BYTES => last.push(byte),
                _ => {}
            }
        }
    }
    let texts = lines.iter().filter(|line| !line.is_empty());
    let texts = texts.map(|line| {
        String::from_utf8_lossy(line)
            .trim()
            .replace(char::is_control, " ")
    });
    let texts: Vec<String> = texts.collect();
    let skipped = texts.len().saturating_sub(LINES);
    texts.get(skipped..).unwrap_or_default().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_and_cut() {
        let said = |text: String| async move { last_words(text.as_bytes()).await };
        assert_eq!(said(String::new()).await, "");
        assert_eq!(said("one\n\ntwo".to_owned()).await, "one; two");
        let many: String = (0..1_000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(said(many).await, "line 996; line 997; line 998; line 999");
        assert_eq!(said("x".repeat(100_000)).await, "x".repeat(LINE_BYTES));
    }
}
