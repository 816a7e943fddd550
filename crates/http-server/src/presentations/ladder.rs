//! The multivariant playlist of a ladder, its description for DASH, and the playlist of its sound: of several presentations,
//! published apart.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use media::{PresentationName, Rendition};
use playlist::{Directory, Form, Ladder, Place, Presentation, Rung, TranscoderState};
use tokio::time::Instant;

use super::low_latency::{LowLatency, is_without_parts, until_without_parts, without_parts};
use super::{Presentations, not_yet, text_reply, unknown};
use crate::replies::{self, Kind};
use crate::request_path::File;

/// So long a rung is waited for that has begun, when others are there: players do not look for variants again. A segment of
/// the usual length is complete within it.
const FOR_THE_OTHERS: Duration = Duration::from_millis(2_000);

/// And so long one that a transcoder makes, which looks at some media before it begins.
const FOR_A_TRANSCODER: Duration = Duration::from_millis(5_000);

/// So many rungs one after the other have the sound that one request waits for.
const MOST_CHANGES: usize = 3;

/// What a ladder is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// The multivariant playlist.
    Multivariant(Form, Place),
    /// The description for DASH.
    Manifest,
}

impl Wanted {
    /// What `file` is, if ladders have it.
    pub(super) const fn of(file: File) -> Option<Self> {
        match (file, multivariant(file)) {
            (File::Manifest, _) => Some(Self::Manifest),
            (_, Some((form, place))) => Some(Self::Multivariant(form, place)),
            (_, None) => None,
        }
    }

    const fn form(self) -> Form {
        match self {
            Self::Multivariant(form, _) => form,
            Self::Manifest => Form::LowLatency,
        }
    }
}

/// Its publisher has left, or nothing of it has been listed for a target duration, while others of its ladder go on: players
/// have to go over to these, and do not while its playlists are served as if more came at once. Segment by segment they
/// have enough in hand to wait and see whether it comes back.
pub(super) fn has_left(directory: &Directory, presentation: &Presentation, form: Form) -> bool {
    let (window, parts) = (presentation.window(), presentation.low_latency_window());
    let last = window.last_listed().max(parts.last_listed());
    let target = window.target_duration().unwrap_or(parts.target_duration());
    // What a transcoder makes of it leaves with it, a moment later.
    let at_once = form == Form::LowLatency && parts.is_left() && !is_source(presentation);
    // The others are looked at last: nearly all are there themselves.
    let name = presentation.name();
    !window.is_ended()
        && last.is_some_and(|last| at_once || last.elapsed() > target.span().to_duration())
        && directory
            .ladder_over(name)
            .is_some_and(|ladder| ladder.has_left(name, form))
}

/// It has parts, and is no variant before it has a segment, since others are there: it begins anew beside them.
pub(super) fn joins(directory: &Directory, presentation: &Presentation) -> bool {
    let name = presentation.name();
    !presentation.low_latency_window().has_segments()
        && directory.ladder_over(name).is_some_and(|ladder| {
            let awaited = ladder.awaited(Form::LowLatency);
            awaited.iter().any(|rung| rung.presentation.name() == name)
        })
}

/// For a playlist of it. hls.js changes to another level after two more tries.
pub(super) fn left(name: &PresentationName) -> Response {
    let detail = format!("the encoder of {name} is away, and other rungs of its ladder are there");
    replies::try_again(&detail)
}

/// For the playlist of its sound.
fn silent(name: &PresentationName) -> Response {
    let detail = format!("no rung of {name} has sound that goes on with what was heard of it");
    replies::try_again(&detail)
}

/// Which multivariant playlist a file is.
pub(super) const fn multivariant(file: File) -> Option<(Form, Place)> {
    match file {
        File::Multivariant => Some((Form::Classic, Place::Folder)),
        File::Alias => Some((Form::Classic, Place::Above)),
        File::LowLatency => Some((Form::LowLatency, Place::Folder)),
        _ => None,
    }
}

impl Presentations {
    /// What is `wanted` of `ladder`, once there is a variant, and a moment for the others.
    pub(super) async fn ladder(&self, ladder: Ladder, wanted: Wanted, request: &Parts) -> Response {
        let (name, form) = (ladder.name().clone(), wanted.form());
        let Some(ladder) = self.begun(ladder, form).await else {
            return replies::try_again(
                "nothing to play yet, and too many requests wait for it; try again",
            );
        };
        let text = match wanted {
            Wanted::Multivariant(form, place) => ladder.multivariant(form, place),
            Wanted::Manifest => ladder.manifest(),
        };
        let Some(text) = text else {
            let mut rungs = ladder.counted().map(|rung| &*rung.presentation);
            return match ladder.counted().next() {
                Some(_) if form == Form::LowLatency && rungs.all(is_without_parts) => {
                    without_parts()
                }
                Some(rung) => not_yet(&self.directory, &rung.presentation, form),
                None => unknown(&name),
            };
        };
        let kind = match (wanted, ladder.form(form)) {
            (Wanted::Manifest, _) => Kind::Manifest,
            (_, Form::Classic) => Kind::Playlist,
            (_, Form::LowLatency) => Kind::MovingPlaylist,
        };
        text_reply(kind, &text, &request.headers)
    }

