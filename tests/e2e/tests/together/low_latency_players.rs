//! ffmpeg and GStreamer at llhls.m3u8, as programs that everybody has.

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use e2e::clip::Clip;
use e2e::scripted::{Ending, Material, Publisher};
use e2e::{Gateway, wait};

const PATIENCE: Duration = Duration::from_secs(30);
const KEYS: [(&str, &str); 2] = [
    ("FOREBAY__HLS__SEGMENT", "1s"),
    ("FOREBAY__HLS__RESUME", "1s"),
];
/// 320x180 in 4:2:0.
const PICTURE_BYTES: usize = 320 * 180 * 3 / 2;
/// What is published, milliseconds, and what is played of it at least: 6 s, but for pictures that wait for others.
const PLAYED_MS: u64 = 9_000;
const PICTURES: usize = 145;

/// Runs a player at `/live/show/llhls.m3u8`, which is published in real time and ends; gives the pictures that it has
/// decoded to its standard output. It has nothing to complain about.
fn pictures(
    keys: &[(&str, &str)],
    program: &str,
    arguments: impl Fn(&str) -> Vec<String>,
) -> usize {
    let gateway = Gateway::start_with(&[&KEYS, keys].concat());
    let script = Material::of(&Clip::usual(8)).play(PLAYED_MS);
    let publisher = Publisher::publish(gateway.rtmp, "live", "show");
    let publishing = publisher.play(script, Ending::DeleteStream);
    wait::until("three segments", PATIENCE, || {
        let answer = gateway.get("/live/show/llhls.m3u8");
        let video = gateway.get("/live/show/video.m3u8").text();
        let muxed = gateway.get("/live/show/muxed.m3u8").text();
        let listed = [video, muxed].map(|text| text.matches("#EXTINF").count());
        (answer.status == 200 && listed.iter().sum::<usize>() >= 3).then_some(())
    });
    let mut command = Command::new(program);
    command.args(arguments(&gateway.http_url("live/show/llhls.m3u8")));
    let output = command.stdin(Stdio::null()).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    let words = String::from_utf8_lossy(&stderr);
    assert!(
        status.success() && words.is_empty(),
        "{program}: {status}: {words}"
    );
    let left = publishing.stop(Ending::DeleteStream);
    assert!(!left.cut_off, "{}", left.words);
    assert!(stdout.len().is_multiple_of(PICTURE_BYTES));
    stdout.len() / PICTURE_BYTES
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn ffmpeg(url: &str) -> Vec<String> {
    words(&format!(
        "-v error -i {url} -t 6 -map 0:v -fps_mode passthrough -pix_fmt yuv420p -f rawvideo - -map 0:a -t 6 -f null -"
    ))
}

fn gstreamer(url: &str, track: &str) -> Vec<String> {
    words(&format!(
        "-q souphttpsrc location={url} ! hlsdemux name=hls hls.src_0 ! qtdemux name=mp4 mp4.{track} ! h264parse ! \
         avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! fdsink fd=1 sync=false"
    ))
}

/// Each player at each form; all at once, since most of the time they wait.
#[test]
fn ffmpeg_and_gstreamer_play_for_six_seconds() {
    let ranges: &[_] = &[("FOREBAY__HLS__PARTS", "ranges")];
    let muxed: &[_] = &[("FOREBAY__HLS__TRACKS", "muxed")];
    thread::scope(|scope| {
        let players = [
            scope.spawn(|| pictures(&[], "ffmpeg", ffmpeg)),
            scope.spawn(|| pictures(ranges, "ffmpeg", ffmpeg)),
            scope.spawn(|| pictures(muxed, "ffmpeg", ffmpeg)),
            scope.spawn(|| pictures(&[], "gst-launch-1.0", |url| gstreamer(url, "video_0"))),
            scope.spawn(|| pictures(muxed, "gst-launch-1.0", |url| gstreamer(url, "video_0"))),
        ];
        let decoded =
            players.map(|player| player.join().expect("it has nothing to complain about"));
        assert!(
            decoded.iter().all(|&count| count >= PICTURES),
            "{decoded:?}"
        );
    });
}
