//! Whole playlists, and what readers may rely on while a window grows.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use media::codec::{Aac, H264};
use media::{
    AccessUnit, CaptionService, Captions, Codec, Head, MediaTime, Part, PresentationName,
    Rendition, Sizes, Track,
};
use proptest::prelude::*;

use super::{Addressing, LowLatency, LowLatencyWindow, Packaging, Playlist, Position, Standing};
use crate::window::tests::AVC;
use crate::{Registry, Settings, Terms, Writer};

mod date_ranges;
mod edge;
mod gaps;
mod i_frames;
mod manifest;
mod texts;

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn video(last: u8) -> Track {
    let mut record = AVC.to_vec();
    *record.last_mut().expect("bytes") = last;
    Track {
        codec: Codec::H264(H264::parse(record.into()).expect("x264")),
    }
}

fn audio() -> Track {
    Track {
        codec: Codec::Aac(Aac::parse(vec![0x11, 0x90].into()).expect("AAC LC")),
    }
}

fn both() -> Arc<[Track]> {
    Arc::from([video(0xc0), audio()])
}

fn head(start: i64, tracks: &Arc<[Track]>) -> Head {
    let start = u64::try_from(start).expect("positive");
    Head {
        tracks: tracks.clone(),
        date: UNIX_EPOCH + Duration::from_secs(1_795_392_000) + Duration::from_millis(start),
        discontinuity: false,
        independent: true,
    }
}

/// A part from `start`, milliseconds: 1 000 bytes of pictures and 100 of sound.
fn part(start: i64, lasts: i64, head: Option<Head>) -> Part {
    Part {
        independent: head.is_some(),
        head,
        events: Vec::new(),
        units: vec![AccessUnit {
            track: 0,
            dts: ms(start),
            composition: MediaTime::ZERO,
            random_access: true,
            payload: vec![0; 4].into(),
        }],
        start: ms(start),
        duration: ms(lasts),
        next_dts: Some(ms(start + lasts)),
        is_last: false,
        target: ms(218),
        captions: Captions::NONE,
        sizes: Sizes {
            video: Some(1_000),
            audio: Some(100),
            muxed: Some(1_080),
        },
    }
}

fn name() -> PresentationName {
    PresentationName::parse("live", "show").expect("valid")
}

struct Bench {
    writer: Writer,
    begun: Instant,
    tracks: Arc<[Track]>,
    /// The number of its first segment.
    first: u64,
}

impl Bench {
    fn new(low_latency: LowLatency, window: usize) -> Self {
        let registry = Registry::new(Settings {
            low_latency,
            window,
            segment: ms(1_000),
            ..Settings::default()
        });
        Self::on(&registry)
    }

    fn on(registry: &Registry) -> Self {
        let now = Instant::now();
        let terms = Terms::default();
        let writer = registry.publish(&name(), &terms, now).expect("free");
        Self {
            first: writer.presentation().low_latency_window().next_sequence(),
            writer,
            begun: now,
            tracks: both(),
        }
    }

    fn push(&mut self, part: Part) {
        let after = (part.start + part.duration).to_duration();
        self.writer
            .push_part(part, self.begun + after)
            .expect("owned");
    }

    fn close(&mut self, at: i64) {
        let after = Duration::from_millis(u64::try_from(at).expect("positive"));
        self.writer
            .close_segment(self.begun + after)
            .expect("owned");
    }

    /// A whole segment from `start` on: five parts of 200 ms.
    fn segment(&mut self, start: i64) {
        self.open(start, 5);
        self.close(start + 1_000);
    }

    fn open(&mut self, start: i64, parts: i64) {
        for n in 0..parts {
            let head = (n == 0).then(|| head(start, &self.tracks));
            self.push(part(start + n * 200, 200, head));
        }
    }

    fn window(&self) -> Arc<LowLatencyWindow> {
        self.writer.presentation().low_latency_window()
    }

