//! What bounds a segment: its longest duration, and its size. Both are kept by cuts where no random access is.

use media::{FaultKind, MediaTime, TrackKind};

use super::{Arrival, Cutter, Next, SHORTEST};
use crate::output::Outputs;

impl Cutter {
    /// Makes the open segment fit under the limit by cutting it where no random access is, until
    /// `unit`, which leads, either fits or follows a gap that no cut makes smaller.
    pub(super) fn shorten(&mut self, unit: &Arrival, out: &mut Outputs) {
        while let Some(open) = &self.open {
            let span = unit.pts() - open.start;
            if span <= self.longest || unit.pts() - open.last_leading() > self.longest {
                return;
            }
            if let Some(parts) = &self.parts {
                let Some(at) = parts.last_end(open) else {
                    return;
                };
                self.cut_at(at, out);
                continue;
            }
            // Before a random access the segment is halved, which leaves no sliver in front of it.
            let wanted = if unit.kind() == TrackKind::Audio {
                self.settings.segment_target.min(self.longest)
            } else if unit.random_access() {
                MediaTime::from_nanos(span.as_nanos() / 2).min(self.longest)
            } else {
                self.longest
            };
            // Where the audio changes, if it does: then nothing of it is lost.
            let change = self.changed.span();
            let change = change.and_then(|(begins, _)| open.first_from(begins, Some(unit.pts())));
            let Some(at) = change
                .filter(|at| at.start - open.start <= self.longest)
                .or_else(|| open.last_within(wanted, Some(unit.pts())))
                .or_else(|| open.last_within(self.longest, Some(unit.pts())))
            else {
                return;
            };
            if unit.kind() == TrackKind::Video {
                let text = self.forced_text(unit);
                out.fault(FaultKind::ForcedCut, text);
            }
            self.cut_at(at, out);
        }
    }

    fn forced_text(&self, unit: &Arrival) -> String {
        let since = self
            .meters
            .of(unit.kind())
            .as_ref()
            .and_then(|meter| meter.since_gop_start(unit.pts()))
            .unwrap_or_default();
        format!(
            "no key frame (IDR picture) {} to {} behind the beginning of a segment, and the last was {since} ago: cut in \
             the middle of a GOP; set the encoder's keyframe interval to {} or less, and scene cut detection off",
            self.settings.segment_target, self.longest, self.settings.segment_target
        )
    }

    pub(super) fn too_large(&self, unit: &Arrival) -> bool {
        self.open.as_ref().is_some_and(|open| {
            let cost = open.cost() + self.changed.cost() + unit.cost();
            !open.is_empty() && cost > self.settings.max_segment_bytes
        })
    }

    /// Cuts at `unit` if it leads and nothing before it is shown behind it, else at the last such leading unit, if
    /// that makes room, else at `unit` if it leads; `false` if there is no place for a cut, and then `unit` is given up.
    pub(super) fn split_for_size(&mut self, unit: &Arrival, out: &mut Outputs) -> bool {
        let Some(open) = &self.open else { return false };
        let limit = self.settings.max_segment_bytes;
        let span = unit.pts() - open.start;
        let leads = unit.kind() == open.leading;
        let possible = leads && span > MediaTime::ZERO && span <= self.longest;
        let in_order = unit.kind() == TrackKind::Audio
            || unit.random_access()
            || open.last_leading() <= unit.dts;
        let split = if possible && in_order {
            None
        } else {
            let at = open.last_within(self.longest, leads.then(|| unit.pts()));
            at.filter(|at| !possible || open.cost_from(at.index) + unit.cost() <= limit)
        };
        let cut_here = possible && split.is_none();
        let action = match (cut_here, &split) {
            (false, None) => "an access unit was dropped",
            _ => "cut early",
        };
        out.fault(
            FaultKind::SegmentTooLarge,
            format!(
                "a segment reached its limit of {limit} bytes after {span}: {action}; lower the bit rate"
            ),
        );
        if cut_here {
            let next = Next {
                start: self.first_shown(unit, open),
                ..Next::before(unit)
            };
            self.cut(open.len(), next, out);
        } else if let Some(at) = split {
            self.cut_at(at, out);
        }
        cut_here || split.is_some()
    }

    /// Video has stalled, or ended: the audio from `index` on becomes a segment of its own.
    pub(super) fn cut_audio_off(&mut self, index: usize, out: &mut Outputs) {
        let Some(open) = &self.open else { return };
        let Some(start) = open.pts_at(index) else {
            return;
        };
        let start = start.max(open.start + SHORTEST);
        let next = Next {
            start,
            independent: true,
            leading: TrackKind::Audio,
            dts: None,
        };
        self.cut(index, next, out);
    }

    /// Cuts what is open at the end until it fits under the limit: audio that went on when video had ended.
    pub(super) fn cut_rest(&mut self, out: &mut Outputs) {
        while let Some(open) = &self.open
            && open.last_before(open.len()) - open.start > self.longest
        {
            let length = open.len();
            let target = self.settings.segment_target.min(self.longest);
            if let Some(index) = open.audio_behind_video(length) {
                self.cut_audio_off(index, out);
            } else if let Some(at) = open.last_within(target, None) {
                self.cut_at(at, out);
            }
            if self.open.as_ref().is_some_and(|open| open.len() == length) {
                return;
            }
        }
    }
}
