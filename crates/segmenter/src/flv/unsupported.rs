//! Codecs that are not carried: named once each, however many messages of them come.

use media::{Fault, FaultKind};

/// FourCCs remembered as already named. A sender that makes up more of them is not worth the memory.
const MAX_FOURCCS: usize = 8;

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
    "HEVC in the old unofficial form",
    "AV1 in the old unofficial form",
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
    "Opus in the old unofficial form",
    "MP3 8 kHz",
    "device-specific sound",
];

/// What has been named so far.
#[derive(Debug, Default)]
pub(super) struct Unsupported {
    video: u16,
    audio: u16,
    fourccs: Vec<[u8; 5]>,
}

impl Unsupported {
    /// Legacy VIDEODATA with a CodecID that is not carried.
    pub(super) fn video(&mut self, id: u8) -> Result<(), Fault> {
        first(&mut self.video, id)
            .then(|| fault("video codec", id, &VIDEO_CODECS))
            .map_or(Ok(()), Err)
    }

    /// Legacy AUDIODATA with a SoundFormat that is not carried.
    pub(super) fn audio(&mut self, format: u8) -> Result<(), Fault> {
        first(&mut self.audio, format)
            .then(|| fault("sound format", format, &AUDIO_FORMATS))
            .map_or(Ok(()), Err)
    }

    /// Enhanced RTMP, whose codec is the FourCC behind the first byte of `body`.
    pub(super) fn enhanced(&mut self, what: &str, body: &[u8]) -> Result<(), Fault> {
        let Some(fourcc) = body.get(1..5) else {
            return Err(super::malformed(format!(
                "an Enhanced RTMP {what} message of {} bytes ends before its FourCC",
                body.len()
            )));
        };
        let mut key = [what.as_bytes().first().copied().unwrap_or(0), 0, 0, 0, 0];
        for (to, from) in key.iter_mut().skip(1).zip(fourcc) {
            *to = *from;
        }
        if self.fourccs.contains(&key) || self.fourccs.len() == MAX_FOURCCS {
            return Ok(());
        }
        self.fourccs.push(key);
        Err(Fault {
            kind: FaultKind::UnsupportedCodec,
            text: format!(
                "{what} codec {:?} (Enhanced RTMP) is not carried; set the encoder to H.264 and AAC",
                fourcc.escape_ascii().to_string()
            ),
        })
    }
}

/// Whether bit `id` (0..=15) of `seen` was still clear; it is set now.
const fn first(seen: &mut u16, id: u8) -> bool {
    let bit = 1 << (id & 15);
    let first = *seen & bit == 0;
    *seen |= bit;
    first
}

fn fault(what: &str, id: u8, names: &[&str; 16]) -> Fault {
    let name = names.get(usize::from(id)).copied().unwrap_or("unknown");
    Fault {
        kind: FaultKind::UnsupportedCodec,
        text: format!("{what} {id} ({name}) is not carried; set the encoder to H.264 and AAC"),
    }
}
