//! The connection on an emulated socket: deadlines, bounds, and rml_rtmp's client as an independent witness.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use media::MessageKind::{Audio, Data, Video};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult,
    PublishRequestType, StreamMetadata,
};
use rml_rtmp::time::RtmpTimestamp;
use rtmp_ingest::{Connection, Error, Event, Limits, Rejection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};

const PEER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50_312);

fn pair(buffer: usize) -> (DuplexStream, Connection<DuplexStream>) {
    let (client, server) = duplex(buffer);
    (client, Connection::new(server, PEER, Limits::default()))
}

/// rml_rtmp's client, publishing.
struct Witness {
    socket: DuplexStream,
    session: ClientSession,
    events: Vec<ClientSessionEvent>,
}

impl Witness {
    async fn connect(mut socket: DuplexStream) -> Self {
        let mut handshake = Handshake::new(PeerType::Client);
        let hello = handshake.generate_outbound_p0_and_p1().expect("C0 and C1");
        socket.write_all(&hello).await.expect("open");
        let mut answer = vec![0; 1 + 2 * 1536];
        socket.read_exact(&mut answer).await.expect("S0, S1 and S2");
        match handshake.process_bytes(&answer).expect("a good handshake") {
            HandshakeProcessResult::Completed { response_bytes, .. } => {
                socket.write_all(&response_bytes).await.expect("open");
            }
            other => panic!("expected a complete handshake, found {other:?}"),
        }
        let (session, results) =
            ClientSession::new(ClientSessionConfig::new()).expect("configuration");
        let mut witness = Self {
            socket,
            session,
            events: Vec::new(),
        };
        witness.carry_out(results).await;
        let request = witness
            .session
            .request_connection("live".into())
            .expect("request");
        witness.carry_out(vec![request]).await;
        witness
            .until(&ClientSessionEvent::ConnectionRequestAccepted)
            .await;
        witness
    }

    async fn carry_out(&mut self, results: Vec<ClientSessionResult>) {
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => {
                    self.socket.write_all(&packet.bytes).await.expect("open");
                }
                ClientSessionResult::RaisedEvent(event) => self.events.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
    }

    async fn until(&mut self, wanted: &ClientSessionEvent) {
        while !self.events.contains(wanted) {
            let mut buffer = [0; 4096];
            let count = timeout(Duration::from_secs(5), self.socket.read(&mut buffer))
                .await
                .expect("an answer in time")
                .expect("open");
            assert_ne!(count, 0, "closed after {:?}", self.events);
            let results = self
                .session
                .handle_input(&buffer[..count])
                .expect("answers");
            self.carry_out(results).await;
        }
    }
}

#[tokio::test]
async fn rml_rtmp_publishes() {
    let (client, mut connection) = pair(1 << 20);
    let payload = Bytes::from(vec![0x27; 300_000]);
    let sent = payload.clone();
    let publisher = tokio::spawn(async move {
        let mut witness = Witness::connect(client).await;
        let request = witness
            .session
            .request_publishing("show".into(), PublishRequestType::Live)
            .expect("request");
        witness.carry_out(vec![request]).await;
        witness
            .until(&ClientSessionEvent::PublishRequestAccepted)
            .await;
        let session = &mut witness.session;
        let mut metadata = StreamMetadata::new();
        metadata.encoder = Some("witness".into());
        let mut results = vec![session.publish_metadata(&metadata).expect("metadata")];
        for time in [0, 40, 80] {
            let time = RtmpTimestamp::new(time);
            results.push(
                session
                    .publish_video_data(sent.clone(), time, false)
                    .expect("video"),
            );
            results.push(
                session
                    .publish_audio_data(Bytes::from_static(&[0xaf, 1, 2]), time, false)
                    .expect("audio"),
            );
        }
        results.extend(session.stop_publishing().expect("end"));
        witness.carry_out(results).await;
    });
    let mut media = Vec::new();
    let mut ended = false;
    while let Some(event) = connection.next().await.expect("no fault") {
        match event {
            Event::Publish(request) => {
                assert_eq!(request.app.as_str(), "live");
                assert_eq!(request.key.reveal().as_str(), "show");
                connection.accept(request.stream);
            }
            Event::Media { message, .. } => {
                if message.kind == Video {
                    assert_eq!(message.payload, payload);
                }
                media.push((message.kind, message.timestamp_ms));
            }
            Event::Unpublish { .. } => ended = true,
        }
    }
    publisher.await.expect("the publisher does not panic");
    assert_eq!(media[0].0, Data);
    assert_eq!(
        media[1..],
        [
            (Video, 0),
            (Audio, 0),
            (Video, 40),
            (Audio, 40),
            (Video, 80),
            (Audio, 80)
        ]
    );
    assert!(ended);
}

