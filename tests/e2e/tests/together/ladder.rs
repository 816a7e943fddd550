//! Ladders: publishes of one programme in several bit rates become the variants of one presentation.

use std::fs;
use std::time::UNIX_EPOCH;

use e2e::current_ffmpeg;
use e2e::ffmpeg_witness::Tracks;
use e2e::gateway::{Gateway, scratch};
use e2e::ladder::{
    HEIGHTS, SOON, assert_switches_cost_no_picture, four_rungs_of_one_connection, rung,
    rung_of_half_the_rate, rungs_of_one_connection, variants,
};
use e2e::media_playlist::MediaPlaylist;
use e2e::reader::Recording;
use e2e::scenario::{ALL_LISTED, SHORT_RESUME};
use e2e::wait;
use serde_json::Value;

/// As soon as there is one: while others are there, that of an encoder that is away is 503.
fn playlist(gateway: &Gateway, height: u32) -> MediaPlaylist {
    e2e::ladder::playlist(gateway, &format!("/live/show_{height}p/main.m3u8"))
}

/// Three encoders know nothing of each other. A player that takes each segment from another rung has each picture once.
#[test]
fn a_player_goes_from_rung_to_rung_and_no_picture_is_missing_or_comes_twice() {
    let gateway = Gateway::start();
    let _encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    let uris = variants(&gateway, "/live/show/index.m3u8", 3);
    for height in HEIGHTS {
        let uri = format!("../show_{height}p/main.m3u8");
        assert!(uris.contains(&uri), "{uris:?}");
    }
    assert_eq!(variants(&gateway, "/live/show/llhls.m3u8", 3).len(), 3);
    let text = gateway.get("/live/show_270p/video.m3u8").text();
    for other in [
        "../show_270p/audio.m3u8",
        "../show_360p/video.m3u8",
        // The sound of all.
        "../show/all-audio.m3u8",
        "../show_180p/video.m3u8",
    ] {
        let report = format!("#EXT-X-RENDITION-REPORT:URI=\"{other}\",LAST-MSN=");
        assert!(text.contains(&report), "{text}");
    }
    let lists = wait::until("five segments of each rung", SOON, || {
        let lists = HEIGHTS.map(|height| playlist(&gateway, height));
        lists
            .iter()
            .all(|list| list.entries.len() >= 5)
            .then_some(lists)
    });
    assert!(
        lists.iter().all(|list| list.sequence == lists[0].sequence),
        "rungs that begin together have the same numbers"
    );
    let names = HEIGHTS.map(|height| format!("show_{height}p"));
    let rungs: Vec<_> = names.iter().map(String::as_str).zip(&lists).collect();
    assert_switches_cost_no_picture(&gateway, &rungs, 5);
}

/// For lines that no picture gets through: in MPEG-TS as packed audio, in CMAF as the rendition that there is anyway.
#[test]
fn a_ladder_has_its_sound_alone_frame_by_frame_and_in_its_time() {
    let gateway = Gateway::start_with(&[SHORT_RESUME, ALL_LISTED]);
    let mut encoders = [360, 180].map(|height| rung(&gateway, height, 60));
    let alone = |file: &str| {
        let text = gateway.get(&format!("/live/show/{file}")).text();
        let mut lines = text.lines().skip_while(|line| {
            !line.starts_with("#EXT-X-STREAM-INF:") || line.contains("RESOLUTION=")
        });
        let tag = lines.next().unwrap_or_default();
        assert!(tag.contains("CODECS=\"mp4a.40.2\",SCORE=1,"), "{text}");
        lines.next().expect("a URI").to_owned()
    };
    variants(&gateway, "/live/show/index.m3u8", 2);
    assert_eq!(alone("index.m3u8"), "../show_360p/sound.m3u8");
    variants(&gateway, "/live/show/llhls.m3u8", 2);
    assert_eq!(alone("llhls.m3u8"), "all-audio.m3u8");
    wait::until("three segments", SOON, || {
        (playlist(&gateway, 360).entries.len() >= 3).then_some(())
    });
    for encoder in &mut encoders {
        encoder.interrupt();
    }
    let url = |file: &str| gateway.http_url(&format!("live/show_360p/{file}"));
    wait::until("the end", SOON, || {
        let text = gateway.get("/live/show_360p/sound.m3u8").text();
        text.ends_with("#EXT-X-ENDLIST\n").then_some(())
    });
    let [with_pictures, packed] = ["main.m3u8", "sound.m3u8"].map(|file| Tracks::read(url(file)));
    assert_eq!(packed.codecs, ["aac"]);
    assert!(packed.audio.len() > 200);
    let in_milliseconds = |tracks: &Tracks| -> Vec<(i64, String)> {
        let units = tracks.audio.iter();
        units
            .map(|unit| (unit.pts_us / 1_000, unit.payload.clone()))
            .collect()
    };
    assert_eq!(in_milliseconds(&packed), in_milliseconds(&with_pictures));
}

