//! Multivariant playlist text (rfc8216bis §4.4.6), by m3u8-rs, from what was measured.

use std::collections::HashMap;

use m3u8_rs::{
    AlternativeMedia, AlternativeMediaType, MasterPlaylist, QuotedOrUnquoted, Resolution,
    VariantStream,
};
use media::codec::VideoRange;
use media::{MediaTime, Rendition, Segment, Track, TrackKind};

/// What was measured of a rendition since its presentation began, containers included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// The largest rate of one segment, bit/s.
    peak: u64,
    bytes: u64,
    duration: MediaTime,
    /// Pictures since the last discontinuity, and the time they fill: another encoder may have another rate.
    pictures: u64,
    pictures_fill: MediaTime,
    /// A segment did not begin with a random access point: the promise of EXT-X-INDEPENDENT-SEGMENTS is
    /// given while none has, in both playlists, and never again after.
    dependent: bool,
}

/// What is measured of a segment, in whichever container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// In its container.
    pub(crate) bytes: u64,
    pub(crate) duration: MediaTime,
    /// Access units of the leading track.
    pub(crate) leading_units: u64,
    pub(crate) discontinuity: bool,
    pub(crate) independent: bool,
}

impl Measured {
    /// Takes a segment of MPEG-TS into account.
    pub(crate) fn add_segment(&mut self, segment: &Segment, target: MediaTime) {
        let leading = segment.leading_track();
        let units = segment.units.iter();
        let sample = Sample {
            bytes: segment.ts.bytes,
            duration: segment.duration,
            leading_units: units.filter(|unit| unit.track == leading).count() as u64,
            discontinuity: segment.discontinuity,
            independent: segment.independent,
        };
        self.add(&sample, target);
    }

    /// Takes a segment into account. One shorter than half of `target` says nothing about a peak
    /// (rfc8216bis §4.1), unless it is all there is.
    pub(crate) fn add(&mut self, segment: &Sample, target: MediaTime) {
        self.bytes += segment.bytes;
        self.duration += segment.duration;
        let long_enough = segment.duration + segment.duration >= target;
        if long_enough || self.peak == 0 {
            self.peak = self.peak.max(bit_rate(segment.bytes, segment.duration));
        }
        if segment.discontinuity {
            (self.pictures, self.pictures_fill) = (0, MediaTime::ZERO);
        }
        self.pictures += segment.leading_units;
        self.pictures_fill += segment.duration;
        self.dependent |= !segment.independent;
    }

    /// BANDWIDTH: the measured peak, and never less than the average.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.max(self.average())
    }

    /// AVERAGE-BANDWIDTH.
    fn average(&self) -> u64 {
        bit_rate(self.bytes, self.duration)
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

fn bit_rate(bytes: u64, duration: MediaTime) -> u64 {
    let nanos = u128::try_from(duration.as_nanos().max(1)).unwrap_or(1);
    u64::try_from((u128::from(bytes) * 8_000_000_000).div_ceil(nanos)).unwrap_or(u64::MAX)
}

/// The newest track of each kind in `sets`, which come oldest first, video before audio: what a player has
/// to be ready for. A track that pauses is still one of the variant's.
pub(crate) fn newest<'a>(sets: impl Iterator<Item = &'a [Track]>) -> Vec<&'a Track> {
    let (mut video, mut audio) = (None, None);
    for track in sets.flatten() {
        match track.kind() {
            TrackKind::Video => video = Some(track),
            TrackKind::Audio => audio = Some(track),
        }
    }
    video.into_iter().chain(audio).collect()
}

/// One variant: the tracks that a player of it has to be ready for, sound of its own rendition included.
pub(crate) struct Variant<'a> {
    pub(crate) tracks: Vec<&'a Track>,
    pub(crate) measured: Measured,
    /// Its media playlist.
    pub(crate) uri: String,
}

impl<'a> Variant<'a> {
    /// It is played with this sound, and not with its own.
    pub(crate) fn hear(&mut self, sound: &'a Track) {
        self.tracks.retain(|track| track.kind() == TrackKind::Video);
        self.tracks.push(sound);
    }
}

/// Sound with a media playlist of its own, which serves all variants.
pub(crate) struct Sound<'a> {
    pub(crate) track: Option<&'a Track>,
    pub(crate) uri: String,
}

/// The whole playlist; players begin with the first variant.
pub(crate) fn render(variants: &[Variant<'_>], sound: Option<&Sound<'_>>) -> String {
    let group = Rendition::Audio.name();
    let sound = sound.map(|sound| AlternativeMedia {
        media_type: AlternativeMediaType::Audio,
        uri: Some(sound.uri.clone()),
        group_id: group.to_owned(),
        name: group.to_owned(),
        default: true,
        autoselect: true,
        channels: sound
            .track
            .and_then(|track| track.codec.channels())
            .map(|channels| channels.to_string()),
        ..AlternativeMedia::default()
    });
    let stream = |variant: &Variant<'_>| VariantStream {
        audio: sound.as_ref().map(|sound| sound.group_id.clone()),
        ..stream(variant)
    };
    written(&MasterPlaylist {
        version: Some(if sound.is_some() { 6 } else { 3 }),
        independent_segments: variants.iter().all(|it| it.measured.is_independent()),
        variants: variants.iter().map(stream).collect(),
        alternatives: sound.into_iter().collect(),
        ..MasterPlaylist::default()
    })
}

