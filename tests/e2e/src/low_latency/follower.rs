//! A player that takes everything: it waits for each part by blocking reload, fetches it as it is listed, sometimes
//! before that, and holds each load against the rules and against the load before.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

use super::delta::merged;
use super::load::{Load, Part};
use crate::{Gateway, http, wait};

/// Nothing here takes longer than a publish and its resume time.
const PATIENCE: Duration = Duration::from_secs(60);
const M3U8: &str = "application/vnd.apple.mpegurl";

/// A player at one rendition.
pub struct Follower {
    at: SocketAddr,
    /// `/live/show`
    folder: String,
    /// The URI of its media playlist.
    uri: String,
    /// Those of the other renditions.
    others: Vec<String>,
    /// The last load.
    pub load: Load,
    hinted: Option<(String, u64, Vec<u8>)>,
    /// Segments at whose end sound was missing, each with a load that shows it.
    ragged: BTreeMap<u64, String>,
    /// What it has so far.
    pub taken: Followed,
}

/// What a follower has fetched and seen.
#[derive(Debug, Default)]
pub struct Followed {
    /// Every part, in order.
    pub parts: Vec<TakenPart>,
    /// Every segment that was complete while it was listed, in order.
    pub segments: Vec<TakenSegment>,
    /// The init sections by URI.
    pub sections: BTreeMap<String, Vec<u8>>,
    /// Loads of the playlist.
    pub loads: u32,
    /// Delta updates that skipped something, and were what the whole is.
    pub deltas: u32,
    /// Parts that were asked for before they were listed.
    pub hinted: u32,
}

