//! Timed metadata of the source on its way to the rungs: ffmpeg carries none, and rungs are on the source's timeline.
//!
//! What does not belong here: when an event is, and which segment of a rung it falls into (the segmenters know).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use media::{Name, TimedEvent};

/// So many are kept for rungs that are not there, while ffmpeg is started again.
const MOST: usize = 64;

/// The last events of a source, and how many of all each rung has read.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: VecDeque<TimedEvent>,
    /// Those before the last.
    gone: usize,
    read: BTreeMap<Name, usize>,
}

impl Noted {
    pub(super) fn push(&self, timed: TimedEvent) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last.push_back(timed);
        if inner.last.len() > MOST {
            inner.last.pop_front();
            inner.gone += 1;
        }
    }

    /// What `rung` has not read yet, in whichever run of ffmpeg.
    pub(super) fn unread(&self, rung: &Name) -> Vec<TimedEvent> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inner.gone + inner.last.len();
        let read = match inner.read.get_mut(rung) {
            Some(read) => std::mem::replace(read, count),
            None => {
                inner.read.insert(rung.clone(), count);
                0
            }
        };
        let from = read.saturating_sub(inner.gone);
        inner.last.iter().skip(from).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use media::{Event, MediaTime};

    use super::*;

    fn say(noted: &Noted, at: std::ops::Range<i64>) {
        for at in at {
            let (tag, cues) = (Bytes::new(), Vec::new());
            noted.push(TimedEvent {
                at: MediaTime::from_millis(at),
                event: Arc::new(Event { tag, cues }),
            });
        }
    }

    #[test]
    fn each_rung_reads_each_once_and_the_last_after_a_while() {
        let noted = Noted::default();
        let [one, other] = ["show_360p", "show_180p"].map(|it| Name::parse(it, "rung").expect(it));
        let unread = |rung: &Name| -> Vec<i64> {
            let unread = noted.unread(rung).into_iter();
            unread.map(|timed| timed.at.as_millis()).collect()
        };
        assert_eq!(unread(&one), [0_i64; 0]);
        say(&noted, 0..2);
        assert_eq!(unread(&one), [0, 1]);
        say(&noted, 2..3);
        assert_eq!(unread(&one), [2]);
        assert_eq!(unread(&other), [0, 1, 2]);
        say(&noted, 3..100);
        assert_eq!(unread(&one), (36..100).collect::<Vec<_>>());
        assert_eq!(unread(&one), [0_i64; 0]);
    }
}
