//! What those find who come back, or come late.

use std::collections::BTreeSet;

use super::sounds::sound;
use super::*;

/// The last segment of an encoder that leaves is short: no boundaries follow from it.
#[tokio::test]
async fn rungs_that_all_left_come_back_to_the_boundaries_that_they_had() {
    let registry = Registry::new(Settings::default());
    let names = ["show_1080p", "show_720p"];
    let mut writers = names.map(|rung| begin(&registry, rung));
    for writer in &mut writers {
        list(writer, &[10_000, 12_000, 14_000], 0, 500_000);
        let last = writer.push(segment(16_000, 768, 0, 500_000), Instant::now());
        last.expect("owned");
    }
    let _vacancies = writers.map(Writer::leave);
    let [first, second] = names.map(|rung| begin(&registry, rung));
    let origin = Anchor {
        at: ms(16_000),
        date: segment(16_000, 0, 0, 0).date,
    };
    let grid = Grid {
        origin,
        arrival: origin,
        is_live: false,
        step: ms(2_000),
    };
    assert_eq!(first.ladder_grid(), Some(grid));
    assert_eq!(second.ladder_grid(), Some(grid));
}

#[test]
fn who_has_no_others_finds_no_boundaries() {
    let registry = Registry::new(Settings::default());
    let mut only = begin(&registry, "show_1080p");
    list(&mut only, &[0, 2_000], 0, 500_000);
    assert_eq!(only.ladder_grid(), None);
}

/// Nobody's media go back in time: of two that do not agree, the other can come up to who is ahead.
#[test]
fn of_two_clocks_the_one_ahead_leads() {
    let registry = Registry::new(Settings::default());
    let [mut behind, mut ahead] = ["show_1080p", "show_720p"].map(|rung| begin(&registry, rung));
    list(&mut behind, &[0, 2_000], 14_000, 500_000);
    list(&mut ahead, &[14_000, 16_000], 0, 500_000);
    assert_eq!(
        ladder(&registry).standings(Form::Classic),
        [
            Standing::Misfits(Misfit::Clock(ms(14_000))),
            Standing::Leads
        ]
    );
}

/// Segments of three seconds.
fn list_long(writer: &mut Writer) {
    for start in [10_000, 13_000, 16_000] {
        let pushed = writer.push(segment(start, 3_000, 0, 500_000), Instant::now());
        pushed.expect("owned");
    }
}

/// Its media come so late, by how it was put where it is.
pub(super) fn arriving(writer: &Writer, late: i64, is_settled: bool, is_guessed: bool) {
    let anchor = Anchor {
        at: ms(20_000),
        date: segment(20_000, 0, late, 0).date,
    };
    let status = crate::PublishStatus {
        arrivals: Some(Arrivals {
            anchor,
            is_settled,
            // It was put elsewhere than when it came by as much.
            shift: ms(if is_guessed { -late } else { 0 }),
        }),
        ..crate::PublishStatus::sample()
    };
    writer.report(status, Instant::now()).expect("owned");
}

/// Dates are of where a run began, and tell nothing of what clocks have run apart by since then.
#[test]
fn a_clock_that_has_run_away_is_a_misfit_and_is_put_beside_the_others() {
    let clock = |by| Standing::Misfits(Misfit::Clock(ms(by)));
    for (late, is_settled, is_guessed, expected) in [
        (6_050, true, false, Standing::Fits),
        (6_150, true, false, clock(1_150)),
        (3_850, true, false, clock(-1_150)),
        (6_150, false, false, Standing::Fits),
        // Half a segment, more than a second.
        (6_150, true, true, Standing::Fits),
        (6_650, true, true, clock(1_650)),
    ] {
        let registry = Registry::new(Settings::default());
        let names = ["show_1080p", "show_720p", "show_360p"];
        let mut writers = names.map(|rung| begin(&registry, rung));
        for writer in &mut writers {
            list_long(writer);
            arriving(writer, 5_000, true, false);
        }
        arriving(&writers[2], late, is_settled, is_guessed);
        let ladder = ladder(&registry);
        let standings = ladder.standings(Form::Classic);
        assert_eq!(standings, [Standing::Leads, Standing::Fits, expected]);
        if let Standing::Misfits(_) = expected {
            let adjustment = ladder.adjustment(&name("show_360p"), ms(16_000));
            let grid = adjustment.expect("it can come up").grid;
            let now = segment(25_000, 0, 0, 0).date;
            assert_eq!(grid.arriving(now), ms(20_000), "as the others' media");
        }
    }
}

