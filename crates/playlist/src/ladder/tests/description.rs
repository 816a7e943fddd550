//! The description for DASH of a ladder.

use std::sync::Arc;

use media::CaptionService;
use media::codec::{Aac, H264};

use super::*;
use crate::window::tests::AVC;

pub(super) fn tracks() -> [Track; 2] {
    let video = Codec::H264(H264::parse(AVC.to_vec().into()).expect("x264"));
    let audio = Codec::Aac(Aac::parse(vec![0x11, 0x90].into()).expect("AAC LC"));
    [Track { codec: video }, Track { codec: audio }]
}

/// Parts of 200 ms from `start` on, milliseconds, which begin a segment and complete it after a second; dated as if time
/// zero had been `late` milliseconds into the day. 1 000 bytes of pictures, 100 of sound.
pub(super) fn push(writer: &mut Writer, tracks: &[Track], start: i64, parts: i64, late: i64) {
    push_as(writer, tracks, start, parts, late, |_| {});
}

/// The same of parts that are `changed`.
pub(super) fn push_as(
    writer: &mut Writer,
    tracks: &[Track],
    start: i64,
    parts: i64,
    late: i64,
    changed: impl Fn(&mut Part),
) {
    for n in 0..parts {
        let at = start + 200 * n;
        let head = (n == 0).then(|| Head {
            tracks: Arc::from(tracks),
            date: segment(at, 200, late, 0).date,
            discontinuity: false,
            independent: true,
        });
        let mut part = part(tracks, at, head);
        part.is_last = n == 4;
        changed(&mut part);
        let now = Instant::now() + ms(start).to_duration();
        writer.push_part(part, now).expect("owned");
    }
}

fn part(tracks: &[Track], start: i64, head: Option<Head>) -> Part {
    let of = |rendition: Rendition, bytes: u64| {
        let has = tracks.iter().any(|it| rendition.carries(it.kind()));
        has.then_some(bytes)
    };
    let mut units = segment(start, 200, 0, 1_000).units;
    units.truncate(5);
    Part {
        events: Vec::new(),
        independent: head.is_some(),
        head,
        units,
        start: ms(start),
        duration: ms(200),
        next_dts: None,
        is_last: false,
        target: ms(218),
        captions: Captions::NONE,
        sizes: Sizes {
            video: of(Rendition::Video, 1_000),
            audio: of(Rendition::Audio, 100),
            muxed: Some(1_080),
        },
    }
}

pub(super) fn registry() -> Registry {
    Registry::new(Settings {
        segment: ms(1_000),
        ..Settings::default()
    })
}

fn first(writer: &Writer) -> u64 {
    let window = writer.presentation().low_latency_window();
    let first = window.listed().next().or(window.open());
    first.map_or(window.next_sequence(), |it| it.sequence)
}

fn manifest(registry: &Registry) -> String {
    let text = ladder(registry).manifest().expect("something is listed");
    String::from_utf8(text.plain().to_vec()).expect("UTF-8")
}

/// Without what differs from run to run: the epochs of these presentations.
fn plain(mut text: String, writers: &[&Writer]) -> String {
    for writer in writers {
        let epoch = format!("?epoch={:08x}", writer.presentation().epoch());
        text = text.replace(&epoch, "?epoch=EPOCH");
    }
    text
}

