//! Timed metadata: data messages beside a real encoder's pictures and sound, as players find them in MPEG-TS, in CMAF
//! and in the playlists.

use std::collections::HashSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use e2e::browser::Browser;
use e2e::clip::Clip;
use e2e::gateway::scratch;
use e2e::raw_rtmp::wire;
use e2e::reader::{Player, Recording};
use e2e::scenario::ALL_LISTED;
use e2e::scripted::{Ending, Kind, Material, Playing, Publisher, Unit};
use e2e::{Gateway, dash_site, player_site, wait};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);
/// The first segment is out without any.
const FIRST_TEXT_MS: i64 = 2_500;
const TEXT_EVERY_MS: i64 = 500;
/// Where no segment of two seconds would begin. There is a key frame each second.
const OUT_MS: i64 = 5_000;
const IN_MS: i64 = 8_000;
/// A placement opportunity and its end (ANSI/SCTE 35 §14.1, §14.3), in base64 and in hexadecimal.
const OUT: [&str; 2] = [
    "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==",
    "0xFC3034000000000000FFFFF00506FE72BD0050001E021C435545494800008E7FCF0001A599B00808000000002CA0A18A3402009AC9D17E",
];
const IN: [&str; 2] = [
    "/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=",
    "0xFC302F000000000000FFFFF00506FE746290A000190217435545494800008E7F9F0808000000002CA0A18A350200A9CC6758",
];

/// Behind the name of a message.
fn data(timestamp_ms: i64, name: &str, value: &[u8]) -> Unit {
    Unit {
        kind: Kind::Data,
        timestamp_ms,
        body: [wire::string(name), value.to_vec()].concat().into(),
        at: Duration::from_millis(timestamp_ms.unsigned_abs()),
    }
}

fn splice(timestamp_ms: i64, section: &str) -> Unit {
    let parameters = wire::object(&[("message", wire::string(section))]);
    let cue = wire::object(&[
        ("name", wire::string("scte35")),
        ("type", wire::string("event")),
        ("parameters", parameters),
    ]);
    data(timestamp_ms, "onCuePoint", &cue)
}

/// What is said just before the first unit at `from_ms` or later, of those before `to_ms`.
fn said(from_ms: i64, to_ms: i64) -> Vec<Unit> {
    (from_ms..to_ms)
        .flat_map(|at| {
            let is_text = at >= FIRST_TEXT_MS && at % TEXT_EVERY_MS == 0;
            let text = is_text.then(|| {
                let text = wire::string(&format!("text at {at}"));
                data(at, "onTextData", &wire::object(&[("text", text)]))
            });
            let splice = match at {
                OUT_MS => Some(splice(at, OUT[0])),
                IN_MS => Some(splice(at, IN[0])),
                _ => None,
            };
            text.into_iter().chain(splice)
        })
        .collect()
}

fn publish(gateway: &Gateway) -> Playing {
    let mut told_ms = 0;
    let script = Material::of(&Clip::usual(4))
        .endless()
        .flat_map(move |unit| {
            let mut units = Vec::new();
            if unit.is_media() && unit.timestamp_ms >= told_ms {
                units = said(told_ms, unit.timestamp_ms + 1);
                told_ms = unit.timestamp_ms + 1;
            }
            units.push(unit);
            units
        });
    Publisher::publish(gateway.rtmp, "live", "show").play(script, Ending::Silence)
}

/// A media playlist once it has the end of the break, and the segment behind that.
fn with_the_end(gateway: &Gateway, playlist: &str) -> String {
    wait::until("the end of the break", SOON, || {
        let text = gateway.get(&format!("/live/show/{playlist}")).text();
        let back = text.lines().find(|line| line.contains("SCTE35-IN"))?;
        let end = seconds(attribute(back, "END-DATE"));
        let goes_on = dates(&text).any(|date| date > end);
        goes_on.then_some(text)
    })
}

