//! What may follow what at one playlist URL, over presentations and over lives of the gateway.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use e2e::media_playlist::MediaPlaylist;

use crate::gateway::{LINGER, Life, RESUME};

/// A presentation that was listed for less may not have been written down before a SIGKILL: the gateway does so
/// every second, on a busy machine less often.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// What came before.
#[derive(Debug, Default)]
pub(super) struct Succession {
    before: Option<Before>,
    /// Every URI there ever was.
    uris: HashSet<String>,
    /// Past every media sequence number, and every discontinuity sequence number, so far.
    next_sequence: u64,
    next_discontinuity: u64,
}

#[derive(Clone, Debug)]
struct Before {
    playlist: MediaPlaylist,
    life: Life,
    /// When its presentation was first seen, and when it was last seen.
    begun: Instant,
    at: Instant,
    /// When a load was last asked for that had no EXT-X-ENDLIST; `None` if there was none.
    alive: Option<Instant>,
}

/// What a load has brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// It does not go on from the load before.
    pub(super) broken: bool,
    /// EXT-X-ENDLIST is new.
    pub(super) ended: bool,
    /// It goes on from another life of the gateway.
    pub(super) restarted: bool,
}

impl Before {
    /// The gateway must know it after a SIGKILL.
    fn is_remembered(&self) -> bool {
        !self.playlist.ended && self.at.saturating_duration_since(self.begun) > WRITTEN_WITHIN
    }
}

impl Succession {
    /// The last load.
    pub(super) fn before(&self) -> Option<&MediaPlaylist> {
        self.before.as_ref().map(|before| &before.playlist)
    }

    /// The first media sequence number that was not listed yet; `None` before the first load.
    pub(super) fn next(&self) -> Option<u64> {
        self.before.as_ref().map(|_| self.next_sequence)
    }

    /// Judges a load that was asked for at `asked`.
    ///
    /// # Errors
    /// It may not follow: why.
    ///
    /// # Panics
    /// It may not follow within one presentation.
    pub(super) fn follow(
        &mut self,
        playlist: &MediaPlaylist,
        life: Life,
        asked: Instant,
    ) -> Result<Step, String> {
        let mut step = Step::default();
        if let Some(before) = &self.before {
            let same_life = before.life.number == life.number;
            if same_life && (!before.playlist.ended || playlist.sequence < self.next_sequence) {
                playlist.assert_follows(&before.playlist);
            } else {
                step.broken = true;
                self.goes_higher(playlist)?;
            }
            if !same_life && before.is_remembered() {
                step.restarted = true;
                self.goes_on(playlist, life, &before.playlist)?;
            }
        }
        if step.broken && !step.restarted {
            // Another presentation.
            self.before = None;
        }
        step.ended = playlist.ended && !self.before().is_some_and(|before| before.ended);
        self.accept(playlist, life, asked);
        Ok(step)
    }

    /// Goes on from a load, whatever it is.
    pub(super) fn accept(&mut self, playlist: &MediaPlaylist, life: Life, asked: Instant) {
        for (sequence, discontinuity, entry) in playlist.numbered() {
            self.next_sequence = self.next_sequence.max(sequence + 1);
            self.next_discontinuity = self.next_discontinuity.max(discontinuity + 1);
            self.uris.insert(entry.uri.clone());
        }
        let before = self.before.as_ref();
        let alive = if playlist.ended {
            before.and_then(|before| before.alive)
        } else {
            Some(asked)
        };
        self.before = Some(Before {
            begun: before.map_or_else(Instant::now, |before| before.begun),
            at: asked,
            alive,
            playlist: playlist.clone(),
            life,
        });
    }

    /// Another presentation, or another life: no number and no URI was there before.
    fn goes_higher(&self, playlist: &MediaPlaylist) -> Result<(), String> {
        let first = playlist.numbered().next();
        let discontinuity = first.map_or(0, |(_, discontinuity, _)| discontinuity);
        if playlist.sequence < self.next_sequence || discontinuity < self.next_discontinuity {
            return Err(format!(
                "media sequence {} and discontinuity sequence {discontinuity} begin below {} and {}",
                playlist.sequence, self.next_sequence, self.next_discontinuity
            ));
        }
        let twice = playlist
            .entries
            .iter()
            .find(|entry| self.uris.contains(&entry.uri));
        twice.map_or(Ok(()), |entry| Err(format!("{} is used twice", entry.uri)))
    }

    /// What was live goes on over a restart, as long as its publisher was waited for.
    fn goes_on(
        &self,
        playlist: &MediaPlaylist,
        life: Life,
        before: &MediaPlaylist,
    ) -> Result<(), String> {
        if life.since.elapsed() > RESUME {
            // It may be another presentation.
            return Ok(());
        }
        if playlist.target != before.target {
            return Err(format!(
                "the target duration is {} after a restart, and was {}",
                playlist.target, before.target
            ));
        }
        if !playlist
            .entries
            .first()
            .is_some_and(|entry| entry.discontinuity)
        {
            return Err("no EXT-X-DISCONTINUITY after a restart".to_owned());
        }
        Ok(())
    }

    /// Judges a 404 that came at `came`.
    ///
    /// # Errors
    /// There must be a playlist: why.
    pub(super) fn absent(&self, life: Life, came: Instant) -> Result<(), String> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        if before.life.number == life.number {
            if !before.playlist.ended {
                return Err("404, and EXT-X-ENDLIST was never there".to_owned());
            }
            // At the most: it ended some time after this.
            let lingered = before
                .alive
                .map(|alive| came.saturating_duration_since(alive));
            return match lingered.filter(|lingered| *lingered < LINGER) {
                Some(lingered) => Err(format!("404 within {lingered:?} of EXT-X-ENDLIST")),
                None => Ok(()),
            };
        }
        // What had ended is not remembered; what was live waits for its publisher.
        let waited = came.saturating_duration_since(life.since);
        if before.is_remembered() && waited < RESUME {
            return Err(format!("404 {waited:?} after a restart, of what was live"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
