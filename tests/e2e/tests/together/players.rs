//! ffmpeg and GStreamer as players, ffmpeg as encoder: what everybody has goes on through a reconnect.

use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use e2e::arrival::{assert_transport, assert_whole};
use e2e::clip::Clip;
use e2e::encoder::{Encoder, Pace};
use e2e::ffmpeg_witness::Tracks;
use e2e::reader::Player;
use e2e::scripted::{Ending, Kind, Material, Publisher};
use e2e::{Gateway, ffmpeg_witness, wait};

const PATIENCE: Duration = Duration::from_secs(60);
const RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "4s");
const SEGMENT: (&str, &str) = ("FOREBAY__HLS__SEGMENT", "1s");
const WINDOW: (&str, &str) = ("FOREBAY__HLS__WINDOW", "30");
/// 320x180 in 4:2:0.
const PICTURE_BYTES: usize = 320 * 180 * 3 / 2;

fn until_state(gateway: &Gateway, state: &str) {
    wait::until(state, PATIENCE, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == state).then_some(())
    });
}

/// A player as a process; what it decodes goes to its standard output.
fn plays(program: &str, arguments: &[&str]) -> JoinHandle<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let program = program.to_owned();
    thread::spawn(move || {
        let output = command.output();
        output.unwrap_or_else(|error| panic!("cannot start {program}: {error}"))
    })
}

/// Three publishes in real time, each by a clock that begins at 0; the player is there from the first
/// segment on, and is left alone.
fn through_two_reconnects(play: impl FnOnce(&str) -> JoinHandle<Output>) -> (Output, usize) {
    let gateway = Gateway::start_with(&[RESUME, SEGMENT, WINDOW]);
    let material = Material::of(&Clip::usual(8));
    let mut pictures = 0;
    let mut playing = None;
    let mut play = Some(play);
    for _ in 0..3 {
        let publisher = Publisher::publish(gateway.rtmp, "live", "show");
        let sending = publisher.play(material.play(5_000), Ending::DeleteStream);
        if let Some(play) = play.take() {
            let url = gateway.http_url("live/show/index.m3u8");
            wait::until("the first segment", PATIENCE, || {
                (gateway.get("/live/show/main.m3u8").status == 200).then_some(())
            });
            playing = Some(play(&url));
        }
        let sent = sending.join().sent;
        pictures += sent.iter().filter(|one| one.kind == Kind::Video).count();
        until_state(&gateway, "resuming");
    }
    let output = playing.expect("it plays").join().expect("no panic");
    (output, pictures)
}

#[test]
fn ffmpeg_plays_through_reconnects() {
    let (output, pictures) = through_two_reconnects(|url| {
        plays(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-live_start_index",
                "0",
                "-i",
                url,
                "-map",
                "0:v",
                "-fps_mode",
                "passthrough",
                "-pix_fmt",
                "yuv420p",
                "-f",
                "rawvideo",
                "-",
            ],
        )
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{}: {errors}",
        output.status
    );
    assert_eq!(output.stdout.len(), pictures * PICTURE_BYTES);
}

#[test]
fn gstreamer_plays_through_reconnects() {
    let (output, pictures) = through_two_reconnects(|url| {
        let source = format!("location={url}");
        plays(
            "gst-launch-1.0",
            &[
                "-q",
                "souphttpsrc",
                &source,
                "!",
                "hlsdemux",
                "!",
                "tsdemux",
                "!",
                "h264parse",
                "!",
                "avdec_h264",
                "!",
                "videoconvert",
                "!",
                "video/x-raw,format=I420",
                "!",
                "fdsink",
                "fd=1",
                "sync=false",
            ],
        )
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{}: {errors}",
        output.status
    );
    // It begins three segments before the end: at the first, if it starts fast enough.
    let shown = output.stdout.len() / PICTURE_BYTES;
    let missed = pictures - shown;
    assert!(
        missed <= 100 && missed.is_multiple_of(25),
        "{shown} of {pictures} pictures"
    );
}

/// Interrupted, killed, and left to its end; its clock begins at 0 each time.
#[test]
fn ffmpeg_as_an_encoder_comes_back() {
    let gateway = Gateway::start_with(&[RESUME, SEGMENT, WINDOW]);
    let (clip, url) = (Clip::usual(8).file(), gateway.rtmp_url("live/show"));
    let mut player = None;
    for end in [
        Some(Encoder::interrupt as fn(&mut Encoder)),
        Some(Encoder::kill),
        None,
    ] {
        let pace = if end.is_some() {
            Pace::Live
        } else {
            Pace::Burst
        };
        let mut encoder = Encoder::send(&clip, pace, &url);
        let player = player.get_or_insert_with(|| Player::join(&gateway, "/live/show"));
        let seen = player.segments.len();
        wait::until("two segments", PATIENCE, || {
            player.look();
            (player.segments.len() >= seen + 2).then_some(())
        });
        match end {
            Some(end) => end(&mut encoder),
            None => encoder.succeeds(PATIENCE),
        }
        until_state(&gateway, "resuming");
    }
    let mut player = player.expect("there were publishes");
    player.follow_to_the_end(PATIENCE);
    assert_transport(&player);
    ffmpeg_witness::decode(&player.record().0);
    // Nothing of the last is lost.
    let last = player.segments.last().map(|one| one.discontinuity_sequence);
    player
        .segments
        .retain(|one| Some(one.discontinuity_sequence) == last);
    assert_whole(&Tracks::read(&clip), &player);
}
