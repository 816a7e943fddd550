//! A plain HTTP/1.1 client: a connection per request, nothing interpreted behind the test's back.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No request of a test takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header called `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// The body without the framing of the transfer (RFC 9112 §7.1).
    ///
    /// # Panics
    /// It ends in the middle.
    pub fn whole_body(&self) -> Vec<u8> {
        if self.header("transfer-encoding") != Some("chunked") {
            return self.body.clone();
        }
        let (body, ended) = dechunked(&self.body);
        assert!(ended, "the body ends in the middle");
        body
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

/// Asks `at` for `path`.
///
/// # Panics
/// No answer, or one that is not HTTP.
pub fn get(at: SocketAddr, path: &str) -> Answer {
    request(at, "GET", path, &[])
}

/// Sends a request without a body.
///
/// # Panics
/// No answer, or one that is not HTTP.
pub fn request(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(at, method, path, headers, &[])
        .unwrap_or_else(|error| panic!("{method} {path} at {at}: {error}"))
}

/// Sends a request with a body, which may be empty.
///
/// # Errors
/// No answer, or one that is not HTTP (`InvalidData`).
pub fn send(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut socket = TcpStream::connect(at)?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.write_all(&[head.as_bytes(), body].concat())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 << 10];
    loop {
        let count = socket.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..count]);
        let answer = parse(&bytes);
        // chromedriver promises to close the connection, and does not.
        match answer {
            Some(answer) if count == 0 || (method != "HEAD" && is_whole(&answer)) => {
                return Ok(answer);
            }
            None if count == 0 => {
                let shown = String::from_utf8_lossy(&bytes).into_owned();
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    format!("not HTTP: {shown:?}"),
                ));
            }
            _ => {}
        }
    }
}

/// Whether the body has the length that the head announces.
pub(crate) fn is_whole(answer: &Answer) -> bool {
    let length = answer
        .header("content-length")
        .and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| answer.body.len() >= length)
}

/// What of a chunked body has come, and whether that is all of it.
///
/// # Panics
/// It is none.
pub fn dechunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.unwrap_or_else(|| panic!("no size of a chunk: {:?}", &rest[..end]));
        rest = &rest[end + 2..];
        let there = rest.len().min(size);
        body.extend_from_slice(&rest[..there]);
        if size == 0 {
            return (body, rest == b"\r\n");
        }
        let Some(next) = rest.get(size + 2..) else {
            return (body, false);
        };
        rest = next;
    }
    (body, false)
}

/// The same of a whole answer so far, of which the head may not have come.
///
/// # Panics
/// It is not HTTP.
pub fn dechunked_of(answer: &[u8]) -> (Vec<u8>, bool) {
    match parse(answer) {
        Some(answer) => dechunked(&answer.body),
        None => (Vec::new(), false),
    }
}

/// The head of an answer, and what stands behind it; `None` if it is not HTTP.
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Answer {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}
