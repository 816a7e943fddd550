//! What ffmpeg finds in a file or behind a URL: the access units with their times and payloads. It is read
//! the same way on both sides of the gateway, FLV in and MPEG-TS out.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;

/// The access units of each track, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// Pictures.
    pub video: Vec<Unit>,
    /// Audio frames.
    pub audio: Vec<Unit>,
    /// ffmpeg's names of the codecs, one for each track that is announced, in the order of the alphabet.
    pub codecs: Vec<String>,
}

/// An access unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Decode time, in microseconds.
    pub dts_us: i64,
    /// Presentation time, in microseconds.
    pub pts_us: i64,
    /// MD5 of its payload without what a container adds: start codes, AUD, SPS and PPS, ADTS headers.
    pub payload: String,
}

/// RTMP's times are whole milliseconds, MPEG-TS's ticks of 11 us.
const TOLERANCE_US: i64 = 1_000 + 12;

/// A broken stream has an error in each picture; the first ones tell.
const MAX_ERROR_LINES: usize = 5;

impl Tracks {
    /// Reads a file or URL.
    ///
    /// # Panics
    /// ffmpeg or ffprobe says a word about it.
    pub fn read(source: impl AsRef<OsStr>) -> Self {
        let source = source.as_ref();
        let mut tracks = Self::default();
        for stream in list(&probe(source, "stream=codec_type,codec_name"), "streams") {
            // An FLV file's events are a track of text to ffmpeg.
            if stream["codec_type"] != "data" && stream["codec_type"] != "subtitle" {
                tracks.codecs.push(text(stream, "codec_name").to_owned());
            }
        }
        tracks.codecs.sort();
        let has_aac = tracks.codecs.iter().any(|codec| codec == "aac");
        let packets = probe(source, "packet=codec_type,pts_time,dts_time");
        for packet in list(&packets, "packets") {
            let units = match text(packet, "codec_type") {
                "video" => &mut tracks.video,
                "audio" => &mut tracks.audio,
                _ => continue,
            };
            units.push(Unit {
                pts_us: micros(text(packet, "pts_time")),
                dts_us: micros(text(packet, "dts_time")),
                payload: String::new(),
            });
        }

        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-copyts", "-i"]).arg(source);
        ffmpeg.args(["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-copyinkf"]);
        ffmpeg.args(["-bsf:v", "h264_mp4toannexb,filter_units=remove_types=7|8|9"]);
        if has_aac {
            ffmpeg.args(["-bsf:a", "aac_adtstoasc"]);
        }
        ffmpeg.args(["-f", "framehash", "-hash", "md5", "-"]);
        let [video, audio] = columns(&silent(&mut ffmpeg), 5);
        for (units, payloads) in [(&mut tracks.video, video), (&mut tracks.audio, audio)] {
            assert_eq!(units.len(), payloads.len(), "ffprobe and ffmpeg disagree");
            for (unit, payload) in units.iter_mut().zip(payloads) {
                unit.payload = payload;
            }
        }
        tracks
    }

    /// From the first picture shown, or the first sound where there is no picture, to the end of the last
    /// of all; in microseconds.
    pub fn lasts_us(&self) -> i64 {
        let leading = if self.video.is_empty() {
            &self.audio
        } else {
            &self.video
        };
        let start = leading.iter().map(|unit| unit.pts_us).min();
        let end = end_us(&self.video).max(end_us(&self.audio));
        end.unwrap_or(0) - start.unwrap_or(0)
    }

    /// Without the sound that came so long before the first picture that players could not show it: the
    /// gateway leaves it out.
    pub fn without_early_audio(mut self, allowed_us: i64) -> Self {
        if let Some(first) = self.video.first() {
            let from = first.pts_us - allowed_us;
            self.audio.retain(|unit| unit.pts_us >= from);
        }
        self
    }

