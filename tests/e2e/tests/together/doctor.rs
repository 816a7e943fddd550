//! The stream doctor against real encoders: what it says of wrong settings, in the API and on the pages, and
//! that it has nothing to say of right ones.

use std::time::Duration;

use e2e::browser::Browser;
use e2e::encoder::Encoder;
use e2e::{Gateway, wait};
use serde_json::Value;

/// Long enough for three distances of key frames on a machine that does other things besides.
const WITHIN: Duration = Duration::from_secs(120);

const PICTURE: &str = "-re -f lavfi -i testsrc2=size=160x90:rate=25";
const TONE: &str = "-re -f lavfi -i sine=frequency=440:sample_rate=48000";
const SILENCE: &str = "-re -f lavfi -i anullsrc=r=48000:cl=stereo";
/// Without scene cuts, and light enough for many at a time.
const X264: &str = "-c:v libx264 -preset ultrafast -threads 1 -sc_threshold 0";
const AAC: &str = "-c:a aac -ac 2";

/// ffmpeg publishes `live/{name}`; arguments are parted by spaces.
fn publish(gateway: &Gateway, name: &str, arguments: &[&str]) -> Encoder {
    let url = gateway.rtmp_url(&format!("live/{name}"));
    let mut all = vec!["-v", "error", "-nostdin"];
    all.extend(arguments.iter().flat_map(|text| text.split(' ')));
    all.extend(["-f", "flv", &url]);
    Encoder::start("ffmpeg", &all)
}

/// The answer for `live/{name}`; `None` while there is no such stream.
fn health(gateway: &Gateway, name: &str) -> Option<Value> {
    let answer = gateway.get(&format!("/api/v1/streams/live/{name}/health"));
    (answer.status == 200).then(|| answer.json())
}

/// Waits for advice of this kind and severity; gives it.
fn advice(gateway: &Gateway, name: &str, kind: &str, severity: &str) -> Value {
    wait::until(&format!("{severity} {kind} of {name}"), WITHIN, || {
        let health = health(gateway, name)?;
        let all = health["advice"].as_array().expect("a list");
        let found = all
            .iter()
            .find(|advice| advice["kind"] == kind && advice["severity"] == severity)?;
        Some(found.clone())
    })
}

fn text<'a>(advice: &'a Value, key: &str) -> &'a str {
    advice[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {advice}"))
}

#[test]
fn wrong_settings_are_told_with_what_to_set() {
    let gateway = Gateway::start();
    let right = ["-g 50", AAC, "-pix_fmt yuv420p", X264];
    let with = |input: &[&'static str], settings: &[&'static str]| {
        let mut all: Vec<&str> = input.to_vec();
        // The last of two values of a setting counts.
        all.extend(right);
        all.extend(settings);
        all
    };
    let both = [PICTURE, TONE];
    let _encoders = [
        publish(&gateway, "gop", &with(&both, &["-g 250 -keyint_min 250"])),
        publish(&gateway, "colours", &with(&both, &["-pix_fmt yuv444p"])),
        publish(
            &gateway,
            "one-key",
            &with(&both, &["-g 100000 -keyint_min 100000"]),
        ),
        publish(
            &gateway,
            "no-sound",
            &with(
                &[PICTURE, SILENCE],
                // Announced and begun, and over at once.
                &["-filter_complex [1:a]atrim=end=0.05[a] -map 0:v -map [a]"],
            ),
        ),
        publish(
            &gateway,
            "uneven",
            &with(
                &["-re -f lavfi -i testsrc2=size=160x90:rate=50", TONE],
                &["-vf select='not(mod(n\\,7))+not(mod(n\\,3))' -vsync vfr"],
            ),
        ),
    ];
    // name, kind, severity, in the text, in the remedy
    let cases = [
        (
            "gop",
            "key_frame_interval",
            "warning",
            "Key frames are 10.0 s apart",
            "Keyframe Interval 2 s",
        ),
        (
            "colours",
            "video_profile",
            "problem",
            "High 4:4:4 Predictive",
            "-pix_fmt yuv420p",
        ),
        (
            "one-key",
            "no_key_frame",
            "problem",
            "No key frame for ",
            "n_forced*2",
        ),
        (
            "no-sound",
            "audio_missing",
            "warning",
            "Sound has stopped",
            "mute the source",
        ),
        (
            "uneven",
            "frame_rate",
            "warning",
            "The frame rate is irregular",
            "-fps_mode cfr",
        ),
    ];
    for (name, kind, severity, seen, remedy) in cases {
        wait::until(&format!("{seen} of {name}"), WITHIN, || {
            let advice = advice(&gateway, name, kind, severity);
            assert!(text(&advice, "remedy").contains(remedy), "{advice}");
            assert!(advice["times"].as_u64() > Some(0), "{advice}");
            assert!(text(&advice, "since") <= text(&advice, "last"), "{advice}");
            text(&advice, "text").contains(seen).then_some(())
        });
    }
    // The list has the same in one word.
    let streams = gateway.get("/api/v1/streams").json();
    for stream in streams["streams"].as_array().expect("a list") {
        assert_ne!(stream["health"], "good", "{stream}");
    }
}

