//! A TCP client that sends exactly the bytes it is told, right or wrong, and listens for words in the
//! answers.
//!
//! It does not take answers apart: what a status says stands in it as text.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// No answer takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the gateway may take no bytes before they count as refused.
const UNTAKEN: Duration = Duration::from_secs(1);

/// The client's side of a connection.
pub struct Peer {
    socket: TcpStream,
    heard: Vec<u8>,
    /// So many bytes at the front are noise by design.
    pub(crate) wordless: usize,
    ended: bool,
}

impl Peer {
    /// Connects, and sends nothing.
    ///
    /// # Panics
    /// Nobody listens.
    pub fn connect(at: SocketAddr) -> Self {
        Self::try_connect(at).expect("the gateway accepts connections")
    }

    /// The same where nobody may be listening.
    ///
    /// # Errors
    /// Nobody is.
    pub fn try_connect(at: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(at)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(UNTAKEN))?;
        Ok(Self {
            socket,
            heard: Vec::new(),
            wordless: 0,
            ended: false,
        })
    }

    /// Lets this process hold thousands of them: a soft limit of 1 024 descriptors is common.
    ///
    /// # Panics
    /// The hard limit is too low.
    pub fn room_for(count: u64) {
        let spare = 200;
        let allowed = rlimit::increase_nofile_limit(count + spare);
        let allowed = allowed.expect("the limit can be asked for");
        assert!(allowed >= count + spare, "only {allowed} descriptors");
    }

    /// Bytes count as refused only when they are not taken for so long.
    pub fn takes_within(&mut self, limit: Duration) {
        self.socket
            .set_write_timeout(Some(limit))
            .expect("an option can be set");
    }

    /// Sends bytes; gives how many were taken. Fewer than all: the gateway has closed the connection, or
    /// does not read.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.socket.write(rest) {
                Ok(0) => break,
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        taken
    }

    /// Says that nothing more will come.
    pub fn finish(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Closes the connection with a reset: what the system has not sent yet is lost.
    pub fn reset(self) {
        let at_once = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        at_once.expect("an option can be set");
    }

    /// Listens until the gateway closes the connection, or for so long.
    pub fn hear_out(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.listen(deadline) {}
    }

    /// Which of these words is said first within so long, or was before; `None` if none is.
    pub fn told_one_of<'a>(&mut self, words: &[&'a str], limit: Duration) -> Option<&'a str> {
        let deadline = Instant::now() + limit;
        loop {
            let told = words.iter().find(|words| self.was_told(words.as_bytes()));
            if told.is_some() || !self.listen(deadline) {
                return told.copied();
            }
        }
    }

    /// Listens until `words` were said, however long ago.
    ///
    /// # Panics
    /// They were not.
    pub fn until_told(&mut self, words: &str) {
        self.until_told_bytes(words.as_bytes());
    }

    /// The same for bytes: AMF0 values, say.
    ///
    /// # Panics
    /// They were not said.
    pub fn until_told_bytes(&mut self, bytes: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        while !self.was_told(bytes) {
            let goes_on = self.listen(deadline);
            assert!(
                goes_on || self.was_told(bytes),
                "was not told {:?} but {:?}",
                String::from_utf8_lossy(bytes),
                self.words()
            );
        }
    }

    fn was_told(&self, bytes: &[u8]) -> bool {
        self.heard.windows(bytes.len()).any(|part| part == bytes)
    }

    /// Listens until the gateway closes the connection; gives how long that took.
    ///
    /// # Panics
    /// It did not within `limit`.
    pub fn until_closed(&mut self, limit: Duration) -> Duration {
        let begin = Instant::now();
        while self.listen(begin + limit) {}
        assert!(
            self.ended,
            "still open after {limit:?}, having said {:?}",
            self.words()
        );
        begin.elapsed()
    }

    /// What was heard.
    pub fn heard(&self) -> &[u8] {
        &self.heard
    }

    /// What of it is text.
    pub fn words(&self) -> String {
        let answers = self.heard.get(self.wordless..).unwrap_or_default();
        answers
            .iter()
            .map(|&byte| char::from(byte))
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .collect()
    }

    /// Reads once; false at the end of the connection or of the time.
    fn listen(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if self.ended || left.is_zero() {
            return false;
        }
        self.socket
            .set_read_timeout(Some(left))
            .expect("a timeout can be set");
        let mut buffer = [0; 16 << 10];
        match self.socket.read(&mut buffer) {
            Ok(count) if count > 0 => {
                self.heard.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                error.kind() == ErrorKind::Interrupted
            }
            // A reset is an end like any other.
            Ok(_) | Err(_) => {
                self.ended = true;
                false
            }
        }
    }
}
