//! manifest.mpd as players by others take it: dash.js and Shaka in a page of another origin, ffmpeg, and an XML reader
//! that holds its numbers against the segments.

use std::process::Command;
use std::time::{Duration, Instant};

use e2e::browser::Browser;
use e2e::encoder::Encoder;
use e2e::ladder::{HEIGHTS, rung, variants};
use e2e::{Gateway, dash_site, wait};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// What a browser may take to start, and a busy machine to show something.
const SHOWN_WITHIN: Duration = Duration::from_secs(40);
/// Behind the gateway, in seconds.
const NEAR: f64 = 3.0;
/// Behind it where segments are listed when they are complete: that it plays is what counts here, as dash.js keeps the
/// distance that a busy machine has cost it.
const LISTED: f64 = 30.0;
/// A random access every two seconds.
const EVEN: &str = "expr:gte(t,n_forced*2)";
/// Scene cuts: four GOPs of 0.7 s to 1.8 s in every 5 s.
const UNEVEN: &str = "expr:eq(mod(n,150),0)+eq(mod(n,150),22)+eq(mod(n,150),77)+eq(mod(n,150),101)";

/// 30 pictures a second, random accesses where `keys` says, and AAC.
fn publish(gateway: &Gateway, keys: &str) -> Encoder {
    let url = gateway.rtmp_url("live/show");
    let words = "-v error -re -f lavfi -i testsrc2=size=320x180:rate=30 \
        -re -f lavfi -i sine=frequency=440:sample_rate=48000 -c:v libx264 -preset veryfast -tune zerolatency \
        -sc_threshold 0 -pix_fmt yuv420p -g 600 -c:a aac -b:a 96k -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    let output = arguments.len() - 2;
    arguments.splice(output..output, ["-force_key_frames", keys]);
    arguments.push(&url);
    Encoder::start("ffmpeg", &arguments)
}

fn manifest(gateway: &Gateway) -> String {
    let text = wait::until("the manifest", SHOWN_WITHIN, || {
        let answer = gateway.get("/live/show/manifest.mpd");
        (answer.status == 200).then_some(answer.body)
    });
    String::from_utf8(text).expect("UTF-8")
}

fn until_segments(gateway: &Gateway, count: usize) {
    wait::until("segments", SHOWN_WITHIN, || {
        let list = gateway.get("/live/show/main.m3u8");
        let text = String::from_utf8(list.body).ok()?;
        (text.matches("#EXTINF").count() >= count).then_some(())
    });
}

/// A page with both players.
fn watch(gateway: &Gateway) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!(
        "window.dashJs('{url}'); window.shakaPlayer('{url}')"
    ));
    browser
}

fn states(browser: &Browser) -> Vec<Value> {
    let states = browser.run("return window.states()");
    states.as_array().expect("a list").clone()
}

/// Waits until each player has shown `seconds` more, is nearer to the edge than `latency`, and has picture and sound.
fn until_all_play(browser: &Browser, when: &str, seconds: f64, latency: f64) {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let before = states(browser);
    let begin = Instant::now();
    wait::until(&format!("all to play {when}"), SHOWN_WITHIN, || {
        let states = states(browser);
        let mut all = true;
        for (state, before) in states.iter().zip(&before) {
            assert_eq!(state["error"], Value::Null, "{when}: {state:#}");
            assert_eq!(
                state["fatal"],
                Value::Array(Vec::new()),
                "{when}: {state:#}"
            );
            let pictures = number(&state["pictures"]) - number(&before["pictures"]);
            let sound = number(&state["sound"]) - number(&before["sound"]);
            let buffered = (0..2).all(|kind| number(&state["buffered"][kind]) > 0.0);
            let near = state["latency"]
                .as_f64()
                .is_some_and(|it| (0.0..latency).contains(&it));
            all &= near && buffered && sound > 0.0 && pictures > seconds * 25.0;
        }
        // In words before the wait is over.
        let late = begin.elapsed() > SHOWN_WITHIN - Duration::from_secs(2);
        assert!(all || !late, "{when}: {states:#?}");
        all.then_some(())
    });
}

#[test]
fn dash_js_and_shaka_stay_near_the_edge_and_go_on_through_a_reconnect() {
    let gateway = Gateway::start();
    let mut first = publish(&gateway, EVEN);
    manifest(&gateway);
    let browser = watch(&gateway);
    // Shaka 5.2 does not always take a playlist of the very first parts.
    until_segments(&gateway, 1);
    let hls = gateway.http_url("live/show/llhls.m3u8");
    browser.run(&format!("window.shakaPlayer('{hls}')"));
    until_all_play(&browser, "at first", 8.0, NEAR);
    first.interrupt();
    wait::until("the gateway to notice", SHOWN_WITHIN, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == "resuming").then_some(())
    });
    let _second = publish(&gateway, EVEN);
    until_all_play(&browser, "after the reconnect", 4.0, NEAR);
}

#[test]
fn uneven_segments_are_listed_and_played() {
    let gateway = Gateway::start();
    let _publisher = publish(&gateway, UNEVEN);
    wait::until("a timeline", SHOWN_WITHIN, || {
        manifest(&gateway)
            .contains("<SegmentTimeline>")
            .then_some(())
    });
    let browser = watch(&gateway);
    until_all_play(&browser, "uneven segments", 6.0, LISTED);
}

