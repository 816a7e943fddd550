//! One value for video and one for audio: a publish has at most one track of each kind.

use media::TrackKind;

/// A value for each kind of track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerKind<T> {
    pub(crate) video: T,
    pub(crate) audio: T,
}

impl<T> PerKind<T> {
    pub(crate) const fn of(&self, kind: TrackKind) -> &T {
        match kind {
            TrackKind::Video => &self.video,
            TrackKind::Audio => &self.audio,
        }
    }

    pub(crate) const fn of_mut(&mut self, kind: TrackKind) -> &mut T {
        match kind {
            TrackKind::Video => &mut self.video,
            TrackKind::Audio => &mut self.audio,
        }
    }
}

/// The word for a kind in a fault's text.
pub(crate) const fn word(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
    }
}
