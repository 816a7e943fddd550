//! Media playlist text (rfc8216bis §4.4.3, §4.4.4).
//!
//! A segment's lines are rendered once, when it is listed; a playlist is a header and the lines of what
//! it lists. m3u8-rs renders a model of the whole playlist at every change, 50 times the work.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use media::Segment;

use crate::date_ranges::DateRanges;
use crate::window::Entry;
use crate::{RENDITION, TargetDuration};

/// The version that decimal EXTINF needs (rfc8216bis §8); nothing here needs more.
pub(crate) const VERSION: u8 = 3;

/// The last line of a playlist that will not change any more.
pub(crate) const END: &str = "#EXT-X-ENDLIST\n";

/// The URI of the playlist; `folder` goes before it.
pub(crate) fn uri(folder: &str) -> String {
    format!("{folder}{RENDITION}.m3u8")
}

/// The lines of one segment; `dated` is when it began, which something that is not live has no use for.
pub(crate) fn segment_lines(segment: &Segment, dated: Option<SystemTime>, uri: &str) -> String {
    let mut lines = String::new();
    if segment.discontinuity {
        lines.push_str("#EXT-X-DISCONTINUITY\n");
    }
    if let Some(began) = dated {
        let _ = writeln!(lines, "#EXT-X-PROGRAM-DATE-TIME:{}", date(began));
    }
    let millis = extinf_millis(segment);
    let _ = writeln!(
        lines,
        "#EXTINF:{}.{:03},\n{uri}",
        millis / 1_000,
        millis % 1_000
    );
    lines
}

/// EXTINF in milliseconds: the difference of the rounded ends, so that rounding never adds up. It may be up to a
/// millisecond longer than the segment, and it is what target durations are compared with.
pub(crate) fn extinf_millis(segment: &Segment) -> i64 {
    ((segment.start + segment.duration).as_millis() - segment.start.as_millis()).max(1)
}

/// What stands above the segments.
pub(crate) struct Header {
    /// EXT-X-VERSION.
    pub(crate) version: u8,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub(crate) independent: bool,
    pub(crate) target: TargetDuration,
    /// EXT-X-MEDIA-SEQUENCE.
    pub(crate) sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub(crate) discontinuity_sequence: u64,
}

impl Header {
    /// The header's lines.
    pub(crate) fn lines(&self) -> String {
        let independent = if self.independent {
            "#EXT-X-INDEPENDENT-SEGMENTS\n"
        } else {
            ""
        };
        format!(
            "#EXTM3U\n#EXT-X-VERSION:{}\n{independent}#EXT-X-TARGETDURATION:{}\n\
             #EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
            self.version,
            self.target.seconds(),
            self.sequence,
            self.discontinuity_sequence,
        )
    }
}

/// The whole live playlist. `listed` is not empty.
pub(crate) fn render(
    listed: &VecDeque<Arc<Entry>>,
    ranges: &DateRanges,
    target: TargetDuration,
    independent: bool,
    ended: bool,
) -> String {
    let mut text = header(listed, VERSION, target, independent).lines();
    ranges.write(&mut text);
    text.reserve(listed.iter().map(|entry| entry.text.len()).sum::<usize>() + END.len());
    for entry in listed {
        text.push_str(&entry.text);
    }
    if ended {
        text.push_str(END);
    }
    text
}

/// The header of a live playlist that begins with the first of `listed`.
pub(crate) fn header(
    listed: &VecDeque<Arc<Entry>>,
    version: u8,
    target: TargetDuration,
    independent: bool,
) -> Header {
    let first = listed.front();
    Header {
        version,
        independent,
        target,
        sequence: first.map_or(0, |first| first.sequence),
        // It counts the tags that are gone; one that still stands before the first segment is not.
        discontinuity_sequence: first.map_or(0, |first| {
            first.discontinuity_sequence - u64::from(first.segment.discontinuity)
        }),
    }
}

/// A date as EXT-X-PROGRAM-DATE-TIME wants it: ISO 8601, UTC, milliseconds.
pub(crate) fn date(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at.max(UNIX_EPOCH)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::tests::entry;
    use media::MediaTime;

    #[test]
    fn a_whole_playlist() {
        let listed = VecDeque::from([entry(41, 0, 2_000), entry(42, 0, 2_002)]);
        assert_eq!(
            render(
                &listed,
                &DateRanges::default(),
                TargetDuration::fitting(MediaTime::from_millis(2_000), MediaTime::ZERO),
                true,
                false
            ),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:22.000Z
#EXTINF:2.000,
main-000000e1-41.ts
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:24.000Z
#EXTINF:2.002,
main-000000e1-42.ts
"
        );
    }
}
