//! A TLS client that trusts one certificate and no other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{self, Answer};

/// No answer takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection with its handshake done.
pub struct Secure {
    stream: StreamOwned<ClientConnection, TcpStream>,
    name: String,
}

impl Secure {
    /// Asks for `name` at `at`, and offers `protocols` (ALPN).
    ///
    /// # Errors
    /// The certificate shown is not `trusted`, or not for that name.
    ///
    /// # Panics
    /// Nobody listens.
    pub fn connect(
        at: SocketAddr,
        name: &str,
        trusted: &CertificateDer<'static>,
        protocols: &[&str],
    ) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).expect("a certificate");
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|&name| name.into()).collect();
        let asked = ServerName::try_from(name.to_owned()).expect("a name");
        let session = ClientConnection::new(Arc::new(config), asked).expect("a configuration");
        let mut socket = TcpStream::connect(at).expect("the gateway accepts connections");
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(session, socket.try_clone()?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut socket)?;
        }
        Ok(Self {
            stream,
            name: name.to_owned(),
        })
    }

    /// The protocol agreed on.
    pub fn protocol(&self) -> Option<&str> {
        let protocol = self.stream.conn.alpn_protocol();
        protocol.and_then(|name| std::str::from_utf8(name).ok())
    }

    /// Asks for a path over HTTP/1.1, and keeps the connection.
    ///
    /// # Panics
    /// No answer, or one that is not HTTP.
    pub fn get(&mut self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.name);
        let sent = self.stream.write_all(head.as_bytes());
        sent.expect("the gateway reads");
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            if let Some(answer) = http::parse(&bytes).filter(http::is_whole) {
                return answer;
            }
            let count = self.stream.read(&mut buffer).expect("an answer");
            assert_ne!(count, 0, "{path}: {:?}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&buffer[..count]);
        }
    }
}
