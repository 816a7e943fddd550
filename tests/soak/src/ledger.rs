//! What was handed over, what came out, and what may be missing.
//!
//! Every access unit comes out once, in order, whole, and at its time, except for these, each of which
//! follows from the ledger alone and never from what came out:
//!
//! 1. *cut*: its last byte was not passed on before the connection was closed; where the connection was
//!    reset, frozen or taken over, not acknowledged by the gateway (RTMP 1.0 §5.4.3).
//! 2. *killed*: at the last look at the playlist before SIGKILL, nothing acknowledged was so far behind it
//!    that its segment must have been listed ([`LISTED_WITHIN_MS`]).
//! 3. *undecodable*: a picture without a random access before it since the clock began or jumped.
//! 4. *lead-in*: sound from more than 200 ms before the first random access of a run, and no longer before it
//!    than a segment lasts.
//! 5. *reconfigured*: the same of sound whose configuration has changed since the random access before:
//!    players start anew there, and need a picture to start with.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use crate::gateway::MAX_SEGMENT_SECONDS;
use crate::material::{Kind, Tag};
use crate::segment::{Found, apart};
use crate::stumble::Stumble;

/// The longest segment: half a second beyond the greatest target duration.
const LONGEST_MS: i64 = MAX_SEGMENT_SECONDS * 1_000 + 500;
/// With this much media behind it, a unit is in a listed segment: the longest there is, what one track may
/// wait for the other, and a picture.
const LISTED_WITHIN_MS: i64 = LONGEST_MS + 2_000 + 100;
/// Sound this long before the first picture is kept, give or take a frame.
const LEAD_IN_MS: i64 = 200 - 25;
/// Picture and sound may be apart from how they were published by so much, in ticks of 90 kHz: 20 ms.
const APART: i64 = 20 * 90;
/// A picture keeps its time to a millisecond and a tick.
const EXACT: i64 = 90 + 1;

/// An access unit that was handed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// What it is.
    pub(crate) kind: Kind,
    /// In each run the sender's clock goes on; a jump begins the next.
    pub(crate) run: u32,
    /// Decode time as sent, before it was cut to 32 bits.
    pub(crate) dts_ms: i64,
    /// Presentation time as sent.
    pub(crate) pts_ms: i64,
    /// Sound whose configuration is another than that of the sound before it.
    pub(crate) changed: bool,
    /// By how much its timestamp is wrong on purpose.
    pub(crate) slack_ms: i64,
    /// Bytes of the connection up to its last one.
    pub(crate) end: u64,
}

/// How far a session is known to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It goes on.
    None,
    /// The gateway read so many bytes to their end, and closed its side at this moment.
    Whole { bytes: u64, at: Instant },
    /// The gateway acknowledged so many bytes.
    Acknowledged { bytes: u64 },
}

/// One publish.
#[derive(Debug)]
pub(crate) struct Session {
    began: Instant,
    sent: Vec<Sent>,
    seen: Vec<bool>,
    /// What went wrong on purpose, from which unit on.
    stumbles: Vec<(usize, Stumble)>,
    /// Acknowledgements as they came, in bytes.
    acknowledged: Vec<(Instant, u64)>,
    end: End,
    /// For each run, how far the first unit came out from its timestamp, of video and of audio: ticks.
    offsets: BTreeMap<(u32, bool), i64>,
}

/// A SIGKILL as a viewer of this publisher saw it.
#[derive(Clone, Copy, Debug)]
struct Kill {
    at: Instant,
    /// When the last look began after which all that was listed had been fetched.
    looked: Option<Instant>,
}

/// Why units that are missing may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Excuse {
    Cut,
    Killed,
    Undecodable,
    LeadIn,
    Reconfigured,
}

impl Excuse {
    /// As the report has it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Cut => "cut before the gateway had it",
            Self::Killed => "in a segment that died with SIGKILL",
            Self::Undecodable => "pictures without a random access",
            Self::LeadIn => "sound before the first picture",
            Self::Reconfigured => "sound with a new header before a picture",
        }
    }
}

/// A unit that has not come out.
struct Missing {
    number: usize,
    unit: Sent,
    excuse: Option<Excuse>,
}

