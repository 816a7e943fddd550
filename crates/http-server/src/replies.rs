//! The one table of what replies look like: content type, caching and CORS by kind.

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use media::PackedAudio;

/// Every kind of reply there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A playlist that will change: cached for half a target duration at most, whatever that is.
    Playlist,
    /// A playlist with EXT-X-ENDLIST. It will not change, but the name may be published again.
    EndedPlaylist,
    /// A segment: its URL is never used for anything else.
    Segment,
    /// A low-latency playlist as it is now: the next part makes it old.
    MovingPlaylist,
    /// A low-latency playlist whose URL says what it has to hold: it may be kept as long as players may ask for it.
    AwaitedPlaylist,
    /// A description for DASH.
    Manifest,
    /// A segment, part or init section of CMAF, of pictures or of all tracks.
    CmafVideo,
    /// The same of sound.
    CmafAudio,
    /// A segment of packed audio.
    PackedAudio(PackedAudio),
    /// An HTML page.
    Page,
    /// A file of the pages with a hash in its name.
    HashedAsset(AssetType),
    /// A file of the pages whose name stays.
    Asset(AssetType),
    /// An answer of the API.
    Json,
    /// Anything that went wrong (RFC 9457).
    Problem,
    /// A health check.
    Health,
    /// An answer without content: preflight, done.
    Empty,
}

/// What the pages are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AssetType {
    Script,
    Style,
    Svg,
    Png,
    Icon,
    Font,
    Json,
    Text,
    Other,
}

static ANY: HeaderValue = HeaderValue::from_static("*");
static EXPOSED: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Age, Content-Length, Content-Range, Date, ETag, Retry-After",
);
static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
static BRIEFLY: HeaderValue = HeaderValue::from_static("public, max-age=1");
static A_LITTLE: HeaderValue = HeaderValue::from_static("public, max-age=10");
static AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600, immutable");
static A_YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
static M3U8: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
static MP2T: HeaderValue = HeaderValue::from_static("video/mp2t");
static MPD: HeaderValue = HeaderValue::from_static("application/dash+xml");
static VIDEO_MP4: HeaderValue = HeaderValue::from_static("video/mp4");
static AAC: HeaderValue = HeaderValue::from_static("audio/aac");
static MPEG_AUDIO: HeaderValue = HeaderValue::from_static("audio/mpeg");
static AC3: HeaderValue = HeaderValue::from_static("audio/ac3");
static EAC3: HeaderValue = HeaderValue::from_static("audio/eac3");
static AUDIO_MP4: HeaderValue = HeaderValue::from_static("audio/mp4");
static HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
static JSON: HeaderValue = HeaderValue::from_static("application/json");
static PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
static TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
static SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
static STYLE: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
static SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
static PNG: HeaderValue = HeaderValue::from_static("image/png");
static ICON: HeaderValue = HeaderValue::from_static("image/x-icon");
static WOFF2: HeaderValue = HeaderValue::from_static("font/woff2");
static OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Everything from here; media and workers also from objects that hls.js makes.
static PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; \
     img-src 'self' data:; style-src 'self'",
);
/// What pages of other origins may use. DELETE is missing on purpose: watching is everybody's, steering
/// is not.
pub(crate) const SHARED_METHODS: &str = "GET, HEAD, OPTIONS";
static SHARED_HEADERS: HeaderValue =
    HeaderValue::from_static("Accept, Content-Type, If-None-Match, If-Range, Range");
static A_DAY_IN_SECONDS: HeaderValue = HeaderValue::from_static("86400");