/// Enhanced RTMP's multitrack, as FFmpeg 9 sends it: the further tracks are rungs named by their heights.
#[test]
fn the_tracks_of_one_connection_are_a_ladder() {
    let gateway = Gateway::start();
    let mut encoder = rungs_of_one_connection(&gateway);
    let uris = variants(&gateway, "/live/show/index.m3u8", 3);
    for uri in [
        "main.m3u8",
        "../show_270p/main.m3u8",
        "../show_180p/main.m3u8",
    ] {
        assert!(uris.contains(&uri.to_owned()), "{uris:?}");
    }
    let paths = ["show", "show_270p", "show_180p"].map(|name| format!("/live/{name}"));
    let lists = wait::until("three segments of each", SOON, || {
        let lists = paths
            .each_ref()
            .map(|path| MediaPlaylist::parse(&gateway.get(&format!("{path}/main.m3u8")).text()));
        let three = lists.iter().all(|list| list.entries.len() >= 3);
        three.then_some(lists)
    });
    assert!(lists.iter().all(|list| list.sequence == lists[0].sequence));
    for (path, list) in paths.iter().zip(&lists) {
        let record = Recording(scratch("ts"));
        let segments = list.entries[..3].iter();
        let bytes: Vec<u8> = segments
            .flat_map(|entry| gateway.get(&format!("{path}/{}", entry.uri)).body)
            .collect();
        fs::write(&record.0, bytes).expect("scratch can be written");
        let tracks = Tracks::read(&record.0);
        assert_eq!(
            (tracks.video.len(), &*tracks.codecs),
            (180, &["aac".to_owned(), "h264".to_owned()][..])
        );
        let stream = gateway.get(&format!("/api/v1/streams{path}")).json();
        // Of encoders that start a second apart one is put beside the other, which is told.
        let kinds = &stream["faults"]["kinds"];
        assert!(kinds["ladder_misfit"].is_null(), "{stream}");
    }
    encoder.interrupt();
    wait::until("all to end with their encoder", SOON, || {
        let live = paths
            .each_ref()
            .map(|path| gateway.get(&format!("/api/v1/streams{path}")).json()["state"] == "live");
        (live == [false; 3]).then_some(())
    });
}

