//! What a publish has of its presentation: the right to write it, or the hope to.

use std::time::{Instant, SystemTime};

use media::PresentationName;
use playlist::{Backup, OnConflict, Refused, Terms, Writer};

use crate::house::House;

/// What a publish has of its presentation.
pub(super) enum Seat {
    /// The right to write it.
    Writing(Writer),
    /// The hope to: its segments are cut and let go, so that it can begin at once.
    StandingBy(#[expect(dead_code, reason = "it counts for as long as it is held")] Backup),
}

impl Seat {
    pub(super) fn find(
        name: &PresentationName,
        terms: &Terms,
        house: &House,
    ) -> Result<Self, Refused> {
        let registry = &house.registry;
        match registry.publish(name, terms, Instant::now()) {
            Ok(writer) => Ok(Self::Writing(writer)),
            Err(Refused::Occupied) if terms.on_conflict == OnConflict::Backup => {
                Self::behind(name, house).ok_or(Refused::Occupied)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Behind whoever has the name; `None` if nobody has.
    pub(super) fn behind(name: &PresentationName, house: &House) -> Option<Self> {
        let there = house.registry.directory().find(name)?;
        Some(Self::StandingBy(there.stand_by()))
    }

    /// When what is listed ends, by the wall clock: in segments, and in parts.
    pub(super) fn listed_until(&self) -> [Option<SystemTime>; 2] {
        let Self::Writing(writer) = self else {
            return [None; 2];
        };
        let presentation = writer.presentation();
        [
            presentation.window().listed_until(),
            presentation.low_latency_window().listed_until(),
        ]
    }
}
