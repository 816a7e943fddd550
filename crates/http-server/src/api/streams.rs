//! `/api/v1/streams`: the presentations, and the way to disconnect a publisher.

mod health;
mod rung;
mod stream;
mod transcoder;

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, Uri};
use media::PresentationName;
use playlist::{Dismissal, Presentation};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, json, problem, same_site};
use crate::replies::{self, Kind};
use crate::request_path;
use health::Health;
pub(super) use stream::Stream;

const PREFIX: &str = "/api/v1/streams/";

/// What stands behind a presentation's name where its health is asked for.
const HEALTH: &str = "/health";

/// What one presentation can be asked for.
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS";

/// All presentations, sorted by application and name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Streams {
    streams: Vec<Stream>,
}

/// An error, as RFC 9457 lays it out.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the replies' table writes it; this documents it")]
pub(super) struct Problem {
    /// Always `about:blank`: the status says it all.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: String,
}

/// All presentations, live ones and those that can still be fetched.
#[utoipa::path(
    get,
    path = "/api/v1/streams",
    responses((status = 200, description = "All presentations, sorted by application and name", body = Streams))
)]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let all = api.sources.directory.all();
    json(&Streams {
        streams: all
            .iter()
            .map(|presentation| Stream::of(presentation, &api.sources.directory))
            .collect(),
    })
}

/// One presentation.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{app}/{name}",
    params(
        ("app" = String, Path, description = "The application; one with an instance has a slash in it, which may be sent as it is or encoded: `live/studio-2`, `live%2Fstudio-2`"),
        ("name" = String, Path, description = "The presentation's name"),
    ),
    responses(
        (status = 200, description = "The presentation", body = Stream),
        (status = 404, description = "There is none of this name", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(State(api): State<Arc<Api>>, uri: Uri) -> Response {
    match find(&api, path(&uri)) {
        Ok(presentation) => json(&Stream::of(&presentation, &api.sources.directory)),
        Err(detail) => problem(StatusCode::NOT_FOUND, &detail),
    }
}

/// How one presentation is doing, and what its encoder should change. Of one whose publisher has left, what
/// was so when it left. Of a ladder that nobody publishes by its own name, what all that is published of it should.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{app}/{name}/health",
    params(
        ("app" = String, Path, description = "The application; one with an instance has a slash in it, which may be sent as it is or encoded: `live/studio-2`, `live%2Fstudio-2`"),
        ("name" = String, Path, description = "The presentation's name"),
    ),
    responses(
        (status = 200, description = "Its health", body = Health),
        (status = 404, description = "There is none of this name", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn health(State(api): State<Arc<Api>>, uri: Uri) -> Response {
    let (path, now) = (health_path(&uri).unwrap_or_default(), SystemTime::now());
    match find(&api, path) {
        Ok(presentation) => json(&Health::of(&presentation, now)),
        Err(detail) => {
            let name = name_in(path).ok();
            match name.and_then(|name| api.sources.directory.ladder(&name)) {
                Some(ladder) => json(&Health::of_ladder(&ladder, now)),
                None => problem(StatusCode::NOT_FOUND, &detail),
            }
        }
    }
}

/// [`health`] or [`show`]: an application may have an instance, so no router can tell them apart. Where both
/// are possible it is the health of what exists; `live%2Fin/health` is always the stream called health.
pub(super) async fn show_or_health(api: State<Arc<Api>>, uri: Uri) -> Response {
    let named = health_path(&uri)
        .is_some_and(|named| find(&api, named).is_ok() || find(&api, path(&uri)).is_err());
    if named {
        health(api, uri).await
    } else {
        show(api, uri).await
    }
}

/// Disconnects the publisher of a presentation. What it sent stays as if it had left by itself.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{app}/{name}",
    params(
        ("app" = String, Path, description = "The application; one with an instance has a slash in it, which may be sent as it is or encoded: `live/studio-2`, `live%2Fstudio-2`"),
        ("name" = String, Path, description = "The presentation's name"),
    ),
    responses(
        (status = 204, description = "The publisher is being disconnected"),
        (status = 403, description = "A page of another site asked for it", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none of this name", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody publishes it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn disconnect(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if same_site::is_cross_site(&uri, &headers) {
        return problem(
            StatusCode::FORBIDDEN,
            "only the gateway's own pages may disconnect a publisher, not those of another site",
        );
    }
    match find(&api, path(&uri)) {
        Ok(presentation) if presentation.dismiss(Dismissal::Operator) => {
            replies::reply(Kind::Empty, StatusCode::NO_CONTENT, bytes::Bytes::new())
        }
        Ok(presentation) => {
            let detail = format!("nobody publishes {} at the moment", presentation.name());
            problem(StatusCode::CONFLICT, &detail)
        }
        Err(detail) => problem(StatusCode::NOT_FOUND, &detail),
    }
}

/// For methods other than those two.
pub(super) async fn other_methods(method: Method) -> Response {
    if method == Method::OPTIONS {
        replies::preflight(METHODS)
    } else {
        replies::method_not_allowed(&method, METHODS)
    }
}

/// What the path has behind the list's own.
fn path(uri: &Uri) -> &str {
    uri.path().strip_prefix(PREFIX).unwrap_or_default()
}

/// What names the presentation whose health is asked for.
fn health_path(uri: &Uri) -> Option<&str> {
    let named = path(uri).strip_suffix(HEALTH)?;
    named.contains('/').then_some(named)
}

/// What `path` names: the last component is the name, what stands before it the application, perhaps with an instance.
///
/// The slash before an instance may be encoded: generated clients put `{app}` into one segment. Nothing
/// else of a name ever needs to be.
fn name_in(path: &str) -> Result<PresentationName, String> {
    let (app, name) = request_path::app_and_name(path)
        .map(|(app, name)| (app.replace("%2F", "/").replace("%2f", "/"), name))
        .filter(|(app, _)| !app.ends_with('/'))
        .ok_or("a stream is named by its application and its own name")?;
    PresentationName::parse(&app, name).map_err(|error| error.to_string())
}

/// The presentation that `path` names. Otherwise, why there is none.
fn find(api: &Api, path: &str) -> Result<Arc<Presentation>, String> {
    let name = name_in(path)?;
    let directory = &api.sources.directory;
    directory.find(&name).ok_or_else(|| {
        let Some(ladder) = directory.ladder(&name) else {
            return format!("nobody publishes {name}, and nothing is left of it");
        };
        let rungs = ladder.rungs().iter();
        let rungs: Vec<_> = rungs
            .map(|rung| rung.presentation.name().to_string())
            .collect();
        format!(
            "{name} is a ladder, and nobody publishes it by its own name; ask for its rungs: {}",
            rungs.join(", ")
        )
    })
}
