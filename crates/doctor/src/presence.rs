//! Whether the tracks are there that should be.

use std::time::Duration;

use media::{AdviceKind, MediaTime, MessageKind, Segment, Severity, TrackKind};

use crate::chart::{Chart, Finding};
use crate::declared::Declared;
use crate::words::seconds;

/// A track may come so much later than the other, or pause so long.
const PATIENCE: MediaTime = MediaTime::from_millis(5_000);

/// One kind of track.
#[derive(Debug, Default)]
struct OneTrack {
    /// It has been there.
    seen: bool,
    /// A message of it has arrived since the last segment.
    arrived: bool,
    /// The other track has gone on without it for so long.
    missing: MediaTime,
}

/// Which tracks come.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    video: OneTrack,
    audio: OneTrack,
}

impl Presence {
    pub(crate) fn arrival(&mut self, kind: MessageKind) {
        match kind {
            MessageKind::Audio => self.audio.arrived = true,
            MessageKind::Video => self.video.arrived = true,
            MessageKind::Data => {}
        }
    }

    pub(crate) fn segment(
        &mut self,
        segment: &Segment,
        declared: &Declared,
        at: Duration,
        chart: &mut Chart,
    ) {
        let has = |kind: TrackKind| segment.tracks.iter().any(|track| track.kind() == kind);
        let (video, audio) = (has(TrackKind::Video), has(TrackKind::Audio));
        if let Some(missing) = self.audio.miss(audio, declared.audio, segment.duration) {
            let finding = Finding {
                severity: Severity::Warning,
                text: match missing {
                    Missing::Never => "The encoder announces sound and sends none.".to_owned(),
                    Missing::Stopped(since) => format!(
                        "Sound has stopped for {}, while pictures go on.",
                        seconds(since)
                    ),
                },
                remedy: "If the stream shall be silent, send silence: mute the source instead of removing it. \
                         OBS: check that the source's track is ticked in Advanced Audio Properties and chosen in \
                         Settings, Output; ffmpeg: check that the input has sound (-map), or add -f lavfi -i \
                         anullsrc. Without sound by intention: leave it out (ffmpeg: -an)."
                    .to_owned(),
            };
            chart.hold(AdviceKind::AudioMissing, at, finding);
        }
        if let Some(missing) = self.video.miss(video, declared.video, segment.duration) {
            let finding = Finding {
                severity: Severity::Problem,
                text: match missing {
                    Missing::Never => "The encoder announces pictures and sends none.".to_owned(),
                    Missing::Stopped(since) => format!(
                        "Pictures have stopped for {}, while sound goes on.",
                        seconds(since)
                    ),
                },
                remedy: "Look at the camera, the capture card and the encoder: is its source still there, does \
                         it hang? OBS: View, Stats, and the source in the preview; ffmpeg: its own log. Without \
                         pictures by intention: leave them out (ffmpeg: -vn)."
                    .to_owned(),
            };
            chart.hold(AdviceKind::VideoMissing, at, finding);
        }
    }
}

enum Missing {
    Never,
    Stopped(MediaTime),
}

impl OneTrack {
    /// How it is missing, if it is: it is not in a segment of this `duration`, in which no message of it
    /// has arrived, although it was `announced` or there before.
    fn miss(&mut self, there: bool, announced: bool, duration: MediaTime) -> Option<Missing> {
        let arrived = std::mem::take(&mut self.arrived);
        if there || arrived {
            self.seen |= there;
            self.missing = MediaTime::ZERO;
            return None;
        }
        self.missing += duration;
        if self.missing < PATIENCE {
            None
        } else if self.seen {
            Some(Missing::Stopped(self.missing))
        } else {
            announced.then_some(Missing::Never)
        }
    }
}
