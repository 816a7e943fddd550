//! The same listener behind TLS: its bounds hold from the first byte on, and who comes without TLS is told.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tls::{Acceptor, Certificates, Files};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http2::{CANCEL, Client, DATA, END_STREAM, RST_STREAM};
use super::*;
use crate::fixture::push_part;

/// A server with a certificate, and what a client trusts.
struct Secure {
    running: Running,
    trusted: CertificateDer<'static>,
}

impl Secure {
    async fn run(settings: Settings) -> Self {
        Self::run_site(&Gateway::new(), settings).await
    }

    async fn run_site(gateway: &Gateway, settings: Settings) -> Self {
        let site = gateway.site(&settings, Audience::Operators);
        let (certificates, trusted) = certificates();
        let acceptor = Acceptor::new(Arc::new(certificates), &["h2", "http/1.1"]);
        Self {
            running: run_on(Scheme::Https(acceptor), site, settings).await,
            trusted,
        }
    }

    /// A connection through the handshake, on which the first of `protocols` that is known will be spoken.
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).expect("a certificate");
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|&name| name.into()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = connector.connect(name, self.running.connect().await);
        shaken.await.expect("a handshake")
    }
}

fn certificates() -> (Certificates, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let name = format!("forebay-https-{:?}", std::thread::current().id());
    let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("the temporary folder takes folders");
    let both = folder.join("both.pem");
    std::fs::write(&both, signing_key.serialize_pem() + &cert.pem()).expect("written");
    let certificates = Certificates::load([Files {
        certificate: both.clone(),
        key: both,
    }]);
    std::fs::remove_dir_all(folder).expect("it is there");
    (certificates.expect("good"), cert.der().clone())
}

fn hasty() -> Settings {
    Settings {
        request_head: SHORT,
        ..Settings::default()
    }
}

#[tokio::test]
async fn one_connection_takes_many_requests_and_the_wire_is_counted() {
    let secure = Secure::run(Settings::default()).await;
    let mut stream = secure.connect(&["http/1.1"]).await;
    let mut received = 0;
    for _ in 0..3 {
        let answer = exchange(&mut stream, REQUEST).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        received += answer.len() as u64;
    }
    let totals = &secure.running.totals;
    assert_eq!(totals.http_requests.value(), 3);
    assert!(totals.bytes_sent.value() > received);
    // Without TLS's goodbye, which is no fault.
    drop(stream);
    secure.running.until_open(0).await;
    assert_eq!(totals.http_faults.value(), 0);
}

