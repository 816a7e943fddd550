//! The low-latency form: playlists that wait for what is asked of them, parts that are waited for, segments that are
//! sent while they grow (rfc8216bis §6.2.5, §6.2.6).

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE};
use http::request::Parts;
use http::{Method, StatusCode};
use media::Rendition;
use playlist::{
    Beside, CmafSegment, Container, Directory, Form, LowLatencyWindow, PartEntry, Place, Position,
    Presentation, Standing, Waiting,
};
use segmenter::cmaf::Fragment;

use super::{
    BYTES, insert, insert_tag, ladder, not_yet, nothing_here, ranged, text_reply, unknown,
};
use crate::directives::{self, Directives};
use crate::negotiation;
use crate::pieces::Pieces;
use crate::replies::{self, Kind};
use crate::request_path::Piece;

mod growing;
#[cfg(test)]
mod tests;

use growing::Growing;

/// A blocked request is answered after so many target durations at the latest (rfc8216bis §6.2.5.2).
const LONGEST_WAIT: u32 = 3;

/// A rung may be so many segments behind another of its ladder.
const MAY_LAG: u64 = 3;

/// So often in a target duration it is looked at whether another has the sound of all: players have a second of it in hand.
const LOOKS: u32 = 4;

/// So long a publish may take to end behind its last part.
const ENDING: Duration = Duration::from_millis(10);

/// So long the rungs that one encoder publishes may take to leave one after the other.
const LEAVING: Duration = Duration::from_millis(100);

/// A last byte that is not known yet, as players write it: the largest number that JavaScript has.
const OPEN_END: u64 = (1 << 53) - 1;

/// What a window has to show before a request is answered.
type Condition = Box<dyn Fn(&LowLatencyWindow) -> bool + Send + Sync>;

/// The low-latency form of one presentation.
pub(super) struct LowLatency<'a> {
    pub(super) presentation: &'a Presentation,
    /// Where the other rungs of its ladder are.
    pub(super) directory: &'a Directory,
    pub(super) first_segment_wait: Duration,
    /// Requests that may wait.
    pub(super) most_waiting: usize,
    /// It is what all rungs of its ladder hear: who asks may come from another, which was ahead of this one, and another may
    /// be that soon.
    pub(super) is_of_all: bool,
}

