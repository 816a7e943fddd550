//! What a scripted publisher has to send: a clip, read into messages, that goes on for ever.

use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Unit};
use crate::clip::Clip;

/// FLV header and the first PreviousTagSize (FLV 10.1 §E.2).
const FLV_HEADER: usize = 9 + 4;
/// Type, size of the body, timestamp, stream id (§E.4.1).
const TAG_HEADER: usize = 11;
const PREVIOUS_TAG_SIZE: usize = 4;
/// Samples in an AAC frame.
const AAC_SAMPLES: u64 = 1024;

/// A clip's messages. Each track repeats without a gap: `x264` closes its GOPs, so that all of it decodes.
#[derive(Clone, Debug)]
pub struct Material {
    metadata: Option<Arc<[u8]>>,
    tracks: Vec<Arc<Track>>,
}

#[derive(Debug)]
struct Track {
    kind: Kind,
    header: Arc<[u8]>,
    units: Vec<Arc<[u8]>>,
    /// When the first one is decoded, in milliseconds.
    first_ms: i64,
    /// How many units there are in how many seconds.
    rate: (u64, u64),
}

impl Track {
    /// The timestamp of the unit with this index, rounded as RTMP has it.
    fn time_ms(&self, index: u64) -> i64 {
        let (units, seconds) = self.rate;
        let ms = (index * seconds * 1_000 + units / 2) / units;
        self.first_ms + i64::try_from(ms).expect("within the lifetime of a test")
    }
}

impl Material {
    /// The messages of a clip of H.264, AAC, or both. Its length is a whole number of GOPs.
    ///
    /// # Panics
    /// ffmpeg cannot make it.
    pub fn of(clip: &Clip) -> Self {
        let flv = std::fs::read(clip.file()).expect("the clip is there");
        let tags = tags(&flv);
        let track = |kind: Kind, rate: (u64, u64)| {
            let mine = || tags.iter().filter(|tag| tag.kind == kind);
            let header = mine().find(|tag| tag.is_header())?;
            let mut units: Vec<_> = mine().filter(|tag| tag.is_media()).collect();
            // An AAC encoder gives a frame more than went in.
            units.truncate(usize::try_from(u64::from(clip.seconds) * rate.0 / rate.1).ok()?);
            Some(Arc::new(Track {
                kind,
                header: header.body.clone(),
                first_ms: units.first()?.timestamp_ms,
                units: units.iter().map(|unit| unit.body.clone()).collect(),
                rate,
            }))
        };
        let video = clip.video.map(|video| fraction(video.rate));
        let audio = clip
            .audio
            .map(|audio| (u64::from(audio.sample_rate), AAC_SAMPLES));
        let tracks = [(Kind::Video, video), (Kind::Audio, audio)];
        Self {
            metadata: tags
                .iter()
                .find(|tag| tag.kind == Kind::Data)
                .map(|tag| tag.body.clone()),
            tracks: tracks
                .into_iter()
                .filter_map(|(kind, rate)| track(kind, rate?))
                .collect(),
        }
    }

    /// `onMetaData` and the sequence headers, as encoders begin: at 0.
    pub fn headers(&self) -> Vec<Unit> {
        let metadata = self.metadata.iter().map(|body| (Kind::Data, body));
        let headers = self.tracks.iter().map(|track| (track.kind, &track.header));
        metadata
            .chain(headers)
            .map(|(kind, body)| Unit {
                kind,
                timestamp_ms: 0,
                body: body.clone(),
                at: Duration::ZERO,
            })
            .collect()
    }

    /// A track's sequence header.
    ///
    /// # Panics
    /// There is no such track.
    pub fn header(&self, kind: Kind) -> Unit {
        let mut headers = self.headers().into_iter();
        let header = headers.find(|unit| unit.kind == kind && unit.is_header());
        header.expect("the clip has this track")
    }

