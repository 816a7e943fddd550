//! What a request path asks for: a pure function, and the only place where paths are taken apart.
//!
//! Paths are compared with what exists, never joined to anything. Names have no characters that would
//! need percent-encoding, so an encoded path is simply not found.

use media::{PackedAudio, Rendition};
use playlist::Form;

/// The longest path that can name anything: three names of 128 bytes and the file.
pub const MAX_PATH_BYTES: usize = 1_024;

/// A path, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Something of a presentation.
    Media(MediaPath<'a>),
    /// The root, or beneath a name that HTTP keeps for itself: pages, API, health.
    Reserved,
    /// Nothing that could exist.
    Nothing,
    /// Longer than [`MAX_PATH_BYTES`].
    TooLong,
}

/// A file of a presentation; the names are not validated yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaPath<'a> {
    /// `app` or `app/instance`.
    pub app: &'a str,
    /// The presentation's name.
    pub name: &'a str,
    /// Which file.
    pub file: File,
}

/// The files of a presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `{name}/index.m3u8`.
    Multivariant,
    /// `{name}.m3u8`, the habit of nginx-rtmp and SRS users: the multivariant playlist, one level up.
    Alias,
    /// `{name}/main.m3u8`.
    Playlist,
    /// `{name}/iframes.m3u8`: the key pictures of its segments.
    IFrames,
    /// `{name}/sound.m3u8`: the sound of its segments alone.
    Sound,
    /// `{name}/main-{epoch}-{sequence}.ts`.
    Segment {
        /// Which presentation of this name.
        epoch: u32,
        /// Its media sequence number.
        sequence: u64,
    },
    /// `{name}/sound-{epoch}-{sequence}.aac`, or what else its codec is called.
    PackedAudio {
        /// Which presentation of this name.
        epoch: u32,
        /// Media sequence number.
        sequence: u64,
        /// What it is made of.
        form: PackedAudio,
    },
    /// `{name}/llhls.m3u8`: the multivariant playlist of the low-latency form.
    LowLatency,
    /// `{name}/manifest.mpd`: the same for DASH.
    Manifest,
    /// `{name}/clock.txt`: what time it is here, for players of DASH.
    Clock,
    /// `{name}/video.m3u8`, `audio.m3u8`, `muxed.m3u8`.
    Media(Rendition),
    /// `{name}/all-audio.m3u8`: the sound that all rungs of a ladder hear in the low-latency form.
    SoundOfAll,
    /// `{name}/video-iframes.m3u8`: the key pictures of the low-latency form.
    MediaIFrames,
    /// Something of CMAF: `{name}/{rendition}-…`. Of which presentation, the query says ([`Epoch`]).
    Cmaf {
        /// Of which rendition.
        rendition: Rendition,
        /// What of it.
        piece: Piece,
    },
}

impl File {
    /// The form that it is of, if it is a media playlist, which players load again and again.
    pub(crate) const fn of_media_playlist(self) -> Option<Form> {
        match self {
            Self::Playlist | Self::IFrames | Self::Sound => Some(Form::Classic),
            Self::Media(_) | Self::MediaIFrames => Some(Form::LowLatency),
            _ => None,
        }
    }
}

/// What a file of CMAF is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// `…-{sequence}.m4s`: a segment, by its media sequence number.
    Segment(u64),
    /// `…-{sequence}.{part}.m4s`: a part of one.
    Part(u64, u64),
    /// `…-{id}.mp4`: an init section.
    InitSection(u64),
}

/// Takes a path apart.
pub fn parse(path: &str) -> Target<'_> {
    if path.len() > MAX_PATH_BYTES {
        return Target::TooLong;
    }
    let Some(path) = path.strip_prefix('/') else {
        return Target::Nothing;
    };
    let first = path.split_once('/').map_or(path, |(first, _)| first);
    if path.is_empty() || media::RESERVED_APPS.contains(&first) {
        return Target::Reserved;
    }
    parse_media(path).map_or(Target::Nothing, Target::Media)
}

