//! A scripted encoder: FLV messages with exact timestamps and moments of arrival, in simulated time.

use std::time::{Duration, SystemTime};

use media::{MediaTime, Message, MessageKind};

/// H.264 Baseline, 128×96.
pub(crate) const SMALL: &[u8] = &[
    1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c, 0x80, 1,
    0, 4, 0x68, 0xce, 0x3c, 0x80,
];
/// H.264 High 3.1, 1280×720.
pub(crate) const LARGE: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];
/// AAC LC, 48 kHz, stereo.
pub(crate) const AAC_48000: &[u8] = &[0x11, 0x90];
/// AAC LC, 44.1 kHz, stereo.
pub(crate) const AAC_44100: &[u8] = &[0x12, 0x10];
/// AAC LC, 48 kHz, mono.
pub(crate) const AAC_MONO: &[u8] = &[0x11, 0x88];

/// Bytes that number an access unit at its end.
pub(crate) const NUMBER_BYTES: usize = 5;

/// What a message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A body given byte by byte: a sequence header, something broken.
    Body(Vec<u8>),
    /// A picture of one slice.
    Picture { key: bool, bytes: usize },
    /// An AAC frame.
    Sound,
}

/// One message of the encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: MessageKind,
    /// Simulated time at which it arrives, ms.
    pub(crate) arrival: i64,
    /// Its RTMP timestamp, before it is cut to 32 bits.
    pub(crate) timestamp: i64,
    /// Composition time, ms.
    pub(crate) composition: i32,
    /// When it is to be heard or seen, by the programme's own clock, which never stumbles.
    pub(crate) shown: MediaTime,
    pub(crate) what: What,
}

impl Event {
    fn header(kind: MessageKind, first: [u8; 2], config: &[u8], at: i64) -> Self {
        let mut body = first.to_vec();
        if kind == MessageKind::Video {
            body.extend_from_slice(&[0, 0, 0]);
        }
        body.extend_from_slice(config);
        Self {
            kind,
            arrival: at,
            timestamp: at,
            composition: 0,
            shown: MediaTime::from_millis(at),
            what: What::Body(body),
        }
    }

    /// An AVC sequence header at `at` ms.
    pub(crate) fn video_header(record: &[u8], at: i64) -> Self {
        Self::header(MessageKind::Video, [0x17, 0], record, at)
    }

    /// An AAC sequence header at `at` ms.
    pub(crate) fn audio_header(config: &[u8], at: i64) -> Self {
        Self::header(MessageKind::Audio, [0xaf, 0], config, at)
    }

    /// It holds an access unit.
    pub(crate) fn is_media(&self) -> bool {
        !matches!(self.what, What::Body(_))
    }

    pub(crate) fn is_picture(&self) -> bool {
        matches!(self.what, What::Picture { .. })
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.what == What::Sound
    }

    /// The message, its access unit marked with `number`.
    pub(crate) fn message(&self, number: usize) -> Message {
        let payload = match &self.what {
            What::Body(body) => body.clone(),
            What::Picture { key, bytes } => {
                let [_, composition @ ..] = self.composition.to_be_bytes();
                let length = u32::try_from(1 + bytes + NUMBER_BYTES).expect("short");
                let mut body = vec![if *key { 0x17 } else { 0x27 }, 1];
                body.extend_from_slice(&composition);
                body.extend_from_slice(&length.to_be_bytes());
                body.push(if *key { 0x65 } else { 0x41 });
                body.resize(body.len() + bytes, 0x55);
                body.extend_from_slice(&marked(number));
                body
            }
            What::Sound => [&[0xaf, 1, 0x21][..], &marked(number)].concat(),
        };
        Message {
            kind: self.kind,
            timestamp_ms: u32::try_from(self.timestamp.rem_euclid(1 << 32)).expect("32 bits"),
            payload: payload.into(),
        }
    }

    /// The wall clock on its arrival.
    pub(crate) fn now(&self) -> SystemTime {
        let since = u64::try_from(self.arrival).expect("after the start");
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + Duration::from_millis(since)
    }
}

/// Seven bits a byte with the highest set: no start code comes about by chance.
fn marked(number: usize) -> [u8; NUMBER_BYTES] {
    std::array::from_fn(|n| {
        0x80 | u8::try_from((number >> (7 * (NUMBER_BYTES - 1 - n))) & 0x7f).expect("7 bits")
    })
}

