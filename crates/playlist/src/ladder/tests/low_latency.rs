//! Multivariant playlists of what is cut into parts.

use std::sync::Arc;

use media::codec::Aac;

use super::description::{push, push_as, registry, tracks};
use super::*;
use crate::low_latency::Playlist;

fn multivariant(registry: &Registry) -> String {
    let text = ladder(registry).multivariant(Form::LowLatency, Place::Folder);
    String::from_utf8(text.expect("rungs").plain().to_vec()).expect("UTF-8")
}

/// Whose sound is that of all.
fn heard(registry: &Registry) -> Option<String> {
    let sound = ladder(registry).sound_of_all()?;
    Some(sound.name().name.to_string())
}

/// The usual tracks, and the same with other sound.
fn stereo_and_mono() -> [[Track; 2]; 2] {
    let mono = Codec::Aac(Aac::parse(vec![0x11, 0x88].into()).expect("AAC LC"));
    let [picture, stereo] = tracks();
    [[picture.clone(), stereo], [picture, Track { codec: mono }]]
}

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

/// hls.js waits for ever for pictures of the discontinuity that sound is of.
#[test]
fn a_rung_that_has_had_a_discontinuity_alone_has_its_own_sound() {
    let registry = registry();
    let mut high = begin(&registry, "show_720p");
    let mut low = begin(&registry, "show_360p");
    for writer in [&mut high, &mut low] {
        push(writer, &tracks(), 10_000, 5, 0);
    }
    let sounds = |text: &str| -> Vec<String> {
        let media = text
            .lines()
            .filter(|line| line.starts_with("#EXT-X-MEDIA:"));
        media
            .map(|line| line.split(",STABLE").next().unwrap_or_default().to_owned())
            .collect()
    };
    let one = "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"all-audio.m3u8\",GROUP-ID=\"audio\"";
    assert_eq!(sounds(&multivariant(&registry)), [one]);
    push(&mut high, &tracks(), 11_000, 5, 0);
    push_as(&mut low, &tracks(), 11_000, 5, 0, |part| {
        if let Some(head) = &mut part.head {
            head.discontinuity = true;
        }
    });
    let both = multivariant(&registry);
    let other = "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../show_360p/audio.m3u8\",GROUP-ID=\"audio-2\"";
    assert_eq!(sounds(&both), [one, other]);
    let heard = |uri: &str| {
        let mut lines = both
            .lines()
            .skip_while(|line| !line.starts_with("#EXT-X-STREAM"));
        let before = std::iter::from_fn(|| Some([lines.next()?, lines.next()?]));
        let found = before.into_iter().find(|[_, line]| *line == uri);
        found.map(|[tag, _]| tag.contains("AUDIO=\"audio-2\""))
    };
    assert_eq!(heard("../show_720p/video.m3u8"), Some(false), "{both}");
    assert_eq!(heard("../show_360p/video.m3u8"), Some(true), "{both}");
}

/// Players know it by one playlist: each change may be heard, and what is listed must not be lost.
#[test]
fn the_sound_of_all_is_that_of_one_rung_until_its_encoder_leaves() {
    let registry = registry();
    let [mut high, mut middle, mut low] =
        ["show_720p", "show_540p", "show_360p"].map(|rung| begin(&registry, rung));
    let heard = || {
        let text = multivariant(&registry);
        let group = "TYPE=AUDIO,URI=\"all-audio.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show/audio\"";
        assert_eq!(text.matches("TYPE=AUDIO").count(), 1, "{text}");
        assert!(text.contains(group), "{text}");
        assert!(text.contains("\nall-audio.m3u8\n"), "{text}");
        heard(&registry).expect("sound")
    };
    for start in [10_000, 11_000] {
        for writer in [&mut high, &mut middle, &mut low] {
            push(writer, &tracks(), start, 5, 0);
        }
    }
    assert_eq!(heard(), "show_720p");
    let _vacancy = high.leave();
    assert_eq!(heard(), "show_540p");
    // One that is back lists less for a while, and then as much.
    let mut back = begin(&registry, "show_720p");
    for second in 12..19 {
        for writer in [&mut back, &mut middle, &mut low] {
            push(writer, &tracks(), second * 1_000, 5, 0);
        }
        assert_eq!(heard(), "show_540p");
    }
    let _vacancy = middle.leave();
    assert_eq!(heard(), "show_720p");
    let _vacancy = back.leave();
    assert_eq!(heard(), "show_360p");
    // Where all have left, it is waited for.
    let _vacancy = low.leave();
    assert_eq!(heard(), "show_360p");
}

/// Players take segments of one number for the same, and decode what comes as what was there.
#[test]
fn the_sound_of_all_goes_on_with_what_is_the_same_alone() {
    let [of_stereo, of_mono] = stereo_and_mono();
    for (sound, is_cut, expected, again) in [
        (&of_stereo, false, Some("show_360p"), Some("show_360p")),
        (&of_mono, false, None, Some("show_720p")),
        // One boundary more has been behind them for so long that they fit, and what comes back counts as the others do.
        (&of_stereo, true, None, None),
    ] {
        let registry = registry();
        let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
        for second in 10..16 {
            push(&mut high, &of_stereo, second * 1_000, 5, 0);
            let cut = is_cut && second == 10;
            push_as(&mut low, sound, second * 1_000, 5, 0, |part| {
                part.is_last |= cut && part.start == ms(10_400);
                if cut && part.start == ms(10_600) {
                    part.head = Some(Head {
                        tracks: Arc::from(&sound[..]),
                        date: segment(10_600, 200, 0, 0).date,
                        discontinuity: false,
                        independent: false,
                    });
                }
            });
        }
        let heard = || heard(&registry);
        assert_eq!(heard().as_deref(), Some("show_720p"));
        let vacancy = high.leave();
        assert_eq!(heard().as_deref(), expected);
        let text = multivariant(&registry);
        let own = text.contains("URI=\"../show_360p/audio.m3u8\"");
        assert_eq!(own, expected.is_none(), "{text}");
        // It is that of who comes back with what it was.
        let mut back = begin(&registry, "show_720p");
        push(&mut back, &of_stereo, 16_000, 5, 0);
        push(&mut low, sound, 16_000, 5, 0);
        assert_eq!(heard().as_deref(), again);
        drop(vacancy);
    }
}

