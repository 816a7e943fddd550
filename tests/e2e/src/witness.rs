//! A stream that must not notice what happens to others: a light publisher at the pace of a clock, and a
//! follower that fetches every segment and looks for every picture.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::raw_rtmp::{Peer, wire};
use crate::{http, wait};

/// Pictures in a second.
const FRAME_RATE: u32 = 25;
/// Pictures from a random access picture to the next: a segment, with `FOREBAY__HLS__SEGMENT=1s`.
const GOP: u32 = 25;
/// What stands before a picture's number in its slice.
const MARK: &[u8] = b"picture ";
/// How often the follower looks at the playlist.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Segments that are still awaited when the witness is stopped, and how long.
const LAST_SEGMENTS: u32 = 2;
const LAST_SEGMENTS_WITHIN: Duration = Duration::from_secs(8);

/// `AVCDecoderConfigurationRecord` of x264: High, level 3.1, 1280x720.
pub const AVCC: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x04, 0x68, 0xef, 0xbc, 0xb0, 0xfd, 0xf8, 0xf8, 0x00,
];

/// A stream under watch. Stopping it tells what it noticed.
pub struct Witness {
    stop_publisher: Sender<()>,
    publisher: JoinHandle<Result<(), String>>,
    stop_follower: Sender<()>,
    follower: JoinHandle<Result<Seen, String>>,
}

/// What the follower saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Segments.
    pub segments: u32,
    /// Pictures, each once and in order.
    pub pictures: u32,
    /// The longest that a segment took from its last picture's sending to its being fetched.
    pub latest: Duration,
}

/// When each picture was sent.
type Sent = Arc<Mutex<Vec<Instant>>>;

impl Witness {
    /// Publishes `live/{name}` and follows it; returns once its first segment was seen.
    pub fn start(rtmp: SocketAddr, http: SocketAddr, name: &str) -> Self {
        let peer = Peer::publishing(rtmp, "live", name);
        let sent = Sent::default();
        let (stop_publisher, stopped) = mpsc::channel();
        let publisher = publish(peer, stopped, sent.clone());
        let base = format!("/live/{name}");
        wait::until(
            "the witness's first segment",
            Duration::from_secs(10),
            || {
                let answer = http::get(http, &format!("{base}/main.m3u8"));
                (answer.status == 200).then_some(())
            },
        );
        let (stop_follower, stopped) = mpsc::channel();
        Self {
            stop_publisher,
            publisher,
            stop_follower,
            follower: follow(Follower::new(http, base, sent), stopped),
        }
    }

    /// Lets two more segments come, then stops.
    ///
    /// # Panics
    /// A segment or a picture was missing, twice there, or out of order; or the publisher was cut off.
    pub fn stop(self) -> Seen {
        // A dropped sender is the sign.
        drop(self.stop_follower);
        let seen = self.follower.join().expect("the follower does not panic");
        drop(self.stop_publisher);
        let published = self.publisher.join().expect("the publisher does not panic");
        published.expect("the witness goes on publishing");
        seen.expect("the witness notices nothing")
    }
}

fn publish(mut peer: Peer, stop: Receiver<()>, sent: Sent) -> JoinHandle<Result<(), String>> {
    thread::spawn(move || {
        peer.send(&wire::message(
            9,
            1,
            0,
            &[&[0x17, 0, 0, 0, 0], AVCC].concat(),
        ));
        let begin = Instant::now();
        for index in 0.. {
            let time_ms = index * 1000 / FRAME_RATE;
            let due = begin + Duration::from_millis(time_ms.into());
            let pause = due.saturating_duration_since(Instant::now());
            if stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            let message = wire::message(9, 1, time_ms, &picture(index));
            if peer.send(&message) < message.len() {
                return Err(format!("cut off at picture {index}: {}", peer.words()));
            }
            sent.lock().expect("no panic").push(Instant::now());
        }
        Ok(())
    })
}

/// A picture of 2 kB that carries its number and no zero byte, which would need emulation prevention.
fn picture(index: u32) -> Vec<u8> {
    let (flv, nal) = if index.is_multiple_of(GOP) {
        (0x17, [0x65, 0x88])
    } else {
        (0x27, [0x41, 0x9a])
    };
    let mut slice = [&nal[..], MARK, format!("{index:08}").as_bytes()].concat();
    slice.resize(2048, 0xa5);
    let length = u32::try_from(slice.len()).expect("2048");
    [&[flv, 1, 0, 0, 0], &length.to_be_bytes()[..], &slice].concat()
}

