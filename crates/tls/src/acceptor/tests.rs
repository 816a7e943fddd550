//! Handshakes in memory, with rustls as the client.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::fixture::{Folder, Made};

/// More than any handshake.
const ROOM: usize = 64 << 10;

fn connector(trusted: &Made, protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(trusted.certificate.der().clone())
        .expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|&name| name.into()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn shake(
    acceptor: &Acceptor,
    connector: &TlsConnector,
) -> (
    Result<Stream<DuplexStream>, HandshakeError>,
    io::Result<TlsStream<DuplexStream>>,
) {
    let (client, server) = duplex(ROOM);
    let name = ServerName::try_from("a.example").expect("a name");
    tokio::join!(acceptor.accept(server), connector.connect(name, client))
}

fn serving(made: &Made, protocols: &[&str]) -> Acceptor {
    let folder = Folder::new();
    let certificates = Certificates::load([folder.write(made)]).expect("good");
    Acceptor::new(Arc::new(certificates), protocols)
}

#[tokio::test]
async fn bytes_pass_both_ways_and_a_client_that_just_goes_is_at_its_end() {
    let made = Made::of(&["a.example"]);
    let (server, client) = shake(&serving(&made, &[]), &connector(&made, &[])).await;
    let (mut server, mut client) = (server.expect("a handshake"), client.expect("a handshake"));
    client.write_all(b"ping").await.expect("written");
    client.flush().await.expect("written");
    let mut heard = [0; 4];
    server.read_exact(&mut heard).await.expect("read");
    assert_eq!(&heard, b"ping");
    server.write_all(b"pong").await.expect("written");
    server.flush().await.expect("written");
    client.read_exact(&mut heard).await.expect("read");
    assert_eq!(&heard, b"pong");
    // Without TLS's goodbye.
    drop(client);
    assert_eq!(server.read(&mut heard).await.expect("an end"), 0);
}

#[tokio::test]
async fn the_protocol_is_the_first_of_ours_that_is_offered() {
    let made = Made::of(&["a.example"]);
    let acceptor = serving(&made, &["h2", "http/1.1"]);
    for (offered, expected) in [
        (&["http/1.1", "h2"][..], Some(&b"h2"[..])),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let (_server, client) = shake(&acceptor, &connector(&made, offered)).await;
        let client = client.expect("a handshake");
        assert_eq!(client.get_ref().1.alpn_protocol(), expected);
    }
}

#[tokio::test]
async fn a_client_that_does_not_like_the_certificate_is_at_fault_and_one_that_goes_is_not() {
    let acceptor = serving(&Made::of(&["a.example"]), &[]);
    let (server, _) = shake(&acceptor, &connector(&Made::of(&["a.example"]), &[])).await;
    assert!(server.expect_err("not trusted").is_peer_fault());

    let (mut client, server) = duplex(ROOM);
    client.write_all(b"\x03RTMP").await.expect("written");
    let error = acceptor.accept(server).await.expect_err("not TLS");
    assert!(error.is_peer_fault(), "{error}");

    let (client, server) = duplex(ROOM);
    drop(client);
    let error = acceptor.accept(server).await.expect_err("nobody");
    assert!(!error.is_peer_fault(), "{error}");
}

#[tokio::test]
async fn a_handshake_has_a_length() {
    let acceptor = serving(&Made::of(&["a.example"]), &[]);
    let (mut client, server) = duplex(ROOM);
    // Records that are full, of a ClientHello of 64 KiB.
    let mut record = vec![22, 3, 1, 0x3f, 0xff];
    record.extend([1, 0, 0xff, 0xff]);
    record.resize(5 + 0x3fff, 0);
    for _ in 0..3 {
        client.write_all(&record).await.expect("written");
    }
    let error = acceptor.accept(server).await.expect_err("too long");
    assert!(matches!(error, HandshakeError::TooLong), "{error}");
    assert_eq!(
        error.to_string(),
        "no TLS handshake: it is longer than 16384 bytes"
    );
}
