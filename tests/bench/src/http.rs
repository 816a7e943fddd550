//! The lightest HTTP/1.1 client that does: GET, keep-alive, a body of announced length.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Longest wait for the server. Forebay lets a playlist request wait for the first segment.
const PATIENCE: Duration = Duration::from_secs(10);

/// Largest body taken, bytes: a segment of the clip is a tenth of it.
const LARGEST_BODY: u64 = 16 << 20;

/// One kept-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    server: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    line: String,
}

impl Connection {
    /// Connects at the first request.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self {
            server,
            stream: None,
            line: String::new(),
        }
    }

    /// Requests `path` and returns the status; `body` is replaced by the reply's.
    ///
    /// A server may close a kept-alive connection at any time (RFC 9112 §9.3.1), so the second try
    /// has a new one.
    pub(crate) fn get(&mut self, path: &str, body: &mut Vec<u8>) -> anyhow::Result<u16> {
        let kept_alive = self.stream.is_some();
        match self.exchange(path, body) {
            Err(_) if kept_alive => {
                self.stream = None;
                self.exchange(path, body)
            }
            outcome => outcome,
        }
        .with_context(|| format!("GET http://{}{path}", self.server))
    }

    fn exchange(&mut self, path: &str, body: &mut Vec<u8>) -> anyhow::Result<u16> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.server)?,
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.server);
        stream.get_mut().write_all(request.as_bytes())?;

        let status = read_line(&mut stream, &mut self.line)?
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("{:?} is no status line", self.line))?;
        let mut length = None;
        loop {
            let line = read_line(&mut stream, &mut self.line)?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<u64>()?);
            }
        }
        let length = length.context("no Content-Length in the reply")?;
        ensure!(length <= LARGEST_BODY, "a body of {length} bytes");
        body.clear();
        let read = stream.by_ref().take(length).read_to_end(body)?;
        ensure!(
            u64::try_from(read)? == length,
            "the body ended after {read} of {length} bytes"
        );
        self.stream = Some(stream);
        Ok(status)
    }
}

fn connect(server: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::with_capacity(64 << 10, stream))
}

fn read_line<'a>(
    stream: &mut BufReader<TcpStream>,
    line: &'a mut String,
) -> anyhow::Result<&'a str> {
    line.clear();
    ensure!(stream.read_line(line)? > 0, "the server closed");
    Ok(line.trim_end())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_that_the_server_closed_is_made_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for reply in [
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none",
                "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n",
            ] {
                let (mut socket, _) = listener.accept().unwrap();
                let mut buffer = [0; 1024];
                assert!(socket.read(&mut buffer).unwrap() > 0);
                socket.write_all(reply.as_bytes()).unwrap();
            }
        });
        let mut connection = Connection::new(address);
        let mut body = Vec::new();
        assert_eq!(connection.get("/a", &mut body).unwrap(), 200);
        assert_eq!(body, b"one");
        assert_eq!(connection.get("/b", &mut body).unwrap(), 404);
        assert_eq!(body, b"");
        server.join().unwrap();
    }
}