#[tokio::test]
async fn a_rejected_publisher_is_told() {
    let (client, mut connection) = pair(1 << 20);
    let publisher = tokio::spawn(async move {
        let mut witness = Witness::connect(client).await;
        let request = witness
            .session
            .request_publishing("show".into(), PublishRequestType::Live)
            .expect("request");
        witness.carry_out(vec![request]).await;
        witness
            .until(&ClientSessionEvent::UnhandleableOnStatusCode {
                code: "NetStream.Publish.Denied".into(),
            })
            .await;
    });
    let request = match connection.next().await.expect("no fault") {
        Some(Event::Publish(request)) => request,
        other => panic!("expected a request, found {other:?}"),
    };
    connection.reject(request.stream, &Rejection::Denied("no such key".into()));
    assert_eq!(connection.next().await.expect("no fault"), None);
    publisher.await.expect("the publisher was told");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_ten_seconds_however_bytes_trickle() {
    let (mut client, mut connection) = pair(1 << 20);
    let start = Instant::now();
    let trickle = tokio::spawn(async move {
        client.write_all(&[3]).await.expect("open");
        while client.write_all(&[0]).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let error = connection.next().await.expect_err("a timeout");
    assert_eq!(error.to_string(), "no handshake within 10s");
    assert!(start.elapsed() < Duration::from_secs(11));
    drop(connection);
    trickle.await.expect("the client sees the end");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_handshake_is_part_of_its_time() {
    let (_client, connection) = pair(1 << 20);
    let start = Instant::now();
    sleep(Duration::from_secs(7)).await;
    let outcome = connection.accepted_at(start).next().await;
    let after = Duration::from_secs(10);
    assert!(matches!(
        outcome,
        Err(Error::Timeout { what: "handshake", after: said }) if said == after
    ));
    assert!(start.elapsed() >= after && start.elapsed() < after + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_publish_has_fifteen_seconds() {
    let (client, mut connection) = pair(1 << 20);
    let start = Instant::now();
    let (outcome, witness) = tokio::join!(connection.next(), Witness::connect(client));
    assert!(matches!(
        outcome,
        Err(Error::Timeout {
            what: "accepted publish",
            ..
        })
    ));
    let waited = start.elapsed();
    assert!(Duration::from_secs(15) <= waited && waited < Duration::from_secs(16));
    drop(witness);
}

/// A client that publishes `show`, accepted.
async fn publishing(limits: Limits) -> (Witness, Connection<DuplexStream>) {
    let (client, server) = duplex(1 << 20);
    let mut connection = Connection::new(server, PEER, limits);
    let publisher = async {
        let mut witness = Witness::connect(client).await;
        let request = witness
            .session
            .request_publishing("show".into(), PublishRequestType::Live)
            .expect("request");
        witness.carry_out(vec![request]).await;
        witness
            .until(&ClientSessionEvent::PublishRequestAccepted)
            .await;
        witness
    };
    tokio::pin!(publisher);
    loop {
        tokio::select! {
            witness = &mut publisher => return (witness, connection),
            event = connection.next() => match event.expect("no fault") {
                Some(Event::Publish(request)) => connection.accept(request.stream),
                other => panic!("expected a request, found {other:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_publish_is_pinged_then_ended_even_if_it_answers() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    let start = Instant::now();
    let mut received = Vec::new();
    let reader = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = witness.socket.read(&mut buffer).await {
            received.extend_from_slice(&buffer[..count]);
            let results = witness
                .session
                .handle_input(&buffer[..count])
                .expect("answers");
            witness.carry_out(results).await;
        }
    };
    let ended = async {
        let error = connection.next().await.expect_err("a timeout");
        let ended = start.elapsed();
        drop(connection);
        (error, ended)
    };
    let ((error, after), ()) = tokio::join!(ended, reader);
    assert_eq!(error.to_string(), "no media message within 15s");
    assert!(after < Duration::from_secs(16), "{after:?}");
    let text = String::from_utf8_lossy(&received);
    assert!(
        text.contains("no media message within 15s"),
        "the peer is told"
    );
    let pings = received
        .windows(8)
        .filter(|w| w[..2] == [0, 6] && w[2..6] == [0; 4])
        .count();
    assert!(pings >= 2, "{pings}");
}

#[tokio::test(start_paused = true)]
async fn a_short_idle_time_counts_from_the_first_second() {
    let limits = Limits {
        idle_time: Duration::from_secs(2),
        ..Limits::default()
    };
    let (_witness, mut connection) = publishing(limits).await;
    let start = Instant::now();
    let error = connection.next().await.expect_err("a timeout");
    assert_eq!(error.to_string(), "no media message within 2s");
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn media_keeps_a_publish_alive() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    for time in 0..10 {
        sleep(Duration::from_secs(10)).await;
        let video = witness
            .session
            .publish_video_data(Bytes::from_static(b"v"), RtmpTimestamp::new(time), false)
            .expect("video");
        witness.carry_out(vec![video]).await;
        let event = connection.next().await.expect("alive");
        assert!(matches!(event, Some(Event::Media { .. })), "{event:?}");
    }
}

/// What rml_rtmp cuts messages into.
const CHUNK: u16 = 4096;

/// The first chunk of a video message of two, on a chunk stream of its own.
fn first_half(chunk_stream: u8) -> Vec<u8> {
    let [high, low] = (2 * CHUNK).to_be_bytes();
    let header = [chunk_stream, 0, 0, 0, 0, high, low, 9, 1, 0, 0, 0];
    [&header[..], &[9; CHUNK as usize]].concat()
}

fn second_half(chunk_stream: u8) -> Vec<u8> {
    [&[0xc0 | chunk_stream][..], &[9; CHUNK as usize]].concat()
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_end_is_not_held_for_others() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    let start = Instant::now();
    witness
        .socket
        .write_all(&first_half(7))
        .await
        .expect("open");
    let error = loop {
        let payload = Bytes::from_static(b"v");
        let video = witness
            .session
            .publish_video_data(payload, RtmpTimestamp::new(0), false)
            .expect("video");
        witness.carry_out(vec![video]).await;
        match connection.next().await {
            Ok(event) => assert!(matches!(event, Some(Event::Media { .. })), "{event:?}"),
            Err(error) => break error,
        }
        sleep(Duration::from_secs(1)).await;
        assert!(start.elapsed() < Duration::from_secs(60), "it is held");
    };
    assert_eq!(
        error.to_string(),
        "no end of a message that was begun within 15s"
    );
    let held = start.elapsed();
    assert!(
        Duration::from_secs(15) <= held && held < Duration::from_secs(32),
        "{held:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn messages_that_overlap_without_end_keep_a_publish_alive() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    let first = first_half(7);
    witness.socket.write_all(&first).await.expect("open");
    for turn in 0..20 {
        let (ending, next) = if turn % 2 == 0 { (7, 8) } else { (8, 7) };
        let bytes = [first_half(next), second_half(ending)].concat();
        witness.socket.write_all(&bytes).await.expect("open");
        let event = connection.next().await.expect("alive");
        assert!(matches!(event, Some(Event::Media { .. })), "{event:?}");
        sleep(Duration::from_secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_ends_nothing() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    assert!(
        timeout(Duration::from_secs(1), connection.next())
            .await
            .is_err()
    );
    // A minute in which nobody runs, with a part of a message waiting in the socket.
    tokio::time::advance(Duration::from_secs(60)).await;
    let large = Bytes::from(vec![1; 200_000]);
    let video = witness
        .session
        .publish_video_data(large, RtmpTimestamp::new(0), false)
        .expect("video");
    let ClientSessionResult::OutboundResponse(packet) = video else {
        panic!("expected a packet")
    };
    let (first, second) = packet.bytes.split_at(100_000);
    witness.socket.write_all(first).await.expect("open");
    assert!(
        timeout(Duration::from_secs(2), connection.next())
            .await
            .is_err()
    );
    witness.socket.write_all(second).await.expect("open");
    let event = connection.next().await.expect("alive");
    assert!(matches!(event, Some(Event::Media { .. })));
}

#[tokio::test]
async fn closing_tells_the_peer_why() {
    let (mut witness, mut connection) = publishing(Limits::default()).await;
    let mut received = Vec::new();
    let reader = async {
        witness
            .socket
            .read_to_end(&mut received)
            .await
            .expect("open");
        drop(witness);
    };
    tokio::join!(connection.close("replaced by another publisher"), reader);
    let text = String::from_utf8_lossy(&received);
    assert!(text.contains("NetStream.Unpublish.Success"));
    assert!(text.contains("replaced by another publisher"));
    assert_eq!(connection.next().await.expect("closed"), None);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_dropped_in_bounded_time() {
    let (client, mut connection) = pair(1000);
    let flood = tokio::spawn(async move {
        let mut client = client;
        let _ = client.write_all(&[&[3][..], &[0; 3072]].concat()).await;
        let ping = [&[2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6][..], &[0; 4]].concat();
        while client.write_all(&ping).await.is_ok() {}
    });
    let error = connection.next().await.expect_err("a limit");
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    drop(connection);
    flood.await.expect("the client sees the end");
}
