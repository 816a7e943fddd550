//! Ladders in a real player. One test after the other: each waits for its browser before it has three encoders.

use e2e::browser::Browser;
use e2e::encoder::Encoder;
use e2e::gateway::Gateway;
use e2e::ladder::{
    HEIGHTS, SOON, best_and_silent_least, kilobits, playlist, rung, rung_that_jumps, silent_rung,
    source, variants,
};
use e2e::{player_site, wait};
use serde_json::json;

/// Opens the player page, and returns when it plays and has all three rungs to choose from.
fn play(browser: &Browser, gateway: &Gateway, form: &str) {
    play_ladder_of(3, browser, gateway, form);
}

fn play_ladder_of(rungs: usize, browser: &Browser, gateway: &Gateway, form: &str) {
    browser.open(&gateway.http_url(&format!("watch/live/show?form={form}")));
    browser.until(
        "it to play",
        SOON,
        &format!(
            "const s = window.forebay?.stats(); return s?.phase === 'playing' && s.currentTime > 0 \
             && window.forebay.hls.levels.length === {rungs}"
        ),
    );
}

/// The rungs, the best first, which play in low latency.
fn play_all(browser: &Browser, gateway: &Gateway) -> [Encoder; 3] {
    let encoders = HEIGHTS.map(|height| rung(gateway, height, 60));
    variants(gateway, "/live/show/llhls.m3u8", 3);
    play(browser, gateway, "low-latency");
    encoders
}

/// Until the rung is shown that a good line takes.
fn until_best(browser: &Browser) {
    browser.until(
        "the best rung",
        SOON,
        "return window.forebay.video.videoHeight === 360",
    );
}

/// Chooses the rung of this height, as a viewer does, and returns when it is shown.
fn choose(browser: &Browser, height: u32) {
    browser.run(&format!(
        "const hls = window.forebay.hls, select = document.querySelector('select[name=quality]');
         select.value = String(hls.levels.findIndex((it) => it.height === {height}));
         select.dispatchEvent(new Event('change'));"
    ));
    browser.until(
        "the rung to be shown",
        SOON,
        &format!("return document.querySelector('video').videoHeight === {height}"),
    );
}

/// Until a hundred pictures in a row have played, with sound, while `condition` holds for `hls` and `video`.
fn hundred_pictures(browser: &Browser, what: &str, condition: &str) {
    browser.run("window.first = undefined");
    browser.until(
        &format!("a hundred pictures {what}"),
        SOON,
        &format!(
            "const {{ hls, video }} = window.forebay; \
             if (!({condition}) || video.readyState < 3) {{ window.first = undefined; return false; }} \
             const pictures = video.getVideoPlaybackQuality().totalVideoFrames; \
             const sound = video.webkitAudioDecodedByteCount; \
             window.first ??= {{ pictures, sound }}; \
             return pictures > window.first.pictures + 100 && sound > window.first.sound"
        ),
    );
}

/// Switching in a real player: up and down, without a stall.
#[test]
fn hls_js_switches_up_and_down_without_a_stall() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for (form, chosen) in [("classic", "nextLevel"), ("low-latency", "loadLevel")] {
        play(&browser, &gateway, form);
        browser.run(
            "window.waits = [];
             const video = document.querySelector('video'), hls = window.forebay.hls;
             video.addEventListener('waiting', () => {
                 const ranges = Array.from(video.buffered, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
                 const levels = [hls.currentLevel, hls.loadLevel, hls.nextLevel];
                 window.waits.push({ at: video.currentTime, ranges, levels, edge: hls.liveSyncPosition });
             });",
        );
        for level in [0, 2, 1] {
            browser.run(&format!("window.forebay.hls.{chosen} = {level}"));
            let height = browser.run(&format!("return window.forebay.hls.levels[{level}].height"));
            browser.until(
                "the rung to be shown",
                SOON,
                &format!("return document.querySelector('video').videoHeight === {height}"),
            );
        }
        // As a viewer chooses it.
        browser.run(
            "const select = document.querySelector('select[name=quality]');
             select.value = '0';
             select.dispatchEvent(new Event('change'));",
        );
        browser.until(
            "the least rung to be shown",
            SOON,
            "return document.querySelector('video').videoHeight === 180",
        );
        assert_eq!(browser.run("return window.waits"), json!([]), "{form}");
        // hls.js says so where it replaces what it has in hand by the same from another rung, and goes on.
        let errors = browser.run("return window.forebay.stats().errors");
        let errors = errors.as_array().expect("a list").iter();
        let grave = errors
            .map(ToString::to_string)
            .find(|error| !error.contains("bufferAppendNoProgress"));
        assert_eq!(grave, None, "{form}");
    }
}

