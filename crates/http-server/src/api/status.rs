//! `GET /api/v1/status`: the gateway itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use playlist::State as Life;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, json};
use crate::time::rfc3339;

/// The gateway itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// The version of the program.
    version: &'static str,
    /// When it started.
    #[schema(format = DateTime)]
    started: String,
    /// Seconds since it started.
    uptime_seconds: f64,
    totals: Totals,
    now: Now,
    limits: Limits,
}

/// Counts since the start.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Totals {
    /// Publishes accepted.
    publishes: u64,
    /// Publishes refused.
    publishes_refused: u64,
    /// RTMP connections accepted.
    rtmp_connections: u64,
    /// HTTP connections accepted.
    http_connections: u64,
    /// HTTP requests.
    http_requests: u64,
    /// Bytes received from encoders.
    bytes_received: u64,
    /// Bytes sent over HTTP.
    bytes_sent: u64,
    /// Faults of publishes, worked around, and of RTMP connections, which ended for them.
    faults: u64,
    /// Faults of the gateway itself, each of which ended one connection: 0, or worth a report.
    panics: u64,
    /// HTTP connections that ended for a fault of the client: not HTTP, no TLS where it is spoken, headers too
    /// long or too slow, or more connections than allowed.
    http_faults: u64,
}

/// Counts of this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Now {
    /// Presentations that can be asked for.
    streams: u64,
    /// Presentations that somebody publishes.
    publishers: u64,
    /// RTMP connections open.
    rtmp_connections: u64,
    /// HTTP connections open.
    http_connections: u64,
}

/// What the gateway allows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Limits {
    /// RTMP connections at a time.
    rtmp_connections: u64,
    /// HTTP connections at a time.
    http_connections: u64,
    /// Bytes of one RTMP message.
    message_bytes: u64,
    /// Bytes of one segment.
    segment_bytes: u64,
}

/// The gateway: version, uptime, totals, limits.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    responses((status = 200, description = "How the gateway is doing", body = Status))
)]
pub(super) async fn show(State(api): State<Arc<Api>>) -> Response {
    let (about, totals) = (&api.sources.about, &api.sources.totals);
    let all = api.sources.directory.all();
    let live = all
        .iter()
        .filter(|presentation| presentation.state() == Life::Live);
    json(&Status {
        version: about.version,
        started: rfc3339(about.started),
        uptime_seconds: api.since.elapsed().as_secs_f64(),
        totals: Totals {
            publishes: totals.publishes.value(),
            publishes_refused: totals.publishes_refused.value(),
            rtmp_connections: totals.rtmp_connections.value(),
            http_connections: totals.http_connections.value(),
            http_requests: totals.http_requests.value(),
            bytes_received: totals.bytes_received.value(),
            bytes_sent: totals.bytes_sent.value(),
            faults: totals.faults.value(),
            panics: totals.panics.value(),
            http_faults: totals.http_faults.value(),
        },
        now: Now {
            publishers: live.count() as u64,
            streams: all.len() as u64,
            rtmp_connections: totals.rtmp_connections_now.value(),
            http_connections: totals.http_connections_now.value(),
        },
        limits: Limits {
            rtmp_connections: about.limits.rtmp_connections,
            http_connections: about.limits.http_connections,
            message_bytes: about.limits.message_bytes,
            segment_bytes: about.limits.segment_bytes,
        },
    })
}
