//! What players fetch: playlists and segments of the presentations there are.
//!
//! This is the hot path: an answer is looked up and a reference to its body handed on, nothing is copied
//! and hardly anything formatted.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::response::Response;
use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, ETAG, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use media::{PackedAudio, PresentationName};
use playlist::{Container, Directory, Entry, Form, Presentation, Text, Window};
use tokio::sync::Semaphore;

use crate::Settings;
use crate::negotiation::{self, Coding, Wanted};
use crate::pieces::Pieces;
use crate::replies::{self, Kind};
use crate::request_path::{Epoch, File, MediaPath};

mod ladder;
mod low_latency;

use low_latency::LowLatency;

static BYTES: HeaderValue = HeaderValue::from_static("bytes");
static ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
static GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The presentations as players see them.
#[derive(Debug)]
pub(crate) struct Presentations {
    directory: Directory,
    /// A permit for each request that may wait for a first segment.
    waiting: Semaphore,
    first_segment_wait: Duration,
    /// Requests that may wait for parts of one presentation.
    most_waiting: usize,
}

impl Presentations {
    pub(crate) fn new(directory: Directory, settings: &Settings) -> Self {
        let most = settings.waiting_requests.min(Semaphore::MAX_PERMITS);
        Self {
            directory,
            waiting: Semaphore::new(most),
            first_segment_wait: settings.first_segment_wait,
            most_waiting: settings.waiting_for_one,
        }
    }

    /// Answers GET and HEAD of one file; the answer to HEAD still has its body.
    pub(crate) async fn answer(&self, path: MediaPath<'_>, request: &Parts) -> Response {
        let Ok(name) = PresentationName::parse(path.app, path.name) else {
            return nothing_here();
        };
        if let Some(wanted) = ladder::Wanted::of(path.file)
            && let Some(ladder) = self.directory.ladder(&name)
        {
            return self.ladder(ladder, wanted, request).await;
        }
        // What time it is does not depend on what is published; a ladder may be without its source.
        if matches!(path.file, File::Clock) {
            return clock();
        }
        if matches!(path.file, File::SoundOfAll) {
            return self.sound_of_all(&name, request).await;
        }
        if let File::Cmaf { rendition, piece } = path.file {
            return match self.of_epoch(&name, request) {
                Some(of) => self.low_latency(&of).piece(rendition, piece, request).await,
                None => gone(),
            };
        }
        let Some(presentation) = self.directory.find(&name) else {
            return unknown(&name);
        };
        if let File::Segment { epoch, sequence }
        | File::PackedAudio {
            epoch, sequence, ..
        } = path.file
        {
            return presentation
                .segment(epoch, sequence)
                .map_or_else(gone, |entry| match path.file {
                    File::PackedAudio { form, .. } => packed_audio(&entry, epoch, form, request),
                    _ => segment(&entry, epoch, request),
                });
        }
        if let Some(form) = path.file.of_media_playlist()
            && ladder::has_left(&self.directory, &presentation, form)
        {
            return ladder::left(&name);
        }
        let low_latency = self.low_latency(&presentation);
        match path.file {
            File::LowLatency => return low_latency.multivariant(request).await,
            File::Manifest => return low_latency.manifest(request).await,
            File::MediaIFrames => return low_latency.i_frames(request).await,
            File::Media(rendition) => return low_latency.media(rendition, request).await,
            _ => {}
        }
        let mut window = presentation.window();
        if !window.is_settled() {
            let Ok(_permit) = self.waiting.try_acquire() else {
                return replies::try_again(
                    "nothing to play yet, and too many requests wait for it; try again",
                );
            };
            window = self.first_window(&presentation).await;
        }
        if window.container() == Container::Cmaf {
            if let Some((_, place)) = ladder::multivariant(path.file) {
                return low_latency.instead_of_classic(place, request).await;
            }
            if !window.is_ready() {
                return without_ts(&name);
            }
        }
        if window.is_ready() {
            playlist(path.file, &window, &request.headers)
        } else if window.is_ended() {
            unknown(&name)
        } else {
            not_yet(&self.directory, &presentation, Form::Classic)
        }
    }

