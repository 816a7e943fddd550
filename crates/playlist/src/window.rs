//! One moment of a rendition: the segments on hand and the playlist texts that list them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use media::{MediaTime, Name, Rendition, Segment, Track, TrackKind};

use crate::date_ranges::DateRanges;
use crate::measured::Measured;
use crate::multivariant::{Variant, newest};
use crate::slide::{Held, Removed};
use crate::{RENDITION, TargetDuration, Text};
use crate::{i_frames, media_playlist, packed_audio};

/// What an access unit costs beside its payload, bytes: its entry in the segment, and its share of an
/// allocation.
pub(crate) const UNIT_COST: u64 = 128;

/// A segment with its place in the rendition and the container bodies made from it so far.
#[derive(Debug)]
pub struct Entry {
    /// Media sequence number: never used twice under one presentation name.
    pub sequence: u64,
    /// Discontinuity sequence number: how many discontinuities came up to and including this segment.
    pub discontinuity_sequence: u64,
    /// The segment itself.
    pub segment: Segment,
    /// Which presentation of its name listed it first.
    pub epoch: u32,
    /// Its URI, relative to the playlist.
    pub uri: String,
    /// Its lines in the media playlist.
    pub(crate) text: String,
    /// Bytes of its access units with what goes with each, bodies not counted.
    pub(crate) cost: u64,
    /// When it was listed, by the monotonic clock.
    pub(crate) listed_at: Instant,
    mpeg_ts: Mutex<Option<Bytes>>,
}

impl Entry {
    pub(crate) fn new(
        sequence: u64,
        discontinuity_sequence: u64,
        segment: Segment,
        epoch: u32,
        listed_at: Instant,
    ) -> Self {
        let uri = format!("{RENDITION}-{epoch:08x}-{sequence}.ts");
        let text = media_playlist::segment_lines(&segment, Some(segment.date), &uri);
        let cost = segment.payload_bytes() + UNIT_COST * segment.units.len() as u64;
        Self {
            sequence,
            discontinuity_sequence,
            segment,
            epoch,
            uri,
            text,
            cost,
            listed_at,
            mpeg_ts: Mutex::default(),
        }
    }

    /// The segment as MPEG-TS: `mux` runs for the first reader, and all others share the result while the
    /// segment is among the newest. Whoever asks later has it made again, for all who ask until the next
    /// segment is listed: that costs less than holding every segment twice.
    pub fn mpeg_ts(&self, mux: impl FnOnce(&Segment) -> Bytes) -> Bytes {
        self.body()
            .get_or_insert_with(|| mux(&self.segment))
            .clone()
    }

    /// Lets the bodies go that readers do not hold themselves.
    pub(crate) fn let_bodies_go(&self) {
        *self.body() = None;
    }

