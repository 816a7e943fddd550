//! Ladders by transcoding: ffmpeg makes the lower rungs of a publish, and goes where the publish goes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use e2e::current_ffmpeg::{self, Encoding};
use e2e::encoder::{Encoder, Pace};
use e2e::gateway::{Gateway, binary, scratch};
use e2e::ladder::{assert_switches_cost_no_picture, variants};
use e2e::media_playlist::MediaPlaylist;
use e2e::reader::Recording;
use e2e::wait;
use serde_json::Value;

const CONFIGURATION: &str = "
    [[ladder]]
    name = 'small'
    renditions = [
        { height = 1080, bit_rate = 4_000_000 },
        { height = 180, bit_rate = 300_000, preset = 'ultrafast' },
        { height = 120, bit_rate = 150_000, preset = 'ultrafast' },
    ]
    [[app]]
    name = 'live'
    keys = [{ key = 's3cret', name = 'show' }]
    ladder = 'small'
    [hls]
    window = 10
";
const SOON: Duration = Duration::from_secs(60);

/// A key frame every second, where segments have two.
fn source(gateway: &Gateway) -> Encoder {
    let url = gateway.rtmp_url("live/s3cret");
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -c:v libx264 -preset ultrafast -bf 2 -threads 1 -g 30 \
         -pix_fmt yuv420p -sc_threshold 0 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.push(&url);
    Encoder::start("ffmpeg", &arguments)
}

fn playlist(gateway: &Gateway, name: &str) -> MediaPlaylist {
    let answer = gateway.get(&format!("/live/{name}/main.m3u8"));
    MediaPlaylist::parse(&answer.text())
}

fn transcoder(gateway: &Gateway) -> Value {
    gateway.get("/api/v1/streams/live/show").json()["transcoder"].clone()
}

fn is_alive(process: u32) -> bool {
    fs::exists(format!("/proc/{process}")).expect("it can be looked at")
}

#[test]
fn one_publish_becomes_a_ladder_whose_rungs_begin_where_the_source_does() {
    let mut gateway = Gateway::start_on(CONFIGURATION);
    let _source = source(&gateway);
    for form in ["index.m3u8", "llhls.m3u8"] {
        let uris = variants(&gateway, &format!("/live/show/{form}"), 3);
        assert!(
            !uris[0].starts_with("../"),
            "the source comes first: {uris:?}"
        );
        for rung in ["../show_180p/", "../show_120p/"] {
            assert!(uris.iter().any(|uri| uri.starts_with(rung)), "{uris:?}");
        }
    }
    let status = transcoder(&gateway);
    assert_eq!(status["ladder"], "small");
    assert_eq!(status["state"], "running");
    assert_eq!(
        status["rungs"],
        serde_json::json!(["show_180p", "show_120p"]),
        "nothing is made larger than it is"
    );
    let names = ["show", "show_180p", "show_120p"];
    let lists = wait::until("six segments of each", SOON, || {
        let lists = names.map(|name| playlist(&gateway, name));
        lists
            .iter()
            .all(|list| list.entries.len() >= 6)
            .then_some(lists)
    });
    assert!(
        lists.iter().all(|list| list.sequence == lists[0].sequence),
        "they begin together"
    );
    let begin = |list: &MediaPlaylist| -> Vec<u64> {
        let six = list.entries.iter().take(6);
        six.map(|entry| entry.date_ms).collect()
    };
    for list in &lists {
        assert_eq!(begin(list), begin(&lists[0]), "boundaries of the source");
    }
    let rungs: Vec<_> = names.into_iter().zip(&lists).collect();
    assert_switches_cost_no_picture(&gateway, &rungs, 6);
    for name in names {
        let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
        assert_eq!(stream["faults"]["total"], 0, "{stream}");
        assert_eq!(stream["tracks"].as_array().map(Vec::len), Some(2), "{name}");
    }
    let [ffmpeg] = gateway.children()[..] else {
        panic!("one ffmpeg for all: {:?}", gateway.children());
    };
    let told = fs::read_to_string(format!("/proc/{ffmpeg}/cmdline")).expect("it runs");
    assert!(!told.contains("s3cret"), "{told}");
    // It tidies up.
    let mut words = told.split('\0');
    let socket = words.find_map(|word| word.strip_prefix("unix:"));
    let sockets = Path::new(socket.expect("a socket")).parent();
    let sockets = sockets.expect("a folder of sockets");
    assert!(sockets.exists());
    gateway.ask_to_leave();
    assert!(gateway.left(SOON).success());
    assert!(!sockets.exists());
}

/// Players load it once: who waits for the beginning has the rungs too, though ffmpeg is slower than the source.
#[test]
fn who_waits_for_the_beginning_has_all_rungs() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let _source = source(&gateway);
    wait::until("a rung to be begun", SOON, || {
        let stream = gateway.get("/api/v1/streams/live/show_120p");
        (stream.status == 200).then_some(())
    });
    let text = gateway.get("/live/show/llhls.m3u8").text();
    let pictures = text
        .lines()
        .filter(|line| line.starts_with("#EXT-X-STREAM-INF:") && line.contains("RESOLUTION="));
    assert_eq!(pictures.count(), 3, "{text}");
}

