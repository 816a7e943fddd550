//! A publish beside others.

use super::*;

/// Boundaries every two seconds, one at 101.5 s, which was `ago` milliseconds before everything arrives here.
fn grid(ago: u64) -> Grid {
    let origin = Anchor {
        at: MediaTime::from_millis(101_500),
        date: *ARRIVAL - Duration::from_millis(ago),
    };
    Grid {
        origin,
        step: MediaTime::from_millis(2_000),
        arrival: origin,
        is_live: true,
    }
}

impl Bench {
    /// It has listed nothing, and has pictures.
    fn join(&mut self, grid: Grid) {
        let segmenter = &mut self.segmenter;
        segmenter.join_ladder(grid, MediaTime::ZERO, TrackKind::Video, None);
    }

    /// So many seconds, as [`Bench::seconds`] has them, each a second behind the one before.
    fn live(&mut self, from: u32, count: u32) {
        for second in 0..count {
            self.seconds(from + second * 1_000, 1);
            self.arrival += Duration::from_secs(1);
        }
    }
}

#[test]
fn who_joins_what_is_late_is_where_that_arrives() {
    for (late, start) in [(0, 109_500), (2_200, 107_500), (-2_200, 111_500)] {
        let mut bench = Bench::new();
        let mut grid = grid(8_000);
        grid.arrival.at -= MediaTime::from_millis(late);
        bench.join(grid);
        bench.seconds(40, 5);
        bench.finish();
        let first = &bench.segments[0];
        assert_eq!(first.start, MediaTime::from_millis(start), "{late}");
        assert_eq!(first.date, grid.origin.date_at(first.start));
    }
}

#[test]
fn who_joins_a_ladder_begins_at_the_boundary_that_is_nearest_to_the_clock() {
    for (ago, start) in [(8_900, 109_500), (9_100, 111_500)] {
        let mut bench = Bench::new();
        bench.join(grid(ago));
        bench.seconds(40, 5);
        bench.finish();
        let first = &bench.segments[0];
        assert_eq!(first.start, MediaTime::from_millis(start), "{ago}");
        assert_eq!(first.date, grid(ago).origin.date_at(first.start));
        let faults: Vec<_> = bench.faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(faults, [FaultKind::LadderClock], "it is not where it came");
        let came = grid(ago).origin.media_time(*ARRIVAL);
        assert_eq!(bench.segmenter.shift(), first.start - came);
        assert!(!first.discontinuity);
    }
}

/// It is off nobody.
#[test]
fn who_comes_back_first_is_told_nothing() {
    let mut bench = Bench::new();
    let grid = Grid {
        is_live: false,
        ..grid(8_900)
    };
    bench.join(grid);
    bench.seconds(40, 5);
    bench.finish();
    assert_eq!(bench.segments[0].start, MediaTime::from_millis(109_500));
    assert_eq!(bench.faults, []);
}

/// It is not put further from when it comes: what is listed of it ends just behind the boundary that is nearest to its
/// first key frame, and the one after that is 1.1 s ahead.
#[test]
fn who_has_no_place_at_the_nearest_boundary_begins_with_the_next_key_frame() {
    let mut bench = Bench::new();
    let listed = MediaTime::from_millis(109_533);
    bench
        .segmenter
        .join_ladder(grid(8_900), listed, TrackKind::Video, None);
    bench.live(40, 6);
    bench.finish();
    assert_eq!(bench.starts(), [111_500, 113_500, 115_500]);
    assert_eq!(bench.segmenter.shift(), MediaTime::from_millis(100));
}

#[test]
fn timestamps_that_agree_with_a_ladder_stay_as_they_are() {
    let mut bench = Bench::new();
    // 500 ms late: links differ by as much.
    bench.join(grid(500));
    bench.seconds(101_500, 4);
    bench.finish();
    let first = &bench.segments[0];
    assert_eq!(first.start, MediaTime::from_millis(101_500));
    assert_eq!(first.date, grid(500).origin.date);
}