/// Units of one kind that should have come out, in a row.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    session: usize,
    video: bool,
    /// How many.
    pub(crate) count: u64,
    first: Sent,
    last: Sent,
    numbers: (usize, usize),
    /// What went wrong before them.
    pub(crate) after: Stumble,
    end: End,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.video {
            "pictures"
        } else {
            "frames of sound"
        };
        write!(
            f,
            "{} {what} of session {} are lost: {} to {}, sent in run {} at {} to {} ms, bytes {} to {}, {:?}",
            self.count,
            self.session,
            self.numbers.0,
            self.numbers.1,
            self.first.run,
            self.first.dts_ms,
            self.last.dts_ms,
            self.first.end,
            self.last.end,
            self.end
        )
    }
}

/// All sessions of one publisher.
#[derive(Debug)]
pub(crate) struct Book {
    publisher: usize,
    sessions: Vec<Session>,
    /// Sessions before this one are settled.
    open: usize,
    /// The last that came out, of sound and of pictures: session and number.
    last: [Option<(usize, usize)>; 2],
    kills: Vec<Kill>,
    /// Units that came out.
    pub(crate) out: u64,
    /// Units that are missing, and may be.
    pub(crate) excused: BTreeMap<Excuse, u64>,
}

impl Book {
    pub(crate) fn new(publisher: usize) -> Self {
        Self {
            publisher,
            sessions: Vec::new(),
            open: 0,
            last: [None; 2],
            kills: Vec::new(),
            out: 0,
            excused: BTreeMap::new(),
        }
    }

    /// Begins a session; gives its number.
    pub(crate) fn begin(&mut self) -> usize {
        self.sessions.push(Session {
            began: Instant::now(),
            sent: Vec::new(),
            seen: Vec::new(),
            stumbles: Vec::new(),
            acknowledged: Vec::new(),
            end: End::None,
            offsets: BTreeMap::new(),
        });
        self.sessions.len() - 1
    }

    /// The number of the next unit of the last session.
    pub(crate) fn next(&self) -> usize {
        self.sessions.last().map_or(0, |session| session.sent.len())
    }

    /// Enters a unit into the last session, before it is handed over.
    pub(crate) fn enter(&mut self, unit: Sent) {
        if let Some(session) = self.sessions.last_mut() {
            session.sent.push(unit);
            session.seen.push(false);
        }
    }

    /// The last session stumbles.
    pub(crate) fn stumble(&mut self, what: Stumble) {
        if let Some(session) = self.sessions.last_mut() {
            session.stumbles.push((session.sent.len(), what));
        }
    }

