//! Many publishers at the pace of their media, on one thread.
//!
//! Every access unit has an absolute deadline, so a late write does not move those after it. The
//! thread says how late it was at worst: a load that cannot keep pace measures nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::clip::GOP_MS;
use crate::publisher::Publisher;

/// A cut: when the server had what it needs for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// The segment's own last access unit was written.
    pub(crate) complete: Instant,
    /// The random access unit that shows it to be the last was written.
    pub(crate) closed: Instant,
}

/// What happened while the load ran.
#[derive(Debug)]
pub(crate) struct Report {
    /// Every cut, by publisher in the order given.
    pub(crate) cuts: Vec<Vec<Cut>>,
    /// When the last byte of every access unit was written, by publisher, in sending order.
    pub(crate) sent: Vec<Vec<Instant>>,
    /// The latest write after its deadline.
    pub(crate) latest: Duration,
}

/// A running load. Dropping it ends it, with the connections.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<Report>>>,
}

impl Load {
    /// Starts all publishers, spread evenly over one GOP, so that their cuts do not coincide.
    pub(crate) fn start(publishers: Vec<Publisher>) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || run(publishers, &stopped));
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Ends the publishes and says how they went.
    pub(crate) fn stop(mut self) -> anyhow::Result<Report> {
        self.end().context("the load was ended twice")?
    }

    fn end(&mut self) -> Option<anyhow::Result<Report>> {
        drop(self.stop.take());
        let thread = self.thread.take()?;
        Some(
            thread
                .join()
                .expect("the publishing thread should not panic"),
        )
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Whoever wanted the report has it.
        let _ = self.end();
    }
}

/// One publisher among many.
struct Member {
    publisher: Publisher,
    begin: Instant,
    last_write: Instant,
    cuts: Vec<Cut>,
    sent: Vec<Instant>,
}

fn run(publishers: Vec<Publisher>, stopped: &Receiver<()>) -> anyhow::Result<Report> {
    let begin = Instant::now();
    let count = publishers.len();
    let mut members: Vec<Member> = publishers
        .into_iter()
        .enumerate()
        .map(|(index, publisher)| Member {
            publisher,
            begin: begin + offset(index, count),
            last_write: begin,
            cuts: Vec::new(),
            sent: Vec::new(),
        })
        .collect();
    let mut due: BinaryHeap<Reverse<(Instant, usize)>> = members
        .iter()
        .enumerate()
        .map(|(index, member)| Reverse((member.begin, index)))
        .collect();
    for member in &mut members {
        member.publisher.send_headers()?;
    }

    let mut latest = Duration::ZERO;
    while let Some(Reverse((deadline, index))) = due.pop() {
        let wait = deadline.saturating_duration_since(Instant::now());
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        latest = latest.max(deadline.elapsed());
        members[index]
            .send()
            .with_context(|| format!("publisher {index} of {count} was cut off"))?;
        due.push(Reverse((members[index].next_deadline(), index)));
    }
    let (cuts, sent) = members
        .into_iter()
        .map(|member| (member.cuts, member.sent))
        .unzip();
    Ok(Report { cuts, sent, latest })
}

/// How far into the first GOP's time publisher `index` of `count` begins.
fn offset(index: usize, count: usize) -> Duration {
    let share = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Duration::from_millis(GOP_MS.into()) * share(index) / share(count.max(1))
}

impl Member {
    fn next_deadline(&self) -> Instant {
        self.begin + self.publisher.next_due()
    }

    fn send(&mut self) -> std::io::Result<()> {
        let begins_a_segment =
            self.publisher.next_is_random_access() && !self.publisher.next_due().is_zero();
        let complete = self.last_write;
        self.publisher.send_next()?;
        self.last_write = Instant::now();
        self.sent.push(self.last_write);
        if begins_a_segment {
            self.cuts.push(Cut {
                complete,
                closed: self.last_write,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_begin_evenly_within_one_gop() {
        let offsets: Vec<u128> = (0..4).map(|index| offset(index, 4).as_millis()).collect();
        assert_eq!(offsets, [0, 500, 1000, 1500]);
        assert_eq!(offset(0, 1), Duration::ZERO);
    }
}
