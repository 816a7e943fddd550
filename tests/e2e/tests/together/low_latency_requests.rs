//! Requests that wait for parts, and what becomes of them: refused, answered, given up, or forgotten.

use std::time::Duration;

use e2e::Gateway;
use e2e::clip::{Clip, VIDEO, Video};
use e2e::footprint::Footprint;
use e2e::low_latency::{Asked, Load, Stepwise, until_listed};
use e2e::peer::Peer;
use e2e::scripted::{Ending, Material};
use e2e::{http, wait};

/// What a busy machine may take.
const SOON: Duration = Duration::from_secs(20);
/// Long enough to see that an answer does not come at once.
const A_MOMENT: Duration = Duration::from_millis(150);
const SEGMENT: (&str, &str) = ("FOREBAY__HLS__SEGMENT", "1s");
/// Three target durations, of segments of 1 s.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// What two clocks may differ by.
const CLOCK: Duration = Duration::from_millis(20);
const RESUME_1_S: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");
const VIDEO_PLAYLIST: &str = "/live/show/video.m3u8";

fn usual() -> Material {
    Material::of(&Clip::usual(8))
}

/// A publish that has sent 2.5 s, and what is listed of it: parts of 200 ms in segments of 1 s.
fn begun(keys: &[(&str, &str)]) -> (Gateway, Stepwise, Load) {
    let gateway = Gateway::start_with(&[&[SEGMENT], keys].concat());
    let mut publisher = Stepwise::publish(&gateway, usual().endless());
    publisher.send_until(2_500);
    let load = two_segments(&gateway);
    (gateway, publisher, load)
}

fn two_segments(gateway: &Gateway) -> Load {
    let open = |load: &Load| load.segments.len() == 3 && load.segments[2].parts.len() == 2;
    until_listed(gateway, "video.m3u8", "two segments and two parts", open)
}

fn reload((msn, part): (u64, u64)) -> String {
    format!("{VIDEO_PLAYLIST}?_HLS_msn={msn}&_HLS_part={part}")
}

fn ask(gateway: &Gateway, path: &str) -> Asked {
    let mut asked = Asked::get(gateway.http, path);
    let heard = String::from_utf8_lossy(asked.heard_within(A_MOMENT)).into_owned();
    assert_eq!(heard, "", "{path} does not wait");
    asked
}

