//! Time in MPEG-TS: the stamps of PES headers and the program clock reference
//! (ISO/IEC 13818-1 §2.4.3.5 and §2.4.3.7).

use media::MediaTime;

/// Media time 0 in 90 kHz ticks: 10 s, so that neither the clock, which stands behind the media, nor audio
/// that begins a little before the first picture is below zero.
const ORIGIN: i64 = 10 * 90_000;
/// Stamps are counted modulo 2^33.
const STAMP_MASK: i64 = (1 << 33) - 1;
/// Clock ticks (27 MHz) in a 90 kHz tick.
const EXTENSION: i64 = 300;
/// How far the clock stands behind the decode time of what is being sent, 27 MHz: 300 ms. A decoder gets
/// that much time to read a picture, and tracks may arrive that far apart at a cut, while a player still
/// begins within the second that HLS players expect.
const LEAD: i64 = 300 * 27_000;
/// The longest distance of two clock references, 27 MHz: 40 ms as DVB asks (TS 101 154 §4.1.5), which is
/// well within the 100 ms of ISO/IEC 13818-1 §2.7.2.
const INTERVAL: i64 = 40 * 27_000;
/// The most intervals that one gap is divided into: what 12 s need, the longest distance of two pictures
/// that is anything but a fault. Without a bound one wrong timestamp would make gigabytes.
const MAX_PARTS: i64 = 12_000 / 40;

/// A presentation or decode time stamp in 90 kHz ticks, not yet reduced to 33 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(i64);

impl Stamp {
    pub(super) fn new(time: MediaTime) -> Self {
        Self(time.rescale(90_000).saturating_add(ORIGIN))
    }

    /// Its 33 bits.
    pub(super) const fn to_u64(self) -> u64 {
        (self.0 & STAMP_MASK).cast_unsigned()
    }

    /// The 5 bytes of a PES header, behind the 4 bits of `mark` that say which stamp it is.
    pub(super) const fn to_bytes(self, mark: u8) -> [u8; 5] {
        let ticks = self.0 & STAMP_MASK;
        let bits = ((mark as i64) << 36)
            | ((ticks >> 30) << 33)
            | (1 << 32)
            | (((ticks >> 15) & 0x7fff) << 17)
            | (1 << 16)
            | ((ticks & 0x7fff) << 1)
            | 1;
        let [_, _, _, bytes @ ..] = bits.to_be_bytes();
        bytes
    }
}

/// A program clock reference in 27 MHz ticks, not yet reduced to 33 bits of 90 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clock(i64);

impl Clock {
    /// What the clock says when an access unit with this decode time is sent.
    pub(super) fn at(dts: MediaTime) -> Self {
        Self(
            Stamp::new(dts)
                .0
                .saturating_mul(EXTENSION)
                .saturating_sub(LEAD),
        )
    }

    /// The 6 bytes of an adaptation field, reserved bits set.
    pub(super) const fn to_bytes(self) -> [u8; 6] {
        let base = self.0.div_euclid(EXTENSION) & STAMP_MASK;
        let bits = (base << 15) | (0x3f << 9) | self.0.rem_euclid(EXTENSION);
        let [_, _, bytes @ ..] = bits.to_be_bytes();
        bytes
    }
}

/// The clock references from one access unit of the leading track up to the next: as few as keep them
/// within the interval, evenly spread.
#[derive(Clone, Copy, Debug)]
pub(super) struct References {
    first: i64,
    span: i64,
    parts: i64,
    given: i64,
}

impl References {
    /// From `first`, which is one of them, up to `next`, which is not.
    pub(super) fn new(first: Clock, next: Clock) -> Self {
        let span = next.0.saturating_sub(first.0).max(0);
        let parts = span.saturating_add(INTERVAL - 1) / INTERVAL;
        Self {
            first: first.0,
            span,
            parts: parts.clamp(1, MAX_PARTS),
            given: 0,
        }
    }

    /// The next one, whenever it is due.
    pub(super) fn next(&mut self) -> Option<Clock> {
        let clock = self.peek()?;
        self.given += 1;
        Some(clock)
    }

    /// The next one if it is due by `now`.
    pub(super) fn next_until(&mut self, now: Clock) -> Option<Clock> {
        let clock = self.peek()?;
        (clock <= now).then(|| {
            self.given += 1;
            clock
        })
    }

    /// How many are so close to the first that nothing decoded after the first's access unit is due
    /// before them: these may stand inside the access unit, whatever is sent behind it.
    pub(super) fn inside(&self) -> usize {
        let last = Clock(self.first.saturating_add(LEAD));
        let mut left = *self;
        std::iter::from_fn(|| left.next_until(last)).count()
    }

    fn peek(&self) -> Option<Clock> {
        // Divided before it is multiplied: spans of centuries must not overflow.
        let (whole, rest) = (self.span / self.parts, self.span % self.parts);
        let offset = whole * self.given + rest * self.given / self.parts;
        (self.given < self.parts).then(|| Clock(self.first.saturating_add(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(ms: i64) -> Clock {
        Clock::at(MediaTime::from_millis(ms))
    }

    fn spread(first: i64, next: i64) -> Vec<i64> {
        let mut references = References::new(millis(first), millis(next));
        std::iter::from_fn(|| references.next())
            .map(|clock| (clock.0 - millis(0).0) / 27_000)
            .collect()
    }

    #[test]
    fn as_few_references_as_the_interval_allows() {
        let cases: [(&str, i64, &[i64]); 6] = [
            ("30 fps", 33, &[0]),
            ("25 fps", 40, &[0]),
            ("just too long", 41, &[0, 20]),
            ("24 fps", 42, &[0, 21]),
            ("12 fps", 84, &[0, 28, 56]),
            ("backwards", -5, &[0]),
        ];
        for (name, next, expected) in cases {
            assert_eq!(spread(0, next), expected, "{name}");
        }
    }

    #[test]
    fn a_gap_of_hours_is_not_filled_with_packets() {
        assert_eq!(spread(0, 3 * 3_600_000).len(), 300);
    }

    #[test]
    fn time_zero_is_ten_seconds_and_the_clock_stands_300_ms_behind() {
        assert_eq!(Stamp::new(MediaTime::ZERO), Stamp(900_000));
        assert_eq!(Clock::at(MediaTime::ZERO).0, 900_000 * 300 - 8_100_000);
        // 9.7 s: base 873 000, extension 0, the six reserved bits between them set.
        let bits = (873_000_u64 << 15) | 0x7e00;
        assert_eq!(millis(0).to_bytes(), bits.to_be_bytes()[2..]);
    }

    proptest! {
        #[test]
        fn references_rise_by_at_most_the_interval(first in -(1_i64 << 50)..(1 << 50), span in 1_i64..12_000 * 27_000) {
            let next = Clock(first + span);
            let mut references = References::new(Clock(first), next);
            let mut before = references.next().expect("the first");
            prop_assert_eq!(before, Clock(first));
            while let Some(clock) = references.next() {
                prop_assert!(clock > before && clock.0 - before.0 <= INTERVAL);
                before = clock;
            }
            prop_assert!(before < next && next.0 - before.0 <= INTERVAL);
        }

        #[test]
        fn any_time_has_a_stamp_and_a_clock(from: i64, to: i64) {
            let (from, to) = (MediaTime::from_nanos(from), MediaTime::from_nanos(to));
            let _ = Stamp::new(from).to_bytes(2);
            let mut references = References::new(Clock::at(from), Clock::at(to));
            while let Some(clock) = references.next() {
                let _ = clock.to_bytes();
            }
        }
    }
}
