use e2e::media_playlist::Entry;

use super::*;
use crate::checked::checked;

fn playlist(sequence: u64, discontinuities: u64, uris: &[&str]) -> MediaPlaylist {
    let entry = |uri: &&str| Entry {
        uri: (*uri).to_owned(),
        duration_ms: 2_000,
        date_ms: 0,
        discontinuity: uri.ends_with('d'),
    };
    MediaPlaylist {
        target: 2,
        sequence,
        discontinuity_sequence: discontinuities,
        independent: true,
        ended: false,
        entries: uris.iter().map(entry).collect(),
    }
}

fn life(number: u64) -> Life {
    Life {
        number,
        since: Instant::now(),
    }
}

/// Loads of a presentation that has been there for longer than it takes to write it down.
fn followed() -> Succession {
    let mut succession = Succession::default();
    let begun = Instant::now();
    let later = begun + 2 * WRITTEN_WITHIN;
    let first = playlist(10, 3, &["a", "b"]);
    succession.accept(&first, life(2), begun);
    succession.accept(&first, life(2), later);
    succession
}

#[test]
fn over_a_restart_numbers_rise_and_what_was_live_goes_on() {
    let ended = |playlist: MediaPlaylist| MediaPlaylist {
        ended: true,
        ..playlist
    };
    let longer = |playlist: MediaPlaylist| MediaPlaylist {
        target: 3,
        ..playlist
    };
    let cases: [(&str, u64, MediaPlaylist, Option<&str>); 8] = [
        ("more of it", 2, playlist(10, 3, &["a", "b", "c"]), None),
        ("restarted", 4, playlist(20, 5, &["cd"]), None),
        (
            "numbers again",
            4,
            playlist(11, 5, &["cd"]),
            Some("begin below 12"),
        ),
        (
            "discontinuities again",
            4,
            playlist(20, 2, &["cd"]),
            Some("begin below"),
        ),
        (
            "a URI again",
            4,
            playlist(20, 5, &["xd", "b"]),
            Some("used twice"),
        ),
        (
            "no tag",
            4,
            playlist(20, 5, &["c"]),
            Some("no EXT-X-DISCONTINUITY"),
        ),
        (
            "a longer target",
            4,
            longer(playlist(20, 5, &["cd"])),
            Some("target duration"),
        ),
        ("an end", 2, ended(playlist(10, 3, &["a", "b"])), None),
    ];
    for (name, number, after, wrong) in cases {
        let judged = followed().follow(&after, life(number), Instant::now());
        match wrong {
            None => assert!(judged.is_ok(), "{name}: {judged:?}"),
            Some(words) => assert!(
                judged.as_ref().is_err_and(|why| why.contains(words)),
                "{name}: {judged:?}"
            ),
        }
    }
}

#[test]
fn within_a_life_only_an_ended_presentation_gives_way_to_another() {
    let other = playlist(20, 5, &["c"]);
    let mut succession = followed();
    let judged = checked(std::panic::AssertUnwindSafe(|| {
        succession.follow(&other, life(2), Instant::now())
    }));
    assert!(judged.is_err_and(|why| why.contains("missed")));

    let mut succession = followed();
    let end = MediaPlaylist {
        ended: true,
        ..playlist(10, 3, &["a", "b"])
    };
    let now = Instant::now();
    let step = succession.follow(&end, life(2), now).expect("an end");
    assert!(step.ended && !step.broken);
    let step = succession.follow(&other, life(2), now).expect("another");
    assert!(step.broken && !step.restarted);
}

#[test]
fn a_404_has_its_time() {
    let now = Instant::now();
    let mut succession = followed();
    let same = life(2);
    assert!(succession.absent(same, now).is_err(), "it never ended");
    let restarted = life(4);
    assert!(succession.absent(restarted, now + RESUME / 2).is_err());
    let over = restarted.since + RESUME;
    assert!(succession.absent(restarted, over).is_ok());

    let end = MediaPlaylist {
        ended: true,
        ..playlist(10, 3, &["a", "b"])
    };
    let alive = now + 2 * WRITTEN_WITHIN;
    succession.accept(&end, same, alive + RESUME);
    assert!(succession.absent(same, alive + LINGER / 2).is_err());
    assert!(succession.absent(same, alive + 2 * LINGER).is_ok());
    assert!(
        Succession::default().absent(same, now).is_ok(),
        "nothing yet"
    );
}
