//! How a presentation is doing in one word, and in words what its encoder should change.

use std::cmp::Reverse;

use media::{AdviceKind, Severity};
use playlist::{Ladder, Presentation, PublishStatus, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::stream::Life;
use crate::time::rfc3339;

/// How a presentation is doing, and what its encoder should change.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Health {
    /// The application, with its instance if it has one.
    app: String,
    /// The name within the application.
    name: String,
    state: Life,
    status: HealthStatus,
    /// The time of this answer by the gateway's clock, to hold the times below against.
    #[schema(format = DateTime)]
    at: String,
    /// When the publish began that this is about, the last one if nobody publishes; null if none has
    /// reported yet.
    #[schema(format = DateTime)]
    publishing_since: Option<String>,
    /// The gravest first, one of each kind at most, of a ladder for each rung; what has not been seen for a while goes
    /// away.
    advice: Vec<Advice>,
}

/// How a presentation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// Nothing is wrong; there may be hints.
    Good,
    /// Viewers get less than the encoder could give: later, rougher, or not on every device.
    Warning,
    /// Viewers see or hear nothing, or not without interruptions.
    Problem,
}

/// One thing that the encoder should change.
#[derive(Debug, Serialize, ToSchema)]
struct Advice {
    /// What it is about.
    #[schema(value_type = String, example = "key_frame_interval")]
    kind: &'static str,
    severity: AdviceSeverity,
    /// When it was first seen, without a longer pause since.
    #[schema(format = DateTime)]
    since: String,
    /// When it was last seen.
    #[schema(format = DateTime)]
    last: String,
    /// How often it was seen since: in how many segments, or how many times it happened.
    times: u64,
    /// What is seen, with figures: a sentence.
    text: String,
    /// What to set, with the names that OBS Studio and ffmpeg have for it.
    remedy: String,
}

/// How much a piece of advice matters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AdviceSeverity {
    /// All is well, and could be better.
    Hint,
    /// Viewers get less than the encoder could give.
    Warning,
    /// Viewers see or hear nothing, or not without interruptions.
    Problem,
}

impl Health {
    pub(super) fn of(presentation: &Presentation, at: std::time::SystemTime) -> Self {
        let name = presentation.name();
        let status = presentation.status();
        Self {
            app: name.app.to_string(),
            name: name.name.to_string(),
            state: Life::of(presentation.state()),
            status: HealthStatus::of(status.as_ref()),
            at: rfc3339(at),
            publishing_since: status.as_ref().map(|status| rfc3339(status.since)),
            advice: status
                .iter()
                .flat_map(|status| &status.advice)
                .map(Advice::of)
                .collect(),
        }
    }
}

impl Health {
    /// Of a ladder that nobody publishes by its own name: what is said of all that is published of it, each by its name.
    pub(super) fn of_ladder(ladder: &Ladder, at: std::time::SystemTime) -> Self {
        let live = ladder.live().map(|rung| &rung.presentation);
        let reported: Vec<_> = live
            .filter_map(|it| Some((&it.name().name, it.status()?)))
            .collect();
        let mut said: Vec<_> = reported
            .iter()
            .flat_map(|(name, status)| status.advice.iter().map(move |it| (*name, it)))
            .collect();
        said.sort_by_key(|(_, advice)| Reverse(advice.severity));
        let statuses = || reported.iter().map(|(_, status)| status);
        let resumes = |state: State| state == State::Resuming;
        let mut states = ladder.rungs().iter().map(|it| it.presentation.state());
        let state = match ladder.live().next() {
            Some(_) => State::Live,
            None if states.any(resumes) => State::Resuming,
            None => State::Ended,
        };
        let worst = statuses().map(|status| HealthStatus::of(Some(status)));
        let since = statuses().map(|status| status.since).min();
        Self {
            app: ladder.name().app.to_string(),
            name: ladder.name().name.to_string(),
            state: Life::of(state),
            status: worst.max().unwrap_or(HealthStatus::Good),
            at: rfc3339(at),
            publishing_since: since.map(rfc3339),
            advice: said
                .into_iter()
                .map(|(name, advice)| Advice {
                    text: format!("{name}: {}", advice.text),
                    ..Advice::of(advice)
                })
                .collect(),
        }
    }
}

impl HealthStatus {
    /// The gravest advice decides; a presentation that has not reported yet is good.
    pub(super) fn of(status: Option<&PublishStatus>) -> Self {
        let advice = status.iter().flat_map(|status| &status.advice);
        match advice.map(|advice| advice.severity).max() {
            None | Some(Severity::Hint) => Self::Good,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Problem) => Self::Problem,
        }
    }
}

impl Advice {
    fn of(advice: &media::Advice) -> Self {
        Self {
            kind: AdviceKind::as_str(advice.kind),
            severity: match advice.severity {
                Severity::Hint => AdviceSeverity::Hint,
                Severity::Warning => AdviceSeverity::Warning,
                Severity::Problem => AdviceSeverity::Problem,
            },
            since: rfc3339(advice.since),
            last: rfc3339(advice.last),
            times: advice.times,
            text: advice.text.clone(),
            remedy: advice.remedy.clone(),
        }
    }
}
