//! Clocks of encoders that jump, wrap, drift, stand still or step back.

use e2e::clip::{AUDIO, Audio, Clip};
use e2e::scenario::{Outcome, at_once, at_once_but};
use e2e::scripted::{Kind, Material, Sent, Unit};

fn usual() -> Material {
    Material::of(&Clip::usual(8))
}

/// The clock jumps in the middle of a GOP, at 6.5 s.
const JUMP_AT_MS: u128 = 6_500;

fn jumps_by(ms: i64) -> Outcome {
    let script = usual().play(14_000).map(move |unit| {
        if unit.at.as_millis() < JUMP_AT_MS {
            unit
        } else {
            unit.shifted(ms)
        }
    });
    at_once(script)
}

/// What follows waits for the next random access; nothing else is lost.
fn assert_jumped(outcome: &Outcome) {
    outcome.assert_discontinuities(1);
    assert!(
        outcome.faults.contains_key("timestamp_jump"),
        "{:?}",
        outcome.faults
    );
    let lost = &outcome.delivery.lost;
    let half_a_gop = 15 + 25;
    assert!(
        lost.len() <= half_a_gop,
        "{} are lost: {lost:#?}",
        lost.len()
    );
}

#[test]
fn a_clock_that_jumps_forward_by_ten_seconds() {
    assert_jumped(&jumps_by(10_000));
}

#[test]
fn a_clock_that_jumps_back_by_ten_seconds() {
    // It starts at 1 000 s, or it would be before 0.
    let script = usual().play(14_000).map(|unit| {
        let by = if unit.at.as_millis() < JUMP_AT_MS {
            0
        } else {
            -10_000
        };
        unit.shifted(1_000_000 + by)
    });
    assert_jumped(&at_once(script));
}

#[test]
fn a_clock_that_jumps_to_zero() {
    assert_jumped(&jumps_by(-6_500));
}

#[test]
fn clocks_pass_every_wrap_unnoticed() {
    // 2^24: the extended timestamp; 2^31, 2^32: where it is signed, and at its end.
    for wrap in [1_i64 << 24, 1 << 31, 1 << 32] {
        let script = usual()
            .play(10_000)
            .map(move |unit| unit.shifted(wrap - 5_000));
        let outcome = at_once(script);
        outcome.assert_faultless().assert_nothing_lost();
        outcome.assert_discontinuities(0);
    }
}

#[test]
fn the_clock_of_mpeg_ts_wraps_at_33_bits() {
    // Wherever the gateway begins: a minute around the wrap.
    let wrap = (1_i64 << 33) / 90;
    let script = usual()
        .play(40_000)
        .map(move |unit| unit.shifted(wrap - 20_000));
    let outcome = at_once(script);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
    let times = || {
        outcome
            .segments
            .iter()
            .flat_map(|one| e2e::received::units(&one.body))
    };
    let (first, last) = (times().next().unwrap().dts, times().last().unwrap().dts);
    assert!(last < first, "from {first} to {last}");
}

#[test]
fn decode_times_that_repeat_or_step_back_a_little() {
    for (by_ms, count) in [(-40, 10), (-45, 10)] {
        // A picture in each second.
        let script = usual().play(10_000).map(move |unit| {
            let odd =
                unit.kind == Kind::Video && unit.is_media() && unit.at.as_millis() % 1_000 == 480;
            if odd { unit.shifted(by_ms) } else { unit }
        });
        let outcome = at_once(script);
        outcome.assert_faults("timestamp_order", count..=count);
        outcome.assert_nothing_lost().assert_discontinuities(0);
    }
}

fn recomposed(
    change: impl Fn(&Unit, i64) -> i64 + Send + 'static,
    untrue: impl Fn(&Sent) -> bool,
) -> Outcome {
    let script = usual().play(10_000).map(move |unit| {
        if unit.kind == Kind::Video && unit.is_media() {
            let ms = change(&unit, unit.composition_ms());
            unit.composed(ms)
        } else {
            unit
        }
    });
    at_once_but(script, untrue)
}

#[test]
fn composition_times_below_zero_are_kept() {
    // How far pictures are reordered shows only in the first four of them.
    let outcome = recomposed(|_, ms| ms - 120, |sent| sent.dts_ms < 160);
    outcome.assert_faultless().assert_nothing_lost();
    outcome.assert_discontinuities(0);
}

#[test]
fn a_composition_time_that_cannot_be_is_not_believed() {
    for odd in [8_388_607, -8_388_607] {
        let is_odd = |ms: i64| ms == 5_000;
        let change = move |unit: &Unit, ms| if is_odd(unit.timestamp_ms) { odd } else { ms };
        let outcome = recomposed(change, |sent| is_odd(sent.dts_ms));
        outcome.assert_faults("composition_time", 1..=1);
        outcome.assert_nothing_lost().assert_discontinuities(0);
    }
}

/// 1 s in an hour, over five minutes.
#[test]
fn a_clock_of_sound_that_drifts_from_that_of_the_picture() {
    for sign in [-1, 1] {
        let script = usual().play(300_000).map(move |unit| match unit.kind {
            Kind::Audio => {
                let drift = sign * unit.timestamp_ms / 3_600;
                unit.shifted(drift)
            }
            _ => unit,
        });
        let outcome = at_once(script);
        outcome.assert_faultless().assert_nothing_lost();
        outcome.assert_discontinuities(0);
    }
}

/// Less than what is a gap at the first timestamp behind it: it is one once eight have said so.
#[test]
fn a_few_lost_frames_of_sound() {
    for lost_ms in [43, 64, 85] {
        let script = usual().play(10_000).filter(move |unit| {
            let lost = (6_000..6_000 + lost_ms).contains(&unit.at.as_millis());
            !(lost && unit.kind == Kind::Audio && unit.is_media())
        });
        let outcome = at_once_but(script, |sent| {
            sent.kind == Kind::Audio && (6_000..6_300).contains(&sent.dts_ms)
        });
        outcome.assert_faults("audio_resync", 1..=1);
        outcome.assert_nothing_lost().assert_discontinuities(0);
    }
}

#[test]
fn milliseconds_leave_no_gap_and_no_overlap_between_audio_frames() {
    for rate in [44_100, 48_000] {
        let audio = Audio {
            sample_rate: rate,
            ..AUDIO
        };
        let clip = Clip {
            audio: Some(audio),
            ..Clip::usual(8)
        };
        let outcome = at_once(Material::of(&clip).play(120_000));
        outcome.assert_faultless().assert_nothing_lost();
        let times = outcome
            .delivery
            .came
            .iter()
            .filter(|one| one.sent.kind == Kind::Audio);
        let times: Vec<i64> = times.map(|one| one.pts).collect();
        for (at, time) in times.iter().enumerate() {
            let at = i64::try_from(at).unwrap();
            let exact = times[0] + at * 1_024 * 90_000 / i64::from(rate);
            assert!(
                (time - exact).abs() <= 2,
                "frame {at} at {time}, not {exact}"
            );
        }
    }
}