impl LowLatency<'_> {
    /// The multivariant playlist; it waits for nothing but the first part.
    pub(super) async fn multivariant(&self, request: &Parts) -> Response {
        let known = self.begun(Rendition::Muxed, LowLatencyWindow::tracks_are_known);
        match known.await {
            Ok(window) => {
                let text = window.multivariant(|| self.presentation.label());
                text_reply(kind(&window), text, &request.headers)
            }
            Err(problem) => problem,
        }
    }

    /// The same in place of the classic one, which is in MPEG-TS: it waits for the first segment as that does, since
    /// players that know nothing of parts take a playlist without segments for an empty one.
    pub(super) async fn instead_of_classic(&self, place: Place, request: &Parts) -> Response {
        let begun = self.begun(Rendition::Muxed, LowLatencyWindow::has_segments);
        let window = match begun.await {
            Ok(window) => window,
            Err(problem) => return problem,
        };
        let label = || self.presentation.label();
        let text = match place {
            Place::Folder => window.multivariant(label),
            Place::Above => window.alias(&self.presentation.name().name, label),
        };
        text_reply(kind(&window), text, &request.headers)
    }

    /// The description for DASH; it waits like the multivariant playlist.
    pub(super) async fn manifest(&self, request: &Parts) -> Response {
        let known = self.begun(Rendition::Muxed, LowLatencyWindow::tracks_are_known);
        match known.await {
            Ok(window) => {
                let text = window.manifest(|| self.presentation.label());
                text_reply(Kind::Manifest, text, &request.headers)
            }
            Err(problem) => problem,
        }
    }

    /// The media playlist of `rendition`, when it holds what the request asks for.
    pub(super) async fn media(&self, rendition: Rendition, request: &Parts) -> Response {
        let directives = match directives::parse(request.uri.query().unwrap_or_default()) {
            Ok(directives) => directives,
            Err(why) => return replies::problem(StatusCode::BAD_REQUEST, &why),
        };
        let begun = self.begun(rendition, LowLatencyWindow::is_ready);
        let mut window = match begun.await {
            Ok(window) => window,
            Err(problem) => return problem,
        };
        // Who has watched it, or hears it, takes a playlist without a segment for empty, and hls.js gives up at the second.
        if self.is_of_all || ladder::joins(self.directory, self.presentation) {
            let whole = self.begun(rendition, LowLatencyWindow::has_segments);
            window = whole.await.unwrap_or(window);
        }
        let Directives { until, form } = directives;
        let there = |window: &LowLatencyWindow| window.renditions().contains(&rendition);
        if let Some(at) = until.filter(|_| there(&window)) {
            window = match self.until(&window, rendition, at).await {
                Ok(window) => window,
                Err(problem) => return problem,
            };
        }
        if !there(&window) {
            return nothing_here();
        }
        // Who leaves completes a segment that others go on with: hls.js never loads the rest of one that it takes for whole.
        if self.is_of_all && window.open().is_none() {
            tokio::time::sleep(ENDING).await;
            if self.presentation.low_latency_window().is_left() && self.is_elsewhere() {
                return ladder::left(self.presentation.name());
            }
        }
        let kind = match until {
            Some(_) if !window.is_ended() => Kind::AwaitedPlaylist,
            _ => kind(&window),
        };
        let name = self.presentation.name();
        let beside = || {
            let ladder = self.directory.ladder_over(name);
            ladder.map_or_else(Beside::default, |ladder| ladder.beside(name))
        };
        let text = window.playlist(rendition, form, beside);
        text_reply(kind, text, &request.headers)
    }

    /// The I-frame playlist, once a segment is complete, and the segment that the request asks for.
    pub(super) async fn i_frames(&self, request: &Parts) -> Response {
        let directives = match directives::parse(request.uri.query().unwrap_or_default()) {
            Ok(directives) => directives,
            Err(why) => return replies::problem(StatusCode::BAD_REQUEST, &why),
        };
        let complete = |window: &LowLatencyWindow| window.listed().next().is_some();
        let mut window = match self.begun(Rendition::Video, complete).await {
            Ok(window) => window,
            Err(problem) => return problem,
        };
        if window.i_frames().is_none() {
            return nothing_here();
        }
        // It has no parts, and is too short to be worth a delta.
        let until = directives.until.map(|at| Position { part: None, ..at });
        if let Some(at) = until {
            window = match self.until(&window, Rendition::Video, at).await {
                Ok(window) => window,
                Err(problem) => return problem,
            };
        }
        let kind = match until {
            Some(_) if !window.is_ended() => Kind::AwaitedPlaylist,
            _ => kind(&window),
        };
        match window.i_frames() {
            Some(text) => text_reply(kind, text, &request.headers),
            None => nothing_here(),
        }
    }

    /// A segment, part or init section.
    pub(super) async fn piece(
        &self,
        rendition: Rendition,
        piece: Piece,
        request: &Parts,
    ) -> Response {
        let window = self.presentation.low_latency_window();
        let window = match (&piece, period(request)) {
            (&Piece::Segment(sequence), Some(period)) => {
                let window = match self.in_period(rendition, sequence, period).await {
                    Ok(window) => window,
                    Err(problem) => return problem,
                };
                let is_gap = window.segment(sequence).is_some_and(|segment| {
                    sequence < window.next_sequence() && segment.is_gap(rendition)
                });
                if is_gap || is_behind_the_end(&window, sequence, period) {
                    return nothing(rendition);
                }
                window
            }
            _ => window,
        };
        match piece {
            Piece::InitSection(id) => match window.section(rendition, id) {
                Some(section) => {
                    let body = section.body(|| segmenter::cmaf::init(&section.tracks, rendition));
                    let tag = tag(&window, rendition, &format!("i{id}"));
                    cmaf(rendition, body.into(), &tag, request)
                }
                None => gone(),
            },
            Piece::Segment(sequence) => match window.segment(sequence) {
                Some(segment) if sequence < window.next_sequence() => {
                    let tag = tag(&window, rendition, &sequence.to_string());
                    cmaf(rendition, segment_pieces(segment, rendition), &tag, request)
                }
                _ => self.growing(rendition, sequence, request).await,
            },
            Piece::Part(sequence, part) => self.part(rendition, sequence, part, request).await,
        }
    }

    /// A part that is there, or comes next.
    async fn part(
        &self,
        rendition: Rendition,
        sequence: u64,
        part: u64,
        request: &Parts,
    ) -> Response {
        let Ok(at) = usize::try_from(part) else {
            return gone();
        };
        let window = match self.come(rendition, sequence, part).await {
            Ok(window) => window,
            Err(problem) => return problem,
        };
        let Some((segment, entry)) = find(&window, sequence, at) else {
            return gone();
        };
        let mut pieces = Pieces::default();
        push_part(&mut pieces, segment, at, entry, rendition);
        let tag = tag(&window, rendition, &format!("{sequence}.{part}"));
        cmaf(rendition, pieces, &tag, request)
    }

    /// The segment that is open, or comes next: what is there of it at once, and the rest as it comes.
    async fn growing(&self, rendition: Rendition, sequence: u64, request: &Parts) -> Response {
        let window = match self.come(rendition, sequence, 0).await {
            Ok(window) => window,
            Err(problem) => return problem,
        };
        let Some(segment) = window.segment(sequence) else {
            return gone();
        };
        let range = match request.method {
            Method::GET => request.headers.get(http::header::RANGE),
            _ => None,
        };
        let range = range.and_then(|range| negotiation::open_range(range, OPEN_END));
        if sequence < window.next_sequence() {
            let tag = tag(&window, rendition, &sequence.to_string());
            return cmaf(rendition, segment_pieces(segment, rendition), &tag, request);
        }
        let there = segment.bytes(rendition);
        let from = range.as_ref().map_or(0, |range| range.start);
        let to = range.as_ref().map_or(u64::MAX, |range| range.end);
        let body = match (usize::try_from(from), usize::try_from(to)) {
            (Ok(begin), Ok(end)) if to <= there => {
                Body::from(segment_pieces(segment, rendition).slice(begin..end))
            }
            _ => {
                let Some(waiting) = self.stand_in_line(rendition) else {
                    return full();
                };
                let windows = self.presentation.low_latency_windows();
                Body::new(Growing::new(
                    windows,
                    waiting,
                    rendition,
                    sequence,
                    from..to,
                ))
            }
        };
        let status = match range {
            None => StatusCode::OK,
            Some(_) => StatusCode::PARTIAL_CONTENT,
        };
        let mut response = replies::reply(of(rendition), status, body);
        if range.is_some() {
            let last = to.min(OPEN_END + 1) - 1;
            // How long it will be is not known, even where all that is asked for is there: a cache that believed in
            // what there is so far would refuse the parts behind that (Chromium's answers 416 by itself).
            insert(
                response.headers_mut(),
                CONTENT_RANGE,
                format!("bytes {from}-{last}/*"),
            );
        }
        response
    }

    /// The first window that `shows` what is asked for.
    async fn begun(
        &self,
        rendition: Rendition,
        shows: impl Fn(&LowLatencyWindow) -> bool + Send + Sync + 'static,
    ) -> Result<Arc<LowLatencyWindow>, Response> {
        let window = self.presentation.low_latency_window();
        if shows(&window) {
            return Ok(window);
        }
        let shows: Condition = Box::new(move |window| shows(window) || window.is_ended());
        let window = tokio::select! {
            biased;
            window = self.wait(rendition, self.first_segment_wait, &shows) => window?,
            () = until_without_parts(self.presentation) => return Err(without_parts()),
        };
        match window {
            Some(window) if window.is_ready() => Ok(window),
            Some(_) => Err(unknown(self.presentation.name())),
            None => Err(not_yet(self.directory, self.presentation, Form::LowLatency)),
        }
    }

    /// The window once it lists `at`.
    async fn until(
        &self,
        window: &LowLatencyWindow,
        rendition: Rendition,
        at: Position,
    ) -> Result<Arc<LowLatencyWindow>, Response> {
        let next = window.next_sequence();
        let may_come = self.is_of_all && at.segment.saturating_sub(next) <= MAY_LAG;
        if window.standing_in(rendition, at) == Standing::TooFar && !may_come {
            let detail = format!(
                "_HLS_msn={} is too far ahead: the next segment is {next}",
                at.segment
            );
            return Err(replies::problem(StatusCode::BAD_REQUEST, &detail));
        }
        let listed =
            move |window: &LowLatencyWindow| window.standing_in(rendition, at) == Standing::There;
        self.once(rendition, listed).await
    }

    /// The window once it has part `at` of the segment `sequence`, or will never have it.
    async fn come(
        &self,
        rendition: Rendition,
        sequence: u64,
        at: u64,
    ) -> Result<Arc<LowLatencyWindow>, Response> {
        let position = Position::of_part(sequence, at);
        let settled = move |window: &LowLatencyWindow| {
            sequence < window.next_sequence() || window.standing(position) != Standing::Coming
        };
        self.once(rendition, settled).await
    }

    /// The window once it has the segment `sequence`, or will never have it in this period of DASH.
    async fn in_period(
        &self,
        rendition: Rendition,
        sequence: u64,
        period: u64,
    ) -> Result<Arc<LowLatencyWindow>, Response> {
        let position = Position::of_part(sequence, 0);
        let settled = move |window: &LowLatencyWindow| {
            window.standing(position) != Standing::Coming
                || is_behind_the_end(window, sequence, period)
        };
        self.once(rendition, settled).await
    }

    /// The window once it `shows` something, as it is now or within the longest wait. Where others of its ladder go on, nobody
    /// waits for an encoder that is away.
    async fn once(
        &self,
        rendition: Rendition,
        shows: impl Fn(&LowLatencyWindow) -> bool + Send + Sync + 'static,
    ) -> Result<Arc<LowLatencyWindow>, Response> {
        let window = self.presentation.low_latency_window();
        if shows(&window) {
            return Ok(window);
        }
        let shows = Arc::new(shows);
        let shown = Arc::clone(&shows);
        let shown_or_left: Condition = Box::new(move |window| shown(window) || window.is_left());
        let only_shown: Condition = Box::new(move |window| shows(window));
        let target = window.target_duration().span().to_duration();
        let looks = if self.is_of_all { LOOKS } else { 1 };
        let mut awaited = &shown_or_left;
        let mut waited = 0;
        while waited < LONGEST_WAIT * looks {
            match self.wait(rendition, target / looks, awaited).await? {
                Some(window) if only_shown(&window) => return Ok(window),
                Some(_) => {
                    tokio::time::sleep(LEAVING).await;
                    awaited = &only_shown;
                }
                None => waited += 1,
            }
            if waited < LONGEST_WAIT * looks && self.is_elsewhere() {
                return Err(ladder::left(self.presentation.name()));
            }
        }
        Err(late())
    }

    /// What is waited for here is there, or comes, elsewhere in its ladder.
    fn is_elsewhere(&self) -> bool {
        ladder::has_left(self.directory, self.presentation, Form::LowLatency)
            || (self.is_of_all && {
                let ladder = self.directory.ladder_over(self.presentation.name());
                let sound = ladder.and_then(|ladder| ladder.sound_of_all());
                sound.is_some_and(|sound| sound.epoch() != self.presentation.epoch())
            })
    }

    /// A place among those who wait for `rendition`, if one is free.
    fn stand_in_line(&self, rendition: Rendition) -> Option<Waiting> {
        self.presentation.wait_for(rendition, self.most_waiting)
    }

    /// Waits for a window that `shows` something; `None` if it has not come in time. A client of HTTP/2 that goes
    /// away drops this.
    async fn wait(
        &self,
        rendition: Rendition,
        longest: Duration,
        shows: &Condition,
    ) -> Result<Option<Arc<LowLatencyWindow>>, Response> {
        let _waiting = self.stand_in_line(rendition).ok_or_else(full)?;
        let mut windows = self.presentation.low_latency_windows();
        let shown = windows.wait_for(|window| shows(window) || window.is_over());
        let Ok(Ok(window)) = tokio::time::timeout(longest, shown).await else {
            return Ok(None);
        };
        if shows(&window) {
            Ok(Some(Arc::clone(&window)))
        } else {
            Err(replies::try_again(
                "nothing more comes here: the gateway is about to leave, or the encoder has come back to another playlist; try again",
            ))
        }
    }
}

