//! A child's output: passed on line by line, its last lines kept for the error message.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines kept: enough for an error with its causes.
const KEPT_LINES: usize = 20;

/// How long the reader may lag behind a child that has ended. It bounds the wait when a
/// grandchild holds the pipe open.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The last lines of one child.
#[derive(Debug)]
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Closed once the pipe is read to its end.
    all_read: Receiver<()>,
}

impl Tail {
    /// Reads the pipe on a thread of its own and prints each line behind `name`.
    pub(super) fn follow(name: &'static str, pipe: PipeReader) -> Self {
        let lines = Arc::default();
        let kept = Arc::clone(&lines);
        let (reading, all_read) = sync_channel(0);
        std::thread::spawn(move || {
            read_to_end(name, pipe, &kept);
            drop(reading);
        });
        Self { lines, all_read }
    }

    /// The last lines, indented; call it when the child has ended.
    pub(super) fn last_lines(&self) -> String {
        // Nothing is ever sent: the wait ends when the reader drops its sender.
        let _ = self.all_read.recv_timeout(CATCH_UP);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(|line| format!("    {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn read_to_end(name: &str, pipe: PipeReader, kept: &Mutex<VecDeque<String>>) {
    // By bytes: an encoder's log need not be UTF-8.
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        println!("{name} | {line}");
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}
