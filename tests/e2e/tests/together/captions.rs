//! Closed captions: declared in the playlists, and still in the pictures that come out.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::browser::Browser;
use e2e::clip::Clip;
use e2e::encoder::Encoder;
use e2e::gateway::{Gateway, scratch};
use e2e::reader::Recording;
use e2e::scripted::{Ending, Kind, Material, Playing, Publisher, Unit};
use e2e::{dash_site, wait};
use media::{Message, MessageKind};
use segmenter::flv::file::{Framing, header};
use serde_json::json;

const SOON: Duration = Duration::from_secs(40);
/// Nothing for field 1, nothing for field 2, no packet of CEA-708.
const FILLING: [[u8; 3]; 3] = [[0xfc, 0x80, 0x80], [0xfd, 0x80, 0x80], [0xfa, 0, 0]];
/// Channel 1 of field 1, twice: resume caption loading, row 15, HI, end of caption.
const CC1: [[u8; 3]; 5] = [
    [0xfc, 0x94, 0x20],
    [0xfc, 0x94, 0x20],
    [0xfc, 0x94, 0x70],
    [0xfc, 0xc8, 0x49],
    [0xfc, 0x94, 0x2f],
];
/// A DTVCC packet with a block of the primary service.
const SERVICE1: [[u8; 3]; 2] = [[0xff, 0x02, 0x22], [0xfe, b'H', b'I']];

/// Pictures and sound at the pace of a camera, with what `constructs` gives for each picture.
fn published(
    gateway: &Gateway,
    constructs: impl Fn(usize) -> Vec<[u8; 3]> + Send + 'static,
) -> Playing {
    let material = Material::of(&Clip::usual(4));
    Publisher::publish(gateway.rtmp, "live", "show").play(
        captioned(material.play(20_000), constructs),
        Ending::DeleteStream,
    )
}

/// `script`, with these constructs in its pictures.
fn captioned(
    script: impl Iterator<Item = Unit>,
    constructs: impl Fn(usize) -> Vec<[u8; 3]>,
) -> impl Iterator<Item = Unit> {
    let mut pictures = 0;
    script.map(move |unit| {
        if unit.kind != Kind::Video || !unit.is_media() {
            return unit;
        }
        let sei = sei(&constructs(pictures));
        pictures += 1;
        let length = u32::try_from(sei.len()).expect("short").to_be_bytes();
        let (head, nal_units) = unit.body.split_at(5);
        let body = [head, &length, &sei, nal_units].concat();
        unit.with_body(body)
    })
}

/// An SEI of H.264 with them (ATSC A/53 part 4): there is nothing in it that has to be escaped.
fn sei(constructs: &[[u8; 3]]) -> Vec<u8> {
    let count = u8::try_from(constructs.len()).expect("few");
    let head = [0xb5, 0, 0x31, b'G', b'A', b'9', b'4', 3, 0xc0 | count, 0xff];
    let user_data = [&head[..], &constructs.concat(), &[0xff]].concat();
    let size = u8::try_from(user_data.len()).expect("short");
    [&[6, 4, size][..], &user_data, &[0x80]].concat()
}

/// The lines of a multivariant playlist about captions, once it says what is `expected` of a variant.
fn declared(gateway: &Gateway, path: &str, expected: &str) -> Vec<String> {
    wait::until("a declaration", SOON, || {
        let answer = gateway.get(path);
        let text = answer.text();
        let variant = text
            .lines()
            .find(|line| line.starts_with("#EXT-X-STREAM-INF:"))?;
        if answer.status != 200 || !variant.ends_with(expected) {
            return None;
        }
        let lines = text.lines().filter(|line| line.contains("INSTREAM-ID"));
        Some(lines.map(str::to_owned).collect())
    })
}

fn of_api(gateway: &Gateway) -> serde_json::Value {
    gateway.get("/api/v1/streams/live/show").json()["captions"].clone()
}

/// Whether ffprobe finds captions in the pictures of a file: it has to decode them for that.
fn has_captions(file: &Path) -> bool {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-select_streams", "v", "-count_frames"]);
    ffprobe.args(["-show_entries", "stream=closed_captions"]);
    let output = ffprobe.arg(file).output().expect("ffprobe is there");
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("closed_captions="), "{text}");
    text.contains("closed_captions=1")
}

/// The same of the first segment that a playlist lists, behind its EXT-X-MAP if there is one.
fn segment_has_captions(gateway: &Gateway, playlist: &str, suffix: &str) -> bool {
    let folder = "/live/show/";
    let text = gateway.get(&format!("{folder}{playlist}")).text();
    let map = text
        .lines()
        .find_map(|line| line.strip_prefix("#EXT-X-MAP:URI=\""));
    let map = map.and_then(|rest| rest.split('"').next());
    let is_segment = |line: &&str| !line.starts_with('#') && line.contains(suffix);
    let segment = text.lines().find(is_segment);
    assert!(segment.is_some(), "{text}");
    let mut bytes = Vec::new();
    for uri in [map, segment].into_iter().flatten() {
        bytes.extend(gateway.get(&format!("{folder}{uri}")).body);
    }
    let file = Recording(scratch(suffix));
    fs::write(&file.0, bytes).expect("scratch can be written");
    has_captions(&file.0)
}