/// Players have little of it in hand.
#[test]
fn the_sound_of_all_is_that_of_a_rung_that_keeps_up() {
    let registry = registry();
    let [mut high, mut late, mut low] =
        ["show_720p", "show_540p", "show_360p"].map(|rung| begin(&registry, rung));
    let heard = || heard(&registry).expect("sound");
    for start in [10_000, 11_000, 12_000, 13_000] {
        push(&mut high, &tracks(), start, 5, 0);
        push(
            &mut late,
            &tracks(),
            start,
            if start < 13_000 { 5 } else { 2 },
            0,
        );
        push(&mut low, &tracks(), start, 5, 0);
        assert_eq!(heard(), "show_720p");
    }
    // Its encoder hangs.
    push(&mut low, &tracks(), 14_000, 5, 0);
    assert_eq!(heard(), "show_360p");
    push(&mut high, &tracks(), 14_000, 5, 0);
    assert_eq!(heard(), "show_360p");
}

/// Their viewers have nothing to go over to.
#[test]
fn rungs_that_hang_together_have_not_left() {
    let registry = registry();
    let [mut high, mut low, mut sound] =
        ["show_720p", "show_360p", "show_audio1"].map(|rung| begin(&registry, rung));
    for second in 10..17 {
        if second < 14 {
            push(&mut high, &tracks(), second * 1_000, 5, 0);
            push(&mut low, &tracks(), second * 1_000, 5, 0);
        }
        push(&mut sound, &tracks()[1..], second * 1_000, 5, 0);
    }
    let left = |form| {
        let ladder = ladder(&registry);
        ["show_720p", "show_360p"].map(|rung| ladder.has_left(&name(rung), form))
    };
    assert_eq!(left(Form::LowLatency), [false, false]);
    for second in 14..17 {
        push(&mut low, &tracks(), second * 1_000, 5, 0);
    }
    assert_eq!(left(Form::LowLatency), [true, false]);
}

/// What comes in bursts is waited for as long as they are apart.
#[test]
fn a_rung_with_pauses_has_not_left_in_one() {
    let registry = registry();
    let [mut pausing, mut steady] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let has_left = || ladder(&registry).has_left(&name("show_720p"), Form::LowLatency);
    for second in 10..16 {
        if [10, 13].contains(&second) {
            push(&mut pausing, &tracks(), second * 1_000, 5, 0);
        }
        push(&mut steady, &tracks(), second * 1_000, 5, 0);
        // It is known from the second on.
        assert!(second < 13 || !has_left(), "{second}");
    }
    for start in [16_000, 17_000] {
        push(&mut steady, &tracks(), start, 5, 0);
    }
    assert!(has_left());
}

/// Behind a discontinuity of its own it says what there is now.
#[test]
fn the_sound_of_all_stays_that_of_a_rung_whose_encoder_sends_another() {
    let [of_stereo, of_mono] = stereo_and_mono();
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let heard = || heard(&registry).expect("sound");
    for (start, sound) in [(10_000, &of_stereo), (11_000, &of_mono)] {
        for writer in [&mut high, &mut low] {
            push_as(writer, sound, start, 5, 0, |part| {
                if let Some(head) = &mut part.head {
                    head.discontinuity = start > 10_000;
                }
            });
            assert_eq!(heard(), "show_720p");
        }
    }
}

/// Pictures and sound of different numbers are waited for, for ever, by who is there already. In MPEG-TS each has its own.
#[test]
fn rungs_that_hear_one_sound_come_back_with_one_number() {
    let both = |writer: &mut Writer, start| {
        list(writer, &[start], 0, 500_000);
        push(writer, &tracks(), start, 5, 0);
    };
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for writer in [&mut high, &mut low] {
        both(writer, 10_000);
    }
    let back = |name: &str, writer: Writer, start| {
        let _vacancy = writer.leave();
        let mut back = begin(&registry, name);
        both(&mut back, start);
        let window = back.presentation().low_latency_window();
        let newest = window.listed().next_back().expect("a segment");
        let parts = newest.discontinuity_sequence;
        let window = back.presentation().window();
        let listed = window.listed().len();
        let newest = window.listed().last().expect("a segment");
        ([newest.discontinuity_sequence, parts], listed, back)
    };
    both(&mut low, 11_000);
    let (numbers, listed, mut high) = back("show_720p", high, 11_000);
    assert_eq!((numbers, listed), ([1, 0], 2));
    both(&mut high, 12_000);
    let (numbers, listed, _low) = back("show_360p", low, 12_000);
    assert_eq!((numbers, listed), ([1, 0], 3));
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
    let text = multivariant(&registry);
    let pictures =
        |line: &&str| line.starts_with("#EXT-X-STREAM-INF:") && line.contains("RESOLUTION=");
    let variants = text.lines().filter(pictures);
    let hearing: Vec<_> = variants
        .map(|line| line.contains("AUDIO=\"audio\""))
        .collect();
    assert_eq!(hearing, [true, true], "{text}");
    assert!(text.contains("URI=\"all-audio.m3u8\""), "{text}");
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
