//! Movie fragments: what stands before the payloads (ISO/IEC 14496-12 §8.8), and in which order those follow.
//!
//! What does not belong here: the boxes of timed metadata (`cmaf/event.rs`).

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use media::{AccessUnit, Part, Rendition, TimedEvent, Track, TrackKind};

use super::boxes::Boxes;
use super::event;
use super::{rate, ticks, track_id};

const BOX: usize = 8;
pub(super) const FULL_BOX: usize = 12;
const PRFT: usize = FULL_BOX + 20;
const MFHD: usize = FULL_BOX + 4;
const TFDT: usize = FULL_BOX + 8;
/// Without its entries.
const TRUN: usize = FULL_BOX + 8;

/// A sample that decoding can begin with, and one that needs others (§8.8.3.1).
const SYNC: u32 = 0x0200_0000;
const NO_SYNC: u32 = 0x0101_0000;

/// The base of data offsets is the fragment itself; default flags are there.
const TFHD_BASE_IS_MOOF: u32 = 0x02_0000;
const TFHD_DEFAULT_FLAGS: u32 = 0x20;
/// Data offset, and for each sample its duration and size; flags and composition offset.
const TRUN_AUDIO: u32 = 0x301;
const TRUN_VIDEO: u32 = 0xf01;
/// The time is about that of the scene, and as far from it in one fragment as in another (§8.16.5): a date is when a
/// publish began, and media time from there on; nobody has measured when this picture left the encoder.
const PRFT_STEADY: u32 = 24;
/// Seconds from 1900, which NTP counts from, to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;

/// What a rendition has of a part.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// The part.
    pub part: &'a Part,
    /// The tracks of its segment ([`media::Head::tracks`]).
    pub tracks: &'a [Track],
    /// The rendition.
    pub rendition: Rendition,
}

/// One of its tracks.
struct Run<'a> {
    index: usize,
    track: &'a Track,
}

impl<'a> Fragment<'a> {
    /// Bytes of all of it, without making it; `None` where there is nothing of the rendition.
    pub fn size(&self) -> Option<u64> {
        let payloads: u64 = self.payloads().map(|payload| payload.len() as u64).sum();
        let any = self.runs().next().is_some();
        any.then(|| self.header_size() as u64 + payloads)
    }

    /// The payloads in the order in which they follow the header: pictures first.
    pub fn payloads(&self) -> impl Iterator<Item = &'a Bytes> + use<'a> {
        let fragment = *self;
        self.runs()
            .flat_map(move |run| fragment.units(run.index))
            .map(|unit| &unit.payload)
    }

    /// What stands before the payloads: the wall clock at its start (`prft`), its timed metadata (`emsg`), `moof`, and
    /// the header of `mdat`.
    /// `sequence` has to rise from fragment to fragment; `date` is when the part begins.
    pub fn header(&self, sequence: u32, date: SystemTime) -> Bytes {
        let mut boxes = Boxes::with_capacity(self.header_size());
        if let Some(run) = self.runs().next() {
            boxes.full(b"prft", 1, PRFT_STEADY, |boxes| {
                boxes.u32(track_id(run.track.kind()));
                boxes.u64(ntp(date));
                // The moment that the date is of.
                let begun = ticks(self.part.start, rate(&run.track.codec));
                boxes.u64(begun.unsigned_abs());
            });
            let rate = rate(&run.track.codec);
            for timed in self.events() {
                event::write(&mut boxes, timed, self.part, rate);
            }
        }
        boxes.put(b"moof", |boxes| {
            boxes.full(b"mfhd", 0, 0, |boxes| boxes.u32(sequence));
            // From the beginning of moof.
            let mut offset = self.header_size() - PRFT - self.events_size();
            for run in self.runs() {
                self.traf(boxes, &run, offset);
                let payloads = self.units(run.index).map(|unit| unit.payload.len());
                offset += payloads.sum::<usize>();
            }
        });
        let payloads: usize = self.payloads().map(Bytes::len).sum();
        boxes.u32(u32::try_from(payloads + BOX).unwrap_or(u32::MAX));
        boxes.bytes(b"mdat");
        boxes.into_bytes().into()
    }

    /// The tracks that the rendition carries and the part has units of, pictures first.
    fn runs(&self) -> impl Iterator<Item = Run<'a>> + use<'a> {
        let fragment = *self;
        [TrackKind::Video, TrackKind::Audio]
            .into_iter()
            .filter(move |&kind| fragment.rendition.carries(kind))
            .filter_map(move |kind| {
                let mut tracks = fragment.tracks.iter().enumerate();
                let (index, track) = tracks.find(|(_, track)| track.kind() == kind)?;
                fragment.units(index).next()?;
                Some(Run { index, track })
            })
    }