/// A rung that is left and taken again within one segment is begun at the segment's key frame.
#[test]
fn hls_js_comes_back_to_a_rung_within_a_segment() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    play(&browser, &gateway, "low-latency");
    browser.run(
        "window.returns = 0;
         window.holes = [];
         const video = document.querySelector('video'), hls = window.forebay.hls, [low, high] = [0, 2];
         let away = false, left = null;
         hls.loadLevel = high;
         hls.on('hlsFragBuffered', (_, { frag, part }) => {
             if (frag.type !== 'main' || !part) return;
             const ranges = Array.from(video.buffered, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
             if (ranges.length > 1) window.holes.push({ at: video.currentTime, sn: frag.sn, part: part.index, ranges });
             if (!away && frag.level === high && frag.sn !== left && part.index >= 1 && part.index <= 3) {
                 [away, left] = [true, frag.sn];
                 hls.loadLevel = low;
             } else if (away && frag.level === low && part.index >= 4) {
                 if (frag.sn === left) window.returns += 1;
                 away = false;
                 hls.loadLevel = high;
             }
         });",
    );
    // What the last return left behind shows in the segment after it.
    browser.until("four returns", SOON, "return window.returns >= 4");
    assert_eq!(browser.run("return window.holes"), json!([]));
}

/// In MPEG-TS the sound of one rung is among its pictures; of another, that has none, it comes apart.
#[test]
fn hls_js_goes_to_a_silent_rung_and_back_with_its_sound() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoder = best_and_silent_least(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 2);
    play_ladder_of(2, &browser, &gateway, "classic");
    browser.run(
        "window.waits = [];
         const { video } = window.forebay;
         video.addEventListener('waiting', () => window.waits.push(video.currentTime));",
    );
    for level in [0, 1, 0] {
        browser.run(&format!("window.forebay.hls.loadLevel = {level}"));
        let shown = browser.until(
            "the rung to be shown",
            SOON,
            &format!(
                "const {{ hls, video }} = window.forebay; return video.videoHeight === hls.levels[{level}].height \
                 && [video.currentTime, video.webkitAudioDecodedByteCount]"
            ),
        );
        browser.until(
            "three seconds of it with sound",
            SOON,
            &format!(
                "const {{ video }} = window.forebay, [time, bytes] = {shown}; \
                 return video.currentTime > time + 3 && video.webkitAudioDecodedByteCount > bytes + 15000"
            ),
        );
    }
    assert_eq!(browser.run("return window.waits"), json!([]));
}

/// The gateway waits for its encoder for longer than anybody watches a picture that stands.
#[test]
fn hls_js_leaves_a_rung_whose_encoder_has_died() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    // The sound of all is that of another.
    let mut best = silent_rung(&gateway, 360, 60);
    let _others = [270, 180].map(|height| rung(&gateway, height, 60));
    for form in ["classic", "low-latency"] {
        variants(&gateway, "/live/show/index.m3u8", 3);
        play(&browser, &gateway, form);
        until_best(&browser);
        best.kill();
        browser.until(
            "another rung",
            SOON,
            "const { video } = window.forebay; return video.videoHeight < 360 && video.readyState > 2",
        );
        best = silent_rung(&gateway, 360, 60);
        // hls.js goes by its errors.
        until_best(&browser);
    }
}

/// In low latency all rungs hear what it has. Players load the multivariant playlist once.
#[test]
fn hls_js_leaves_the_rung_whose_sound_is_that_of_all_and_takes_it_up_again() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    let [mut best, _middle, _least] = play_all(&browser, &gateway);
    until_best(&browser);
    browser.run(
        "window.emptied = 0;
         window.forebay.video.addEventListener('emptied', () => window.emptied += 1);",
    );
    best.kill();
    hundred_pictures(&browser, "of another rung", "video.videoHeight !== 360");
    choose(&browser, 180);
    let mut again = rung(&gateway, 360, 60);
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    choose(&browser, 360);
    hundred_pictures(
        &browser,
        "of the one that is back",
        "video.videoHeight === 360",
    );
    again.kill();
    hundred_pictures(
        &browser,
        "of another rung again",
        "video.videoHeight !== 360",
    );
    assert_eq!(
        browser.run("return window.emptied"),
        json!(0),
        "loaded anew"
    );
}

