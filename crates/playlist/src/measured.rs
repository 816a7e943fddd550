//! What is measured of a rendition as its segments are listed: what multivariant playlists say of it.

use media::{Captions, MediaTime, Segment};

/// What was measured of a rendition, containers included: how much it is since the last discontinuity, for another
/// encoder may send less.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// All that is in its segments.
    pub(crate) all: Rate,
    /// The key pictures that its I-frame playlist lists.
    pub(crate) key_pictures: Rate,
    /// Its sound, where that can be had alone.
    pub(crate) sound: Rate,
    /// Caption services in its pictures, ever: one that is silent is still there.
    pub(crate) captions: Captions,
    /// Pictures since the last discontinuity, and the time they fill: another encoder may have another rate.
    pictures: u64,
    pictures_fill: MediaTime,
    /// A segment did not begin with a random access point: the promise of EXT-X-INDEPENDENT-SEGMENTS is
    /// given while none has, in both playlists, and never again after.
    dependent: bool,
}

/// How many bits come in a second of something that comes segment by segment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    /// The largest of one segment, bit/s.
    peak: u64,
    /// All there was so far was too short to say.
    is_guess: bool,
    bytes: u64,
    duration: MediaTime,
}

/// What is measured of a segment, in whichever container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// In its container.
    pub(crate) bytes: u64,
    /// Bytes of what an I-frame playlist lists of it.
    pub(crate) key_picture: Option<u64>,
    /// Bytes of its sound alone.
    pub(crate) sound: Option<u64>,
    pub(crate) duration: MediaTime,
    /// Access units of the leading track.
    pub(crate) leading_units: u64,
    pub(crate) discontinuity: bool,
    pub(crate) independent: bool,
    pub(crate) captions: Captions,
}

impl Measured {
    /// Takes a segment of MPEG-TS into account.
    pub(crate) fn add_segment(&mut self, segment: &Segment, target: MediaTime) {
        let leading = segment.leading_track();
        let units = segment.units.iter();
        let sample = Sample {
            bytes: segment.ts.bytes,
            key_picture: segment.ts.key_picture.map(|range| range.bytes),
            sound: Some(segment.ts.packed_audio).filter(|bytes| *bytes > 0),
            duration: segment.duration,
            leading_units: units.filter(|unit| unit.track == leading).count() as u64,
            discontinuity: segment.discontinuity,
            independent: segment.independent,
            captions: segment.captions,
        };
        self.add(&sample, target);
    }

    /// Takes a segment into account.
    pub(crate) fn add(&mut self, segment: &Sample, target: MediaTime) {
        if segment.discontinuity {
            [self.all, self.key_pictures, self.sound] = [Rate::default(); 3];
            (self.pictures, self.pictures_fill) = (0, MediaTime::ZERO);
        }
        self.all.add(segment.bytes, segment.duration, target);
        if let Some(bytes) = segment.key_picture {
            self.key_pictures.add(bytes, segment.duration, target);
        }
        if let Some(bytes) = segment.sound {
            self.sound.add(bytes, segment.duration, target);
        }
        self.pictures += segment.leading_units;
        self.pictures_fill += segment.duration;
        self.dependent |= !segment.independent;
        self.captions |= segment.captions;
    }

    /// Of its sound alone.
    pub(crate) fn of_sound(&self) -> Self {
        Self {
            all: self.sound,
            sound: self.sound,
            ..Self::default()
        }
    }

    /// EXT-X-INDEPENDENT-SEGMENTS holds.
    pub(crate) fn is_independent(&self) -> bool {
        !self.dependent
    }

    /// FRAME-RATE, three decimals.
    pub(crate) fn frame_rate(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 pictures")]
        let rate = self.pictures as f64 / self.pictures_fill.as_secs_f64();
        (rate.is_finite() && rate > 0.0).then(|| (rate * 1_000.0).round() / 1_000.0)
    }
}