/// The values of `attribute` in `text`, in order.
fn all<'a>(text: &'a str, attribute: &str) -> Vec<&'a str> {
    let begins = format!(" {attribute}=\"");
    let values = text.split(&begins).skip(1);
    values.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_whole_manifest_of_two_rungs_and_further_sound() {
    let registry = registry();
    let [mut high, mut low, mut german] =
        ["show_720p", "show_360p", "show_audio1"].map(|rung| begin(&registry, rung));
    let both = tracks();
    for start in [0, 1_000] {
        push(&mut high, &both, start, 5, 0);
        // It comes over a slower line.
        push_as(&mut low, &both, start, 5, 300, |part| {
            part.sizes.video = Some(500);
            part.sizes.muxed = Some(580);
            part.captions = [CaptionService::Cc1, CaptionService::Service1]
                .into_iter()
                .collect();
        });
        push(&mut german, &both[1..], start, 5, 0);
    }
    push(&mut high, &both, 2_000, 2, 0);
    let label = Label::new(Some("Deutsch & <mehr>"), Some("de"), true);
    german.label(label).expect("owned");
    let number = first(&high);
    assert_eq!((first(&low), first(&german)), (number, number));
    let text = plain(manifest(&registry), &[&high, &low, &german]);
    let text = text.replace(&number.to_string(), "FIRST");
    assert_eq!(
        text,
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"dynamic\" availabilityStartTime=\"2026-11-22T23:59:50.000Z\" publishTime=\"2026-11-23T00:00:02.400Z\" minimumUpdatePeriod=\"PT1.000S\" timeShiftBufferDepth=\"PT11.400S\" maxSegmentDuration=\"PT1.000S\" minBufferTime=\"PT0.218S\" suggestedPresentationDelay=\"PT1.454S\">
  <ServiceDescription id=\"0\">
    <Latency target=\"1454\" min=\"727\" max=\"5816\"/>
    <PlaybackRate min=\"0.95\" max=\"1.05\"/>
  </ServiceDescription>
  <Period id=\"FIRST\" start=\"PT10.000S\">
    <AdaptationSet id=\"1\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">
      <InbandEventStream schemeIdUri=\"https://aomedia.org/emsg/ID3\"/>
      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-608:2015\" value=\"CC1=und\"/>
      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-708:2015\" value=\"1=lang:und\"/>
      <Representation id=\"show_720p/video\" bandwidth=\"40000\" codecs=\"avc1.64001f\" width=\"1280\" height=\"720\" frameRate=\"25\" qualityRanking=\"1\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"../show_720p/video-FIRST.mp4?epoch=EPOCH\" media=\"../show_720p/video-$Number$.m4s?epoch=EPOCH&amp;period=FIRST\" startNumber=\"FIRST\" duration=\"90000\" availabilityTimeOffset=\"0.782\" availabilityTimeComplete=\"false\"/>
      </Representation>
      <Representation id=\"show_360p/video\" bandwidth=\"20000\" codecs=\"avc1.64001f\" width=\"1280\" height=\"720\" frameRate=\"25\" qualityRanking=\"2\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"../show_360p/video-FIRST.mp4?epoch=EPOCH\" media=\"../show_360p/video-$Number$.m4s?epoch=EPOCH&amp;period=FIRST\" startNumber=\"FIRST\" duration=\"90000\" availabilityTimeOffset=\"0.482\" availabilityTimeComplete=\"false\"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id=\"2\" contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">
      <InbandEventStream schemeIdUri=\"https://aomedia.org/emsg/ID3\"/>
      <Representation id=\"show_720p/audio\" bandwidth=\"4000\" codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"../show_720p/audio-FIRST.mp4?epoch=EPOCH\" media=\"../show_720p/audio-$Number$.m4s?epoch=EPOCH&amp;period=FIRST\" startNumber=\"FIRST\" duration=\"90000\" availabilityTimeOffset=\"0.782\" availabilityTimeComplete=\"false\"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id=\"4\" contentType=\"audio\" lang=\"de\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">
      <Label>Deutsch &amp; &lt;mehr&gt;</Label>
      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>
      <Representation id=\"show_audio1/audio\" bandwidth=\"4000\" codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"../show_audio1/audio-FIRST.mp4?epoch=EPOCH\" media=\"../show_audio1/audio-$Number$.m4s?epoch=EPOCH&amp;period=FIRST\" startNumber=\"FIRST\" duration=\"90000\" availabilityTimeOffset=\"0.782\" availabilityTimeComplete=\"false\"/>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"clock.txt\"/>
</MPD>
"
    );
    // The source has its own folder, and what is there without it goes on as it was.
    let mut source = begin(&registry, "show");
    for start in [0, 1_000] {
        push(&mut source, &both, start, 5, 0);
    }
    let text = manifest(&registry);
    let own = format!(
        "media=\"video-$Number$.m4s?epoch={:08x}&",
        source.presentation().epoch()
    );
    assert!(text.contains(&own), "{text}");
    assert_eq!(
        all(&text, "id")[2..5],
        ["1", "show/video", "show_720p/video"],
        "{text}"
    );
}

/// A rung that comes late or back counts from another number, and its media is on the timeline of the others.
#[test]
fn a_rung_that_joins_in_the_middle_is_numbered_on_the_timeline_of_the_others() {
    let registry = registry();
    let mut high = begin(&registry, "show_720p");
    let both = tracks();
    for start in [0, 1_000, 2_000, 3_000] {
        push(&mut high, &both, start, 5, 0);
    }
    while number_by_the_clock() == first(&high) {
        std::hint::spin_loop();
    }
    let mut low = begin(&registry, "show_1080p");
    for start in [2_033, 3_033] {
        push(&mut low, &both, start, 5, 0);
    }
    assert_ne!(first(&high), first(&low));
    let text = manifest(&registry);
    // Though it is the better one, the Period is that of who was there before.
    assert_eq!(all(&text, "id")[1], first(&high).to_string());
    assert_eq!(
        all(&text, "startNumber"),
        [first(&low) - 2, first(&high), first(&low) - 2].map(|it| it.to_string()),
        "{text}"
    );
    assert_eq!(all(&text, "presentationTimeOffset"), ["900000"; 3]);
    let periods = format!("&amp;period={}\"", first(&low));
    assert_eq!(text.matches(&periods).count(), 2, "{text}");
}

