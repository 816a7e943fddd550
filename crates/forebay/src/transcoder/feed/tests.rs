use media::codec::Vp9;
use media::{Anchor, MediaTime, MessageKind};
use std::time::SystemTime;

use bytes::Bytes;

use super::*;

const VIDEO_HEADER: &[u8] = &[0x17, 0, 0, 0, 0, 1];
const OTHER_VIDEO_HEADER: &[u8] = &[0x17, 0, 0, 0, 0, 2];
const AUDIO_HEADER: &[u8] = &[0xaf, 0, 0x11, 0x90];
const KEY: &[u8] = &[0x17, 1, 0, 0, 0, 9];
const INTER: &[u8] = &[0x27, 1, 0, 0, 0, 9];
const SOUND: &[u8] = &[0xaf, 1, 0x21];

/// A configuration of its own each time.
fn pictures() -> Arc<Codec> {
    Arc::new(Codec::Vp9(Vp9 {
        record: Bytes::new(),
        profile: 0,
        level: 31,
        bit_depth: 8,
        chroma: 1,
        width: 640,
        height: 360,
        colour: None,
    }))
}

fn sound() -> Arc<Codec> {
    let aac = media::codec::Aac::parse(Bytes::from_static(&[0x11, 0x90]));
    Arc::new(Codec::Aac(aac.expect("48 kHz stereo")))
}

struct Bench {
    feed: Feed,
    preamble: Preamble,
    /// Those of the units that come.
    codecs: [Arc<Codec>; 2],
    now: Instant,
    /// Of the source.
    run: u64,
    faults: Vec<LeftOut>,
}

impl Bench {
    /// A publish that has sent its configurations.
    fn new() -> Self {
        let mut bench = Self {
            feed: Feed::new(),
            preamble: Preamble::default(),
            codecs: [pictures(), sound()],
            now: Instant::now(),
            run: 0,
            faults: Vec::new(),
        };
        bench.push(0, VIDEO_HEADER);
        bench.push(0, AUDIO_HEADER);
        bench
    }

    fn push(&mut self, timestamp_ms: u32, body: &[u8]) {
        let kind = match body.first() {
            Some(0xaf | 0x91) => MessageKind::Audio,
            _ => MessageKind::Video,
        };
        let message = Message {
            kind,
            timestamp_ms,
            payload: body.to_vec().into(),
        };
        let [pictures, sound] = &self.codecs;
        let is_header = matches!(body, [0x17 | 0xaf, 0, ..]);
        let placed = (!is_header).then(|| Placed {
            origin: Origin {
                sent_ms: timestamp_ms.into(),
                clock: Anchor {
                    at: MediaTime::from_millis(i64::from(timestamp_ms)),
                    date: SystemTime::UNIX_EPOCH,
                },
                run: self.run,
            },
            entry: match body == INTER {
                true => Entry::None,
                false => Entry::RandomAccess,
            },
            codec: match kind {
                MessageKind::Audio => sound.clone(),
                _ => pictures.clone(),
            },
        });
        self.preamble.push(&message, placed.as_ref(), self.now);
        let pushed = self
            .feed
            .push(&message, placed.as_ref(), &self.preamble, self.now);
        self.faults.extend(pushed.err());
    }

    /// What waits: `begin 360 Copied`, `17 00 10000`, `end`.
    fn pop(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.feed.pop())
            .map(|item| match item {
                Item::Begin(it) => format!("begin at {} {:?}", it.origin.sent_ms, it.sound),
                Item::Tag(message, at_ms) => {
                    let (first, second) = (message.payload[0], message.payload[1]);
                    format!("{first:02x} {second:02x} {at_ms}")
                }
                Item::End => "end".to_owned(),
            })
            .collect()
    }
}

#[test]
fn a_run_begins_with_a_key_frame_and_its_configurations() {
    let mut bench = Bench::new();
    bench.push(40, INTER);
    bench.push(45, SOUND);
    assert_eq!(bench.pop(), [""; 0]);
    bench.push(80, KEY);
    bench.push(75, SOUND);
    bench.push(120, INTER);
    // Encoders repeat what has not changed.
    bench.push(120, VIDEO_HEADER);
    assert_eq!(
        bench.pop(),
        [
            "begin at 80 Copied",
            "17 00 10000",
            "af 00 10000",
            "17 01 10000",
            "af 01 9995",
            "27 01 10040"
        ]
    );
    assert_eq!(bench.faults, []);
}

#[test]
fn what_another_ffmpeg_is_needed_for_ends_the_run() {
    let cases: [(&str, fn(&mut Bench)); 4] = [
        ("another sound", |bench| bench.push(90, b"\x91Opus\x78")),
        ("another configuration", |bench| {
            bench.push(90, OTHER_VIDEO_HEADER);
            bench.codecs[0] = pictures();
        }),
        ("another one, without a header", |bench| {
            bench.codecs[0] = pictures();
        }),
        ("a clock that has jumped", |bench| {
            bench.run = 1;
            bench.push(90, INTER);
        }),
    ];
    for (what, change) in cases {
        let mut bench = Bench::new();
        bench.push(80, KEY);
        bench.pop();
        change(&mut bench);
        bench.push(100, KEY);
        assert_eq!(bench.pop(), ["end"], "{what}");
        bench.feed.resume();
        bench.push(120, INTER);
        assert_eq!(bench.pop(), [""; 0], "{what}");
        bench.push(160, KEY);
        let began = &bench.pop()[0];
        assert!(began.starts_with("begin at 160 "), "{began}");
    }
}

