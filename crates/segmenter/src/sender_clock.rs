//! The sender's timestamps where they can be used, and the time of arrival where they cannot: clocks that stand
//! still would leave a segment open without end, clocks that jump all the time would make one of every message.
//!
//! What does not belong here: disorder, jumps that are rare, pauses (the timeline has them).

use std::time::{SystemTime, UNIX_EPOCH};

use media::{FaultKind, MediaTime, TrackKind};

use crate::allowance::{self, Allowance, Verdict};
use crate::output::Outputs;
use crate::per_kind::{PerKind, word};

/// A clock that loses so much while media arrives stands still, ms. It is how long players may wait for the
/// segment that was open, beside its length.
const STILL_MS: i64 = 3_000;
/// A clock that runs at one part in so many of the time that passes stands still. Slower than that nobody publishes
/// on purpose, and a segment is open for no longer than so many times its length.
const SLOWEST: i64 = 20;
/// A longer silence is the link's; it says nothing of the clock, and no arrival is dated further on, ms.
const MAX_SILENCE_MS: i64 = 1_000;
/// A step back beyond this, or forward beyond the other, is a jump: no progress (ms).
const MAX_BACK_MS: i64 = 1_000;
const MAX_FORWARD_MS: i64 = 10_000;

/// Dates the access units of one publish, in milliseconds of the sender's clock as long as that can be used.
#[derive(Debug, Default)]
pub(crate) struct SenderClock {
    tracks: PerKind<Option<Track>>,
    /// The latest date given, and when.
    latest: Option<(i64, SystemTime)>,
    jumps: Allowance,
}

#[derive(Clone, Copy, Debug)]
struct Track {
    /// The furthest of its timestamps, as sent.
    furthest: i64,
    arrived: SystemTime,
    /// By how much its timestamps have fallen behind the time that passed, up to [`STILL_MS`].
    behind: i64,
    by_arrival: bool,
    /// The last date given.
    dated: i64,
    /// What is added to its timestamps since they could be used again.
    offset: i64,
}

impl SenderClock {
    /// The date of a unit of `kind` that the sender dates `sent` and that arrives at `now`. It counts once
    /// [`SenderClock::keep`] is told.
    pub(crate) fn date(
        &mut self,
        kind: TrackKind,
        sent: i64,
        now: SystemTime,
        out: &mut Outputs,
    ) -> i64 {
        let arrival = self.arrival(now);
        let beside = self.tracks.of(other(kind)).map_or(0, |track| track.offset);
        let track = self.tracks.of_mut(kind).get_or_insert(Track {
            furthest: sent,
            arrived: now,
            behind: 0,
            by_arrival: false,
            dated: sent + beside,
            offset: beside,
        });
        track.keep_watch(sent, now);
        let arrival = arrival.max(track.dated);
        if !track.by_arrival && track.behind >= STILL_MS {
            track.by_arrival = true;
            out.fault(
                FaultKind::ClockUnusable,
                format!(
                    "{} timestamps stand still at {sent} ms; access units are dated by their arrival until they rise",
                    word(kind)
                ),
            );
        } else if track.by_arrival && track.behind == 0 {
            track.by_arrival = false;
            // Both tracks have one clock: where the other goes by it again, this one does as it does.
            let close = (sent + beside - arrival).abs() <= MAX_BACK_MS;
            track.offset = if close { beside } else { arrival - sent };
        }
        if track.by_arrival {
            arrival
        } else {
            sent + track.offset
        }
    }

    /// The date of a unit of `kind`, which it has got.
    pub(crate) fn keep(&mut self, kind: TrackKind, date: i64, now: SystemTime) {
        if let Some(track) = self.tracks.of_mut(kind) {
            track.dated = date;
        }
        let arrival = self.arrival(now);
        if self.latest.is_none() || date >= arrival || date < arrival - MAX_FORWARD_MS {
            self.latest = Some((date, now));
        }
    }

    /// Whether a discontinuity may begin because the clock has jumped with a unit of `kind`. If not, both tracks
    /// are dated by arrival until it has settled, this unit too.
    pub(crate) fn may_jump(&mut self, kind: TrackKind, now: SystemTime, out: &mut Outputs) -> bool {
        let at = MediaTime::from(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        let verdict = self.jumps.ask(at);
        if verdict == Verdict::Refused {
            out.fault(
                FaultKind::ClockUnusable,
                format!(
                    "the sender's clock jumped more than {} times within {}; access units are dated by their arrival \
                     until it has settled",
                    allowance::MOST,
                    allowance::PERIOD,
                ),
            );
        }
        let offset = self.tracks.of(kind).map_or(0, |track| track.offset);
        let tracks = [&mut self.tracks.video, &mut self.tracks.audio];
        for track in tracks.into_iter().flatten() {
            if verdict == Verdict::Granted {
                // Both go by the clock that has jumped.
                track.offset = offset;
            } else {
                track.by_arrival = true;
                track.behind = STILL_MS;
            }
        }
        verdict == Verdict::Granted
    }

    /// What the sender's clock shows at `now`, by what it last showed.
    fn arrival(&self, now: SystemTime) -> i64 {
        self.latest.map_or(0, |(latest, at)| {
            latest + since(at, now).min(MAX_SILENCE_MS)
        })
    }
}

impl Track {
    fn keep_watch(&mut self, sent: i64, now: SystemTime) {
        let passed = since(self.arrived, now).min(MAX_SILENCE_MS);
        self.arrived = now;
        let risen = sent - self.furthest;
        if (1..=MAX_FORWARD_MS).contains(&risen) {
            self.furthest = sent;
            self.behind = (self.behind + passed - risen * SLOWEST).max(0);
        } else if (-MAX_BACK_MS..=0).contains(&risen) {
            self.behind += passed;
        } else {
            // A jump is none of the progress that a clock has to make before it is used again.
            self.furthest = sent;
            self.behind = if self.by_arrival {
                STILL_MS
            } else {
                self.behind
            };
        }
        self.behind = self.behind.min(STILL_MS);
    }
}

/// Milliseconds from `earlier` to `later`; none if the clock was set back.
fn since(earlier: SystemTime, later: SystemTime) -> i64 {
    let passed = later.duration_since(earlier).unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}

const fn other(kind: TrackKind) -> TrackKind {
    match kind {
        TrackKind::Video => TrackKind::Audio,
        TrackKind::Audio => TrackKind::Video,
    }
}