    fn low_latency<'a>(&'a self, presentation: &'a Presentation) -> LowLatency<'a> {
        LowLatency {
            presentation,
            directory: &self.directory,
            first_segment_wait: self.first_segment_wait,
            most_waiting: self.most_waiting,
            is_of_all: false,
        }
    }

    /// What a file of CMAF is of.
    fn of_epoch(&self, name: &PresentationName, request: &Parts) -> Option<Arc<Presentation>> {
        match Epoch::parse(request.uri.query().unwrap_or_default()) {
            Epoch::Of(epoch) => self.directory.of_epoch(name, epoch),
            Epoch::LeftOut => self.directory.find(name),
            Epoch::Malformed => None,
        }
    }

    /// Waits until there is a playlist, or it is known that there will be none in MPEG-TS. A client of HTTP/2 that
    /// goes away drops this.
    async fn first_window(&self, presentation: &Presentation) -> Arc<Window> {
        let mut windows = presentation.windows();
        let settled = windows.wait_for(|window| window.is_settled());
        match tokio::time::timeout(self.first_segment_wait, settled).await {
            Ok(Ok(window)) => Arc::clone(&window),
            Ok(Err(_)) | Err(_) => presentation.window(),
        }
    }
}

/// What time it is, as urn:mpeg:dash:utc:http-iso:2014 wants it.
fn clock() -> Response {
    let now = humantime::format_rfc3339_millis(SystemTime::now());
    replies::reply(Kind::Health, StatusCode::OK, now.to_string())
}

/// For a path that cannot name anything.
pub(crate) fn nothing_here() -> Response {
    replies::problem(StatusCode::NOT_FOUND, "nothing is served under this path")
}

fn unknown(name: &PresentationName) -> Response {
    let detail = format!("nobody publishes {name}, and nothing is left of it");
    replies::problem(StatusCode::NOT_FOUND, &detail)
}

fn without_ts(name: &PresentationName) -> Response {
    let detail =
        format!("the codecs of {name} have no place in MPEG-TS; /{name}/index.m3u8 has it in CMAF");
    replies::problem(StatusCode::NOT_FOUND, &detail)
}

/// Nothing of it can be played for now. Who comes early is told so; who was playing before a restart, or before it began
/// anew in its ladder, must not give up: hls.js never asks again after a 404, and after a 503 it does.
fn not_yet(directory: &Directory, presentation: &Presentation, form: Form) -> Response {
    let name = presentation.name();
    // Only what goes on from another process has a target duration before it lists anything.
    let window = presentation.window();
    if !window.is_ready() && window.target_duration().is_some() {
        let detail = format!("{name} waits for its encoder after a restart of the gateway");
        return replies::try_again(&detail);
    }
    let detail = format!("{name} has begun, but nothing of it can be played yet");
    let ladder = directory.ladder_over(name);
    if ladder.is_some_and(|ladder| ladder.is_begun(form)) {
        return replies::try_again(&detail);
    }
    replies::problem(StatusCode::NOT_FOUND, &detail)
}

fn gone() -> Response {
    replies::problem(
        StatusCode::NOT_FOUND,
        "this segment is not on hand: it never was, or it left the playlist too long ago",
    )
}

/// `window` is ready.
fn playlist(file: File, window: &Window, headers: &HeaderMap) -> Response {
    let kind = if window.is_ended() {
        Kind::EndedPlaylist
    } else {
        Kind::Playlist
    };
    let text = match file {
        File::Playlist => window.playlist(),
        File::IFrames => match window.i_frames() {
            Some(text) => text,
            None => return nothing_here(),
        },
        File::Sound => match window.packed_audio() {
            Some(text) => text,
            None => return nothing_here(),
        },
        File::Alias => window.alias(),
        _ => window.multivariant(),
    };
    text_reply(kind, text, headers)
}

