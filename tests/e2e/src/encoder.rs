//! Encoders as processes: ffmpeg, GStreamer's `gst-launch-1.0`, librtmp.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::wait;

/// How fast a clip is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it would come from a camera.
    Live,
    /// As fast as the gateway reads.
    Burst,
}

/// A running encoder; killed when dropped.
pub struct Encoder {
    child: Child,
    errors: Option<JoinHandle<String>>,
}

impl Encoder {
    /// ffmpeg sends the access units of an FLV file as they are.
    pub fn send(clip: &Path, pace: Pace, url: &str) -> Self {
        Self::ffmpeg(pace, clip, &["-f", "flv", url])
    }

    /// ffmpeg sends the access units of an FLV file as they are, and records what it has sent.
    pub fn send_and_record(clip: &Path, pace: Pace, url: &str, record: &Path) -> Self {
        Self::ffmpeg(pace, clip, &["-f", "tee", &both(url, record)])
    }

    /// Any program. What it says on standard error is kept.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(program: &str, arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What came before a failed read is still worth showing.
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self {
            child,
            errors: Some(errors),
        }
    }

    /// A chain of GStreamer elements, as `gst-launch-1.0` takes it.
    pub fn gstreamer(chain: &str) -> Self {
        let mut arguments = vec!["-q", "-e"];
        arguments.extend(chain.split_whitespace());
        Self::start("gst-launch-1.0", &arguments)
    }

    /// Ends it as Ctrl-C does: it unpublishes.
    pub fn interrupt(&mut self) {
        self.signal("-INT");
    }

    /// Its line goes dead: nothing more comes of it, and nobody is told.
    pub fn hang(&self) {
        self.signal("-STOP");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill is there").success());
    }

    /// Ends it as a process that crashes: without a word.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
    }

    /// Waits for its end; gives what became of it and what it said.
    ///
    /// # Panics
    /// It is still there after `limit`.
    pub fn ended(&mut self, limit: Duration) -> (ExitStatus, String) {
        let status = wait::until("the encoder to leave", limit, || {
            self.child.try_wait().expect("the child can be asked")
        });
        let errors = self.errors.take().expect("its end is asked for once");
        (status, errors.join().expect("reading does not panic"))
    }

    /// Waits for its end, which must be a good one.
    ///
    /// # Panics
    /// It failed, or is still there after `limit`.
    pub fn succeeds(&mut self, limit: Duration) {
        let (status, errors) = self.ended(limit);
        assert!(status.success(), "the encoder left with {status}: {errors}");
    }

    fn ffmpeg(pace: Pace, clip: &Path, output: &[&str]) -> Self {
        let clip = clip.to_str().expect("paths of tests are UTF-8");
        let mut arguments = vec!["-v", "error"];
        if pace == Pace::Live {
            arguments.push("-re");
        }
        arguments.extend(["-i", clip, "-map", "0", "-c", "copy"]);
        arguments.extend(output);
        Self::start("ffmpeg", &arguments)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // It may have left already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// ffmpeg's `tee` output: the same packets to the gateway and to an FLV file.
pub fn both(url: &str, record: &Path) -> String {
    let record = record.to_str().expect("paths of tests are UTF-8");
    format!("[f=flv]{url}|[f=flv]{record}")
}
