//! The two tables at the head of every segment: program association and program map
//! (ISO/IEC 13818-1 §2.4.4). The sections are the mpeg2ts crate's; the packets around them are ours.

use media::{Codec, Track, leading_track};
use mpeg2ts::es::StreamType;
use mpeg2ts::ts::payload::{Pat, Pmt};
use mpeg2ts::ts::{
    ContinuityCounter, Descriptor, EsInfo, Pid, ProgramAssociation, TransportScramblingControl,
    TsHeader, TsPacket, TsPacketWriter, TsPayload, VersionNumber, WriteTsPacket,
};

use super::{MAX_TRACKS, PMT_PID, places, track_pid};

const PROGRAM: u16 = 1;
/// The table in a packet that the crate wrote begins behind 4 bytes of header and an adaptation field.
const HEADER: usize = 4;

/// The packet with the program association table.
pub(super) fn pat(counter: u8) -> [u8; TsPacket::SIZE] {
    let table = TsPayload::Pat(Pat {
        transport_stream_id: 1,
        version_number: VersionNumber::default(),
        table: vec![ProgramAssociation {
            program_num: PROGRAM,
            program_map_pid: pid(PMT_PID),
        }],
    });
    packet(Pid::PAT, counter, table)
}

/// The packet with the program map table: exactly those of `tracks` that belong in MPEG-TS, the leading one with the
/// clock, and timed metadata on the PID `metadata`.
pub(super) fn pmt(tracks: &[Track], metadata: Option<u16>, counter: u8) -> [u8; TsPacket::SIZE] {
    let types = tracks.iter().take(MAX_TRACKS);
    let listed: Vec<(StreamType, usize)> = types
        .zip(places(tracks))
        .filter_map(|(track, place)| Some((stream_type(&track.codec)?, place)))
        .collect();
    // Nothing is told beside nothing.
    let metadata = metadata.filter(|_| !listed.is_empty());
    let version = version(listed.iter().map(|&(stream_type, _)| stream_type), metadata);
    let leading = places(tracks).nth(leading_track(tracks));
    let table = TsPayload::Pmt(Pmt {
        program_num: PROGRAM,
        pcr_pid: leading.map(|place| pid(track_pid(place))),
        version_number: version,
        program_info: metadata
            .map(|_| METADATA_POINTER)
            .into_iter()
            .map(descriptor)
            .collect(),
        es_info: listed
            .into_iter()
            .map(|(stream_type, place)| EsInfo {
                stream_type,
                elementary_pid: pid(track_pid(place)),
                descriptors: registration(stream_type).into_iter().collect(),
            })
            .chain(metadata.map(|on| EsInfo {
                stream_type: StreamType::PacketizedMetadata,
                elementary_pid: pid(on),
                descriptors: vec![descriptor(METADATA)],
            }))
            .collect(),
    });
    packet(PMT_PID, counter, table)
}

/// `None` for what does not belong in MPEG-TS ([`Codec::fits_ts`]).
const fn stream_type(codec: &Codec) -> Option<StreamType> {
    match codec {
        Codec::H264(_) => Some(StreamType::H264),
        Codec::H265(_) => Some(StreamType::H265),
        Codec::Aac(_) => Some(StreamType::AdtsAac),
        Codec::Mp3(mp3) if mp3.mpeg1 => Some(StreamType::Mpeg1Audio),
        Codec::Mp3(_) => Some(StreamType::Mpeg2HalvedSampleRateAudio),
        // As ATSC has them (A/52 annex A), and after it HLS.
        Codec::Ac3(_) => Some(StreamType::DolbyDigitalUpToSixChannelAudio),
        Codec::Eac3(_) => Some(StreamType::DolbyDigitalPlusUpTo16ChannelAudioForAtsc),
        Codec::Av1(_) | Codec::Vp9(_) | Codec::Opus(_) | Codec::Flac(_) => None,
    }
}

/// Who defined a stream type that ISO/IEC 13818-1 leaves to others (§2.6.8).
fn registration(stream_type: StreamType) -> Option<Descriptor> {
    const TAG: u8 = 5;
    let identifier = match stream_type {
        StreamType::DolbyDigitalUpToSixChannelAudio => b"AC-3",
        StreamType::DolbyDigitalPlusUpTo16ChannelAudioForAtsc => b"EAC3",
        _ => return None,
    };
    Some(Descriptor {
        tag: TAG,
        data: identifier.to_vec(),
    })
}

