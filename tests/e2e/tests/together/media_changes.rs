//! Encoders whose tracks come, go and change, and whose GOPs are of every kind.

use std::time::Duration;

use e2e::clip::{AUDIO, Audio, Clip, VIDEO, Video};
use e2e::scenario::{ALL_LISTED, Outcome, SHORT_RESUME, at_once, play};
use e2e::scripted::{Kind, Material, Unit};

fn usual() -> Material {
    Material::of(&Clip::usual(8))
}

fn with_gop(rate: &'static str, gop: u32, seconds: u32) -> Material {
    let video = Video {
        rate,
        gop: Some(gop),
        ..VIDEO
    };
    Material::of(&Clip {
        seconds,
        video: Some(video),
        ..Clip::usual(8)
    })
}

/// Between these media times, in milliseconds, `kind` is not sent.
fn without(
    kind: Kind,
    from_ms: u128,
    to_ms: u128,
    all_ms: u64,
) -> impl Iterator<Item = Unit> + Send {
    usual().play(all_ms).filter(move |unit| {
        !(unit.kind == kind && unit.is_media() && (from_ms..to_ms).contains(&unit.at.as_millis()))
    })
}

#[test]
fn sound_that_begins_seconds_after_the_picture() {
    let outcome = at_once(without(Kind::Audio, 0, 4_000, 12_000));
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(1);
}

/// Sound that was alone is heard on when the picture joins it: ffmpeg reads all segments as one stream.
#[test]
fn pictures_that_begin_seconds_after_the_sound() {
    let outcome = at_once(without(Kind::Video, 0, 4_000, 12_000));
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(1);
}

#[test]
fn sound_that_stops_and_comes_back_or_does_not() {
    let outcome = at_once(without(Kind::Audio, 5_000, 30_000, 16_000));
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(1);
    let outcome = at_once(without(Kind::Audio, 5_000, 11_000, 16_000));
    outcome.assert_faults("audio_resync", 1..=1);
    outcome.assert_nothing_lost().assert_discontinuities(2);
}

#[test]
fn pictures_that_stop_and_come_back_or_do_not() {
    for (to_ms, breaks) in [(11_000, 2), (30_000, 1)] {
        let outcome = at_once(without(Kind::Video, 5_000, to_ms, 16_000));
        outcome.assert_faultless().assert_nothing_lost();
        outcome.assert_discontinuities(breaks);
    }
}

/// `first` for 6 s, then `second`, which goes on by the same clock.
fn changes_to(first: &Clip, second: &Clip) -> Outcome {
    let first = Material::of(first).play(6_000);
    at_once(first.chain(Material::of(second).part(6_000, 12_000)))
}

#[test]
fn a_resolution_or_profile_that_changes() {
    for (size, profile) in [("640x360", "high"), ("320x180", "main")] {
        let video = Video {
            size,
            profile,
            ..VIDEO
        };
        let second = Clip {
            video: Some(video),
            ..Clip::usual(8)
        };
        let outcome = changes_to(&Clip::usual(8), &second);
        outcome.assert_faultless().assert_discontinuities(1);
        outcome.assert_nothing_lost();
    }
}

#[test]
fn aac_whose_rate_or_channels_change() {
    for (sample_rate, channels) in [(44_100, 2), (48_000, 1)] {
        let audio = Audio {
            sample_rate,
            channels,
            ..AUDIO
        };
        let second = Clip {
            audio: Some(audio),
            ..Clip::usual(8)
        };
        let outcome = changes_to(&Clip::usual(8), &second);
        outcome.assert_faultless().assert_discontinuities(1);
        outcome.assert_nothing_lost();
    }
}

#[test]
fn headers_that_are_repeated_every_second_change_nothing() {
    let material = usual();
    let headers = material.headers();
    let script = material.play(12_000).flat_map(move |unit| {
        let mut units = Vec::new();
        if unit.is_random_access() {
            let ms = unit.timestamp_ms;
            units.extend(headers.iter().map(|header| header.clone().timed(ms)));
        }
        units.push(unit);
        units
    });
    let outcome = at_once(script);
    outcome.assert_faultless().assert_discontinuities(0);
    outcome.assert_nothing_lost();
}

#[test]
fn headers_that_are_missing_at_first() {
    let material = usual();
    let headers = material.headers();
    let script = material.units().flat_map(move |unit| {
        let mut units = vec![unit];
        if units[0].is_random_access() && units[0].at.as_secs() == 3 {
            let ms = units[0].timestamp_ms;
            units.splice(0..0, headers.iter().map(|header| header.clone().timed(ms)));
        }
        units
    });
    let script = script.take_while(|unit| unit.timestamp_ms < 10_000);
    let outcome = at_once(script);
    outcome.assert_faults("early_media", 1..);
    outcome.assert_lost_only(..3_000).assert_discontinuities(0);
}

