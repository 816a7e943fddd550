//! The tracks of a publish, each with the configuration in force: bodies in, access units out.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::codec::{Av1, Colour, ConfigurationError};
use media::{Codec, Fault, FaultKind, TrackKind};

use super::body::{Body, FourCc, Packet};
use super::carried::{Configured, Head, configured};
use super::entry::entry;
use super::unsupported::Unsupported;
use super::{Entry, ReadColour, enhanced, malformed};
use crate::per_kind::word;

/// The tracks of one kind. They come about with the first body of a codec that is carried.
#[derive(Debug)]
pub(super) struct Tracks {
    kind: TrackKind,
    tracks: Vec<Track>,
    /// How colours are read.
    read_colour: Option<ReadColour>,
    /// Those of tracks that are not there yet: OBS says them before the parameter sets.
    early_colours: Vec<(u8, FourCc, Colour)>,
    too_many_reported: bool,
}

#[derive(Debug)]
struct Track {
    label: Label,
    current: Option<Configuration>,
    /// Those of the last MultichannelConfig.
    channels: Option<u8>,
    /// What the last Metadata said.
    colour: Option<Colour>,
    early_reported: bool,
}

/// What a track is called in a fault: without its number where there is only one.
#[derive(Clone, Copy, Debug)]
struct Label {
    kind: TrackKind,
    track: u8,
}

#[derive(Debug)]
struct Configuration {
    four_cc: FourCc,
    /// The body of SequenceStart; empty if there was none.
    record: Bytes,
    head: Head,
    /// `None` before the first access unit that tells the rest.
    codec: Option<Arc<Codec>>,
}

/// An access unit before it has its time.
pub(super) struct Found {
    pub(super) track: u8,
    pub(super) codec: Arc<Codec>,
    pub(super) composition_ms: i32,
    pub(super) nanos: u32,
    pub(super) entry: Entry,
    pub(super) payload: Bytes,
}

impl Tracks {
    pub(super) const fn new(kind: TrackKind) -> Self {
        Self {
            kind,
            tracks: Vec::new(),
            read_colour: None,
            early_colours: Vec::new(),
            too_many_reported: false,
        }
    }

    /// Colours are read by `read`.
    pub(super) const fn read_colour(&mut self, read: ReadColour) {
        self.read_colour = Some(read);
    }

    /// Takes a body; an access unit comes out if it is one and its track is configured.
    pub(super) fn take(
        &mut self,
        body: Body,
        unsupported: &mut Unsupported,
    ) -> Result<Option<Found>, Fault> {
        let composition_ms = match body.packet {
            Packet::CodedFrames { composition_ms } => Some(composition_ms),
            Packet::SequenceStart => None,
            Packet::Mpeg2TsSequenceStart => {
                return unsupported.mpeg2_ts_sequence_start().map(|()| None);
            }
            Packet::SequenceEnd => return Ok(None),
            Packet::Metadata => {
                self.colour(&body);
                return Ok(None);
            }
            Packet::MultichannelConfig => return self.channels(&body),
        };
        let Some(how) = configured(self.kind, body.codec) else {
            return unsupported.codec(self.kind, body.codec).map(|()| None);
        };
        let early = self.early_colour(&body);
        let Some(track) = self.track(body.track) else {
            if std::mem::replace(&mut self.too_many_reported, true) {
                return Ok(None);
            }
            return Err(malformed(format!(
                "{} track {} is one more than the {} that are taken; dropped",
                word(self.kind),
                body.track,
                enhanced::MAX_TRACKS,
            )));
        };
        if let Some(colour) = early {
            track.set_colour(colour);
        }
        match composition_ms {
            None => track.configure(&body, how).map(|()| None),
            Some(composition_ms) => track.unit(body, how, composition_ms),
        }
    }

