//! Live media playlists read strictly: every line must be one the gateway is known to write, and a reload
//! must be a lawful successor of the load before (rfc8216bis §4.4, §6.2.1, §6.2.2).

use std::time::UNIX_EPOCH;

/// One load of a media playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// EXT-X-TARGETDURATION, in seconds.
    pub target: u64,
    /// EXT-X-MEDIA-SEQUENCE.
    pub sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// EXT-X-INDEPENDENT-SEGMENTS stands there.
    pub independent: bool,
    /// EXT-X-ENDLIST stands there.
    pub ended: bool,
    /// The segments, oldest first.
    pub entries: Vec<Entry>,
}

/// A segment as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the playlist.
    pub uri: String,
    /// EXTINF, in milliseconds.
    pub duration_ms: u64,
    /// EXT-X-PROGRAM-DATE-TIME, in milliseconds since 1970.
    pub date_ms: u64,
    /// EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
}

impl MediaPlaylist {
    /// Reads a playlist and checks what one load alone can show.
    ///
    /// # Panics
    /// It is not as it must be.
    pub fn parse(text: &str) -> Self {
        let playlist = Self::read(text)
            .unwrap_or_else(|line| panic!("{line:?} cannot stand where it does in\n{text}"));
        assert!(!playlist.entries.is_empty(), "nothing is listed in\n{text}");
        for entry in &playlist.entries {
            let seconds = (entry.duration_ms + 500) / 1_000;
            assert!(
                entry.duration_ms > 0 && seconds <= playlist.target,
                "{} ms do not fit in\n{text}",
                entry.duration_ms
            );
        }
        for pair in playlist.entries.windows(2) {
            // Within a millisecond of rounding.
            let end = pair[0].date_ms + pair[0].duration_ms;
            let (ends, begins) = (end - 1..=end + 1, pair[1].date_ms);
            assert!(
                ends.contains(&begins) || pair[1].discontinuity && begins > end,
                "{} does not end where the next begins in\n{text}",
                pair[0].uri
            );
        }
        playlist
    }

    /// Checks that `self` may follow `before` at the same URL, and that a player that saw both missed
    /// nothing.
    ///
    /// # Panics
    /// It may not.
    pub fn assert_follows(&self, before: &Self) {
        let both = format!("\nbefore: {before:#?}\nafter: {self:#?}");
        assert_eq!(self.target, before.target, "target duration{both}");
        if before.ended {
            assert_eq!(self, before, "a playlist that had ended has changed");
        }
        let removed = self.sequence.checked_sub(before.sequence);
        let removed = removed.unwrap_or_else(|| panic!("the media sequence steps back{both}"));
        let removed = usize::try_from(removed).expect("small");
        assert!(
            removed <= before.entries.len(),
            "segments were missed{both}"
        );
        let (gone, stayed) = before.entries.split_at(removed);
        assert_eq!(
            self.entries.get(..stayed.len()),
            Some(stayed),
            "a listed segment changed{both}"
        );
        let tags = gone.iter().filter(|entry| entry.discontinuity).count() as u64;
        assert_eq!(
            self.discontinuity_sequence,
            before.discontinuity_sequence + tags,
            "discontinuity sequence{both}"
        );
        let listed: u64 = self.entries.iter().map(|entry| entry.duration_ms).sum();
        assert!(
            gone.is_empty() || listed >= 3 * self.target * 1_000,
            "removal left less than three target durations{both}"
        );
    }

    /// Checks that `self` may be what a gateway lists after a restart that has forgotten the segments of
    /// `before`: higher numbers, a break, the same target duration, and no URL a second time.
    ///
    /// # Panics
    /// It may not.
    pub fn assert_resumes(&self, before: &Self) {
        let both = format!("\nbefore: {before:#?}\nafter: {self:#?}");
        assert_eq!(self.target, before.target, "target duration{both}");
        let last = |playlist: &Self| {
            let last = playlist.numbered().last();
            last.map(|(sequence, discontinuity, _)| (sequence, discontinuity))
        };
        let first = self.numbered().next();
        let first = first.map(|(sequence, discontinuity, _)| (sequence, discontinuity));
        let rises = first.zip(last(before));
        let rises = rises.is_some_and(|(new, old)| new.0 > old.0 && new.1 > old.1);
        assert!(rises, "the numbers do not rise{both}");
        for entry in &self.entries {
            let again = before.entries.iter().any(|old| old.uri == entry.uri);
            assert!(!again, "{} is used again{both}", entry.uri);
        }
    }

