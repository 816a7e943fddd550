//! Real sockets on port 0: deadlines, limits, and the way out. Deadlines are short here; each test waits
//! for what must happen, and fails if it does not within [`PATIENCE`].

mod http2;
mod https;

use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::fixture::{Gateway, push};
use crate::{Audience, Phase};

const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

struct Running {
    address: SocketAddr,
    totals: Arc<Totals>,
    shutdown: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

async fn run<S>(service: S, settings: Settings) -> Running
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    run_on(Scheme::Http, service, settings).await
}

async fn run_on<S>(scheme: Scheme, service: S, settings: Settings) -> Running
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let totals = Arc::<Totals>::default();
    let (shutdown, told) = oneshot::channel();
    let ended = {
        let totals = totals.clone();
        tokio::spawn(async move {
            let told = async { told.await.unwrap_or_default() };
            serve(listener, scheme, service, &settings, totals, told).await
        })
    };
    Running {
        address,
        totals,
        shutdown,
        ended,
    }
}

async fn run_site(settings: Settings) -> Running {
    let site = Gateway::new().site(&settings, Audience::Operators);
    run(site, settings).await
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("a connection")
    }

    async fn until_open(&self, connections: u64) {
        let reached = async {
            while self.totals.http_connections_now.value() != connections {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .expect("the connections should open or close");
    }
}

/// Sends `bytes` and reads one answer, of less than 4 KiB, in whatever pieces it comes.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> String {
    stream.write_all(bytes).await.expect("written");
    let mut answer = Vec::new();
    let answered = async {
        while !answer.ends_with(b"\n") || !contains(&answer, b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0);
        }
    };
    timeout(PATIENCE, answered)
        .await
        .expect("an answer in time");
    String::from_utf8(answer).expect("UTF-8")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What comes until the peer closes, politely or not.
async fn read_to_close(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let closed = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = closed.expect("the connection should be closed");
    bytes
}

#[tokio::test]
async fn one_connection_takes_many_requests_and_they_are_counted() {
    let running = run_site(Settings::default()).await;
    let mut stream = running.connect().await;
    let mut received = 0;
    for _ in 0..3 {
        let answer = exchange(&mut stream, REQUEST).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
        received += answer.len() as u64;
    }
    let totals = &running.totals;
    assert_eq!(totals.http_requests.value(), 3);
    assert_eq!(totals.http_connections.value(), 1);
    assert_eq!(totals.http_connections_now.value(), 1);
    assert_eq!(totals.bytes_sent.value(), received);
    drop(stream);
    running.until_open(0).await;
}

