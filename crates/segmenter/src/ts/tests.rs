//! Segments written, and read back by the mpeg2ts crate.

mod events;
mod read;
mod segments;

use std::collections::BTreeMap;

use media::{Codec, MediaTime, Segment};
use proptest::prelude::*;

use self::read::{Stream, read};
pub(super) use self::segments::{aac, ac3, eac3, h264, h265, mp3};
use self::segments::{any_segments, audio_only, film, prefixed, steady, unit, vp9};
use super::*;

/// 27 MHz ticks in a millisecond.
const MS: u64 = 27_000;
const PCR_LEAD: u64 = 300 * MS;
const PCR_INTERVAL: u64 = 40 * MS;

/// The segments one behind the other, each laid out and then written.
fn transport_stream(segments: &mut [Segment]) -> Vec<u8> {
    let mut counters = Counters::default();
    let mut stream = Vec::new();
    for segment in segments {
        segment.ts = counters.lay_out(segment);
        let bytes = mux(segment);
        assert_eq!(bytes.len() as u64, segment.ts.bytes);
        stream.extend_from_slice(&bytes);
    }
    stream
}

/// PCRs rise, at most 40 ms apart.
fn assert_clock(name: &str, stream: &Stream) {
    let clocks: Vec<u64> = stream.clocks.iter().map(|&(_, clock)| clock).collect();
    assert!(!clocks.is_empty(), "{name}");
    for pair in clocks.windows(2) {
        assert!(pair[0] < pair[1], "{name}: the clock goes back at {pair:?}");
        let step = pair[1] - pair[0];
        assert!(step <= PCR_INTERVAL, "{name}: {} ms apart", step / MS);
    }
}

/// No PCR is later than the DTS of a PES packet behind it, and the last one is not much earlier.
fn assert_clock_keeps_pace(stream: &Stream) {
    let mut latest = BTreeMap::new();
    for &(at, clock) in &stream.clocks {
        latest.insert(at, clock);
    }
    for pes in stream.tracks.values().flatten() {
        if let Some((_, &clock)) = latest.range(..=pes.packet).next_back() {
            let lead = (pes.dts * 300).checked_sub(clock);
            let lead = lead.unwrap_or_else(|| panic!("packet {} is late", pes.packet));
            assert!(lead <= PCR_LEAD + PCR_INTERVAL, "packet {}", pes.packet);
        }
    }
}

fn ticks(time: MediaTime) -> u64 {
    u64::try_from(time.rescale(90_000) + 900_000).expect("a time above -10 s")
}

/// What a decoder should get of a track, made the plain way.
fn elementary(segments: &[Segment], track: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for segment in segments {
        for unit in segment.units.iter().filter(|unit| unit.track == track) {
            match &segment.tracks[track].codec {
                Codec::H264(config) => {
                    bytes.extend_from_slice(&[0, 0, 0, 1, 9, 0xf0]);
                    if unit.random_access {
                        for set in config.sps.iter().chain(&config.pps) {
                            bytes.extend_from_slice(&[0, 0, 0, 1]);
                            bytes.extend_from_slice(set);
                        }
                    }
                    let mut rest = &unit.payload[..];
                    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
                        let length = u32::from_be_bytes(*length) as usize;
                        bytes.extend_from_slice(&[0, 0, 1]);
                        bytes.extend_from_slice(&behind[..length]);
                        rest = &behind[length..];
                    }
                }
                Codec::Aac(_) => {
                    // 48 kHz stereo LC, 13 bits of length, 11 of buffer fullness.
                    let length = u32::try_from(unit.payload.len() + 7).expect("short");
                    let [_, a, b, c] = ((length << 5) | 0x1f).to_be_bytes();
                    bytes.extend_from_slice(&[0xff, 0xf1, 0x4c, 0x80 | a, b, c, 0xfc]);
                    bytes.extend_from_slice(&unit.payload);
                }
                Codec::Mp3(_) | Codec::Ac3(_) | Codec::Eac3(_) => {
                    bytes.extend_from_slice(&unit.payload)
                }
                other => panic!("{} is not made here", other.name()),
            }
        }
    }
    bytes
}