/// Four video tracks, each with exactly the access units that were sent, in MPEG-TS and in CMAF.
#[test]
fn four_tracks_of_one_connection_arrive_whole() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_on("[hls]\nresume = \"1s\"\n");
    let mut encoder = four_rungs_of_one_connection(&gateway, &record.0);
    encoder.succeeds(SOON);
    for (track, name) in ["show", "show_270p", "show_180p", "show_90p"]
        .into_iter()
        .enumerate()
    {
        wait::until("the end of the presentation", SOON, || {
            let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
            (stream["state"] == "ended").then_some(())
        });
        let went_in = current_ffmpeg::read_with_pictures_of(&record.0, track);
        assert_eq!(went_in.video.len(), 175, "{name}");
        // In CMAF pictures and sound have a playlist each.
        let (video, audio) = (went_in.video.clone(), went_in.audio.clone());
        let alone = |codec: &str, video, audio| Tracks {
            video,
            audio,
            codecs: vec![codec.to_owned()],
        };
        for (file, mut expected) in [
            ("main", went_in),
            ("video", alone("h264", video, Vec::new())),
            ("audio", alone("aac", Vec::new(), audio)),
        ] {
            let url = gateway.http_url(&format!("live/{name}/{file}.m3u8"));
            let came_out = current_ffmpeg::read(&url);
            // A rung begins with its first picture, which a frame of sound may be sent before.
            let before = expected.audio.len() - came_out.audio.len();
            assert!(before <= usize::from(track > 0), "{name}/{file}: {before}");
            expected.audio.drain(..before);
            expected.assert_came_out(&came_out);
            let (pictures, sounds) = current_ffmpeg::decode(&url);
            assert_eq!(pictures, expected.video.len(), "{name}/{file}");
            assert_eq!(sounds > 0, !expected.audio.is_empty(), "{name}/{file}");
        }
    }
}

/// What the API says of the rung of this height.
fn stream(gateway: &Gateway, height: u32) -> Value {
    let path = format!("/api/v1/streams/live/show_{height}p");
    gateway.get(&path).json()
}

/// The rung of this height is told that it does not fit; gives what the API says of its place.
fn told_of_a_misfit(gateway: &Gateway, height: u32) -> Value {
    wait::until("a reason", SOON, || {
        let stream = stream(gateway, height);
        let faults = stream["faults"]["kinds"]["ladder_misfit"].as_u64();
        faults.map(|_| stream["rung"].clone())
    })
}

/// A key frame interval of its own cannot be mended, and must not disturb the others.
#[test]
fn a_rung_that_does_not_fit_is_left_out_and_told_why() {
    // The other has but the first.
    [77, 100_000]
        .into_iter()
        .for_each(one_with_key_frames_of_its_own_is_left_out);
}

fn one_with_key_frames_of_its_own_is_left_out(gop: u32) {
    let gateway = Gateway::start();
    let _fitting = [rung(&gateway, 360, 60), rung(&gateway, 270, 60)];
    variants(&gateway, "/live/show/index.m3u8", 2);
    let _odd = rung(&gateway, 180, gop);
    let told = told_of_a_misfit(&gateway, 180);
    assert_eq!(
        (&told["ladder"], &told["standing"]),
        (&"live/show".into(), &"misfits".into())
    );
    let reason = told["reason"].as_str().expect("words");
    assert!(reason.contains("key frame"), "{reason}");
    assert_eq!(variants(&gateway, "/live/show/index.m3u8", 2).len(), 2);
    for height in [360, 270] {
        let stream = stream(&gateway, height);
        assert_eq!(stream["faults"]["total"], 0, "{stream}");
    }
}

/// Its first segment begins at a boundary of the other, and there is a key frame at each.
#[test]
fn a_rung_of_half_the_frame_rate_joins_three_seconds_late() {
    let gateway = Gateway::start();
    let _first = rung(&gateway, 360, 60);
    wait::until("two segments", SOON, || {
        (playlist(&gateway, 360).entries.len() >= 2).then_some(())
    });
    let _late = rung_of_half_the_rate(&gateway, 180);
    variants(&gateway, "/live/show/index.m3u8", 2);
    let first = playlist(&gateway, 180).entries[0].date_ms;
    let beside = playlist(&gateway, 360).entries;
    let is_beside = beside.iter().any(|it| it.date_ms.abs_diff(first) < 100);
    assert!(is_beside, "{first} in {beside:?}");
    for height in [360, 180] {
        wait::until("the frame rate", SOON, || {
            let stream = stream(&gateway, height);
            assert!(
                stream["faults"]["kinds"]["ladder_misfit"].is_null(),
                "{stream}"
            );
            let text = gateway.get("/live/show/index.m3u8").text();
            let rate = if height == 360 { 30 } else { 15 };
            text.contains(&format!("FRAME-RATE={rate},")).then_some(())
        });
    }
}