/// A part that was fetched.
#[derive(Debug)]
pub struct TakenPart {
    /// Media sequence number of its segment.
    pub sequence: u64,
    /// Its place there.
    pub index: usize,
    /// As it was listed.
    pub part: Part,
    /// The URI of the init section in force.
    pub map: String,
    /// EXT-X-DISCONTINUITY stands before its segment.
    pub discontinuity: bool,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// A segment that was fetched by its own URI when it was complete.
#[derive(Debug)]
pub struct TakenSegment {
    /// Media sequence number.
    pub sequence: u64,
    /// The URI of the init section in force.
    pub map: String,
    /// EXTINF, milliseconds.
    pub duration_ms: u64,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Waits until `/live/show` is published, and gives a follower for each rendition that llhls.m3u8 names, pictures
/// first.
///
/// # Panics
/// There is nothing to play within a minute, or the multivariant playlist is not as it must be.
pub fn join(gateway: &Gateway, folder: &str) -> Vec<Follower> {
    wait::until("a publish", PATIENCE, || {
        let answer = gateway.get(&format!("/api/v1/streams{folder}"));
        (answer.status == 200).then_some(())
    });
    let answer = gateway.get(&format!("{folder}/llhls.m3u8"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some(M3U8));
    let text = answer.text();
    let quoted = text.lines().filter_map(|line| {
        let (_, rest) = line.strip_prefix("#EXT-X-MEDIA:")?.split_once("URI=\"")?;
        Some(rest.split_once('"')?.0)
    });
    let plain = text.lines().filter(|line| !line.starts_with('#'));
    let mut uris: Vec<String> = plain.chain(quoted).map(str::to_owned).collect();
    uris.dedup();
    assert!(!uris.is_empty(), "{text}");
    let follower = |uri: &String| Follower {
        at: gateway.http,
        folder: folder.to_owned(),
        others: uris.iter().filter(|one| *one != uri).cloned().collect(),
        uri: uri.clone(),
        load: Load::default(),
        hinted: None,
        ragged: BTreeMap::new(),
        taken: Followed::default(),
    };
    uris.iter().map(follower).collect()
}

impl Follower {
    /// `video.m3u8`, say.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Follows until EXT-X-ENDLIST.
    ///
    /// # Panics
    /// A rule is broken, or the end does not come within a minute.
    pub fn follow_to_the_end(mut self) -> Followed {
        self.follow_until("the end", |load| load.ended);
        self.taken
    }

    /// Follows until a load shows something, and takes what is new in it.
    ///
    /// # Panics
    /// A rule is broken, or it shows in no load within a minute.
    pub fn follow_until(&mut self, what: &str, shows: impl Fn(&Load) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        if self.taken.loads == 0 {
            self.load = self.whole("");
            self.take();
        }
        while !shows(&self.load) {
            assert!(
                Instant::now() < deadline,
                "{what} has not come: {}",
                self.load.text
            );
            self.look();
        }
    }

    /// Waits for the next part, and takes what is new.
    ///
    /// # Panics
    /// A rule is broken, or nothing comes.
    pub fn look(&mut self) {
        // Another count than that of a segment's parts, so that it is each of them by turns.
        if self.taken.loads.is_multiple_of(4) {
            self.take_hinted();
        }
        let (msn, part) = self.load.next();
        let query = format!("?_HLS_msn={msn}&_HLS_part={part}");
        let load = self.whole(&query);
        assert!(
            load.ended || load.edge() >= (msn, part),
            "{query} was answered with\n{}",
            load.text
        );
        load.assert_follows(&self.load);
        if self.taken.loads % 2 == 1 {
            self.check_delta(&query, &load);
        }
        self.load = load;
        self.take();
    }

    /// A delta update is what the whole is, where nothing has come in between.
    fn check_delta(&mut self, query: &str, whole: &Load) {
        let skip = if self.taken.loads.is_multiple_of(3) {
            "v2"
        } else {
            "YES"
        };
        let delta = self.playlist(&format!("{query}&_HLS_skip={skip}"));
        if self.playlist(query) != whole.text || !delta.contains("#EXT-X-SKIP:") {
            return;
        }
        assert_eq!(merged(&self.load, &delta), whole.text, "of\n{delta}");
        self.taken.deltas += 1;
    }

    /// Asks for the part that is hinted at; the answer comes when it is complete.
    fn take_hinted(&mut self) {
        let Some((uri, from)) = self.load.hints.first().cloned() else {
            return;
        };
        if uri.contains('.') && from == 0 && !self.by_ranges() {
            let answer = http::get(self.at, &self.path(&uri));
            // The publisher may have left, or the segment be complete without it.
            if answer.status == 200 {
                self.hinted = Some((uri, from, answer.body));
            }
        }
    }

    fn by_ranges(&self) -> bool {
        self.load.parts().any(|(_, _, part)| part.range.is_some())
    }

    fn path(&self, uri: &str) -> String {
        format!("{}/{uri}", self.folder)
    }

    /// A load, held against the rules.
    fn whole(&mut self, query: &str) -> Load {
        let text = self.playlist(query);
        self.taken.loads += 1;
        let load = Load::read(&text);
        for sequence in load.ragged(&self.others) {
            let shown = self.ragged.entry(sequence);
            shown.or_insert_with(|| load.text.clone());
        }
        self.assert_ends(&load);
        load
    }

    /// Sound is missing where an encoder has stopped, or where gaps are listed, and nowhere else.
    fn assert_ends(&mut self, load: &Load) {
        self.ragged.retain(|&sequence, shown| {
            let segment = load.segment(sequence);
            if segment.is_some_and(|one| one.gap || one.parts.iter().any(|part| part.gap)) {
                return false;
            }
            let Some(next) = load.segment(sequence + 1) else {
                return true;
            };
            assert!(
                next.discontinuity,
                "the publish goes on behind {sequence}, in which sound is missing:\n{shown}\n{}",
                load.text
            );
            false
        });
    }

    /// The text, plain or compressed by turns.
    fn playlist(&self, query: &str) -> String {
        let path = format!("{}{query}", self.path(&self.uri));
        let gzip = self.taken.loads.is_multiple_of(3);
        let coding = if gzip { "gzip" } else { "identity" };
        let answer = http::request(self.at, "GET", &path, &[("Accept-Encoding", coding)]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some(M3U8));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        let caching = answer.header("cache-control").unwrap_or_default();
        // A URL that says what it waits for may be kept; one that does not is old with the next part.
        let kept = caching.starts_with("public, max-age=");
        let ended = answer.header("content-encoding").is_none()
            && answer.body.ends_with(b"#EXT-X-ENDLIST\n");
        if !gzip {
            assert_eq!(kept, !query.is_empty() || ended, "{path}: {caching}");
        }
        match answer.header("content-encoding") {
            None => {
                assert!(!gzip, "{path} is not compressed");
                answer.text()
            }
            Some(coding) => {
                assert!(gzip && coding == "gzip", "{coding} for {path}");
                let mut text = String::new();
                let read = GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text);
                read.expect("gzip");
                text
            }
        }
    }

    /// Fetches what is new in the last load.
    fn take(&mut self) {
        let load = std::mem::take(&mut self.load);
        for segment in &load.segments {
            if !self.taken.sections.contains_key(&segment.map) {
                let body = self.media(&segment.map, None);
                self.taken.sections.insert(segment.map.clone(), body);
            }
            for (index, part) in segment.parts.iter().enumerate() {
                let at = (segment.sequence, index);
                let last = self.taken.parts.last();
                if part.gap || last.is_some_and(|last| at <= (last.sequence, last.index)) {
                    continue;
                }
                let body = self.media(&part.uri, part.range);
                if let Some((uri, _, hinted)) = self.hinted.take_if(|it| it.0 == part.uri) {
                    assert_eq!(hinted, body, "{uri} before it was listed, and behind that");
                    self.taken.hinted += 1;
                }
                self.taken.parts.push(TakenPart {
                    sequence: segment.sequence,
                    index,
                    part: part.clone(),
                    map: segment.map.clone(),
                    discontinuity: segment.discontinuity,
                    body,
                });
            }
            let last = self.taken.segments.last().map(|last| last.sequence);
            if let Some((duration_ms, uri)) = &segment.whole
                && !segment.gap
                && last.is_none_or(|last| last < segment.sequence)
            {
                self.taken.segments.push(TakenSegment {
                    sequence: segment.sequence,
                    map: segment.map.clone(),
                    duration_ms: *duration_ms,
                    body: self.media(uri, None),
                });
            }
        }
        self.load = load;
    }

    /// A file, or a range of one: length and offset.
    fn media(&self, uri: &str, range: Option<(u64, u64)>) -> Vec<u8> {
        let path = self.path(uri);
        let wanted = range.map(|(length, from)| format!("bytes={from}-{}", from + length - 1));
        let range: Vec<_> = wanted.iter().map(|it| ("Range", it.as_str())).collect();
        let answer = http::request(self.at, "GET", &path, &range);
        let expected = if range.is_empty() { 200 } else { 206 };
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        let kind = if self.uri == "audio.m3u8" {
            "audio/mp4"
        } else {
            "video/mp4"
        };
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let caching = answer.header("cache-control").unwrap_or_default();
        assert!(caching.contains("immutable"), "{path}: {caching}");
        answer.whole_body()
    }
}