/// Both were put beside a third, one before when it came and one behind that.
#[test]
fn who_was_put_beside_one_that_left_goes_on_beside_the_others() {
    let registry = Registry::new(Settings::default());
    let mut writers = ["show_1080p", "show_720p"].map(|rung| begin(&registry, rung));
    for (writer, late) in writers.iter_mut().zip([-1_400, 1_400]) {
        list_long(writer);
        arriving(writer, late, true, true);
    }
    let standings = ladder(&registry).standings(Form::Classic);
    assert_eq!(standings, [Standing::Leads, Standing::Fits]);
}

/// The only segment is open: how long segments are is not known.
#[test]
fn boundaries_are_known_with_the_first_segment() {
    let registry = Registry::new(Settings::default());
    let [mut first, second] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    description::push(&mut first, &[h265()], 0, 2, 0);
    assert_eq!(second.ladder_grid(), None);
    list_parts(&mut first, &[1_000, 3_000]);
    let grid = second.ladder_grid().expect("one is whole");
    assert_eq!((grid.origin.at, grid.step), (ms(3_000), ms(2_000)));
}

/// What is begun beside others has as many discontinuities behind it as they have, whatever became of it before.
#[test]
fn rungs_and_sound_that_come_later_have_the_numbers_of_the_others() {
    let registry = Registry::new(Settings::default());
    let mut vacancies = Vec::new();
    for start in [0, 10_000, 20_000] {
        let mut source = begin(&registry, "show_720p");
        list(&mut source, &[start], 0, 500_000);
        vacancies.push(source.leave());
    }
    let mut again = begin(&registry, "show_720p");
    list(&mut again, &[30_000], 0, 500_000);
    let mut rung = begin(&registry, "show_360p");
    list(&mut rung, &[30_000], 0, 200_000);
    let mut beside = begin(&registry, "show_audio1");
    let pushed = beside.push(sound(30_000, 2_000, 0), Instant::now());
    pushed.expect("owned");
    for writer in [&again, &rung, &beside] {
        let window = writer.presentation().window();
        let newest = window.listed().last().expect("listed");
        assert_eq!(
            newest.discontinuity_sequence,
            3,
            "{}",
            writer.presentation().name()
        );
    }
}

/// Its first segment was short; those that come are as long as the others'.
#[test]
fn a_rung_has_at_least_the_target_duration_of_the_others() {
    for (lasts, expected) in [(3_000, 8), (10_000, 10)] {
        let registry = Registry::new(Settings::default());
        let mut source = begin(&registry, "show_720p");
        let long = segment(0, 8_000, 0, 500_000);
        source.push(long, Instant::now()).expect("owned");
        let mut rung = begin(&registry, "show_360p");
        assert_eq!(rung.target_duration(), None, "it is cut where it can be");
        let first = segment(5_000, lasts, 0, 200_000);
        let target = rung.push(first, Instant::now()).expect("owned");
        assert_eq!(target.seconds(), expected);
    }
}

/// One that has come back again and again does not lead. Players that have its playlist of an earlier time count from that.
#[test]
fn what_begins_beside_others_has_the_numbers_of_the_one_that_leads() {
    let registry = Registry::new(Settings::default());
    let [mut steady, other] = ["show_720p", "show_180p"].map(|rung| begin(&registry, rung));
    list(&mut steady, &[0], 0, 500_000);
    let leading = steady.presentation().window();
    let leading = leading.listed().last().expect("listed").sequence;
    let mut vacancies = vec![other.leave()];
    for start in [0, 10_000, 20_000] {
        let mut flapping = begin(&registry, "show_180p");
        list(&mut flapping, &[start], 0, 50_000);
        vacancies.push(flapping.leave());
    }
    let mut late = begin(&registry, "show_360p");
    list(&mut late, &[2_000], 0, 200_000);
    let window = late.presentation().window();
    let newest = window.listed().last().expect("listed");
    assert_eq!(newest.discontinuity_sequence, 0);
    assert_eq!(newest.sequence, leading + 1);
}

