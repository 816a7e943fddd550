//! Timed metadata between pictures and sound.

use std::sync::Arc;

use bytes::Bytes;
use media::{Event, TimedEvent};

use super::*;

fn event(at: MediaTime, tag: impl Into<Bytes>) -> TimedEvent {
    TimedEvent {
        at,
        event: Arc::new(Event {
            tag: tag.into(),
            cues: Vec::new(),
        }),
    }
}

const METADATA_PID: u16 = 0x116;

#[test]
fn it_is_announced_from_the_first_that_there_is_and_each_comes_at_its_time() {
    let plain = transport_stream(&mut film(3, 25, 1));
    let mut segments = film(3, 25, 1);
    let start = segments[1].start;
    let ms = MediaTime::from_millis;
    let large = vec![7; 1_000];
    segments[1].events = vec![
        event(start - ms(500), "late"),
        event(start + ms(500), large.clone()),
        event(start + ms(1_999), "last"),
        event(start + ms(5_000), "beyond"),
    ];
    let bytes = transport_stream(&mut segments);
    let first = usize::try_from(segments[0].ts.bytes).expect("small");
    assert!(bytes[..first] == plain[..first], "nothing changes before");

    let mut stream = read(&bytes);
    let told = stream.tracks.remove(&METADATA_PID).expect("it is there");
    let read: Vec<_> = told
        .iter()
        .map(|pes| (pes.pts, pes.data.as_slice()))
        .collect();
    let end = start + ms(2_000);
    assert_eq!(
        read,
        [
            (ticks(start), &b"late"[..]),
            (ticks(start + ms(500)), &large),
            (ticks(start + ms(1_999)), b"last"),
            (ticks(end), b"beyond"),
        ]
    );
    assert_clock("with timed metadata", &stream);
    assert_clock_keeps_pace(&stream);
    for pes in &told {
        let before = stream.clocks.iter().filter(|(at, _)| *at < pes.packet);
        let clock = before.map(|&(_, clock)| clock).max().expect("a clock");
        assert!(clock < pes.pts * 300, "packet {} is late", pes.packet);
    }
    for pid in [0x100, 0x101] {
        let media = |stream: &Stream| -> Vec<u8> {
            let all = stream.tracks[&pid].iter();
            all.flat_map(|pes| pes.data.clone()).collect()
        };
        assert!(media(&stream) == media(&super::read(&plain)), "{pid:#x}");
    }
    let announced: Vec<_> = segments.iter().map(|it| it.ts.metadata).collect();
    // The large one takes six packets.
    assert_eq!(announced, [None, Some(0), Some(9)]);
}

#[test]
fn its_pes_packets_are_private_and_aligned() {
    let mut segments = film(1, 25, 1);
    segments[0].events = vec![event(MediaTime::from_millis(500), "ID3")];
    let bytes = transport_stream(&mut segments);
    let packet = bytes
        .chunks_exact(TsPacket::SIZE)
        .find(|packet| packet[1..3] == [0x41, 0x16])
        .expect("a packet of timed metadata");
    // 10.5 s is 945 000.
    let pes = b"\0\0\x01\xbd\0\x0b\x84\x80\x05\x21\x00\x39\xd6\xd1ID3";
    assert_eq!(&packet[TsPacket::SIZE - pes.len()..], pes);
}

#[test]
fn what_a_pes_packet_cannot_say_is_left_out() {
    let mut segments = film(1, 25, 1);
    let at = MediaTime::from_millis(500);
    segments[0].events = vec![event(at, ""), event(at, vec![0; 65_528]), event(at, "ID3")];
    let stream = read(&transport_stream(&mut segments));
    assert_eq!(stream.tracks[&METADATA_PID].len(), 1);
}

proptest! {
    #[test]
    fn lengths_and_counters_hold_with_timed_metadata(
        mut segments in any_segments(),
        events in proptest::collection::vec((0..4_usize, -500..6_000_i64, 1..2_000_usize), 0..20),
    ) {
        for (segment, at, bytes) in events {
            let count = segments.len();
            let at = MediaTime::from_millis(at);
            segments[segment % count].events.push(event(at, vec![1; bytes]));
        }
        for segment in &mut segments {
            segment.events.sort_by_key(|timed| timed.at);
        }
        let stream = read(&transport_stream(&mut segments));
        let told = stream.tracks.get(&METADATA_PID).map_or(0, Vec::len);
        let there: usize = segments.iter().map(|it| it.events.len()).sum();
        prop_assert!(told == there || segments.iter().any(|it| it.tracks.is_empty()));
        for segment in &segments {
            assert_key_picture(segment);
        }
    }
}
