use super::*;

const PICTURE_MS: i64 = 40;

/// Pictures alone, ten bytes each, a random access in every 25; with what came out of it.
struct Script {
    book: Book,
    sent: Vec<(Tag, Sent)>,
}

impl Script {
    fn of(pictures: i64) -> Self {
        let mut book = Book::new(0);
        book.begin();
        let mut script = Self {
            book,
            sent: Vec::new(),
        };
        for index in 0..pictures {
            let kind = if index % 25 == 0 {
                Kind::Key
            } else {
                Kind::Picture
            };
            script.enter(kind, index * PICTURE_MS);
        }
        script
    }

    fn enter(&mut self, kind: Kind, dts_ms: i64) {
        let number = self.book.next();
        let unit = Sent {
            kind,
            run: 0,
            dts_ms,
            pts_ms: dts_ms,
            changed: false,
            slack_ms: 0,
            end: (number as u64 + 1) * 10,
        };
        self.book.enter(unit);
        let tag = Tag {
            publisher: 0,
            session: 0,
            number,
            kind,
        };
        self.sent.push((tag, unit));
    }

    fn note(&mut self, number: usize) -> Result<(), String> {
        let (tag, unit) = self.sent[number];
        let pts = (unit.pts_ms * 90).unsigned_abs() + 900_000;
        self.book.note(&Found {
            video: tag.kind.is_video(),
            pts,
            dts: pts,
            payload: tag.payload(),
        })
    }

    /// All come out but those that `missing` says.
    fn note_all_but(&mut self, missing: impl Fn(usize) -> bool) {
        for number in 0..self.sent.len() {
            if !missing(number) {
                self.note(number).expect("nothing is wrong with it");
            }
        }
    }

    fn lost(&mut self, end: End) -> u64 {
        self.book.end(0, end);
        self.book.settle(true).iter().map(|lost| lost.count).sum()
    }
}

fn whole(bytes: u64) -> End {
    End::Whole {
        bytes,
        at: Instant::now(),
    }
}

#[test]
fn what_was_passed_on_must_come_out_and_what_was_cut_need_not() {
    let cases: [(&str, fn(usize) -> bool, u64, u64); 5] = [
        ("all is there", |_| false, 1_000, 0),
        ("one in the middle is not", |number| number == 50, 1_000, 1),
        ("the last ten are not", |number| number >= 90, 1_000, 10),
        ("they were cut off", |number| number >= 90, 900, 0),
        (
            "all but one, whose last byte was there",
            |number| number >= 90,
            910,
            1,
        ),
    ];
    for (name, missing, bytes, lost) in cases {
        let mut script = Script::of(100);
        script.note_all_but(missing);
        assert_eq!(script.lost(whole(bytes)), lost, "{name}");
    }
}

#[test]
fn what_was_acknowledged_before_a_reset_must_come_out() {
    let mut script = Script::of(100);
    script.note_all_but(|number| number >= 60);
    script.book.acknowledge(0, 700);
    assert_eq!(script.book.acknowledged(0), 700);
    assert_eq!(script.lost(End::Acknowledged { bytes: 700 }), 10);
}

#[test]
fn a_kill_takes_what_may_not_have_been_listed_and_nothing_before() {
    // 20 s, of which 15 s were acknowledged: 8.4 s must have been listed.
    let listed = usize::try_from((15_000 - LISTED_WITHIN_MS) / PICTURE_MS).expect("some");
    let killed = |seen: usize, looked: bool| {
        let mut script = Script::of(500);
        script.book.acknowledge(0, 3_750);
        script.note_all_but(|number| number >= seen);
        let looked = looked.then(Instant::now);
        script.book.killed(Instant::now(), looked);
        script.lost(End::Acknowledged { bytes: 3_750 })
    };
    assert_eq!(killed(listed, true), 0);
    assert_eq!(killed(listed - 10, true), 9);
    assert_eq!(killed(0, false), 0, "nobody had looked");
}

#[test]
fn a_kill_takes_nothing_of_a_session_that_was_over_and_looked_at() {
    let mut script = Script::of(100);
    script.note_all_but(|number| number >= 90);
    let end = whole(1_000);
    script.book.killed(Instant::now(), Some(Instant::now()));
    assert_eq!(script.lost(end), 10);
}

#[test]
fn pictures_wait_for_a_random_access_and_sound_for_the_picture() {
    let mut script = Script::of(0);
    // A second of sound, then pictures of which the first five cannot be decoded.
    for index in 0..25 {
        script.enter(Kind::Sound, index * PICTURE_MS);
    }
    for index in 25..30 {
        script.enter(Kind::Picture, index * PICTURE_MS);
    }
    script.enter(Kind::Key, 30 * PICTURE_MS);
    // 200 ms before the picture at 1 200 ms, sound has to be there.
    script.note_all_but(|number| number < 30);
    assert_eq!(script.lost(whole(310)), 0);

    let mut script = Script::of(0);
    for index in 0..30 {
        script.enter(Kind::Sound, index * PICTURE_MS);
    }
    script.enter(Kind::Key, 30 * PICTURE_MS);
    script.note_all_but(|number| number < 30);
    // From 1 025 ms on: those at 1 040, 1 080, 1 120 and 1 160 ms.
    assert_eq!(script.lost(whole(310)), 4);
}

#[test]
fn pictures_after_a_pause_must_be_there() {
    let mut script = Script::of(30);
    for index in 0..5 {
        script.enter(Kind::Picture, 29 * PICTURE_MS + 8_000 + index * PICTURE_MS);
    }
    script.note_all_but(|number| number >= 30);
    assert_eq!(script.lost(whole(350)), 5);
}

#[test]
fn twice_out_of_order_unknown_changed_and_late_is_told() {
    let told = |script: &mut Script, number: usize| script.note(number).expect_err("a violation");
    let mut script = Script::of(50);
    script.note_all_but(|number| number > 10);
    assert!(told(&mut script, 10).contains("twice"));
    assert!(told(&mut script, 5).contains("out of order"));

    let (tag, unit) = script.sent[11];
    let found = |payload: Vec<u8>, late: u64| Found {
        video: true,
        pts: (unit.pts_ms * 90).unsigned_abs() + 900_000 + late,
        dts: 0,
        payload,
    };
    let mut payload = tag.payload();
    let last = payload.len() - 1;
    payload[last] ^= 2;
    let mut tell = |found: &Found| script.book.note(found).expect_err("a violation");
    assert!(tell(&found(payload, 0)).contains("not as it was sent"));
    assert!(tell(&found(b"nobody's".to_vec(), 0)).contains("nobody sent"));
    assert!(tell(&found(tag.payload(), 200)).contains("2 ms off"));
    let never = Tag { number: 99, ..tag };
    assert!(tell(&found(never.payload(), 0)).contains("never sent"));
}

#[test]
fn a_run_begins_with_a_random_access() {
    let mut script = Script::of(30);
    assert!(
        script
            .note(1)
            .is_err_and(|why| why.contains("nothing to begin with"))
    );
}