    /// A playlist with what differs from run to run written as `EPOCH` and numbers counted from 0.
    fn text(&self, rendition: Rendition, form: Playlist) -> String {
        let window = self.window();
        let text = window
            .playlist(rendition, form, crate::Beside::default)
            .plain();
        let text = String::from_utf8(text.to_vec()).expect("UTF-8");
        self.plain(&text)
    }

    fn plain(&self, text: &str) -> String {
        plain(text, self.writer.presentation().epoch(), self.first)
    }
}

fn plain(text: &str, epoch: u32, first: u64) -> String {
    let mut text = text.replace(&format!("{epoch:08x}"), "EPOCH");
    for n in (0..40).rev() {
        text = text.replace(&(first + n).to_string(), &n.to_string());
    }
    text
}

#[test]
fn a_playlist_with_an_open_segment() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.open(1_000, 2);
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
#EXT-X-PART:DURATION=0.200,URI=\"video-0.2.m4s?epoch=EPOCH\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.3.m4s?epoch=EPOCH\"
#EXT-X-PART:DURATION=0.200,URI=\"video-0.4.m4s?epoch=EPOCH\"
#EXTINF:1.000,
video-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-1.0.m4s?epoch=EPOCH\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"video-1.1.m4s?epoch=EPOCH\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-1.2.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=1,LAST-PART=1
"
    );
}

/// A reader may be as fast as to see the last part before the segment is complete.
#[test]
fn a_segment_that_was_read_while_it_was_open_is_listed_whole_when_it_is_complete() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.open(0, 5);
    let open = bench.text(Rendition::Video, Playlist::Full);
    assert!(!open.contains("EXTINF"), "{open}");
    bench.close(1_000);
    let whole = bench.text(Rendition::Video, Playlist::Full);
    assert!(
        whole.contains("\n#EXTINF:1.000,\nvideo-0.m4s?epoch=EPOCH\n"),
        "{whole}"
    );
}

#[test]
fn an_open_segment_without_a_key_frame_takes_the_promise_back() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    let promised = |bench: &Bench| {
        let text = bench.text(Rendition::Video, Playlist::Full);
        text.contains("#EXT-X-INDEPENDENT-SEGMENTS\n")
    };
    assert!(promised(&bench));
    let mut dependent = part(1_000, 200, Some(head(1_000, &bench.tracks)));
    dependent.head.as_mut().expect("the first").independent = false;
    bench.push(dependent);
    assert!(!promised(&bench));
}

#[test]
fn parts_as_ranges_of_their_segment_all_tracks_in_one() {
    let style = LowLatency {
        packaging: Packaging::Muxed,
        addressing: Addressing::Ranges,
    };
    let mut bench = Bench::new(style, 6);
    bench.open(0, 2);
    let text = bench.text(Rendition::Muxed, Playlist::Full);
    let (_, media) = text.split_once("#EXT-X-MAP").expect("a map");
    assert_eq!(
        media,
        "\
:URI=\"muxed-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXT-X-PART:DURATION=0.200,URI=\"muxed-0.m4s?epoch=EPOCH\",BYTERANGE=\"1080@0\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200,URI=\"muxed-0.m4s?epoch=EPOCH\",BYTERANGE=\"1080@1080\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"muxed-0.m4s?epoch=EPOCH\",BYTERANGE-START=2160
"
    );
    bench.open(200, 0);
    bench.close(400);
    let text = bench.text(Rendition::Muxed, Playlist::Full);
    assert!(
        text.ends_with("URI=\"muxed-1.m4s?epoch=EPOCH\",BYTERANGE-START=0\n"),
        "{text}"
    );
}

