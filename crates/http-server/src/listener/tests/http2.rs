//! HTTP/2 with prior knowledge, spoken frame by frame (RFC 9113 §4.1): what a polite client library would
//! not do.

use axum::body::Body;
use bytes::Bytes;

use super::*;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

pub(super) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
pub(super) const CANCEL: [u8; 4] = [0, 0, 0, 8];

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Client<Stream = TcpStream>(Stream);

impl Client {
    async fn connect(running: &Running, window: u32) -> Self {
        Self::on(running.connect().await, window).await
    }
}

impl<Stream: AsyncRead + AsyncWrite + Unpin> Client<Stream> {
    /// `window` is what each stream may be sent at first (§6.5.2).
    pub(super) async fn on(stream: Stream, window: u32) -> Self {
        let mut client = Self(stream);
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        client.0.write_all(preface).await.expect("written");
        let [a, b, c, d] = window.to_be_bytes();
        let sent = client.send(SETTINGS, 0, 0, &[0, 4, a, b, c, d]).await;
        sent.expect("settings");
        client
    }

    pub(super) async fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let length = u8::try_from(payload.len()).expect("short");
        let mut frame = vec![0, 0, length, kind, flags];
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await
    }

    pub(super) async fn ask(&mut self, stream: u32, path: &str) {
        // GET, http, the path, the authority "x" (RFC 7541 §6.1, §6.2.2).
        let length = u8::try_from(path.len()).expect("short");
        let mut fields = vec![0x82, 0x86, 0x04, length];
        fields.extend_from_slice(path.as_bytes());
        fields.extend_from_slice(&[0x01, 1, b'x']);
        let sent = self.send(HEADERS, END_HEADERS | END_STREAM, stream, &fields);
        sent.await.expect("a request");
    }

    /// Lets the peer send `bytes` more on `stream`, of which 0 is the connection.
    async fn grant(&mut self, stream: u32, bytes: u32) -> io::Result<()> {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
            .await
    }

    /// `None` when the peer closed.
    async fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// The next frame that `wanted` picks, in time.
    pub(super) async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let found = async {
            loop {
                let frame = self.frame().await.expect("the connection should be open");
                if wanted(&frame) {
                    return frame;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("a frame in time")
    }
}

/// A server of one large body.
async fn run_large(settings: Settings) -> (Running, usize) {
    let body = Bytes::from(vec![7; 256 * 1024]);
    let length = body.len();
    let service = tower::service_fn(move |_: Request<Incoming>| {
        std::future::ready(Ok(Response::new(Body::from(body.clone()))))
    });
    (run(service, settings).await, length)
}

fn hasty() -> Settings {
    Settings {
        write_progress: SHORT,
        idle: SHORT,
        first_segment_wait: SHORT,
        ..Settings::default()
    }
}

#[tokio::test]
async fn prior_knowledge() {
    let running = run_site(Settings::default()).await;
    let mut client = Client::connect(&running, 65_535).await;
    client.ask(1, "/healthz").await;
    let fields = client.until(|frame| frame.kind == HEADERS).await.payload;
    // An indexed `:status 200`, behind a possible change of the table's size.
    assert!(
        fields.iter().take(4).any(|&byte| byte == 0x88),
        "{fields:x?}"
    );
    let body = client.until(|frame| frame.kind == DATA).await;
    assert_eq!((&*body.payload, body.flags), (&b"ok\n"[..], END_STREAM));
}

#[tokio::test]
async fn a_peer_that_grants_no_window_is_cut_in_spite_of_its_pings() {
    let (running, _) = run_large(hasty()).await;
    for window in [0, 1] {
        let mut client = Client::connect(&running, window).await;
        for stream in [1, 3, 5, 7, 9] {
            client.ask(stream, "/").await;
        }
        let closed = async {
            loop {
                let pinged = client.send(PING, 0, 0, b"12345678").await;
                let answered =
                    timeout(SHORT / 6, async { while client.frame().await.is_some() {} });
                if pinged.is_err() || answered.await.is_ok() {
                    return;
                }
            }
        };
        let closed = timeout(PATIENCE, closed).await;
        closed.expect("the connection should be closed");
    }
    running.until_open(0).await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_reset_and_the_others_go_on() {
    let settings = Settings {
        idle: PATIENCE,
        ..hasty()
    };
    let (running, length) = run_large(settings).await;
    let mut client = Client::connect(&running, 1).await;
    client.ask(1, "/").await;
    client.ask(3, "/").await;
    let (mut taken, mut reset) = (0, None);
    while taken < length {
        tokio::time::sleep(SHORT / 8).await;
        client.grant(0, 16_384).await.expect("open");
        client.grant(3, 16_384).await.expect("open");
        let of_three = |frame: &Frame| frame.kind == DATA && frame.stream == 3;
        let frame = client
            .until(|frame| of_three(frame) || frame.kind == RST_STREAM)
            .await;
        if of_three(&frame) {
            taken += frame.payload.len();
        } else {
            reset = Some((frame.stream, frame.payload));
        }
    }
    assert_eq!(reset, Some((1, CANCEL.to_vec())));
}

#[tokio::test]
async fn a_slow_reader_gets_all() {
    let (running, length) = run_large(hasty()).await;
    let mut client = Client::connect(&running, 0).await;
    client.ask(1, "/").await;
    let mut taken = 0;
    while taken < length {
        tokio::time::sleep(SHORT / 6).await;
        client.grant(0, 16_384).await.expect("open");
        client.grant(1, 16_384).await.expect("open");
        taken += client.until(|frame| frame.kind == DATA).await.payload.len();
    }
    assert_eq!(taken, length);
}

#[tokio::test]
async fn frames_that_are_none_are_a_fault_and_leaving_is_not() {
    let running = run_site(Settings::default()).await;
    let mut polite = Client::connect(&running, 65_535).await;
    polite.ask(1, "/healthz").await;
    polite.until(|frame| frame.kind == DATA).await;
    drop(polite);
    running.until_open(0).await;
    assert_eq!(running.totals.http_faults.value(), 0);

    let mut client = Client::connect(&running, 65_535).await;
    // DATA on a stream that was never opened (§5.1).
    let sent = client.send(DATA, 0, 5, b"x").await;
    sent.expect("written");
    let closed = async { while client.frame().await.is_some() {} };
    timeout(PATIENCE, closed).await.expect("closed in time");
    running.until_open(0).await;
    assert_eq!(running.totals.http_faults.value(), 1);
}
