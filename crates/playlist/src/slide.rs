//! How a window slides: what leaves the playlist, and how long it is still served.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use media::MediaTime;

use crate::{Settings, TargetDuration};

/// A segment stays listed for so many target durations of the clock, even if others push on: a player that
/// reloads once in a target duration sees it, and still does when it is late by as much.
const LISTED_FOR: u32 = 2;

/// What a publish much faster than the clock may list of that, in windows: eight times real time fits.
const MOST_WINDOWS: usize = 4;

/// What a window holds: segments in the form of one rendition.
pub(crate) trait Held {
    fn duration(&self) -> MediaTime;
    /// When it was listed, by the monotonic clock.
    fn listed_at(&self) -> Instant;
    /// Bytes while it is still served, bodies not counted.
    fn cost(&self) -> u64;
    /// Bytes while it is listed.
    fn listed_cost(&self) -> u64;
}

/// A segment that left the playlist and is still served until `until` (RFC 8216 §6.2.2).
#[derive(Debug)]
pub(crate) struct Removed<T> {
    pub(crate) entry: Arc<T>,
    pub(crate) until: Instant,
}

impl<T> Clone for Removed<T> {
    fn clone(&self) -> Self {
        Self {
            entry: Arc::clone(&self.entry),
            until: self.until,
        }
    }
}

/// What is listed after [`slide`].
pub(crate) struct Listed {
    pub(crate) bytes: u64,
    /// It would be more, but for [`Settings::listed_bytes`].
    pub(crate) shortened: bool,
}

/// Moves what no longer fits from the playlist to the removed segments, and lets go of those whose time
/// is over: a removed segment is served for its own duration and that of the longest playlist that held
/// it (RFC 8216 §6.2.2). The playlist never shrinks below three target durations.
pub(crate) fn slide<T: Held>(
    listed: &mut VecDeque<Arc<T>>,
    removed: &mut VecDeque<Removed<T>>,
    settings: &Settings,
    target: TargetDuration,
    now: Instant,
) -> Listed {
    let three_targets = target.span() + target.span() + target.span();
    let seen_after = LISTED_FOR * target.span().to_duration();
    let window = settings.window.max(1);
    let mut held: MediaTime = listed.iter().map(|entry| entry.duration()).sum();
    let mut bytes: u64 = listed.iter().map(|entry| entry.listed_cost()).sum();
    let mut shortened = false;
    while let Some(oldest) = listed.front().cloned() {
        if listed.len() == 1 || held - oldest.duration() < three_targets {
            break;
        }
        let seen = now.saturating_duration_since(oldest.listed_at()) >= seen_after;
        let surplus = listed.len() > window && (seen || listed.len() > MOST_WINDOWS * window);
        if !surplus && bytes <= settings.listed_bytes {
            break;
        }
        shortened |= !surplus;
        listed.pop_front();
        let until = now + (oldest.duration() + held).to_duration();
        held -= oldest.duration();
        bytes -= oldest.listed_cost();
        removed.push_back(Removed {
            entry: oldest,
            until,
        });
    }
    let listed = Listed { bytes, shortened };
    let mut bytes: u64 = removed.iter().map(|removed| removed.entry.cost()).sum();
    while let Some(oldest) = removed.front() {
        if oldest.until > now && bytes <= settings.removed_bytes {
            break;
        }
        bytes -= oldest.entry.cost();
        removed.pop_front();
    }
    listed
}
