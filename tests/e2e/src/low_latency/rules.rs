//! What a load has to be like, by itself and behind the one before (rfc8216bis §4.4, §6.2.1, §6.2.2, appendix B).
//!
//! All renditions move together and all parts of a segment are listed. An encoder that is stopped has often sent less
//! sound than picture, and the gaps that this leaves at the end of the last segment are not listed: only somebody who
//! sees what follows can tell that from a fault, so a load names the segments in question ([`Load::ragged`]).

use std::collections::BTreeSet;

use super::load::{Load, Part, Segment};

/// A part that is not the last of its segment is this much of the part target at least, in percent.
const LEAST_PERCENT: u64 = 85;
/// Rounded to milliseconds on both sides.
const ROUNDING_MS: u64 = 1;

impl Load {
    /// Checks what one whole load alone can show; `others` are the URIs of the other renditions.
    ///
    /// # Panics
    /// It is not as it must be.
    pub fn assert_lawful(&self, others: &[String]) {
        let ragged = self.ragged(others);
        assert!(
            ragged.is_empty(),
            "sound is missing at the end of {ragged:?} in\n{}",
            self.text
        );
    }

    /// The same, and the segments at whose end sound is missing: lawful in the last one of a publish.
    ///
    /// # Panics
    /// It is not as it must be.
    pub(super) fn ragged(&self, others: &[String]) -> BTreeSet<u64> {
        let text = &self.text;
        let mut ragged = BTreeSet::new();
        assert_eq!(self.skipped, 0, "a whole load skips nothing:\n{text}");
        assert!(
            self.version >= 9 && self.target_ms > 0 && self.part_target_ms > 0,
            "{text}"
        );
        assert!(self.can_block, "{text}");
        assert!(
            self.part_hold_back_ms >= 3 * self.part_target_ms,
            "PART-HOLD-BACK in\n{text}"
        );
        assert!(
            self.hold_back_ms >= 3 * self.target_ms,
            "HOLD-BACK in\n{text}"
        );
        assert!(
            self.can_skip_until_ms >= 6 * self.target_ms,
            "CAN-SKIP-UNTIL in\n{text}"
        );
        assert!(!self.segments.is_empty(), "nothing is listed in\n{text}");
        for segment in &self.segments {
            self.assert_segment(segment);
            if self.lacks_parts(segment) {
                ragged.insert(segment.sequence);
            }
        }
        for pair in self.segments.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let Some((lasts, _)) = before.whole else {
                panic!("an open segment in the middle of\n{text}")
            };
            let end = before.date_ms + lasts;
            let joins = after.date_ms.abs_diff(end) <= ROUNDING_MS;
            assert!(
                joins || after.discontinuity && after.date_ms > end,
                "{} does not begin when the one before ends in\n{text}",
                after.sequence
            );
        }
        if self.ended {
            assert!(self.hints.is_empty(), "a hint in an ended\n{text}");
            return ragged;
        }
        assert_eq!(self.hints.len(), 1, "hints in\n{text}");
        let mut reported: Vec<_> = self.reports.iter().map(|report| &report.0).collect();
        reported.sort();
        assert_eq!(
            reported,
            others.iter().collect::<Vec<_>>(),
            "reports in\n{text}"
        );
        let edge = self.edge();
        for (uri, msn, part) in &self.reports {
            let part = part.unwrap_or_else(|| panic!("no LAST-PART in\n{text}"));
            let other = (*msn, part);
            let (sound, picture) = if uri.starts_with("audio") {
                (other, edge)
            } else {
                (edge, other)
            };
            assert!(
                sound <= picture && picture.0 - sound.0 <= 1,
                "the report of {uri} does not fit the edge {edge:?}:\n{text}"
            );
            if sound < picture {
                ragged.insert(picture.0);
            }
            let last = self.segment(sound.0).map(|one| one.parts.len() as u64);
            if sound.0 < picture.0 && last.is_some_and(|count| sound.1 + 1 < count) {
                ragged.insert(sound.0);
            }
        }
        ragged
    }

    fn is_sound(&self) -> bool {
        self.segments.iter().any(|it| it.map.starts_with("audio"))
    }

    fn assert_segment(&self, segment: &Segment) {
        let text = &self.text;
        let number = segment.sequence;
        assert!(
            !segment.map.is_empty(),
            "no EXT-X-MAP for {number} in\n{text}"
        );
        for (at, part) in segment.parts.iter().enumerate() {
            assert!(
                part.duration_ms > 0 && part.duration_ms <= self.part_target_ms,
                "part {number}.{at} is too long in\n{text}"
            );
            // The last of an open segment may be the last of all.
            if at + 1 < segment.parts.len() {
                assert!(
                    100 * part.duration_ms >= LEAST_PERCENT * self.part_target_ms,
                    "part {number}.{at} is too short in\n{text}"
                );
            }
        }
        // What was left out in front of it is not there to decode it with (§4.4.2.1).
        let first = segment.parts.iter().find(|part| !part.gap);
        assert!(
            !self.independent || first.is_none_or(|first| first.independent),
            "EXT-X-INDEPENDENT-SEGMENTS, and {number} begins without INDEPENDENT=YES in\n{text}"
        );
        // Each part of a growing resource begins where the one before ends.
        let mut end = 0;
        for (length, offset) in segment.parts.iter().filter_map(|part| part.range) {
            assert_eq!(offset, end, "ranges of {number} in\n{text}");
            end = offset + length;
        }
        let Some((lasts, _)) = segment.whole else {
            return;
        };
        assert!(
            lasts > 0 && (lasts + 500) / 1_000 * 1_000 <= self.target_ms,
            "{number} does not fit the target duration in\n{text}"
        );
        if !segment.parts.is_empty() && !self.lacks_parts(segment) {
            let parts = listed_ms(segment);
            assert_eq!(parts, lasts, "parts of {number} and its EXTINF in\n{text}");
        }
    }

    /// The last parts of a complete segment are not listed: there is no sound in them.
    fn lacks_parts(&self, segment: &Segment) -> bool {
        let Some((lasts, _)) = segment.whole else {
            return false;
        };
        self.is_sound() && !segment.parts.is_empty() && listed_ms(segment) < lasts
    }

    /// Checks that `self` may follow `before` at the same URL.
    ///
    /// # Panics
    /// It may not.
    pub fn assert_follows(&self, before: &Self) {
        let both = || format!("\nbefore:\n{}\nafter:\n{}", before.text, self.text);
        let fixed = |load: &Self| {
            (
                [load.target_ms, load.part_target_ms, load.can_skip_until_ms],
                [load.hold_back_ms, load.part_hold_back_ms],
            )
        };
        assert_eq!(fixed(self), fixed(before), "the header changed{}", both());
        if before.ended {
            assert_eq!(self.text, before.text, "an ended playlist changed");
        }
        let removed = self.sequence.checked_sub(before.sequence);
        let removed = removed.unwrap_or_else(|| panic!("numbers step back{}", both()));
        let removed = usize::try_from(removed).expect("small");
        assert!(
            removed < before.segments.len(),
            "the thread is lost{}",
            both()
        );
        let (gone, stayed) = before.segments.split_at(removed);
        let tags = gone.iter().filter(|one| one.discontinuity).count() as u64;
        assert_eq!(
            self.discontinuity_sequence,
            before.discontinuity_sequence + tags,
            "discontinuity sequence{}",
            both()
        );
        for (old, new) in stayed.iter().zip(&self.segments) {
            assert_same(old, new, &both);
            if new.parts.is_empty() && !old.parts.is_empty() {
                self.assert_old(old.sequence);
            }
        }
        assert!(
            stayed.len() <= self.segments.len(),
            "segments are missing{}",
            both()
        );
        let listed = self.segments.iter().filter_map(|one| one.whole.as_ref());
        let listed: u64 = listed.map(|whole| whole.0).sum();
        assert!(
            gone.is_empty() || listed >= 3 * self.target_ms,
            "removal left less than three target durations{}",
            both()
        );
        self.assert_hinted(before, &both);
    }

    /// Checks that what `before` hinted at is what came next, if anything has.
    fn assert_hinted(&self, before: &Self, both: &dyn Fn() -> String) {
        let Some((uri, from)) = before.hints.first() else {
            return;
        };
        let edge = before.edge();
        let mut behind = self
            .parts()
            .filter(|&(sequence, at, _)| (sequence, at as u64) > edge)
            .map(|(.., part)| part)
            .peekable();
        let is_hinted = |part: &Part| (&part.uri, part.offset()) == (uri, *from);
        // Gaps had come by then, and were not listed yet; a segment may have come to its end with them.
        while behind
            .next_if(|part| part.gap && !is_hinted(part))
            .is_some()
        {}
        if let Some(next) = behind.next() {
            assert!(
                is_hinted(next),
                "{uri} from {from} was hinted at, and {next:?} came{}",
                both()
            );
        }
    }

    /// Parts may leave the list of a segment that ends three target durations before the edge.
    fn assert_old(&self, sequence: u64) {
        let behind = self.segments.iter().filter(|one| one.sequence > sequence);
        let behind: u64 = behind
            .map(|one| match &one.whole {
                Some((lasts, _)) => *lasts,
                None => listed_ms(one),
            })
            .sum();
        assert!(
            behind >= 3 * self.target_ms,
            "the parts of {sequence} left too early:\n{}",
            self.text
        );
    }
}

