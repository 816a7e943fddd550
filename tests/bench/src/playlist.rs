//! What a reader needs of a media playlist (RFC 8216 §4.3): which segments, and where.

use anyhow::Context as _;

/// The segments a playlist lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Media sequence number of the first.
    pub(crate) media_sequence: u64,
    /// Absolute paths on the server, oldest first.
    pub(crate) paths: Vec<String>,
}

impl Listing {
    /// Reads the playlist found at `path`.
    pub(crate) fn read(path: &str, body: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(body).context("a playlist that is not UTF-8")?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut listing = Self::default();
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                listing.media_sequence = number.trim().parse()?;
            } else if line.starts_with('/') {
                listing.paths.push(line.to_owned());
            } else if !line.starts_with('#') && !line.is_empty() {
                listing.paths.push(format!("{folder}/{line}"));
            }
        }
        Ok(listing)
    }

    /// The media sequence number after the last listed segment's.
    pub(crate) fn end(&self) -> u64 {
        self.media_sequence + u64::try_from(self.paths.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_resolved_against_the_playlist() {
        let text = b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2.000,\na.ts\n#EXTINF:2,\n/x/b.ts\n";
        let listing = Listing::read("/hls/show.m3u8", text).unwrap();
        assert_eq!(listing.paths, ["/hls/a.ts", "/x/b.ts"]);
        assert_eq!((listing.media_sequence, listing.end()), (7, 9));
    }
}