    /// The access units without headers, by decode time, without end; due at their media time.
    pub fn units(&self) -> impl Iterator<Item = Unit> + Send + use<> {
        let mut cursors: Vec<_> = self.tracks.iter().map(|track| (track.clone(), 0)).collect();
        std::iter::from_fn(move || {
            let next = cursors
                .iter_mut()
                .min_by_key(|(track, index)| track.time_ms(*index))?;
            let (track, index) = next;
            let timestamp_ms = track.time_ms(*index);
            let length = track.units.len() as u64;
            let body = &track.units[usize::try_from(*index % length).ok()?];
            *index += 1;
            Some(Unit {
                kind: track.kind,
                timestamp_ms,
                body: body.clone(),
                at: Duration::from_millis(timestamp_ms.unsigned_abs()),
            })
        })
    }

    /// Headers, then access units, without end.
    pub fn endless(&self) -> impl Iterator<Item = Unit> + Send + use<> {
        self.headers().into_iter().chain(self.units())
    }

    /// Headers, then the access units of this many milliseconds.
    pub fn play(&self, ms: u64) -> impl Iterator<Item = Unit> + Send + use<> {
        self.part(0, ms)
    }

    /// Headers, then the access units from one media time to another, in milliseconds: as if another
    /// encoder took over from one that has played up to there.
    pub fn part(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Unit> + Send + use<> {
        let (from, to) = (Duration::from_millis(from_ms), Duration::from_millis(to_ms));
        let units = self.units().skip_while(move |unit| unit.at < from);
        let units = units.take_while(move |unit| unit.at < to);
        let headers = self.headers().into_iter().map(move |header| Unit {
            timestamp_ms: i64::try_from(from_ms).expect("within the lifetime of a test"),
            at: from,
            ..header
        });
        headers.chain(units)
    }
}

/// `30000/1001` or `25`.
fn fraction(rate: &str) -> (u64, u64) {
    let (above, below) = rate.split_once('/').unwrap_or((rate, "1"));
    let number = |text: &str| text.parse().expect("a rate is a fraction of numbers");
    (number(above), number(below))
}

/// The tags of an FLV file that ffmpeg wrote.
fn tags(flv: &[u8]) -> Vec<Unit> {
    let mut tags = Vec::new();
    let mut rest = &flv[FLV_HEADER..];
    while let Some((&[kind, s0, s1, s2, t0, t1, t2, t3, ..], _)) =
        rest.split_first_chunk::<TAG_HEADER>()
    {
        let size = u32::from_be_bytes([0, s0, s1, s2]) as usize;
        let timestamp_ms = i64::from(u32::from_be_bytes([t3, t0, t1, t2]));
        let kind = match kind {
            8 => Kind::Audio,
            9 => Kind::Video,
            _ => Kind::Data,
        };
        tags.push(Unit {
            kind,
            timestamp_ms,
            body: rest[TAG_HEADER..TAG_HEADER + size].into(),
            at: Duration::from_millis(timestamp_ms.unsigned_abs()),
        });
        rest = &rest[TAG_HEADER + size + PREVIOUS_TAG_SIZE..];
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_is_the_file_and_the_next_ones_go_on_from_it() {
        let clip = Clip::usual(8);
        let material = Material::of(&clip);
        let file = tags(&std::fs::read(clip.file()).expect("the clip is there"));
        for kind in [Kind::Video, Kind::Audio] {
            let in_file = file.iter().filter(|tag| tag.kind == kind && tag.is_media());
            let of_kind = || material.units().filter(move |unit| unit.kind == kind);
            let round = if kind == Kind::Video { 200 } else { 375 };
            for (before, after) in in_file.zip(of_kind()).take(round) {
                let apart = before.timestamp_ms.abs_diff(after.timestamp_ms);
                assert!(before.body == after.body && apart <= 1, "{after:?}");
            }
            for (first, second) in of_kind().zip(of_kind().skip(round)).take(round) {
                assert_eq!(second.timestamp_ms - first.timestamp_ms, 8_000);
                assert_eq!(second.body, first.body);
            }
        }
        let first = material.units().find(|unit| unit.kind == Kind::Video);
        assert!(first.expect("a picture").is_random_access());
        assert!(material.headers().iter().all(|unit| !unit.is_media()));
    }

    #[test]
    fn composition_times_are_signed() {
        let mut units = Material::of(&Clip::usual(8)).units();
        let picture = units.find(|unit| unit.kind == Kind::Video).expect("one");
        for ms in [-1, 0, 40, -8_388_607, 8_388_607] {
            assert_eq!(picture.clone().composed(ms).composition_ms(), ms);
        }
    }
}
