//! What is made of a publish by transcoding, as JSON.

use media::Name;
use playlist::{TranscoderState, Transcoding};
use serde::Serialize;
use utoipa::ToSchema;

/// The ffmpeg that makes a ladder of a publish.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Transcoder {
    /// The ladder's name in the configuration.
    ladder: String,
    state: Doing,
    /// How often it has been started again.
    restarts: u64,
    /// Why it ended, or left something out, the last time; null if it never has.
    last_error: Option<String>,
    /// The names, within the application, of what it makes of the source.
    rungs: Vec<String>,
}

/// What a transcoder does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Doing {
    /// It waits for a key frame to begin with.
    Waiting,
    /// It transcodes.
    Running,
    /// It has ended, and is started again after a pause.
    Pausing,
    /// There is nothing to make: renditions are higher than the source, or its pictures too large, or its name too long.
    Idle,
}

impl Transcoder {
    pub(super) fn of(transcoding: &Transcoding) -> Self {
        Self {
            ladder: transcoding.ladder.clone(),
            state: match transcoding.state {
                TranscoderState::Waiting => Doing::Waiting,
                TranscoderState::Running => Doing::Running,
                TranscoderState::Pausing => Doing::Pausing,
                TranscoderState::Idle => Doing::Idle,
            },
            restarts: transcoding.restarts,
            last_error: transcoding.last_error.clone(),
            rungs: transcoding.rungs.iter().map(Name::to_string).collect(),
        }
    }
}