#[test]
fn everything_comes_back_bit_exact_and_at_its_time() {
    let mut segments = film(3, 30_000, 1_001);
    let stream = read(&transport_stream(&mut segments));

    let video = &stream.tracks[&0x100];
    let units: Vec<_> = segments
        .iter()
        .flat_map(|segment| &segment.units)
        .filter(|unit| unit.track == 0)
        .collect();
    assert_eq!(video.len(), units.len());
    for (pes, unit) in video.iter().zip(units) {
        assert_eq!(
            (pes.pts, pes.dts, pes.random_access),
            (ticks(unit.pts()), ticks(unit.dts), unit.random_access)
        );
    }
    for (pid, track) in [(0x100, 0), (0x101, 1)] {
        let read: Vec<u8> = stream.tracks[&pid]
            .iter()
            .flat_map(|pes| pes.data.clone())
            .collect();
        assert!(
            read == elementary(&segments, track),
            "track {track} differs"
        );
    }
    // No frame is more than 1 ms from where the first of its PES packet puts it.
    let audio = &stream.tracks[&0x101];
    assert_eq!(audio[0].pts, 900_000);
    assert!(audio.iter().all(|pes| pes.pts == pes.dts));
    assert_clock("29.97 fps", &stream);
    assert_clock_keeps_pace(&stream);
}

#[test]
fn ac_3_and_e_ac_3_come_back_as_they_are() {
    for track in [ac3(), eac3()] {
        let mut segments = audio_only(3, &track);
        let bytes = transport_stream(&mut segments);
        let stream = read(&bytes);
        let audio = &stream.tracks[&0x101];
        let read: Vec<u8> = audio.iter().flat_map(|pes| pes.data.clone()).collect();
        assert!(read == elementary(&segments, 0), "{}", track.codec.name());
        // Private stream 1.
        let first = audio[0].packet * TsPacket::SIZE;
        let packet = &bytes[first..first + TsPacket::SIZE];
        assert!(packet.windows(4).any(|it| it == [0, 0, 1, 0xbd]));
    }
}

#[test]
fn a_segment_begins_with_pat_pmt_and_a_clock_at_its_idr_picture() {
    let mut segments = film(2, 25, 1);
    transport_stream(&mut segments);
    for segment in &segments {
        let stream = read(&mux(segment));
        assert_eq!(stream.pids[..3], [0, 0x1000, 0x100]);
        assert_eq!(stream.pids.iter().filter(|&&pid| pid == 0).count(), 1);
        assert_eq!(stream.pids.iter().filter(|&&pid| pid == 0x1000).count(), 1);
        assert_eq!(stream.clocks[0].0, 2);
        let first = &stream.tracks[&0x100][0];
        assert!(first.random_access);
        assert_eq!(
            (first.packet, stream.clocks[0].1),
            (2, first.dts * 300 - PCR_LEAD)
        );
    }
}

#[test]
fn the_clock_comes_every_40_ms_at_every_picture_rate() {
    let rates = [
        (60, 1),
        (30, 1),
        (25, 1),
        (24_000, 1_001),
        (15, 1),
        (5, 1),
        (1, 1),
    ];
    for (rate, per) in rates {
        let mut segments = film(3, rate, per);
        let stream = read(&transport_stream(&mut segments));
        assert_clock(&format!("{rate}/{per} fps"), &stream);
        assert_clock_keeps_pace(&stream);
    }
    for track in [aac(), mp3(0xfb), ac3(), eac3()] {
        let mut segments = audio_only(3, &track);
        let stream = read(&transport_stream(&mut segments));
        assert_clock("audio only", &stream);
        assert_clock_keeps_pace(&stream);
        // None of them needed a packet of its own.
        assert_eq!(stream.empty, 0);
    }
}

