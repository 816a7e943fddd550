//! Multivariant playlist text (rfc8216bis §4.4.6), from what was measured.
//!
//! What does not belong here: measuring, and which variants there are.

use std::collections::HashSet;
use std::fmt::{Display, Write};

use media::codec::VideoRange;
use media::{CaptionService, Captions, Rendition, Track, TrackKind};

use crate::Label;
use crate::measured::{Measured, Rate};

/// The first group of sound, and its name.
const GROUP: &str = Rendition::Audio.name();
/// The group of closed captions.
const CAPTIONS: &str = "cc";

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
    /// What it is called for as long as there is something of that name, and by no other: letters that names may have.
    pub(crate) id: String,
    /// Its media playlist.
    pub(crate) uri: String,
    /// Its I-frame playlist.
    pub(crate) i_frames: Option<String>,
    /// The group that it hears, by its place in those there are.
    pub(crate) hears: Option<usize>,
}

impl<'a> Variant<'a> {
    /// How good it looks beside others: its size first.
    fn quality(&self) -> (u32, u64) {
        let (width, height) = size(&self.tracks).unwrap_or_default();
        (
            u32::from(width) * u32::from(height),
            self.measured.all.peak(),
        )
    }

    /// It is played with one of `sounds`, group `at` of all: with its own where that comes with its pictures, and any
    /// other besides. BANDWIDTH is of all that has to be loaded, with the largest of them (rfc8216bis §4.4.6.2).
    pub(crate) fn hear(&mut self, at: usize, sounds: &[Sound<'a>]) {
        self.hears = Some(at);
        if sounds.iter().all(|sound| sound.track.is_none()) {
            return;
        }
        let has_own = self.tracks.iter().any(|it| it.kind() == TrackKind::Audio);
        self.tracks.retain(|track| track.kind() == TrackKind::Video);
        // Of another codec than the first is nothing that a player must have: one without it plays the rest.
        let mut tracks = sounds.iter().filter_map(|sound| sound.track).peekable();
        let name = tracks.peek().map(|track| track.codec.name());
        let alike = tracks.filter(|track| Some(track.codec.name()) == name);
        self.tracks.extend(alike);
        let apart = sounds.iter().filter(|sound| sound.uri.is_some());
        let Some(largest) = apart.map(|sound| sound.rate).max_by_key(Rate::peak) else {
            return;
        };
        let all = &mut self.measured.all;
        if has_own && sounds.iter().all(|sound| sound.uri.is_some()) {
            *all = all.without(&self.measured.sound);
        }
        *all = all.with(&largest);
    }
}

/// Sound of a group.
#[derive(Clone)]
pub(crate) struct Sound<'a> {
    pub(crate) track: Option<&'a Track>,
    pub(crate) label: Label,
    /// Like [`Variant::id`].
    pub(crate) id: String,
    /// Its media playlist; `None` where each variant has it with its pictures.
    pub(crate) uri: Option<String>,
    pub(crate) rate: Rate,
}

