//! The colours that an encoder says beside its parameter sets: `colorInfo` of a Metadata packet (Enhanced RTMP v2).
//!
//! Of the light that the mastering display gave (`hdrCll`, `hdrMdcv`) nothing is kept: players take that from the
//! pictures. What does not belong here: which track it is of (`segmenter::flv`).

use media::codec::Colour;
use rtmp_ingest::amf0::{self, Value};

/// The packet's one name.
const NAME: &str = "colorInfo";

/// The colour that `packet` says, by the code points of ITU-T H.273; unspecified where it takes back what was said.
/// `None` if it is no `colorInfo`, or cannot be read.
pub(crate) fn read(packet: &[u8]) -> Option<Colour> {
    let values = amf0::read_all(packet).ok()?;
    let [name, info, ..] = &values[..] else {
        return None;
    };
    if name.as_str() != Some(NAME) {
        return None;
    }
    let config = info.property("colorConfig");
    let code = |name: &str| match config.and_then(|config| config.property(name)) {
        Some(Value::Number(number)) => code_point(*number),
        _ => None,
    };
    Some(Colour {
        primaries: code("colorPrimaries").unwrap_or(Colour::UNSPECIFIED.primaries),
        transfer: code("transferCharacteristics").unwrap_or(Colour::UNSPECIFIED.transfer),
        matrix: code("matrixCoefficients").unwrap_or(Colour::UNSPECIFIED.matrix),
        ..Colour::UNSPECIFIED
    })
}

/// A whole number of eight bits.
fn code_point(number: f64) -> Option<u8> {
    (0..=u8::MAX).find(|&code| f64::from(code) == number)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::amf_sample::{message, number, object};

    fn packet(value: Vec<u8>) -> Bytes {
        message(NAME, &[value])
    }

    fn config(codes: &[(&str, f64)]) -> Vec<u8> {
        let codes = codes.iter().map(|&(name, code)| (name, number(code)));
        object(&[("colorConfig", object(&codes.collect::<Vec<_>>()))])
    }

    #[test]
    fn code_points_are_read() {
        let hdr10 = config(&[
            ("bitDepth", 10.0),
            ("colorPrimaries", 9.0),
            ("transferCharacteristics", 16.0),
            ("matrixCoefficients", 9.0),
        ]);
        let colour = read(&packet(hdr10)).expect("colours");
        assert_eq!(
            (colour.primaries, colour.transfer, colour.matrix),
            (9, 16, 9)
        );
        assert_eq!(colour.video_range().name(), "PQ");
    }

    #[test]
    fn what_says_none_takes_it_back_and_other_things_say_nothing() {
        let none = Some(Colour::UNSPECIFIED);
        let odd = config(&[("colorPrimaries", 900.0), ("matrixCoefficients", 1.5)]);
        for (packet, expected) in [
            (packet(object(&[])), none),
            (packet(vec![6]), none),
            (packet(odd), none),
            (packet(vec![]), None),
            (message("x", &[vec![5]]), None),
            (Bytes::new(), None),
            (vec![0xff; 20].into(), None),
        ] {
            assert_eq!(read(&packet), expected, "{packet:?}");
        }
    }
}
