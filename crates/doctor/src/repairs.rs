//! What the gateway had to repair, or could not use.

use std::time::Duration;

use media::{AdviceKind, Fault, FaultKind, Severity};

use crate::chart::{Chart, Finding};
use crate::words::count;

/// Some encoders begin with a few pictures that share one time; that is over at once.
const DISORDER_NEEDS: u64 = 6;
const OTHERS_NEED: u64 = 2;
/// From here on it is no occasional disorder.
const MUCH_DISORDER: u64 = 60;

/// Faults since the present stretch of them began.
#[derive(Debug, Default)]
struct Stretch {
    order: u64,
    jumps: u64,
    composition: u64,
    resyncs: u64,
    /// Times of arrival took the place of timestamps.
    unusable: u64,
}

/// Faults since the last look, with the words of the last one.
#[derive(Debug, Default)]
struct Fresh {
    times: u64,
    last: Duration,
    text: String,
}

impl Fresh {
    /// Tells of them, if there are any.
    fn tell(&mut self, words: &Words, chart: &mut Chart) {
        if self.times == 0 {
            return;
        }
        let Self { times, last, text } = std::mem::take(self);
        chart.see_times(words.kind, last, times, words.needs, words.finding(&text));
    }
}

/// What is told of faults whose own words say the rest.
struct Words {
    kind: AdviceKind,
    severity: Severity,
    /// How many there have to be.
    needs: u64,
    says: &'static str,
    remedy: &'static str,
}

impl Words {
    /// With the words of the fault itself.
    fn finding(&self, text: &str) -> Finding {
        Finding {
            severity: self.severity,
            text: format!("{}: {text}.", self.says),
            remedy: self.remedy.to_owned(),
        }
    }
}

const UNREADABLE: Words = Words {
    kind: AdviceKind::Unreadable,
    severity: Severity::Warning,
    needs: 3,
    says: "Messages of the encoder cannot be used",
    remedy: "Update the encoder, or publish with another one to see whether this one is the cause.",
};
const UNSUPPORTED: Words = Words {
    kind: AdviceKind::UnsupportedCodec,
    severity: Severity::Problem,
    needs: 1,
    says: "A track is left out",
    remedy: "Publish H.264 with AAC. OBS: Settings, Output, Video Encoder x264 or any other H.264, Audio Encoder AAC; \
             ffmpeg: -c:v libx264 -c:a aac.",
};
const CONTESTED: Words = Words {
    kind: AdviceKind::NameContested,
    severity: Severity::Warning,
    needs: 1,
    says: "Two encoders want one name",
    remedy: "Give every encoder a stream key or a name of its own. Look for an encoder that was left running, or one \
             that publishes over two networks.",
};
const GUESSED: Words = Words {
    kind: AdviceKind::LadderClock,
    severity: Severity::Warning,
    needs: 1,
    says: "This rung may be out of step with the others",
    remedy: "Send all rungs of a ladder from one encoder, so that they have the same timestamps. ffmpeg: one command \
             with an output for each rung.",
};
const MISFIT: Words = Words {
    kind: AdviceKind::LadderMisfit,
    severity: Severity::Problem,
    needs: 1,
    says: "Viewers are not offered this rung",
    remedy: "Send all rungs of a ladder from one encoder, with one frame rate and one key frame interval. ffmpeg: one \
             command with an output for each rung, each with -force_key_frames 'expr:gte(t,n_forced*2)'.",
};
const TRANSCODING: Words = Words {
    kind: AdviceKind::Transcoding,
    severity: Severity::Warning,
    needs: 1,
    says: "The gateway's transcoder does not make all of its rungs",
    remedy: "This is for who runs the gateway: see what its ffmpeg says (transcoder in the API, or the log), give it a \
             newer one, a faster preset, or fewer and smaller renditions.",
};

/// Counts faults; words are made when somebody looks, since faults can come with every message.
#[derive(Debug, Default)]
pub(crate) struct Repairs {
    stretch: Stretch,
    timestamps: Fresh,
    unreadable: Fresh,
    unsupported: Fresh,
    contested: Fresh,
    misfit: Fresh,
    /// The words of the last one, for as long as it lasts.
    guessed: Option<String>,
    transcoding: Fresh,
}

