//! Colour as the code points of ITU-T H.273 (ISO/IEC 23091-2) have it: the same in H.265, AV1, VP9 and the
//! `colr` box.

/// BT.709, what most video is; and what a code point says that says nothing.
const BT709: u8 = 1;
const UNSPECIFIED: u8 = 2;

/// `TransferCharacteristics` of SMPTE ST 2084 and of ARIB STD-B67.
const PQ: u8 = 16;
const HLG: u8 = 18;

/// How sample values become light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// `ColourPrimaries`: 1 is BT.709, 9 is BT.2020, 2 is unspecified.
    pub primaries: u8,
    /// `TransferCharacteristics`: 1 is BT.709, 16 is PQ, 18 is HLG, 2 is unspecified.
    pub transfer: u8,
    /// `MatrixCoefficients`: 1 is BT.709, 9 is BT.2020, 2 is unspecified.
    pub matrix: u8,
    /// Sample values use all of their range, not that of television.
    pub full_range: bool,
}

/// The attribute VIDEO-RANGE (rfc8216bis §4.4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// Hybrid log-gamma.
    Hlg,
    /// Perceptual quantisation.
    Pq,
}

impl VideoRange {
    /// As the attribute has it: `SDR`, `HLG`, `PQ`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Hlg => "HLG",
            Self::Pq => "PQ",
        }
    }
}

impl Colour {
    /// Nothing is known of it.
    pub const UNSPECIFIED: Self = Self {
        primaries: UNSPECIFIED,
        transfer: UNSPECIFIED,
        matrix: UNSPECIFIED,
        full_range: false,
    };

    /// The dynamic range that its transfer characteristics are made for.
    pub const fn video_range(&self) -> VideoRange {
        match self.transfer {
            PQ => VideoRange::Pq,
            HLG => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        }
    }

    /// Whether it says anything.
    pub fn is_specified(&self) -> bool {
        *self != Self::UNSPECIFIED
    }

    /// Whether it is what a decoder assumes without being told: BT.709 in the range of television.
    pub(super) fn is_usual(&self) -> bool {
        let usual = |code| code == BT709 || code == UNSPECIFIED;
        usual(self.primaries) && usual(self.transfer) && usual(self.matrix) && !self.full_range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_ranges() {
        let with = |transfer| Colour {
            transfer,
            ..Colour::UNSPECIFIED
        };
        assert_eq!(with(16).video_range().name(), "PQ");
        assert_eq!(with(18).video_range().name(), "HLG");
        assert_eq!(with(14).video_range().name(), "SDR");
        assert_eq!(Colour::UNSPECIFIED.video_range(), VideoRange::Sdr);
        assert!(with(1).is_usual() && !with(16).is_usual());
    }
}
