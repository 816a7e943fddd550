//! Acts a script out: steps to messages, messages to bytes, in the order an encoder would send them.

use crate::chunks::{self, Chunker, Message};
use crate::flv;
use crate::house::House;
use crate::script::{Amf, Command, Configuration, Content, Ids, Key, Script, Step, Tracks, Wire};

/// Messages of one script: some minutes of media.
const MOST_MESSAGES: usize = 4_000;
/// Messages that wait until they are sent together.
const BATCH: usize = 48;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
/// An AAC frame at 48 kHz, in microseconds.
const FRAME_US: u64 = 21_333;

/// Small chunks one after the other: how commands travel.
const PLAIN: Wire = Wire {
    chunk_size: 128,
    headers: 0,
    interleaved: 0,
    ids: Ids::OneByte,
    slice: 0,
    joined: 0,
};

pub(crate) struct Encoder<'a> {
    steps: &'a [Step],
    house: House,
    chunker: Chunker,
    wire: Wire,
    pending: Vec<Message>,
    damage: Vec<(u16, u8)>,
    messages: usize,
    video_ms: u32,
    audio_ms: u32,
    audio_us: u64,
    /// Media since the last publish command: an encoder that only publishes is not this one.
    media_since: bool,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(script: &'a Script) -> Self {
        Self {
            steps: &script.steps,
            house: House::new(&script.settings),
            chunker: Chunker::new(),
            wire: PLAIN,
            pending: Vec::new(),
            damage: Vec::new(),
            messages: 0,
            video_ms: 0,
            audio_ms: 0,
            audio_us: 0,
            media_since: false,
        }
    }

    pub(crate) fn play(mut self) {
        self.connect();
        for step in self.steps {
            if self.messages > MOST_MESSAGES {
                break;
            }
            self.take(step);
            if self.pending.len() >= BATCH {
                self.flush();
            }
        }
        self.flush();
        self.house.disconnect();
    }

    fn take(&mut self, step: &Step) {
        match step {
            &Step::Film {
                pictures,
                gap_ms,
                gop,
                reorder,
                sound,
            } => {
                for n in 0..pictures {
                    let key = if n % gop.max(1) == 0 {
                        Key::Idr
                    } else {
                        Key::None
                    };
                    let late = if reorder {
                        [2, 4, 1][usize::from(n % 3)]
                    } else {
                        0
                    };
                    let bytes = if key == Key::Idr { 900 } else { 60 };
                    self.picture(key, late * i32::from(gap_ms), &Content::Bytes(bytes));
                    self.video_ms = self.video_ms.wrapping_add(gap_ms.into());
                    if sound {
                        self.sounds_up_to(self.video_ms);
                    }
                    if self.pending.len() >= BATCH {
                        self.flush();
                    }
                }
            }
            Step::Sounds { frames } => (0..*frames).for_each(|_| self.frame(12)),
            Step::Picture {
                gap_ms,
                key,
                composition_ms,
                content,
            } => {
                self.video_ms = self.video_ms.wrapping_add((*gap_ms).into());
                self.picture(*key, (*composition_ms).into(), content);
            }
            Step::Composed { composition_ms } => {
                self.video_ms = self.video_ms.wrapping_add(40);
                self.picture(Key::None, *composition_ms, &Content::Bytes(9));
            }
            Step::Sound { gap_ms, bytes } => {
                self.audio_ms = self.audio_ms.wrapping_add((*gap_ms).into());
                self.frame(*bytes);
            }
            Step::Configure(which) => self.configure(*which),
            Step::Jump { tracks, by_ms } => {
                let by = by_ms.cast_unsigned();
                if *tracks != Tracks::Audio {
                    self.video_ms = self.video_ms.wrapping_add(by);
                }
                if *tracks != Tracks::Video {
                    self.audio_ms = self.audio_ms.wrapping_add(by);
                }
            }
            Step::Raw {
                kind,
                stream,
                timestamp_ms,
                body,
            } => {
                let stream = u32::from(*stream % 4);
                // What does not concern the protocol changes nothing of what else arrives.
                let media = matches!(*kind, AUDIO | VIDEO) && stream == 1;
                if !(media || matches!(kind, 15 | 18 | 23..)) {
                    self.house.expect_anything();
                }
                self.push(*kind, stream, *timestamp_ms, body.clone());
            }
            Step::Command {
                name,
                stream,
                values,
            } => {
                self.house.expect_anything();
                self.any_command(*name, u32::from(*stream % 4), values);
            }
            Step::Wire(wire) => {
                self.flush();
                let mut out = Vec::new();
                self.chunker
                    .resize(u32::from(wire.chunk_size).max(1), &mut out);
                self.send(&out);
                self.wire = wire.clone();
            }
            Step::Damage { at, byte } => {
                self.house.expect_anything();
                self.damage.push((*at, *byte));
            }
            Step::Wait { ms } => self.house.wait(*ms),
            Step::Republish => {
                self.flush();
                if std::mem::take(&mut self.media_since) {
                    self.command(0, "FCUnpublish", &[Amf::Null, Amf::Name]);
                    self.command(0, "deleteStream", &[Amf::Null, Amf::Number(1.0)]);
                    self.publish();
                }
            }
            Step::Reconnect => {
                self.flush();
                self.house.disconnect();
                self.connect();
            }
        }
    }

    fn connect(&mut self) {
        self.house.connect();
        self.chunker = Chunker::new();
        self.wire = PLAIN;
        self.send(&[&[3][..], &[0; 2 * 1536]].concat());
        let app = ("app".to_owned(), Amf::Text("live".to_owned()));
        self.command(0, "connect", &[Amf::Object(vec![app])]);
        self.publish();
    }

    fn publish(&mut self) {
        self.command(0, "createStream", &[Amf::Null]);
        self.command(1, "publish", &[Amf::Null, Amf::Name]);
        self.configure(Configuration::Baseline);
        self.configure(Configuration::Aac48);
    }

    fn configure(&mut self, which: Configuration) {
        let (video, body) = flv::configuration(which);
        if video {
            self.push(VIDEO, 1, self.video_ms, body);
        } else {
            self.push(AUDIO, 1, self.audio_ms, body);
        }
    }

    fn picture(&mut self, key: Key, composition_ms: i32, content: &Content) {
        let number = u32::try_from(self.messages).unwrap_or(u32::MAX);
        let body = flv::picture(key, composition_ms, content, number);
        self.push(VIDEO, 1, self.video_ms, body);
    }

    /// One frame, and on to the time of the next.
    fn frame(&mut self, bytes: u8) {
        let number = u32::try_from(self.messages).unwrap_or(u32::MAX);
        self.push(AUDIO, 1, self.audio_ms, flv::sound(bytes, number));
        let before_ms = self.audio_us / 1_000;
        self.audio_us += FRAME_US;
        let gap = u32::try_from(self.audio_us / 1_000 - before_ms).unwrap_or(0);
        self.audio_ms = self.audio_ms.wrapping_add(gap);
    }

    fn sounds_up_to(&mut self, at_ms: u32) {
        for _ in 0..50 {
            if at_ms.wrapping_sub(self.audio_ms).cast_signed() <= 0 {
                break;
            }
            self.frame(12);
        }
    }

    fn push(&mut self, kind: u8, stream: u32, timestamp_ms: u32, body: Vec<u8>) {
        self.messages += 1;
        self.media_since |= matches!(kind, AUDIO | VIDEO) && !body.is_empty();
        self.pending.push(Message {
            kind,
            stream,
            timestamp_ms,
            body,
        });
    }

    fn any_command(&mut self, name: Command, stream: u32, values: &[Amf]) {
        let name = match name {
            Command::Connect => "connect",
            Command::CreateStream => "createStream",
            Command::Publish => "publish",
            Command::DeleteStream => "deleteStream",
            Command::CloseStream => "closeStream",
            Command::FcUnpublish => "FCUnpublish",
            Command::SetDataFrame => {
                let mut body = Vec::new();
                Amf::Text("@setDataFrame".to_owned()).write(&mut body);
                Amf::Text("onMetaData".to_owned()).write(&mut body);
                values.iter().for_each(|value| value.write(&mut body));
                return self.push(18, stream, 0, body);
            }
            Command::Ping => return self.push(4, 0, 0, vec![0, 6, 0, 0, 0, 1]),
            Command::Unknown => "whatever",
        };
        self.command(stream, name, values);
    }

    fn command(&mut self, stream: u32, name: &str, values: &[Amf]) {
        let mut body = Vec::new();
        Amf::Text(name.to_owned()).write(&mut body);
        Amf::Number(2.0).write(&mut body);
        values.iter().for_each(|value| value.write(&mut body));
        self.flush();
        self.messages += 1;
        let message = Message {
            kind: 20,
            stream,
            timestamp_ms: 0,
            body,
        };
        let mut out = Vec::new();
        self.chunker.write(&[message], &PLAIN, &mut out);
        self.send(&out);
    }

    /// Sends what has gathered.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let joined = usize::from(self.wire.joined % 8);
        let messages: Vec<Message> = if joined > 1 {
            pending
                .chunk_by(|a, b| a.stream == b.stream && is_media(a) && is_media(b))
                .flat_map(|alike| alike.chunks(joined))
                .map(|parts| match parts {
                    [single] => single.clone(),
                    parts => chunks::aggregate(parts),
                })
                .collect()
        } else {
            pending.clone()
        };
        let mut out = Vec::new();
        let complete = self.chunker.write(&messages, &self.wire, &mut out);
        if joined > 1 {
            // In the order of sending within each aggregate; aggregates may overtake each other.
            self.house.expect_in_any_order(pending);
        } else {
            if complete != pending {
                self.house.expect_overtaking();
            }
            self.house.expect(complete);
        }
        self.send(&out);
        self.house.expect_nothing_more();
    }

    fn send(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        for (at, byte) in self.damage.drain(..) {
            if let Some(there) = bytes.get_mut(usize::from(at)) {
                *there = byte;
            }
        }
        let slice = match self.wire.slice {
            0 => bytes.len().max(1),
            slice => slice.into(),
        };
        for piece in bytes.chunks(slice) {
            self.house.receive(piece);
        }
    }
}

fn is_media(message: &Message) -> bool {
    matches!(message.kind, AUDIO | VIDEO)
}