/// Parts come before segments: where there are segments and no part, none will come. What it goes on from in MPEG-TS
/// alone says nothing.
pub(super) fn is_without_parts(presentation: &Presentation) -> bool {
    let window = presentation.window();
    let newest = window.listed().next_back();
    newest.is_some_and(|entry| entry.epoch == presentation.epoch())
        && window.container() == Container::MpegTs
        && !presentation.low_latency_window().is_ready()
}

/// Waits until that is known.
pub(super) async fn until_without_parts(presentation: &Presentation) {
    let mut windows = presentation.windows();
    while !is_without_parts(presentation) {
        if windows.changed().await.is_err() {
            // It has been forgotten: whoever waits for its windows hears of it.
            return pending().await;
        }
    }
}

pub(super) fn without_parts() -> Response {
    replies::problem(
        StatusCode::NOT_FOUND,
        "there is no low-latency form of it: hls.part is 0",
    )
}

fn full() -> Response {
    replies::try_again("too many requests wait for this rendition; try again")
}

fn late() -> Response {
    replies::try_again("the encoder has sent nothing for three target durations; try again")
}

fn gone() -> Response {
    replies::problem(
        StatusCode::NOT_FOUND,
        "this is not on hand: it never was, will not be, or left the playlist too long ago",
    )
}

