//! I-frame playlists (rfc8216bis §4.4.3.6): of each segment the picture that it begins with, as a range of its bytes. For
//! players that seek, or show pictures while somebody looks for a place.
//!
//! One entry for each segment, so that numbers, durations, dates and discontinuities are those of the media playlist. A
//! segment that begins with no key picture is a gap.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::SystemTime;

use media::{ByteRange, TsLayout};

use crate::TargetDuration;
use crate::media_playlist::{END, date, extinf_millis, header};
use crate::window::Entry;

/// The version that EXT-X-MAP needs in an I-frame playlist (§8).
pub(crate) const VERSION: u8 = 5;

/// The tag that makes a media playlist one of I-frames.
pub(crate) const TAG: &str = "#EXT-X-I-FRAMES-ONLY\n";

/// The URI of the I-frame playlist of MPEG-TS segments; `folder` goes before it.
pub(crate) fn uri(folder: &str) -> String {
    format!("{folder}iframes.m3u8")
}

/// What stands in the playlist for a segment, behind EXT-X-DISCONTINUITY and EXT-X-MAP.
pub(crate) struct Picture<'a> {
    /// When its segment begins.
    pub(crate) date: SystemTime,
    /// How long that lasts: up to the next picture in the playlist.
    pub(crate) millis: i64,
    /// Its segment.
    pub(crate) uri: &'a str,
    /// Where it is in that; `None` for a gap.
    pub(crate) range: Option<ByteRange>,
}

impl Picture<'_> {
    /// Appends its lines.
    pub(crate) fn write(&self, text: &mut String) {
        let Self {
            date: begins,
            millis,
            uri,
            range,
        } = self;
        let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", date(*begins));
        if range.is_none() {
            text.push_str("#EXT-X-GAP\n");
        }
        let _ = writeln!(text, "#EXTINF:{}.{:03},", millis / 1_000, millis % 1_000);
        if let Some(ByteRange { offset, bytes }) = range {
            let _ = writeln!(text, "#EXT-X-BYTERANGE:{bytes}@{offset}");
        }
        let _ = writeln!(text, "{uri}");
    }
}

/// The whole live playlist of MPEG-TS segments. `listed` is not empty.
pub(crate) fn render(
    listed: &VecDeque<Arc<Entry>>,
    target: TargetDuration,
    independent: bool,
    ended: bool,
) -> String {
    let mut text = header(listed, VERSION, target, independent).lines();
    text.push_str(TAG);
    for entry in listed {
        let Entry { segment, uri, .. } = &**entry;
        if segment.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        let range = segment.ts.key_picture;
        if range.is_some() {
            // Of its own segment each: that of another may be gone while this one is still listed.
            let tables = TsLayout::TABLES;
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{uri}\",BYTERANGE=\"{tables}@0\"");
        }
        let picture = Picture {
            date: segment.date,
            millis: extinf_millis(segment),
            uri,
            range,
        };
        picture.write(&mut text);
    }
    if ended {
        text.push_str(END);
    }
    text
}

#[cfg(test)]
mod tests {
    use media::MediaTime;

    use super::*;
    use crate::window::tests::{listed, video_segment};

    #[test]
    fn a_whole_playlist() {
        let picture = |sequence, bytes| {
            let mut segment = video_segment(sequence, 2_000, 500_000);
            segment.ts.key_picture = Some(ByteRange { offset: 564, bytes });
            segment
        };
        let mut forced = video_segment(42, 2_000, 500_000);
        forced.independent = false;
        let mut returned = picture(43, 41_924);
        returned.discontinuity = true;
        let entries = VecDeque::from([
            listed(41, 0, picture(41, 39_480)),
            listed(42, 0, forced),
            listed(43, 1, returned),
        ]);
        let target = TargetDuration::fitting(MediaTime::from_millis(2_000), MediaTime::ZERO);
        assert_eq!(
            render(&entries, target, false, true),
            "\
#EXTM3U
#EXT-X-VERSION:5
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-I-FRAMES-ONLY
#EXT-X-MAP:URI=\"main-000000e1-41.ts\",BYTERANGE=\"376@0\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:22.000Z
#EXTINF:2.000,
#EXT-X-BYTERANGE:39480@564
main-000000e1-41.ts
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:24.000Z
#EXT-X-GAP
#EXTINF:2.000,
main-000000e1-42.ts
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"main-000000e1-43.ts\",BYTERANGE=\"376@0\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:26.000Z
#EXTINF:2.000,
#EXT-X-BYTERANGE:41924@564
main-000000e1-43.ts
#EXT-X-ENDLIST
"
        );
    }
}
