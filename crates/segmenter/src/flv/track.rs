//! The tracks of a publish, each with the configuration in force: bodies in, access units out.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::codec::ConfigurationError;
use media::{Codec, Fault, FaultKind, TrackKind};

use super::body::{Body, FourCc, Packet};
use super::carried::{Configured, configured};
use super::entry::entry;
use super::unsupported::Unsupported;
use super::{Entry, enhanced, malformed};
use crate::per_kind::word;

/// The tracks of one kind. They come about with the first body of a codec that is carried.
#[derive(Debug)]
pub(super) struct Tracks {
    kind: TrackKind,
    tracks: Vec<Track>,
    too_many_reported: bool,
}

#[derive(Debug)]
struct Track {
    label: Label,
    current: Option<Configuration>,
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
    /// The bytes it was read from; empty if it is read from each access unit.
    record: Bytes,
    codec: Arc<Codec>,
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
            too_many_reported: false,
        }
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
            // The channels are in each configuration that is carried, and colours in the parameter sets. Neither these
            // nor an end make a track: FFmpeg 9 sends the colours of track 1 without its number.
            Packet::SequenceEnd | Packet::Metadata | Packet::MultichannelConfig => return Ok(None),
        };
        let Some(how) = configured(self.kind, body.codec) else {
            return unsupported.codec(self.kind, body.codec).map(|()| None);
        };
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
        match composition_ms {
            None => track.configure(body, how).map(|()| None),
            Some(composition_ms) => track.unit(body, how, composition_ms),
        }
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
                    early_reported: false,
                });
                self.tracks.len() - 1
            }
        };
        self.tracks.get_mut(at)
    }
}

impl Track {
    fn configure(&mut self, body: Body, how: Configured) -> Result<(), Fault> {
        let Configured::ByRecord(parse) = how else {
            return Ok(());
        };
        // Encoders repeat the same header, some before every IDR picture.
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.four_cc == body.codec && current.record == body.payload)
        {
            return Ok(());
        }
        let codec = parse(body.payload.clone()).map_err(|error| self.bad_configuration(&error))?;
        self.current = Some(Configuration {
            four_cc: body.codec,
            record: body.payload,
            codec: Arc::new(codec),
        });
        Ok(())
    }

    fn unit(
        &mut self,
        body: Body,
        how: Configured,
        composition_ms: i32,
    ) -> Result<Option<Found>, Fault> {
        if body.payload.is_empty() {
            return match self.label.kind {
                // FFmpeg 9 ends a track with one.
                TrackKind::Audio => Ok(None),
                TrackKind::Video => Err(malformed(format!(
                    "a message of {} has an access unit of 0 bytes; dropped",
                    self.label
                ))),
            };
        }
        let codec = match how {
            Configured::ByRecord(_) => match &self.current {
                Some(current) if current.four_cc == body.codec => Arc::clone(&current.codec),
                _ => return self.early(body.codec).map(|()| None),
            },
            Configured::ByUnit(parse) => {
                let codec = parse(body.payload.clone()).map_err(|error| {
                    malformed(format!("a message of {} was dropped: {error}", self.label))
                })?;
                self.told_by_unit(body.codec, codec)
            }
        };
        let entry = entry(&codec, &body.payload, body.announced)?;
        Ok(Some(Found {
            track: body.track,
            codec,
            composition_ms,
            nanos: body.nanos,
            entry,
            payload: body.payload,
        }))
    }

    /// The configuration that an access unit has told, which is the one in force if it says the same.
    fn told_by_unit(&mut self, four_cc: FourCc, codec: Codec) -> Arc<Codec> {
        match &self.current {
            Some(current) if *current.codec == codec => Arc::clone(&current.codec),
            _ => {
                let codec = Arc::new(codec);
                self.current = Some(Configuration {
                    four_cc,
                    record: Bytes::new(),
                    codec: Arc::clone(&codec),
                });
                codec
            }
        }
    }

    fn early(&mut self, codec: FourCc) -> Result<(), Fault> {
        if std::mem::replace(&mut self.early_reported, true) {
            return Ok(());
        }
        Err(Fault {
            kind: FaultKind::EarlyMedia,
            text: format!(
                "{} came before its configuration ({} sequence header); dropped until it comes",
                self.label,
                codec.name().unwrap_or("its"),
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

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.track {
            0 => f.write_str(word(self.kind)),
            track => write!(f, "{} track {track}", word(self.kind)),
        }
    }
}
