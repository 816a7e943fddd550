//! What ffmpeg has to have before the media of a publish: the headers that are in force, and whether there is sound. It
//! is kept from the publish's first message on, since a transcoder may begin at any time, and encoders send headers
//! once.
//!
//! What does not belong here: which headers are good (the publish's demuxer decides, and what is placed shows it).

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Codec, Message, MessageKind};
use segmenter::flv::{Role, is_enhanced};

use super::feed::Placed;

/// The largest header that is kept, bytes: several times what any codec has.
const MOST_BYTES: usize = 64 << 10;
/// Sound of which nothing has come for so long is not waited for in a new run.
const SOUND_PAUSES: Duration = Duration::from_secs(2);
/// SoundFormat (FLV 10.1 §E.4.2.1) of AAC: what the rungs' FLV can hold as it is, whatever its sample rate.
const AAC: u8 = 10;

/// What the rungs have of the source's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    None,
    /// As it is.
    Copied,
    /// As AAC.
    Encoded,
}

/// What an ffmpeg has to know to read the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    Legacy,
    /// Enhanced RTMP's, which not every ffmpeg reads in FLV.
    Enhanced,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Preamble {
    video: Track,
    audio: Track,
    /// What sound last came, and when: announced, or heard.
    heard: Option<(Sound, Instant)>,
    changes: u64,
}

#[derive(Debug, Default)]
struct Track {
    /// The header that came last, and is not known to be good.
    pending: Option<Message>,
    in_force: Option<Message>,
    /// Of the access unit that was placed last.
    codec: Option<Arc<Codec>>,
}

impl Preamble {
    /// Takes the next message of the publish, which has put it where `placed` says, if it has a place.
    pub(crate) fn push(&mut self, message: &Message, placed: Option<&Placed>, now: Instant) {
        let track = match message.kind {
            MessageKind::Video => &mut self.video,
            MessageKind::Audio => &mut self.audio,
            MessageKind::Data => return,
        };
        match (Role::of(message), placed) {
            (Role::Configuration, _) => {
                let before = std::mem::replace(&mut track.pending, kept(message));
                if track.codec.is_none() {
                    // A run may have begun with the one before.
                    let other = |before: Message| before.payload != message.payload;
                    self.changes += u64::from(before.is_some_and(other));
                    if message.kind == MessageKind::Audio {
                        self.heard = Some((sound_of(message), now));
                    }
                }
            }
            (Role::Media, Some(placed)) => {
                self.changes += u64::from(track.follow(&placed.codec));
                if message.kind == MessageKind::Audio {
                    self.heard = Some((sound_of(message), now));
                }
            }
            (Role::Media | Role::Other, _) => {}
        }
    }

    /// How often other headers have come into force.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// The headers that are in force.
    pub(super) fn headers(&self) -> impl Iterator<Item = &Message> {
        [&self.video, &self.audio]
            .into_iter()
            .filter_map(|track| track.in_force.as_ref().or(track.first()))
    }

    /// Whether there is sound at the moment.
    pub(super) fn sound(&self, now: Instant) -> Sound {
        match self.heard {
            Some((sound, at)) if now.saturating_duration_since(at) <= SOUND_PAUSES => sound,
            _ => Sound::None,
        }
    }

    /// What it takes to read `key_frame` and what is in force.
    pub(super) fn kind(&self, key_frame: &Message) -> Headers {
        match is_enhanced(key_frame) || self.headers().any(is_enhanced) {
            true => Headers::Enhanced,
            false => Headers::Legacy,
        }
    }
}

impl Track {
    /// A unit of `codec` was placed: whether another header is in force with it.
    fn follow(&mut self, codec: &Arc<Codec>) -> bool {
        let before = self.codec.replace(codec.clone());
        let pending = self.pending.take();
        let Some(before) = before else {
            // It was among the headers already.
            self.in_force = pending;
            return false;
        };
        if Arc::ptr_eq(&before, codec) {
            // What was sent again, or refused.
            return false;
        }
        // Some codecs change by what is in their access units.
        let goes_on = std::mem::discriminant(&*before) == std::mem::discriminant(&**codec);
        self.in_force = pending.or_else(|| self.in_force.take().filter(|_| goes_on));
        true
    }

    /// The header of a track of which nothing was placed yet.
    fn first(&self) -> Option<&Message> {
        self.pending.as_ref().filter(|_| self.codec.is_none())
    }
}

/// A copy: it stays for as long as the publish, and its message may be part of something larger.
fn kept(message: &Message) -> Option<Message> {
    (message.payload.len() <= MOST_BYTES).then(|| Message {
        payload: Bytes::copy_from_slice(&message.payload),
        ..*message
    })
}

fn sound_of(message: &Message) -> Sound {
    match message.payload.first().map(|first| first >> 4) {
        Some(AAC) => Sound::Copied,
        _ => Sound::Encoded,
    }
}