/// Shaka never looks again for Representations in a Period that it knows.
#[test]
fn a_new_period_is_listed_when_all_have_had_a_second_to_come_back() {
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let both = tracks();
    for writer in [&mut high, &mut low] {
        push(writer, &both, 0, 5, 0);
    }
    let _vacancies = [high, low].map(Writer::leave);
    let mut again = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let periods = |text: &str| text.matches("<Period ").count();
    push(&mut again[0], &both, 5_000, 4, 0);
    push(&mut again[1], &both, 5_000, 4, 0);
    let text = manifest(&registry);
    assert_eq!(periods(&text), 1, "{text}");
    assert!(!text.contains(" duration=\"PT"), "{text}");
    for writer in &mut again {
        let last = part(&both, 5_800, None);
        writer.push_part(last, Instant::now()).expect("owned");
    }
    let text = manifest(&registry);
    assert_eq!(periods(&text), 2, "{text}");
    assert_eq!(all(&text, "start"), ["PT10.000S", "PT15.000S"]);
    assert!(
        text.contains("start=\"PT10.000S\" duration=\"PT1.000S\""),
        "{text}"
    );
    assert_eq!(
        all(&text, "presentationTimeOffset"),
        [
            "900000", "900000", "900000", "1350000", "1350000", "1350000"
        ]
    );
}

#[test]
fn uneven_segments_are_listed_one_by_one_for_each_rung() {
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let both = tracks();
    for writer in [&mut high, &mut low] {
        push(writer, &both, 0, 1, 0);
        for start in [200, 1_200] {
            push(writer, &both, start, 5, 0);
        }
    }
    push(&mut high, &both, 2_200, 2, 0);
    let text = manifest(&registry);
    assert_eq!(text.matches("<SegmentTimeline>").count(), 3, "{text}");
    assert_eq!(
        all(&text, "t"),
        ["900000", "918000", "1008000"].repeat(3),
        "{text}"
    );
    assert!(!text.contains("availabilityTimeOffset"), "{text}");
}

/// Players switch within a set, and few from one codec to another.
#[test]
fn another_codec_is_another_set() {
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for start in [0, 1_000] {
        push(&mut high, &tracks(), start, 5, 0);
        push(&mut low, &[h265()], start, 5, 0);
    }
    let text = manifest(&registry);
    assert_eq!(text.matches("contentType=\"video\"").count(), 2, "{text}");
    let codecs = all(&text, "codecs");
    assert!(
        codecs[0].starts_with("avc1.") && codecs[1].starts_with("hvc1."),
        "{codecs:?}"
    );
    assert_eq!(codecs[2], "mp4a.40.2");
}

#[tokio::test(start_paused = true)]
async fn a_ladder_that_has_ended_says_how_long_it_was() {
    let registry = registry();
    let rungs = ["show_720p", "show_360p"].map(|rung| {
        let mut writer = begin(&registry, rung);
        for start in [0, 1_000] {
            push(&mut writer, &tracks(), start, 5, 0);
        }
        writer
    });
    let name = name("show_720p");
    for writer in rungs {
        tokio::spawn(writer.leave().expire());
    }
    while !registry
        .directory()
        .find(&name)
        .expect("it lingers")
        .low_latency_window()
        .is_ended()
    {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let text = manifest(&registry);
    assert!(
        text.contains(" mediaPresentationDuration=\"PT12.000S\""),
        "{text}"
    );
    assert!(!text.contains("minimumUpdatePeriod"), "{text}");
    assert_eq!(all(&text, "width").len(), 2, "{text}");
}

/// What players count from stays where it is, though the rung that it was of is no longer there.
#[test]
fn time_begins_where_it_did_when_the_first_rung_leaves() {
    let registry = registry();
    let [mut high, mut low] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    let both = tracks();
    for start in [0, 1_000, 2_000] {
        push(&mut high, &both, start, 5, 0);
        push(&mut low, &both, start, 5, 700);
    }
    let before = manifest(&registry);
    let _left = high.leave();
    let after = manifest(&registry);
    assert!(!after.contains("show_720p"), "{after}");
    let begun = |text| all(text, "availabilityStartTime");
    assert_eq!(begun(&after), begun(&before));
    assert_eq!(begun(&after), ["2026-11-22T23:59:50.000Z"]);
}
