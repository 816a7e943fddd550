//! Whole playlists, one for each combination of tags.

use super::*;

const RANGES: LowLatency = LowLatency {
    packaging: Packaging::Separate,
    addressing: Addressing::Ranges,
};

#[test]
fn ranges_of_pictures_and_of_sound_apart() {
    let mut bench = Bench::new(RANGES, 6);
    bench.open(0, 3);
    bench.close(600);
    bench.open(600, 2);
    assert_eq!(
        bench.text(Rendition::Video, Playlist::Full),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"video-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@1000\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@2000\"
#EXTINF:0.600,
video-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.600Z
#EXT-X-PART:DURATION=0.200,URI=\"video-1.m4s?epoch=EPOCH\",BYTERANGE=\"1000@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-1.m4s?epoch=EPOCH\",BYTERANGE=\"1000@1000\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-1.m4s?epoch=EPOCH\",BYTERANGE-START=2000
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=1,LAST-PART=1
"
    );
    assert_eq!(
        bench.text(Rendition::Audio, Playlist::Full),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"audio-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.m4s?epoch=EPOCH\",BYTERANGE=\"100@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.m4s?epoch=EPOCH\",BYTERANGE=\"100@100\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.m4s?epoch=EPOCH\",BYTERANGE=\"100@200\",INDEPENDENT=YES
#EXTINF:0.600,
audio-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.600Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.m4s?epoch=EPOCH\",BYTERANGE=\"100@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.m4s?epoch=EPOCH\",BYTERANGE=\"100@100\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-1.m4s?epoch=EPOCH\",BYTERANGE-START=200
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=1,LAST-PART=1
"
    );
}

/// No init section is named: it stands with what is skipped.
#[test]
fn a_delta_update() {
    let mut bench = Bench::new(LowLatency::default(), 20);
    for at in 0..8 {
        bench.segment(at * 1_000);
    }
    bench.open(8_000, 1);
    assert_eq!(
        bench.text(Rendition::Audio, Playlist::Delta),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-SKIP:SKIPPED-SEGMENTS=2
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:02.000Z
#EXTINF:1.000,
audio-2.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:03.000Z
#EXTINF:1.000,
audio-3.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:04.000Z
#EXTINF:1.000,
audio-4.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:05.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-5.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-5.1.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-5.2.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-5.3.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-5.4.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:1.000,
audio-5.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:06.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-6.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-6.1.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-6.2.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-6.3.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-6.4.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:1.000,
audio-6.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:07.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-7.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-7.1.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-7.2.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-7.3.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-7.4.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:1.000,
audio-7.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:08.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-8.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-8.1.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=8,LAST-PART=0
"
    );
}

/// What was open is complete, nothing is hinted at, and nothing can be waited for.
#[tokio::test(start_paused = true)]
async fn an_ended_playlist() {
    let mut bench = Bench::new(RANGES, 6);
    bench.segment(0);
    bench.open(1_000, 1);
    let mut silent = part(1_200, 200, None);
    silent.sizes.audio = None;
    bench.push(silent);
    let presentation = bench.writer.presentation().clone();
    let first = bench.first;
    bench.writer.leave().expire().await;
    let window = presentation.low_latency_window();
    let of = |rendition| {
        for form in [Playlist::Full, Playlist::Delta] {
            let text = window
                .playlist(rendition, form, crate::Beside::default)
                .plain();
            let text = std::str::from_utf8(&text).expect("UTF-8");
            assert_eq!(text.matches("#EXT-X-ENDLIST").count(), 1, "{form:?}");
        }
        let text = window
            .playlist(rendition, Playlist::Full, crate::Beside::default)
            .plain();
        let text = String::from_utf8(text.to_vec()).expect("UTF-8");
        plain(&text, presentation.epoch(), first)
    };
    assert_eq!(
        of(Rendition::Video),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"video-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@1000\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@2000\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@3000\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.m4s?epoch=EPOCH\",BYTERANGE=\"1000@4000\"
#EXTINF:1.000,
video-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-1.m4s?epoch=EPOCH\",BYTERANGE=\"1000@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-1.m4s?epoch=EPOCH\",BYTERANGE=\"1000@1000\"
#EXTINF:0.400,
video-1.m4s?epoch=EPOCH
#EXT-X-ENDLIST
"
    );
    let audio = of(Rendition::Audio);
    let (_, open) = audio
        .split_once("audio-0.m4s?epoch=EPOCH\n")
        .expect("the first");
    assert_eq!(
        open,
        "\
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.m4s?epoch=EPOCH\",BYTERANGE=\"100@0\",INDEPENDENT=YES
#EXTINF:0.400,
audio-1.m4s?epoch=EPOCH
#EXT-X-ENDLIST
"
    );
    for segment in [0, first, first + 2, first + 9, u64::MAX] {
        for part in [None, Some(0), Some(u64::MAX)] {
            let at = Position { segment, part };
            let standing = window.standing_in(Rendition::Audio, at);
            assert_eq!(standing, Standing::There, "{at:?}");
        }
    }
}