/// A playlist in the form that the client takes.
fn text_reply(kind: Kind, text: &Text, headers: &HeaderMap) -> Response {
    let coding = negotiation::coding(headers);
    let mut response = if negotiation::is_unchanged(headers, text.tag()) {
        replies::unchanged(kind)
    } else {
        let body = match coding {
            Coding::Identity => text.plain(),
            Coding::Gzip => text.gzip(),
        };
        replies::reply(kind, StatusCode::OK, body)
    };
    let headers = response.headers_mut();
    headers.insert(VARY, ACCEPT_ENCODING.clone());
    match coding {
        Coding::Identity => insert_tag(headers, format!("\"{}\"", text.tag())),
        // The same text in other bytes: a strong tag must not name both (RFC 9110 §8.8.3.3).
        Coding::Gzip => {
            insert_tag(headers, format!("W/\"{}\"", text.tag()));
            if response.status() == StatusCode::OK {
                response
                    .headers_mut()
                    .insert(CONTENT_ENCODING, GZIP.clone());
            }
        }
    }
    response
}

fn segment(entry: &Entry, epoch: u32, request: &Parts) -> Response {
    let tag = format!("{epoch:08x}-{}", entry.sequence);
    let body = || entry.mpeg_ts(segmenter::ts::mux);
    whole(Kind::Segment, body, &tag, request)
}

/// The sound of a segment alone: written anew for whoever asks, since few do and it is small.
fn packed_audio(entry: &Entry, epoch: u32, form: PackedAudio, request: &Parts) -> Response {
    if entry.segment.ts.packed_audio == 0 || PackedAudio::of(&entry.segment) != Some(form) {
        return gone();
    }
    let tag = format!("{epoch:08x}-{}-a", entry.sequence);
    let body = || segmenter::ts::packed_audio(&entry.segment);
    whole(Kind::PackedAudio(form), body, &tag, request)
}

/// Something that is whole and will not change.
fn whole(kind: Kind, body: impl FnOnce() -> Bytes, tag: &str, request: &Parts) -> Response {
    let mut response = if negotiation::is_unchanged(&request.headers, tag) {
        replies::unchanged(kind)
    } else {
        ranged(kind, body().into(), tag, request)
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, BYTES.clone());
    insert_tag(headers, format!("\"{tag}\""));
    response
}

/// The part of `body` that `request` asks for; Range means something with GET only (RFC 9110 §14.2).
fn ranged(kind: Kind, body: Pieces, tag: &str, request: &Parts) -> Response {
    let length = body.len();
    let wanted = match request.method {
        Method::GET => negotiation::wanted(&request.headers, length, tag),
        _ => Wanted::Whole,
    };
    match wanted {
        Wanted::Whole => replies::reply(kind, StatusCode::OK, body),
        Wanted::Part(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            let mut response = replies::reply(kind, StatusCode::PARTIAL_CONTENT, body.slice(range));
            insert(response.headers_mut(), CONTENT_RANGE, content_range);
            response
        }
        Wanted::Unsatisfiable => {
            let detail = format!("the range begins behind the {length} bytes of this segment");
            let mut response = replies::problem(StatusCode::RANGE_NOT_SATISFIABLE, &detail);
            let content_range = format!("bytes */{length}");
            insert(response.headers_mut(), CONTENT_RANGE, content_range);
            response
        }
    }
}

fn insert(headers: &mut HeaderMap, name: http::HeaderName, value: String) {
    let value = HeaderValue::try_from(value).expect("digits should make a header value");
    headers.insert(name, value);
}

/// Tags are made of hexadecimal digits and dashes; anything else goes without one.
fn insert_tag(headers: &mut HeaderMap, tag: String) {
    if let Ok(value) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, value);
    }
}

#[cfg(test)]
mod tests;