impl Repairs {
    pub(crate) fn fault(&mut self, fault: &Fault, at: Duration) {
        let fresh = match fault.kind {
            FaultKind::TimestampOrder => {
                self.stretch.order += 1;
                &mut self.timestamps
            }
            FaultKind::TimestampJump => {
                self.stretch.jumps += 1;
                &mut self.timestamps
            }
            FaultKind::CompositionTime => {
                self.stretch.composition += 1;
                &mut self.timestamps
            }
            FaultKind::AudioResync => {
                self.stretch.resyncs += 1;
                &mut self.timestamps
            }
            FaultKind::ClockUnusable => {
                self.stretch.unusable += 1;
                &mut self.timestamps
            }
            FaultKind::MalformedMessage
            | FaultKind::TimedMetadata
            | FaultKind::BadConfiguration
            | FaultKind::ConfigurationFlood => &mut self.unreadable,
            FaultKind::UnsupportedCodec => &mut self.unsupported,
            FaultKind::NameContested => &mut self.contested,
            FaultKind::LadderMisfit => &mut self.misfit,
            FaultKind::LadderClock => {
                self.guessed = Some(fault.text.clone());
                return;
            }
            FaultKind::Transcoding => &mut self.transcoding,
            // Whoever connects in the middle of a GOP sends early media; the rest shows elsewhere.
            FaultKind::EarlyMedia
            | FaultKind::LateMedia
            | FaultKind::ForcedCut
            | FaultKind::SegmentTooLarge
            | FaultKind::WindowShortened => return,
        };
        fresh.times += 1;
        fresh.last = at;
        fresh.text.clone_from(&fault.text);
    }

    pub(crate) fn look(&mut self, chart: &mut Chart, at: Duration) {
        if self.timestamps.times > 0 {
            self.see_timestamps(chart);
        } else if !chart.has(AdviceKind::TimestampRepairs, at) {
            self.stretch = Stretch::default();
        }
        self.unreadable.tell(&UNREADABLE, chart);
        self.unsupported.tell(&UNSUPPORTED, chart);
        self.contested.tell(&CONTESTED, chart);
        if let Some(text) = &self.guessed {
            chart.hold(GUESSED.kind, at, GUESSED.finding(text));
        }
        self.misfit.tell(&MISFIT, chart);
        self.transcoding.tell(&TRANSCODING, chart);
    }

    /// The place of its media is not guessed.
    pub(crate) fn in_place(&mut self) {
        self.guessed = None;
    }

    fn see_timestamps(&mut self, chart: &mut Chart) {
        let Fresh { times, last, .. } = std::mem::take(&mut self.timestamps);
        let Stretch {
            order,
            jumps,
            composition,
            resyncs,
            unusable,
        } = self.stretch;
        let grave = jumps + unusable > 0 || resyncs >= OTHERS_NEED || order >= MUCH_DISORDER;
        let enough = grave || order >= DISORDER_NEEDS || composition >= OTHERS_NEED;
        let parts = [
            (
                unusable,
                "stretch without any use",
                "stretches without any use",
            ),
            (jumps, "jump", "jumps"),
            (
                order,
                "decode time out of order",
                "decode times out of order",
            ),
            (resyncs, "gap in the sound", "gaps in the sound"),
            (
                composition,
                "impossible composition time",
                "impossible composition times",
            ),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(number, one, many)| count(number, one, many))
            .collect();
        let finding = Finding {
            severity: if grave {
                Severity::Warning
            } else {
                Severity::Hint
            },
            text: format!(
                "Timestamps had to be repaired: {}.{}",
                parts.join(", "),
                if jumps > 0 {
                    " At each jump players begin anew."
                } else {
                    ""
                }
            ),
            remedy: "Give all sources of the encoder one clock. OBS: switch \"Use Device Timestamps\" off in audio \
                     sources, and avoid media sources that loop while live; ffmpeg: -fflags +genpts, \
                     -use_wallclock_as_timestamps 1 for network cameras, -af aresample=async=1000; do not loop a \
                     file with -stream_loop and -c copy."
                .to_owned(),
        };
        let needs = if enough { 1 } else { u64::MAX };
        chart.see_times(AdviceKind::TimestampRepairs, last, times, needs, finding);
    }
}
