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
    /// What playlists say of it, if it is a cue point.
    pub cue: Option<Cue>,
}

impl Event {
    /// What event messages of ISO/IEC 23009-1 call such tags, in segments (`emsg`) and in descriptions: the scheme of
    /// AOM's "Carriage of ID3 Timed Metadata in CMAF". Their value is empty.
    pub const SCHEME: &str = "https://aomedia.org/emsg/ID3";

    /// What it costs while it is held, bytes.
    pub fn cost(&self) -> usize {
        let cue = self.cue.as_ref().map_or(0, Cue::cost);
        size_of::<Self>() + self.tag.len() + cue
    }

    /// A segment begins with it, at the first random access from there on.
    pub fn begins_segment(&self) -> bool {
        let splice = self.cue.as_ref().and_then(|cue| cue.splice.as_ref());
        splice.is_some_and(|splice| splice.side != Side::Command)
    }
}

/// A cue point, as a date range of playlists (rfc8216bis §4.4.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The attribute ID: never used for anything else. The return from a break that is listed has that of the break.
    pub id: String,
    /// The attribute CLASS; none where a splice makes the meaning plain.
    pub class: Option<&'static str>,
    /// How long it is to last, as far as the encoder said.
    pub planned: Option<MediaTime>,
    /// Its SCTE-35 command.
    pub splice: Option<Splice>,
    /// Further attributes: names that begin with `X-`, each once, and values that can stand in a quoted string.
    pub attributes: Vec<(String, String)>,
}

impl Cue {
    fn cost(&self) -> usize {
        let attributes = self.attributes.iter();
        let text: usize = attributes
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let splice = self.splice.as_ref();
        self.id.len() + text + splice.map_or(0, |splice| splice.section.len())
    }
}

/// An SCTE-35 command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where it leads.
    pub side: Side,
    /// The number of what begins or ends, as the encoder counts: a break and the return from it have the same.
    pub event: Option<u32>,
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
    /// Neither, or that cannot be said (SCTE35-CMD).
    Command,
}
