//! Codec configurations that change.

use super::*;

#[test]
fn a_new_video_configuration_cuts_at_its_random_access() {
    let mut bench = Bench::new();
    bench.pictures(0, 1_000, 25);
    bench.video = h264(0x81);
    bench.picture(ms(1_000), false);
    bench.pictures(1_040, 2_000, 25);
    bench.finish();
    assert_eq!(bench.shown(), ["0.000s+1.040s I v", "1.040s+0.960s ID v"]);
    assert_eq!(bench.kinds(), [FaultKind::EarlyMedia]);
    assert_ne!(bench.segments[0].tracks, bench.segments[1].tracks);
}

#[test]
fn a_new_audio_configuration_waits_for_the_next_random_access() {
    let mut bench = Bench::new();
    bench.programme(0, 1_000, 50);
    bench.audio = aac(AAC_44100);
    bench.sound(ms(1_010));
    bench.picture(ms(1_040), false);
    bench.sound(ms(1_083));
    bench.picture(ms(1_240), true);
    bench.sound(ms(1_240));
    bench.finish();
    assert_eq!(bench.shown(), ["0.000s+1.240s I va", "1.240s+0.080s ID va"]);
    // What was heard just before the picture stays, as at the start of a publish.
    assert_eq!(bench.segments[1].units.len(), 3);
    assert_eq!(bench.kinds(), [FaultKind::EarlyMedia]);

    let mut bench = Bench::new();
    bench.sounds(0, 3_000);
    bench.audio = aac(AAC_44100);
    bench.sounds(3_008, 4_000);
    bench.finish();
    assert_eq!(
        bench.shown(),
        [
            "0.000s+2.005s I a",
            "2.005s+1.003s I a",
            "3.008s+1.005s ID a"
        ]
    );
}

#[test]
fn without_a_random_access_a_new_audio_configuration_begins_at_the_picture_beside_it() {
    let mut bench = Bench::new();
    bench.cutter.limit(ms(2_499));
    bench.programme(0, 1_000, 1_000);
    bench.audio = aac(AAC_44100);
    for at in (1_000..3_000).step_by(40) {
        bench.picture(ms(at), false);
        bench.sound(ms(at + 5));
    }
    bench.finish();
    assert_eq!(
        bench.shown()[..2],
        ["0.000s+1.040s I va", "1.040s+1.960s D va"]
    );
    assert_eq!(bench.kinds(), [FaultKind::ForcedCut]);
}

#[test]
fn audio_that_changes_when_video_has_ended_goes_on_alone() {
    let mut bench = Bench::new();
    bench.programme(0, 1_000, 50);
    bench.audio = aac(AAC_44100);
    bench.sounds(1_010, 6_000);
    bench.finish();
    assert_eq!(
        bench.shown()[..2],
        ["0.000s+1.010s I va", "1.010s+2.005s ID a"]
    );
    assert_eq!(bench.kinds(), []);
}
