//! A viewer who reloads the playlist after every segment, and misses nothing.

use std::collections::HashSet;

use e2e::media_playlist::MediaPlaylist;
use media::Segment;
use playlist::Window;

#[derive(Default)]
pub(crate) struct Follower {
    before: Option<MediaPlaylist>,
    uris: HashSet<String>,
}

impl Follower {
    /// `pushed` was just listed in `window`.
    pub(crate) fn look(&mut self, window: &Window, pushed: &Segment, keeps_removed: bool) {
        let text = window.playlist().plain();
        let text = std::str::from_utf8(&text).expect("a playlist is UTF-8");
        let now = MediaPlaylist::parse(text);
        assert!(!now.ended, "somebody publishes");
        let (sequence, discontinuity, newest) = now.numbered().last().expect("it is listed");
        let entry = window.entry(sequence).expect("a listed segment is there");
        assert_eq!(entry.uri, newest.uri);
        assert_eq!(entry.discontinuity_sequence, discontinuity);
        assert_eq!(entry.segment.start, pushed.start);
        assert_eq!(entry.segment.units.len(), pushed.units.len());
        assert!(
            self.uris.insert(newest.uri.clone()),
            "{} is used twice",
            newest.uri
        );

        // EXTINF is the difference of the rounded ends, so that any sum of them is right. Zero it must not
        // be: 90 pictures at one and the same timestamp are a millisecond.
        let begins = pushed.start.as_millis();
        let ends = (pushed.start + pushed.duration).as_millis();
        assert_eq!(
            i64::try_from(newest.duration_ms).ok(),
            Some((ends - begins).max(1)),
            "EXTINF"
        );
        assert!(
            !now.independent || pushed.independent,
            "a segment that is not independent in\n{text}"
        );
        if let Some(before) = &self.before {
            now.assert_follows(before);
            let (last, ..) = before.numbered().last().expect("it listed something");
            assert_eq!(sequence, last + 1, "the media sequence rises by one");
            assert!(
                !pushed.discontinuity || newest.discontinuity,
                "the discontinuity is not tagged in\n{text}"
            );
            if keeps_removed {
                for (sequence, _, entry) in before.numbered() {
                    let there = window.entry(sequence).map(|entry| entry.uri.as_str());
                    assert_eq!(there, Some(entry.uri.as_str()), "gone while it was listed");
                }
            }
        } else {
            assert!(!newest.discontinuity, "nothing stands before it in\n{text}");
        }
        self.before = Some(now);
    }
}
