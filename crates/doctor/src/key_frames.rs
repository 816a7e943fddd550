//! Key frames against the segment length: a segment can only begin where decoding can.

use std::time::Duration;

use media::{AdviceKind, MediaTime, Segment, Severity, TrackKind};

use crate::chart::{Chart, Finding};
use crate::doctor::Settings;
use crate::words::{seconds, set_seconds};

/// Added to what is waited for before a missing key frame is told: tracks that arrive one behind the other
/// are brought together first.
const PATIENCE: MediaTime = MediaTime::from_millis(2_000);
/// A step beyond this is no distance between pictures: the sender's clock has jumped.
const MAX_STEP_MS: i32 = 10_000;

/// Watches where decoding can begin.
#[derive(Debug)]
pub(crate) struct KeyFrames {
    segment: MediaTime,
    longest: MediaTime,
    newest_ms: Option<u32>,
    /// Pictures have arrived for so long since the last segment was cut.
    arrived: MediaTime,
    /// From the last place where decoding can begin to the end of the last segment.
    since: MediaTime,
    /// The distance that was told last.
    told: MediaTime,
    /// The last such place, on the window's timeline.
    entry: Option<MediaTime>,
    /// The last picture.
    picture: Option<MediaTime>,
    /// How the segment that is cut next ends.
    next_cut: Cut,
    /// How the last one ended.
    last_cut: Cut,
}

/// Where a segment is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Where decoding can begin.
    Entry,
    /// Elsewhere: it has lasted as long as it may.
    ForTime,
    /// Elsewhere: it is as large as it may be.
    ForSize,
}

/// What the distances within a segment are.
struct Distances {
    /// Places in it where decoding can begin.
    entries: u32,
    shortest: MediaTime,
    longest: MediaTime,
}

