//! Where each codec has its configuration from, in the bytes that encoders send.

use media::codec::{Colour, VideoRange};

use super::*;
use crate::flv::tests::tracks::{faults, nothing, unit};

const VIDEO: MessageKind = MessageKind::Video;
const AUDIO: MessageKind = MessageKind::Audio;

/// x265, Main, 640×360.
const HVCC: &str = "01016000000090000000000 03FF000FCFDF8F800000F03 200001001840010C01FFFF0160000003009000000300\
                    00 03003F959409 21 0001002B42010101600000030090000003000003003FA00502 0171F2E5959529 30BC05A020\
                    000003002000000303 21 22000100064401C073C189";
/// libaom, 640×360.
const AV1C: &str = "81010C00 0A0C0200000D2627FB3805F00080";
const OPUS_HEAD: &str = "4F70757348656164 01 02 3801 80BB0000 0000 00";

#[test]
fn ffmpeg_9_sends_hevc() {
    let mut demuxer = Demuxer::new();
    nothing(&mut demuxer, VIDEO, &format!("90 68766331 {HVCC}"));
    let idr = unit(&mut demuxer, VIDEO, "91 68766331 000050 00000003 280180");
    assert_eq!(
        (idr.codec.name(), idr.entry, idr.composition_ms),
        ("H.265", Entry::RandomAccess, 80)
    );
    // What x265 sends at its defaults ever after.
    let cra = unit(&mut demuxer, VIDEO, "93 68766331 00000003 2A0180");
    assert_eq!(cra.entry, Entry::RecoveryPoint);
    // Cameras send the same as codec 12.
    let mut demuxer = Demuxer::new();
    nothing(&mut demuxer, VIDEO, &format!("1C 00 000000 {HVCC}"));
    let old = unit(&mut demuxer, VIDEO, "1C 01 000050 00000003 280180");
    assert_eq!((&*old.codec, old.composition_ms), (&*idr.codec, 80));
}

#[test]
fn ffmpeg_9_sends_av1_with_an_empty_configuration_first_and_temporal_delimiters() {
    let mut demuxer = Demuxer::new();
    nothing(&mut demuxer, VIDEO, "90 61763031");
    nothing(&mut demuxer, VIDEO, &format!("90 61763031 {AV1C}"));
    nothing(&mut demuxer, VIDEO, "90 61763031");
    let key = unit(&mut demuxer, VIDEO, "91 61763031 1200 0A0100 320110");
    assert_eq!((key.codec.name(), key.entry), ("AV1", Entry::RandomAccess));
    assert_eq!(key.payload[..], hex("0A0100 320110")[..]);
    let inter = unit(&mut demuxer, VIDEO, "A1 61763031 320130");
    assert_eq!(inter.entry, Entry::None);
    assert!(Arc::ptr_eq(&key.codec, &inter.codec));
    assert_eq!(
        faults(&mut demuxer, VIDEO, "A1 61763031 1200"),
        ["a message of video has an access unit of 0 bytes; dropped"]
    );
}

#[test]
fn vp9_has_its_size_from_key_frames() {
    let mut demuxer = Demuxer::new();
    // FFmpeg 9 sends vpcC whole, with version and flags.
    nothing(&mut demuxer, VIDEO, "90 76703039 01000000 0015820202020000");
    let inter = "A1 76703039 860040929C";
    assert_eq!(
        faults(&mut demuxer, VIDEO, inter),
        [
            "video came before its configuration (VP9 sequence header and key frame); dropped until it comes"
        ]
    );
    nothing(&mut demuxer, VIDEO, inter);
    let key = unit(&mut demuxer, VIDEO, "91 76703039 8249834200 27F0167606");
    assert_eq!(key.codec.size(), Some((640, 360)));
    assert_eq!(key.entry, Entry::RandomAccess);
    let inter = unit(&mut demuxer, VIDEO, inter);
    let again = unit(&mut demuxer, VIDEO, "91 76703039 8249834200 27F0167606");
    assert!(Arc::ptr_eq(&key.codec, &inter.codec) && Arc::ptr_eq(&key.codec, &again.codec));
    let smaller = unit(&mut demuxer, VIDEO, "91 76703039 8249834200 13F00B3606");
    assert_eq!(smaller.codec.size(), Some((320, 180)));
    assert_eq!(
        faults(&mut demuxer, VIDEO, "91 76703039 82"),
        [
            "a message of video was dropped: the VP9 frame header cannot be read: VP9 uncompressed header truncated"
        ]
    );
}