impl Rate {
    /// Takes what came with a segment into account. One shorter than half of `target` says nothing about a peak
    /// (rfc8216bis §4.1), unless it is all there is.
    fn add(&mut self, bytes: u64, duration: MediaTime, target: MediaTime) {
        self.bytes += bytes;
        self.duration += duration;
        let is_guess = duration + duration < target;
        let rate = bit_rate(bytes, duration);
        if self.peak == 0 || (self.is_guess && !is_guess) {
            self.peak = rate;
            self.is_guess = is_guess;
        } else if !is_guess {
            self.peak = self.peak.max(rate);
        }
    }

    /// Of what comes with it, together.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let bytes = u128::from(other.average()) * self.nanos() / 8_000_000_000;
        Self {
            peak: self.peak().saturating_add(other.peak()),
            bytes: self
                .bytes
                .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)),
            ..*self
        }
    }

    /// Of the rest, without `part`.
    pub(crate) fn without(&self, part: &Self) -> Self {
        let bytes = u128::from(part.average()) * self.nanos() / 8_000_000_000;
        Self {
            peak: self.peak().saturating_sub(part.peak()),
            bytes: self
                .bytes
                .saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX)),
            ..*self
        }
    }

    fn nanos(&self) -> u128 {
        u128::try_from(self.duration.as_nanos()).unwrap_or(0)
    }

    /// Nothing came.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.bytes == 0
    }

    /// BANDWIDTH: the measured peak, and never less than the average.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.max(self.average())
    }

    /// AVERAGE-BANDWIDTH.
    pub(crate) fn average(&self) -> u64 {
        bit_rate(self.bytes, self.duration)
    }
}

fn bit_rate(bytes: u64, duration: MediaTime) -> u64 {
    let nanos = u128::try_from(duration.as_nanos().max(1)).unwrap_or(1);
    u64::try_from((u128::from(bytes) * 8_000_000_000).div_ceil(nanos)).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::window::tests::video_segment;

    pub(crate) fn measured(segments: &[Segment]) -> Measured {
        let mut measured = Measured::default();
        for segment in segments {
            measured.add_segment(segment, MediaTime::from_millis(2_000));
        }
        measured
    }

    #[test]
    fn a_short_last_segment_is_no_peak() {
        let measured = measured(&[
            video_segment(1, 2_000, 500_000),
            video_segment(2, 100, 400_000),
        ])
        .all;
        assert_eq!(measured.peak, 2_000_000);
        assert_eq!(measured.average(), 3_428_572);
        assert_eq!(measured.peak(), measured.average());
    }

    #[test]
    fn a_short_first_segment_is_a_guess() {
        let first = video_segment(1, 100, 400_000);
        let rate = measured(std::slice::from_ref(&first)).all;
        assert_eq!(rate.peak(), 32_000_000);
        let later = video_segment(2, 2_000, 500_000);
        let rate = measured(&[first, later]).all;
        assert_eq!(rate.peak, 2_000_000);
        assert_eq!(rate.peak(), rate.average());
    }

    #[test]
    fn another_encoder_may_send_less() {
        let mut returned = video_segment(2, 2_000, 250_000);
        returned.discontinuity = true;
        let rate = measured(&[video_segment(1, 2_000, 500_000), returned]).all;
        assert_eq!((rate.peak(), rate.average()), (1_000_000, 1_000_000));
    }

    #[test]
    fn rates_add_up() {
        let [all, sound] =
            [500_000, 50_000].map(|bytes| measured(&[video_segment(1, 2_000, bytes)]).all);
        let both = all.with(&sound);
        assert_eq!((both.peak(), both.average()), (2_200_000, 2_200_000));
        let rest = both.without(&sound);
        assert_eq!((rest.peak(), rest.average()), (2_000_000, 2_000_000));
    }

    #[test]
    fn another_encoder_has_its_own_frame_rate() {
        let mut returned = video_segment(2, 1_000, 500_000);
        returned.discontinuity = true;
        assert_eq!(
            measured(&[video_segment(1, 2_000, 500_000)]).frame_rate(),
            Some(30.0)
        );
        assert_eq!(
            measured(&[video_segment(1, 2_000, 500_000), returned]).frame_rate(),
            Some(60.0)
        );
    }
}
