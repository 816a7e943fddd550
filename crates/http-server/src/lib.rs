//! HTTP: playlists and segments for players, the status API and pages for operators.
//!
//! [`router`] is what a listener serves, a value that is tested without a socket; [`serve`] is the
//! accept loop around it. What does not belong here: anything of RTMP or FLV, and any way to change media.

mod about;
mod api;
mod directives;
#[cfg(test)]
mod fixture;
mod listener;
mod negotiation;
mod pages;
mod pieces;
mod presentations;
mod readiness;
mod replies;
#[doc(hidden)]
#[deny(clippy::indexing_slicing, clippy::unwrap_used)]
pub mod request_path;
mod settings;
mod site;
mod time;
mod totals;

pub use about::{About, Limits};
pub use listener::{Drained, Scheme, serve};
pub use readiness::{Phase, Readiness};
pub use settings::Settings;
pub use site::{Audience, Sources, router};
pub use totals::{Counter, Gauge, Totals};
