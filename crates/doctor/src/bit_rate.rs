//! The media's bit rate against what the encoder declares.

use std::time::Duration;

use media::{AdviceKind, Fault, MediaTime, Segment, Severity, TrackKind};

use crate::chart::{Chart, Finding};
use crate::declared::Declared;
use crate::words::bit_rate;

/// The rate is averaged over spans of at least this much media: encoders spend more on a key frame, and on
/// the first ones.
const SPAN: MediaTime = MediaTime::from_millis(10_000);
/// Above this multiple of what is declared it is no fluctuation.
const ABOVE: f64 = 1.3;

/// Bytes of the present span.
#[derive(Debug, Default)]
pub(crate) struct BitRate {
    video: u64,
    audio: u64,
    span: MediaTime,
}

impl BitRate {
    pub(crate) fn segment(
        &mut self,
        segment: &Segment,
        declared: &Declared,
        at: Duration,
        chart: &mut Chart,
    ) {
        for unit in &segment.units {
            let kind = segment.tracks.get(unit.track).map(media::Track::kind);
            let bytes = unit.payload.len() as u64;
            match kind {
                Some(TrackKind::Video) => self.video += bytes,
                Some(TrackKind::Audio) => self.audio += bytes,
                None => {}
            }
        }
        self.span += segment.duration;
        if self.span < SPAN {
            return;
        }
        let Self { video, audio, span } = std::mem::take(self);
        // An encoder that does not say how much its pictures are to be has no bound that it could keep to.
        if video > 0 && declared.video_bit_rate.is_none() {
            return;
        }
        // Only what something is declared of is held against it.
        let (mut meant, mut bytes) = (0.0, 0);
        for (rate, sent) in [
            (declared.video_bit_rate, video),
            (declared.audio_bit_rate, audio),
        ] {
            if let Some(rate) = rate {
                meant += rate;
                bytes += sent;
            }
        }
        let bits = f64::from(u32::try_from(bytes * 8 / 1_000).unwrap_or(u32::MAX)) * 1e3;
        let measured = bits / span.as_secs_f64();
        if meant > 0.0 && measured > ABOVE * meant {
            let kilobits = (meant / 1e3).round();
            let finding = Finding {
                severity: Severity::Warning,
                text: format!(
                    "The media takes {}, and the encoder declares {}.",
                    bit_rate(measured),
                    bit_rate(meant)
                ),
                remedy: format!(
                    "Bound the bit rate. OBS: Settings, Output, Rate Control CBR; ffmpeg: -maxrate {kilobits}k \
                     -bufsize {}k beside -b:v.",
                    2.0 * kilobits
                ),
            };
            chart.see(AdviceKind::BitRate, at, 2, finding);
        }
    }

    /// A segment had to be cut for its size.
    pub(crate) fn too_large(&mut self, fault: &Fault, at: Duration, chart: &mut Chart) {
        let finding = Finding {
            severity: Severity::Problem,
            text: format!("The bit rate is too high for the gateway: {}.", fault.text),
            remedy: "Lower the bit rate. OBS: Settings, Output, Bitrate, with Rate Control CBR; ffmpeg: -b:v and \
                     -maxrate. Or raise hls.max_segment_bytes in the gateway's configuration."
                .to_owned(),
        };
        chart.see(AdviceKind::BitRate, at, 1, finding);
    }
}
