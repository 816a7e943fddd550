//! What a load has to be like, by itself and behind the one before (rfc8216bis §4.4, §6.2.1, §6.2.2, appendix B).

use super::load::{Load, Segment};

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
        let text = &self.text;
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
            return;
        }
        assert_eq!(self.hints.len(), 1, "hints in\n{text}");
        let mut reported: Vec<_> = self.reports.iter().map(|report| &report.0).collect();
        reported.sort();
        assert_eq!(
            reported,
            others.iter().collect::<Vec<_>>(),
            "reports in\n{text}"
        );
        // All renditions move together, but sound that has not come is not listed.
        let edge = self.edge();
        for (uri, msn, part) in &self.reports {
            let part = part.unwrap_or_else(|| panic!("no LAST-PART in\n{text}"));
            let fits = if uri.starts_with("audio") {
                (*msn, part) <= edge
            } else {
                (*msn, part) >= edge
            };
            assert!(
                fits && msn.abs_diff(edge.0) <= 1,
                "the report of {uri} does not fit the edge {edge:?}:\n{text}"
            );
        }
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
        if !segment.parts.is_empty() {
            let parts: u64 = segment.parts.iter().map(|part| part.duration_ms).sum();
            let fits = if self.is_sound() {
                // Gaps behind its last part are not listed.
                parts <= lasts
            } else {
                parts == lasts
            };
            assert!(fits, "parts of {number} and its EXTINF in\n{text}");
        }
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
            .filter(|&(sequence, at, part)| (sequence, at as u64) > edge && !part.gap);
        let Some((.., next)) = behind.next() else {
            return;
        };
        let offset = next.range.map_or(0, |range| range.1);
        assert_eq!(
            (&next.uri, offset),
            (uri, *from),
            "the hinted part{}",
            both()
        );
    }

    /// Parts may leave the list of a segment that ends three target durations before the edge.
    fn assert_old(&self, sequence: u64) {
        let behind = self.segments.iter().filter(|one| one.sequence > sequence);
        let behind: u64 = behind
            .map(|one| match &one.whole {
                Some((lasts, _)) => *lasts,
                None => one.parts.iter().map(|part| part.duration_ms).sum(),
            })
            .sum();
        assert!(
            behind >= 3 * self.target_ms,
            "the parts of {sequence} left too early:\n{}",
            self.text
        );
    }
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