#[test]
fn the_clock_does_not_pass_a_segment_whose_first_picture_is_composed_otherwise() {
    // Cut in the middle of a GOP: presented 120 ms after it is decoded, where the IDR before it took 80 ms.
    let ms = MediaTime::from_millis;
    let pictures = |from: i64, compositions: &[i64]| {
        let mut dts = from;
        let mut units = Vec::new();
        for &composition in compositions {
            let mut unit = unit(0, ms(dts), prefixed(&[&[0x41, 1, 2, 3]]));
            unit.composition = ms(composition);
            units.push(unit);
            dts += 42;
        }
        units
    };
    let cases: [(&[i64], i64); 4] = [
        (&[80, 120, 40, 0], 120),
        (&[80, 120, 40, 0], 0),
        (&[120, 40, 0], 80),
        (&[80, 80], 80),
    ];
    for (first, second) in cases {
        let end = i64::try_from(first.len()).expect("few") * 42;
        let mut segments = [
            steady(vec![h264()], pictures(0, first)),
            steady(vec![h264()], pictures(end, &[second, 40, 0])),
        ];
        segments[0].duration = segments[1].units[0].pts() - segments[0].units[0].pts();
        let stream = read(&transport_stream(&mut segments));
        for pair in stream.clocks.windows(2) {
            assert!(pair[0].1 < pair[1].1, "{first:?}, then {second}");
            assert!(pair[1].1 - pair[0].1 <= 42 * MS, "at most a picture");
        }
        assert_clock_keeps_pace(&stream);
    }
}

#[test]
fn the_clock_goes_on_when_the_last_picture_of_a_segment_lasts_longer() {
    let pictures = |times: &[i64]| {
        let picture = prefixed(&[&[0x65, 1, 2, 3]]);
        let pictures = times
            .iter()
            .map(|&dts| unit(0, MediaTime::from_millis(dts), picture.clone()));
        steady(vec![h264()], pictures.collect())
    };
    let mut segments = [pictures(&[0, 40, 80]), pictures(&[580, 620])];
    segments[0].duration = MediaTime::from_millis(580);
    assert_clock("a stall", &read(&transport_stream(&mut segments)));
}

#[test]
fn late_audio_is_sent_where_it_belongs() {
    let ms = MediaTime::from_millis;
    let picture = prefixed(&[&[0x65, 1, 2, 3]]);
    let mut units: Vec<_> = (0..50)
        .map(|n| unit(0, ms(n * 40), picture.clone()))
        .collect();
    units.extend((0..80).map(|n| unit(1, MediaTime::from_ticks(n * 1024, 48_000), vec![7; 300])));
    let mut segments = [steady(vec![h264(), aac()], units)];
    let stream = read(&transport_stream(&mut segments));
    assert_clock_keeps_pace(&stream);
    let audio = stream.tracks[&0x101].first().expect("audio").packet;
    assert!(audio < 10, "the first audio is packet {audio}");
}

#[test]
fn at_most_4_percent_over_the_elementary_payload() {
    let cases = [
        ("30 fps, 3 Mbit/s, AAC 128 kbit/s", film(10, 30, 1), 0.04),
        ("AAC 128 kbit/s", audio_only(10, &aac()), 0.12),
    ];
    for (name, mut segments, most) in cases {
        let stream = transport_stream(&mut segments);
        let payload: u64 = segments.iter().map(Segment::payload_bytes).sum();
        let overhead = stream.len() as f64 / payload as f64 - 1.0;
        println!("{name}: {:.2} % over the payload", overhead * 100.0);
        assert!(overhead <= most, "{name}: {overhead}");
        assert!(!read(&stream).pids.contains(&0x1fff), "null packets");
    }
}

#[test]
fn hours_between_two_pictures_are_not_filled() {
    let picture = prefixed(&[&[0x65, 1, 2, 3]]);
    let hours = MediaTime::from_millis(5 * 3_600_000);
    let units = vec![
        unit(0, MediaTime::ZERO, picture.clone()),
        unit(0, hours, picture),
    ];
    let mut segments = [steady(vec![h264()], units)];
    segments[0].duration = hours + hours;
    assert_eq!(read(&transport_stream(&mut segments)).empty, 2 * 299);
}