#[test]
fn right_streams_and_silent_ones_get_no_advice() {
    let gateway = Gateway::start();
    let video = ["-g 50 -pix_fmt yuv420p", X264];
    let names = ["right", "muted", "pictures", "sound"];
    let _encoders = [
        publish(
            &gateway,
            "right",
            &[&[PICTURE, TONE, AAC][..], &video].concat(),
        ),
        publish(
            &gateway,
            "muted",
            &[&[PICTURE, SILENCE, AAC][..], &video].concat(),
        ),
        publish(&gateway, "pictures", &[&[PICTURE][..], &video].concat()),
        publish(&gateway, "sound", &[TONE, AAC]),
    ];
    let mut first = [None; 4];
    wait::until("ten segments of each", WITHIN, || {
        let mut seen = 0;
        for (name, first) in names.iter().zip(&mut first) {
            let answer = gateway.get(&format!("/api/v1/streams/live/{name}"));
            let segments = answer.json()["window"]["segments"].clone();
            let Some(newest) = segments
                .as_array()
                .and_then(|all| all.last()?["sequence"].as_u64())
            else {
                continue;
            };
            let health = health(&gateway, name).expect("it is there");
            for advice in health["advice"].as_array().expect("a list") {
                // That the machine was busy, and the encoder late, is true.
                let kind = text(advice, "kind");
                assert!(kind.starts_with("uplink"), "{name}: {advice}");
            }
            seen += usize::from(newest >= *first.get_or_insert(newest) + 10);
        }
        (seen == names.len()).then_some(())
    });
}

#[test]
fn advice_outlives_the_publisher_and_a_better_one_begins_anew() {
    let gateway = Gateway::start();
    let settings = [PICTURE, X264, "-g 50"];
    let wrong = [&settings[..], &["-pix_fmt yuv444p"]].concat();
    let mut encoder = publish(&gateway, "show", &wrong);
    advice(&gateway, "show", "video_profile", "problem");
    encoder.kill();
    let health_now = || health(&gateway, "show").expect("it lingers");
    wait::until("the encoder to be missed", WITHIN, || {
        (health_now()["state"] == "resuming").then_some(())
    });
    let after = health_now();
    assert_eq!(after["status"], "problem");
    assert_eq!(after["advice"][0]["kind"], "video_profile");

    let right = [&settings[..], &["-pix_fmt yuv420p"]].concat();
    let _encoder = publish(&gateway, "show", &right);
    wait::until("a publish without advice", WITHIN, || {
        let now = health_now();
        (now["state"] == "live" && now["status"] == "good").then_some(())
    });
    assert_eq!(
        gateway.get("/api/v1/streams/live/nobody/health").status,
        404
    );
}

/// A viewer who joins late sees nothing: the page says why, instead of "Connecting…" for ever.
#[test]
fn the_page_says_what_the_doctor_says_where_there_is_no_picture() {
    let gateway = Gateway::start_with(&[
        ("FOREBAY__HLS__MAX_SEGMENT", "2s"),
        ("FOREBAY__HLS__WINDOW", "3"),
    ]);
    let _wrong = publish(
        &gateway,
        "one-key",
        &[
            PICTURE,
            TONE,
            X264,
            AAC,
            "-pix_fmt yuv420p -g 100000 -keyint_min 100000",
        ],
    );
    let _right = publish(
        &gateway,
        "right",
        &[PICTURE, TONE, X264, AAC, "-pix_fmt yuv420p -g 50"],
    );
    wait::until("a window without a key frame", WITHIN, || {
        let stream = gateway.get("/api/v1/streams/live/one-key");
        if stream.status != 200 {
            return None;
        }
        let segments = stream.json()["window"]["segments"].clone();
        let segments = segments.as_array()?;
        let dependent = segments.iter().all(|one| one["independent"] == false);
        (segments.len() >= 3 && dependent).then_some(())
    });

    let browser = Browser::start();
    browser.open(&gateway.http_url("watch/live/one-key"));
    browser.until(
        "the reason over the picture",
        WITHIN,
        "return /^No key frame for \\d.*whoever joins now sees nothing/.test(document.querySelector('#notice').innerText)",
    );
    let shown = browser.run(
        "const one = document.querySelector('#advice li[data-kind=no_key_frame]');
         return [document.querySelector('#doctor-title').innerText, one.dataset.severity,
                 one.querySelector('.remedy').innerText, one.querySelector('.often').innerText]",
    );
    assert_eq!(shown[0], "The encoder is in trouble");
    assert_eq!(shown[1], "problem");
    let (remedy, often) = (shown[2].as_str(), shown[3].as_str());
    assert!(
        remedy.is_some_and(|words| words.contains("Keyframe Interval 2 s")),
        "{shown}"
    );
    assert!(
        often.is_some_and(|words| words.starts_with("For ") && words.contains("seen 1 time")),
        "{shown}"
    );

    browser.open(&gateway.http_url("watch/live/right"));
    browser.until(
        "the picture, and a good word for its encoder",
        WITHIN,
        "return window.forebay?.stats().phase === 'playing'
             && document.querySelector('#notice').innerText === ''
             && document.querySelector('#doctor-title').innerText.startsWith('The encoder is set right')
             && document.querySelectorAll('#advice li').length === 0",
    );

    browser.open(&gateway.http_url(""));
    browser.until(
        "a mark on each stream of the list",
        WITHIN,
        "const marks = [...document.querySelectorAll('#streams .health')];
         return JSON.stringify(marks.map((mark) => [mark.dataset.health, mark.innerText]))
             === '[[\"problem\",\"In trouble\"],[\"good\",\"Healthy\"]]'",
    );
    browser.click("#streams .health");
    browser.until(
        "the words behind the mark",
        Duration::from_secs(30),
        "return location.pathname === '/watch/live/one-key' && location.hash === '#doctor'
             && document.querySelector('#doctor-title').innerText === 'The encoder is in trouble'",
    );
}
