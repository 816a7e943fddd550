//! Playlists of something that is whole from the start: a file, cut and written out.

use std::sync::Arc;

use media::{MediaTime, Segment, Track};

use crate::measured::Measured;
use crate::media_playlist::{self, END, Header, VERSION, extinf_millis, segment_lines};
use crate::multivariant::{self, Variant};
use crate::{RENDITION, TargetDuration};

/// Collects segments and gives both playlists at the end. Holds no media.
#[derive(Debug)]
pub struct Vod {
    segment: MediaTime,
    longest: MediaTime,
    lines: String,
    count: u64,
    /// Each set of tracks that follows another.
    tracks: Vec<Arc<[Track]>>,
    measured: Measured,
}

/// Both playlists of a finished [`Vod`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VodTexts {
    /// The multivariant playlist; it names the media playlist `main.m3u8`.
    pub multivariant: String,
    /// The media playlist.
    pub playlist: String,
}

impl Vod {
    /// For segments cut at `segment`.
    pub fn new(segment: MediaTime) -> Self {
        Self {
            segment,
            longest: MediaTime::ZERO,
            lines: String::new(),
            count: 0,
            tracks: Vec::new(),
            measured: Measured::default(),
        }
    }

    /// Whether a file called `name` is one that a [`Vod`] has named.
    pub fn is_its(name: &str) -> bool {
        let number = name
            .strip_prefix(RENDITION)
            .and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".ts"));
        number.is_some_and(|number| number.parse::<u64>().is_ok())
    }

    /// Lists the next segment and gives the name it is to be stored under.
    pub fn push(&mut self, segment: &Segment) -> String {
        let uri = format!("{RENDITION}-{}.ts", self.count);
        self.count += 1;
        self.longest = self
            .longest
            .max(MediaTime::from_millis(extinf_millis(segment)));
        self.lines.push_str(&segment_lines(segment, None, &uri));
        self.measured.add_segment(segment, self.segment);
        if self
            .tracks
            .last()
            .is_none_or(|last| !Arc::ptr_eq(last, &segment.tracks))
        {
            self.tracks.push(segment.tracks.clone());
        }
        uri
    }

    /// The texts; `None` if nothing was listed.
    pub fn finish(self) -> Option<VodTexts> {
        if self.count == 0 {
            return None;
        }
        let header = Header {
            version: VERSION,
            independent: self.measured.is_independent(),
            target: TargetDuration::fitting(self.longest, self.longest),
            sequence: 0,
            discontinuity_sequence: 0,
        };
        let tracks = multivariant::newest(self.tracks.iter().map(|tracks| &**tracks));
        Some(VodTexts {
            multivariant: multivariant::render(
                &[Variant {
                    tracks,
                    measured: self.measured,
                    id: RENDITION.to_owned(),
                    uri: media_playlist::uri(""),
                    i_frames: None,
                    hears: None,
                }],
                &[],
            ),
            playlist: format!(
                "{}#EXT-X-PLAYLIST-TYPE:VOD\n{}{END}",
                header.lines(),
                self.lines
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::tests::segment;

    #[test]
    fn a_whole_playlist() {
        let mut vod = Vod::new(MediaTime::from_millis(2_000));
        assert_eq!(vod.push(&segment(0, 2_000)), "main-0.ts");
        assert_eq!(vod.push(&segment(1, 2_600)), "main-1.ts");
        assert_eq!(
            vod.finish().expect("two segments").playlist,
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:3
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:2.000,
main-0.ts
#EXTINF:2.600,
main-1.ts
#EXT-X-ENDLIST
"
        );
        assert_eq!(Vod::new(MediaTime::ZERO).finish(), None);
        assert!(
            Vod::is_its("main-17.ts") && !Vod::is_its("main-.ts") && !Vod::is_its("main-1.mp4")
        );
    }
}
