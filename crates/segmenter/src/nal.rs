//! H.264 and H.265 access units as they are sent: NAL units behind their lengths (ISO/IEC 14496-15 §5.3.4.2), and as
//! much of what is in them (ITU-T H.264 §7.3) as decides where decoding can begin; the messages of an SEI.
//!
//! What does not belong here: parameter sets (`media::codec` reads them), byte streams (`ts/annex_b.rs`).

/// `nal_unit_type` (ITU-T H.264 table 7-1) of a slice of an IDR picture.
pub(crate) const IDR: u8 = 5;
/// Supplemental enhancement information.
pub(crate) const SEI: u8 = 6;
/// Sequence parameter set.
pub(crate) const SPS: u8 = 7;
/// Picture parameter set.
pub(crate) const PPS: u8 = 8;
/// Access unit delimiter.
pub(crate) const DELIMITER: u8 = 9;
/// Filler.
pub(crate) const FILLER: u8 = 12;

/// What H.265 calls these (ITU-T H.265 table 7-1), and video parameter sets.
pub(crate) mod h265 {
    pub(crate) const VPS: u8 = 32;
    pub(crate) const SPS: u8 = 33;
    pub(crate) const PPS: u8 = 34;
    pub(crate) const DELIMITER: u8 = 35;
    pub(crate) const FILLER: u8 = 38;
}

/// `payloadType` of a recovery point (ITU-T H.264 §D.1.8).
const RECOVERY_POINT: usize = 6;

/// The NAL units of an access unit; empty ones are skipped, and a length beyond the end ends them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units<'a> {
    rest: &'a [u8],
    bytes: usize,
    length_size: usize,
}

/// A NAL unit that goes beyond its access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Where its length stands.
    pub(crate) at: usize,
    /// What that says; if it is cut short itself, how many bytes are left of it.
    pub(crate) length: usize,
}

impl<'a> Units<'a> {
    /// Splits `payload` at lengths of `length_size` bytes.
    pub(crate) fn new(payload: &'a [u8], length_size: u8) -> Self {
        Self {
            rest: payload,
            bytes: payload.len(),
            length_size: length_size.into(),
        }
    }

    /// After the last unit: what ended them, unless it was the end of the access unit.
    pub(crate) fn misfit(&self) -> Option<Misfit> {
        let announced = || self.rest.get(..self.length_size).map(number);
        (!self.rest.is_empty()).then(|| Misfit {
            at: self.bytes - self.rest.len(),
            length: announced().unwrap_or(self.rest.len()),
        })
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.length_size > 0 {
            let (length, behind) = self.rest.split_at_checked(self.length_size)?;
            let (unit, behind) = behind.split_at_checked(number(length))?;
            self.rest = behind;
            if !unit.is_empty() {
                return Some(unit);
            }
        }
        None
    }
}

/// `nal_unit_type`.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1f)
}

/// `nal_unit_type` (ITU-T H.265 table 7-1).
pub(crate) fn h265_kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header >> 1 & 0x3f)
}

/// Whether `unit` is an SEI that announces a recovery point: a decoder that begins there shows whole
/// pictures soon, or at once where an open GOP begins.
pub(crate) fn is_recovery_point(unit: &[u8]) -> bool {
    kind(unit) == SEI && messages(unit, 1).any(|(payload_type, _)| payload_type == RECOVERY_POINT)
}

/// An SEI's messages behind a NAL unit header of so many bytes (ITU-T H.264 §7.3.2.3.1, H.265 §7.3.5): their payload
/// types, and their payloads without a copy. One that is cut short ends them.
pub(crate) fn messages(
    unit: &[u8],
    header: usize,
) -> impl Iterator<Item = (usize, impl Iterator<Item = u8>)> {
    let mut bytes = unescaped(unit).skip(header);
    std::iter::from_fn(move || {
        let payload_type = counted(&mut bytes)?;
        let size = counted(&mut bytes)?;
        let payload = bytes.clone().take(size);
        if let Some(last) = size.checked_sub(1) {
            bytes.nth(last)?;
        }
        Some((payload_type, payload))
    })
}

/// A number as SEI counts: 255 for each byte that says so, and the first other one.
fn counted(bytes: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let mut sum = 0;
    loop {
        let byte = bytes.next()?;
        sum += usize::from(byte);
        if byte != 0xff {
            return Some(sum);
        }
    }
}

/// The bytes without those that keep start codes out (ITU-T H.264 §7.4.1.1): a 3 behind two zeros.
fn unescaped(unit: &[u8]) -> impl Iterator<Item = u8> + Clone {
    let mut zeros = 0;
    unit.iter().copied().filter(move |&byte| {
        let escape = zeros >= 2 && byte == 3;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        !escape
    })
}

fn number(bytes: &[u8]) -> usize {
    let digit = |number, &byte: &u8| number << 8 | usize::from(byte);
    bytes.iter().fold(0, digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_and_what_ends_them() {
        let misfit = |at, length| Some(Misfit { at, length });
        let cases: [(&str, u8, &[u8], &[&[u8]], Option<Misfit>); 7] = [
            ("nothing", 4, &[], &[], None),
            ("two", 1, &[1, 0x41, 2, 6, 7], &[&[0x41], &[6, 7]], None),
            ("an empty one", 2, &[0, 0, 0, 1, 9], &[&[9]], None),
            ("beyond the end", 1, &[1, 9, 4, 1], &[&[9]], misfit(2, 4)),
            ("half a length", 4, &[0, 0, 1], &[], misfit(0, 3)),
            (
                "4 GiB",
                4,
                &[0xff, 0xff, 0xff, 0xff, 1],
                &[],
                misfit(0, 0xffff_ffff),
            ),
            ("lengths of no bytes", 0, &[1, 2], &[], misfit(0, 0)),
        ];
        for (name, length_size, payload, expected, misfit) in cases {
            let mut units = Units::new(payload, length_size);
            let found: Vec<&[u8]> = units.by_ref().collect();
            assert_eq!(found, expected, "{name}");
            assert_eq!(units.misfit(), misfit, "{name}");
        }
    }

    #[test]
    fn recovery_points() {
        let cases: [(&str, &[u8], bool); 9] = [
            ("x264's, of an open GOP", &[6, 6, 1, 0xc4, 0x80], true),
            ("no SEI", &[0x41, 6, 1, 0xc4, 0x80], false),
            ("user data", &[6, 5, 2, 6, 6, 0x80], false),
            (
                "behind a buffering period",
                &[6, 0, 2, 6, 0x80, 6, 1, 0xc4, 0x80],
                true,
            ),
            (
                "behind bytes that had to be escaped",
                &[6, 1, 3, 0, 0, 3, 1, 6, 1, 0xc4, 0x80],
                true,
            ),
            (
                "behind a type and a size above 254",
                &[&[6, 0xff, 1, 0xff, 1][..], &[7; 256], &[6, 1, 0xc4, 0x80]].concat(),
                true,
            ),
            ("an empty message before it", &[6, 1, 0, 6, 1, 0xc4], true),
            ("cut short", &[6, 6, 1], false),
            ("nothing", &[6], false),
        ];
        for (name, unit, expected) in cases {
            assert_eq!(is_recovery_point(unit), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_to_an_end(
            payload in proptest::collection::vec(prop_oneof![0_u8..8, any::<u8>()], 0..64),
            length_size in 0_u8..=4,
        ) {
            let mut units = Units::new(&payload, length_size);
            let inside: usize = units.by_ref().map(<[u8]>::len).sum();
            prop_assert!(inside <= payload.len());
            is_recovery_point(&payload);
        }
    }
}