    /// The media playlist of the sound that all rungs of the ladder `name` hear. Who waits for what does not come is answered
    /// with the sound of another rung, if that is it by then. A 404 would end it for who was playing.
    pub(super) async fn sound_of_all(&self, name: &PresentationName, request: &Parts) -> Response {
        let Some(ladder) = self.directory.ladder(name) else {
            // Who was playing may have the source alone by now.
            return match self.directory.find(name) {
                Some(source) => {
                    let low_latency = self.low_latency(&source);
                    low_latency.media(Rendition::Audio, request).await
                }
                None => unknown(name),
            };
        };
        let sound = || self.directory.ladder(name)?.sound_of_all();
        let mut known = ladder.sound_of_all();
        if known.is_none() && self.begun(ladder, Form::LowLatency).await.is_some() {
            known = sound();
        }
        let mut answer = silent(name);
        for _ in 0..MOST_CHANGES {
            let Some(presentation) = known else {
                return answer;
            };
            let low_latency = LowLatency {
                is_of_all: true,
                ..self.low_latency(&presentation)
            };
            answer = low_latency.media(Rendition::Audio, request).await;
            let is_refused = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
            known = sound().filter(|now| is_refused && !Arc::ptr_eq(now, &presentation));
        }
        answer
    }

    /// The ladder once something can be played; `None` if too many wait.
    async fn begun(&self, ladder: Ladder, form: Form) -> Option<Ladder> {
        let name = ladder.name().clone();
        if !ladder.is_begun(form) {
            let _permit = self.waiting.try_acquire().ok()?;
            let settled = async {
                tokio::select! {
                    biased;
                    () = first(&ladder, form) => {}
                    () = none(&ladder), if form == Form::LowLatency => {}
                }
            };
            let _ = tokio::time::timeout(self.first_segment_wait, settled).await;
        }
        let mut ladder = self.directory.ladder(&name).unwrap_or(ladder);
        let mut permit = None;
        let begin = Instant::now();
        loop {
            let others = self.others(&ladder, form);
            if others.is_empty() || !ladder.is_begun(form) {
                return Some(ladder);
            }
            permit = permit.or_else(|| self.waiting.try_acquire().ok());
            let patience = match is_transcoded(&ladder) {
                true => FOR_A_TRANSCODER,
                false => FOR_THE_OTHERS,
            };
            let patience = patience.saturating_sub(begin.elapsed());
            // What is there can be played.
            if permit.is_none() || patience.is_zero() {
                return Some(ladder);
            }
            // Others may have begun by then, and those have to have more.
            let _ = tokio::time::timeout(patience, all(&others, form)).await;
            match self.directory.ladder(&name) {
                Some(now) => ladder = now,
                None => return Some(ladder),
            }
        }
    }

    /// What is published and cannot be played yet, but for what has had as long for its first segment as anybody waits
    /// for one: an encoder that never sends a key frame must not hold up each request for ever.
    fn others<'a>(&self, ladder: &'a Ladder, form: Form) -> Vec<&'a Rung> {
        let is_new = |rung: &Rung| {
            let begun = rung.presentation.publish_begun();
            begun.is_some_and(|begun| begun.elapsed() < self.first_segment_wait)
        };
        let mut awaited = ladder.awaited(form);
        awaited.retain(|rung| is_new(rung));
        awaited
    }
}

/// A transcoder makes rungs of it.
fn is_transcoded(ladder: &Ladder) -> bool {
    let mut rungs = ladder.rungs().iter();
    rungs.any(|rung| is_source(&rung.presentation))
}

/// A transcoder makes rungs of this one.
fn is_source(presentation: &Presentation) -> bool {
    let status = presentation.status();
    let transcoding = status.and_then(|status| status.transcoding);
    transcoding.is_some_and(|it| it.state == TranscoderState::Running)
}

/// Until one rung lists something.
async fn first(ladder: &Ladder, form: Form) {
    let rungs = ladder.counted();
    let mut waits: Vec<_> = rungs.map(|rung| Box::pin(rung.begun(form))).collect();
    let any = poll_fn(|context| {
        let mut ready = waits.iter_mut().map(|wait| wait.as_mut().poll(context));
        match ready.any(|poll| poll.is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    });
    pin!(any).await;
}

/// Until it is known that no rung will have parts.
async fn none(ladder: &Ladder) {
    for rung in ladder.counted() {
        until_without_parts(&rung.presentation).await;
    }
}

/// Until each of them has come on.
async fn all(rungs: &[&Rung], form: Form) {
    for rung in rungs {
        rung.comes(form).await;
    }
}
