//! Ladders: publishes of one programme in several bit rates become the variants of one presentation.

use std::fs;
use std::time::Duration;

use e2e::browser::Browser;
use e2e::current_ffmpeg;
use e2e::encoder::Encoder;
use e2e::ffmpeg_witness::Tracks;
use e2e::gateway::{Gateway, scratch};
use e2e::media_playlist::MediaPlaylist;
use e2e::reader::Recording;
use e2e::wait;

const HEIGHTS: [u32; 3] = [360, 270, 180];
/// A picture at 30 fps, in microseconds; timestamps of RTMP are whole milliseconds.
const PICTURE_US: std::ops::RangeInclusive<i64> = 32_000..=35_000;
const SOON: Duration = Duration::from_secs(40);

/// The bit rate of a rung's picture, kbit/s.
const fn kilobits(height: u32) -> u32 {
    height * height / 90
}

/// One rung as an encoder of its own.
fn rung(gateway: &Gateway, height: u32, gop: u32) -> Encoder {
    let url = gateway.rtmp_url(&format!("live/show_{height}p"));
    let (size, gop) = (format!("scale=-2:{height}"), gop.to_string());
    let rate = format!("{}k", kilobits(height));
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.extend(["-vf", &size, "-g", &gop, "-b:v", &rate]);
    arguments.extend(["-maxrate", &rate, "-bufsize", &rate, &url]);
    Encoder::start("ffmpeg", &arguments)
}

/// The URIs of the variants, as far as there are `count` of them.
fn variants(gateway: &Gateway, path: &str, count: usize) -> Vec<String> {
    wait::until("the variants", SOON, || {
        let answer = gateway.get(path);
        let text = answer.text();
        let uris = text
            .lines()
            .filter(|line| line.ends_with(".m3u8") && !line.starts_with('#'));
        let uris: Vec<String> = uris.map(str::to_owned).collect();
        (answer.status == 200 && uris.len() == count).then_some(uris)
    })
}

fn playlist(gateway: &Gateway, height: u32) -> MediaPlaylist {
    let answer = gateway.get(&format!("/live/show_{height}p/main.m3u8"));
    MediaPlaylist::parse(&answer.text())
}