/// The date ranges of a playlist.
fn tags(text: &str) -> Vec<String> {
    let lines = text.lines();
    let tags = lines.filter(|line| line.starts_with("#EXT-X-DATERANGE:"));
    tags.map(str::to_owned).collect()
}

/// When segments begin, seconds since 1970.
fn dates(text: &str) -> impl Iterator<Item = f64> {
    let lines = text.lines();
    let dates = lines.filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:"));
    dates.map(seconds)
}

fn seconds(date: &str) -> f64 {
    let date = humantime::parse_rfc3339(date).expect("a date");
    let since = date.duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs_f64()
}

/// The value of a quoted attribute.
fn attribute<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!("{name}=\"")).expect(line);
    rest.split('"').next().expect("a value")
}

#[test]
fn a_break_is_two_date_ranges_and_begins_and_ends_segments() {
    let gateway = Gateway::start();
    let playing = publish(&gateway);
    for playlist in ["main.m3u8", "video.m3u8", "audio.m3u8"] {
        let text = with_the_end(&gateway, playlist);
        let tags = tags(&text);
        let [out, back] = &tags[..] else {
            panic!("{playlist}: {text}");
        };
        assert!(
            out.ends_with(&format!(",PLANNED-DURATION=307.000,SCTE35-OUT={}", OUT[1])),
            "{out}"
        );
        assert!(back.ends_with(&format!(",SCTE35-IN={}", IN[1])), "{back}");
        for name in ["ID", "START-DATE"] {
            assert_eq!(attribute(out, name), attribute(back, name));
        }
        let from = seconds(attribute(out, "START-DATE"));
        let to = seconds(attribute(back, "END-DATE"));
        assert!((to - from - 3.0).abs() < 0.002, "{from} {to}");
        // Though the key frame with its timestamp is shown 80 ms later, as there are B-pictures.
        for at in [from, to] {
            let begins = dates(&text).any(|date| (date - at).abs() < 0.002);
            assert!(begins, "{playlist}: no segment begins at {at}: {text}");
        }
    }
    playing.stop(Ending::DeleteStream);
    let faults = gateway.get("/api/v1/streams/live/show").json()["faults"]["kinds"].clone();
    assert_eq!(faults["timed_metadata"], Value::Null, "{faults}");
}

const TRANSCODED: &str = "
    [[ladder]]
    name = 'small'
    renditions = [{ height = 90, bit_rate = 100_000, preset = 'ultrafast' }]
    [[app]]
    name = 'live'
    ladder = 'small'
    [hls]
    window = 20
";

/// ffmpeg carries none of it.
#[test]
fn rungs_that_the_gateway_makes_say_it_too() {
    let gateway = Gateway::start_on(TRANSCODED);
    let playing = publish(&gateway);
    let expected = tags(&with_the_end(&gateway, "main.m3u8"));
    assert_eq!(expected.len(), 2, "{expected:?}");
    for playlist in ["main.m3u8", "video.m3u8"] {
        let text = wait::until("the end of the break in the rung", SOON, || {
            let text = gateway.get(&format!("/live/show_90p/{playlist}")).text();
            text.contains("SCTE35-IN").then_some(text)
        });
        assert_eq!(tags(&text), expected, "{playlist}: {text}");
        let out = seconds(attribute(&expected[0], "START-DATE"));
        let begins = dates(&text).any(|date| (date - out).abs() < 0.002);
        assert!(begins, "{playlist}: no segment begins at {out}: {text}");
    }
    let rung = gateway.get("/live/show_90p/video.m3u8").text();
    let segments = rung.lines().filter(|line| !line.starts_with('#'));
    let bodies = segments.map(|uri| gateway.get(&format!("/live/show_90p/{uri}")).body);
    let found: Vec<_> = bodies.flat_map(|body| event_messages(&body)).collect();
    for text in texts(7_500) {
        let in_it = format!("{{\"text\":\"{text}\"}}");
        let count = found.iter().filter(|(_, tag)| tag.contains(&in_it)).count();
        assert_eq!(count, 1, "{text}: {found:?}");
    }
    playing.stop(Ending::DeleteStream);
}