#[test]
fn no_key_frame_for_a_minute() {
    let outcome = at_once(with_gop("25", 1_500, 60).play(70_000));
    outcome.assert_faults("forced_cut", 1..);
    outcome.assert_nothing_lost().assert_discontinuities(0);
}

#[test]
fn gops_of_every_length() {
    // pictures a second, pictures in a GOP, seconds
    for (rate, gop, seconds) in [("25", 1, 8), ("25", 250, 20), ("1", 2, 24), ("120", 240, 8)] {
        let material = with_gop(rate, gop, seconds);
        let outcome = at_once(material.play(u64::from(seconds) * 1_500));
        outcome.assert_faultless().assert_nothing_lost();
        outcome.assert_discontinuities(0);
        assert!(outcome.independent, "cuts fall at key frames");
    }
}

#[test]
fn gops_whose_length_varies() {
    // The first segments say how long others may be: the longest GOP comes first.
    let gops = [100, 5, 25, 10, 50, 25];
    let mut script = with_gop("25", 100, 8).headers();
    let mut from = 0;
    for gop in gops {
        // Each begins with a random access.
        let units = with_gop("25", gop, 8).units();
        let units = units.skip_while(|unit| unit.at.as_millis() < from);
        script.extend(units.take_while(|unit| unit.at.as_millis() < from + 4_000));
        from += 4_000;
    }
    let outcome = at_once(script);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
    assert!(outcome.independent, "cuts fall at key frames");
}

#[test]
fn access_units_without_a_byte() {
    // No body, no payload, no NAL unit; and the same of sound.
    let video = [
        &[][..],
        &[0x27, 1, 0, 0, 0],
        &[0x27, 1, 0, 0, 0, 0, 0, 0, 0],
    ];
    let audio = [&[][..], &[0xaf], &[0xaf, 1]];
    let script = usual().play(10_000).flat_map(move |unit| {
        let mut units = vec![unit];
        if units[0].at.as_millis() % 1_000 < 20 && units[0].is_media() {
            let empty = match units[0].kind {
                Kind::Video => video,
                _ => audio,
            };
            for body in empty {
                units.push(units[0].clone().shifted(1).with_body(body));
            }
        }
        units
    });
    let outcome = at_once(script);
    let lost = outcome.delivery.lost.iter();
    assert!(lost.clone().all(|one| one.dts_ms % 1_000 < 22), "{lost:?}");
    assert_eq!(lost.count(), 3 * (10 + 9), "all of them");
    // Each is said, but for those without a body: RTMP itself drops them.
    outcome.assert_faults("malformed_message", 2 * (10 + 9)..=2 * (10 + 9));
    outcome.assert_discontinuities(0);
}

/// An SEI message of 5 MB: user data, which decoders pass over (H.264 §D.1.7).
#[test]
fn an_access_unit_of_five_megabytes() {
    const BYTES: usize = 5_000_000;
    let mut sei = vec![6, 5];
    sei.extend(vec![0xff; BYTES / 255]);
    sei.push(u8::try_from(BYTES % 255).unwrap());
    sei.resize(sei.len() + BYTES, 0xa5);
    sei.push(0x80);
    let script = usual().play(8_000).map(move |unit| {
        if unit.is_random_access() && unit.at.as_secs() == 4 {
            let (head, slices) = unit.body.split_at(5);
            let length = u32::try_from(sei.len()).unwrap().to_be_bytes();
            let body = [head, &length, &sei, slices].concat();
            unit.with_body(body)
        } else {
            unit
        }
    });
    let outcome = at_once(script);
    outcome.assert_faultless().assert_nothing_lost();
}

#[test]
fn sound_alone_for_twenty_minutes() {
    let clip = Clip {
        video: None,
        ..Clip::usual(8)
    };
    let outcome = at_once(Material::of(&clip).play(1_200_000));
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
}

/// Live for 4 s, silent for 5 s, then all of that at once, and live again.
#[test]
fn a_burst_after_a_stall_of_five_seconds_loses_nothing() {
    let stall = Duration::from_secs(4)..Duration::from_secs(9);
    let script = usual().play(14_000).map(move |unit| {
        if stall.contains(&unit.at) {
            unit.due(stall.end)
        } else {
            unit
        }
    });
    // The burst is longer than the playlist.
    let environment = [
        SHORT_RESUME,
        ("FOREBAY__HLS__SEGMENT", "1s"),
        ("FOREBAY__HLS__WINDOW", "3"),
    ];
    let outcome = play(script, &environment);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
}

/// So fast that a window of six would be over before a lazy player looks again.
#[test]
fn a_publish_eight_times_as_fast_as_real_time() {
    let script = usual().play(64_000).map(|unit| {
        let at = unit.at / 8;
        unit.due(at)
    });
    let outcome = play(script, &[SHORT_RESUME]);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
}

#[test]
fn a_publish_slower_than_real_time() {
    let script = usual().play(8_000).map(|unit| {
        let at = unit.at * 3 / 2;
        unit.due(at)
    });
    let outcome = play(script, &[SHORT_RESUME, ALL_LISTED]);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
}
