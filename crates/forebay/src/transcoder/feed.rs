//! What goes from a publish to its ffmpeg: messages in order, from a key frame on, in *runs*. Whatever would need
//! another run of ffmpeg ends one: other configurations, a clock that jumps. A queue stands in between, so that the
//! publish never waits; what ffmpeg has not taken in time is left out, up to the next key frame.
//!
//! What does not belong here: processes, tokio.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Codec, Message, TrackKind};
use segmenter::Origin;
use segmenter::flv::{Entry, Role};

use super::preamble::{Headers, Preamble, Sound};

/// What may wait: two of the largest messages. And so many of them, since each costs something itself.
const MOST_BYTES: usize = 32 << 20;
const MOST_MESSAGES: usize = 4_000;
/// What has waited for longer comes too late for viewers of the source's playlist. It is counted from arrival, so that
/// an encoder that catches up loses nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The timestamp of a run's first key frame, ms: sound before it, and decode times before their pictures, are not
/// negative.
pub(super) const FIRST_MS: u32 = 10_000;
/// A run ends with the first key frame from this timestamp on, ms: ffmpeg's FLV muxer knows 31 bits.
const LAST_MS: i64 = 1 << 30;

/// Where a publish has put the access unit of a message.
pub(crate) struct Placed {
    pub(crate) origin: Origin,
    /// Whether decoding can begin with it.
    pub(crate) entry: Entry,
    pub(crate) codec: Arc<Codec>,
}

impl Placed {
    /// A run can begin with it.
    fn is_key_frame(&self) -> bool {
        self.codec.kind() == TrackKind::Video && self.entry != Entry::None
    }
}

/// How a run begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beginning {
    /// Where the source has its first key frame.
    pub(super) origin: Origin,
    /// Width and height of the source's pictures, if they are known, pixels.
    pub(super) size: Option<(u16, u16)>,
    pub(super) sound: Sound,
    pub(super) headers: Headers,
}

/// The next thing for ffmpeg.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// A run begins.
    Begin(Beginning),
    /// A message, and its timestamp in the run.
    Tag(Message, u32),
    /// The run is over; nothing comes behind it until [`Feed::resume`].
    End,
}

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// ffmpeg was too slow for so many messages.
    TooSlow(usize),
    /// A message has several tracks, which no ffmpeg reads as such.
    SeveralTracks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody would take anything.
    Paused,
    /// A run begins with the next key frame.
    Waiting,
    Flowing,
    /// The run goes on with the next key frame.
    Skipping,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Feed {
    stage: Stage,
    /// How the run began.
    began: Option<Beginning>,
    /// [`Preamble::changes`] at that time.
    changes: u64,
    /// It was told of messages of several tracks.
    told: bool,
    /// With the time of their arrival.
    queue: VecDeque<(Item, Instant)>,
    bytes: usize,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Waiting,
            began: None,
            changes: 0,
            told: false,
            queue: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The next item, if there is one.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let (item, _) = self.queue.pop_front()?;
        if let Item::Tag(message, _) = &item {
            self.bytes -= message.payload.len();
        }
        Some(item)
    }

    /// Nothing is taken until [`Feed::resume`], and what waits is forgotten.
    pub(super) fn pause(&mut self) {
        self.queue.clear();
        self.bytes = 0;
        self.stage = Stage::Paused;
    }

    /// The next key frame begins a run.
    pub(super) fn resume(&mut self) {
        self.stage = Stage::Waiting;
    }

    /// Takes the next message of the publish, which has put it where `placed` says, if it has a place. `preamble` has it
    /// already.
    pub(super) fn push(
        &mut self,
        message: &Message,
        placed: Option<&Placed>,
        preamble: &Preamble,
        now: Instant,
    ) -> Result<(), LeftOut> {
        let Some(placed) = placed else {
            return Ok(());
        };
        match Role::of(message) {
            Role::Media => self.pass_on(message, placed, preamble, now),
            Role::Other if !std::mem::replace(&mut self.told, true) => Err(LeftOut::SeveralTracks),
            Role::Other | Role::Configuration => Ok(()),
        }
    }

    fn pass_on(
        &mut self,
        message: &Message,
        placed: &Placed,
        preamble: &Preamble,
        now: Instant,
    ) -> Result<(), LeftOut> {
        self.watch(placed, preamble, now);
        let is_key_frame = placed.is_key_frame();
        if self.stage == Stage::Waiting && is_key_frame {
            self.stage = Stage::Skipping;
            let beginning = Beginning {
                origin: placed.origin,
                size: placed.codec.size(),
                sound: preamble.sound(now),
                headers: preamble.kind(message),
            };
            self.began = Some(beginning);
            self.changes = preamble.changes();
            self.queue.push_back((Item::Begin(beginning), now));
        }
        let outcome = self.make_room(message, now);
        let Some(at_ms) = self.in_run(placed.origin) else {
            return outcome;
        };
        if self.stage == Stage::Skipping && is_key_frame {
            self.stage = Stage::Flowing;
            for header in preamble.headers() {
                self.append(header.clone(), at_ms, now);
            }
        }
        if self.stage == Stage::Flowing {
            self.append(message.clone(), at_ms, now);
        }
        outcome
    }

    fn append(&mut self, message: Message, at_ms: i64, now: Instant) {
        if let Ok(at_ms) = u32::try_from(at_ms) {
            self.bytes += message.payload.len();
            self.queue.push_back((Item::Tag(message, at_ms), now));
        }
    }

    /// The timestamp in this run of what the source has at `origin`.
    fn in_run(&self, origin: Origin) -> Option<i64> {
        let since = origin.clock.at - self.began?.origin.clock.at;
        Some(since.as_millis() + i64::from(FIRST_MS))
    }

    /// Ends the run where the source's does, and where ffmpeg needs other arguments or headers: with other codecs, and
    /// with sound that joins. Sound that stops is missed in the next run.
    fn watch(&mut self, placed: &Placed, preamble: &Preamble, now: Instant) {
        let Some(began) = self.began else { return };
        let at_ms = self.in_run(placed.origin).unwrap_or_default();
        let is_long = placed.is_key_frame() && at_ms >= LAST_MS;
        let sound = preamble.sound(now);
        if began.origin.run != placed.origin.run
            || self.changes != preamble.changes()
            || (sound != Sound::None && sound != began.sound)
            || is_long
        {
            self.end_run(now);
        }
    }

    /// Ends the run. Who takes from here says when the next may begin, so that there are never several in the queue.
    fn end_run(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Flowing | Stage::Skipping) {
            self.queue.push_back((Item::End, now));
            self.stage = Stage::Paused;
        }
    }

    /// Leaves out what waits, if it is too much with `message`.
    fn make_room(&mut self, message: &Message, now: Instant) -> Result<(), LeftOut> {
        let oldest = self.queue.front().map(|(_, arrived)| *arrived);
        let waits = oldest.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let bytes = self.bytes + message.payload.len();
        if waits <= LONGEST_WAIT && bytes <= MOST_BYTES && self.queue.len() < MOST_MESSAGES {
            return Ok(());
        }
        let before = self.queue.len();
        self.queue
            .retain(|(item, _)| !matches!(item, Item::Tag(..)));
        for (_, arrived) in &mut self.queue {
            *arrived = now;
        }
        self.bytes = 0;
        if self.stage == Stage::Flowing {
            self.stage = Stage::Skipping;
        }
        match before - self.queue.len() {
            0 => Ok(()),
            left_out => Err(LeftOut::TooSlow(left_out)),
        }
    }
}

#[cfg(test)]
mod tests;