/// Each text that a player should find in so many seconds.
fn texts(until_ms: i64) -> Vec<String> {
    let times = (FIRST_TEXT_MS..until_ms).step_by(500);
    times.map(|at| format!("text at {at}")).collect()
}

#[test]
fn ffmpeg_finds_it_in_mpeg_ts_from_the_first_that_there_is() {
    let gateway = Gateway::start();
    let playing = publish(&gateway);
    let mut player = Player::join(&gateway, "/live/show");
    wait::until("8 s", SOON, || {
        player.look();
        (player.duration_ms() >= 8_000).then_some(())
    });
    playing.stop(Ending::DeleteStream);
    let recording = player.record();
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "stream=codec_name:packet=pts_time",
        ])
        .args(["-select_streams", "d", "-of", "csv=p=0"])
        .arg(&recording.0)
        .output()
        .expect("ffprobe is there");
    assert!(output.stderr.is_empty(), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("timed_id3"), "{shown}");
    let times: Vec<f64> = shown
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse().ok())
        .collect();
    // Time 0 is 10 s; with the first splice, where its segment begins.
    let expected = [12.5, 13.0, 13.5, 14.0, 14.5, 15.0, 15.08, 15.5];
    assert!(times.len() >= expected.len(), "{shown}");
    for (found, expected) in times.iter().zip(expected) {
        assert!((found - expected).abs() < 0.002, "{shown}");
    }

    let tags = Recording(scratch("bin"));
    let copied = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&recording.0)
        .args(["-map", "0:d", "-c", "copy", "-f", "data"])
        .arg(&tags.0)
        .output()
        .expect("ffmpeg is there");
    assert!(copied.status.success(), "{copied:?}");
    let tags = fs::read(&tags.0).expect("it was written");
    let tags = String::from_utf8_lossy(&tags);
    for text in texts(7_000) {
        assert!(tags.contains(&text), "{text}: {tags}");
    }
}

/// Times of the event messages in a segment in ticks, with the tags in them.
fn event_messages(mut bytes: &[u8]) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    while let Some((head, _)) = bytes.split_first_chunk::<8>() {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let (this, rest) = bytes.split_at(usize::try_from(size).expect("32 bits"));
        if &head[4..] == b"emsg" {
            let at = this[16..24].try_into().expect("eight");
            let tag = String::from_utf8_lossy(&this[32..]).into_owned();
            found.push((u64::from_be_bytes(at), tag));
        }
        bytes = rest;
    }
    found
}

#[test]
fn it_is_in_the_fragments_of_the_pictures() {
    let gateway = Gateway::start();
    let playing = publish(&gateway);
    let found_in = |playlist: &str| {
        let text = with_the_end(&gateway, playlist);
        let segments = text.lines().filter(|line| !line.starts_with('#'));
        let bodies = segments.map(|uri| gateway.get(&format!("/live/show/{uri}")).body);
        bodies
            .flat_map(|body| event_messages(&body))
            .collect::<Vec<_>>()
    };
    let found = found_in("video.m3u8");
    for text in texts(7_500) {
        let (at, tag) = found
            .iter()
            .find(|(_, tag)| tag.contains(&format!("{{\"text\":\"{text}\"}}")))
            .unwrap_or_else(|| panic!("{text} is not in {found:?}"));
        assert!(
            tag.starts_with("https://aomedia.org/emsg/ID3\0\0ID3\x04"),
            "{tag}"
        );
        let millis: u64 = text
            .trim_start_matches("text at ")
            .parse()
            .expect("a number");
        // A cut may have moved it into the next part by a few milliseconds, never before its time.
        let late = at.checked_sub((10_000 + millis) * 90).expect("not early");
        assert!(late <= 250 * 90, "{text} is {late} ticks late");
    }
    assert_eq!(found_in("audio.m3u8"), [], "once is enough");
    playing.stop(Ending::DeleteStream);
}