/// Three encoders know nothing of each other. A player that takes each segment from another rung has each picture once.
#[test]
fn a_player_goes_from_rung_to_rung_and_no_picture_is_missing_or_comes_twice() {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    let uris = variants(&gateway, "/live/show/index.m3u8", 3);
    for height in HEIGHTS {
        let uri = format!("../show_{height}p/main.m3u8");
        assert!(uris.contains(&uri), "{uris:?}");
    }
    assert_eq!(variants(&gateway, "/live/show/llhls.m3u8", 3).len(), 3);
    let lists = wait::until("five segments of each rung", SOON, || {
        let lists = HEIGHTS.map(|height| playlist(&gateway, height));
        lists
            .iter()
            .all(|list| list.entries.len() >= 5)
            .then_some(lists)
    });
    assert!(
        lists.iter().all(|list| list.sequence == lists[0].sequence),
        "rungs that begin together have the same numbers"
    );
    let mut switched = Vec::new();
    for at in 0..5 {
        let turn = at % HEIGHTS.len();
        let uri = format!(
            "/live/show_{}p/{}",
            HEIGHTS[turn], lists[turn].entries[at].uri
        );
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
    assert_eq!(shown.len(), 5 * 60);
    let odd = shown
        .windows(2)
        .find(|pair| !PICTURE_US.contains(&(pair[1] - pair[0])));
    assert_eq!(odd, None, "pictures are one apart, over all switches");
}

/// Enhanced RTMP's multitrack, as FFmpeg 9 sends it: the further tracks are rungs named by their heights.
#[test]
fn the_tracks_of_one_connection_are_a_ladder() {
    let gateway = Gateway::start();
    let url = gateway.rtmp_url("live/show");
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -filter_complex \
         [0:v]split=3[a][b][c];[b]scale=-2:270[b2];[c]scale=-2:180[c2] \
         -map [a] -map [b2] -map [c2] -map 1:a -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -g 60 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.push(&url);
    let program = current_ffmpeg::program();
    let mut encoder = Encoder::start(program.to_str().expect("UTF-8"), &arguments);
    let uris = variants(&gateway, "/live/show/index.m3u8", 3);
    for uri in [
        "main.m3u8",
        "../show_270p/main.m3u8",
        "../show_180p/main.m3u8",
    ] {
        assert!(uris.contains(&uri.to_owned()), "{uris:?}");
    }
    let paths = ["show", "show_270p", "show_180p"].map(|name| format!("/live/{name}"));
    let lists = wait::until("three segments of each", SOON, || {
        let lists = paths
            .each_ref()
            .map(|path| MediaPlaylist::parse(&gateway.get(&format!("{path}/main.m3u8")).text()));
        let three = lists.iter().all(|list| list.entries.len() >= 3);
        three.then_some(lists)
    });
    assert!(lists.iter().all(|list| list.sequence == lists[0].sequence));
    for (path, list) in paths.iter().zip(&lists) {
        let record = Recording(scratch("ts"));
        let segments = list.entries[..3].iter();
        let bytes: Vec<u8> = segments
            .flat_map(|entry| gateway.get(&format!("{path}/{}", entry.uri)).body)
            .collect();
        fs::write(&record.0, bytes).expect("scratch can be written");
        let tracks = Tracks::read(&record.0);
        assert_eq!(
            (tracks.video.len(), &*tracks.codecs),
            (180, &["aac".to_owned(), "h264".to_owned()][..])
        );
        let stream = gateway.get(&format!("/api/v1/streams{path}")).json();
        assert_eq!(stream["faults"]["total"], 0, "{stream}");
    }
    encoder.interrupt();
    wait::until("all to end with their encoder", SOON, || {
        let live = paths
            .each_ref()
            .map(|path| gateway.get(&format!("/api/v1/streams{path}")).json()["state"] == "live");
        (live == [false; 3]).then_some(())
    });
}

/// A key frame interval of its own cannot be mended, and must not disturb the others.
#[test]
fn a_rung_that_does_not_fit_is_left_out_and_told_why() {
    let gateway = Gateway::start();
    let _fitting = [rung(&gateway, 360, 60), rung(&gateway, 270, 60)];
    variants(&gateway, "/live/show/index.m3u8", 2);
    let _odd = rung(&gateway, 180, 77);
    let told = wait::until("a reason", SOON, || {
        let stream = gateway.get("/api/v1/streams/live/show_180p").json();
        let faults = stream["faults"]["kinds"]["ladder_misfit"].as_u64();
        faults.map(|_| stream["rung"].clone())
    });
    assert_eq!(
        (&told["ladder"], &told["standing"]),
        (&"live/show".into(), &"misfits".into())
    );
    let reason = told["reason"].as_str().expect("words");
    assert!(reason.contains("key frame"), "{reason}");
    assert_eq!(variants(&gateway, "/live/show/index.m3u8", 2).len(), 2);
    for height in [360, 270] {
        let stream = gateway
            .get(&format!("/api/v1/streams/live/show_{height}p"))
            .json();
        assert_eq!(stream["faults"]["total"], 0, "{stream}");
    }
}

/// An encoder that comes back counts its time from zero: it is put on the clock of the others, with its key frames at
/// their boundaries.
#[test]
fn a_lost_rung_leaves_and_joins_again_on_the_clock_of_the_others() {
    let gateway = Gateway::start();
    let _source = rung(&gateway, 360, 60);
    let mut lost = rung(&gateway, 270, 60);
    variants(&gateway, "/live/show.m3u8", 2);
    lost.kill();
    let uris = variants(&gateway, "/live/show.m3u8", 1);
    assert_eq!(uris, ["show_360p/main.m3u8"]);
    let seen = playlist(&gateway, 270);
    let _again = rung(&gateway, 270, 60);
    let joined = wait::until("it to list something", SOON, || {
        let list = playlist(&gateway, 270);
        list.entries
            .iter()
            .any(|entry| entry.discontinuity)
            .then_some(list)
    });
    variants(&gateway, "/live/show.m3u8", 2);
    assert!(joined.sequence >= seen.sequence, "its own numbers go on");
    let others = wait::until("the same segment of both", SOON, || {
        let last = joined.entries.last().expect("listed").date_ms;
        let there = playlist(&gateway, 360).entries;
        there
            .iter()
            .any(|entry| entry.date_ms >= last)
            .then_some(there)
    });
    let last = joined.entries.last().expect("listed").date_ms;
    assert!(
        others.iter().any(|entry| entry.date_ms == last),
        "dates agree to the millisecond: {:?} beside {others:?}",
        joined.entries
    );
    assert!(
        !others.iter().any(|entry| entry.discontinuity),
        "who stayed is not disturbed"
    );
}

/// Switching in a real player: up and down, without a stall.
#[test]
fn hls_js_switches_up_and_down_without_a_stall() {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for form in ["classic", "low-latency"] {
        let browser = Browser::start();
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
        browser.until(
            "it to play",
            SOON,
            "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 \
             && window.forebay.hls.levels.length === 3",
        );
        browser.run(
            "window.waits = 0;
             document.querySelector('video').addEventListener('waiting', () => window.waits += 1);",
        );
        for level in [0, 2, 1] {
            browser.run(&format!("window.forebay.hls.nextLevel = {level}"));
            let height = browser.run(&format!("return window.forebay.hls.levels[{level}].height"));
            browser.until(
                "the rung to be shown",
                SOON,
                &format!("return document.querySelector('video').videoHeight === {height}"),
            );
        }
        assert_eq!(browser.run("return window.waits"), 0, "{form}");
        // hls.js says so where it replaces what it has in hand by the same from another rung, and goes on.
        let errors = browser.run("return window.forebay.stats().errors");
        let mut errors = errors
            .as_array()
            .expect("a list")
            .iter()
            .map(ToString::to_string);
        let grave = errors.find(|error| !error.contains("bufferAppendNoProgress"));
        assert_eq!(grave, None, "{form}");
    }
}

/// What an adaptive player does by itself when the line gets worse and better.
#[test]
fn hls_js_goes_down_on_a_weak_line_and_up_again() {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for form in ["classic", "low-latency"] {
        let browser = Browser::start();
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
        let shows = |what: &str, condition: &str| {
            browser.until(
                what,
                SOON,
                &format!(
                    "const height = document.querySelector('video')?.videoHeight; \
                     return window.forebay?.stats().phase === 'playing' && {condition}"
                ),
            );
        };
        shows("the best rung", "height === 360");
        // Less than the middle rung, more than the lowest with its sound.
        browser.throttle(Some(kilobits(270) * 1_000));
        shows("the lowest rung on a weak line", "height === 180");
        browser.throttle(None);
        shows("the best rung again", "height === 360");
    }
}
