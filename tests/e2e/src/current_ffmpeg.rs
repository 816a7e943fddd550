//! A current ffmpeg beside Debian's, for what that is too old for: it publishes Enhanced RTMP, and reads what comes out
//! of it. `cargo xtask test` puts it into the checkout's `.tools`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::encoder::{Encoder, Pace, both};
use crate::ffmpeg_witness::{Tracks, Unit, silent};

/// Names another ffmpeg of version 8 or later.
const VARIABLE: &str = "FOREBAY_CURRENT_FFMPEG";
/// Where `cargo xtask test` puts it: a file of its own, whose name says for which machine it is.
const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../.tools/ffmpeg/imageio_ffmpeg/binaries"
);

/// What to encode, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// How long, seconds.
    pub seconds: u32,
    /// ffmpeg's options for pictures of 320x180, 25 a second; none if empty.
    pub video: &'static str,
    /// ffmpeg's options for sound in stereo, of 48 kHz; none if empty.
    pub audio: &'static str,
}

/// The program.
///
/// # Panics
/// It is not there.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return path.into();
    }
    let files = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let mut paths = files.map(|file| file.path());
    let found = paths.find(|path| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| name.starts_with("ffmpeg-"))
    });
    found.unwrap_or_else(|| {
        panic!("no current ffmpeg in .tools: run `cargo xtask test`, or name one in {VARIABLE}")
    })
}

impl Encoding {
    /// Encodes and publishes, in real time or as fast as it can, and records what it has sent.
    pub fn publish(self, pace: Pace, url: &str, record: &Path) -> Encoder {
        let mut words = "-v error -y".to_owned();
        let real_time = match pace {
            Pace::Live => "-re",
            Pace::Burst => "",
        };
        let seconds = self.seconds;
        let mut outputs = String::new();
        let inputs = [
            (self.video, "testsrc2=size=320x180:rate=25"),
            (
                self.audio,
                "aevalsrc=sin(2*PI*t*(300+40*t))|sin(2*PI*t*440):s=48000",
            ),
        ];
        let used = inputs.iter().filter(|(options, _)| !options.is_empty());
        for (at, (options, source)) in used.enumerate() {
            words.push_str(&format!(" {real_time} -f lavfi -t {seconds} -i {source}"));
            outputs.push_str(&format!(" -map {at} {options}"));
        }
        words.push_str(&outputs);
        words.push_str(" -flags +global_header -f tee");
        let mut arguments: Vec<_> = words.split_whitespace().collect();
        let output = both(url, record);
        arguments.push(&output);
        let program = program();
        Encoder::start(program.to_str().expect("a path of UTF-8"), &arguments)
    }
}

/// The access units of a file or URL.
///
/// # Panics
/// ffmpeg says a word about it.
pub fn read(source: impl AsRef<OsStr>) -> Tracks {
    read_of(source.as_ref(), "0:v?")
}

/// The same of a file with several tracks of pictures: those of track `n`, and the sound.
///
/// # Panics
/// ffmpeg says a word about it.
pub fn read_with_pictures_of(source: impl AsRef<OsStr>, n: usize) -> Tracks {
    read_of(source.as_ref(), &format!("0:v:{n}"))
}

fn read_of(source: &OsStr, pictures: &str) -> Tracks {
    let mut codecs = Vec::new();
    for line in hashes(source, pictures, &[]).lines() {
        if let Some((_, codec)) = line
            .strip_prefix("#codec_id ")
            .and_then(|it| it.split_once(": "))
        {
            codecs.push(codec.to_owned());
        }
    }
    // Without what containers add or leave out: start codes, parameter sets, delimiters, ADTS headers.
    let filters = codecs.iter().filter_map(|codec| match codec.as_str() {
        "h264" => Some(["-bsf:v", "h264_mp4toannexb,filter_units=remove_types=7|8|9"]),
        "hevc" => Some([
            "-bsf:v",
            "hevc_mp4toannexb,filter_units=remove_types=32|33|34|35",
        ]),
        "av1" => Some(["-bsf:v", "av1_metadata=td=remove"]),
        "aac" => Some(["-bsf:a", "aac_adtstoasc"]),
        _ => None,
    });
    let filters: Vec<_> = filters.flatten().collect();
    let mut tracks = Tracks::default();
    // Of each stream: what it is, and its ticks a second.
    let mut streams: Vec<(bool, i64)> = Vec::new();
    let mut rate = 0;
    for line in hashes(source, pictures, &filters).lines() {
        if let Some((_, base)) = line.strip_prefix("#tb ").and_then(|it| it.split_once(": ")) {
            let (_, ticks) = base.split_once('/').expect("a fraction");
            rate = ticks.parse().expect("ticks a second");
        } else if let Some(media_type) = line.strip_prefix("#media_type ") {
            streams.push((media_type.ends_with(": video"), rate));
        } else if !line.starts_with('#') {
            let columns: Vec<_> = line.split(',').map(str::trim).collect();
            let [stream, dts, pts, _, bytes, payload, ..] = columns[..] else {
                panic!("{line}: no access unit");
            };
            let (is_video, rate) = streams[stream.parse::<usize>().expect("an index")];
            let micros = |ticks: &str| ticks.parse::<i64>().expect("a time") * 1_000_000 / rate;
            let unit = Unit {
                dts_us: micros(dts),
                pts_us: micros(pts),
                payload: payload.to_owned(),
            };
            match is_video {
                // It ends tracks with empty ones.
                _ if bytes == "0" => {}
                true => tracks.video.push(unit),
                false => tracks.audio.push(unit),
            }
        }
    }
    codecs.sort();
    tracks.codecs = codecs;
    tracks
}

/// Decodes all of a file or URL; gives the number of pictures and of pieces of sound.
///
/// # Panics
/// ffmpeg says a word about it.
pub fn decode(source: impl AsRef<OsStr>) -> (usize, usize) {
    let mut ffmpeg = Command::new(program());
    ffmpeg.args(["-v", "error", "-copyts", "-i"]).arg(source);
    ffmpeg.args(["-fps_mode", "passthrough", "-enc_time_base", "demux"]);
    ffmpeg.args(["-map", "0:v?", "-map", "0:a?", "-f", "framehash", "-"]);
    let list = silent(&mut ffmpeg);
    let is_video = list.contains("#media_type 0: video");
    let units = list.lines().filter(|line| !line.starts_with('#'));
    let (first, second): (Vec<_>, Vec<_>) = units.partition(|line| line.starts_with("0,"));
    match is_video {
        true => (first.len(), second.len()),
        false => (0, first.len()),
    }
}

fn hashes(source: &OsStr, pictures: &str, filters: &[&str]) -> String {
    let mut ffmpeg = Command::new(program());
    ffmpeg.args(["-v", "error", "-copyts", "-i"]).arg(source);
    ffmpeg.args(["-map", pictures, "-map", "0:a?", "-c", "copy", "-copyinkf"]);
    ffmpeg.args(filters);
    ffmpeg.args(["-f", "framehash", "-hash", "md5", "-"]);
    silent(&mut ffmpeg)
}