#[test]
fn captions_are_declared_and_come_out() {
    let gateway = Gateway::start();
    let playing = published(&gateway, |picture| {
        let mut constructs = FILLING.to_vec();
        constructs[0] = CC1[picture % CC1.len()];
        if picture % 25 == 24 {
            constructs.extend(SERVICE1);
        }
        constructs
    });
    let media = |id: &str| {
        format!(
            "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"{id}\",INSTREAM-ID=\"{id}\""
        )
    };
    for path in ["/live/show/index.m3u8", "/live/show/llhls.m3u8"] {
        let lines = declared(&gateway, path, ",CLOSED-CAPTIONS=\"cc\"");
        assert!(lines.contains(&media("CC1")), "{path}: {lines:?}");
    }
    let lines = declared(&gateway, "/live/show/index.m3u8", "\"cc\"");
    assert_eq!(lines, [media("CC1"), media("SERVICE1")]);
    assert_eq!(of_api(&gateway), json!(["CC1", "SERVICE1"]));
    for (playlist, suffix) in [("main.m3u8", "ts"), ("video.m3u8", "m4s")] {
        let found = segment_has_captions(&gateway, playlist, suffix);
        assert!(found, "{playlist}");
    }
    playing.stop(Ending::DeleteStream);
}

/// Shaka reads them out of segments that grow.
#[test]
fn dash_js_and_shaka_find_them_by_the_manifest() {
    let gateway = Gateway::start();
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let playing = published(&gateway, |picture| {
        let mut constructs = FILLING.to_vec();
        constructs[0] = CC1[picture % CC1.len()];
        if picture % 25 == 4 {
            constructs.extend(SERVICE1);
        }
        constructs
    });
    wait::until("both services in the manifest", SOON, || {
        let text = gateway.get("/live/show/manifest.mpd").text();
        let services = ["value=\"CC1=und\"", "value=\"1=lang:und\""];
        services.iter().all(|it| text.contains(it)).then_some(())
    });
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!(
        "window.dashJs('{url}'); window.shakaPlayer('{url}')"
    ));
    let services = browser.until(
        "Shaka's services",
        SOON,
        "const [, shaka] = window.states(); return shaka.captions.length > 0 && shaka.captions;",
    );
    assert_eq!(services, json!(["CC1", "svc1"]));
    browser.run("window.read('CC1')");
    let players = browser.until(
        "a caption, and pictures for each",
        SOON,
        "const states = window.states();
         const reads = ({ cues }) => cues.some((cue) => cue.includes('HI'));
         return states.every((it) => reads(it) && it.pictures > 100) && states;",
    );
    for player in players.as_array().expect("players") {
        assert_eq!(player["fatal"], json!([]));
    }
    playing.stop(Ending::DeleteStream);
}

#[test]
fn filling_is_no_caption() {
    let gateway = Gateway::start();
    let playing = published(&gateway, |_| FILLING.to_vec());
    for path in ["/live/show/index.m3u8", "/live/show/llhls.m3u8"] {
        let lines = declared(&gateway, path, ",CLOSED-CAPTIONS=NONE");
        assert!(lines.is_empty(), "{path}: {lines:?}");
    }
    assert_eq!(of_api(&gateway), json!([]));
    playing.stop(Ending::DeleteStream);
}

/// The encoder writes the captions of its source anew, in its own way.
#[test]
fn x264_passes_the_captions_of_its_source_on() {
    let source = Recording(scratch("flv"));
    let mut file = header(&[MessageKind::Video, MessageKind::Audio]).to_vec();
    let script = Material::of(&Clip::usual(4)).play(20_000);
    for unit in captioned(script, |picture| vec![CC1[picture % CC1.len()]]) {
        let message = Message {
            kind: match unit.kind {
                Kind::Video => MessageKind::Video,
                Kind::Audio => MessageKind::Audio,
                Kind::Data => MessageKind::Data,
            },
            timestamp_ms: u32::try_from(unit.timestamp_ms).expect("of the clip"),
            payload: unit.body.to_vec().into(),
        };
        let framing = Framing::of(&message, message.timestamp_ms).expect("it fits a tag");
        file.extend(framing.before);
        file.extend_from_slice(&message.payload);
        file.extend(framing.behind);
    }
    fs::write(&source.0, file).expect("scratch can be written");
    let gateway = Gateway::start();
    let url = gateway.rtmp_url("live/show");
    let path = source.0.to_str().expect("paths of tests are UTF-8");
    let words = "-c:v libx264 -preset ultrafast -threads 1 -g 25 -a53cc 1 -c:a copy -f flv";
    let mut arguments = vec!["-v", "error", "-re", "-i", path];
    arguments.extend(words.split(' '));
    arguments.push(&url);
    let _encoder = Encoder::start("ffmpeg", &arguments);
    let lines = declared(&gateway, "/live/show/index.m3u8", ",CLOSED-CAPTIONS=\"cc\"");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("INSTREAM-ID=\"CC1\""), "{lines:?}");
    assert!(segment_has_captions(&gateway, "main.m3u8", "ts"));
}
