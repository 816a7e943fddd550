//! Which of the clip's pictures a part holds, and when they were sent.
//!
//! The gateway passes payloads on as they came, so a part's first sample says by its first bytes which
//! picture of the cycle it is, and `trun` how many follow (ISO/IEC 14496-12 §8.8.8). Media times are
//! not looked at: they are the gateway's own.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::clip::{Clip, PERIOD_MS};

/// Enough of a sample to know it by: length, NAL unit header, slice header, noise.
type Beginning = [u8; 16];

/// Where a picture begins in the video tag's body (FLV annex E.4.3.1).
const TAG_HEADER: usize = 5;

/// The clock of the sending thread may be read this much after the write.
const CLOCK: Duration = Duration::from_millis(500);

/// What a part of pictures holds, told by its first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    first: Beginning,
    count: usize,
}

impl Held {
    /// Reads a part: `moof` and `mdat` of one track.
    pub(crate) fn read(body: &[u8]) -> anyhow::Result<Self> {
        let run = ["moof", "traf", "trun"]
            .iter()
            .try_fold(body, |within, name| find(within, name))?;
        let count = run.get(4..8).context("a trun without a count")?;
        let count = u32::from_be_bytes(count.try_into()?);
        let first = find(body, "mdat")?
            .first_chunk()
            .context("an mdat without a picture")?;
        Ok(Self {
            first: *first,
            count: usize::try_from(count)?,
        })
    }
}

/// The contents of the first box of this name.
fn find<'a>(mut within: &'a [u8], name: &str) -> anyhow::Result<&'a [u8]> {
    while let Some((size, rest)) = within.split_first_chunk() {
        let size = usize::try_from(u32::from_be_bytes(*size))?;
        let contents = size.checked_sub(4).and_then(|size| rest.get(..size));
        let contents = contents.with_context(|| format!("a box of {size} bytes is cut off"))?;
        if let Some(found) = contents.strip_prefix(name.as_bytes()) {
            return Ok(found);
        }
        within = &rest[size - 4..];
    }
    anyhow::bail!("there is no {name}")
}

/// The pictures of the clip, by number from the publish's first.
#[derive(Debug)]
pub(crate) struct Pictures {
    /// For each picture of the cycle its place among all access units, and its time.
    cycle: Vec<(usize, u32)>,
    /// Access units of a cycle, sound included.
    units: usize,
    known: HashMap<Beginning, usize>,
}

impl Pictures {
    pub(crate) fn of(clip: &Clip) -> Self {
        let mut pictures = Self {
            cycle: Vec::new(),
            units: clip.cycle.len(),
            known: HashMap::new(),
        };
        for (place, unit) in clip.cycle.iter().enumerate() {
            let (head, body) = unit.message.at(0, 1);
            // The message type of pictures (RTMP 1.0 §7.1.5).
            if head[7] != 9 {
                continue;
            }
            let beginning = body[TAG_HEADER..].first_chunk();
            let beginning = *beginning.expect("a picture should be longer than its header");
            pictures.known.insert(beginning, pictures.cycle.len());
            pictures.cycle.push((place, unit.timestamp_ms));
        }
        pictures
    }

    /// The pictures that `held` names, of a publish that wrote its access units at `sent`; the latest
    /// that were sent before `arrived`.
    pub(crate) fn range(
        &self,
        held: Held,
        arrived: Instant,
        sent: &[Instant],
    ) -> anyhow::Result<Range<usize>> {
        let in_cycle = self.known.get(&held.first);
        let in_cycle = *in_cycle.context("a part begins with a picture that nobody sent")?;
        let first = (in_cycle..)
            .step_by(self.cycle.len())
            .take_while(|&number| {
                self.sent(number, sent)
                    .is_some_and(|sent| sent <= arrived + CLOCK)
            })
            .last();
        let first = first.context("a part came before its first picture was sent")?;
        let range = first..first + held.count;
        ensure!(
            held.count > 0 && self.sent(range.end - 1, sent).is_some(),
            "a part has more pictures than were sent"
        );
        Ok(range)
    }

    /// When picture `number` was written, if it was.
    pub(crate) fn sent(&self, number: usize, sent: &[Instant]) -> Option<Instant> {
        let (place, _) = self.cycle[number % self.cycle.len()];
        sent.get(number / self.cycle.len() * self.units + place)
            .copied()
    }

    /// The time of picture `number` on the publisher's timeline.
    pub(crate) fn time(&self, number: usize) -> Duration {
        let (_, ms) = self.cycle[number % self.cycle.len()];
        let rounds = u32::try_from(number / self.cycle.len()).unwrap_or(u32::MAX);
        Duration::from_millis((rounds * PERIOD_MS + ms).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &str, contents: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + contents.len()).unwrap();
        [&size.to_be_bytes(), name.as_bytes(), contents].concat()
    }

    /// A part that begins with picture `number` of the cycle.
    fn part(clip: &Clip, number: usize, count: u8) -> Vec<u8> {
        let (place, _) = Pictures::of(clip).cycle[number];
        let run = boxed("trun", &[1, 0, 0, 0, 0, 0, 0, count]);
        let traf = boxed("traf", &[boxed("tfdt", &[0; 8]), run].concat());
        let picture = &clip.cycle[place].message.at(0, 1).1[TAG_HEADER..];
        [
            boxed("prft", &[0; 24]),
            boxed("moof", &[boxed("mfhd", &[0; 8]), traf].concat()),
            boxed("mdat", picture),
        ]
        .concat()
    }

    #[test]
    fn a_part_is_known_by_its_first_picture() {
        let clip = Clip::new();
        let pictures = Pictures::of(&clip);
        assert_eq!((pictures.cycle.len(), pictures.known.len()), (240, 240));
        let begin = Instant::now();
        // Two cycles and a half, written at the pace of their media.
        let sent: Vec<Instant> = (0..clip.cycle.len() * 5 / 2)
            .map(|unit| {
                let at = u32::try_from(unit / clip.cycle.len()).unwrap() * PERIOD_MS
                    + clip.cycle[unit % clip.cycle.len()].timestamp_ms;
                begin + Duration::from_millis(at.into())
            })
            .collect();
        let held = Held::read(&part(&clip, 6, 5)).unwrap();
        for (arrived_ms, expected) in [(400, 6), (8_390, 246), (16_390, 486)] {
            let arrived = begin + Duration::from_millis(arrived_ms);
            let range = pictures.range(held, arrived, &sent).unwrap();
            assert_eq!(range, expected..expected + 5);
            assert_eq!(
                pictures.sent(expected, &sent).unwrap(),
                begin + pictures.time(expected)
            );
        }
    }

    #[test]
    fn a_part_that_is_cut_off_is_an_error() {
        let clip = Clip::new();
        let whole = part(&clip, 0, 6);
        for cut in [0, 4, 40, 100] {
            assert!(Held::read(&whole[..cut]).is_err(), "{cut}");
        }
    }
}
