//! ffmpeg as a test encoder: a moving picture with a running clock, and a tone that beeps once a
//! second.

use std::process::{Command, Stdio};

/// Where the demo publishes: the default configuration's application, open to any name.
pub(super) const APP: &str = "live";
/// The name of the demo's presentation.
pub(super) const NAME: &str = "demo";

const SOURCE: &str = "testsrc2=size=1280x720:rate=30";

/// The time of day, so that a viewer sees the latency by comparing clocks.
const CLOCK: &str = "drawtext=text='%{localtime}':fontsize=48:fontcolor=white:box=1:\
                     boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2:y=h-120";

/// What can be drawn here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picture {
    /// ffmpeg has `drawtext` and finds a font.
    WithClock,
    /// The test picture alone.
    Plain,
}

impl Picture {
    /// Draws one picture with a clock to learn whether that works.
    pub(super) fn probe() -> Self {
        let mut command = Command::new("ffmpeg");
        command
            .args([
                "-v",
                "quiet",
                "-f",
                "lavfi",
                "-i",
                &Self::WithClock.source(),
            ])
            .args(["-frames:v", "1", "-f", "null", "-"])
            .stdin(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            Self::WithClock
        } else {
            Self::Plain
        }
    }

    fn source(self) -> String {
        match self {
            Self::WithClock => format!("{SOURCE},{CLOCK}"),
            Self::Plain => SOURCE.to_owned(),
        }
    }
}

/// The command that publishes to `url` until it is stopped.
pub(super) fn command(picture: Picture, url: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-nostats", "-loglevel", "warning"])
        .args(["-re", "-f", "lavfi", "-i", &picture.source()])
        .args([
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=330:beep_factor=4:sample_rate=48000",
        ])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-tune",
            "zerolatency",
        ])
        .args([
            "-pix_fmt", "yuv420p", "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k",
        ])
        // A random access point every two seconds, the default segment length, and no others.
        .args(["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"])
        .args(["-c:a", "aac", "-b:a", "128k", "-ac", "2"])
        .args(["-flvflags", "no_duration_filesize", "-f", "flv", url]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::line_of;

    #[test]
    fn the_url_comes_last_and_the_clock_only_where_it_can_be_drawn() {
        let plain = line_of(&command(Picture::Plain, "rtmp://localhost:1935/live/demo"));
        assert!(
            plain.ends_with("-f flv rtmp://localhost:1935/live/demo"),
            "{plain}"
        );
        assert!(!plain.contains("drawtext"), "{plain}");
        assert!(
            !plain.contains('\''),
            "nothing to quote in what users are told to type: {plain}"
        );
        let clock = line_of(&command(
            Picture::WithClock,
            "rtmp://localhost:1935/live/demo",
        ));
        assert!(
            clock.contains("testsrc2=size=1280x720:rate=30,drawtext="),
            "{clock}"
        );
    }
}