#[test]
fn a_backup_that_takes_over_is_transcoded_too() {
    let with_backup = CONFIGURATION.replace("[[app]]", "[[app]]\n    on_conflict = 'backup'");
    let gateway = Gateway::start_on(&with_backup);
    let mut first = source(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 3);
    let _second = source(&gateway);
    wait::until("a backup", SOON, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["backups"] == 1).then_some(())
    });
    first.interrupt();
    wait::until("a run of the second", SOON, || {
        let list = playlist(&gateway, "show_180p");
        let jump = list.entries.iter().rposition(|entry| entry.discontinuity)?;
        (list.entries.len() > jump + 2).then_some(())
    });
    let status = transcoder(&gateway);
    assert_eq!(status["last_error"], Value::Null, "{status}");
}

/// The new connection counts from zero, while the rungs of the old one are still there.
#[test]
fn a_source_whose_connection_hangs_goes_on_behind_a_discontinuity_with_its_rungs() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let hangs = source(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 3);
    let names = ["show", "show_180p", "show_120p"];
    wait::until("two segments of each", SOON, || {
        let mut counts = names
            .map(|name| playlist(&gateway, name).entries.len())
            .into_iter();
        counts.all(|count| count >= 2).then_some(())
    });
    hangs.hang();
    let _again = source(&gateway);
    wait::until("all to have the next number", SOON, || {
        let numbers = names.map(|name| {
            let (_, number, _) = playlist(&gateway, name).numbered().last()?;
            Some(number)
        });
        (numbers == [Some(1); 3]).then_some(())
    });
    variants(&gateway, "/live/show/llhls.m3u8", 3);
}

#[test]
fn an_ffmpeg_that_dies_is_started_again_and_ends_with_the_publish() {
    let mut gateway = Gateway::start_on(CONFIGURATION);
    let mut encoder = source(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 3);
    gateway.kill_child();
    let status = wait::until("another one", SOON, || {
        let status = transcoder(&gateway);
        (status["restarts"] == 1 && status["state"] == "running").then_some(status)
    });
    let error = status["last_error"].as_str().expect("words");
    assert!(error.starts_with("ffmpeg ended with signal: 9"), "{error}");
    let discontinuities = |name| {
        let list = playlist(&gateway, name);
        let all = list.entries.iter().filter(|entry| entry.discontinuity);
        all.count()
    };
    assert_eq!(discontinuities("show"), 0, "the source is not disturbed");
    wait::until("the rung to go on", SOON, || {
        (discontinuities("show_180p") == 1).then_some(())
    });
    variants(&gateway, "/live/show/index.m3u8", 3);
    let stream = gateway.get("/api/v1/streams/live/show").json();
    assert_eq!(stream["faults"]["kinds"]["transcoding"], 1, "{stream}");

    let [second] = gateway.children()[..] else {
        panic!("one ffmpeg: {:?}", gateway.children());
    };
    encoder.interrupt();
    wait::until("ffmpeg to end", SOON, || {
        (!is_alive(second) && gateway.children().is_empty()).then_some(())
    });
    for name in ["show", "show_180p", "show_120p"] {
        wait::until("its publish to end", SOON, || {
            let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
            (stream["state"] == "resuming").then_some(())
        });
    }

    let _back = source(&gateway);
    wait::until("the rung to go on", SOON, || {
        (discontinuities("show_180p") == 2).then_some(())
    });
    variants(&gateway, "/live/show/index.m3u8", 3);
    let number = |name| {
        let (_, number, _) = playlist(&gateway, name).numbered().last()?;
        Some(number)
    };
    assert_eq!(
        number("show"),
        number("show_180p"),
        "no rung had that by another time"
    );
    let [third] = gateway.children()[..] else {
        panic!("one ffmpeg: {:?}", gateway.children());
    };
    gateway.ask_to_leave();
    assert!(gateway.left(SOON).success());
    assert!(!is_alive(third), "it goes with the gateway");
    let log = gateway.log().join("\n");
    assert!(!log.contains("in time"), "{log}");
    assert!(log.contains("shut down in good order"), "{log}");
}

/// HEVC and Opus: published by a current ffmpeg, and transcoded by `ffmpeg`.
fn modern_codecs(ffmpeg: &str) -> (Gateway, Recording, Encoder) {
    let gateway = Gateway::start_on(&format!(
        "[[ladder]]
         name = 'small'
         renditions = [{{ height = 120, bit_rate = 150_000, preset = 'ultrafast' }}]
         [[app]]
         name = 'live'
         ladder = 'small'
         [transcoder]
         ffmpeg = '{ffmpeg}'"
    ));
    let record = Recording(scratch("flv"));
    let encoding = Encoding {
        seconds: 60,
        video: "-c:v libx265 -preset ultrafast -g 25 -flags +cgop -x265-params log-level=none",
        audio: "-c:a libopus",
    };
    let encoder = encoding.publish(Pace::Live, &gateway.rtmp_url("live/show"), &record.0);
    (gateway, record, encoder)
}

