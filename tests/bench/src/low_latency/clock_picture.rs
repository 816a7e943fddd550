//! ffmpeg as a live encoder of pictures that show the clock: each says when it was made, to the millisecond.
//!
//! The pictures are drawn here and written to ffmpeg's standard input when they are due, as a camera would hand
//! them over. How a page reads them is in `glass.js`, which knows the layout too.

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};

use crate::wait;

/// Pictures in a second.
pub(crate) const RATE: u32 = 30;

/// The picture's size.
const SIZE: (usize, usize) = (640, 360);

/// Bits of the clock, milliseconds since 1970: it comes round after four hours and a half.
pub(crate) const CLOCK_BITS: u32 = 24;

/// The clock is drawn in blocks, white for a set bit: a row for each of its bytes, and one for their check.
const ROWS: usize = CLOCK_BITS as usize / 8 + 1;
const COLUMNS: usize = 8;

/// The encoder as low latency wants it, pictures of one byte a pixel on its standard input. It makes sound as far as
/// pictures have come: at a pace of its own (`-re`) the sound would be behind by what ffmpeg takes to start, and every
/// picture would wait for it in the muxer.
const ENCODER: &str = "-hide_banner -loglevel error -probesize 32 \
    -f rawvideo -pixel_format gray -video_size 640x360 -framerate 30 -i pipe:0 \
    -f lavfi -i sine=frequency=440:sample_rate=48000 \
    -c:v libx264 -preset veryfast -tune zerolatency -threads 1 -pix_fmt yuv420p -b:v 800k -g 60 -sc_threshold 0 \
    -c:a aac -b:a 96k -ac 2 -f flv";

/// An encoder at work, ended when dropped.
#[derive(Debug)]
pub(crate) struct ClockPicture {
    encoder: Child,
    stop: Arc<AtomicBool>,
    artist: Option<JoinHandle<anyhow::Result<Duration>>>,
}

impl ClockPicture {
    /// Publishes to `url` from now on.
    pub(crate) fn publish(url: &str) -> anyhow::Result<Self> {
        let mut encoder = Command::new("ffmpeg")
            .args(ENCODER.split_whitespace())
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start ffmpeg")?;
        let pictures = encoder.stdin.take().context("ffmpeg takes no pictures")?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let artist = std::thread::spawn(move || draw(pictures, &stopped));
        Ok(Self {
            encoder,
            stop,
            artist: Some(artist),
        })
    }

    /// Ends it, and says how late the latest picture was drawn; an error if ffmpeg had left by itself.
    pub(crate) fn stop(mut self) -> anyhow::Result<Duration> {
        let left = self.encoder.try_wait()?;
        let latest = self.end();
        ensure!(left.is_none(), "ffmpeg left by itself: {left:?}");
        latest
    }

    fn end(&mut self) -> anyhow::Result<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        let latest = self.artist.take().map(|artist| {
            // It is at most one picture behind, unless ffmpeg takes none.
            wait::pass(Duration::from_secs(1) / RATE * 2);
            let _ = self.encoder.kill();
            let _ = self.encoder.wait();
            artist.join().expect("the drawing thread should not panic")
        });
        latest.unwrap_or(Ok(Duration::ZERO))
    }
}

impl Drop for ClockPicture {
    fn drop(&mut self) {
        // Whoever wanted the outcome has it.
        let _ = self.end();
    }
}

/// Draws until `stop`, each picture when it is due; the largest delay.
fn draw(mut to: ChildStdin, stop: &AtomicBool) -> anyhow::Result<Duration> {
    let mut show = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let picture = picture(u32::try_from(now % (1 << CLOCK_BITS))?);
        to.write_all(&picture).context("ffmpeg takes no picture")
    };
    // Larger than a pipe, so it is taken when ffmpeg has started.
    show()?;
    let begin = Instant::now();
    let mut latest = Duration::ZERO;
    for number in 1.. {
        let due = begin + Duration::from_secs(1) * number / RATE;
        wait::pass(due.saturating_duration_since(Instant::now()));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        latest = latest.max(due.elapsed());
        show()?;
    }
    Ok(latest)
}

/// One byte a pixel, line by line.
fn picture(clock_ms: u32) -> Vec<u8> {
    let [_, high, middle, low] = clock_ms.to_be_bytes();
    // Neither a black nor a white picture says a time.
    let bytes: [u8; ROWS] = [high, middle, low, !(high ^ middle ^ low)];
    let (width, height) = SIZE;
    let mut picture = Vec::with_capacity(width * height);
    for byte in bytes {
        let line = (0..COLUMNS).flat_map(|column| {
            let white = byte << column & 0x80 != 0;
            std::iter::repeat_n(if white { 235 } else { 16 }, width / COLUMNS)
        });
        let line: Vec<u8> = line.collect();
        picture.extend(line.repeat(height / ROWS));
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_says_its_time() {
        let picture = picture(0x80_01_FF);
        let (width, height) = SIZE;
        assert_eq!(picture.len(), width * height);
        // As the page reads it: one pixel from the middle of each block.
        let read: Vec<u8> = (0..ROWS)
            .map(|row| {
                let line = (2 * row + 1) * height / ROWS / 2 * width;
                (0..COLUMNS).fold(0, |byte, column| {
                    let at = line + (2 * column + 1) * width / COLUMNS / 2;
                    byte << 1 | u8::from(picture[at] > 127)
                })
            })
            .collect();
        assert_eq!(read, [0x80, 0x01, 0xFF, !(0x80 ^ 0x01 ^ 0xFF)]);
    }
}
