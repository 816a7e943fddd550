//! A presentation's place in its ladder, as JSON.

use playlist::{Directory, Form, Presentation, RungStanding};
use serde::Serialize;
use utoipa::ToSchema;

/// The ladder that a presentation is a rung of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rung {
    /// The ladder's application and name.
    ladder: String,
    /// The path of the multivariant playlist that has the rungs as variants.
    playlist: String,
    standing: Standing,
    /// Why it is no variant, and what to change; null where it is one, or nothing can be said.
    reason: Option<String>,
}

/// How a rung stands in its ladder.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// A variant, with which the others are compared.
    Leads,
    /// A variant.
    Fits,
    /// No variant: it does not go with the others, as `reason` says.
    Misfits,
    /// No variant yet: it lists nothing.
    Empty,
    /// No variant: its encoder is away, or nothing of it has been listed for some segments.
    Away,
}

impl Rung {
    /// `None` for what is no rung, and alone.
    pub(super) fn of(presentation: &Presentation, directory: &Directory) -> Option<Self> {
        let ladder = directory.ladder_over(presentation.name())?;
        let standings = ladder.standings(Form::Classic);
        let mut rungs = ladder.rungs().iter().zip(standings);
        let (_, standing) =
            rungs.find(|(rung, _)| rung.presentation.name() == presentation.name())?;
        let (standing, reason) = match standing {
            RungStanding::Leads => (Standing::Leads, None),
            RungStanding::Fits => (Standing::Fits, None),
            RungStanding::Misfits(why) => (Standing::Misfits, Some(why.to_string())),
            RungStanding::Empty => (Standing::Empty, None),
            RungStanding::Away => (Standing::Away, None),
        };
        Some(Self {
            playlist: format!("/{}/index.m3u8", ladder.name()),
            ladder: ladder.name().to_string(),
            standing,
            reason,
        })
    }
}
