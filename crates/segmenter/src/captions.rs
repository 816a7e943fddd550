//! Which caption services are in pictures: CEA-608 and CEA-708 captions in user data as ATSC A/53 part 4 has them, in
//! the SEI of H.264 and H.265 and the metadata of AV1. Nothing is copied, and only what may hold user data is looked
//! into.
//!
//! What does not belong here: what the captions say, and what lists the services (the playlist does).

mod cc_data;

use media::codec::av1::{Obu, Obus};
use media::{AccessUnit, Captions, Codec, Track};

use crate::nal;

/// `payloadType` of user data registered by ITU-T T.35, in H.264 (§D.1.6) and H.265 (§D.2.6).
const REGISTERED: usize = 4;
/// `nal_unit_type` of an SEI before the picture (ITU-T H.265 table 7-1).
const H265_PREFIX_SEI: u8 = 39;
/// `metadata_type` of the same (AV1 §6.7.1): a number in leb128, of one byte.
const AV1_REGISTERED: u8 = 4;
/// What user data with captions begins with: the USA, ATSC, `user_identifier`, `user_data_type_code` of captions.
const ATSC_CAPTIONS: [u8; 8] = [0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03];

/// The services in `units`, whose tracks are `tracks`.
pub(crate) fn in_units(tracks: &[Track], units: &[AccessUnit]) -> Captions {
    let mut captions = Captions::NONE;
    for unit in units {
        if let Some(track) = tracks.get(unit.track) {
            captions |= of(&track.codec, &unit.payload);
        }
    }
    captions
}

/// The services in an access unit of `codec`. One that does not fit its codec has those before the misfit.
pub(crate) fn of(codec: &Codec, unit: &[u8]) -> Captions {
    match codec {
        Codec::H264(h264) => in_sei(unit, h264.length_size, |nal_unit| {
            (nal::kind(nal_unit) == nal::SEI).then_some(1)
        }),
        Codec::H265(h265) => in_sei(unit, h265.length_size, |nal_unit| {
            let kind = nal_unit.first().map(|header| header >> 1 & 0x3f);
            (kind == Some(H265_PREFIX_SEI)).then_some(2)
        }),
        Codec::Av1(_) => in_metadata(unit),
        // There is no place for them in VP9.
        Codec::Vp9(_)
        | Codec::Aac(_)
        | Codec::Mp3(_)
        | Codec::Opus(_)
        | Codec::Flac(_)
        | Codec::Ac3(_)
        | Codec::Eac3(_) => Captions::NONE,
    }
}

/// `sei_header` gives the length of an SEI's NAL unit header, and nothing for other NAL units.
fn in_sei(unit: &[u8], length_size: u8, sei_header: impl Fn(&[u8]) -> Option<usize>) -> Captions {
    let mut captions = Captions::NONE;
    for nal_unit in nal::Units::new(unit, length_size) {
        let Some(header) = sei_header(nal_unit) else {
            continue;
        };
        for (payload_type, payload) in nal::messages(nal_unit, header) {
            if payload_type == REGISTERED {
                captions |= in_user_data(payload);
            }
        }
    }
    captions
}

fn in_metadata(unit: &[u8]) -> Captions {
    let mut captions = Captions::NONE;
    for obu in Obus::new(unit).filter(|obu| obu.kind == Obu::METADATA) {
        if let Some((&AV1_REGISTERED, user_data)) = obu.payload.split_first() {
            captions |= in_user_data(user_data.iter().copied());
        }
    }
    captions
}

/// The services in user data registered by ITU-T T.35, from its country code on.
fn in_user_data(mut user_data: impl Iterator<Item = u8>) -> Captions {
    if user_data
        .by_ref()
        .take(ATSC_CAPTIONS.len())
        .eq(ATSC_CAPTIONS)
    {
        cc_data::services(user_data)
    } else {
        Captions::NONE
    }
}

#[cfg(test)]
pub(crate) mod tests;