    /// Its timed metadata: that of the part, in the rendition of what leads there. Once is enough: players ask for all
    /// renditions.
    fn events(&self) -> &'a [TimedEvent] {
        let all = Self {
            rendition: Rendition::Muxed,
            ..*self
        };
        let leads = |fragment: &Self| fragment.runs().next().map(|run| run.index);
        if self.part.events.is_empty() || leads(self) != leads(&all) {
            return &[];
        }
        &self.part.events
    }

    fn events_size(&self) -> usize {
        self.events().iter().map(event::size).sum()
    }

    fn units(&self, index: usize) -> impl Iterator<Item = &'a AccessUnit> + use<'a> {
        let units = self.part.units.iter();
        units.filter(move |unit| unit.track == index)
    }

    fn header_size(&self) -> usize {
        let runs = self.runs().map(|run| {
            let (tfhd, entry) = match run.track.kind() {
                TrackKind::Video => (FULL_BOX + 4, 16),
                TrackKind::Audio => (FULL_BOX + 8, 8),
            };
            BOX + tfhd + TFDT + TRUN + entry * self.units(run.index).count()
        });
        PRFT + self.events_size() + BOX + MFHD + runs.sum::<usize>() + BOX
    }

    fn decode_time(&self, run: &Run<'_>) -> u64 {
        let first = self.units(run.index).next();
        let at = first.map_or(0, |unit| ticks(unit.dts, rate(&run.track.codec)));
        at.unsigned_abs()
    }

    fn traf(&self, boxes: &mut Boxes, run: &Run<'_>, offset: usize) {
        let kind = run.track.kind();
        let rate = rate(&run.track.codec);
        boxes.put(b"traf", |boxes| {
            match kind {
                TrackKind::Video => boxes.full(b"tfhd", 0, TFHD_BASE_IS_MOOF, |boxes| {
                    boxes.u32(track_id(kind));
                }),
                TrackKind::Audio => {
                    let flags = TFHD_BASE_IS_MOOF | TFHD_DEFAULT_FLAGS;
                    boxes.full(b"tfhd", 0, flags, |boxes| {
                        boxes.u32(track_id(kind));
                        boxes.u32(SYNC);
                    });
                }
            }
            boxes.full(b"tfdt", 1, 0, |boxes| boxes.u64(self.decode_time(run)));
            let flags = match kind {
                TrackKind::Video => TRUN_VIDEO,
                TrackKind::Audio => TRUN_AUDIO,
            };
            // Version 1: composition offsets are signed.
            boxes.full(b"trun", 1, flags, |boxes| {
                boxes.u32(u32::try_from(self.units(run.index).count()).unwrap_or(u32::MAX));
                boxes.i32(i32::try_from(offset).unwrap_or(i32::MAX));
                let mut before = None;
                let mut units = self.units(run.index).peekable();
                let mut at = units.peek().map_or(0, |first| ticks(first.dts, rate));
                while let Some(unit) = units.next() {
                    let next = units.peek().map(|next| next.dts);
                    let next = next.or_else(|| self.next_dts(run));
                    let next = next.map(|next| ticks(next, rate));
                    let samples = run.track.codec.samples_per_unit();
                    let lasts = next
                        .map(|next| next - at)
                        .or_else(|| samples.map(|(samples, _)| samples.into()))
                        .or(before)
                        .unwrap_or_else(|| self.part.duration.rescale(rate))
                        .max(1);
                    before = Some(lasts);
                    boxes.u32(u32::try_from(lasts).unwrap_or(u32::MAX));
                    boxes.u32(u32::try_from(unit.payload.len()).unwrap_or(u32::MAX));
                    if kind == TrackKind::Video {
                        boxes.u32(if unit.random_access { SYNC } else { NO_SYNC });
                        let composition = ticks(unit.pts(), rate) - at;
                        boxes.i32(i32::try_from(composition).unwrap_or(0));
                    }
                    at = next.unwrap_or(at);
                }
            });
        });
    }

    /// When the first unit of the track behind this part is decoded: known of the track that leads.
    fn next_dts(&self, run: &Run<'_>) -> Option<media::MediaTime> {
        let leads = run.index == media::leading_track(self.tracks);
        self.part.next_dts.filter(|_| leads)
    }
}

/// A date in the format of NTP: seconds since 1900, and 2^32 parts of one.
fn ntp(date: SystemTime) -> u64 {
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().wrapping_add(NTP_EPOCH);
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    seconds << 32 | fraction
}
