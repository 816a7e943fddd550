//! Everything that one listener serves: presentations, API, pages, health.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::{Method, StatusCode};
use playlist::Directory;

use crate::presentations::{Presentations, nothing_here};
use crate::readiness::{Phase, Readiness};
use crate::replies::{self, Kind};
use crate::request_path::{self, Target};
use crate::{About, Settings, Totals, api, pages};

/// Who a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Presentations and the player page: what may face the world while operators have a listener of
    /// their own.
    Viewers,
    /// All of it: presentations, API, pages.
    Operators,
}

/// What a site tells of.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The presentations.
    pub directory: Directory,
    /// The counters.
    pub totals: Arc<Totals>,
    /// What `/readyz` answers.
    pub readiness: Readiness,
    /// What `/api/v1/status` says of the gateway itself.
    pub about: About,
}

/// What a listener for `audience` serves.
pub fn router(sources: Sources, settings: &Settings, audience: Audience) -> Router {
    let presentations = Presentations::new(sources.directory.clone(), settings);
    let everybody = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz).with_state(sources.readiness.clone()))
        .route("/watch/{*name}", get(async || pages::watch()))
        .route("/assets/{*file}", get(asset))
        .route("/favicon.ico", get(asset));
    let all = match audience {
        Audience::Viewers => everybody,
        Audience::Operators => everybody
            .route("/", get(async || pages::list()))
            .merge(api::routes(sources)),
    };
    all.method_not_allowed_fallback(other_methods)
        .fallback(presentation)
        .with_state(Arc::new(presentations))
}

/// Whatever is no route: names of presentations are the users'.
async fn presentation(
    State(presentations): State<Arc<Presentations>>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    if head.method == Method::OPTIONS {
        return replies::preflight(replies::SHARED_METHODS);
    }
    let response = match request_path::parse(head.uri.path()) {
        Target::Media(_) if !matches!(head.method, Method::GET | Method::HEAD) => {
            replies::method_not_allowed(&head.method, replies::SHARED_METHODS)
        }
        Target::Media(path) => presentations.answer(path, &head).await,
        Target::Reserved | Target::Nothing => nothing_here(),
        Target::TooLong => {
            let detail = format!(
                "no path is longer than {} bytes",
                request_path::MAX_PATH_BYTES
            );
            replies::problem(StatusCode::URI_TOO_LONG, &detail)
        }
    };
    if head.method == Method::HEAD {
        replies::without_body(response)
    } else {
        response
    }
}

/// Methods that a route does not have, and the preflight, which all have.
async fn other_methods(method: Method) -> Response {
    if method == Method::OPTIONS {
        replies::preflight(replies::SHARED_METHODS)
    } else {
        replies::method_not_allowed(&method, replies::SHARED_METHODS)
    }
}

async fn asset(request: Request) -> Response {
    pages::asset(request.uri().path())
}

/// The process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"))
)]
pub(crate) async fn healthz() -> Response {
    replies::reply(Kind::Health, StatusCode::OK, Bytes::from_static(b"ok\n"))
}

/// It wants work.
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "It does", body = String, content_type = "text/plain"),
        (status = 503, description = "It is starting, or leaving", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn readyz(State(readiness): State<Readiness>) -> Response {
    let (status, text): (_, &[u8]) = match readiness.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, b"starting\n"),
        Phase::Ready => (StatusCode::OK, b"ready\n"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, b"draining\n"),
    };
    replies::reply(Kind::Health, status, Bytes::from_static(text))
}

#[cfg(test)]
mod tests;
