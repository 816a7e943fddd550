//! Sound beside that of the pictures.

use super::*;

/// From `start` on, as long as told, dated like [`segment`].
pub(super) fn sound(start: i64, lasts: i64, late: i64) -> Segment {
    let mut alone = crate::window::tests::segment(0, lasts);
    alone.start = ms(start);
    alone.date = segment(start, lasts, late, 1).date;
    alone
}

fn text(registry: &Registry) -> String {
    let text = ladder(registry).multivariant(Form::Classic, Place::Folder);
    String::from_utf8(text.expect("a variant").plain().to_vec()).expect("UTF-8")
}

#[test]
fn sound_beside_that_of_the_pictures_is_a_choice_in_one_group() {
    let registry = Registry::new(Settings::default());
    let mut source = begin(&registry, "show");
    let mut second = begin(&registry, "show_audio2");
    let mut first = begin(&registry, "show_audio1");
    list(&mut source, &[0, 2_000], 0, 500_000);
    let text = || text(&registry);
    assert!(!text().contains("EXT-X-MEDIA"), "{}", text());
    assert_eq!(ladder(&registry).awaited(Form::Classic).len(), 2);
    for writer in [&mut first, &mut second] {
        let pushed = writer.push(sound(0, 2_000, 0), Instant::now());
        pushed.expect("owned");
    }
    let german = Label::new(Some("Deutsch"), Some("de"), true);
    first.label(german.clone()).expect("owned");
    second.label(german).expect("owned");
    assert_eq!(
        text(),
        "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show/audio\",NAME=\"audio\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\"
#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../show_audio1/main.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show_audio1\",LANGUAGE=\"de\",NAME=\"Deutsch\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\"
#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../show_audio2/main.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show_audio2\",LANGUAGE=\"de\",NAME=\"Deutsch 3\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\"
#EXT-X-STREAM-INF:BANDWIDTH=2128000,AVERAGE-BANDWIDTH=2128000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30,STABLE-VARIANT-ID=\"show\",AUDIO=\"audio\",CLOSED-CAPTIONS=NONE
main.m3u8
"
    );
    // It is no rung: it has no pictures to be compared.
    assert_eq!(
        ladder(&registry).standings(Form::Classic),
        [Standing::Leads]
    );
    let _vacancy = first.leave();
    assert!(!text().contains("show_audio1"), "{}", text());
}

#[test]
fn sound_that_is_not_on_the_clock_of_the_pictures_is_no_choice() {
    let cases: [(&[i64], i64, bool); 5] = [
        // Cut elsewhere: decoding can begin anywhere.
        (&[11_300, 13_300, 15_300, 17_300], 0, true),
        (&[14_000, 16_000], 900, true),
        (&[14_000, 16_000], 1_100, false),
        (&[0, 2_000], 14_000, false),
        // Its line holds it up.
        (&[4_000, 6_000, 8_000], 0, false),
    ];
    for (starts, late, is_listed) in cases {
        let registry = Registry::new(Settings::default());
        let mut pictures = begin(&registry, "show");
        list(&mut pictures, &[10_000, 12_000, 14_000, 16_000], 0, 500_000);
        let mut beside = begin(&registry, "show_audio1");
        for &start in starts {
            let pushed = beside.push(sound(start, 2_000, late), Instant::now());
            pushed.expect("owned");
        }
        let text = text(&registry);
        assert_eq!(text.contains("show_audio1"), is_listed, "{starts:?} {late}");
        let misfit = beside.adjustment(ms(18_200)).map(|it| (it.misfit, it.next));
        let expected = match is_listed {
            true => None,
            false if late > 0 => Some(Misfit::Clock(ms(late))),
            false => Some(Misfit::Late(ms(8_000))),
        };
        assert_eq!(misfit, Some((expected, ms(20_000))), "{starts:?} {late}");
    }
}

#[test]
fn pictures_that_are_named_as_sound_are_no_choice() {
    let registry = Registry::new(Settings::default());
    let [mut pictures, mut beside] = ["show", "show_audio1"].map(|rung| begin(&registry, rung));
    for writer in [&mut pictures, &mut beside] {
        list(writer, &[10_000, 12_000], 0, 500_000);
    }
    assert!(!text(&registry).contains("show_audio1"));
    let adjustment = beside.adjustment(ms(14_200)).expect("it is no sound");
    assert_eq!(adjustment.misfit, Some(Misfit::Pictures));
}

/// Whichever comes first, the other finds it.
#[test]
fn sound_and_pictures_find_each_other() {
    for [first, second] in [["show", "show_audio1"], ["show_audio1", "show"]] {
        let registry = Registry::new(Settings::default());
        let mut there = begin(&registry, first);
        let long = match first {
            "show" => segment(10_000, 4_000, 0, 500_000),
            _ => sound(10_000, 4_000, 0),
        };
        let anchor = Anchor {
            at: long.start,
            date: long.date,
        };
        there.push(long, Instant::now()).expect("owned");
        let comes = begin(&registry, second);
        let grid = comes.ladder_grid().expect("one is there");
        assert_eq!((grid.origin, grid.step), (anchor, ms(4_000)), "{first}");
        let target = comes.target_duration();
        assert_eq!(target.is_some(), first == "show", "sound keeps to pictures");
    }
}