fn parse_media(path: &str) -> Option<MediaPath<'_>> {
    let (folder, file) = path.rsplit_once('/')?;
    // `/live/index.m3u8` can only be the alias of a presentation called index.
    if let Some((app, name)) = app_and_name(folder)
        && let Some(file) = parse_file(file)
    {
        return Some(MediaPath { app, name, file });
    }
    let name = file.strip_suffix(".m3u8")?;
    (!folder.ends_with('/')).then_some(MediaPath {
        app: folder,
        name,
        file: File::Alias,
    })
}

/// Parts `app/name` or `app/instance/name` at the last slash. Publishers are forgiven a slash behind the
/// application; in URLs it would be a second spelling.
pub(crate) fn app_and_name(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once('/').filter(|(app, _)| !app.ends_with('/'))
}

fn parse_file(file: &str) -> Option<File> {
    match file {
        "index.m3u8" => return Some(File::Multivariant),
        "main.m3u8" => return Some(File::Playlist),
        "sound.m3u8" => return Some(File::Sound),
        "iframes.m3u8" => return Some(File::IFrames),
        "video-iframes.m3u8" => return Some(File::MediaIFrames),
        playlist::SOUND_OF_ALL => return Some(File::SoundOfAll),
        "llhls.m3u8" => return Some(File::LowLatency),
        "manifest.mpd" => return Some(File::Manifest),
        "clock.txt" => return Some(File::Clock),
        _ => {}
    }
    if let Some(name) = file.strip_suffix(".m3u8") {
        return parse_rendition(name).map(File::Media);
    }
    let (rendition, numbers) = file.split_once('-')?;
    let in_epoch = || {
        let (epoch, numbers) = numbers.split_once('-')?;
        Some((parse_epoch(epoch)?, numbers))
    };
    if rendition == playlist::RENDITION {
        let (epoch, numbers) = in_epoch()?;
        let sequence = parse_number(numbers.strip_suffix(".ts")?)?;
        return Some(File::Segment { epoch, sequence });
    }
    if rendition == playlist::PACKED_AUDIO {
        let (epoch, numbers) = in_epoch()?;
        let (sequence, extension) = numbers.split_once('.')?;
        let mut forms = PackedAudio::ALL.into_iter();
        return Some(File::PackedAudio {
            epoch,
            sequence: parse_number(sequence)?,
            form: forms.find(|form| form.extension() == extension)?,
        });
    }
    let piece = if let Some(id) = numbers.strip_suffix(".mp4") {
        Piece::InitSection(parse_number(id)?)
    } else {
        let numbers = numbers.strip_suffix(".m4s")?;
        match numbers.split_once('.') {
            Some((segment, part)) => Piece::Part(parse_number(segment)?, parse_number(part)?),
            None => Piece::Segment(parse_number(numbers)?),
        }
    };
    Some(File::Cmaf {
        rendition: parse_rendition(rendition)?,
        piece,
    })
}

fn parse_rendition(name: &str) -> Option<Rendition> {
    [Rendition::Video, Rendition::Audio, Rendition::Muxed]
        .into_iter()
        .find(|rendition| rendition.name() == name)
}

/// What the query of a file of CMAF says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Of which presentation of the name, or of the ladder, it is.
    Of(u32),
    /// Nothing: a cache may have left it out.
    LeftOut,
    /// No epoch.
    Malformed,
}

impl Epoch {
    /// Reads `epoch=…` in `query`.
    pub(crate) fn parse(query: &str) -> Self {
        let mut pairs = query.split('&');
        match pairs.find_map(|pair| pair.strip_prefix("epoch=")) {
            Some(value) => parse_epoch(value).map_or(Self::Malformed, Self::Of),
            None => Self::LeftOut,
        }
    }
}

/// Eight lowercase hexadecimal digits: one spelling, so that a segment has one URL in every cache.
fn parse_epoch(text: &str) -> Option<u32> {
    let canonical = text.len() == 8
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    canonical
        .then(|| u32::from_str_radix(text, 16).ok())
        .flatten()
}

