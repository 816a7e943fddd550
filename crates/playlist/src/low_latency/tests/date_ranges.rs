//! Cues in low-latency playlists.

use media::{Cue, Event, TimedEvent};

use super::*;

fn goal(at: i64) -> TimedEvent {
    let cue = Cue {
        class: Some("onCuePoint"),
        planned: None,
        splice: None,
        attributes: vec![("X-NAME".to_owned(), "goal".to_owned())],
    };
    TimedEvent {
        at: ms(at),
        event: Arc::new(Event {
            tag: bytes::Bytes::new(),
            cues: vec![cue],
        }),
    }
}

const LINE: &str = "#EXT-X-DATERANGE:ID=\"cue-1795392001250\",START-DATE=\"2026-11-23T00:00:01.250Z\",CLASS=\"onCuePoint\",DURATION=0.000,X-NAME=\"goal\"\n";

#[test]
fn a_cue_is_listed_with_its_part_in_all_renditions_and_forms_until_its_segment_leaves() {
    let mut bench = Bench::new(LowLatency::default(), 9);
    bench.segment(0);
    bench.open(1_000, 1);
    bench.push(Part {
        events: vec![goal(1_250)],
        ..part(1_200, 200, None)
    });
    for rendition in [Rendition::Video, Rendition::Audio] {
        let text = bench.text(rendition, Playlist::Full);
        let header = "#EXT-X-DISCONTINUITY-SEQUENCE:0\n";
        assert!(
            text.contains(&format!("{header}{LINE}#EXT-X-MAP")),
            "{text}"
        );
    }
    bench.close(1_400);
    for n in 0..8 {
        bench.segment(1_400 + n * 1_000);
    }
    let delta = bench.text(Rendition::Video, Playlist::Delta);
    assert!(delta.contains(&format!("{LINE}#EXT-X-SKIP")), "{delta}");
    for n in 8..10 {
        bench.segment(1_400 + n * 1_000);
    }
    let text = bench.text(Rendition::Video, Playlist::Full);
    assert!(!text.contains("DATERANGE"), "{text}");
}
