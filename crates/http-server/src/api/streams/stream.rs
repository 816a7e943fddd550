//! One presentation, as JSON.

use std::collections::BTreeMap;

use media::{Cadence, CaptionService, Codec, MediaTime};
use playlist::{
    Container, Directory, LowLatencyWindow, Presentation, PublishStatus, State, Window,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::health::HealthStatus;
use super::rung::Rung;
use super::transcoder::Transcoder;
use crate::time::rfc3339;

/// One presentation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Stream {
    /// The application, with its instance if it has one.
    app: String,
    /// The name within the application.
    name: String,
    state: Life,
    /// How its encoder is doing; the words are under `/health`.
    health: HealthStatus,
    /// The path of its multivariant playlist.
    playlist: String,
    container: InContainer,
    /// The path of its low-latency multivariant playlist, once a part is listed there.
    low_latency_playlist: Option<String>,
    /// The path of its DASH manifest, likewise.
    dash_manifest: Option<String>,
    /// The path of its player page.
    watch: String,
    /// Who publishes it; null while nobody does.
    publisher: Option<Publisher>,
    /// Its place in a ladder; null where it is no rung of one.
    rung: Option<Rung>,
    /// What makes a ladder of it; null where nobody publishes, or nothing is to be made.
    transcoder: Option<Transcoder>,
    /// Encoders that stand by to take the publisher's place.
    backups: u64,
    tracks: Vec<Track>,
    /// The closed captions seen in its pictures since it began, as INSTREAM-ID names them: `CC1` to `CC4`, `SERVICE1` to
    /// `SERVICE6`.
    captions: Vec<&'static str>,
    window: Listed,
    faults: Faults,
}

/// Where a presentation is in its life.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Life {
    /// Somebody publishes.
    Live,
    /// The publisher left and may come back.
    Resuming,
    /// It is over, and can still be fetched for a while.
    Ended,
}

/// What `playlist` is in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum InContainer {
    /// MPEG-TS, as long as that has a place for all that is published.
    MpegTs,
    /// CMAF: its codecs have no other place in HLS. It is the low-latency playlist, which all players of CMAF play.
    Cmaf,
}

/// Who publishes, and how fast.
#[derive(Debug, Serialize, ToSchema)]
struct Publisher {
    /// Address and port of the encoder.
    address: String,
    /// What the encoder calls itself.
    encoder: Option<String>,
    /// When the publish began.
    #[schema(format = DateTime)]
    since: String,
    /// Bytes of its media messages.
    bytes: u64,
    /// Media bit rate over the last seconds, bit/s.
    bit_rate_current: u64,
    /// Media bit rate since it began, bit/s.
    bit_rate_average: u64,
    /// The properties of its `onMetaData`, as text: declared by the encoder, not measured.
    metadata: BTreeMap<String, String>,
}

/// What is in it, as measured.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Track {
    /// Pictures.
    Video {
        /// The codec's usual name.
        codec: &'static str,
        /// The profile's usual name.
        profile: &'static str,
        /// The codec as RFC 6381 writes it.
        codecs: String,
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
        /// Pictures per second, once there are two.
        frame_rate: Option<f64>,
        /// Seconds between the last two random access points.
        gop_last_seconds: Option<f64>,
        /// The longest such time so far.
        gop_max_seconds: Option<f64>,
    },
    /// Sound.
    Audio {
        /// The codec's usual name.
        codec: &'static str,
        /// The profile's usual name.
        profile: &'static str,
        /// The codec as RFC 6381 writes it.
        codecs: String,
        /// Hz.
        sample_rate: u32,
        /// Channels.
        channels: u8,
    },
}

/// The media playlist of what leads, in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    /// Media sequence number of the first segment; null before there is one.
    media_sequence: Option<u64>,
    /// As in the playlist: how many discontinuities have left it.
    discontinuity_sequence: u64,
    /// Whole seconds; null before there is a segment.
    target_duration_seconds: Option<u32>,
    /// Oldest first.
    segments: Vec<ListedSegment>,
}

/// A segment of the media playlist.
#[derive(Debug, Serialize, ToSchema)]
struct ListedSegment {
    /// Media sequence number.
    sequence: u64,
    /// Seconds.
    duration_seconds: f64,
    /// Size in its container, all tracks.
    bytes: u64,
    /// It begins with a random access point.
    independent: bool,
    /// It does not continue the segment before.
    discontinuity: bool,
}

/// What went wrong with the publish and was worked around.
#[derive(Debug, Default, Serialize, ToSchema)]
struct Faults {
    /// All of them.
    total: u64,
    /// By kind; kinds that did not happen are left out.
    kinds: BTreeMap<&'static str, u64>,
    /// The last one in words.
    last: Option<String>,
}