fn follow(mut follower: Follower, stop: Receiver<()>) -> JoinHandle<Result<Seen, String>> {
    thread::spawn(move || {
        while stop.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            follower.look()?;
        }
        // What an attack has done may show late.
        let last = follower.seen.segments + LAST_SEGMENTS;
        let deadline = Instant::now() + LAST_SEGMENTS_WITHIN;
        while follower.seen.segments < last {
            if Instant::now() > deadline {
                return Err(format!("nothing new after {:?}", follower.seen));
            }
            wait::pause();
            follower.look()?;
        }
        Ok(follower.seen)
    })
}

/// A player without a picture.
struct Follower {
    http: SocketAddr,
    /// `/live/{name}`.
    base: String,
    sent: Sent,
    next_sequence: Option<u64>,
    next_picture: Option<u32>,
    seen: Seen,
}

impl Follower {
    fn new(http: SocketAddr, base: String, sent: Sent) -> Self {
        Self {
            http,
            base,
            sent,
            next_sequence: None,
            next_picture: None,
            seen: Seen {
                segments: 0,
                pictures: 0,
                latest: Duration::ZERO,
            },
        }
    }

    /// Fetches the playlist and the segments that are new in it.
    fn look(&mut self) -> Result<(), String> {
        let playlist = self.fetch("main.m3u8")?.text();
        if playlist.contains("#EXT-X-DISCONTINUITY\n") {
            return Err(format!("a discontinuity in {playlist}"));
        }
        for uri in playlist.lines().filter(|line| line.ends_with(".ts")) {
            let sequence = sequence_of(uri);
            let next = self.next_sequence.unwrap_or(sequence);
            if sequence > next {
                return Err(format!("{next} is missing in {playlist}"));
            }
            if sequence == next {
                self.take(uri)?;
                self.next_sequence = Some(sequence + 1);
            }
        }
        Ok(())
    }

    fn take(&mut self, uri: &str) -> Result<(), String> {
        let segment = self.fetch(uri)?;
        for picture in pictures_of(&segment.body) {
            let next = self.next_picture.unwrap_or(picture);
            if picture != next {
                return Err(format!("picture {picture} instead of {next} in {uri}"));
            }
            self.next_picture = Some(picture + 1);
            self.seen.pictures += 1;
        }
        // A segment is complete with the picture that begins the next one.
        let complete = self.next_picture.ok_or(format!("no picture in {uri}"))? as usize;
        let sent = self.sent.lock().expect("no panic").get(complete).copied();
        if let Some(sent) = sent.filter(|_| self.seen.segments > 0) {
            self.seen.latest = self.seen.latest.max(sent.elapsed());
        }
        self.seen.segments += 1;
        Ok(())
    }

    fn fetch(&self, file: &str) -> Result<http::Answer, String> {
        let path = format!("{}/{file}", self.base);
        let answer = http::send(self.http, "GET", &path, &[], &[])
            .map_err(|error| format!("{path}: {error}"))?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.text()));
        }
        Ok(answer)
    }
}

/// The media sequence number in `main-{epoch}-{sequence}.ts`.
fn sequence_of(uri: &str) -> u64 {
    uri.trim_end_matches(".ts")
        .rsplit_once('-')
        .and_then(|(_, sequence)| sequence.parse().ok())
        .unwrap_or_else(|| panic!("no sequence number in {uri}"))
}

/// The numbers of a segment's pictures. They stand at the front of a PES packet, so that no transport
/// packet's header parts them.
fn pictures_of(segment: &[u8]) -> Vec<u32> {
    let mut pictures = Vec::new();
    for (at, part) in segment.windows(MARK.len()).enumerate() {
        if part == MARK {
            let digits = &segment[at + MARK.len()..at + MARK.len() + 8];
            let number = std::str::from_utf8(digits)
                .ok()
                .and_then(|d| d.parse().ok());
            pictures.push(number.unwrap_or_else(|| panic!("no number at {at}: {digits:?}")));
        }
    }
    pictures
}
