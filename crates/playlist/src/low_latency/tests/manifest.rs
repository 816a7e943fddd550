//! The description for DASH.

use super::*;
use crate::Label;
use media::CaptionService;

#[test]
fn a_whole_manifest() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.segment(1_000);
    bench.open(2_000, 2);
    let manifest = bench.window().manifest(Label::default).plain();
    let manifest = bench.plain(std::str::from_utf8(&manifest).expect("UTF-8"));
    assert_eq!(
        manifest,
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"dynamic\" availabilityStartTime=\"2026-11-22T23:59:50.000Z\" publishTime=\"2026-11-23T00:00:02.400Z\" minimumUpdatePeriod=\"PT1.000S\" timeShiftBufferDepth=\"PT11.400S\" maxSegmentDuration=\"PT1.000S\" minBufferTime=\"PT0.218S\" suggestedPresentationDelay=\"PT1.154S\">
  <ServiceDescription id=\"0\">
    <Latency target=\"1154\" min=\"577\" max=\"4616\"/>
    <PlaybackRate min=\"0.95\" max=\"1.05\"/>
  </ServiceDescription>
  <Period id=\"0\" start=\"PT10.000S\">
    <AdaptationSet id=\"1\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">
      <InbandEventStream schemeIdUri=\"https://aomedia.org/emsg/ID3\"/>
      <Representation id=\"video\" bandwidth=\"40000\" codecs=\"avc1.64001f\" width=\"1280\" height=\"720\" frameRate=\"5\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"video-0.mp4?epoch=EPOCH\" media=\"video-$Number$.m4s?epoch=EPOCH&amp;period=0\" startNumber=\"0\" duration=\"90000\" availabilityTimeOffset=\"0.782\" availabilityTimeComplete=\"false\"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id=\"2\" contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">
      <InbandEventStream schemeIdUri=\"https://aomedia.org/emsg/ID3\"/>
      <Representation id=\"audio\" bandwidth=\"4000\" codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">
        <SegmentTemplate timescale=\"90000\" presentationTimeOffset=\"900000\" initialization=\"audio-0.mp4?epoch=EPOCH\" media=\"audio-$Number$.m4s?epoch=EPOCH&amp;period=0\" startNumber=\"0\" duration=\"90000\" availabilityTimeOffset=\"0.782\" availabilityTimeComplete=\"false\"/>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"clock.txt\"/>
</MPD>
"
    );
}

#[test]
fn a_break_begins_a_period_and_uneven_segments_are_listed_one_by_one() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    let mut first = part(5_000, 200, Some(head(5_000, &bench.tracks)));
    first.head.as_mut().expect("the first").discontinuity = true;
    bench.push(first);
    bench.close(5_200);
    bench.segment(5_200);
    let manifest = bench.window().manifest(Label::default).plain();
    let manifest = bench.plain(std::str::from_utf8(&manifest).expect("UTF-8"));
    let periods: Vec<&str> = manifest
        .lines()
        .filter(|line| line.contains("<Period ") || line.contains("<S "))
        .collect();
    assert_eq!(
        periods,
        [
            "  <Period id=\"0\" start=\"PT10.000S\" duration=\"PT1.000S\">",
            "  <Period id=\"1\" start=\"PT15.000S\">",
            "            <S t=\"1350000\" d=\"18000\"/>",
            "            <S t=\"1368000\" d=\"90000\"/>",
            "            <S t=\"1350000\" d=\"18000\"/>",
            "            <S t=\"1368000\" d=\"90000\"/>",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_manifest_of_what_has_ended_says_how_long_it_was() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    bench.segment(1_000);
    bench.open(2_000, 2);
    let presentation = bench.writer.presentation().clone();
    bench.writer.leave().expire().await;
    let window = presentation.low_latency_window();
    let manifest = window.manifest(Label::default).plain();
    let manifest = std::str::from_utf8(&manifest).expect("UTF-8");
    assert!(
        manifest.contains(" mediaPresentationDuration=\"PT12.400S\""),
        "{manifest}"
    );
    assert!(!manifest.contains("minimumUpdatePeriod"), "{manifest}");
    // Players go on counting where they were; the last one is shorter.
    assert!(
        manifest.contains(" start=\"PT10.000S\" duration=\"PT2.400S\">"),
        "{manifest}"
    );
    assert!(manifest.contains("\" duration=\"90000\""), "{manifest}");
}

#[test]
fn sound_that_is_missing_all_the_way_is_not_in_a_period() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.segment(0);
    let mut silent = part(5_000, 1_000, Some(head(5_000, &Arc::from([video(0xc0)]))));
    silent.head.as_mut().expect("the first").discontinuity = true;
    silent.sizes.audio = None;
    bench.push(silent);
    bench.close(6_000);
    let manifest = bench.window().manifest(Label::default).plain();
    let manifest = std::str::from_utf8(&manifest).expect("UTF-8");
    let sets: Vec<_> = manifest.split("<Period ").skip(1).collect();
    assert!(sets[0].contains("id=\"audio\""), "{manifest}");
    assert!(!sets[1].contains("id=\"audio\""), "{manifest}");
}

#[test]
fn captions_and_frame_rates_are_of_pictures_that_were_sent() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    let manifest = |bench: &Bench| {
        let text = bench.window().manifest(Label::default).plain();
        String::from_utf8(text.to_vec()).expect("UTF-8")
    };
    let mut first = part(0, 200, Some(head(0, &bench.tracks)));
    first.captions = [CaptionService::Cc3].into_iter().collect();
    bench.push(first);
    let text = manifest(&bench);
    assert_eq!(text.matches("<Accessibility ").count(), 1, "{text}");
    assert!(text.contains(" value=\"CC3=und\"/>"), "{text}");
    assert!(!text.contains("frameRate"), "of one picture: {text}");
    // Pictures pause for half of the time, and captions do.
    for n in 1..10 {
        let mut next = part(200 * n, 200, None);
        if n % 2 == 1 {
            next.units.clear();
            next.sizes.video = None;
        }
        bench.push(next);
    }
    let text = manifest(&bench);
    assert!(text.contains(" height=\"720\" frameRate=\"5\">"), "{text}");
    assert_eq!(text.matches("frameRate").count(), 1, "{text}");
    bench.close(2_000);
    bench.segment(2_000);
    assert!(manifest(&bench).contains(" value=\"CC3=und\"/>"));
}
