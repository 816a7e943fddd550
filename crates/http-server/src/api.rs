//! The REST API, version 1: what is live, how it is doing, and the way to end it.

mod document;
mod same_site;
mod status;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use crate::replies::{self, Kind};
use crate::site::Sources;

/// What the handlers share.
struct Api {
    sources: Sources,
    /// When this was made: uptime does not follow the wall clock.
    since: Instant,
}

/// The routes below `/api/v1`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(sources: Sources) -> Router<S> {
    let api = Arc::new(Api {
        sources,
        since: Instant::now(),
    });
    Router::new()
        .route("/api/v1/openapi.json", get(document::show))
        .route("/api/v1/status", get(status::show))
        .route("/api/v1/streams", get(streams::list))
        .route(
            "/api/v1/streams/{*name}",
            get(streams::show_or_health)
                .delete(streams::disconnect)
                .fallback(streams::other_methods),
        )
        .with_state(api)
}

fn json(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("plain structs should serialise");
    replies::reply(Kind::Json, StatusCode::OK, Bytes::from(body))
}

fn problem(status: StatusCode, detail: &str) -> Response {
    replies::problem(status, detail)
}

#[cfg(test)]
mod tests;
