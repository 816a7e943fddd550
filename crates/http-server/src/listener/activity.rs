//! What a connection is waiting for, and until when: pure but for being shared.
//!
//! The socket and the service note what happens, as plain stores; one timer per connection looks at the
//! notes now and then. No timer is touched by a request.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use http::Version;
use tokio::time::Instant;

use crate::Settings;

/// The notes of one connection. Its socket and its requests may be on different tasks (HTTP/2), but the
/// verdict tolerates any order of their stores.
#[derive(Debug)]
pub(super) struct Activity {
    begin: Instant,
    /// When the first byte of a request that is not complete was read, nanoseconds from `begin`;
    /// [`NONE`] while there is none.
    head_since: AtomicU64,
    /// When anything last moved that counts, nanoseconds from `begin`. Over HTTP/2 that is requests and
    /// their bodies: a peer can keep the rest moving (pings, settings, window updates) and read nothing.
    progress: AtomicU64,
    /// The peer has not taken what was to be written.
    write_waits: AtomicBool,
    /// Requests that are being answered.
    in_flight: AtomicU32,
    /// HTTP/2: bytes that move need not belong to a request.
    multiplexed: AtomicBool,
}

const NONE: u64 = u64::MAX;

/// What the timer should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Look again then.
    Until(Instant),
    /// Close the connection.
    TooSlow(Slowness),
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slowness {
    /// The first byte: browsers open connections that they may not need.
    FirstByte,
    /// A request's headers.
    RequestHead,
    /// The next request.
    Idle,
    /// The peer's reading.
    Reading,
    /// An answer, held up by the peer's HTTP/2 windows.
    Answer,
}

/// The times that a verdict is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    request_head: Duration,
    idle: Duration,
    write_progress: Duration,
    answer: Duration,
}

impl Deadlines {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            request_head: settings.request_head,
            idle: settings.idle,
            write_progress: settings.write_progress,
            // Nothing of ours takes longer than the wait for media.
            answer: settings.first_segment_wait.max(settings.longest_wait)
                + settings.write_progress,
        }
    }

    /// Looking this often, no deadline is missed, whenever it begins.
    pub(super) fn shortest(&self) -> Duration {
        self.request_head
            .min(self.idle)
            .min(self.write_progress)
            .min(self.answer)
    }
}

