//! Where timed metadata is put on the timeline.

use media::Event;

use super::*;

impl Bench {
    fn note(&mut self, timestamp_ms: u32, tag: &'static str) {
        let event = Event {
            tag: Bytes::from_static(tag.as_bytes()),
            cues: Vec::new(),
        };
        self.segmenter.note(Arc::new(event), timestamp_ms);
        self.pull();
    }

    /// For each segment, its start and its events with their times, milliseconds.
    fn noted(&self) -> Vec<(i64, Vec<(i64, String)>)> {
        let shown = |segment: &Segment| {
            let events = segment.events.iter().map(|timed| {
                let tag = String::from_utf8_lossy(&timed.event.tag).into_owned();
                (timed.at.as_millis(), tag)
            });
            (segment.start.as_millis(), events.collect())
        };
        self.segments.iter().map(shown).collect()
    }

    fn timed_metadata_faults(&self) -> usize {
        let faults = self.faults.iter();
        faults
            .filter(|fault| fault.kind == FaultKind::TimedMetadata)
            .count()
    }
}

fn event(at: i64, tag: &str) -> (i64, String) {
    (at, tag.to_owned())
}

#[test]
fn an_event_is_where_a_unit_with_its_timestamp_would_be() {
    let mut bench = Bench::new();
    bench.note(5_000, "before the media");
    bench.note(90_000, "elsewhere");
    bench.seconds(5_000, 2);
    bench.note(7_040, "ahead");
    bench.note(6_960, "with the last picture");
    bench.seconds(7_000, 1);
    bench.finish();
    assert_eq!(
        bench.noted(),
        [
            (
                5_000,
                vec![
                    event(5_000, "before the media"),
                    event(6_960, "with the last picture")
                ]
            ),
            (7_000, vec![event(7_040, "ahead")]),
        ]
    );
    assert_eq!(bench.timed_metadata_faults(), 1, "elsewhere");
}

#[test]
fn an_event_goes_with_the_jump_of_the_clock_that_it_announces() {
    let mut bench = Bench::new();
    bench.seconds(0, 1);
    bench.note(500_000, "behind the jump");
    bench.note(900_000, "nowhere");
    bench.seconds(500_000, 1);
    bench.note(960, "of before");
    bench.finish();
    let noted = bench.noted();
    let (start, events) = &noted[1];
    assert_eq!(*events, [event(*start, "behind the jump")]);
    assert_eq!(noted[0].1, []);
    // That of before waits for more media, of which there are none.
    assert_eq!(bench.timed_metadata_faults(), 1, "nowhere");
}

#[test]
fn an_event_goes_past_the_wrap_of_timestamps() {
    let mut bench = Bench::new();
    let first = u32::MAX - 999;
    bench.seconds(first - 1_000, 1);
    bench.note(40, "behind the wrap");
    bench.seconds(first, 1);
    bench.seconds(0, 1);
    bench.finish();
    let noted = bench.noted();
    let (start, events) = noted.last().expect("a segment");
    assert_eq!(*events, [event(start + 40, "behind the wrap")]);
}

#[test]
fn so_many_wait_for_media_and_no_more() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        bench.note(0, "early");
    }
    assert_eq!(bench.timed_metadata_faults(), 100 - 64);
    bench.seconds(0, 1);
    bench.finish();
    assert_eq!(bench.segments[0].events.len(), 64);
}