#[tokio::test]
async fn half_a_request_is_closed_in_time() {
    let settings = Settings {
        request_head: SHORT,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    for half in [
        &b""[..],
        b"G",
        b"GET /healthz HTTP/1.1\r\nHost:",
        b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        let begin = Instant::now();
        let mut stream = running.connect().await;
        stream.write_all(half).await.expect("written");
        read_to_close(&mut stream).await;
        assert!(begin.elapsed() >= SHORT, "{half:?}");
    }
    running.until_open(0).await;
    // Saying nothing is not a fault: browsers open connections that they may not need.
    assert_eq!(running.totals.http_faults.value(), 4);
}

#[tokio::test]
async fn bytes_that_trickle_in_buy_no_time() {
    let settings = Settings {
        request_head: SHORT,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    let (mut read, mut write) = running.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        for byte in REQUEST.iter().cycle().filter(|byte| **byte != b'\n') {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 10).await;
        }
    });
    let mut bytes = Vec::new();
    let closed = timeout(PATIENCE, read.read_to_end(&mut bytes)).await;
    let _ = closed.expect("the connection should be closed");
    trickle.abort();
    running.until_open(0).await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_and_then_closed() {
    let settings = Settings {
        request_head: SHORT,
        idle: SHORT * 4,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    let mut stream = running.connect().await;
    exchange(&mut stream, REQUEST).await;
    let begin = Instant::now();
    assert!(read_to_close(&mut stream).await.is_empty());
    assert!(
        begin.elapsed() >= SHORT * 3,
        "closed after {:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn a_thousand_idle_connections_are_not_noticed() {
    let settings = Settings {
        connections_per_address: usize::MAX,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    let mut idle = Vec::new();
    for n in 0..1_000 {
        let mut stream = running.connect().await;
        if n % 2 == 0 {
            stream.write_all(b"GET /healthz HT").await.expect("written");
        }
        idle.push(stream);
    }
    running.until_open(1_000).await;
    let mut stream = running.connect().await;
    assert!(exchange(&mut stream, REQUEST).await.ends_with("ok\n"));
    drop(idle);
    running.until_open(1).await;
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_at_once() {
    let settings = Settings {
        connections: 2,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    let mut first = running.connect().await;
    exchange(&mut first, REQUEST).await;
    let mut second = running.connect().await;
    exchange(&mut second, REQUEST).await;
    for _ in 0..5 {
        let mut third = running.connect().await;
        assert!(read_to_close(&mut third).await.is_empty());
    }
    assert_eq!(running.totals.http_faults.value(), 5);
    drop(first);
    running.until_open(1).await;
    let mut fourth = running.connect().await;
    exchange(&mut fourth, REQUEST).await;
    exchange(&mut second, REQUEST).await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let settings = Settings {
        connections_per_address: 1,
        ..Settings::default()
    };
    let running = run_site(settings).await;
    let mut first = running.connect().await;
    exchange(&mut first, REQUEST).await;
    let mut second = running.connect().await;
    assert!(read_to_close(&mut second).await.is_empty());
    assert_eq!(running.totals.http_faults.value(), 1);

    let elsewhere = TcpSocket::new_v4().expect("a socket");
    let address = SocketAddr::from(([127, 0, 0, 2], 0));
    elsewhere.bind(address).expect("another loopback address");
    let mut other = elsewhere.connect(running.address).await.expect("accepted");
    exchange(&mut other, REQUEST).await;

    drop(first);
    running.until_open(1).await;
    let mut third = running.connect().await;
    exchange(&mut third, REQUEST).await;
    assert_eq!(running.totals.http_faults.value(), 1);
}

#[tokio::test]
async fn headers_above_the_limit_are_refused() {
    let running = run_site(Settings::default()).await;
    let cookie = "c".repeat(32 * 1024);
    let mut stream = running.connect().await;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = read_to_close(&mut stream).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    running.until_open(0).await;
    assert_eq!(running.totals.http_faults.value(), 1);
}

#[tokio::test]
async fn garbage_is_answered_or_closed() {
    let running = run_site(Settings::default()).await;
    for garbage in [
        &b"\x16\x03\x01\x02\0\x01\0\x01\xfc"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = running.connect().await;
        stream.write_all(garbage).await.expect("written");
        let answer = read_to_close(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    running.until_open(0).await;
    assert_eq!(running.totals.http_faults.value(), 4);
}

#[tokio::test]
async fn a_reader_that_stops_is_cut_and_one_that_goes_on_gets_all() {
    let body = Bytes::from(vec![7; 32 * 1024 * 1024]);
    let length = body.len();
    let service = tower::service_fn(move |_: Request<Incoming>| {
        std::future::ready(Ok(Response::new(Body::from(body.clone()))))
    });
    let settings = Settings {
        write_progress: SHORT,
        ..Settings::default()
    };
    let running = run(service, settings).await;
    let mut stopped = running.connect().await;
    stopped.write_all(REQUEST).await.expect("written");
    let mut first = [0; 1_000];
    stopped.read_exact(&mut first).await.expect("a beginning");

    let mut slow = running.connect().await;
    slow.write_all(REQUEST).await.expect("written");
    let mut taken = 0;
    let mut piece = vec![0; 4 * 1024 * 1024];
    while taken < length {
        tokio::time::sleep(SHORT / 4).await;
        let read = timeout(PATIENCE, slow.read(&mut piece))
            .await
            .expect("in time");
        let read = read.expect("more");
        assert_ne!(read, 0, "cut after {taken} bytes");
        taken += read;
    }
    running.until_open(1).await;
}

#[tokio::test]
async fn a_reader_that_has_closed_its_own_side_is_answered_and_not_kept_for_ever() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    let _other = gateway.publish("live", "never");
    let settings = Settings {
        first_segment_wait: SHORT * 3,
        longest_wait: SHORT * 3,
        ..Settings::default()
    };
    let running = run(gateway.site(&settings, Audience::Viewers), settings).await;
    let mut readers = [running.connect().await, running.connect().await];
    for (reader, name) in readers.iter_mut().zip(["show", "never"]) {
        let request = format!("GET /live/{name}/main.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n");
        reader.write_all(request.as_bytes()).await.expect("written");
        reader.shutdown().await.expect("its side is closed");
    }
    running.until_open(2).await;
    timeout(SHORT, running.until_open(1))
        .await
        .expect_err("both should be kept");
    push(&mut writer, 0);
    for (reader, status) in readers.iter_mut().zip(["200 OK", "404 Not Found"]) {
        let answer = read_to_close(reader).await;
        let begin = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(begin.as_bytes()), "{answer:?}");
    }
    running.until_open(0).await;
}

#[tokio::test]
async fn a_panic_ends_its_own_connection() {
    let service = tower::service_fn(|request: Request<Incoming>| {
        assert_ne!(request.uri().path(), "/panic", "as the test wants it");
        std::future::ready(Ok(Response::new(Body::from(Bytes::from_static(b"ok\n")))))
    });
    let running = run(service, Settings::default()).await;
    let mut witness = running.connect().await;
    exchange(&mut witness, REQUEST).await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    assert!(read_to_close(&mut stream).await.is_empty());
    exchange(&mut witness, REQUEST).await;
    running.until_open(1).await;
}

#[tokio::test]
async fn leaving_finishes_what_waits_and_cuts_what_does_not_end() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    let _other = gateway.publish("live", "never");
    gateway.readiness.enter(Phase::Ready);
    let settings = Settings {
        drain: SHORT,
        ..Settings::default()
    };
    let running = run(gateway.site(&settings, Audience::Operators), settings).await;
    let mut idle = running.connect().await;
    exchange(&mut idle, REQUEST).await;
    let mut waiting = running.connect().await;
    waiting
        .write_all(b"GET /live/show/main.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    let mut stuck = running.connect().await;
    stuck
        .write_all(b"GET /live/never/main.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    let both_wait = async {
        while running.totals.http_requests.value() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, both_wait).await.expect("both requests");

    running.shutdown.send(()).expect("still running");
    assert!(read_to_close(&mut idle).await.is_empty());
    push(&mut writer, 0);
    let answer = read_to_close(&mut waiting).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(contains(&answer, b"#EXTM3U\n"));
    assert!(read_to_close(&mut stuck).await.is_empty());
    let drained = timeout(PATIENCE, running.ended).await.expect("in time");
    assert_eq!(drained.expect("no panic"), Drained { cut: 1 });
    TcpStream::connect(running.address)
        .await
        .expect_err("the listener should be closed");
}