impl Activity {
    /// A connection accepted `now`: it owes a request.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begin: now,
            head_since: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            write_waits: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            multiplexed: AtomicBool::new(false),
        }
    }

    /// TLS's handshake is done. It was no part of a request; who says nothing more still has not begun one.
    pub(super) fn secured(&self) {
        self.progress.store(0, Ordering::Relaxed);
    }

    /// Bytes were read.
    pub(super) fn read(&self, now: Instant) {
        if self.multiplexed.load(Ordering::Relaxed) {
            return;
        }
        let now = self.offset(now);
        self.progress.store(now, Ordering::Relaxed);
        let owes_head = self.in_flight.load(Ordering::Relaxed) == 0
            && self.head_since.load(Ordering::Relaxed) == NONE;
        if owes_head {
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    /// The peer took bytes.
    pub(super) fn wrote(&self, now: Instant) {
        self.write_waits.store(false, Ordering::Relaxed);
        if !self.multiplexed.load(Ordering::Relaxed) {
            self.moved(now);
        }
    }

    /// The peer takes no bytes.
    pub(super) fn write_waits(&self) {
        self.write_waits.store(true, Ordering::Relaxed);
    }

    /// A request is complete and being answered.
    pub(super) fn request(&self, version: Version, now: Instant) {
        if version == Version::HTTP_2 {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        self.head_since.store(NONE, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.moved(now);
    }

    /// A request or the body of an answer got further.
    pub(super) fn moved(&self, now: Instant) {
        self.progress.store(self.offset(now), Ordering::Relaxed);
    }

    /// Its answer was handed over for writing.
    pub(super) fn answered(&self, now: Instant) {
        self.moved(now);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn verdict(&self, deadlines: &Deadlines, now: Instant) -> Verdict {
        let progress = self.progress.load(Ordering::Relaxed);
        let head_since = self.head_since.load(Ordering::Relaxed);
        let (since, allowed, slowness) = if self.write_waits.load(Ordering::Relaxed)
            && !self.multiplexed.load(Ordering::Relaxed)
        {
            (progress, deadlines.write_progress, Slowness::Reading)
        } else if self.in_flight.load(Ordering::Relaxed) > 0 {
            (progress, deadlines.answer, Slowness::Answer)
        } else if head_since != NONE {
            let slowness = if progress == 0 {
                Slowness::FirstByte
            } else {
                Slowness::RequestHead
            };
            (head_since, deadlines.request_head, slowness)
        } else {
            (progress, deadlines.idle, Slowness::Idle)
        };
        let deadline = self.begin + Duration::from_nanos(since) + allowed;
        if deadline <= now {
            Verdict::TooSlow(slowness)
        } else {
            Verdict::Until(deadline.min(now + deadlines.shortest()))
        }
    }

    /// 584 years fit.
    fn offset(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.begin).as_nanos();
        u64::try_from(nanos).unwrap_or(NONE - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Peer {
        activity: Activity,
        now: Instant,
    }

    impl Peer {
        fn accepted() -> Self {
            let now = Instant::now();
            Self {
                activity: Activity::new(now),
                now,
            }
        }

        fn after(&mut self, seconds: u32) -> &Activity {
            self.now += SECOND * seconds;
            &self.activity
        }

        fn one_request(&mut self) {
            self.activity.read(self.now);
            self.activity.request(Version::HTTP_11, self.now);
            self.activity.answered(self.now);
            self.activity.wrote(self.now);
        }

        /// Runs the timer until it closes the connection; seconds from now.
        fn closed_after(&self) -> (u64, Slowness) {
            let deadlines = Deadlines::new(&Settings::default());
            let mut now = self.now;
            loop {
                match self.activity.verdict(&deadlines, now) {
                    Verdict::Until(then) => {
                        assert!(then > now, "the timer must not spin");
                        now = then;
                    }
                    Verdict::TooSlow(why) => return ((now - self.now).as_secs(), why),
                }
            }
        }
    }

    #[test]
    fn a_connection_that_says_nothing() {
        assert_eq!(Peer::accepted().closed_after(), (10, Slowness::FirstByte));
    }

    #[test]
    fn a_handshake_is_no_request_and_buys_no_time() {
        let mut peer = Peer::accepted();
        let now = peer.now + SECOND;
        peer.after(1).read(now);
        peer.activity.wrote(now);
        assert_eq!(peer.closed_after(), (9, Slowness::RequestHead));
        peer.activity.secured();
        assert_eq!(peer.closed_after(), (9, Slowness::FirstByte));
        peer.activity.read(now);
        assert_eq!(peer.closed_after(), (9, Slowness::RequestHead));
    }

    #[test]
    fn trickling_bytes_do_not_extend_the_head() {
        let mut peer = Peer::accepted();
        for _ in 0..6 {
            let now = peer.now + SECOND;
            peer.after(1).read(now);
        }
        assert_eq!(peer.closed_after(), (4, Slowness::RequestHead));
    }

    #[test]
    fn a_second_head_has_its_own_deadline() {
        let mut peer = Peer::accepted();
        peer.one_request();
        let now = peer.now + SECOND * 50;
        peer.after(50).read(now);
        assert_eq!(peer.closed_after(), (10, Slowness::RequestHead));
    }

    #[test]
    fn between_requests_a_connection_may_be_idle() {
        let mut peer = Peer::accepted();
        peer.one_request();
        assert_eq!(peer.closed_after(), (60, Slowness::Idle));
    }

    #[test]
    fn a_reader_that_stops_is_cut_and_a_slow_one_is_not() {
        let mut peer = Peer::accepted();
        peer.one_request();
        peer.activity.write_waits();
        assert_eq!(peer.closed_after(), (30, Slowness::Reading));
        for _ in 0..100 {
            let now = peer.now + SECOND * 29;
            peer.after(29).wrote(now);
            peer.activity.write_waits();
        }
        assert_eq!(peer.closed_after(), (30, Slowness::Reading));
    }

    #[test]
    fn a_request_may_wait_for_its_answer() {
        let peer = Peer::accepted();
        peer.activity.read(peer.now);
        peer.activity.request(Version::HTTP_11, peer.now);
        assert_eq!(peer.closed_after(), (45, Slowness::Answer));
    }

    #[test]
    fn http2_frames_between_requests_are_no_request_head() {
        let mut peer = Peer::accepted();
        peer.activity.read(peer.now);
        peer.activity.request(Version::HTTP_2, peer.now);
        peer.activity.answered(peer.now);
        let now = peer.now + SECOND;
        peer.after(1).read(now);
        assert_eq!(peer.closed_after(), (59, Slowness::Idle));
    }

    #[test]
    fn http2_pings_buy_no_time() {
        for (answered, closed) in [
            (true, (60, Slowness::Idle)),
            (false, (45, Slowness::Answer)),
        ] {
            let mut peer = Peer::accepted();
            peer.activity.request(Version::HTTP_2, peer.now);
            if answered {
                peer.activity.answered(peer.now);
            }
            for _ in 0..4 {
                let now = peer.now + SECOND * 5;
                peer.after(5).read(now);
                peer.activity.write_waits();
                peer.activity.wrote(now);
            }
            assert_eq!(peer.closed_after(), (closed.0 - 20, closed.1));
            peer.activity.moved(peer.now);
            assert_eq!(peer.closed_after(), closed);
        }
    }
}