#[test]
fn ffmpeg_reads_it() {
    let gateway = Gateway::start();
    let _publisher = publish(&gateway, EVEN);
    // Before that it computes negative numbers.
    until_segments(&gateway, 3);
    let packets = packets(&gateway, &[]);
    let of = |stream: &str| {
        packets
            .lines()
            .filter(|line| line.starts_with(stream))
            .count()
    };
    // 5 s, each once.
    let (pictures, sound) = (of("0,"), of("1,"));
    assert!(
        (140..=170).contains(&pictures) && (220..=260).contains(&sound),
        "{pictures}, {sound}"
    );
}

/// What ffmpeg finds in five seconds, a line each, without a word of complaint.
fn packets(gateway: &Gateway, which: &[&str]) -> String {
    let url = gateway.http_url("live/show/manifest.mpd");
    let output = Command::new("timeout")
        .args(["30", "ffmpeg", "-v", "error", "-i", &url, "-t", "5"])
        .args(which)
        .args(["-c", "copy", "-f", "framecrc", "-"])
        .output()
        .expect("ffmpeg is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All rungs, and the sound of one.
#[test]
fn ffmpeg_reads_a_ladder() {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", HEIGHTS.len());
    wait::until("segments of each", SHOWN_WITHIN, || {
        let enough = |height: &u32| {
            let list = gateway.get(&format!("/live/show_{height}p/video.m3u8"));
            list.text().matches("#EXTINF").count() >= 3
        };
        HEIGHTS.iter().all(enough).then_some(())
    });
    let packets = packets(&gateway, &["-map", "0"]);
    let counts = ["0,", "1,", "2,", "3,"].map(|stream| {
        let lines = packets.lines().filter(|line| line.starts_with(stream));
        lines.count()
    });
    let pictures = &counts[..3];
    assert!(
        pictures.iter().all(|count| (140..=170).contains(count)),
        "{counts:?}"
    );
    assert!((220..=260).contains(&counts[3]), "{counts:?}");
}

#[test]
fn numbers_are_where_the_manifest_says() {
    for keys in [EVEN, UNEVEN] {
        let gateway = Gateway::start();
        let _publisher = publish(&gateway, keys);
        until_segments(&gateway, 4);
        let templates = templates(&manifest(&gateway));
        assert_eq!(templates.len(), 2, "pictures and sound");
        for template in &templates {
            let listed = !template.times.is_empty();
            assert_eq!(listed, keys == UNEVEN);
            let expected: Vec<i64> = match template.duration {
                Some(duration) => (0..4)
                    .map(|count| template.offset + count * duration)
                    .collect(),
                None => template.times.clone(),
            };
            for (number, expected) in (template.first..).zip(expected) {
                let path = template.media.replace("$Number$", &number.to_string());
                let segment = gateway.get(&format!("/live/show/{path}"));
                assert_eq!(segment.status, 200, "{path}");
                let audio = template.media.starts_with("audio");
                let time = decode_time(&segment.body, if audio { 48_000 } else { 90_000 });
                // A quarter of a segment.
                let off = (time - expected).abs();
                assert!(off * 4 <= 180_000, "{path} is at {time}, not {expected}");
                if listed {
                    assert!(off <= 9_000, "{path} is at {time}, not {expected}");
                }
            }
        }
    }
}

/// What a SegmentTemplate says, on 90000 ticks a second.
struct Template {
    media: String,
    first: u64,
    offset: i64,
    duration: Option<i64>,
    times: Vec<i64>,
}

fn templates(text: &str) -> Vec<Template> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().trim_text(true);
    let mut templates: Vec<Template> = Vec::new();
    let (mut depth, mut closed) = (0, 0);
    loop {
        let event = reader
            .read_event()
            .unwrap_or_else(|error| panic!("{error} in {text}"));
        let element = match &event {
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                closed += 1;
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        match element.name().as_ref() {
            "SegmentTemplate" => templates.push(Template {
                media: attribute(element, "media").expect("a template has media"),
                first: number(element, "startNumber")
                    .and_then(|it| it.try_into().ok())
                    .expect("a number"),
                offset: number(element, "presentationTimeOffset").expect("an offset"),
                duration: number(element, "duration"),
                times: Vec::new(),
            }),
            "S" => {
                let template = templates.last_mut().expect("S is in a template");
                template
                    .times
                    .push(number(element, "t").expect("S has a time"));
            }
            _ => {}
        }
    }
    assert_eq!(depth, closed, "{text}");
    templates
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).expect("well-formed")?;
    Some(found.value.into_owned())
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<i64> {
    attribute(element, name)?.parse().ok()
}

/// `tfdt` of the first fragment, from `rate` to 90000 ticks a second (ISO/IEC 14496-12 §8.8.12).
fn decode_time(segment: &[u8], rate: i64) -> i64 {
    let at = segment
        .windows(4)
        .position(|four| four == b"tfdt")
        .expect("a fragment");
    let (version, rest) = (segment[at + 4], &segment[at + 8..]);
    let time = match version {
        0 => i64::from(u32::from_be_bytes(
            rest[..4].try_into().expect("four bytes"),
        )),
        _ => i64::from_be_bytes(rest[..8].try_into().expect("eight bytes")),
    };
    time * 90_000 / rate
}
