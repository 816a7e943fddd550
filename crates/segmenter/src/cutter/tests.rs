//! Tables; captions are in `tests/captions.rs`, configurations that change in `tests/configurations.rs`, events in
//! `tests/events.rs`, the longest segment in `tests/limits.rs`, parts in `tests/parts.rs`, the properties in
//! `tests/properties.rs`.

mod captions;
mod configurations;
mod events;
mod limits;
mod parts;
mod properties;

use std::time::Duration;

use media::codec::{Aac, H264};
use media::{Fault, Segment};

use super::*;
use crate::output::Output;

const AAC_44100: [u8; 2] = [0x12, 0x10];
const AAC_48000: [u8; 2] = [0x11, 0x90];

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn aac(config: [u8; 2]) -> Arc<Codec> {
    let config = Bytes::copy_from_slice(&config);
    Arc::new(Codec::Aac(Aac::parse(config).expect("AAC")))
}

/// H.264 whose configuration differs in its last byte, `n`.
fn h264(n: u8) -> Arc<Codec> {
    let record = Bytes::copy_from_slice(&[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, n,
    ]);
    Arc::new(Codec::H264(H264::parse(record).expect("H.264")))
}

fn entry(random_access: bool) -> Entry {
    if random_access {
        Entry::RandomAccess
    } else {
        Entry::None
    }
}

/// A cutter, what goes in and what has come out.
struct Bench {
    cutter: Cutter,
    video: Arc<Codec>,
    audio: Arc<Codec>,
    now: SystemTime,
    segments: Vec<Segment>,
    /// Parts of the open segment, and those of each closed one.
    parts: Vec<media::Part>,
    parted: Vec<Vec<media::Part>>,
    /// Segments that were complete with a part that did not say so.
    closed: usize,
    faults: Vec<Fault>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        Self {
            cutter: Cutter::new(settings),
            video: h264(0x80),
            audio: aac(AAC_48000),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
            segments: Vec::new(),
            parts: Vec::new(),
            parted: Vec::new(),
            closed: 0,
            faults: Vec::new(),
        }
    }

    fn take(&mut self, mut out: Outputs) {
        while let Some(output) = out.pop() {
            match output {
                Output::Segment(segment) => self.segments.push(segment),
                Output::Fault(fault) => self.faults.push(fault),
                Output::Part(part) => {
                    let is_last = part.is_last;
                    self.parts.push(part);
                    if is_last {
                        self.parted.push(std::mem::take(&mut self.parts));
                    }
                }
                Output::Event(event) => panic!("{event:?} is the segmenter's to tell of"),
                Output::Closed => {
                    self.closed += 1;
                    self.parted.push(std::mem::take(&mut self.parts));
                }
            }
        }
    }

    fn push(&mut self, unit: Arrival) {
        let mut out = Outputs::default();
        self.cutter.push(unit, self.now, &mut out);
        self.take(out);
    }

    fn picture(&mut self, at: MediaTime, random_access: bool) {
        let unit = Arrival {
            codec: Arc::clone(&self.video),
            dts: at,
            composition: MediaTime::ZERO,
            entry: entry(random_access),
            payload: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
        };
        self.push(unit);
    }

    fn sound(&mut self, at: MediaTime) {
        let unit = Arrival {
            codec: Arc::clone(&self.audio),
            dts: at,
            composition: MediaTime::ZERO,
            entry: Entry::RandomAccess,
            payload: Bytes::from_static(&[0x21]),
        };
        self.push(unit);
    }

    /// 25 pictures a second from `from` to `to`, a random access each `gop` pictures, beginning with one.
    fn pictures(&mut self, from: i64, to: i64, gop: i64) {
        for n in 0..(to - from) / 40 {
            self.picture(ms(from + n * 40), n % gop == 0);
        }
    }

    /// A picture at a recovery point.
    fn recovery_point(&mut self, at: i64) {
        self.push(Arrival {
            codec: Arc::clone(&self.video),
            dts: ms(at),
            composition: MediaTime::ZERO,
            entry: Entry::RecoveryPoint,
            payload: Bytes::from_static(&[0, 0, 0, 1, 0x41]),
        });
    }

    /// The same with audio from the same moment on.
    fn programme(&mut self, from: i64, to: i64, gop: i64) {
        let mut sounds = 0;
        for n in 0..(to - from) / 40 {
            let at = ms(from + n * 40);
            self.picture(at, n % gop == 0);
            while ms(from) + MediaTime::from_ticks(sounds * 1_024, 48_000) < at + ms(40) {
                self.sound(ms(from) + MediaTime::from_ticks(sounds * 1_024, 48_000));
                sounds += 1;
            }
        }
    }

    fn sounds(&mut self, from: i64, to: i64) {
        let mut count = 0;
        while ms(from) + MediaTime::from_ticks(count * 1_024, 48_000) < ms(to) {
            self.sound(ms(from) + MediaTime::from_ticks(count * 1_024, 48_000));
            count += 1;
        }
    }

    fn finish(&mut self) {
        let mut out = Outputs::default();
        self.cutter.finish(&mut out);
        self.take(out);
    }

    /// Each segment as `start+duration flags tracks`: `I` independent, `D` discontinuity, `v` video,
    /// `a` audio.
    fn shown(&self) -> Vec<String> {
        let letter = |track: &Track| match track.kind() {
            TrackKind::Video => 'v',
            TrackKind::Audio => 'a',
        };
        let shown = |segment: &Segment| {
            let mut flags = String::new();
            if segment.independent {
                flags.push('I');
            }
            if segment.discontinuity {
                flags.push('D');
            }
            let tracks: String = segment.tracks.iter().map(letter).collect();
            format!(
                "{:?}+{:?} {flags} {tracks}",
                segment.start, segment.duration
            )
        };
        self.segments.iter().map(shown).collect()
    }

    fn kinds(&self) -> Vec<FaultKind> {
        self.faults.iter().map(|fault| fault.kind).collect()
    }

    fn units(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.units.len())
            .sum()
    }
}

