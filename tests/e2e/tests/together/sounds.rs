//! Several audio tracks of one connection are a choice for viewers, in one group.

use e2e::browser::Browser;
use e2e::current_ffmpeg;
use e2e::encoder::Encoder;
use e2e::ffmpeg_witness::Tracks;
use e2e::gateway::Gateway;
use e2e::ladder::{SOON, variants};
use e2e::media_playlist::MediaPlaylist;
use e2e::{dash_site, wait};
use serde_json::json;

const CONFIGURATION: &str = "
    [[app]]
    name = 'live'
    audio = [
        { track = 0, name = 'English', language = 'en' },
        { track = 1, name = 'Deutsch', language = 'de' },
    ]
    [hls]
    window = 10000
    resume = '1s'
";

/// Enhanced RTMP's multitrack, as FFmpeg 9 sends it: pictures with GOPs longer than a segment is to be, and sound of 440
/// and of 880 Hz.
fn publish(gateway: &Gateway, name: &str) -> Encoder {
    let url = gateway.rtmp_url(&format!("live/{name}"));
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -re -f lavfi -i sine=frequency=880:sample_rate=48000 \
         -map 0:v -map 1:a -map 2:a -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -g 90 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.push(&url);
    let program = current_ffmpeg::program();
    Encoder::start(program.to_str().expect("UTF-8"), &arguments)
}

fn groups(gateway: &Gateway, file: &str) -> Vec<String> {
    let text = gateway.get(&format!("/live/show/{file}")).text();
    let tags = text
        .lines()
        .filter_map(|line| line.strip_prefix("#EXT-X-MEDIA:TYPE=AUDIO,"));
    tags.map(str::to_owned).collect()
}

#[test]
fn each_audio_track_is_a_rendition_on_the_timeline_of_the_pictures() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let mut encoder = publish(&gateway, "show");
    let both = |file| {
        wait::until("both renditions", SOON, || {
            let tags = groups(&gateway, file);
            (tags.len() == 2).then_some(tags)
        })
    };
    assert_eq!(
        both("index.m3u8"),
        [
            "GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show/audio\",LANGUAGE=\"en\",NAME=\"English\",DEFAULT=YES,\
             AUTOSELECT=YES,CHANNELS=\"1\"",
            "URI=\"../show_audio1/main.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show_audio1\",LANGUAGE=\"de\",\
             NAME=\"Deutsch\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"1\"",
        ]
    );
    assert_eq!(
        both("llhls.m3u8"),
        [
            "URI=\"all-audio.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show/audio\",LANGUAGE=\"en\",\
             NAME=\"English\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"1\"",
            "URI=\"../show_audio1/audio.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show_audio1\",\
             LANGUAGE=\"de\",NAME=\"Deutsch\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"1\"",
        ]
    );
    assert_eq!(
        variants(&gateway, "/live/show/index.m3u8", 1),
        ["main.m3u8"]
    );
    let stream = |name: &str| gateway.get(&format!("/api/v1/streams/live/{name}")).json();
    wait::until("three segments", SOON, || {
        let segments = stream("show_audio1")["window"]["segments"].clone();
        (segments.as_array()?.len() >= 3).then_some(())
    });
    encoder.interrupt();
    let end = |name: &str| {
        wait::until("the end", SOON, || {
            let text = gateway.get(&format!("/live/{name}/main.m3u8")).text();
            text.ends_with("#EXT-X-ENDLIST\n").then_some(())
        });
    };
    end("show");
    end("show_audio1");
    let [pictures, alone] = ["show", "show_audio1"].map(|name| {
        let text = gateway.get(&format!("/live/{name}/main.m3u8")).text();
        MediaPlaylist::parse(&text)
    });
    assert_eq!(pictures.target, alone.target);
    let cuts = |list: &MediaPlaylist| -> Vec<_> {
        let all = list.entries.iter().map(|it| (it.date_ms, it.duration_ms));
        // An encoder that is interrupted ends one track after the other.
        all.take(3).collect()
    };
    assert_eq!(cuts(&pictures), cuts(&alone));
    let [show, beside] = ["show", "show_audio1"]
        .map(|name| Tracks::read(gateway.http_url(&format!("live/{name}/main.m3u8"))));
    assert_eq!(beside.codecs, ["aac"]);
    // What came before the first picture is heard beside it only.
    let first = beside.audio.first().expect("sound").pts_us;
    let begins = show.audio.first().expect("sound").pts_us;
    assert!((first - begins).abs() < 50_000, "{first} {begins}");
    let last = |tracks: &Tracks| tracks.audio.last().expect("sound").pts_us;
    let lasts = [last(&show), last(&beside)];
    assert!((lasts[0] - lasts[1]).abs() < 500_000, "{lasts:?}");
    assert_eq!(stream("show_audio1")["faults"]["total"], 0);
}