#[test]
fn another_configuration_has_an_init_section_of_its_own_and_sound_keeps_its_own() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.tracks = Arc::from([video(0xc1), audio()]);
    let mut changed = part(1_000, 200, Some(head(1_000, &bench.tracks)));
    changed.head.as_mut().expect("the first").discontinuity = true;
    bench.push(changed);
    let text = bench.text(Rendition::Video, Playlist::Full);
    assert!(
        text.contains(
            "video-0.m4s?epoch=EPOCH\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"video-1.mp4?epoch=EPOCH\"\n#EXT-X-PROGRAM"
        ),
        "{text}"
    );
    let text = bench.text(Rendition::Audio, Playlist::Full);
    assert!(
        text.contains("audio-0.m4s?epoch=EPOCH\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM"),
        "{text}"
    );
    let window = bench.window();
    let first = window.all().next().expect("listed").sequence;
    assert!(window.section(Rendition::Video, first + 1).is_some());
    assert!(window.section(Rendition::Audio, first + 1).is_none());
}

#[test]
fn a_delta_update_skips_what_is_six_target_durations_from_the_edge() {
    let mut bench = Bench::new(LowLatency::default(), 20);
    for at in 0..9 {
        bench.segment(at * 1_000);
    }
    let full = bench.text(Rendition::Video, Playlist::Full);
    let delta = bench.text(Rendition::Video, Playlist::Delta);
    let (header, rest) = delta
        .split_once("#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n")
        .expect("skipped");
    assert!(full.starts_with(header), "{delta}");
    assert!(
        full.ends_with(rest) && rest.starts_with("#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:03")
    );
    // Parts of those that end within three target durations are listed.
    assert!(
        !rest.contains("video-5.0.m4s?epoch=EPOCH") && rest.contains("video-6.0.m4s?epoch=EPOCH")
    );
}

#[test]
fn the_multivariant_playlist_has_a_group_for_sound() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    let text = bench.window().multivariant(crate::Label::default).plain();
    assert_eq!(
        std::str::from_utf8(&text).expect("UTF-8"),
        "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,URI=\"audio.m3u8\",GROUP-ID=\"audio\",STABLE-RENDITION-ID=\"show/audio\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\"
#EXT-X-STREAM-INF:BANDWIDTH=43200,AVERAGE-BANDWIDTH=43200,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=5,STABLE-VARIANT-ID=\"show\",AUDIO=\"audio\",CLOSED-CAPTIONS=NONE
video.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=8000,AVERAGE-BANDWIDTH=8000,CODECS=\"avc1.64001f\",RESOLUTION=1280x720,STABLE-VARIANT-ID=\"show/iframes\",URI=\"video-iframes.m3u8\"
"
    );
}

#[test]
fn captions_are_announced_with_the_first_part_and_stay() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    let cc1 = [CaptionService::Cc1].into_iter().collect();
    let first = Part {
        captions: cc1,
        ..part(0, 200, Some(head(0, &both())))
    };
    bench.push(first);
    for n in 1..5 {
        bench.push(Part {
            is_last: n == 4,
            ..part(200 * n, 200, None)
        });
    }
    bench.segment(1_000);
    let text = bench.window().multivariant(crate::Label::default).plain();
    let text = std::str::from_utf8(&text).expect("UTF-8");
    assert!(
        text.contains(
            "\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC1\",INSTREAM-ID=\"CC1\"\n"
        ) && text.contains(",AUDIO=\"audio\",CLOSED-CAPTIONS=\"cc\"\n"),
        "{text}"
    );
    assert_eq!(bench.writer.presentation().captions(), cc1);
}

#[test]
fn what_may_be_asked_for() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.open(1_000, 2);
    let window = bench.window();
    let open = window.next_sequence();
    let cases = [
        (open - 7, None, Standing::There),
        (open - 1, None, Standing::There),
        (open, None, Standing::Coming),
        (open + 1, None, Standing::Coming),
        (open + 2, None, Standing::TooFar),
        (open - 1, Some(4), Standing::There),
        // Behind the last part of a segment comes the first of the next, which is there.
        (open - 1, Some(5), Standing::There),
        (open - 1, Some(500), Standing::There),
        (open, Some(1), Standing::There),
        (open, Some(2), Standing::Coming),
        // Three seconds ahead.
        (open, Some(2 + 12), Standing::Coming),
        (open, Some(2 + 13), Standing::TooFar),
        (open + 1, Some(0), Standing::Coming),
        (open + 2, Some(0), Standing::TooFar),
        (u64::MAX, Some(u64::MAX), Standing::TooFar),
    ];
    for (segment, part, expected) in cases {
        let at = Position { segment, part };
        assert_eq!(window.standing(at), expected, "{at:?}, open is {open}");
    }
    bench.close(1_400);
    let behind = Position {
        segment: open,
        part: Some(2),
    };
    assert_eq!(bench.window().standing(behind), Standing::Coming);
}