#[test]
fn cuts_at_each_random_access_after_the_target() {
    let mut bench = Bench::new();
    bench.programme(1_000, 7_000, 25);
    assert_eq!(bench.shown(), ["1.000s+2.000s I va", "3.000s+2.000s I va"]);
    bench.finish();
    assert_eq!(bench.shown()[2], "5.000s+2.016s I va");
    assert_eq!(bench.kinds(), []);
    assert_eq!(bench.units(), 150 + 282);
    assert!(Arc::ptr_eq(
        &bench.segments[0].tracks,
        &bench.segments[2].tracks
    ));
    assert!(
        bench
            .segments
            .iter()
            .all(|segment| segment.leading_track() == 0)
    );
}

#[test]
fn a_segment_is_out_when_the_next_random_access_is_in() {
    let mut bench = Bench::new();
    bench.pictures(0, 2_000, 50);
    assert_eq!(bench.segments.len(), 0);
    bench.picture(ms(2_000), true);
    assert_eq!(bench.shown(), ["0.000s+2.000s I v"]);
}

#[test]
fn rounding_to_milliseconds_does_not_double_a_segment() {
    for (name, rate, scale, gop) in [
        ("29.97", 30_000, 1_001, 60),
        ("59.94", 60_000, 1_001, 120),
        ("30", 30, 1, 60),
    ] {
        let mut bench = Bench::new();
        for n in 0..gop * 20 {
            // 1.999 s for 60 pictures now and then, as an encoder with a jittering clock sends it.
            let early = i64::from(n % (gop * 2) == gop);
            bench.picture(ms(n * scale * 1_000 / rate - early), n % gop == 0);
        }
        assert_eq!(bench.segments.len(), 19, "{name} {:?}", bench.shown());
    }
}