/// In low latency the others hear it: its sound goes on with what they have.
#[test]
fn hls_js_goes_on_when_the_rung_is_started_again_whose_sound_is_that_of_all() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    let [mut best, _middle, _least] = play_all(&browser, &gateway);
    choose(&browser, 180);
    hundred_pictures(&browser, "before", "true");
    browser.run(
        "window.emptied = 0;
         window.forebay.video.addEventListener('emptied', () => window.emptied += 1);",
    );
    best.kill();
    let _again = rung(&gateway, 360, 60);
    let sequence = || playlist(&gateway, "/live/show_180p/main.m3u8").sequence;
    let before = sequence();
    wait::until("ten seconds", SOON, || {
        (sequence() >= before + 5).then_some(())
    });
    hundred_pictures(&browser, "with the sound", "video.videoHeight === 180");
    assert_eq!(
        browser.run("return window.emptied"),
        json!(0),
        "loaded anew"
    );
}

/// Who listens to sound whose encoder leaves goes on with that of the pictures.
#[test]
fn hls_js_goes_on_when_the_sound_that_was_chosen_has_left() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    let _pictures = [360, 180].map(|height| rung(&gateway, height, 60));
    let url = gateway.rtmp_url("live/show_audio1");
    let sound = || {
        let words = "-v error -re -f lavfi -i sine=frequency=880:sample_rate=48000 -c:a aac -f flv";
        let mut arguments: Vec<&str> = words.split_whitespace().collect();
        arguments.push(&url);
        Encoder::start("ffmpeg", &arguments)
    };
    let mut beside = sound();
    let offered = || {
        wait::until("the sound to be offered", SOON, || {
            let text = gateway.get("/live/show/llhls.m3u8").text();
            text.contains("show_audio1").then_some(())
        });
    };
    let goes_on_with = |what: &str, sounds: usize| {
        let offered = format!("hls.audioTracks.length === {sounds}");
        hundred_pictures(&browser, what, &offered);
    };
    offered();
    browser.open(&gateway.http_url("watch/live/show?form=low-latency"));
    browser.until(
        "it to play",
        SOON,
        "return window.forebay?.stats().phase === 'playing'",
    );
    browser.run("window.forebay.hls.audioTrack = 1");
    goes_on_with("with the sound", 2);
    let chosen = "return window.forebay.hls.audioTracks[window.forebay.hls.audioTrack].name";
    let name = browser.run(chosen);
    for height in [180, 360] {
        choose(&browser, height);
        assert_eq!(browser.run(chosen), name, "of {height}");
    }
    goes_on_with("with the sound, in another quality", 2);
    beside.kill();
    goes_on_with("without it", 1);
    let _again = sound();
    offered();
    goes_on_with("when it can be chosen again", 2);
}

/// The rungs that go on when the encoder of the middle one, which has been played, has died.
fn leave_one_that_was_played(browser: &Browser, gateway: &Gateway) -> [Encoder; 2] {
    let others = [360, 180].map(|height| rung(gateway, height, 60));
    let mut left = rung(gateway, 270, 60);
    variants(gateway, "/live/show/llhls.m3u8", 3);
    play(browser, gateway, "low-latency");
    choose(browser, 270);
    choose(browser, 180);
    left.kill();
    others
}

/// hls.js goes by what it has loaded of the rung before, however long ago that was.
#[test]
fn hls_js_takes_up_a_rung_that_was_away_for_longer_than_it_is_waited_for() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"1s\"\n");
    let _others = leave_one_that_was_played(&browser, &gateway);
    wait::until("its presentation to end", SOON, || {
        let stream = gateway.get("/api/v1/streams/live/show_270p").json();
        (stream["state"] == "ended").then_some(())
    });
    let _again = rung(&gateway, 270, 60);
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    let now = || {
        browser
            .run("return window.forebay.video.currentTime")
            .as_f64()
    };
    let before = now().expect("seconds");
    choose(&browser, 270);
    browser.until(
        "it to play",
        SOON,
        "return window.forebay.video.readyState > 2",
    );
    let passed = now().expect("seconds") - before;
    assert!((0.0..30.0).contains(&passed), "{passed} s");
}