#[test]
fn what_has_no_place_in_the_source_has_none_in_its_rungs() {
    let mut bench = Bench::new();
    bench.push(80, KEY);
    bench.pop();
    let message = Message {
        kind: MessageKind::Video,
        timestamp_ms: 120,
        payload: INTER.into(),
    };
    assert_eq!(
        bench.feed.push(&message, None, &bench.preamble, bench.now),
        Ok(())
    );
    assert_eq!(bench.pop(), [""; 0]);
}

#[test]
fn a_run_ends_within_31_bits() {
    let mut bench = Bench::new();
    let mut ends = 0;
    for step in 0..=(1 << 30) / 10_000 {
        bench.push(step * 10_000, KEY);
        ends += bench.pop().iter().filter(|it| *it == "end").count();
    }
    assert_eq!((ends, bench.faults), (1, Vec::new()));
}

#[test]
fn headers_that_not_every_ffmpeg_reads_are_told() {
    for (body, expected) in [(KEY, Headers::Legacy), (b"\x93hvc1\x02", Headers::Enhanced)] {
        let mut bench = Bench::new();
        bench.push(0, body);
        let Some(Item::Begin(beginning)) = bench.feed.pop() else {
            panic!("it begins with a key frame");
        };
        assert_eq!(beginning.headers, expected);
    }
}

#[test]
fn what_is_not_taken_in_time_is_left_out_up_to_the_next_key_frame() {
    let mut bench = Bench::new();
    bench.push(0, KEY);
    bench.pop();
    bench.push(40, INTER);
    bench.push(80, INTER);
    bench.now += LONGEST_WAIT;
    bench.push(120, INTER);
    assert_eq!(bench.faults, [], "just in time");
    bench.now += Duration::from_millis(1);
    bench.push(160, INTER);
    assert_eq!(bench.faults, [LeftOut::TooSlow(3)]);
    bench.push(200, INTER);
    bench.push(200, SOUND);
    assert_eq!(bench.pop(), [""; 0]);
    bench.push(240, KEY);
    bench.push(280, INTER);
    assert_eq!(
        bench.pop(),
        ["17 00 10240", "af 00 10240", "17 01 10240", "27 01 10280"],
        "the run goes on"
    );
}

#[test]
fn a_burst_loses_nothing_and_the_queue_has_its_bounds() {
    let mut bench = Bench::new();
    bench.push(0, KEY);
    for n in 1..3_000 {
        bench.push(n * 20, INTER);
    }
    assert_eq!(bench.faults, []);
    for n in 3_000..6_000 {
        bench.push(n * 20, INTER);
        assert!(bench.feed.queue.len() <= MOST_MESSAGES);
    }
    assert_eq!(bench.faults.len(), 1);
    let large = [KEY, &vec![0; 12 << 20]].concat();
    for n in 6_000..6_020 {
        bench.push(n * 20, &large);
        assert!(bench.feed.bytes <= MOST_BYTES);
    }
    assert!(bench.faults.len() > 5);
    let all = bench.pop();
    assert_eq!(bench.feed.bytes, 0);
    assert_eq!(all[0], "begin at 0 Copied", "what begins is kept");
}

#[test]
fn a_pause_forgets_what_waits_and_goes_on_with_a_new_run() {
    let mut bench = Bench::new();
    bench.push(0, KEY);
    bench.feed.pause();
    bench.push(40, KEY);
    bench.push(60, OTHER_VIDEO_HEADER);
    bench.codecs[0] = pictures();
    assert_eq!(bench.pop(), [""; 0]);
    bench.feed.resume();
    bench.push(80, INTER);
    assert_eq!(bench.pop(), [""; 0]);
    bench.push(120, KEY);
    assert_eq!(bench.pop()[..2], ["begin at 120 Copied", "17 00 10000"]);
}

#[test]
fn a_header_that_the_publish_refuses_changes_nothing() {
    let mut bench = Bench::new();
    bench.push(80, KEY);
    bench.pop();
    // Empty: pictures go on with the configuration before.
    bench.push(90, &[0x17, 0, 0, 0, 0]);
    bench.push(120, INTER);
    assert_eq!(bench.pop(), ["27 01 10040"]);
    bench.feed.pause();
    bench.feed.resume();
    bench.push(160, KEY);
    assert_eq!(bench.pop()[1], "17 00 10000");
    let kept = bench.preamble.headers().next().expect("the first");
    assert_eq!(kept.payload, VIDEO_HEADER);
}

/// A publish that stands by has a transcoder long after its headers.
#[test]
fn a_feed_that_begins_late_has_the_headers_all_the_same() {
    let mut bench = Bench::new();
    bench.push(80, KEY);
    bench.push(85, SOUND);
    bench.feed = Feed::new();
    bench.push(160, KEY);
    assert_eq!(
        bench.pop(),
        [
            "begin at 160 Copied",
            "17 00 10000",
            "af 00 10000",
            "17 01 10000"
        ]
    );
}

#[test]
fn sound_that_has_stopped_is_not_waited_for_in_the_next_run() {
    let mut bench = Bench::new();
    bench.push(0, KEY);
    bench.push(5, SOUND);
    bench.now += Duration::from_secs(3);
    bench.push(3_000, KEY);
    assert!(bench.feed.stage == Stage::Flowing, "the run goes on");
    bench.feed.pause();
    bench.feed.resume();
    bench.push(3_040, KEY);
    assert_eq!(bench.pop()[0], "begin at 3040 None");
    bench.push(3_045, SOUND);
    assert_eq!(bench.pop(), ["end"], "it joins");
}

#[test]
fn messages_of_several_tracks_are_told_of_once() {
    let mut bench = Bench::new();
    bench.push(0, KEY);
    let several = b"\x96\x13avc1\x00\x00\x00\x01\x09\x01\x00\x00\x01\x09";
    bench.push(40, several);
    bench.push(80, several);
    assert_eq!(bench.faults, [LeftOut::SeveralTracks]);
}
