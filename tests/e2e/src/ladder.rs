//! A ladder of encoders that know nothing of each other, and its variants.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::encoder::{Encoder, both};
use crate::ffmpeg_witness::Tracks;
use crate::gateway::{Gateway, scratch};
use crate::media_playlist::MediaPlaylist;
use crate::reader::Recording;
use crate::{current_ffmpeg, wait};

/// A picture at 30 fps, in microseconds; timestamps of RTMP are whole milliseconds.
const PICTURE_US: std::ops::RangeInclusive<i64> = 32_000..=35_000;

/// The heights of the rungs of `show`, pixels.
pub const HEIGHTS: [u32; 3] = [360, 270, 180];
/// What encoders and players may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(40);

/// The bit rate of a rung's picture, kbit/s.
pub const fn kilobits(height: u32) -> u32 {
    height * height / 90
}

/// What is the best rung of `show`, whatever others are made of it.
#[must_use]
pub fn source(gateway: &Gateway) -> Encoder {
    start(gateway, "live/show", 360, 60, &["-c:a", "aac"])
}

/// One rung as an encoder of its own.
#[must_use]
pub fn rung(gateway: &Gateway, height: u32, gop: u32) -> Encoder {
    start(gateway, &named(height), height, gop, &["-c:a", "aac"])
}

/// The same without sound.
#[must_use]
pub fn silent_rung(gateway: &Gateway, height: u32, gop: u32) -> Encoder {
    start(gateway, &named(height), height, gop, &["-an"])
}

/// The same with sound and half the pictures, in GOPs of two seconds.
#[must_use]
pub fn rung_of_half_the_rate(gateway: &Gateway, height: u32) -> Encoder {
    let options = ["-c:a", "aac", "-r", "15"];
    start(gateway, &named(height), height, 30, &options)
}

/// The same, with timestamps that jump by a minute after six seconds.
#[must_use]
pub fn rung_that_jumps(gateway: &Gateway, height: u32) -> Encoder {
    let jump = |unit: u32| {
        let by = format!("gte(N\\,{unit})*60/TB");
        format!("setts=pts=PTS+{by}:dts=DTS+{by}")
    };
    let (picture, frame) = (jump(6 * 30), jump(6 * 48_000 / 1_024));
    let options = ["-c:a", "aac", "-bsf:v", &picture, "-bsf:a", &frame];
    start(gateway, &named(height), height, 60, &options)
}

fn named(height: u32) -> String {
    format!("live/show_{height}p")
}

fn start(gateway: &Gateway, path: &str, height: u32, gop: u32, options: &[&str]) -> Encoder {
    let url = gateway.rtmp_url(path);
    let (size, gop) = (format!("scale=-2:{height}"), gop.to_string());
    let rate = format!("{}k", kilobits(height));
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.extend(options);
    arguments.extend(["-vf", &size, "-g", &gop, "-b:v", &rate]);
    arguments.extend(["-maxrate", &rate, "-bufsize", &rate, "-f", "flv", &url]);
    Encoder::start("ffmpeg", &arguments)
}

/// The best rung, and the least without sound, of one encoder: their pictures are at the same times, where encoders that
/// begin apart are a tenth of a second off.
#[must_use]
pub fn best_and_silent_least(gateway: &Gateway) -> Encoder {
    let [best, least] = [360, 180].map(|height| gateway.rtmp_url(&named(height)));
    let words = format!(
        "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -filter_complex [0:v]split=2[a][b];[b]scale=-2:180[c] \
         -map [a] -map 1:a -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -pix_fmt yuv420p \
         -sc_threshold 0 -g 60 -b:v {}k -c:a aac -f flv {best} \
         -map [c] -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -pix_fmt yuv420p \
         -sc_threshold 0 -g 60 -b:v {}k -f flv {least}",
        kilobits(360),
        kilobits(180)
    );
    Encoder::start("ffmpeg", &words.split_whitespace().collect::<Vec<_>>())
}

/// All rungs as tracks of one connection (Enhanced RTMP), as FFmpeg 9 sends them.
#[must_use]
pub fn rungs_of_one_connection(gateway: &Gateway) -> Encoder {
    let url = gateway.rtmp_url("live/show");
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -filter_complex \
         [0:v]split=3[a][b][c];[b]scale=-2:270[b2];[c]scale=-2:180[c2] \
         -map [a] -map [b2] -map [c2] -map 1:a -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -g 60 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.push(&url);
    let program = current_ffmpeg::program();
    Encoder::start(program.to_str().expect("UTF-8"), &arguments)
}