#[test]
fn a_publish_that_joins_late_goes_on_behind_a_discontinuity_with_a_key_frame() {
    let mut bench = Bench::new();
    bench.live(0, 3);
    bench.join(grid(0));
    bench.live(3_000, 4);
    bench.finish();
    let starts: Vec<_> = bench
        .segments
        .iter()
        .map(|it| (it.start.as_millis(), it.discontinuity))
        .collect();
    assert_eq!(
        starts,
        [
            (0, false),
            (2_000, false),
            (105_500, true),
            (107_500, false)
        ]
    );
    assert!(bench.segments.iter().all(|segment| segment.independent));
}

#[test]
fn a_segment_begins_where_it_is_wanted_and_goes_on_as_usual() {
    let mut bench = Bench::new();
    bench.seconds(0, 2);
    bench.segmenter.begin_next_at(MediaTime::from_millis(3_050));
    bench.seconds(2_000, 6);
    bench.finish();
    let starts: Vec<_> = bench
        .segments
        .iter()
        .map(|it| it.start.as_millis())
        .collect();
    assert_eq!(starts, [0, 3_000, 5_000, 7_000]);
}

#[test]
fn a_place_that_no_segment_reaches_does_not_make_one_end_without_a_key_frame() {
    let mut bench = Bench::new();
    bench
        .segmenter
        .begin_next_at(MediaTime::from_millis(18_000));
    // A key frame every ten seconds: longer than the target, and not where the others have theirs.
    for n in 0..750 {
        let body = if n % 250 == 0 { IDR } else { INTER };
        bench.push(MessageKind::Video, n * 40, body);
    }
    bench.finish();
    assert_eq!(bench.starts(), [0, 10_000, 20_000]);
    assert!(bench.segments.iter().all(|segment| segment.independent));
}

#[test]
fn who_is_ahead_of_a_ladder_is_left_out_until_that_is_there() {
    let mut bench = Bench::new();
    bench.live(106_500, 3);
    bench.join(grid(0));
    bench.live(109_500, 9);
    bench.finish();
    // It has come to 109.5 s, 500 ms more are between two runs, and the first key frame that belongs behind that comes with
    // what is at 110.5 s by the ladder.
    assert_eq!(bench.starts(), [106_500, 108_500, 111_500, 113_500]);
    let [.., third, _] = &bench.segments[..] else {
        unreachable!()
    };
    assert!(third.discontinuity && third.independent);
    assert_eq!(third.date, grid(0).origin.date_at(third.start));
}

#[test]
fn who_is_far_ahead_of_a_ladder_stays_where_it_is() {
    let mut bench = Bench::new();
    bench.live(118_000, 3);
    bench.join(grid(0));
    bench.live(121_000, 4);
    bench.finish();
    assert_eq!(bench.starts(), [118_000, 120_000, 122_000, 124_000]);
    assert!(bench.segments.iter().all(|it| !it.discontinuity));
    assert_eq!(bench.segments[2].date, *ARRIVAL + Duration::from_secs(4));
    assert_eq!(bench.faults, []);
}

/// Its key frames come 800 ms behind the boundaries, and what it has sent so far reaches further.
#[test]
fn who_joins_leaves_out_what_has_no_place() {
    let mut bench = Bench::new();
    bench.live(98_200, 3);
    bench.join(grid(800));
    bench.live(101_200, 6);
    bench.finish();
    assert_eq!(bench.starts(), [98_200, 100_200, 105_500, 107_500, 109_500]);
    assert_eq!(bench.segmenter.shift(), MediaTime::from_millis(200));
}

#[test]
fn a_clock_that_jumps_in_a_ladder_goes_on_at_a_boundary_with_a_key_frame() {
    let mut bench = Bench::new();
    bench.seconds(101_500, 3);
    bench.join(grid(3_000));
    bench.push(MessageKind::Video, 104_500, INTER);
    bench.push(MessageKind::Video, 4_960, INTER);
    bench.seconds(5_000, 3);
    bench.finish();
    assert_eq!(bench.starts(), [101_500, 103_500, 105_500, 107_500]);
    let second = &bench.segments[2];
    assert!(second.discontinuity && second.independent);
    assert_eq!(second.date, grid(3_000).origin.date_at(second.start));
}