    /// The gateway has acknowledged so many bytes.
    pub(crate) fn acknowledge(&mut self, session: usize, bytes: u64) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.acknowledged.push((Instant::now(), bytes));
        }
    }

    /// Ends a session.
    pub(crate) fn end(&mut self, session: usize, end: End) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.end = end;
        }
    }

    /// What was acknowledged of a session.
    pub(crate) fn acknowledged(&self, session: usize) -> u64 {
        let session = self.sessions.get(session);
        session
            .and_then(|session| session.acknowledged.last())
            .map_or(0, |(_, bytes)| *bytes)
    }

    /// The gateway was killed; `looked` is when the last look began after which all that was listed had
    /// been fetched.
    pub(crate) fn killed(&mut self, at: Instant, looked: Option<Instant>) {
        self.kills.push(Kill { at, looked });
    }

    /// By how many milliseconds a unit that came out was sent at a wrong time on purpose.
    pub(crate) fn slack_ms(&self, found: &Found) -> i64 {
        let unit = found.tag().and_then(|tag| {
            let session = self.sessions.get(tag.session)?;
            session.sent.get(tag.number)
        });
        unit.map_or(0, |unit| unit.slack_ms)
    }

    /// Takes note of a unit that came out.
    ///
    /// # Errors
    /// It should not have, or not so: in words.
    pub(crate) fn note(&mut self, found: &Found) -> Result<(), String> {
        let tag = found
            .tag()
            .ok_or_else(|| format!("{} bytes that nobody sent", found.payload.len()))?;
        let name = || format!("unit {}:{} ({:?})", tag.session, tag.number, tag.kind);
        if tag.publisher != self.publisher {
            return Err(format!("{} is of publisher {}", name(), tag.publisher));
        }
        if tag.kind.is_video() != found.video || found.payload != tag.payload() {
            return Err(format!("{} is not as it was sent", name()));
        }
        let last = &mut self.last[usize::from(found.video)];
        if let Some(last) = *last
            && (tag.session, tag.number) <= last
        {
            let what = if (tag.session, tag.number) == last {
                "is there twice"
            } else {
                "is out of order"
            };
            return Err(format!("{} {what}, behind {last:?}", name()));
        }
        *last = Some((tag.session, tag.number));
        let Some(session) = self.sessions.get_mut(tag.session) else {
            return Err(format!("{} is of a session that never was", name()));
        };
        let Some(unit) = session.sent.get(tag.number).copied() else {
            return Err(format!("{} was never sent, or is long settled", name()));
        };
        if unit.kind != tag.kind {
            return Err(format!("{} was sent as {:?}", name(), unit.kind));
        }
        session.seen[tag.number] = true;
        self.out += 1;
        session
            .on_time(&unit, found, tag)
            .map_err(|why| format!("{} {why}", name()))
    }

    /// Judges the sessions before the one that came out last, or all; gives what is missing without excuse.
    pub(crate) fn settle(&mut self, all: bool) -> Vec<Lost> {
        let newest = self.last.iter().flatten().map(|(session, _)| *session);
        let until = if all {
            self.sessions.len()
        } else {
            newest.max().unwrap_or(0)
        };
        let mut lost: Vec<Lost> = Vec::new();
        while self.open < until {
            let index = self.open;
            self.open += 1;
            let Some(session) = self.sessions.get_mut(index) else {
                break;
            };
            for missing in session.missing(&self.kills) {
                match missing.excuse {
                    Some(excuse) => *self.excused.entry(excuse).or_default() += 1,
                    None => session.lose(index, &missing, &mut lost),
                }
            }
            session.sent = Vec::new();
            session.seen = Vec::new();
            session.acknowledged = Vec::new();
        }
        lost
    }

    /// Whether all of the last session that must come out has.
    pub(crate) fn is_complete(&self) -> bool {
        let missing = self
            .sessions
            .last()
            .map(|session| session.missing(&self.kills));
        missing
            .into_iter()
            .flatten()
            .all(|missing| missing.excuse.is_some())
    }
}

impl Session {
    fn on_time(&mut self, unit: &Sent, found: &Found, tag: Tag) -> Result<(), String> {
        let sent = (unit.pts_ms.rem_euclid(1 << 33) * 90).rem_euclid(1 << 33);
        let offset = apart(found.pts, sent.unsigned_abs());
        let slack = unit.slack_ms * 90;
        if unit.slack_ms == 0 {
            if !self.offsets.contains_key(&(unit.run, found.video)) && tag.kind == Kind::Picture {
                return Err("is the first picture of its run, and nothing to begin with".to_owned());
            }
            self.offsets
                .entry((unit.run, found.video))
                .or_insert(offset);
        }
        for video in [true, false] {
            let Some(first) = self.offsets.get(&(unit.run, video)) else {
                continue;
            };
            let by = (offset - first).abs();
            let limit = if video && found.video { EXACT } else { APART };
            if by > limit + slack {
                let other = if video { "pictures" } else { "sound" };
                return Err(format!(
                    "is {} ms off against the {other} of its run {}, where it was sent at {} ms",
                    by / 90,
                    unit.run,
                    unit.pts_ms
                ));
            }
        }
        Ok(())
    }

    /// Enters a lost unit, beside the one before of its kind.
    fn lose(&self, index: usize, missing: &Missing, lost: &mut Vec<Lost>) {
        let video = missing.unit.kind.is_video();
        let before = lost.iter_mut().rev().find(|one| one.video == video);
        let beside = |one: &&mut Lost| {
            let between = self.sent.get(one.numbers.1 + 1..missing.number);
            one.session == index
                && between
                    .is_some_and(|units| units.iter().all(|unit| unit.kind.is_video() != video))
        };
        if let Some(one) = before.filter(beside) {
            one.count += 1;
            one.last = missing.unit;
            one.numbers.1 = missing.number;
            return;
        }
        let mut stumbles = self.stumbles.iter().rev();
        let after = stumbles.find(|(from, _)| *from <= missing.number);
        lost.push(Lost {
            session: index,
            video,
            count: 1,
            first: missing.unit,
            last: missing.unit,
            numbers: (missing.number, missing.number),
            after: after.map_or(Stumble::None, |(_, what)| *what),
            end: self.end,
        });
    }

