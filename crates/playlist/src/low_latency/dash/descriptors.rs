//! What sets and Representations say of themselves beside where their segments are: closed captions, timed metadata,
//! the frame rate, and which looks best. The multivariant playlist says the same, from the same measurements.

use std::fmt::{Display, Formatter, Result, Write};

use media::{Captions, Event, MediaTime, Rendition, TrackKind};

use super::super::segment::CmafSegment;

/// Of less than that a frame rate cannot be said: times of pictures are in whole milliseconds.
const RATE_KNOWN_AFTER: MediaTime = MediaTime::from_millis(1_000);

/// That segments may have timed metadata: whether an encoder will ever send any is not known before it does, and
/// players leave out what was not announced.
pub(super) fn events(text: &mut String) {
    let scheme = Event::SCHEME;
    let _ = writeln!(text, "      <InbandEventStream schemeIdUri=\"{scheme}\"/>");
}

/// Which closed captions are in the pictures: channels of CEA-608 as DASH-IF IOP 4.3 §6.4.3.3 has them, services of
/// CEA-708 as ANSI/SCTE 214-1. A language has to be said there, and nothing in pictures does.
pub(super) fn captions(text: &mut String, captions: Captions) {
    let (cea_708, cea_608): (Vec<_>, Vec<_>) = captions.services().partition(|it| it.is_cea_708());
    let channels = cea_608.iter().map(|it| format!("{}=und", it.instream_id()));
    let services = cea_708.iter().filter_map(|it| {
        let number = it.instream_id().strip_prefix("SERVICE")?;
        Some(format!("{number}=lang:und"))
    });
    let (channels, services): (Vec<_>, Vec<_>) = (channels.collect(), services.collect());
    for (standard, named) in [("608", channels), ("708", services)] {
        if !named.is_empty() {
            let _ = writeln!(
                text,
                "      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-{standard}:2015\" value=\"{}\"/>",
                named.join(";")
            );
        }
    }
}

/// A number of pictures, and the time they fill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameRate {
    pictures: i64,
    fill: MediaTime,
}

impl FrameRate {
    /// Of what was sent in `segments`; `None` where there are no pictures, or too few.
    pub(super) fn of(segments: &[&CmafSegment]) -> Option<Self> {
        let mut all = Self::default();
        for segment in segments {
            let mut tracks = segment.head.tracks.iter();
            let Some(track) = tracks.position(|track| track.kind() == TrackKind::Video) else {
                continue;
            };
            let parts = segment.parts.iter();
            for entry in parts.filter(|entry| !entry.is_gap(Rendition::Video)) {
                let units = entry.part.units.iter();
                let pictures = units.filter(|unit| unit.track == track).count();
                all.pictures += i64::try_from(pictures).unwrap_or(0);
                all.fill += entry.part.duration;
            }
        }
        (all.pictures > 0 && all.fill >= RATE_KNOWN_AFTER).then_some(all)
    }
}

/// As an integer or a ratio (ISO/IEC 23009-1 §5.3.7.2): what is near a rate of television, of which there are two to
/// each integer, is the nearer of those.
impl Display for FrameRate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        const NANOS: i128 = 1_000_000_000;
        let (pictures, nanos) = (i128::from(self.pictures), i128::from(self.fill.as_nanos()));
        let measured = (pictures * 1_000 * NANOS + nanos / 2) / nanos;
        let whole = (measured + 500) / 1_000;
        let off = |thousandths: i128| (measured - thousandths).abs();
        let (exact, reduced) = (off(whole * 1_000), off(whole * 1_000_000 / 1_001));
        // A second may be a millisecond more or less where timestamps are rounded.
        if exact.min(reduced) > whole {
            write!(f, "{measured}/1000")
        } else if exact <= reduced {
            write!(f, "{whole}")
        } else {
            write!(f, "{}/1001", whole * 1_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use media::CaptionService;

    use super::*;

    #[test]
    fn frame_rates_are_integers_or_ratios() {
        let rate = |pictures, nanos| {
            let fill = MediaTime::from_nanos(nanos);
            FrameRate { pictures, fill }.to_string()
        };
        for (pictures, millis, expected) in [
            (50, 2_000, "25"),
            (60, 2_000, "30"),
            // A millisecond more or less of a second is a timestamp that was rounded.
            (60, 2_001, "30"),
            (60, 1_999, "30"),
            (60, 2_002, "30000/1001"),
            (60, 2_003, "30000/1001"),
            (48, 2_002, "24000/1001"),
            (240, 4_004, "60000/1001"),
            (15, 2_000, "7500/1000"),
            (60, 2_010, "29851/1000"),
            (1, 4_000, "250/1000"),
        ] {
            assert_eq!(rate(pictures, millis * 1_000_000), expected, "{millis}");
        }
        // A day of film.
        assert_eq!(rate(2_071_526, 86_399_897_583_333), "24000/1001");
        assert_eq!(rate(2_073_600, 86_400_000_000_000), "24");
    }

    #[test]
    fn captions_of_both_standards_are_named() {
        let mut text = String::new();
        captions(&mut text, Captions::NONE);
        assert_eq!(text, "");
        let all = CaptionService::ALL.into_iter();
        captions(&mut text, all.collect());
        assert_eq!(
            text,
            "      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-608:2015\" \
             value=\"CC1=und;CC2=und;CC3=und;CC4=und\"/>\n      \
             <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-708:2015\" \
             value=\"1=lang:und;2=lang:und;3=lang:und;4=lang:und;5=lang:und;6=lang:und\"/>\n"
        );
    }
}