#[test]
fn opus_has_its_packet_duration_from_packets_and_its_channels_from_whatever_says_them() {
    let channels = |demuxer: &mut Demuxer| {
        let unit = unit(demuxer, AUDIO, "91 4F707573 FC7E");
        assert_eq!(unit.codec.samples_per_unit(), Some((960, 48_000)));
        unit.codec.channels()
    };
    let mut demuxer = Demuxer::new();
    nothing(&mut demuxer, AUDIO, &format!("90 4F707573 {OPUS_HEAD}"));
    nothing(&mut demuxer, AUDIO, "94 4F707573 01 02 00000003");
    let long = unit(&mut demuxer, AUDIO, "91 4F707573 FF03");
    assert_eq!(long.codec.samples_per_unit(), Some((2_880, 48_000)));
    assert_eq!(channels(&mut demuxer), Some(2));
    // A header goes before what MultichannelConfig says.
    nothing(&mut demuxer, AUDIO, "94 4F707573 01 06 0000003F");
    assert_eq!(channels(&mut demuxer), Some(2));

    let mut without_header = Demuxer::new();
    nothing(&mut without_header, AUDIO, "90 4F707573");
    nothing(&mut without_header, AUDIO, "94 4F707573 01 01 00000004");
    assert_eq!(channels(&mut without_header), Some(1));
    assert_eq!(
        faults(&mut without_header, AUDIO, "94 4F707573 01 06 0000003F"),
        [
            "unusable configuration of audio: Opus without OpusHead has channels 6, which this gateway does not carry"
        ]
    );
    assert_eq!(
        faults(&mut without_header, AUDIO, "91 4F707573 FC7E"),
        ["audio came before its configuration (Opus sequence header); dropped until it comes"]
    );

    let mut legacy = Demuxer::new();
    let unit = unit(&mut legacy, AUDIO, "DF FC7E");
    assert_eq!(
        (unit.codec.name(), unit.codec.channels()),
        ("Opus", Some(2))
    );
}

#[test]
fn flac_and_what_is_configured_by_each_frame() {
    let mut demuxer = Demuxer::new();
    let stream_info = format!("0400 0400 000000 001098 0BB802F0 {}", "00".repeat(20));
    // FFmpeg 9 sends STREAMINFO alone.
    nothing(&mut demuxer, AUDIO, &format!("90 664C6143 {stream_info}"));
    let flac = unit(&mut demuxer, AUDIO, "91 664C6143 FFF8");
    assert_eq!(flac.codec.samples_per_unit(), Some((1_024, 48_000)));
    // … and of AC-3 and E-AC-3 an empty SequenceStart.
    let ac3 = format!("0B77FE95144043E1 {}", "00".repeat(760));
    let eac3 = format!("0B7702FF3F87C000 {}", "00".repeat(1_528));
    for (four_cc, frame, name) in [("61632D33", ac3, "AC-3"), ("65632D33", eac3, "E-AC-3")] {
        nothing(&mut demuxer, AUDIO, &format!("90 {four_cc}"));
        nothing(&mut demuxer, AUDIO, &format!("94 {four_cc} 01 02 00000003"));
        let [one, other] =
            [0, 1].map(|_| unit(&mut demuxer, AUDIO, &format!("91 {four_cc} {frame}")));
        assert_eq!(one.codec.name(), name);
        assert!(Arc::ptr_eq(&one.codec, &other.codec));
        nothing(&mut demuxer, AUDIO, &format!("91 {four_cc}"));
    }
}

/// The first byte is what a reader of AMF0 would find.
fn transfer(packet: &[u8]) -> Option<Colour> {
    let transfer = *packet.first()?;
    (transfer != 0xff).then_some(Colour {
        transfer,
        ..Colour::UNSPECIFIED
    })
}

#[test]
fn colours_said_beside_the_parameter_sets_count_where_those_say_none() {
    let mut demuxer = Demuxer::new().reading_colours(transfer);
    let range = |demuxer: &mut Demuxer, track: u8| {
        let unit = unit(
            demuxer,
            VIDEO,
            &format!("96 03 68766331 {track:02X} 00000003 280180"),
        );
        assert_eq!(unit.track, track);
        unit.codec.video_range().map(VideoRange::name)
    };
    // OBS says them ahead; of another codec they are of a track that never comes.
    nothing(&mut demuxer, VIDEO, "86 04 68766331 01 12");
    nothing(&mut demuxer, VIDEO, "D4 61763031 10");
    for track in [0, 1] {
        nothing(
            &mut demuxer,
            VIDEO,
            &format!("96 00 68766331 {track:02X} {HVCC}"),
        );
    }
    assert_eq!(range(&mut demuxer, 0), Some("SDR"));
    assert_eq!(range(&mut demuxer, 1), Some("HLG"));
    // FFmpeg 9, as a command; not of AV1.
    nothing(&mut demuxer, VIDEO, "D4 68766331 10");
    nothing(&mut demuxer, VIDEO, "D4 61763031 01");
    nothing(&mut demuxer, VIDEO, "D4 68766331 FF");
    assert_eq!(range(&mut demuxer, 0), Some("PQ"));
    assert_eq!(range(&mut demuxer, 1), Some("HLG"));
    // The same header again changes nothing, and what was said is taken back.
    nothing(&mut demuxer, VIDEO, &format!("90 68766331 {HVCC}"));
    assert_eq!(range(&mut demuxer, 0), Some("PQ"));
    nothing(&mut demuxer, VIDEO, "D4 68766331 02");
    assert_eq!(range(&mut demuxer, 0), Some("SDR"));
    assert_eq!(range(&mut demuxer, 1), Some("HLG"));
}