    /// How many channels a track has: FFmpeg 9 says it behind every SequenceStart of sound. Most configurations say it
    /// themselves.
    fn channels(&mut self, body: &Body) -> Result<Option<Found>, Fault> {
        let mut tracks = self.tracks.iter_mut();
        let known = tracks.find(|known| known.label.track == body.track);
        let how = configured(self.kind, body.codec);
        // AudioChannelOrder stands before them.
        if let (Some(track), Some(how), Some(&channels)) = (known, how, body.payload.get(1)) {
            track.set_channels(body.codec, how, channels)?;
        }
        Ok(None)
    }

    /// What colours a track has, which its parameter sets may not say. It makes no track: FFmpeg 9 sends those of track 1
    /// without its number, behind its parameter sets.
    fn colour(&mut self, body: &Body) {
        let Some(colour) = self.read_colour.and_then(|read| read(&body.payload)) else {
            return;
        };
        let is_of = |track: &Track| {
            let current = track.current.as_ref();
            current.is_some_and(|current| current.four_cc == body.codec)
        };
        let is_it = |track: &Track| is_of(track) && track.label.track == body.track;
        let at = self.tracks.iter().position(is_it);
        let at = at.or_else(|| self.tracks.iter().position(is_of));
        if let Some(track) = at.and_then(|at| self.tracks.get_mut(at)) {
            return track.set_colour(colour);
        }
        self.early_colour(body);
        if self.early_colours.len() < enhanced::MAX_TRACKS as usize {
            self.early_colours.push((body.track, body.codec, colour));
        }
    }

    /// Takes what was said ahead of the track of this body.
    fn early_colour(&mut self, body: &Body) -> Option<Colour> {
        let mut all = self.early_colours.iter();
        let at = all.position(|&(track, codec, _)| (track, codec) == (body.track, body.codec))?;
        Some(self.early_colours.swap_remove(at).2)
    }

    fn track(&mut self, id: u8) -> Option<&mut Track> {
        let known = self.tracks.iter().position(|known| known.label.track == id);
        let at = match known {
            Some(at) => at,
            None if self.tracks.len() >= enhanced::MAX_TRACKS as usize => return None,
            None => {
                let kind = self.kind;
                self.tracks.push(Track {
                    label: Label { kind, track: id },
                    current: None,
                    channels: None,
                    colour: None,
                    early_reported: false,
                });
                self.tracks.len() - 1
            }
        };
        self.tracks.get_mut(at)
    }
}

impl Track {
    fn configure(&mut self, body: &Body, how: Configured) -> Result<(), Fault> {
        // Encoders repeat the same header, some before every IDR picture.
        let is_repeated = |current: &Configuration| {
            current.four_cc == body.codec && current.record == body.payload
        };
        // FFmpeg 9 with libaom sends an empty one ahead of the real one.
        let is_announcement = body.codec == FourCc::AV1 && body.payload.is_empty();
        if self.current.as_ref().is_some_and(is_repeated) || is_announcement {
            return Ok(());
        }
        // It stays for as long as the publish, and its message may have held much else.
        let record = Bytes::copy_from_slice(&body.payload);
        let head = how.read(&record, self.channels);
        if let Some(head) = head.map_err(|error| self.bad_configuration(&error))? {
            let mut configuration = Configuration::new(body.codec, record, head);
            configuration.paint(self.colour);
            self.current = Some(configuration);
        }
        Ok(())
    }

    fn set_colour(&mut self, colour: Colour) {
        let colour = Some(colour).filter(Colour::is_specified);
        if std::mem::replace(&mut self.colour, colour) != colour
            && let Some(current) = &mut self.current
        {
            current.paint(colour);
        }
    }