#[test]
fn timestamps_that_agree_are_dated_by_the_ladder_where_no_date_steps_back() {
    let mut bench = Bench::new();
    bench.seconds(101_500, 3);
    // By its clock, 101.5 s was 2.5 s before everything arrives here: what is listed has dates that are as much later.
    bench.join(grid(2_500));
    for second in 0..6 {
        // 500 ms behind its time, by the same clock.
        bench.arrival = *ARRIVAL + Duration::from_millis(1_000 + u64::from(second) * 1_000);
        bench.seconds(104_500 + second * 1_000, 1);
    }
    bench.finish();
    assert_eq!(bench.starts(), [101_500, 103_500, 107_500, 109_500]);
    let breaks: Vec<_> = bench.segments.iter().map(|it| it.discontinuity).collect();
    assert_eq!(breaks, [false, false, true, false]);
    let dates = [0, 2_000, 3_500, 5_500].map(|ms| *ARRIVAL + Duration::from_millis(ms));
    assert!(bench.segments.iter().map(|it| it.date).eq(dates));
}

#[test]
fn who_follows_is_where_the_other_is_whatever_becomes_of_its_clock() {
    let mut source = Bench::new();
    let mut beside = Bench::new();
    // Joined late, then a jump of the clock that both have.
    source.join(grid(0));
    for (from, count) in [(5_000, 3), (8_000, 4), (90_000, 4)] {
        for second in 0..count {
            let from = from + second * 1_000;
            source.live(from, 1);
            if let Some(origin) = source.segmenter.origin() {
                beside.segmenter.follow(origin);
            }
            beside.live(from, 1);
        }
    }
    source.finish();
    beside.finish();
    let of = |bench: &Bench| -> Vec<_> {
        let all = bench.segments.iter();
        all.map(|it| (it.start, it.date, it.discontinuity))
            .collect()
    };
    assert_eq!(of(&source), of(&beside));
    assert_eq!(source.starts()[0], 101_500);
}

/// Sound joins at once, and anywhere.
#[test]
fn sound_alone_joins_a_ladder_with_its_first_unit() {
    let mut bench = Bench::new();
    let audio = TrackKind::Audio;
    bench
        .segmenter
        .join_ladder(grid(700), MediaTime::ZERO, audio, None);
    for n in 0..200 {
        bench.push(MessageKind::Audio, 5_000 + n * 64 / 3, SOUND);
    }
    bench.finish();
    let first = &bench.segments[0];
    assert_eq!(first.start, MediaTime::from_millis(102_200));
    let [second, third] = [1, 2].map(|at| bench.segments[at].start.as_millis());
    assert!(
        (103_400..=103_500).contains(&second),
        "a boundary, {second}"
    );
    assert_eq!(third - second, 2_005, "as long as the target asks for");
    assert_eq!(first.date, *ARRIVAL);
    assert!(bench.faults.is_empty(), "{:?}", bench.faults);
}

/// Nothing of it is a picture that decoding could begin with.
#[test]
fn sound_alone_follows_too() {
    let mut source = Bench::new();
    let mut sound = Bench::new();
    for (from, count) in [(5_000, 3), (90_000, 4)] {
        source.seconds(from, count);
        sound
            .segmenter
            .follow(source.segmenter.origin().expect("something was taken"));
        for n in 0..count * 375 / 8 {
            sound.push(MessageKind::Audio, from + n * 64 / 3, SOUND);
        }
    }
    source.finish();
    sound.finish();
    let runs = |bench: &Bench| -> Vec<_> {
        let all = bench.segments.iter();
        let begins = all
            .enumerate()
            .filter(|(at, it)| *at == 0 || it.discontinuity);
        begins.map(|(_, it)| (it.start, it.date)).collect()
    };
    assert_eq!(runs(&source).len(), 2);
    assert_eq!(runs(&source), runs(&sound));
}