    /// The segments with their media sequence and discontinuity sequence numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, u64, &Entry)> {
        let mut discontinuity = self.discontinuity_sequence;
        (self.sequence..)
            .zip(&self.entries)
            .map(move |(sequence, entry)| {
                discontinuity += u64::from(entry.discontinuity);
                (sequence, discontinuity, entry)
            })
    }

    fn read(text: &str) -> Result<Self, &str> {
        let mut playlist = Self::default();
        let mut lines = text.strip_suffix('\n').ok_or(text)?.split('\n').peekable();
        for expected in ["#EXTM3U", "#EXT-X-VERSION:3"] {
            lines.next_if_eq(&expected).ok_or(text)?;
        }
        playlist.independent = lines.next_if_eq(&"#EXT-X-INDEPENDENT-SEGMENTS").is_some();
        let mut number = |tag: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(tag).and_then(|value| value.parse().ok());
            value.ok_or(line)
        };
        playlist.target = number("#EXT-X-TARGETDURATION:")?;
        playlist.sequence = number("#EXT-X-MEDIA-SEQUENCE:")?;
        playlist.discontinuity_sequence = number("#EXT-X-DISCONTINUITY-SEQUENCE:")?;
        // Date ranges stand above the segments; what they say is the affair of `timed_metadata`.
        while lines
            .next_if(|line| line.starts_with("#EXT-X-DATERANGE:ID=\""))
            .is_some()
        {}
        while let Some(line) = lines.next() {
            if line == "#EXT-X-ENDLIST" && lines.peek().is_none() {
                playlist.ended = true;
                break;
            }
            let discontinuity = line == "#EXT-X-DISCONTINUITY";
            let line = if discontinuity {
                lines.next().unwrap_or_default()
            } else {
                line
            };
            let date_ms = date(line).ok_or(line)?;
            let line = lines.next().unwrap_or_default();
            let duration_ms = extinf(line).ok_or(line)?;
            let line = lines.next().unwrap_or_default();
            if line.starts_with('#') || line.is_empty() {
                return Err(line);
            }
            playlist.entries.push(Entry {
                uri: line.to_owned(),
                duration_ms,
                date_ms,
                discontinuity,
            });
        }
        Ok(playlist)
    }
}

fn date(line: &str) -> Option<u64> {
    let text = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:")?;
    let since = humantime::parse_rfc3339(text)
        .ok()?
        .duration_since(UNIX_EPOCH);
    since.ok()?.as_millis().try_into().ok()
}

fn extinf(line: &str) -> Option<u64> {
    let text = line.strip_prefix("#EXTINF:")?.strip_suffix(',')?;
    let (seconds, millis) = text.split_once('.')?;
    let (seconds, thousandths): (u64, u64) = (seconds.parse().ok()?, millis.parse().ok()?);
    (millis.len() == 3).then_some(seconds * 1_000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:7
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:22.000Z
#EXTINF:2.002,
a.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:30.000Z
#EXTINF:1.998,
b.ts
";

    #[test]
    fn reads_what_stands_there() {
        let playlist = MediaPlaylist::parse(TEXT);
        let numbered: Vec<_> = playlist
            .numbered()
            .map(|(sequence, discontinuity, entry)| (sequence, discontinuity, entry.uri.as_str()))
            .collect();
        assert_eq!(numbered, [(41, 7, "a.ts"), (42, 8, "b.ts")]);
        assert_eq!(playlist.entries[0].duration_ms, 2_002);
        assert_eq!(playlist.entries[1].date_ms % 60_000, 30_000);
    }

    #[test]
    fn refuses_what_must_not_be() {
        // what is replaced, by what
        let cases = [
            ("EXTINF:2.002", "EXTINF:2.502"),
            ("EXTINF:2.002", "EXTINF:2.02"),
            ("#EXT-X-DISCONTINUITY\n", ""),
            ("#EXT-X-TARGETDURATION:2\n", ""),
            ("a.ts\n", "a.ts\n#EXT-X-ENDLIST\n"),
        ];
        for (old, new) in cases {
            let text = TEXT.replace(old, new);
            assert!(
                std::panic::catch_unwind(|| MediaPlaylist::parse(&text)).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_reload_may_append_and_remove_and_nothing_else() {
        let before = MediaPlaylist::parse(TEXT);
        let more = "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:31.998Z\n#EXTINF:2.000,\nc.ts\n";
        let follows = |text: &str| {
            let after = MediaPlaylist::parse(text);
            std::panic::catch_unwind(|| after.assert_follows(&before)).is_ok()
        };
        assert!(follows(TEXT));
        assert!(follows(&format!("{TEXT}{more}")));
        assert!(follows(&format!("{TEXT}#EXT-X-ENDLIST\n")));
        for (old, new) in [
            ("SEQUENCE:41", "SEQUENCE:40"),
            ("SEQUENCE:41", "SEQUENCE:42"),
            ("SEQUENCE:41", "SEQUENCE:44"),
            ("TARGETDURATION:2", "TARGETDURATION:3"),
            ("SEQUENCE:7", "SEQUENCE:8"),
            ("b.ts", "d.ts"),
            ("EXTINF:1.998", "EXTINF:1.997"),
        ] {
            assert!(!follows(&TEXT.replace(old, new)), "{old} to {new}");
        }
    }
}