/// hls.js as it comes, with what it hands to the page.
const HLS_JS: &str = "<!doctype html><title>hls.js</title><link rel=icon href=data:,><script src=/hls.js></script><script>
    window.players = [];
    window.play = (url) => {
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const hls = new Hls();
        const player = { texts: {}, ranges: {}, fatal: [] };
        hls.on(Hls.Events.FRAG_PARSING_METADATA, (_, { samples }) => {
            for (const { data, pts } of samples) {
                const found = /text at (\\d+)/.exec(new TextDecoder().decode(data));
                if (found) player.texts[found[1]] = pts;
            }
        });
        hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
            for (const range of Object.values(details.dateRanges)) {
                player.ranges[range.id] = [range.isValid, range.attr['SCTE35-OUT'] !== undefined, range.duration];
            }
        });
        hls.on(Hls.Events.ERROR, (_, { fatal, details }) => { if (fatal) player.fatal.push(details); });
        hls.attachMedia(video);
        hls.loadSource(url);
        video.play().catch(() => undefined);
        window.players.push(player);
    };
    </script><body>";

/// Both leave out what the manifest does not announce.
#[test]
fn dash_js_and_shaka_hand_it_to_the_page() {
    let gateway = Gateway::start();
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let playing = publish(&gateway);
    wait::until("something to play", SOON, || {
        (gateway.get("/live/show/manifest.mpd").status == 200).then_some(())
    });
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!(
        "window.dashJs('{url}'); window.shakaPlayer('{url}')"
    ));
    let players = browser.until(
        "five texts for each",
        SOON,
        "const texts = ({ said }) => said.filter((it) => it.includes('text at ')).length;
         return window.states().every((it) => texts(it) >= 5) && window.states();",
    );
    for player in players.as_array().expect("players") {
        assert_eq!(player["fatal"], serde_json::json!([]));
        let said = player["said"].as_array().expect("texts");
        let once: HashSet<_> = said.iter().map(ToString::to_string).collect();
        assert_eq!(once.len(), said.len(), "each comes once: {said:#?}");
    }
    playing.stop(Ending::DeleteStream);
}

#[test]
fn hls_js_hands_it_to_the_page() {
    // The break is over soon, and a browser may take its time.
    let gateway = Gateway::start_with(&[ALL_LISTED]);
    let browser = Browser::start();
    browser.open(&format!("http://{}/", player_site::serve(HLS_JS)));
    let playing = publish(&gateway);
    wait::until("something to play", SOON, || {
        (gateway.get("/live/show/index.m3u8").status == 200).then_some(())
    });
    for playlist in ["index.m3u8", "llhls.m3u8"] {
        let url = gateway.http_url(&format!("live/show/{playlist}"));
        browser.run(&format!("window.play('{url}')"));
    }
    let players = browser.until(
        "five texts, and the break with its end",
        SOON,
        "const ready = (it) => Object.keys(it.texts).length >= 5 && Object.values(it.ranges).some((range) => range[2] === 3);
         return window.players.every(ready) && window.players;",
    );
    for player in players.as_array().expect("players") {
        assert_eq!(player["fatal"], serde_json::json!([]));
        let texts = player["texts"].as_object().expect("texts");
        let mut offsets = texts.iter().map(|(at, pts)| {
            let at: f64 = at.parse().expect("milliseconds");
            pts.as_f64().expect("a time") - at / 1_000.0
        });
        let first = offsets.next().expect("a text");
        assert!(
            offsets.all(|offset| (offset - first).abs() < 0.3),
            "{texts:?}"
        );
        let ranges: Vec<_> = player["ranges"]
            .as_object()
            .expect("ranges")
            .values()
            .collect();
        assert_eq!(ranges, [&serde_json::json!([true, true, 3])]);
    }
    playing.stop(Ending::DeleteStream);
}
