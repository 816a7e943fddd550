//! I-frame playlists: what they list is fetched range by range, and ffmpeg decodes each range by itself.

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use e2e::encoder::Encoder;
use e2e::gateway::{Gateway, scratch};
use e2e::http;
use e2e::reader::Recording;
use e2e::wait;

const SOON: Duration = Duration::from_secs(40);
/// Pictures in a GOP and segment.
const GOP: u32 = 60;

/// B-pictures and sound.
fn publish(gateway: &Gateway) -> Encoder {
    let url = gateway.rtmp_url("live/show");
    let gop = GOP.to_string();
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -c:v libx264 -preset veryfast -threads 1 -bf 2 \
         -pix_fmt yuv420p -sc_threshold 0 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.extend(["-g", &gop, &url]);
    Encoder::start("ffmpeg", &arguments)
}

/// An entry of an I-frame playlist.
#[derive(Debug, Default)]
struct Listed {
    /// URI and range (`376@0`) of what is to be read before it.
    map: (String, Option<String>),
    uri: String,
    range: String,
    seconds: f64,
}

/// The entries of the playlist under `path`, once there are three.
fn listed(gateway: &Gateway, path: &str) -> Vec<Listed> {
    wait::until("three pictures", SOON, || {
        let answer = gateway.get(path);
        let text = answer.text();
        if answer.status != 200 || !text.contains("#EXT-X-I-FRAMES-ONLY\n") {
            return None;
        }
        assert!(!text.contains("#EXT-X-GAP"), "{text}");
        let entries = read(&text);
        (entries.len() >= 3).then_some(entries)
    })
}

fn read(text: &str) -> Vec<Listed> {
    let mut entries = Vec::new();
    let mut next = Listed::default();
    for line in text.lines() {
        if let Some(attributes) = line.strip_prefix("#EXT-X-MAP:") {
            let values: HashMap<_, _> = attributes
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name, value.trim_matches('"').to_owned()))
                .collect();
            next.map = (values["URI"].clone(), values.get("BYTERANGE").cloned());
        } else if let Some(seconds) = line.strip_prefix("#EXTINF:") {
            next.seconds = seconds.trim_end_matches(',').parse().expect("seconds");
        } else if let Some(range) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            range.clone_into(&mut next.range);
        } else if !line.starts_with('#') {
            let map = next.map.clone();
            line.clone_into(&mut next.uri);
            entries.push(std::mem::replace(
                &mut next,
                Listed {
                    map,
                    ..Listed::default()
                },
            ));
        }
    }
    entries
}

fn fetch(gateway: &Gateway, uri: &str, range: Option<&str>) -> Vec<u8> {
    let path = format!("/live/show/{uri}");
    let Some((bytes, offset)) = range.and_then(|range| range.split_once('@')) else {
        return gateway.get(&path).body;
    };
    let [bytes, offset]: [usize; 2] = [bytes, offset].map(|number| number.parse().expect("bytes"));
    let range = format!("bytes={offset}-{}", offset + bytes - 1);
    let answer = http::request(gateway.http, "GET", &path, &[("range", &range)]);
    assert_eq!(
        (answer.status, answer.body.len()),
        (206, bytes),
        "{path} {range}"
    );
    answer.body
}

/// What a player of I-frames has of an entry: its map and its range, in a file.
fn fetched(gateway: &Gateway, entry: &Listed, suffix: &str) -> Recording {
    let (map, range) = &entry.map;
    let mut bytes = fetch(gateway, map, range.as_deref());
    bytes.extend(fetch(gateway, &entry.uri, Some(&entry.range)));
    let file = Recording(scratch(suffix));
    fs::write(&file.0, bytes).expect("scratch can be written");
    file
}

/// The types of the pictures that ffmpeg decodes of a file, which it says no word about.
fn types(file: &Recording) -> String {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-select_streams", "v", "-of", "csv=p=0"]);
    ffprobe
        .args(["-show_entries", "frame=pict_type"])
        .arg(&file.0);
    let output = ffprobe.output().expect("ffprobe is there");
    assert!(output.stderr.is_empty(), "{output:?}");
    let letters = String::from_utf8(output.stdout).expect("letters");
    letters.chars().filter(char::is_ascii_uppercase).collect()
}

fn assert_announced(gateway: &Gateway, multivariant: &str, uri: &str) {
    let text = gateway.get(multivariant).text();
    let line = text
        .lines()
        .find(|it| it.starts_with("#EXT-X-I-FRAME-STREAM-INF:"));
    let line = line.unwrap_or_else(|| panic!("no I-frame stream in\n{text}"));
    assert!(line.contains(&format!("URI=\"{uri}\"")), "{line}");
    assert!(
        line.contains("RESOLUTION=640x360") && !line.contains("mp4a"),
        "{line}"
    );
}

#[test]
fn each_range_is_one_key_picture_in_mpeg_ts() {
    let gateway = Gateway::start();
    let _encoder = publish(&gateway);
    let entries = listed(&gateway, "/live/show/iframes.m3u8");
    assert_announced(&gateway, "/live/show/index.m3u8", "iframes.m3u8");
    for entry in &entries {
        let file = fetched(&gateway, entry, "ts");
        assert_eq!(types(&file), "I", "{entry:?}");
        assert!(
            (entry.seconds - f64::from(GOP) / 30.0).abs() < 0.01,
            "{entry:?}"
        );
    }
}

#[test]
fn each_range_begins_with_a_key_picture_in_cmaf() {
    let gateway = Gateway::start();
    let _encoder = publish(&gateway);
    let entries = listed(&gateway, "/live/show/video-iframes.m3u8");
    assert_announced(&gateway, "/live/show/llhls.m3u8", "video-iframes.m3u8");
    for entry in &entries {
        let file = fetched(&gateway, entry, "mp4");
        let types = types(&file);
        // The rest of its part comes with it.
        let pictures = 1..10;
        assert!(
            types.starts_with('I')
                && types.matches('I').count() == 1
                && pictures.contains(&types.len()),
            "{types}"
        );
    }
}
