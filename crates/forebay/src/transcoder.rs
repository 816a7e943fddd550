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
mod noted;
mod preamble;
mod process;
mod run;
mod trial;
mod workshop;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use media::{Fault, FaultKind, MAX_NAME_BYTES, Message, Name, PresentationName, TimedEvent};
use playlist::{Terms, TranscoderState, Transcoding};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tracing::info;

use crate::config::{Ladder, Rendition};
use crate::house::{House, raised};
use backoff::Backoff;
use feed::{Feed, Item, LeftOut};
use noted::Noted;
use run::Failure;

pub(crate) use feed::Placed;
pub(crate) use preamble::Preamble;
pub(crate) use workshop::Workshop;

/// The largest pictures that are decoded, pixels: 4K of cinemas, and what encoders round that up to.
const MOST_PIXELS: u32 = 4_096 * 2_304;

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
    /// What ffmpeg does not carry.
    noted: Arc<Noted>,
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

    /// What is made of a source with pictures of that size: nothing is made larger, and nothing of what is too large to
    /// be decoded.
    fn renditions(&self, size: Option<(u16, u16)>) -> Vec<Rendition> {
        let all = self.ladder.renditions.iter().copied();
        let fitting = all.filter(|it| match size {
            Some(size) => it.height <= u32::from(size.1) && !is_too_large(size),
            None => true,
        });
        fitting.filter(|it| self.rung(*it).is_some()).collect()
    }

    /// What to tell of the renditions that have no name.
    fn nameless(&self) -> Option<String> {
        let all = self.ladder.renditions.iter();
        let nameless = all.filter(|it| self.rung(**it).is_none());
        let heights: Vec<String> = nameless.map(|it| format!("{}p", it.height)).collect();
        (!heights.is_empty()).then(|| {
            format!(
                "no rung of {} is made: behind the name of {} bytes, theirs would have more than the \
                 {MAX_NAME_BYTES} allowed; publish under a shorter name",
                heights.join(", "),
                self.source.name.as_str().len()
            )
        })
    }

    fn names(&self, renditions: &[Rendition]) -> Vec<Name> {
        let names = renditions.iter().filter_map(|it| self.rung(*it));
        names.map(|rung| rung.name).collect()
    }
}

impl Transcoder {
    /// Begins with the next key frame.
    pub(crate) fn begin(making: Making) -> Self {
        let nameless = making.nameless();
        let status = Transcoding {
            ladder: making.ladder.name.clone(),
            state: TranscoderState::Waiting,
            restarts: 0,
            last_error: nameless.clone(),
            rungs: making.names(&making.renditions(None)),
        };
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk {
                feed: Feed::new(),
                status,
                news: nameless,
            }),
            noted: Arc::default(),
            wake: Notify::new(),
            closed: watch::Sender::new(false),
        });
        tokio::spawn(supervise(making, shared.clone()));
        Self { shared }
    }

    /// Gives it the next message of the publish, which has put it where `placed` says, if it has a place, and which
    /// `preamble` has already. Gives a fault if something was left out.
    pub(crate) fn take(
        &self,
        message: &Message,
        placed: Option<&Placed>,
        preamble: &Preamble,
        now: Instant,
    ) -> Option<Fault> {
        let mut desk = self.shared.desk();
        let pushed = desk.feed.push(message, placed, preamble, now);
        let fault = pushed.err().map(|left_out| {
            let text = match left_out {
                LeftOut::TooSlow(messages) => format!(
                    "the transcoder cannot keep up: {messages} messages are left out of its rungs; choose a faster \
                     preset, or fewer or smaller renditions"
                ),
                LeftOut::SeveralTracks => "messages of several tracks are not transcoded: ffmpeg reads none; let the \
                     encoder send each track in messages of its own"
                    .to_owned(),
            };
            desk.status.last_error = Some(text.clone());
            fault(text)
        });
        drop(desk);
        self.shared.wake.notify_one();
        fault
    }

    /// Tells its rungs of an event, which has its time on the timeline of the publish.
    pub(crate) fn note(&self, event: TimedEvent) {
        self.shared.noted.push(event);
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
        if *making.house.drain.borrow() {
            // What would begin now would end at once.
            shared.desk().feed.pause();
            return;
        }
        let beginning = match item {
            Item::Begin(beginning) => beginning,
            // Of a run that nothing is made of.
            Item::Tag(..) => continue,
            Item::End => {
                shared.desk().feed.resume();
                continue;
            }
        };
        let renditions = making.renditions(beginning.size);
        {
            let mut desk = shared.desk();
            desk.status.rungs = making.names(&renditions);
            if renditions.is_empty() {
                desk.status.state = TranscoderState::Idle;
                if let Some((width, height)) = beginning.size.filter(|it| is_too_large(*it)) {
                    let text = format!(
                        "pictures of {width}x{height} are too large to be transcoded; {MOST_PIXELS} pixels are the most"
                    );
                    desk.status.last_error = Some(text.clone());
                    desk.news = Some(text);
                }
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
                let but = match making.ladder.renditions.len() - count {
                    0 => String::new(),
                    higher => format!("; {higher} would be higher than the source"),
                };
                info!(stream = %making.source, ladder = making.ladder.name, "ffmpeg makes {count} rungs of it{but}");
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

/// A stranger can send enormous pictures for next to nothing, and each decoder would hold a score of them.
const fn is_too_large((width, height): (u16, u16)) -> bool {
    width as u32 * height as u32 > MOST_PIXELS
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
