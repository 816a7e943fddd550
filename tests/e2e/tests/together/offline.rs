//! `forebay transmux`: the same access units from a file, without a network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::clip::{AUDIO, Audio, Clip, VIDEO, Video};
use e2e::ffmpeg_witness::{Tracks, decode};
use e2e::gateway::{binary, scratch};
use e2e::reader::Recording;
use e2e::transport::Transport;

/// A folder of the output; removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that failed early may not have made it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_becomes_a_folder_of_hls() {
    let clips = [
        Clip::usual(8),
        Clip {
            audio: None,
            ..Clip::usual(6)
        },
        Clip {
            video: None,
            ..Clip::usual(6)
        },
        Clip {
            video: Some(Video {
                rate: "30000/1001",
                gop: None,
                ..VIDEO
            }),
            audio: Some(Audio {
                sample_rate: 44_100,
                channels: 1,
                ..AUDIO
            }),
            ..Clip::usual(12)
        },
    ];
    for clip in clips {
        let file = clip.file();
        let folder = Folder(scratch("hls"));
        transmux(&file, &folder.0, Stdio::null());
        assert_same(&file, &folder.0);
    }
}

#[test]
fn a_second_run_leaves_nothing_of_the_first_and_a_cut_off_file_is_named() {
    let file = Clip::usual(8).file();
    let folder = Folder(scratch("hls"));
    transmux(&file, &folder.0, Stdio::null());

    let whole = fs::read(&file).expect("the clip is there");
    let cut = scratch("flv");
    fs::write(&cut, &whole[..whole.len() / 2]).expect("the temporary folder takes files");
    let output = Command::new(binary())
        .args(["transmux", "--segment", "10s"])
        .args([&cut, &folder.0])
        .output()
        .expect("the gateway runs");
    fs::remove_file(&cut).expect("it was just written");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("the file ends inside a tag"), "{said}");

    let playlist = fs::read_to_string(folder.0.join("main.m3u8")).expect("a playlist");
    let listed = playlist
        .lines()
        .filter(|line| line.ends_with(".ts"))
        .count();
    let there = fs::read_dir(&folder.0)
        .expect("a folder")
        .filter_map(Result::ok);
    let segments = there.filter(|entry| entry.path().extension().is_some_and(|it| it == "ts"));
    assert_eq!(segments.count(), listed);
}

#[test]
fn standard_input_is_a_file_too() {
    let file = Clip::usual(8).file();
    let folder = Folder(scratch("hls"));
    let input = File::open(&file).expect("the clip is there");
    transmux(Path::new("-"), &folder.0, Stdio::from(input));
    assert_same(&file, &folder.0);
}

fn transmux(input: &Path, folder: &Path, stdin: Stdio) {
    let output = Command::new(binary())
        .arg("transmux")
        .args([input, folder])
        .stdin(stdin)
        .output()
        .expect("the gateway runs");
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
}

fn assert_same(file: &Path, folder: &Path) {
    let text = fs::read_to_string(folder.join("main.m3u8")).expect("the media playlist is there");
    assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    let uris = text.lines().filter(|line| !line.starts_with('#'));
    let read = |uri| fs::read(folder.join(uri)).expect("what is listed is there");
    let bodies: Vec<Vec<u8>> = uris.map(read).collect();
    let mut transport = Transport::default();
    for body in &bodies {
        transport.read(body);
    }
    // Not through the playlist: there ffmpeg 5.1 gives the first two audio frames one time.
    let whole = Recording::of(bodies.iter().map(Vec::as_slice));
    let went_in = Tracks::read(file);
    went_in.assert_came_out(&Tracks::read(&whole.0));
    assert_eq!(decode(folder.join("index.m3u8")).0, went_in.video.len());
}