    fn set_channels(&mut self, codec: FourCc, how: Configured, channels: u8) -> Result<(), Fault> {
        if self.channels.replace(channels) == Some(channels) {
            return Ok(());
        }
        let is_without_record =
            |current: &mut Configuration| current.four_cc == codec && current.record.is_empty();
        if !matches!(how, Configured::WithOrWithoutRecord(_))
            || self.current.take_if(is_without_record).is_none()
        {
            return Ok(());
        }
        let head = how.read(&Bytes::new(), self.channels);
        let head = head.map_err(|error| self.bad_configuration(&error))?;
        self.current = head.map(|head| Configuration::new(codec, Bytes::new(), head));
        Ok(())
    }

    fn unit(
        &mut self,
        body: Body,
        how: Configured,
        composition_ms: i32,
    ) -> Result<Option<Found>, Fault> {
        let payload = match body.codec {
            FourCc::AV1 => Av1::sample(&body.payload),
            _ => body.payload,
        };
        if payload.is_empty() {
            return match self.label.kind {
                // FFmpeg 9 ends a track with one.
                TrackKind::Audio => Ok(None),
                TrackKind::Video => Err(malformed(format!(
                    "a message of {} has an access unit of 0 bytes; dropped",
                    self.label
                ))),
            };
        }
        if self.current.as_ref().map(|current| current.four_cc) != Some(body.codec) {
            let Some(head) = how.assumed(self.channels) else {
                return self.early(body.codec).map(|()| None);
            };
            self.current = Some(Configuration::new(body.codec, Bytes::new(), head));
        }
        let Some(current) = &mut self.current else {
            return Ok(None);
        };
        let codec = current.told_by(&payload, self.colour).map_err(|error| {
            malformed(format!("a message of {} was dropped: {error}", self.label))
        })?;
        let Some(codec) = codec else {
            return self.early(body.codec).map(|()| None);
        };
        let entry = entry(&codec, &payload, body.announced)?;
        Ok(Some(Found {
            track: body.track,
            codec,
            composition_ms,
            nanos: body.nanos,
            entry,
            payload,
        }))
    }

    fn early(&mut self, codec: FourCc) -> Result<(), Fault> {
        if std::mem::replace(&mut self.early_reported, true) {
            return Ok(());
        }
        let what = match codec {
            // Its size is part of it.
            FourCc::VP9 => "VP9 sequence header and key frame".to_owned(),
            _ => format!("{} sequence header", codec.name().unwrap_or("its")),
        };
        Err(Fault {
            kind: FaultKind::EarlyMedia,
            text: format!(
                "{} came before its configuration ({what}); dropped until it comes",
                self.label,
            ),
        })
    }

    fn bad_configuration(&self, error: &ConfigurationError) -> Fault {
        let before = match self.current {
            None => "",
            Some(_) => ", the one before stays",
        };
        Fault {
            kind: FaultKind::BadConfiguration,
            text: format!("unusable configuration of {}{before}: {error}", self.label),
        }
    }
}

impl Configuration {
    fn new(four_cc: FourCc, record: Bytes, head: Head) -> Self {
        let codec = match &head {
            Head::Whole(codec) => Some(Arc::new(codec.clone())),
            _ => None,
        };
        Self {
            four_cc,
            record,
            head,
            codec,
        }
    }

    /// It has `colour` where it says none.
    fn paint(&mut self, colour: Option<Colour>) {
        if let Head::Whole(codec) = &self.head {
            self.codec = Some(Arc::new(codec.clone().or_colour(colour)));
        }
    }

    /// The configuration of `unit`, which has `colour` if it says none: the one in force, if it says nothing else.
    fn told_by(
        &mut self,
        unit: &[u8],
        colour: Option<Colour>,
    ) -> Result<Option<Arc<Codec>>, ConfigurationError> {
        let told = self.head.told_by(unit)?;
        let told = told.map(|told| told.or_colour(colour));
        if let Some(told) = told.filter(|told| self.codec.as_deref() != Some(told)) {
            self.codec = Some(Arc::new(told));
        }
        Ok(self.codec.clone())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.track {
            0 => f.write_str(word(self.kind)),
            track => write!(f, "{} track {track}", word(self.kind)),
        }
    }
}
