//! Timed metadata in fragments.

use std::sync::Arc;

use media::{Event, TimedEvent};

use super::*;

fn event(at: i64, tag: &'static [u8]) -> TimedEvent {
    TimedEvent {
        at: ms(at),
        event: Arc::new(Event {
            tag: Bytes::from_static(tag),
            cues: Vec::new(),
        }),
    }
}

/// From 1 s to 1.2 s, of pictures and sound.
fn with_events() -> Part {
    let units = vec![
        unit(0, ms(1_000), 0, true, 700),
        unit(1, ms(1_000), 0, true, 30),
    ];
    Part {
        events: vec![event(900, b"late"), event(1_040, b"ID3")],
        ..part(units, Some(ms(1_200)))
    }
}

#[test]
fn they_stand_before_the_fragment_in_the_rendition_that_leads() {
    let tracks = both();
    let part = with_events();
    for (rendition, rate) in [(Rendition::Video, 90_000), (Rendition::Muxed, 90_000)] {
        let fragment = Fragment {
            part: &part,
            tracks: &tracks,
            rendition,
        };
        let header = fragment.header(7, a_date());
        let emsg = |at: u64, tag: &[u8], id: [u8; 4]| {
            let size = u32::try_from(62 + tag.len()).expect("small");
            [
                &size.to_be_bytes()[..],
                b"emsg\x01\0\0\0",
                &u32::to_be_bytes(rate),
                &at.to_be_bytes(),
                &[0xff; 4],
                &id,
                b"https://aomedia.org/emsg/ID3\0\0",
                tag,
            ]
            .concat()
        };
        let first = emsg(11 * 90_000, b"late", [0x85, 0x69, 0x6d, 0x7f]);
        let second = emsg(11 * 90_000 + 3_600, b"ID3", [0xb4, 0x88, 0xbb, 0xb5]);
        let behind = &header[PRFT_BYTES..];
        assert_eq!(
            behind[..first.len()],
            first,
            "one that is late is at the beginning"
        );
        assert_eq!(behind[first.len()..][..second.len()], second);
        let moof = &behind[first.len() + second.len()..];
        let (read, size) = MoofBox::decode(moof).expect("moof");
        let offset = read.traf_boxes[0].trun_boxes[0].data_offset;
        assert_eq!(offset, Some(i32::try_from(size + 8).expect("small")));
        let payloads: usize = fragment.payloads().map(Bytes::len).sum();
        assert_eq!(fragment.size(), Some((header.len() + payloads) as u64));
    }
    let sound = Fragment {
        part: &part,
        tracks: &tracks,
        rendition: Rendition::Audio,
    };
    assert_eq!(read(&sound).0.len(), PRFT_BYTES / 4, "none in the other");
}

#[test]
fn they_are_with_the_sound_where_there_is_no_picture() {
    let tracks = both();
    let part = Part {
        units: vec![unit(1, ms(1_000), 0, true, 30)],
        ..with_events()
    };
    let fragment = |rendition| Fragment {
        part: &part,
        tracks: &tracks,
        rendition,
    };
    assert_eq!(fragment(Rendition::Video).size(), None);
    let header = fragment(Rendition::Audio).header(7, a_date());
    assert_eq!(header[PRFT_BYTES + 4..][..4], *b"emsg");
    assert_eq!(header[PRFT_BYTES + 12..][..4], 48_000_u32.to_be_bytes());
}