/// Lines of a tag.
fn tags<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(tag)).collect()
}

/// One publishes pictures alone, to save bits: viewers who go there go on hearing.
#[test]
fn a_rung_without_sound_has_that_of_another() {
    let registry = Registry::new(Settings::default());
    let mut with = begin(&registry, "show_720p");
    let mut without = begin(&registry, "show_360p");
    let mut whole = segment(0, 2_000, 0, 500_000);
    whole.ts.packed_audio = 32_000;
    with.push(whole, Instant::now()).expect("owned");
    let mut silent = segment(0, 2_000, 0, 200_000);
    silent.tracks = silent.tracks[..1].into();
    silent.units.retain(|unit| unit.track == 0);
    without.push(silent, Instant::now()).expect("owned");
    let text = text(&registry);
    assert_eq!(
        tags(&text, "#EXT-X-MEDIA:"),
        [
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show_720p/audio\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\"",
            "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../show_720p/sound.m3u8\",GROUP-ID=\"audio-2\",STABLE-RENDITION-ID=\"show_720p/audio\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\"",
        ],
        "{text}"
    );
    let variants = tags(&text, "#EXT-X-STREAM-INF:");
    let [high, low, alone] = variants[..] else {
        panic!("{text}");
    };
    assert!(high.contains("BANDWIDTH=2000000,") && high.contains("AUDIO=\"audio\""));
    // 200 000 bytes of pictures, and 32 000 of sound.
    assert!(low.contains("BANDWIDTH=928000,") && low.contains("AUDIO=\"audio-2\""));
    assert!(low.contains("CODECS=\"avc1.64001f,mp4a.40.2\""), "{low}");
    assert!(alone.contains("AUDIO=\"audio\""), "{alone}");
}

/// The only sound is that of a rung that has nothing else.
#[test]
fn a_rung_without_sound_hears_a_rung_of_sound() {
    let registry = Registry::new(Settings::default());
    let [mut alone, mut silent] = ["show", "show_360p"].map(|rung| begin(&registry, rung));
    let pushed = alone.push(sound(0, 2_000, 0), Instant::now());
    pushed.expect("owned");
    let mut pictures = segment(0, 2_000, 0, 200_000);
    pictures.tracks = pictures.tracks[..1].into();
    pictures.units.retain(|unit| unit.track == 0);
    silent.push(pictures, Instant::now()).expect("owned");
    let text = text(&registry);
    let heard = "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"main.m3u8\",GROUP-ID=\"audio-2\"";
    assert!(text.contains(heard), "{text}");
}

/// Pictures from 10 s on, and sound beside them, which list so much.
fn sound_beside(registry: &Registry) -> [Writer; 2] {
    let [mut pictures, mut beside] = ["show", "show_audio1"].map(|rung| begin(registry, rung));
    list(&mut pictures, &[10_000, 12_000], 0, 500_000);
    for start in [10_000, 12_000] {
        let pushed = beside.push(sound(start, 2_000, 0), Instant::now());
        pushed.expect("owned");
    }
    [pictures, beside]
}

/// Players look for pictures of the discontinuity that sound is of, and wait for them.
#[test]
fn sound_of_another_discontinuity_than_the_pictures_is_no_choice() {
    let registry = Registry::new(Settings::default());
    let [mut pictures, mut beside] = sound_beside(&registry);
    assert!(text(&registry).contains("show_audio1"));
    let mut broken = sound(14_000, 2_000, 0);
    broken.discontinuity = true;
    beside.push(broken, Instant::now()).expect("owned");
    // The pictures have nothing there yet.
    assert!(text(&registry).contains("show_audio1"));
    list(&mut pictures, &[14_000], 0, 500_000);
    assert!(!text(&registry).contains("show_audio1"));
    let misfit = beside
        .adjustment(ms(16_200))
        .and_then(|it| it.misfit)
        .expect("it is ahead");
    assert_eq!(misfit, Misfit::Discontinuities(1, 0));
    let mut broken = segment(16_000, 2_000, 0, 500_000);
    broken.discontinuity = true;
    pictures.push(broken, Instant::now()).expect("owned");
    let pushed = beside.push(sound(16_000, 2_000, 0), Instant::now());
    pushed.expect("owned");
    assert!(text(&registry).contains("show_audio1"));
}

/// It goes on with higher numbers, behind as many discontinuities as the pictures.
#[test]
fn sound_that_comes_back_alone_is_a_choice_again() {
    let registry = Registry::new(Settings::default());
    let [mut pictures, beside] = sound_beside(&registry);
    let before = beside.presentation().window();
    let _vacancy = beside.leave();
    list(&mut pictures, &[14_000], 0, 500_000);
    let mut again = begin(&registry, "show_audio1");
    list(&mut pictures, &[16_000], 0, 500_000);
    let pushed = again.push(sound(16_000, 2_000, 0), Instant::now());
    pushed.expect("owned");
    assert!(text(&registry).contains("show_audio1"));
    let [before, after] = [&before, &again.presentation().window()].map(|window| {
        let last = window.listed().last().expect("listed");
        (last.sequence, last.discontinuity_sequence)
    });
    assert!(after.0 > before.0, "{after:?} behind {before:?}");
    assert_eq!(after.1, 0);
}
