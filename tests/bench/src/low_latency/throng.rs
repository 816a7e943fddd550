//! Thousands of viewers on one thread: kept-alive HTTP/1.1 connections behind one epoll.
//!
//! A viewer costs one write and one read for each request, so that the machine is left to the server.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Answers taken from the kernel at a time.
const EVENTS: usize = 512;
/// Longer than any playlist.
const BUFFER: usize = 256 << 10;
/// Descriptors that are not viewers.
const SPARE: u64 = 256;

/// Viewers that ask for the same.
#[derive(Debug)]
pub(crate) struct Throng {
    server: SocketAddr,
    epoll: Epoll,
    viewers: Vec<Viewer>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Viewer {
    socket: TcpStream,
    /// What came of a reply that is not complete.
    begun: Vec<u8>,
    answered: Option<Instant>,
}

impl Throng {
    /// Connects so many.
    pub(crate) fn connect(server: SocketAddr, count: u32) -> anyhow::Result<Self> {
        let wanted = u64::from(count) + SPARE;
        let limit = rlimit::increase_nofile_limit(wanted)?;
        ensure!(limit >= wanted, "no more than {limit} descriptors allowed");
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut viewers = Vec::new();
        for index in 0..count {
            let socket = TcpStream::connect(server)
                .with_context(|| format!("viewer {index} of {count} cannot connect"))?;
            socket.set_nodelay(true)?;
            socket.set_nonblocking(true)?;
            epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, index.into()))?;
            viewers.push(Viewer {
                socket,
                begun: Vec::new(),
                answered: None,
            });
        }
        Ok(Self {
            server,
            epoll,
            viewers,
            buffer: vec![0; BUFFER],
        })
    }

    /// Each requests `path`, and has no answer yet.
    pub(crate) fn ask(&mut self, path: &str) -> anyhow::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.server);
        for viewer in &mut self.viewers {
            viewer.answered = None;
            // A request is far smaller than what a socket takes at once.
            viewer.socket.write_all(request.as_bytes())?;
        }
        Ok(())
    }

    /// Waits until every viewer is answered, and says when each was.
    pub(crate) fn answers(&mut self, within: Duration) -> anyhow::Result<Vec<Instant>> {
        let deadline = Instant::now() + within;
        let mut events = vec![EpollEvent::empty(); EVENTS];
        let mut missing = self.viewers.len();
        while missing > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            ensure!(
                !left.is_zero(),
                "{missing} viewers had no answer within {within:?}"
            );
            let timeout = EpollTimeout::try_from(left.min(Duration::from_secs(1)))?;
            let count = match self.epoll.wait(&mut events, timeout) {
                Err(nix::Error::EINTR) => 0,
                count => count?,
            };
            for event in &events[..count] {
                let viewer = &mut self.viewers[usize::try_from(event.data())?];
                if viewer.take(&mut self.buffer)? {
                    missing -= 1;
                }
            }
        }
        let answered = self.viewers.iter().map(|viewer| viewer.answered);
        answered
            .map(|at| at.context("a viewer without an answer"))
            .collect()
    }
}

impl Viewer {
    /// Reads what there is; whether that completes a reply.
    fn take(&mut self, buffer: &mut [u8]) -> anyhow::Result<bool> {
        let received = match self.socket.read(buffer) {
            Ok(0) => bail!("the server closed the connection of a waiting viewer"),
            Ok(received) => received,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error).context("a waiting viewer"),
        };
        let received = &buffer[..received];
        let complete = if self.begun.is_empty() {
            is_complete(received)?
        } else {
            self.begun.extend_from_slice(received);
            is_complete(&self.begun)?
        };
        if complete {
            self.begun = Vec::new();
            self.answered = Some(Instant::now());
        } else if self.begun.is_empty() {
            self.begun.extend_from_slice(received);
        }
        Ok(complete)
    }
}

/// Whether a reply is all there; an error if it is not the one that was asked for.
fn is_complete(reply: &[u8]) -> anyhow::Result<bool> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(head) = reply.windows(END.len()).position(|bytes| bytes == END) else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&reply[..head])?;
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap_or_default();
    ensure!(
        status.starts_with("HTTP/1.1 200 "),
        "a waiting viewer was answered with {status}"
    );
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim())
    });
    let length: usize = length.context("no Content-Length in the reply")?.parse()?;
    let end = head + END.len() + length;
    ensure!(reply.len() <= end, "more was answered than was asked for");
    Ok(reply.len() == end)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_reply_is_complete_with_its_last_byte() {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nX: y\r\n\r\nabc";
        for cut in 0..reply.len() {
            assert!(!is_complete(&reply[..cut]).unwrap(), "{cut}");
        }
        assert!(is_complete(reply).unwrap());
        assert!(is_complete(&[reply, &b"d"[..]].concat()).is_err());
        assert!(is_complete(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(is_complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn viewers_are_answered_in_pieces_and_again() {
        const COUNT: u32 = 3;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut throng = Throng::connect(listener.local_addr().unwrap(), COUNT).unwrap();
        let mut sockets: Vec<TcpStream> =
            (0..COUNT).map(|_| listener.accept().unwrap().0).collect();
        for round in ["/a", "/b"] {
            let begin = Instant::now();
            throng.ask(round).unwrap();
            let (half, rest) = ("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 2\r\n\r\nok");
            for socket in &mut sockets {
                let mut request = [0; 1024];
                let received = socket.read(&mut request).unwrap();
                assert!(request[..received].starts_with(format!("GET {round} ").as_bytes()));
                socket.write_all(half.as_bytes()).unwrap();
            }
            assert!(throng.answers(Duration::from_millis(20)).is_err());
            for socket in &mut sockets {
                socket.write_all(rest.as_bytes()).unwrap();
            }
            let answers = throng.answers(Duration::from_secs(10)).unwrap();
            assert_eq!(answers.len(), 3);
            assert!(answers.iter().all(|at| *at >= begin));
        }
    }
}
