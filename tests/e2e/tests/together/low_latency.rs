//! What a live encoder sends, as others' code reads it from the low-latency playlists while it is sent: each load by
//! the rules, every access unit once, in order, at its time.

use std::thread;
use std::time::Duration;

use e2e::Gateway;
use e2e::clip::{AUDIO, Audio, Clip, VIDEO, Video};
use e2e::encoder::{Encoder, Pace};
use e2e::ffmpeg_witness::{self, Tracks};
use e2e::gateway::scratch;
use e2e::low_latency::{self, Followed, Fragments, Sample};
use e2e::reader::Recording;
use e2e::scripted::Kind;

/// From the encoder's start to its end.
const ENCODING: Duration = Duration::from_secs(60);
/// Sound that may stand before the first picture.
const LEAD_IN_US: i64 = 200_000;

const SECONDS: u32 = 11;
/// With B-frames.
const FILM: Video = Video {
    rate: "24",
    gop: Some(24),
    ..VIDEO
};
/// Without B-frames, as cameras send it.
const CAMERA: Video = Video {
    rate: "30",
    gop: Some(30),
    profile: "baseline",
    ..VIDEO
};
const CD: Audio = Audio {
    sample_rate: 44_100,
    ..AUDIO
};

const fn clip(video: Option<Video>, audio: Option<Audio>) -> Clip {
    Clip {
        seconds: SECONDS,
        video,
        audio,
    }
}

const RANGES: (&str, &str) = ("FOREBAY__HLS__PARTS", "ranges");
const MUXED: (&str, &str) = ("FOREBAY__HLS__TRACKS", "muxed");
/// More than delta updates need; nothing is removed.
const LONG: (&str, &str) = ("FOREBAY__HLS__WINDOW", "20");
/// Delta updates are possible, and segments leave.
const SLIDING: (&str, &str) = ("FOREBAY__HLS__WINDOW", "9");
const SHORT: (&str, &str) = ("FOREBAY__HLS__WINDOW", "3");

/// One publish and how it is to be served.
struct Case {
    clip: Clip,
    renditions: &'static [&'static str],
    keys: &'static [(&'static str, &'static str)],
}

#[test]
fn pictures_and_sound_apart_as_they_are_sent() {
    all_at_once([
        Case {
            clip: clip(Some(CAMERA), Some(AUDIO)),
            renditions: &["video.m3u8", "audio.m3u8"],
            keys: &[LONG],
        },
        Case {
            clip: clip(Some(FILM), Some(CD)),
            renditions: &["video.m3u8", "audio.m3u8"],
            keys: &[RANGES, SLIDING],
        },
        Case {
            clip: clip(Some(CAMERA), None),
            renditions: &["video.m3u8"],
            keys: &[SHORT],
        },
    ]);
}

#[test]
fn all_tracks_in_one_and_sound_alone_as_they_are_sent() {
    all_at_once([
        Case {
            clip: clip(Some(FILM), Some(CD)),
            renditions: &["muxed.m3u8"],
            keys: &[MUXED, SLIDING],
        },
        Case {
            clip: clip(Some(CAMERA), Some(AUDIO)),
            renditions: &["muxed.m3u8"],
            keys: &[MUXED, RANGES, SHORT],
        },
        Case {
            clip: clip(None, Some(AUDIO)),
            renditions: &["audio.m3u8"],
            keys: &[SLIDING],
        },
    ]);
}

/// Each on a thread of its own: most of the time they wait.
fn all_at_once(cases: [Case; 3]) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || followed_live(&case.clip, case.renditions, case.keys));
        }
    });
}

fn followed_live(clip: &Clip, renditions: &[&str], keys: &[(&str, &str)]) {
    let short = [
        ("FOREBAY__HLS__SEGMENT", "1s"),
        ("FOREBAY__HLS__RESUME", "1s"),
    ];
    let gateway = Gateway::start_with(&[&short, keys].concat());
    let (file, record) = (clip.file(), Recording(scratch("flv")));
    let url = gateway.rtmp_url("live/show");
    let mut encoder = Encoder::send_and_record(&file, Pace::Live, &url, &record.0);
    let followers = low_latency::join(&gateway, "/live/show");
    let uris: Vec<_> = followers.iter().map(|one| one.uri().to_owned()).collect();
    assert_eq!(uris, renditions);
    let followers: Vec<_> = followers
        .into_iter()
        .map(|follower| thread::spawn(move || follower.follow_to_the_end()))
        .collect();
    let followed: Vec<Followed> = followers
        .into_iter()
        .map(|thread| thread.join().expect("it finds no fault"))
        .collect();
    encoder.succeeds(ENCODING);

    let mut came_out = Tracks::default();
    for taken in &followed {
        assert!(
            taken.loads > 40 && taken.parts.len() > 50,
            "{} loads",
            taken.loads
        );
        assert!(
            keys.contains(&SHORT) || taken.deltas > 3,
            "{} deltas",
            taken.deltas
        );
        assert!(
            keys.contains(&RANGES) || taken.hinted > 2,
            "{} hints",
            taken.hinted
        );
        assert_parts_are_segments(taken);
        let leads = taken.sections.keys().all(|uri| !uri.starts_with("audio"));
        assert_continuous(taken, leads || followed.len() == 1);
        let tracks = Tracks::read(&recording(taken).0);
        came_out.video.extend(tracks.video);
        came_out.audio.extend(tracks.audio);
        came_out.codecs.extend(tracks.codecs);
    }
    came_out.codecs.sort();
    let went_in = Tracks::read(&record.0).without_early_audio(LEAD_IN_US);
    went_in.assert_came_out(&came_out);
    for taken in &followed {
        assert_decodes(taken, &went_in);
    }
    let status = gateway.get("/api/v1/status").json();
    assert_eq!(status["totals"]["faults"], 0, "{:?}", gateway.log());
}

