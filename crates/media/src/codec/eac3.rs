//! E-AC-3, known from the headers of an access unit's syncframes (ETSI TS 102 366 annex E).
//!
//! Dolby Atmos is not looked for: players that know it find it in the frames, and others play the channels.

use super::ConfigurationError;
use super::ac3::{RATES, SYNC};
use super::bits::Bits;

const WHAT: &str = "E-AC-3 syncframe";
/// Sampling rates by `fscod2`.
const HALF_RATES: [u32; 3] = [24_000, 22_050, 16_000];
/// Blocks in a syncframe by `numblkscod`, and samples in a block.
const BLOCKS: [u32; 4] = [1, 2, 3, 6];
const SAMPLES_PER_BLOCK: u32 = 256;
/// `bsid` of this syntax.
const MIN_BSID: u32 = 11;
const MAX_BSID: u32 = 16;
/// Programmes of a stream: `num_ind_sub` has three bits.
const MAX_SUBSTREAMS: usize = 8;
/// `data_rate` of `dec3` has 13 bits.
const MAX_DATA_RATE: u64 = 0x1fff;

/// `chanmap` (§E.2.3.1.8), which has the first location in its highest bit: those of which two channels are.
const PAIRS: u16 = 0x0674;
/// Left, centre, right, left and right surround, the centre behind, the LFE.
const LEFT: u16 = 0x8000;
const CENTRE: u16 = 0x4000;
const RIGHT: u16 = 0x2000;
const SURROUND: u16 = 0x1800;
const CENTRE_BEHIND: u16 = 0x0100;
const LFE: u16 = 0x0001;

/// An E-AC-3 configuration; two that differ only in data rate are equal.
#[derive(Clone, Debug)]
pub struct Eac3 {
    /// Sampling rate, Hz.
    pub sample_rate: u32,
    /// Channels of the first programme, with its dependent substreams and the LFE.
    pub channels: u8,
    /// Samples of an access unit: 256 for each block of the first programme.
    pub samples_per_unit: u32,
    /// Rate of the access unit that this was read from, kbit/s.
    pub data_rate: u16,
    /// Programmes: at least one.
    pub substreams: Vec<IndependentSubstream>,
}

/// A programme, or its first channels (ETSI TS 102 366 §F.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndependentSubstream {
    /// `fscod`.
    pub fscod: u8,
    /// `bsid`: 16.
    pub bsid: u8,
    /// `acmod`: 2 is stereo, 7 has five channels.
    pub acmod: u8,
    /// There is an LFE channel.
    pub lfe: bool,
    /// Dependent substreams: more channels of the same programme.
    pub dependent: u8,
    /// All channels of the programme, as `chanmap` has them.
    pub locations: u16,
    /// Those of the dependent substreams.
    pub dependent_locations: u16,
}

impl PartialEq for Eac3 {
    fn eq(&self, other: &Self) -> bool {
        (self.sample_rate, self.samples_per_unit) == (other.sample_rate, other.samples_per_unit)
            && self.substreams == other.substreams
    }
}

impl Eq for Eac3 {}

impl Eac3 {
    /// Reads all syncframe headers of an access unit.
    ///
    /// # Errors
    /// A syncframe that is cut short, no synchronisation word, reserved values, the syntax of AC-3, or no programme
    /// before what depends on it.
    pub fn parse(unit: &[u8]) -> Result<Self, ConfigurationError> {
        let mut substreams: Vec<IndependentSubstream> = Vec::new();
        let (mut sample_rate, mut samples) = (0, 0_u32);
        let mut rest = unit;
        // Of frames with fewer than six blocks, several follow: the second time round says nothing new.
        let mut rounds = 0;
        while !rest.is_empty() || rounds == 0 {
            let frame = Frame::read(rest, unit.len())?;
            rest = rest.get(frame.bytes..).unwrap_or_default();
            match frame.kind {
                Kind::Independent(0) => {
                    rounds += 1;
                    sample_rate = frame.sample_rate;
                    samples = samples.saturating_add(frame.samples);
                    if rounds == 1 {
                        substreams.push(frame.substream);
                    }
                }
                Kind::Independent(id) if rounds == 1 && substreams.len() < MAX_SUBSTREAMS => {
                    if usize::from(id) != substreams.len() {
                        return Err(forbidden("substream", id.into()));
                    }
                    substreams.push(frame.substream);
                }
                Kind::Dependent if rounds == 1 => {
                    if let Some(programme) = substreams.last_mut() {
                        programme.depend(frame.substream.locations);
                    }
                }
                _ if rounds == 0 => return Err(forbidden("first substream", 1)),
                _ => {}
            }
        }
        let bits = unit.len() as u64 * 8 * u64::from(sample_rate);
        let data_rate = bits / (u64::from(samples.max(1)) * 1_000);
        Ok(Self {
            sample_rate,
            channels: substreams.first().map_or(0, |it| count(it.locations)),
            samples_per_unit: samples,
            data_rate: u16::try_from(data_rate.min(MAX_DATA_RATE)).unwrap_or(0),
            substreams,
        })
    }

