//! A segment by its own URI, while it is open and when it is complete, beside its parts: the same bytes, however they
//! are asked for. They are those that were sent.

use std::thread;
use std::time::Duration;

use e2e::Gateway;
use e2e::clip::{Clip, VIDEO, Video};
use e2e::http;
use e2e::low_latency::{
    Asked, Follower, Fragments, Load, Part, Sample, Stepwise, join, until_listed,
};
use e2e::scripted::{Ending, Kind, Material, Publisher, Sent};

const SOON: Duration = Duration::from_secs(20);
/// Long enough for bytes to come that are there.
const A_MOMENT: Duration = Duration::from_millis(300);
const KEYS: [(&str, &str); 2] = [
    ("FOREBAY__HLS__SEGMENT", "1s"),
    ("FOREBAY__HLS__RESUME", "1s"),
];
const RANGES: (&str, &str) = ("FOREBAY__HLS__PARTS", "ranges");

fn usual() -> Material {
    Material::of(&Clip::usual(8))
}

/// A publish that has sent so much, and the load that shows this many parts of the second segment, which is open.
fn begun(keys: &[(&str, &str)], until_ms: u64, parts: usize) -> (Gateway, Stepwise, Load) {
    let gateway = Gateway::start_with(&[&KEYS, keys].concat());
    let mut publisher = Stepwise::publish(&gateway, usual().endless());
    publisher.send_until(until_ms);
    let open = |load: &Load| {
        // The first had as many for a moment.
        let [_, open] = &load.segments[..] else {
            return false;
        };
        open.whole.is_none() && open.parts.len() == parts
    };
    let load = until_listed(&gateway, "video.m3u8", "the parts", open);
    (gateway, publisher, load)
}

fn media(gateway: &Gateway, uri: &str, range: Option<&str>) -> http::Answer {
    let path = format!("/live/show/{uri}");
    let range: Vec<_> = range.iter().map(|range| ("Range", *range)).collect();
    http::request(gateway.http, "GET", &path, &range)
}

/// A part as it is listed: a file, or a range of one.
fn part(gateway: &Gateway, part: &Part) -> Vec<u8> {
    let range = part
        .range
        .map(|(length, from)| format!("bytes={from}-{}", from + length - 1));
    let answer = media(gateway, &part.uri, range.as_deref());
    let expected = if range.is_some() { 206 } else { 200 };
    assert_eq!(answer.status, expected, "{part:?}: {}", answer.text());
    answer.whole_body()
}

fn parts(gateway: &Gateway, load: &Load, at: usize) -> Vec<u8> {
    let parts = load.segments[at].parts.iter();
    parts.flat_map(|one| part(gateway, one)).collect()
}

fn segment_uri(load: &Load) -> String {
    // Of a part as a file: `video-NUMBER.PART.m4s?epoch=EPOCH`.
    let uri = &load.segments.last().expect("an open one").parts[0].uri;
    let (front, rest) = uri.split_once('.').expect("an extension");
    let (_, epoch) = rest.split_once('?').expect("a query");
    format!("{front}.m4s?{epoch}")
}

#[test]
fn an_open_segment_is_sent_as_it_grows_and_ends_when_it_is_complete() {
    for keys in [&[][..], &[RANGES]] {
        let (gateway, mut publisher, load) = begun(keys, 1_500, 2);
        let uri = segment_uri(&load);
        let there = parts(&gateway, &load, 1);
        let mut growing = Asked::get(gateway.http, &format!("/live/show/{uri}"));
        let so_far = http::parse(growing.heard_within(A_MOMENT)).expect("a head");
        assert_eq!(so_far.status, 200, "{}", so_far.text());
        assert_eq!(so_far.header("transfer-encoding"), Some("chunked"));
        assert_eq!(so_far.header("content-length"), None);
        assert_eq!(http::dechunked(&so_far.body), (there.clone(), false));
        publisher.send_until(1_700);
        let so_far = http::parse(growing.heard_within(A_MOMENT)).expect("a head");
        let (more, ended) = http::dechunked(&so_far.body);
        assert!(!ended && more.len() > there.len() && more.starts_with(&there));
        publisher.send_until(2_100);
        let whole = growing.answer(SOON).0.whole_body();
        let open = |load: &Load| load.segments[1].whole.is_some();
        let load = until_listed(&gateway, "video.m3u8", "the whole segment", open);
        assert!(
            whole == parts(&gateway, &load, 1),
            "{keys:?}: parts, and what was sent as it grew"
        );
        let answer = media(&gateway, &uri, None);
        assert_eq!(
            answer.header("content-length"),
            Some(&*whole.len().to_string())
        );
        assert!(
            answer.body == whole,
            "{keys:?}: the segment when it is complete"
        );
    }
}

