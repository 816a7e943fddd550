//! Bodies of audio and video messages as Enhanced RTMP v2 has them, also those that no encoder sends yet: several
//! tracks in a message, of one codec or of several, and ModEx prefixes.
//!
//! What a track's body holds is the caller's affair; of coded frames of avc1 and hvc1 that is composition time first.

use crate::scripted::Kind;

/// VideoPacketType or AudioPacketType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A decoder configuration record.
    SequenceStart,
    /// An access unit.
    CodedFrames,
    /// The end of a track.
    SequenceEnd,
    /// A picture without composition time.
    CodedFramesX,
    /// colorInfo of pictures.
    Metadata,
    /// Channels of sound.
    MultichannelConfig,
}

/// A track's share of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// trackId.
    pub id: u8,
    /// The codec.
    pub four_cc: [u8; 4],
    /// What the message holds for it.
    pub body: Vec<u8>,
}

/// What all of a message shares.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Pictures or sound.
    pub kind: Kind,
    /// FrameType of pictures: 1 key, 2 inter. Ignored for sound.
    pub frame_type: u8,
    /// What the bodies are.
    pub packet: Packet,
}

impl Header {
    /// A message without a track id.
    pub fn plain(self, four_cc: [u8; 4], body: &[u8]) -> Vec<u8> {
        [&[self.first(self.packet_type())][..], &four_cc, body].concat()
    }

    /// Multitrack, OneTrack: all that encoders send of it.
    pub fn one_track(self, track: &Track) -> Vec<u8> {
        let start = self.multitrack(0);
        [&start[..], &track.four_cc, &[track.id], &track.body].concat()
    }

    /// Multitrack, ManyTracks: of the codec of the first.
    ///
    /// # Panics
    /// There are none.
    pub fn many_tracks(self, tracks: &[Track]) -> Vec<u8> {
        let mut message = self.multitrack(1).to_vec();
        message.extend_from_slice(&tracks[0].four_cc);
        for track in tracks {
            track.sized(&mut message);
        }
        message
    }

    /// Multitrack, ManyTracksManyCodecs.
    pub fn many_codecs(self, tracks: &[Track]) -> Vec<u8> {
        let mut message = self.multitrack(2).to_vec();
        for track in tracks {
            message.extend_from_slice(&track.four_cc);
            track.sized(&mut message);
        }
        message
    }

    fn multitrack(self, form: u8) -> [u8; 2] {
        let multitrack = if self.kind == Kind::Video { 6 } else { 5 };
        [self.first(multitrack), form << 4 | self.packet_type()]
    }

    fn first(self, packet_type: u8) -> u8 {
        match self.kind {
            Kind::Video => 0x80 | self.frame_type << 4 | packet_type,
            _ => 0x90 | packet_type,
        }
    }

    fn packet_type(self) -> u8 {
        match self.packet {
            Packet::SequenceStart => 0,
            Packet::CodedFrames => 1,
            Packet::SequenceEnd => 2,
            Packet::CodedFramesX => 3,
            Packet::Metadata | Packet::MultichannelConfig => 4,
        }
    }
}

impl Track {
    fn sized(&self, message: &mut Vec<u8>) {
        let size = u32::try_from(self.body.len()).expect("a message of 16 MiB at most");
        message.push(self.id);
        message.extend_from_slice(&size.to_be_bytes()[1..]);
        message.extend_from_slice(&self.body);
    }
}

/// `message` behind a ModEx prefix; the last one that is added comes first.
///
/// # Panics
/// There is no message, or there are not 1 to 65 536 bytes of `data`.
pub fn with_mod_ex(message: &[u8], mod_ex_type: u8, data: &[u8]) -> Vec<u8> {
    let size = u16::try_from(data.len() - 1).expect("65 536 bytes at most");
    let (first, rest) = message.split_first().expect("a message");
    let mut prefixed = vec![first & 0xf0 | 7];
    match u8::try_from(size) {
        Ok(short @ 0..=254) => prefixed.push(short),
        _ => {
            prefixed.push(255);
            prefixed.extend_from_slice(&size.to_be_bytes());
        }
    }
    prefixed.extend_from_slice(data);
    prefixed.push(mod_ex_type << 4 | first & 0x0f);
    prefixed.extend_from_slice(rest);
    prefixed
}

/// `message`, so many nanoseconds later than its timestamp says.
pub fn with_nanos(message: &[u8], nanos: u32) -> Vec<u8> {
    with_mod_ex(message, 0, &nanos.to_be_bytes()[1..])
}
