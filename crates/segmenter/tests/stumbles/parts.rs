//! What must hold of the parts of every publish, however its encoder has stumbled: they make up segments that follow
//! each other, within the limit, and hold what the segments of MPEG-TS hold, in step and in order.

use std::collections::BTreeSet;

use media::{MediaTime, Part, Segment, TrackKind};

use crate::feed::{Event, number_of};
use crate::published::{IN_STEP, ms};

/// What parts are about as long as.
pub(crate) const WANTED: MediaTime = MediaTime::from_millis(200);

/// The parts of a publish, by segment.
pub(crate) struct Parted {
    pub(crate) segments: Vec<Vec<Part>>,
    open: Vec<Part>,
}

impl Parted {
    pub(crate) const fn new() -> Self {
        Self {
            segments: Vec::new(),
            open: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, part: Part) {
        assert_eq!(part.head.is_some(), self.open.is_empty());
        let is_last = part.is_last;
        self.open.push(part);
        if is_last {
            self.close();
        }
    }

    pub(crate) fn close(&mut self) {
        assert!(!self.open.is_empty(), "a segment has parts");
        self.segments.push(std::mem::take(&mut self.open));
    }

    /// Everything but that tracks stay in step: `target` is the segment length aimed at.
    pub(crate) fn check(&self, classic: &[Segment], target: MediaTime) {
        assert!(self.open.is_empty(), "the last segment is complete");
        let longest = MediaTime::from_ticks(target.rescale(1).max(1), 1) + ms(499);
        self.check_timeline(longest);
        self.check_order();
        self.check_all_there(classic, longest);
    }

    fn check_timeline(&self, longest: MediaTime) {
        let mut edge = None;
        for parts in &self.segments {
            let head = parts[0].head.as_ref().expect("the first part has a head");
            let begin = parts[0].start;
            if let Some(edge) = edge {
                assert!(begin == edge || (head.discontinuity && begin > edge));
            }
            let mut at = begin;
            for (n, part) in parts.iter().enumerate() {
                assert_eq!(part.start, at);
                assert!(part.duration > MediaTime::ZERO && !part.units.is_empty());
                assert!(
                    part.units
                        .iter()
                        .all(|unit| unit.track < head.tracks.len() || unit.track == 1)
                );
                at += part.duration;
                // The decode times of what leads go on without a hole from part to part.
                let led = |part: &Part| {
                    part.units
                        .iter()
                        .find(|unit| unit.track == 0)
                        .map(|unit| unit.dts)
                };
                if let (Some(next), Some(behind)) = (part.next_dts, parts.get(n + 1)) {
                    assert_eq!(Some(next), led(behind));
                }
            }
            assert!(at - begin <= longest, "{:?} from {begin:?}", at - begin);
            edge = Some(at);
        }
    }

    fn check_order(&self) {
        let mut last = [(None, None), (None, None)];
        for parts in &self.segments {
            let tracks = &parts[0].head.as_ref().expect("a head").tracks;
            for unit in parts.iter().flat_map(|part| &part.units) {
                let audio = tracks
                    .get(unit.track)
                    .is_none_or(|track| track.kind() == TrackKind::Audio);
                let last = &mut last[usize::from(audio)];
                let this = (Some(number_of(&unit.payload)), Some(unit.dts));
                assert!(this.0 > last.0 && this.1 > last.1, "{last:?} {this:?}");
                *last = this;
            }
        }
    }

    /// What is in MPEG-TS is in parts too, but for sound of a new configuration that waited for a key frame: a cut
    /// cannot be put where it changes when the pictures there are out.
    fn check_all_there(&self, classic: &[Segment], longest: MediaTime) {
        let parts = self.segments.iter().flatten().flat_map(|part| &part.units);
        let there: BTreeSet<usize> = parts.map(|unit| number_of(&unit.payload)).collect();
        let sound = |parts: &Vec<Part>| {
            let tracks = &parts[0].head.as_ref().expect("a head").tracks;
            tracks
                .iter()
                .find(|track| track.kind() == TrackKind::Audio)
                .cloned()
        };
        let changes = self
            .segments
            .windows(2)
            .filter(|pair| sound(&pair[0]) != sound(&pair[1]));
        let changes: Vec<MediaTime> = changes.map(|pair| pair[1][0].start).collect();
        let waited = |at: MediaTime| {
            changes
                .iter()
                .any(|&change| at <= change && change - at <= longest)
        };
        let units = classic.iter().flat_map(|segment| {
            let kind = |track: usize| segment.tracks[track].kind();
            segment
                .units
                .iter()
                .map(move |unit| (kind(unit.track), unit))
        });
        let missing: Vec<_> = units
            .filter(|(_, unit)| !there.contains(&number_of(&unit.payload)))
            .map(|(kind, unit)| (kind, unit.dts))
            .filter(|&(kind, at)| kind == TrackKind::Video || !waited(at))
            .collect();
        assert_eq!(missing, [], "of {}", there.len());
    }

    /// Within a segment all tracks stay in step.
    pub(crate) fn check_step(&self, events: &[Event]) {
        for parts in &self.segments {
            let moved = parts
                .iter()
                .flat_map(|part| &part.units)
                .map(|unit| unit.pts() - events[number_of(&unit.payload)].shown);
            let moved: Vec<_> = moved.collect();
            let (min, max) = (moved.iter().min(), moved.iter().max());
            let (min, max) = (*min.expect("units"), *max.expect("units"));
            assert!(
                max - min <= IN_STEP,
                "{min:?} to {max:?} in {:?}",
                parts[0].start
            );
        }
    }
}
