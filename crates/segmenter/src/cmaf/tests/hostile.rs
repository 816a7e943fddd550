//! Parts that no cutter makes: whatever is in one, there is a fragment, as large as it says and always the same.

use super::*;

const RENDITIONS: [Rendition; 3] = [Rendition::Video, Rendition::Audio, Rendition::Muxed];

/// Each rendition of `part` read back, where there is one.
fn fragments(part: &Part, tracks: &[Track]) -> Vec<MoofBox> {
    let fragment = |rendition| Fragment {
        part,
        tracks,
        rendition,
    };
    let there = RENDITIONS
        .map(fragment)
        .into_iter()
        .filter(|it| it.size().is_some());
    there.map(|fragment| read(&fragment).1).collect()
}

#[test]
fn times_at_both_ends_of_the_scale() {
    let (first, last) = (i64::MIN, i64::MAX);
    for times in [[first; 3], [last; 3], [first, 0, last], [last, 0, first]] {
        for composition in [first, -1, last] {
            let units = times.map(MediaTime::from_nanos).map(|at| AccessUnit {
                composition: MediaTime::from_nanos(composition),
                ..unit(0, at, 0, false, 1)
            });
            for next in [None, Some(first), Some(last)] {
                let mut part = part(units.to_vec(), next.map(MediaTime::from_nanos));
                part.duration = MediaTime::from_nanos(last);
                for moof in fragments(&part, &both()) {
                    let mut samples = moof.traf_boxes[0].trun_boxes[0].samples.iter();
                    assert!(samples.all(|sample| sample.duration > Some(0)), "{times:?}");
                }
            }
        }
    }
}

#[test]
fn what_comes_before_the_origin_begins_at_zero() {
    let tracks = both();
    let part = part(vec![unit(0, ms(-10_001), 0, true, 1)], Some(ms(-9_999)));
    let moofs = fragments(&part, &tracks);
    assert_eq!(spans(&moofs[0]), [(1, 0, 90)]);
}

#[test]
fn thousands_of_empty_units_at_one_time() {
    let units = (0..5_000).map(|n| unit(n % 2, ms(0), 0, false, 0));
    let part = part(units.collect(), Some(ms(0)));
    let moofs = fragments(&part, &both());
    let counts: Vec<usize> = moofs
        .iter()
        .flat_map(|moof| &moof.traf_boxes)
        .map(|traf| traf.trun_boxes[0].samples.len())
        .collect();
    assert_eq!(counts, [2_500; 4]);
}

#[test]
fn units_of_no_track_are_left_out() {
    let strays = [2, 3, usize::MAX].map(|track| unit(track, ms(0), 0, true, 9));
    let mut part = part(strays.to_vec(), None);
    assert_eq!(fragments(&part, &both()), []);
    assert_eq!(fragments(&part, &[]), []);
    part.units.push(unit(1, ms(0), 0, true, 5));
    let moofs = fragments(&part, &both());
    assert_eq!(moofs.len(), 2);
    for moof in moofs {
        assert_eq!(spans(&moof), [(2, 480_000, 1_024)]);
    }
}

#[test]
fn the_last_picture_before_a_gap_lasts_as_long_as_the_one_before_or_as_the_part() {
    let pictures: Vec<_> = [0, 40, 90].map(|at| unit(0, ms(at), 0, true, 1)).into();
    let tracks = [video()];
    let alone = part(pictures[..1].to_vec(), None);
    assert_eq!(
        spans(&fragments(&alone, &tracks)[0]),
        [(1, 900_000, 18_000)]
    );
    let three = part(pictures, None);
    let lasts = 3_600 + 4_500 + 4_500;
    assert_eq!(spans(&fragments(&three, &tracks)[0]), [(1, 900_000, lasts)]);
}

proptest! {
    #[test]
    fn one_part_has_one_content(
        units in proptest::collection::vec(
            (0_usize..3, any::<i64>(), any::<i64>(), any::<bool>(), 0_usize..9), 1..30,
        ),
        next in any::<Option<i64>>(),
    ) {
        let units = units.into_iter().map(|(track, dts, composition, random_access, size)| AccessUnit {
            track,
            dts: MediaTime::from_nanos(dts),
            composition: MediaTime::from_nanos(composition),
            random_access,
            payload: vec![1; size].into(),
        });
        let part = part(units.collect(), next.map(MediaTime::from_nanos));
        // The same in memory of its own.
        let again = Part { units: part.units.clone(), ..part.clone() };
        let (tracks, others) = (both(), both());
        for rendition in RENDITIONS {
            let one = Fragment { part: &part, tracks: &tracks, rendition };
            let other = Fragment { part: &again, tracks: &others, rendition };
            prop_assert_eq!(one.header(7, a_date()), other.header(7, a_date()));
            prop_assert!(one.payloads().eq(other.payloads()));
        }
    }
}
