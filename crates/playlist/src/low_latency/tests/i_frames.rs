//! Whole I-frame playlists.

use super::*;

impl Bench {
    fn i_frames(&self) -> Option<String> {
        let window = self.window();
        let text = window.i_frames()?.plain();
        Some(self.plain(std::str::from_utf8(&text).expect("UTF-8")))
    }
}

#[test]
fn the_key_picture_of_each_complete_segment() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.open(0, 5);
    assert_eq!(bench.i_frames(), None, "nothing is complete");
    bench.close(1_000);
    // Cut before its key frame came.
    let mut forced = head(1_000, &bench.tracks);
    forced.independent = false;
    bench.push(part(1_000, 200, Some(forced)));
    bench.close(1_200);
    bench.tracks = Arc::from([video(0xc1), audio()]);
    let mut changed = head(1_200, &bench.tracks);
    changed.discontinuity = true;
    bench.push(part(1_200, 200, Some(changed)));
    bench.close(1_400);
    bench.open(1_400, 2);
    let expected = "\
#EXTM3U
#EXT-X-VERSION:5
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.000,PART-HOLD-BACK=0.654,HOLD-BACK=3.000
#EXT-X-I-FRAMES-ONLY
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"video-0.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXTINF:1.000,
#EXT-X-BYTERANGE:1000@0
video-0.m4s?epoch=EPOCH
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.000Z
#EXT-X-GAP
#EXTINF:0.200,
video-1.m4s?epoch=EPOCH
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"video-2.mp4?epoch=EPOCH\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:01.200Z
#EXTINF:0.200,
#EXT-X-BYTERANGE:1000@0
video-2.m4s?epoch=EPOCH
";
    assert_eq!(bench.i_frames().as_deref(), Some(expected));
}

#[test]
fn sound_alone_has_none() {
    let mut bench = Bench::new(LowLatency::default(), 6);
    bench.tracks = Arc::from([audio()]);
    let mut alone = part(0, 200, Some(head(0, &bench.tracks)));
    alone.sizes.video = None;
    bench.push(alone);
    bench.close(200);
    assert_eq!(bench.i_frames(), None);
    let multivariant = bench.window().multivariant(crate::Label::default).plain();
    assert!(!String::from_utf8_lossy(&multivariant).contains("I-FRAME"));
}