/// Decimal digits without leading zeros.
fn parse_number(text: &str) -> Option<u64> {
    let canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use playlist::uri;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;

    fn media<'a>(app: &'a str, name: &'a str, file: File) -> Target<'a> {
        Target::Media(MediaPath { app, name, file })
    }

    #[test]
    fn what_each_path_asks_for() {
        let segment = |epoch, sequence| File::Segment { epoch, sequence };
        let cmaf = |rendition, piece| File::Cmaf { rendition, piece };
        let cases = [
            (
                "/live/show/index.m3u8",
                media("live", "show", File::Multivariant),
            ),
            (
                "/live/show/main.m3u8",
                media("live", "show", File::Playlist),
            ),
            (
                "/live/show/iframes.m3u8",
                media("live", "show", File::IFrames),
            ),
            ("/live/show/sound.m3u8", media("live", "show", File::Sound)),
            (
                "/live/show/sound-0000e1ff-7.aac",
                media(
                    "live",
                    "show",
                    File::PackedAudio {
                        epoch: 0xe1ff,
                        sequence: 7,
                        form: PackedAudio::Aac,
                    },
                ),
            ),
            (
                "/live/show/video-iframes.m3u8",
                media("live", "show", File::MediaIFrames),
            ),
            ("/live/show.m3u8", media("live", "show", File::Alias)),
            (
                "/live/in/show/index.m3u8",
                media("live/in", "show", File::Multivariant),
            ),
            ("/live/in/show.m3u8", media("live/in", "show", File::Alias)),
            ("/live/index.m3u8", media("live", "index", File::Alias)),
            (
                "/live/show/main-0000e1ff-1795446001.ts",
                media("live", "show", segment(0xe1ff, 1_795_446_001)),
            ),
            (
                "/live/show/main-ffffffff-18446744073709551615.ts",
                media("live", "show", segment(u32::MAX, u64::MAX)),
            ),
            (
                "/live/show/main-ffffffff-18446744073709551616.ts",
                Target::Nothing,
            ),
            ("/live/show/main-0000E1FF-1.ts", Target::Nothing),
            ("/live/show/main-0000e1ff-01.ts", Target::Nothing),
            ("/live/show/main-0000e1ff-+1.ts", Target::Nothing),
            ("/live/show/main-+000e1ff-1.ts", Target::Nothing),
            ("/live/show/main-0000e1ff-.ts", Target::Nothing),
            ("/live/show/main-1-1.ts", Target::Nothing),
            ("/live/show/main.ts", Target::Nothing),
            (
                "/live/show/llhls.m3u8",
                media("live", "show", File::LowLatency),
            ),
            (
                "/live/show/video.m3u8",
                media("live", "show", File::Media(Rendition::Video)),
            ),
            (
                "/live/show/all-audio.m3u8",
                media("live", "show", File::SoundOfAll),
            ),
            (
                "/live/show/audio-7.m4s",
                media("live", "show", cmaf(Rendition::Audio, Piece::Segment(7))),
            ),
            (
                "/live/show/muxed-7.11.m4s",
                media("live", "show", cmaf(Rendition::Muxed, Piece::Part(7, 11))),
            ),
            (
                "/live/show/video-7.mp4",
                media(
                    "live",
                    "show",
                    cmaf(Rendition::Video, Piece::InitSection(7)),
                ),
            ),
            ("/live/show/video-7.01.m4s", Target::Nothing),
            ("/live/show/video-7..m4s", Target::Nothing),
            ("/live/show/video-0000e1ff-7.m4s", Target::Nothing),
            ("/live/show/main-0000e1ff-7.m4s", Target::Nothing),
            ("/live/show/video-7.ts", Target::Nothing),
            ("/live/show/main-7.ts", Target::Nothing),
            (
                "/live/show/text.m3u8",
                media("live/show", "text", File::Alias),
            ),
            ("/live/show/", Target::Nothing),
            ("/live/show", Target::Nothing),
            ("/live", Target::Nothing),
            ("live/show/index.m3u8", Target::Nothing),
            ("", Target::Nothing),
            ("*", Target::Nothing),
            ("/", Target::Reserved),
            ("/api/v1/status", Target::Reserved),
            ("/watch/live/show", Target::Reserved),
            ("/healthz", Target::Reserved),
            // Not names: the registry has none of these.
            ("//index.m3u8", media("", "index", File::Alias)),
            (
                "/live/../etc/index.m3u8",
                media("live/..", "etc", File::Multivariant),
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(parse(path), expected, "{path}");
        }
        let long = format!("/live/{}/index.m3u8", "x".repeat(10_000));
        assert_eq!(parse(&long), Target::TooLong);
    }

    #[test]
    fn which_epoch_a_query_says() {
        let cases = [
            ("epoch=0000e1ff", Epoch::Of(0xe1ff)),
            ("epoch=0000e1ff&period=7", Epoch::Of(0xe1ff)),
            ("token=x&epoch=0000e1ff", Epoch::Of(0xe1ff)),
            ("", Epoch::LeftOut),
            ("period=7", Epoch::LeftOut),
            ("epoch=0000E1FF", Epoch::Malformed),
            ("epoch=e1ff", Epoch::Malformed),
            ("epoch=", Epoch::Malformed),
        ];
        for (query, expected) in cases {
            assert_eq!(Epoch::parse(query), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_not(path in "\\PC*") {
            check(&path);
        }

        #[test]
        fn near_misses(path in "/{0,2}(live|\\.\\.|%2e|a)?(/(main|video|sound|llhls|index|show|-|[0-9a-f]{7,9}|\\.ts|\\.aac|\\.ec3|\\.m4s|\\.mp4|\\.[0-9]|\\.m3u8){0,5}){0,5}") {
            check(&path);
        }
    }

    /// A path that is understood can be put together again from what was understood.
    fn check(path: &str) {
        if let Target::Media(MediaPath { app, name, file }) = parse(path) {
            let again = match file {
                File::Multivariant => format!("/{app}/{name}/index.m3u8"),
                File::Playlist => format!("/{app}/{name}/main.m3u8"),
                File::Alias => format!("/{app}/{name}.m3u8"),
                File::Segment { epoch, sequence } => {
                    format!("/{app}/{name}/main-{epoch:08x}-{sequence}.ts")
                }
                File::Sound => format!("/{app}/{name}/sound.m3u8"),
                File::PackedAudio {
                    epoch,
                    sequence,
                    form,
                } => {
                    let extension = form.extension();
                    format!("/{app}/{name}/sound-{epoch:08x}-{sequence}.{extension}")
                }
                File::IFrames => format!("/{app}/{name}/iframes.m3u8"),
                File::MediaIFrames => format!("/{app}/{name}/{}", uri::i_frames()),
                File::SoundOfAll => format!("/{app}/{name}/all-audio.m3u8"),
                File::LowLatency => format!("/{app}/{name}/llhls.m3u8"),
                File::Manifest => format!("/{app}/{name}/manifest.mpd"),
                File::Clock => format!("/{app}/{name}/clock.txt"),
                File::Media(rendition) => format!("/{app}/{name}/{}.m3u8", rendition.name()),
                File::Cmaf { rendition, piece } => {
                    let file = match piece {
                        Piece::Segment(sequence) => uri::segment(rendition, 7, sequence),
                        Piece::Part(sequence, part) => {
                            let part = usize::try_from(part).expect("64 bits");
                            uri::part(rendition, 7, sequence, part)
                        }
                        Piece::InitSection(id) => uri::section(rendition, 7, id),
                    };
                    let (file, query) = file.split_once('?').expect("a query");
                    assert_eq!(Epoch::parse(query), Epoch::Of(7));
                    format!("/{app}/{name}/{file}")
                }
            };
            assert_eq!(again, path);
        }
    }

    #[test]
    fn corpus() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/request_path");
        let mut seen = 0;
        for file in fs::read_dir(folder).expect("corpus folder") {
            let bytes = fs::read(file.expect("corpus file").path()).expect("readable");
            check(&String::from_utf8_lossy(&bytes));
            seen += 1;
        }
        assert!(seen >= 10, "the corpus has {seen} inputs");
    }
}
