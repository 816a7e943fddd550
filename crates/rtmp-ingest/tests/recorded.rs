//! What real encoders sent, recorded once with `examples/ingest.rs`: whatever way the bytes arrive, the same
//! comes out, and an end after any of them is only an end.

use std::net::{Ipv4Addr, SocketAddr};

use media::MessageKind;
use proptest::prelude::*;
use rtmp_ingest::{Connection, Event, Limits, Session};
use tokio::io::AsyncWriteExt;

const FFMPEG: &[u8] = include_bytes!("../corpus/sessions/ffmpeg_5_1.bin");
const RTMP2SINK: &[u8] = include_bytes!("../corpus/sessions/gstreamer_rtmp2sink.bin");
const LIBRTMP: &[u8] = include_bytes!("../corpus/sessions/librtmp_rtmpsink.bin");

const ALL: [&[u8]; 3] = [FFMPEG, RTMP2SINK, LIBRTMP];

/// All events, with every publish accepted; `slices` gives the sizes, over and over.
fn events(input: &[u8], slices: &[usize]) -> Vec<Event> {
    let mut session = Session::new(Limits::default());
    let mut events = Vec::new();
    let mut rest = input;
    for &slice in slices.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(slice.min(rest.len()));
        rest = after;
        session.push(piece);
        session.sent(usize::MAX);
        while let Some(event) = session.pull().expect("real encoders keep to the protocol") {
            if let Event::Publish(request) = &event {
                session.accept(request.stream);
            }
            events.push(event);
        }
    }
    assert_eq!(session.dropped_messages(), 0);
    events
}

fn count(events: &[Event], kind: MessageKind) -> usize {
    let is_kind =
        |event: &&Event| matches!(event, Event::Media { message, .. } if message.kind == kind);
    events.iter().filter(is_kind).count()
}

#[test]
fn everything_they_sent_comes_out() {
    for (input, app, encoder, query, audio, video) in [
        (
            FFMPEG,
            "live",
            Some("FMLE/3.0 (compatible; Lavf59.27.100)"),
            Some("token=abc"),
            67,
            40,
        ),
        (RTMP2SINK, "live", Some("LNX 10,0,32,18"), None, 52, 32),
        (LIBRTMP, "live/studio", None, None, 52, 32),
    ] {
        let events = events(input, &[64 << 10]);
        let Some(Event::Publish(request)) = events.first() else {
            panic!("expected a request first, found {:?}", events.first());
        };
        assert_eq!(request.app.as_str(), app);
        assert_eq!(request.key.reveal().as_str(), "show");
        assert_eq!(request.encoder.as_deref(), encoder);
        assert_eq!(request.query.as_ref().map(|query| query.reveal()), query);
        assert_eq!(count(&events, MessageKind::Audio), audio);
        assert_eq!(count(&events, MessageKind::Video), video);
        assert_eq!(count(&events, MessageKind::Data), 1);
        assert!(matches!(events.last(), Some(Event::Unpublish { .. })));
        let metadata = events.iter().find_map(|event| match event {
            Event::Media { message, .. } if message.kind == MessageKind::Data => {
                Some(rtmp_ingest::amf0::read_all(&message.payload).expect("well-formed"))
            }
            _ => None,
        });
        let metadata = metadata.expect("metadata");
        assert_eq!(metadata[0].as_str(), Some("onMetaData"));
        assert_eq!(
            metadata[1]
                .property("width")
                .and_then(|width| width.as_number()),
            Some(160.0)
        );
    }
}

#[test]
fn byte_by_byte_is_the_same() {
    for input in ALL {
        assert!(events(input, &[1]) == events(input, &[input.len()]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_split_gives_the_same(
        which in 0..ALL.len(), slices in proptest::collection::vec(1_usize..5000, 1..20),
    ) {
        prop_assert!(events(ALL[which], &slices) == events(ALL[which], &[64 << 10]));
    }
}

#[tokio::test]
async fn an_end_after_any_byte_is_only_an_end() {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    for input in ALL {
        let all = events(input, &[input.len()]);
        let ends = (0..input.len()).filter(|end| end % 101 == 0 || (3073..4200).contains(end));
        for end in ends {
            let (mut client, server) = tokio::io::duplex(1 << 20);
            client.write_all(&input[..end]).await.expect("open");
            drop(client);
            let mut connection = Connection::new(server, peer, Limits::default());
            let mut some = Vec::new();
            while let Some(event) = connection.next().await.expect("no fault") {
                if let Event::Publish(request) = &event {
                    connection.accept(request.stream);
                }
                some.push(event);
            }
            assert!(all.starts_with(&some), "ended after {end} bytes");
        }
    }
}
