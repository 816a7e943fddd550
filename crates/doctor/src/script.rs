//! A scripted publish: exact control of every access unit and every arrival, and no cutting but the script's.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use media::codec::{Aac, H264, Mp3};
use media::{
    AccessUnit, Advice, AdviceKind, Captions, Codec, Fault, FaultKind, MediaTime, MessageKind,
    Segment, Severity, Track, TsLayout,
};

use crate::{Doctor, Latency, Settings};

/// x264 through ffmpeg 5.1: 1280x720, High 3.1.
const RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
];
/// Its parameter set.
pub(crate) const PROGRESSIVE_SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
/// The same with `-flags +ildct+ilme`, 640x360.
pub(crate) const INTERLACED_SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x63, 0xf3, 0xe0, 0x22, 0x00, 0x00, 0x03, 0x00,
    0x02, 0x00, 0x00, 0x03, 0x00, 0x64, 0x3e, 0x28, 0x53, 0x2c,
];
/// `-pix_fmt yuv444p`.
pub(crate) const HIGH_444_SPS: &[u8] = &[
    0x67, 0xf4, 0x00, 0x1e, 0x91, 0x9b, 0x28, 0x14, 0x05, 0xff, 0x13, 0x80, 0x88, 0x00, 0x00, 0x03,
    0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0x90, 0x78, 0xb1, 0x6c, 0xb0,
];

/// What is sent. Its defaults are a right stream: 25 pictures a second, a key frame every 2 s, AAC.
pub(crate) struct Script {
    pub(crate) doctor: Doctor,
    /// Milliseconds of picture `n` after the picture before it.
    pub(crate) picture_ms: fn(u64) -> i64,
    /// Whether picture `n` is a key frame.
    pub(crate) key: fn(u64) -> bool,
    pub(crate) video: Option<Codec>,
    pub(crate) audio: Option<Codec>,
    pub(crate) picture_bytes: usize,
    pub(crate) composition: fn(u64) -> i64,
    /// When media of this time arrives, in milliseconds.
    pub(crate) arrives: fn(i64) -> i64,
    /// The timestamps of sound against those of the picture, in milliseconds at this time.
    pub(crate) audio_offset: fn(i64) -> i64,
    /// The segments' sound is stretched by this many parts per million against its samples.
    pub(crate) audio_ppm: i64,
    /// Media is cut without a key frame after so long.
    pub(crate) longest_ms: i64,
    /// What begins segments are recovery points, not IDR pictures.
    pub(crate) recovery_points: bool,
    number: u64,
    time: i64,
    audio_time: MediaTime,
    open: Vec<(bool, AccessUnit)>,
    open_start: i64,
    forced: bool,
}

pub(crate) fn h264() -> Codec {
    Codec::H264(H264::parse(Bytes::from_static(RECORD)).expect("x264"))
}

/// Another parameter set in x264's record.
pub(crate) fn h264_with(sps: &'static [u8]) -> Codec {
    let mut record = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1, 0];
    record.push(u8::try_from(sps.len()).expect("short"));
    record.extend(sps);
    record.extend([1, 0, 4, 0x68, 0xef, 0x8f, 0xcb]);
    Codec::H264(H264::parse(record.into()).expect("x264"))
}

pub(crate) fn aac() -> Codec {
    Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC LC 48 kHz"))
}