#[test]
fn ranges_of_a_segment_while_it_is_open_and_when_it_is_complete() {
    let (gateway, mut publisher, load) = begun(&[RANGES], 1_500, 2);
    let uri = segment_uri(&load);
    assert_eq!(load.hints[0].0, uri, "one resource for all parts");
    let there = parts(&gateway, &load, 1);
    let from = usize::try_from(load.hints[0].1).expect("small");
    assert_eq!(
        there.len(),
        from,
        "the hint begins where the last part ends"
    );
    // What is there is answered at once, and does not say how long the segment will be.
    let answer = media(&gateway, &uri, Some(&format!("bytes=10-{}", from - 1)));
    assert_eq!(answer.status, 206);
    assert_eq!(
        answer.header("content-range"),
        Some(&*format!("bytes 10-{}/*", from - 1))
    );
    assert!(answer.whole_body() == there[10..]);
    // As hls.js and AVPlayer ask for what is hinted at.
    let range = |range: &str| {
        let head = format!(
            "GET /live/show/{uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: {range}\r\n\r\n"
        );
        Asked::raw(gateway.http, &uri, &head)
    };
    let mut open = [
        range(&format!("bytes={from}-")),
        range(&format!("bytes={from}-9007199254740991")),
    ];
    for asked in &mut open {
        assert!(
            http::dechunked_of(asked.heard_within(A_MOMENT))
                .0
                .is_empty()
        );
    }
    publisher.send_until(1_700);
    let three = until_listed(&gateway, "video.m3u8", "the next part", |load| {
        load.segments[1].parts.len() == 3
    });
    let next = part(&gateway, &three.segments[1].parts[2]);
    for asked in &mut open {
        let (so_far, ended) = http::dechunked_of(asked.heard_within(A_MOMENT));
        assert!(!ended && so_far == next, "the part, as soon as it is there");
    }
    publisher.send_until(2_100);
    let whole = media(&gateway, &uri, None).whole_body();
    for asked in open {
        let (answer, _) = asked.answer(SOON);
        assert_eq!(answer.status, 206);
        assert_eq!(
            answer.header("content-range"),
            Some(&*format!("bytes {from}-9007199254740991/*"))
        );
        assert!(
            answer.whole_body() == whole[from..],
            "to the end of the segment"
        );
    }
    let complete = |load: &Load| load.segments[1].whole.is_some();
    let load = until_listed(&gateway, "video.m3u8", "the whole segment", complete);
    assert!(
        whole == parts(&gateway, &load, 1),
        "each listed range is its part"
    );
    let answer = media(&gateway, &uri, Some(&format!("bytes={}-", whole.len())));
    assert_eq!(answer.status, 416, "{}", answer.text());
    let answer = media(&gateway, &uri, Some("bytes=5-9"));
    assert_eq!((answer.status, &answer.body[..]), (206, &whole[5..10]));
    assert_eq!(
        answer.header("content-range"),
        Some(&*format!("bytes 5-9/{}", whole.len()))
    );
}

/// Two publishes one behind the other by a script: each payload once, in order, and at its time.
#[test]
fn every_payload_that_is_sent_comes_out_through_a_reconnect() {
    for keys in [&[][..], &[RANGES], &[("FOREBAY__HLS__TRACKS", "muxed")]] {
        let keys = [keys, &[("FOREBAY__HLS__WINDOW", "20")]].concat();
        let gateway =
            Gateway::start_with(&[&KEYS[..1], &[("FOREBAY__HLS__RESUME", "2s")], &keys].concat());
        let mut first = Stepwise::publish(&gateway, usual().endless());
        first.send_until(3_300);
        let mut followers = join(&gateway, "/live/show");
        let mut sent = first.leave(Ending::DeleteStream).sent;
        for follower in &mut followers {
            follower.follow_until("the rest of the first", |load| {
                load.segments.last().is_some_and(|one| one.whole.is_some())
                    && load.segments.len() > 3
            });
        }
        let mut second = Stepwise::publish(&gateway, usual().endless());
        second.send_until(2_500);
        sent.extend(second.leave(Ending::DeleteStream).sent);
        let mut came = Vec::new();
        for follower in followers {
            came.extend(samples(follower));
        }
        for kind in [Kind::Video, Kind::Audio] {
            let sent: Vec<&Sent> = sent.iter().filter(|one| one.kind == kind).collect();
            let came: Vec<&Sample> = came.iter().filter(|one| one.kind == kind).collect();
            let payloads: Vec<u64> = came.iter().map(|one| one.payload).collect();
            let expected: Vec<u64> = sent.iter().map(|one| one.payload).collect();
            assert_eq!(payloads, expected, "{kind:?} with {keys:?}");
            for (came, sent) in came.iter().zip(&sent) {
                assert_eq!(came.sync, sent.random_access || kind == Kind::Audio);
            }
        }
    }
}

/// The followers hold EXT-X-INDEPENDENT-SEGMENTS against the parts of each load.
#[test]
fn a_gop_longer_than_its_segments_is_followed_by_the_rules() {
    let gateway = Gateway::start_with(&KEYS);
    let video = Some(Video {
        gop: Some(100),
        ..VIDEO
    });
    let material = Material::of(&Clip {
        video,
        ..Clip::usual(8)
    });
    let publisher = Publisher::publish(gateway.rtmp, "live", "show");
    let playing = publisher.play(material.play(4_000), Ending::DeleteStream);
    let followers: Vec<_> = join(&gateway, "/live/show")
        .into_iter()
        .map(|follower| thread::spawn(move || follower.follow_to_the_end()))
        .collect();
    for follower in followers {
        let taken = follower.join().expect("it finds no fault");
        let pictures = taken
            .parts
            .iter()
            .filter(|one| one.map.starts_with("video"));
        let dependent = pictures.filter(|one| one.index == 0 && !one.part.independent);
        let is_video = taken.sections.keys().any(|uri| uri.starts_with("video"));
        assert_eq!(
            dependent.count() > 1,
            is_video,
            "segments without a key frame"
        );
    }
    assert!(!playing.join().cut_off);
}

/// What a follower has taken when it has come to the end, part by part.
fn samples(follower: Follower) -> Vec<Sample> {
    let taken = follower.follow_to_the_end();
    let breaks = taken
        .parts
        .iter()
        .filter(|one| one.discontinuity && one.index == 0);
    assert_eq!(breaks.count(), 1, "one reconnect");
    let parts = taken.parts.iter();
    parts
        .flat_map(|part| Fragments::behind(&taken.sections[&part.map]).samples(&part.body))
        .collect()
}