impl Kind {
    fn content_type(self) -> Option<&'static HeaderValue> {
        Some(match self {
            Self::Playlist | Self::MovingPlaylist | Self::EndedPlaylist | Self::AwaitedPlaylist => {
                &M3U8
            }
            Self::Segment => &MP2T,
            Self::Manifest => &MPD,
            Self::CmafVideo => &VIDEO_MP4,
            Self::CmafAudio => &AUDIO_MP4,
            Self::PackedAudio(PackedAudio::Aac) => &AAC,
            Self::PackedAudio(PackedAudio::Mp3) => &MPEG_AUDIO,
            Self::PackedAudio(PackedAudio::Ac3) => &AC3,
            Self::PackedAudio(PackedAudio::Eac3) => &EAC3,
            Self::Page => &HTML,
            Self::HashedAsset(asset) | Self::Asset(asset) => asset.content_type(),
            Self::Json => &JSON,
            Self::Problem => &PROBLEM,
            Self::Health => &TEXT,
            Self::Empty => return None,
        })
    }

    fn cache_control(self) -> &'static HeaderValue {
        match self {
            Self::Playlist => &BRIEFLY,
            Self::EndedPlaylist | Self::AwaitedPlaylist => &A_LITTLE,
            Self::Segment | Self::CmafVideo | Self::CmafAudio | Self::PackedAudio(_) => &AN_HOUR,
            Self::HashedAsset(_) => &A_YEAR,
            Self::MovingPlaylist | Self::Manifest | Self::Page | Self::Asset(_) => &NO_CACHE,
            Self::Json | Self::Problem | Self::Health | Self::Empty => &NO_STORE,
        }
    }
}

impl AssetType {
    /// By the file's extension.
    pub(crate) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("js" | "mjs") => Self::Script,
            Some("css") => Self::Style,
            Some("svg") => Self::Svg,
            Some("png") => Self::Png,
            Some("ico") => Self::Icon,
            Some("woff2") => Self::Font,
            Some("json" | "map") => Self::Json,
            Some("txt") => Self::Text,
            _ => Self::Other,
        }
    }

    fn content_type(self) -> &'static HeaderValue {
        match self {
            Self::Script => &SCRIPT,
            Self::Style => &STYLE,
            Self::Svg => &SVG,
            Self::Png => &PNG,
            Self::Icon => &ICON,
            Self::Font => &WOFF2,
            Self::Json => &JSON,
            Self::Text => &TEXT,
            Self::Other => &OCTETS,
        }
    }
}

/// A reply of `kind`, with all the headers that the table gives it.
pub(crate) fn reply(kind: Kind, status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    // Room for validators, Vary and what hyper adds, without growing.
    let mut headers = HeaderMap::with_capacity(16);
    if let Some(content_type) = kind.content_type() {
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    headers.insert(CACHE_CONTROL, kind.cache_control().clone());
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
    if kind == Kind::Page {
        headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY.clone());
    }
    *response.headers_mut() = headers;
    response
}

/// 304 for something of `kind`: its caching and validators without its content.
pub(crate) fn unchanged(kind: Kind) -> Response {
    let mut response = reply(kind, StatusCode::NOT_MODIFIED, Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// What OPTIONS answers, everywhere. `allowed` is what may be asked for here; pages of other origins may
/// use [`SHARED_METHODS`] at most.
pub(crate) fn preflight(allowed: &'static str) -> Response {
    let mut response = reply(Kind::Empty, StatusCode::NO_CONTENT, Bytes::new());
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(SHARED_METHODS),
    );
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SHARED_HEADERS.clone());
    headers.insert(ACCESS_CONTROL_MAX_AGE, A_DAY_IN_SECONDS.clone());
    response
}

/// An error as `application/problem+json`; `detail` says what was asked for and what to do.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    reply(Kind::Problem, status, body.to_string())
}

/// 503: nothing is wrong with the request, and in a second it may be answered.
pub(crate) fn try_again(detail: &str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// 405 where `allowed` would be answered.
pub(crate) fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let detail = format!("{method} is not possible here; {allowed} are");
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &detail);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The same reply as HEAD wants it: all headers, Content-Length included, and no body.
pub(crate) fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    if let Some(length) = length
        && !matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
    {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Body::empty();
    response
}
