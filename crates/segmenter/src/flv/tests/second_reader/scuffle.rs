//! What the scuffle-flv crate says of a message, in the words that are compared.
//!
//! Three of its habits are evened out here: it takes the composition time of a legacy picture for unsigned, it gives
//! one FrameType to all tracks of a message, and it hands on offsets of a millisecond and more.

use bytes::Bytes;
use media::TrackKind;
use scuffle_flv::audio::body::AudioTagBody;
use scuffle_flv::audio::body::enhanced::{AudioPacket, ExAudioTagBody};
use scuffle_flv::audio::body::legacy::LegacyAudioTagBody;
use scuffle_flv::audio::body::legacy::aac::AacAudioData;
use scuffle_flv::audio::header::AudioTagHeader;
use scuffle_flv::audio::header::enhanced::{AudioPacketModEx, ExAudioTagHeaderContent};
use scuffle_flv::audio::header::legacy::SoundFormat;
use scuffle_flv::tag::{FlvTag, FlvTagData};
use scuffle_flv::video::VideoData;
use scuffle_flv::video::body::VideoTagBody;
use scuffle_flv::video::body::enhanced::{
    ExVideoTagBody, VideoPacket, VideoPacketCodedFrames, VideoPacketSequenceStart,
};
use scuffle_flv::video::body::legacy::LegacyVideoTagBody;
use scuffle_flv::video::header::enhanced::{ExVideoTagHeaderContent, VideoPacketModEx};
use scuffle_flv::video::header::legacy::{LegacyVideoTagHeader, LegacyVideoTagHeaderAvcPacket};
use scuffle_flv::video::header::{VideoFrameType, VideoTagHeaderData};

use super::{Reading, Seen};
use crate::flv::body::{FourCc, Packet, signed_24};

/// What scuffle-flv says of the message in a tag. What it hands on as unknown counts as refused.
pub(super) fn theirs(kind: TrackKind, message: &Bytes) -> Reading {
    let tag_type = match kind {
        TrackKind::Video => 9,
        TrackKind::Audio => 8,
    };
    let size = u32::try_from(message.len()).expect("a short message");
    let mut tag = vec![tag_type];
    tag.extend_from_slice(&size.to_be_bytes()[1..]);
    tag.extend_from_slice(&[0; 7]);
    tag.extend_from_slice(message);
    let tag = FlvTag::demux(&mut std::io::Cursor::new(tag.into()));
    match tag.map_err(|error| error.to_string())?.data {
        FlvTagData::Video(video) => of_video(video),
        FlvTagData::Audio(audio) => of_audio(audio.header, audio.body),
        other => panic!("{other:?}"),
    }
}

fn unknown<T>(what: &str) -> Result<T, String> {
    Err(format!("{what} is unknown"))
}

fn frames(composition_ms: i32, data: Bytes) -> Result<(Packet, Option<Bytes>), String> {
    Ok((Packet::CodedFrames { composition_ms }, Some(data)))
}

fn of_video(video: VideoData<'_>) -> Reading {
    let key = video.header.frame_type == VideoFrameType::KeyFrame;
    let header = match video.header.data {
        VideoTagHeaderData::Legacy(header) => return of_legacy_video(key, header, video.body),
        VideoTagHeaderData::Enhanced(header) => header,
    };
    let mut nanos = 0;
    for mod_ex in &header.video_packet_mod_exs {
        if let VideoPacketModEx::TimestampOffsetNano {
            video_timestamp_nano_offset: offset @ ..=999_999,
        } = mod_ex
        {
            nanos = *offset;
        }
    }
    let is_one = matches!(
        header.content,
        ExVideoTagHeaderContent::NoMultiTrack(_) | ExVideoTagHeaderContent::OneTrack(_)
    );
    if matches!(header.content, ExVideoTagHeaderContent::Unknown { .. }) {
        return unknown("the multitrack type");
    }
    let tracks = match video.body {
        VideoTagBody::Enhanced(ExVideoTagBody::Command) => return Ok(Vec::new()),
        VideoTagBody::Enhanced(ExVideoTagBody::NoMultitrack {
            video_four_cc,
            packet,
        }) => vec![(0, video_four_cc, packet)],
        VideoTagBody::Enhanced(ExVideoTagBody::ManyTracks(tracks)) => tracks
            .into_iter()
            .map(|track| (track.video_track_id, track.video_four_cc, track.packet))
            .collect(),
        other @ VideoTagBody::Legacy(_) => panic!("{other:?}"),
    };
    let seen = tracks.into_iter().map(|(track, codec, packet)| {
        let (packet, payload) = match packet {
            VideoPacket::Metadata(_) => (Packet::Metadata, None),
            VideoPacket::SequenceEnd => (Packet::SequenceEnd, None),
            VideoPacket::SequenceStart(VideoPacketSequenceStart::Other(data)) => {
                (Packet::SequenceStart, Some(data))
            }
            VideoPacket::SequenceStart(_) => (Packet::SequenceStart, None),
            VideoPacket::Mpeg2TsSequenceStart(_) => (Packet::Mpeg2TsSequenceStart, None),
            VideoPacket::CodedFrames(
                VideoPacketCodedFrames::Avc {
                    composition_time_offset,
                    data,
                }
                | VideoPacketCodedFrames::Hevc {
                    composition_time_offset,
                    data,
                },
            ) => frames(composition_time_offset, data)?,
            VideoPacket::CodedFrames(VideoPacketCodedFrames::Other(data))
            | VideoPacket::CodedFramesX { data } => frames(0, data)?,
            VideoPacket::Unknown { .. } => return unknown("the packet type"),
        };
        Ok(Seen {
            track,
            codec: codec.0,
            packet,
            key: key && is_one,
            nanos,
            payload,
        })
    });
    seen.collect()
}

