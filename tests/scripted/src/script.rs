//! What a script consists of. Numbers are as narrow as makes sense, so that most of what a fuzzer tries
//! means something.

use arbitrary::Arbitrary;

/// A gateway's settings, and what one encoder does.
#[derive(Arbitrary, Clone, Debug)]
pub struct Script {
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Settings {
    /// Segment length: 500 ms, and 20 for each.
    pub(crate) segment: u8,
    /// Segments in the playlist, modulo 8, and 1.
    pub(crate) window: u8,
    /// Bytes of a segment before it is cut for its size, where that is set.
    pub(crate) segment_bytes: Option<u16>,
    /// KiB that removed segments may hold, where that is set.
    pub(crate) removed_kib: Option<u8>,
    /// KiB that listed segments may hold, where that is set.
    pub(crate) listed_kib: Option<u16>,
}

/// One thing an encoder does.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) enum Step {
    /// Ordinary media: pictures with a key frame every `gop`, and perhaps sound.
    Film {
        pictures: u8,
        gap_ms: u8,
        gop: u8,
        reorder: bool,
        sound: bool,
    },
    /// Sound alone.
    Sounds { frames: u8 },
    /// One picture.
    Picture {
        gap_ms: u16,
        key: Key,
        composition_ms: i16,
        content: Content,
    },
    /// A composition time of the whole 24 bits.
    Composed { composition_ms: i32 },
    /// One audio frame, so many milliseconds after the last.
    Sound { gap_ms: u16, bytes: u8 },
    /// A codec configuration.
    Configure(Configuration),
    /// The sender's clock jumps.
    Jump { tracks: Tracks, by_ms: i32 },
    /// Any message.
    Raw {
        kind: u8,
        stream: u8,
        timestamp_ms: u32,
        body: Vec<u8>,
    },
    /// Any command.
    Command {
        name: Command,
        stream: u8,
        values: Vec<Amf>,
    },
    /// How messages travel from here on.
    Wire(Wire),
    /// One byte of what is sent next changes on the way.
    Damage { at: u16, byte: u8 },
    /// Time passes.
    Wait { ms: u16 },
    /// The publish ends in good order, and another begins on the same connection.
    Republish,
    /// The connection is cut, and there is another.
    Reconnect,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Idr,
    None,
    /// FrameType says a key frame; there is no IDR slice.
    InName,
    /// An IDR slice that FrameType does not announce.
    Hidden,
    RecoveryPoint,
}

#[derive(Arbitrary, Clone, Debug)]
pub(crate) enum Content {
    Bytes(u16),
    Empty,
    /// A NAL unit whose length goes beyond the message.
    TooLong,
    Delimited,
    Anything(Vec<u8>),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Configuration {
    Baseline,
    High,
    OtherPictureParameters,
    NoVideo,
    Aac44,
    Aac48,
    AacMono,
    NoAudio,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    Both,
    Video,
    Audio,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Command {
    Connect,
    CreateStream,
    Publish,
    DeleteStream,
    CloseStream,
    FcUnpublish,
    SetDataFrame,
    Ping,
    Unknown,
}

#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Wire {
    /// Announced with Set Chunk Size; 0 as 1.
    pub(crate) chunk_size: u16,
    /// Which chunk types are tried for a message's first chunk: two bits each, in turn.
    pub(crate) headers: u8,
    /// Messages whose chunks alternate, modulo 8, and 1.
    pub(crate) interleaved: u8,
    /// Which chunk streams.
    pub(crate) ids: Ids,
    /// Bytes that arrive at a time; 0 for all.
    pub(crate) slice: u16,
    /// Messages that are joined in one aggregate, modulo 8; 0 and 1 for none.
    pub(crate) joined: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Ids {
    OneByte,
    TwoBytes,
    ThreeBytes,
}

/// An AMF0 value, or bytes in its place.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) enum Amf {
    Number(f64),
    Boolean(bool),
    Text(String),
    Name,
    Object(Vec<(String, Amf)>),
    EcmaArray(u32, Vec<(String, Amf)>),
    StrictArray(Vec<Amf>),
    Null,
    Undefined,
    Raw(Vec<u8>),
}

impl Amf {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(0);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Self::Boolean(boolean) => out.extend_from_slice(&[1, u8::from(*boolean)]),
            Self::Text(text) => {
                out.push(2);
                write_name(text, out);
            }
            Self::Name => Self::Text("show".to_owned()).write(out),
            Self::Object(properties) => {
                out.push(3);
                write_properties(properties, out);
            }
            Self::EcmaArray(count, properties) => {
                out.push(8);
                out.extend_from_slice(&count.to_be_bytes());
                write_properties(properties, out);
            }
            Self::StrictArray(values) => {
                out.push(10);
                let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&count.to_be_bytes());
                values.iter().for_each(|value| value.write(out));
            }
            Self::Null => out.push(5),
            Self::Undefined => out.push(6),
            Self::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }
}

fn write_properties(properties: &[(String, Amf)], out: &mut Vec<u8>) {
    for (name, value) in properties {
        write_name(name, out);
        value.write(out);
    }
    out.extend_from_slice(&[0, 0, 9]);
}

fn write_name(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}