#[test]
fn a_publish_that_takes_over_completes_what_the_other_left_open() {
    let registry = Registry::new(Settings::default());
    let mut first = Bench::on(&registry);
    first.open(0, 3);
    let mut second = Bench::on(&registry);
    second.open(10_000, 1);
    let window = second.window();
    let numbers: Vec<_> = window
        .all()
        .map(|segment| (segment.parts.len(), segment.head.discontinuity))
        .collect();
    assert_eq!(numbers, [(3, false), (1, true)]);
    let late = part(600, 200, None);
    assert!(first.writer.push_part(late, first.begun).is_err());
    assert!(first.writer.close_segment(first.begun).is_ok());
    assert_eq!(second.window().all().count(), 2, "nothing of it comes in");
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_over_ends_the_playlist_and_wakes_who_waits() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.open(1_000, 2);
    let presentation = bench.writer.presentation().clone();
    let mut windows = presentation.low_latency_windows();
    assert_eq!(presentation.low_latency_followers(), 1);
    let waiting = tokio::spawn(async move {
        let ended = windows.wait_for(|window| window.is_ended()).await;
        ended.is_ok()
    });
    bench.writer.leave().expire().await;
    assert!(waiting.await.expect("it waits"));
    assert_eq!(presentation.low_latency_followers(), 0);
    let window = presentation.low_latency_window();
    let text = window
        .playlist(Rendition::Video, Playlist::Full, crate::Beside::default)
        .plain();
    let text = std::str::from_utf8(&text).expect("UTF-8");
    assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    assert!(!text.contains("PRELOAD-HINT") && !text.contains("RENDITION-REPORT"));
    assert!(text.contains("#EXTINF:0.400,"), "what was open is complete");
}

proptest! {
    /// Whatever is pushed, a player that merges delta updates has what a full playlist says, numbers rise by what is
    /// removed, and what was listed stays as it was.
    #[test]
    fn a_player_that_follows_is_never_misled(
        lengths in proptest::collection::vec((1_i64..7, any::<bool>()), 1..30), window in 3_usize..12,
    ) {
        let mut bench = Bench::new(LowLatency::default(), window);
        let mut at = 0;
        let mut seen: Vec<(u64, String)> = Vec::new();
        for (parts, discontinuity) in lengths {
            for n in 0..parts {
                let mut first = (n == 0).then(|| head(at, &bench.tracks));
                if let Some(head) = &mut first {
                    head.discontinuity = discontinuity && at > 0;
                }
                bench.push(part(at, 200, first));
                at += 200;
                check(&bench.window(), &mut seen)?;
            }
            bench.close(at);
            check(&bench.window(), &mut seen)?;
        }
    }
}

/// Each listed segment by number with its EXTINF and URI lines.
fn entries(text: &str) -> Vec<(u64, String)> {
    let tag = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a header").parse::<u64>().expect("a number")
    };
    let sequence = tag("#EXT-X-MEDIA-SEQUENCE:");
    let mut listed = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#EXTINF") {
            let uri = lines.next().expect("a URI");
            listed.push((sequence + listed.len() as u64, format!("{line}{uri}")));
        }
    }
    listed
}