impl KeyFrames {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            segment: settings.segment,
            longest: settings.longest_segment,
            newest_ms: None,
            arrived: MediaTime::ZERO,
            since: MediaTime::ZERO,
            told: MediaTime::ZERO,
            entry: None,
            picture: None,
            next_cut: Cut::Entry,
            last_cut: Cut::Entry,
        }
    }

    /// A video message.
    pub(crate) fn arrival(&mut self, timestamp_ms: u32) {
        if let Some(newest) = self.newest_ms {
            let step = timestamp_ms.wrapping_sub(newest).cast_signed();
            if (0..=MAX_STEP_MS).contains(&step) {
                self.arrived += MediaTime::from_millis(step.into());
            }
        }
        self.newest_ms = Some(timestamp_ms);
    }

    /// How the next segment will end; [`Cut::Entry`] unless it is told.
    pub(crate) fn cut(&mut self, cut: Cut) {
        self.next_cut = cut;
    }

    pub(crate) fn segment(&mut self, segment: &Segment, at: Duration, chart: &mut Chart) {
        let began = std::mem::replace(&mut self.last_cut, self.next_cut);
        self.next_cut = Cut::Entry;
        let arrived = std::mem::take(&mut self.arrived);
        if segment.discontinuity {
            self.entry = None;
            self.picture = None;
            self.since = MediaTime::ZERO;
        }
        let track = segment.leading_track();
        let video = segment.tracks.get(track).map(media::Track::kind) == Some(TrackKind::Video);
        if !video {
            // Pictures that arrive and are in no segment wait for a key frame.
            self.since += arrived;
            self.entry = None;
            self.picture = None;
            return;
        }
        let at_recovery_point = !segment.independent && began == Cut::Entry;
        if at_recovery_point {
            self.see_open_gop(at, chart);
        }
        let seen = self.measure(segment, track, at_recovery_point);
        let end = segment.start + segment.duration;
        self.since = self.entry.map_or(MediaTime::ZERO, |entry| end - entry);
        let Some(seen) = seen else { return };
        if seen.entries == 0 && seen.longest > self.long() {
            self.see_none(seen.longest, at, chart);
        } else if seen.longest > self.long() {
            self.told = seen.longest;
            self.see_long(&seen, began, at, chart);
        } else if segment.duration > self.long() || began == Cut::ForTime {
            self.see_uneven(&seen, segment.duration, began, at, chart);
        }
    }

    /// What shows before a segment is cut.
    pub(crate) fn look(&mut self, at: Duration, chart: &mut Chart) {
        let since = self.since + self.arrived;
        if self.arrived == MediaTime::ZERO {
            // No picture since the last cut: a pause, or no video.
        } else if since > self.longest.max(self.patience()) {
            self.see_none(since, at, chart);
        } else if since > self.patience().max(self.told) {
            let finding = Finding {
                severity: Severity::Warning,
                text: format!(
                    "No key frame for {}, and a segment should last {}: the next one has to wait for it.",
                    seconds(since),
                    set_seconds(self.segment)
                ),
                remedy: self.remedy(),
            };
            chart.hold(AdviceKind::KeyFrameInterval, at, finding);
        }
    }

    /// Longer than this is longer than what was aimed at.
    fn long(&self) -> MediaTime {
        self.segment + MediaTime::from_nanos(self.segment.as_nanos() / 4)
    }

    fn patience(&self) -> MediaTime {
        self.long() + self.long() + PATIENCE
    }

    /// The distances that end in `segment`; `None` where a pause in the pictures makes them.
    fn measure(
        &mut self,
        segment: &Segment,
        track: usize,
        at_recovery_point: bool,
    ) -> Option<Distances> {
        let end = segment.start + segment.duration;
        let mut seen = Distances {
            entries: 0,
            shortest: MediaTime::from_nanos(i64::MAX),
            longest: MediaTime::ZERO,
        };
        let mut pause = MediaTime::ZERO;
        let mut enter = |at: MediaTime, entry: &mut Option<MediaTime>| {
            seen.entries += 1;
            // The first of a segment is the end of the one before, and measured there.
            if let Some(before) = entry.replace(at)
                && at > before
            {
                seen.shortest = seen.shortest.min(at - before);
                seen.longest = seen.longest.max(at - before);
            }
        };
        if at_recovery_point {
            enter(segment.start, &mut self.entry);
        }
        for unit in segment.units.iter().filter(|unit| unit.track == track) {
            if let Some(before) = self.picture.replace(unit.dts) {
                pause = pause.max(unit.dts - before);
            }
            if unit.random_access {
                enter(unit.pts(), &mut self.entry);
            }
        }
        // A run that begins without one is counted from where it begins; a distance that is still open is
        // at least so long.
        let entry = *self.entry.get_or_insert(segment.start);
        seen.longest = seen.longest.max(end - entry);
        if self.last_cut == Cut::Entry {
            // The next segment begins where decoding can.
            seen.shortest = seen.shortest.min(end - entry);
            self.entry = Some(end);
        }
        if let Some(picture) = self.picture {
            pause = pause.max(end - picture);
        }
        (pause + pause < seen.longest || seen.entries == 0).then_some(seen)
    }

    fn see_none(&self, since: MediaTime, at: Duration, chart: &mut Chart) {
        // The same trouble, and worse.
        chart.withdraw(AdviceKind::KeyFrameInterval);
        let finding = Finding {
            severity: Severity::Problem,
            text: format!(
                "No key frame for {}, although pictures arrive: whoever joins now sees nothing until the next \
                 one.",
                seconds(since)
            ),
            remedy: self.remedy(),
        };
        chart.hold(AdviceKind::NoKeyFrame, at, finding);
    }

    fn see_long(&self, seen: &Distances, began: Cut, at: Duration, chart: &mut Chart) {
        let (severity, consequence) = if began == Cut::ForTime {
            (
                Severity::Problem,
                "longer than a segment may last, so some begin without one and cannot be joined at",
            )
        } else {
            (
                Severity::Warning,
                "so segments are as long, and viewers as much later",
            )
        };
        let finding = Finding {
            severity,
            text: format!(
                "Key frames are {} apart, and a segment should last {}: {consequence}.",
                seconds(seen.longest),
                set_seconds(self.segment)
            ),
            remedy: self.remedy(),
        };
        // One that is a little late may be chance.
        let needs = if seen.longest > self.long() + self.long() {
            1
        } else {
            2
        };
        chart.see(AdviceKind::KeyFrameInterval, at, needs, finding);
    }

    fn see_uneven(
        &self,
        seen: &Distances,
        duration: MediaTime,
        began: Cut,
        at: Duration,
        chart: &mut Chart,
    ) {
        let forced = began == Cut::ForTime;
        let uneven = seen.longest - seen.shortest > MediaTime::from_millis(100);
        let (text, remedy) = if forced && !uneven && seen.longest >= duration {
            (
                format!(
                    "Key frames are {} apart, and a segment may last no longer than {}: some begin without one and \
                     cannot be joined at.",
                    seconds(seen.longest),
                    seconds(duration)
                ),
                self.remedy(),
            )
        } else if uneven || forced {
            let consequence = if forced {
                "some segments begin without one and cannot be joined at".to_owned()
            } else {
                format!(
                    "segments last up to {} instead of {}",
                    seconds(duration),
                    set_seconds(self.segment)
                )
            };
            (
                format!(
                    "Key frames come unevenly, up to {} apart, so {consequence}.",
                    seconds(seen.longest)
                ),
                format!(
                    "Switch scene cut detection off. OBS: Settings, Output, x264 Options: scenecut=0, with a \
                     Keyframe Interval of {0}; ffmpeg: -sc_threshold 0 -force_key_frames \"expr:gte(t,n_forced*{1})\".",
                    set_seconds(self.segment),
                    self.segment.as_secs_f64()
                ),
            )
        } else {
            (
                format!(
                    "Key frames are {} apart, which does not divide the segment length of {}: segments last {}.",
                    seconds(seen.longest),
                    set_seconds(self.segment),
                    seconds(duration)
                ),
                self.remedy(),
            )
        };
        let finding = Finding {
            severity: if forced {
                Severity::Warning
            } else {
                Severity::Hint
            },
            text,
            remedy,
        };
        chart.see(AdviceKind::KeyFrameInterval, at, 3, finding);
    }

    fn see_open_gop(&self, at: Duration, chart: &mut Chart) {
        let finding = Finding {
            severity: Severity::Warning,
            text: "Segments begin at recovery points instead of IDR pictures: some players show nothing, or \
                   broken pictures, until they have caught on."
                .to_owned(),
            remedy: "Let every GOP be closed and begin with an IDR picture, and switch intra refresh off. OBS: \
                     x264 Options: open-gop=0 intra-refresh=0; ffmpeg: -flags +cgop (libx265: -x265-params open-gop=0), \
                     and no -intra-refresh."
                .to_owned(),
        };
        chart.see(AdviceKind::OpenGop, at, 2, finding);
    }

    fn remedy(&self) -> String {
        let length = set_seconds(self.segment);
        format!(
            "Set the key frame interval to {length}, or to a part of it that divides it. OBS: Settings, Output, \
             Keyframe Interval {length} (0, \"auto\", is some 10 s); ffmpeg: -force_key_frames \
             \"expr:gte(t,n_forced*{})\", or -g with so many pictures.",
            self.segment.as_secs_f64()
        )
    }
}