/// The whole playlist; players begin with the first variant, and with the first sound of its group that is the default.
/// All `groups` have the same members, from elsewhere (§4.4.6.1.1).
pub(crate) fn render(variants: &[Variant<'_>], groups: &[Vec<Sound<'_>>]) -> String {
    let captions = captions(variants);
    let version = if captions.services().any(CaptionService::is_cea_708) {
        7
    } else if groups.is_empty() {
        3
    } else {
        6
    };
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:{version}\n");
    if variants.iter().all(|it| it.measured.is_independent()) {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    for (at, sounds) in groups.iter().enumerate() {
        write_group(&group_id(at), sounds, &mut text);
    }
    for service in captions.services() {
        closed_captions(service).write(&mut text);
    }
    let count = variants.len();
    for variant in variants {
        let worse = variants
            .iter()
            .filter(|it| it.quality() < variant.quality());
        let score = (count > 1).then(|| 1 + worse.count());
        stream(variant)
            .bare_if("SCORE", score)
            .quoted("STABLE-VARIANT-ID", &variant.id)
            .quoted_if("AUDIO", variant.hears.map(group_id))
            .quoted_if(
                "CLOSED-CAPTIONS",
                (!captions.is_empty()).then_some(CAPTIONS),
            )
            .bare_if("CLOSED-CAPTIONS", captions.is_empty().then_some("NONE"))
            .write(&mut text);
        text.push_str(&variant.uri);
        text.push('\n');
    }
    for i_frames in variants.iter().filter_map(i_frames) {
        i_frames.write(&mut text);
    }
    text
}

/// Those of one variant are announced for all, as all must say NONE where one does (§4.4.6.2): a viewer chooses once,
/// and each rung has the captions of its source.
fn captions(variants: &[Variant<'_>]) -> Captions {
    let mut captions = Captions::NONE;
    for variant in variants {
        captions |= variant.measured.captions;
    }
    captions
}

fn group_id(at: usize) -> String {
    match at {
        0 => GROUP.to_owned(),
        at => format!("{GROUP}-{}", at + 1),
    }
}

fn write_group(id: &str, sounds: &[Sound<'_>], text: &mut String) {
    let mut names = HashSet::new();
    let default = sounds.iter().position(|it| it.label.is_default());
    for (at, sound) in sounds.iter().enumerate() {
        let name = sound.label.name().or(sound.label.language());
        let mut name = name.unwrap_or(GROUP).to_owned();
        // One name is one rendition (§4.4.6.1.1).
        while !names.insert(name.clone()) {
            let _ = write!(name, " {}", at + 1);
        }
        let is_default = at == default.unwrap_or(0);
        media(id, sound, &name, is_default).write(text);
    }
}

/// EXT-X-MEDIA (§4.4.6.1) of sound.
fn media(group: &str, sound: &Sound<'_>, name: &str, is_default: bool) -> Tag {
    let channels = sound.track.and_then(|track| track.codec.channels());
    Tag::new("#EXT-X-MEDIA")
        .bare("TYPE", "AUDIO")
        .quoted_if("URI", sound.uri.as_ref())
        .quoted("GROUP-ID", group)
        .quoted("STABLE-RENDITION-ID", &sound.id)
        .quoted_if("LANGUAGE", sound.label.language())
        .quoted("NAME", name)
        .bare("DEFAULT", if is_default { "YES" } else { "NO" })
        .bare("AUTOSELECT", "YES")
        .quoted_if("CHANNELS", channels)
}

/// EXT-X-MEDIA of captions. Nothing in pictures says in which language they are.
fn closed_captions(service: CaptionService) -> Tag {
    Tag::new("#EXT-X-MEDIA")
        .bare("TYPE", "CLOSED-CAPTIONS")
        .quoted("GROUP-ID", CAPTIONS)
        .quoted("NAME", service.instream_id())
        .quoted("INSTREAM-ID", service.instream_id())
}

/// EXT-X-STREAM-INF (§4.4.6.2), but for its groups.
fn stream(variant: &Variant<'_>) -> Tag {
    let Variant {
        tracks, measured, ..
    } = variant;
    let size = size(tracks);
    rated("#EXT-X-STREAM-INF", &measured.all, tracks)
        .bare_if("RESOLUTION", size.map(resolution))
        .bare_if("FRAME-RATE", size.and_then(|_| measured.frame_rate()))
        .bare_if("VIDEO-RANGE", video_range(tracks))
}

/// EXT-X-I-FRAME-STREAM-INF (§4.4.6.3), where the variant has key pictures to list.
fn i_frames(variant: &Variant<'_>) -> Option<Tag> {
    let uri = variant.i_frames.as_ref()?;
    let tracks = variant.tracks.iter().copied();
    let pictures: Vec<_> = tracks
        .filter(|track| track.kind() == TrackKind::Video)
        .collect();
    let rate = &variant.measured.key_pictures;
    if pictures.is_empty() || rate.is_nothing() {
        return None;
    }
    let tag = rated("#EXT-X-I-FRAME-STREAM-INF", rate, &pictures)
        .bare_if("RESOLUTION", size(&pictures).map(resolution))
        .bare_if("VIDEO-RANGE", video_range(&pictures))
        // No other variant has it: names have no slashes.
        .quoted("STABLE-VARIANT-ID", format_args!("{}/iframes", variant.id))
        .quoted("URI", uri);
    Some(tag)
}

/// A tag with what all streams have.
fn rated(name: &str, rate: &Rate, tracks: &[&Track]) -> Tag {
    let mut codecs: Vec<String> = Vec::new();
    for codec in tracks.iter().map(|track| track.codec.rfc6381()) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    Tag::new(name)
        .bare("BANDWIDTH", rate.peak())
        .bare("AVERAGE-BANDWIDTH", rate.average())
        .quoted("CODECS", codecs.join(","))
}

fn size(tracks: &[&Track]) -> Option<(u16, u16)> {
    tracks.iter().find_map(|track| track.codec.size())
}

fn resolution((width, height): (u16, u16)) -> String {
    format!("{width}x{height}")
}

/// VIDEO-RANGE: left out where it is SDR, which players assume.
fn video_range(tracks: &[&Track]) -> Option<&'static str> {
    let range = tracks.iter().find_map(|track| track.codec.video_range())?;
    (range != VideoRange::Sdr).then(|| range.name())
}

/// A tag with an attribute list (§4.2), in the order in which attributes are added.
struct Tag {
    text: String,
    separator: char,
}

impl Tag {
    fn new(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            separator: ':',
        }
    }

    /// A number, a resolution, an enumerated string.
    fn bare(mut self, name: &str, value: impl Display) -> Self {
        let _ = write!(self.text, "{}{name}={value}", self.separator);
        self.separator = ',';
        self
    }

    fn bare_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.bare(name, value),
            None => self,
        }
    }

    /// A quoted string: names and URIs here have no quotes in them.
    fn quoted(self, name: &str, value: impl Display) -> Self {
        self.bare(name, format_args!("\"{value}\""))
    }

    fn quoted_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.quoted(name, value),
            None => self,
        }
    }

    fn write(&self, text: &mut String) {
        text.push_str(&self.text);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use media::codec::{Av1, Mp3};
    use media::{ByteRange, Codec, Segment};

    use super::*;
    use crate::measured::tests::measured;
    use crate::window::tests::{segment, video_segment};

    fn text(segments: &[Segment], folder: &str) -> String {
        render(&[variant(segments, folder)], &[])
    }

    fn variant<'a>(segments: &'a [Segment], folder: &str) -> Variant<'a> {
        Variant {
            tracks: newest(segments.iter().map(|segment| &*segment.tracks)),
            measured: measured(segments),
            id: "show".into(),
            uri: format!("{folder}main.m3u8"),
            i_frames: Some(format!("{folder}iframes.m3u8")),
            hears: None,
        }
    }

    #[test]
    fn a_whole_playlist() {
        // 60 pictures in 2.002 s: 29.97 a second.
        let mut segments = [
            video_segment(1, 2_002, 500_000),
            video_segment(2, 2_002, 750_000),
        ];
        for segment in &mut segments {
            segment.ts.key_picture = Some(ByteRange {
                offset: 376,
                bytes: 50_008,
            });
        }
        assert_eq!(
            text(&segments, ""),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2997003,AVERAGE-BANDWIDTH=2497503,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.97,STABLE-VARIANT-ID=\"show\",CLOSED-CAPTIONS=NONE
main.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=199833,AVERAGE-BANDWIDTH=199833,CODECS=\"avc1.64001f\",RESOLUTION=1280x720,STABLE-VARIANT-ID=\"show/iframes\",URI=\"iframes.m3u8\"
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
#EXT-X-STREAM-INF:BANDWIDTH=128000,AVERAGE-BANDWIDTH=128000,CODECS=\"mp4a.40.2\",STABLE-VARIANT-ID=\"show\",CLOSED-CAPTIONS=NONE
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
                 CODECS=\"av01.0.01M.10.0.110.09.18.09.0\",RESOLUTION=640x360,FRAME-RATE=30,VIDEO-RANGE=HLG,\
                 STABLE-VARIANT-ID=\"show\",CLOSED-CAPTIONS=NONE"
            )
        );
    }

    #[test]
    fn captions_are_announced() {
        let with = |services: &[CaptionService]| {
            let mut segment = video_segment(1, 2_000, 500_000);
            segment.captions = services.iter().copied().collect();
            // They are still there when nobody speaks.
            text(&[segment, video_segment(2, 2_000, 500_000)], "")
        };
        assert_eq!(
            with(&[CaptionService::Cc1, CaptionService::Cc3]),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC1\",INSTREAM-ID=\"CC1\"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC3\",INSTREAM-ID=\"CC3\"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30,STABLE-VARIANT-ID=\"show\",CLOSED-CAPTIONS=\"cc\"
main.m3u8
"
        );
        assert_eq!(
            with(&[CaptionService::Service1])
                .lines()
                .collect::<Vec<_>>()[1..4],
            [
                "#EXT-X-VERSION:7",
                "#EXT-X-INDEPENDENT-SEGMENTS",
                "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"SERVICE1\",INSTREAM-ID=\"SERVICE1\"",
            ],
            "SERVICE needs version 7 (rfc8216bis §8)"
        );
    }

    /// A browser that cannot decode the second still plays the first.
    #[test]
    fn a_variant_needs_no_other_codec_than_that_of_its_first_sound() {
        let mp3 = Mp3::parse(&[0xff, 0xfb, 0x90, 0x00]).expect("44.1 kHz, 128 kbit/s");
        let other = Track {
            codec: Codec::Mp3(mp3),
        };
        let segments = [video_segment(1, 2_000, 500_000)];
        let mut variant = variant(&segments, "");
        let own = variant.tracks.iter().copied();
        let own = own.last().filter(|track| track.kind() == TrackKind::Audio);
        let sound = |track, uri: Option<&str>| Sound {
            track,
            label: Label::default(),
            id: uri.unwrap_or("own").to_owned(),
            uri: uri.map(str::to_owned),
            rate: Rate::default(),
        };
        let sounds = vec![sound(own, None), sound(Some(&other), Some("mp3.m3u8"))];
        variant.hear(0, &sounds);
        let text = render(&[variant], &[sounds]);
        assert_eq!(text.matches("TYPE=AUDIO").count(), 2, "{text}");
        assert!(text.contains("CODECS=\"avc1.64001f,mp4a.40.2\""), "{text}");
    }

    #[test]
    fn captions_of_one_variant_are_announced_for_all() {
        let mut with = [video_segment(1, 2_000, 500_000)];
        with[0].captions = [CaptionService::Cc1].into_iter().collect();
        let without = [video_segment(1, 2_000, 250_000)];
        let variants = [variant(&without, "low/"), variant(&with, "")];
        let text = render(&variants, &[]);
        assert_eq!(text.matches("TYPE=CLOSED-CAPTIONS").count(), 1, "{text}");
        let streams = || {
            text.lines()
                .filter(|it| it.starts_with("#EXT-X-STREAM-INF"))
        };
        assert_eq!(streams().count(), 2);
        assert!(
            streams().all(|it| it.ends_with(",CLOSED-CAPTIONS=\"cc\"")),
            "{text}"
        );
    }

    #[test]
    fn m3u8_rs_reads_what_is_written() {
        let mut segment = video_segment(1, 2_000, 500_000);
        segment.captions = [CaptionService::Cc1].into_iter().collect();
        let text = text(&[segment], "show/");
        let read = m3u8_rs::parse_master_playlist_res(text.as_bytes()).expect("a playlist");
        let variant = &read.variants[0];
        assert_eq!(variant.uri, "show/main.m3u8");
        assert_eq!(variant.bandwidth, 2_000_000);
        assert_eq!(variant.codecs.as_deref(), Some("avc1.64001f,mp4a.40.2"));
        assert_eq!(variant.frame_rate, Some(30.0));
        let group = m3u8_rs::ClosedCaptionGroupId::GroupId("cc".into());
        assert_eq!(variant.closed_captions, Some(group));
        let captions = &read.alternatives[0];
        assert_eq!(
            captions.media_type,
            m3u8_rs::AlternativeMediaType::ClosedCaptions
        );
        assert_eq!(captions.group_id, "cc");
        assert_eq!(captions.instream_id, Some(m3u8_rs::InstreamId::CC(1)));
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
}