/// Whose sound is another's, or another's too, has the number of that; who shares none goes on behind a discontinuity.
#[test]
fn a_rung_that_has_come_back_has_the_number_of_those_it_shares_sound_with() {
    let with = |start| segment(start, 2_000, 0, 200_000);
    let silent = |start| {
        let mut pictures = segment(start, 2_000, 0, 200_000);
        pictures.tracks = pictures.tracks[..1].into();
        pictures.units.retain(|unit| unit.track == 0);
        pictures
    };
    let cases: [(&dyn Fn(i64) -> Segment, &dyn Fn(i64) -> Segment, bool, u64); 6] = [
        (&with, &with, false, 1),
        (&silent, &silent, false, 1),
        (&silent, &with, false, 0),
        (&with, &silent, false, 0),
        (&with, &with, true, 0),
        (&silent, &silent, true, 0),
    ];
    let all = cases.into_iter().enumerate();
    let all = all.flat_map(|(at, case)| [true, false].map(|leaves| (at, leaves, case)));
    for (at, has_left, (own, beside, has_audio1, expected)) in all {
        let registry = Registry::new(Settings::default());
        let [mut steady, mut leaves] =
            ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
        let mut further = begin(&registry, "show_audio1");
        steady.push(beside(0), Instant::now()).expect("owned");
        leaves.push(own(0), Instant::now()).expect("owned");
        if has_audio1 {
            let pushed = further.push(sound(0, 2_000, 0), Instant::now());
            pushed.expect("owned");
        } else {
            let _ = further.leave();
        }
        // Or its connection hangs, and its encoder is back before that is known.
        let _ = has_left.then(|| leaves.leave());
        let mut back = begin(&registry, "show_360p");
        back.push(own(2_000), Instant::now()).expect("owned");
        let window = back.presentation().window();
        let newest = window.listed().last().expect("listed");
        let case = format!("case {at}, left: {has_left}");
        assert_eq!(newest.discontinuity_sequence, expected, "{case}");
        assert_eq!(window.listed().len() > 1, expected > 0, "{case}");
    }
}

/// The discontinuity sequence number of its newest segment, and how many are listed.
fn newest(writer: &Writer) -> (u64, usize) {
    let window = writer.presentation().window();
    let newest = window.listed().last().expect("listed");
    (newest.discontinuity_sequence, window.listed().len())
}

/// It goes on in MPEG-TS, and then begins anew: players have yet to fetch what was listed first.
#[test]
fn what_was_listed_is_there_when_it_has_begun_anew_twice() {
    let registry = description::registry();
    let [mut steady, mut first] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for writer in [&mut steady, &mut first] {
        list_both(writer, 0);
    }
    let (epoch, number) = (first.presentation().epoch(), numbers(&first)[0].1);
    // Taken over: what it still holds comes too late.
    let mut second = begin(&registry, "show_360p");
    let late = first.push(segment(1_000, 1_000, 0, 500_000), Instant::now());
    assert_eq!(late, Err(crate::Replaced.into()));
    list_both(&mut steady, 1_000);
    list_both(&mut second, 1_000);
    assert_eq!(newest(&second), (1, 2));
    assert_ne!(second.presentation().epoch(), epoch);
    (2..6).for_each(|at| list_both(&mut steady, 1_000 * at));
    let third = begin(&registry, "show_360p");
    assert!(!third.presentation().window().is_ready());
    for presentation in [second.presentation(), third.presentation()] {
        let found = presentation.segment(epoch, number).expect("it lingers");
        assert_eq!((found.epoch, found.sequence), (epoch, number));
    }
}