/// All encoders stop, and come back one before the others: they find each other on the clock that they had.
#[test]
fn rungs_that_are_all_gone_for_a_while_are_one_ladder_again() {
    let gateway = Gateway::start();
    let mut encoders = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show.m3u8", HEIGHTS.len());
    let state = |height: u32| stream(&gateway, height)["state"].clone();
    for encoder in &mut encoders {
        encoder.kill();
    }
    let seen = wait::until("all to be gone", SOON, || {
        let all_gone = HEIGHTS.iter().all(|&height| state(height) == "resuming");
        all_gone.then(|| HEIGHTS.map(|height| playlist(&gateway, height)))
    });
    let seen = seen.map(|list| list.entries.last().expect("listed").date_ms);
    // So long that no clock that begins anew agrees with the old one.
    let gone = seen.iter().max().expect("three") + 6_000;
    wait::until("six seconds", SOON, || {
        let now = UNIX_EPOCH.elapsed().expect("after 1970");
        (now.as_millis() > gone.into()).then_some(())
    });
    let _first = rung(&gateway, 360, 60);
    wait::until("the first", SOON, || (state(360) == "live").then_some(()));
    let _others = [270, 180].map(|height| rung(&gateway, height, 60));
    wait::until("two segments of each", SOON, || {
        let new = HEIGHTS.map(|height| {
            let entries = playlist(&gateway, height).entries;
            entries.iter().filter(|it| it.date_ms > gone).count()
        });
        new.iter().all(|&count| count >= 2).then_some(())
    });
    variants(&gateway, "/live/show.m3u8", HEIGHTS.len());
    for height in HEIGHTS {
        let entries = playlist(&gateway, height).entries;
        let breaks = entries.iter().filter(|it| it.discontinuity).count();
        assert_eq!(breaks, 1, "{height}: {entries:?}");
    }
}

/// An encoder that comes back counts its time from zero: it is put on the clock of the others, with its key frames at
/// their boundaries.
#[test]
fn a_lost_rung_leaves_and_joins_again_on_the_clock_of_the_others() {
    let gateway = Gateway::start();
    let _source = rung(&gateway, 360, 60);
    let mut lost = rung(&gateway, 270, 60);
    variants(&gateway, "/live/show.m3u8", 2);
    let seen = playlist(&gateway, 270);
    lost.kill();
    let uris = variants(&gateway, "/live/show.m3u8", 1);
    assert_eq!(uris, ["show_360p/main.m3u8"]);
    let left = wait::until("its playlist to send players away", SOON, || {
        let answer = gateway.get("/live/show_270p/main.m3u8");
        (answer.status == 503).then(|| answer.text())
    });
    assert!(left.contains("other rungs"), "{left}");
    let missed = playlist(&gateway, 360).sequence + 2;
    wait::until("two more segments of the other", SOON, || {
        (playlist(&gateway, 360).sequence >= missed).then_some(())
    });
    let _again = rung(&gateway, 270, 60);
    variants(&gateway, "/live/show.m3u8", 2);
    let joined = playlist(&gateway, 270);
    assert!(
        joined.sequence > seen.sequence,
        "no number is there twice: {} behind {}",
        joined.sequence,
        seen.sequence
    );
    let last = joined.entries.last().expect("listed").date_ms;
    let others = wait::until("the same segment of both", SOON, || {
        let list = playlist(&gateway, 360);
        (list.entries.last()?.date_ms >= last).then_some(list)
    });
    let place = others
        .entries
        .iter()
        .rposition(|entry| entry.date_ms == last);
    let place = place.expect("dates agree to the millisecond");
    let numbers = [(&joined, joined.entries.len() - 1), (&others, place)]
        .map(|(list, place)| list.sequence + place as u64);
    assert!(
        numbers[0].abs_diff(numbers[1]) <= 1,
        "players count on from what they know of it: {numbers:?}"
    );
    let others = others.entries;
    assert!(
        !others.iter().any(|entry| entry.discontinuity),
        "who stayed is not disturbed"
    );
}