fn kind(window: &LowLatencyWindow) -> Kind {
    if window.is_ended() {
        Kind::EndedPlaylist
    } else {
        // What a plain request gets is old with the next part.
        Kind::MovingPlaylist
    }
}

const fn of(rendition: Rendition) -> Kind {
    match rendition {
        Rendition::Audio => Kind::CmafAudio,
        Rendition::Video | Rendition::Muxed => Kind::CmafVideo,
    }
}

/// The period that a player of DASH takes a segment to be in.
fn period(request: &Parts) -> Option<u64> {
    let mut pairs = request.uri.query().unwrap_or_default().split('&');
    pairs.find_map(|pair| pair.strip_prefix("period=")?.parse().ok())
}

/// `period` was over before `sequence`: players of DASH compute which segment is next, before they know that there is
/// none.
fn is_behind_the_end(window: &LowLatencyWindow, sequence: u64, period: u64) -> bool {
    let newest = window.open().or(window.listed().last());
    let segment = match window.segment(sequence) {
        None if sequence >= window.next_sequence() => newest,
        known => known,
    };
    segment.is_some_and(|segment| {
        period < segment.period() || (window.is_ended() && sequence > segment.sequence)
    })
}

fn tag(window: &LowLatencyWindow, rendition: Rendition, piece: &str) -> String {
    format!("{:08x}-{}-{piece}", window.epoch(), rendition.name())
}

