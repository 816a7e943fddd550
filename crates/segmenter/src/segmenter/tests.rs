mod events;
mod guided;
mod joining;

use std::time::Duration;

use bytes::Bytes;
use media::{Fault, MessageKind, Part, Segment};
use proptest::prelude::*;

use super::*;
use crate::flv::tests::hex;

const VIDEO_HEADER: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10,
    0x1a, 0x6c, 0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
];
const AUDIO_HEADER: &[u8] = &[0xaf, 0, 0x11, 0x90];
const IDR: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88];
const INTER: &[u8] = &[0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 0x9a];
const SOUND: &[u8] = &[0xaf, 1, 0x21, 0x10];

/// When everything arrives.
static ARRIVAL: std::sync::LazyLock<SystemTime> =
    std::sync::LazyLock::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));

struct Bench {
    segmenter: Segmenter,
    arrival: SystemTime,
    segments: Vec<Segment>,
    parts: Vec<Part>,
    faults: Vec<Fault>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let mut bench = Self {
            segmenter: Segmenter::new(settings),
            arrival: *ARRIVAL,
            segments: Vec::new(),
            parts: Vec::new(),
            faults: Vec::new(),
        };
        bench.push(MessageKind::Video, 0, VIDEO_HEADER);
        bench.push(MessageKind::Audio, 0, AUDIO_HEADER);
        bench
    }

    fn push(&mut self, kind: MessageKind, timestamp_ms: u32, body: &[u8]) {
        let payload = Bytes::copy_from_slice(body);
        let message = Message {
            kind,
            timestamp_ms,
            payload,
        };
        self.segmenter.push(&message, self.arrival);
        self.pull();
    }

    /// Where segments begin, in milliseconds.
    fn starts(&self) -> Vec<i64> {
        let all = self.segments.iter();
        all.map(|it| it.start.as_millis()).collect()
    }

    fn finish(&mut self) {
        self.segmenter.finish();
        self.pull();
    }

    fn pull(&mut self) {
        while let Some(output) = self.segmenter.pull() {
            match output {
                Output::Segment(segment) => self.segments.push(segment),
                Output::Fault(fault) => self.faults.push(fault),
                Output::Part(part) => self.parts.push(part),
                Output::Closed | Output::Event(_) => {}
            }
        }
    }

    /// Seconds of 25 pictures with audio beside them, from `from` on.
    fn seconds(&mut self, from: u32, count: u32) {
        let mut sounds = 0;
        for n in 0..count * 25 {
            let body = if n % 25 == 0 { IDR } else { INTER };
            self.push(MessageKind::Video, from + n * 40, body);
            while sounds * 64 / 3 < (n + 1) * 40 {
                self.push(MessageKind::Audio, from + sounds * 64 / 3, SOUND);
                sounds += 1;
            }
        }
    }

    /// The same, audio arriving so many milliseconds after its time, or before it.
    fn apart(&mut self, count: u32, audio_late: i64) {
        let millis = |n: u32, (scale, rate): (u32, u32)| i64::from(n * scale / rate);
        let pictures = (0..count * 25).map(|n| (millis(n, (40, 1)), n, MessageKind::Video));
        let sounds =
            (0..count * 375 / 8).map(|n| (millis(n, (64, 3)) + audio_late, n, MessageKind::Audio));
        let mut all: Vec<_> = pictures.chain(sounds).collect();
        all.sort_by_key(|(arrival, ..)| *arrival);
        for (_, n, kind) in all {
            match kind {
                MessageKind::Video if n % 50 == 0 => self.push(kind, n * 40, IDR),
                MessageKind::Video => self.push(kind, n * 40, INTER),
                _ => self.push(kind, n * 64 / 3, SOUND),
            }
        }
    }

    fn shown(&self) -> Vec<String> {
        let line = |segment: &Segment| {
            let mark = if segment.discontinuity {
                " discontinuity"
            } else {
                ""
            };
            format!("{:?}+{:?}{mark}", segment.start, segment.duration)
        };
        self.segments.iter().map(line).collect()
    }
}

#[test]
fn a_publish_from_its_first_message_to_its_last() {
    let mut bench = Bench::new();
    bench.push(MessageKind::Data, 0, b"\x02\0\x0aonMetaData");
    bench.seconds(0, 5);
    bench.finish();
    assert_eq!(
        bench.shown(),
        ["0.000s+2.000s", "2.000s+2.000s", "4.000s+1.013s"]
    );
    assert_eq!(bench.faults, []);
    let tracks = bench.segmenter.tracks();
    let rates: Vec<Option<f64>> = tracks
        .iter()
        .map(|(_, cadence)| cadence.unit_rate)
        .collect();
    assert_eq!(tracks.len(), 2);
    assert_eq!(rates[0], Some(25.0));
}

