//! The playlist of the sound in MPEG-TS segments alone: packed audio (rfc8216bis §3.1.3), for lines that no picture gets
//! through.
//!
//! One entry for each segment, so that numbers, durations, dates and discontinuities are those of the media playlist. A
//! segment without sound is a gap.

use std::collections::VecDeque;
use std::sync::Arc;

use media::PackedAudio;

use crate::date_ranges::DateRanges;
use crate::media_playlist::{END, VERSION, header, segment_lines};
use crate::window::Entry;
use crate::{PACKED_AUDIO, TargetDuration};

/// The URI of the playlist; `folder` goes before it.
pub(crate) fn uri(folder: &str) -> String {
    format!("{folder}{PACKED_AUDIO}.m3u8")
}

/// The URI of the sound of a segment of MPEG-TS; of one that has none, one that nobody asks for.
fn segment_uri(entry: &Entry) -> String {
    let epoch = entry.epoch;
    let form = PackedAudio::of(&entry.segment).unwrap_or(PackedAudio::Aac);
    let (sequence, extension) = (entry.sequence, form.extension());
    format!("{PACKED_AUDIO}-{epoch:08x}-{sequence}.{extension}")
}

/// The whole live playlist. `listed` is not empty.
pub(crate) fn render(
    listed: &VecDeque<Arc<Entry>>,
    ranges: &DateRanges,
    target: TargetDuration,
    ended: bool,
) -> String {
    // Whoever hears a frame needs none before it.
    let mut text = header(listed, VERSION, target, true).lines();
    ranges.write(&mut text);
    for entry in listed {
        let segment = &entry.segment;
        if segment.ts.packed_audio == 0 {
            text.push_str("#EXT-X-GAP\n");
        }
        let uri = segment_uri(entry);
        text.push_str(&segment_lines(segment, Some(segment.date), &uri));
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
        let sound = |sequence, packed_audio| {
            let mut segment = video_segment(sequence, 2_000, 500_000);
            segment.independent = false;
            segment.ts.packed_audio = packed_audio;
            segment
        };
        let mut returned = sound(43, 32_000);
        returned.discontinuity = true;
        let entries = VecDeque::from([
            listed(41, 0, sound(41, 32_000)),
            listed(42, 0, sound(42, 0)),
            listed(43, 1, returned),
        ]);
        let target = TargetDuration::fitting(MediaTime::from_millis(2_000), MediaTime::ZERO);
        assert_eq!(
            render(&entries, &DateRanges::default(), target, true),
            "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:22.000Z
#EXTINF:2.000,
sound-000000e1-41.aac
#EXT-X-GAP
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:24.000Z
#EXTINF:2.000,
sound-000000e1-42.aac
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:26.000Z
#EXTINF:2.000,
sound-000000e1-43.aac
#EXT-X-ENDLIST
"
        );
    }
}