fn find(window: &LowLatencyWindow, sequence: u64, at: usize) -> Option<(&CmafSegment, &PartEntry)> {
    let segment = window.segment(sequence)?;
    Some((segment, segment.parts.get(at)?))
}

/// Appends what a part is in `rendition`: nothing, where it is a gap.
fn push_part(
    pieces: &mut Pieces,
    segment: &CmafSegment,
    at: usize,
    entry: &PartEntry,
    rendition: Rendition,
) {
    if entry.is_gap(rendition) {
        return;
    }
    let fragment = Fragment {
        part: &entry.part,
        tracks: &segment.head.tracks,
        rendition,
    };
    // It rises from fragment to fragment, which is all that it is for: a minute has 600 parts at most.
    let number = segment.sequence.wrapping_mul(1_024).wrapping_add(at as u64);
    let number = u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    pieces.push(entry.header(rendition, || fragment.header(number, entry.date)));
    for payload in fragment.payloads() {
        pieces.push(payload.clone());
    }
}

/// A segment is its parts, one behind the other.
fn segment_pieces(segment: &CmafSegment, rendition: Rendition) -> Pieces {
    let mut pieces = Pieces::default();
    for (at, entry) in segment.parts.iter().enumerate() {
        push_part(&mut pieces, segment, at, entry, rendition);
    }
    pieces
}

/// A segment without media, for a gap or a place behind the end of a period: a player that is told 404 there asks again, and
/// gives up in the end. What it is told stays true.
fn nothing(rendition: Rendition) -> Response {
    const STYP: &[u8] = b"\0\0\0\x14stypmsdh\0\0\0\0msdh";
    replies::reply(of(rendition), StatusCode::OK, STYP)
}

fn cmaf(rendition: Rendition, body: Pieces, tag: &str, request: &Parts) -> Response {
    if body.len() == 0 {
        return gone();
    }
    let kind = of(rendition);
    let mut response = if negotiation::is_unchanged(&request.headers, tag) {
        replies::unchanged(kind)
    } else {
        ranged(kind, body, tag, request)
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, BYTES.clone());
    insert_tag(headers, format!("\"{tag}\""));
    response
}
