//! ffmpeg as a live encoder: a moving test picture and a tone, at the pace of a clock.

use std::process::{Child, Command, ExitStatus, Stdio};

/// What is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracks {
    /// Picture and tone.
    Both,
    /// The picture alone.
    Video,
    /// The tone alone.
    Audio,
}

/// Access units of the picture in a second.
pub const FRAME_RATE: u32 = 30;
/// The picture's size.
pub const SIZE: (u32, u32) = (640, 360);
/// The tone's pitch, Hz.
pub const PITCH: u32 = 440;

/// An encoder at work; killed when dropped.
pub struct TestPicture(Child);

impl TestPicture {
    /// Publishes to `url` with a random access picture every `gop_seconds`.
    ///
    /// # Panics
    /// ffmpeg is missing.
    pub fn publish(url: &str, tracks: Tracks, gop_seconds: u32) -> Self {
        let (width, height) = SIZE;
        let picture = format!("testsrc2=size={width}x{height}:rate={FRAME_RATE}");
        let tone = format!("sine=frequency={PITCH}:sample_rate=48000");
        let gop = (FRAME_RATE * gop_seconds).to_string();
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
        if tracks != Tracks::Audio {
            command.args(["-re", "-f", "lavfi", "-i", &picture]);
        }
        if tracks != Tracks::Video {
            command.args(["-re", "-f", "lavfi", "-i", &tone]);
        }
        if tracks != Tracks::Audio {
            command.args(["-c:v", "libx264", "-preset", "veryfast", "-threads", "1"]);
            command.args(["-pix_fmt", "yuv420p", "-b:v", "800k", "-sc_threshold", "0"]);
            command.args(["-g", &gop, "-keyint_min", &gop]);
        }
        if tracks != Tracks::Video {
            command.args(["-c:a", "aac", "-b:a", "96k", "-ac", "2"]);
        }
        let child = command
            .args(["-f", "flv", url])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start ffmpeg: {error}"));
        Self(child)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("the child can be asked")
    }
}

impl Drop for TestPicture {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