fn of_legacy_video(key: bool, header: LegacyVideoTagHeader, body: VideoTagBody<'_>) -> Reading {
    let packet = match header {
        LegacyVideoTagHeader::VideoCommand(_) => return Ok(Vec::new()),
        LegacyVideoTagHeader::AvcPacket(packet) => packet,
        LegacyVideoTagHeader::Other { .. } => return unknown("the codec"),
    };
    let VideoTagBody::Legacy(body) = body else {
        panic!("{body:?}");
    };
    let (packet, payload) = match (packet, body) {
        (LegacyVideoTagHeaderAvcPacket::SequenceHeader, _) => (Packet::SequenceStart, None),
        (
            LegacyVideoTagHeaderAvcPacket::Nalu {
                composition_time_offset,
            },
            LegacyVideoTagBody::Other { data },
        ) => {
            let [_, a, b, c] = composition_time_offset.to_be_bytes();
            frames(signed_24([a, b, c]), data)?
        }
        (LegacyVideoTagHeaderAvcPacket::EndOfSequence, _) => return Ok(Vec::new()),
        _ => return unknown("the AVC packet type"),
    };
    Ok(vec![Seen {
        track: 0,
        codec: FourCc::AVC.0,
        packet,
        key,
        nanos: 0,
        payload,
    }])
}

fn of_audio(header: AudioTagHeader, body: AudioTagBody) -> Reading {
    let (header, body) = match (header, body) {
        (AudioTagHeader::Legacy(header), AudioTagBody::Legacy(body)) => {
            return of_legacy_audio(header.sound_format, body);
        }
        (AudioTagHeader::Enhanced(header), AudioTagBody::Enhanced(body)) => (header, body),
        other => panic!("{other:?}"),
    };
    let mut nanos = 0;
    for mod_ex in &header.audio_packet_mod_exs {
        if let AudioPacketModEx::TimestampOffsetNano {
            audio_timestamp_nano_offset: offset @ ..=999_999,
        } = mod_ex
        {
            nanos = *offset;
        }
    }
    if matches!(header.content, ExAudioTagHeaderContent::Unknown { .. }) {
        return unknown("the multitrack type");
    }
    let tracks = match body {
        ExAudioTagBody::NoMultitrack {
            audio_four_cc,
            packet,
        } => vec![(0, audio_four_cc, packet)],
        ExAudioTagBody::ManyTracks(tracks) => tracks
            .into_iter()
            .map(|track| (track.audio_track_id, track.audio_four_cc, track.packet))
            .collect(),
    };
    let seen = tracks.into_iter().map(|(track, codec, packet)| {
        let (packet, payload) = match packet {
            AudioPacket::MultichannelConfig { .. } => (Packet::MultichannelConfig, None),
            AudioPacket::SequenceEnd => (Packet::SequenceEnd, None),
            AudioPacket::SequenceStart { header_data } => {
                (Packet::SequenceStart, Some(header_data))
            }
            AudioPacket::CodedFrames { data } => frames(0, data)?,
            AudioPacket::Unknown { .. } => return unknown("the packet type"),
        };
        Ok(Seen {
            track,
            codec: codec.0,
            packet,
            key: false,
            nanos,
            payload,
        })
    });
    seen.collect()
}

fn of_legacy_audio(format: SoundFormat, body: LegacyAudioTagBody) -> Reading {
    let (codec, (packet, payload)) = match (format, body) {
        (SoundFormat::Mp3 | SoundFormat::Mp38Khz, LegacyAudioTagBody::Other { sound_data }) => {
            (FourCc::MP3, frames(0, sound_data)?)
        }
        (_, LegacyAudioTagBody::Aac(AacAudioData::SequenceHeader(data))) => {
            (FourCc::AAC, (Packet::SequenceStart, Some(data)))
        }
        (_, LegacyAudioTagBody::Aac(AacAudioData::Raw(data))) => (FourCc::AAC, frames(0, data)?),
        _ => return unknown("the sound format or packet type"),
    };
    Ok(vec![Seen {
        track: 0,
        codec: codec.0,
        packet,
        key: false,
        nanos: 0,
        payload,
    }])
}
