//! What Enhanced RTMP v2 ("Enhancing NetConnection connect Command") has both sides say of themselves in `connect` and
//! its answer.
//!
//! Encoders do not wait for it: OBS and FFmpeg send what they are set to whatever the answer is, and say little or
//! nothing. So it decides nothing here but whether a client is asked to connect anew.

use super::command::Command;
use crate::amf0::Property::{self, Number, Object, StrictArray, Text};

/// `capsEx`: a server asks clients to connect anew when it leaves; a client does so, and hands its publish over.
const RECONNECT: u32 = 0x01;
/// `capsEx`: messages may hold several tracks.
const MULTITRACK: u32 = 0x02;
/// `capsEx`: ModEx prefixes are read.
const MOD_EX: u32 = 0x04;
/// `capsEx`: and nanoseconds in them.
const TIMESTAMP_NANO_OFFSET: u32 = 0x08;

/// In a FourCC info map: passed on as it is, neither decoded nor encoded.
const CAN_FORWARD: Property<'static> = Number(4.0);

const VIDEO: [(&str, Property<'static>); 4] = [
    ("avc1", CAN_FORWARD),
    ("hvc1", CAN_FORWARD),
    ("av01", CAN_FORWARD),
    ("vp09", CAN_FORWARD),
];

const AUDIO: [(&str, Property<'static>); 6] = [
    ("mp4a", CAN_FORWARD),
    ("Opus", CAN_FORWARD),
    ("fLaC", CAN_FORWARD),
    ("ac-3", CAN_FORWARD),
    ("ec-3", CAN_FORWARD),
    (".mp3", CAN_FORWARD),
];

/// The same as a list, which is all that version 1 knew.
const LIST: [Property<'static>; 10] = [
    Text("avc1"),
    Text("hvc1"),
    Text("av01"),
    Text("vp09"),
    Text("mp4a"),
    Text("Opus"),
    Text("fLaC"),
    Text("ac-3"),
    Text("ec-3"),
    Text(".mp3"),
];

/// What the answer to `connect` says. The specification leaves open in which of the two objects, so both have it.
pub(super) fn offered() -> [(&'static str, Property<'static>); 5] {
    let caps = RECONNECT | MULTITRACK | MOD_EX | TIMESTAMP_NANO_OFFSET;
    [
        // AMF0 only, whatever was asked for.
        ("objectEncoding", Number(0.0)),
        ("capsEx", Number(caps.into())),
        ("fourCcList", StrictArray(&LIST)),
        ("videoFourCcInfoMap", Object(&VIDEO)),
        ("audioFourCcInfoMap", Object(&AUDIO)),
    ]
}

/// What becomes of a client that is asked to connect anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnReconnectRequest {
    /// It does, as it says.
    Connects,
    /// It does not know what it is asked.
    Ignores,
}

impl OnReconnectRequest {
    /// As `connect` says.
    pub(super) fn of(connect: &Command) -> Self {
        let caps = connect.number("capsEx").unwrap_or(0.0);
        // Bit 0 of a number that may be anything.
        if caps.rem_euclid(f64::from(2 * RECONNECT)) >= f64::from(RECONNECT) {
            Self::Connects
        } else {
            Self::Ignores
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_what_the_maps_do() {
        let names = VIDEO.iter().chain(&AUDIO).map(|(name, _)| *name);
        let list = LIST.iter().map(|value| match value {
            Text(name) => *name,
            other => panic!("{other:?}"),
        });
        assert!(names.eq(list));
    }
}
