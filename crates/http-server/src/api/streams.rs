//! `/api/v1/streams`: the presentations, and the way to disconnect a publisher.

mod stream;

use std::sync::Arc;

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
pub(super) use stream::Stream;

const PREFIX: &str = "/api/v1/streams/";

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
            .map(|presentation| Stream::of(presentation))
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
    match find(&api, &uri) {
        Ok(presentation) => json(&Stream::of(&presentation)),
        Err(detail) => problem(StatusCode::NOT_FOUND, &detail),
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
    match find(&api, &uri) {
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

/// The presentation that the rest of the path names: the last component is the name, what stands before
/// it the application, perhaps with an instance. Otherwise, why there is none.
///
/// The slash before an instance may be encoded: generated clients put `{app}` into one segment. Nothing
/// else of a name ever needs to be.
fn find(api: &Api, uri: &Uri) -> Result<Arc<Presentation>, String> {
    let path = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (app, name) = request_path::app_and_name(path)
        .map(|(app, name)| (app.replace("%2F", "/").replace("%2f", "/"), name))
        .filter(|(app, _)| !app.ends_with('/'))
        .ok_or("a stream is named by its application and its own name")?;
    let name = PresentationName::parse(&app, name).map_err(|error| error.to_string())?;
    let presentation = api.sources.directory.find(&name);
    presentation.ok_or_else(|| format!("nobody publishes {name}, and nothing is left of it"))
}