    /// Checks that `came_out` has the same access units: each once, in order, at its time, with one and the
    /// same shift for all tracks.
    ///
    /// # Panics
    /// It has not: the first difference.
    pub fn assert_came_out(&self, came_out: &Self) {
        assert_eq!(self.codecs, came_out.codecs, "announced tracks");
        let shift = match (self.leading(), came_out.leading()) {
            (Some(went_in), Some(came_out)) => came_out.dts_us - went_in.dts_us,
            (None, _) => panic!("nothing went in"),
            (_, None) => panic!("nothing came out"),
        };
        assert_same("picture", &self.video, &came_out.video, shift);
        assert_same("audio frame", &self.audio, &came_out.audio, shift);
    }

    fn leading(&self) -> Option<&Unit> {
        self.video.first().or(self.audio.first())
    }
}

/// When the last of these ends, if it lasts as long as they do on average.
fn end_us(units: &[Unit]) -> Option<i64> {
    let times = || units.iter().map(|unit| unit.pts_us);
    let (first, last) = (times().min()?, times().max()?);
    let gaps = i64::try_from(units.len()).expect("small") - 1;
    Some(last + (last - first) / gaps.max(1))
}

/// Decodes all of a file or URL; gives the number of pictures and of pieces of sound.
///
/// # Panics
/// ffmpeg says a word about it.
pub fn decode(source: impl AsRef<OsStr>) -> (usize, usize) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-copyts", "-i"]).arg(source);
    // Each picture at its own time: at a constant rate ffmpeg invents some, and complains about them.
    ffmpeg.args(["-fps_mode", "passthrough", "-enc_time_base", "-1"]);
    ffmpeg.args(["-map", "0:v?", "-map", "0:a?", "-f", "framehash", "-"]);
    let [pictures, sounds] = columns(&silent(&mut ffmpeg), 0);
    (pictures.len(), sounds.len())
}

fn assert_same(what: &str, went_in: &[Unit], came_out: &[Unit], shift: i64) {
    for (at, (before, after)) in went_in.iter().zip(came_out).enumerate() {
        let late_us = after.dts_us - before.dts_us - shift;
        let shown_late_us = after.pts_us - before.pts_us - shift;
        assert!(
            before.payload == after.payload
                && late_us.abs() <= TOLERANCE_US
                && shown_late_us.abs() <= TOLERANCE_US,
            "{what} {at} of {}, {} came out: decode time off by {late_us} us, presentation time by \
             {shown_late_us} us\nwent in:  {before:?}\ncame out: {after:?}",
            went_in.len(),
            came_out.len(),
        );
    }
    assert_eq!(went_in.len(), came_out.len(), "number of {what}s");
}

fn probe(source: &OsStr, entries: &str) -> Value {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-of", "json", "-show_entries", entries]);
    let json = silent(ffprobe.arg(source));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("ffprobe wrote no JSON ({error})"))
}

fn list<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    answer[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {entry}"))
}

/// One column of ffmpeg's list of hashes: for pictures, and for sound.
fn columns(hashes: &str, column: usize) -> [Vec<String>; 2] {
    let mut is_video = Vec::new();
    let mut columns = [Vec::new(), Vec::new()];
    for line in hashes.lines() {
        if let Some(media_type) = line.strip_prefix("#media_type ") {
            is_video.push(media_type.ends_with(": video"));
        } else if !line.starts_with('#') {
            let entries: Vec<&str> = line.split(',').map(str::trim).collect();
            let stream: usize = entries[0].parse().expect("the index of a stream");
            columns[usize::from(!is_video[stream])].push(entries[column].to_owned());
        }
    }
    columns
}

/// Runs a program that must have nothing to complain about.
pub(crate) fn silent(command: &mut Command) -> String {
    let output = command.output().expect("ffmpeg and ffprobe are there");
    let errors = String::from_utf8_lossy(&output.stderr);
    let first: Vec<&str> = errors.lines().take(MAX_ERROR_LINES).collect();
    assert!(
        output.status.success() && first.is_empty(),
        "{command:?}: {}, {} lines of errors: {first:#?}",
        output.status,
        errors.lines().count()
    );
    String::from_utf8(output.stdout).expect("lists are ASCII")
}

/// `10.066667` as 10 066 667.
fn micros(text: &str) -> i64 {
    let number: f64 = text.parse().unwrap_or_else(|_| panic!("{text} is no time"));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clips are seconds long, far below 2^53 microseconds"
    )]
    let micros = (number * 1e6).round() as i64;
    micros
}