#[test]
fn tracks_that_arrive_apart_are_cut_at_the_same_moment() {
    for audio_late in [0, 300, 1_500, -300, -1_500] {
        let mut bench = Bench::new();
        bench.apart(12, audio_late);
        bench.finish();
        let twos: Vec<String> = (0..5).map(|n| format!("{}.000s+2.000s", n * 2)).collect();
        assert_eq!(bench.shown()[..5], twos, "{audio_late} ms");
        for segment in &bench.segments {
            let sounds = || segment.units.iter().filter(|unit| unit.track == 1);
            let first = sounds().map(|unit| unit.dts).min().expect("audio");
            let last = sounds().map(|unit| unit.dts).max().expect("audio");
            let frame = MediaTime::from_millis(22);
            assert!(
                (first - segment.start).abs() <= frame,
                "{audio_late} ms: {first}"
            );
            assert!(
                last < segment.start + segment.duration,
                "{audio_late} ms: {last}"
            );
        }
        assert_eq!(bench.faults, [], "{audio_late} ms");
    }
}

#[test]
fn an_encoder_that_begins_again_at_zero_goes_on_after_a_discontinuity() {
    let mut bench = Bench::new();
    bench.seconds(100_000, 3);
    bench.seconds(0, 3);
    bench.finish();
    assert_eq!(
        bench.shown(),
        [
            "100.000s+2.000s",
            "102.000s+1.008s",
            "103.508s+2.000s discontinuity",
            "105.508s+1.008s"
        ]
    );
    assert_eq!(bench.faults.len(), 1);
    assert_eq!(
        bench.faults[0].text,
        "the sender's clock jumped by -102960 ms to 0 ms; a new discontinuity begins"
    );
    assert_eq!(
        bench
            .segments
            .iter()
            .map(|segment| segment.units.len())
            .sum::<usize>(),
        2 * 216
    );
}

#[test]
fn timestamps_that_stand_still_end_no_publish() {
    let mut bench = Bench::new();
    for n in 0..1_000 {
        bench.push(MessageKind::Video, 0, if n % 50 == 0 { IDR } else { INTER });
    }
    bench.finish();
    assert_eq!(bench.segments.len(), 1);
    assert_eq!(bench.segments[0].units.len(), 1_000);
    assert_eq!(bench.faults.len(), 999);
}

#[test]
fn further_tracks_are_told_of_once_each_and_change_nothing() {
    let mut alone = Bench::new();
    alone.seconds(0, 3);
    alone.finish();
    let mut bench = Bench::new();
    for track in [1, 2] {
        let start = [&b"\x96\0avc1"[..], &[track], &VIDEO_HEADER[5..]].concat();
        bench.push(MessageKind::Video, 0, &start);
        for _ in 0..10 {
            let picture = [&b"\x96\x03avc1"[..], &[track], &IDR[5..]].concat();
            bench.push(MessageKind::Video, 0, &picture);
        }
    }
    bench.seconds(0, 3);
    bench.finish();
    assert_eq!(bench.segments, alone.segments);
    let texts: Vec<&str> = bench.faults.iter().map(|fault| &fault.text[..]).collect();
    assert_eq!(
        texts,
        [
            "video track 1 (H.264) is dropped: one track of a kind is carried here",
            "video track 2 (H.264) is dropped: one track of a kind is carried here"
        ]
    );
}

proptest! {
    #[test]
    fn whatever_is_sent_segments_follow_each_other(
        messages in proptest::collection::vec(
            (0_usize..8, prop_oneof![8 => -100_i64..400, 1 => any::<i64>()]), 1..400,
        ),
        longest in 500_i64..5_000,
    ) {
        let mut bench = Bench::new();
        bench.segmenter.limit(MediaTime::from_millis(longest));
        let mut at = 0_u32;
        for (what, step) in messages {
            at = at.wrapping_add(u32::try_from(step.rem_euclid(1 << 32)).expect("32 bits"));
            let (kind, body) = [
                (MessageKind::Video, IDR),
                (MessageKind::Video, INTER),
                (MessageKind::Video, INTER),
                (MessageKind::Video, &[0x17, 1, 0x6f, 0, 0, 0, 0, 0, 2, 0x65, 0x88][..]),
                (MessageKind::Audio, SOUND),
                (MessageKind::Audio, SOUND),
                (MessageKind::Audio, &[0x2f, 0xff, 0xfb, 0x90, 0x64]),
                (MessageKind::Video, VIDEO_HEADER),
            ][what];
            bench.push(kind, at, body);
        }
        bench.finish();
        for pair in bench.segments.windows(2) {
            prop_assert!(pair[1].start >= pair[0].start + pair[0].duration, "{:?}", bench.shown());
        }
        for segment in &bench.segments {
            prop_assert!(segment.duration > MediaTime::ZERO);
            prop_assert!(segment.duration <= MediaTime::from_millis(longest));
        }
    }
}

