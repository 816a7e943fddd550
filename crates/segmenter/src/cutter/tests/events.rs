//! Timed metadata is in the segment and in the part that it falls into, and splices begin segments.

use media::{Cue, Event, Side, Splice, TimedEvent};

use super::*;

/// An event that says `tag`.
fn said(tag: &'static str) -> Arc<Event> {
    Arc::new(Event {
        tag: Bytes::from_static(tag.as_bytes()),
        cues: Vec::new(),
    })
}

fn splice(side: Side) -> Arc<Event> {
    splices([side], None)
}

/// What leads to these sides at once; breaks end by themselves if they are to last a time.
fn splices<const N: usize>(sides: [Side; N], lasts: Option<MediaTime>) -> Arc<Event> {
    let cue = |side| Cue {
        class: None,
        planned: lasts,
        splice: Some(Splice {
            side,
            event: Some(1),
            auto_return: lasts.is_some(),
            section: Bytes::from_static(&[0xfc]),
        }),
        attributes: Vec::new(),
    };
    Arc::new(Event {
        tag: Bytes::new(),
        cues: sides.into_iter().map(cue).collect(),
    })
}

impl Bench {
    fn event(&mut self, at: i64, event: Arc<Event>) {
        let mut out = Outputs::default();
        let timed = TimedEvent { at: ms(at), event };
        self.cutter.push_event(timed, &mut out);
        self.take(out);
    }
}

fn tags(events: &[TimedEvent]) -> Vec<&str> {
    let tags = events.iter().map(|timed| &timed.event.tag[..]);
    tags.map(|tag| std::str::from_utf8(tag).expect("UTF-8"))
        .collect()
}

/// 5 s, cut at 2 s and 4 s, with events before, in, between and behind the segments.
fn programme(cutter: Cutter) -> Bench {
    let mut bench = Bench::new();
    bench.cutter = cutter;
    bench.event(-500, said("early"));
    bench.pictures(0, 1_000, 25);
    bench.event(2_000, said("boundary"));
    bench.event(1_999, said("last"));
    bench.event(900, said("first"));
    bench.pictures(1_000, 3_000, 25);
    bench.event(1_000, said("late"));
    bench.pictures(3_000, 5_000, 25);
    bench.event(5_900, said("end"));
    bench.event(6_100, said("nowhere"));
    let mut out = Outputs::default();
    bench.cutter.end_run(&mut out);
    bench.take(out);
    bench
}

#[test]
fn each_is_in_the_segment_of_its_time_or_the_next() {
    let bench = programme(Cutter::new(Settings::default()));
    let events: Vec<_> = bench.segments.iter().map(|it| tags(&it.events)).collect();
    assert_eq!(
        events,
        [
            vec!["early", "first", "last"],
            vec!["late", "boundary"],
            vec!["end"]
        ]
    );
    let faults: Vec<_> = bench.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(faults, [FaultKind::TimedMetadata], "nowhere");
}

#[test]
fn each_is_in_the_part_of_its_time_or_the_next() {
    let bench = programme(Cutter::in_parts(Settings::default(), ms(200)));
    let parts = bench.parted.iter().flatten();
    let events: Vec<_> = parts
        .filter(|part| !part.events.is_empty())
        .map(|part| {
            (
                part.start.as_millis(),
                part.duration.as_millis(),
                tags(&part.events),
            )
        })
        .collect();
    assert_eq!(
        events,
        [
            (0, 200, vec!["early"]),
            (800, 200, vec!["first"]),
            (1_800, 200, vec!["last"]),
            (2_000, 200, vec!["boundary"]),
            (2_800, 200, vec!["late"]),
            (4_800, 200, vec!["end"]),
        ]
    );
}

/// In segments, and in parts, with events that come at 2 s. There is a key frame each second.
fn six_seconds(events: &[(i64, Arc<Event>)]) -> [Bench; 2] {
    let settings = Settings::default();
    let cutters = [Cutter::new(settings), Cutter::in_parts(settings, ms(200))];
    cutters.map(|cutter| {
        let mut bench = Bench::new();
        bench.cutter = cutter;
        bench.pictures(0, 2_000, 25);
        for (at, event) in events {
            bench.event(*at, event.clone());
        }
        bench.pictures(2_000, 6_000, 25);
        bench.finish();
        bench
    })
}

#[test]
fn a_splice_begins_a_segment_at_the_first_random_access_from_there_on() {
    let begins = vec![0, 2_000, 3_000, 5_000];
    for (event, starts) in [
        (splice(Side::Out), begins.clone()),
        (splice(Side::In), begins.clone()),
        (splice(Side::Cancel), begins.clone()),
        (splices([Side::In, Side::Out], None), begins),
        (splice(Side::Command), vec![0, 2_000, 4_000]),
        // A break of 1.4 s that ends by itself.
        (
            splices([Side::Out], Some(ms(1_400))),
            vec![0, 2_000, 3_000, 4_000],
        ),
        // Far behind all that comes, and no harm.
        (
            splices([Side::Out], Some(ms(80_000_000))),
            vec![0, 2_000, 3_000, 5_000],
        ),
    ] {
        for bench in six_seconds(&[(2_600, event.clone())]) {
            let whole = bench.segments.iter().map(|it| it.start.as_millis());
            let parted = bench.parted.iter().filter_map(|parts| parts.first());
            let parted = parted.map(|part| part.start.as_millis());
            assert_eq!(whole.chain(parted).collect::<Vec<_>>(), starts, "{event:?}");
        }
    }
}

