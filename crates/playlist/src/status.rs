//! What a publish looks like from inside, for the status API.

use std::net::SocketAddr;
use std::time::SystemTime;

use media::{Advice, Arrivals, Cadence, Faults, Name, Track};

/// A publish as last reported by its pipeline: measured values, at most a second old.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishStatus {
    /// The encoder's address.
    pub address: SocketAddr,
    /// What the encoder calls itself, from its metadata or its `connect`.
    pub encoder: Option<String>,
    /// The properties of its last `onMetaData`, as text: what the encoder says of itself, not what was
    /// measured.
    pub metadata: Vec<(String, String)>,
    /// When the publish was accepted.
    pub since: SystemTime,
    /// Bytes of its media messages.
    pub bytes: u64,
    /// Media bit rate over the last seconds, bit/s.
    pub bit_rate_current: u64,
    /// Media bit rate since it began, bit/s.
    pub bit_rate_average: u64,
    /// When its media come; `None` where its timestamps are those of another publish, and before that was measured.
    pub arrivals: Option<Arrivals>,
    /// Its tracks with what was measured of each.
    pub tracks: Vec<(Track, Cadence)>,
    /// What went wrong so far.
    pub faults: Faults,
    /// What its encoder shows of itself at present, the gravest first.
    pub advice: Vec<Advice>,
    /// What is made of it by transcoding; `None` where nothing is to be.
    pub transcoding: Option<Transcoding>,
}

/// How the transcoding of a publish is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcoding {
    /// The ladder's name in the configuration.
    pub ladder: String,
    /// What the transcoder does.
    pub state: TranscoderState,
    /// How often it has been started again.
    pub restarts: u64,
    /// Why it ended or left something out, the last time.
    pub last_error: Option<String>,
    /// The names of what it makes.
    pub rungs: Vec<Name>,
}

/// What a transcoder does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TranscoderState {
    /// It waits for a key frame to begin with.
    #[default]
    Waiting,
    /// It transcodes.
    Running,
    /// It has ended, and is started again after a pause.
    Pausing,
    /// There is nothing to make: renditions are higher than the source, or its pictures too large, or its name too long.
    Idle,
}

#[cfg(test)]
impl PublishStatus {
    /// A publish that has sent nothing yet.
    pub(crate) fn sample() -> Self {
        Self {
            address: SocketAddr::from(([192, 0, 2, 1], 50_000)),
            encoder: None,
            metadata: Vec::new(),
            since: SystemTime::UNIX_EPOCH,
            bytes: 0,
            bit_rate_current: 0,
            bit_rate_average: 0,
            arrivals: None,
            tracks: Vec::new(),
            faults: Faults::default(),
            advice: Vec::new(),
            transcoding: None,
        }
    }
}