/// Part by part players have a second in hand, and segment by segment six.
#[test]
fn a_rung_whose_encoder_hangs_is_left_in_low_latency_first() {
    let gateway = Gateway::start();
    let [best, _others @ ..] = HEIGHTS.map(|height| rung(&gateway, height, 60));
    variants(&gateway, "/live/show/llhls.m3u8", 3);
    // The epoch of what is listed last.
    let epoch = |path: &str| {
        let text = gateway.get(path).text();
        let (_, rest) = text.rsplit_once("?epoch=")?;
        Some(rest[..8].to_owned())
    };
    let heard = || epoch("/live/show/all-audio.m3u8");
    let own = epoch("/live/show_360p/audio.m3u8");
    assert!(own.is_some() && heard() == own, "the best is heard");
    wait::until("a segment of each", SOON, || {
        (playlist(&gateway, 360).entries.len() > 1).then_some(())
    });
    best.hang();
    wait::until("the sound of another", SOON, || {
        heard().filter(|now| Some(now) != own.as_ref())
    });
    let statuses = || {
        let files = ["video", "main"].map(|file| format!("/live/show_360p/{file}.m3u8"));
        files.map(|path| gateway.get(&path).status)
    };
    let first = wait::until("a refusal", SOON, || {
        Some(statuses()).filter(|it| it.contains(&503))
    });
    assert_eq!(first, [503, 200]);
    wait::until("it to be left in MPEG-TS", SOON, || {
        (statuses() == [503, 503]).then_some(())
    });
}

/// Both begin before anything is listed of the other, with clocks two seconds apart, and their key frames are four seconds
/// apart.
#[test]
fn encoders_that_begin_together_are_put_beside_each_other_once() {
    let gateway = Gateway::start_with(&[ALL_LISTED]);
    let _first = rung(&gateway, 360, 120);
    wait::until("the first to have published for two seconds", SOON, || {
        let stream = stream(&gateway, 360);
        let kilobits = stream["publisher"]["bytes"].as_u64()? / 125;
        (kilobits > 2 * u64::from(e2e::ladder::kilobits(360))).then_some(())
    });
    let _second = rung(&gateway, 180, 120);
    variants(&gateway, "/live/show.m3u8", 2);
    for height in [360, 180] {
        let list = wait::until("five segments", SOON, || {
            let list = playlist(&gateway, height);
            (list.entries.len() >= 5).then_some(list)
        });
        let breaks = list.entries.iter().filter(|it| it.discontinuity).count();
        assert!(breaks <= 1, "{height}: {:?}", list.entries);
    }
}

/// What health says: all restarted, with one key frame interval. Boundaries of the one that did not fit are nobody's.
#[test]
fn rungs_that_are_all_started_again_after_a_misfit_are_one_ladder() {
    let gateway = Gateway::start();
    {
        let _fitting = [rung(&gateway, 360, 60), rung(&gateway, 180, 60)];
        variants(&gateway, "/live/show/index.m3u8", 2);
        let _odd = rung(&gateway, 270, 77);
        told_of_a_misfit(&gateway, 270);
    }
    wait::until("all to be gone", SOON, || {
        let streams = HEIGHTS.map(|height| stream(&gateway, height));
        let mut streams = streams.iter();
        streams.all(|it| it["state"] == "resuming").then_some(())
    });
    let _again = HEIGHTS.map(|height| rung(&gateway, height, 60));
    let newest = |height| {
        let list = playlist(&gateway, height);
        list.entries.last().map_or(0, |it| it.date_ms)
    };
    let begun = newest(360);
    wait::until("ten seconds of each", SOON, || {
        let all = HEIGHTS.map(|height| newest(height) > begun + 10_000);
        (all == [true; 3]).then_some(())
    });
    let standings = HEIGHTS.map(|height| stream(&gateway, height)["rung"].clone());
    let misfit = standings.iter().find(|it| it["standing"] == "misfits");
    assert_eq!(misfit, None, "{standings:?}");
}
