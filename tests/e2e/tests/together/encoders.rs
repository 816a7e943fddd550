//! What real encoders send arrives whole: every access unit once, in order, at its time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use e2e::arrival::assert_whole;
use e2e::clip::{AUDIO, Audio, Clip, VIDEO, Video};
use e2e::encoder::{Encoder, Pace, both};
use e2e::ffmpeg_witness::{Tracks, decode};
use e2e::gateway::{Gateway, scratch};
use e2e::reader::{Player, Recording};

/// From the encoder's end to that of the playlist.
const END: Duration = Duration::from_secs(20);
/// No encoder here takes longer.
const ENCODING: Duration = Duration::from_secs(30);
/// The playlist ends soon after its publisher.
const SHORT_RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");

/// Sound that may stand before the first picture.
const LEAD_IN_US: i64 = 200_000;

const MP3: Audio = Audio {
    encoder: "libmp3lame",
    sample_rate: 44_100,
    ..AUDIO
};

/// `name: clip, pace, CODECS` as a test each.
macro_rules! arrives_whole {
    ($($name:ident: $clip:expr, $pace:ident, $codecs:literal;)*) => {
        $(#[test]
        fn $name() {
            arrives_whole(&$clip.file(), Pace::$pace, $codecs);
        })*
    };
}

arrives_whole! {
    pictures_and_sound_as_fast_as_they_can_be_read: Clip::usual(8), Burst, "avc1.64000c,mp4a.40.2";
    pictures_and_sound_at_their_own_pace: Clip::usual(6), Live, "avc1.64000c,mp4a.40.2";
    pictures_alone: Clip { audio: None, ..Clip::usual(6) }, Burst, "avc1.64000c";
    aac_alone: Clip { video: None, ..Clip::usual(6) }, Burst, "mp4a.40.2";
    mp3_alone: Clip { video: None, audio: Some(MP3), ..Clip::usual(6) }, Burst, "mp4a.40.34";
    pictures_and_mp3: Clip { audio: Some(MP3), ..Clip::usual(6) }, Burst, "avc1.64000c,mp4a.40.34";
    mono_at_44_100_hz: with_audio(Audio { sample_rate: 44_100, channels: 1, ..AUDIO }), Burst, "avc1.64000c,mp4a.40.2";
    pictures_at_29_97_hz: with_video("30000/1001", Some(60)), Burst, "avc1.64000d,mp4a.40.2";
    pictures_at_60_hz: with_video("60", Some(60)), Burst, "avc1.640015,mp4a.40.2";
    pictures_at_23_976_hz: with_video("24000/1001", Some(48)), Burst, "avc1.64000c,mp4a.40.2";
    gop_of_1_s: with_video("25", Some(25)), Burst, "avc1.64000c,mp4a.40.2";
    gop_of_2_s: with_video("25", Some(50)), Burst, "avc1.64000c,mp4a.40.2";
    gop_of_4_s: with_video("25", Some(100)), Burst, "avc1.64000c,mp4a.40.2";
    gop_that_x264_chooses: Clip { seconds: 12, ..with_video("25", None) }, Burst, "avc1.64000c,mp4a.40.2";
}

#[test]
fn sound_that_begins_late() {
    let audio = Audio {
        from_ms: 3_200,
        ..AUDIO
    };
    let clip = Clip {
        audio: Some(audio),
        ..Clip::usual(8)
    };
    begins_late(&clip);
}

#[test]
fn pictures_that_begin_late() {
    let video = Video {
        from_ms: 1_000,
        ..VIDEO
    };
    let clip = Clip {
        video: Some(video),
        ..Clip::usual(8)
    };
    begins_late(&clip);
}

fn begins_late(clip: &Clip) {
    let file = clip.file();
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let mut encoder = Encoder::send(&file, Pace::Burst, &gateway.rtmp_url("live/show"));
    let mut player = Player::join(&gateway, "/live/show");
    player.follow_to_the_end(END);
    encoder.succeeds(ENCODING);
    let multivariant = gateway.get("/live/show/index.m3u8").text();
    assert_eq!(codecs_of(&multivariant), "avc1.64000c,mp4a.40.2");
    let went_in = Tracks::read(&file).without_early_audio(LEAD_IN_US);
    assert_whole(&went_in, &player);
}

/// No encoder for HE-AAC is free to install: AAC LC whose configuration promises SBR, as HE-AAC's does
/// (ISO/IEC 14496-3 §1.6.2.1), and whose frames go without it. Frames last 2048 samples at 48 kHz then.
#[test]
fn aac_that_says_it_is_he_aac() {
    let core = Audio {
        sample_rate: 24_000,
        ..AUDIO
    };
    let mut flv = fs::read(with_audio(core).file()).expect("the clip is there");
    // A sequence header: LC, 24 kHz, stereo, and that there is no SBR.
    let low_complexity = [0xaf, 0, 0x13, 0x10, 0x56, 0xe5, 0];
    // SBR, 24 kHz, stereo, SBR's 48 kHz, on top of LC.
    let with_sbr = [0xaf, 0, 0x2b, 0x11, 0x88, 0, 0];
    let at = flv.windows(7).position(|seven| seven == low_complexity);
    let at = at.expect("ffmpeg writes this configuration");
    flv[at..at + 7].copy_from_slice(&with_sbr);
    let file = Recording(scratch("flv"));
    fs::write(&file.0, flv).expect("the temporary folder takes files");

    arrives_whole(&file.0, Pace::Burst, "avc1.64000c,mp4a.40.5");
}