    /// A body is there or not; a panic while it was made leaves it out.
    fn body(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.mpeg_ts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held for Entry {
    fn duration(&self) -> MediaTime {
        self.segment.duration
    }

    fn listed_at(&self) -> Instant {
        self.listed_at
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    /// Its container is made for whoever asks.
    fn listed_cost(&self) -> u64 {
        self.cost + self.segment.ts.bytes
    }
}

/// What segments are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// MPEG-TS.
    #[default]
    MpegTs,
    /// CMAF: the only one for codecs that have no place in MPEG-TS.
    Cmaf,
}

/// An immutable snapshot of a rendition; a new one replaces it at every change.
#[derive(Debug, Default)]
pub struct Window {
    /// Oldest first; sequence numbers rise by one from here into `listed`.
    pub(crate) removed: VecDeque<Removed<Entry>>,
    pub(crate) listed: VecDeque<Arc<Entry>>,
    pub(crate) ranges: DateRanges,
    pub(crate) target: Option<TargetDuration>,
    pub(crate) playlist: Text,
    pub(crate) multivariant: Text,
    pub(crate) alias: Text,
    pub(crate) i_frames: OnceLock<Text>,
    pub(crate) packed_audio: OnceLock<Text>,
    pub(crate) measured: Measured,
    pub(crate) container: Container,
    pub(crate) ended: bool,
    pub(crate) shortened: bool,
}

impl Window {
    /// Something is listed: the playlists can be served.
    pub fn is_ready(&self) -> bool {
        !self.listed.is_empty()
    }

    /// It is known whether it can be played, and in what: it is, it never will be, or it is in CMAF.
    pub fn is_settled(&self) -> bool {
        self.is_ready() || self.ended || self.container == Container::Cmaf
    }

    /// The media playlist carries EXT-X-ENDLIST: nothing will change any more.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// What the presentation is in, as of the last that was listed of it in any form. If that is CMAF, nothing more comes
    /// into this window, and the low-latency one has it.
    pub fn container(&self) -> Container {
        self.container
    }

    /// Its last segment had to take the place of others before their time: all together would have held too
    /// many bytes.
    pub fn is_shortened(&self) -> bool {
        self.shortened
    }

    /// The segments of the media playlist, oldest first; of one that began anew, also those that it goes on from.
    pub fn listed(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> + DoubleEndedIterator {
        self.listed.iter()
    }

    /// The wall clock at the end of what is listed.
    pub fn listed_until(&self) -> Option<SystemTime> {
        let last = &self.listed.back()?.segment;
        Some(last.date + last.duration.to_duration())
    }

    /// When the newest segment was listed, by the monotonic clock.
    pub fn last_listed(&self) -> Option<Instant> {
        Some(self.listed.back()?.listed_at)
    }

    /// Nobody is expected to ask for what is here soon: lets go of the bodies that readers do not hold themselves.
    pub(crate) fn let_bodies_go(&self) {
        let removed = self.removed.iter().map(|removed| &removed.entry);
        let all = self.listed.iter().chain(removed);
        all.for_each(|entry| entry.let_bodies_go());
    }

    /// The segment with this media sequence number, listed or recently removed.
    pub fn entry(&self, sequence: u64) -> Option<&Arc<Entry>> {
        let first = self
            .removed
            .front()
            .map(|removed| &removed.entry)
            .or(self.listed.front())?;
        let at = usize::try_from(sequence.checked_sub(first.sequence)?).ok()?;
        match self.removed.get(at) {
            Some(removed) => Some(&removed.entry),
            None => self.listed.get(at - self.removed.len()),
        }
    }

    /// The target duration, once the first segment is listed.
    pub fn target_duration(&self) -> Option<TargetDuration> {
        self.target
    }

    /// Its variant, called `name`; `folder` goes before the URI.
    pub(crate) fn variant(&self, folder: &str, name: &Name) -> Variant<'_> {
        Variant {
            tracks: self.tracks(),
            measured: self.measured,
            id: name.to_string(),
            uri: media_playlist::uri(folder),
            i_frames: Some(i_frames::uri(folder)),
            hears: None,
        }
    }

    /// A variant of its sound alone, where it has some beside pictures; `folder` goes before the URI.
    pub(crate) fn sound_variant(&self, folder: &str, name: &Name) -> Option<Variant<'_>> {
        let measured = self.measured.of_sound();
        let tracks = self.tracks();
        let [_picture, sound] = *tracks else {
            return None;
        };
        (!measured.all.is_nothing()).then(|| Variant {
            tracks: vec![sound],
            measured,
            id: format!("{name}/{}", Rendition::Audio.name()),
            uri: packed_audio::uri(folder),
            i_frames: None,
            hears: None,
        })
    }

    /// The track of its sound.
    pub(crate) fn sound_track(&self) -> Option<&Track> {
        let mut tracks = self.tracks().into_iter();
        tracks.find(|track| track.kind() == TrackKind::Audio)
    }

    fn tracks(&self) -> Vec<&Track> {
        newest(self.listed.iter().map(|entry| &*entry.segment.tracks))
    }

    /// The media playlist; empty before [`Window::is_ready`].
    pub fn playlist(&self) -> &Text {
        &self.playlist
    }

    /// The I-frame playlist, made when it is first asked for; `None` where there was no key picture so far.
    pub fn i_frames(&self) -> Option<&Text> {
        let target = self.target.filter(|_| self.is_ready())?;
        if self.measured.key_pictures.is_nothing() {
            return None;
        }
        let make = || {
            let independent = self.measured.is_independent();
            let text = i_frames::render(&self.listed, target, independent, self.ended);
            Text::new(text, format!("{}-i", self.playlist.tag()))
        };
        Some(self.i_frames.get_or_init(make))
    }

    /// The playlist of its sound alone, made when it is first asked for; `None` where there was none so far.
    pub fn packed_audio(&self) -> Option<&Text> {
        let target = self.target.filter(|_| self.is_ready())?;
        if self.measured.sound.is_nothing() {
            return None;
        }
        let make = || {
            let text = packed_audio::render(&self.listed, &self.ranges, target, self.ended);
            Text::new(text, format!("{}-a", self.playlist.tag()))
        };
        Some(self.packed_audio.get_or_init(make))
    }

    /// The multivariant playlist; empty before [`Window::is_ready`].
    pub fn multivariant(&self) -> &Text {
        &self.multivariant
    }

    /// The multivariant playlist for `/{app}/{name}.m3u8`, one folder above: its URIs begin with the name.
    pub fn alias(&self) -> &Text {
        &self.alias
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use media::codec::{Aac, H264};
    use media::{AccessUnit, Captions, Codec, MediaTime, Track, TsLayout};
    use std::time::{Duration, UNIX_EPOCH};

    /// x264, 1280×720, High 3.1.
    pub(crate) const AVC: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40,
        0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0,
        0xf1, 0x83, 0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0,
    ];

    fn aac() -> Track {
        Track {
            codec: Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC LC")),
        }
    }

    fn h264() -> Track {
        Track {
            codec: Codec::H264(H264::parse(Bytes::from_static(AVC)).expect("x264")),
        }
    }

    fn unit(track: usize, at: MediaTime) -> AccessUnit {
        let payload = Bytes::from_static(&[0; 4]);
        AccessUnit {
            track,
            dts: at,
            composition: MediaTime::ZERO,
            random_access: true,
            payload,
        }
    }

    /// A segment of audio alone, 128 kbit/s, that starts `sequence` times two seconds into the day.
    pub(crate) fn segment(sequence: u64, millis: i64) -> Segment {
        let start = MediaTime::from_ticks(2 * i64::try_from(sequence).expect("small"), 1);
        Segment {
            tracks: Arc::from([aac()]),
            units: vec![unit(0, start)],
            events: Vec::new(),
            start,
            duration: MediaTime::from_millis(millis),
            date: UNIX_EPOCH + Duration::from_secs(1_795_392_000 + 2 * sequence),
            independent: true,
            discontinuity: false,
            captions: Captions::NONE,
            ts: TsLayout {
                bytes: u64::try_from(millis).expect("positive") * 16,
                ..TsLayout::default()
            },
        }
    }

    pub(crate) fn listed(sequence: u64, discontinuities: u64, segment: Segment) -> Arc<Entry> {
        Arc::new(Entry::new(
            sequence,
            discontinuities,
            segment,
            0xe1,
            Instant::now(),
        ))
    }

    pub(crate) fn entry(sequence: u64, discontinuities: u64, millis: i64) -> Arc<Entry> {
        listed(sequence, discontinuities, segment(sequence, millis))
    }

    /// 60 pictures and a little sound in a segment of `bytes`.
    pub(crate) fn video_segment(sequence: u64, millis: i64, bytes: u64) -> Segment {
        let mut segment = segment(sequence, millis);
        segment.tracks = Arc::from([h264(), aac()]);
        segment.units = (0..60)
            .map(|n| unit(0, segment.start + MediaTime::from_millis(n * 33)))
            .chain([unit(1, segment.start)])
            .collect();
        segment.ts.bytes = bytes;
        segment
    }

    #[test]
    fn segments_are_found_by_number_listed_or_not() {
        let removed = (10..13).map(|n| Removed {
            entry: entry(n, 0, 2_000),
            until: Instant::now(),
        });
        let window = Window {
            removed: removed.collect(),
            listed: (13..16).map(|n| entry(n, 0, 2_000)).collect(),
            ..Window::default()
        };
        for sequence in 10..16 {
            assert_eq!(
                window.entry(sequence).map(|entry| entry.sequence),
                Some(sequence)
            );
        }
        assert!(
            window.entry(9).is_none()
                && window.entry(16).is_none()
                && window.entry(u64::MAX).is_none()
        );
    }
}