#[tokio::test]
async fn http2_is_agreed_on() {
    let secure = Secure::run(Settings::default()).await;
    let mut stream = secure.connect(&["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface and empty SETTINGS (RFC 9113 §3.4), which the server answers with its own.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.expect("written");
    let mut head = [0; 9];
    let answered = timeout(PATIENCE, stream.read_exact(&mut head)).await;
    answered.expect("in time").expect("a frame");
    assert_eq!(head[3], 4, "{head:x?}");
}

/// As players do that have moved on to another rendition: one of the requests on a connection is given up.
#[tokio::test]
async fn a_reload_that_is_cancelled_leaves_nothing_and_the_others_are_answered_with_the_part() {
    let gateway = Gateway::new();
    let mut writer = gateway.publish("live", "show");
    (0..6).for_each(|n| push_part(&mut writer, n));
    let presentation = writer.presentation().clone();
    let until_waiting = async |count: usize| {
        let reached = async {
            while presentation.low_latency_followers() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = timeout(PATIENCE, reached).await;
        let now = presentation.low_latency_followers();
        reached.unwrap_or_else(|_| panic!("{now} wait instead of {count}"));
    };
    let secure = Secure::run_site(&gateway, Settings::default()).await;
    let mut client = Client::on(secure.connect(&["h2"]).await, 65_535).await;
    let next = presentation.low_latency_window().next_sequence();
    let path = format!("/live/show/video.m3u8?_HLS_msn={next}&_HLS_part=1");
    for stream in [1, 3, 5] {
        client.ask(stream, &path).await;
    }
    until_waiting(3).await;
    for (stream, left) in [(1, 2), (5, 1)] {
        let sent = client.send(RST_STREAM, 0, stream, &CANCEL).await;
        sent.expect("written");
        until_waiting(left).await;
    }
    push_part(&mut writer, 6);
    let mut text = Vec::new();
    loop {
        let frame = client.until(|frame| frame.stream > 0).await;
        assert_eq!(frame.stream, 3, "{frame:?}");
        assert_ne!(frame.kind, RST_STREAM, "{frame:?}");
        if frame.kind == DATA {
            text.extend_from_slice(&frame.payload);
        }
        if frame.flags & END_STREAM != 0 {
            break;
        }
    }
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.contains(&format!("{next}.1.m4s?")), "{text}");
    until_waiting(0).await;
    drop(client);
    secure.running.until_open(0).await;
    assert_eq!(secure.running.totals.http_faults.value(), 0);
}

#[tokio::test]
async fn who_comes_without_tls_is_told_and_let_go() {
    let secure = Secure::run(Settings::default()).await;
    let mut stream = secure.running.connect().await;
    stream.write_all(REQUEST).await.expect("written");
    let answer = String::from_utf8(read_to_close(&mut stream).await).expect("UTF-8");
    let lower = answer.to_ascii_lowercase();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    for header in [
        "connection: close",
        "content-type: application/problem+json",
        "access-control-allow-origin: *",
    ] {
        assert!(lower.contains(&format!("\r\n{header}\r\n")), "{answer}");
    }
    assert!(answer.contains("https:// instead of http://"), "{answer}");
    assert_eq!(secure.running.totals.http_faults.value(), 1);
    secure.running.until_open(0).await;
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_a_fault_and_silence_is_none() {
    let secure = Secure::run(hasty()).await;
    let cases = [
        // Nothing at all.
        (&b""[..], 0),
        // The head of a record, and no more.
        (b"\x16\x03\x01\x02\x00", 1),
        // Not TLS and not HTTP.
        (b"\x03\x00\x00\x00\x00", 1),
    ];
    for (bytes, faults) in cases {
        let before = secure.running.totals.http_faults.value();
        let mut stream = secure.running.connect().await;
        stream.write_all(bytes).await.expect("written");
        read_to_close(&mut stream).await;
        secure.running.until_open(0).await;
        let after = secure.running.totals.http_faults.value();
        assert_eq!(after - before, faults, "{bytes:?}");
    }
    // Browsers open connections that they may not need.
    let mut stream = secure.connect(&["h2"]).await;
    let before = secure.running.totals.http_faults.value();
    assert!(read_to_close(&mut stream).await.is_empty());
    secure.running.until_open(0).await;
    assert_eq!(secure.running.totals.http_faults.value(), before);
}

#[tokio::test]
async fn half_a_request_is_closed_in_time() {
    let secure = Secure::run(hasty()).await;
    let mut stream = secure.connect(&[]).await;
    stream.write_all(b"GET /healthz HT").await.expect("written");
    read_to_close(&mut stream).await;
    secure.running.until_open(0).await;
    assert_eq!(secure.running.totals.http_faults.value(), 1);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let body = Bytes::from(vec![7; 64 << 20]);
    let service = tower::service_fn(move |_: Request<Incoming>| {
        std::future::ready(Ok(Response::new(Body::from(body.clone()))))
    });
    let settings = Settings {
        write_progress: SHORT,
        ..Settings::default()
    };
    let (certificates, trusted) = certificates();
    let acceptor = Acceptor::new(Arc::new(certificates), &[]);
    let secure = Secure {
        running: run_on(Scheme::Https(acceptor), service, settings).await,
        trusted,
    };
    let mut stream = secure.connect(&[]).await;
    stream.write_all(REQUEST).await.expect("written");
    secure.running.until_open(1).await;
    secure.running.until_open(0).await;
}

#[tokio::test]
async fn leaving_lets_go_of_who_is_idle_and_of_who_still_shakes_hands() {
    let secure = Secure::run(Settings::default()).await;
    let mut idle = secure.connect(&["http/1.1"]).await;
    exchange(&mut idle, REQUEST).await;
    let mut shaking = secure.running.connect().await;
    shaking.write_all(b"\x16\x03\x01").await.expect("written");
    secure.running.until_open(2).await;
    secure.running.shutdown.send(()).expect("still running");
    assert!(read_to_close(&mut idle).await.is_empty());
    read_to_close(&mut shaking).await;
    let drained = timeout(PATIENCE, secure.running.ended)
        .await
        .expect("in time");
    assert_eq!(drained.expect("no panic"), Drained { cut: 0 });
}