#[test]
fn what_cannot_be_carried_is_left_out() {
    let ms = MediaTime::from_millis;
    let units = vec![
        unit(0, ms(0), prefixed(&[&[0x65, 1]])),
        unit(1, ms(0), vec![1; 9_000]),
        unit(1, ms(21), vec![]),
        unit(1, ms(43), vec![2; 100]),
        unit(0, ms(40), vec![]),
        unit(0, ms(80), vec![0, 0, 0, 9, 0x41]),
        unit(0, ms(120), prefixed(&[&[12, 0xff]])),
        unit(9, ms(160), prefixed(&[&[0x41]])),
    ];
    let mut segments = [steady(vec![h264(), aac()], units)];
    let stream = read(&transport_stream(&mut segments));
    assert_eq!(stream.tracks[&0x100].len(), 1);
    assert_eq!(stream.tracks[&0x101].len(), 1);
    assert_clock("one picture", &stream);
}

#[test]
fn a_segment_that_does_not_belong_here_is_empty_tables() {
    let ms = MediaTime::from_millis;
    let units = vec![
        unit(0, ms(0), vec![0x82, 0x49]),
        unit(1, ms(0), vec![1; 100]),
    ];
    let mut segments = [steady(vec![vp9(), aac()], units)];
    let stream = read(&transport_stream(&mut segments));
    assert_eq!(stream.pids, [0, 0x1000]);
    assert_eq!(stream.tracks.values().flatten().count(), 0);
}

#[test]
fn a_layout_that_is_not_the_segments_own_does_no_harm() {
    let mut segments = film(1, 25, 1);
    transport_stream(&mut segments);
    let right = mux(&segments[0]);
    segments[0].ts = TsLayout {
        pat: 0xff,
        pmt: 0xff,
        tracks: Vec::new(),
        bytes: u64::MAX >> 40,
        ..TsLayout::default()
    };
    assert_eq!(mux(&segments[0]).len(), right.len());
}

/// The range of a key picture behind the tables of its segment is that picture, whole and alone.
fn assert_key_picture(segment: &Segment) -> bool {
    let body = mux(segment);
    let Some(ByteRange { offset, bytes }) = segment.ts.key_picture else {
        return false;
    };
    let part = |range: std::ops::Range<u64>| {
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("64 bits"));
        body.slice(start..end)
    };
    let alone = [part(0..TsLayout::TABLES), part(offset..offset + bytes)].concat();
    let (alone, whole) = (read(&alone), read(&body));
    let pictures: Vec<_> = alone.tracks.values().flatten().collect();
    assert_eq!(pictures.len(), 1);
    assert!(pictures[0].random_access);
    assert_eq!(pictures[0].data, whole.tracks[&0x100][0].data);
    true
}

#[test]
fn the_key_picture_of_a_segment_can_be_taken_out_of_it() {
    let mut segments = film(2, 25, 1);
    transport_stream(&mut segments);
    for segment in &segments {
        assert!(assert_key_picture(segment));
    }
    let mut dependent = film(1, 25, 1);
    dependent[0].independent = false;
    transport_stream(&mut dependent);
    assert_eq!(dependent[0].ts.key_picture, None);
    let ms = MediaTime::from_millis;
    let recovery_point = prefixed(&[&[6, 6, 1, 0xc4, 0x80], &[0x41, 1]]);
    let mut refreshed = [steady(vec![h264()], vec![unit(0, ms(0), recovery_point)])];
    transport_stream(&mut refreshed);
    assert_eq!(refreshed[0].ts.key_picture, None);
    let mut sound = [steady(vec![aac()], vec![unit(0, ms(0), vec![1; 100])])];
    transport_stream(&mut sound);
    assert_eq!(sound[0].ts.key_picture, None);
}

proptest! {
    #[test]
    fn lengths_and_counters_hold_for_any_segments(mut segments in any_segments()) {
        // `read` checks every counter, table and PES length over all segments.
        let stream = read(&transport_stream(&mut segments));
        for pair in stream.clocks.windows(2) {
            let same_segment = !(pair[0].0..=pair[1].0).any(|at| stream.pids[at] == 0);
            prop_assert!(!same_segment || pair[0].1 < pair[1].1);
        }
        for segment in &segments {
            assert_key_picture(segment);
        }
    }
}