/// What a transcoder makes of a publish comes later and counts from another time.
#[test]
fn who_follows_late_and_with_timestamps_of_its_own_is_where_the_other_is() {
    let mut source = Bench::new();
    source.seconds(5_000, 2);
    // Decoded before it is shown, as B-pictures have it.
    let shown_later = [0x17, 1, 0, 0, 80, 0, 0, 0, 2, 0x65, 0x88];
    source.push(MessageKind::Video, 90_000, &shown_later);
    let origin = source.segmenter.origin().expect("something was taken");
    assert_eq!(origin.run, 1);
    source.seconds(92_080, 6);
    source.finish();

    let mut late = Bench::new();
    late.segmenter.follow(Origin {
        sent_ms: 10_000,
        ..origin
    });
    let hour = Duration::from_secs(3_600);
    late.arrival = *ARRIVAL + hour;
    late.seconds(12_080, 6);
    late.finish();
    let of = |segments: &[Segment]| -> Vec<_> {
        let all = segments.iter();
        all.map(|it| (it.start, it.date)).collect()
    };
    let run = source.segments.iter().position(|it| it.discontinuity);
    let run = run.expect("the clock has jumped");
    let begins = &source.segments[run];
    assert_eq!(begins.date, origin.clock.date_at(begins.start));
    assert_eq!(of(&source.segments[run + 1..]), of(&late.segments));
    assert_eq!(late.faults, []);
}

/// The tracks of a connection whose first is ahead of a ladder.
#[test]
fn who_follows_one_that_is_put_back_is_put_back_as_well() {
    let mut source = Bench::new();
    let mut beside = Bench::new();
    for second in 0..12 {
        if second == 3 {
            source.join(grid(0));
        }
        let from = 106_500 + second * 1_000;
        source.live(from, 1);
        if source.segmenter.waits() {
            beside.arrival += Duration::from_secs(1);
            continue;
        }
        let origin = source.segmenter.origin().expect("something was taken");
        beside.segmenter.follow(origin);
        beside.live(from, 1);
    }
    source.finish();
    beside.finish();
    assert_eq!(source.starts(), [106_500, 108_500, 111_500, 113_500]);
    assert_eq!(source.shown(), beside.shown());
}

/// It is 1.15 s ahead, and what comes next is late itself.
#[test]
fn who_joins_is_put_by_when_its_media_come_and_not_by_one_that_is_held_up() {
    for (known, starts) in [
        (true, [102_350, 104_350, 107_500, 109_500]),
        (false, [102_350, 104_350, 106_350, 108_350]),
    ] {
        let mut bench = Bench::new();
        bench.live(102_350, 3);
        let arrival = Anchor {
            at: MediaTime::from_millis(105_350),
            date: bench.arrival - Duration::from_millis(300),
        };
        let (behind, arrival) = (MediaTime::ZERO, known.then_some(arrival));
        let segmenter = &mut bench.segmenter;
        segmenter.join_ladder(grid(0), behind, TrackKind::Video, arrival);
        bench.live(105_350, 8);
        bench.finish();
        assert_eq!(bench.starts()[..4], starts);
    }
}