/// Sound belongs to the programme, whichever of its rungs brings it.
#[test]
fn the_sound_of_a_rung_is_beside_all_rungs() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let mut encoder = publish(&gateway, "show_360p");
    let tags = wait::until("both renditions", SOON, || {
        let tags = groups(&gateway, "index.m3u8");
        (tags.len() == 2).then_some(tags)
    });
    assert!(
        tags[1].contains("URI=\"../show_audio1/main.m3u8\""),
        "{tags:?}"
    );

    // Another rung brings the same sound: it is taken up when the first has left.
    let _other = publish(&gateway, "show_240p");
    let state = |name: &str| {
        let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
        stream["state"].as_str().unwrap_or_default().to_owned()
    };
    wait::until("the other rung", SOON, || {
        (state("show_240p") == "live").then_some(())
    });
    encoder.interrupt();
    wait::until("the sound of the other", SOON, || {
        (state("show_360p") != "live" && state("show_audio1") == "live").then_some(())
    });
}

/// One encoder of pictures with sound, one of sound alone.
fn publish_apart(gateway: &Gateway, name: &str) -> Encoder {
    let pictures = "-re -f lavfi -i testsrc2=size=640x360:rate=30 -c:v libx264 -preset ultrafast -tune zerolatency \
         -threads 1 -pix_fmt yuv420p -sc_threshold 0 -g 90 -map 1:v -map 0:a";
    let words = format!(
        "-v error -re -f lavfi -i sine=frequency=440:sample_rate=48000 {} -c:a aac -f flv {}",
        if name == "show" { pictures } else { "" },
        gateway.rtmp_url(&format!("live/{name}"))
    );
    Encoder::start("ffmpeg", &words.split_whitespace().collect::<Vec<_>>())
}

/// Whichever is there first, they have one clock.
#[test]
fn sound_published_apart_is_on_the_timeline_of_the_pictures() {
    for [first, second] in [["show", "show_audio1"], ["show_audio1", "show"]] {
        let gateway = Gateway::start_on(CONFIGURATION);
        let playlist = |name: &str| {
            let text = gateway.get(&format!("/live/{name}/main.m3u8")).text();
            MediaPlaylist::parse(&text)
        };
        let mut encoders = vec![publish_apart(&gateway, first)];
        wait::until("two segments of the first", SOON, || {
            let stream = gateway.get(&format!("/api/v1/streams/live/{first}")).json();
            (stream["window"]["segments"].as_array()?.len() >= 2).then_some(())
        });
        encoders.push(publish_apart(&gateway, second));
        for file in ["index.m3u8", "llhls.m3u8"] {
            wait::until("both renditions", SOON, || {
                (groups(&gateway, file).len() == 2).then_some(())
            });
        }
        wait::until("three segments of both", SOON, || {
            let all = ["show", "show_audio1"].map(|name| playlist(name).entries.len());
            all.iter().all(|&count| count >= 3).then_some(())
        });
        for encoder in &mut encoders {
            encoder.interrupt();
        }
        let [pictures, sound] = ["show", "show_audio1"].map(|name| {
            let list = wait::until("the end", SOON, || {
                let list = playlist(name);
                list.ended.then_some(list)
            });
            assert!(
                !list.entries.iter().any(|it| it.discontinuity),
                "{first}: {list:?}"
            );
            let tracks = Tracks::read(gateway.http_url(&format!("live/{name}/main.m3u8")));
            let begins = tracks.audio.first().expect("sound").pts_us;
            (list, begins)
        });
        let clock = |(list, pts_us): &(MediaPlaylist, i64)| {
            let date_ms = i64::try_from(list.entries[0].date_ms).expect("a date");
            pts_us / 1_000 - date_ms
        };
        let apart = clock(&pictures) - clock(&sound);
        assert!(apart.abs() < 100, "{first}: {apart} ms");
        if first == "show" {
            assert_eq!(pictures.0.target, sound.0.target);
            // Behind its first segment, cut at the same times.
            let begins = |list: &MediaPlaylist| -> Vec<_> {
                list.entries.iter().map(|it| it.date_ms).collect()
            };
            let [pictures, sound] = [begins(&pictures.0), begins(&sound.0)];
            let last_common = sound.len() - 2;
            let is_there = |at: u64| pictures.iter().any(|it| it.abs_diff(at) < 100);
            assert!(
                sound[1..=last_common].iter().all(|&at| is_there(at)),
                "{pictures:?} {sound:?}"
            );
        }
    }
}

