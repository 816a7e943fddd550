//! Codecs beside H.264 and AAC, published by a current ffmpeg with Enhanced RTMP: every access unit once, in order, at
//! its time, behind `index.m3u8` in the container that they have a place in.

use std::process::Command;
use std::time::Duration;

use e2e::current_ffmpeg::{self, Encoding};
use e2e::encoder::Pace;
use e2e::gateway::{Gateway, binary, scratch};
use e2e::reader::Recording;
use e2e::wait;

/// From the encoder's end to that of the playlist; and all that an encoder here takes.
const END: Duration = Duration::from_secs(20);
const ENCODING: Duration = Duration::from_secs(60);
const SHORT_RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");

const X264: &str = "-c:v libx264 -preset ultrafast -g 50";
/// Every GOP begins with an IDR picture.
const X265: &str = "-c:v libx265 -preset ultrafast -g 50 -flags +cgop -x265-params log-level=none";
/// All but the first begin with CRA pictures, and with pictures of the GOP before that are decoded behind those.
const X265_AT_ITS_DEFAULTS: &str = "-c:v libx265 -x265-params log-level=none:keyint=50";
const AV1: &str = "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 50";
const VP9: &str = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50";
const OPUS: &str = "-c:a libopus -b:a 96k";

/// `name: pictures, sound, CODECS, container` as a test each.
macro_rules! arrives_whole {
    ($($name:ident: $video:expr, $audio:expr, $codecs:literal, $container:literal;)*) => {
        $(#[test]
        fn $name() {
            let encoding = Encoding { seconds: 7, video: $video, audio: $audio };
            arrives_whole(encoding, $codecs, $container, &[SHORT_RESUME]);
        })*
    };
}

/// For players that take no CMAF, who asks for it.
#[test]
fn hevc_in_mpeg_ts_where_that_is_configured() {
    // Without what x265 says of itself beside its parameter sets: in CMAF that stays there, and a reader adds it.
    for (video, audio, codecs) in [
        (
            "-c:v libx265 -preset ultrafast -g 50 -flags +cgop -x265-params log-level=none:info=0",
            "-c:a aac",
            "hvc1.1.6.L60.90,mp4a.40.2",
        ),
        (
            "-c:v libx265 -x265-params log-level=none:keyint=50:info=0",
            "-c:a eac3",
            "hvc1.1.6.L60.90,ec-3",
        ),
    ] {
        let encoding = Encoding {
            seconds: 7,
            video,
            audio,
        };
        let settings = [SHORT_RESUME, ("FOREBAY__HLS__HEVC_IN_TS", "true")];
        arrives_whole(encoding, codecs, "mpeg_ts", &settings);
    }
}

arrives_whole! {
    hevc_and_aac: X265, "-c:a aac", "hvc1.1.6.L60.90,mp4a.40.2", "cmaf";
    hevc_with_open_gops: X265_AT_ITS_DEFAULTS, "-c:a aac", "hvc1.1.6.L60.90,mp4a.40.2", "cmaf";
    av1_and_opus: AV1, OPUS, "av01.0.00M.08,Opus", "cmaf";
    av1_of_svt: "-c:v libsvtav1 -preset 12 -g 50", "", "av01.0.00M.08", "cmaf";
    vp9_and_opus: VP9, OPUS, "vp09.00.11.08,Opus", "cmaf";
    h264_and_opus: X264, OPUS, "avc1.42c00c,Opus", "cmaf";
    h264_and_flac: X264, "-c:a flac", "avc1.42c00c,fLaC", "cmaf";
    opus_of_60_ms_alone: "", "-c:a libopus -frame_duration 60", "Opus", "cmaf";
    opus_with_six_channels: X264, "-ac 6 -c:a libopus", "avc1.42c00c,Opus", "cmaf";
    h264_and_ac3: X264, "-c:a ac3", "avc1.42c00c,ac-3", "mpeg_ts";
    h264_and_eac3: X264, "-c:a eac3", "avc1.42c00c,ec-3", "mpeg_ts";
    hevc_and_eac3: X265, "-c:a eac3", "hvc1.1.6.L60.90,ec-3", "cmaf";
}

fn arrives_whole(encoding: Encoding, codecs: &str, container: &str, settings: &[(&str, &str)]) {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(settings);
    let mut encoder = encoding.publish(Pace::Burst, &gateway.rtmp_url("live/show"), &record.0);
    let multivariant = wait::until("a playlist", ENCODING, || {
        let answer = gateway.get("/live/show/index.m3u8");
        (answer.status == 200).then(|| answer.text())
    });
    encoder.succeeds(ENCODING);
    let stream = wait::until("the end of the presentation", END, || {
        let stream = gateway.get("/api/v1/streams/live/show").json();
        (stream["state"] == "ended").then_some(stream)
    });
    assert_eq!(stream["container"], container, "{stream:#}");
    assert_eq!(stream["faults"]["total"], 0, "{stream:#}");
    assert!(
        multivariant.contains(&format!("CODECS=\"{codecs}\"")),
        "{multivariant}"
    );

    let went_in = current_ffmpeg::read(&record.0);
    let playlists = match container {
        "cmaf" => &["index.m3u8", "llhls.m3u8"][..],
        _ => &["index.m3u8"],
    };
    for playlist in playlists {
        let url = gateway.http_url(&format!("live/show/{playlist}"));
        went_in.assert_came_out(&current_ffmpeg::read(&url));
        let (pictures, sounds) = current_ffmpeg::decode(&url);
        assert_eq!(pictures, went_in.video.len(), "{playlist}");
        assert_eq!(sounds > 0, !went_in.audio.is_empty(), "{playlist}");
    }
    match (container, codecs.rsplit(',').next()) {
        ("mpeg_ts", Some("ac-3")) => sounds_alone(&gateway, "ac3", "audio/ac3"),
        ("mpeg_ts", Some("ec-3")) => sounds_alone(&gateway, "ec3", "audio/eac3"),
        _ => {}
    }
}