/// hls.js counts on from what it has once loaded of a rung, whose encoder has missed more than is listed.
#[test]
fn hls_js_takes_up_a_rung_that_has_come_back_while_it_was_waited_for() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nwindow = 3\nresume = \"10m\"\n");
    let _others = leave_one_that_was_played(&browser, &gateway);
    let newest = || playlist(&gateway, "/live/show_180p/main.m3u8").sequence;
    let missed = newest() + 6;
    wait::until("six segments", SOON, || (newest() >= missed).then_some(()));
    let _again = rung(&gateway, 270, 60);
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    browser.run(
        "window.waits = [];
         const { video } = window.forebay;
         video.addEventListener('waiting', () => window.waits.push(video.currentTime));
         video.addEventListener('emptied', () => window.waits.push('loaded anew'));",
    );
    choose(&browser, 270);
    browser.run("window.first = window.forebay.video.currentTime");
    browser.until(
        "five seconds",
        SOON,
        "return window.forebay.video.currentTime > window.first + 5",
    );
    assert_eq!(browser.run("return window.waits"), json!([]));
}

/// What an adaptive player does by itself when the line gets worse and better.
#[test]
fn hls_js_goes_down_on_a_weak_line_and_up_again() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/index.m3u8", 3);
    for form in ["classic", "low-latency"] {
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

/// hls.js as it comes, which stays with the least rung.
const LEAST: &str = "<!doctype html><title>hls.js</title><link rel=icon href=data:,><script src=/hls.js></script><script>
    window.play = (url) => {
        const video = window.video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const hls = new Hls({ startLevel: 0 });
        window.forebay = { hls, video };
        hls.on(Hls.Events.MANIFEST_PARSED, () => { hls.autoLevelCapping = 0; });
        hls.attachMedia(video);
        hls.loadSource(url);
        video.play().catch(() => undefined);
    };
    </script><body>";

/// Opens that page with this form of the ladder.
fn play_least(browser: &Browser, gateway: &Gateway, form: &str) {
    browser.open(&format!("http://{}/", player_site::serve(LEAST)));
    let url = gateway.http_url(&format!("live/show/{form}.m3u8"));
    browser.run(&format!("window.play('{url}')"));
}

/// It has loaded the ladder once. The playlist of the sound goes on with that of another.
#[test]
fn hls_js_goes_on_when_encoders_leave_whose_sound_it_hears() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    let [mut best, mut middle, _least] = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    // The epochs of what is listed.
    let epoch = |name: &str| {
        let text = gateway.get(&format!("/live/{name}.m3u8")).text();
        let last = text
            .rsplit_once("?epoch=")
            .map(|(_, rest)| rest[..8].to_owned());
        last.unwrap_or(text)
    };
    let of_middle = epoch("show_270p/audio");
    assert_eq!(epoch("show/all-audio"), epoch("show_360p/audio"));
    play_least(&browser, &gateway, "llhls");
    let is_least = "video.videoHeight === 180";
    let newest = || playlist(&gateway, "/live/show_180p/main.m3u8").sequence;
    // Longer than what a player has in hand.
    let segments = |count| {
        let before = newest();
        wait::until("further segments", SOON, || {
            (newest() >= before + count).then_some(())
        });
    };
    hundred_pictures(&browser, "before", is_least);
    best.kill();
    segments(3);
    hundred_pictures(&browser, "without the best", is_least);
    assert_eq!(epoch("show/all-audio"), of_middle);
    let _back = rung(&gateway, 360, 60);
    segments(5);
    hundred_pictures(&browser, "with it", is_least);
    assert_eq!(epoch("show/all-audio"), of_middle);
    middle.kill();
    segments(3);
    hundred_pictures(&browser, "without the middle", is_least);
    assert_ne!(epoch("show/all-audio"), of_middle);
}

/// In low latency it is played with another's sound, which has had no discontinuity.
#[test]
fn hls_js_goes_on_when_the_rung_that_it_plays_is_started_again_and_again() {
    let browser = Browser::start();
    let gateway = Gateway::start();
    let [mut least, _others @ ..] = [180, 270, 360].map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    play_least(&browser, &gateway, "llhls");
    let is_least = "video.videoHeight === 180";
    hundred_pictures(&browser, "before", is_least);
    let newest = || playlist(&gateway, "/live/show_360p/main.m3u8").sequence;
    for time in 1..=2 {
        least.kill();
        least = rung(&gateway, 180, 60);
        // Longer than what a player has in hand.
        let before = newest();
        wait::until("ten seconds", SOON, || {
            (newest() >= before + 5).then_some(())
        });
        hundred_pictures(&browser, &format!("after start {time}"), is_least);
    }
}

