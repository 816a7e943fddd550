//! A viewer who takes every part as it comes, in every form there is, and misses nothing.

use media::{MediaTime, Rendition};
use playlist::{LowLatencyWindow, Playlist};
use segmenter::cmaf::{self, Fragment};

/// What was there at the last look.
#[derive(Default)]
pub(crate) struct PartFollower {
    /// Number, parts and end of the newest segment.
    newest: Option<(u64, usize, MediaTime)>,
}

impl PartFollower {
    /// A part, or the end of a segment, was just listed in `window`.
    pub(crate) fn look(&mut self, window: &LowLatencyWindow) {
        let segment = window.open().or_else(|| window.listed().next_back());
        let segment = segment.expect("something is listed");
        let begins = segment.start();
        match self.newest {
            Some((number, parts, end)) if number == segment.sequence => {
                assert!((parts..=parts + 1).contains(&segment.parts.len()));
                assert!(segment.end() >= end);
            }
            Some((number, _, end)) => {
                assert_eq!(segment.sequence, number + 1, "numbers rise by one");
                assert_eq!(segment.parts.len(), 1);
                assert!(segment.head.discontinuity || begins == end);
            }
            None => assert!(!segment.head.discontinuity, "nothing stands before it"),
        }
        self.newest = Some((segment.sequence, segment.parts.len(), segment.end()));

        let entry = segment.parts.last().expect("a segment has parts");
        for rendition in window.renditions() {
            let fragment = Fragment {
                part: &entry.part,
                tracks: &segment.head.tracks,
                rendition,
            };
            assert_eq!(entry.part.sizes.of(rendition), fragment.size());
            if let Some(size) = fragment.size() {
                let header = fragment.header(1, entry.date);
                let payloads = fragment.payloads().map(|payload| payload.len());
                assert_eq!((header.len() + payloads.sum::<usize>()) as u64, size);
            }
            if window.open().is_none() {
                read_all(window, rendition);
            }
        }
    }
}

/// Every text can be rendered, and what it names is there.
fn read_all(window: &LowLatencyWindow, rendition: Rendition) {
    let text = |form| {
        let text = window
            .playlist(rendition, form, playlist::Beside::default)
            .plain();
        String::from_utf8(text.to_vec()).expect("a playlist is UTF-8")
    };
    let (full, delta) = (text(Playlist::Full), text(Playlist::Delta));
    match delta.split_once("#EXT-X-SKIP:") {
        None => assert_eq!(full, delta),
        Some((header, rest)) => {
            let (_, rest) = rest.split_once('\n').expect("a line");
            assert!(full.starts_with(header) && full.ends_with(rest));
        }
    }
    assert_eq!(full.matches("#EXTINF").count(), window.listed().count());
    assert_eq!(full.matches("#EXT-X-PRELOAD-HINT").count(), 1);
    for segment in window.listed() {
        if let Some(section) = segment.section(rendition) {
            assert!(window.section(rendition, section.id).is_some());
            assert!(!cmaf::init(&section.tracks, rendition).is_empty());
        }
    }
    assert!(
        !window
            .multivariant(playlist::Label::default)
            .plain()
            .is_empty()
    );
    assert!(!window.manifest(playlist::Label::default).plain().is_empty());
}