/// The sound of segments of MPEG-TS alone is called what it is: a current ffmpeg takes nothing else.
fn sounds_alone(gateway: &Gateway, extension: &str, media_type: &str) {
    let text = gateway.get("/live/show/sound.m3u8").text();
    let uri = text.lines().find(|line| !line.starts_with('#'));
    let uri = uri.expect("a segment");
    assert!(uri.ends_with(&format!(".{extension}")), "{text}");
    let answer = gateway.get(&format!("/live/show/{uri}"));
    assert_eq!(answer.header("content-type"), Some(media_type));
    let other = uri.replace(extension, "aac");
    assert_eq!(gateway.get(&format!("/live/show/{other}")).status, 404);
    let (pictures, sounds) = current_ffmpeg::decode(gateway.http_url("live/show/sound.m3u8"));
    assert!(pictures == 0 && sounds > 0, "{sounds}");
}

/// ffmpeg says the colours of its pictures beside them, which say none themselves.
#[test]
fn colours_beside_the_pictures_are_those_of_the_variant() {
    const UNSAID: &str = "-c:v libx265 -preset ultrafast -g 50 -flags +cgop -x265-params log-level=none \
         -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc -bsf:v \
         hevc_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2";
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start();
    let encoding = Encoding {
        seconds: 5,
        video: UNSAID,
        audio: "",
    };
    let mut encoder = encoding.publish(Pace::Burst, &gateway.rtmp_url("live/show"), &record.0);
    let multivariant = wait::until("a playlist", ENCODING, || {
        let answer = gateway.get("/live/show/index.m3u8");
        (answer.status == 200).then(|| answer.text())
    });
    encoder.succeeds(ENCODING);
    assert!(multivariant.contains("VIDEO-RANGE=PQ"), "{multivariant}");
}

/// ffmpeg follows from the first segment on while the encoder is at work.
#[test]
fn av1_while_it_is_encoded() {
    follows(&[SHORT_RESUME], AV1, OPUS);
}

/// CMAF is made of parts: they are made whatever `hls.part` says.
#[test]
fn hevc_where_no_parts_are_asked_for() {
    follows(
        &[SHORT_RESUME, ("FOREBAY__HLS__PART", "0s")],
        X265,
        "-c:a aac",
    );
}

fn follows(environment: &[(&str, &str)], video: &'static str, audio: &'static str) {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(environment);
    let encoding = Encoding {
        seconds: 8,
        video,
        audio,
    };
    let mut encoder = encoding.publish(Pace::Live, &gateway.rtmp_url("live/show"), &record.0);
    wait::until("the publish", ENCODING, || {
        (gateway.get("/api/v1/streams/live/show").status == 200).then_some(())
    });
    let (pictures, sounds) = current_ffmpeg::decode(gateway.http_url("live/show.m3u8"));
    encoder.succeeds(ENCODING);
    let went_in = current_ffmpeg::read(&record.0);
    assert_eq!(pictures, went_in.video.len());
    assert!(sounds > 0);
}

/// Who joins at a CRA picture leaves out what is shown before it, and nothing else.
#[test]
fn open_gops_can_be_joined() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_with(&[SHORT_RESUME]);
    let encoding = Encoding {
        seconds: 8,
        video: X265_AT_ITS_DEFAULTS,
        audio: "",
    };
    let mut encoder = encoding.publish(Pace::Burst, &gateway.rtmp_url("live/show"), &record.0);
    encoder.succeeds(ENCODING);
    let playlist = wait::until("the end of the playlist", END, || {
        let playlist = gateway.get("/live/show/video.m3u8").text();
        playlist.ends_with("#EXT-X-ENDLIST\n").then_some(playlist)
    });
    assert!(
        !playlist.contains("EXT-X-INDEPENDENT-SEGMENTS"),
        "{playlist}"
    );
    let uris: Vec<_> = playlist
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(uris.len(), 4, "{playlist}");
    let (_, map) = playlist
        .split_once("#EXT-X-MAP:URI=\"")
        .expect("an init section");
    let (map, _) = map.split_once('"').expect("a quoted URI");
    let fetch = |uri: &str| gateway.get(&format!("/live/show/{uri}")).body;
    let from_the_second = [map, uris[1], uris[2], uris[3]].map(fetch);
    let joined = Recording::of(from_the_second.iter().map(Vec::as_slice));
    let (pictures, _) = current_ffmpeg::decode(&joined.0);
    // x265 reorders four pictures at most.
    assert!(
        (146..=150).contains(&pictures),
        "{pictures} of 150 pictures"
    );
}

#[test]
fn a_folder_of_ts_is_refused_by_name() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start();
    let encoding = Encoding {
        seconds: 3,
        video: X264,
        audio: OPUS,
    };
    let mut encoder = encoding.publish(Pace::Burst, &gateway.rtmp_url("live/show"), &record.0);
    encoder.succeeds(ENCODING);
    let folder = scratch("folder");
    let mut transmux = Command::new(binary());
    let output = transmux
        .arg("transmux")
        .arg(&record.0)
        .arg(&folder)
        .output();
    let output = output.expect("the gateway can be started");
    // It may never have been made.
    let _ = std::fs::remove_dir_all(&folder);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("Opus has no place in MPEG-TS"), "{errors}");
}
