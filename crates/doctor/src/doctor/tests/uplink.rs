//! Media that comes late, in bursts, or too fast; and what only looks like it.

use super::*;

#[test]
fn a_long_stall_is_told_while_it_lasts_and_short_ones_from_the_second_on() {
    let mut script = Script::new();
    script.arrives = |time| {
        if (10_000..16_000).contains(&time) {
            16_000
        } else {
            time
        }
    };
    script.run(10);
    let during = script.doctor.advice(Duration::from_secs(15));
    assert_eq!(during.len(), 1, "{during:?}");
    assert_eq!(
        (during[0].kind, during[0].severity, during[0].times),
        (Kind::UplinkStalls, Warning, 1)
    );
    let advice = script.one(Kind::UplinkStalls, 10);
    assert_eq!(advice.times, 1);
    assert!(
        advice.text.starts_with("Nothing arrived for 6.0 s"),
        "{}",
        advice.text
    );
    assert_eq!(script.run(40), []);

    let mut script = Script::new();
    script.arrives = |time| {
        if (time / 1_000 % 20) < 3 {
            time / 20_000 * 20_000 + 3_000
        } else {
            time
        }
    };
    assert_eq!(script.run(30), [], "one short stall");
    assert_eq!(script.kinds(15), [(Kind::UplinkStalls, Warning)]);
}

#[test]
fn an_uplink_that_is_too_slow_is_a_problem_and_network_jitter_is_none() {
    let mut script = Script::new();
    script.arrives = |time| time * 5 / 4;
    let advice = script.one(Kind::UplinkSlow, 40);
    assert_eq!(advice.severity, Problem);
    assert!(
        advice
            .text
            .starts_with("Media arrives slower than it plays: "),
        "{}",
        advice.text
    );

    let mut script = Script::new();
    script.arrives = |time| time * 33 / 32;
    assert_eq!(script.kinds(60), [(Kind::UplinkSlow, Problem)]);

    let mut script = Script::new();
    // A clock that is worse than any.
    script.arrives = |time| time + time / 200;
    assert_eq!(script.run(300), []);

    let mut script = Script::new();
    // 200 ppm slower, in bursts of a second and a half.
    script.arrives = |time| {
        let late = time / 1_500 * 1_500 + 1_500;
        late + late / 5_000
    };
    assert_eq!(script.run(300), []);
}

#[test]
fn a_file_sent_as_fast_as_it_goes_is_told() {
    let mut script = Script::new();
    script.arrives = |time| time / 8;
    let advice = script.one(Kind::FasterThanRealTime, 60);
    assert_eq!(advice.severity, Warning);
    assert!(advice.remedy.contains("-re"), "{}", advice.remedy);

    // What piled up in a stall of ten seconds comes at once.
    let mut script = Script::new();
    script.arrives = |time| {
        if (10_000..20_000).contains(&time) {
            20_000
        } else {
            time
        }
    };
    assert_eq!(script.kinds(30), [(Kind::UplinkStalls, Warning)]);
}

#[test]
fn a_clock_that_is_100_ppm_fast_is_no_haste_however_long_it_takes() {
    let mut doctor = Script::new().doctor;
    let mut haste = |seconds: u32, at: f64| {
        let at = Duration::from_secs_f64(at);
        doctor.arrival(MessageKind::Video, seconds * 1_000, at);
        let mut advice = doctor.advice(at).into_iter();
        advice.any(|advice| advice.kind == Kind::FasterThanRealTime)
    };
    let days = 200_000;
    for n in 0..days {
        assert!(!haste(n, f64::from(n) * 0.9999), "{n} s");
    }
    // What is sent too fast behind that is told soon.
    let from = f64::from(days) * 0.9999;
    assert!((0..60).any(|n| haste(days + n, from + f64::from(n) / 2.0)));
}

/// Media that arrives as it plays, 40 ms of it at a time from both tracks, and whose clock jumps by `jump` after a
/// minute, for good or for one picture; what is said of stalls.
fn jumping(jump: i64, pictures: u64) -> Vec<String> {
    let mut doctor = Script::new().doctor;
    let mut seen = Vec::new();
    for n in 0..3_000_u64 {
        let at = i64::try_from(n * 40).expect("short");
        let jumped = (1_500..1_500 + pictures).contains(&n);
        let sent = at + 100_000 + if jumped { jump } else { 0 };
        let sent = u32::try_from(sent).expect("short");
        let at = Duration::from_millis(n * 40);
        doctor.arrival(MessageKind::Video, sent, at);
        doctor.arrival(MessageKind::Audio, sent - 15, at);
        if n % 25 == 0 {
            let stalls = doctor.advice(at).into_iter();
            let stalls = stalls.filter(|it| it.kind == Kind::UplinkStalls);
            seen.extend(stalls.map(|it| it.text));
            seen.dedup();
        }
    }
    seen
}

#[test]
fn a_clock_that_jumps_is_no_stall() {
    for jump in [
        -100_000, -10_000, -9_990, -5_000, -3_000, -2_000, -500, 5_000, 20_000,
    ] {
        for pictures in [1, 5_000] {
            let said = jumping(jump, pictures);
            assert_eq!(said, Vec::<String>::new(), "{jump} {pictures}");
        }
    }
}

#[test]
fn sound_that_arrives_seconds_behind_slow_pictures_is_neither_stall_nor_haste() {
    let mut doctor = Script::new().doctor;
    for n in 0..15_000_u64 {
        let at = Duration::from_millis(n * 20);
        let sent = u32::try_from(n * 20 + 100_000).expect("short");
        if n % 250 == 0 {
            doctor.arrival(MessageKind::Video, sent, at);
        }
        doctor.arrival(MessageKind::Audio, sent - 6_000, at);
        let advice = doctor.advice(at).into_iter();
        let kinds = [
            Kind::UplinkStalls,
            Kind::UplinkSlow,
            Kind::FasterThanRealTime,
        ];
        let mut advice = advice.filter(|it| kinds.contains(&it.kind));
        assert_eq!(advice.next(), None, "{at:?}");
    }
}
