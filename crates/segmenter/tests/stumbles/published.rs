//! A scripted publish through the segmenter and MPEG-TS, and what must hold of every one, however its encoder
//! has stumbled.

use std::collections::BTreeSet;

use media::{AccessUnit, Fault, FaultKind, MediaTime, Segment, TrackKind};
use segmenter::{Output, Segmenter, Settings, ts};

use crate::feed::{Event, NUMBER_BYTES, number_of};
use crate::parts::{self, Parted};
use crate::read::read;

/// Audio and video stay this close to how they were sent.
pub(crate) const IN_STEP: MediaTime = MediaTime::from_millis(20);
/// How far before its segment's first picture audio may be heard, at most, where it joins.
const LEAD_IN: MediaTime = MediaTime::from_millis(200);
/// The same where it goes on.
const LATEST: MediaTime = MediaTime::from_millis(300);
/// Of a longer publish only so many segments are read back as MPEG-TS at its start, and at its end.
const READ_BACK: usize = 150;
/// Where MPEG-TS counts from, 90 kHz.
const TS_ORIGIN: i64 = 900_000;
/// Stamps of MPEG-TS are counted modulo this.
const TS_WRAP: i64 = 1 << 33;

pub(crate) fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// The limit that a playlist with a target duration of 3 s gives.
pub(crate) const LONGEST: MediaTime = MediaTime::from_millis(3_499);

/// What has become of a publish.
pub(crate) struct Published {
    pub(crate) events: Vec<Event>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) faults: Vec<Fault>,
    /// When each segment was out, ms of simulated time.
    pub(crate) out_at: Vec<i64>,
    /// The same for low latency.
    pub(crate) parted: Parted,
    longest: MediaTime,
}

/// Publishes `events` where no segment may be longer than [`LONGEST`].
pub(crate) fn publish(events: Vec<Event>) -> Published {
    publish_with(events, LONGEST, Settings::default())
}

/// The same for an encoder whose timestamps say nothing: audio and video are not held to have stayed in step.
pub(crate) fn publish_loosely(events: Vec<Event>) -> Published {
    let published = run(events, LONGEST, Settings::default());
    published.check_timeline();
    published.check_order();
    published.check_transport_streams();
    published
}

/// Publishes `events` where no segment may be longer than `longest`.
pub(crate) fn publish_with(
    events: Vec<Event>,
    longest: MediaTime,
    settings: Settings,
) -> Published {
    let published = run(events, longest, settings);
    published.check_timeline();
    published.check_order();
    published.check_step();
    published.parted.check_step(&published.events);
    published.check_transport_streams();
    published
}

fn run(events: Vec<Event>, longest: MediaTime, settings: Settings) -> Published {
    let mut published = Published {
        events: Vec::new(),
        segments: Vec::new(),
        faults: Vec::new(),
        out_at: Vec::new(),
        parted: Parted::new(),
        longest,
    };
    let mut segmenter = Segmenter::new(Settings {
        part: Some(parts::WANTED),
        ..settings
    });
    segmenter.limit(longest);
    let mut arrived = 0;
    for (number, event) in events.iter().enumerate() {
        assert!(event.arrival >= arrived, "messages arrive in order");
        arrived = event.arrival;
        segmenter.push(&event.message(number), event.now());
        published.pull(&mut segmenter, arrived);
    }
    segmenter.finish();
    published.pull(&mut segmenter, arrived);
    published.events = events;
    let target = settings.segment_target;
    published.parted.check(&published.segments, target);
    published
}

impl Published {
    fn pull(&mut self, segmenter: &mut Segmenter, at: i64) {
        while let Some(output) = segmenter.pull() {
            match output {
                Output::Segment(segment) => {
                    self.segments.push(segment);
                    self.out_at.push(at);
                }
                Output::Fault(fault) => self.faults.push(fault),
                Output::Part(part) => self.parted.push(part),
                Output::Closed => self.parted.close(),
                Output::Event(_) => {}
            }
        }
    }

    /// The segments, one word of marks each: independent, discontinuity, their tracks.
    pub(crate) fn shown(&self) -> Vec<String> {
        let line = |segment: &Segment| {
            let mut marks = String::new();
            marks.push_str(if segment.independent { "I" } else { "" });
            marks.push_str(if segment.discontinuity { "D" } else { "" });
            for track in segment.tracks.iter() {
                marks.push(match track.kind() {
                    TrackKind::Video => 'v',
                    TrackKind::Audio => 'a',
                });
            }
            format!("{:?}+{:?} {marks}", segment.start, segment.duration)
        };
        self.segments.iter().map(line).collect()
    }