    /// Units that have not come out, each with its excuse if it has one.
    fn missing(&self, kills: &[Kill]) -> Vec<Missing> {
        let kill = kills.iter().find(|kill| kill.at >= self.began);
        let safe = kill.map(|kill| self.safe(kill));
        let delivered = match self.end {
            End::None => 0,
            End::Whole { bytes, .. } | End::Acknowledged { bytes } => bytes,
        };
        let arrived = |unit: &Sent| unit.end <= delivered;
        let leads = self.leads(arrived);
        let mut missing = Vec::new();
        // The run in which pictures can be decoded.
        let mut decodable = None;
        for (number, unit) in self.sent.iter().enumerate() {
            let mut excuse = leads.get(&number).copied();
            if unit.kind == Kind::Key {
                decodable = Some(unit.run);
            } else if unit.kind == Kind::Picture && decodable != Some(unit.run) {
                excuse = Some(Excuse::Undecodable);
            }
            if !arrived(unit) {
                excuse = Some(Excuse::Cut);
            } else if safe.is_some_and(|safe| number >= safe) {
                excuse = Some(Excuse::Killed);
            }
            if !self.seen.get(number).copied().unwrap_or(false) {
                missing.push(Missing {
                    number,
                    unit: *unit,
                    excuse,
                });
            }
        }
        missing
    }

    /// Sound that may go because no picture has come that it could begin with: from the beginning of a run, or
    /// from a new configuration on, up to shortly before the next random access. When none comes, the last
    /// of it may go with the run.
    fn leads(&self, arrived: impl Fn(&Sent) -> bool) -> BTreeMap<usize, Excuse> {
        let mut may_go = BTreeMap::new();
        let mut waiting: Vec<(usize, i64)> = Vec::new();
        let mut why = Excuse::LeadIn;
        let mut waits = true;
        let mut pictures = false;
        let mut run = 0;
        // Up to a picture, or to where the last of it ends.
        let mut settle = |waiting: &mut Vec<(usize, i64)>, picture: Option<i64>, why: Excuse| {
            let end = waiting.last().map_or(0, |(_, pts)| pts + LEAD_IN_MS);
            let picture = picture.unwrap_or(end);
            for (number, pts) in waiting.drain(..) {
                if (LEAD_IN_MS..=LONGEST_MS + LEAD_IN_MS).contains(&(picture - pts)) {
                    may_go.insert(number, why);
                }
            }
        };
        for (number, unit) in self.sent.iter().enumerate() {
            if !arrived(unit) {
                break;
            }
            if unit.run != run {
                if pictures {
                    settle(&mut waiting, None, why);
                }
                waiting.clear();
                (run, why, waits, pictures) = (unit.run, Excuse::LeadIn, true, false);
            }
            pictures |= unit.kind.is_video();
            if unit.kind == Kind::Key {
                settle(&mut waiting, Some(unit.pts_ms), why);
                waits = false;
            }
            if unit.changed && !waits {
                (why, waits) = (Excuse::Reconfigured, true);
            }
            if unit.kind == Kind::Sound && waits {
                waiting.push((number, unit.pts_ms));
            }
        }
        if pictures {
            settle(&mut waiting, None, why);
        }
        may_go
    }

    /// How many units were in listed segments for certain when the gateway was last looked at before `kill`.
    fn safe(&self, kill: &Kill) -> usize {
        let Some(looked) = kill.looked else { return 0 };
        if matches!(self.end, End::Whole { at, .. } if at < looked) {
            return usize::MAX;
        }
        let acknowledged = self
            .acknowledged
            .iter()
            .rev()
            .find(|(at, _)| *at < looked)
            .map_or(0, |(_, bytes)| *bytes);
        let known = self.sent.partition_point(|unit| unit.end <= acknowledged);
        let Some(newest) = known.checked_sub(1).and_then(|last| self.sent.get(last)) else {
            return 0;
        };
        self.sent[..known]
            .iter()
            .position(|unit| {
                unit.run == newest.run && newest.dts_ms - unit.dts_ms <= LISTED_WITHIN_MS
            })
            .unwrap_or(known)
    }
}

#[cfg(test)]
mod tests;