    /// The content of `dec3` (ETSI TS 102 366 §F.6).
    pub fn dec3(&self) -> Vec<u8> {
        let more = self.substreams.len().clamp(1, MAX_SUBSTREAMS) - 1;
        let head = self.data_rate << 3 | u16::try_from(more).unwrap_or(0);
        let mut content = head.to_be_bytes().to_vec();
        for it in self.substreams.iter().take(MAX_SUBSTREAMS) {
            content.push(it.fscod << 6 | it.bsid << 1);
            content.push(it.acmod << 1 | u8::from(it.lfe));
            let [high, low] = chan_loc(it.dependent_locations).to_be_bytes();
            content.push(it.dependent << 1 | high);
            if it.dependent > 0 {
                content.push(low);
            }
        }
        content
    }
}

impl IndependentSubstream {
    /// Takes a dependent substream with channels at `locations`.
    fn depend(&mut self, locations: u16) {
        self.dependent = self.dependent.saturating_add(1).min(0xf);
        self.locations |= locations;
        self.dependent_locations |= locations;
    }
}

enum Kind {
    /// With its number.
    Independent(u8),
    Dependent,
}

/// A syncframe.
struct Frame {
    kind: Kind,
    bytes: usize,
    sample_rate: u32,
    samples: u32,
    substream: IndependentSubstream,
}

impl Frame {
    /// Reads the header at the beginning of `bytes`, which have to hold the whole frame (§E.2.2.2).
    fn read(bytes: &[u8], of: usize) -> Result<Self, ConfigurationError> {
        let mut bits = Bits::new(bytes);
        let mut next = |count, field| {
            bits.read(count).ok_or(ConfigurationError::Truncated {
                what: WHAT,
                bytes: of,
                field,
            })
        };
        let sync = next(16, "synchronisation word")?;
        if sync != SYNC {
            return Err(forbidden("synchronisation word", sync));
        }
        let stream_type = next(2, "stream type")?;
        let id = narrow(next(3, "substream")?);
        let words = next(11, "frame size")? + 1;
        let fscod = next(2, "sampling rate code")?;
        // Two bits more: the rate if it is a half one, else how many blocks there are.
        let code = next(2, "blocks")?;
        let (rates, rate, blocks) = match fscod {
            3 => (HALF_RATES, code, 3),
            _ => (RATES, fscod, code),
        };
        let Some(&sample_rate) = rates.get(rate as usize) else {
            return Err(forbidden("sampling rate code", rate));
        };
        let blocks = BLOCKS.get(blocks as usize).copied().unwrap_or(0);
        let acmod = next(3, "audio coding mode")?;
        let lfe = next(1, "LFE flag")? == 1;
        let bsid = next(5, "bit stream identification")?;
        if !(MIN_BSID..=MAX_BSID).contains(&bsid) {
            return Err(forbidden("bit stream identification", bsid));
        }
        // Loudness and compression, of both channels where they are two programmes.
        for _ in 0..if acmod == 0 { 2 } else { 1 } {
            next(5, "dialogue level")?;
            if next(1, "compression flag")? == 1 {
                next(8, "compression")?;
            }
        }
        let kind = match stream_type {
            1 => Kind::Dependent,
            3 => return Err(forbidden("stream type", stream_type)),
            _ => Kind::Independent(id),
        };
        let mut locations = locations(acmod, lfe);
        if matches!(kind, Kind::Dependent) && next(1, "channel map flag")? == 1 {
            locations = u16::try_from(next(16, "channel map")?).unwrap_or(0);
        }
        let length = 2 * words as usize;
        if length > bytes.len() {
            return Err(ConfigurationError::Truncated {
                what: WHAT,
                bytes: of,
                field: "audio blocks",
            });
        }
        Ok(Self {
            kind,
            bytes: length,
            sample_rate,
            samples: blocks * SAMPLES_PER_BLOCK,
            substream: IndependentSubstream {
                fscod: narrow(fscod),
                bsid: narrow(bsid),
                acmod: narrow(acmod),
                lfe,
                dependent: 0,
                locations,
                dependent_locations: 0,
            },
        })
    }
}

