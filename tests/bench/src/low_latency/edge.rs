//! What a waiting reader needs of a low-latency media playlist (rfc8216bis §4.4): its parts, where it
//! stands, what it hints at.

use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Where a part stands; also what a blocking reload asks for (rfc8216bis §6.2.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Media sequence number of its segment.
    pub(crate) segment: u64,
    /// Its number in the segment.
    pub(crate) part: u64,
}

/// A listed part that can be fetched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedPart {
    /// Where it stands.
    pub(crate) at: Position,
    /// Relative to the playlist.
    pub(crate) uri: String,
}

/// The playlist's end, as far as parts are listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edge {
    /// Parts that are no gap, oldest first.
    pub(crate) parts: Vec<ListedPart>,
    /// The position of the part that comes next.
    pub(crate) next: Position,
    /// The URI of the part that comes next.
    pub(crate) hint: Option<String>,
    /// The URI of the newest init section.
    pub(crate) section: Option<String>,
    /// How far players stay from the edge.
    pub(crate) part_hold_back: Duration,
}

impl Edge {
    /// Reads a media playlist whose parts are files.
    pub(crate) fn read(body: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(body).context("a playlist that is not UTF-8")?;
        let mut edge = Self {
            parts: Vec::new(),
            next: Position {
                segment: 0,
                part: 0,
            },
            hint: None,
            section: None,
            part_hold_back: Duration::ZERO,
        };
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                edge.next.segment = number.trim().parse()?;
            } else if let Some(attributes) = line.strip_prefix("#EXT-X-PART:") {
                if attribute(attributes, "GAP").is_none() {
                    let uri = attribute(attributes, "URI").context("a part without a URI")?;
                    edge.parts.push(ListedPart {
                        at: edge.next,
                        uri: uri.to_owned(),
                    });
                }
                edge.next.part += 1;
            } else if let Some(attributes) = line.strip_prefix("#EXT-X-PRELOAD-HINT:TYPE=PART,") {
                edge.hint = attribute(attributes, "URI").map(str::to_owned);
            } else if let Some(attributes) = line.strip_prefix("#EXT-X-MAP:") {
                edge.section = attribute(attributes, "URI").map(str::to_owned);
            } else if let Some(attributes) = line.strip_prefix("#EXT-X-SERVER-CONTROL:") {
                let back = attribute(attributes, "PART-HOLD-BACK");
                let back = back.context("no PART-HOLD-BACK")?.parse()?;
                edge.part_hold_back = Duration::try_from_secs_f64(back)?;
            } else if !line.starts_with('#') && !line.is_empty() {
                edge.next.segment += 1;
                edge.next.part = 0;
            }
        }
        ensure!(
            !text.contains("#EXT-X-ENDLIST"),
            "the playlist ended while its publisher was there"
        );
        Ok(edge)
    }

    /// The listed parts from `at` on.
    pub(crate) fn since(&self, at: Position) -> impl Iterator<Item = &ListedPart> {
        self.parts.iter().filter(move |part| part.at >= at)
    }
}

/// The value of an attribute, without quotes. No value here holds a comma.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes.split(',').find_map(|attribute| {
        let (key, value) = attribute.split_once('=')?;
        (key == name).then(|| value.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.000,PART-HOLD-BACK=0.654,HOLD-BACK=6.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI=\"video-e-0.mp4\"
#EXT-X-PART:DURATION=0.200,URI=\"video-e-7.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-e-7.1.m4s\",GAP=YES
#EXTINF:0.400,
video-e-7.m4s
#EXT-X-PART:DURATION=0.200,URI=\"video-e-8.0.m4s\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-e-8.1.m4s\"
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=8,LAST-PART=0
";

    fn at(segment: u64, part: u64) -> Position {
        Position { segment, part }
    }

    #[test]
    fn parts_are_counted_in_their_segments() {
        let edge = Edge::read(TEXT.as_bytes()).unwrap();
        let parts: Vec<Position> = edge.parts.iter().map(|part| part.at).collect();
        assert_eq!(parts, [at(7, 0), at(8, 0)]);
        assert_eq!(edge.next, at(8, 1));
        assert_eq!(edge.since(at(7, 1)).count(), 1);
        assert_eq!(edge.hint.as_deref(), Some("video-e-8.1.m4s"));
        assert_eq!(edge.section.as_deref(), Some("video-e-0.mp4"));
        assert_eq!(edge.part_hold_back, Duration::from_millis(654));
    }

    #[test]
    fn an_ended_playlist_is_an_error() {
        assert!(Edge::read(format!("{TEXT}#EXT-X-ENDLIST\n").as_bytes()).is_err());
    }
}