fn stream(variant: &Variant<'_>) -> VariantStream {
    let Variant {
        tracks,
        measured,
        uri,
    } = variant;
    let codecs: Vec<String> = tracks.iter().map(|track| track.codec.rfc6381()).collect();
    let size = tracks.iter().find_map(|track| track.codec.size());
    let resolution = size.map(|(width, height)| Resolution {
        width: width.into(),
        height: height.into(),
    });
    VariantStream {
        uri: uri.clone(),
        bandwidth: measured.peak(),
        average_bandwidth: Some(measured.average()),
        codecs: Some(codecs.join(",")),
        resolution,
        frame_rate: resolution.and_then(|_| measured.frame_rate()),
        other_attributes: video_range(tracks),
        ..VariantStream::default()
    }
}

/// VIDEO-RANGE, which m3u8-rs does not know: left out where it is SDR, which players assume.
fn video_range(tracks: &[&Track]) -> Option<HashMap<String, QuotedOrUnquoted>> {
    let range = tracks.iter().find_map(|track| track.codec.video_range())?;
    let name = QuotedOrUnquoted::Unquoted(range.name().to_owned());
    (range != VideoRange::Sdr).then(|| HashMap::from([("VIDEO-RANGE".to_owned(), name)]))
}

fn written(playlist: &MasterPlaylist) -> String {
    let mut text = Vec::new();
    playlist
        .write_to(&mut text)
        .expect("writing to memory should not fail");
    String::from_utf8(text).expect("a playlist of validated names should be UTF-8")
}

#[cfg(test)]
mod tests {
    use media::Codec;
    use media::codec::Av1;

    use super::*;
    use crate::window::tests::{segment, video_segment};

    fn measured(segments: &[Segment]) -> Measured {
        let mut measured = Measured::default();
        for segment in segments {
            measured.add_segment(segment, MediaTime::from_millis(2_000));
        }
        measured
    }

    fn text(segments: &[Segment], folder: &str) -> String {
        let tracks = newest(segments.iter().map(|segment| &*segment.tracks));
        let variant = Variant {
            tracks,
            measured: measured(segments),
            uri: format!("{folder}main.m3u8"),
        };
        render(&[variant], None)
    }

    #[test]
    fn a_whole_playlist() {
        // 60 pictures in 2.002 s: 29.97 a second.
        let segments = [
            video_segment(1, 2_002, 500_000),
            video_segment(2, 2_002, 750_000),
        ];
        assert_eq!(
            text(&segments, ""),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2997003,AVERAGE-BANDWIDTH=2497503,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.97
main.m3u8
"
        );
    }

    #[test]
    fn audio_alone_has_neither_resolution_nor_frame_rate() {
        assert_eq!(
            text(&[segment(1, 2_000)], "show/"),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=128000,AVERAGE-BANDWIDTH=128000,CODECS=\"mp4a.40.2\"
show/main.m3u8
"
        );
    }

    #[test]
    fn high_dynamic_range_is_named() {
        // libaom, 640×360, 10 bits, BT.2020 and HLG.
        let record = [
            0x81, 0x01, 0x4c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36,
            0xbe, 0x54, 0x24, 0x48, 0x24, 0x10,
        ];
        let codec = Codec::Av1(Av1::parse(record.to_vec().into()).expect("AV1"));
        let mut hlg = video_segment(1, 2_000, 500_000);
        hlg.tracks = [Track { codec }].into();
        hlg.units.retain(|unit| unit.track == 0);
        assert_eq!(
            text(&[hlg], "").lines().nth(3),
            Some(
                "#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=2000000,\
                 CODECS=\"av01.0.01M.10.0.110.09.18.09.0\",RESOLUTION=640x360,FRAME-RATE=30,VIDEO-RANGE=HLG"
            )
        );
    }

    #[test]
    fn a_track_that_pauses_is_still_named() {
        let with_sound = video_segment(1, 2_000, 500_000);
        let mut without = video_segment(2, 2_000, 500_000);
        without.tracks = without.tracks.iter().take(1).cloned().collect();
        without.units.retain(|unit| unit.track == 0);
        let text = text(&[with_sound, without], "");
        assert!(text.contains("CODECS=\"avc1.64001f,mp4a.40.2\""), "{text}");
    }

    #[test]
    fn one_dependent_segment_takes_the_promise_back() {
        let mut dependent = segment(2, 2_000);
        dependent.independent = false;
        let text = text(&[segment(1, 2_000), dependent, segment(3, 2_000)], "");
        assert!(!text.contains("INDEPENDENT"), "{text}");
    }

    #[test]
    fn a_short_last_segment_is_no_peak() {
        let measured = measured(&[
            video_segment(1, 2_000, 500_000),
            video_segment(2, 100, 400_000),
        ]);
        assert_eq!(measured.peak, 2_000_000);
        assert_eq!(measured.average(), 3_428_572);
        assert_eq!(measured.peak(), measured.average());
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