/// Only what has changed has a new init section.
#[test]
fn a_discontinuity_with_a_new_init_section() {
    let mut bench = Bench::new(LowLatency::default(), 3);
    bench.open(0, 2);
    bench.close(400);
    bench.tracks = Arc::from([video(0xc1), audio()]);
    for at in [400, 800] {
        let mut changed = part(at, 400, Some(head(at, &bench.tracks)));
        changed.head.as_mut().expect("the first").discontinuity = at == 400;
        bench.push(changed);
        if at == 400 {
            bench.close(800);
        }
    }
    assert_eq!(
        bench.text(Rendition::Video, Playlist::Full),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"video-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-0.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-0.1.m4s?epoch=EPOCH\"
#EXTINF:0.400,
video-0.m4s?epoch=EPOCH
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"video-1.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.400Z
#EXT-X-PART:DURATION=0.400,URI=\"video-1.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:0.400,
video-1.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.800Z
#EXT-X-PART:DURATION=0.400,URI=\"video-2.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-2.1.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=2,LAST-PART=0
"
    );
    let audio = bench.text(Rendition::Audio, Playlist::Full);
    let (_, media) = audio.split_once("SEQUENCE:0\n#EXT-X-MAP").expect("a map");
    assert_eq!(
        media,
        "\
:URI=\"audio-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.1.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:0.400,
audio-0.m4s?epoch=EPOCH
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.400Z
#EXT-X-PART:DURATION=0.400,URI=\"audio-1.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:0.400,
audio-1.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.800Z
#EXT-X-PART:DURATION=0.400,URI=\"audio-2.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-2.1.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=2,LAST-PART=0
"
    );
}

/// It counts the tags that are gone, not the one that still stands in front.
#[test]
fn a_discontinuity_that_leaves_is_counted() {
    let mut bench = Bench::new(LowLatency::default(), 3);
    bench.segment(0);
    bench.tracks = Arc::from([video(0xc1), audio()]);
    let mut fronts = Vec::new();
    for at in 1..8 {
        let mut first = part(at * 1_000, 1_000, Some(head(at * 1_000, &bench.tracks)));
        first.head.as_mut().expect("the first").discontinuity = at == 1;
        first.is_last = true;
        bench.push(first);
        let text = bench.text(Rendition::Video, Playlist::Full);
        let (_, front) = text.split_once("SEQUENCE:").expect("a number");
        fronts.push(front.lines().take(4).collect::<Vec<_>>().join("\n"));
    }
    fronts.dedup();
    assert_eq!(
        fronts[..3],
        [
            "\
0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"video-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z",
            "\
1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"video-1.mp4?epoch=EPOCH\"",
            "\
2
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-MAP:URI=\"video-1.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:02.000Z",
        ]
    );
}

/// A gap with sound behind it is listed, in an open segment and in a complete one; one at the end is not.
#[test]
fn gaps_of_sound_at_the_front_in_the_middle_and_at_the_end() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    for (start, sounds) in [
        (0, [true, false, true, false]),
        (800, [false, true, false, true]),
    ] {
        for (n, sound) in (0..).zip(sounds) {
            let at = start + 200 * n;
            let mut next = part(at, 200, (n == 0).then(|| head(at, &bench.tracks)));
            next.sizes.audio = sound.then_some(100);
            next.is_last = start == 0 && n == 3;
            bench.push(next);
        }
    }
    assert_eq!(
        bench.text(Rendition::Audio, Playlist::Full),
        "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"audio-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.1.m4s?epoch=EPOCH\",GAP=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-0.2.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXTINF:0.800,
audio-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.800Z
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.0.m4s?epoch=EPOCH\",GAP=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.1.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.2.m4s?epoch=EPOCH\",GAP=YES
#EXT-X-PART:DURATION=0.200,URI=\"audio-1.3.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"audio-1.4.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"video.m3u8\",LAST-MSN=1,LAST-PART=3
"
    );
}
