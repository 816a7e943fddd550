//! AUDIODATA (FLV 10.1 §E.4.2): AAC and MP3.

use std::sync::Arc;

use bytes::Bytes;
use media::codec::{Aac, ConfigurationError, Mp3};
use media::{Codec, Fault, FaultKind};

use super::unsupported::Unsupported;
use super::{Entry, Found, empty, malformed};

const MP3: u8 = 2;
/// SoundFormat: an Enhanced RTMP header, with a FourCC.
const EX_HEADER: u8 = 9;
const AAC: u8 = 10;
const MP3_8_KHZ: u8 = 14;

const SEQUENCE_HEADER: u8 = 0;
const RAW: u8 = 1;

/// The audio half of a demuxer: the configuration in force.
#[derive(Debug, Default)]
pub(super) struct Reader {
    current: Option<Arc<Codec>>,
    early_reported: bool,
}

impl Reader {
    /// Reads a body of at least one byte.
    pub(super) fn read(
        &mut self,
        body: &Bytes,
        unsupported: &mut Unsupported,
    ) -> Result<Option<Found>, Fault> {
        match body.first().copied().unwrap_or(0) >> 4 {
            AAC => self.aac(body),
            MP3 | MP3_8_KHZ => self.mp3(body.slice(1..)),
            EX_HEADER => unsupported.enhanced("audio", body).map(|()| None),
            other => unsupported.audio(other).map(|()| None),
        }
    }

    fn aac(&mut self, body: &Bytes) -> Result<Option<Found>, Fault> {
        let Some(&packet_type) = body.get(1) else {
            return Err(malformed(
                "an AAC message of 1 byte ends before its packet type".to_owned(),
            ));
        };
        let payload = body.slice(2..);
        match packet_type {
            SEQUENCE_HEADER => self.configure_aac(payload).map(|()| None),
            RAW if payload.is_empty() => Err(empty("an AAC")),
            RAW => match &self.current {
                Some(codec) if matches!(**codec, Codec::Aac(_)) => {
                    Ok(Some(found(Arc::clone(codec), payload)))
                }
                _ if self.early_reported => Ok(None),
                _ => {
                    self.early_reported = true;
                    Err(Fault {
                        kind: FaultKind::EarlyMedia,
                        text: "AAC came before its configuration (AAC sequence header); dropped until it comes"
                            .to_owned(),
                    })
                }
            },
            other => Err(malformed(format!(
                "an AAC message has packet type {other}; 0 and 1 are defined"
            ))),
        }
    }

    fn configure_aac(&mut self, config: Bytes) -> Result<(), Fault> {
        // Encoders repeat the same header.
        if let Some(Codec::Aac(aac)) = self.current.as_deref()
            && aac.config == config
        {
            return Ok(());
        }
        let aac = Aac::parse(config).map_err(|error| self.bad_configuration(&error))?;
        self.current = Some(Arc::new(Codec::Aac(aac)));
        Ok(())
    }

    fn mp3(&mut self, frame: Bytes) -> Result<Option<Found>, Fault> {
        if frame.is_empty() {
            return Err(empty("an MP3"));
        }
        let mp3 = Mp3::parse(&frame)
            .map_err(|error| malformed(format!("an MP3 message was dropped: {error}")))?;
        let codec = match &self.current {
            Some(codec) if matches!(&**codec, Codec::Mp3(current) if *current == mp3) => {
                Arc::clone(codec)
            }
            _ => Arc::clone(self.current.insert(Arc::new(Codec::Mp3(mp3)))),
        };
        Ok(Some(found(codec, frame)))
    }

    fn bad_configuration(&self, error: &ConfigurationError) -> Fault {
        Fault {
            kind: FaultKind::BadConfiguration,
            text: match self.current {
                None => format!("unusable audio configuration: {error}"),
                Some(_) => format!("unusable audio configuration, the one before stays: {error}"),
            },
        }
    }
}

const fn found(codec: Arc<Codec>, payload: Bytes) -> Found {
    Found {
        codec,
        composition_ms: 0,
        entry: Entry::RandomAccess,
        payload,
    }
}