/// The break at 4.6 s is cancelled before it is there; a point at the same time is not.
#[test]
fn what_is_cancelled_ahead_does_not_happen() {
    let announced = splices([Side::Out], Some(ms(500)));
    let cancel = splice(Side::Cancel);
    for bench in six_seconds(&[
        (4_600, announced.clone()),
        (4_600, said("point")),
        (2_100, cancel.clone()),
    ]) {
        let whole = bench.segments.iter().map(|it| it.start.as_millis());
        let parted = bench.parted.iter().filter_map(|parts| parts.first());
        let parted = parted.map(|part| part.start.as_millis());
        let starts: Vec<_> = whole.chain(parted).collect();
        assert_eq!(starts, [0, 2_000, 4_000]);
        let whole = bench.segments.iter().flat_map(|it| &it.events);
        let parted = bench.parted.iter().flatten().flat_map(|it| &it.events);
        let all: Vec<_> = whole.chain(parted).map(|timed| &timed.event).collect();
        assert_eq!(all, [&cancel, &said("point")]);
    }
}

#[test]
fn a_break_at_the_time_of_a_cancelled_one_begins_a_segment() {
    let mut other = Event::clone(&splice(Side::Out));
    for splice in other.cues.iter_mut().filter_map(|cue| cue.splice.as_mut()) {
        splice.event = Some(2);
    }
    for bench in six_seconds(&[
        (4_600, splice(Side::Out)),
        (4_600, Arc::new(other)),
        (2_100, splice(Side::Cancel)),
    ]) {
        let whole = bench.segments.iter().map(|it| it.start.as_millis());
        let parted = bench.parted.iter().filter_map(|parts| parts.first());
        let starts = whole.chain(parted.map(|part| part.start.as_millis()));
        assert_eq!(starts.collect::<Vec<_>>(), [0, 2_000, 4_000, 5_000]);
    }
}

/// A picture is decoded before it is shown, and encoders of one programme differ a little.
#[test]
fn a_splice_near_the_beginning_of_its_segment_is_there() {
    for (at, expected) in [
        (2_740, 2_740),
        (2_760, 3_000),
        (3_000, 3_000),
        (3_090, 3_000),
    ] {
        for bench in six_seconds(&[(at, splice(Side::Out)), (2_990, said("beside"))]) {
            let whole = bench.segments.iter().flat_map(|it| &it.events);
            let parted = bench.parted.iter().flatten().flat_map(|it| &it.events);
            let found: Vec<_> = whole.chain(parted).map(|it| it.at.as_millis()).collect();
            let mut all = [expected, 2_990];
            all.sort_unstable();
            assert_eq!(found, all, "{at}");
            let begun = bench.parted.iter().filter_map(|parts| parts.first());
            let begun = begun.map(|part| (part.start, &part.events));
            let segments = bench.segments.iter().map(|it| (it.start, &it.events));
            let mut there = begun
                .chain(segments)
                .filter(|(start, _)| *start == ms(3_000));
            let is_there = there.any(|(_, events)| events.iter().any(|it| it.at == ms(3_000)));
            assert_eq!(is_there, expected == 3_000, "{at}");
        }
    }
}

#[test]
fn splices_make_no_flood_of_segments() {
    let mut bench = Bench::new();
    bench.pictures(0, 40, 1);
    for n in 1..250 {
        bench.event(n * 40, splice(Side::Out));
        bench.picture(ms(n * 40), true);
    }
    bench.finish();
    assert!(bench.segments.len() <= 16, "{}", bench.segments.len());
    let faults: Vec<_> = bench.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(faults, [FaultKind::TimedMetadata]);
}

#[test]
fn a_segment_has_so_many_events_and_no_more() {
    let mut bench = Bench::new();
    for second in 0..5 {
        bench.pictures(second * 1_000, (second + 1) * 1_000, 25);
        for n in 0..300 {
            bench.event(second * 1_000 + n, said("again"));
        }
    }
    bench.finish();
    let counts: Vec<_> = bench.segments.iter().map(|it| it.events.len()).collect();
    assert_eq!(counts, [256, 256, 256]);
    assert_eq!(bench.faults.len(), 5 * 300 - 3 * 256);

    let mut bench = Bench::new();
    bench.pictures(0, 1_000, 25);
    let large = Arc::new(Event {
        tag: vec![0; 60_000].into(),
        cues: Vec::new(),
    });
    for n in 0..6 {
        bench.event(n, large.clone());
    }
    bench.finish();
    assert_eq!(bench.segments[0].events.len(), 4, "of 256 KiB");
}