pub(crate) fn mp3() -> Codec {
    Codec::Mp3(Mp3::parse(&[0xff, 0xfb, 0x90, 0x00]).expect("44.1 kHz, 128 kbit/s"))
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::with(Latency::Usual)
    }

    pub(crate) fn with(latency: Latency) -> Self {
        let settings = Settings {
            segment: MediaTime::from_millis(2_000),
            longest_segment: MediaTime::from_millis(12_000),
            latency,
        };
        Self {
            doctor: Doctor::new(settings, SystemTime::UNIX_EPOCH),
            picture_ms: |_| 40,
            key: |n| n % 50 == 0,
            video: Some(h264()),
            audio: Some(aac()),
            picture_bytes: 10_000,
            composition: |_| 0,
            arrives: |time| time,
            audio_offset: |_| 0,
            audio_ppm: 0,
            longest_ms: 12_000,
            recovery_points: false,
            number: 0,
            time: 0,
            audio_time: MediaTime::ZERO,
            open: Vec::new(),
            open_start: 0,
            forced: false,
        }
    }

    pub(crate) fn declare(&mut self, properties: &[(&str, &str)]) {
        let properties: Vec<(String, String)> = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.doctor.metadata(&properties);
    }

    /// When what is sent now arrives.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from((self.arrives)(self.time)).unwrap_or_default())
    }

    /// Sends so much media, and looks once a second as the gateway does.
    pub(crate) fn run(&mut self, seconds: i64) -> Vec<Advice> {
        let end = self.time + seconds * 1_000;
        let mut looked = self.time;
        while self.time < end {
            self.sound();
            self.picture();
            let step = (self.picture_ms)(self.number);
            self.number += 1;
            self.time += step;
            if self.time - looked >= 1_000 {
                looked = self.time;
                self.doctor.advice(self.now());
            }
        }
        self.doctor.advice(self.now())
    }

    /// The one piece of advice of this kind after so much media.
    pub(crate) fn one(&mut self, kind: AdviceKind, seconds: i64) -> Advice {
        let advice = self.run(seconds);
        let kinds: Vec<AdviceKind> = advice.iter().map(|advice| advice.kind).collect();
        assert_eq!(kinds, [kind], "{advice:#?}");
        advice.into_iter().next().expect("there is one")
    }

    /// Kinds and severities after so much media.
    pub(crate) fn kinds(&mut self, seconds: i64) -> Vec<(AdviceKind, Severity)> {
        let advice = self.run(seconds);
        advice
            .iter()
            .map(|advice| (advice.kind, advice.severity))
            .collect()
    }

    pub(crate) fn fault(&mut self, kind: FaultKind) {
        let fault = Fault {
            kind,
            text: format!("a scripted {kind}"),
        };
        self.doctor.fault(&fault, self.now());
    }

    /// Sends sound again, from now on.
    pub(crate) fn return_sound(&mut self, audio: Option<Codec>) {
        self.audio = audio;
        self.audio_time = MediaTime::from_millis(self.time);
    }

    fn sound(&mut self) {
        let Some(length) = self.audio.as_ref().and_then(Codec::unit_duration) else {
            return;
        };
        while self.audio_time <= MediaTime::from_millis(self.time) {
            let sent = self.audio_time.as_millis() + (self.audio_offset)(self.time);
            self.doctor
                .arrival(MessageKind::Audio, wrapped(sent), self.now());
            let stretch = self.audio_time.as_nanos() / 1_000_000 * self.audio_ppm;
            let unit = AccessUnit {
                track: 0,
                dts: self.audio_time + MediaTime::from_nanos(stretch),
                composition: MediaTime::ZERO,
                random_access: true,
                payload: Bytes::from_static(&[0; 300]),
            };
            self.audio_time += length;
            if self.video.is_none() && self.time - self.open_start >= 2_000 {
                self.cut(true);
            }
            self.open.push((false, unit));
        }
    }

    fn picture(&mut self) {
        if self.video.is_none() {
            return;
        }
        let key = (self.key)(self.number);
        self.doctor
            .arrival(MessageKind::Video, wrapped(self.time), self.now());
        let span = self.time - self.open_start;
        if key && span >= 2_000 {
            self.cut(true);
        } else if span >= self.longest_ms {
            self.fault(FaultKind::ForcedCut);
            self.cut(false);
        }
        let unit = AccessUnit {
            track: 0,
            dts: MediaTime::from_millis(self.time),
            composition: MediaTime::from_millis((self.composition)(self.number)),
            random_access: key && !self.recovery_points,
            payload: Bytes::from(vec![0; self.picture_bytes]),
        };
        self.open.push((true, unit));
    }

    fn cut(&mut self, at_entry: bool) {
        let units = std::mem::take(&mut self.open);
        let tracks: Vec<(bool, Track)> = [(true, &self.video), (false, &self.audio)]
            .into_iter()
            .filter(|(video, _)| units.iter().any(|(is_video, _)| is_video == video))
            .filter_map(|(video, codec)| {
                Some((
                    video,
                    Track {
                        codec: codec.clone()?,
                    },
                ))
            })
            .collect();
        let segment = Segment {
            events: Vec::new(),
            units: units
                .into_iter()
                .filter_map(|(video, unit)| {
                    let track = tracks.iter().position(|(is_video, _)| *is_video == video)?;
                    Some(AccessUnit { track, ..unit })
                })
                .collect(),
            tracks: tracks
                .into_iter()
                .map(|(_, track)| track)
                .collect::<Arc<[Track]>>(),
            start: MediaTime::from_millis(self.open_start),
            duration: MediaTime::from_millis(self.time - self.open_start),
            date: SystemTime::UNIX_EPOCH,
            independent: !self.forced && !self.recovery_points,
            discontinuity: self.open_start == 0,
            captions: Captions::NONE,
            ts: TsLayout::default(),
        };
        self.forced = !at_entry;
        self.open_start = self.time;
        self.doctor.segment(&segment, self.now());
    }
}

fn wrapped(ms: i64) -> u32 {
    // The sender's clock began at 2^32 - 5 000: it wraps in every script.
    u32::try_from((ms - 5_000).rem_euclid(1 << 32)).expect("32 bits")
}