#[test]
fn what_cannot_be_meant_is_refused_and_what_is_there_is_answered_at_once() {
    let (gateway, _publisher, load) = begun(&[]);
    let (next, part) = load.next();
    for query in [
        "_HLS_msn=-1".to_owned(),
        "_HLS_msn=18446744073709551615".to_owned(),
        "_HLS_msn=18446744073709551616".to_owned(),
        "_HLS_msn=99999999999999999999999999999".to_owned(),
        format!("_HLS_msn={next}&_HLS_msn={next}"),
        format!("_HLS_msn={next}&_HLS_part=0&_HLS_part=0"),
        "_HLS_msn=next".to_owned(),
        "_HLS_msn=".to_owned(),
        format!("_HLS_msn=0x{next:x}"),
        format!("_HLS_msn=%31{next}"),
        "_HLS_part=0".to_owned(),
        format!("_HLS_msn={next}&_HLS_part=-1"),
        format!("_HLS_msn={next}&_HLS_part=18446744073709551615"),
        format!("_HLS_msn={next}&_HLS_skip=maybe"),
        // More than two segments behind the last, and parts more than 3 s away.
        format!("_HLS_msn={}", next + 2),
        format!("_HLS_msn={}&_HLS_part=0", next + 2),
        format!("_HLS_msn={next}&_HLS_part={}", part + 30),
    ] {
        let answer = gateway.get(&format!("{VIDEO_PLAYLIST}?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        for (name, value) in [
            ("content-type", "application/problem+json"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", "*"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{query}");
        }
    }
    for query in [
        "".to_owned(),
        "?_HLS_skip=YES".to_owned(),
        "?_HLS_msn=0&_HLS_part=99999".to_owned(),
        format!("?_HLS_msn={}", next - 1),
        format!("?_HLS_msn={}&_HLS_part=4", next - 1),
        format!("?_HLS_msn={next}&_HLS_part={}", part - 1),
        // Behind the last of a segment stands the first of the next.
        format!("?_HLS_msn={}&_HLS_part=5", next - 1),
    ] {
        let now = Asked::get(gateway.http, &format!("{VIDEO_PLAYLIST}{query}")).load();
        assert_eq!(now.text, load.text, "{query}");
    }
    // The multivariant playlist waits for nothing.
    let path = format!("/live/show/llhls.m3u8?_HLS_msn={}", next + 1);
    assert_eq!(gateway.get(&path).status, 200);
    for query in [
        format!("_HLS_msn={}", next + 1),
        format!("_HLS_msn={next}&_HLS_part={part}"),
    ] {
        ask(&gateway, &format!("{VIDEO_PLAYLIST}?{query}"));
    }
}

#[test]
fn a_publisher_that_stalls_holds_requests_for_three_targets_and_then_goes_on() {
    let (gateway, mut publisher, load) = begun(&[]);
    let (msn, _) = load.next();
    let paths = [
        reload(load.next()),
        format!("{VIDEO_PLAYLIST}?_HLS_msn={msn}"),
        format!("/live/show/{}", load.hints[0].0),
        format!("/live/show/audio.m3u8?_HLS_msn={msn}&_HLS_part=2"),
    ];
    let asked: Vec<_> = paths.iter().map(|path| ask(&gateway, path)).collect();
    for (path, asked) in paths.iter().zip(asked) {
        let (answer, took) = asked.answer(LONGEST_WAIT + SOON);
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(took + CLOCK >= LONGEST_WAIT, "{path} after {took:?}");
    }
    assert_eq!(two_segments(&gateway).text, load.text);
    let asked = ask(&gateway, &reload(load.next()));
    publisher.send_until(4_500);
    let after = asked.load();
    after.assert_follows(&load);
    assert!(
        !after.segments.iter().any(|one| one.discontinuity),
        "{}",
        after.text
    );
    let part = gateway.get(&format!("/live/show/{}", load.hints[0].0));
    assert_eq!(part.status, 200);
}

#[test]
fn a_publisher_that_leaves_for_good_ends_the_wait() {
    let (gateway, publisher, load) = begun(&[RESUME_1_S]);
    let hint = format!("/live/show/{}", load.hints[0].0);
    let (msn, _) = load.next();
    let asked = [
        reload(load.next()),
        format!("{VIDEO_PLAYLIST}?_HLS_msn={}&_HLS_part=0", msn + 1),
        format!("{VIDEO_PLAYLIST}?_HLS_msn={}&_HLS_skip=YES", msn + 1),
        reload((msn, 7)),
    ];
    let asked: Vec<_> = asked.iter().map(|path| ask(&gateway, path)).collect();
    // A part of a segment that will never be there.
    let beyond = ask(
        &gateway,
        &hint.replace(&format!("{msn}.2"), &format!("{}.0", msn + 1)),
    );
    publisher.leave(Ending::DeleteStream);
    // What was left becomes a last part at once; the rest comes when nobody has come back.
    let mut answers = asked.into_iter().map(Asked::load);
    let first = answers.next().expect("four were asked");
    first.assert_follows(&load);
    for ended in answers {
        assert!(ended.ended, "{}", ended.text);
        ended.assert_follows(&load);
        ended.assert_lawful(&[]);
    }
    let (answer, _) = beyond.answer(SOON);
    assert_eq!(answer.status, 404, "{}", answer.text());
    // Both directives are ignored now.
    for query in [
        "?_HLS_msn=1",
        "?_HLS_msn=4000000000",
        "?_HLS_msn=4000000000&_HLS_part=9",
    ] {
        let load = Asked::get(gateway.http, &format!("{VIDEO_PLAYLIST}{query}")).load();
        assert!(load.ended && load.hints.is_empty() && load.reports.is_empty());
    }
}

#[test]
fn a_reconnect_answers_who_waits_with_a_discontinuity_and_numbers_go_on() {
    let (gateway, publisher, load) = begun(&[("FOREBAY__HLS__RESUME", "30s")]);
    publisher.leave(Ending::Fin);
    let whole = |load: &Load| load.segments.last().is_some_and(|one| one.whole.is_some());
    let left = until_listed(
        &gateway,
        "video.m3u8",
        "the rest of the first publish",
        whole,
    );
    left.assert_follows(&load);
    let asked = [
        ask(&gateway, &reload(left.next())),
        ask(&gateway, &format!("/live/show/{}", left.hints[0].0)),
        ask(&gateway, &reload(left.next()).replace("video", "audio")),
    ];
    let mut again = Stepwise::publish(&gateway, usual().endless());
    again.send_until(700);
    let [video, part, audio] = asked;
    let (part, _) = part.answer(SOON);
    assert_eq!(part.status, 200, "{}", part.text());
    for (load, before) in [(video.load(), Some(&left)), (audio.load(), None)] {
        if let Some(before) = before {
            load.assert_follows(before);
        }
        let last = load.segments.last().expect("the new one");
        assert_eq!(last.sequence, left.next().0, "{}", load.text);
        assert!(last.discontinuity, "{}", load.text);
        assert_eq!(load.discontinuity_sequence, left.discontinuity_sequence);
        // The same configuration needs no other init section.
        assert_eq!(last.map, load.segments[0].map, "{}", load.text);
        let breaks = load.segments.iter().filter(|one| one.discontinuity);
        assert_eq!(breaks.count(), 1, "{}", load.text);
    }
}

#[test]
fn a_new_codec_configuration_answers_who_waits_with_a_new_init_section() {
    let (gateway, mut publisher, load) = begun(&[]);
    let asked = [
        ask(&gateway, &reload((load.next().0 + 1, 0))),
        ask(
            &gateway,
            &reload((load.next().0 + 1, 0)).replace("video", "audio"),
        ),
    ];
    let video = Some(Video {
        size: "640x360",
        ..VIDEO
    });
    let larger = Material::of(&Clip {
        video,
        ..Clip::usual(8)
    });
    publisher.send_until(3_000);
    publisher.go_on(larger.part(3_000, 9_000));
    publisher.send_until(3_700);
    let [video, audio] = asked;
    let (video, audio) = (video.load(), audio.load());
    video.assert_follows(&load);
    for (load, renewed) in [(&video, true), (&audio, false)] {
        let [.., before, last] = &load.segments[..] else {
            panic!("{}", load.text)
        };
        assert!(last.discontinuity && !before.discontinuity, "{}", load.text);
        assert_eq!(last.map != before.map, renewed, "{}", load.text);
    }
    let [old, new] = [0, video.segments.len() - 1].map(|at| {
        let answer = gateway.get(&format!("/live/show/{}", video.segments[at].map));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.body
    });
    assert_ne!(old, new);
}

#[test]
fn sigterm_answers_who_waits_and_the_gateway_leaves_in_time() {
    let (mut gateway, _publisher, load) = begun(&[("FOREBAY__SHUTDOWN__DEADLINE", "20s")]);
    let (msn, _) = load.next();
    let asked = [
        ask(&gateway, &reload((msn + 1, 0))),
        ask(&gateway, &format!("{VIDEO_PLAYLIST}?_HLS_msn={}", msn + 1)),
        ask(&gateway, &reload((msn, 9))),
    ];
    gateway.ask_to_leave();
    for asked in asked {
        let (answer, took) = asked.answer(SOON);
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        assert!(took <= LONGEST_WAIT + Duration::from_secs(5), "{took:?}");
    }
    let status = gateway.left(SOON);
    assert_eq!(status.code(), Some(0), "{:?}", gateway.log());
}

const MANY: usize = 1_000;

fn many(gateway: &Gateway, path: &str) -> Vec<Asked> {
    Peer::room_for(MANY as u64);
    let asked: Vec<_> = (0..MANY).map(|_| Asked::get(gateway.http, path)).collect();
    wait::until("all to be connected", SOON, || {
        let now = &gateway.get("/api/v1/status").json()["now"];
        (now["http_connections"].as_u64()? > MANY as u64).then_some(())
    });
    asked
}

#[test]
fn a_thousand_requests_are_answered_by_the_same_part() {
    let (gateway, mut publisher, load) = begun(&[]);
    let mut asked = many(&gateway, &reload(load.next()));
    assert!(asked[MANY - 1].heard_within(A_MOMENT).is_empty());
    publisher.send_until(2_700);
    let mut answers = asked.into_iter().map(Asked::load);
    let first = answers.next().expect("a thousand");
    assert_eq!(first.edge(), load.next());
    first.assert_follows(&load);
    for answer in answers {
        assert_eq!(answer.text, first.text);
    }
}

#[test]
fn a_thousand_waits_that_are_given_up_leave_nothing() {
    let (gateway, mut publisher, load) = begun(&[]);
    let calm = Footprint::of(gateway.pid());
    for _ in 0..2 {
        let asked = many(&gateway, &reload(load.next()));
        let busy = Footprint::of(gateway.pid());
        assert!(busy.descriptors > MANY, "{busy:?}");
        drop(asked);
        wait::until("the descriptors to be free", SOON, || {
            let now = Footprint::of(gateway.pid());
            (now.descriptors <= calm.descriptors + 2).then_some(())
        });
    }
    publisher.send_until(2_700);
    let path = reload(load.next());
    let answer = http::get(gateway.http, &path);
    assert_eq!(answer.status, 200, "{}", answer.text());
}