/// It is none of those that are compared, and they come by its time.
#[test]
fn pictures_that_come_beside_sound_alone_have_its_number() {
    let registry = Registry::new(Settings::default());
    let mut beside = begin(&registry, "show_audio1");
    let pushed = beside.push(sound(0, 2_000, 0), Instant::now());
    pushed.expect("owned");
    let mut pictures = begin(&registry, "show");
    list(&mut pictures, &[2_000], 0, 500_000);
    assert_eq!(newest(&pictures), (newest(&beside).0, 1));
}

/// Its rungs are made of it: they come by its time, and what they had before is of another.
fn lead(registry: &Registry) -> Writer {
    let terms = Terms {
        leads: true,
        ..Terms::default()
    };
    let writer = registry.publish(&name("show"), &terms, Instant::now());
    writer.expect("the same encoder")
}

/// One segment in both forms.
fn list_both(writer: &mut Writer, start: i64) {
    let pushed = writer.push(segment(start, 1_000, 0, 500_000), Instant::now());
    pushed.expect("owned");
    description::push(writer, &description::tracks(), start, 5, 0);
}

#[test]
fn who_leads_has_no_number_that_another_had_by_another_time() {
    let registry = description::registry();
    let mut source = lead(&registry);
    let mut rung = begin(&registry, "show_270p");
    list_both(&mut source, 0);
    list_both(&mut rung, 0);
    let _vacancy = rung.leave();
    let mut rung = begin(&registry, "show_270p");
    list_both(&mut source, 1_000);
    list_both(&mut rung, 1_000);
    assert_eq!((newest(&source), newest(&rung)), ((0, 2), (1, 2)));
    // What ffmpeg still has comes in, or has come in, when the source is back.
    for (start, is_gone, expected) in [(2_000, true, 2), (3_000, false, 3)] {
        let (_vacancy, _other);
        let hanging = std::mem::replace(&mut source, lead(&registry));
        if is_gone {
            _vacancy = rung.leave();
            rung = begin(&registry, "show_270p");
        } else {
            _other = std::mem::replace(&mut rung, begin(&registry, "show_270p"));
        }
        list_both(&mut source, start);
        list_both(&mut rung, start);
        let all = [newest(&source).0, newest(&rung).0];
        assert_eq!(all, [expected; 2], "{start}");
        drop(hanging);
    }
}

/// Its number is that of those that were there when it began, and it comes by the time of who lists first.
#[test]
fn one_that_lists_nothing_says_nothing_of_numbers() {
    let registry = description::registry();
    let mut only = begin(&registry, "show_720p");
    list_both(&mut only, 0);
    let mute = begin(&registry, "show_360p");
    let _vacancy = only.leave();
    let mut back = begin(&registry, "show_720p");
    list_both(&mut back, 1_000);
    assert_eq!(newest(&back), (1, 2));
    drop(mute);
}

/// Its encoder is back before it is known that its connection hangs. All hear the sound of the first.
#[test]
fn all_that_one_connection_publishes_goes_on_when_another_takes_over() {
    let registry = Registry::new(Settings::default());
    let connect = || {
        let terms = Terms::default();
        ["show", "show_270p", "show_180p"].map(|rung| {
            let writer = registry.publish(&name(rung), &terms, Instant::now());
            writer.expect("the same encoder")
        })
    };
    let mut writers = connect();
    for start in [0, 2_000] {
        for writer in &mut writers {
            list_both(writer, start);
        }
        let _hanging = std::mem::replace(&mut writers, connect());
    }
    for writer in &mut writers {
        list_both(writer, 4_000);
    }
    assert_eq!(writers.each_ref().map(newest), [(2, 3); 3]);
}

/// Where segments begin, and their numbers.
fn numbers(rung: &Writer) -> Vec<(MediaTime, u64)> {
    let window = rung.presentation().window();
    let listed = window
        .listed()
        .map(|entry| (entry.segment.start, entry.sequence));
    listed.collect()
}

