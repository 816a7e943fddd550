//! VIDEODATA (FLV 10.1 §E.4.3): H.264 in its legacy form, AVCVIDEOPACKET.

use std::sync::Arc;

use bytes::Bytes;
use media::codec::H264;
use media::{Codec, Fault, FaultKind};

use super::unsupported::Unsupported;
use super::{Entry, Found, empty, malformed};
use crate::nal;

/// First byte: the message has an Enhanced RTMP header, with a FourCC.
const EX_HEADER: u8 = 0x80;
/// FrameType: decoding can begin here, as the encoder says.
const KEY_FRAME: u8 = 1;
/// FrameType: a command to the player, no picture.
const COMMAND_FRAME: u8 = 5;
const CODEC_H264: u8 = 7;

const SEQUENCE_HEADER: u8 = 0;
const NAL_UNITS: u8 = 1;
const END_OF_SEQUENCE: u8 = 2;

/// FrameType and CodecID, AVCPacketType, CompositionTime.
const HEADER_BYTES: usize = 5;

/// The video half of a demuxer: the configuration in force.
#[derive(Debug, Default)]
pub(super) struct Reader {
    current: Option<(Arc<Codec>, Configuration)>,
    early_reported: bool,
}

#[derive(Debug)]
struct Configuration {
    record: Bytes,
    length_size: u8,
}

impl Reader {
    /// Reads a body of at least one byte.
    pub(super) fn read(
        &mut self,
        body: &Bytes,
        unsupported: &mut Unsupported,
    ) -> Result<Option<Found>, Fault> {
        let first = body.first().copied().unwrap_or(0);
        if first & EX_HEADER != 0 {
            return unsupported.enhanced("video", body).map(|()| None);
        }
        let frame_type = first >> 4;
        if frame_type == COMMAND_FRAME {
            return Ok(None);
        }
        if first & 0x0f != CODEC_H264 {
            return unsupported.video(first & 0x0f).map(|()| None);
        }
        let Some(&[_, packet_type, c0, c1, c2]) = body.first_chunk::<HEADER_BYTES>() else {
            // Some encoders end a publish with a bare two-byte end of sequence.
            return match body.get(1) {
                Some(&END_OF_SEQUENCE) => Ok(None),
                _ => Err(malformed(format!(
                    "a video message of {} bytes is shorter than its header of {HEADER_BYTES}",
                    body.len()
                ))),
            };
        };
        let payload = body.slice(HEADER_BYTES..);
        match packet_type {
            SEQUENCE_HEADER => self.configure(payload).map(|()| None),
            NAL_UNITS => self.unit(payload, signed_24([c0, c1, c2]), frame_type),
            END_OF_SEQUENCE => Ok(None),
            other => Err(malformed(format!(
                "a video message has AVC packet type {other}; 0, 1 and 2 are defined"
            ))),
        }
    }

    fn configure(&mut self, record: Bytes) -> Result<(), Fault> {
        // Encoders repeat the same header, some before every IDR picture.
        if self
            .current
            .as_ref()
            .is_some_and(|(_, c)| c.record == record)
        {
            return Ok(());
        }
        let h264 = H264::parse(record.clone()).map_err(|error| Fault {
            kind: FaultKind::BadConfiguration,
            text: match self.current {
                None => format!("unusable video configuration: {error}"),
                Some(_) => format!("unusable video configuration, the one before stays: {error}"),
            },
        })?;
        let configuration = Configuration {
            record,
            length_size: h264.length_size,
        };
        self.current = Some((Arc::new(Codec::H264(h264)), configuration));
        Ok(())
    }

    fn unit(
        &mut self,
        payload: Bytes,
        composition_ms: i32,
        frame_type: u8,
    ) -> Result<Option<Found>, Fault> {
        if payload.is_empty() {
            return Err(empty("a video"));
        }
        let Some((codec, configuration)) = &self.current else {
            if self.early_reported {
                return Ok(None);
            }
            self.early_reported = true;
            return Err(Fault {
                kind: FaultKind::EarlyMedia,
                text: "video came before its configuration (AVC sequence header); dropped until it comes"
                    .to_owned(),
            });
        };
        let entry = entry(&payload, configuration.length_size, frame_type)?;
        Ok(Some(Found {
            codec: Arc::clone(codec),
            composition_ms,
            entry,
            payload,
        }))
    }
}

/// Walks the NAL units of `payload`, which their lengths have to fill exactly.
///
/// Whether there is an IDR slice is asked of the NAL units, not of FrameType: encoders mark pictures as
/// key frames that are none. Nor is every recovery point one to begin with: some encoders announce one
/// with each picture, so FrameType has to say the same.
fn entry(payload: &[u8], length_size: u8, frame_type: u8) -> Result<Entry, Fault> {
    let mut units = nal::Units::new(payload, length_size);
    let mut entry = Entry::None;
    let mut any = false;
    for unit in units.by_ref() {
        any = true;
        if nal::kind(unit) == nal::IDR {
            entry = Entry::RandomAccess;
        } else if entry == Entry::None && frame_type == KEY_FRAME && nal::is_recovery_point(unit) {
            entry = Entry::RecoveryPoint;
        }
    }
    match units.misfit() {
        None if any => Ok(entry),
        None => Err(malformed(
            "a video message has only NAL units of 0 bytes; dropped".to_owned(),
        )),
        Some(nal::Misfit { at, length }) => Err(malformed(format!(
            "a video message of {} bytes has a NAL unit of {length} bytes at byte {at}, beyond its end; dropped",
            payload.len(),
        ))),
    }
}

/// CompositionTime: a signed 24-bit number, however many readers take it for unsigned.
const fn signed_24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_be_bytes([a, b, c, 0]) >> 8
}

/// A sequence header that `fuzz` opens the way with: Baseline, 128×96.
pub(super) const FUZZ_HEADER: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10,
    0x1a, 0x6c, 0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
];
