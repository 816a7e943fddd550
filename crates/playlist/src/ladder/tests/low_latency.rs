//! Multivariant playlists of what is cut into parts.

use std::collections::BTreeMap;

use super::description::{push, registry, tracks};
use super::*;
use crate::low_latency::Playlist;

/// Players load the multivariant playlist once, and those who wait for it load it then.
#[test]
fn rungs_whose_first_segments_are_open_are_listed_together() {
    // All are open, or the first is complete.
    for parts in [2, 5] {
        let registry = registry();
        let mut writers = Vec::new();
        for (rung, parts, late) in [
            ("show_720p", parts.min(4), 40),
            ("show_360p", parts, 0),
            ("show_180p", parts.min(4), 90),
        ] {
            let mut writer = begin(&registry, rung);
            push(&mut writer, &tracks(), 10_000, parts, late);
            writers.push(writer);
        }
        let standings = ladder(&registry).standings(Form::LowLatency);
        assert!(standings.iter().all(|it| it.is_listed()), "{standings:?}");
    }
}

/// Players take a playlist without a segment for empty.
#[test]
fn a_rung_that_joins_is_a_variant_once_it_has_a_segment() {
    for (parts, expected) in [(4, (Standing::Empty, 1)), (5, (Standing::Fits, 0))] {
        let registry = registry();
        let mut steady = begin(&registry, "show_720p");
        for start in [11_000, 12_000, 13_000] {
            push(&mut steady, &tracks(), start, 5, 0);
        }
        let mut late = begin(&registry, "show_360p");
        for writer in [&mut steady, &mut late] {
            push(writer, &tracks(), 14_000, parts, 0);
        }
        let ladder = ladder(&registry);
        let standing = ladder.standings(Form::LowLatency)[1];
        let awaited = ladder.awaited(Form::LowLatency).len();
        assert_eq!((standing, awaited), expected, "{parts}");
    }
}

/// Nobody plays what a stalled encoder left there, or what comes too late, and somebody has to lead.
#[test]
fn a_rung_beside_one_that_is_of_no_use_is_a_variant_from_its_parts_on() {
    let late = Standing::Misfits(Misfit::Clock(ms(-8_000)));
    for (start, late, expected) in [(18_000, 0, Standing::Away), (13_000, 8_000, late)] {
        let registry = registry();
        let mut first = begin(&registry, "show_720p");
        for start in [10_000, 11_000, 12_000, 13_000] {
            push(&mut first, &tracks(), start, 5, 0);
        }
        let mut other = begin(&registry, "show_360p");
        push(&mut other, &tracks(), start, 4, late);
        let standings = ladder(&registry).standings(Form::LowLatency);
        assert_eq!(standings[1], Standing::Leads);
        assert_eq!(standings[0], expected);
    }
}

/// What becomes of another's encoder is nothing to who watches a rung, and one without sound hears another: the first
/// whose discontinuity is its own. For pictures of the discontinuity that sound is of, hls.js waits for ever.
#[test]
fn a_rung_has_its_own_sound_and_a_silent_one_that_of_another() {
    let registry = registry();
    let [mut high, mut low, mut silent] =
        ["show_720p", "show_360p", "show_180p"].map(|rung| begin(&registry, rung));
    let push_all = |writers: [&mut Writer; 3], start| {
        for (writer, count) in writers.into_iter().zip([2, 2, 1]) {
            push(writer, &tracks()[..count], start, 5, 0);
        }
    };
    // The URI of the sound that each variant hears, by its own.
    let heard = || {
        let text = ladder(&registry).multivariant(Form::LowLatency, Place::Folder);
        let text = String::from_utf8(text.expect("rungs").plain().to_vec()).expect("UTF-8");
        let value = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        let group = |id: &str| {
            let mut media = text.lines().filter(|it| it.starts_with("#EXT-X-MEDIA:"));
            let of_it = media.find(|line| value(line, "GROUP-ID").as_deref() == Some(id));
            of_it.and_then(|line| value(line, "URI"))
        };
        let lines: Vec<_> = text.lines().collect();
        let variants = lines.windows(2).filter_map(|pair| {
            let [tag, uri] = pair else { return None };
            let is_one = tag.starts_with("#EXT-X-STREAM-INF:") && uri.ends_with("/video.m3u8");
            is_one.then(|| {
                (
                    uri.to_string(),
                    group(&value(tag, "AUDIO").expect("a group")),
                )
            })
        });
        BTreeMap::from_iter(variants)
    };
    let of = |pairs: [[&str; 2]; 3]| {
        BTreeMap::from(pairs.map(|[rung, sound]| {
            let sound = format!("../show_{sound}/audio.m3u8");
            (format!("../show_{rung}/video.m3u8"), Some(sound))
        }))
    };
    push_all([&mut high, &mut low, &mut silent], 10_000);
    let own = [["720p", "720p"], ["360p", "360p"]];
    assert_eq!(heard(), of([own[0], own[1], ["180p", "720p"]]));
    let vacancy = high.leave();
    let mut back = begin(&registry, "show_720p");
    push_all([&mut back, &mut low, &mut silent], 11_000);
    assert_eq!(heard(), of([own[0], own[1], ["180p", "360p"]]));
    drop(vacancy);
}

/// The first by name is sound alone, which is its own; the others have theirs beside their pictures.
#[test]
fn a_rung_of_sound_silences_no_other() {
    let registry = registry();
    let [mut alone, mut high, mut low] =
        ["show", "show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    push(&mut alone, &tracks()[1..], 10_000, 5, 0);
    for writer in [&mut high, &mut low] {
        push(writer, &tracks(), 10_000, 5, 0);
    }
    let text = ladder(&registry).multivariant(Form::LowLatency, Place::Folder);
    let text = String::from_utf8(text.expect("rungs").plain().to_vec()).expect("UTF-8");
    let pictures =
        |line: &&str| line.starts_with("#EXT-X-STREAM-INF:") && line.contains("RESOLUTION=");
    let variants = text.lines().filter(pictures);
    let hearing: Vec<_> = variants
        .map(|line| line.contains("AUDIO=\"audio"))
        .collect();
    assert_eq!(hearing, [true, true], "{text}");
    for own in ["show_720p", "show_360p"] {
        assert!(
            text.contains(&format!("URI=\"../{own}/audio.m3u8\"")),
            "{text}"
        );
    }
}

/// The sound of the others is not there yet. All say the same.
#[test]
fn players_begin_further_back_where_media_were_put_ahead() {
    let registry = registry();
    let [mut rung, mut other] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    push(&mut rung, &tracks(), 10_000, 1, 0);
    let hold_back = |writer: &Writer| {
        let window = writer.presentation().low_latency_window();
        let beside = || ladder(&registry).beside(writer.presentation().name());
        let text = window.playlist(Rendition::Video, Playlist::Full, beside);
        let text = String::from_utf8_lossy(&text.plain()).into_owned();
        let (_, rest) = text.split_once("PART-HOLD-BACK=").expect("it has some");
        rest.split(',').next().unwrap_or_default().to_owned()
    };
    assert_eq!(hold_back(&rung), "0.654");
    for (late, is_guessed, expected) in [
        (-850, true, "1.554"),
        (-850, false, "0.654"),
        (850, true, "0.654"),
        // No more than a target duration.
        (-60_000, true, "1.654"),
    ] {
        joining::arriving(&rung, late, false, is_guessed);
        for writer in [&mut rung, &mut other] {
            push(writer, &tracks(), 11_000, 1, 0);
            assert_eq!(hold_back(writer), expected, "{late}");
        }
    }
}