/// The encoder of every day: it encodes while it publishes, the window slides, and ffmpeg plays along.
#[test]
fn x264_and_aac_encoded_while_they_are_published() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(&[SHORT_RESUME, ("FOREBAY__HLS__SEGMENT", "1s")]);
    let clip = Clip::usual(11);
    let output = both(&gateway.rtmp_url("live/show"), &record.0);
    let mut arguments = vec!["-v".to_owned(), "error".to_owned(), "-re".to_owned()];
    arguments.extend(clip.arguments());
    arguments.extend(["-map", "0:v", "-map", "1:a", "-flags", "+global_header"].map(str::to_owned));
    arguments.extend(["-f", "tee", &output].map(str::to_owned));
    let mut encoder = Encoder::start("ffmpeg", &arguments);
    let mut player = Player::join(&gateway, "/live/show");
    let url = gateway.http_url("live/show/index.m3u8");
    let other = std::thread::spawn(move || decode(url));
    player.follow_to_the_end(END);
    encoder.succeeds(ENCODING);
    let went_in = Tracks::read(&record.0);
    assert!(player.playlist.sequence > player.segments[0].sequence);
    assert_whole(&went_in, &player);
    // It joined at the first segment, when there were no more.
    let (pictures, _) = other.join().expect("ffmpeg has nothing to complain about");
    assert_eq!(pictures, went_in.video.len());
}

/// GStreamer's own RTMP, with the encoders that its users have.
#[test]
fn gstreamer_rtmp2sink() {
    gstreamer(
        "rtmp2sink sync=false",
        "x264enc bframes=3 key-int-max=50 ! h264parse",
        "avenc_aac ! aacparse",
    );
}

/// librtmp, as rtmpdump and older OBS have it.
#[test]
fn librtmp_by_gstreamer_rtmpsink() {
    gstreamer(
        "rtmpsink sync=false",
        "x264enc bframes=2 key-int-max=25 ! h264parse",
        "voaacenc ! aacparse",
    );
}

#[test]
fn librtmp_with_mp3() {
    gstreamer(
        "rtmpsink sync=false",
        "x264enc tune=zerolatency key-int-max=25 ! h264parse",
        "lamemp3enc ! mpegaudioparse",
    );
}

fn gstreamer(sink: &str, video: &str, audio: &str) {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let (url, file) = (gateway.rtmp_url("live/show"), record.0.display());
    let mut encoder = Encoder::gstreamer(&format!(
        "flvmux name=mux streamable=true ! tee name=both \
         videotestsrc num-buffers=150 ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 ! {video} ! mux. \
         audiotestsrc num-buffers=258 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=2 ! {audio} ! mux. \
         both. ! queue ! {sink} location={url} \
         both. ! queue ! filesink location={file}"
    ));
    let mut player = Player::join(&gateway, "/live/show");
    player.follow_to_the_end(END);
    encoder.succeeds(ENCODING);
    let went_in = Tracks::read(&record.0);
    assert_eq!(went_in.video.len(), 150);
    assert_whole(&went_in, &player);
    assert_unbroken(&player);
    assert!(player.multivariant.contains("FRAME-RATE=25,"));
    let stream = gateway.get("/api/v1/streams/live/show").json();
    assert_eq!(stream["tracks"][0]["frame_rate"], 25.0, "{stream:#}");
}

fn with_video(rate: &'static str, gop: Option<u32>) -> Clip {
    Clip {
        video: Some(Video { rate, gop, ..VIDEO }),
        ..Clip::usual(9)
    }
}

fn with_audio(audio: Audio) -> Clip {
    Clip {
        audio: Some(audio),
        ..Clip::usual(9)
    }
}

fn arrives_whole(file: &Path, pace: Pace, codecs: &str) {
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let mut encoder = Encoder::send(file, pace, &gateway.rtmp_url("live/show"));
    let mut player = Player::join(&gateway, "/live/show");
    player.follow_to_the_end(END);
    encoder.succeeds(ENCODING);
    assert_eq!(codecs_of(&player.multivariant), codecs);
    assert_whole(&Tracks::read(file), &player);
    assert_unbroken(&player);
    let status = gateway.get("/api/v1/status").json();
    assert_eq!(status["totals"]["faults"], 0, "{:?}", gateway.log());
}

fn codecs_of(multivariant: &str) -> &str {
    let value = multivariant
        .split_once("CODECS=\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    value
        .unwrap_or_else(|| panic!("no CODECS in {multivariant}"))
        .0
}

fn assert_unbroken(player: &Player<'_>) {
    for segment in &player.segments {
        assert!(!segment.entry.discontinuity, "{:?}", segment.entry);
    }
}