impl Stream {
    pub(in crate::api) fn of(presentation: &Presentation, directory: &Directory) -> Self {
        let name = presentation.name();
        let (state, status) = (presentation.state(), presentation.status());
        let window = presentation.window();
        let low_latency = presentation.low_latency_window();
        let in_parts = low_latency.is_ready();
        let active = match state {
            State::Live => status.as_ref(),
            State::Resuming | State::Ended => None,
        };
        Self {
            app: name.app.to_string(),
            name: name.name.to_string(),
            playlist: format!("/{name}/index.m3u8"),
            container: InContainer::of(window.container()),
            low_latency_playlist: in_parts.then(|| format!("/{name}/llhls.m3u8")),
            dash_manifest: in_parts.then(|| format!("/{name}/manifest.mpd")),
            watch: format!("/watch/{name}"),
            tracks: tracks(status.as_ref(), &window),
            captions: captions(presentation),
            window: match window.container() {
                Container::MpegTs => Listed::of(&window),
                Container::Cmaf => Listed::in_cmaf(&low_latency),
            },
            faults: status.as_ref().map(Faults::of).unwrap_or_default(),
            transcoder: active.and_then(|it| it.transcoding.as_ref().map(Transcoder::of)),
            publisher: active.map(Publisher::of),
            rung: Rung::of(presentation, directory),
            backups: presentation.backups() as u64,
            state: Life::of(state),
            health: HealthStatus::of(status.as_ref()),
        }
    }
}

impl Life {
    pub(super) fn of(state: State) -> Self {
        match state {
            State::Live => Self::Live,
            State::Resuming => Self::Resuming,
            State::Ended => Self::Ended,
        }
    }
}

impl InContainer {
    const fn of(container: Container) -> Self {
        match container {
            Container::MpegTs => Self::MpegTs,
            Container::Cmaf => Self::Cmaf,
        }
    }
}

impl Publisher {
    fn of(status: &PublishStatus) -> Self {
        Self {
            address: status.address.to_string(),
            encoder: status.encoder.clone(),
            since: rfc3339(status.since),
            bytes: status.bytes,
            bit_rate_current: status.bit_rate_current,
            bit_rate_average: status.bit_rate_average,
            metadata: status.metadata.iter().cloned().collect(),
        }
    }
}

/// As last reported; before the first report, as the newest segment has them.
fn tracks(status: Option<&PublishStatus>, window: &Window) -> Vec<Track> {
    match status {
        Some(status) => status
            .tracks
            .iter()
            .map(|(track, cadence)| Track::of(&track.codec, *cadence))
            .collect(),
        None => window.listed().last().map_or_else(Vec::new, |entry| {
            let tracks = entry.segment.tracks.iter();
            tracks
                .map(|track| Track::of(&track.codec, Cadence::default()))
                .collect()
        }),
    }
}

fn captions(presentation: &Presentation) -> Vec<&'static str> {
    let services = presentation.captions().services();
    services.map(CaptionService::instream_id).collect()
}

impl Track {
    fn of(codec: &Codec, cadence: Cadence) -> Self {
        let (name, profile, codecs) = (codec.name(), codec.profile(), codec.rfc6381());
        match codec.size() {
            Some((width, height)) => Self::Video {
                codec: name,
                profile,
                codecs,
                width,
                height,
                frame_rate: cadence.unit_rate.map(to_millis),
                gop_last_seconds: cadence.gop_last.map(MediaTime::as_secs_f64),
                gop_max_seconds: cadence.gop_max.map(MediaTime::as_secs_f64),
            },
            None => Self::Audio {
                codec: name,
                profile,
                codecs,
                sample_rate: codec.sample_rate().unwrap_or(0),
                channels: codec.channels().unwrap_or(0),
            },
        }
    }
}

/// Three decimals: more of a measured rate is noise.
fn to_millis(rate: f64) -> f64 {
    (rate * 1_000.0).round() / 1_000.0
}

impl Listed {
    fn of(window: &Window) -> Self {
        let first = window.listed().next();
        Self {
            media_sequence: first.map(|entry| entry.sequence),
            // One that the first segment itself carries has not left yet.
            discontinuity_sequence: first.map_or(0, |entry| {
                entry.discontinuity_sequence - u64::from(entry.segment.discontinuity)
            }),
            target_duration_seconds: window
                .target_duration()
                .map(playlist::TargetDuration::seconds),
            segments: window
                .listed()
                .map(|entry| ListedSegment {
                    sequence: entry.sequence,
                    duration_seconds: entry.segment.duration.as_secs_f64(),
                    bytes: entry.segment.ts.bytes,
                    independent: entry.segment.independent,
                    discontinuity: entry.segment.discontinuity,
                })
                .collect(),
        }
    }
}

impl Listed {
    /// The segments that are complete.
    fn in_cmaf(window: &LowLatencyWindow) -> Self {
        let renditions = window.renditions();
        let first = window.listed().next();
        Self {
            media_sequence: first.map(|segment| segment.sequence),
            discontinuity_sequence: first.map_or(0, |segment| {
                segment.discontinuity_sequence - u64::from(segment.head.discontinuity)
            }),
            target_duration_seconds: window
                .is_ready()
                .then(|| window.target_duration().seconds()),
            segments: window
                .listed()
                .map(|segment| ListedSegment {
                    sequence: segment.sequence,
                    duration_seconds: (segment.end() - segment.start()).as_secs_f64(),
                    bytes: renditions.iter().map(|&it| segment.bytes(it)).sum(),
                    independent: segment.head.independent,
                    discontinuity: segment.head.discontinuity,
                })
                .collect(),
        }
    }
}

impl Faults {
    fn of(status: &PublishStatus) -> Self {
        let faults = &status.faults;
        Self {
            total: faults.total(),
            kinds: faults
                .counted()
                .map(|(kind, count)| (kind.as_str(), count))
                .collect(),
            last: faults.last().map(|fault| fault.text.clone()),
        }
    }
}