/// That the program has ID3 tags (metadata_pointer_descriptor, ISO/IEC 13818-1 §2.6.58), as Apple's "Timed Metadata for
/// HTTP Live Streaming" has it: format and application format are told by the identifier `ID3 `, in this program.
const METADATA_POINTER: (u8, &[u8]) = (0x25, b"\xff\xffID3 \xffID3 \0\x1f\0\x01");
/// That the elementary stream is those (metadata_descriptor, §2.6.60): no decoder configuration.
const METADATA: (u8, &[u8]) = (0x26, b"\xff\xffID3 \xffID3 \0\x0f");

fn descriptor((tag, data): (u8, &[u8])) -> Descriptor {
    Descriptor {
        tag,
        data: data.to_vec(),
    }
}

/// Other tracks, another version: told by the tracks alone, so that a segment needs to know nothing of the
/// one before it. All sets of up to two tracks, which is what FLV can carry, have versions of their own (but that H.265
/// with E-AC-3 has that of H.264 with AAC), and others with timed metadata.
fn version(types: impl Iterator<Item = StreamType>, metadata: Option<u16>) -> VersionNumber {
    const WITH_METADATA: u8 = 0x10;
    let digest = types.fold(0_u8, |digest, stream_type| {
        let digit = match stream_type {
            StreamType::H264 => 1,
            StreamType::AdtsAac => 2,
            StreamType::Mpeg1Audio => 3,
            StreamType::Mpeg2HalvedSampleRateAudio => 4,
            StreamType::DolbyDigitalUpToSixChannelAudio => 5,
            StreamType::H265 => 7,
            _ => 6,
        };
        digest.wrapping_mul(10).wrapping_add(digit)
    });
    let digest = digest ^ metadata.map_or(0, |_| WITH_METADATA);
    VersionNumber::from_u8(digest & VersionNumber::MAX).unwrap_or_default()
}

/// One packet with `table` in the usual form, stuffed behind the section: the crate stuffs ahead of it by
/// an adaptation field, which is as legal, but which simple demultiplexers have never met.
fn packet(on: u16, counter: u8, table: TsPayload) -> [u8; TsPacket::SIZE] {
    let packet = TsPacket {
        header: TsHeader {
            transport_error_indicator: false,
            transport_priority: false,
            pid: pid(on),
            transport_scrambling_control: TransportScramblingControl::NotScrambled,
            continuity_counter: ContinuityCounter::from_u8(counter & 0xf).unwrap_or_default(),
        },
        adaptation_field: None,
        payload: Some(table),
    };
    let mut writer = TsPacketWriter::new(Vec::with_capacity(TsPacket::SIZE));
    writer
        .write_ts_packet(&packet)
        .expect("a table of at most MAX_TRACKS tracks should fit one packet");
    let written = writer.into_stream();

    let mut packet = [0xff; TsPacket::SIZE];
    if let Some((header, [length, behind @ ..])) = written.split_at_checked(HEADER)
        && let Some(section) = behind.get(usize::from(*length)..)
    {
        const PAYLOAD_ONLY: u8 = 0x10;
        let bytes = header.iter().chain(section);
        packet
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, &byte)| *to = byte);
        if let Some(control) = packet.get_mut(3) {
            *control = PAYLOAD_ONLY | (counter & 0xf);
        }
    }
    packet
}

fn pid(value: u16) -> Pid {
    Pid::new(value).expect("13 bits should hold the PIDs of this file's constants")
}

#[cfg(test)]
mod tests {
    use mpeg2ts::ts::{ReadTsPacket, TsPacketReader};

    use super::*;
    use crate::ts::tests::{aac, ac3, eac3, h264, h265, mp3};

    fn read_pmt(packet: &[u8]) -> Pmt {
        // The reader knows a PMT by the PAT before it.
        let stream = [&pat(3)[..], packet].concat();
        let mut reader = TsPacketReader::new(stream.as_slice());
        reader.read_ts_packet().expect("a PAT").expect("a packet");
        let packet = reader.read_ts_packet().expect("a PMT with a right CRC");
        match packet.and_then(|packet| packet.payload) {
            Some(TsPayload::Pmt(pmt)) => pmt,
            other => panic!("not a PMT: {other:?}"),
        }
    }

