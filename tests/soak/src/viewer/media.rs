//! What must be true of a segment and of two that follow one another.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use e2e::media_playlist::Entry;
use e2e::transport::Transport;

use crate::checked::checked;
use crate::segment::{self, Found, apart};

/// EXTINF is the media's length to a millisecond and a tick of 90 kHz.
const EXACT: i64 = 90 + 1;
/// Where nothing follows, it is the length of what is in it, to a picture, a frame of sound and what
/// timestamps in disorder do to the last ones.
const ABOUT: i64 = 100 * 90;

/// What is known of the segment before.
#[derive(Debug)]
struct Before {
    uri: String,
    /// EXTINF, ticks.
    duration: i64,
    start: u64,
    /// The last moment at which something is presented, from `start`.
    last: i64,
    /// By how much its pictures, or its sound, were sent at a wrong time: ticks.
    slack: i64,
}

/// The media of one playlist, segment after segment.
#[derive(Debug, Default)]
pub(super) struct Media {
    transport: Transport,
    before: Option<Before>,
    /// The last decode time of pictures and of sound.
    decoded: BTreeMap<bool, u64>,
}

/// What a segment holds, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) units: Vec<Found>,
    pub(super) violations: Vec<String>,
}

impl Media {
    /// What comes next does not follow what came before.
    pub(super) fn begin_again(&mut self) {
        *self = Self::default();
    }

    /// Judges the next segment. `slack` says by how many milliseconds a unit was sent at a wrong time on purpose:
    /// such a picture may be presented before that which its segment begins with.
    pub(super) fn judge(
        &mut self,
        entry: &Entry,
        independent: bool,
        body: &[u8],
        slack: impl Fn(&Found) -> i64,
    ) -> Judged {
        let mut judged = Judged::default();
        let before = self.before.take();
        if entry.discontinuity {
            self.begin_again();
        }
        let transport = &mut self.transport;
        match checked(AssertUnwindSafe(|| transport.read(body))) {
            Ok(read) if independent && read.has_video() && !read.random_access => judged
                .violations
                .push("does not begin with a random access".to_owned()),
            Ok(_) => {}
            Err(why) => {
                judged.violations.push(why);
                self.transport = Transport::default();
            }
        }
        match segment::read(body) {
            Ok(units) => judged.units = units,
            Err(why) => {
                judged.violations.push(why);
                return judged;
            }
        }
        let units = &judged.units;
        let video = units.iter().any(|unit| unit.video);
        let leading = units.iter().filter(|unit| unit.video == video);
        let Some(start) = leading
            .map(|unit| unit.pts)
            .min_by(|a, b| apart(*a, *b).cmp(&0))
        else {
            judged.violations.push("is empty".to_owned());
            return judged;
        };
        let last = units.iter().map(|unit| apart(unit.pts, start)).max();
        let leading = units.iter().filter(|unit| unit.video == video);
        let now = Before {
            uri: entry.uri.clone(),
            duration: i64::try_from(entry.duration_ms).unwrap_or(i64::MAX) * 90,
            start,
            last: last.unwrap_or(0),
            slack: leading.map(slack).max().unwrap_or(0) * 90,
        };
        if let Some(before) = before
            && !entry.discontinuity
        {
            let long = apart(now.start, before.start);
            if (long - before.duration).abs() > EXACT + before.slack.max(now.slack) {
                let track = |video: bool| {
                    let mut times = units
                        .iter()
                        .filter(|unit| unit.video == video)
                        .map(|unit| apart(unit.pts, before.start) / 90);
                    let first = times.next();
                    (first, times.max().or(first))
                };
                judged.violations.push(format!(
                    "begins {} ms after {}, whose EXTINF is {} ms: pictures {:?}, sound {:?}",
                    long / 90,
                    before.uri,
                    before.duration / 90,
                    track(true),
                    track(false)
                ));
            }
        }
        if now.last > now.duration + ABOUT {
            judged.violations.push(format!(
                "lasts {} ms by EXTINF, and something in it is presented after {} ms",
                now.duration / 90,
                now.last / 90
            ));
        }
        for unit in units {
            if let Some(last) = self.decoded.insert(unit.video, unit.dts)
                && apart(unit.dts, last) <= 0
            {
                let what = if unit.video { "pictures" } else { "sound" };
                judged.violations.push(format!(
                    "decode times of {what} do not rise: {} after {last}",
                    unit.dts
                ));
            }
        }
        self.before = Some(now);
        judged
    }
}