/// The init section, and every part behind it.
fn recording(taken: &Followed) -> Recording {
    assert_eq!(taken.sections.len(), 1, "one configuration");
    let init = taken.sections.values().map(Vec::as_slice);
    Recording::of(init.chain(taken.parts.iter().map(|part| part.body.as_slice())))
}

/// A segment is its parts, byte for byte.
fn assert_parts_are_segments(taken: &Followed) {
    assert!(
        taken.segments.len() > 8,
        "{} segments",
        taken.segments.len()
    );
    for segment in &taken.segments {
        let parts = taken.parts.iter();
        let parts = parts.filter(|part| part.sequence == segment.sequence);
        let bytes: Vec<u8> = parts.flat_map(|part| part.body.iter().copied()).collect();
        assert!(
            bytes == segment.body,
            "segment {} and its parts",
            segment.sequence
        );
    }
}

/// Each track goes on where it has ended, to the tick; what is called independent has an IDR, and nothing else has.
/// A part lasts as long as what `leads` in it.
fn assert_continuous(taken: &Followed, leads: bool) {
    let mut fragments = Fragments::behind(taken.sections.values().next().expect("one"));
    let kinds = fragments.kinds();
    let mut next: [Option<u64>; 2] = [None; 2];
    let last = taken.parts.last().map(|last| (last.sequence, last.index));
    let last = last.expect("there are parts");
    for part in &taken.parts {
        let samples = fragments.samples(&part.body);
        for sample in &samples {
            let place = &mut next[usize::from(sample.kind == Kind::Audio)];
            let expected = place.replace(sample.dts + sample.duration);
            assert!(sample.duration > 0, "{sample:?}");
            assert_eq!(
                expected.unwrap_or(sample.dts),
                sample.dts,
                "a {:?} sample of {}.{}",
                sample.kind,
                part.sequence,
                part.index
            );
            assert_eq!(
                sample.sync,
                sample.idr || sample.kind == Kind::Audio,
                "{sample:?}"
            );
        }
        let idr = samples.iter().any(|sample| sample.idr);
        assert_eq!(
            part.part.independent,
            idr || !kinds.contains(&Kind::Video),
            "INDEPENDENT of {}.{}",
            part.sequence,
            part.index
        );
        // Every segment begins with one.
        let first = samples.iter().find(|one| one.kind == Kind::Video);
        assert!(part.index > 0 || first.is_none_or(|one| one.idr));
        if leads && (part.sequence, part.index) < last {
            assert_lasts(&samples, part.part.duration_ms);
        }
    }
}

/// What leads in a part lasts as long as is said.
fn assert_lasts(samples: &[Sample], said_ms: u64) {
    let leading = samples.iter().map(|one| one.kind).min().expect("samples");
    let lasting = samples.iter().filter(|one| one.kind == leading);
    let ms: f64 = lasting
        .map(|one| one.duration as f64 * 1_000.0 / f64::from(one.rate))
        .sum();
    assert!(
        (ms - said_ms as f64).abs() <= 2.0,
        "{ms} ms, listed with {said_ms}"
    );
}

/// All of it, and some of the segments alone.
fn assert_decodes(taken: &Followed, went_in: &Tracks) {
    let (pictures, _) = ffmpeg_witness::decode(&recording(taken).0);
    let init = taken.sections.values().next().expect("one");
    let mut fragments = Fragments::behind(init);
    let has_pictures = fragments.kinds().contains(&Kind::Video);
    let expected = if has_pictures { went_in.video.len() } else { 0 };
    assert_eq!(pictures, expected);
    for segment in taken.segments.iter().step_by(3) {
        let file = Recording::of([init.as_slice(), &segment.body]);
        let samples = fragments.samples(&segment.body);
        let sent = samples.iter().filter(|one| one.kind == Kind::Video).count();
        let (pictures, _) = ffmpeg_witness::decode(&file.0);
        assert_eq!(pictures, sent, "pictures of {} alone", segment.sequence);
    }
}