/// The next boundary is further away than its clock has run ahead. Where its key frames are beside the boundaries, segments
/// would never begin with those of the others there.
#[test]
fn who_has_no_better_place_than_its_own_goes_on() {
    for (off, moves) in [(0, false), (40, false), (120, true)] {
        let mut bench = Bench::new();
        let grid = Grid {
            step: MediaTime::from_millis(4_000),
            ..grid(0)
        };
        for n in 0..500 {
            if n == 150 {
                bench.arrival -= Duration::from_millis(1_200);
                bench.join(grid);
            }
            let body = if n % 100 == 0 { IDR } else { INTER };
            bench.push(MessageKind::Video, 101_500 + off + n * 40, body);
            bench.arrival += Duration::from_millis(40);
        }
        bench.finish();
        let breaks = bench.segments.iter().filter(|it| it.discontinuity).count();
        assert_eq!(breaks, usize::from(moves), "{off}");
        let last = bench.segments.last().expect("segments").start.as_millis();
        assert!(moves && last % 4_000 == 1_500 || !moves && last == 117_500 + i64::from(off));
        let shift = bench.segmenter.shift().as_millis();
        assert!((1_100..=1_300).contains(&shift), "{shift}");
        let told = bench.faults.iter().map(|fault| fault.kind);
        assert_eq!(told.collect::<Vec<_>>(), [FaultKind::LadderClock]);
    }
}

/// What was known of when its media come was by the clock that it had.
#[test]
fn a_clock_that_jumps_while_its_publish_joins_is_where_it_comes() {
    let mut bench = Bench::new();
    bench.live(106_500, 3);
    let arrival = Anchor {
        at: MediaTime::from_millis(109_500),
        date: bench.arrival,
    };
    let (behind, arrival) = (MediaTime::ZERO, Some(arrival));
    let segmenter = &mut bench.segmenter;
    segmenter.join_ladder(grid(0), behind, TrackKind::Video, arrival);
    bench.live(109_500, 1);
    assert!(bench.segmenter.waits());
    bench.live(3_702_200, 9);
    bench.finish();
    assert_eq!(bench.starts()[..3], [106_500, 108_500, 111_500]);
}

/// It is three seconds ahead, and at the place that it should have nothing of it could be decoded.
#[test]
fn who_sends_no_key_frame_stays_where_its_pictures_can_be_decoded() {
    let mut bench = Bench::new();
    for n in 0..1_000 {
        if n == 50 {
            bench.join(grid(0));
        }
        let body = if n == 0 { IDR } else { INTER };
        bench.push(MessageKind::Video, 104_500 + n * 40, body);
        bench.arrival += Duration::from_millis(40);
    }
    bench.finish();
    assert_eq!(bench.starts(), [104_500, 116_500, 128_500, 140_500]);
    let pictures: usize = bench.segments.iter().map(|it| it.units.len()).sum();
    assert_eq!(pictures, 1_000);
}

/// Its pictures cannot be decoded anywhere, and its sound is late enough.
#[test]
fn sound_goes_on_with_the_others_where_no_key_frame_follows_a_jump() {
    let mut bench = Bench::new();
    bench.live(101_500, 3);
    bench.join(grid(0));
    for n in 0..20 * 25 {
        bench.push(MessageKind::Video, 5_000 + n * 40, INTER);
        for m in 0..2 {
            bench.push(MessageKind::Audio, 5_000 + n * 40 + m * 20, SOUND);
        }
        bench.arrival += Duration::from_millis(40);
    }
    bench.finish();
    let behind = bench.segments.iter().find(|it| it.discontinuity);
    let start = behind.expect("it goes on").start.as_millis();
    assert!((116_400..116_700).contains(&start), "{start}");
}

/// Others have begun a segment before, and will begin the next before this one's is long enough.
#[test]
fn who_joins_between_two_boundaries_ends_its_first_segment_at_the_next() {
    let mut bench = Bench::new();
    bench.join(grid(1_000));
    bench.live(102_500, 6);
    bench.finish();
    assert_eq!(bench.starts(), [102_500, 103_500, 105_500, 107_500]);
}

/// What was wrong with a segment that ends a run was mended with the next.
#[test]
fn a_segment_before_the_run_that_goes_on_is_over() {
    let mut bench = Bench::new();
    bench.live(98_200, 3);
    bench.join(grid(800));
    bench.live(101_200, 6);
    bench.finish();
    let over = bench.segments.iter();
    let over: Vec<_> = over.map(|it| bench.segmenter.is_over(it.start)).collect();
    assert_eq!(over, [true, true, false, false, false]);
}