/// Four rungs of one connection, 7 s of each as fast as it can; records what it has sent.
#[must_use]
pub fn four_rungs_of_one_connection(gateway: &Gateway, record: &Path) -> Encoder {
    let words = "-v error -y -f lavfi -t 7 -i testsrc2=size=640x360:rate=25 -f lavfi -t 7 -i \
         sine=frequency=440:sample_rate=48000 -filter_complex \
         [0:v]split=4[a][b][c][d];[b]scale=-2:270[b2];[c]scale=-2:180[c2];[d]scale=-2:90[d2] \
         -map [a] -map [b2] -map [c2] -map [d2] -map 1:a -c:v libx264 -preset ultrafast -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -g 50 -c:a aac -flags +global_header -f tee";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    let output = both(&gateway.rtmp_url("live/show"), record);
    arguments.push(&output);
    let program = current_ffmpeg::program();
    Encoder::start(program.to_str().expect("UTF-8"), &arguments)
}

/// Takes each of `count` segments from another of these rungs, by name, and sees that no picture of two seconds at 30 fps
/// is missing or comes twice.
///
/// # Panics
/// One does.
pub fn assert_switches_cost_no_picture(
    gateway: &Gateway,
    rungs: &[(&str, &MediaPlaylist)],
    count: usize,
) {
    let mut switched = Vec::new();
    for at in 0..count {
        let (name, list) = rungs[at % rungs.len()];
        let uri = format!("/live/{name}/{}", list.entries[at].uri);
        switched.extend(gateway.get(&uri).body);
    }
    let record = Recording(scratch("ts"));
    fs::write(&record.0, switched).expect("scratch can be written");
    let mut shown: Vec<i64> = Tracks::read(&record.0)
        .video
        .iter()
        .map(|unit| unit.pts_us)
        .collect();
    shown.sort_unstable();
    assert_eq!(shown.len(), count * 60);
    let odd = shown
        .windows(2)
        .find(|pair| !PICTURE_US.contains(&(pair[1] - pair[0])));
    assert_eq!(odd, None, "pictures are one apart, over all switches");
}

/// So many bits of a picture's number are drawn, the highest first.
pub const NUMBER_BITS: u32 = 16;

/// All rungs of one encoder, which says in the upper half of each picture how many were before it: a column for each bit,
/// white for one that is set.
#[must_use]
pub fn numbered_rungs(gateway: &Gateway) -> Encoder {
    let number = format!(
        "color=black:size={NUMBER_BITS}x2:rate=30,format=gray,geq=lum='16+219*mod(floor(N/pow(2,{NUMBER_BITS}-1-X)),2)',\
         scale=640:180:flags=neighbor,format=yuv420p"
    );
    let moving = "testsrc2=size=640x180:rate=30,format=yuv420p";
    let tone = "sine=frequency=440:sample_rate=48000";
    let mut arguments = vec!["-v".to_owned(), "error".to_owned()];
    for input in [&number, moving, tone] {
        arguments.extend(["-re", "-f", "lavfi", "-i", input].map(str::to_owned));
    }
    let [top, middle, low] = HEIGHTS;
    arguments.push("-filter_complex".to_owned());
    arguments.push(format!(
        "[0][1]vstack,split=3[p{top}][b][c];[b]scale=-2:{middle}[p{middle}];[c]scale=-2:{low}[p{low}]"
    ));
    for height in HEIGHTS {
        let rate = kilobits(height);
        let url = gateway.rtmp_url(&format!("live/show_{height}p"));
        let words = format!(
            "-map [p{height}] -map 2 -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -sc_threshold 0 -g 60 \
             -b:v {rate}k -maxrate {rate}k -bufsize {rate}k -c:a aac -f flv {url}"
        );
        arguments.extend(words.split_whitespace().map(str::to_owned));
    }
    Encoder::start("ffmpeg", &arguments)
}

/// The media playlist at `path`, once it is served.
///
/// # Panics
/// It never is, or is not as it must be.
pub fn playlist(gateway: &Gateway, path: &str) -> MediaPlaylist {
    wait::until("the playlist of a rung", SOON, || {
        let answer = gateway.get(path);
        (answer.status == 200).then(|| MediaPlaylist::parse(&answer.text()))
    })
}

/// The URIs of the variants with pictures, once there are `count` of them.
///
/// # Panics
/// There are never as many.
pub fn variants(gateway: &Gateway, path: &str, count: usize) -> Vec<String> {
    wait::until("the variants", SOON, || {
        let answer = gateway.get(path);
        let text = answer.text();
        let lines: Vec<_> = text.lines().collect();
        let pictures = lines.windows(2).filter(|pair| {
            pair[0].starts_with("#EXT-X-STREAM-INF:") && pair[0].contains("RESOLUTION=")
        });
        let uris: Vec<String> = pictures.map(|pair| pair[1].to_owned()).collect();
        (answer.status == 200 && uris.len() == count).then_some(uris)
    })
}
