//! What goes from a publish to its ffmpeg: messages in order, from a key frame on, in *runs*. Whatever would need
//! another run of ffmpeg ends one: other configurations, a clock that jumps. A queue stands in between, so that the
//! publish never waits; what ffmpeg has not taken in time is left out, up to the next key frame.
//!
//! What does not belong here: processes, tokio.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Message, MessageKind};
use segmenter::Origin;
use segmenter::flv::{Entry, Role, is_enhanced};

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

/// SoundFormat (FLV 10.1 §E.4.2.1) of AAC: what the rungs' FLV can hold as it is, whatever its sample rate.
const AAC: u8 = 10;

/// Where a publish has put the access unit of a message.
pub(crate) struct Placed {
    pub(crate) origin: Origin,
    /// Whether decoding can begin with it.
    pub(crate) entry: Entry,
    /// Of its picture, if it is one.
    pub(crate) height: Option<u32>,
}

impl Placed {
    /// A run can begin with it.
    fn is_key_frame(&self) -> bool {
        self.height.is_some() && self.entry != Entry::None
    }
}

/// What the rungs have of the source's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    None,
    /// As it is.
    Copied,
    /// As AAC.
    Encoded,
}

/// How a run begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beginning {
    /// Where the source has its first key frame.
    pub(super) origin: Origin,
    /// The height of the source's pictures, if that is known.
    pub(super) height: Option<u32>,
    pub(super) sound: Sound,
    pub(super) headers: Headers,
}

/// What an ffmpeg has to know to read the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    Legacy,
    /// Enhanced RTMP's, which not every ffmpeg reads in FLV.
    Enhanced,
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

/// ffmpeg was too slow: so many messages are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSlow(pub(super) usize);

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
    /// Configurations.
    video: Option<Message>,
    audio: Option<Message>,
    sound: Sound,
    stage: Stage,
    /// Where the source has the first key frame of the run.
    began: Option<Origin>,
    /// With the time of their arrival.
    queue: VecDeque<(Item, Instant)>,
    bytes: usize,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            video: None,
            audio: None,
            sound: Sound::None,
            stage: Stage::Waiting,
            began: None,
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

    /// Takes the next message of the publish, which has put it where `placed` says, if it has a place.
    pub(super) fn push(
        &mut self,
        message: &Message,
        placed: Option<Placed>,
        now: Instant,
    ) -> Result<(), TooSlow> {
        match Role::of(message) {
            Role::Configuration => self.configure(message, now),
            Role::Media => {
                if let Some(placed) = placed {
                    self.hear(message, now);
                    return self.pass_on(message, &placed, now);
                }
            }
            Role::Other => {}
        }
        Ok(())
    }

    fn pass_on(&mut self, message: &Message, placed: &Placed, now: Instant) -> Result<(), TooSlow> {
        self.watch(placed, now);
        let is_key_frame = placed.is_key_frame();
        if self.stage == Stage::Waiting && is_key_frame {
            self.stage = Stage::Skipping;
            self.began = Some(placed.origin);
            let beginning = self.beginning(message, placed);
            self.queue.push_back((Item::Begin(beginning), now));
        }
        let outcome = self.make_room(message, now);
        let Some(at_ms) = self.in_run(placed.origin) else {
            return outcome;
        };
        if self.stage == Stage::Skipping && is_key_frame {
            self.stage = Stage::Flowing;
            let configurations = [self.video.clone(), self.audio.clone()];
            for configuration in configurations.into_iter().flatten() {
                self.append(configuration, at_ms, now);
            }
        }
        if self.stage == Stage::Flowing {
            self.append(message.clone(), at_ms, now);
        }
        outcome
    }

    fn beginning(&self, key_frame: &Message, placed: &Placed) -> Beginning {
        let mut all = [&self.video, &self.audio].into_iter().flatten();
        Beginning {
            origin: placed.origin,
            height: placed.height,
            sound: self.sound,
            headers: match is_enhanced(key_frame) || all.any(is_enhanced) {
                true => Headers::Enhanced,
                false => Headers::Legacy,
            },
        }
    }

    fn append(&mut self, message: Message, at_ms: i64, now: Instant) {
        if let Ok(at_ms) = u32::try_from(at_ms) {
            self.bytes += message.payload.len();
            self.queue.push_back((Item::Tag(message, at_ms), now));
        }
    }

    /// The timestamp in this run of what the source has at `origin`.
    fn in_run(&self, origin: Origin) -> Option<i64> {
        let since = origin.clock.at - self.began?.clock.at;
        Some(since.as_millis() + i64::from(FIRST_MS))
    }

    fn configure(&mut self, message: &Message, now: Instant) {
        let kept = match message.kind {
            MessageKind::Video => &mut self.video,
            MessageKind::Audio => &mut self.audio,
            MessageKind::Data => return,
        };
        // Encoders repeat them.
        let same = kept
            .as_ref()
            .is_some_and(|kept| kept.payload == message.payload);
        if !same {
            *kept = Some(message.clone());
            self.hear(message, now);
            self.end_run(now);
        }
    }

    /// Sound that joins, or of another kind, needs other arguments.
    fn hear(&mut self, message: &Message, now: Instant) {
        let (MessageKind::Audio, Some(first)) = (message.kind, message.payload.first()) else {
            return;
        };
        let sound = match first >> 4 {
            AAC => Sound::Copied,
            _ => Sound::Encoded,
        };
        if std::mem::replace(&mut self.sound, sound) != sound {
            self.end_run(now);
        }
    }

    /// Ends the run where the source's does.
    fn watch(&mut self, placed: &Placed, now: Instant) {
        let Some(began) = self.began else { return };
        let at_ms = self.in_run(placed.origin).unwrap_or_default();
        if began.run != placed.origin.run || (placed.is_key_frame() && at_ms >= LAST_MS) {
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
    fn make_room(&mut self, message: &Message, now: Instant) -> Result<(), TooSlow> {
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
            left_out => Err(TooSlow(left_out)),
        }
    }
}

#[cfg(test)]
mod tests;
