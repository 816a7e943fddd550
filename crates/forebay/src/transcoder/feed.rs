//! What goes from a publish to its ffmpeg: messages in order, from a key frame on, in *runs*. Whatever would need
//! another run of ffmpeg ends one: other configurations, a clock that jumps. A queue stands in between, so that the
//! publish never waits; what ffmpeg has not taken in time is left out, up to the next key frame.
//!
//! What does not belong here: processes, tokio.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Message, MessageKind};
use segmenter::Origin;
use segmenter::flv::Role;

/// What may wait: two of the largest messages. And so many of them, since each costs something itself.
const MOST_BYTES: usize = 32 << 20;
const MOST_MESSAGES: usize = 4_000;
/// What has waited for longer comes too late for viewers of the source's playlist. It is counted from arrival, so that
/// an encoder that catches up loses nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The timestamp of a run's first key frame, ms: sound before it, and decode times before their pictures, are not
/// negative.
pub(super) const FIRST_MS: u32 = 10_000;
/// A run ends at this timestamp, ms: ffmpeg's FLV muxer knows 31 bits.
const LAST_MS: i64 = 1 << 30;
/// A step back beyond this, or forward beyond the other, is a jump of the clock, as in the timeline of a publish (ms).
const MOST_BACK_MS: i32 = 1_000;
const MOST_FORWARD_MS: i32 = 10_000;

/// SoundFormat (FLV 10.1 §E.4.2.1) of what the rungs' FLV can hold as it is: AAC and MP3.
const CARRIED_SOUND: [u8; 3] = [10, 2, 14];

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
}

/// The next thing for ffmpeg.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// A run begins.
    Begin(Beginning),
    /// A message, and its timestamp in the run.
    Tag(Message, u32),
    /// The run is over.
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
    /// What the source calls the first key frame of the run.
    began_ms: u32,
    /// The last timestamps of pictures and of sound.
    last_ms: [Option<u32>; 2],
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
            began_ms: 0,
            last_ms: [None; 2],
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

    /// Takes the next message of the publish. `source` gives where it has put that, and the height of its pictures.
    pub(super) fn push(
        &mut self,
        message: &Message,
        source: impl FnOnce() -> Option<(Origin, Option<u32>)>,
        now: Instant,
    ) -> Result<(), TooSlow> {
        let role = Role::of(message);
        match role {
            Role::Other | Role::Tracks => return Ok(()),
            Role::Configuration => {
                self.configure(message, now);
                return Ok(());
            }
            Role::KeyFrame | Role::Media => {}
        }
        self.hear(message, now);
        self.watch(message, role, now);
        if self.stage == Stage::Waiting && role == Role::KeyFrame {
            let Some((origin, height)) = source() else {
                return Ok(());
            };
            self.stage = Stage::Skipping;
            self.began_ms = message.timestamp_ms;
            let beginning = Beginning {
                origin,
                height,
                sound: self.sound,
            };
            self.queue.push_back((Item::Begin(beginning), now));
        }
        let outcome = self.make_room(message, now);
        if self.stage == Stage::Skipping && role == Role::KeyFrame {
            self.stage = Stage::Flowing;
            let configurations = [self.video.clone(), self.audio.clone()];
            for mut configuration in configurations.into_iter().flatten() {
                configuration.timestamp_ms = message.timestamp_ms;
                self.append(configuration, now);
            }
        }
        if self.stage == Stage::Flowing {
            self.append(message.clone(), now);
        }
        outcome
    }

    fn append(&mut self, message: Message, now: Instant) {
        if let Ok(at_ms) = u32::try_from(self.in_run(&message)) {
            self.bytes += message.payload.len();
            self.queue.push_back((Item::Tag(message, at_ms), now));
        }
    }

    /// Its timestamp in the run.
    fn in_run(&self, message: &Message) -> i64 {
        let since = message.timestamp_ms.wrapping_sub(self.began_ms);
        i64::from(since.cast_signed()) + i64::from(FIRST_MS)
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
            self.begin_anew(now);
        }
    }

    /// Sound that joins, or of another kind, needs other arguments.
    fn hear(&mut self, message: &Message, now: Instant) {
        let (MessageKind::Audio, Some(first)) = (message.kind, message.payload.first()) else {
            return;
        };
        let sound = if CARRIED_SOUND.contains(&(first >> 4)) {
            Sound::Copied
        } else {
            Sound::Encoded
        };
        if std::mem::replace(&mut self.sound, sound) != sound {
            self.begin_anew(now);
        }
    }

    /// Ends the run where its clock does not go on.
    fn watch(&mut self, message: &Message, role: Role, now: Instant) {
        let [pictures, sound] = &mut self.last_ms;
        let last = match message.kind {
            MessageKind::Video => pictures,
            MessageKind::Audio | MessageKind::Data => sound,
        };
        let last = last.replace(message.timestamp_ms);
        let step = last.map_or(0, |last| message.timestamp_ms.wrapping_sub(last));
        let goes_on = (-MOST_BACK_MS..=MOST_FORWARD_MS).contains(&step.cast_signed());
        let full = role == Role::KeyFrame && self.in_run(message) >= LAST_MS;
        if !goes_on || full {
            self.begin_anew(now);
        }
    }

    fn begin_anew(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Flowing | Stage::Skipping) {
            self.queue.push_back((Item::End, now));
            self.stage = Stage::Waiting;
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