/// Players count on from what they know of it. Whose connection hangs has not left.
#[test]
fn a_rung_that_the_others_went_on_without_has_their_numbers_when_it_is_back() {
    // The first leads, where both list as much.
    for (missed, hangs, leaving, is_new) in [
        (1, false, "show_360p", false),
        (2, false, "show_360p", true),
        (10, false, "show_360p", true),
        (1, true, "show_360p", false),
        (2, true, "show_360p", true),
        (1, true, "show_1080p", false),
        (2, true, "show_1080p", true),
    ] {
        let registry = Registry::new(Settings::default());
        let [mut steady, mut leaves] = ["show_720p", leaving].map(|rung| begin(&registry, rung));
        list(&mut steady, &[0], 0, 500_000);
        list(&mut leaves, &[0], 0, 200_000);
        let before = leaves.presentation().clone();
        let hanging = if hangs {
            Ok(leaves)
        } else {
            Err(leaves.leave())
        };
        let missing: Vec<_> = (1..=missed).map(|at| at * 2_000).collect();
        list(&mut steady, &missing, 0, 500_000);
        let later = Instant::now() + Settings::default().stalled;
        let back = registry.publish(&name(leaving), &Terms::default(), later);
        let mut back = back.expect("nobody else is there");
        for rung in [&mut steady, &mut back] {
            list(rung, &[(missed + 1) * 2_000], 0, 200_000);
        }
        let listed = numbers(&back);
        let case = format!("{leaving} missed {missed}, {hangs}");
        assert_eq!(listed.len(), if is_new { 1 } else { 2 }, "{case}");
        if is_new {
            assert_eq!(listed.last(), numbers(&steady).last(), "{case}");
            assert!(!before.is_published(), "{case}");
        }
        if let Ok(hanging) = hanging {
            assert_eq!(hanging.dismissal(), Some(crate::Dismissal::Takeover));
        }
    }
}

/// It comes late, and again and again: to where the others are, one segment ahead, to what they have open, and behind them.
#[test]
fn the_first_segment_beside_others_has_the_number_of_theirs() {
    let registry = description::registry();
    // The number of a segment that had begun at the beginning of time.
    let origins = |writer: &Writer| -> BTreeSet<u64> {
        let parts = writer.presentation().low_latency_window();
        let parts = parts.listed().map(|it| (it.start(), it.sequence));
        let all = numbers(writer).into_iter().chain(parts);
        let seconds = |at: MediaTime| u64::try_from(at.as_millis() / 1_000).expect("positive");
        all.map(|(start, number)| number - seconds(start)).collect()
    };
    let mut steady = begin(&registry, "show_720p");
    list_both(&mut steady, 0);
    let only = origins(&steady);
    for (listed, first) in [
        (1..6, 3_000),
        (6..7, 7_000),
        (7..12, 12_200),
        (13..16, 14_000),
    ] {
        listed.for_each(|at| list_both(&mut steady, 1_000 * at));
        let mut late = begin(&registry, "show_360p");
        let is_open = first % 1_000 > 0;
        if is_open {
            let tracks = description::tracks();
            description::push(&mut steady, &tracks, 12_000, 2, 0);
        }
        list_both(&mut late, first);
        assert_eq!(origins(&late), only, "{first}");
        if is_open {
            let pushed = steady.push(segment(12_000, 1_000, 0, 500_000), Instant::now());
            pushed.expect("owned");
            steady.close_segment(Instant::now()).expect("owned");
        }
        let _vacancy = late.leave();
    }
}

/// Its media are behind what it had listed itself: no number of its name comes again.
#[test]
fn the_first_segment_beside_others_has_no_number_that_its_name_had() {
    let registry = description::registry();
    let [mut steady, mut back] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let newest = |writer: &Writer| {
        let parts = writer.presentation().low_latency_window();
        let parts = parts.listed().next_back().expect("a segment").sequence;
        let (_, segments) = numbers(writer).pop().expect("a segment");
        [segments, parts]
    };
    for at in 0..9 {
        list_both(&mut steady, 1_000 * at);
        list_both(&mut back, 1_000 * at);
    }
    let had = newest(&back);
    let _vacancy = back.leave();
    (9..13).for_each(|at| list_both(&mut steady, 1_000 * at));
    let mut back = begin(&registry, "show_360p");
    list_both(&mut back, 7_000);
    assert_eq!(numbers(&back).len(), 1);
    assert_eq!(newest(&back), had.map(|number| number + 1));
}