#[test]
fn what_comes_after_the_end_begins_a_discontinuity_at_a_key_frame() {
    let mut bench = Bench::new();
    bench.seconds(0, 3);
    bench.finish();
    let before = bench.segments.len();
    // In the middle of a GOP.
    bench.push(MessageKind::Video, 3_000, INTER);
    bench.seconds(3_040, 5);
    bench.finish();
    let (first, then) = bench.segments.split_at(before);
    let end = first.last().map(|last| last.start + last.duration);
    let next = then.first().expect("the second stretch");
    assert!(next.discontinuity && next.independent);
    assert!(
        end.is_some_and(|end| end <= next.start),
        "{end:?} {}",
        next.start
    );
    assert!(then[1..].iter().all(|segment| !segment.discontinuity));
}

#[test]
fn what_has_no_place_in_ts_is_made_into_parts_and_told_as_soon_as_it_comes() {
    let mut bench = Bench::new();
    assert!(bench.segmenter.fits_ts());
    bench.seconds(0, 3);
    assert!(bench.segmenter.fits_ts() && bench.parts.is_empty());
    let opus = [0xdf, 0xfc, 0x7e];
    bench.push(MessageKind::Audio, 3_000, &opus);
    assert!(!bench.segmenter.fits_ts());
    for n in 75..200 {
        let body = if n % 25 == 0 { IDR } else { INTER };
        bench.push(MessageKind::Video, n * 40, body);
        bench.push(MessageKind::Audio, n * 40, &opus);
    }
    let mut heads = bench.parts.iter().filter_map(|part| part.head.as_ref());
    let last = heads.next_back().expect("segments of parts");
    let names: Vec<_> = last.tracks.iter().map(|it| it.codec.name()).collect();
    assert_eq!(names, ["H.264", "Opus"]);
    assert!(bench.parts[0].head.is_some(), "with a key frame");
    // Sound that has a place there is as good as before.
    bench.push(MessageKind::Audio, 8_000, AUDIO_HEADER);
    bench.push(MessageKind::Audio, 8_000, SOUND);
    assert!(bench.segmenter.fits_ts());
}

#[test]
fn x265_at_its_defaults_is_cut_at_its_cra_pictures() {
    const HVCC: &str = "01016000000090000000000 03FF000FCFDF8F800000F03200001001840010C01FFFF01600000030090000003\
                        0000 03003F95940921 0001002B42010101600000030090000003000003003FA005020171F2E59595293 0BC05A\
                        02000000300200000030321 22000100064401C073C189";
    let mut bench = Bench::new();
    bench.push(
        MessageKind::Video,
        0,
        &[&[0x1c, 0, 0, 0, 0], &*hex(HVCC)].concat(),
    );
    for n in 0..150_u32 {
        let nal_unit = match n {
            0 => 19 << 1,
            _ if n % 50 == 0 => 21 << 1,
            _ => 1 << 1,
        };
        let body = [0x2c, 1, 0, 0, 0, 0, 0, 0, 3, nal_unit, 1, 0x80];
        bench.push(MessageKind::Video, n * 40, &body);
    }
    bench.finish();
    let begin: Vec<_> = bench
        .segments
        .iter()
        .map(|it| (it.start, it.independent, it.units[0].random_access))
        .collect();
    let seconds = |seconds| MediaTime::from_ticks(seconds, 1);
    // Pictures that are decoded behind a CRA picture may refer to what is before it; decoding can begin there all the
    // same.
    assert_eq!(
        begin,
        [
            (seconds(0), true, true),
            (seconds(2), false, true),
            (seconds(4), false, true)
        ]
    );
    let parts = bench.parts.iter().filter(|part| part.independent);
    assert_eq!(parts.count(), 3);
}