#[test]
fn audio_alone_is_cut_by_duration() {
    let mut bench = Bench::new();
    bench.sounds(0, 6_500);
    bench.finish();
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.005s I a",
            "2.005s+2.005s I a",
            "4.011s+2.005s I a",
            "6.016s+0.491s I a"
        ]
    );
    assert_eq!(bench.kinds(), []);
    assert_eq!(bench.segments[0].units[0].track, 0);
}

#[test]
fn audio_alone_that_ends_early_is_one_segment() {
    let mut bench = Bench::new();
    bench.sounds(0, 1_000);
    assert_eq!(bench.segments.len(), 0);
    bench.finish();
    assert_eq!(bench.shown(), ["0.000s+1.003s I a"]);
}

#[test]
fn what_comes_before_the_first_random_access_is_dropped_and_counted_once() {
    let mut bench = Bench::new();
    for at in [0, 40, 80] {
        bench.picture(ms(at), false);
    }
    for at in [100, 499, 500, 600, 690] {
        bench.sound(ms(at));
    }
    bench.picture(ms(700), true);
    bench.sound(ms(711));
    bench.finish();
    assert_eq!(bench.shown(), ["0.700s+0.040s I va"]);
    assert_eq!(bench.units(), 5, "three held, the picture, one after");
    assert_eq!(
        bench.faults,
        [Fault {
            kind: FaultKind::EarlyMedia,
            text: "3 video and 2 audio access units could not be decoded without the random access (IDR \
                   picture) that comes after them; dropped"
                .to_owned()
        }]
    );
}

#[test]
fn video_without_a_random_access_does_not_hold_audio_for_ever() {
    let mut bench = Bench::new();
    for n in 0..400 {
        bench.picture(ms(n * 40), false);
        bench.sound(ms(n * 40));
    }
    assert_eq!(bench.shown()[0], "0.000s+2.000s I a");
}

#[test]
fn video_that_comes_late_begins_a_discontinuity_at_its_first_random_access() {
    let mut bench = Bench::new();
    bench.sounds(0, 5_000);
    bench.picture(ms(5_000), false);
    bench.programme(5_040, 9_080, 50);
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.005s I a",
            "2.005s+2.005s I a",
            "4.011s+1.029s I a",
            "5.040s+2.000s ID va",
            "7.040s+2.000s I va"
        ]
    );
    assert_eq!(bench.kinds(), [FaultKind::EarlyMedia]);
}

#[test]
fn audio_that_comes_late_begins_a_discontinuity_with_its_segment() {
    let mut bench = Bench::new();
    bench.pictures(0, 2_000, 50);
    bench.programme(2_000, 6_040, 50);
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.000s I v",
            "2.000s+2.000s ID va",
            "4.000s+2.000s I va"
        ]
    );
}

#[test]
fn a_long_gop_is_cut_at_the_limit_and_the_encoder_told() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.pictures(0, 10_040, 125);
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.480s I v",
            "2.480s+1.240s  v",
            "3.720s+1.280s  v",
            "5.000s+2.480s I v",
            "7.480s+1.240s  v",
            "8.720s+1.280s  v"
        ]
    );
    assert_eq!(
        bench.faults[0],
        Fault {
            kind: FaultKind::ForcedCut,
            text: "no key frame (IDR picture) 2.000s to 2.499s behind the beginning of a segment, and the last was \
                   2.520s ago: cut in the middle of a GOP; set the encoder's keyframe interval to 2.000s or less, and \
                   scene cut detection off"
                .to_owned()
        }
    );
    assert_eq!(bench.units(), 250);
}

#[test]
fn recovery_points_are_cut_at_and_not_called_independent() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.pictures(0, 1_000, 1_000);
    for at in (1_000..6_000).step_by(1_000) {
        bench.recovery_point(at);
        for at in (at + 40..at + 1_000).step_by(40) {
            bench.picture(ms(at), false);
        }
    }
    bench.pictures(6_000, 7_000, 1_000);
    bench.finish();
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.000s I v",
            "2.000s+2.000s  v",
            "4.000s+2.000s  v",
            "6.000s+1.000s I v"
        ]
    );
    assert_eq!(bench.kinds(), []);
    let [(_, cadence)] = &bench.cutter.tracks()[..] else {
        panic!("one track")
    };
    assert_eq!(cadence.gop_max, Some(ms(1_000)));
}

