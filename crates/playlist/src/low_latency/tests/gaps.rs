//! Parts, and segments, in which a rendition has nothing.

use super::*;

#[test]
fn sound_that_is_missing_is_a_gap() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.tracks = Arc::from([video(0xc0)]);
    let mut silent = part(1_000, 200, Some(head(1_000, &bench.tracks)));
    silent.sizes.audio = None;
    bench.push(silent);
    let behind_the_first = |bench: &Bench| {
        let text = bench.text(Rendition::Audio, Playlist::Full);
        let (_, gap) = text
            .split_once("audio-0.m4s?epoch=EPOCH\n")
            .expect("the first");
        gap.to_owned()
    };
    assert_eq!(
        behind_the_first(&bench),
        "\
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-1.1.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=1,LAST-PART=0
"
    );
    bench.close(1_200);
    assert_eq!(
        behind_the_first(&bench),
        "\
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.0.m4s?epoch=EPOCH\",GAP=YES
#EXT-X-GAP
#EXTINF:0.200,
audio-1.m4s?epoch=EPOCH
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-2.0.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=1,LAST-PART=0
"
    );
}

#[test]
fn a_gap_is_listed_once_a_part_follows() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.open(0, 2);
    let audio_parts = |bench: &Bench| {
        let text = bench.text(Rendition::Audio, Playlist::Full);
        let parts = text.lines().filter(|line| line.starts_with("#EXT-X-PART:"));
        let parts = parts.filter_map(|line| line.split_once("audio-0."));
        let parts: Vec<String> = parts
            .map(|(_, part)| part.replace("?epoch=EPOCH", ""))
            .collect();
        parts
    };
    let next = bench.window().next_sequence();
    let standing = |bench: &Bench, rendition, part| {
        bench
            .window()
            .standing_in(rendition, Position::of_part(next, part))
    };
    let before = ["0.m4s\",INDEPENDENT=YES", "1.m4s\",INDEPENDENT=YES"];
    for at in [400, 600] {
        let mut silent = part(at, 200, None);
        silent.sizes.audio = None;
        bench.push(silent);
        let parts = audio_parts(&bench);
        assert_eq!(parts, before);
        assert_eq!(standing(&bench, Rendition::Audio, 2), Standing::Coming);
        assert_eq!(standing(&bench, Rendition::Video, 2), Standing::There);
    }
    let text = bench.text(Rendition::Video, Playlist::Full);
    assert!(
        text.ends_with("audio.m3u8\",LAST-MSN=0,LAST-PART=1\n"),
        "{text}"
    );
    bench.push(part(800, 200, None));
    assert_eq!(
        audio_parts(&bench),
        [
            before[0],
            before[1],
            "2.m4s\",GAP=YES",
            "3.m4s\",GAP=YES",
            "4.m4s\",INDEPENDENT=YES",
        ]
    );
    assert_eq!(standing(&bench, Rendition::Audio, 2), Standing::There);
}

/// An encoder that has come back without sound: who plays goes on, and who begins is told of pictures alone.
#[test]
fn a_rendition_of_gaps_alone_is_not_offered() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    let offers_sound = |bench: &Bench| {
        let window = bench.window();
        let text = window.multivariant(crate::Label::default).plain();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(text.contains("mp4a"), text.contains("TYPE=AUDIO"), "{text}");
        text.contains("mp4a")
    };
    let silent = |bench: &mut Bench, at: i64| {
        let mut head = head(at, &bench.tracks);
        head.discontinuity = at == 1_000;
        let mut part = part(at, 200, Some(head));
        part.sizes.audio = None;
        bench.push(part);
    };
    silent(&mut bench, 1_000);
    // It may come yet.
    assert!(offers_sound(&bench));
    bench.close(1_200);
    silent(&mut bench, 2_000);
    assert!(!offers_sound(&bench));
    let text = bench.text(Rendition::Audio, Playlist::Full);
    assert!(text.contains("GAP=YES"), "{text}");
    bench.close(2_200);
    bench.segment(3_000);
    assert!(offers_sound(&bench));
}

/// An encoder that is stopped has often sent less sound than picture.
#[test]
fn a_complete_segment_ends_with_the_last_part_that_is_there() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.open(0, 4);
    let mut last = part(800, 100, None);
    last.sizes.audio = None;
    last.is_last = true;
    let next = bench.window().next_sequence();
    bench.push(last);
    // Who waits for the gap learns that the segment is complete, and asks for the next.
    for (at, expected) in [
        (Position::of_part(next, 4), Standing::There),
        (Position::of_part(next, 5), Standing::Coming),
        (Position::of_part(next + 1, 0), Standing::Coming),
    ] {
        let standing = bench.window().standing_in(Rendition::Audio, at);
        assert_eq!(standing, expected, "{at:?}");
    }
    let text = bench.text(Rendition::Audio, Playlist::Full);
    assert_eq!(text.matches("#EXT-X-PART:").count(), 4);
    assert!(!text.contains("GAP"), "{text}");
    assert!(
        text.contains(
            "audio-0.3.m4s?epoch=EPOCH\",INDEPENDENT=YES\n#EXTINF:0.900,\naudio-0.m4s?epoch=EPOCH\n"
        ),
        "{text}"
    );
    let text = bench.text(Rendition::Video, Playlist::Full);
    assert_eq!(text.matches("#EXT-X-PART:").count(), 5);
    assert!(
        text.ends_with("audio.m3u8\",LAST-MSN=0,LAST-PART=3\n"),
        "{text}"
    );
}

#[test]
fn a_track_that_pauses_for_long_keeps_its_playlist() {
    let mut bench = Bench::new(LowLatency::default(), 3);
    bench.segment(0);
    bench.tracks = Arc::from([video(0xc0)]);
    for at in 1..20 {
        let mut silent = part(at * 1_000, 1_000, Some(head(at * 1_000, &bench.tracks)));
        silent.sizes.audio = None;
        bench.push(silent);
        bench.close((at + 1) * 1_000);
    }
    let window = bench.window();
    assert_eq!(window.renditions(), [Rendition::Video, Rendition::Audio]);
    let text = bench.text(Rendition::Audio, Playlist::Full);
    assert!(
        text.contains("#EXT-X-MAP:URI=\"audio-0.mp4?epoch=EPOCH\"\n"),
        "{text}"
    );
    assert!(
        !text.contains("INDEPENDENT=YES"),
        "all of it is gaps: {text}"
    );
    assert!(window.section(Rendition::Audio, bench.first).is_some());
    // Who begins now would look for more than gaps in vain.
    let multivariant = window.multivariant(crate::Label::default).plain();
    let multivariant = std::str::from_utf8(&multivariant).expect("UTF-8");
    assert!(multivariant.contains("\"avc1.64001f\""), "{multivariant}");
}
