//! Timed metadata: what an encoder says at a moment of its media, beside picture and sound.
//!
//! What does not belong here: how it is said over RTMP, and how playlists and containers say it again.

use std::sync::Arc;

use bytes::Bytes;

use crate::MediaTime;

/// An event with its place on the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedEvent {
    /// Presentation time, on the timeline of the access units beside it. It may be before the beginning of the segment
    /// or part that carries it, where it came too late for the one it belongs to.
    pub at: MediaTime,
    /// What is said; shared by everything that carries it.
    pub event: Arc<Event>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A complete ID3v2.4 tag, for players.
    pub tag: Bytes,
    /// What playlists say of it, if it is a cue point: one date range, or one for each thing that an SCTE-35 section
    /// says of its moment.
    pub cues: Vec<Cue>,
}

impl Event {
    /// What event messages of ISO/IEC 23009-1 call such tags, in segments (`emsg`) and in descriptions: the scheme of
    /// AOM's "Carriage of ID3 Timed Metadata in CMAF". Their value is empty.
    pub const SCHEME: &str = "https://aomedia.org/emsg/ID3";

    /// What it costs while it is held, bytes.
    pub fn cost(&self) -> usize {
        let cues: usize = self.cues.iter().map(Cue::cost).sum();
        size_of::<Self>() + self.tag.len() + cues
    }

    fn splices(&self) -> impl Iterator<Item = &Splice> {
        self.cues.iter().filter_map(|cue| cue.splice.as_ref())
    }

    /// The numbers of what it takes back.
    pub fn cancels(&self) -> impl Iterator<Item = u32> {
        let cancels = self.splices().filter(|it| it.side == Side::Cancel);
        cancels.filter_map(|splice| splice.event)
    }

    /// It is where this begins or ends, and nothing else does.
    pub fn is_of(&self, event: u32) -> bool {
        let is_of = |it: &Splice| it.event == Some(event) && it.side != Side::Cancel;
        let all = |cue: &Cue| cue.splice.as_ref().is_some_and(is_of);
        !self.cues.is_empty() && self.cues.iter().all(all)
    }

    /// How long behind it segments begin, each at the first random access from there on: at once where the programme is
    /// left or comes back, and where a break ends by itself.
    pub fn boundaries(&self) -> impl Iterator<Item = MediaTime> {
        let at_once = self.splices().any(|it| it.side != Side::Command);
        let returns = self.cues.iter().filter_map(Cue::returns_after);
        at_once
            .then_some(MediaTime::ZERO)
            .into_iter()
            .chain(returns)
    }
}

/// A cue point, as a date range of playlists (rfc8216bis §4.4.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The attribute CLASS; none where a splice makes the meaning plain.
    pub class: Option<&'static str>,
    /// How long it is to last, as far as the encoder said.
    pub planned: Option<MediaTime>,
    /// Its SCTE-35 command.
    pub splice: Option<Splice>,
    /// Further attributes: names that begin with `X-`, each once, and values that can stand in a quoted string.
    pub attributes: Vec<(String, String)>,
}

/// Within so long a command is said again for who has just come.
const SAID_AGAIN_WITHIN: MediaTime = MediaTime::from_millis(30_000);

impl Cue {
    /// Within so long a command for the same event that leads to the same side says this one again: a break that is to
    /// last longer, for as long as that.
    pub fn said_again_within(&self) -> MediaTime {
        self.planned.unwrap_or_default().max(SAID_AGAIN_WITHIN)
    }

    /// How long the break lasts that it begins, if that ends by itself.
    pub fn returns_after(&self) -> Option<MediaTime> {
        let splice = self.splice.as_ref()?;
        let returns = splice.side == Side::Out && splice.auto_return;
        self.planned.filter(|_| returns)
    }

    fn cost(&self) -> usize {
        let attributes = self.attributes.iter();
        let text: usize = attributes
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let splice = self.splice.as_ref();
        size_of::<Self>() + text + splice.map_or(0, |splice| splice.section.len())
    }
}

/// An SCTE-35 command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where it leads.
    pub side: Side,
    /// The number of what begins or ends, as the encoder counts: a break and the return from it have the same.
    pub event: Option<u32>,
    /// A break that it begins ends as planned, and no command says so (`auto_return`, ANSI/SCTE 35 §9.8.2).
    pub auto_return: bool,
    /// The `splice_info_section` as the encoder sent it, with its CRC.
    pub section: Bytes,
}

/// Where an SCTE-35 command leads (rfc8216bis §4.4.5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Out of the programme, into a break (SCTE35-OUT).
    Out,
    /// Back into the programme (SCTE35-IN).
    In,
    /// What the event was to be is taken back; a break that has begun is over (SCTE35-CMD).
    Cancel,
    /// Neither, or that cannot be said (SCTE35-CMD).
    Command,
}