#[test]
fn a_run_may_begin_at_a_recovery_point_and_video_come_back_at_one() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.picture(ms(0), false);
    bench.recovery_point(40);
    bench.sounds(40, 4_000);
    bench.video = h264(0x81);
    bench.picture(ms(4_000), false);
    bench.recovery_point(4_040);
    bench.finish();
    assert_eq!(bench.shown()[0], "0.040s+0.021s  va");
    assert_eq!(
        bench.shown().last().map(String::as_str),
        Some("4.040s+0.040s D v")
    );
}

#[test]
fn without_a_limit_a_gop_of_ten_seconds_is_one_segment() {
    let mut bench = Bench::new();
    bench.pictures(0, 10_040, 250);
    assert_eq!(bench.shown(), ["0.000s+10.000s I v"]);
    assert_eq!(bench.kinds(), []);
}

#[test]
fn a_pause_longer_than_a_segment_may_be_is_a_discontinuity() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.pictures(0, 1_000, 50);
    bench.pictures(6_000, 8_040, 50);
    assert_eq!(bench.shown(), ["0.000s+1.000s I v", "6.000s+2.000s ID v"]);
}

#[test]
fn audio_goes_on_when_video_stops() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.programme(0, 1_000, 50);
    bench.sounds(1_003, 20_000);
    bench.programme(20_000, 22_040, 50);
    assert_eq!(
        bench.shown()[..2],
        ["0.000s+0.981s I va", "0.981s+2.496s ID a"]
    );
    assert_eq!(
        bench.shown().last().map(String::as_str),
        Some("20.000s+2.000s ID va")
    );
    bench.finish();
    assert_eq!(bench.units(), 25 + 51 + 47 + 891 + 96);
}

#[test]
fn audio_beside_a_pause_of_the_video_is_in_segments_that_last_as_long_as_it() {
    // name, where the pictures come back, what is cut
    let cases: [(&str, i64, &[&str]); 3] = [
        (
            "a pause that a segment has room for",
            7_000,
            &[
                "4.000s+1.480s I va",
                "5.480s+1.520s  va",
                "7.000s+2.000s I va",
            ],
        ),
        (
            "a little longer than a segment may be",
            8_480,
            &["4.000s+1.973s I va", "5.973s+2.496s ID a"],
        ),
        (
            "much longer",
            10_000,
            &[
                "4.000s+1.973s I va",
                "5.973s+2.496s ID a",
                "8.469s+1.531s I a",
            ],
        ),
    ];
    for (name, back, expected) in cases {
        let mut bench = Bench::new();
        bench.cutter.limit(ms(2_499));
        bench.programme(0, 6_000, 50);
        bench.sounds(6_016, back);
        bench.programme(back, back + 2_040, 50);
        bench.finish();
        let shown = bench.shown();
        assert_eq!(shown[2..2 + expected.len()], *expected, "{name} {shown:?}");
        assert!(all_within(&bench.segments), "{name} {shown:?}");
    }
}

/// No unit is presented after its segment has ended, but for what reordering and interleaving account for.
fn all_within(segments: &[Segment]) -> bool {
    let allowance = ms(300);
    segments.iter().all(|segment| {
        let end = segment.start + segment.duration + allowance;
        segment.units.iter().all(|unit| unit.pts() <= end)
    })
}

#[test]
fn audio_that_ends_soon_after_video_is_cut_off_if_it_does_not_fit() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.programme(0, 4_000, 50);
    bench.sounds(4_011, 7_211);
    bench.finish();
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.000s I va",
            "2.000s+1.968s I va",
            "3.968s+2.496s ID a",
            "6.464s+0.747s I a"
        ]
    );
}

