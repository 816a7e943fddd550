//! A segment and a part say which caption services are in their own pictures.

use media::{CaptionService, Captions};

use super::*;
use crate::captions::tests::{RESUME, picture};

/// 6 s of which the picture at 2.52 s has captions.
fn captioned(cutter: Cutter) -> Bench {
    let mut bench = Bench::new();
    bench.cutter = cutter;
    bench.pictures(0, 2_520, 25);
    bench.push(Arrival {
        codec: Arc::clone(&bench.video),
        dts: ms(2_520),
        composition: MediaTime::ZERO,
        entry: Entry::None,
        payload: picture(&[RESUME]).into(),
    });
    for n in 64..150 {
        bench.picture(ms(n * 40), n % 25 == 0);
    }
    bench.finish();
    bench
}

fn cc1() -> Captions {
    [CaptionService::Cc1].into_iter().collect()
}

#[test]
fn of_a_segment() {
    let bench = captioned(Cutter::new(Settings::default()));
    let captions: Vec<_> = bench.segments.iter().map(|it| it.captions).collect();
    assert_eq!(captions, [Captions::NONE, cc1(), Captions::NONE]);
}

#[test]
fn of_a_part() {
    let bench = captioned(Cutter::in_parts(Settings::default(), ms(200)));
    let parts = || bench.parted.iter().flatten();
    assert!(parts().count() > 20);
    for part in parts() {
        let has_it = part.units.iter().any(|unit| unit.dts == ms(2_520));
        let expected = if has_it { cc1() } else { Captions::NONE };
        assert_eq!(part.captions, expected, "{:?}", part.start);
    }
    assert_eq!(parts().filter(|part| !part.captions.is_empty()).count(), 1);
}
