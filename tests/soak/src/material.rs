//! What publishers send: access units that say who they are, so that each can be found again, whole, in a
//! segment. Nothing decodes them; 320x180-sized and light, so that twenty publishers leave two cores idle.

use crate::dice::Dice;

/// Milliseconds from a picture to the next.
pub(crate) const PICTURE_MS: i64 = 40;
/// Pictures from a random access to the next.
pub(crate) const GOP: i64 = 25;

/// `AVCDecoderConfigurationRecord`s: x264's High at level 3.1, and Baseline, 128x96.
const AVCC: [&[u8]; 2] = [
    &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40,
        0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0,
        0xf1, 0x83, 0x19, 0x60, 0x01, 0x00, 0x04, 0x68, 0xef, 0xbc, 0xb0, 0xfd, 0xf8, 0xf8, 0x00,
    ],
    &[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
    ],
];
/// `AudioSpecificConfig`s: AAC LC, stereo, at the rates below.
const ASC: [[u8; 2]; 2] = [[0x11, 0x90], [0x12, 0x10]];
/// Samples per second.
const SAMPLE_RATES: [i64; 2] = [48_000, 44_100];

/// RTMP message types (RTMP 1.0 §7.1).
pub(crate) const VIDEO: u8 = 9;
pub(crate) const AUDIO: u8 = 8;

/// Length of a tag as text.
const TAG: usize = 3 + 6 + 8 + 1;

/// Which of two configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Variant {
    #[default]
    First,
    Second,
}

impl Variant {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The body of an AVC sequence header.
pub(crate) fn video_header(variant: Variant) -> Vec<u8> {
    [&[0x17, 0, 0, 0, 0], AVCC[variant as usize]].concat()
}

/// The body of an AAC sequence header.
pub(crate) fn audio_header(variant: Variant) -> Vec<u8> {
    [&[0xaf, 0][..], &ASC[variant as usize]].concat()
}

/// When the audio frame of this index begins, in milliseconds, rounded as RTMP has it.
pub(crate) fn audio_ms(variant: Variant, index: i64) -> i64 {
    let rate = SAMPLE_RATES[variant as usize];
    (index * 1024 * 1000 + rate / 2) / rate
}

/// What kind of access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A picture that decoding can begin with.
    Key,
    /// Any other picture.
    Picture,
    /// An AAC frame.
    Sound,
}

impl Kind {
    /// Pictures of either kind.
    pub(crate) fn is_video(self) -> bool {
        self != Self::Sound
    }

    const fn letter(self) -> char {
        match self {
            Self::Key => 'k',
            Self::Picture => 'p',
            Self::Sound => 's',
        }
    }
}

/// Who an access unit is: all of its payload follows from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Which publisher.
    pub(crate) publisher: usize,
    /// Which of its sessions.
    pub(crate) session: usize,
    /// Its number in the session, all kinds counted together.
    pub(crate) number: usize,
    /// What it is.
    pub(crate) kind: Kind,
}

impl Tag {
    /// The message's body, for a picture with its composition time.
    pub(crate) fn body(self, composition_ms: i64) -> Vec<u8> {
        let payload = self.payload();
        if self.kind == Kind::Sound {
            return [&[0xaf, 1][..], &payload].concat();
        }
        let first = if self.kind == Kind::Key { 0x17 } else { 0x27 };
        let composition = i32::try_from(composition_ms).unwrap_or(0).to_be_bytes();
        let length = u32::try_from(payload.len())
            .expect("a light picture")
            .to_be_bytes();
        [&[first, 1][..], &composition[1..], &length, &payload].concat()
    }

    /// What a decoder would get: a slice NAL unit, or a raw AAC frame.
    pub(crate) fn payload(self) -> Vec<u8> {
        let mut dice = Dice::new(self.publisher as u64)
            .fork(self.session as u64)
            .fork(self.number as u64);
        let (head, size): (&[u8], _) = match self.kind {
            Kind::Key => (&[0x65, 0x88], 1_200..=2_400),
            Kind::Picture => (&[0x41, 0x9a], 150..=500),
            Kind::Sound => (&[], 60..=140),
        };
        let mut payload = head.to_vec();
        let text = format!(
            "{:03x}{:06x}{:08x}{}",
            self.publisher,
            self.session,
            self.number,
            self.kind.letter()
        );
        payload.extend_from_slice(text.as_bytes());
        let count = dice.size(&size);
        dice.fill(&mut payload, count);
        payload
    }

    /// Who `payload` says it is; `None` if it is none of ours.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let text = match payload {
            [0x65 | 0x41, _, text @ ..] => text,
            text => text,
        };
        let text = std::str::from_utf8(text.get(..TAG)?).ok()?;
        let number = |range| usize::from_str_radix(text.get(range)?, 16).ok();
        let kinds = [Kind::Key, Kind::Picture, Kind::Sound];
        Some(Self {
            publisher: number(0..3)?,
            session: number(3..9)?,
            number: number(9..17)?,
            kind: kinds
                .into_iter()
                .find(|kind| text.ends_with(kind.letter()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_says_who_it_is_and_nothing_needs_escaping() {
        for kind in [Kind::Key, Kind::Picture, Kind::Sound] {
            let tag = Tag {
                publisher: 19,
                session: 1_234,
                number: 98_765,
                kind,
            };
            let payload = tag.payload();
            assert_eq!(Tag::read(&payload), Some(tag));
            assert_eq!(payload, tag.payload());
            assert!(!payload.contains(&0));
        }
        assert_eq!(Tag::read(b"something else altogether"), None);
        assert_eq!(Tag::read(&[]), None);
    }

    #[test]
    fn sound_keeps_to_its_rate() {
        assert_eq!(audio_ms(Variant::First, 48_000), 1_024_000);
        assert_eq!(audio_ms(Variant::Second, 44_100), 1_024_000);
    }
}