    /// How many segments stand behind a discontinuity.
    pub(crate) fn discontinuities(&self) -> usize {
        let marked = self.segments.iter().filter(|s| s.discontinuity);
        marked.count()
    }

    pub(crate) fn count(&self, kind: FaultKind) -> usize {
        self.faults
            .iter()
            .filter(|fault| fault.kind == kind)
            .count()
    }

    /// Every kind of fault that came up, once.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let kinds: BTreeSet<&str> = self.faults.iter().map(|f| f.kind.as_str()).collect();
        kinds.into_iter().collect()
    }

    /// The words of the first fault of this kind.
    pub(crate) fn words(&self, kind: FaultKind) -> &str {
        let first = self.faults.iter().find(|fault| fault.kind == kind);
        first.map_or("", |fault| fault.text.as_str())
    }

    /// The access units that were sent and are in no segment.
    pub(crate) fn lost(&self) -> Vec<&Event> {
        let out: BTreeSet<usize> = self
            .segments
            .iter()
            .flat_map(|segment| &segment.units)
            .map(|unit| number_of(&unit.payload))
            .collect();
        let sent = self.events.iter().enumerate();
        sent.filter(|(number, event)| event.is_media() && !out.contains(number))
            .map(|(_, event)| event)
            .collect()
    }

    /// How far the access units of segment `n` are from their place in the programme: nearest, farthest.
    pub(crate) fn moved(&self, n: usize) -> (MediaTime, MediaTime) {
        let segment = &self.segments[n];
        let moved = segment
            .units
            .iter()
            .map(|unit| unit.pts() - self.events[number_of(&unit.payload)].shown);
        let (min, max) = moved.fold((None, None), |(min, max), by| {
            (
                Some(min.map_or(by, |min: MediaTime| min.min(by))),
                max.max(Some(by)),
            )
        });
        (min.expect("units"), max.expect("units"))
    }

    fn check_transport_streams(&self) {
        let (count, tail) = (self.segments.len(), READ_BACK.min(self.segments.len()));
        check_transport_stream(&self.segments[..tail]);
        check_transport_stream(&self.segments[(count - tail).max(tail)..]);
    }

    /// Segments follow each other, are no longer than allowed, and last as long as what is in them.
    fn check_timeline(&self) {
        for (n, segment) in self.segments.iter().enumerate() {
            let shown = || format!("segment {n} of {:#?}", self.shown());
            assert!(segment.duration > MediaTime::ZERO, "{}", shown());
            assert!(segment.duration <= self.longest, "{}", shown());
            let end = segment.start + segment.duration;
            if let Some(next) = self.segments.get(n + 1) {
                if next.discontinuity {
                    assert!(next.start >= end, "{}", shown());
                } else {
                    assert_eq!(next.start, end, "{}", shown());
                    assert_eq!(next.tracks, segment.tracks, "{}", shown());
                }
            }
            let leading = segment.leading_track();
            let led = || segment.units.iter().filter(|unit| unit.track == leading);
            let first = led().next().expect("the leading track has units");
            let earliest = led().map(AccessUnit::pts).min();
            assert_eq!(earliest, Some(segment.start), "{}", shown());
            assert_eq!(first.random_access, segment.independent, "{}", shown());
            for unit in &segment.units {
                let audio = segment.tracks[unit.track].kind() == TrackKind::Audio;
                let early = match (audio, segment.discontinuity) {
                    (false, _) => MediaTime::ZERO,
                    (true, true) => LEAD_IN,
                    (true, false) => LATEST,
                };
                let from = segment.start - early;
                assert!(unit.pts() >= from, "{:?} in {}", unit.pts(), shown());
                assert!(
                    unit.pts() <= end + IN_STEP,
                    "{:?} in {}",
                    unit.pts(),
                    shown()
                );
            }
        }
    }

    /// Each access unit comes out at most once, and in the order of its track.
    fn check_order(&self) {
        let units = self.segments.iter().flat_map(|segment| {
            let kind = |track: usize| segment.tracks[track].kind();
            segment
                .units
                .iter()
                .map(move |unit| (kind(unit.track), unit))
        });
        let (mut video, mut audio) = ((None, None), (None, None));
        for (kind, unit) in units {
            let last = match kind {
                TrackKind::Video => &mut video,
                TrackKind::Audio => &mut audio,
            };
            let this = (Some(number_of(&unit.payload)), Some(unit.dts));
            assert!(this.0 > last.0 && this.1 > last.1, "{last:?} {this:?}");
            *last = this;
        }
    }

    /// Within a segment, and from one to the next where nothing breaks, all tracks stay in step.
    fn check_step(&self) {
        let mut before = None;
        for (n, segment) in self.segments.iter().enumerate() {
            let (min, max) = self.moved(n);
            let (from, to) = match before {
                Some((from, to)) if !segment.discontinuity => (min.min(from), max.max(to)),
                _ => (min, max),
            };
            assert!(
                to - from <= IN_STEP,
                "segment {n}: moved by {from:?} to {to:?}, {:#?}",
                self.shown()
            );
            before = Some((min, max));
        }
    }
}