/// What the transcoder's rungs had a number for by one time, the source must not have by another.
#[test]
fn hls_js_goes_on_when_the_transcoder_was_started_again_and_then_the_source() {
    let browser = Browser::start();
    let gateway = Gateway::start_on(
        "[[ladder]]
         name = 'small'
         renditions = [{ height = 180, bit_rate = 300_000, preset = 'ultrafast' }]
         [[app]]
         name = 'live'
         ladder = 'small'
         [hls]
         resume = '10m'",
    );
    let mut encoder = source(&gateway);
    variants(&gateway, "/live/show/index.m3u8", 2);
    play_least(&browser, &gateway, "index");
    browser.run(
        "window.placed = [];
         window.forebay.hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) =>
             window.placed.push(frag.programDateTime / 1000 - frag.startPTS));",
    );
    hundred_pictures(&browser, "of the rung", "video.videoHeight === 180");
    gateway.kill_child();
    wait::until("the rung that has come back", SOON, || {
        let text = gateway.get("/live/show_180p/main.m3u8").text();
        text.contains("#EXT-X-DISCONTINUITY\n").then_some(())
    });
    hundred_pictures(&browser, "of the new one", "video.readyState >= 3");
    browser.run("const { hls } = window.forebay; hls.autoLevelCapping = -1; hls.nextLevel = 1");
    hundred_pictures(&browser, "of the source", "video.videoHeight === 360");
    encoder.kill();
    let _again = source(&gateway);
    browser.until(
        "the source that has come back",
        SOON,
        "const { details } = window.forebay.hls.levels[1]; return details?.endCC > 0",
    );
    hundred_pictures(&browser, "of what it sends", "video.videoHeight === 360");
    // Else it stands until it has come there.
    let apart = browser.run(
        "const all = window.placed.filter(Number.isFinite); \
         return all.length > 10 ? Math.max(...all) - Math.min(...all) : null",
    );
    let apart = apart.as_f64().expect("segments with dates");
    assert!(
        apart < 10.0,
        "media lie {apart} s from where their dates say"
    );
}

/// What it lists from then on has another discontinuity number than what the other rungs have.
#[test]
fn hls_js_begins_with_a_rung_that_has_had_a_discontinuity_alone() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nwindow = 3\n");
    let _least = rung_that_jumps(&gateway, 180);
    let _others = [270, 360].map(|height| rung(&gateway, height, 60));
    wait::until("the discontinuity to have left the playlist", SOON, || {
        let text = gateway.get("/live/show_180p/video.m3u8").text();
        let is_behind = !text.contains("DISCONTINUITY-SEQUENCE:0\n");
        (is_behind && !text.contains("#EXT-X-DISCONTINUITY\n")).then_some(())
    });
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    play_least(&browser, &gateway, "llhls");
    browser.until(
        "pictures and sound of the least rung",
        SOON,
        "return video.currentTime > 0 && video.videoHeight === 180 && video.webkitAudioDecodedByteCount > 20000 \
         && video.getVideoPlaybackQuality().totalVideoFrames > 150",
    );
}

/// The page that the README has for who writes one.
fn page_of_the_readme(gateway: &Gateway) -> String {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("```html\n").expect("a page");
    let (page, _) = rest.split_once("```").expect("its end");
    let (front, rest) = page.split_once("https://").expect("hls.js");
    let (_, rest) = rest.split_once("\"></script>").expect("its end");
    let page =
        format!("<!doctype html><link rel=icon href=data:,>{front}/hls.js\"></script>{rest}");
    page.replace("http://HOST:8080/", &gateway.http_url(""))
}

/// Whoever is watched leaves, one after the other, and each comes back.
#[test]
fn the_page_of_the_readme_goes_on_whichever_encoder_leaves() {
    let browser = Browser::start();
    let gateway = Gateway::start_on("[hls]\nresume = \"10m\"\n");
    let mut encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    let page = page_of_the_readme(&gateway);
    browser.open(&format!("http://{}/", player_site::serve(page.leak())));
    browser.run("window.forebay = { hls, video: document.getElementById('player') }");
    until_best(&browser);
    for time in 1..=3 {
        hundred_pictures(&browser, "before", "true");
        let shown = browser.run("return window.forebay.video.videoHeight");
        let at = HEIGHTS.iter().position(|height| json!(height) == shown);
        let at = at.expect("a rung");
        encoders[at].kill();
        let another = format!("video.videoHeight !== {shown}");
        hundred_pictures(&browser, &format!("of another, time {time}"), &another);
        encoders[at] = rung(&gateway, HEIGHTS[at], 60);
    }
    until_best(&browser);
    hundred_pictures(&browser, "of the best again", "video.videoHeight === 360");
}