#[test]
fn a_current_ffmpeg_transcodes_what_comes_as_enhanced_rtmp() {
    let ffmpeg = current_ffmpeg::program();
    let (gateway, _record, mut encoder) = modern_codecs(ffmpeg.to_str().expect("a path of UTF-8"));
    variants(&gateway, "/live/show/index.m3u8", 2);
    let status = transcoder(&gateway);
    assert_eq!(status["state"], "running", "{status}");
    assert_eq!(status["last_error"], Value::Null);
    wait::until("its tracks to be known", SOON, || {
        let rung = gateway.get("/api/v1/streams/live/show_120p").json();
        let codecs = rung["tracks"].as_array()?.iter();
        let codecs: Vec<_> = codecs.map(|track| track["codec"].clone()).collect();
        (codecs == ["H.264", "AAC"]).then_some(())
    });
    encoder.interrupt();
}

#[test]
fn an_ffmpeg_that_is_too_old_for_enhanced_rtmp_is_told() {
    let (gateway, _record, mut encoder) = modern_codecs("ffmpeg");
    let error = wait::until("words", SOON, || {
        let error = transcoder(&gateway)["last_error"].clone();
        error.as_str().map(str::to_owned)
    });
    assert!(
        error.contains("ffmpeg reads pictures from version 6.1 on"),
        "{error}"
    );
    variants(&gateway, "/live/show/index.m3u8", 1);
    encoder.interrupt();
}

/// For `serve` and `check` alike: what is not there, and what is no ffmpeg.
#[test]
fn without_an_ffmpeg_that_can_it_does_not_start_and_says_what_to_do() {
    let cases = [
        (
            "/nowhere/ffmpeg",
            "transcoder.ffmpeg is \"/nowhere/ffmpeg\", and that is no program: [[app]] \"live\" has a ladder, which \
             ffmpeg has to encode; install ffmpeg 5.1 or later",
        ),
        ("no-such-ffmpeg", "and no folder of PATH has it"),
        ("true", "a trial has read FLV with pictures, and gave none"),
        (
            "false",
            "cannot encode the ladder of [[app]] \"live\"; it takes ffmpeg 5.1 or later with libx264, aac, flv and \
             unix sockets: a trial ended with exit status: 1",
        ),
    ];
    for (ffmpeg, expected) in cases {
        for command in ["serve", "check"] {
            let output = begin(command, ffmpeg);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{command} with {ffmpeg}");
            assert!(said.contains(expected), "{said}");
        }
    }
}

/// All that a run uses: builds leave out any of it.
#[test]
fn what_an_ffmpeg_lacks_is_named() {
    let cases = [
        ("flv", "no-flv", "Unknown input format: 'no-flv'"),
        ("libx264", "no-x264", "Unknown encoder 'no-x264'"),
        ("aac", "no-aac", "Unknown encoder 'no-aac'"),
        ("pipe:0", "no-pipe:0", "no-pipe:0: Protocol not found"),
        ("unix:*", "no-$word", "/0-120: Protocol not found"),
        ("scale=*", "no-$word", "No such filter: 'no-scale'"),
        ("-fps_mode", "-no_mode", "Unrecognized option 'no_mode'"),
    ];
    // By another process: what this one has open for writing, children that other tests begin have open too, and it
    // could not be executed.
    let writing = "printf '#!/bin/sh\n%s\n' \"$1\" >\"$0\" && chmod 700 \"$0\"";
    for (word, instead, expected) in cases {
        let script = scratch("sh");
        let text = format!(
            "for word; do shift; case $word in {word}) word={instead};; esac; set -- \"$@\" \"$word\"; done
             exec ffmpeg \"$@\""
        );
        let mut sh = Command::new("sh");
        let written = sh.args(["-c", writing]).arg(&script).arg(text).status();
        assert!(written.expect("sh is there").success());
        let output = begin("check", script.to_str().expect("a path of UTF-8"));
        fs::remove_file(&script).expect("it is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "without {word}");
        assert!(said.contains(expected), "{said}");
    }
}

/// What comes of a command with that ffmpeg, which cannot.
fn begin(command: &str, ffmpeg: &str) -> Output {
    let file = scratch("toml");
    let text = format!("{CONFIGURATION}\n[transcoder]\nffmpeg = '{ffmpeg}'\n");
    fs::write(&file, text).expect("scratch can be written");
    let mut gateway = Command::new(binary());
    let output = gateway.args([command, "--config"]).arg(&file).output();
    fs::remove_file(&file).expect("it is there");
    output.expect("it starts")
}