/// How long its listed parts are.
fn listed_ms(segment: &Segment) -> u64 {
    segment.parts.iter().map(|part| part.duration_ms).sum()
}

fn assert_same(old: &Segment, new: &Segment, both: &dyn Fn() -> String) {
    let fixed = |one: &Segment| {
        let segment = one.clone();
        (one.sequence, one.discontinuity, segment.map, one.date_ms)
    };
    assert_eq!(fixed(old), fixed(new), "a listed segment changed{}", both());
    if old.whole.is_some() {
        assert_eq!((&old.whole, old.gap), (&new.whole, new.gap), "{}", both());
        assert!(
            new.parts == old.parts || new.parts.is_empty(),
            "parts of a complete segment changed{}",
            both()
        );
    } else {
        assert!(
            new.parts.starts_with(&old.parts),
            "a listed part changed{}",
            both()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
";

    /// A playlist of this rendition: a complete segment of three parts and an open one of two.
    fn text(rendition: &str, other: &str) -> String {
        let part = |uri: &str, more: &str| {
            format!("#EXT-X-PART:DURATION=0.200,URI=\"{rendition}-{uri}.m4s\"{more}\n")
        };
        let independent = ",INDEPENDENT=YES";
        let later = if rendition == "audio" {
            independent
        } else {
            ""
        };
        let date = "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:0";
        let parts = [
            ("7.0", independent),
            ("7.1", later),
            ("7.2", later),
            ("8.0", independent),
            ("8.1", later),
        ]
        .map(|(uri, more)| part(uri, more));
        let [a, b, c, d, e] = parts;
        format!(
            "{HEADER}#EXT-X-MAP:URI=\"{rendition}-7.mp4\"\n\
             {date}0.000Z\n{a}{b}{c}#EXTINF:0.600,\n{rendition}-7.m4s\n\
             {date}0.600Z\n{d}{e}\
             #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{rendition}-8.2.m4s\"\n\
             #EXT-X-RENDITION-REPORT:URI=\"{other}.m3u8\",LAST-MSN=8,LAST-PART=1\n"
        )
    }

    /// The segments without all their sound, or `None` if the text is not lawful.
    fn ragged(text: &str, other: &str) -> Option<Vec<u64>> {
        let load = Load::read(text);
        let others = [format!("{other}.m3u8")];
        let found = std::panic::catch_unwind(|| load.ragged(&others)).ok()?;
        let strict = std::panic::catch_unwind(|| load.assert_lawful(&others));
        assert_eq!(strict.is_ok(), found.is_empty(), "{text}");
        Some(found.into_iter().collect())
    }

    #[test]
    fn renditions_move_together_but_for_sound_at_an_end() {
        let (video, audio) = (text("video", "audio"), text("audio", "video"));
        assert_eq!(ragged(&video, "audio"), Some(vec![]));
        assert_eq!(ragged(&audio, "video"), Some(vec![]));
        let cases: [(&str, &str, Option<&[u64]>); 5] = [
            (
                "LAST-MSN=8,LAST-PART=1",
                "LAST-MSN=8,LAST-PART=0",
                Some(&[8]),
            ),
            (
                "LAST-MSN=8,LAST-PART=1",
                "LAST-MSN=7,LAST-PART=2",
                Some(&[8]),
            ),
            (
                "LAST-MSN=8,LAST-PART=1",
                "LAST-MSN=7,LAST-PART=1",
                Some(&[7, 8]),
            ),
            ("LAST-MSN=8,LAST-PART=1", "LAST-MSN=6,LAST-PART=1", None),
            ("LAST-MSN=8,LAST-PART=1", "LAST-MSN=8,LAST-PART=2", None),
        ];
        for (old, new, expected) in cases {
            let found = ragged(&video.replace(old, new), "audio");
            assert_eq!(found.as_deref(), expected, "{new}");
        }
        let ahead = audio.replace("LAST-PART=1", "LAST-PART=2");
        assert_eq!(ragged(&ahead, "video"), Some(vec![8]));
        let behind = audio.replace("LAST-PART=1", "LAST-PART=0");
        assert_eq!(ragged(&behind, "video"), None);
        // Parts that are not listed, of sound and of pictures.
        let last = |rendition: &str, more: &str| {
            format!("#EXT-X-PART:DURATION=0.200,URI=\"{rendition}-7.2.m4s\"{more}\n")
        };
        let less = audio.replace(&last("audio", ",INDEPENDENT=YES"), "");
        assert_eq!(ragged(&less, "video"), Some(vec![7]));
        assert_eq!(
            ragged(&video.replace(&last("video", ""), ""), "audio"),
            None
        );
    }

    #[test]
    fn segments_that_are_called_independent_begin_so() {
        let video = text("video", "audio");
        for number in ["7.0", "8.0"] {
            let first = format!("video-{number}.m4s\"");
            let more = format!("{first},INDEPENDENT=YES");
            let dependent = video.replace(&more, &first);
            assert_eq!(ragged(&dependent, "audio"), None, "{number}");
            let quiet = dependent.replace("#EXT-X-INDEPENDENT-SEGMENTS\n", "");
            assert_eq!(ragged(&quiet, "audio"), Some(vec![]), "{number}");
            let gap = video.replace(&more, &format!("{first},GAP=YES"));
            assert_eq!(ragged(&gap, "audio"), None, "{number}: a gap in front");
        }
    }

    #[test]
    fn what_is_hinted_at_comes_next_with_nothing_but_gaps_before_it() {
        let audio = text("audio", "video");
        let part = |number: u8, more: &str| {
            format!("#EXT-X-PART:DURATION=0.200,URI=\"audio-8.{number}.m4s\",{more}=YES\n")
        };
        let (sound, gap) = ("INDEPENDENT", "GAP");
        let hint = |number: u8| format!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-8.{number}.");
        let cases: [(u8, &[(u8, &str)], bool); 8] = [
            (2, &[], true),
            (2, &[(2, sound)], true),
            (2, &[(2, sound), (3, sound)], true),
            (3, &[(2, sound)], false),
            (3, &[(2, sound), (3, sound)], false),
            (3, &[(2, gap), (3, sound)], true),
            (2, &[(2, gap), (3, sound)], true),
            (4, &[(2, gap), (3, sound), (4, sound)], false),
        ];
        for (hinted, came, expected) in cases {
            let before = Load::read(&audio.replace(&hint(2), &hint(hinted)));
            let came: String = came.iter().map(|&(at, more)| part(at, more)).collect();
            let after = Load::read(&audio.replace(&hint(2), &format!("{came}{}", hint(5))));
            let follows = std::panic::catch_unwind(|| after.assert_follows(&before));
            assert_eq!(
                follows.is_ok(),
                expected,
                "{hinted}, and there came\n{came}"
            );
        }
    }
}
