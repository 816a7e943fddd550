//! Ladders by transcoding: one supervised ffmpeg for a publish makes its lower rungs. It gets the messages of the
//! publish as FLV on its standard input, as they come, and gives back a rung on each of its sockets
//! (`transcoder/inlet.rs`), with the source's key frames and times.
//!
//! What does not belong here: which publishes have one (`publish/transcoding.rs`), where rungs meet
//! (`playlist::Ladder`).

mod backoff;
mod command;
mod feed;
mod inlet;
mod last_words;
mod run;
mod workshop;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use media::{Fault, FaultKind, Message, Name, PresentationName};
use playlist::{Terms, TranscoderState, Transcoding};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tracing::info;

use crate::config::{Ladder, Rendition};
use crate::house::{House, raised};
use backoff::Backoff;
use feed::{Feed, Item, TooSlow};
use run::Failure;

pub(crate) use feed::Placed;
pub(crate) use workshop::{Workshop, find};

/// A publish's end of its transcoder, which ends when this is dropped.
pub(crate) struct Transcoder {
    shared: Arc<Shared>,
}

/// What is to be made.
pub(crate) struct Making {
    pub(crate) ladder: Ladder,
    /// Of what.
    pub(crate) source: PresentationName,
    /// The terms of the source.
    pub(crate) terms: Terms,
    /// The source's encoder.
    pub(crate) peer: SocketAddr,
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) house: Arc<House>,
}

/// Between the publish and the task that supervises ffmpeg.
struct Shared {
    desk: Mutex<Desk>,
    /// The feed has something for the supervisor.
    wake: Notify,
    /// Becomes true when the publish is over.
    closed: watch::Sender<bool>,
}

struct Desk {
    feed: Feed,
    status: Transcoding,
    /// What the publish has not been told yet, and would only be told once.
    news: Option<String>,
}

impl Making {
    /// The name of a rung; `None` if it would be too long.
    fn rung(&self, rendition: Rendition) -> Option<PresentationName> {
        let name = format!("{}_{}p", self.source.name, rendition.height);
        Some(PresentationName {
            app: self.source.app.clone(),
            name: Name::parse(&name, "publish").ok()?,
        })
    }

    /// What is made of a source with pictures of that height: nothing is made larger.
    fn renditions(&self, height: Option<u32>) -> Vec<Rendition> {
        let all = self.ladder.renditions.iter().copied();
        let fitting = all.filter(|it| height.is_none_or(|height| it.height <= height));
        fitting.filter(|it| self.rung(*it).is_some()).collect()
    }

    fn names(&self, renditions: &[Rendition]) -> Vec<Name> {
        let names = renditions.iter().filter_map(|it| self.rung(*it));
        names.map(|rung| rung.name).collect()
    }
}

impl Transcoder {
    /// Begins with the next key frame.
    pub(crate) fn begin(making: Making) -> Self {
        let status = Transcoding {
            ladder: making.ladder.name.clone(),
            state: TranscoderState::Waiting,
            restarts: 0,
            last_error: None,
            rungs: making.names(&making.renditions(None)),
        };
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk {
                feed: Feed::new(),
                status,
                news: None,
            }),
            wake: Notify::new(),
            closed: watch::Sender::new(false),
        });
        tokio::spawn(supervise(making, shared.clone()));
        Self { shared }
    }

    /// Gives it the next message of the publish, which has put it where `placed` says, if it has a place. Gives a fault
    /// if others were left out.
    pub(crate) fn take(&self, message: &Message, placed: Option<Placed>) -> Option<Fault> {
        let mut desk = self.shared.desk();
        let pushed = desk.feed.push(message, placed, Instant::now());
        let fault = pushed.err().map(|TooSlow(messages)| {
            let text = format!(
                "the transcoder cannot keep up: {messages} messages are left out of its rungs; choose a faster preset, \
                 or fewer or smaller renditions"
            );
            desk.status.last_error = Some(text.clone());
            fault(text)
        });
        drop(desk);
        self.shared.wake.notify_one();
        fault
    }

    /// What went wrong since the last time it was asked.
    pub(crate) fn news(&self) -> Option<Fault> {
        self.shared.desk().news.take().map(fault)
    }

    /// How it is doing.
    pub(crate) fn status(&self) -> Transcoding {
        self.shared.desk().status.clone()
    }
}

impl Drop for Transcoder {
    fn drop(&mut self) {
        self.shared.closed.send_replace(true);
        self.shared.wake.notify_one();
    }
}

fn fault(text: String) -> Fault {
    Fault {
        kind: FaultKind::Transcoding,
        text,
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Completes when the publish is over.
    fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        raised(&self.closed)
    }

    /// The next item of the feed, once there is one; `None` when the publish is over.
    async fn next(&self) -> Option<Item> {
        loop {
            // Before the feed is looked at: what is pushed behind that wakes.
            let closed = self.is_closed();
            if let Some(item) = self.desk().feed.pop() {
                return Some(item);
            }
            if closed {
                return None;
            }
            self.wake.notified().await;
        }
    }
}

/// Runs ffmpeg, again and again, until the publish is over.
async fn supervise(making: Making, shared: Arc<Shared>) {
    let _busy = Busy::begin(&making.workshop);
    let mut backoff = Backoff::default();
    let mut runs = 0;
    while let Some(item) = shared.next().await {
        let beginning = match item {
            Item::Begin(beginning) => beginning,
            // Of a run that nothing is made of.
            Item::Tag(..) => continue,
            Item::End => {
                shared.desk().feed.resume();
                continue;
            }
        };
        let renditions = making.renditions(beginning.height);
        {
            let mut desk = shared.desk();
            desk.status.rungs = making.names(&renditions);
            if renditions.is_empty() {
                desk.status.state = TranscoderState::Idle;
                continue;
            }
        }
        let begun = Instant::now();
        let outcome = match making.workshop.processes.try_acquire() {
            Ok(_one) => {
                {
                    let mut desk = shared.desk();
                    desk.status.state = TranscoderState::Running;
                    desk.status.restarts = runs;
                }
                runs += 1;
                let count = renditions.len();
                info!(stream = %making.source, ladder = making.ladder.name, "ffmpeg makes {count} rungs of it");
                run::run(&making, &renditions, beginning, &shared).await
            }
            Err(_) => Err(Failure::Full(making.house.config.transcoder.max_processes)),
        };
        if shared.is_closed() {
            return;
        }
        let pause = backoff.pause(begun.elapsed());
        {
            let mut desk = shared.desk();
            desk.feed.pause();
            desk.status.state = TranscoderState::Pausing;
            if let Err(failure) = outcome {
                let text = failure.to_string();
                desk.status.last_error = Some(text.clone());
                desk.news = Some(text);
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.closed() => return,
        }
        let mut desk = shared.desk();
        desk.status.state = TranscoderState::Waiting;
        desk.feed.resume();
    }
}

/// A transcoder that the workshop counts.
struct Busy<'a>(&'a Workshop);

impl<'a> Busy<'a> {
    fn begin(workshop: &'a Workshop) -> Self {
        workshop.busy.send_modify(|busy| *busy += 1);
        Self(workshop)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.send_modify(|busy| *busy -= 1);
    }
}

#[cfg(test)]
mod tests;