/// Where the channels of an audio coding mode are (§4.4.2.3), as `chanmap` has it.
fn locations(acmod: u32, lfe: bool) -> u16 {
    let front = match acmod {
        1 => CENTRE,
        3 | 5 | 7 => LEFT | CENTRE | RIGHT,
        _ => LEFT | RIGHT,
    };
    let behind = match acmod {
        4 | 5 => CENTRE_BEHIND,
        6 | 7 => SURROUND,
        _ => 0,
    };
    front | behind | if lfe { LFE } else { 0 }
}

/// Channels at `locations`.
fn count(locations: u16) -> u8 {
    let channels = locations.count_ones() + (locations & PAIRS).count_ones();
    u8::try_from(channels).unwrap_or(u8::MAX)
}

/// `chan_loc` of `dec3` (§F.6.2.13): those of `chanmap` that not every decoder knows, the first in the lowest bit.
fn chan_loc(locations: u16) -> u16 {
    const SECOND_LFE: u16 = 0x0002;
    locations.reverse_bits() >> 5 & 0xff | (locations & SECOND_LFE) << 7
}

/// Fields of at most eight bits.
fn narrow(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn forbidden(field: &'static str, value: u32) -> ConfigurationError {
    ConfigurationError::Forbidden {
        what: WHAT,
        field,
        value: value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ffmpeg 9.0.2, 48 kHz, 5.1, 384 kbit/s: 1536 bytes.
    const SURROUND: [u8; 8] = [0x0b, 0x77, 0x02, 0xff, 0x3f, 0x87, 0xc0, 0x00];

    /// A syncframe of `words` times two bytes: stream type, substream, block code, mode and LFE; a channel map.
    fn frame(kind: u64, id: u64, words: u64, blocks: u64, mode: u64, map: Option<u16>) -> Vec<u8> {
        let mut bits = 0x0b77_u64 << 48 | kind << 46 | id << 43 | (words - 1) << 32;
        bits |= blocks << 28 | mode << 24 | 16 << 19 | 31 << 14;
        if let Some(map) = map {
            bits |= 1 << 12 | u64::from(map) >> 4;
        }
        let mut frame = bits.to_be_bytes().to_vec();
        frame.push(map.map_or(0, |map| narrow(u32::from(map << 4 & 0xff))));
        frame.resize(usize::try_from(2 * words).expect("small"), 0);
        frame
    }

    #[test]
    fn headers_of_ffmpeg() {
        let mut unit = SURROUND.to_vec();
        unit.resize(1_536, 0);
        let eac3 = Eac3::parse(&unit).expect("a syncframe");
        assert_eq!(
            (eac3.sample_rate, eac3.channels, eac3.samples_per_unit),
            (48_000, 6, 1_536)
        );
        // 384 kbit/s, one programme; 48 kHz, bsid 16, 3/2 with an LFE, nothing that depends on it.
        assert_eq!(eac3.dec3(), [0x0c, 0x00, 0x20, 0x0f, 0x00]);
        assert_eq!(unit[..5], frame(0, 0, 768, 3, 0xf, None)[..5]);
    }

    #[test]
    fn dependent_substreams_add_their_channels() {
        // 7.1: both surrounds again, and the pair behind them.
        let map = super::SURROUND | 0x0200;
        let unit = [
            frame(0, 0, 300, 3, 0xf, None),
            frame(1, 0, 200, 3, 6 << 1, Some(map)),
        ];
        let eac3 = Eac3::parse(&unit.concat()).expect("7.1");
        assert_eq!((eac3.channels, eac3.samples_per_unit), (8, 1_536));
        assert_eq!(eac3.dec3()[2..], [0x20, 0x0f, 0x02, 0x02]);
    }

    #[test]
    fn short_frames_add_up() {
        let round = frame(0, 0, 100, 0, 2 << 1, None);
        let eac3 = Eac3::parse(&round.repeat(6)).expect("six blocks");
        assert_eq!((eac3.samples_per_unit, eac3.channels), (1_536, 2));
        assert_eq!((eac3.substreams.len(), eac3.data_rate), (1, 300));
        let other_rate = Eac3::parse(&frame(0, 0, 500, 3, 2 << 1, None)).expect("six blocks");
        assert_ne!(other_rate.data_rate, eac3.data_rate);
        assert_eq!(other_rate, eac3);
    }

    #[test]
    fn further_programmes_are_counted_apart() {
        let unit = [
            frame(0, 0, 100, 3, 2 << 1, None),
            frame(0, 1, 100, 3, 1 << 1, None),
        ];
        let eac3 = Eac3::parse(&unit.concat()).expect("two programmes");
        assert_eq!((eac3.channels, eac3.samples_per_unit), (2, 1_536));
        assert_eq!(eac3.dec3().len(), 8);
        assert_eq!(eac3.dec3()[1] & 7, 1);
    }

    #[test]
    fn locations_beyond_5_1() {
        // Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2.
        let maps = [0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10, 8, 2];
        for (bit, map) in (0..).zip(maps) {
            assert_eq!(chan_loc(map), 1 << bit, "{map:x}");
        }
        assert_eq!(chan_loc(LEFT | CENTRE | RIGHT | super::SURROUND | LFE), 0);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let stereo = frame(0, 0, 100, 3, 2 << 1, None);
        let cases: [(Vec<u8>, &str); 6] = [
            (
                vec![],
                "E-AC-3 syncframe ends after 0 bytes, in the middle of synchronisation word",
            ),
            (
                stereo[..199].to_vec(),
                "E-AC-3 syncframe ends after 199 bytes, in the middle of audio blocks",
            ),
            (
                frame(3, 0, 9, 3, 4, None),
                "E-AC-3 syncframe has stream type 3, which is not allowed",
            ),
            (
                frame(1, 0, 9, 3, 4, None),
                "E-AC-3 syncframe has first substream 1, which is not allowed",
            ),
            (
                [&stereo[..], &frame(0, 2, 9, 3, 4, None)].concat(),
                "E-AC-3 syncframe has substream 2, which is not allowed",
            ),
            (
                [0x0b, 0x77, 0xfe, 0x95, 0x14, 0x40, 0x43, 0xe1].to_vec(),
                "E-AC-3 syncframe has bit stream identification 8, which is not allowed",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                Eac3::parse(&bytes).expect_err(expected).to_string(),
                expected
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(
            frames in proptest::collection::vec((0..4_u64, 0..8_u64, 8..20_u64, 0..4_u64, 0..16_u64, any::<Option<u16>>()), 0..20),
            changes in proptest::collection::vec((0..200_usize, any::<u8>()), 0..4),
        ) {
            let frames = frames.into_iter().map(|(kind, id, words, blocks, mode, map)| frame(kind, id, words, blocks, mode, map));
            let mut unit: Vec<u8> = frames.flatten().collect();
            for (at, with) in changes {
                if let Some(byte) = unit.get_mut(at) {
                    *byte = with;
                }
            }
            if let Ok(eac3) = Eac3::parse(&unit) {
                prop_assert!(eac3.channels > 0 && eac3.sample_rate > 0 && eac3.samples_per_unit > 0);
                prop_assert!(eac3.dec3().len() <= 2 + 4 * MAX_SUBSTREAMS);
            }
        }
    }
}