fn check(window: &LowLatencyWindow, seen: &mut Vec<(u64, String)>) -> Result<(), TestCaseError> {
    let text = |form| {
        let text = window
            .playlist(Rendition::Video, form, crate::Beside::default)
            .plain();
        String::from_utf8(text.to_vec()).expect("UTF-8")
    };
    let (full, delta) = (text(Playlist::Full), text(Playlist::Delta));
    let listed = entries(&full);
    for (number, lines) in &listed {
        match seen.iter().find(|(other, _)| other == number) {
            Some((_, before)) => prop_assert_eq!(before, lines),
            None => seen.push((*number, lines.clone())),
        }
    }
    if let Some((header, rest)) = delta.split_once("#EXT-X-SKIP:SKIPPED-SEGMENTS=") {
        let (count, rest) = rest.split_once('\n').expect("a line");
        let skipped: usize = count.parse().expect("a number");
        prop_assert!(skipped > 0 && full.starts_with(header) && full.ends_with(rest));
        let kept = rest.matches("#EXTINF").count();
        prop_assert_eq!(skipped + kept, listed.len());
    } else {
        prop_assert_eq!(&full, &delta);
    }
    prop_assert_eq!(full.matches("#EXT-X-PRELOAD-HINT").count(), 1);
    let numbers: Vec<u64> = window.all().map(|segment| segment.sequence).collect();
    prop_assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    Ok(())
}

#[test]
fn a_segment_is_complete_with_its_last_part_and_not_a_moment_later() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.open(0, 4);
    let mut last = part(800, 120, None);
    last.is_last = true;
    bench.push(last);
    let text = bench.text(Rendition::Video, Playlist::Full);
    let (_, end) = text
        .split_once("video-0.4.m4s?epoch=EPOCH\"\n")
        .expect("the last part");
    assert_eq!(
        end,
        "\
#EXTINF:0.920,
video-0.m4s?epoch=EPOCH
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-1.0.m4s?epoch=EPOCH\"
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=0,LAST-PART=4
"
    );
}

#[test]
fn a_segment_too_large_ends_its_own_publish_and_no_other() {
    let registry = Registry::new(Settings {
        // Seven parts of 132 bytes.
        listed_bytes: 7 * 132,
        segment: ms(1_000),
        ..Settings::default()
    });
    let mut first = Bench::on(&registry);
    first.segment(0);
    first.open(1_000, 4);
    let mut last = part(1_800, 200, None);
    last.is_last = true;
    let too_large = first.writer.push_part(last, first.begun);
    assert!(matches!(too_large, Err(crate::PushError::TooLarge { .. })));
    let window = first.window();
    assert_eq!(window.listed().count(), 1, "it is gone");
    assert!(window.open().is_none());

    // Another leaves one open that is too large.
    let mut second = Bench::on(&registry);
    second.open(10_000, 5);
    let mut third = Bench::on(&registry);
    third.open(20_000, 1);
    let window = third.window();
    let open = window.open().expect("the third goes on");
    assert!(open.head.discontinuity);
    assert_eq!(open.sequence, first.first + 3, "no number is used again");
}

#[test]
fn who_was_taken_over_fixes_no_part_target_any_more() {
    let registry = Registry::new(Settings::default());
    let mut first = Bench::on(&registry);
    let second = Bench::on(&registry);
    let late = part(0, 200, Some(head(0, &first.tracks)));
    assert!(first.writer.push_part(late, first.begun).is_err());
    assert_eq!(second.window().part_target(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_played_with_low_latency_alone_is_waited_for_as_well() {
    let registry = Registry::new(Settings::default());
    let mut bench = Bench::on(&registry);
    bench.open(0, 3);
    let presentation = bench.writer.presentation().clone();
    assert_eq!(registry.remember().target_durations.len(), 1);
    let begun = tokio::time::Instant::now();
    bench.writer.leave().expire().await;
    let (resume, linger) = (Terms::default().resume, Settings::default().linger);
    assert_eq!(begun.elapsed(), resume + linger);
    assert!(presentation.low_latency_window().is_ended());
}
