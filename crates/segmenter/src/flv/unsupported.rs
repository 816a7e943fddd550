//! What is not carried: codecs are named once each, however many messages of them come; messages of reserved types are
//! counted.

use media::{Fault, FaultKind, TrackKind};

use super::body::FourCc;
use super::{enhanced, legacy, malformed};
use crate::per_kind::word;

/// FourCCs remembered as already named. A sender that makes up more of them is not worth the memory.
const MAX_FOURCCS: usize = 8;

const ADVICE: &str = "set the encoder to H.264 and AAC";

const VIDEO_CODECS: [&str; 16] = [
    "reserved",
    "reserved",
    "Sorenson H.263",
    "Screen video",
    "On2 VP6",
    "On2 VP6 with alpha",
    "Screen video 2",
    "H.264",
    "H.263",
    "MPEG-4 part 2",
    "unknown",
    "unknown",
    "HEVC",
    "AV1",
    "VP9 in the old unofficial form",
    "unknown",
];

const AUDIO_FORMATS: [&str; 16] = [
    "linear PCM, platform endian",
    "ADPCM",
    "MP3",
    "linear PCM, little endian",
    "Nellymoser 16 kHz mono",
    "Nellymoser 8 kHz mono",
    "Nellymoser",
    "G.711 A-law",
    "G.711 mu-law",
    "Enhanced RTMP",
    "AAC",
    "Speex",
    "unknown",
    "Opus",
    "MP3 8 kHz",
    "device-specific sound",
];

/// What has been named so far.
#[derive(Debug, Default)]
pub(super) struct Unsupported {
    video: u16,
    audio: u16,
    codecs: Vec<(TrackKind, FourCc)>,
    mpeg2_ts: u16,
}

impl Unsupported {
    /// With nothing named yet.
    pub(super) const fn new() -> Self {
        Self {
            video: 0,
            audio: 0,
            codecs: Vec::new(),
            mpeg2_ts: 0,
        }
    }

    /// What is wrong with a legacy message, unless it was named before.
    pub(super) fn legacy(&mut self, error: &legacy::Error) -> Result<(), Fault> {
        let (seen, what, id, names) = match *error {
            legacy::Error::VideoCodec(id) => (&mut self.video, "video codec", id, &VIDEO_CODECS),
            legacy::Error::SoundFormat(id) => (&mut self.audio, "sound format", id, &AUDIO_FORMATS),
            _ => return Err(malformed(error.to_string())),
        };
        fault(first(seen, id), || {
            let name = names.get(usize::from(id)).copied().unwrap_or("unknown");
            format!("{what} {id} ({name}) is not carried; {ADVICE}")
        })
    }

    /// What is wrong with an enhanced message.
    pub(super) fn enhanced(error: &enhanced::Error) -> Fault {
        match error {
            enhanced::Error::Reserved { .. } => Fault {
                kind: FaultKind::UnsupportedCodec,
                text: error.to_string(),
            },
            _ => malformed(error.to_string()),
        }
    }

    /// A codec by the name that Enhanced RTMP has for it, however it was sent.
    pub(super) fn codec(&mut self, kind: TrackKind, codec: FourCc) -> Result<(), Fault> {
        if self.codecs.contains(&(kind, codec)) || self.codecs.len() == MAX_FOURCCS {
            return Ok(());
        }
        self.codecs.push((kind, codec));
        fault(Told::Now, || {
            let name = codec
                .name()
                .map_or(String::new(), |name| format!(" ({name})"));
            let reason = match codec {
                FourCc::VP8 | FourCc::VVC => ", since no player of HLS takes it",
                _ => "",
            };
            let what = word(kind);
            format!("{what} codec {codec}{name} is not carried{reason}; {ADVICE}")
        })
    }

    /// AV1 whose configuration is in MPEG-TS's form.
    pub(super) fn mpeg2_ts_sequence_start(&mut self) -> Result<(), Fault> {
        fault(first(&mut self.mpeg2_ts, 0), || {
            "a video configuration in the form of MPEG-TS (MPEG2TSSequenceStart) is not read; \
             set the encoder to send it as av1C (SequenceStart)"
                .to_owned()
        })
    }
}

/// Whether a fault was told before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Before,
    Now,
}

/// Whether bit `id` (0..=15) of `seen` was set already; it is now.
const fn first(seen: &mut u16, id: u8) -> Told {
    let bit = 1 << (id & 15);
    let told = if *seen & bit == 0 {
        Told::Now
    } else {
        Told::Before
    };
    *seen |= bit;
    told
}

fn fault(told: Told, text: impl FnOnce() -> String) -> Result<(), Fault> {
    match told {
        Told::Before => Ok(()),
        Told::Now => Err(Fault {
            kind: FaultKind::UnsupportedCodec,
            text: text(),
        }),
    }
}