/// The MPEG-TS form holds the same access units at the same times, and a clock that keeps pace.
fn check_transport_stream(segments: &[Segment]) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for segment in segments {
        bytes.extend_from_slice(&ts::mux(segment));
        ends.push(bytes.len() / 188);
    }
    let stream = read(&bytes);
    let mut from = 0;
    for (segment, &to) in segments.iter().zip(&ends) {
        for track in 0..segment.tracks.len() {
            let pid = match segment.tracks[track].kind() {
                TrackKind::Video => 0x100,
                TrackKind::Audio => 0x101,
            };
            let pes = stream.tracks.get(&pid).into_iter().flatten();
            let pes = pes.filter(|pes| (from..to).contains(&pes.packet));
            let units = segment.units.iter().filter(|unit| unit.track == track);
            let mut units = units.peekable();
            for pes in pes {
                let first = units.peek().expect("nothing that was not sent");
                let stamp = (first.pts().rescale(90_000) + TS_ORIGIN).rem_euclid(TS_WRAP);
                assert_eq!(i64::try_from(pes.pts), Ok(stamp));
                let video = segment.tracks[track].kind() == TrackKind::Video;
                let frames = if video {
                    vec![&pes.data[..]]
                } else {
                    adts(&pes.data)
                };
                for frame in frames {
                    let unit = units.next().expect("nothing that was not sent");
                    assert_eq!(number_of(frame), number_of(&unit.payload));
                }
            }
            assert_eq!(units.next(), None, "all that was sent");
        }
        from = to;
    }
    check_clock(segments, &ends, &stream.clocks);
}

fn check_clock(segments: &[Segment], ends: &[usize], clocks: &[(usize, u64)]) {
    let second = 27_000_000;
    let wrap = u64::try_from(TS_WRAP).expect("positive") * 300;
    let segment_of = |packet: usize| ends.partition_point(|&end| end <= packet);
    for pair in clocks.windows(2) {
        let [(before, a), (after, b)] = [pair[0], pair[1]];
        let step = (b + wrap - a) % wrap;
        assert!(step > 0 && step < wrap / 2, "the clock goes back: {a} {b}");
        let (of, next) = (segment_of(before), segment_of(after));
        let broken = of != next && segments[next].discontinuity;
        assert!(broken || step * 10 <= second, "{step} in segment {next}");
    }
    let mut from = 0;
    for (segment, &to) in segments.iter().zip(ends) {
        let first = clocks
            .iter()
            .find(|(packet, _)| (from..to).contains(packet));
        let &(_, clock) = first.unwrap_or_else(|| panic!("no clock at {:?}", segment.start));
        let earliest = segment.units.iter().map(|unit| unit.dts).min();
        let earliest = earliest.expect("units").rescale(90_000) + TS_ORIGIN;
        let clock = i64::try_from(clock / 300).expect("33 bits");
        let lead = (earliest - clock).rem_euclid(TS_WRAP);
        assert!(lead < 90_000, "{:?} is {lead} ahead", segment.start);
        from = to;
    }
}

/// The frames behind ADTS headers.
fn adts(mut data: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some(&[_, _, _, a, b, c, _]) = data.first_chunk::<7>() {
        let length = (usize::from(a & 3) << 11) | (usize::from(b) << 3) | usize::from(c >> 5);
        assert!(length > NUMBER_BYTES);
        frames.push(&data[7..length]);
        data = &data[length..];
    }
    assert_eq!(data, []);
    frames
}
