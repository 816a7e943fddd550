//! FLV files with known content, made by ffmpeg once and kept for later runs.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gateway::scratch;

/// Where clips are kept, by their parameters.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tmp/clips");

/// What a clip has in it.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Its length.
    pub seconds: u32,
    /// Its pictures.
    pub video: Option<Video>,
    /// Its sound.
    pub audio: Option<Audio>,
}

/// Pictures by x264 with B-frames.
#[derive(Clone, Copy, Debug)]
pub struct Video {
    /// Pictures per second, as ffmpeg writes it.
    pub rate: &'static str,
    /// Pictures from one random access to the next; `None`: what x264 does of its own accord.
    pub gop: Option<u32>,
    /// When the first one comes.
    pub from_ms: u32,
    /// Width and height in pixels, as ffmpeg writes them.
    pub size: &'static str,
    /// x264's name of the profile, one that has B-frames.
    pub profile: &'static str,
}

/// Sound.
#[derive(Clone, Copy, Debug)]
pub struct Audio {
    /// ffmpeg's name of the encoder.
    pub encoder: &'static str,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// When it begins.
    pub from_ms: u32,
}

/// 25 pictures a second, one random access in each.
pub const VIDEO: Video = Video {
    rate: "25",
    gop: Some(25),
    from_ms: 0,
    size: "320x180",
    profile: "high",
};

/// AAC LC, 48 kHz, stereo.
pub const AUDIO: Audio = Audio {
    encoder: "aac",
    sample_rate: 48_000,
    channels: 2,
    from_ms: 0,
};

impl Clip {
    /// [`VIDEO`] and [`AUDIO`].
    pub const fn usual(seconds: u32) -> Self {
        Self {
            seconds,
            video: Some(VIDEO),
            audio: Some(AUDIO),
        }
    }

    /// The FLV file.
    ///
    /// # Panics
    /// ffmpeg cannot make it.
    pub fn file(&self) -> PathBuf {
        let arguments = self.arguments();
        let mut hasher = DefaultHasher::new();
        arguments.hash(&mut hasher);
        let file = Path::new(FOLDER).join(format!("{:016x}.flv", hasher.finish()));
        if file.exists() {
            return file;
        }
        std::fs::create_dir_all(FOLDER).expect("target takes folders");
        // Others may be making the same one, and not to the byte: whoever is ready first has made it.
        let made = Path::new(FOLDER).join(scratch("flv").file_name().expect("it has a name"));
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(&arguments)
            .arg(&made)
            .output()
            .expect("ffmpeg is there");
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ffmpeg made no {self:?}: {why}");
        let first = std::fs::hard_link(&made, &file);
        std::fs::remove_file(&made).expect("it was made");
        assert!(
            first.is_ok() || file.exists(),
            "no {}: {first:?}",
            file.display()
        );
        file
    }

    /// ffmpeg's arguments for inputs and encoders, without the output.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |text: String| arguments.extend(text.split(' ').map(str::to_owned));
        // All tracks end together.
        let milliseconds = |from: u32| self.seconds * 1_000 - from;
        if let Some(video) = self.video {
            let (rate, from) = (video.rate, video.from_ms);
            let length = milliseconds(from);
            add(format!("-itsoffset {from}ms -t {length}ms -f lavfi"));
            let size = video.size;
            add(format!("-i testsrc2=size={size}:rate={rate}"));
        }
        if let Some(audio) = self.audio {
            let (rate, from) = (audio.sample_rate, audio.from_ms);
            let length = milliseconds(from);
            add(format!("-itsoffset {from}ms -t {length}ms -f lavfi"));
            add(format!("-i aevalsrc=sin(2*PI*t*(300+40*t)):s={rate}"));
        }
        if let Some(video) = self.video {
            let profile = video.profile;
            add("-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p".to_owned());
            add(format!("-profile:v {profile}"));
            // The clip must show no second random access by chance.
            add("-sc_threshold 0".to_owned());
            if let Some(gop) = video.gop {
                add(format!("-g {gop}"));
            }
        }
        if let Some(audio) = self.audio {
            let (encoder, channels) = (audio.encoder, audio.channels);
            add(format!("-c:a {encoder} -b:a 96k -ac {channels}"));
        }
        arguments
    }
}