/// The number at the end of an access unit.
pub(crate) fn number_of(payload: &[u8]) -> usize {
    let from = payload.len() - NUMBER_BYTES;
    let bits = payload[from..].iter().map(|byte| usize::from(byte & 0x7f));
    bits.fold(0, |number, bits| (number << 7) | bits)
}

/// A stretch of a well-made programme, to be spoilt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Programme {
    from: i64,
    to: i64,
    fps: (i64, i64),
    gop: usize,
    b_pictures: bool,
    rate: Option<u32>,
    video: bool,
}

/// 25 pictures a second with a key frame every 2 s, and AAC at 48 kHz, from `from` to `to` (ms).
pub(crate) fn programme(from: i64, to: i64) -> Programme {
    Programme {
        from,
        to,
        fps: (25, 1),
        gop: 50,
        b_pictures: false,
        rate: Some(48_000),
        video: true,
    }
}

impl Programme {
    /// Pictures in so many seconds.
    pub(crate) fn fps(self, pictures: i64, seconds: i64) -> Self {
        let fps = (pictures, seconds);
        Self { fps, ..self }
    }

    /// Pictures from one key frame to the next.
    pub(crate) fn gop(self, gop: usize) -> Self {
        Self { gop, ..self }
    }

    /// With two B-pictures between the others.
    pub(crate) fn b_pictures(self) -> Self {
        Self {
            b_pictures: true,
            ..self
        }
    }

    pub(crate) fn rate(self, rate: u32) -> Self {
        Self {
            rate: Some(rate),
            ..self
        }
    }

    pub(crate) fn audio_only(self) -> Self {
        Self {
            video: false,
            ..self
        }
    }

    /// Its messages by their decode times, without headers.
    pub(crate) fn media(self) -> Vec<Event> {
        let mut events = Vec::new();
        let (pictures, seconds) = self.fps;
        for n in (0_usize..).take_while(|_| self.video) {
            let count = i64::try_from(n).expect("few");
            let at = self.from + count * seconds * 1_000 / pictures;
            if at >= self.to {
                break;
            }
            let in_gop = n % self.gop;
            let whole = (in_gop + 2 - (in_gop + 2) % 3) + 1 < self.gop;
            let reorder = match (self.b_pictures, in_gop) {
                (false, _) => 0,
                (true, 0) => 1,
                (true, _) if !whole => 1,
                (true, k) if k % 3 == 1 => 3,
                (true, _) => 0,
            };
            let composition =
                (count + reorder) * seconds * 1_000 / pictures - count * seconds * 1_000 / pictures;
            events.push(Event {
                kind: MessageKind::Video,
                arrival: at,
                timestamp: at,
                composition: i32::try_from(composition).expect("small"),
                shown: MediaTime::from_millis(at + composition),
                what: What::Picture {
                    key: in_gop == 0,
                    bytes: 8,
                },
            });
        }
        if let Some(rate) = self.rate {
            for n in 0_i64.. {
                let shown =
                    MediaTime::from_millis(self.from) + MediaTime::from_ticks(n * 1_024, rate);
                let at = shown.as_nanos() / 1_000_000;
                if at >= self.to {
                    break;
                }
                events.push(Event {
                    kind: MessageKind::Audio,
                    arrival: at,
                    timestamp: at,
                    composition: 0,
                    shown,
                    what: What::Sound,
                });
            }
        }
        events.sort_by_key(|event| (event.timestamp, event.is_sound()));
        events
    }

    /// The same behind sequence headers.
    pub(crate) fn events(self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.video {
            events.push(Event::video_header(SMALL, self.from));
        }
        if let Some(rate) = self.rate {
            let config = match rate {
                44_100 => AAC_44100,
                _ => AAC_48000,
            };
            events.push(Event::audio_header(config, self.from));
        }
        events.extend(self.media());
        events
    }
}

/// Everything of `events` changed by `change`.
pub(crate) fn each(mut events: Vec<Event>, change: impl FnMut(&mut Event)) -> Vec<Event> {
    events.iter_mut().for_each(change);
    events
}

/// By arrival, what arrives together in the order it stands.
pub(crate) fn by_arrival(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| event.arrival);
    events
}

/// A whole message that is no access unit of a programme.
pub(crate) fn body(kind: MessageKind, at: i64, bytes: &[u8]) -> Event {
    Event {
        kind,
        arrival: at,
        timestamp: at,
        composition: 0,
        shown: MediaTime::from_millis(at),
        what: What::Body(bytes.to_vec()),
    }
}