/// hls.js goes from one to the other, and the picture goes on.
#[test]
fn hls_js_plays_either_sound() {
    let browser = Browser::start();
    let gateway = Gateway::start_on(CONFIGURATION);
    let _encoder = publish(&gateway, "show");
    wait::until("both renditions", SOON, || {
        (groups(&gateway, "llhls.m3u8").len() == 2 && groups(&gateway, "index.m3u8").len() == 2)
            .then_some(())
    });
    for form in ["classic", "low-latency"] {
        browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
        browser.until(
            "it to play",
            SOON,
            "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 \
             && window.forebay.hls.audioTracks.length === 2",
        );
        let names =
            browser.run("return window.forebay.hls.audioTracks.map(it => [it.name, it.lang])");
        assert_eq!(names, json!([["English", "en"], ["Deutsch", "de"]]));
        let offered = browser.run(
            "const select = document.querySelector('select[name=sound]');
             return [select.selectedOptions[0].text, [...select.options].map(({ text }) => text)]",
        );
        let all = ["English (en)", "Deutsch (de)"];
        assert_eq!(offered, json!([all[0], all]));
        for track in [1, 0] {
            browser.run(&format!(
                "window.heard = false; const hls = window.forebay.hls;
                 hls.once('hlsAudioTrackSwitched', () => window.heard = true);
                 const select = document.querySelector('select[name=sound]');
                 select.value = '{track}'; select.dispatchEvent(new Event('change')); window.from = document.querySelector('video').currentTime;"
            ));
            browser.until(
                "the other sound, and three seconds of it",
                SOON,
                &format!(
                    "return window.heard && window.forebay.hls.audioTrack === {track} \
                     && document.querySelector('video').currentTime > window.from + 3"
                ),
            );
        }
        // A busy machine may make it wait for a moment, and it says so where it replaces one sound by the other.
        let errors = browser.run("return window.forebay.stats().errors");
        let errors = errors.as_array().expect("a list").iter();
        let grave = errors.map(ToString::to_string).find(|error| {
            let bearable = ["bufferStalledError", "bufferAppendNoProgress"];
            !bearable.iter().any(|it| error.contains(it))
        });
        assert_eq!(grave, None, "{form}");
    }
}

/// Shaka goes from one to the other, and the picture goes on.
#[test]
fn shaka_plays_either_sound_by_dash() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let _encoder = publish(&gateway, "show");
    wait::until("both renditions", SOON, || {
        (groups(&gateway, "llhls.m3u8").len() == 2).then_some(())
    });
    let browser = Browser::start();
    browser.open(&format!("http://{}/", dash_site::serve()));
    let url = gateway.http_url("live/show/manifest.mpd");
    browser.run(&format!("window.shakaPlayer('{url}')"));
    browser.until(
        "it to play",
        SOON,
        "return window.states().every((it) => it.pictures > 60 && it.sound > 0)",
    );
    for [language, name] in [["de", "Deutsch"], ["en", "English"]] {
        let before = browser.run(&format!(
            "window.hear('{language}'); return window.states().map((it) => [it.pictures, it.sound])"
        ));
        browser.until(
            "the other sound, and three seconds of it",
            SOON,
            &format!(
                "const before = {before};
                 return window.states().every(({{ pictures, sound, sounds }}, at) => {{
                     const heard = sounds.find((it) => it.active);
                     return heard?.language === '{language}' && heard.label === '{name}'
                         && pictures > before[at][0] + 90 && sound > before[at][1];
                 }})"
            ),
        );
    }
    let faults = "return window.states().flatMap((it) => [...it.fatal, it.error]).filter(Boolean)";
    assert_eq!(browser.run(faults), json!([]));
}