#[test]
fn a_jump_ends_the_segment_and_dates_the_next_anew() {
    let mut bench = Bench::new();
    bench.pictures(0, 1_000, 50);
    bench.now += Duration::from_secs(60);
    let mut out = Outputs::default();
    bench.cutter.end_run(&mut out);
    bench.take(out);
    assert_eq!(bench.cutter.edge(), Some(ms(1_000)));
    bench.pictures(1_500, 5_540, 50);
    assert_eq!(
        bench.shown(),
        [
            "0.000s+1.000s I v",
            "1.500s+2.000s ID v",
            "3.500s+2.000s I v"
        ]
    );
    let seconds = |segment: &Segment| {
        segment
            .date
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs_f64()
    };
    let dates: Vec<f64> = bench.segments.iter().map(seconds).collect();
    assert_eq!(dates, [1_000.0, 1_060.0, 1_062.0]);
}

#[test]
fn a_segment_never_outgrows_its_bytes() {
    let mut bench = Bench::with(Settings {
        max_segment_bytes: 10_000,
        ..Settings::default()
    });
    bench.programme(0, 4_000, 100);
    bench.finish();
    let cost = |segment: &Segment| {
        segment.payload_bytes() + segment.units.len() as u64 * Settings::UNIT_COST
    };
    assert!(bench.segments.len() > 2);
    assert!(bench.segments.iter().all(|segment| cost(segment) <= 10_000));
    assert!(
        bench
            .kinds()
            .iter()
            .all(|&kind| kind == FaultKind::SegmentTooLarge)
    );
    assert_eq!(bench.units(), 100 + 188, "nothing is lost");
}

#[test]
fn a_flood_that_cannot_be_cut_is_dropped() {
    let mut bench = Bench::with(Settings {
        max_segment_bytes: 10_000,
        ..Settings::default()
    });
    bench.picture(ms(0), true);
    for n in 0..1_000 {
        bench.sound(MediaTime::from_nanos(n));
    }
    assert_eq!(bench.segments.len(), 0);
    assert!(bench.kinds().contains(&FaultKind::SegmentTooLarge));
    bench.finish();
    assert!(bench.units() < 100);
}

#[test]
fn a_rate_of_29_97_is_measured_although_milliseconds_are_rounded() {
    for pictures in [60, 300, 20_000] {
        let mut bench = Bench::new();
        for n in 0..pictures {
            bench.picture(ms((n * 1_001 + 15) / 30), n % 60 == 0);
        }
        let [(_, cadence)] = &bench.cutter.tracks()[..] else {
            panic!("one track")
        };
        assert_eq!(
            cadence.unit_rate,
            Some(30_000.0 / 1_001.0),
            "{pictures} pictures"
        );
    }
}

/// flvmux has no times below zero: the pictures that reordering moves there all come at 0.
#[test]
fn gstreamer_flvmux_sends_its_first_pictures_at_one_time() {
    let mut bench = Bench::new();
    for at in [0, 12, 24] {
        bench.picture(MediaTime::from_nanos(at * 1_000), at == 0);
    }
    bench.pictures(40, 2_040, 1_000);
    let [(_, cadence)] = &bench.cutter.tracks()[..] else {
        panic!("one track")
    };
    assert_eq!(cadence.unit_rate, Some(25.0));
}

#[test]
fn gops_are_measured() {
    let mut bench = Bench::new();
    bench.pictures(0, 4_000, 50);
    bench.programme(4_000, 5_040, 25);
    let tracks = bench.cutter.tracks();
    let [(video, pictures), (audio, sounds)] = &tracks[..] else {
        panic!("two tracks")
    };
    assert_eq!(
        (video.kind(), audio.kind()),
        (TrackKind::Video, TrackKind::Audio)
    );
    assert_eq!(
        (pictures.gop_last, pictures.gop_max),
        (Some(ms(1_000)), Some(ms(2_000)))
    );
    assert_eq!((sounds.gop_last, sounds.gop_max), (None, None));
    assert!((sounds.unit_rate.expect("measured") - 46.875).abs() < 0.001);
}