/// An encoder that comes and goes, on a gateway that waits for hours, must not add up.
#[tokio::test(start_paused = true)]
async fn what_has_begun_anew_is_not_kept_for_as_long_as_it_would_have_been_waited_for() {
    for leaves_again in [false, true] {
        let registry = Registry::new(Settings::default());
        let mut steady = begin(&registry, "show_720p");
        let terms = Terms {
            resume: Duration::from_secs(3_600),
            ..Terms::default()
        };
        let publish = || registry.publish(&name("show_360p"), &terms, Instant::now());
        let mut leaves = publish().expect("nobody else");
        list(&mut steady, &[0], 0, 500_000);
        list(&mut leaves, &[0], 0, 200_000);
        let before = Arc::downgrade(leaves.presentation());
        let waiting = tokio::spawn(leaves.leave().expire());
        tokio::task::yield_now().await;
        list(&mut steady, &[2_000, 4_000], 0, 500_000);
        let mut back = publish().expect("nobody else");
        let epoch = before.upgrade().expect("it lingers").epoch();
        let again = back.presentation().clone();
        let is_served = || again.of_epoch(epoch);
        assert!(is_served().is_some_and(|it| it.window().is_ready()));
        let over = Settings::default().linger * 2;
        if leaves_again {
            list(&mut back, &[6_000], 0, 200_000);
            tokio::spawn(back.leave().expire());
            tokio::time::sleep(over).await;
        } else {
            let status = crate::PublishStatus::sample();
            back.report(status, Instant::now() + over).expect("owned");
        }
        assert!(is_served().is_none());
        assert!(before.upgrade().is_none());
        tokio::time::timeout(terms.resume * 2, waiting)
            .await
            .expect("it is over when its time is")
            .expect("no panic");
    }
}

/// Two encoders that want one name are told so, also where neither goes on with what the other had.
#[test]
fn who_contests_a_name_is_known_to_what_begins_anew() {
    let registry = Registry::new(Settings::default());
    let mut steady = begin(&registry, "show_720p");
    let mut rivals = vec![begin(&registry, "show_360p")];
    let refused = (0..10).find_map(|at| {
        let missed = [0, 2_000, 4_000].map(|start| at * 6_000 + start);
        list(&mut steady, &missed, 0, 500_000);
        let rival = registry.publish(&name("show_360p"), &Terms::default(), Instant::now());
        rival.map(|rival| rivals.push(rival)).err()
    });
    assert_eq!(refused, Some(crate::Refused::Contested));
    assert_eq!(rivals.last().map(Writer::contests), Some(1));
    let there = rivals.first().map(Writer::presentation);
    assert!(
        there.is_some_and(|first| !Arc::ptr_eq(first, rivals.last().expect("one").presentation()))
    );
}

/// Whoever comes back next goes by the rungs that fitted, and would be beside it by another second.
#[test]
fn who_comes_back_when_all_are_gone_does_not_go_by_one_that_did_not_fit() {
    let registry = Registry::new(Settings::default());
    let mut all = ["show_720p", "show_360p", "show_180p"].map(|rung| begin(&registry, rung));
    for at in 0..5 {
        for (rung, starts) in all.iter_mut().zip([0, 0, 1_000]) {
            list(rung, &[starts + 2_000 * at], 0, 200_000);
        }
    }
    let standings = ladder(&registry).standings(Form::Classic);
    assert!(
        matches!(standings[2], Standing::Misfits(_)),
        "{standings:?}"
    );
    let _gone = all.map(Writer::leave);
    // Nothing is listed of those that are back already.
    let back = ["show_180p", "show_720p", "show_360p"].map(|name| begin(&registry, name));
    for rung in &back {
        let grid = rung.ladder_grid().expect("others were there");
        assert_eq!(grid.origin.at.as_millis() % 2_000, 0);
    }
}
