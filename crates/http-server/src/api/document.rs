//! `GET /api/v1/openapi.json`: the API's description, from the types that it is made of.

use std::sync::OnceLock;

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use utoipa::OpenApi;

use super::{status, streams};
use crate::replies::{self, Kind};
use crate::site;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Forebay",
        description = "What is live on this gateway, how it is doing, and the way to end it."
    ),
    paths(
        show,
        status::show,
        streams::list,
        streams::show,
        streams::health,
        streams::disconnect,
        site::healthz,
        site::readyz
    )
)]
struct Description;

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    responses((status = 200, description = "The API as OpenAPI 3.1", body = Object))
)]
pub(super) async fn show() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        Description::openapi()
            .to_pretty_json()
            .expect("a constant document should serialise")
            .into()
    });
    replies::reply(Kind::Json, StatusCode::OK, text.clone())
}