    #[test]
    fn the_pat_byte_for_byte() {
        let mut expected = vec![0x47, 0x40, 0x00, 0x1b, 0, 0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0];
        expected.extend_from_slice(&[0, 1, 0xf0, 0x00, 0x2a, 0xb1, 0x04, 0xb2]);
        expected.resize(TsPacket::SIZE, 0xff);
        assert_eq!(pat(11).as_slice(), expected);
    }

    #[test]
    fn the_pmt_lists_the_tracks_and_no_more() {
        let cases: [(&str, &[Track], Option<u16>, &[u8]); 12] = [
            (
                "video and AAC",
                &[h264(), aac()],
                Some(0x100),
                &[0x1b, 0x0f],
            ),
            (
                "AAC and video",
                &[aac(), h264()],
                Some(0x100),
                &[0x0f, 0x1b],
            ),
            ("H.265", &[h265()], Some(0x100), &[0x24]),
            (
                "H.265 and AAC",
                &[h265(), aac()],
                Some(0x100),
                &[0x24, 0x0f],
            ),
            ("MP3", &[mp3(0xfb)], Some(0x101), &[0x03]),
            ("MP3 at half the rate", &[mp3(0xf3)], Some(0x101), &[0x04]),
            ("AC-3", &[ac3()], Some(0x101), &[0x81]),
            ("E-AC-3", &[eac3()], Some(0x101), &[0x87]),
            (
                "video and AC-3",
                &[h264(), ac3()],
                Some(0x100),
                &[0x1b, 0x81],
            ),
            (
                "video and E-AC-3",
                &[h264(), eac3()],
                Some(0x100),
                &[0x1b, 0x87],
            ),
            ("video", &[h264()], Some(0x100), &[0x1b]),
            ("nothing", &[], None, &[]),
        ];
        let mut versions = Vec::new();
        for (name, tracks, clock, types) in &cases {
            let pmt = read_pmt(&pmt(tracks, None, 5));
            assert_eq!(pmt.pcr_pid.map(|pid| pid.as_u16()), *clock, "{name}");
            let listed: Vec<_> = pmt.es_info.iter().map(|es| es.stream_type as u8).collect();
            assert_eq!(listed, *types, "{name}");
            versions.push(pmt.version_number);
        }
        versions.sort_unstable_by_key(|version| version.as_u8());
        versions.dedup();
        assert_eq!(
            versions.len(),
            cases.len(),
            "every set of tracks has its own version"
        );
    }

    #[test]
    fn timed_metadata_byte_for_byte() {
        let packet = pmt(&[h264(), aac()], Some(0x116), 5);
        let mut expected = vec![
            0x47, 0x50, 0x00, 0x15, 0, 0x02, 0xb0, 0x3c, 0, 1, 0xf9, 0, 0,
        ];
        expected.extend_from_slice(&[0xe1, 0x00, 0xf0, 0x11]);
        expected.extend_from_slice(b"\x25\x0f\xff\xffID3 \xffID3 \0\x1f\0\x01");
        expected.extend_from_slice(&[0x1b, 0xe1, 0x00, 0xf0, 0, 0x0f, 0xe1, 0x01, 0xf0, 0]);
        expected.extend_from_slice(&[0x15, 0xe1, 0x16, 0xf0, 0x0f]);
        expected.extend_from_slice(b"\x26\x0d\xff\xffID3 \xffID3 \0\x0f");
        assert_eq!(packet[..expected.len()], expected);
        // The CRC is right, and the version another than without.
        let version = |packet: &[u8]| read_pmt(packet).version_number;
        assert_ne!(version(&packet), version(&pmt(&[h264(), aac()], None, 5)));
        assert!(read_pmt(&pmt(&[], Some(0x116), 5)).es_info.is_empty());
    }

    #[test]
    fn as_many_tracks_as_fit_and_no_panic_beyond() {
        // With the longest entries.
        let tracks = vec![eac3(); MAX_TRACKS + 3];
        let metadata = 2 * u16::try_from(MAX_TRACKS).expect("few") + 0x100;
        let mut pmt = read_pmt(&pmt(&tracks, Some(metadata), 0));
        assert_eq!(pmt.es_info.len(), MAX_TRACKS + 1);
        let last = pmt.es_info.pop().expect("timed metadata");
        assert_eq!(last.elementary_pid.as_u16(), metadata);
        for es in pmt.es_info {
            let descriptors: Vec<_> = es
                .descriptors
                .iter()
                .map(|it| (it.tag, &it.data[..]))
                .collect();
            assert_eq!(descriptors, [(5, &b"EAC3"[..])]);
        }
    }
}
